// The ways in which a value is needed: at which index, and by which shifts and masks. A kernel
// computes a value once for each way: along every path of views (reshape, slice, pad, concat,
// broadcast) that ends at other coordinates, all that is below is computed again, so ways multiply
// where paths follow one another.
#pragma once
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "passes/access.h"

namespace kiln::passes {

// Shifts by the same amounts in another order come to one index, but not to one instruction, and
// what a mask leaves out is loaded apart: each route from the place where the walk began is a way.
struct Way {
  std::uint32_t context = 0;  // of Ways
  std::uint64_t route = 0;
  bool operator==(const Way&) const = default;
};

// Axes whose index a reshape divides for.
int divided_axes(const ir::Graph& graph, ir::NodeId reshape);
// Whether an index was divided: lanes lie anywhere.
bool is_divided(const Context& context);
// Operations of one index: a division at each lane; and, beside those of a load that runs along an
// axis, what one takes whose lanes lie anywhere.
inline constexpr int kDivisionCost = 24;
inline constexpr int kGatherCost = 16;

class Ways {
 public:
  explicit Ways(const ir::Graph& graph) : graph_(graph) {}

  Way at(std::vector<Affine> index) { return {intern({std::move(index), {}}), 0}; }
  const Context& context(const Way& way) const { return *list_[way.context]; }
  // Ways in which the operands of a node are needed that is needed in this one; in their order.
  // Not for leaves.
  void below(ir::NodeId node, const Way& way, std::vector<Way>& result);

 private:
  std::uint32_t intern(Context context);
  std::uint64_t longer(const Way& way, ir::NodeId node, std::size_t operand,
                       const Context& inner) const;

  struct Hash {
    std::size_t operator()(const Context& context) const { return hash_of(context); }
  };
  const ir::Graph& graph_;
  std::unordered_map<Context, std::uint32_t, Hash> ids_;  // each context once
  std::vector<const Context*> list_;
};

}  // namespace kiln::passes
