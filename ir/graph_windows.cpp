#include "ir/graph_windows.h"

#include <algorithm>

namespace kiln::ir {
namespace {

class WindowCheck {
 public:
  WindowCheck(const Graph& graph, const Graph& root, const std::vector<bool>& sound,
              const std::function<void(NodeId, std::string_view)>& say)
      : g_(graph), root_(root), sound_(sound), say_(say) {}

  void run() {
    for (n_ = 0; n_ < g_.nodes.size(); ++n_) {
      if (!sound_[n_]) continue;
      if (node().kind == NodeKind::update) update();
      if (node().kind == NodeKind::put) put();
      if (begins() != nullptr) join();
    }
    if (right_) puts();
  }

 private:
  const Node& node() const { return g_.nodes[n_]; }
  const Node& operand(int i) const { return g_.nodes[g_.operand(n_, i)]; }
  const Pads* begins() const {
    return node().kind == NodeKind::concat ? std::get_if<Pads>(&g_.attributes[node().attr])
                                           : nullptr;
  }
  bool known(Sym s) const { return s < root_.syms.size(); }
  bool at(bool ok, std::string_view what) {
    if (!ok) say_(n_, what);
    right_ = right_ && ok;
    return ok;
  }

  void join() {
    const Pads& pads = *begins();
    at(pads.low.size() == node().operand_count, "not one begin an operand");
    at(std::ranges::all_of(pads.low, [&](Sym s) { return known(s); }), "an unknown begin");
  }

  void update() {
    at(operand(0).dtype == node().dtype && operand(1).dtype == node().dtype,
       "operands and result differ in type");
    at(std::ranges::equal(g_.shape(g_.operand(n_, 0)), g_.shape(n_)), "the base differs in shape");
    const std::span<const Sym> part = g_.shape(g_.operand(n_, 1)), whole = g_.shape(n_);
    if (!one_an_axis(part.size() == whole.size())) return;
    const Slices& window = g_.attribute<Slices>(n_);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      if (!at(known(window.begin[i]) && known(window.step[i]), "an unknown begin or step"))
        continue;
      at(root_.syms[window.step[i]].lo > 0, "a step that may not be positive");
      at(root_.syms[window.begin[i]].hi >= 0, "a negative begin");
      at(root_.syms[part[i]].lo <= root_.syms[whole[i]].hi, "a window longer than its axis");
    }
  }

  void put() {
    at(operand(0).dtype == node().dtype, "operand and result differ in type");
    at(std::ranges::equal(g_.shape(g_.operand(n_, 0)), g_.shape(n_)),
       "the operand differs in shape");
    one_an_axis(true);
  }

  bool one_an_axis(bool same_rank) {
    const Slices& window = g_.attribute<Slices>(n_);
    return at(same_rank && window.begin.size() == node().rank && window.step.size() == node().rank,
              "not one begin and step an axis");
  }

  // Each is the value of one update in the same window, or an operand of one concat that says where
  // it begins: windows of one memory are disjoint, or the later one lies over the earlier.
  void puts() {
    std::vector<std::uint32_t> users(g_.nodes.size(), 0);
    for (n_ = 0; n_ < g_.nodes.size(); ++n_) {
      for (int i = 0; sound_[n_] && i < node().operand_count; ++i) {
        if (operand(i).kind != NodeKind::put || !sound_[g_.operand(n_, i)]) continue;
        ++users[g_.operand(n_, i)];
        use(i);
      }
    }
    for (const NodeId out : g_.outputs) {
      if (out < users.size() && g_.nodes[out].kind == NodeKind::put) users[out] += 2;
    }
    for (n_ = 0; n_ < g_.nodes.size(); ++n_) {
      if (sound_[n_] && node().kind == NodeKind::put) at(users[n_] == 1, "not used once");
    }
  }

  void use(int i) {
    const Slices& window = g_.attribute<Slices>(g_.operand(n_, i));
    if (node().kind == NodeKind::update) {
      at(i == 1 && window == g_.attribute<Slices>(n_), "a put into another window");
      return;
    }
    if (!at(begins() != nullptr, "reads a put")) return;
    for (std::size_t axis = 0; axis < window.begin.size(); ++axis) {
      const Sym begin = axis == node().imm ? begins()->low[static_cast<std::size_t>(i)] : kZero;
      at(window.begin[axis] == begin && window.step[axis] == kOne, "a put into another window");
    }
  }

  const Graph& g_;
  const Graph& root_;
  const std::vector<bool>& sound_;
  const std::function<void(NodeId, std::string_view)>& say_;
  NodeId n_ = 0;
  bool right_ = true;
};

}  // namespace

void check_windows(const Graph& graph, const Graph& root, const std::vector<bool>& sound,
                   const std::function<void(NodeId, std::string_view)>& say) {
  WindowCheck(graph, root, sound, say).run();
}

}  // namespace kiln::ir
