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
__device__ vec<T, 2 * N> join(const vec<T, N>& a, const vec<T, N>& b) {
  vec<T, 2 * N> r;
#pragma unroll
  for (int k = 0; k < N; ++k) r[k] = a[k], r[N + k] = b[k];
  return r;
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

__device__ int wrap_add(int a, int b) {
  return (int)((unsigned)a + (unsigned)b);
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

__device__ int wrap_sub(int a, int b) {
  return (int)((unsigned)a - (unsigned)b);
}

extern "C" __global__ void __launch_bounds__(32) kiln_add_lt_sub_08dfaa410176(
    const int* __restrict__ x, int* __restrict__ out, bool* __restrict__ some) {
  alignas(16) __shared__ int tile[256];
  const int block = blockIdx.x;
  const int thread = threadIdx.x;
  const int t1 = block * 32 + thread;
  const int t2 = t1 * 8;
  const vec<int, 4> x4 = load<4>(&x[t2]);
  const vec<int, 4> x4_2 = load<4>(&x[t2 + 4]);
  const vec<int, 8> t3 = join(x4, x4_2);
  const vec<int, 4> t4 = even(t3);
  const vec<int, 4> t5 = odd(t3);
  vec<int, 4> tile4;
  vec<bool, 4> t6;
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    tile4[k] = wrap_add(t4[k], t5[k]);
    t6[k] = tile4[k] < 0;
  }
  some[t1] = any(t6);
  store(&tile[thread * 4], tile4);
  __syncthreads();
  vec<int, 4> tile4_2;
#pragma unroll
  for (int k = 0; k < 4; ++k) tile4_2[k] = tile[k * 32 + thread];
  const int t7 = wrap_add(tile4_2[0], tile4_2[3]);
#pragma unroll
  for (int k = 0; k < 4; ++k) out[t2 + k * 2] = wrap_sub(tile4_2[k], t7);
}
