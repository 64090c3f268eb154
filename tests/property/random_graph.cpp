#include "tests/property/random_graph.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <random>

#include "ir/scalar.h"
#include "tests/plans/random_memory.h"

namespace kiln::ir::test {
namespace {

constexpr std::int64_t kExtents[] = {1, 1, 2, 3, 5, 7, 8, 16, 31, 64, 127, 128, 129, 257, 1031};

class Generator {
 public:
  Generator(std::uint64_t seed, const RandomGraphOptions& options) : engine_(seed), o_(options) {
    r_.bindings.syms = {0, 1};
  }

  RandomGraph run() {
    for (int i = 0; i < 3; ++i) buffer(random_shape());
    for (int tries = 0; static_cast<int>(g().nodes.size()) < o_.nodes && tries < 20 * o_.nodes;
         ++tries) {
      step();
    }
    const auto count = static_cast<NodeId>(g().nodes.size());
    g().outputs.push_back(count - 1);
    for (int i = pick(o_.outputs); i > 0; --i) g().outputs.push_back(any_node());
    return std::move(r_);
  }

 private:
  Graph& g() { return r_.graph; }
  int pick(int n) { return n <= 1 ? 0 : static_cast<int>(engine_() % static_cast<unsigned>(n)); }
  bool chance(int percent) { return pick(100) < percent; }
  template <class T>
  const T& one_of(const std::vector<T>& list) {
    return list[static_cast<std::size_t>(pick(static_cast<int>(list.size())))];
  }
  // Of several results each is an item.
  NodeId any_node() {
    while (true) {
      const auto n = static_cast<NodeId>(pick(static_cast<int>(g().nodes.size())));
      if (g().nodes[n].results == 1) return n;
    }
  }
  std::vector<Sym> shape_of(NodeId n) { return {g().shape(n).begin(), g().shape(n).end()}; }
  std::int64_t value(Sym s) const { return r_.bindings.syms[s]; }
  std::int64_t count(const std::vector<Sym>& shape) const {
    std::int64_t n = 1;
    for (const Sym s : shape) n *= value(s);
    return n;
  }

  // A new symbol of the class an extent gets: its power-of-two bucket.
  Sym extent(std::int64_t v) {
    if (v == 0 || v == 1) return static_cast<Sym>(v);
    std::int64_t lo = 1;
    while (lo * 2 <= v) lo *= 2;
    return symbol(v, {lo, 2 * lo - 1, v % 4 == 0 ? 4 : 1});
  }
  // A begin, step or stride: any value.
  Sym offset(std::int64_t v) {
    if (v == 0 || v == 1) return static_cast<Sym>(v);
    return symbol(
        v, {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(), 1});
  }
  // A begin or step of a window.
  Sym place(std::int64_t v, std::int64_t least) {
    if (v == 0 || v == 1) return static_cast<Sym>(v);
    return symbol(v, {least, std::numeric_limits<std::int64_t>::max(), 1});
  }
  Sym symbol(std::int64_t v, SymInfo info) {
    r_.bindings.syms.push_back(v);
    return g().add_sym(info);
  }
  // Extents are often shared, so that arrays can meet.
  Sym random_extent() {
    if (!extents_.empty() && chance(60)) return one_of(extents_);
    if (o_.empty_extents && chance(3)) return kZero;
    const auto all = static_cast<int>(std::size(kExtents));
    const Sym s = extent(kExtents[pick(all)]);
    extents_.push_back(s);
    return s;
  }
  std::vector<Sym> random_shape() {
    std::vector<Sym> shape;
    for (int i = pick(o_.max_rank + 1); i > 0; --i) {
      shape.push_back(random_extent());
      if (count(shape) > o_.max_elements) shape.pop_back();
    }
    return shape;
  }

  std::uint64_t random_bits(DType t) { return random_value(engine_, t, o_.special_values); }

