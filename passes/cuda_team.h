// A warp or a block of a CUDA kernel that works on a row: reduces ranges of positions in the
// canonical order, and walks over a row's elements in the order in which its threads own them.
//
// Canonical order (ir/NUMERICS.md): a warp reduces a chunk of 1024 elements, whose 128 lanes its
// threads share out. Where elements are aligned vectors, a thread holds as many neighbouring lanes
// as fit into 16 bytes: four, whose tree of pairs is its own, so that shuffles go on from there.
// Else the lanes are four groups of 32; thread t holds lane t of each group, so that every load is
// coalesced at any alignment; shuffles build the tree within a group, then the groups are combined.
// The warps' chunks meet in shared memory and form an aligned subtree; subtrees go through a carry
// stack that every thread keeps.
#pragma once
#include <functional>

#include "passes/scene.h"
#include "passes/staging.h"

namespace kiln::passes {

struct TeamShape {
  static constexpr std::int64_t kWarp = 32;
  std::int64_t warps = 1;  // 1: a warp, or a part of one, works alone; else a block of so many (a
                           // power of two)
  std::int64_t unit = ir::kReduceChunk;  // positions that one warp takes at a time: a chunk in
                                         // canonical order, or kWarp values for the plain tree
  std::int64_t longest = 0;              // upper bound of the length of a range
  bool fixed = false;  // a thread's elements are counted at compile time, so that they can have
                       // registers; the team takes `longest` in one step
  std::int64_t width = kWarp;  // threads of a warp that work together, a power of two; less than a
                               // warp only where a step takes `longest`
  std::int64_t vector = 1;     // neighbouring positions that a thread takes at once, 1, 2 or 4:
                               // aligned, and none of them beyond a range's end
  // A block takes several steps along a range.
  bool several_steps() const { return warps > 1 && longest > warps * unit; }
  std::int64_t groups() const {
    return unit == kWarp || longest <= kWarp * vector ? 1 : ir::kReduceLanes / (kWarp * vector);
  }
  std::int64_t stride() const { return groups() * width * vector; }
  std::int64_t steps() const;  // fixed: vectors of a thread in each group
  std::int64_t slots() const { return groups() * steps() * vector; }
};

class CudaTeam {
 public:
  // `thread`: within the block, or within the warp if not more works together.
  CudaTeam(Scene& scene, ir::Value thread, const TeamShape& shape);

  // Parts of the elements from `position` on, of reduction number i: as many as the emitter's
  // lanes, which are the shape's vector meanwhile.
  using Element = std::function<Parts(std::size_t i, ir::Value position)>;
  // Called before an element's parts are asked for; `slot` of a thread's own (fixed shapes).
  using Arrive = std::function<void(ir::Value position, ir::Value slot)>;
  // Reduces [begin, end); every thread gets the results.
  std::vector<Parts> reduce(const std::vector<Reducer>& reducers, ir::Value begin, ir::Value end,
                            const Arrive& arrive, const Element& element);
  // Values that the team's first thread has and all get (a whole warp or block that takes one
  // step): `value` as that thread has it, for which asks() holds; got() after the next reduction.
  ir::Value asks();
  std::size_t give(ir::Value value);
  ir::Value got(std::size_t number);
  // Visits the elements of [0, end), each by the thread that reduces it (fixed shapes).
  void visit(ir::Value end, const Arrive& body);
  // The body with vectors of the shape.
  void in_vectors(const std::function<void()>& body);

 private:
  struct Memories {  // of one reducer
    PartsMemory sums;
    std::optional<PartsMemory> meeting;
    std::optional<CarryStack> stack;
  };
  struct Given {
    ir::Value value;
    std::uint32_t memory;  // of a block
    bool stored;
  };
  std::vector<Parts> block_total(ir::Value first, ir::Value end);
  std::vector<Parts> warp_total(ir::Value first, ir::Value end);
  void across_vector(ir::Value at);
  void across_warp(ir::Value at);
  ir::Value begin_groups();
  ir::Value first_element(ir::Value group, ir::Value first);
  void own_elements(ir::Value group, ir::Value first, ir::Value end, const Arrive& body);

  ir::KernelBuilder& b_;
  Emitter& e_;
  TeamShape shape_;
  ir::Value thread_;
  ir::Value lane_, me_, warp_;  // in the warp, in the part of it that works together; in the block
  const std::vector<Reducer>* reducers_ = nullptr;  // while reducing
  const Arrive* arrive_ = nullptr;
  const Element* element_ = nullptr;
  std::vector<Memories> memories_;
  std::vector<Given> given_;
};

}  // namespace kiln::passes
