#include "runtime/resources.h"

#include <algorithm>
#include <charconv>

namespace kiln::runtime {

namespace {

// The number before a word, or 0.
std::int64_t number_before(std::string_view line, std::string_view word) {
  const std::size_t at = line.find(word);
  if (at == std::string_view::npos) return 0;
  std::size_t begin = at;
  while (begin > 0 && line[begin - 1] >= '0' && line[begin - 1] <= '9') --begin;
  std::int64_t number = 0;
  std::from_chars(line.data() + begin, line.data() + at, number);
  return number;
}

}  // namespace

std::optional<KernelResources> kernel_resources(std::string_view log) {
  KernelResources r;
  while (!log.empty()) {
    const std::string_view line = log.substr(0, log.find('\n'));
    log.remove_prefix(std::min(log.size(), line.size() + 1));
    if (!line.starts_with("ptxas")) continue;
    r.registers = std::max(r.registers, static_cast<int>(number_before(line, " registers")));
    r.shared_bytes += number_before(line, " bytes smem");
    r.stack_bytes += number_before(line, " bytes stack frame");
    r.spill_store_bytes += number_before(line, " bytes spill stores");
    r.spill_load_bytes += number_before(line, " bytes spill loads");
  }
  return r.registers > 0 ? std::optional(r) : std::nullopt;
}

}  // namespace kiln::runtime
