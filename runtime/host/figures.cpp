#include "runtime/host/figures.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <span>
#include <thread>

#include "ir/error.h"
#include "runtime/config.h"
#include "runtime/disk_cache.h"
#include "runtime/host/workers.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace kiln::runtime {

namespace {

struct Field {
  std::string_view name;
  double HostFigures::* value;
  double least, most;  // of any machine
};
constexpr Field kFields[] = {{"bandwidth", &HostFigures::bandwidth, 1e8, 1e14},
                             {"cached", &HostFigures::cached, 1e8, 1e15},
                             {"rate", &HostFigures::rate, 1e8, 1e17},
                             {"wake", &HostFigures::wake_seconds, 1e-7, 1e-2}};

std::string key(const Config& config) {
  return fmt::format("figures of the host, 2\n{}\ncores {}\nthreads {}\nvector {}\ncache {}\n",
                     host_processor(), std::thread::hardware_concurrency(), host_threads(config),
                     host_vector_bytes(), host_cache_bytes());
}

}  // namespace

std::string host_processor() {
  std::string name;
#if defined(__x86_64__)
  for (unsigned leaf = 0x80000002; leaf <= 0x80000004; ++leaf) {
    unsigned words[4] = {};
    if (__get_cpuid(leaf, &words[0], &words[1], &words[2], &words[3]) == 0) break;
    name.append(reinterpret_cast<const char*>(words), sizeof words);
  }
  name = name.c_str();  // up to its first zero
#endif
  return name;
}

int host_threads(const Config& config) { return usable_threads(config.threads); }

int host_vector_bytes() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") ? 64 : 32;
#else
  return 16;
#endif
}

std::int64_t host_cache_bytes() {
  return std::max<std::int64_t>(sysconf(_SC_LEVEL3_CACHE_SIZE), 1 << 20);
}

HostFigures fixed_figures(int threads) {
  HostFigures figures;
  figures.bandwidth *= threads;
  figures.cached *= threads;
  figures.rate *= threads;
  return figures;
}

std::optional<HostFigures> parse_figures(std::string_view text, int threads) {
  HostFigures figures = fixed_figures(threads);
  std::uint32_t seen = 0;
  for (bool more = true; more;) {
    const std::size_t end = text.find(',');
    const std::string_view item = text.substr(0, end);
    more = end != text.npos;
    if (more) text.remove_prefix(end + 1);
    const std::size_t equals = item.find('=');
    const auto* const field = std::ranges::find(kFields, item.substr(0, equals), &Field::name);
    if (equals == item.npos || field == std::end(kFields)) return std::nullopt;
    const std::string_view number = item.substr(equals + 1);
    double value = 0;
    const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
    const std::uint32_t bit = 1u << (field - kFields);
    if (read.ec != std::errc() || read.ptr != number.data() + number.size() ||
        !(value >= field->least && value <= field->most) || (seen & bit) != 0) {
      return std::nullopt;
    }
    seen |= bit;
    figures.*field->value = value;
  }
  return figures;
}

std::string to_text(const HostFigures& figures) {
  std::string text;
  for (const Field& field : kFields) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", field.name, figures.*field.value);
  }
  return text;
}

bool valid_host_figures(std::string_view text) {
  return text == "measured" || text == "fixed" || parse_figures(text, 1);
}

HostFigures host_figures(const Config& config, DiskCache& kept) {
  const int threads = host_threads(config);
  if (config.host_figures == "fixed") return fixed_figures(threads);
  if (config.host_figures != "measured") {
    const auto given = parse_figures(config.host_figures, threads);
    ir::internal_check(given.has_value(), "host_figures that were not checked");
    return *given;
  }
  const std::string mine = key(config);
  const auto find = [&]() -> std::optional<HostFigures> {
    const auto value = kept.find(mine);
    if (!value) return std::nullopt;
    return parse_figures({reinterpret_cast<const char*>(value->data()), value->size()}, threads);
  };
  if (const auto found = find()) return *found;
  if (!kept.writable()) return fixed_figures(threads);
  Workers workers(threads);
  const HostFigures figures = measure_figures(workers, host_cache_bytes());
  if (const auto others = find()) return *others;  // of a process that was faster
  const std::string text = to_text(figures);
  kept.store(mine, std::as_bytes(std::span(text)));
  return figures;
}

}  // namespace kiln::runtime
