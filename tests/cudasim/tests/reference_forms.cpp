// The meaning of each arithmetic form, from its name.

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include "tests/cudasim/tests/reference.h"

namespace cudasim_tests {
namespace {

bool has(const std::vector<std::string>& parts, std::string_view name) {
  return std::find(parts.begin(), parts.end(), name) != parts.end();
}

Round rounding_of(const std::vector<std::string>& parts) {
  if (has(parts, "rz") || has(parts, "rzi")) return Round::kZero;
  if (has(parts, "rm") || has(parts, "rmi")) return Round::kDown;
  if (has(parts, "rp") || has(parts, "rpi")) return Round::kUp;
  return Round::kNearest;
}

std::string as_wide(const std::string& type) {
  return type.substr(0, 1) + std::to_string(16 * size_of(type));
}

const std::map<std::string, int>& approximate_units() {
  static const std::map<std::string, int> units = {{"ex2", 1}, {"lg2", 1},  {"sin", 1},
                                                   {"cos", 1}, {"tanh", 1}, {"rsqrt", 1}};
  return units;
}

// Operand count of the opcodes whose operands all have the form's type.
int plain_operands(const std::string& base) {
  static const std::map<std::string, int> counts = {
      {"add", 2},  {"sub", 2}, {"mul", 2}, {"div", 2},  {"rem", 2},      {"min", 2},  {"max", 2},
      {"fma", 3},  {"mad", 3}, {"abs", 1}, {"neg", 1},  {"sad", 3},      {"and", 2},  {"or", 2},
      {"xor", 2},  {"not", 1}, {"rcp", 1}, {"sqrt", 1}, {"copysign", 2}, {"mov", 1},  {"brev", 1},
      {"prmt", 3}, {"ex2", 1}, {"lg2", 1}, {"sin", 1},  {"cos", 1},      {"tanh", 1}, {"rsqrt", 1}};
  const auto found = counts.find(base);
  return found == counts.end() ? 0 : found->second;
}

Bits compare_bits(const std::vector<std::string>& parts, Bits a, Bits b, const std::string& type) {
  const std::string& name = parts[1];
  if (has(parts, "ftz")) {
    a = flush(a, type);
    b = flush(b, type);
  }
  const bool nan = is_nan(a, type) || is_nan(b, type);
  if (name == "nan") return nan;
  if (name == "num") return !nan;
  const bool unordered = name.size() == 3;
  if (nan) return unordered;
  const Quad x = decode(a, type);
  const Quad y = decode(b, type);
  const std::string plain = name.substr(0, 2);
  if (plain == "eq") return x == y;
  if (plain == "ne") return x != y;
  if (plain == "lt") return x < y;
  if (plain == "le") return x <= y;
  if (plain == "gt") return x > y;
  return x >= y;
}

Bits evaluate_int(const std::vector<std::string>& parts, const std::string& type,
                  const std::vector<Bits>& in) {
  const std::string& base = parts[0];
  const Int128 a = decode_int(in[0], type);
  const Int128 b = in.size() > 1 ? decode_int(in[1], type) : 0;
  const unsigned width = 8 * size_of(type);
  const auto give = [&](Int128 value) { return encode_int(value, type); };
  if (base == "add") return give(a + b);
  if (base == "sub") return give(a - b);
  if (base == "mul" || base == "mad") {
    // The product of two 64-bit unsigned numbers needs all 128 bits.
    __extension__ using UInt128 = unsigned __int128;
    const UInt128 product = static_cast<UInt128>(a) * static_cast<UInt128>(b);
    Int128 part = static_cast<Int128>(product);
    std::string to = type;
    if (has(parts, "hi")) {
      part = is_signed_type(type) ? static_cast<Int128>(product) >> width
                                  : static_cast<Int128>(product >> width);
    }
    if (has(parts, "wide")) to = as_wide(type);
    if (base == "mad") part += decode_int(in[2], to);
    return encode_int(part, to);
  }
  if (base == "div") return b == 0 ? encode_int(-1, type) : give(a / b);
  if (base == "rem") return b == 0 ? give(a) : give(a % b);
  if (base == "min") return give(std::min(a, b));
  if (base == "max") return give(std::max(a, b));
  if (base == "abs") return give(a < 0 ? -a : a);
  if (base == "neg") return give(-a);
  if (base == "sad") return give((a < b ? b - a : a - b) + decode_int(in[2], type));
  if (base == "and") return in[0] & in[1];
  if (base == "or") return in[0] | in[1];
  if (base == "xor") return in[0] ^ in[1];
  if (base == "not") return type == "pred" ? in[0] ^ 1 : give(-1 - a);
  if (base == "mov") return in[0];
  if (base == "shl") return in[1] >= width ? 0 : give(a << in[1]);
  if (base == "shr") {
    const Bits most = is_signed_type(type) ? width - 1 : width;
    return in[1] >= width ? give(most == width ? 0 : a >> most) : give(a >> in[1]);
  }
  if (base == "brev") {
    Bits result = 0;
    for (unsigned i = 0; i < width; ++i) result |= (in[0] >> i & 1) << (width - 1 - i);
    return result;
  }
  if (base == "popc" || base == "clz") {
    Bits count = 0;
    for (unsigned i = 0; i < width; ++i) {
      const bool set = (in[0] >> (width - 1 - i) & 1) != 0;
      if (base == "clz" && set) break;
      count += base == "clz" || set ? 1 : 0;
    }
    return count;
  }
  return 0;
}

Bits evaluate_bitfield(const std::vector<std::string>& parts, const std::string& type,
                       const std::vector<Bits>& in) {
  const std::string& base = parts[0];
  const unsigned width = 8 * size_of(type);
  const auto bit = [&](Bits value, Bits at) { return value >> at & 1; };
  Bits result = 0;
  if (base == "bfe") {
    const Bits position = in[1] & 255;
    const Bits length = in[2] & 255;
    const Bits last = std::min<Bits>(position + length - 1, width - 1);
    const Bits sign = is_signed_type(type) && length > 0 ? bit(in[0], last) : 0;
    for (Bits i = 0; i < width; ++i) {
      const bool inside = i < length && position + i < width;
      result |= (inside ? bit(in[0], position + i) : sign) << i;
    }
    return result;
  }
  if (base == "bfi") {
    const Bits position = in[2] & 255;
    const Bits length = in[3] & 255;
    for (Bits i = 0; i < width; ++i) {
      const bool inside = i >= position && i < position + length;
      result |= (inside ? bit(in[0], i - position) : bit(in[1], i)) << i;
    }
    return result;
  }
  if (base == "bfind") {
    const Bits flip = is_signed_type(type) && bit(in[0], width - 1) != 0 ? ~Bits{0} : 0;
    for (unsigned i = width; i-- > 0;) {
      if (bit(in[0] ^ flip, i) != 0) return has(parts, "shiftamt") ? width - 1 - i : i;
    }
    return 0xffffffffu;
  }
  if (base == "prmt") {
    for (unsigned i = 0; i < 4; ++i) {
      const Bits nibble = in[2] >> (4 * i) & 15;
      const Bits source = (nibble & 4) != 0 ? in[1] : in[0];
      Bits byte = source >> (8 * (nibble & 3)) & 255;
      if ((nibble & 8) != 0) byte = byte >= 128 ? 255 : 0;
      result |= byte << (8 * i);
    }
    return result;
  }
  if (base == "shf") {
    const Bits amount = in[2] & 31;
    for (unsigned i = 0; i < 32; ++i) {
      const unsigned from = i + 32 - static_cast<unsigned>(amount);  // of the 64 bits b:a, shl
      result |= (from < 32 ? bit(in[0], from) : bit(in[1], from - 32)) << i;
    }
    return result;
  }
  // dp4a.s32.s32
  Int128 sum = decode_int(in[2], "s32");
  for (unsigned i = 0; i < 4; ++i) {
    sum += decode_int(in[0] >> (8 * i), "s8") * decode_int(in[1] >> (8 * i), "s8");
  }
  return encode_int(sum, "s32");
}

double approximate(const std::string& base, double x) {
  if (base == "ex2") return std::exp2(x);
  if (base == "lg2") return std::log2(x);
  if (base == "sin") return std::sin(x);
  if (base == "cos") return std::cos(x);
  if (base == "tanh") return std::tanh(x);
  if (base == "rsqrt") return 1 / std::sqrt(x);
  if (base == "sqrt") return std::sqrt(x);
  return 1 / x;
}

Bits finish(Quad value, const std::string& type, const std::vector<std::string>& parts) {
  const Bits bits = encode(value, type, rounding_of(parts));
  return has(parts, "ftz") && size_of(type) >= 4 ? flush(bits, type) : bits;
}

bool is_positive_zero(Quad x) { return x == 0 && 1 / static_cast<double>(x) > 0; }

// Rounding down, a sum that cancels is -0; only +0 and +0 make +0.
Quad sum(Quad a, Quad b, const std::vector<std::string>& parts) {
  const Quad total = add_odd(a, b);
  const bool down = rounding_of(parts) == Round::kDown;
  if (total == 0 && down && !(is_positive_zero(a) && is_positive_zero(b))) return -Quad{0};
  return total;
}

Bits evaluate_minmax(bool min, const std::string& type, Bits a, Bits b) {
  if (is_nan(a, type)) return is_nan(b, type) ? canonical_nan(type) : b;
  if (is_nan(b, type)) return a;
  const Quad x = decode(a, type);
  const Quad y = decode(b, type);
  const Bits sign = Bits{1} << (8 * size_of(type) - 1);
  if (x == y) return min ? ((a & sign) != 0 ? a : b) : ((a & sign) != 0 ? b : a);
  return (x < y) == min ? a : b;
}

Bits evaluate_float(const std::vector<std::string>& parts, const std::string& type,
                    std::vector<Bits> in) {
  const std::string& base = parts[0];
  const Bits sign = Bits{1} << (8 * size_of(type) - 1);
  if (has(parts, "ftz")) {
    for (Bits& bits : in) bits = flush(bits, type);
  }
  if (base == "mov") return in[0];
  if (base == "abs") return in[0] & ~sign;
  if (base == "neg") return in[0] ^ sign;
  if (base == "copysign") return (in[1] & ~sign) | (in[0] & sign);
  if (base == "min" || base == "max") return evaluate_minmax(base == "min", type, in[0], in[1]);
  for (const Bits bits : in) {
    if (is_nan(bits, type)) return canonical_nan(type);
  }
  const Quad a = decode(in[0], type);
  const Quad b = in.size() > 1 ? decode(in[1], type) : 0;
  if (base == "add") return finish(sum(a, b, parts), type, parts);
  if (base == "sub") return finish(sum(a, -b, parts), type, parts);
  if (base == "mul") return finish(a * b, type, parts);
  if (base == "fma") return finish(sum(a * b, decode(in[2], type), parts), type, parts);
  if (base == "div") {
    if (has(parts, "approx") || has(parts, "full")) {
      const double size = std::fabs(static_cast<double>(b));
      if (size > 0x1p126 && size < 0x1p128) {
        const bool infinite = a - a != 0;
        return infinite ? canonical_nan(type) : (in[0] ^ in[1]) & sign;
      }
    }
    return finish(divide_odd(a, b), type, parts);
  }
  if (approximate_units().count(base) != 0 || has(parts, "approx")) {
    double x = static_cast<double>(a);
    if (type == "f64" && has(parts, "ftz")) {
      x = std::bit_cast<double>(flush(std::bit_cast<Bits>(x) & 0xffffffff00000000u, "f64"));
    }
    return finish(approximate(base, x), type, parts);
  }
  if (base == "rcp") return finish(divide_odd(1, a), type, parts);
  if (base == "sqrt" && type == "f32") {
    return finish(static_cast<Quad>(std::sqrt(static_cast<long double>(a))), type, parts);
  }
  return finish(std::sqrt(static_cast<double>(a)), type, parts);
}

Bits evaluate_convert(const std::vector<std::string>& parts, const std::string& to,
                      const std::string& from, Bits bits) {
  const bool to_float = is_float_type(to);
  const bool from_float = is_float_type(from);
  if (!to_float && !from_float) return encode_int(decode_int(bits, from), to);
  if (from_float && is_nan(bits, from)) {
    if (has(parts, "sat") || !to_float) return 0;
    return canonical_nan(to);
  }
  if (has(parts, "ftz") && from == "f32") bits = flush(bits, from);
  Quad value = decode(bits, from);
  const bool integral =
      has(parts, "rni") || has(parts, "rzi") || has(parts, "rmi") || has(parts, "rpi");
  if (integral) value = round_to_integer(value, rounding_of(parts));
  if (!to_float) {
    const unsigned width = 8 * size_of(to);
    const Quad limit = static_cast<Quad>(std::ldexp(1.0, static_cast<int>(width)));
    const Quad high = is_signed_type(to) ? limit / 2 : limit;
    const Quad low = is_signed_type(to) ? -high : 0;
    if (value >= high) return encode_int(static_cast<Int128>(high) - 1, to);
    if (value < low) return encode_int(static_cast<Int128>(low), to);
    return encode_int(static_cast<Int128>(value), to);
  }
  if (has(parts, "sat")) value = value > 0 ? (value < 1 ? value : Quad{1}) : Quad{0};
  const Bits result = encode(value, to, integral ? Round::kNearest : rounding_of(parts));
  return has(parts, "ftz") && to == "f32" ? flush(result, to) : result;
}

std::string last_type(const std::vector<std::string>& parts) { return parts.back(); }

}  // namespace

Reference describe_form(const std::string& form) {
  const std::vector<std::string> parts = split_form(form);
  const std::string& base = parts[0];
  const std::string type = last_type(parts);
  Reference r;
  r.known = true;
  r.result = type;
  if (has(parts, "cc") || base == "addc" || base == "subc" || base == "madc") {
    r.known = false;
  } else if (base == "setp") {
    r.operands = {type, type};
    r.result = "pred";
  } else if (base == "set") {
    r.operands = {type, type};
    r.result = parts[2];
  } else if (base == "selp") {
    r.operands = {type, type, "pred"};
  } else if (base == "cvt") {
    r.result = parts[parts.size() - 2];
    r.operands = {type};
    if (r.result == "f16x2" || r.result == "bf16x2") r.operands = {type, type};
  } else if (base == "shl" || base == "shr") {
    r.operands = {type, "u32"};
  } else if (base == "popc" || base == "clz" || base == "bfind") {
    r.operands = {type};
    r.result = "u32";
  } else if (base == "bfe") {
    r.operands = {type, "u32", "u32"};
  } else if (base == "bfi") {
    r.operands = {type, type, "u32", "u32"};
  } else if (base == "shf" || base == "dp4a") {
    r.operands = {"b32", "b32", "b32"};
    r.result = "b32";
  } else if (plain_operands(base) > 0) {
    r.operands.assign(static_cast<std::size_t>(plain_operands(base)), type);
    if (has(parts, "wide")) r.result = as_wide(type);
    if (has(parts, "wide") && base == "mad") r.operands[2] = r.result;
    if (base == "prmt") r.operands[2] = "u32";
    if (approximate_units().count(base) != 0 || has(parts, "approx")) {
      r.tolerance = type == "f64" ? 0x1p-19 : 0x1p-22;
    }
  } else {
    r.known = false;
  }
  return r;
}

Bits evaluate_form(const std::string& form, const std::vector<Bits>& in) {
  const std::vector<std::string> parts = split_form(form);
  const std::string& base = parts[0];
  const std::string type = last_type(parts);
  if (base == "setp") return compare_bits(parts, in[0], in[1], type);
  if (base == "set") {
    const bool holds = compare_bits(parts, in[0], in[1], type) != 0;
    return holds ? encode(1, parts[2], Round::kNearest) : 0;
  }
  if (base == "selp") return in[2] != 0 ? in[0] : in[1];
  if (base == "cvt") {
    const std::string to = parts[parts.size() - 2];
    if (to == "f16x2" || to == "bf16x2") {
      const std::string half = to.substr(0, to.size() - 2);
      return evaluate_convert(parts, half, type, in[0]) << 16 |
             evaluate_convert(parts, half, type, in[1]);
    }
    return evaluate_convert(parts, to, type, in[0]);
  }
  if (base == "bfe" || base == "bfi" || base == "bfind" || base == "prmt" || base == "shf" ||
      base == "dp4a") {
    return evaluate_bitfield(parts, type, in);
  }
  if (type.size() > 2 && type.substr(type.size() - 2) == "x2") {
    std::vector<Bits> low;
    std::vector<Bits> high;
    for (const Bits bits : in) {
      low.push_back(bits & 0xffff);
      high.push_back(bits >> 16);
    }
    std::vector<std::string> halves = parts;
    halves.back() = type.substr(0, type.size() - 2);
    std::string half_form = halves[0];
    for (std::size_t i = 1; i < halves.size(); ++i) half_form += "." + halves[i];
    return evaluate_form(half_form, low) | evaluate_form(half_form, high) << 16;
  }
  return is_float_type(type) ? evaluate_float(parts, type, in) : evaluate_int(parts, type, in);
}

}  // namespace cudasim_tests
