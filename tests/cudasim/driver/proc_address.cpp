// Looking functions up by name.

#include <dlfcn.h>

#include <cstring>
#include <string>

#include "tests/cudasim/abi.h"

using namespace cudasim::abi;

namespace {

// A name without its version means the newest one here.
void* find_newest(const std::string& name) {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&find_newest), &info) == 0) return nullptr;
  void* const self = dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD);
  if (self == nullptr) return nullptr;
  void* found = nullptr;
  for (const char* suffix : {"_v4", "_v3", "_v2", "WithFlags", ""}) {
    if (found != nullptr) break;
    const bool flags = std::strcmp(suffix, "WithFlags") == 0;
    if (flags && name != "cuGraphInstantiate") continue;
    found = dlsym(self, (name + suffix).c_str());
  }
  dlclose(self);
  return found;
}

}  // namespace

CUDASIM_EXPORT Result cuGetProcAddress_v2(const char* symbol, void** out, int, std::uint64_t,
                                          int* status) {
  if (symbol == nullptr || out == nullptr) return kInvalidValue;
  const bool driver_name = std::strncmp(symbol, "cu", 2) == 0;
  void* const found = driver_name ? find_newest(symbol) : nullptr;
  *out = found;
  if (status != nullptr) *status = found != nullptr ? 0 : 1;
  return found != nullptr ? kSuccess : kNotFound;
}

CUDASIM_EXPORT Result cuGetProcAddress(const char* symbol, void** out, int version,
                                       std::uint64_t flags) {
  return cuGetProcAddress_v2(symbol, out, version, flags, nullptr);
}

// The toolkit's libraries ask for private tables; there are none.
CUDASIM_EXPORT Result cuGetExportTable(const void** out, const Uuid*) {
  if (out != nullptr) *out = nullptr;
  return kNotFound;
}
