#include "frontend/nan_trap.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <optional>

#include "frontend/check.h"
#include "frontend/complaint.h"
#include "ir/infix.h"
#include "ir/interpret.h"
#include "ir/mutant.h"
#include "ir/scalar.h"
#include "ir/strided.h"

namespace kiln::inline v0::frontend {

namespace {

using Operands = std::span<const std::byte* const>;
using Extents = std::vector<std::int64_t>;

std::uint64_t bits_at(ir::DType t, const std::byte* data, std::int64_t i) {
  std::uint64_t bits = 0;
  const auto size = static_cast<std::size_t>(ir::size_of(t));
  std::memcpy(&bits, data + static_cast<std::size_t>(i) * size, size);
  return bits;
}

// Of floats.
double number(ir::DType t, const std::byte* data, std::int64_t i) {
  return ir::to_double(t, bits_at(t, data, i));
}
bool is_nan(ir::DType t, const std::byte* data, std::int64_t i) {
  return std::isnan(number(t, data, i));
}

std::string element_text(ir::DType t, const std::byte* data, std::int64_t i) {
  return ir::literal(t, bits_at(t, data, i));
}

Extents index_of(std::int64_t element, const Extents& shape) {
  Extents index(shape.size());
  for (std::size_t i = shape.size(); i-- > 0; element /= shape[i]) index[i] = element % shape[i];
  return index;
}

// The elements of one operand that one element of a result is made of: `count` of them, from
// `first`, in steps along some axes.
struct Part {
  int operand = 0;
  std::int64_t first = 0;
  Extents counts, steps;
  std::int64_t size() const { return ir::element_count(counts); }
  std::int64_t element(std::int64_t i) const {
    std::int64_t at = first;
    for (std::size_t k = counts.size(); k-- > 0; i /= counts[k]) at += i % counts[k] * steps[k];
    return at;
  }
};

class Trap {
 public:
  explicit Trap(Snapshot& snapshot) : snapshot_(snapshot), g_(snapshot.graph) {}
  void look(ir::NodeId n, const std::byte* result, Operands operands);

 private:
  Extents shape(ir::NodeId n) const { return ir::values(g_.shape(n), snapshot_.bindings); }
  ir::DType type(ir::NodeId n) const { return g_.nodes[n].dtype; }
  bool computes(ir::NodeId n) const;
  std::vector<Part> parts(ir::NodeId n, std::int64_t element) const;
  std::vector<Part> reduced_part(ir::NodeId n, const Extents& index) const;
  std::vector<Part> product_parts(ir::NodeId n, const Extents& index) const;
  std::vector<Part> row_part(ir::NodeId n, const Extents& index) const;
  bool handed_on(ir::NodeId n, std::int64_t element, Operands operands) const;
  struct Place {
    ir::NodeId node = 0;
    std::int64_t element = 0;
  };
  Place behind(Place at) const;
  bool own_affair(ir::NodeId n) const;
  [[noreturn]] void spring(ir::NodeId n, std::int64_t element, Operands operands);
  std::string values_text(const Part& part, ir::NodeId n, Operands operands) const;

  Snapshot& snapshot_;
  const ir::Graph& g_;
  // Of operations whose NaNs are their function's own affair: the elements that only hand one on.
  std::map<ir::NodeId, std::vector<bool>> handed_;
};

// Whether its values are new: views hand on what they get.
bool Trap::computes(ir::NodeId n) const {
  const ir::Role is = ir::role(g_.nodes[n].kind);
  return is == ir::Role::map || is == ir::Role::fold || is == ir::Role::call;
}

std::vector<Part> Trap::reduced_part(ir::NodeId n, const Extents& index) const {
  const Extents from = shape(g_.operand(n, 0)), strides = ir::dense_strides(from);
  Part part;
  std::size_t kept = 0;
  const std::vector<std::uint8_t>& axes = g_.attribute<ir::Axes>(n).axes;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (std::ranges::find(axes, i) == axes.end()) {
      part.first += index[kept++] * strides[i];
    } else {
      part.counts.push_back(from[i]);
      part.steps.push_back(strides[i]);
    }
  }
  return {part};
}

std::vector<Part> Trap::product_parts(ir::NodeId n, const Extents& index) const {
  std::vector<Part> result;
  for (int side = 0; side < 2; ++side) {
    const Extents from = shape(g_.operand(n, side)), strides = ir::dense_strides(from);
    const std::size_t along = from.size() - (side == 0 ? 1 : 2);
    Part part{side, 0, {from[along]}, {strides[along]}};
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (i != along) part.first += index[i] * strides[i];
    }
    result.push_back(std::move(part));
  }
  return result;
}

// Of a row that is computed as a whole: all of it, or what stands up to the element.
std::vector<Part> Trap::row_part(ir::NodeId n, const Extents& index) const {
  const Extents from = shape(n), strides = ir::dense_strides(from);
  const std::size_t along = g_.attribute<ir::Axes>(n).axes[0];
  const bool whole = g_.nodes[n].kind == ir::NodeKind::sort;
  Part part{0, 0, {whole ? from[along] : index[along] + 1}, {strides[along]}};
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (i != along) part.first += index[i] * strides[i];
  }
  return {part};
}

std::vector<Part> Trap::parts(ir::NodeId n, std::int64_t element) const {
  const ir::Node& node = g_.nodes[n];
  if (node.kind == ir::NodeKind::reduce) return reduced_part(n, index_of(element, shape(n)));
  if (node.kind == ir::NodeKind::contract) return product_parts(n, index_of(element, shape(n)));
  if (node.kind == ir::NodeKind::sort || node.kind == ir::NodeKind::scan)
    return row_part(n, index_of(element, shape(n)));
  std::vector<Part> result;
  for (int i = 0; i < node.operand_count; ++i) result.push_back({i, element, {}, {}});
  return result;
}

