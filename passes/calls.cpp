#include "passes/calls.h"

#include <algorithm>

#include "ir/error.h"
#include "ir/mutant.h"
#include "passes/cluster.h"

namespace kiln::passes {

using ir::NodeId;
using ir::NodeKind;
using ir::Sym;

namespace {

Monomial unit_stride() { return {1, {}}; }
Monomial no_stride() { return {0, {}}; }
bool is_unit(const Monomial& m) { return m == Monomial{}; }
bool is_none(const Monomial& m) { return m.coefficient == 0; }

Monomial product(const Monomial& a, const Monomial& b) {
  Monomial result{a.coefficient * b.coefficient, {}};
  if (result.coefficient == 0) return result;
  std::ranges::merge(a.factors, b.factors, std::back_inserter(result.factors));
  return result;
}
// Of an array without elements any stride will do, but 0 means that it repeats.
Monomial times(const ir::Graph& graph, const Monomial& m, Sym s) {
  return m.coefficient == 0 || s == ir::kZero ? m : multiply(graph, m, s);
}
ir::SizeExpr size_of(const Monomial& m) { return ir::SizeExpr::product(m.coefficient, m.factors); }

std::vector<Monomial> dense_strides(const ir::Graph& graph, std::span<const Sym> shape) {
  std::vector<Monomial> strides(shape.size(), no_stride());
  Monomial next = unit_stride();
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == ir::kOne) continue;
    strides[i] = next;
    next = times(graph, next, shape[i]);
  }
  return strides;
}

// The same elements along other axes: those of a group must lie as one axis does, unless the axes
// differ in extents of 1 only.
bool reshape_group(const ir::Graph& graph, std::span<const Sym> from, std::span<Monomial> strides,
                   std::span<const Sym> to, std::vector<Monomial>* result) {
  std::vector<std::size_t> walked;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] != ir::kOne) walked.push_back(i);
  }
  if (std::ranges::equal(without_units(from), without_units(to))) {
    auto next = walked.begin();
    for (const Sym s : to) result->push_back(s == ir::kOne ? no_stride() : strides[*next++]);
    return true;
  }
  for (std::size_t i = 1; i < walked.size(); ++i) {
    const Monomial run = times(graph, strides[walked[i]], from[walked[i]]);
    if (strides[walked[i - 1]] != run) return false;
  }
  const std::size_t begin = result->size();
  result->resize(begin + to.size(), no_stride());
  Monomial next = walked.empty() ? no_stride() : strides[walked.back()];
  for (std::size_t i = to.size(); i-- > 0;) {
    if (to[i] == ir::kOne) continue;
    (*result)[begin + i] = next;
    next = times(graph, next, to[i]);
  }
  return true;
}

bool reshape_layout(const ir::Graph& graph, NodeId n, Layout* layout) {
  const ir::Groups& groups = graph.attribute<ir::Groups>(n);
  const auto from = graph.shape(graph.operand(n, 0)), to = graph.shape(n);
  std::vector<Monomial> result;
  std::size_t f = 0, t = 0;
  for (std::size_t g = 0; g < groups.from.size(); ++g) {
    const std::size_t axes = groups.from[g], more = groups.to[g];
    if (!reshape_group(graph, from.subspan(f, axes), std::span(layout->strides).subspan(f, axes),
                       to.subspan(t, more), &result))
      return false;
    f += axes, t += more;
  }
  layout->strides = std::move(result);
  return true;
}

void slice_layout(const ir::Graph& graph, NodeId n, Layout* layout) {
  const ir::Slices& slices = graph.attribute<ir::Slices>(n);
  const auto shape = graph.shape(n);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    Monomial& stride = layout->strides[i];
    if (slices.begin[i] != ir::kZero)
      layout->offset += size_of(times(graph, stride, slices.begin[i]));
    stride = shape[i] == ir::kOne ? no_stride() : times(graph, stride, slices.step[i]);
    if (graph.sym(slices.step[i]).lo < 1) layout->ordered = false;
  }
}

}  // namespace

