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

extern "C" __global__ void __launch_bounds__(256) kiln_max_sub_exp_sum_08ef2412050c(int n0, int n1,
    const float* __restrict__ x0, float* __restrict__ out1) {
  float row0;
  float row1;
  float r0_acc;
  float r1_acc;
  const int block = blockIdx.x;
  const int thread = threadIdx.x;
  const int lane = thread % 32;
  const int row = block * 16 + thread / 16;
  const int t1 = lane % 16;
  r0_acc = -infinity_f32();
  const bool t2 = t1 < (row < n0 ? n1 : 0);
  const int t3 = min(row, n0 - 1) * n1 + t1;
  if (t2) {
    const float x0_i = x0[t3];
    row0 = x0_i;
    r0_acc = maximum(r0_acc, x0_i);
  }
  const int t4 = lane ^ 1;
  const float t5 = r0_acc;
  const float t6 = __shfl_sync(0xffffffff, t5, t4);
  r0_acc = maximum(t5, t6);
  const int t7 = lane ^ 2;
  const float t8 = r0_acc;
  const float t9 = __shfl_sync(0xffffffff, t8, t7);
  r0_acc = maximum(t8, t9);
  const int t10 = lane ^ 4;
  const float t11 = r0_acc;
  const float t12 = __shfl_sync(0xffffffff, t11, t10);
  r0_acc = maximum(t11, t12);
  const int t13 = lane ^ 8;
  const float t14 = r0_acc;
  const float t15 = __shfl_sync(0xffffffff, t14, t13);
  r0_acc = maximum(t14, t15);
  r1_acc = -0.0f;
  const float t16 = r0_acc;
  if (t2) {
    const float t17 = kiln_exp(row0 - t16);
    row1 = t17;
    r1_acc += t17;
  }
  const float t18 = r1_acc;
  const float t19 = __shfl_sync(0xffffffff, t18, t4);
  r1_acc = t18 + t19;
  const float t20 = r1_acc;
  const float t21 = __shfl_sync(0xffffffff, t20, t7);
  r1_acc = t20 + t21;
  const float t22 = r1_acc;
  const float t23 = __shfl_sync(0xffffffff, t22, t10);
  r1_acc = t22 + t23;
  const float t24 = r1_acc;
  const float t25 = __shfl_sync(0xffffffff, t24, t13);
  r1_acc = t24 + t25;
  const float t26 = r1_acc;
  if (t2) {
    out1[t3] = row1 / t26;
  }
}

