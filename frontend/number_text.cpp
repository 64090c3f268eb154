#include "frontend/number_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "ir/mutant.h"
#include "ir/scalar.h"

namespace kiln::inline v0::frontend {

namespace {

constexpr int kPrecision = 8;

std::uint64_t bits_at(ir::DType t, const std::byte* data, std::size_t i) {
  std::uint64_t bits = 0;
  const auto size = static_cast<std::size_t>(ir::size_of(t));
  std::memcpy(&bits, data + i * size, size);
  return bits;
}

// The shortest decimal that reads back as the same element: d.ddd...e±xx.
std::string shortest(ir::DType t, std::uint64_t bits) {
  char text[64];
  const double value = ir::to_double(t, bits);
  if (t == ir::DType::float64) {
    return {text,
            std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr};
  }
  if (t == ir::DType::float32) {
    const auto single = static_cast<float>(value);
    return {text,
            std::to_chars(text, text + sizeof text, single, std::chars_format::scientific).ptr};
  }
  for (int digits = 0;; ++digits) {
    std::snprintf(text, sizeof text, "%.*e", digits, value);
    if (digits == 12 || ir::bits_of(t, std::strtod(text, nullptr)) == bits) return text;
  }
}

// A value's own digits, as many after the point as asked for.
std::string decimal(double value, std::chars_format format, std::size_t digits) {
  char text[400];
  const int precision = static_cast<int>(digits);
  return {text, std::to_chars(text, text + sizeof text, value, format, precision).ptr};
}

struct Parts {
  std::string whole, fraction;  // "-12", "5"
  int exponent = 0;
};

Parts split(const std::string& text, bool zeros = false) {
  Parts p;
  const std::size_t e = text.find('e');
  const std::string mantissa = text.substr(0, e);
  if (e != std::string::npos) p.exponent = std::atoi(text.c_str() + e + 1);
  const std::size_t point = mantissa.find('.');
  p.whole = mantissa.substr(0, point);
  const std::size_t skip = mutant(ir::Mutant::printed_digit) ? 2 : 1;
  if (point != std::string::npos) p.fraction = mantissa.substr(point + skip);
  while (!zeros && !p.fraction.empty() && p.fraction.back() == '0') p.fraction.pop_back();
  return p;
}

// To the last of the shortest digits after the point; what is before it is written in full.
Parts positional(ir::DType t, std::uint64_t bits) {
  const Parts p = split(shortest(t, bits));
  const int digits = std::clamp(static_cast<int>(p.fraction.size()) - p.exponent, 0, kPrecision);
  return split(
      decimal(ir::to_double(t, bits), std::chars_format::fixed, static_cast<std::size_t>(digits)));
}

Parts scientific(ir::DType t, std::uint64_t bits) {
  const std::size_t digits = split(shortest(t, bits)).fraction.size();
  return split(decimal(ir::to_double(t, bits), std::chars_format::scientific,
                       std::min<std::size_t>(digits, kPrecision)));
}

// The shortest digits without an exponent: zeros stand for those that tell nothing.
std::string plain(const Parts& p) {
  std::string digits = p.whole + p.fraction;
  const bool negative = digits[0] == '-';
  if (negative) digits.erase(0, 1);
  const int point = 1 + p.exponent;  // digits before the point
  if (point <= 0) digits.insert(0, static_cast<std::size_t>(1 - point), '0');
  const auto whole = static_cast<std::size_t>(std::max(point, 1));
  if (digits.size() < whole) digits.append(whole - digits.size(), '0');
  const std::string fraction = digits.substr(whole);
  return (negative ? "-" : "") + digits.substr(0, whole) + "." +
         (fraction.empty() ? "0" : fraction);
}

std::string exponent_text(int exponent, std::size_t digits) {
  const std::string number = std::to_string(std::abs(exponent));
  return (exponent < 0 ? "e-" : "e+") + std::string(digits - std::min(digits, number.size()), '0') +
         number;
}

std::vector<std::string> float_texts(ir::DType t, const std::byte* data, std::size_t count) {
  double largest = 0, least = HUGE_VAL;
  bool negative_infinity = false, nonfinite = false;
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i) {
    const double x = ir::to_double(t, bits_at(t, data, i));
    values.push_back(x);
    if (std::isfinite(x) && x != 0) {
      largest = std::max(largest, std::abs(x));
      least = std::min(least, std::abs(x));
    }
    nonfinite = nonfinite || !std::isfinite(x);
    negative_infinity = negative_infinity || x == -HUGE_VAL;
  }
  const auto in_type = [t](double x) { return ir::to_double(t, ir::bits_of(t, x)); };
  const bool exponential =
      largest > 0 && (largest >= 1e8 || least < in_type(1e-4) || in_type(largest / least) > 1000);
  std::vector<Parts> parts(count);
  std::size_t left = 0, right = 0, exponent_digits = 2;
  for (std::size_t i = 0; i < count; ++i) {
    if (!std::isfinite(values[i])) continue;
    const std::uint64_t bits = bits_at(t, data, i);
    parts[i] = exponential ? scientific(t, bits) : positional(t, bits);
    left = std::max(left, parts[i].whole.size());
    right = std::max(right, parts[i].fraction.size());
    exponent_digits = std::max(exponent_digits, std::to_string(std::abs(parts[i].exponent)).size());
  }
  const std::size_t tail = right + (exponential ? exponent_digits + 2 : 0);
  if (nonfinite) {
    const std::size_t widest = negative_infinity ? 4 : 3;
    if (left + tail + 1 < widest) left = widest - tail - 1;
  }
  std::vector<std::string> result;
  for (std::size_t i = 0; i < count; ++i) {
    std::string text;
    if (!std::isfinite(values[i])) {
      text = std::isnan(values[i]) ? "nan" : values[i] < 0 ? "-inf" : "inf";
      result.push_back(std::string(left + tail + 1 - text.size(), ' ') + text);
      continue;
    }
    if (exponential)  // the value's digits, where others need more than it does
      parts[i] = split(decimal(values[i], std::chars_format::scientific, right), true);
    const Parts& p = parts[i];
    text = std::string(left - p.whole.size(), ' ') + p.whole + "." + p.fraction;
    text.append(right - p.fraction.size(), ' ');
    if (exponential) text += exponent_text(p.exponent, exponent_digits);
    result.push_back(std::move(text));
  }
  return result;
}

std::string integer_text(ir::DType t, std::uint64_t bits) {
  if (ir::is_signed_int(t)) {
    const int unused = static_cast<int>(64 - 8 * ir::size_of(t));
    return std::to_string(static_cast<std::int64_t>(bits << unused) >> unused);
  }
  return std::to_string(bits);
}

}  // namespace

