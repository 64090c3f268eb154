// The numbers behind kiln::Device.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/device.h"

namespace kiln::inline v0::frontend {

inline constexpr std::uint16_t kCpu = 0;
inline constexpr std::uint16_t kInterpreter = 1;
inline constexpr std::uint16_t kFirstCuda = 16;      // 16 + index
inline constexpr std::uint16_t kFirstPlanner = 256;  // in order of first use

// Whose memory a device uses: the interpreter works on the host's.
runtime::Device& memory_device(std::uint16_t id);
std::string device_name(std::uint16_t id);
// The device that KILN_DEVICE names so. UserError for another text, DeviceError if it is not there,
// naming the variable.
std::uint16_t device_called(std::string_view text);
// Of the thread's scope, else the default.
std::uint16_t current_device();

}  // namespace kiln::inline v0::frontend
