#include "passes/groups.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "ir/mutant.h"
#include "passes/parameters.h"

namespace kiln::passes {

std::size_t Groups::add(Group group) {
  groups_.push_back(std::move(group));
  alias_.push_back(groups_.size() - 1);
  seen_.push_back(0);
  return alias_.back();
}

void Groups::add_root(std::size_t group, ir::NodeId root) {
  Group& g = groups_[group];
  g.first = std::min(g.first, root);
  g.last = std::max(g.last, root);
  note_range(g);
}

void Groups::note_range(const Group& group) {
  for (std::size_t i = std::size_t{group.first} + 1; i < latest_.size(); i += i & -i)
    latest_[i] = std::max(latest_[i], group.last);
}

ir::NodeId Groups::latest(ir::NodeId root) const {
  ir::NodeId last = 0;
  for (std::size_t i = std::size_t{root} + 1; i > 0; i -= i & -i) last = std::max(last, latest_[i]);
  return last;
}

bool Groups::reaches(std::size_t from, std::size_t to) const {
  // Along `before` edges, from a reader to what it reads; bounded, and then taken as "yes".
  constexpr std::size_t kMaxVisits = 4096;
  std::size_t visits = 0;
  ++search_;
  std::vector<std::size_t> stack{from};
  while (!stack.empty()) {
    const std::size_t g = stack.back();
    stack.pop_back();
    for (const std::size_t raw : groups_[g].before) {
      const std::size_t b = find(raw);
      if (b == to || visits > kMaxVisits) return true;
      if (b == from || seen_[b] == search_ || !may_reach(b, groups_[to].first)) continue;
      seen_[b] = search_;
      ++visits;
      stack.push_back(b);
    }
  }
  return false;
}

// What is read has a smaller number than its reader; but the group that makes it may have later
// roots as well, which read further ones.
bool Groups::may_reach(std::size_t group, ir::NodeId root) const {
  ir::NodeId last = groups_[group].last;
  while (last <= root) {
    const ir::NodeId later = latest(last);
    if (later <= last) return false;
    last = later;
  }
  return true;
}

void Groups::merge(std::size_t into, std::size_t from) {
  Group& a = groups_[into];
  Group& b = groups_[from];
  a.reduces.insert(a.reduces.end(), b.reduces.begin(), b.reduces.end());
  a.outputs.merge(b.outputs);
  a.before.merge(b.before);
  a.leaves.merge(b.leaves);
  passes::merge(a.parameters, b.parameters);
  a.operations += b.operations;
  a.length += b.length;
  a.puts = a.puts || b.puts;
  a.first = std::min(a.first, b.first);
  a.last = std::max(a.last, b.last);
  if (!mutant(ir::Mutant::lost_range)) note_range(a);
  b.merged = true;
  alias_[from] = into;
}

std::vector<std::size_t> Groups::order() const {
  std::vector<std::size_t> order;
  std::vector<int> state(groups_.size(), 0);
  for (std::size_t start = 0; start < groups_.size(); ++start) {
    if (groups_[start].merged) continue;
    std::vector<std::size_t> stack{start};
    while (!stack.empty()) {
      const std::size_t g = stack.back();
      if (state[g] == 0) {
        state[g] = 1;
        for (const std::size_t raw : groups_[g].before) {
          if (state[find(raw)] == 0) stack.push_back(find(raw));
        }
        continue;
      }
      stack.pop_back();
      if (state[g] == 1) order.push_back(g);
      state[g] = 2;
    }
  }
  return order;
}

void order_reduces(const ir::Graph& graph, const Group& group, const std::vector<bool>& is_root,
                   Cluster& cluster) {
  cluster.reduces = group.reduces;
  std::ranges::sort(cluster.reduces);        // ids are topological
  std::unordered_map<ir::NodeId, int> next;  // the first phase that may use a value
  std::vector<ir::NodeId> stack;
  for (const ir::NodeId r : cluster.reduces) {
    stack.push_back(graph.operand(r, 0));
    while (!stack.empty()) {
      const ir::NodeId n = stack.back();
      // Stored values of this very cluster are computed here, not read: look through them.
      const bool stops = is_root[n] && !group.outputs.contains(n);
      int phase = 0;
      bool ready = true;
      for (const ir::NodeId operand : stops ? std::span<const ir::NodeId>{} : graph.operands(n)) {
        const auto known = next.find(operand);
        if (known == next.end()) {
          ready = false;
          stack.push_back(operand);
        } else {
          phase = std::max(phase, known->second);
        }
      }
      if (!ready) continue;
      next.try_emplace(n, phase);
      stack.pop_back();
    }
    const int mine = next.at(graph.operand(r, 0));
    next[r] = mine + 1;
    cluster.phases.push_back(mine);
  }
}

}  // namespace kiln::passes