std::vector<std::string> aligned_texts(ir::DType t, const std::byte* data, std::size_t count) {
  if (ir::is_float(t)) return float_texts(t, data, count);
  std::vector<std::string> result;
  std::size_t width = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t bits = bits_at(t, data, i);
    result.push_back(ir::is_bool(t) ? (bits != 0 ? " True" : "False") : integer_text(t, bits));
    width = std::max(width, result.back().size());
  }
  for (std::string& text : result) text.insert(0, width - text.size(), ' ');
  return result;
}

std::string number_text(ir::DType t, const std::byte* data) {
  const std::uint64_t bits = bits_at(t, data, 0);
  if (ir::is_bool(t)) return bits != 0 ? "True" : "False";
  if (!ir::is_float(t)) return integer_text(t, bits);
  const double x = ir::to_double(t, bits);
  if (std::isnan(x)) return "nan";
  if (std::isinf(x)) return x < 0 ? "-inf" : "inf";
  const double size = std::abs(x);
  if (size != 0 && (size < 1e-4 || size >= 1e16)) {
    const Parts p = split(shortest(t, bits));
    return p.whole + (p.fraction.empty() ? "" : "." + p.fraction) + exponent_text(p.exponent, 2);
  }
  return plain(split(shortest(t, bits)));
}

}  // namespace kiln::inline v0::frontend
