#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>

#include "ir/graph_kinds.h"
#include "ir/graph_windows.h"

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
    check_windows(g_, root_, sound_, [&](NodeId n, std::string_view what) {
      n_ = n;
      at(false, what);
    });
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
  const Node& operand(int i) const { return g_.nodes[g_.operand(n_, i)]; }
  std::span<const Sym> operand_shape(int i) const { return g_.shape(g_.operand(n_, i)); }
  std::span<const Sym> shape() const { return g_.shape(n_); }
  template <class A>
  const A& attribute() const {
    return g_.attribute<A>(n_);
  }
  static bool same(std::span<const Sym> a, std::span<const Sym> b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }
  bool known(Sym s) const { return s < root_.syms.size(); }

  void tables();
  void input(std::size_t i);
  bool shape_ok();
  bool operands_ok();
  bool attribute_ok();
  void check();
  void check_leaf();
  void check_map();
  void check_broadcast();
  void check_permute();
  void check_reshape();
  void check_slice();
  void check_pad();
  void check_concat();
  void check_reduce();
  void check_contract();
  void check_loop();
  void check_item();
  void check_region(const Graph& region);
  bool same_extent(std::span<const Sym> from, std::span<const Sym> to) const;

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
  at(n.results == 1 || n.kind == NodeKind::loop, "only loops have several results");
  return ok;
}

bool GraphVerifier::attribute_ok() {
  const Node& n = node();
  if (n.kind == NodeKind::buffer) return at(n.attr < g_.inputs.size(), "no such input");
  if (!at(n.attr < g_.attributes.size(), "not the attribute of this kind")) return false;
  const auto kind = static_cast<AttributeKind>(g_.attributes[n.attr].index());
  return at(
      kind == info(n.kind).attribute || (n.kind == NodeKind::concat && kind == AttributeKind::pads),
      "not the attribute of this kind");
}

void GraphVerifier::check() {
  switch (node().kind) {
    case NodeKind::buffer:
    case NodeKind::constant:
    case NodeKind::scalar:
    case NodeKind::iota:
      return check_leaf();
    case NodeKind::map:
      return check_map();
    case NodeKind::broadcast:
      return check_broadcast();
    case NodeKind::permute:
      return check_permute();
    case NodeKind::reshape:
      return check_reshape();
    case NodeKind::slice:
      return check_slice();
    case NodeKind::pad:
      return check_pad();
    case NodeKind::concat:
      return check_concat();
    case NodeKind::update:
    case NodeKind::put:
      return;  // see check_windows
    case NodeKind::reduce:
    case NodeKind::arg_reduce:
      return check_reduce();
    case NodeKind::contract:
      return check_contract();
    case NodeKind::loop:
      return check_loop();
    case NodeKind::item:
      return check_item();
  }
}

void GraphVerifier::check_leaf() {
  const Node& n = node();
  switch (n.kind) {
    case NodeKind::buffer: {
      const Input& in = g_.inputs[n.attr];
      at(in.dtype == n.dtype, "not the input's type");
      at(in.dense || in.strides.size() == n.rank, "the input's strides are not one an axis");
      return;
    }
    case NodeKind::constant:
      at(n.rank == 0, "a constant has no axes");
      at(size_of(n.dtype) >= 8 || n.imm >> (8 * size_of(n.dtype)) == 0,
         "bits beyond the type's width");
      at(!is_bool(n.dtype) || n.imm <= 1, "a bool is 0 or 1");
      return;
    case NodeKind::scalar:
      at(n.rank == 0, "a scalar has no axes");
      if (at(n.imm < root_.scalars.size(), "no such scalar")) {
        at(root_.scalars[n.imm] == n.dtype, "not the scalar's type");
      }
      return;
    default:
      at(n.imm < n.rank, "no such axis");
      at(is_int(n.dtype), "an index is an integer");
  }
}

void GraphVerifier::check_map() {
  DType types[3] = {};
  const int count = node().operand_count;
  for (int i = 0; i < count; ++i) {
    types[i] = operand(i).dtype;
    at(same(operand_shape(i), shape()), "an operand differs in shape");
  }
  const std::string_view error =
      type_error(node().op, {types, static_cast<std::size_t>(count)}, node().dtype);
  at(error.empty(), error);
}

void GraphVerifier::check_broadcast() {
  at(operand(0).dtype == node().dtype, "operand and result differ in type");
  const std::span<const Sym> from = operand_shape(0);
  if (!at(from.size() <= shape().size(), "the operand has more axes")) return;
  const std::span<const Sym> to = shape().last(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    at(from[i] == kOne || from[i] == to[i], "an axis is neither 1 nor the result's");
  }
}

