// What Stats counts, by name: for differences and for JSON.
#pragma once
#include <cstdint>
#include <iterator>

#include "kiln/evaluate.h"

namespace kiln::inline v0::frontend {

struct Counter {
  const char* name;
  std::int64_t Stats::* member;
};
inline constexpr Counter kCounters[] = {{"launched", &Stats::launched},
                                        {"compiled", &Stats::compiled},
                                        {"memory_hits", &Stats::memory_hits},
                                        {"disk_hits", &Stats::disk_hits},
                                        {"plans_built", &Stats::plans_built},
                                        {"plans_reused", &Stats::plans_reused},
                                        {"recomputed", &Stats::recomputed},
                                        {"bytes_read", &Stats::bytes_read},
                                        {"bytes_written", &Stats::bytes_written},
                                        {"uploads", &Stats::uploads},
                                        {"upload_bytes", &Stats::upload_bytes},
                                        {"downloads", &Stats::downloads},
                                        {"download_bytes", &Stats::download_bytes}};
// live_bytes and peak_bytes count nothing.
static_assert(sizeof(Stats) == (std::size(kCounters) + 2) * sizeof(std::int64_t));

template <class Json>
void add_counters(Json& json, const Stats& stats) {
  for (const Counter& c : kCounters) json[c.name] = stats.*c.member;
}

}  // namespace kiln::inline v0::frontend
