#include "codegen/cuda/prelude.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "codegen/cuda/body.h"
#include "codegen/cuda/spelling.h"
#include "ir/error.h"
#include "ir/function.h"

namespace kiln::codegen::cuda {

using ir::Code;
using ir::DType;
using ir::Op;

Prelude::Prelude() { constants(); }

void Prelude::constants() {
  add("infinity_f32", "", R"(__device__ float infinity_f32() {
  return __uint_as_float(0x7f800000u);
}
)");
  add("nan_f32", "", R"(__device__ float nan_f32() {
  return __uint_as_float(0x7fc00000u);
}
)");
  add("infinity_f64", "", R"(__device__ double infinity_f64() {
  return __longlong_as_double(0x7ff0000000000000ll);
}
)");
  add("nan_f64", "", R"(__device__ double nan_f64() {
  return __longlong_as_double(0x7ff8000000000000ll);
}
)");
}

std::string_view Prelude::add(std::string_view name, std::string_view overload, std::string text) {
  const auto [place, is_new] = known_.insert(fmt::format("{}({})", name, overload));
  if (is_new) definitions_.push_back({std::string(name), std::move(text)});
  return std::string_view(*place).substr(0, name.size());
}

std::string_view Prelude::vector() {
  return add("vec", "", R"(// N elements, read and written 16 bytes at a time.
template <class T, int N>
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) vec {
  T lane[N];
  __device__ T& operator[](int k) { return lane[k]; }
  __device__ const T& operator[](int k) const { return lane[k]; }
};
)");
}

std::string_view Prelude::load_vector() {
  vector();
  return add("load", "", R"(template <int N, class T>
__device__ vec<T, N> load(const T* p) {
  return *reinterpret_cast<const vec<T, N>*>(p);
}
)");
}

std::string_view Prelude::store_vector() {
  vector();
  return add("store", "", R"(template <class T, int N>
__device__ void store(T* p, const vec<T, N>& value) {
  *reinterpret_cast<vec<T, N>*>(p) = value;
}
)");
}

std::string_view Prelude::rearrange(Code code) {
  vector();
  if (code == Code::join) {
    return add("join", "", R"(template <class T, int N>
__device__ vec<T, 2 * N> join(const vec<T, N>& a, const vec<T, N>& b) {
  vec<T, 2 * N> r;
#pragma unroll
  for (int k = 0; k < N; ++k) r[k] = a[k], r[N + k] = b[k];
  return r;
}
)");
  }
  if (code == Code::even || code == Code::odd) {
    const bool odd = code == Code::odd;
    return add(odd ? "odd" : "even", "",
               fmt::format(R"(template <class T, int N>
__device__ vec<T, N / 2> {}(const vec<T, N>& a) {{
  vec<T, N / 2> r;
#pragma unroll
  for (int k = 0; k < N / 2; ++k) r[k] = a[2 * k{}];
  return r;
}}
)",
                           odd ? "odd" : "even", odd ? " + 1" : ""));
  }
  return add("any", "", R"(template <int N>
__device__ bool any(const vec<bool, N>& mask) {
  bool r = false;
#pragma unroll
  for (int k = 0; k < N; ++k) r = r || mask[k];
  return r;
}
)");
}

namespace {

constexpr std::string_view kHalf = R"(struct half {
  unsigned short bits;
};
)";
constexpr std::string_view kBfloat16 = R"(struct bfloat16 {
  unsigned short bits;
};
)";

}  // namespace

void Prelude::declare(DType type) {
  if (type == DType::float16) add("half", "", std::string(kHalf));
  if (type == DType::bfloat16) add("bfloat16", "", std::string(kBfloat16));
}

std::string_view Prelude::to_float(DType type) {
  declare(type);
  if (type == DType::float16) {
    return add("to_float", "half", R"(__device__ float to_float(half x) {
#ifdef __CUDA_ARCH__
  float r;
  asm("cvt.f32.f16 %0, %1;" : "=f"(r) : "h"(x.bits));
  return r;
#else
  return __builtin_bit_cast(_Float16, x);
#endif
}
)");
  }
  return add("to_float", "bfloat16", R"(__device__ float to_float(bfloat16 x) {
  return __uint_as_float((unsigned)x.bits << 16);
}
)");
}

