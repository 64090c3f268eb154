#include "kiln/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <ostream>

#include "frontend/complaint.h"
#include "frontend/counters.h"
#include "frontend/environment.h"
#include "frontend/explanation.h"
#include "frontend/ledger.h"
#include "frontend/state.h"
#include "ir/mutant.h"

namespace kiln::inline v0 {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

struct Measure::Start {
  Where where;
  Stats stats;
  frontend::Ledger::Totals totals;
  Clock::time_point time;
};

namespace {

constexpr const char* kKinds[] = {"evaluation", "plan", "upload", "download", "kernel"};
constexpr const char* kHeadings[] = {"evaluations, all in all, by the line that asked",
                                     "of these, plans made and kernels compiled",
                                     "copies to a device, by the line of the array",
                                     "copies to the host", "kernels, by the lines they compute"};

std::string lines_text(const std::vector<Where>& lines) {
  std::string text;
  for (const Where& line : lines) {
    const std::string one = frontend::to_text(line);
    if (text.find(one) == std::string::npos) text += (text.empty() ? "" : ", ") + one;
  }
  return text.empty() ? "(no line)" : text;
}

std::string row_text(const Measure::Row& row, double elapsed) {
  const std::string bytes = row.bytes != 0 ? frontend::bytes_text(row.bytes) : "";
  return fmt::format("  {:>9} {:>4.0f} % {:>6} x {:>9}  {}{}{}\n", frontend::time_text(row.seconds),
                     100 * row.seconds / elapsed, row.count, bytes, lines_text(row.lines),
                     row.name.empty() ? "" : "  ", row.name);
}

}  // namespace

Measure::Measure(Where where) : start_(nullptr) {
  synchronize(where);
  start_ = new Start{frontend::line_of(where), kiln::stats(), frontend::state().ledger.begin(),
                     Clock::now()};
}

Measure::~Measure() {
  frontend::state().ledger.end();
  delete start_;
}

double Measure::seconds() const {
  synchronize(start_->where);
  return std::chrono::duration<double>(Clock::now() - start_->time).count();
}

Stats Measure::stats() const {
  synchronize(start_->where);
  return kiln::stats() - start_->stats;
}

std::vector<Measure::Row> Measure::rows() const {
  synchronize(start_->where);
  std::vector<Row> rows;
  for (const auto& [key, now] : frontend::state().ledger.totals()) {
    Row row{key.kind, key.name, now.lines, now.count, now.bytes, now.seconds};
    const auto at = start_->totals.find(key);
    if (at != start_->totals.end() && !mutant(ir::Mutant::measured_before)) {
      row.count -= at->second.count;
      row.bytes -= at->second.bytes;
      row.seconds -= at->second.seconds;
    }
    if (row.count > 0) rows.push_back(std::move(row));
  }
  std::ranges::stable_sort(rows, [](const Row& a, const Row& b) {
    return a.kind != b.kind ? a.kind < b.kind : a.seconds > b.seconds;
  });
  return rows;
}

std::string Measure::text() const {
  const double elapsed = seconds();
  const Stats s = stats();
  std::string text = fmt::format(
      "{} from {} on\n"
      "  {} launches; kernels: {} compiled, {} found in memory, {} on disk; plans: {} made, {} "
      "reused; {} operations computed again\n"
      "  kernels read {} and wrote {}; {} copies to devices of {}, {} to the host of {}\n",
      frontend::time_text(elapsed), frontend::to_text(start_->where), s.launched, s.compiled,
      s.memory_hits, s.disk_hits, s.plans_built, s.plans_reused, s.recomputed,
      frontend::bytes_text(s.bytes_read), frontend::bytes_text(s.bytes_written), s.uploads,
      frontend::bytes_text(s.upload_bytes), s.downloads, frontend::bytes_text(s.download_bytes));
  const Kind* last = nullptr;
  const std::vector<Row> all = rows();
  for (const Row& row : all) {
    if (last == nullptr || *last != row.kind)
      text += fmt::format("{}\n", kHeadings[static_cast<int>(row.kind)]);
    last = &row.kind;
    text += row_text(row, elapsed);
  }
  return text;
}

std::string Measure::json() const {
  Json json{{"where", frontend::to_text(start_->where)}, {"seconds", seconds()}};
  frontend::add_counters(json, stats());
  json["rows"] = Json::array();
  for (const Row& row : rows()) {
    Json lines = Json::array();
    for (const Where& line : row.lines) lines.push_back(frontend::to_text(line));
    json["rows"].push_back({{"kind", kKinds[static_cast<int>(row.kind)]},
                            {"name", row.name},
                            {"lines", std::move(lines)},
                            {"count", row.count},
                            {"bytes", row.bytes},
                            {"seconds", row.seconds}});
  }
  return json.dump(2);
}

[[gnu::visibility("default")]] std::ostream& operator<<(std::ostream& out, const Measure& measure) {
  return out << measure.text();
}

}  // namespace kiln::inline v0