Layout layout_in_memory(const ir::Graph& graph, NodeId n) {
  if (!is_strided_input(graph, n)) return {{}, dense_strides(graph, graph.shape(n)), true};
  const ir::Input& input = graph.inputs[graph.nodes[n].attr];
  Layout layout{{}, {}, input.ordered};
  const auto shape = graph.shape(n);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool moves = shape[i] != ir::kOne && input.strides[i] != ir::kZero;
    layout.strides.push_back(moves ? multiply(graph, unit_stride(), input.strides[i])
                                   : no_stride());
  }
  return layout;
}

bool view_layout(const ir::Graph& graph, NodeId view, Layout* layout) {
  const auto from = graph.shape(graph.operand(view, 0)), to = graph.shape(view);
  const std::vector<Monomial> strides = layout->strides;
  const NodeKind kind = graph.nodes[view].kind;
  if (kind == NodeKind::reshape) return reshape_layout(graph, view, layout);
  if (kind == NodeKind::slice) {
    slice_layout(graph, view, layout);
  } else if (kind == NodeKind::permute) {
    const auto& axes = graph.attribute<ir::Axes>(view).axes;
    for (std::size_t i = 0; i < axes.size(); ++i) layout->strides[i] = strides[axes[i]];
  } else if (kind == NodeKind::broadcast) {
    layout->strides.assign(to.size(), no_stride());
    std::ranges::copy(strides, layout->strides.end() - static_cast<std::ptrdiff_t>(from.size()));
  } else {
    return false;
  }
  return true;
}

namespace {

// Anyway, whole.
bool in_memory(const ir::Graph& graph, NodeId n) {
  return is_input(graph.nodes[n]) || is_by_call(graph.nodes[n]) ||
         std::ranges::find(graph.outputs, n) != graph.outputs.end();
}

bool is_dense(const ir::Graph& graph, NodeId n, const Layout& layout) {
  return layout.offset.terms.empty() && layout.strides == dense_strides(graph, graph.shape(n));
}
CallOperand copy_of(const ir::Graph& graph, NodeId operand) {
  return {operand,
          {{}, dense_strides(graph, graph.shape(operand)), true},
          is_strided_input(graph, operand)};
}

// Whether a library takes matrices that lie so, for each index of the axes before the last two.
bool takes_matrices(const ir::Graph& graph, const ir::Caps& caps, NodeId operand,
                    const Layout& layout) {
  const auto shape = graph.shape(operand);
  if (caps.products == ir::Products::dense) return is_dense(graph, operand, layout);
  if (!layout.ordered && !mutant(ir::Mutant::strided_product)) return false;
  const std::size_t rank = shape.size();
  const auto is_one = [&](std::size_t axis) { return shape[axis] == ir::kOne; };
  const Monomial &rows = layout.strides[rank - 2], &columns = layout.strides[rank - 1];
  const bool repeats =
      (!is_one(rank - 2) && is_none(rows)) || (!is_one(rank - 1) && is_none(columns));
  if (repeats) return false;
  return is_one(rank - 1) || is_one(rank - 2) || is_unit(columns) || is_unit(rows);
}

// Whether what makes the call takes an operand that lies so.
bool takes(const ir::Graph& graph, const ir::Caps& caps, NodeId call, NodeId operand,
           const Layout& layout) {
  if (graph.nodes[call].kind == NodeKind::contract)
    return takes_matrices(graph, caps, operand, layout);
  // Elements of rows are read one by one.
  return caps.products != ir::Products::dense || is_dense(graph, operand, layout);
}

// The furthest that views can be followed back to what is in memory.
CallOperand find_operand(const ir::Graph& graph, const ir::Caps& caps, NodeId call,
                         NodeId operand) {
  std::vector<NodeId> views{operand};
  while (is_view(graph.nodes[views.back()])) views.push_back(graph.operand(views.back(), 0));
  bool sliced = false;  // a part is read: nothing is stored whole for it
  std::vector<bool> parts;
  for (const NodeId n : views) {
    parts.push_back(sliced);
    sliced = sliced || graph.nodes[n].kind == NodeKind::slice;
  }
  for (std::size_t source = views.size(); source-- > 0;) {
    if (parts[source] && !in_memory(graph, views[source])) continue;
    CallOperand read{views[source], layout_in_memory(graph, views[source]), false};
    bool lies = true;
    for (std::size_t v = source; lies && v-- > 0;)
      lies = view_layout(graph, views[v], &read.layout);
    if (lies && takes(graph, caps, call, operand, read.layout)) return read;
  }
  return {operand,
          {{}, dense_strides(graph, graph.shape(operand)), true},
          is_input(graph.nodes[operand])};
}

// A call's axes, those merged that every array walks as one. The last ones are its kind's and stay:
// m, n, k of a product, the axis of a row.
struct CallAxes {
  std::size_t last = 0;
  bool product = false;
  std::vector<Monomial> extents;
  std::vector<std::vector<Monomial>> strides;  // by array: operands, then results