std::string_view Prelude::from_float(DType type) {
  declare(type);
  if (type == DType::float16) {
    return add("to_half", "", R"(// To the nearest, ties to even.
__device__ half to_half(float x) {
  half r;
#ifdef __CUDA_ARCH__
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(r.bits) : "f"(x));
#else
  r.bits = __builtin_bit_cast(unsigned short, (_Float16)x);
#endif
  return r;
}
)");
  }
  return add("to_bfloat16", "", R"(// To the nearest, ties to even.
__device__ bfloat16 to_bfloat16(float x) {
  const unsigned bits = __float_as_uint(x);
  const unsigned rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return {(unsigned short)(x == x ? rounded : 0x7fc0)};
}
)");
}

std::string_view Prelude::round(DType type) {
  to_float(type);
  const std::string_view from = from_float(type);
  const std::string name = type == DType::float16 ? "round_to_half" : "round_to_bfloat16";
  return add(name, "",
             fmt::format(R"(__device__ float {}(float x) {{
  return to_float({}(x));
}}
)",
                         name, from));
}

std::string_view Prelude::narrow() {
  return add("narrow", "",
             R"(// Rounds to odd, so that a second rounding, to 16 bits, is as good as one.
__device__ float narrow(double x) {
  const float nearest = (float)x;
  const double back = nearest;
  if (back == x || x != x) return nearest;
  const bool away = x > 0.0 ? back > x : back < x;
  return __uint_as_float((__float_as_uint(nearest) - (away ? 1u : 0u)) | 1u);
}
)");
}

std::string_view Prelude::saturate(DType from, DType to) {
  const bool is_double = from == DType::float64;
  const std::string_view f = is_double ? "double" : "float";
  const int width = 8 * static_cast<int>(ir::size_of(to));
  const bool has_sign = ir::is_signed_int(to);
  const auto power = [is_double](int exponent) {
    const double value = exponent < 0 ? 0.0 : std::ldexp(1.0, exponent);
    const std::uint64_t bits = is_double ? std::bit_cast<std::uint64_t>(value)
                                         : std::bit_cast<std::uint32_t>(static_cast<float>(value));
    return literal(is_double ? DType::float64 : DType::float32, bits, true).text;
  };
  const std::string end = power(has_sign ? width - 1 : width);
  const std::string begin = has_sign ? '-' + end : power(-1);
  const std::uint64_t highest = ~0ull >> (64 - width + (has_sign ? 1 : 0));
  const std::uint64_t lowest = has_sign ? 1ull << (width - 1) : 0;
  const std::string name = fmt::format("to_{}", ir::name(to));
  return add(name, f,
             fmt::format(R"(// Toward zero, saturating; NaN gives 0.
__device__ {} {}({} x) {{
  if (x != x) return 0;
  if (x < {}) return {};
  if (x >= {}) return {};
  return ({})x;
}}
)",
                         value_type(to), name, f, begin, literal(to, lowest, false).text, end,
                         literal(to, highest, false).text, value_type(to)));
}

std::string_view Prelude::wrap(Op op, DType type) {
  const std::string name = fmt::format("wrap_{}", ir::info(op).name);
  const std::string_view t = value_type(type), u = unsigned_type(type);
  if (op == Op::neg) {
    return add(name, t,
               fmt::format(R"(__device__ {0} {1}({0} a) {{
  return ({0})(0 - ({2})a);
}}
)",
                           t, name, u));
  }
  return add(name, t,
             fmt::format(R"(__device__ {0} {1}({0} a, {0} b) {{
  return ({0})(({2})a {3} ({2})b);
}}
)",
                         t, name, u, word(op, type).text));
}

