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

template <int N>
__device__ bool any(const vec<bool, N>& mask) {
  bool r = false;
#pragma unroll
  for (int k = 0; k < N; ++k) r = r || mask[k];
  return r;
}

template <class T, int N>
__device__ void store(T* p, const vec<T, N>& value) {
  *reinterpret_cast<vec<T, N>*>(p) = value;
}

extern "C" __global__ void __launch_bounds__(32) kiln_mul_sub_sqrt_add_8e055c4ebeb4(
    const float* __restrict__ x, const half* __restrict__ h, float* __restrict__ out,
    half* __restrict__ half_out, float* __restrict__ wide) {
  const int thread = threadIdx.x;
  const float x_i = x[thread];
  const float t1 = x_i * x_i;
  float t2 = t1;
  if (2.0f < x_i) {
    const float t3 = x_i - 2.0f;
    float t4 = t3;
    if (2.0f < t3) {
      t4 = sqrtf(t3);
    }
    t2 = t4 + t1;
  }
  out[thread] = t2;
  const float h_i = to_float(h[thread]);
  float t5 = h_i;
  if (h_i < 1.0f) {
    t5 = round_to_half(1.0f / h_i);
  }
  half_out[thread] = to_half(t5);
  const int t6 = thread * 4;
  const vec<float, 4> x4 = load<4>(&x[t6]);
  vec<bool, 4> t7;
#pragma unroll
  for (int k = 0; k < 4; ++k) t7[k] = 2.0f < x4[k];
  vec<float, 4> t8 = x4;
  if (any(t7)) {
    vec<float, 4> t9;
#pragma unroll
    for (int k = 0; k < 4; ++k) t9[k] = 2.0f / x4[k];
#pragma unroll
    for (int k = 0; k < 4; ++k) if (t7[k]) t8[k] = t9[k];
  }
  store(&wide[t6], t8);
}