void GraphVerifier::check_permute() {
  at(operand(0).dtype == node().dtype, "operand and result differ in type");
  const std::vector<std::uint8_t>& axes = attribute<Axes>().axes;
  std::vector<std::uint8_t> sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::uint8_t> all(operand_shape(0).size());
  std::iota(all.begin(), all.end(), std::uint8_t{0});
  if (!at(sorted == all && all.size() == shape().size(), "the axes are not a permutation")) return;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    at(shape()[i] == operand_shape(0)[axes[i]], "an axis differs in extent");
  }
}

// Whether two products of extents may be equal: decided where, apart from symbols in common, all
// are constants.
bool GraphVerifier::same_extent(std::span<const Sym> from, std::span<const Sym> to) const {
  std::vector<Sym> a(from.begin(), from.end()), b(to.begin(), to.end());
  std::int64_t product[2] = {1, 1};
  const auto fold = [&](std::vector<Sym>& list, std::int64_t& constant) {
    std::erase_if(list, [&](Sym s) {
      if (!root_.constant_sym(s)) return false;
      constant *= root_.syms[s].lo;
      return true;
    });
    std::sort(list.begin(), list.end());
  };
  fold(a, product[0]);
  fold(b, product[1]);
  return a != b || product[0] == product[1];
}

void GraphVerifier::check_reshape() {
  at(operand(0).dtype == node().dtype, "operand and result differ in type");
  const Groups& groups = attribute<Groups>();
  const std::span<const Sym> from = operand_shape(0), to = shape();
  const auto sum = [](const std::vector<std::uint8_t>& list) {
    return std::accumulate(list.begin(), list.end(), std::size_t{0});
  };
  if (!at(groups.from.size() == groups.to.size() && sum(groups.from) == from.size() &&
              sum(groups.to) == to.size(),
          "the groups do not cover the axes")) {
    return;
  }
  std::size_t i = 0, j = 0;
  for (std::size_t g = 0; g < groups.from.size(); ++g) {
    at(same_extent(from.subspan(i, groups.from[g]), to.subspan(j, groups.to[g])),
       "a group changes the number of elements");
    i += groups.from[g];
    j += groups.to[g];
  }
}

void GraphVerifier::check_slice() {
  at(operand(0).dtype == node().dtype, "operand and result differ in type");
  const Slices& slices = attribute<Slices>();
  const std::size_t rank = shape().size();
  if (!at(operand_shape(0).size() == rank && slices.begin.size() == rank &&
              slices.step.size() == rank,
          "not one begin and step an axis")) {
    return;
  }
  for (std::size_t i = 0; i < rank; ++i) {
    if (!at(known(slices.begin[i]) && known(slices.step[i]), "an unknown begin or step")) continue;
    const bool whole = slices.begin[i] == kZero && slices.step[i] == kOne;
    const SymInfo& extent = root_.syms[shape()[i]];
    const SymInfo& source = root_.syms[operand_shape(0)[i]];
    at(!whole || extent.lo <= source.hi, "a slice longer than its axis");
  }
}

void GraphVerifier::check_pad() {
  at(operand(0).dtype == node().dtype && operand(1).dtype == node().dtype,
     "operand and result differ in type");
  at(operand(1).rank == 0, "the fill has axes");
  const Pads& pads = attribute<Pads>();
  if (!at(pads.low.size() == shape().size() && operand_shape(0).size() == shape().size(),
          "not one width an axis")) {
    return;
  }
  for (const Sym s : pads.low) {
    if (at(known(s), "an unknown width")) at(root_.syms[s].hi >= 0, "a negative width");
  }
}

void GraphVerifier::check_concat() {
  const std::size_t axis = node().imm;
  if (!at(axis < shape().size(), "no such axis")) return;
  std::int64_t sum = 0;
  bool constant = root_.constant_sym(shape()[axis]);
  for (int i = 0; i < node().operand_count; ++i) {
    at(operand(i).dtype == node().dtype, "operand and result differ in type");
    const std::span<const Sym> from = operand_shape(i);
    if (!at(from.size() == shape().size(), "an operand differs in rank")) return;
    for (std::size_t a = 0; a < from.size(); ++a) {
      at(a == axis || from[a] == shape()[a], "an operand differs in another axis");
    }
    constant = constant && root_.constant_sym(from[axis]);
    sum += root_.syms[from[axis]].lo;
  }
  at(!constant || sum == root_.syms[shape()[axis]].lo, "the extents do not add up");
}

