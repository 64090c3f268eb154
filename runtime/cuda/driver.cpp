#include "runtime/cuda/driver.h"

#include <fmt/format.h>

namespace kiln::runtime {

bool cuda::sticky(int r) {
  if (r == kUncorrectable || r == kUnavailable || r == kDeinitialized) return true;
  if (r < kFirstSticky || r > kLastSticky) return false;
  return r != kOutOfResources && r != kIncompatibleTexturing && r != kPeerFirst && r != kPeerLast &&
         r != kPrimaryActive && !(r >= kRegisteredFirst && r <= kRegisteredLast);
}

std::string CudaDriver::describe(Result result) const {
  const char* name = nullptr;
  const char* text = nullptr;
  if (error_name(result, &name) != cuda::kSuccess || !name) name = "unknown error";
  if (error_string(result, &text) != cuda::kSuccess || !text) text = "no description";
  return fmt::format("{} ({}): {}", name, result, text);
}

void CudaDriverDelete::operator()(CudaDriver* driver) const { delete driver; }

CudaDriverPointer open_cuda_driver(const Config& config, std::string& missing) {
  CudaDriverPointer driver(new CudaDriver);
  const std::string& path = config.cuda_driver.empty() ? "libcuda.so.1" : config.cuda_driver;
  driver->library = Library::open({path});
  if (!driver->library) {
    missing = fmt::format("the CUDA driver was not found. Looked for{}:{}",
                          path.find('/') == std::string::npos ? " (by the loader's path)" : "",
                          driver->library.tried());
    return nullptr;
  }
  std::string absent;
  const auto need = [&](bool found, const char* symbol) {
    if (!found) absent += fmt::format(" {}", symbol);
  };
#define KILN_CUDA(member, symbol, arguments) \
  need(driver->library.get(symbol, driver->member), symbol);
#define KILN_CUDA_OPTIONAL(member, symbol, arguments) driver->library.get(symbol, driver->member);
#include "runtime/cuda/driver.def"
#undef KILN_CUDA
  if (!absent.empty()) {
    missing = fmt::format("{} is not a usable CUDA driver: it lacks{}", path, absent);
    return nullptr;
  }
  const int result = driver->init(0);
  if (result != cuda::kSuccess) {
    missing = fmt::format("the CUDA driver {} does not start: {}", path, driver->describe(result));
    return nullptr;
  }
  driver->driver_version(&driver->version);
  return driver;
}

int cuda_device_count(CudaDriver& driver) {
  int count = 0;
  return driver.device_count(&count) == cuda::kSuccess ? count : 0;
}

}  // namespace kiln::runtime
