#include "frontend/investment.h"

#include <algorithm>
#include <set>
#include <utility>

#include "ir/mutant.h"

namespace kiln::inline v0::frontend {

namespace {

// A kernel of one operation, each further operation, a reduction, the first use of a function of
// ir/math and each further one. Measured with LLVM 19 on one thread (AVX-512; a sine takes 9 ms, an
// exponential 4), and with NVRTC 13 down to machine code.
struct CompileFigures {
  double kernel, operation, reduction, function, use;
};
constexpr CompileFigures kHost{2e-3, 0.07e-3, 5e-3, 6e-3, 0.3e-3},
    kCuda{25e-3, 0.3e-3, 25e-3, 50e-3, 1.5e-3};

const CompileFigures& figures_of(const ir::Caps& caps) {
  return caps.target == ir::Target::cuda ? kCuda : kHost;
}

bool computes(const ir::Node& node) {
  const ir::Role is = ir::role(node.kind);
  return is == ir::Role::map || is == ir::Role::join || is == ir::Role::fold ||
         is == ir::Role::call;
}

}  // namespace

bool has_several_operations(const ir::Graph& graph) {
  return std::ranges::count_if(graph.nodes, computes) > 1;
}

double kernel_seconds(const ir::Caps& caps) { return figures_of(caps).kernel; }

double compile_seconds(bool function, const ir::Caps& caps) {
  const CompileFigures& figures = figures_of(caps);
  return function ? figures.use : figures.operation;
}

double compile_seconds(const ir::Graph& graph, const ir::Caps& caps) {
  const CompileFigures& figures = figures_of(caps);
  double seconds = figures.kernel;
  std::set<std::pair<ir::Op, ir::DType>> functions;
  for (const ir::Node& node : graph.nodes) {
    if (!computes(node) || ir::role(node.kind) == ir::Role::call) continue;
    const bool function = node.kind == ir::NodeKind::map && ir::has(node.op, ir::kExpands);
    const bool first = function && functions.emplace(node.op, node.dtype).second;
    seconds += first ? figures.function : compile_seconds(function, caps);
    if (node.kind == ir::NodeKind::reduce) seconds += figures.reduction;
  }
  return seconds;
}

double saved_seconds(const ir::Graph& graph, const ir::Bindings& bindings, const ir::Caps& caps) {
  const auto bytes_of = [&](ir::NodeId n) {
    double size = static_cast<double>(ir::size_of(graph.nodes[n].dtype));
    for (const ir::Sym s : graph.shape(n)) size *= static_cast<double>(bindings.syms[s]);
    return size;
  };
  double seconds = 0;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto n = static_cast<ir::NodeId>(i);
    // Written once and read once for the sake of its being apart.
    if (computes(graph.nodes[i])) seconds += 2 * bytes_of(n) / caps.bandwidth + kEvaluationSeconds;
  }
  for (const ir::NodeId output : graph.outputs) {
    if (computes(graph.nodes[output])) seconds -= 2 * bytes_of(output) / caps.bandwidth;
  }
  return seconds > 0 ? seconds : 0;
}

Investments::Prospect Investments::look(const ir::Graph& graph, std::size_t hash,
                                        const ir::Bindings& bindings, const ir::Caps& caps,
                                        double budget) const {
  Prospect p;
  p.cost = compile_seconds(graph, caps);
  p.gain = saved_seconds(graph, bindings, caps);
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto known = seen_.find(hash);
  const Seen seen = known != seen_.end() ? known->second : Seen{};
  p.seen = seen.times + 1;
  if (mutant(ir::Mutant::always_compiled)) return p;
  p.fuse = spent_ + p.cost <= budget || seen.lost + p.gain >= p.cost;
  return p;
}

Investments::Prospect Investments::weigh(const ir::Graph& graph, std::size_t hash,
                                         const ir::Bindings& bindings, const ir::Caps& caps,
                                         double budget) {
  const Prospect p = look(graph, hash, bindings, caps, budget);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (p.fuse) {
    seen_.erase(hash);
  } else {
    if (seen_.size() >= kMost) seen_.clear();
    Seen& seen = seen_[hash];
    seen.lost += p.gain;
    ++seen.times;
  }
  return p;
}

void Investments::spend(double seconds) {
  const std::lock_guard<std::mutex> lock(mutex_);
  spent_ += seconds;
}

double Investments::spent() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return spent_;
}

}  // namespace kiln::inline v0::frontend