namespace {

// NaN if either operand is; -0 is less than +0.
std::string extreme(bool max, DType type) {
  const bool wide = type == DType::float64;
  const std::string_view f = value_type(type);
  const std::string_view bits = wide ? "__double_as_longlong" : "__float_as_int";
  const std::string_view back = wide ? "__longlong_as_double" : "__int_as_float";
  return fmt::format(R"(// NaN if either is; -0 is less than +0.
__device__ {0} {1}({0} a, {0} b) {{
  const {0} other = a {5} b || a != a ? a : b;
  return a == b ? {2}({3}(a) {4} {3}(b)) : other;
}}
)",
                     f, max ? "maximum" : "minimum", back, bits, max ? '&' : '|', max ? '>' : '<');
}

// Called, not inlined: unrolled rounds full of these checks take NVRTC seconds, where they meet a
// loop over coordinates minutes, and a call costs little beside the division itself.
std::string division(bool remainder, DType type) {
  const std::string_view t = value_type(type);
  const std::string_view name = remainder ? "remainder" : "divide";
  const char symbol = remainder ? '%' : '/';
  if (!ir::is_signed_int(type)) {
    return fmt::format(R"(// By zero: 0.
__device__ __noinline__ {0} {1}({0} a, {0} b) {{
  return b == 0 ? 0 : a {2} b;
}}
)",
                       t, name, symbol);
  }
  const std::string overflow =
      remainder ? "0" : fmt::format("({})(0 - ({})a)", t, unsigned_type(type));
  return fmt::format(R"(// By zero: 0. The least integer by -1: {4}.
__device__ __noinline__ {0} {1}({0} a, {0} b) {{
  if (b == 0) return 0;
  return b == -1 ? {2} : a {3} b;
}}
)",
                     t, name, overflow, symbol, remainder ? "0" : "itself");
}

std::string shift(bool left, DType type) {
  const std::string_view t = value_type(type), u = unsigned_type(type);
  const auto width = 8 * ir::size_of(type);
  if (!left && ir::is_signed_int(type)) {
    return fmt::format(R"(// By the width or more: all bits the sign.
__device__ {0} shift_right({0} a, {0} b) {{
  return a >> (({1})b < {2} ? b : {3});
}}
)",
                       t, u, width, width - 1);
  }
  return fmt::format(R"(// By the width or more: 0.
__device__ {0} {4}({0} a, {0} b) {{
  return ({1})b < {2} ? ({0})(({1})a {3} b) : 0;
}}
)",
                     t, u, width, left ? "<<" : ">>", left ? "shift_left" : "shift_right");
}

std::string counting(Op op, DType type) {
  const std::string_view t = value_type(type);
  const auto width = 8 * ir::size_of(type);
  const bool wide = width == 64;
  const std::string value =
      fmt::format("({})({})a", wide ? "long long" : "int", unsigned_type(type));
  const std::string_view name = word(op, type).text;
  std::string result;
  if (op == Op::clz) {
    result = fmt::format("__clz{}({})", wide ? "ll" : "", value);
    if (width < 32) result += fmt::format(" - {}", 32 - width);
  } else if (op == Op::ctz) {
    result = fmt::format("a == 0 ? {} : __ffs{}({}) - 1", width, wide ? "ll" : "", value);
  } else {
    result = fmt::format("__popc{}({})", wide ? "ll" : "", value);
  }
  return fmt::format("__device__ {0} {1}({0} a) {{\n  return {2};\n}}\n", t, name, result);
}

std::string multiply_high(DType type) {
  const std::string_view t = value_type(type);
  const auto width = 8 * ir::size_of(type);
  std::string product;
  if (width >= 32) {
    product = fmt::format("__{}mul{}hi(a, b)", ir::is_signed_int(type) ? "" : "u",
                          width == 64 ? "64" : "");
  } else {
    product = fmt::format("({0})({1}a * b >> {2})", t, ir::is_signed_int(type) ? "" : "(unsigned)",
                          width);
  }
  return fmt::format(
      "// The upper half of the product.\n"
      "__device__ {0} multiply_high({0} a, {0} b) {{\n  return {1};\n}}\n",
      t, product);
}

std::string absolute(DType type) {
  const std::string_view t = value_type(type);
  if (!ir::is_signed_int(type)) {
    return fmt::format("__device__ {0} absolute({0} a) {{\n  return a;\n}}\n", t);
  }
  return fmt::format(
      "__device__ {0} absolute({0} a) {{\n  return a < 0 ? ({0})(0 - ({1})a) : a;\n}}\n", t,
      unsigned_type(type));
}

}  // namespace

