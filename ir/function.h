// Straight-line scalar functions: what a transcendental operation means (ir/math), in the same
// instructions as a kernel's body, so that both backends and the interpreter run one definition.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ir/kernel.h"

namespace kiln::ir {

// Instructions are of code constant, param, op, rare and end_rare only, all of one lane. Params
// come first. `result` is the value returned.
struct Function {
  std::string name;  // "exp_f32"
  std::vector<DType> params;
  DType result_type = DType::float32;
  std::vector<Inst> insts;
  Value result = kNoValue;
};

// out[i] = f(in[0][i], ...) in blocks of some hundred elements, so that the cost of interpreting is
// shared. A rare region runs only for blocks in which some element needs it.
void evaluate(const Function& f, std::int64_t n, const void* const* in, void* out);

// The expansion of `op` for a type, built on first use and kept; 16-bit floats have none (they are
// computed by the float32 one). Null if the op does not expand. Thread-safe.
const Function* expansion(Op op, DType type);

class FunctionBuilder;

// A value of the function under construction. Operators emit instructions: + - * / (floats, or
// + - * on integers), & | ^ ~ << >>, comparisons < <= > >= == != (they give bool).
// A C++ number on either side becomes a constant of the other side's type.
struct Val {
  FunctionBuilder* builder = nullptr;
  Value id = kNoValue;
  DType type() const;
};

class FunctionBuilder {
 public:
  FunctionBuilder(std::string name, std::initializer_list<DType> params, DType result);
  Val param(int index);
  Val constant(DType type, double value);
  Val constant_int(DType type, std::int64_t value);  // wrapped to the type
  Val constant_bits(DType type, std::uint64_t bits);
  Val emit(Op op, DType result, std::span<const Val> operands);
  // select_rare: body() gives the value where cond holds, and is computed only where some lane
  // needs it; elsewhere the value is `otherwise`.
  template <class Body>
  Val rare(Val cond, Val otherwise, Body body) {
    const Value begin = begin_rare(cond);
    return end_rare(begin, body(), otherwise);
  }
  Function finish(Val result);

 private:
  friend struct Val;
  Value begin_rare(Val cond);
  Val end_rare(Value begin, Val inside, Val otherwise);
  Function function_;
};

template <class T>
concept Number = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;

Val like(Val model, double value);  // a constant of model's type
#define KILN_VAL_BINARY(symbol)                      \
  Val operator symbol(Val a, Val b);                 \
  template <Number T>                                \
  Val operator symbol(Val a, T b) {                  \
    return a symbol like(a, static_cast<double>(b)); \
  }                                                  \
  template <Number T>                                \
  Val operator symbol(T a, Val b) {                  \
    return like(b, static_cast<double>(a)) symbol b; \
  }
KILN_VAL_BINARY(+)
KILN_VAL_BINARY(-)
KILN_VAL_BINARY(*)
KILN_VAL_BINARY(/)
KILN_VAL_BINARY(&)
KILN_VAL_BINARY(|)
KILN_VAL_BINARY(^)
KILN_VAL_BINARY(<<)
KILN_VAL_BINARY(>>)
KILN_VAL_BINARY(<)
KILN_VAL_BINARY(<=)
KILN_VAL_BINARY(>)
KILN_VAL_BINARY(>=)
KILN_VAL_BINARY(==)
KILN_VAL_BINARY(!=)
#undef KILN_VAL_BINARY
Val operator-(Val a);
Val operator~(Val a);
Val fma(Val a, Val b, Val c);  // one rounding
Val abs(Val a);
Val sqrt(Val a);
Val min(Val a, Val b);
Val max(Val a, Val b);
Val floor(Val a);
Val trunc(Val a);
Val rint(Val a);
Val mul_hi(Val a, Val b);
Val clz(Val a);
Val select(Val cond, Val a, Val b);
Val cast(DType type, Val a);
Val bitcast(DType type, Val a);

}  // namespace kiln::ir
