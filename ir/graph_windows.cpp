#include "ir/graph_windows.h"

#include <vector>

namespace kiln::ir {
namespace {

// Each put is the value of one update in the same window, or an operand of one concat that says
// where it begins: windows of one memory are disjoint, or the later one lies over the earlier.
class WindowCheck {
 public:
  WindowCheck(const Graph& graph, const std::function<void(NodeId, std::string_view)>& say)
      : g_(graph), say_(say) {}

  void run() {
    std::vector<std::uint32_t> users(g_.nodes.size(), 0);
    for (n_ = 0; n_ < g_.nodes.size(); ++n_) {
      for (int i = 0; i < node().operand_count; ++i) {
        if (!is_put(g_.operand(n_, i))) continue;
        ++users[g_.operand(n_, i)];
        use(i);
      }
    }
    for (const NodeId out : g_.outputs) {
      if (out < users.size() && is_put(out)) users[out] += 2;
    }
    for (n_ = 0; n_ < g_.nodes.size(); ++n_) {
      if (is_put(n_)) at(users[n_] == 1, "not used once");
    }
  }

 private:
  const Node& node() const { return g_.nodes[n_]; }
  bool is_put(NodeId n) const { return g_.nodes[n].kind == NodeKind::put; }
  bool at(bool ok, std::string_view what) {
    if (!ok) say_(n_, what);
    return ok;
  }

  void use(int i) {
    const Slices& window = g_.attribute<Slices>(g_.operand(n_, i));
    if (node().kind == NodeKind::update) {
      at(i == 1 && window == g_.attribute<Slices>(n_), "a put into another window");
      return;
    }
    const auto* begins =
        node().kind == NodeKind::concat ? std::get_if<Pads>(&g_.attributes[node().attr]) : nullptr;
    if (!at(begins != nullptr, "reads a put")) return;
    for (std::size_t axis = 0; axis < window.begin.size(); ++axis) {
      const Sym begin = axis == node().imm ? begins->low[static_cast<std::size_t>(i)] : kZero;
      at(window.begin[axis] == begin && window.step[axis] == kOne, "a put into another window");
    }
  }

  const Graph& g_;
  const std::function<void(NodeId, std::string_view)>& say_;
  NodeId n_ = 0;
};

}  // namespace

void check_windows(const Graph& graph, const std::function<void(NodeId, std::string_view)>& say) {
  WindowCheck(graph, say).run();
}

}  // namespace kiln::ir