  // Memory that covers all strides, with a margin on both sides. `whole`: see contract.
  NodeId buffer(const std::vector<Sym>& shape) { return buffer(shape, one_of(o_.dtypes), false); }
  NodeId buffer(const std::vector<Sym>& shape, DType dtype, bool whole) {
    Input input;
    input.dtype = dtype;
    const std::int64_t bytes = size_of(input.dtype);
    const std::size_t rank = shape.size();
    std::int64_t low = 0, high = 0, lead = 0;
    if (o_.strided_inputs && rank > 0 && count(shape) > 0 && chance(30)) {
      input.dense = false;
      std::vector<std::size_t> order(rank);
      for (std::size_t i = 0; i < rank; ++i) order[i] = i;
      std::shuffle(order.begin(), order.end(), engine_);
      std::int64_t stride = 1 + pick(2);
      input.strides.assign(rank, kZero);
      for (const std::size_t axis : order) {
        const bool repeats = chance(15);
        const std::int64_t mine = repeats ? 0 : chance(15) ? -stride : stride;
        input.strides[axis] = offset(mine);
        (mine < 0 ? low : high) += mine * (value(shape[axis]) - 1);
        if (!repeats) stride *= value(shape[axis]);
      }
      lead = pick(3);
      input.ordered = descend(values_of(shape), values_of(input.strides));
    } else {
      high = count(shape) - 1;
      input.aligned = chance(70);
      lead = input.aligned ? 0 : 1;
    }
    if (!input.dense) input.aligned = false;
    constexpr std::int64_t kMargin = 32;  // bytes: what is aligned stays so
    lead += kMargin / bytes;
    const std::int64_t first = (lead - low) * bytes;
    const std::int64_t elements = std::max<std::int64_t>(high - low + 1, 0) + 2 * lead;
    r_.memory.push_back(filled(input, shape, elements, first, whole));
    r_.offset.push_back(first);
    Node node;
    node.kind = NodeKind::buffer;
    node.dtype = input.dtype;
    node.attr = static_cast<std::uint32_t>(g().inputs.size());
    g().inputs.push_back(std::move(input));
    const NodeId id = g().add(node, shape, {});
    if (whole) set_largest(id, kLargestFactor);
    return id;
  }

  std::vector<std::int64_t> values_of(const std::vector<Sym>& syms) const {
    std::vector<std::int64_t> values;
    for (const Sym s : syms) values.push_back(value(s));
    return values;
  }

  std::vector<std::byte> filled(const Input& input, const std::vector<Sym>& shape,
                                std::int64_t elements, std::int64_t first, bool whole) {
    const std::vector<std::int64_t> extents = values_of(shape), strides = values_of(input.strides);
    const int sign = chance(50) ? 1 : -1;
    return memory_of(input.dtype, elements, first, extents, strides, [&] {
      return whole ? bits_of(input.dtype, sign * (1 + pick(kLargestFactor)))
                   : random_bits(input.dtype);
    });
  }

  // The greatest magnitude of a value whose elements are whole numbers of one sign without zero; 0
  // of any other.
  double largest(NodeId n) const { return n < largest_.size() ? largest_[n] : 0; }
  void set_largest(NodeId n, double magnitude) {
    largest_.resize(std::max<std::size_t>(largest_.size(), n + 1), 0);
    largest_[n] = magnitude;
  }

  NodeId add(NodeKind kind, DType dtype, const std::vector<Sym>& shape,
             const std::vector<NodeId>& operands, Attribute attribute = {}, std::uint64_t imm = 0,
             Op op = Op::add) {
    Node node;
    node.kind = kind;
    node.dtype = dtype;
    node.imm = imm;
    node.op = op;
    const NodeId id = g().add(node, shape, operands, std::move(attribute));
    const bool view = kind == NodeKind::permute || kind == NodeKind::reshape ||
                      kind == NodeKind::slice || kind == NodeKind::broadcast;
    if (view) set_largest(id, largest(operands[0]));
    return id;
  }

  NodeId spread(NodeId n, const std::vector<Sym>& shape) {
    return shape_of(n) == shape ? n : add(NodeKind::broadcast, g().nodes[n].dtype, shape, {n});
  }
  NodeId cast_to(NodeId n, DType t) {
    if (g().nodes[n].dtype == t) return n;
    return g().map(Op::cast, t, std::vector<NodeId>{n});
  }

  // A value of this shape and type: one that is there, a literal, a new input.
  NodeId operand(const std::vector<Sym>& shape, DType t) {
    for (int tries = 0; tries < 6; ++tries) {
      const NodeId n = any_node();
      if (shape_of(n) == shape) return cast_to(n, t);
    }
    if (chance(40)) return cast_to(buffer(shape), t);
    return spread(g().constant(t, random_bits(t)), shape);
  }

