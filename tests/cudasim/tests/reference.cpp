#include "tests/cudasim/tests/reference.h"

#include <cfenv>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

namespace cudasim_tests {
namespace {

struct FloatFormat {
  unsigned bytes;
  int fraction;  // bits
  int exponent;  // bits
};

bool format_of(std::string_view type, FloatFormat& format) {
  if (type == "f16")
    format = {2, 10, 5};
  else if (type == "bf16")
    format = {2, 7, 8};
  else if (type == "f32")
    format = {4, 23, 8};
  else if (type == "f64")
    format = {8, 52, 11};
  else
    return false;
  return true;
}

Quad power_of_two(int exponent) {
  return exponent > 1000 || exponent < -1074 ? static_cast<Quad>(std::ldexp(1.0, exponent / 2)) *
                                                   std::ldexp(1.0, exponent - exponent / 2)
                                             : static_cast<Quad>(std::ldexp(1.0, exponent));
}

Bits ones(unsigned count) { return count >= 64 ? ~Bits{0} : (Bits{1} << count) - 1; }

template <class F>
__attribute__((noinline)) Quad to_odd(F operation) {
  std::fesetround(FE_TOWARDZERO);
  std::feclearexcept(FE_INEXACT);
  volatile Quad result = operation();
  const bool inexact = std::fetestexcept(FE_INEXACT) != 0;
  std::fesetround(FE_TONEAREST);
  Quad value = result;
  if (inexact) {
    unsigned char bytes[16];
    std::memcpy(bytes, &value, 16);
    bytes[0] |= 1;
    std::memcpy(&value, bytes, 16);
  }
  return value;
}

}  // namespace

unsigned size_of(std::string_view type) {
  if (type == "f16x2" || type == "bf16x2" || type == "s16x2" || type == "u16x2") return 4;
  const std::size_t digit = type.find_first_of("0123456789");
  if (digit == std::string_view::npos) return 0;
  return static_cast<unsigned>(std::stoi(std::string(type.substr(digit)))) / 8;
}

bool is_float_type(std::string_view type) {
  FloatFormat format;
  return format_of(type, format);
}

bool is_signed_type(std::string_view type) { return type.front() == 's'; }

bool is_nan(Bits bits, std::string_view type) {
  FloatFormat f;
  if (!format_of(type, f)) return false;
  const Bits size = bits & ones(static_cast<unsigned>(f.fraction + f.exponent));
  return size > ones(static_cast<unsigned>(f.exponent)) << f.fraction;
}

Bits canonical_nan(std::string_view type) {
  FloatFormat f;
  format_of(type, f);
  return ones(static_cast<unsigned>(f.fraction + f.exponent));
}

Quad decode(Bits bits, std::string_view type) {
  FloatFormat f;
  if (!format_of(type, f)) return static_cast<Quad>(decode_int(bits, type));
  const Bits fraction = bits & ones(static_cast<unsigned>(f.fraction));
  const int biased = static_cast<int>(bits >> f.fraction & ones(static_cast<unsigned>(f.exponent)));
  const bool negative = (bits >> (f.fraction + f.exponent) & 1) != 0;
  const int bias = (1 << (f.exponent - 1)) - 1;
  Quad value;
  if (biased == (1 << f.exponent) - 1) {
    value = std::numeric_limits<double>::infinity();
  } else if (biased == 0) {
    value = static_cast<Quad>(fraction) * power_of_two(1 - bias - f.fraction);
  } else {
    value = static_cast<Quad>(fraction | Bits{1} << f.fraction) *
            power_of_two(biased - bias - f.fraction);
  }
  return negative ? -value : value;
}

Int128 decode_int(Bits bits, std::string_view type) {
  const unsigned width = 8 * size_of(type);
  const Bits value = bits & ones(width);
  if (is_signed_type(type) && (value >> (width - 1) & 1) != 0) {
    return static_cast<Int128>(value) - (static_cast<Int128>(1) << width);
  }
  return static_cast<Int128>(value);
}

// Finds the two neighbours among the type's codes by bisection and chooses between them.
Bits encode(Quad value, std::string_view type, Round round) {
  FloatFormat f;
  format_of(type, f);
  if (value != value) return canonical_nan(type);
  const unsigned sign_bit = static_cast<unsigned>(f.fraction + f.exponent);
  const Quad zero = 0;
  const bool negative = value < zero || (value == zero && 1 / static_cast<double>(value) < 0);
  const Quad size = negative ? -value : value;
  const Bits infinity = ones(static_cast<unsigned>(f.exponent)) << f.fraction;
  const Bits sign = negative ? Bits{1} << sign_bit : 0;
  if (size > static_cast<Quad>(std::numeric_limits<double>::max()) * 4) return sign | infinity;
  Bits low = 0;
  Bits high = infinity;
  while (high - low > 1) {
    const Bits middle = low + (high - low) / 2;
    (decode(middle, type) <= size ? low : high) = middle;
  }
  const Quad below = decode(low, type);
  if (below == size) return sign | low;
  // Beyond the largest number its neighbour counts as the next power of two.
  const Quad above =
      high == infinity ? below + (below - decode(low - 1, type)) : decode(high, type);
  bool up = false;
  const Quad middle = below + (above - below) / 2;
  switch (round) {
    case Round::kNearest:
      up = size > middle || (size == middle && (low & 1) != 0);
      break;
    case Round::kZero:
      break;
    case Round::kDown:
      up = negative;
      break;
    case Round::kUp:
      up = !negative;
      break;
  }
  return sign | (up ? high : low);
}

Bits encode_int(Int128 value, std::string_view type) {
  return static_cast<Bits>(value) & ones(8 * size_of(type));
}

Bits flush(Bits bits, std::string_view type) {
  FloatFormat f;
  format_of(type, f);
  if ((bits >> f.fraction & ones(static_cast<unsigned>(f.exponent))) != 0) return bits;
  return bits & Bits{1} << (f.fraction + f.exponent);
}

Quad round_to_integer(Quad value, Round round) {
  const Quad limit = power_of_two(70);
  if (!(value < limit && value > -limit)) return value;
  Quad down = static_cast<Quad>(static_cast<Int128>(value));
  if (down > value) down -= 1;
  Quad result = down;
  if (down != value) {
    const Quad distance = value - down;
    const bool odd = (static_cast<Int128>(down) & 1) != 0;
    const Quad half = 0.5;
    if (round == Round::kUp || (round == Round::kZero && value < 0) ||
        (round == Round::kNearest && (distance > half || (distance == half && odd)))) {
      result = down + 1;
    }
  }
  const Quad zero = 0;
  if (result == zero && (value < zero || 1 / static_cast<double>(value) < 0)) return -zero;
  return result;
}

Quad add_odd(Quad a, Quad b) {
  const Quad exact = a + b;
  if (exact == 0) return exact;  // zeros keep the sign of rounding to nearest
  return to_odd([=] {
    volatile Quad x = a;
    return x + b;
  });
}

Quad divide_odd(Quad a, Quad b) {
  return to_odd([=] {
    volatile Quad x = a;
    return x / b;
  });
}

const std::vector<Bits>& edge_values(std::string_view type) {
  static std::map<std::string, std::vector<Bits>> cache;
  std::vector<Bits>& values = cache[std::string(type)];
  if (!values.empty()) return values;
  FloatFormat f;
  if (type == "pred") {
    values = {0, 1};
  } else if (format_of(type, f)) {
    const unsigned sign_bit = static_cast<unsigned>(f.fraction + f.exponent);
    const Bits infinity = ones(static_cast<unsigned>(f.exponent)) << f.fraction;
    const Bits one = ones(static_cast<unsigned>(f.exponent - 1)) << f.fraction;
    const Bits unit = Bits{1} << f.fraction;
    std::vector<Bits> sizes = {0,
                               1,
                               unit - 1,
                               unit,
                               unit + 1,
                               infinity - 1,
                               infinity,
                               one,
                               one + 1,
                               one - 1,
                               one - unit,
                               one + unit,
                               one + unit + unit / 2,
                               one + unit * 3 + unit / 8 * 5,
                               one - unit * 4 + unit / 4,
                               infinity | 1 | unit / 2};
    const int bias = (1 << (f.exponent - 1)) - 1;
    for (int power : {7, 15, 16, 31, 32, 52, 63, 64}) {
      if (power < bias) sizes.push_back(static_cast<Bits>(power + bias) << f.fraction);
      if (power < bias) sizes.push_back((static_cast<Bits>(power + bias) << f.fraction) - 1);
    }
    for (const Bits size : sizes) {
      values.push_back(size);
      values.push_back(size | Bits{1} << sign_bit);
    }
  } else if (size_of(type) != 0) {
    const unsigned width = 8 * size_of(type);
    values = {0, 1, 2, 3, 5, 31, 32, 33, 63, 64, 65, 100, 0x55, 0x3c00, 0xbc01, 0x7c00};
    values.insert(values.end(),
                  {ones(width), ones(width) - 1, ones(width - 1), Bits{1} << (width - 1),
                   (Bits{1} << (width - 1)) + 1, 0x123456789abcdef0 & ones(width),
                   0xfedcba9876543210 & ones(width), 0x0f1e2d3c4b5a6978 & ones(width),
                   0x80007fff3c00bc01 & ones(width)});
    for (Bits& value : values) value &= ones(width);
  }
  return values;
}

std::vector<std::string> split_form(const std::string& form) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= form.size()) {
    const std::size_t end = std::min(form.find('.', begin), form.size());
    parts.push_back(form.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace cudasim_tests
