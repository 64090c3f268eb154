#include "runtime/stats.h"

namespace kiln::runtime {

namespace {

constexpr std::int64_t Stats::* kFields[] = {
    &Stats::launched,   &Stats::compiled,       &Stats::memory_hits, &Stats::disk_hits,
    &Stats::bytes_read, &Stats::bytes_written,  &Stats::uploads,     &Stats::upload_bytes,
    &Stats::downloads,  &Stats::download_bytes,
};
static_assert(sizeof(Stats) == sizeof(kFields) / sizeof(kFields[0]) * sizeof(std::int64_t));

}  // namespace

Stats& Stats::operator+=(const Stats& other) {
  for (const auto field : kFields) this->*field += other.*field;
  return *this;
}

Stats Stats::operator-(const Stats& other) const {
  Stats result = *this;
  for (const auto field : kFields) result.*field -= other.*field;
  return result;
}

Stats Counters::read() const {
  const auto get = [](const Counter& c) { return c.load(std::memory_order_relaxed); };
  return {get(launched),   get(compiled),      get(memory_hits), get(disk_hits),
          get(bytes_read), get(bytes_written), get(uploads),     get(upload_bytes),
          get(downloads),  get(download_bytes)};
}

}  // namespace kiln::runtime
