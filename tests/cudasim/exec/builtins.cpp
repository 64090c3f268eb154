// vprintf and __assertfail, the two functions the driver provides to kernels.

#include <cstdio>

#include "tests/cudasim/exec/access.h"
#include "tests/cudasim/exec/lanes.h"
#include "tests/cudasim/exec/launch.h"

namespace cudasim {
namespace {

U64 argument(const Warp& w, const CallSite& site, std::size_t index, U32 lane) {
  const Frame& frame = *w.frame;
  U64 value = 0;
  const CallSite::Copy& copy = site.arguments[index];
  std::memcpy(&value,
              &frame.parameters[std::size_t{lane} * frame.code->parameter_bytes + copy.offset],
              std::min(copy.bytes, 8u));
  return value;
}

std::string read_text(Warp& w, U32 lane, U64 address) {
  std::string text;
  while (text.size() < 4096) {
    const U8 byte = read_byte(w, lane, address + text.size());
    if (byte == 0) break;
    text += static_cast<char>(byte);
  }
  return text;
}

template <class T>
T read_value(Warp& w, U32 lane, U64& address) {
  address = (address + sizeof(T) - 1) / sizeof(T) * sizeof(T);
  U8 bytes[sizeof(T)];
  for (U8& byte : bytes) byte = read_byte(w, lane, address++);
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

template <class T>
void append(std::string& out, const std::string& format, T value) {
  char buffer[512];
  std::snprintf(buffer, sizeof buffer, format.c_str(), value);
  out += buffer;
}

// One conversion of the format: flags, width and precision are the host's, the argument the
// kernel's.
void convert(Warp& w, U32 lane, std::string& out, std::string spec, U64& arguments) {
  const char kind = spec.back();
  const bool wide = spec.find('l') != std::string::npos || spec.find('z') != std::string::npos;
  switch (kind) {
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o':
      if (wide) {
        append(out, spec, read_value<long long>(w, lane, arguments));
      } else {
        append(out, spec, read_value<int>(w, lane, arguments));
      }
      break;
    case 'c':
      append(out, spec, read_value<int>(w, lane, arguments));
      break;
    case 's':
      append(out, spec, read_text(w, lane, read_value<U64>(w, lane, arguments)).c_str());
      break;
    case 'p':
      append(out, spec, reinterpret_cast<void*>(read_value<U64>(w, lane, arguments)));
      break;
    default:
      append(out, spec, read_value<double>(w, lane, arguments));
  }
}

std::string formatted(Warp& w, U32 lane, const std::string& format, U64 arguments) {
  static constexpr std::string_view kKinds = "diuxXocspaAeEfFgG";
  std::string out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    if (i + 1 < format.size() && format[i + 1] == '%') {
      out += '%';
      ++i;
      continue;
    }
    std::size_t end = i + 1;
    while (end < format.size() && end - i < 32 &&
           std::string_view("-+ #0123456789.lhz").find(format[end]) != std::string_view::npos) {
      ++end;
    }
    if (end >= format.size() || kKinds.find(format[end]) == std::string_view::npos) {
      out += format[i];
      continue;
    }
    std::string spec = format.substr(i, end - i + 1);
    if (spec.find_first_of("0123456789") != std::string::npos && spec.size() > 8)
      spec = std::string("%") + spec.back();
    convert(w, lane, out, spec, arguments);
    i = end;
  }
  return out;
}

void print(Warp& w, const CallSite& site, U32 mask) {
  for_lanes(mask, [&](U32 lane) {
    const std::string format = read_text(w, lane, argument(w, site, 0, lane));
    const std::string text = formatted(w, lane, format, argument(w, site, 1, lane));
    std::fwrite(text.data(), 1, text.size(), stdout);
    if (site.results.empty()) return;
    Frame& frame = *w.frame;
    const S32 count = static_cast<S32>(text.size());
    std::memcpy(
        &frame.parameters[std::size_t{lane} * frame.code->parameter_bytes + site.results[0].offset],
        &count, sizeof count);
  });
  std::fflush(stdout);
}

}  // namespace

void run_builtin(Warp& w, Builtin builtin, const CallSite& site, U32 mask) {
  if (builtin == Builtin::kPrintf) return print(w, site, mask);
  const U32 lane = static_cast<U32>(std::countr_zero(mask));
  const std::string expression = read_text(w, lane, argument(w, site, 0, lane));
  const std::string file = read_text(w, lane, argument(w, site, 1, lane));
  const U32 line = static_cast<U32>(argument(w, site, 2, lane));
  throw Fault{FaultKind::kAssert,
              file + ":" + std::to_string(line) + ": assertion '" + expression + "' failed",
              static_cast<int>(lane)};
}

}  // namespace cudasim
