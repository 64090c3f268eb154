// sum(select(index(1) == (x1 & 255), x0 - max(x0, 1) - log(sum(exp(x0 - max(x0, 1)), 1)), 0), 1)

__device__ float infinity_f32() {
  return __uint_as_float(0x7f800000u);
}

__device__ float nan_f32() {
  return __uint_as_float(0x7fc00000u);
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

__device__ float kiln_log(float x) {
  const int t1 = __float_as_int(x);
  const bool t2 = 2130706432u <= (unsigned)wrap_sub(t1, 8388608);
  int t3 = t1;
  if (t2) {
    t3 = wrap_sub(__float_as_int(x * 8388608.0f), 192937984);
  }
  const int t4 = wrap_sub(t3, 1060439283) >> 23;
  const float t5 = __int_as_float(wrap_sub(t3, t4 << 23)) - 1.0f;
  const float t6 = fmaf(fmaf(-0.075628884f, t5, 0.12721641f), t5, -0.13171089f);
  const float t7 = fmaf(fmaf(fmaf(t6, t5, 0.14209391f), t5, -0.16622895f), t5, 0.20000765f);
  const float t8 = fmaf(fmaf(fmaf(t7, t5, -0.25000826f), t5, 0.3333334f), t5, -0.5f);
  const float t9 = fmaf((float)t4, 0.6931472f, fmaf(t5 * t5, t8, t5));
  float t10 = t9;
  if (t2) {
    const float t11 = x == 0.0f ? -infinity_f32() : x < infinity_f32() ? t9 : x;
    t10 = x < 0.0f ? nan_f32() : t11;
  }
  return t10;
}

extern "C" __global__ void __launch_bounds__(128) sum(int n0, int n1, const int* __restrict__ x0,
    const float* __restrict__ x1, float* __restrict__ out2) {
  float row0[32];
  __shared__ int given0;
  float r0_acc[4];
  __shared__ float r0_warp[4];
  float r1_acc[4];
  __shared__ float r1_warp[4];
  float r2_acc[4];
  __shared__ float r2_warp[4];
  const int block = blockIdx.x;
  const int t1 = block * n1;
  const int thread = threadIdx.x;
  const int lane = thread % 32;
  const int warp = thread / 32;
  const bool t2 = thread == 0;
  const int x0_i = t2 ? x0[block] : 0;
  const int t3 = warp * 1024;
  const int t4 = min(t3 + 1024, n1);
  const int t5 = lane ^ 1;
  const int t6 = lane ^ 2;
  const int t7 = lane ^ 4;
  const int t8 = lane ^ 8;
  const int t9 = lane ^ 16;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int t10 = t3 + i * 32 + lane;
    r0_acc[i] = -infinity_f32();
    const int t11 = i * 8;
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      const int t12 = t10 + j * 128;
      if (t12 < t4) {
        const float x1_i = x1[t1 + t12];
        row0[t11 + j] = x1_i;
        r0_acc[i] = maximum(r0_acc[i], x1_i);
      }
    }
    const float r0_acc_i = r0_acc[i];
    const float t13 = __shfl_sync(0xffffffff, r0_acc_i, t5);
    r0_acc[i] = maximum(r0_acc_i, t13);
    const float r0_acc_i_2 = r0_acc[i];
    const float t14 = __shfl_sync(0xffffffff, r0_acc_i_2, t6);
    r0_acc[i] = maximum(r0_acc_i_2, t14);
    const float r0_acc_i_3 = r0_acc[i];
    const float t15 = __shfl_sync(0xffffffff, r0_acc_i_3, t7);
    r0_acc[i] = maximum(r0_acc_i_3, t15);
    const float r0_acc_i_4 = r0_acc[i];
    const float t16 = __shfl_sync(0xffffffff, r0_acc_i_4, t8);
    r0_acc[i] = maximum(r0_acc_i_4, t16);
    const float r0_acc_i_5 = r0_acc[i];
    const float t17 = __shfl_sync(0xffffffff, r0_acc_i_5, t9);
    r0_acc[i] = maximum(r0_acc_i_5, t17);
  }
  const bool t18 = lane == 0;
  const float t19 = maximum(maximum(r0_acc[0], r0_acc[1]), maximum(r0_acc[2], r0_acc[3]));
  if (t18) {
    r0_warp[warp] = t19;
  }
  if (t2) given0 = x0_i;
  __syncthreads();
  const float t20 = maximum(r0_warp[0], r0_warp[1]);
  const float t21 = maximum(t20, maximum(r0_warp[2], r0_warp[3]));
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int t22 = t3 + i * 32 + lane;
    r1_acc[i] = -0.0f;
    const int t23 = i * 8;
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      if (t22 + j * 128 < t4) {
        r1_acc[i] += kiln_exp(row0[t23 + j] - t21);
      }
    }
    const float r1_acc_i = r1_acc[i];
    const float t24 = __shfl_sync(0xffffffff, r1_acc_i, t5);
    r1_acc[i] = r1_acc_i + t24;
    const float r1_acc_i_2 = r1_acc[i];
    const float t25 = __shfl_sync(0xffffffff, r1_acc_i_2, t6);
    r1_acc[i] = r1_acc_i_2 + t25;
    const float r1_acc_i_3 = r1_acc[i];
    const float t26 = __shfl_sync(0xffffffff, r1_acc_i_3, t7);
    r1_acc[i] = r1_acc_i_3 + t26;
    const float r1_acc_i_4 = r1_acc[i];
    const float t27 = __shfl_sync(0xffffffff, r1_acc_i_4, t8);
    r1_acc[i] = r1_acc_i_4 + t27;
    const float r1_acc_i_5 = r1_acc[i];
    const float t28 = __shfl_sync(0xffffffff, r1_acc_i_5, t9);
    r1_acc[i] = r1_acc_i_5 + t28;
  }
  const float t29 = r1_acc[0] + r1_acc[1] + (r1_acc[2] + r1_acc[3]);
  if (t18) {
    r1_warp[warp] = t29;
  }
  __syncthreads();
  const int t30 = given0 & 255;
  const float t31 = kiln_log(r1_warp[0] + r1_warp[1] + (r1_warp[2] + r1_warp[3]));
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int t32 = t3 + i * 32 + lane;
    r2_acc[i] = -0.0f;
    const int t33 = i * 8;
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      const int t34 = t32 + j * 128;
      if (t34 < t4) {
        r2_acc[i] += t34 == t30 ? row0[t33 + j] - t21 - t31 : 0.0f;
      }
    }
    const float r2_acc_i = r2_acc[i];
    const float t35 = __shfl_sync(0xffffffff, r2_acc_i, t5);
    r2_acc[i] = r2_acc_i + t35;
    const float r2_acc_i_2 = r2_acc[i];
    const float t36 = __shfl_sync(0xffffffff, r2_acc_i_2, t6);
    r2_acc[i] = r2_acc_i_2 + t36;
    const float r2_acc_i_3 = r2_acc[i];
    const float t37 = __shfl_sync(0xffffffff, r2_acc_i_3, t7);
    r2_acc[i] = r2_acc_i_3 + t37;
    const float r2_acc_i_4 = r2_acc[i];
    const float t38 = __shfl_sync(0xffffffff, r2_acc_i_4, t8);
    r2_acc[i] = r2_acc_i_4 + t38;
    const float r2_acc_i_5 = r2_acc[i];
    const float t39 = __shfl_sync(0xffffffff, r2_acc_i_5, t9);
    r2_acc[i] = r2_acc_i_5 + t39;
  }
  const float t40 = r2_acc[0] + r2_acc[1] + (r2_acc[2] + r2_acc[3]);
  if (t18) {
    r2_warp[warp] = t40;
  }
  __syncthreads();
  const float t41 = r2_warp[0] + r2_warp[1] + (r2_warp[2] + r2_warp[3]);
  if (t2) {
    out2[block] = t41;
  }
}

