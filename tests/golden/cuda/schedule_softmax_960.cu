// exp(x0 - max(x0, 1)) / sum(exp(x0 - max(x0, 1)), 1)

__device__ float infinity_f32() {
  return __uint_as_float(0x7f800000u);
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

// NaN if either is; -0 is less than +0.
__device__ float maximum(float a, float b) {
  const float other = a > b || a != a ? a : b;
  return a == b ? __int_as_float(__float_as_int(a) & __float_as_int(b)) : other;
}

__device__ int wrap_add(int a, int b) {
  return (int)((unsigned)a + (unsigned)b);
}

__device__ int wrap_sub(int a, int b) {
  return (int)((unsigned)a - (unsigned)b);
}

__device__ float kiln_exp(float x) {
  const float t1 = fmaf(x, 1.442695f, 12582912.0f);
  const float t2 = t1 - 12582912.0f;
  const float t3 = fmaf(t2, 1.9046542e-09f, fmaf(t2, -0.6931472f, x));
  const float t4 = fmaf(fmaf(0.0013824243f, t3, 0.008369003f), t3, 0.041668233f);
  const float t5 = fmaf(fmaf(fmaf(t4, t3, 0.16666518f), t3, 0.49999994f), t3, 1.0f);
  const float t6 = fmaf(t5, t3, 1.0f);
  float t7 = __int_as_float(wrap_add(__float_as_int(t6), __float_as_int(t1) << 23));
  if (!(fabsf(x) < 87.0f)) {
    const int t8 = wrap_sub(__float_as_int(t1), __float_as_int(12582912.0f));
    const int t9 = t8 >> 1;
    const float t10 = __int_as_float(wrap_add(wrap_sub(t8, t9), 127) << 23);
    const float t11 = t6 * __int_as_float(wrap_add(t9, 127) << 23) * t10;
    t7 = x < -104.0f ? 0.0f : 89.0f < x ? infinity_f32() : t11;
  }
  return t7;
}

template <class T, int N>
__device__ void store(T* p, const vec<T, N>& value) {
  *reinterpret_cast<vec<T, N>*>(p) = value;
}

extern "C" __global__ void __launch_bounds__(256) kiln_max_sub_exp_sum_26262dbd7944(int n0, int n1,
    const float* __restrict__ x0, float* __restrict__ out1) {
  float row0[32];
  float row1[32];
  float r0_acc[4];
  float r1_acc[4];
  const int block = blockIdx.x;
  const int thread = threadIdx.x;
  const int lane = thread % 32;
  const int row = block * 8 + thread / 32;
  const int t1 = lane * 4;
  const int t2 = row * n1;
  const int t3 = lane ^ 1;
  const int t4 = lane ^ 2;
  const int t5 = lane ^ 4;
  const int t6 = lane ^ 8;
  const int t7 = lane ^ 16;
  if (row < n0) {
#pragma unroll
    for (int k = 0; k < 4; ++k) r0_acc[k] = -infinity_f32();
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const int t8 = t1 + i * 128;
      if (t8 < n1) {
        const vec<float, 4> x04 = load<4>(&x0[t2 + t8]);
#pragma unroll
        for (int k = 0; k < 4; ++k) row0[i * 4 + k] = x04[k];
#pragma unroll
        for (int k = 0; k < 4; ++k) r0_acc[k] = maximum(r0_acc[k], x04[k]);
      }
    }
    const float t9 = maximum(maximum(r0_acc[0], r0_acc[1]), maximum(r0_acc[2], r0_acc[3]));
    r0_acc[0] = t9;
    const float r0_acc_i = r0_acc[0];
    const float t10 = __shfl_sync(0xffffffff, r0_acc_i, t3);
    r0_acc[0] = maximum(r0_acc_i, t10);
    const float r0_acc_i_2 = r0_acc[0];
    const float t11 = __shfl_sync(0xffffffff, r0_acc_i_2, t4);
    r0_acc[0] = maximum(r0_acc_i_2, t11);
    const float r0_acc_i_3 = r0_acc[0];
    const float t12 = __shfl_sync(0xffffffff, r0_acc_i_3, t5);
    r0_acc[0] = maximum(r0_acc_i_3, t12);
    const float r0_acc_i_4 = r0_acc[0];
    const float t13 = __shfl_sync(0xffffffff, r0_acc_i_4, t6);
    r0_acc[0] = maximum(r0_acc_i_4, t13);
    const float r0_acc_i_5 = r0_acc[0];
    const float t14 = __shfl_sync(0xffffffff, r0_acc_i_5, t7);
    r0_acc[0] = maximum(r0_acc_i_5, t14);
    const float r0_acc_i_6 = r0_acc[0];
#pragma unroll
    for (int k = 0; k < 4; ++k) r1_acc[k] = -0.0f;
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const int t15 = i * 4;
      if (t1 + i * 128 < n1) {
        vec<float, 4> t16;
#pragma unroll
        for (int k = 0; k < 4; ++k) {
          t16[k] = kiln_exp(row0[t15 + k] - r0_acc_i_6);
          row1[t15 + k] = t16[k];
        }
#pragma unroll
        for (int k = 0; k < 4; ++k) r1_acc[k] += t16[k];
      }
    }
    r1_acc[0] = r1_acc[0] + r1_acc[1] + (r1_acc[2] + r1_acc[3]);
    const float r1_acc_i = r1_acc[0];
    const float t17 = __shfl_sync(0xffffffff, r1_acc_i, t3);
    r1_acc[0] = r1_acc_i + t17;
    const float r1_acc_i_2 = r1_acc[0];
    const float t18 = __shfl_sync(0xffffffff, r1_acc_i_2, t4);
    r1_acc[0] = r1_acc_i_2 + t18;
    const float r1_acc_i_3 = r1_acc[0];
    const float t19 = __shfl_sync(0xffffffff, r1_acc_i_3, t5);
    r1_acc[0] = r1_acc_i_3 + t19;
    const float r1_acc_i_4 = r1_acc[0];
    const float t20 = __shfl_sync(0xffffffff, r1_acc_i_4, t6);
    r1_acc[0] = r1_acc_i_4 + t20;
    const float r1_acc_i_5 = r1_acc[0];
    const float t21 = __shfl_sync(0xffffffff, r1_acc_i_5, t7);
    r1_acc[0] = r1_acc_i_5 + t21;
    const float r1_acc_i_6 = r1_acc[0];
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const int t22 = t1 + i * 128;
      if (t22 < n1) {
        vec<float, 4> out14;
#pragma unroll
        for (int k = 0; k < 4; ++k) out14[k] = row1[i * 4 + k] / r1_acc_i_6;
        store(&out1[t2 + t22], out14);
      }
    }
  }
}

