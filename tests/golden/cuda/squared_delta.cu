// out = (x - y) * (x - y) + (x - y)
// from heat.cpp:52, heat.cpp:53

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

extern "C" __global__ void __launch_bounds__(128) kiln_sub_mul_add_9b56e07a06f1(
    const float* __restrict__ x, const float* __restrict__ y, float* __restrict__ out, int n) {
  const int block = blockIdx.x;
  const int thread = threadIdx.x;
  const int i = (block * 128 + thread) * 4;
  if (i + 4 <= n) {
    const vec<float, 4> x4 = load<4>(&x[i]);
    const vec<float, 4> y4 = load<4>(&y[i]);
    vec<float, 4> out4;
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      const float delta = x4[k] - y4[k];  // heat.cpp:52
      out4[k] = delta * delta + delta;  // heat.cpp:53
    }
    store(&out[i], out4);
  } else {
    for (int j = i; j < n; ++j) {
      const float x_i = x[j];
      const float y_i = y[j];
      const float delta = x_i - y_i;  // heat.cpp:52
      out[j] = delta * delta + delta;  // heat.cpp:53
    }
  }
}
