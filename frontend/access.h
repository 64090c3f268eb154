// The library's own door to the private parts of the public classes.
#pragma once
#include "frontend/trace.h"
#include "ir/dtype.h"
#include "kiln/array.h"

namespace kiln::inline v0::frontend {

constexpr ir::DType to_ir(DType t) { return static_cast<ir::DType>(t); }
constexpr DType from_ir(ir::DType t) { return static_cast<DType>(t); }
static_assert(static_cast<int>(complex128) == static_cast<int>(ir::DType::complex128));

struct Access {
  using ScalarKind = Operand::Kind;
  using IndexKind = Index::Kind;

  // Never null: the empty array has a node too.
  static Node* node(const Array& x) { return x.node_ != nullptr ? x.node_ : empty(); }
  static Array adopt(Node* node) { return Array(node); }
  static Array share(Node* node) {
    Trace::retain(node);
    return Array(node);
  }
  static Device device(std::uint16_t id) { return Device(id); }
  static std::uint16_t id(const Device& device) { return device.id_; }

  static bool is_array(const Operand& x) { return x.kind_ == Operand::Kind::array; }
  static const Array& array(const Operand& x) { return *x.array_; }
  static ScalarKind kind(const Operand& x) { return x.kind_; }
  // The array's, or of the scalar's C++ type.
  static DType dtype(const Operand& x) { return is_array(x) ? node(*x.array_)->dtype : x.dtype_; }
  static std::int64_t integer(const Operand& x) { return x.integer_; }
  static double floating(const Operand& x) { return x.floating_; }
  // The value of a scalar of any kind.
  static double number(const Operand& x) {
    if (x.kind_ == Operand::Kind::floating) return x.floating_;
    if (x.kind_ == Operand::Kind::natural) {
      return static_cast<double>(static_cast<std::uint64_t>(x.integer_));
    }
    return static_cast<double>(x.integer_);
  }
  static Where where(const Operand& x) { return x.where_; }

  static IndexKind kind(const Index& i) { return i.kind_; }
  static std::int64_t number(const Index& i) { return i.value_; }
  static const Slice& range(const Index& i) { return i.slice_; }
  static Where where(const Index& i) { return i.where_; }

 private:
  static Node* empty();
};

}  // namespace kiln::inline v0::frontend
