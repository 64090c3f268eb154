// A warp or a block of a CUDA kernel that works on a row: reduces ranges of positions in the
// canonical order, and walks over a row's elements in the order in which its threads own them.
//
// Canonical order (ir/NUMERICS.md): a warp reduces a chunk of 1024 elements. Its 128 lanes are four
// groups of 32; thread t holds lane t of each group, so that every load is coalesced at any
// alignment. Shuffles build the tree within a group, then the four groups are combined. The warps'
// chunks meet in shared memory and form an aligned subtree; subtrees go through a carry stack that
// every thread keeps.
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
                               // warp only where `longest` is no more
  std::int64_t groups() const {
    return unit == kWarp || longest <= kWarp ? 1 : ir::kReduceLanes / kWarp;
  }
  std::int64_t stride() const { return groups() * width; }
  std::int64_t steps() const;  // fixed: elements of a thread in each group
  std::int64_t slots() const { return groups() * steps(); }
};

class CudaTeam {
 public:
  // `thread`: within the block, or within the warp if not more works together.
  CudaTeam(Scene& scene, ir::Value thread, const TeamShape& shape);

  // Parts of element `position` of reduction number i.
  using Element = std::function<Parts(std::size_t i, ir::Value position)>;
  // Called before an element's parts are asked for; `slot` of a thread's own (fixed shapes).
  using Arrive = std::function<void(ir::Value position, ir::Value slot)>;
  // Reduces [begin, end); every thread gets the results.
  std::vector<Parts> reduce(const std::vector<Reducer>& reducers, ir::Value begin, ir::Value end,
                            const Arrive& arrive, const Element& element);
  // Visits the elements of [0, end), each by the thread that reduces it (fixed shapes).
  void visit(ir::Value end, const Arrive& body);

 private:
  struct Memories {  // of one reducer
    PartsMemory sums;
    std::optional<PartsMemory> meeting;
    std::optional<CarryStack> stack;
  };
  std::vector<Parts> block_total(ir::Value first, ir::Value end);
  std::vector<Parts> warp_total(ir::Value first, ir::Value end);
  void across_warp(ir::Value group);
  ir::Value begin_groups();
  void own_elements(ir::Value group, ir::Value first, ir::Value end, const Arrive& body);

  ir::KernelBuilder& b_;
  Emitter& e_;
  TeamShape shape_;
  ir::Value lane_, me_, warp_;  // in the warp, in the part of it that works together; in the block
  const std::vector<Reducer>* reducers_ = nullptr;  // while reducing
  const Arrive* arrive_ = nullptr;
  const Element* element_ = nullptr;
  std::vector<Memories> memories_;
};

}  // namespace kiln::passes
