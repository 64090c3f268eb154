#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "bench/native/hand.h"

namespace bench::stream {

namespace {

#if defined(__AVX512F__)
constexpr std::int64_t kLanes = 16;
using Vector = __m512;
Vector load(const float* at) { return _mm512_loadu_ps(at); }
void store(float* at, Vector value) { _mm512_stream_ps(at, value); }
Vector multiply_add(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
void fence() { _mm_sfence(); }
#elif defined(__AVX__)
constexpr std::int64_t kLanes = 8;
using Vector = __m256;
Vector load(const float* at) { return _mm256_loadu_ps(at); }
void store(float* at, Vector value) { _mm256_stream_ps(at, value); }
#if defined(__FMA__)
Vector multiply_add(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
#else
Vector multiply_add(Vector a, Vector b, Vector c) { return a * b + c; }
#endif
void fence() { _mm_sfence(); }
#else
constexpr std::int64_t kLanes = 1;
using Vector = float;
Vector load(const float* at) { return *at; }
void store(float* at, Vector value) { *at = value; }
Vector multiply_add(Vector a, Vector b, Vector c) { return a * b + c; }
void fence() {}
#endif

}  // namespace

void copy(const float* a, float* out, std::int64_t begin, std::int64_t end) {
  for (std::int64_t i = begin; i < end; i += kLanes) store(out + i, load(a + i));
  fence();
}

void triad(const float* a, const float* b, float* out, std::int64_t begin, std::int64_t end) {
  for (std::int64_t i = begin; i < end; i += kLanes) store(out + i, load(a + i) + load(b + i));
  fence();
}

float read(const float* a, std::int64_t begin, std::int64_t end) {
  constexpr std::int64_t kSums = 8;
  Vector sums[kSums] = {};
  for (std::int64_t i = begin; i < end; i += kSums * kLanes) {
    for (std::int64_t k = 0; k < kSums; ++k) sums[k] += load(a + i + k * kLanes);
  }
  float lanes[kLanes] = {};
  for (std::int64_t k = 1; k < kSums; ++k) sums[0] += sums[k];
  __builtin_memcpy(lanes, &sums[0], sizeof(lanes));
  float total = 0;
  for (const float lane : lanes) total += lane;
  return total;
}

float multiply_add(float seed, std::int64_t operations) {
  constexpr std::int64_t kChains = 12;
  Vector chain[kChains];
  for (std::int64_t k = 0; k < kChains; ++k) chain[k] = Vector{} + (seed + static_cast<float>(k));
  const Vector factor = Vector{} + 0.999f, term = Vector{} + 0.001f;
  for (std::int64_t done = 0; done < operations; done += 2 * kChains * kLanes) {
#pragma GCC unroll 12
    for (std::int64_t k = 0; k < kChains; ++k) chain[k] = multiply_add(chain[k], factor, term);
  }
  float lanes[kLanes];
  for (std::int64_t k = 1; k < kChains; ++k) chain[0] += chain[k];
  __builtin_memcpy(lanes, &chain[0], sizeof(lanes));
  float total = 0;
  for (const float lane : lanes) total += lane;
  return total;
}

}  // namespace bench::stream
