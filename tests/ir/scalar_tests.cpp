// Every operation on every type it takes, over all pairs of edge values, against expectations
// written in another way: 128-bit integers, and float64 arithmetic rounded by ldexp and nearbyint.
#include "ir/scalar.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "ir/error.h"
#include "ir/function.h"

namespace kiln::ir {
namespace {

__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;

constexpr DType kReals[] = {DType::bool_,  DType::int8,    DType::int16,    DType::int32,
                            DType::int64,  DType::uint8,   DType::uint16,   DType::uint32,
                            DType::uint64, DType::float16, DType::bfloat16, DType::float32,
                            DType::float64};

int width(DType t) { return static_cast<int>(8 * size_of(t)); }
std::uint64_t all_bits(DType t) { return ~std::uint64_t{0} >> (64 - width(t)); }

Int128 int_value(DType t, std::uint64_t bits) {
  const bool negative = is_signed_int(t) && (bits >> (width(t) - 1) & 1);
  return static_cast<Int128>(bits) - (negative ? static_cast<Int128>(1) << width(t) : 0);
}
std::uint64_t wrap(DType t, Int128 value) {
  return static_cast<std::uint64_t>(value) & all_bits(t);
}

struct Format {
  int mantissa, bias;
};
Format format(DType t) {
  switch (t) {
    case DType::float16:
      return {10, 15};
    case DType::bfloat16:
      return {7, 127};
    case DType::float32:
      return {23, 127};
    default:
      return {52, 1023};
  }
}

// The value of a float's bits, by its definition.
double decode(DType t, std::uint64_t bits) {
  const Format f = format(t);
  const int top = 2 * f.bias + 1;
  const std::uint64_t mantissa = bits & ((std::uint64_t{1} << f.mantissa) - 1);
  const int exponent = static_cast<int>(bits >> f.mantissa) & top;
  const double sign = bits >> (width(t) - 1) & 1 ? -1 : 1;
  if (exponent == top) return mantissa ? std::nan("") : sign * HUGE_VAL;
  const double significand =
      std::ldexp(static_cast<double>(mantissa), -f.mantissa) + (exponent != 0);
  return sign * std::ldexp(significand, (exponent == 0 ? 1 : exponent) - f.bias);
}

// The nearest float's bits, ties to even, by scaling to integers.
std::uint64_t encode(DType t, double x) {
  if (t == DType::float64) return std::bit_cast<std::uint64_t>(x);
  const Format f = format(t);
  const std::uint64_t infinity = (2u * static_cast<unsigned>(f.bias) + 1) << f.mantissa;
  const std::uint64_t sign = std::signbit(x) ? std::uint64_t{1} << (width(t) - 1) : 0;
  if (std::isnan(x)) return infinity | std::uint64_t{1} << (f.mantissa - 1);
  if (std::isinf(x)) return sign | infinity;
  const double magnitude = std::fabs(x);
  if (magnitude == 0) return sign;
  const int exponent = std::max(std::ilogb(magnitude), 1 - f.bias);
  const double units = std::nearbyint(std::ldexp(magnitude, f.mantissa - exponent));
  // Counting representable magnitudes from zero gives the bits; a carry moves to the next exponent.
  const std::uint64_t steps = static_cast<std::uint64_t>(exponent + f.bias - 1) << f.mantissa;
  return sign | std::min<std::uint64_t>(steps + static_cast<std::uint64_t>(units), infinity);
}

bool is_nan(DType t, std::uint64_t bits) { return is_float(t) && std::isnan(decode(t, bits)); }
bool same(DType t, std::uint64_t a, std::uint64_t b) {
  return a == b || (is_nan(t, a) && is_nan(t, b));
}

std::vector<std::uint64_t> edge_values(DType t, std::size_t random) {
  std::vector<std::uint64_t> values;
  if (is_bool(t)) return {0, 1};
  if (is_int(t)) {
    const std::uint64_t top = std::uint64_t{1} << (width(t) - 1);
    for (const std::uint64_t base : {std::uint64_t{0}, top}) {
      for (int d = -3; d <= 3; ++d)
        values.push_back((base + static_cast<std::uint64_t>(d)) & all_bits(t));
    }
    for (const int v : {7, width(t) - 1, width(t), width(t) + 1, 0x55, -7, -100}) {
      values.push_back(wrap(t, v));
    }
  } else {
    const Format f = format(t);
    const std::uint64_t sign = std::uint64_t{1} << (width(t) - 1);
    const std::uint64_t one = static_cast<std::uint64_t>(f.bias) << f.mantissa;
    const std::uint64_t infinity = (2 * static_cast<std::uint64_t>(f.bias) + 1) << f.mantissa;
    const std::uint64_t normal = std::uint64_t{1} << f.mantissa;
    for (const std::uint64_t v : {std::uint64_t{0},
                                  std::uint64_t{1},
                                  normal - 1,
                                  normal,
                                  normal + 1,
                                  one - 1,
                                  one,
                                  one + 1,
                                  infinity - 1,
                                  infinity,
                                  infinity | normal >> 1,
                                  encode(t, 0.5),
                                  encode(t, 1.5),
                                  encode(t, 2.5),
                                  encode(t, 3),
                                  encode(t, 126.75),
                                  encode(t, 127.5),
                                  encode(t, 255.5),
                                  encode(t, 32768),
                                  encode(t, 2147483648.0),
                                  encode(t, 4294967296.0),
                                  encode(t, 9223372036854775808.0),
                                  encode(t, 18446744073709551616.0),
                                  encode(t, std::ldexp(1, f.mantissa) - 0.5)}) {
      values.push_back(v);
      values.push_back(v | sign);
    }
  }
  std::mt19937_64 engine(static_cast<unsigned>(t) + 1u);
  for (std::size_t i = 0; i < random; ++i) values.push_back(engine() & all_bits(t));
  return values;
}

std::uint64_t expect_int(Op op, DType t, std::uint64_t x, std::uint64_t y) {
  const Int128 a = int_value(t, x), b = int_value(t, y);
  const int w = width(t);
  const int set = std::popcount(x);
  switch (op) {
    case Op::add:
      return wrap(t, a + b);
    case Op::sub:
      return wrap(t, a - b);
    case Op::mul:
      return wrap(t, static_cast<Int128>(static_cast<Uint128>(a) * static_cast<Uint128>(b)));
    case Op::idiv:
      return b == 0 ? 0 : wrap(t, a / b);
    case Op::irem:
      return b == 0 ? 0 : wrap(t, a % b);
    case Op::mul_hi:
      return is_signed_int(t) ? wrap(t, (a * b) >> w)
                              : wrap(t, static_cast<Int128>((static_cast<Uint128>(x) * y) >> w));
    case Op::neg:
      return wrap(t, -a);
    case Op::abs:
      return wrap(t, a < 0 ? -a : a);
    case Op::min:
      return a < b ? x : y;
    case Op::max:
      return a > b ? x : y;
    case Op::and_:
      return x & y;
    case Op::or_:
      return x | y;
    case Op::xor_:
      return x ^ y;
    case Op::not_:
      return x ^ (is_bool(t) ? 1 : all_bits(t));
    case Op::shl:
      return y >= static_cast<std::uint64_t>(w)
                 ? 0
                 : wrap(t, static_cast<Int128>(static_cast<Uint128>(x) << y));
    case Op::shr:
      return wrap(t, a >> std::min<std::uint64_t>(y, 100));
    case Op::clz: {
      int n = 0;
      while (n < w && !(x >> (w - 1 - n) & 1)) ++n;
      return static_cast<std::uint64_t>(n);
    }
    case Op::ctz: {
      int n = 0;
      while (n < w && !(x >> n & 1)) ++n;
      return static_cast<std::uint64_t>(n);
    }
    case Op::popcount:
      return static_cast<std::uint64_t>(set);
    default:
      ADD_FAILURE() << "no expectation for " << info(op).name;
      return 0;
  }
}

double expect_double(Op op, double a, double b) {
  switch (op) {
    case Op::add:
      return a + b;
    case Op::sub:
      return a - b;
    case Op::mul:
      return a * b;
    case Op::div:
      return a / b;
    case Op::min:
    case Op::max: {
      if (std::isnan(a) || std::isnan(b)) return std::nan("");
      // Signed zeros in their order: the sign decides between equal values.
      const bool a_first = a < b || (a == b && std::signbit(a));
      return a_first == (op == Op::min) ? a : b;
    }
    case Op::sqrt:
      return std::sqrt(a);
    case Op::floor:
      return std::floor(a);
    case Op::ceil:
      return std::ceil(a);
    case Op::trunc:
      return std::trunc(a);
    case Op::rint:
      return std::nearbyint(a);
    default:
      ADD_FAILURE() << "no expectation for " << info(op).name;
      return 0;
  }
}

std::uint64_t expect_float(Op op, DType t, std::uint64_t x, std::uint64_t y, std::uint64_t z) {
  const std::uint64_t sign = std::uint64_t{1} << (width(t) - 1);
  if (op == Op::neg) return x ^ sign;
  if (op == Op::abs) return x & ~sign;
  const double a = decode(t, x), b = decode(t, y), c = decode(t, z);
  if (op == Op::fma) {
    if (t == DType::float64) return encode(t, std::fma(a, b, c));
    return encode(t, static_cast<double>(std::fma(static_cast<float>(a), static_cast<float>(b),
                                                  static_cast<float>(c))));
  }
  const double exact = expect_double(op, a, b);
  // float64 has more than twice the digits of float32, so rounding twice is rounding once.
  return encode(t, t == DType::float64 ? exact : static_cast<double>(static_cast<float>(exact)));
}

std::uint64_t expect_compare(Op op, DType t, std::uint64_t x, std::uint64_t y) {
  const auto compare = [op](auto a, auto b) {
    switch (op) {
      case Op::eq:
        return a == b;
      case Op::ne:
        return a != b;
      case Op::lt:
        return a < b;
      default:
        return a <= b;
    }
  };
  return is_float(t) ? compare(decode(t, x), decode(t, y))
                     : compare(int_value(t, x), int_value(t, y));
}

std::uint64_t expect_cast(DType from, DType to, std::uint64_t x) {
  if (from == to) return x;
  if (!is_float(from)) {
    const Int128 value = int_value(from, x);
    if (is_bool(to)) return value != 0;
    if (is_int(to)) return wrap(to, value);
    if (to == DType::float64) return encode(to, static_cast<double>(value));
    // 64-bit integers to float32: once, from the integer. To 16 bits: by way of float32.
    return encode(to, static_cast<double>(static_cast<float>(value)));
  }
  const double value = decode(from, x);
  if (is_bool(to)) return !(value == 0);
  if (is_float(to)) return encode(to, value);
  if (std::isnan(value)) return 0;
  const Int128 least = is_signed_int(to) ? -(static_cast<Int128>(1) << (width(to) - 1)) : 0;
  const Int128 most = (static_cast<Int128>(1) << (width(to) - is_signed_int(to))) - 1;
  if (value <= static_cast<double>(least)) return wrap(to, least);
  if (value >= static_cast<double>(most)) return wrap(to, most);
  return wrap(to, static_cast<Int128>(value));
}

std::uint64_t expected(Op op, DType t, DType result, const std::uint64_t* in) {
  switch (info(op).rule) {
    case OpRule::Compare:
      return expect_compare(op, t, in[0], in[1]);
    case OpRule::Choose:
      return in[0] ? in[1] : in[2];
    case OpRule::Convert:
      return op == Op::bitcast ? in[0] : expect_cast(t, result, in[0]);
    default:
      return is_float(t) ? expect_float(op, t, in[0], in[1], in[2])
                         : expect_int(op, t, in[0], in[1]);
  }
}

std::vector<std::byte> pack(DType t, const std::vector<std::uint64_t>& values) {
  const std::size_t bytes = static_cast<std::size_t>(size_of(t));
  std::vector<std::byte> out(values.size() * bytes);
  for (std::size_t i = 0; i < values.size(); ++i) std::memcpy(&out[i * bytes], &values[i], bytes);
  return out;
}
std::uint64_t unpack(DType t, const std::vector<std::byte>& array, std::size_t i) {
  std::uint64_t bits = 0;
  const std::size_t bytes = static_cast<std::size_t>(size_of(t));
  std::memcpy(&bits, &array[i * bytes], bytes);
  return bits;
}

// All combinations of the operands' edge values in one array.
void check(Op op, DType t, DType result) {
  SCOPED_TRACE(std::string(info(op).name) + " " + std::string(brief(t)) + " -> " +
               std::string(brief(result)));
  const std::size_t arity = info(op).arity;
  DType types[3] = {t, t, t};
  if (op == Op::select) types[0] = DType::bool_;
  const std::vector<std::uint64_t> edges = edge_values(t, arity == 3 ? 2 : 30);
  std::vector<std::uint64_t> operand[3];
  const std::vector<std::uint64_t> first = op == Op::select ? edge_values(DType::bool_, 0) : edges;
  for (const std::uint64_t a : first) {
    for (std::size_t j = 0; j < (arity > 1 ? edges.size() : 1); ++j) {
      for (std::size_t k = 0; k < (arity > 2 ? edges.size() : 1); ++k) {
        operand[0].push_back(a);
        operand[1].push_back(edges[j]);
        operand[2].push_back(edges[k]);
      }
    }
  }
  std::vector<std::byte> arrays[3];
  const void* in[3] = {};
  for (std::size_t i = 0; i < arity; ++i) {
    arrays[i] = pack(types[i], operand[i]);
    in[i] = arrays[i].data();
  }
  const std::size_t n = operand[0].size();
  std::vector<std::byte> out(n * static_cast<std::size_t>(size_of(result)));
  evaluate(op, t, result, static_cast<std::int64_t>(n), in, out.data());
  int failures = 0;
  for (std::size_t i = 0; i < n && failures < 5; ++i) {
    const std::uint64_t args[3] = {operand[0][i], operand[1][i], operand[2][i]};
    const std::uint64_t want = expected(op, t, result, args), got = unpack(result, out, i);
    if (same(result, want, got)) continue;
    ++failures;
    ADD_FAILURE() << std::hex << args[0] << ", " << args[1] << ", " << args[2] << ": " << got
                  << ", expected " << want;
  }
  if (size_of(types[0]) == size_of(result)) {  // the same again in place
    evaluate(op, t, result, static_cast<std::int64_t>(n), in, arrays[0].data());
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_TRUE(same(result, unpack(result, arrays[0], i), unpack(result, out, i))) << i;
    }
  }
}

TEST(Scalar, EveryOperationOnEveryType) {
  int checked = 0;
  for (int o = 0; o < kOpCount; ++o) {
    const Op op = static_cast<Op>(o);
    if (has(op, kExpands)) continue;
    for (const DType t : kReals) {
      for (const DType result : kReals) {
        std::vector<DType> types(info(op).arity, t);
        if (op == Op::select) types[0] = DType::bool_;
        if (!type_error(op, types, result).empty()) continue;
        check(op, t, result);
        ++checked;
      }
    }
  }
  // Arith, Float, Int, Bits, Compare, select, cast, and bitcast by width.
  EXPECT_EQ(checked, 7 * 12 + 7 * 4 + 8 * 8 + 4 * 9 + 4 * 13 + 13 + 13 * 13 + 4 + 16 + 9 + 9);
}

TEST(Scalar, SixteenBitConversionsAreExactAndNearest) {
  for (const DType t : {DType::float16, DType::bfloat16}) {
    const auto narrow = [t](double x) {
      return t == DType::float16 ? double_to_half(x) : double_to_bfloat(x);
    };
    const auto narrow_float = [t](float x) {
      return t == DType::float16 ? float_to_half(x) : float_to_bfloat(x);
    };
    for (std::uint64_t bits = 0; bits < 0x10000; ++bits) {
      const auto half = static_cast<std::uint16_t>(bits);
      const float wide = t == DType::float16 ? half_to_float(half) : bfloat_to_float(half);
      const double value = decode(t, bits);
      if (std::isnan(value)) {
        ASSERT_TRUE(std::isnan(wide));
        ASSERT_EQ(narrow(value), t == DType::float16 ? 0x7e00 : 0x7fc0);
        continue;
      }
      ASSERT_EQ(std::bit_cast<std::uint32_t>(wide),
                std::bit_cast<std::uint32_t>(static_cast<float>(value)));
      ASSERT_EQ(narrow(value), bits);
      ASSERT_EQ(narrow_float(wide), bits);
      // The middle to the next value goes to the even one, its neighbours to either side.
      const double next = decode(t, bits + 1);
      if ((bits & 0x7fff) == 0x7fff || std::isnan(next) || std::isinf(value)) continue;
      const double limit = std::copysign(t == DType::float16 ? 65536.0 : 0x1p128, value);
      const double middle = (value + (std::isinf(next) ? limit : next)) / 2;
      const std::uint64_t even = bits + (bits & 1);
      ASSERT_EQ(narrow(middle), even);
      ASSERT_EQ(narrow(std::nextafter(middle, value)), bits);
      ASSERT_EQ(narrow(std::nextafter(middle, 2 * limit)), bits + 1);
      const float middle_float = static_cast<float>(middle);
      if (static_cast<double>(middle_float) != middle) continue;
      ASSERT_EQ(narrow_float(middle_float), even);
      ASSERT_EQ(narrow_float(std::nextafterf(middle_float, static_cast<float>(value))), bits);
    }
  }
}

TEST(Scalar, KeepsDenormalsAndRoundingWhateverTheCallersState) {
#if defined(__x86_64__)
  const unsigned saved = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(0x1f80 | 0x8040 | 0x6000);  // flush, denormals are zero, round toward zero
#endif
  const float tiny[] = {0x1p-149f}, third[] = {3.0f}, one[] = {1.0f};
  float product[1], quotient[1];
  const void* a[] = {tiny, one};
  evaluate(Op::mul, DType::float32, DType::float32, 1, a, product);
  const void* b[] = {one, third};
  evaluate(Op::div, DType::float32, DType::float32, 1, b, quotient);
#if defined(__x86_64__)
  const unsigned after = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(saved);
  EXPECT_EQ(after & 0xe040u, 0xe040u);
#endif
  EXPECT_EQ(std::bit_cast<std::uint32_t>(product[0]), 1u);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(quotient[0]), 0x3eaaaaabu);
}