  void step() {
    switch (one_of(o_.kinds)) {
      case NodeKind::scalar:
        if (chance(30)) scalar();
        return;
      case NodeKind::iota:
        return iota();
      case NodeKind::broadcast:
        return broadcast();
      case NodeKind::permute:
        return permute();
      case NodeKind::reshape:
        return reshape();
      case NodeKind::slice:
        return slice();
      case NodeKind::pad:
        return pad();
      case NodeKind::concat:
        return concat();
      case NodeKind::reduce:
        return reduce();
      case NodeKind::arg_reduce:
        return arg_reduce();
      case NodeKind::contract:
        return contract();
      case NodeKind::sort:
        return sort();
      case NodeKind::scan:
        return scan();
      case NodeKind::update:
        return chance(25) ? concat_many() : updates();
      default:
        for (int i = 0; i < 3; ++i) map();
    }
  }

  void scalar() {
    const DType t = one_of(o_.dtypes);
    g().scalars.push_back(t);
    r_.bindings.scalars.push_back(random_bits(t));
    add(NodeKind::scalar, t, {}, {}, {}, g().scalars.size() - 1);
  }

  void iota() {
    const std::vector<Sym> shape = random_shape();
    const DType t = one_of(o_.dtypes);
    if (shape.empty() || !is_int(t)) return;
    add(NodeKind::iota, t, shape, {}, {},
        static_cast<std::uint64_t>(pick(static_cast<int>(shape.size()))));
  }

  void map() {
    const NodeId first = any_node();
    const std::vector<Sym> shape = shape_of(first);
    const DType t = g().nodes[first].dtype;
    const bool often = !o_.functions.empty() && chance(40);
    const Op op = often ? one_of(o_.functions) : static_cast<Op>(pick(kOpCount));
    if (has(op, kExpands) && !o_.expanding_ops) return;
    DType result = t;
    if (info(op).rule == OpRule::Compare) result = DType::bool_;
    if (info(op).rule == OpRule::Convert) result = one_of(o_.dtypes);
    std::vector<DType> types(info(op).arity, t);
    if (op == Op::select) types[0] = DType::bool_;
    if (!type_error(op, types, result).empty()) return;
    std::vector<NodeId> operands;
    for (std::size_t i = 0; i < types.size(); ++i) {
      operands.push_back(i == (op == Op::select ? 1u : 0u) ? first : operand(shape, types[i]));
    }
    if (op == Op::bitcast && is_float(t)) operands[0] = canonical(first);
    g().map(op, result, operands);
  }

  // The bits of a NaN are not promised: select(x != x, the quiet NaN, x).
  NodeId canonical(NodeId x) {
    const DType t = g().nodes[x].dtype;
    const std::vector<Sym> shape = shape_of(x);
    const NodeId nan = spread(g().constant(t, bits_of(t, std::nan(""))), shape);
    const NodeId is_nan = g().map(Op::ne, DType::bool_, std::vector<NodeId>{x, x});
    return g().map(Op::select, t, std::vector<NodeId>{is_nan, nan, x});
  }

  void broadcast() {
    const NodeId x = any_node();
    std::vector<Sym> shape = shape_of(x);
    for (Sym& s : shape) {
      if (s == kOne) s = random_extent();
    }
    if (static_cast<int>(shape.size()) < o_.max_rank) shape.insert(shape.begin(), random_extent());
    if (count(shape) <= o_.max_elements) add(NodeKind::broadcast, g().nodes[x].dtype, shape, {x});
  }

  void permute() {
    const NodeId x = any_node();
    const std::vector<Sym> from = shape_of(x);
    Axes axes;
    for (std::size_t i = 0; i < from.size(); ++i) axes.axes.push_back(static_cast<std::uint8_t>(i));
    std::shuffle(axes.axes.begin(), axes.axes.end(), engine_);
    std::vector<Sym> shape;
    for (const std::uint8_t a : axes.axes) shape.push_back(from[a]);
    add(NodeKind::permute, g().nodes[x].dtype, shape, {x}, axes);
  }

