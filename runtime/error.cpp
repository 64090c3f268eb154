#include "runtime/error.h"

#include <fmt/format.h>

namespace kiln::runtime {

OutOfMemory::OutOfMemory(const std::string& device, std::int64_t asked_bytes,
                         std::int64_t free_bytes)
    : DeviceError(fmt::format("out of memory on {}: {} bytes asked for, {} free", device,
                              asked_bytes, free_bytes)),
      asked(asked_bytes),
      free(free_bytes) {}

}  // namespace kiln::runtime
