// (x0 - sum(x0, 0) / 2500) / sqrt(sum((x0 - sum(x0, 0) / 2500) * (x0 - sum(x0, 0) / 2500), 0) /
// 2500)

__device__ int wrap_add(int a, int b) {
  return (int)((unsigned)a + (unsigned)b);
}

__device__ int trailing_zeros(int a) {
  return a == 0 ? 32 : __ffs((int)(unsigned)a) - 1;
}

// By the width or more: all bits the sign.
__device__ int shift_right(int a, int b) {
  return a >> ((unsigned)b < 32 ? b : 31);
}

extern "C" __global__ void __launch_bounds__(256) kiln_sum_add_div_sub_47fc1983ae86(int n0, int n1,
    const float* __restrict__ x0, float* __restrict__ out1) {
  float r0_stack[3];
  float r0_carry;
  float r0_acc[16];
  __shared__ float r0_warp[256];
  float r1_stack[3];
  float r1_carry;
  float r1_acc[16];
  __shared__ float r1_warp[256];
  const int t1 = wrap_add(n1, 1023) / 1024;
  const int block = blockIdx.x;
  const int thread = threadIdx.x;
  const int lane = thread % 32;
  const int warp = thread / 32;
  const int column = block % ((n0 + 31) / 32) * 32 + lane;
  const bool inside = column < n0;
  const int t2 = warp * 16;
  const int t3 = warp * 32 + lane;
  const int t4 = 32 + lane;
  const int t5 = 64 + lane;
  const int t6 = 96 + lane;
  const int t7 = 128 + lane;
  const int t8 = 160 + lane;
  const int t9 = 192 + lane;
  const int t10 = 224 + lane;
  for (int i = 0; i < n1; i += 1024) {
    const int t11 = min(i + 1024, n1);
#pragma unroll
    for (int j = 0; j < 16; ++j) {
      r0_acc[j] = -0.0f;
    }
    for (int j = i + t2; j < t11; j += 128) {
#pragma unroll
      for (int l = 0; l < 16; ++l) {
        const int t12 = j + l;
        if (t12 < t11 && inside) {
          const float x0_i = x0[t12 * n0 + column];
          r0_acc[l] += x0_i;
        }
      }
    }
    const float t13 = r0_acc[0] + r0_acc[1] + (r0_acc[2] + r0_acc[3]);
    const float t14 = r0_acc[12] + r0_acc[13] + (r0_acc[14] + r0_acc[15]);
    const float t15 = t13 + (r0_acc[4] + r0_acc[5] + (r0_acc[6] + r0_acc[7]));
    r0_warp[t3] = t15 + (r0_acc[8] + r0_acc[9] + (r0_acc[10] + r0_acc[11]) + t14);
    __syncthreads();
    const float t16 = r0_warp[lane] + r0_warp[t4] + (r0_warp[t5] + r0_warp[t6]);
    const float t17 = t16 + (r0_warp[t7] + r0_warp[t8] + (r0_warp[t9] + r0_warp[t10]));
    __syncthreads();
    r0_carry = t17;
    const int t18 = trailing_zeros(wrap_add(i / 1024, 1));
    for (int j = 0; j < t18; ++j) {
      r0_carry = r0_stack[j] + r0_carry;
    }
    r0_stack[t18] = r0_carry;
  }
  r0_carry = -0.0f;
  for (int i = 0; i < 3; ++i) {
    if ((shift_right(t1, i) & 1) != 0) {
      r0_carry = r0_stack[i] + r0_carry;
    }
  }
  const float t19 = r0_carry / 2500.0f;
  for (int i = 0; i < n1; i += 1024) {
    const int t20 = min(i + 1024, n1);
#pragma unroll
    for (int j = 0; j < 16; ++j) {
      r1_acc[j] = -0.0f;
    }
    for (int j = i + t2; j < t20; j += 128) {
#pragma unroll
      for (int l = 0; l < 16; ++l) {
        const int t21 = j + l;
        if (t21 < t20 && inside) {
          const float x0_i = x0[t21 * n0 + column];
          const float t22 = x0_i - t19;
          r1_acc[l] += t22 * t22;
        }
      }
    }
    const float t23 = r1_acc[0] + r1_acc[1] + (r1_acc[2] + r1_acc[3]);
    const float t24 = r1_acc[12] + r1_acc[13] + (r1_acc[14] + r1_acc[15]);
    const float t25 = t23 + (r1_acc[4] + r1_acc[5] + (r1_acc[6] + r1_acc[7]));
    r1_warp[t3] = t25 + (r1_acc[8] + r1_acc[9] + (r1_acc[10] + r1_acc[11]) + t24);
    __syncthreads();
    const float t26 = r1_warp[lane] + r1_warp[t4] + (r1_warp[t5] + r1_warp[t6]);
    const float t27 = t26 + (r1_warp[t7] + r1_warp[t8] + (r1_warp[t9] + r1_warp[t10]));
    __syncthreads();
    r1_carry = t27;
    const int t28 = trailing_zeros(wrap_add(i / 1024, 1));
    for (int j = 0; j < t28; ++j) {
      r1_carry = r1_stack[j] + r1_carry;
    }
    r1_stack[t28] = r1_carry;
  }
  r1_carry = -0.0f;
  for (int i = 0; i < 3; ++i) {
    if ((shift_right(t1, i) & 1) != 0) {
      r1_carry = r1_stack[i] + r1_carry;
    }
  }
  const float t29 = sqrtf(r1_carry / 2500.0f);
  if (inside) {
    for (int i = warp; i < n1; i += 8) {
      const int t30 = i * n0 + column;
      const float x0_i = x0[t30];
      out1[t30] = (x0_i - t19) / t29;
    }
  }
}

