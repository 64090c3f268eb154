// (x0 - sum(x0, 1) / 3000) / sqrt(sum((x0 - sum(x0, 1) / 3000) * (x0 - sum(x0, 1) / 3000), 1) /
// 3000 + 1e-05)

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

extern "C" __global__ void __launch_bounds__(128) kiln_sum_add_div_sub_cda54e602d52(int n0, int n1,
    const float* __restrict__ x0, float* __restrict__ out1) {
  float row0[32];
  float r0_acc[4];
  __shared__ float r0_warp[4];
  float r1_acc[4];
  __shared__ float r1_warp[4];
  const int block = blockIdx.x;
  const int t1 = block * n1;
  const int thread = threadIdx.x;
  const int lane = thread % 32;
  const int warp = thread / 32;
  const int t2 = warp * 1024;
  const int t3 = t2 + lane * 4;
  const int t4 = min(t2 + 1024, n1);
#pragma unroll
  for (int k = 0; k < 4; ++k) r0_acc[k] = -0.0f;
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const int t5 = t3 + i * 128;
    if (t5 < t4) {
      const vec<float, 4> x04 = load<4>(&x0[t1 + t5]);
#pragma unroll
      for (int k = 0; k < 4; ++k) row0[i * 4 + k] = x04[k];
#pragma unroll
      for (int k = 0; k < 4; ++k) r0_acc[k] += x04[k];
    }
  }
  r0_acc[0] = r0_acc[0] + r0_acc[1] + (r0_acc[2] + r0_acc[3]);
  const int t6 = lane ^ 1;
  const float r0_acc_i = r0_acc[0];
  const float t7 = __shfl_sync(0xffffffff, r0_acc_i, t6);
  r0_acc[0] = r0_acc_i + t7;
  const int t8 = lane ^ 2;
  const float r0_acc_i_2 = r0_acc[0];
  const float t9 = __shfl_sync(0xffffffff, r0_acc_i_2, t8);
  r0_acc[0] = r0_acc_i_2 + t9;
  const int t10 = lane ^ 4;
  const float r0_acc_i_3 = r0_acc[0];
  const float t11 = __shfl_sync(0xffffffff, r0_acc_i_3, t10);
  r0_acc[0] = r0_acc_i_3 + t11;
  const int t12 = lane ^ 8;
  const float r0_acc_i_4 = r0_acc[0];
  const float t13 = __shfl_sync(0xffffffff, r0_acc_i_4, t12);
  r0_acc[0] = r0_acc_i_4 + t13;
  const int t14 = lane ^ 16;
  const float r0_acc_i_5 = r0_acc[0];
  const float t15 = __shfl_sync(0xffffffff, r0_acc_i_5, t14);
  r0_acc[0] = r0_acc_i_5 + t15;
  const bool t16 = lane == 0;
  const float r0_acc_i_6 = r0_acc[0];
  if (t16) {
    r0_warp[warp] = r0_acc_i_6;
  }
  __syncthreads();
  const float t17 = (r0_warp[0] + r0_warp[1] + (r0_warp[2] + r0_warp[3])) / 3000.0f;
#pragma unroll
  for (int k = 0; k < 4; ++k) r1_acc[k] = -0.0f;
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    if (t3 + i * 128 < t4) {
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        const float t18 = row0[i * 4 + k] - t17;
        r1_acc[k] += t18 * t18;
      }
    }
  }
  r1_acc[0] = r1_acc[0] + r1_acc[1] + (r1_acc[2] + r1_acc[3]);
  const float r1_acc_i = r1_acc[0];
  const float t19 = __shfl_sync(0xffffffff, r1_acc_i, t6);
  r1_acc[0] = r1_acc_i + t19;
  const float r1_acc_i_2 = r1_acc[0];
  const float t20 = __shfl_sync(0xffffffff, r1_acc_i_2, t8);
  r1_acc[0] = r1_acc_i_2 + t20;
  const float r1_acc_i_3 = r1_acc[0];
  const float t21 = __shfl_sync(0xffffffff, r1_acc_i_3, t10);
  r1_acc[0] = r1_acc_i_3 + t21;
  const float r1_acc_i_4 = r1_acc[0];
  const float t22 = __shfl_sync(0xffffffff, r1_acc_i_4, t12);
  r1_acc[0] = r1_acc_i_4 + t22;
  const float r1_acc_i_5 = r1_acc[0];
  const float t23 = __shfl_sync(0xffffffff, r1_acc_i_5, t14);
  r1_acc[0] = r1_acc_i_5 + t23;
  const float r1_acc_i_6 = r1_acc[0];
  if (t16) {
    r1_warp[warp] = r1_acc_i_6;
  }
  __syncthreads();
  const float t24 = (r1_warp[0] + r1_warp[1] + (r1_warp[2] + r1_warp[3])) / 3000.0f + 1e-05f;
  const float t25 = sqrtf(t24);
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const int t26 = t3 + i * 128;
    if (t26 < t4) {
      vec<float, 4> out14;
#pragma unroll
      for (int k = 0; k < 4; ++k) out14[k] = (row0[i * 4 + k] - t17) / t25;
      store(&out1[t1 + t26], out14);
    }
  }
}

