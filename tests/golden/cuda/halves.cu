struct bfloat16 {
  unsigned short bits;
};

__device__ float to_float(bfloat16 x) {
  return __uint_as_float((unsigned)x.bits << 16);
}

// N elements, read and written 16 bytes at a time.
template <class T, int N>
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) vec {
  T lane[N];
  __device__ T& operator[](int k) { return lane[k]; }
  __device__ const T& operator[](int k) const { return lane[k]; }
};

template <int N, class T>
__device__ vec<T, N> load(const T* p) {
  return *reinterpret_cast<const vec<T, N>*>(p);
}

struct half {
  unsigned short bits;
};

__device__ float to_float(half x) {
#ifdef __CUDA_ARCH__
  float r;
  asm("cvt.f32.f16 %0, %1;" : "=f"(r) : "h"(x.bits));
  return r;
#else
  return __builtin_bit_cast(_Float16, x);
#endif
}

// To the nearest, ties to even.
__device__ half to_half(float x) {
  half r;
#ifdef __CUDA_ARCH__
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(r.bits) : "f"(x));
#else
  r.bits = __builtin_bit_cast(unsigned short, (_Float16)x);
#endif
  return r;
}

__device__ float round_to_half(float x) {
  return to_float(to_half(x));
}

template <class T, int N>
__device__ void store(T* p, const vec<T, N>& value) {
  *reinterpret_cast<vec<T, N>*>(p) = value;
}

// To the nearest, ties to even.
__device__ bfloat16 to_bfloat16(float x) {
  const unsigned bits = __float_as_uint(x);
  const unsigned rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return {(unsigned short)(x == x ? rounded : 0x7fc0)};
}

__device__ float round_to_bfloat16(float x) {
  return to_float(to_bfloat16(x));
}

extern "C" __global__ void __launch_bounds__(64) kiln_cast_mul_add_div_62b602e64c0f(
    const half* __restrict__ x, const bfloat16* __restrict__ w, half* __restrict__ out,
    bfloat16* __restrict__ wide, int n, bfloat16 s) {
  const int block = blockIdx.x;
  const int thread = threadIdx.x;
  const int t1 = (block * 64 + thread) * 8;
  if (t1 < n) {
    const vec<half, 8> x8 = load<8>(&x[t1]);
    const vec<bfloat16, 8> w8 = load<8>(&w[t1]);
    vec<half, 8> out8;
#pragma unroll
    for (int k = 0; k < 8; ++k) {
      const float t2 = round_to_half(to_float(x8[k]) * round_to_half(to_float(w8[k])));
      out8[k] = to_half(t2 + 0.099975586f);
    }
    store(&out[t1], out8);
    vec<bfloat16, 8> wide8;
#pragma unroll
    for (int k = 0; k < 8; ++k) {
      const float t3 = fabsf(round_to_bfloat16(to_float(w8[k]) / to_float(s)));
      wide8[k] = to_bfloat16(sqrtf(t3));
    }
    store(&wide[t1], wide8);
  }
}
