// A compile is an investment. A graph that is new is planned, fused and compiled at once while the
// process has spent less than its budget; beyond it, it runs one operation at a time, on kernels
// that all programs share, until what it has lost by that would have paid for its compile. So a
// program whose every expression is another one pays the budget and no more, and any other pays at
// most twice for what it runs often.
//
// Seconds here are modelled, not measured, so that programs do the same in every run.
#pragma once
#include <cstddef>
#include <mutex>
#include <unordered_map>

#include "ir/graph.h"
#include "ir/plan.h"

namespace kiln::inline v0::frontend {

// Finding a plan, binding and starting it.
inline constexpr double kEvaluationSeconds = 5e-6;
// Whether running it one operation at a time is anything else.
bool has_several_operations(const ir::Graph& graph);
// What one more operation, or one more use of a function of ir/math, in a kernel takes to compile.
double compile_seconds(bool function, const ir::Caps& caps);
// What a kernel takes to compile beside its operations.
double kernel_seconds(const ir::Caps& caps);
// What compiling the kernels of a graph takes, if none of them is cached.
double compile_seconds(const ir::Graph& graph, const ir::Caps& caps);
// What one run gains if the graph is fused: memory traffic of interior values, and launches.
double saved_seconds(const ir::Graph& graph, const ir::Bindings& bindings, const ir::Caps& caps);

class Investments {
 public:
  struct Prospect {
    bool fuse = true;
    double cost = 0, gain = 0;  // seconds; gain of one run
    int seen = 0;               // evaluations so far, this one counted
  };
  // What is to be done about an evaluation of a graph that has no plan. Counts it as seen.
  Prospect weigh(const ir::Graph& graph, std::size_t hash, const ir::Bindings& bindings,
                 const ir::Caps& caps, double budget);
  // The same for somebody who looks: counts nothing.
  Prospect look(const ir::Graph& graph, std::size_t hash, const ir::Bindings& bindings,
                const ir::Caps& caps, double budget) const;
  // A share of a graph's kernels was compiled.
  void spend(double seconds);
  double spent() const;
  std::mutex& mutex() { return mutex_; }  // for fork

 private:
  static constexpr std::size_t kMost = 1 << 16;  // graphs that are remembered
  struct Seen {
    double lost = 0;
    int times = 0;
  };
  mutable std::mutex mutex_;
  double spent_ = 0;
  std::unordered_map<std::size_t, Seen> seen_;
};

}  // namespace kiln::inline v0::frontend
