// std::format of Array, Shape, DType and Device, where the standard library has it: the text that
// operator<< writes. Shapes, dtypes and devices are filled and aligned like strings: {:>12}.
#pragma once
#include <version>

#include "kiln/array.h"

#ifdef __cpp_lib_format
#include <format>

template <>
struct std::formatter<kiln::Shape> : std::formatter<std::string_view> {
  auto format(const kiln::Shape& shape, std::format_context& context) const {
    return formatter<string_view>::format(to_string(shape), context);
  }
};
template <>
struct std::formatter<kiln::DType> : std::formatter<std::string_view> {
  auto format(kiln::DType dtype, std::format_context& context) const {
    return formatter<string_view>::format(name(dtype), context);
  }
};
template <>
struct std::formatter<kiln::Device> : std::formatter<std::string_view> {
  auto format(const kiln::Device& device, std::format_context& context) const {
    return formatter<string_view>::format(device.name(), context);
  }
};
// Takes no options: digits are chosen for the whole array.
template <>
struct std::formatter<kiln::Array> {
  constexpr auto parse(std::format_parse_context& context) {
    if (context.begin() != context.end() && *context.begin() != '}') {
      throw std::format_error("a kiln::Array is formatted by {} alone");
    }
    return context.begin();
  }
  auto format(const kiln::Array& x, std::format_context& context) const {
    return std::format_to(context.out(), "{}", to_string(x));
  }
};
#endif
