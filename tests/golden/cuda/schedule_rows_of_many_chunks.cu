// in pieces: sum(x0, 1)

__device__ int wrap_sub(int a, int b) {
  return (int)((unsigned)a - (unsigned)b);
}

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

extern "C" __global__ void __launch_bounds__(256) kiln_sum_add_49bdf2af3609(int n0, int n1,
    float* __restrict__ part0, const float* __restrict__ x0) {
  float r0_acc[4];
  __shared__ float r0_warp[8];
  float r0_stack[2];
  float r0_carry;
  const int t1 = (n1 + 16383) / 16384;
  const int block = blockIdx.x;
  const int t2 = block % t1 * 16384;
  const int t3 = min(t2 + 16384, n1);
  const int t4 = block / t1 * n1;
  const int t5 = wrap_add(wrap_sub(t3, t2), 8191) / 8192;
  const int thread = threadIdx.x;
  const int lane = thread % 32;
  const int warp = thread / 32;
  const int t6 = warp * 1024;
  const int t7 = lane ^ 1;
  const int t8 = lane ^ 2;
  const int t9 = lane ^ 4;
  const int t10 = lane ^ 8;
  const int t11 = lane ^ 16;
  const bool t12 = lane == 0;
  for (int i = t2; i < t3; i += 8192) {
    const int t13 = i + t6;
    const int t14 = min(t13 + 1024, t3);
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      r0_acc[j] = -0.0f;
      for (int l = t13 + j * 32 + lane; l < t14; l += 128) {
        const float x0_i = x0[t4 + l];
        r0_acc[j] += x0_i;
      }
      const float r0_acc_i = r0_acc[j];
      const float t15 = __shfl_sync(0xffffffff, r0_acc_i, t7);
      r0_acc[j] = r0_acc_i + t15;
      const float r0_acc_i_2 = r0_acc[j];
      const float t16 = __shfl_sync(0xffffffff, r0_acc_i_2, t8);
      r0_acc[j] = r0_acc_i_2 + t16;
      const float r0_acc_i_3 = r0_acc[j];
      const float t17 = __shfl_sync(0xffffffff, r0_acc_i_3, t9);
      r0_acc[j] = r0_acc_i_3 + t17;
      const float r0_acc_i_4 = r0_acc[j];
      const float t18 = __shfl_sync(0xffffffff, r0_acc_i_4, t10);
      r0_acc[j] = r0_acc_i_4 + t18;
      const float r0_acc_i_5 = r0_acc[j];
      const float t19 = __shfl_sync(0xffffffff, r0_acc_i_5, t11);
      r0_acc[j] = r0_acc_i_5 + t19;
    }
    const float t20 = r0_acc[0] + r0_acc[1] + (r0_acc[2] + r0_acc[3]);
    if (t12) {
      r0_warp[warp] = t20;
    }
    __syncthreads();
    const float t21 = r0_warp[0] + r0_warp[1] + (r0_warp[2] + r0_warp[3]);
    const float t22 = t21 + (r0_warp[4] + r0_warp[5] + (r0_warp[6] + r0_warp[7]));
    __syncthreads();
    r0_carry = t22;
    const int t23 = trailing_zeros(wrap_add(wrap_sub(i, t2) / 8192, 1));
    for (int j = 0; j < t23; ++j) {
      r0_carry = r0_stack[j] + r0_carry;
    }
    r0_stack[t23] = r0_carry;
  }
  r0_carry = -0.0f;
  for (int i = 0; i < 2; ++i) {
    if ((shift_right(t5, i) & 1) != 0) {
      r0_carry = r0_stack[i] + r0_carry;
    }
  }
  const float t24 = r0_carry;
  if (thread == 0) {
    part0[block] = t24;
  }
}

// sum(x0, 1)
extern "C" __global__ void __launch_bounds__(256) kiln_sum_add_aa6a6c2623bc(int n0,
    const float* __restrict__ part0, int n1, float* __restrict__ out0) {
  float r0_acc;
  __shared__ float r0_warp[8];
  const int t1 = (n1 + 16383) / 16384;
  const int block = blockIdx.x;
  const int t2 = block * t1;
  const int thread = threadIdx.x;
  const int lane = thread % 32;
  const int warp = thread / 32;
  const int t3 = warp * 32;
  r0_acc = -0.0f;
  for (int i = t3 + lane; i < min(t3 + 32, t1); i += 128) {
    const float part0_i = part0[t2 + i];
    r0_acc += part0_i;
  }
  const float t4 = r0_acc;
  const float t5 = __shfl_sync(0xffffffff, t4, lane ^ 1);
  r0_acc = t4 + t5;
  const float t6 = r0_acc;
  const float t7 = __shfl_sync(0xffffffff, t6, lane ^ 2);
  r0_acc = t6 + t7;
  const float t8 = r0_acc;
  const float t9 = __shfl_sync(0xffffffff, t8, lane ^ 4);
  r0_acc = t8 + t9;
  const float t10 = r0_acc;
  const float t11 = __shfl_sync(0xffffffff, t10, lane ^ 8);
  r0_acc = t10 + t11;
  const float t12 = r0_acc;
  const float t13 = __shfl_sync(0xffffffff, t12, lane ^ 16);
  r0_acc = t12 + t13;
  const float t14 = r0_acc;
  if (lane == 0) {
    r0_warp[warp] = t14;
  }
  __syncthreads();
  const float t15 = r0_warp[0] + r0_warp[1] + (r0_warp[2] + r0_warp[3]);
  const float t16 = t15 + (r0_warp[4] + r0_warp[5] + (r0_warp[6] + r0_warp[7]));
  if (thread == 0) {
    out0[block] = t16;
  }
}

