#include <exception>

#include "frontend/access.h"
#include "frontend/complaint.h"
#include "frontend/counters.h"
#include "frontend/devices.h"
#include "frontend/environment.h"
#include "frontend/state.h"
#include "frontend/translate.h"
#include "ir/mutant.h"
#include "kiln/evaluate.h"

namespace kiln::inline v0 {

using frontend::Access;
using frontend::context;

Scope::Scope(const Options& options) {
  frontend::Context& c = context();
  if (c.device >= 0) saved_.device = Access::device(static_cast<std::uint16_t>(c.device));
  saved_.math = c.math;
  saved_.transfers = c.transfers;
  saved_.mode = c.mode;
  saved_.nan = c.nan;
  saved_.fusion = c.fusion;
  saved_.flush_after = c.flush_after;
  saved_.flush_bytes = c.flush_bytes;
  saved_.compile_budget = c.compile_budget;
  if (options.device) c.device = Access::id(*options.device);
  if (options.math) c.math = *options.math;
  if (options.transfers) c.transfers = *options.transfers;
  if (options.mode) c.mode = *options.mode;
  if (options.nan) c.nan = *options.nan;
  if (options.fusion) c.fusion = *options.fusion;
  if (options.flush_after) c.flush_after = *options.flush_after;
  if (options.flush_bytes) c.flush_bytes = *options.flush_bytes;
  if (options.compile_budget) c.compile_budget = *options.compile_budget;
  c.flush_look = 0;
}

Scope::~Scope() {
  frontend::Context& c = context();
  c.device = saved_.device ? static_cast<std::int32_t>(Access::id(*saved_.device)) : -1;
  c.math = *saved_.math;
  c.transfers = *saved_.transfers;
  if (!mutant(ir::Mutant::scope_left)) c.mode = *saved_.mode;
  c.nan = *saved_.nan;
  c.fusion = *saved_.fusion;
  c.flush_after = *saved_.flush_after;
  c.flush_bytes = *saved_.flush_bytes;
  c.compile_budget = *saved_.compile_budget;
  c.flush_look = 0;
}

LineScope::LineScope(Where where) : outermost_(context().line_scopes++ == 0) {
  if (outermost_) context().line = where;
}
LineScope::~LineScope() { --context().line_scopes; }

void synchronize(Where where) {
  std::exception_ptr failed;  // the first: every device is waited for
  for (runtime::Device* device : frontend::registry().devices()) {
    try {
      device->synchronize();
    } catch (...) {
      if (!failed) failed = std::current_exception();
    }
  }
  if (failed) frontend::translated("sync", where, [&] { std::rethrow_exception(failed); });
}

Stats Stats::operator-(const Stats& b) const {
  Stats d = *this;
  for (const frontend::Counter& c : frontend::kCounters) d.*c.member -= b.*c.member;
  return d;
}

Stats stats() {
  runtime::Stats sum;
  Stats result;
  for (runtime::Device* device : frontend::registry().devices()) {
    sum += device->counters().read();
    const runtime::MemoryStats memory = device->memory();
    result.live_bytes += memory.live;
    result.peak_bytes += memory.peak;
  }
  frontend::State& s = frontend::state();
  result.launched = sum.launched;
  result.compiled = sum.compiled;
  result.memory_hits = sum.memory_hits;
  result.disk_hits = sum.disk_hits;
  result.plans_built = s.plans_built.load(std::memory_order_relaxed);
  result.plans_reused = s.plans_reused.load(std::memory_order_relaxed);
  result.recomputed = s.recomputed.load(std::memory_order_relaxed);
  result.bytes_read = sum.bytes_read;
  result.bytes_written = sum.bytes_written;
  result.uploads = sum.uploads;
  result.upload_bytes = sum.upload_bytes;
  result.downloads = sum.downloads;
  result.download_bytes = sum.download_bytes;
  return result;
}

void reset_peak() {
  for (runtime::Device* device : frontend::registry().devices()) device->reset_peak();
}

std::vector<Transfer> transfers() { return frontend::state().transfers(); }

}  // namespace kiln::inline v0
