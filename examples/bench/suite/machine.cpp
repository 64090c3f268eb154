// The ceilings of the roofline: bandwidth of reading alone, of two reads and a write, and the rate
// of independent multiply-adds.
#include "bench/native/hand.h"
#include "bench/suite/peer.h"

namespace bench {

namespace {

std::optional<Program> make(const Problem& p) {
  const std::int64_t n = p.dim(0);
  if (p.name == "triad") {
    return writing({n}, [=, &p](const Pointers& out) -> Run {
      return [=, &p] {
        share(n, 64, [&](std::int64_t begin, std::int64_t end) {
          stream::triad(p.in(0), p.in(1), out[0], begin, end);
        });
      };
    });
  }
  if (p.name == "read" || p.name == "arithmetic") {
    const bool reads = p.name == "read";
    return writing({1}, [=, &p](const Pointers& out) -> Run {
      return [=, &p] {
        share(n, 64, [&](std::int64_t begin, std::int64_t end) {
          const float some = reads ? stream::read(p.in(0), begin, end)
                                   : stream::multiply_add(p.in(0)[0], end - begin);
          benchmark::DoNotOptimize(some);
        });
        out[0][0] = 0;
      };
    });
  }
  return std::nullopt;
}

}  // namespace

Peer machine_peer() { return {"machine", "non-temporal stores, independent multiply-adds", make}; }

}  // namespace bench
