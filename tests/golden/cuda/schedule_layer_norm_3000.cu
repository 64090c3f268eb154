// (x0 - sum(x0, 1) / 3000) / sqrt(sum((x0 - sum(x0, 1) / 3000) * (x0 - sum(x0, 1) / 3000), 1) /
// 3000 + 1e-05)
extern "C" __global__ void __launch_bounds__(128) div_kernel(int n0, int n1,
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
  const int t3 = min(t2 + 1024, n1);
  const int t4 = lane ^ 1;
  const int t5 = lane ^ 2;
  const int t6 = lane ^ 4;
  const int t7 = lane ^ 8;
  const int t8 = lane ^ 16;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int t9 = t2 + i * 32 + lane;
    r0_acc[i] = -0.0f;
    const int t10 = i * 8;
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      const int t11 = t9 + j * 128;
      if (t11 < t3) {
        const float x0_i = x0[t1 + t11];
        row0[t10 + j] = x0_i;
        r0_acc[i] += x0_i;
      }
    }
    const float r0_acc_i = r0_acc[i];
    const float t12 = __shfl_sync(0xffffffff, r0_acc_i, t4);
    r0_acc[i] = r0_acc_i + t12;
    const float r0_acc_i_2 = r0_acc[i];
    const float t13 = __shfl_sync(0xffffffff, r0_acc_i_2, t5);
    r0_acc[i] = r0_acc_i_2 + t13;
    const float r0_acc_i_3 = r0_acc[i];
    const float t14 = __shfl_sync(0xffffffff, r0_acc_i_3, t6);
    r0_acc[i] = r0_acc_i_3 + t14;
    const float r0_acc_i_4 = r0_acc[i];
    const float t15 = __shfl_sync(0xffffffff, r0_acc_i_4, t7);
    r0_acc[i] = r0_acc_i_4 + t15;
    const float r0_acc_i_5 = r0_acc[i];
    const float t16 = __shfl_sync(0xffffffff, r0_acc_i_5, t8);
    r0_acc[i] = r0_acc_i_5 + t16;
  }
  const bool t17 = lane == 0;
  const float t18 = r0_acc[0] + r0_acc[1] + (r0_acc[2] + r0_acc[3]);
  if (t17) {
    r0_warp[warp] = t18;
  }
  __syncthreads();
  const float t19 = (r0_warp[0] + r0_warp[1] + (r0_warp[2] + r0_warp[3])) / 3000.0f;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int t20 = t2 + i * 32 + lane;
    r1_acc[i] = -0.0f;
    const int t21 = i * 8;
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      if (t20 + j * 128 < t3) {
        const float t22 = row0[t21 + j] - t19;
        r1_acc[i] += t22 * t22;
      }
    }
    const float r1_acc_i = r1_acc[i];
    const float t23 = __shfl_sync(0xffffffff, r1_acc_i, t4);
    r1_acc[i] = r1_acc_i + t23;
    const float r1_acc_i_2 = r1_acc[i];
    const float t24 = __shfl_sync(0xffffffff, r1_acc_i_2, t5);
    r1_acc[i] = r1_acc_i_2 + t24;
    const float r1_acc_i_3 = r1_acc[i];
    const float t25 = __shfl_sync(0xffffffff, r1_acc_i_3, t6);
    r1_acc[i] = r1_acc_i_3 + t25;
    const float r1_acc_i_4 = r1_acc[i];
    const float t26 = __shfl_sync(0xffffffff, r1_acc_i_4, t7);
    r1_acc[i] = r1_acc_i_4 + t26;
    const float r1_acc_i_5 = r1_acc[i];
    const float t27 = __shfl_sync(0xffffffff, r1_acc_i_5, t8);
    r1_acc[i] = r1_acc_i_5 + t27;
  }
  const float t28 = r1_acc[0] + r1_acc[1] + (r1_acc[2] + r1_acc[3]);
  if (t17) {
    r1_warp[warp] = t28;
  }
  __syncthreads();
  const float t29 = (r1_warp[0] + r1_warp[1] + (r1_warp[2] + r1_warp[3])) / 3000.0f + 1e-05f;
  const float t30 = sqrtf(t29);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int t31 = t2 + i * 32 + lane;
    const int t32 = i * 8;
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      const int t33 = t31 + j * 128;
      if (t33 < t3) {
        out1[t1 + t33] = (row0[t32 + j] - t19) / t30;
      }
    }
  }
}

