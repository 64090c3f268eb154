#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "ir/graph_kinds.h"
#include "ir/graph_windows.h"
#include "ir/nodes/check.h"
#include "ir/nodes/rule.h"

namespace kiln::ir {
namespace {

class GraphVerifier {
 public:
  // A region's symbols and scalars are its root's.
  GraphVerifier(const Graph& graph, const Graph& root, std::string prefix)
      : g_(graph), root_(root), prefix_(std::move(prefix)) {}

  std::string run() {
    if (&g_ == &root_) tables();
    for (std::size_t i = 0; i < g_.inputs.size(); ++i) input(i);
    for (n_ = 0; n_ < g_.nodes.size(); ++n_) {
      sound_.push_back(shape_ok() && operands_ok() && attribute_ok());
      // What uses a node that cannot be looked at is not looked at either.
      for (const NodeId operand : sound_[n_] ? g_.operands(n_) : std::span<const NodeId>()) {
        if (!sound_[operand]) sound_[n_] = false;
      }
      if (sound_[n_]) check();
    }
    if (findings_.empty()) {
      check_windows(g_, [&](NodeId n, std::string_view what) {
        n_ = n;
        at(false, what);
      });
    }
    for (const NodeId out : g_.outputs) {
      if (out >= g_.nodes.size())
        complain("output n{} does not exist", out);
      else if (g_.nodes[out].results != 1)
        complain("output n{} has several results", out);
    }
    for (std::size_t h = 0; h < g_.hints.size(); ++h) {
      if (g_.hints[h].node >= g_.nodes.size())
        complain("a hint about n{}, which does not exist", g_.hints[h].node);
      if (h > 0 && !(g_.hints[h - 1] < g_.hints[h])) complain("hints are not ascending");
    }
    if (!g_.lines.empty() && g_.lines.size() != g_.nodes.size())
      complain("lines are not one a node");
    if (!g_.labels.empty() && g_.labels.size() != g_.nodes.size()) {
      complain("labels are not one a node");
    }
    if (!g_.origins.empty() && g_.origins.size() != g_.nodes.size()) {
      complain("origins are not one a node");
    }
    for (std::size_t r = 0; r < g_.regions.size(); ++r) {
      findings_ +=
          GraphVerifier(g_.regions[r], root_, fmt::format("{}region {}: ", prefix_, r)).run();
    }
    return std::move(findings_);
  }

 private:
  template <class... Args>
  void complain(fmt::format_string<Args...> format, Args&&... args) {
    findings_ += prefix_;
    fmt::format_to(std::back_inserter(findings_), format, std::forward<Args>(args)...);
    findings_ += '\n';
  }
  bool at(bool ok, std::string_view what) {
    if (!ok) complain("n{} {}: {}", n_, info(node().kind).name, what);
    return ok;
  }

  const Node& node() const { return g_.nodes[n_]; }
  std::span<const Sym> shape() const { return g_.shape(n_); }
  bool known(Sym s) const { return s < root_.syms.size(); }

  void tables();
  void input(std::size_t i);
  bool shape_ok();
  bool operands_ok();
  bool attribute_ok();
  bool check();

