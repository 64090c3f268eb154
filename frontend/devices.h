// The numbers behind kiln::Device.
#pragma once
#include <cstdint>
#include <string>

#include "runtime/device.h"

namespace kiln::inline v0::frontend {

inline constexpr std::uint16_t kCpu = 0;
inline constexpr std::uint16_t kInterpreter = 1;
inline constexpr std::uint16_t kFirstCuda = 16;      // 16 + index
inline constexpr std::uint16_t kFirstPlanner = 256;  // in order of first use

// Whose memory a device uses: the interpreter works on the host's.
runtime::Device& memory_device(std::uint16_t id);
std::string device_name(std::uint16_t id);
// Of the thread's scope, else the default.
std::uint16_t current_device();

}  // namespace kiln::inline v0::frontend