  // Merges two neighbours, adds or drops an axis of 1, or splits an axis in two.
  void reshape() {
    const NodeId x = any_node();
    const std::vector<Sym> from = shape_of(x);
    Groups groups;
    std::vector<Sym> shape;
    for (std::size_t i = 0; i < from.size(); ++i) {
      const std::int64_t v = value(from[i]);
      if (i + 1 < from.size() && chance(40)) {
        groups.from.push_back(2);
        groups.to.push_back(1);
        shape.push_back(merged(from[i], from[i + 1]));
        ++i;
      } else if (v % 2 == 0 && v > 0 && static_cast<int>(from.size()) < o_.max_rank && chance(50)) {
        groups.from.push_back(1);
        groups.to.push_back(2);
        shape.push_back(extent(2));
        shape.push_back(extent(v / 2));
      } else {
        groups.from.push_back(1);
        groups.to.push_back(1);
        shape.push_back(from[i]);
      }
    }
    if (static_cast<int>(shape.size()) < o_.max_rank && chance(30)) {
      groups.from.push_back(0);
      groups.to.push_back(1);
      shape.push_back(kOne);
    }
    add(NodeKind::reshape, g().nodes[x].dtype, shape, {x}, groups);
  }
  Sym merged(Sym a, Sym b) {
    if (a == kOne) return b;
    if (b == kOne) return a;
    return extent(value(a) * value(b));
  }

  void slice() {
    const NodeId x = any_node();
    const std::vector<Sym> from = shape_of(x);
    if (from.empty()) return;
    Slices slices;
    std::vector<Sym> shape;
    for (const Sym s : from) {
      const std::int64_t n = value(s);
      if (n == 0 || chance(50)) {
        slices.begin.push_back(kZero);
        slices.step.push_back(kOne);
        shape.push_back(s);
        continue;
      }
      std::int64_t begin = pick(static_cast<int>(n));
      std::int64_t step = 1 + pick(3);
      std::int64_t length = 1 + pick(static_cast<int>((n - begin + step - 1) / step));
      if (chance(30)) {
        begin += (length - 1) * step;
        if (begin >= n) begin = n - 1, length = 1;
        step = -step;
      }
      if (o_.empty_extents && chance(3)) length = 0;
      slices.begin.push_back(offset(begin));
      slices.step.push_back(step < 0 ? offset(step) : place(step, 2));
      shape.push_back(extent(length));
    }
    add(NodeKind::slice, g().nodes[x].dtype, shape, {x}, slices);
  }

  void pad() {
    const NodeId x = any_node();
    const std::vector<Sym> from = shape_of(x);
    if (from.empty()) return;
    const DType t = g().nodes[x].dtype;
    Pads pads;
    std::vector<Sym> shape;
    for (const Sym s : from) {
      const std::int64_t low = chance(50) ? pick(4) : 0, high = chance(50) ? pick(4) : 0;
      pads.low.push_back(low < 2 ? static_cast<Sym>(low) : symbol(low, {0, 1 << 30, 1}));
      shape.push_back(low + high == 0 ? s : extent(value(s) + low + high));
    }
    if (count(shape) > o_.max_elements) return;
    add(NodeKind::pad, t, shape, {x, g().constant(t, random_bits(t))}, pads);
  }

  void concat() {
    const NodeId x = any_node();
    std::vector<Sym> shape = shape_of(x);
    if (shape.empty()) return;
    const DType t = g().nodes[x].dtype;
    const std::size_t axis = static_cast<std::size_t>(pick(static_cast<int>(shape.size())));
    std::vector<NodeId> operands = {x};
    std::int64_t total = value(shape[axis]);
    for (int i = pick(3); i > 0; --i) {
      std::vector<Sym> other = shape;
      other[axis] = chance(50) ? shape[axis] : random_extent();
      if (count(other) > o_.max_elements) continue;
      operands.push_back(operand(other, t));
      total += value(other[axis]);
    }
    if (operands.size() > 1) shape[axis] = extent(total);
    if (count(shape) <= 2 * o_.max_elements) {
      add(NodeKind::concat, t, shape, operands, {}, axis);
    }
  }

  // So many that each says where it begins.
  void concat_many() {
    const NodeId x = any_node();
    std::vector<Sym> shape = shape_of(x);
    if (shape.empty()) return;
    const DType t = g().nodes[x].dtype;
    const std::size_t axis = static_cast<std::size_t>(pick(static_cast<int>(shape.size())));
    std::vector<NodeId> operands;
    Pads begins;
    std::int64_t total = 0;
    for (int i = 2 + pick(10); i > 0; --i) {
      std::vector<Sym> other = shape;
      other[axis] = chance(50) ? shape[axis] : random_extent();
      if (count(other) > o_.max_elements / 4) continue;
      operands.push_back(chance(20) ? x : operand(other, t));
      begins.low.push_back(place(total, 0));
      total += value(shape_of(operands.back())[axis]);
    }
    if (operands.size() < 2) return;
    shape[axis] = extent(total);
    if (count(shape) <= 2 * o_.max_elements)
      add(NodeKind::concat, t, shape, operands, begins, axis);
  }

