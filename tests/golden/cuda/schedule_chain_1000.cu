// s0 * (s0 + s0 * (s0 + s0 * (s0 + s0 * (s0 + s0 * (s0 + s0 * (s0 + s0 * (s0 + s0 * (s0 + s0 * (s0
// + s0 * (x0 + s0))))))))))

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

template <class T, int N>
__device__ void store(T* p, const vec<T, N>& value) {
  *reinterpret_cast<vec<T, N>*>(p) = value;
}

extern "C" __global__ void __launch_bounds__(256) kiln_add_mul_e9c093b49f39(int n0,
    const float* __restrict__ x0, float s0, float* __restrict__ out1) {
  const int block = blockIdx.x;
  const int thread = threadIdx.x;
  const int t1 = block * 1024 + thread * 4;
  if (t1 + 4 <= n0) {
    const vec<float, 4> x04 = load<4>(&x0[t1]);
    vec<float, 4> out14;
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      const float t2 = (((((x04[k] + s0) * s0 + s0) * s0 + s0) * s0 + s0) * s0 + s0) * s0 + s0;
      out14[k] = ((((t2 * s0 + s0) * s0 + s0) * s0 + s0) * s0 + s0) * s0;
    }
    store(&out1[t1], out14);
  } else {
#pragma unroll 1
    for (int i = t1; i < n0; ++i) {
      const float x0_i = x0[i];
      const float t3 = (((((x0_i + s0) * s0 + s0) * s0 + s0) * s0 + s0) * s0 + s0) * s0 + s0;
      out1[i] = ((((t3 * s0 + s0) * s0 + s0) * s0 + s0) * s0 + s0) * s0;
    }
  }
}

