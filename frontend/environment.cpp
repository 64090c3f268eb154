#include "frontend/environment.h"

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "frontend/complaint.h"
#include "ir/mutant.h"
#include "runtime/host/figures.h"

namespace kiln::inline v0::frontend {

namespace {

std::string text(const char* variable, std::string otherwise = "") {
  const char* const value = std::getenv(variable);
  return value != nullptr ? value : std::move(otherwise);
}

[[noreturn]] void refuse(const char* variable, const std::string& value, const char* wanted) {
  throw UserError(std::string("kiln: environment: ") + variable + "=\"" + value + "\" is not " +
                  wanted + "\n  try: " + wanted + ", or without the variable");
}

// A count, with an optional suffix K, M or G (powers of 1024).
std::int64_t number(const char* variable, std::int64_t otherwise) {
  const std::string value = text(variable);
  if (value.empty()) return otherwise;
  std::int64_t result = 0;
  const char* const end = value.data() + value.size();
  auto [stop, error] = std::from_chars(value.data(), end, result);
  int shift = 0;
  if (stop != end) {
    const std::size_t unit = std::string_view("KMG").find(*stop++);
    if (unit == std::string_view::npos) stop = nullptr;
    shift = 10 * (static_cast<int>(unit) + 1);
  }
  if (error != std::errc() || stop != end || result < 0 || result > (INT64_MAX >> shift)) {
    refuse(variable, value, "a number");
  }
  return result << shift;
}

bool flag(const char* variable, bool otherwise) {
  const std::string value = text(variable);
  if (value.empty()) return otherwise;
  if (value != "0" && value != "1") refuse(variable, value, "0 or 1");
  return value == "1";
}

std::vector<std::string> list(const char* variable, char separator) {
  std::vector<std::string> result;
  std::string_view rest;
  const std::string value = text(variable);
  rest = value;
  while (!rest.empty()) {
    const std::size_t end = rest.find(separator);
    if (end != 0) result.emplace_back(rest.substr(0, end));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return result;
}

std::string cache_folder() {
  if (const char* const given = std::getenv("KILN_CACHE_DIR")) return given;
  if (const std::string base = text("XDG_CACHE_HOME"); !base.empty()) return base + "/kiln";
  if (const std::string home = text("HOME"); !home.empty()) return home + "/.cache/kiln";
  return "";
}

}  // namespace

Environment read_environment() {
  Environment e;
  e.device = text("KILN_DEVICE");
  e.dump = text("KILN_DUMP");
  e.mode = text("KILN_MODE", "lazy");
  if (e.mode != "lazy" && e.mode != "eager" && e.mode != "check") {
    refuse("KILN_MODE", e.mode, "lazy, eager or check");
  }
  e.fusion = flag("KILN_FUSION", true);
  e.flush_after = number("KILN_FLUSH_AFTER", e.flush_after);
  e.flush_bytes = number("KILN_FLUSH_BYTES", e.flush_bytes);
  e.cached_plans = number("KILN_CACHED_PLANS", e.cached_plans);
  e.disabled_passes = list("KILN_DISABLE_PASSES", ',');
  runtime::Config& r = e.runtime;
  r.threads = static_cast<int>(number("KILN_THREADS", 0));
  if (mutant(ir::Mutant::thread_count)) r.threads = 0;
  r.interpret = flag("KILN_INTERPRET", false);
  r.host_figures = text("KILN_HOST_FIGURES", "measured");
  if (!runtime::valid_host_figures(r.host_figures)) {
    refuse("KILN_HOST_FIGURES", r.host_figures,
           "measured, fixed or figures such as bandwidth=40e9,cached=1e11,rate=1e11,wake=1e-5");
  }
  r.memory_limit = number("KILN_MEMORY_LIMIT", 0);
  r.cuda_driver = text("KILN_CUDA_DRIVER");
  r.nvrtc = text("KILN_NVRTC");
  r.cublaslt = text("KILN_CUBLASLT");
  r.cuda_home = text("CUDA_HOME");
  r.cuda_path = text("CUDA_PATH");
  r.library_folders = list("KILN_LIBRARY_PATH", ':');
  r.cuda_memory_limit = number("KILN_CUDA_MEMORY_LIMIT", 0);
  r.cache_folder = cache_folder();
  r.cache_bytes = number("KILN_CACHE_BYTES", r.cache_bytes);
  return e;
}

const Environment& environment() {
  static const Environment* const instance = new Environment(read_environment());
  return *instance;
}

runtime::Registry& registry() {
  static runtime::Registry* const instance = [] {
    runtime::configure(environment().runtime);
    return &runtime::registry();
  }();
  return *instance;
}

}  // namespace kiln::inline v0::frontend
