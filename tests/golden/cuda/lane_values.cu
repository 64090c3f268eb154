// N elements, read and written 16 bytes at a time.
template <class T, int N>
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) vec {
  T lane[N];
  __device__ T& operator[](int k) { return lane[k]; }
  __device__ const T& operator[](int k) const { return lane[k]; }
};

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
__device__ vec<T, N / 2> even(const vec<T, N>& a) {
  vec<T, N / 2> r;
#pragma unroll
  for (int k = 0; k < N / 2; ++k) r[k] = a[2 * k];
  return r;
}

template <class T, int N>
__device__ vec<T, N / 2> odd(const vec<T, N>& a) {
  vec<T, N / 2> r;
#pragma unroll
  for (int k = 0; k < N / 2; ++k) r[k] = a[2 * k + 1];
  return r;
}

struct bfloat16 {
  unsigned short bits;
};

__device__ float to_float(bfloat16 x) {
  return __uint_as_float((unsigned)x.bits << 16);
}

// To the nearest, ties to even.
__device__ bfloat16 to_bfloat16(float x) {
  const unsigned bits = __float_as_uint(x);
  const unsigned rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return {(unsigned short)(x == x ? rounded : 0x7fc0)};
}

template <class T, int N>
__device__ void store(T* p, const vec<T, N>& value) {
  *reinterpret_cast<vec<T, N>*>(p) = value;
}

extern "C" __global__ void __launch_bounds__(32) kiln_cast_mul_add_sub_53d7ab0ae246(
    const half* __restrict__ x, const unsigned char* __restrict__ y, half* __restrict__ evens,
    bfloat16* __restrict__ odds, half* __restrict__ first, double* __restrict__ held, long long n) {
  half keep[4];
  vec<double, 4> t1;
#pragma unroll
  for (int k = 0; k < 4; ++k) t1[k] = (double)k;
  const long long block = blockIdx.x;
  const long long thread = threadIdx.x;
  const long long t2 = block * 32 + thread;
  const long long t3 = t2 * 4;
  const long long t4 = t2 * 2;
  if (t3 < n) {
    vec<half, 4> x4;
    vec<half, 4> t5;
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      x4[k] = x[t3 + k];
      const unsigned char y4 = y[t3 + k];
      t5[k] = to_half(to_float(x4[k]) * round_to_half((float)y4));
    }
    const vec<half, 2> t6 = even(t5);
#pragma unroll
    for (int k = 0; k < 2; ++k) evens[t4 + k] = t6[k];
    const vec<half, 2> t7 = odd(t5);
#pragma unroll
    for (int k = 0; k < 2; ++k) {
      odds[t4 + k] = to_bfloat16(to_float(t7[k]));
    }
#pragma unroll
    for (int k = 0; k < 4; ++k) keep[k] = t5[k];
    keep[2] = to_half(to_float(t5[1]) + to_float(x4[2]));
    first[t2] = to_half(to_float(keep[2]) - to_float(keep[3]));
    vec<double, 4> held4;
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      const double t8 = (double)to_float(keep[k]);
      held4[k] = fma(t8, t1[k], t8);
    }
    store(&held[t3], held4);
  }
}