TEST(Scalar, FmaRoundsOnce) {
  // 1 + 2^-12 squared is 1 + 2^-11 + 2^-24: two roundings lose the last term.
  const std::uint64_t x = bits_of(DType::float32, 1 + 0x1p-12);
  const std::uint64_t c = bits_of(DType::float32, -(1 + 0x1p-11));
  const std::uint64_t in[] = {x, x, c};
  EXPECT_EQ(to_double(DType::float32, evaluate_bits(Op::fma, DType::float32, DType::float32, in)),
            0x1p-24);
}

TEST(Scalar, Literals) {
  EXPECT_EQ(bits_of(DType::float16, 1.0), 0x3c00u);
  EXPECT_EQ(bits_of(DType::int32, 2.5), 2u);
  EXPECT_EQ(bits_of(DType::int32, 3.5), 4u);
  EXPECT_EQ(bits_of(DType::uint8, -4), 0u);
  EXPECT_EQ(bits_of_int(DType::uint8, -4), 252u);
  EXPECT_EQ(bits_of_int(DType::bool_, 8), 1u);
  EXPECT_EQ(bits_of(DType::bool_, std::nan("")), 1u);
  EXPECT_EQ(to_double(DType::int8, 0x80), -128.0);
  EXPECT_EQ(to_double(DType::bfloat16, 0xc000), -2.0);
}

