#include "frontend/binary.h"

#include <fmt/format.h>

#include "frontend/promote.h"
#include "ir/mutant.h"

namespace kiln::inline v0::frontend {

namespace {

Takes kind_of(DType t) {
  switch (ir::info(to_ir(t)).cls) {
    case ir::DTypeClass::boolean:
      return kBool;
    case ir::DTypeClass::signed_int:
    case ir::DTypeClass::unsigned_int:
      return kInt;
    case ir::DTypeClass::floating:
      return kFloat;
    default:
      return Takes{};
  }
}

const char* wanted(Takes takes) {
  switch (takes) {
    case kBool:
      return "bool";
    case kInt:
      return "integers";
    case kFloat:
      return "floats";
    case kNumbers:
      return "integers and floats";
    case kBits:
      return "integers and bool";
    default:
      return "bool, integers and floats";
  }
}

ir::Op op_for(const Rule& rule, DType dtype) {
  return dtype == bool_ && rule.on_bool != ir::Op::add ? rule.on_bool : rule.op;
}

DType result_of(const Rule& rule, DType dtype) {
  return rule.gives == Gives::boolean ? bool_ : dtype;
}

}  // namespace

void check_takes(std::string_view function, Takes takes, DType dtype, const Operand& x,
                 const Operand* y, Where where) {
  if ((kind_of(dtype) & takes) != 0) return;
  Complaint complaint(function, fmt::format("takes {}, not {}", wanted(takes), name(dtype)), where);
  complaint.operand(y != nullptr ? "left" : "array", x);
  if (y != nullptr) complaint.operand("right", *y);
  const bool floating = ir::is_float(to_ir(dtype));
  complaint
      .advise(dtype == bool_    ? "astype(kiln::int32), or the logical_ functions"
              : takes == kBool  ? "a comparison such as x != 0"
              : takes == kFloat ? "astype(kiln::float32)"
              : floating        ? "astype(kiln::int32) for numbers, a comparison such as x > 0 for "
                                  "conditions"
                                : "astype to another dtype; complex ones are reserved")
      .raise();
}

DType given_dtype(const Operand& x) {
  return Access::is_array(x) ? Access::array(x).dtype() : default_dtype(Access::dtype(x));
}

DType common_dtype(std::string_view function, const Operand& left, const Operand& right) {
  const bool la = Access::is_array(left), ra = Access::is_array(right);
  const DType a = Access::dtype(left), b = Access::dtype(right);
  if (la && ra) {
    if (const std::optional<DType> both = promote(a, b)) return *both;
    Complaint(function, fmt::format("no dtype holds both {} and {}", name(a), name(b)),
              Access::where(left))
        .operand("left", left)
        .operand("right", right)
        .advise("astype one of them to the dtype that is meant")
        .raise();
  }
  if (la) return promote_scalar(a, b);
  if (ra) return promote_scalar(b, a);
  return promote_scalars(a, b);
}

Array as_array(std::string_view function, const Operand& x, DType dtype) {
  if (!Access::is_array(x)) return scalar_of(function, x, dtype);
  return cast(Access::array(x), dtype, Access::where(x));
}

Array as_array(std::string_view function, const Operand& x) {
  return Access::is_array(x) ? Access::array(x) : scalar_of(function, x, Access::dtype(x));
}

Array binary(const Rule& rule, const Operand& left, const Operand& right) {
  const Where where = Access::where(left);
  const bool arrays = Access::is_array(left) && Access::is_array(right);
  if (arrays && !rule.swapped && rule.gives == Gives::same) {  // the common case
    Node* const nodes[] = {Access::node(Access::array(left)), Access::node(Access::array(right))};
    const DType dtype = nodes[0]->dtype;
    if (dtype == nodes[1]->dtype && (kind_of(dtype) & rule.takes & kNumbers) != 0) {
      return map_nodes(rule.name, rule.op, dtype, nodes, where);
    }
  }
  DType dtype = common_dtype(rule.name, left, right);
  if (rule.gives == Gives::floating) dtype = floating_of(dtype);
  check_takes(rule.name, rule.takes, dtype, left, &right, where);
  Node* nodes[2];
  Array held[2];
  const Operand* const operands[] = {&left, &right};
  for (int i = 0; i < 2; ++i) {
    if (Access::is_array(*operands[i])) {
      nodes[i] = Access::node(Access::array(*operands[i]));
      if (nodes[i]->dtype == dtype) continue;
    }
    held[i] = as_array(rule.name, *operands[i], dtype);
    nodes[i] = Access::node(held[i]);
  }
  if (rule.swapped) {
    if (nodes[0]->shape != nodes[1]->shape) {  // complain in the order of the call
      PerAxis made;
      broadcast_shape(rule.name, nodes, where, &made);
    }
    if (!mutant(ir::Mutant::swapped_comparison)) std::swap(nodes[0], nodes[1]);
  }
  return map_nodes(rule.name, op_for(rule, dtype), result_of(rule, dtype), nodes, where);
}

Array unary(const Rule& rule, const Array& x, Where where) {
  const DType given = x.dtype();
  const DType dtype = rule.gives == Gives::floating ? floating_of(given) : given;
  check_takes(rule.name, rule.takes, dtype, Operand(x, where), nullptr, where);
  const Array converted = cast(x, dtype, where);
  Node* const node = Access::node(converted);
  return map_nodes(rule.name, op_for(rule, dtype), result_of(rule, dtype), {&node, 1}, where);
}

Array truth(const Array& x, Where where) {
  if (x.dtype() == bool_) return x;
  check_takes("truth value", kAny, x.dtype(), Operand(x, where), nullptr, where);
  return map("not_equal", ir::Op::ne, bool_, {x, literal(x.dtype(), 0, where)}, where);
}

Array within_kind(std::string_view function, const Array& x, DType dtype, Where where) {
  const auto rank = [](DType t) {
    const Takes k = kind_of(t);
    return k == kBool ? 0 : k == kInt ? 1 : k == kFloat ? 2 : 3;
  };
  if (rank(x.dtype()) > rank(dtype)) {
    Complaint(function,
              fmt::format("{} does not convert to {} implicitly", name(x.dtype()), name(dtype)),
              where)
        .operand("value", x)
        .advise(fmt::format("astype(kiln::{}) where the loss is meant",
                            dtype == bool_ ? "bool_" : name(dtype)))
        .raise();
  }
  return dtype == bool_ ? truth(x, where) : cast(x, dtype, where);
}

}  // namespace kiln::inline v0::frontend
