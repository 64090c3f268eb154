#include "tests/gpu/timing/loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace kiln::gpu {

namespace {

constexpr double kLoopSeconds = 5e-3;
constexpr double kMostSeconds = 1.5;  // of all loops of a row
constexpr std::int64_t kMostCalls = 10000;
constexpr std::size_t kFewest = 3;

std::string line(const Json& row) {
  std::string text;
  for (const auto& [key, value] : row.items()) {
    if (value.is_number_float()) text += fmt::format(" {} {:.4g}", key, value.get<double>());
  }
  return text;
}

}  // namespace

double now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t n = values.size();
  return n == 0 ? 0 : 0.5 * (values[(n - 1) / 2] + values[n / 2]);
}

Loops run_loops(Gpu& gpu, int loops, const std::function<void()>& f) {
  Loops result;
  double host = 0;
  const auto loop = [&](std::int64_t calls) {
    return gpu.seconds([&] {
      const double start = now();
      for (std::int64_t i = 0; i < calls; ++i) f();
      host = now() - start;
    });
  };
  // How often is decided by the host's clock: a simulated device's own runs as it likes.
  for (std::int64_t calls = 1;; calls *= 4) {  // the clock rate of the device rises, too
    const double start = now();
    loop(calls);
    const double took = now() - start;
    const double each = std::max(took, 1e-9) / static_cast<double>(calls);
    result.calls = std::clamp<std::int64_t>(std::llround(kLoopSeconds / each), 1, kMostCalls);
    if (took >= kLoopSeconds / 4 || calls >= kMostCalls) break;
  }
  // A device that idled while something was compiled is at a low clock rate.
  for (int i = 0; i < loops / 2; ++i) loop(result.calls);
  double total = 0;
  while (result.seconds.size() < static_cast<std::size_t>(loops) &&
         (total < kMostSeconds || result.seconds.size() < kFewest)) {
    const double start = now();
    const double took = loop(result.calls);
    total += now() - start;
    result.seconds.push_back(took / static_cast<double>(result.calls));
    result.issuing.push_back(host / static_cast<double>(result.calls));
  }
  return result;
}

Json described(const Loops& loops) {
  const auto [least, most] = std::ranges::minmax(loops.seconds);
  return {{"calls", loops.calls},
          {"loops", loops.seconds.size()},
          {"median_us", 1e6 * median(loops.seconds)},
          {"min_us", 1e6 * least},
          {"max_us", 1e6 * most},
          {"host_us", 1e6 * median(loops.issuing)}};
}

bool Results::add(const std::string& list, const std::string& name,
                  const std::function<Json()>& make) {
  Json row = Json::object();
  bool good = true;
  try {
    row = make();
    fmt::print("{:24}{}\n", name, line(row));
  } catch (const std::exception& error) {
    row["error"] = error.what();
    fmt::print("{:24} {}\n", name, error.what());
    good = false;
  }
  std::fflush(stdout);
  if (list == "rows") {
    Json named = {{"name", name}};
    named.update(row);
    all_[list].push_back(std::move(named));
  } else {
    all_[list][name] = std::move(row);
  }
  write();
  return good;
}

void Results::put(const char* key, Json value) {
  all_[key] = std::move(value);
  write();
}

// Under another name first: a run that is ended while it writes leaves the last whole file.
void Results::write() const {
  if (path_.empty()) return;
  const std::string fresh = path_ + ".new";
  {
    std::ofstream file(fresh);
    file << all_.dump(1, ' ', false, Json::error_handler_t::replace) << '\n';
    if (!file.flush()) throw std::runtime_error(fresh + " cannot be written");
  }
  std::filesystem::rename(fresh, path_);
}

}  // namespace kiln::gpu
