// Hand-written counterparts of what is measured. `plain` is compiled with -O3 -march=native
// -ffp-contract=off, `fast` is the same source with -ffast-math and vectors as wide as they come.
// `stream` is the bandwidth that memory gives to a mix of reads and writes: non-temporal stores.
#pragma once
#include <cstdint>

namespace bench {

namespace stream {
void copy(const float* a, float* out, std::int64_t begin, std::int64_t end);
void triad(const float* a, const float* b, float* out, std::int64_t begin, std::int64_t end);
float read(const float* a, std::int64_t begin, std::int64_t end);
// At least `operations` operations, half multiplications, half additions, in as many independent
// chains as keep the units busy.
float multiply_add(float seed, std::int64_t operations);
}  // namespace stream

struct Market {  // what Black-Scholes reads
  const float *spot, *strike, *years, *rate, *sigma;
};
struct Bodies {
  const float *x, *y, *z, *mass;
};
struct Field {
  float *x, *y, *z;
};

namespace plain {
#include "bench/native/hand_functions.def"
}
namespace fast {
#include "bench/native/hand_functions.def"
}

}  // namespace bench
