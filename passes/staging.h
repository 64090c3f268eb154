// Which values of a row are kept on chip between the phases of a cluster.
//
// A phase of a row program runs over the row from its first element to its last, and the pass that
// stores the outputs does so once more. What several of them need is either made again (read again
// from memory or cache, computed again) or kept: in registers on CUDA, in a thread's own array on
// the CPU, one slot an element. Kept is what is dearer to make again than to keep, by the prices of
// the target; so softmax reads its row once and computes exp once, without being known.
#pragma once
#include <vector>

#include "passes/reducer.h"
#include "passes/schedule.h"

namespace kiln::passes {

class Scene;

struct Staged {
  ir::NodeId node = 0;
  Coordinates coordinates;  // plain: one of its elements for each element of the row
  int made = 0;             // the phase that makes it
  int last = 0;             // the last one that uses it; the outputs' pass comes after all phases
};

struct StagingPrices {
  double keep = 0;         // storing and reading back, in operations an element
  double load = 0;         // reading from memory again at unit stride
  double gather = 0;       // at another stride
  std::int64_t bytes = 0;  // at most so many an element of the row, all values together
};

// On a CPU a kept value costs a store and a load of the second cache, a read again only the load.
inline constexpr StagingPrices kCpuStaging{3, 0.5, 8, 16};

// By output, the pass over the row that can store it. That is the last phase, unless the output
// needs a result of it; such are stored after all phases. A row of one phase whose outputs are
// stored along with it is read once, and its outputs may take over what it reads. Linear in the
// cluster's nodes.
std::vector<int> passes_of_outputs(const ClusterContext& context);

// Pure. stored_in: the pass that stores each output; empty: the one after all phases. Cost: linear
// in the cluster's visits for each phase.
std::vector<Staged> staged_values(const ClusterContext& context, const StagingPrices& prices,
                                  const std::vector<int>& stored_in = {});

// The memories of staged values in a kernel under construction.
class RowStore {
 public:
  // `slots`: of each thread's array.
  RowStore(Scene& scene, std::vector<Staged> values, std::int64_t slots);
  bool empty() const { return values_.empty(); }
  // At the scene's current element, inside the scope that computes it: what earlier phases kept is
  // taken from `slot`; what this phase is to keep is computed and put there.
  void recall(int phase, ir::Value slot);
  void keep(int phase, ir::Value slot);

 private:
  Scene& scene_;
  std::vector<Staged> values_;
  std::vector<std::uint32_t> memories_;
};

}  // namespace kiln::passes
