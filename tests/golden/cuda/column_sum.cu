// column_sum = sum(x, 0)

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

extern "C" __global__ void __launch_bounds__(32) kiln_sum_a083d1201640(const float* __restrict__ x,
    float* __restrict__ column_sum, int rows, int columns) {
  float acc[4];
  const int block = blockIdx.x;
  const int thread = threadIdx.x;
  const int column = (block * 32 + thread) * 4;
  if (column < columns) {
#pragma unroll
    for (int k = 0; k < 4; ++k) acc[k] = 0.0f;
    for (int row = 0; row < rows; ++row) {
      const vec<float, 4> x4 = load<4>(&x[row * columns + column]);
#pragma unroll
      for (int k = 0; k < 4; ++k) acc[k] += x4[k];
    }
    vec<float, 4> acc4;
#pragma unroll
    for (int k = 0; k < 4; ++k) acc4[k] = acc[k];
    store(&column_sum[column], acc4);
  }
}
