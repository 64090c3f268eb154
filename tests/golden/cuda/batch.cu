// v15 = x2 * s0 + x1 * s1; v21 = x1 * x1 * s3 + abs(x3) * s2; v28 = x0 - v15 * s4 / (sqrt(v21) +
// s5); and 19 more alike

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

// The arguments of one member of the batch, and the number of its first block.
struct alignas(8) Member {
  const float* __restrict__ x0;
  const float* __restrict__ x1;
  float* __restrict__ out2;
  const float* __restrict__ x3;
  float* __restrict__ out4;
  const float* __restrict__ x5;
  float* __restrict__ out6;
  int n0;
  float s0;
  float s1;
  float s2;
  float s3;
  float s4;
  float s5;
  int first_block;
};
struct Batch {
  Member row[24];
};

extern "C" __global__ void __launch_bounds__(256) kiln_mul_add_abs_sqrt_fedf65ad2675(
    const __grid_constant__ Batch batch) {
  int member = 0;
  for (int step = 16; step > 0; step /= 2) {
    const int next = member + step;
    if (next < 24 && batch.row[next].first_block <= (int)blockIdx.x) member = next;
  }
  const int n0 = batch.row[member].n0;
  const float* __restrict__ x0 = batch.row[member].x0;
  const float s0 = batch.row[member].s0;
  const float* __restrict__ x1 = batch.row[member].x1;
  const float s1 = batch.row[member].s1;
  float* __restrict__ out2 = batch.row[member].out2;
  const float s2 = batch.row[member].s2;
  const float* __restrict__ x3 = batch.row[member].x3;
  const float s3 = batch.row[member].s3;
  float* __restrict__ out4 = batch.row[member].out4;
  const float* __restrict__ x5 = batch.row[member].x5;
  const float s4 = batch.row[member].s4;
  const float s5 = batch.row[member].s5;
  float* __restrict__ out6 = batch.row[member].out6;
  const int block = blockIdx.x - batch.row[member].first_block;
  const int thread = threadIdx.x;
  const int t1 = block * 1024 + thread * 4;
  if (t1 + 4 <= n0) {
    const vec<float, 4> x04 = load<4>(&x0[t1]);
    const vec<float, 4> x14 = load<4>(&x1[t1]);
    vec<float, 4> t2;
#pragma unroll
    for (int k = 0; k < 4; ++k) t2[k] = x04[k] * s0 + x14[k] * s1;
    store(&out2[t1], t2);
    const vec<float, 4> x34 = load<4>(&x3[t1]);
    vec<float, 4> t3;
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      t3[k] = x14[k] * x14[k] * s2 + fabsf(x34[k]) * s3;
    }
    store(&out4[t1], t3);
    const vec<float, 4> x54 = load<4>(&x5[t1]);
    vec<float, 4> out64;
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      out64[k] = x54[k] - t2[k] * s4 / (sqrtf(t3[k]) + s5);
    }
    store(&out6[t1], out64);
  } else {
#pragma unroll 1
    for (int i = t1; i < n0; ++i) {
      const float x0_i = x0[i];
      const float x1_i = x1[i];
      const float t4 = x0_i * s0 + x1_i * s1;
      out2[i] = t4;
      const float x3_i = x3[i];
      const float t5 = x1_i * x1_i * s2 + fabsf(x3_i) * s3;
      out4[i] = t5;
      const float x5_i = x5[i];
      out6[i] = x5_i - t4 * s4 / (sqrtf(t5) + s5);
    }
  }
}
