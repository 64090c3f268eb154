// exp(x0 - max(x0, 1)) / sum(exp(x0 - max(x0, 1)), 1)

__device__ float infinity_f32() {
  return __uint_as_float(0x7f800000u);
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

extern "C" __global__ void __launch_bounds__(256) kiln_max_sub_exp_sum_b3322cfafee0(int n0, int n1,
    const float* __restrict__ x0, float* __restrict__ out1) {
  float row0[32];
  float row1[32];
  float r0_acc[4];
  float r1_acc[4];
  const int block = blockIdx.x;
  const int thread = threadIdx.x;
  const int lane = thread % 32;
  const int row = block * 8 + thread / 32;
  const int t1 = row * n1;
  const int t2 = lane ^ 1;
  const int t3 = lane ^ 2;
  const int t4 = lane ^ 4;
  const int t5 = lane ^ 8;
  const int t6 = lane ^ 16;
  if (row < n0) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int t7 = i * 32 + lane;
      r0_acc[i] = -infinity_f32();
      const int t8 = i * 8;
#pragma unroll
      for (int j = 0; j < 8; ++j) {
        const int t9 = t7 + j * 128;
        if (t9 < n1) {
          const float x0_i = x0[t1 + t9];
          row0[t8 + j] = x0_i;
          r0_acc[i] = maximum(r0_acc[i], x0_i);
        }
      }
      const float r0_acc_i = r0_acc[i];
      const float t10 = __shfl_sync(0xffffffff, r0_acc_i, t2);
      r0_acc[i] = maximum(r0_acc_i, t10);
      const float r0_acc_i_2 = r0_acc[i];
      const float t11 = __shfl_sync(0xffffffff, r0_acc_i_2, t3);
      r0_acc[i] = maximum(r0_acc_i_2, t11);
      const float r0_acc_i_3 = r0_acc[i];
      const float t12 = __shfl_sync(0xffffffff, r0_acc_i_3, t4);
      r0_acc[i] = maximum(r0_acc_i_3, t12);
      const float r0_acc_i_4 = r0_acc[i];
      const float t13 = __shfl_sync(0xffffffff, r0_acc_i_4, t5);
      r0_acc[i] = maximum(r0_acc_i_4, t13);
      const float r0_acc_i_5 = r0_acc[i];
      const float t14 = __shfl_sync(0xffffffff, r0_acc_i_5, t6);
      r0_acc[i] = maximum(r0_acc_i_5, t14);
    }
    const float t15 = maximum(maximum(r0_acc[0], r0_acc[1]), maximum(r0_acc[2], r0_acc[3]));
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int t16 = i * 32 + lane;
      r1_acc[i] = -0.0f;
      const int t17 = i * 8;
#pragma unroll
      for (int j = 0; j < 8; ++j) {
        const int t18 = t17 + j;
        if (t16 + j * 128 < n1) {
          const float t19 = kiln_exp(row0[t18] - t15);
          row1[t18] = t19;
          r1_acc[i] += t19;
        }
      }
      const float r1_acc_i = r1_acc[i];
      const float t20 = __shfl_sync(0xffffffff, r1_acc_i, t2);
      r1_acc[i] = r1_acc_i + t20;
      const float r1_acc_i_2 = r1_acc[i];
      const float t21 = __shfl_sync(0xffffffff, r1_acc_i_2, t3);
      r1_acc[i] = r1_acc_i_2 + t21;
      const float r1_acc_i_3 = r1_acc[i];
      const float t22 = __shfl_sync(0xffffffff, r1_acc_i_3, t4);
      r1_acc[i] = r1_acc_i_3 + t22;
      const float r1_acc_i_4 = r1_acc[i];
      const float t23 = __shfl_sync(0xffffffff, r1_acc_i_4, t5);
      r1_acc[i] = r1_acc_i_4 + t23;
      const float r1_acc_i_5 = r1_acc[i];
      const float t24 = __shfl_sync(0xffffffff, r1_acc_i_5, t6);
      r1_acc[i] = r1_acc_i_5 + t24;
    }
    const float t25 = r1_acc[0] + r1_acc[1] + (r1_acc[2] + r1_acc[3]);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int t26 = i * 32 + lane;
      const int t27 = i * 8;
#pragma unroll
      for (int j = 0; j < 8; ++j) {
        const int t28 = t26 + j * 128;
        if (t28 < n1) {
          out1[t1 + t28] = row1[t27 + j] / t25;
        }
      }
    }
  }
}

