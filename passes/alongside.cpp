#include "passes/alongside.h"

#include <algorithm>
#include <map>

namespace kiln::passes {

using ir::NodeId;
using ir::Sym;

namespace {

class Alongside {
 public:
  Alongside(const ir::Graph& graph, const ir::Caps& caps, const FuseOptions& options,
            const Parameters& parameters, const Partition& partition, Groups& groups)
      : graph_(graph),
        caps_(caps),
        options_(options),
        parameters_(parameters),
        partition_(partition),
        groups_(groups) {}
  void run();

 private:
  static constexpr std::size_t kMaxPartners = 16;  // tried for each group

  bool worth_a_kernel(std::size_t a, std::size_t b) const;
  void bring_rows_together();
  bool worth_rows(const Group& rows, const Group& points) const;

  const ir::Graph& graph_;
  const ir::Caps& caps_;
  const FuseOptions& options_;
  const Parameters& parameters_;
  const Partition& partition_;
  Groups& groups_;
};

// Up to a limit on operands and operations, beyond which registers would run out and compile time
// outgrow what is saved.
bool Alongside::worth_a_kernel(std::size_t a, std::size_t b) const {
  const Group &x = groups_[a], &y = groups_[b];
  if (x.length + y.length > partition_.budget) return false;
  constexpr std::size_t kMaxOperands = 64;
  constexpr std::size_t kMaxOperations = 2048;
  const std::size_t operands = x.leaves.size() + y.leaves.size() + x.outputs.size() +
                               y.outputs.size() + x.reduces.size() + y.reduces.size();
  return operands <= kMaxOperands && x.operations + y.operations <= kMaxOperations &&
         parameters_.fit(x.parameters, y.parameters);
}

// Independent groups over one space run side by side: what both read is read once, and a launch is
// saved.
void Alongside::run() {
  if (!options_.fusion) return;
  std::map<std::pair<std::vector<Sym>, std::vector<Sym>>, std::vector<std::size_t>> alike;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (!groups_[g].merged && !groups_[g].alone() && !groups_[g].puts) {
      alike[{groups_[g].outer, groups_[g].inner}].push_back(g);
    }
  }
  for (auto& [space, members] : alike) {
    for (std::size_t i = 0; i < members.size(); ++i) {
      for (std::size_t j = i + 1; j < members.size() && j <= i + kMaxPartners; ++j) {
        const std::size_t a = groups_.find(members[i]);
        const std::size_t b = groups_.find(members[j]);
        if (a == b) continue;
        if (!worth_a_kernel(a, b)) continue;
        const auto together =
            decide(true, options_, static_cast<NodeId>(i), static_cast<NodeId>(j));
        if (together && groups_.independent(a, b)) groups_.merge(a, b);
      }
    }
  }
  bring_rows_together();
}

// Reducing rows leaves only rows to share out: what idle units lose on the points' work, against
// what both read and a launch.
bool Alongside::worth_rows(const Group& rows, const Group& points) const {
  double bytes = 0, shared = 0;
  for (const NodeId leaf : points.leaves) {
    bytes += middle_bytes_read(graph_, leaf);
    if (rows.leaves.contains(leaf)) shared += middle_bytes_read(graph_, leaf);
  }
  for (const auto& [node, coordinates] : points.outputs) bytes += middle_bytes(graph_, node);
  const double operations =
      static_cast<double>(points.operations) * middle_size(graph_, points.outer);
  const double lost =
      caps_.idle_seconds(caps_.seconds(bytes, operations), middle_size(graph_, rows.outer));
  return lost <= caps_.seconds(shared, 0) + caps_.launch_seconds;
}

// A pointwise group over the points of a reduction is made beside it, if neither needs the other:
// 2 * x and sum(x) of rows in one kernel.
void Alongside::bring_rows_together() {
  std::map<std::vector<Sym>, std::vector<std::size_t>> pointwise;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (groups_[g].merged || groups_[g].alone() || !groups_[g].reduces.empty()) continue;
    if (groups_[g].puts) continue;
    pointwise[groups_[g].outer].push_back(g);
  }
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (groups_[g].merged || groups_[g].split || groups_[g].inner.empty()) continue;
    std::vector<Sym> points = groups_[g].outer;
    points.insert(points.end(), groups_[g].inner.begin(), groups_[g].inner.end());
    const auto found = pointwise.find(points);
    if (found == pointwise.end()) continue;
    std::size_t tried = 0;
    for (const std::size_t p : found->second) {
      if (groups_[p].merged || ++tried > kMaxPartners || !worth_a_kernel(g, p)) continue;
      const bool worth = worth_rows(groups_[g], groups_[p]);
      if (decide(worth, options_, groups_[g].first, groups_[p].first) &&
          groups_.independent(g, p)) {
        groups_.merge(g, p);
      }
    }
  }
}

}  // namespace

void bring_together(const ir::Graph& graph, const ir::Caps& caps, const FuseOptions& options,
                    const Parameters& parameters, const Partition& partition, Groups& groups) {
  Alongside(graph, caps, options, parameters, partition, groups).run();
}

}  // namespace kiln::passes
