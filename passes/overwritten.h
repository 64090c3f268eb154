// Private to windows: who uses a node, and who may read the memory of an update's base.
#pragma once
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "passes/cluster.h"

namespace kiln::passes {

// Who uses each node, once for each operand that it is.
class Users {
 public:
  explicit Users(const ir::Graph& graph) : first_(graph.nodes.size() + 1, 0) {
    const auto each = [&](auto visit) {
      for (ir::NodeId n = 0; n < graph.nodes.size(); ++n) {
        for (const ir::NodeId operand : graph.operands(n)) visit(n, operand);
      }
    };
    each([&](ir::NodeId, ir::NodeId operand) { ++first_[operand + std::size_t{1}]; });
    for (std::size_t i = 1; i < first_.size(); ++i) first_[i] += first_[i - 1];
    list_.resize(first_.back());
    std::vector<std::uint32_t> next(first_.begin(), first_.end() - 1);
    each([&](ir::NodeId n, ir::NodeId operand) { list_[next[operand]++] = n; });
  }
  std::span<const ir::NodeId> of(ir::NodeId n) const {
    return {list_.data() + first_[n], first_[n + std::size_t{1}] - first_[n]};
  }

 private:
  std::vector<std::uint32_t> first_;
  std::vector<ir::NodeId> list_;
};

// Who may read the memory of an update's base beside the update: nodes that are computed from it
// without passing through memory, each given to `visit`. False: some need it later, or too many.
class Readers {
 public:
  static constexpr std::size_t kMaxReaders = 256;

  Readers(const ir::Graph& graph, const Users& users, const std::vector<bool>& output)
      : graph_(graph), users_(users), output_(output) {}

  // visit(n, {}) of a node, visit(n, operand) of the put of an assembled one's piece.
  template <class Assembled, class Visit>
  bool find(ir::NodeId update, Assembled assembled, Visit visit) {
    const ir::NodeId base = graph_.operand(update, 0), value = graph_.operand(update, 1);
    if (output_[base]) return false;
    std::size_t steps = 0;
    seen_.clear();
    stack_.assign(1, base);
    while (!stack_.empty()) {
      const ir::NodeId n = stack_.back();
      stack_.pop_back();
      for (const ir::NodeId user : users_.of(n)) {
        if (user == update) continue;  // as its base, or by way of its value
        if (++steps > kMaxReaders) return false;
        if (assembled(user)) {
          if (!pieces(user, n, n == base, visit)) return false;
          continue;
        }
        if (!seen_.insert(user).second) continue;
        visit(user, std::nullopt);
        const ir::Node& node = graph_.nodes[user];
        const bool stops = folds(node) || is_by_call(node) || output_[user] || user == value ||
                           node.kind == ir::NodeKind::put;
        if (!stops) stack_.push_back(user);
      }
    }
    return true;
  }

 private:
  template <class Visit>
  bool pieces(ir::NodeId whole, ir::NodeId n, bool is_base, Visit visit) const {
    const auto operands = graph_.operands(whole);
    for (std::uint32_t i = 0; i < operands.size(); ++i) {
      if (operands[i] != n) continue;
      if (graph_.nodes[whole].kind != ir::NodeKind::update || i != 0) {
        visit(whole, std::optional(i));
      } else if (is_base) {
        return false;  // overwrites it as well
      } else {
        visit(whole, std::nullopt);  // maybe by way of a copy
      }
    }
    return true;
  }

  const ir::Graph& graph_;
  const Users& users_;
  const std::vector<bool>& output_;
  std::unordered_set<ir::NodeId> seen_;
  std::vector<ir::NodeId> stack_;
};

inline std::vector<bool> outputs_of(const ir::Graph& graph) {
  std::vector<bool> result(graph.nodes.size(), false);
  for (const ir::NodeId n : graph.outputs) result[n] = true;
  return result;
}

}  // namespace kiln::passes
