#include "frontend/compile_account.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "frontend/environment.h"
#include "frontend/state.h"

namespace kiln::inline v0::frontend {

namespace {

constexpr double kMuch = 2;  // seconds

double since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string place_text(Where where) {
  return where.line > 0 ? ir::to_text({where.file, where.line}) : std::string("no known line");
}

// The line with most graphs, and what to do about it.
std::string notice(const CompileReport& report) {
  const auto most = std::ranges::max_element(report.lines, {}, &CompileReport::Line::graphs);
  return fmt::format(
      "kiln: {:.1f} s went into planning and compiling {} different graphs so far, {} of them "
      "for {}. A line whose expression is another one each time is compiled each time: eval the "
      "parts that stay, or the state once a step. kiln::compile_report() tells more; KILN_QUIET=1 "
      "says nothing.\n",
      report.seconds, report.graphs, most->graphs, place_text(most->where));
}

}  // namespace

std::string CompileAccount::add(Where where, double seconds) {
  bool say = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++graphs_;
    seconds_ += seconds;
    std::pair<std::string, int> key(where.file != nullptr ? where.file : "", where.line);
    const auto known = totals_.find(key);
    if (known != totals_.end() || totals_.size() < kMost) {
      Total& total = totals_[std::move(key)];
      total.where = where;
      ++total.graphs;
      total.seconds += seconds;
    }
    say = !said_ && seconds_ > kMuch;
    said_ = said_ || say;
  }
  return say ? notice(report()) : "";
}

CompileReport CompileAccount::report() {
  CompileReport report;
  const std::lock_guard<std::mutex> lock(mutex_);
  report.seconds = seconds_;
  report.graphs = graphs_;
  for (const auto& [key, total] : totals_) {
    report.lines.push_back({total.where, total.graphs, total.seconds});
  }
  std::ranges::stable_sort(report.lines, std::greater(), &CompileReport::Line::seconds);
  return report;
}

CompileProgress::CompileProgress(const ir::Plan& plan, Where where)
    : where_(where),
      kernels_(plan.kernels.size()),
      shows_(!environment().quiet && isatty(STDERR_FILENO) == 1) {}

CompileProgress::~CompileProgress() {
  if (shown_) std::fputs("\r\x1b[K", stderr);
}

runtime::Compiler CompileProgress::counting(const runtime::Compiler& compiler) {
  if (!shows_) return compiler;
  return {[this, emit = compiler.emit](const ir::Kernel& kernel) {
            ir::KernelSource source = emit(kernel);
            step();
            return source;
          },
          compiler.version};
}

void CompileProgress::step() {
  const std::size_t done = ++done_;
  const double seconds = since(start_);
  if (seconds < kMuch) return;
  shown_ = true;
  std::fputs(fmt::format("\rkiln: compiling for {}: kernel {} of {}, {:.0f} s", place_text(where_),
                         done, kernels_, seconds)
                 .c_str(),
             stderr);
}

}  // namespace kiln::inline v0::frontend

namespace kiln::inline v0 {

CompileReport compile_report() { return frontend::state().compiles.report(); }

}  // namespace kiln::inline v0