  // A chain of updates, mostly short; values are others', or made from the array as it was before,
  // from places that the window meets or does not.
  void updates() {
    NodeId x = any_node();
    if (g().nodes[x].rank == 0) return;
    for (int i = chance(20) ? 12 : 1 + pick(3); i > 0; --i) x = update(x);
  }

  NodeId update(NodeId x) {
    const std::vector<Sym> whole = shape_of(x);
    const DType t = g().nodes[x].dtype;
    Slices window, read;
    std::vector<Sym> shape;
    const bool steps = chance(30), empty = o_.empty_extents && chance(3);
    for (const Sym s : whole) {
      const std::int64_t n = value(s);
      if (n == 0 || chance(30)) {
        window.begin.push_back(kZero);
        window.step.push_back(kOne);
        shape.push_back(s);
        read.begin.push_back(kZero);
      } else {
        const std::int64_t begin = pick(static_cast<int>(n)), step = steps ? 1 + pick(3) : 1;
        const auto room = static_cast<int>((n - begin + step - 1) / step);
        const std::int64_t length = empty ? 0 : chance(40) ? 1 : 1 + pick(room);
        const std::int64_t last = n - 1 - step * (length - 1);
        window.begin.push_back(place(begin, 0));
        window.step.push_back(place(step, 1));
        shape.push_back(extent(length));
        read.begin.push_back(offset(
            chance(40) ? begin : pick(static_cast<int>(std::max<std::int64_t>(last, 0)) + 1)));
      }
    }
    read.step = window.step;
    NodeId v = 0;
    if (chance(40)) {
      v = add(NodeKind::slice, t, shape, {x}, read);
      if (chance(60)) {
        const Op op = is_bool(t) ? Op::xor_ : Op::max;
        v = g().map(op, t, std::vector<NodeId>{v, operand(shape, t)});
      }
    } else {
      v = operand(shape, t);
    }
    return add(NodeKind::update, t, whole, {x, v}, window);
  }

  std::vector<Sym> without(NodeId x, const Axes& axes) {
    std::vector<Sym> kept = shape_of(x);
    for (std::size_t i = axes.axes.size(); i-- > 0;) kept.erase(kept.begin() + axes.axes[i]);
    return kept;
  }

  void reduce() {
    const NodeId x = any_node();
    constexpr Op kOps_[] = {Op::add, Op::add, Op::mul, Op::min, Op::max, Op::and_, Op::or_};
    const Op op = kOps_[pick(static_cast<int>(std::size(kOps_)))];
    const DType t = g().nodes[x].dtype;
    const DType types[2] = {t, t};
    if (!type_error(op, types, t).empty() || g().nodes[x].rank == 0) return;
    Axes axes;
    for (std::uint8_t a = 0; a < g().nodes[x].rank; ++a) {
      if (chance(50)) axes.axes.push_back(a);
    }
    if (axes.axes.empty()) axes.axes.push_back(static_cast<std::uint8_t>(g().nodes[x].rank - 1));
    add(NodeKind::reduce, t, without(x, axes), {x}, axes, 0, op);
  }

  void arg_reduce() {
    const NodeId x = any_node();
    if (g().nodes[x].rank == 0) return;
    const Axes axes{{static_cast<std::uint8_t>(pick(g().nodes[x].rank))}};
    if (value(g().shape(x)[axes.axes[0]]) == 0) return;
    add(NodeKind::arg_reduce, DType::int64, without(x, axes), {x}, axes, 0,
        chance(50) ? Op::min : Op::max);
  }

  void scan() {
    const NodeId x = any_node();
    const DType t = g().nodes[x].dtype;
    if (g().nodes[x].rank == 0 || is_bool(t) || is_half(t)) return;
    const Axes axes{{static_cast<std::uint8_t>(pick(g().nodes[x].rank))}};
    constexpr Op kScans[] = {Op::add, Op::add, Op::mul, Op::min, Op::max};
    add(NodeKind::scan, t, shape_of(x), {x}, axes, 0, kScans[pick(std::size(kScans))]);
  }