  const Graph& g_;
  const Graph& root_;
  const std::string prefix_;
  NodeId n_ = 0;
  std::vector<bool> sound_;  // by node: its tables can be read
  std::string findings_;
};

void GraphVerifier::tables() {
  const auto& syms = g_.syms;
  if (syms.size() < 2 || syms[0] != SymInfo{0, 0, 1} || syms[1] != SymInfo{1, 1, 1}) {
    complain("symbols 0 and 1 are not the constants 0 and 1");
  }
  for (std::size_t s = 2; s < syms.size(); ++s) {
    if (syms[s].lo > syms[s].hi) complain("s{} has an empty interval", s);
    if (syms[s].multiple < 1) complain("s{} is a multiple of {}", s, syms[s].multiple);
    if (syms[s].lo == syms[s].hi && (syms[s].lo == 0 || syms[s].lo == 1)) {
      complain("s{} is the constant {}: use s{}", s, syms[s].lo, syms[s].lo);
    }
  }
  for (const DType t : g_.scalars) {
    if (is_complex(t)) complain("a scalar is complex");
  }
}

void GraphVerifier::input(std::size_t i) {
  const Input& in = g_.inputs[i];
  if (is_complex(in.dtype)) complain("input {} is complex", i);
  if (in.dense && !in.strides.empty()) complain("input {} is dense and has strides", i);
  if (in.dense && in.ordered) complain("input {} is dense, which says more than ordered", i);
  if (!in.dense && &g_ != &root_) complain("input {} of a region is not dense", i);
  if (!std::all_of(in.strides.begin(), in.strides.end(), [&](Sym s) { return known(s); })) {
    complain("input {} has an unknown stride", i);
  }
}

bool GraphVerifier::shape_ok() {
  const Node& n = node();
  if (!at(n.rank <= kMaxRank && n.shape + std::size_t{n.rank} <= g_.dims.size(),
          "the shape is not in the table")) {
    return false;
  }
  for (const Sym s : shape()) {
    if (!at(known(s), "an extent is unknown")) return false;
    at(root_.syms[s].lo >= 0, "an extent may be negative");
  }
  at(!is_complex(n.dtype), "complex types are not supported");
  return true;
}

bool GraphVerifier::operands_ok() {
  const Node& n = node();
  const int wanted = n.kind == NodeKind::map ? info(n.op).arity : info(n.kind).operands;
  if (!at(n.operands + std::size_t{n.operand_count} <= g_.operand_ids.size(),
          "the operands are not in the table") ||
      !at(wanted == kAnyCount ? n.operand_count > 0 : n.operand_count == wanted,
          "wrong number of operands")) {
    return false;
  }
  bool ok = true;
  for (const NodeId operand : g_.operands(n_)) {
    ok = ok && at(operand < n_, "an operand does not come before it");
    ok = ok && at(g_.nodes[operand].results == 1 || n.kind == NodeKind::item,
                  "an operand has several results: read them by items");
  }
  const int results = result_count(n.kind);
  at(results == kAnyCount || n.results == results, "another number of results than its kind has");
  return ok;
}

bool GraphVerifier::attribute_ok() {
  const Node& n = node();
  if (n.kind == NodeKind::buffer) return at(n.attr < g_.inputs.size(), "no such input");
  if (!at(n.attr < g_.attributes.size(), "not the attribute of this kind")) return false;
  const AttributeRule& wanted = info(n.kind).attribute;
  const std::size_t index = g_.attributes[n.attr].index();
  return at(index == wanted.index || (wanted.may_lack && index == 0),
            "not the attribute of this kind");
}

// A node's shape is what its kind's rule makes of its operands' shapes, in symbols.
class SymbolShapes final : public Shapes {
 public:
  SymbolShapes(const Graph& graph, const Graph& root, NodeId n,
               const std::function<void(std::string_view)>& say)
      : g_(graph), root_(root), n_(n), say_(say) {}
  bool run() {
    rule(g_.nodes[n_].kind).shape(*this);
    if (right_ && next_ != g_.nodes[n_].rank) equal(0, 1, otherwise_);
    return right_;
  }

  int operands() const override { return g_.nodes[n_].operand_count; }
  std::size_t rank(int i) const override { return of(i).size(); }
  Extent extent(int i, std::size_t axis) const override { return of(i)[axis]; }
  bool is_one(Extent e) const override { return e == kOne; }
  std::size_t result_rank() const override { return g_.nodes[n_].rank; }
  std::span<const std::uint8_t> axes() override { return g_.attribute<Axes>(n_).axes; }
  const Groups& groups() override { return g_.attribute<Groups>(n_); }
  std::size_t number() const override { return g_.nodes[n_].imm; }

  void equal(Extent a, Extent b, std::string_view otherwise) override {
    if (a != b && std::exchange(right_, false)) say_(otherwise);
  }
  void put(Extent e, std::string_view otherwise) override {
    otherwise_ = otherwise;
    const bool there = next_ < g_.nodes[n_].rank;
    equal(e, there ? free(next_) : e + 1, otherwise);
    ++next_;
  }
  Extent free(std::size_t axis) override { return g_.shape(n_)[axis]; }
  Extent derived(std::size_t axis, std::span<const Extent>) override { return free(axis); }
  Extent window(std::size_t axis, Extent) override { return free(axis); }
  Extent sum(std::size_t axis, std::span<const Extent> parts, std::string_view otherwise) override {
    const auto constant = [&](Extent e) { return root_.constant_sym(static_cast<Sym>(e)); };
    std::int64_t sum = 0;
    for (const Extent e : parts) sum += root_.sym(static_cast<Sym>(e)).lo;
    if (constant(free(axis)) && std::ranges::all_of(parts, constant))
      equal(sum, root_.sym(static_cast<Sym>(free(axis))).lo, otherwise);
    return free(axis);
  }

 private:
  // The operand's, or where it has several results, of the one that is meant.
  std::span<const Sym> of(int i) const {
    const NodeId operand = g_.operand(n_, i);
    if (role(g_.nodes[n_].kind) != Role::item || role(g_.nodes[operand].kind) != Role::region)
      return g_.shape(operand);
    return g_.shape(g_.operand(operand, static_cast<int>(number())));
  }

  const Graph& g_;
  const Graph& root_;
  const NodeId n_;
  const std::function<void(std::string_view)>& say_;
  std::size_t next_ = 0;                                                  // axis of the result
  std::string_view otherwise_ = "the shape is not that of its operands";  // of the last one
  bool right_ = true;
};

bool GraphVerifier::check() {
  const std::function<void(std::string_view)> say = [&](std::string_view what) { at(false, what); };
  return rule(node().kind).check({g_, root_, n_, say}) && SymbolShapes(g_, root_, n_, say).run();
}

}  // namespace

std::string verify(const Graph& graph) { return GraphVerifier(graph, graph, "").run(); }

}  // namespace kiln::ir
