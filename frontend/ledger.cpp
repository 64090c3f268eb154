#include "frontend/ledger.h"

#include <new>

#include "frontend/complaint.h"
#include "frontend/state.h"

namespace kiln::inline v0::frontend {

using Clock = std::chrono::steady_clock;

Ledger::Totals Ledger::begin() {
  const std::lock_guard<std::mutex> lock(mutex_);
  readers_.fetch_add(1, std::memory_order_relaxed);
  return totals_;
}

void Ledger::end() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (readers_.fetch_sub(1, std::memory_order_relaxed) == 1) totals_.clear();
}

Ledger::Totals Ledger::totals() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return totals_;
}

void Ledger::add(Measure::Kind kind, std::string name, std::span<const ir::SourceLine> lines,
                 std::int64_t bytes, double seconds) {
  Key key{kind, std::move(name), {}};
  for (const ir::SourceLine& line : lines) {
    if (line.file != nullptr) key.lines.emplace_back(line.file, line.line);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!open()) return;
  Total& total = totals_[std::move(key)];
  if (total.count++ == 0) {
    for (const ir::SourceLine& line : lines) {
      if (line.file != nullptr) total.lines.push_back(Where::here(line.file, line.line));
    }
  }
  total.bytes += bytes;
  total.seconds += seconds;
}

Timed::Timed(Measure::Kind kind, const char* name, Where where, std::int64_t bytes)
    : open_(state().ledger.open()), kind_(kind), name_(name), where_(where), bytes_(bytes) {
  if (open_) start_ = Clock::now();
}

Timed::~Timed() {
  if (!open_) return;
  const std::chrono::duration<double> took = Clock::now() - start_;
  const ir::SourceLine line{where_.file, where_.line};
  try {
    state().ledger.add(kind_, name_, {&line, 1}, bytes_, took.count());
  } catch (const std::bad_alloc&) {  // a row less; this may be the end of an OutOfMemory
  }
}

runtime::LaunchWatch launch_watch() {
  if (!state().ledger.open()) return {};
  return [](const runtime::LaunchLabel& label, std::int64_t bytes, double seconds) {
    runtime::LaunchNote note;
    label.write(&note);
    state().ledger.add(Measure::Kind::kernel, note.name, {note.lines.data(), note.count}, bytes,
                       seconds);
  };
}

}  // namespace kiln::inline v0::frontend