  void sort() {
    const NodeId x = any_node();
    if (g().nodes[x].rank == 0) return;
    const Axes axes{{static_cast<std::uint8_t>(pick(g().nodes[x].rank))}};
    const DType t = g().nodes[x].dtype;
    const NodeId whole =
        add(NodeKind::sort, t, shape_of(x), {x}, axes, 0, chance(50) ? Op::min : Op::max);
    g().nodes[whole].results = 2;
    const int wanted = 1 + pick(3);  // the elements, their places, both
    if ((wanted & 1) != 0) add(NodeKind::item, t, shape_of(x), {whole});
    if ((wanted & 2) != 0) add(NodeKind::item, DType::int64, shape_of(x), {whole}, {}, 1);
  }

  // Operands are whole numbers of one sign, so small that the sums of their products are exact in
  // any order, and without zero, so that none is of zeros with signs.
  void contract() {
    constexpr std::int64_t kMostProducts = 30000;
    const DType t = chance(70) ? DType::float32 : DType::float64;
    if (o_.max_rank < 2 || std::ranges::find(o_.dtypes, t) == o_.dtypes.end()) return;
    std::vector<Sym> batch;
    for (int i = pick(o_.max_rank - 1); i > 0; --i) batch.push_back(random_extent());
    const Sym m = random_extent(), k = random_extent(), n = random_extent();
    const auto with = [&](Sym rows, Sym columns) {
      std::vector<Sym> shape = batch;
      shape.push_back(rows);
      shape.push_back(columns);
      return shape;
    };
    const std::vector<Sym> a = with(m, k), b = with(k, n), c = with(m, n);
    if (count(a) > o_.max_elements || count(b) > o_.max_elements || count(c) > o_.max_elements ||
        count(c) * value(k) > kMostProducts) {
      return;
    }
    const NodeId x = factor(a, t), y = factor(b, t);
    const double sum = static_cast<double>(value(k)) * largest(x) * largest(y);
    if (sum > (t == DType::float32 ? 0x1p24 : 0x1p53)) return;
    set_largest(add(NodeKind::contract, t, c, {x, y}), sum);
  }

  // Such an operand: a value that is there, an input, or a view of one.
  NodeId factor(const std::vector<Sym>& shape, DType t) {
    for (int tries = 0; tries < 4; ++tries) {
      const NodeId n = any_node();
      if (largest(n) > 0 && g().nodes[n].dtype == t && shape_of(n) == shape) return n;
    }
    const std::size_t rank = shape.size();
    switch (pick(6)) {
      case 0:
      case 1: {  // axes in another order
        Axes axes;
        for (std::size_t i = 0; i < rank; ++i) axes.axes.push_back(static_cast<std::uint8_t>(i));
        std::shuffle(axes.axes.begin(), axes.axes.end(), engine_);
        std::vector<Sym> from(rank);
        for (std::size_t i = 0; i < rank; ++i) from[axes.axes[i]] = shape[i];
        return add(NodeKind::permute, t, shape, {buffer(from, t, true)}, axes);
      }
      case 2: {  // repeated
        std::vector<Sym> from(shape.begin() + pick(static_cast<int>(rank)), shape.end());
        for (Sym& s : from) s = chance(40) ? kOne : s;
        return spread(buffer(from, t, true), shape);
      }
      case 3: {  // every few of more, from either end
        Slices slices;
        std::vector<Sym> from;
        for (const Sym s : shape) {
          const std::int64_t step = 1 + pick(2),
                             last = step * std::max(value(s) - 1, std::int64_t{0});
          const bool back = chance(30) && value(s) > 0;
          slices.begin.push_back(offset(back ? last + 1 : 1));
          slices.step.push_back(back ? offset(-step) : place(step, 2));
          from.push_back(extent(last + 2));
        }
        if (count(from) > 4 * o_.max_elements) break;
        return add(NodeKind::slice, t, shape, {buffer(from, t, true)}, slices);
      }
      default:
        break;
    }
    return buffer(shape, t, true);
  }

  static constexpr int kLargestFactor = 4;
  std::mt19937_64 engine_;
  const RandomGraphOptions& o_;
  RandomGraph r_;
  std::vector<Sym> extents_;
  std::vector<double> largest_;  // by node
};

}  // namespace

RandomGraph random_graph(std::uint64_t seed, const RandomGraphOptions& options) {
  return Generator(seed, options).run();
}

}  // namespace kiln::ir::test
