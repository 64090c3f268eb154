// What a CUDA compiler has built in, for emitted CUDA C compiled as C++. Included before the text.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <utility>

#define __global__
#define __device__ inline
#define __noinline__
#define __shared__ static
#define __launch_bounds__(threads)

struct ShimIndex {
  unsigned x, y, z;
};
// Set by the host program: see shim.cpp.
struct ShimState {
  ShimIndex thread, block, block_size, grid_size;
  void (*barrier)();
  std::uint64_t (*shuffle)(std::uint64_t bits, int source_lane);
};
extern "C" ShimState shim_state;
ShimState shim_state;
#define threadIdx (shim_state.thread)
#define blockIdx (shim_state.block)
#define blockDim (shim_state.block_size)
#define gridDim (shim_state.grid_size)

inline void __syncthreads() { shim_state.barrier(); }
template <class T>
T __shfl_sync(unsigned, T value, int source_lane) {
  std::uint64_t bits = 0;
  __builtin_memcpy(&bits, &value, sizeof(T));
  bits = shim_state.shuffle(bits, source_lane);
  __builtin_memcpy(&value, &bits, sizeof(T));
  return value;
}

inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline long long __double_as_longlong(double x) { return std::bit_cast<long long>(x); }
inline double __longlong_as_double(long long x) { return std::bit_cast<double>(x); }

inline int __clz(int x) { return std::countl_zero(static_cast<unsigned>(x)); }
inline int __clzll(long long x) { return std::countl_zero(static_cast<unsigned long long>(x)); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline int __popc(unsigned x) { return std::popcount(x); }
inline int __popcll(unsigned long long x) { return std::popcount(x); }

inline int __mulhi(int a, int b) { return static_cast<int>((1ll * a * b) >> 32); }
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>((1ull * a * b) >> 32);
}
inline long long __mul64hi(long long a, long long b) {
  return static_cast<long long>((static_cast<__int128>(a) * b) >> 64);
}
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return static_cast<unsigned long long>((static_cast<unsigned __int128>(a) * b) >> 64);
}

inline int min(int a, int b) { return b < a ? b : a; }
inline int max(int a, int b) { return a < b ? b : a; }
inline unsigned min(unsigned a, unsigned b) { return b < a ? b : a; }
inline unsigned max(unsigned a, unsigned b) { return a < b ? b : a; }
inline long long min(long long a, long long b) { return b < a ? b : a; }
inline long long max(long long a, long long b) { return a < b ? b : a; }
inline unsigned long long min(unsigned long long a, unsigned long long b) { return b < a ? b : a; }
inline unsigned long long max(unsigned long long a, unsigned long long b) { return a < b ? b : a; }

// Calls an entry with arguments given by their addresses.
template <class... A, std::size_t... i>
void shim_call(void (*entry)(A...), void* const* args, std::index_sequence<i...>) {
  entry(*static_cast<std::remove_const_t<A>*>(args[i])...);
}
template <class... A>
void shim_call(void (*entry)(A...), void* const* args) {
  shim_call(entry, args, std::index_sequence_for<A...>());
}
