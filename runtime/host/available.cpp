#include "runtime/host/available.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>

#include "ir/mutant.h"

namespace kiln::runtime {

namespace {

constexpr std::int64_t kUnknown = std::numeric_limits<std::int64_t>::max();

// The one number in a file; unknown for "max" and where there is none.
std::int64_t number_in(const std::string& path) {
  std::int64_t value = 0;
  return std::ifstream(path) >> value && value >= 0 ? value : kUnknown;
}

// The number behind a word at the start of a line; -1: none.
std::int64_t number_behind(const std::string& path, std::string_view word) {
  std::ifstream file(path);
  std::string key, rest;
  while (file >> key) {
    std::int64_t value = 0;
    if (key == word) return file >> value ? value : -1;
    std::getline(file, rest);
  }
  return -1;
}

// What a cgroup may still take: pages of files count as used, and are given back before anything is
// refused.
std::int64_t room_in_cgroup(const std::string& folder, const char* limit_file,
                            const char* used_file,
                            std::initializer_list<std::string_view> given_back) {
  const std::int64_t limit = number_in(folder + limit_file), used = number_in(folder + used_file);
  if (limit == kUnknown || used == kUnknown) return kUnknown;
  std::int64_t room = limit - used;
  if (mutant(ir::Mutant::pages_of_files)) return std::max<std::int64_t>(0, room);
  for (const std::string_view word : given_back)
    room += std::max<std::int64_t>(0, number_behind(folder + "memory.stat", word));
  return std::max<std::int64_t>(0, room);
}

}  // namespace

std::int64_t machine_memory() {
  std::int64_t bytes = static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  for (const char* path :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    const std::int64_t limit = number_in(path);
    if (limit > 0) bytes = std::min(bytes, limit);
  }
  return bytes;
}

std::int64_t available_memory() { return available_memory(""); }

std::int64_t available_memory(const std::string& root) {
  std::int64_t bytes = kUnknown;
  const std::string machine = root + "/proc/meminfo", cgroup = root + "/sys/fs/cgroup/";
  const std::int64_t kilobytes = number_behind(machine, "MemAvailable:");
  if (kilobytes >= 0) {
    bytes = 1024 * (kilobytes + std::max<std::int64_t>(0, number_behind(machine, "SwapFree:")));
  }
  bytes = std::min(bytes, room_in_cgroup(cgroup, "memory.max", "memory.current",
                                         {"inactive_file", "active_file", "slab_reclaimable"}));
  return std::min(
      bytes, room_in_cgroup(cgroup + "memory/", "memory.limit_in_bytes", "memory.usage_in_bytes",
                            {"total_inactive_file", "total_active_file"}));
}

}  // namespace kiln::runtime
