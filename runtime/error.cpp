#include "runtime/error.h"

#include <fmt/format.h>

namespace kiln::runtime {

OutOfMemory::OutOfMemory(const std::string& device, std::int64_t asked_bytes,
                         std::int64_t free_bytes, std::int64_t limit_bytes)
    : DeviceError(fmt::format("out of memory on {}: {} bytes asked for, {} free, the limit is {}",
                              device, asked_bytes, free_bytes, limit_bytes),
                  "smaller arrays, or fewer that are alive at once"),
      asked(asked_bytes),
      free(free_bytes),
      limit(limit_bytes) {}

}  // namespace kiln::runtime
