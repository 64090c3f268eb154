#include "frontend/environment.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string_view>
#include <utility>

#include "frontend/complaint.h"
#include "ir/mutant.h"
#include "passes/plan.h"
#include "runtime/host/figures.h"
#include "runtime/host/workers.h"

namespace kiln::inline v0::frontend {

namespace {

std::string text(const char* variable, std::string otherwise = "") {
  const char* const value = std::getenv(variable);
  return value != nullptr && *value != '\0' ? value : std::move(otherwise);
}

}  // namespace

void refuse(std::string_view variable, std::string_view value, std::string_view wanted) {
  throw UserError("kiln: environment: " + std::string(variable) + "=\"" + std::string(value) +
                  "\" is not " + std::string(wanted) + "\n  try: one of these, or without " +
                  std::string(variable));
}

namespace {

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
    refuse(variable, value, "a number: digits, then K, M or G for powers of 1024, or nothing");
  }
  return result << shift;
}

double seconds(const char* variable, double otherwise) {
  const std::string value = text(variable);
  if (value.empty()) return otherwise;
  double result = 0;
  const char* const end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, result);
  if (error != std::errc() || stop != end || !(result >= 0)) {
    refuse(variable, value, "a number of seconds, such as 0, 2.5 or inf");
  }
  return result;
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

std::vector<std::string> passes_to_disable() {
  constexpr const char* kVariable = "KILN_DISABLE_PASSES";
  const std::vector<std::string> known = passes::graph_pass_names();
  std::vector<std::string> result = list(kVariable, ',');
  for (const std::string& name : result) {
    if (std::ranges::find(known, name) != known.end()) continue;
    std::string wanted = "a list of graph passes, separated by commas:";
    for (const std::string& pass : known) wanted += " " + pass;
    refuse(kVariable, text(kVariable), wanted);
  }
  return result;
}

int threads(std::vector<std::string>* notes) {
  const std::int64_t wanted = number("KILN_THREADS", 0);
  const int used = runtime::usable_threads(wanted);
  if (used < wanted) {
    notes->push_back("KILN_THREADS=" + std::to_string(wanted) + ": " + std::to_string(used) +
                     " threads are used, the most that this machine's cores have a use for");
  }
  return wanted == 0 ? 0 : used;
}

// Every variable that is read.
constexpr std::string_view kVariables[] = {"KILN_CACHED_PLANS",
                                           "KILN_CACHE_BYTES",
                                           "KILN_CACHE_DIR",
                                           "KILN_COMPILE_BUDGET",
                                           "KILN_CUBLASLT",
                                           "KILN_CUDA_DRIVER",
                                           "KILN_CUDA_MEMORY_LIMIT",
                                           "KILN_DEVICE",
                                           "KILN_DISABLE_PASSES",
                                           "KILN_DUMP",
                                           "KILN_FLUSH_AFTER",
                                           "KILN_FLUSH_BYTES",
                                           "KILN_FUSION",
                                           "KILN_HOST_FIGURES",
                                           "KILN_INTERPRET",
                                           "KILN_LIBRARY_PATH",
                                           "KILN_MEMORY_LIMIT",
                                           "KILN_MODE",
                                           "KILN_NVRTC",
                                           "KILN_QUIET",
                                           "KILN_THREADS"};

// Insertions, deletions and replacements that make one word of the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t before = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = before + (a[i] == b[j] ? 0 : 1);
      before = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, before + 1});
    }
  }
  return row.back();
}

// A misspelt variable would be passed over in silence.
void look_for_misspelt(std::vector<std::string>* notes) {
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view whole(*entry), name = whole.substr(0, whole.find('='));
    if (!name.starts_with("KILN_") || std::ranges::find(kVariables, name) != std::end(kVariables))
      continue;
    for (const std::string_view known : kVariables) {
      if (distance(name, known) > 2) continue;
      notes->push_back(std::string(name) + " is not known: is " + std::string(known) + " meant?");
      break;
    }
  }
}

}  // namespace

Environment read_environment() {
  Environment e;
  look_for_misspelt(&e.notes);
  e.device = text("KILN_DEVICE");
  e.dump = text("KILN_DUMP");
  e.mode = text("KILN_MODE", "lazy");
  if (e.mode != "lazy" && e.mode != "eager" && e.mode != "check") {
    refuse("KILN_MODE", e.mode, "lazy, eager or check");
  }
  e.fusion = flag("KILN_FUSION", true);
  e.quiet = flag("KILN_QUIET", false);
  e.flush_after = number("KILN_FLUSH_AFTER", e.flush_after);
  e.flush_bytes = number("KILN_FLUSH_BYTES", e.flush_bytes);
  e.cached_plans = number("KILN_CACHED_PLANS", e.cached_plans);
  e.compile_budget = seconds("KILN_COMPILE_BUDGET", e.compile_budget);
  e.disabled_passes = passes_to_disable();
  runtime::Config& r = e.runtime;
  r.threads = threads(&e.notes);
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
  static const Environment* const instance = [] {
    auto* const made = new Environment(read_environment());
    for (const std::string& note : made->notes)
      std::fputs(("kiln: environment: " + note + "\n").c_str(), stderr);
    return made;
  }();
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
