// softmax = exp(x - max(x, 1)) / sum(exp(x - max(x, 1)), 1)

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

extern "C" __global__ void __launch_bounds__(32) kiln_max_sub_exp_sum_5f53b143b607(
    const float* __restrict__ x, float* __restrict__ softmax, int columns) {
  float values[4];
  float total;
  const int block = blockIdx.x;
  const int t1 = block * columns;
  const int thread = threadIdx.x;
  total = -infinity_f32();
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int t2 = i * 32 + thread;
    const float x_i = t2 < columns ? x[t1 + t2] : -infinity_f32();
    values[i] = x_i;
    total = maximum(total, x_i);
  }
  const float t3 = total;
  const int t4 = thread ^ 1;
  const float t5 = __shfl_sync(0xffffffff, t3, t4);
  const float t6 = maximum(t3, t5);
  const int t7 = thread ^ 2;
  const float t8 = __shfl_sync(0xffffffff, t6, t7);
  const float t9 = maximum(t6, t8);
  const int t10 = thread ^ 4;
  const float t11 = __shfl_sync(0xffffffff, t9, t10);
  const float t12 = maximum(t9, t11);
  const int t13 = thread ^ 8;
  const float t14 = __shfl_sync(0xffffffff, t12, t13);
  const float t15 = maximum(t12, t14);
  const int t16 = thread ^ 16;
  const float t17 = __shfl_sync(0xffffffff, t15, t16);
  const float largest = maximum(t15, t17);
  total = 0.0f;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const float t18 = kiln_exp(values[i] - largest);
    values[i] = t18;
    total += t18;
  }
  const float t19 = total;
  const float t20 = __shfl_sync(0xffffffff, t19, t4);
  const float t21 = t19 + t20;
  const float t22 = __shfl_sync(0xffffffff, t21, t7);
  const float t23 = t21 + t22;
  const float t24 = __shfl_sync(0xffffffff, t23, t10);
  const float t25 = t23 + t24;
  const float t26 = __shfl_sync(0xffffffff, t25, t13);
  const float t27 = t25 + t26;
  const float t28 = __shfl_sync(0xffffffff, t27, t16);
  const float t29 = t27 + t28;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int t30 = i * 32 + thread;
    if (t30 < columns) softmax[t1 + t30] = values[i] / t29;
  }
}