std::string_view Prelude::function(Op op, DType type) {
  const std::string_view t = value_type(type);
  const std::string_view name = word(op, type).text;
  switch (op) {
    case Op::min:
    case Op::max:
      return add(name, t, extreme(op == Op::max, type));
    case Op::idiv:
    case Op::irem:
      return add(op == Op::idiv ? "divide" : "remainder", t, division(op == Op::irem, type));
    case Op::shl:
    case Op::shr:
      return add(op == Op::shl ? "shift_left" : "shift_right", t, shift(op == Op::shl, type));
    case Op::clz:
    case Op::ctz:
    case Op::popcount:
      return add(name, t, counting(op, type));
    case Op::mul_hi:
      return add(name, t, multiply_high(type));
    case Op::abs:
      return add(name, t, absolute(type));
    default:
      ir::internal_error("no function of the prelude for this op");
  }
}

std::string Prelude::expansion(Op op, DType type) {
  const std::string name = fmt::format("kiln_{}", ir::info(op).name);
  const std::string key = fmt::format("{}({})", name, value_type(type));
  if (known_.contains(key)) return name;
  const ir::Function* f = ir::expansion(op, type);
  ir::internal_check(f != nullptr, "an expanding op has no function for this type");
  const std::string_view how = called_.contains({op, type}) ? "__noinline__ " : "";
  std::string text = function_text(*f, name, how, *this);  // adds what it calls first
  add(name, value_type(type), std::move(text));
  return name;
}

namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

void collect_words(std::string_view text, std::set<std::string, std::less<>>& words) {
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && is_word(text[end])) ++end;
    if (end > i) words.emplace(text.substr(i, end - i));
    i = end + 1;
  }
}

}  // namespace

std::string Prelude::text(std::string_view body) const {
  std::set<std::string, std::less<>> words;
  collect_words(body, words);
  std::vector<const Definition*> needed;
  for (auto d = definitions_.rbegin(); d != definitions_.rend(); ++d) {
    if (!words.contains(d->name)) continue;
    collect_words(d->text, words);
    needed.push_back(&*d);
  }
  std::string result;
  for (auto d = needed.rbegin(); d != needed.rend(); ++d) result += (*d)->text + '\n';
  return result;
}

bool is_reserved(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break",
      "case", "catch", "char", "class", "compl", "const", "constexpr", "continue", "decltype",
      "default", "delete", "do", "double", "else", "enum", "explicit", "export", "extern", "false",
      "float", "for", "friend", "goto", "if", "inline", "int", "long", "mutable", "namespace",
      "new", "noexcept", "not", "not_eq", "nullptr", "operator", "or", "or_eq", "private",
      "protected", "public", "register", "return", "short", "signed", "sizeof", "static", "struct",
      "switch", "template", "this", "throw", "true", "try", "typedef", "typeid", "typename",
      "union", "unsigned", "using", "virtual", "void", "volatile", "while", "xor", "xor_eq", "asm",
      "typeof", "restrict",
      // built into the compiler or our prelude
      "threadIdx", "blockIdx", "blockDim", "gridDim", "warpSize", "min", "max", "fabs", "fabsf",
      "fma", "fmaf", "sqrt", "sqrtf", "floor", "floorf", "ceil", "ceilf", "trunc", "truncf", "rint",
      "rintf", "vec", "load", "store", "join", "even", "odd", "any", "half", "bfloat16", "to_float",
      "to_half", "to_bfloat16", "round_to_half", "round_to_bfloat16", "narrow", "minimum",
      "maximum", "divide", "remainder", "shift_left", "shift_right", "leading_zeros",
      "trailing_zeros", "bit_count", "multiply_high", "absolute", "infinity_f32", "infinity_f64",
      "nan_f32", "nan_f64", "k"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

bool is_reserved_prefix(std::string_view name) {
  return name.starts_with("wrap_") || name.starts_with("kiln_") || name.starts_with("to_") ||
         name.starts_with("__");
}

}  // namespace kiln::codegen::cuda