// The element that a broadcast repeats there.
Trap::Place Trap::behind(Place at) const {
  while (g_.nodes[at.node].kind == ir::NodeKind::broadcast) {
    const Extents index = index_of(at.element, shape(at.node));
    at = {g_.operand(at.node, 0), 0};
    const Extents from = shape(at.node), strides = ir::dense_strides(from);
    const std::size_t shift = index.size() - from.size();
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (from[i] != 1) at.element += index[shift + i] * strides[i];
    }
  }
  return at;
}

bool Trap::own_affair(ir::NodeId n) const {
  return std::ranges::binary_search(snapshot_.repaired, behind({n, 0}).node);
}

// Whether what an element is made of has a NaN that counts.
bool Trap::handed_on(ir::NodeId n, std::int64_t element, Operands operands) const {
  for (const Part& part : parts(n, element)) {
    const ir::NodeId from = g_.operand(n, part.operand);
    if (!ir::is_float(type(from))) continue;
    const std::byte* const data = operands[static_cast<std::size_t>(part.operand)];
    const bool anywhere = mutant(ir::Mutant::anothers_nan);
    const std::int64_t count = anywhere ? ir::element_count(shape(from)) : part.size();
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t at = anywhere ? i : part.element(i);
      if (!is_nan(type(from), data, at)) continue;
      if (!own_affair(from)) return true;
      const Place source = behind({from, at});
      const auto known = handed_.find(source.node);
      if (known != handed_.end() && known->second[static_cast<std::size_t>(source.element)]) {
        return true;
      }
    }
  }
  return false;
}

void Trap::look(ir::NodeId n, const std::byte* result, Operands operands) {
  if (!computes(n) || !ir::is_float(type(n))) return;
  const std::int64_t count = ir::element_count(shape(n));
  const bool own = own_affair(n);
  for (std::int64_t i = 0; i < count; ++i) {
    if (!is_nan(type(n), result, i)) continue;
    const bool handed = handed_on(n, i, operands);
    if (!handed && !own) spring(n, i, operands);
    if (!handed || !own) continue;
    std::vector<bool>& known = handed_[n];
    known.resize(static_cast<std::size_t>(count));
    known[static_cast<std::size_t>(i)] = true;
  }
}

// What the operand has there: the number, or the range of many.
std::string Trap::values_text(const Part& part, ir::NodeId n, Operands operands) const {
  const ir::NodeId from = g_.operand(n, part.operand);
  const std::byte* const data = operands[static_cast<std::size_t>(part.operand)];
  const std::int64_t count = part.size();
  std::string text = fmt::format("{} {} {}", ir::name(type(from)), to_text(Shape(shape(from))),
                                 ir::infix(g_, from, 60));
  if (g_.nodes[n].kind == ir::NodeKind::map) {
    text += ", there " + element_text(type(from), data, part.first);
  } else {
    double least = std::numeric_limits<double>::infinity(), most = -least;
    for (std::int64_t i = 0; i < count; ++i) {
      const double value = number(type(from), data, part.element(i));
      least = std::min(least, value);
      most = std::max(most, value);
    }
    text += fmt::format(", there {} elements from {} to {}", count, least, most);
  }
  const Where where = snapshot_.line(from);
  return where.file != nullptr ? text + ", made at " + to_text(where) : text;
}

std::string_view operation(const ir::Node& node) {
  if (ir::role(node.kind) == ir::Role::call) return ir::call_name(node.kind);
  if (node.kind == ir::NodeKind::reduce) {
    return node.op == ir::Op::add   ? "sum"
           : node.op == ir::Op::mul ? "prod"
                                    : ir::info(node.op).name;
  }
  switch (node.op) {
    case ir::Op::sub:
      return "subtract";
    case ir::Op::mul:
      return "multiply";
    case ir::Op::div:
      return "divide";
    default:
      return ir::info(node.op).name;
  }
}

void Trap::spring(ir::NodeId n, std::int64_t element, Operands operands) {
  snapshot_.describe();
  const Extents index = index_of(element, shape(n));
  const std::string* const label = snapshot_.labels[n];
  Complaint complaint(
      operation(g_.nodes[n]),
      fmt::format("element {} is NaN, and nothing that it is made of is", to_text(Shape(index))),
      snapshot_.line(n), Complaint::Line::given);
  complaint.note("result", fmt::format("{} {}{} = {}", ir::name(type(n)), to_text(Shape(shape(n))),
                                       label != nullptr ? fmt::format(" \"{}\"", *label) : "",
                                       ir::infix(g_, n, 120)));
  const std::vector<Part> made_of = parts(n, element);
  for (const Part& part : made_of) {
    if (own_affair(g_.operand(n, part.operand))) continue;
    const std::string role = made_of.size() == 1   ? "operand"
                             : made_of.size() == 2 ? (part.operand == 0 ? "left" : "right")
                                                   : fmt::format("operand {}", part.operand);
    complaint.note(role, values_text(part, n, operands));
  }
  const Advice advice = complaint.advise(
      "keep the operands away from there (clip, maximum, or where on the operand, not on the "
      "result); Scope({.nan = Nan::allow}) around an evaluation lets its NaNs be");
  NanTrapped error(advice.text());
  error.where = advice.where();
  error.index = index;
  throw error;
}

}  // namespace

void trap_nans(Snapshot& snapshot) {
  Trap trap(snapshot);
  ir::Watch watch;
  watch.value = [&](ir::NodeId n, const std::byte* result, Operands operands) {
    trap.look(n, result, operands);
  };
  watch_interpretation(snapshot, "nan", std::move(watch));
}

}  // namespace kiln::inline v0::frontend
