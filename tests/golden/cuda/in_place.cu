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

extern "C" __global__ void __launch_bounds__(32) kiln_cast_mul_add_ff54a53fe749(float* x,
    const double* __restrict__ y, const bool* __restrict__ mask, double* __restrict__ out, int n) {
  const int block = blockIdx.x;
  const int thread = threadIdx.x;
  const int t1 = (block * 32 + thread) * 4;
  if (t1 + 4 <= n) {
    const vec<bool, 4> mask4 = load<4>(&mask[t1]);
    vec<double, 4> y4;
    vec<double, 4> t2;
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      const float x4 = x[t1 + k];
      y4[k] = mask4[k] ? y[t1 + k] : 1.5;
      t2[k] = (double)x4;
      x[t1 + k] = x4 * x4;
    }
    vec<double, 4> out4;
#pragma unroll
    for (int k = 0; k < 4; ++k) out4[k] = y4[k] + t2[k];
    store(&out[t1], out4);
  }
}