  std::size_t batches() const { return extents.size() - last; }
  void add(Monomial extent, const std::vector<Monomial>& along) {
    extents.push_back(std::move(extent));
    strides.resize(along.size());
    for (std::size_t i = 0; i < along.size(); ++i) strides[i].push_back(along[i]);
  }
  // Whether the axis and the next are one. The rows of all of a batch of products are those of one
  // matrix if the other operand is the same for all.
  bool merges(std::size_t axis) const {
    const bool rows = axis + 1 == batches();
    if (rows && !product) return false;
    if (rows && !is_none(strides[1][axis]) && !mutant(ir::Mutant::folded_batch)) return false;
    if (rows && is_none(strides[0][axis])) return false;  // rows of a matrix do not repeat
    if (rows && !is_unit(strides[0].back()) && !is_unit(extents.back())) return false;
    if (is_unit(extents[axis + 1])) return true;
    return std::ranges::all_of(strides, [&](const std::vector<Monomial>& s) {
      return s[axis] == kiln::passes::product(s[axis + 1], extents[axis + 1]);
    });
  }
  void merge(std::size_t axis) {
    const auto at = static_cast<std::ptrdiff_t>(axis);
    const bool one = is_unit(extents[axis + 1]);
    extents[axis + 1] = kiln::passes::product(extents[axis], extents[axis + 1]);
    extents.erase(extents.begin() + at);
    for (std::vector<Monomial>& s : strides) s.erase(s.begin() + at + (one ? 1 : 0));
  }
};

CallAxes product_axes(const ir::Graph& graph, NodeId n, std::span<const CallOperand> operands) {
  const auto shape = graph.shape(n), left = graph.shape(graph.operand(n, 0));
  const auto& a = operands[0].layout.strides;
  const auto& b = operands[1].layout.strides;
  const std::vector<Monomial> c = dense_strides(graph, shape);
  const auto extent = [&](Sym s) { return multiply(graph, unit_stride(), s); };
  const std::size_t rank = shape.size();
  CallAxes axes{3, true, {}, {}};
  for (std::size_t i = 0; i + 2 < rank; ++i) {
    if (shape[i] != ir::kOne) axes.add(extent(shape[i]), {a[i], b[i], c[i]});
  }
  axes.add(extent(shape[rank - 2]), {a[rank - 2], no_stride(), c[rank - 2]});
  axes.add(extent(shape[rank - 1]), {no_stride(), b[rank - 1], c[rank - 1]});
  axes.add(extent(left[rank - 1]), {a[rank - 1], b[rank - 2], no_stride()});
  return axes;
}

// Of a call on rows: all its arrays have the shape of its result.
CallAxes row_axes(const ir::Graph& graph, NodeId n, std::span<const CallOperand> operands) {
  const auto shape = graph.shape(n);
  const auto& from = operands[0].layout.strides;
  const std::vector<Monomial> to = dense_strides(graph, shape);
  const std::size_t along = graph.attribute<ir::Axes>(n).axes[0];
  CallAxes axes{1, false, {}, {}};
  const auto add = [&](std::size_t i) {
    std::vector<Monomial> along_it{from[i]};
    along_it.resize(1 + graph.nodes[n].results, to[i]);
    axes.add(multiply(graph, unit_stride(), shape[i]), along_it);
  };
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i != along && shape[i] != ir::kOne) add(i);
  }
  add(along);
  return axes;
}