void GraphVerifier::check_reduce() {
  const Node& n = node();
  const std::vector<std::uint8_t>& axes = attribute<Axes>().axes;
  const DType type = operand(0).dtype;
  if (n.kind == NodeKind::arg_reduce) {
    at(n.op == Op::min || n.op == Op::max, "not an operation that finds an extreme");
    at(n.dtype == DType::int64, "an index is int64");
    at(axes.size() == 1, "not one axis");
  } else {
    constexpr Op kAllowed[] = {Op::add, Op::mul, Op::min, Op::max, Op::and_, Op::or_};
    at(std::find(std::begin(kAllowed), std::end(kAllowed), n.op) != std::end(kAllowed),
       "not an operation that reduces");
    const DType types[2] = {type, type};
    const std::string_view error = type_error(n.op, types, n.dtype);
    at(error.empty(), error);
  }
  const std::span<const Sym> from = operand_shape(0);
  std::vector<Sym> kept(from.begin(), from.end());
  for (std::size_t i = axes.size(); i-- > 0;) {
    const bool ascending = i + 1 == axes.size() || axes[i] < axes[i + 1];
    if (!at(axes[i] < from.size() && ascending, "the axes are not ascending axes of it")) return;
    kept.erase(kept.begin() + axes[i]);
  }
  at(same(kept, shape()), "the result does not have the axes that are kept");
}

void GraphVerifier::check_contract() {
  const Node& n = node();
  at(operand(0).dtype == n.dtype && operand(1).dtype == n.dtype,
     "operands and result differ in type");
  at(!is_bool(n.dtype), "operands must be numbers");
  const std::span<const Sym> a = operand_shape(0), b = operand_shape(1), c = shape();
  const std::size_t rank = c.size();
  if (!at(rank >= 2 && a.size() == rank && b.size() == rank,
          "operands and result differ in rank")) {
    return;
  }
  at(same(a.first(rank - 2), c.first(rank - 2)) && same(b.first(rank - 2), c.first(rank - 2)),
     "the batch axes differ");
  at(a[rank - 1] == b[rank - 2], "the inner extents differ");
  at(a[rank - 2] == c[rank - 2] && b[rank - 1] == c[rank - 1], "the outer extents differ");
}

void GraphVerifier::check_loop() {
  const Loop& loop = attribute<Loop>();
  const Node& n = node();
  if (at(known(loop.count), "the count is unknown")) {
    at(root_.syms[loop.count].lo >= 0, "the count may be negative");
  }
  if (!at(loop.region < g_.regions.size(), "no such region")) return;
  const Graph& region = g_.regions[loop.region];
  if (!at(n.results >= 1 && n.results <= n.operand_count, "fewer operands than carried values") ||
      !at(region.inputs.size() == n.operand_count, "the region's inputs are not its operands") ||
      !at(region.outputs.size() == n.results, "the region's outputs are not its results")) {
    return;
  }
  at(operand(0).dtype == n.dtype && same(operand_shape(0), shape()),
     "its type is not that of its first result");
  check_region(region);
}

void GraphVerifier::check_region(const Graph& region) {
  for (int i = 0; i < node().operand_count; ++i) {
    at(region.inputs[static_cast<std::size_t>(i)].dtype == operand(i).dtype,
       "an input of the region differs in type");
  }
  for (NodeId r = 0; r < region.nodes.size(); ++r) {
    const Node& inner = region.nodes[r];
    if (inner.kind != NodeKind::buffer || inner.attr >= node().operand_count) continue;
    at(inner.shape + std::size_t{inner.rank} <= region.dims.size() &&
           same(region.shape(r), operand_shape(static_cast<int>(inner.attr))),
       "an input of the region differs in shape");
  }
  for (int i = 0; i < node().results; ++i) {
    const NodeId out = region.outputs[static_cast<std::size_t>(i)];
    if (out >= region.nodes.size()) continue;  // found when the region is verified
    const Node& inner = region.nodes[out];
    if (inner.shape + std::size_t{inner.rank} > region.dims.size()) continue;
    at(inner.dtype == operand(i).dtype && same(region.shape(out), operand_shape(i)),
       "a carried value changes its type or shape");
  }
}

void GraphVerifier::check_item() {
  const Node& from = operand(0);
  if (!at(from.kind == NodeKind::loop && node().imm < from.results, "no such result")) return;
  const NodeId carried = g_.operand(g_.operand(n_, 0), static_cast<int>(node().imm));
  if (carried >= n_) return;
  at(g_.nodes[carried].dtype == node().dtype && same(g_.shape(carried), shape()),
     "not the type of that result");
}

}  // namespace

std::string verify(const Graph& graph) { return GraphVerifier(graph, graph, "").run(); }

}  // namespace kiln::ir