TEST(Op, EveryRowHasWhatItNeeds) {
  for (int o = 0; o < kOpCount; ++o) {
    const Op op = static_cast<Op>(o);
    const OpInfo& row = info(op);
    SCOPED_TRACE(row.name);
    EXPECT_EQ(op_from_name(row.name), op);
    EXPECT_FALSE(row.name.ends_with('_'));
    EXPECT_GE(row.arity, 1);
    EXPECT_LE(row.arity, 3);
    EXPECT_TRUE(row.infix.empty() || row.arity == 2);
    EXPECT_TRUE(!has(op, kCommutes) || row.arity == 2);
    for (const DType t : {DType::float32, DType::float64}) {
      EXPECT_EQ(expansion(op, t) != nullptr, has(op, kExpands));
    }
    EXPECT_EQ(expansion(op, DType::float16), nullptr);
    if (!has(op, kCommutes)) continue;
    // Commuting operations commute, bit by bit.
    for (const DType t : kReals) {
      const DType types[2] = {t, t};
      const DType result = row.rule == OpRule::Compare ? DType::bool_ : t;
      if (!type_error(op, types, result).empty()) continue;
      for (const std::uint64_t a : edge_values(t, 4)) {
        for (const std::uint64_t b : edge_values(t, 4)) {
          const std::uint64_t ab[] = {a, b}, ba[] = {b, a};
          ASSERT_TRUE(
              same(result, evaluate_bits(op, t, result, ab), evaluate_bits(op, t, result, ba)));
        }
      }
    }
  }
  EXPECT_EQ(op_from_name("and"), Op::and_);
  EXPECT_FALSE(op_from_name("and_"));
  EXPECT_FALSE(op_from_name(""));
}

}  // namespace
}  // namespace kiln::ir