CallAxes call_axes(const ir::Graph& graph, NodeId n, std::span<const CallOperand> operands) {
  CallAxes axes = graph.nodes[n].kind == NodeKind::contract ? product_axes(graph, n, operands)
                                                            : row_axes(graph, n, operands);
  for (std::size_t i = axes.batches(); i-- > 0;) {
    if (axes.merges(i)) axes.merge(i);
  }
  return axes;
}

}  // namespace

NodeId called(const ir::Graph& graph, NodeId made) {
  return is_result(graph.nodes[made]) ? graph.operand(made, 0) : made;
}

ir::SizeExpr call_operations(const ir::Graph& graph, NodeId call) {
  std::vector<Sym> all(graph.shape(call).begin(), graph.shape(call).end());
  if (graph.nodes[call].kind == NodeKind::contract) {
    all.push_back(graph.shape(graph.operand(call, 0)).back());
    return ir::SizeExpr::product(2, all);
  }
  constexpr std::int64_t kSorted = 2000, kScanned = 100;  // of an element, as measured
  return ir::SizeExpr::product(graph.nodes[call].kind == NodeKind::sort ? kSorted : kScanned, all);
}

// Sorting: two lists of a row's elements for each thread, with their places where these are wanted
// (runtime/host/sort.cpp). On a GPU the host sorts, in memory of its own.
ir::SizeExpr call_workspace(const ir::Graph& graph, const ir::Caps& caps, NodeId call,
                            std::span<const std::uint32_t> results) {
  if (graph.nodes[call].kind != NodeKind::sort || caps.target != ir::Target::cpu) return {};
  std::int64_t bytes = ir::size_of(graph.nodes[call].dtype);
  if (results[1] != ir::CallArray::kNobody) bytes = std::max<std::int64_t>(2 * bytes, 8);
  const Sym row = graph.shape(call)[graph.attribute<ir::Axes>(call).axes[0]];
  return ir::SizeExpr::product(2 * bytes * std::max(caps.threads, 1), {{row}});
}

std::vector<CallOperand> call_operands(const ir::Graph& graph, const ir::Caps& caps, NodeId call) {
  std::vector<CallOperand> operands;
  for (const NodeId operand : graph.operands(call))
    operands.push_back(find_operand(graph, caps, call, operand));
  if (graph.nodes[call].kind != NodeKind::contract || caps.target != ir::Target::cuda)
    return operands;
  // cuBLASLt walks one batch axis: as few operands are copied as that takes.
  const auto walks = [&](const std::vector<CallOperand>& list) {
    return call_axes(graph, call, list).batches() <= 1;
  };
  if (walks(operands)) return operands;
  std::vector<CallOperand> copies;
  for (const NodeId operand : graph.operands(call)) copies.push_back(copy_of(graph, operand));
  for (std::size_t i = operands.size(); i-- > 0;) {
    std::vector<CallOperand> one = operands;
    one[i] = copies[i];
    if (walks(one)) return one;
  }
  return copies;
}

void store_calls(const ir::Graph& graph, const ir::Caps& caps, std::vector<bool>* stored) {
  for (NodeId n = 0; n < graph.nodes.size(); ++n) {
    if (is_result(graph.nodes[n])) (*stored)[n] = true;
    if (!is_call(graph.nodes[n])) continue;
    if (graph.nodes[n].results == 1) (*stored)[n] = true;
    for (const CallOperand& read : call_operands(graph, caps, n)) (*stored)[read.node] = true;
  }
}

ir::Call call_of(const ir::Graph& graph, NodeId n, std::span<const CallOperand> operands,
                 std::span<const std::uint32_t> buffers) {
  const CallAxes axes = call_axes(graph, n, operands);
  ir::Call call;
  call.what = graph.nodes[n].kind;
  call.op = graph.nodes[n].op;
  for (const Monomial& extent : axes.extents) call.extents.push_back(size_of(extent));
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const bool operand = i < operands.size();
    ir::CallArray array{buffers[i], {}, {}, {}};
    array.dtype = operand ? graph.nodes[operands[i].node].dtype
                          : ir::result_type(graph, n, i - operands.size());
    if (operand) array.offset = operands[i].layout.offset;
    for (const Monomial& stride : axes.strides[i]) array.strides.push_back(size_of(stride));
    (operand ? call.operands : call.results).push_back(std::move(array));
  }
  return call;
}

}  // namespace kiln::passes
