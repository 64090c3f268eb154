#include "frontend/promote.h"

#include <algorithm>

#include "ir/mutant.h"

namespace kiln::inline v0::frontend {

namespace {
using ir::DTypeClass;

DTypeClass class_of(DType t) { return ir::info(to_ir(t)).cls; }
std::int64_t bytes(DType t) { return ir::size_of(to_ir(t)); }

DType wider(DType a, DType b) { return bytes(a) >= bytes(b) ? a : b; }

DType promote_floats(DType a, DType b) {
  if (a == b) return a;
  if (bytes(a) == 2 && bytes(b) == 2) return float32;
  return wider(a, b);
}

DType promote_signs(DType s, DType u) {
  constexpr DType next[] = {int16, int16, int32, int32, int64};  // by bytes of the unsigned type
  if (mutant(ir::Mutant::promotion)) return wider(s, u);
  if (bytes(u) == 8) return float64;
  return wider(s, next[bytes(u)]);
}

DType promote_int_float(DType i, DType f) {
  if (bytes(i) == 1) return f;
  return promote_floats(bytes(i) == 2 ? float32 : float64, f);
}

int mantissa_bits(DType t) {
  switch (t) {
    case float16:
      return 11;
    case bfloat16:
      return 8;
    case float32:
      return 24;
    default:
      return 53;
  }
}
}  // namespace

std::optional<DType> promote(DType a, DType b) {
  DTypeClass ca = class_of(a), cb = class_of(b);
  if (ca == DTypeClass::complex || cb == DTypeClass::complex) return std::nullopt;
  if (a == b) return a;
  if (ca > cb) std::swap(a, b), std::swap(ca, cb);  // boolean < signed < unsigned < floating
  if (ca == DTypeClass::boolean) return b;
  if (ca == cb) return ca == DTypeClass::floating ? promote_floats(a, b) : wider(a, b);
  if (cb == DTypeClass::floating) return promote_int_float(a, b);
  return promote_signs(a, b);
}

DType default_dtype(DType scalar) {
  if (scalar == bool_) return bool_;
  return class_of(scalar) == DTypeClass::floating ? float32 : int64;
}

DType default_dtype(DType a, DType b) {
  return std::max(default_dtype(a), default_dtype(b));  // bool_ < int64 < float32
}

DType promote_scalar(DType t, DType scalar) {
  if (scalar == bool_) return t;
  if (class_of(scalar) != DTypeClass::floating) return t == bool_ ? int64 : t;
  if (class_of(t) == DTypeClass::floating || class_of(t) == DTypeClass::complex) return t;
  return scalar == float64 ? floating_of(t) : float32;
}

DType promote_scalars(DType a, DType b) {
  const bool fa = class_of(a) == DTypeClass::floating, fb = class_of(b) == DTypeClass::floating;
  if (fa != fb) return fa ? a : b;
  return *promote(a, b);  // no Operand is complex
}

DType floating_of(DType t) {
  if (class_of(t) == DTypeClass::floating || class_of(t) == DTypeClass::complex) return t;
  return bytes(t) <= 2 ? float32 : float64;
}

DType sum_dtype(DType t) {
  switch (class_of(t)) {
    case DTypeClass::boolean:
    case DTypeClass::signed_int:
      return int64;
    case DTypeClass::unsigned_int:
      return uint64;
    default:
      return t;
  }
}

DType working_dtype(DType t) { return ir::is_half(to_ir(t)) ? float32 : t; }

bool converts_exactly(DType from, DType to) {
  if (from == to) return true;
  const DTypeClass cf = class_of(from), ct = class_of(to);
  if (cf == DTypeClass::complex || ct == DTypeClass::complex || ct == DTypeClass::boolean) {
    return false;
  }
  if (cf == DTypeClass::boolean) return true;
  const int value_bits = static_cast<int>(bytes(from)) * 8 - (cf == DTypeClass::signed_int ? 1 : 0);
  switch (ct) {
    case DTypeClass::signed_int:
      return cf != DTypeClass::floating && value_bits <= bytes(to) * 8 - 1;
    case DTypeClass::unsigned_int:
      return cf == DTypeClass::unsigned_int && value_bits <= bytes(to) * 8;
    default:
      if (cf != DTypeClass::floating) return value_bits <= mantissa_bits(to);
      if (from == bfloat16) return to == float32 || to == float64;
      if (to == bfloat16) return false;
      return bytes(to) >= bytes(from);
  }
}

}  // namespace kiln::inline v0::frontend
