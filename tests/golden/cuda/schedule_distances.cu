// sum((x0 - x1) * (x0 - x1), 2)

__device__ int wrap_add(int a, int b) {
  return (int)((unsigned)a + (unsigned)b);
}

extern "C" __global__ void __launch_bounds__(256) kiln_sub_mul_add_sum_b29cdbc8300d(int n0, int n1,
    int n2, const float* __restrict__ x0, const float* __restrict__ x1, float* __restrict__ out2) {
  float r0_sum[16];
  float r0_pending[80];
  __shared__ float rows0[2080];
  __shared__ float columns1[2080];
  const int t1 = (n1 + 63) / 64;
  const int t2 = (n2 + 7) / 8;
  const int block = blockIdx.x;
  const int first_row = block / t1 % ((n0 + 63) / 64) * 64;
  const int first_column = block % t1 * 64;
  const int thread = threadIdx.x;
  const int x = thread % 16;
  const int y = thread / 16;
  for (int i = 0; i < n2; i += 32) {
    for (int j = thread; j < 2048; j += 256) {
      const int t3 = j % 32;
      const int t4 = j / 32;
      const int t5 = i + t3;
      const int t6 = first_row + t4;
      const int t7 = t3 * 65 + t4;
      if (t5 < n2 && t6 < n0) {
        const float x0_i = x0[t6 * n2 + t5];
        rows0[t7] = x0_i;
      } else {
        rows0[t7] = 0.0f;
      }
    }
    for (int j = thread; j < 2048; j += 256) {
      const int t8 = j % 32;
      const int t9 = j / 32;
      const int t10 = i + t8;
      const int t11 = first_column + t9;
      const int t12 = t8 * 65 + t9;
      if (t10 < n2 && t11 < n1) {
        const float x1_i = x1[t11 * n2 + t10];
        columns1[t12] = x1_i;
      } else {
        columns1[t12] = 0.0f;
      }
    }
    __syncthreads();
    const int t13 = i / 8;
    for (int j = 0; j < (min(n2 - i, 32) + 7) / 8; ++j) {
      const int t14 = j * 8;
      const bool t15 = i + (t14 + 7) < n2;
      const int t16 = t14 * 65;
      const bool t17 = wrap_add(i, t14) < n2;
      const bool t18 = wrap_add(i, wrap_add(t14, 1)) < n2;
      const bool t19 = wrap_add(i, wrap_add(t14, 2)) < n2;
      const bool t20 = wrap_add(i, wrap_add(t14, 3)) < n2;
      const bool t21 = wrap_add(i, wrap_add(t14, 4)) < n2;
      const bool t22 = wrap_add(i, wrap_add(t14, 5)) < n2;
      const bool t23 = wrap_add(i, wrap_add(t14, 6)) < n2;
      if (t15) {
#pragma unroll
        for (int l = 0; l < 4; ++l) {
          const int t24 = t16 + (y + l * 16);
          const int t25 = t24 + 65;
          const int t26 = t24 + 130;
          const int t27 = t24 + 195;
          const int t28 = t24 + 260;
          const int t29 = t24 + 325;
          const int t30 = t24 + 390;
          const int t31 = t24 + 455;
          const int t32 = l * 4;
#pragma unroll
          for (int m = 0; m < 4; ++m) {
            const int t33 = t16 + (x + m * 16);
            const float t34 = rows0[t24] - columns1[t33];
            const float t35 = rows0[t25] - columns1[t33 + 65];
            const float t36 = rows0[t26] - columns1[t33 + 130];
            const float t37 = rows0[t27] - columns1[t33 + 195];
            const float t38 = rows0[t28] - columns1[t33 + 260];
            const float t39 = rows0[t29] - columns1[t33 + 325];
            const float t40 = rows0[t30] - columns1[t33 + 390];
            const float t41 = rows0[t31] - columns1[t33 + 455];
            const float t42 = t34 * t34 + t35 * t35 + (t36 * t36 + t37 * t37);
            r0_sum[t32 + m] = t42 + (t38 * t38 + t39 * t39 + (t40 * t40 + t41 * t41));
          }
        }
      } else {
#pragma unroll
        for (int l = 0; l < 4; ++l) {
          const int t43 = t16 + (y + l * 16);
          const int t44 = t43 + 65;
          const int t45 = t43 + 130;
          const int t46 = t43 + 195;
          const int t47 = t43 + 260;
          const int t48 = t43 + 325;
          const int t49 = t43 + 390;
          const int t50 = t43 + 455;
          const int t51 = l * 4;
#pragma unroll
          for (int m = 0; m < 4; ++m) {
            const int t52 = t16 + (x + m * 16);
            const float t53 = rows0[t43] - columns1[t52];
            const float t54 = rows0[t44] - columns1[t52 + 65];
            const float t55 = rows0[t45] - columns1[t52 + 130];
            const float t56 = rows0[t46] - columns1[t52 + 195];
            const float t57 = (t17 ? t53 * t53 : -0.0f) + (t18 ? t54 * t54 : -0.0f);
            const float t58 = rows0[t47] - columns1[t52 + 260];
            const float t59 = rows0[t48] - columns1[t52 + 325];
            const float t60 = rows0[t49] - columns1[t52 + 390];
            const float t61 = rows0[t50] - columns1[t52 + 455];
            const float t62 = (t21 ? t58 * t58 : -0.0f) + (t22 ? t59 * t59 : -0.0f);
            const float t63 = t57 + ((t19 ? t55 * t55 : -0.0f) + (t20 ? t56 * t56 : -0.0f));
            const float t64 = t63 + (t62 + ((t23 ? t60 * t60 : -0.0f) + (t15 ? t61 * t61 : -0.0f)));
            r0_sum[t51 + m] = t64;
          }
        }
      }
      const int t65 = t13 + j;
      if ((t65 & 1) != 0) {
#pragma unroll
        for (int l = 0; l < 16; ++l) {
          r0_sum[l] = r0_pending[l] + r0_sum[l];
        }
        if ((t65 & 2) != 0) {
#pragma unroll
          for (int l = 0; l < 16; ++l) {
            r0_sum[l] = r0_pending[16 + l] + r0_sum[l];
          }
          if ((t65 & 4) != 0) {
#pragma unroll
            for (int l = 0; l < 16; ++l) {
              r0_sum[l] = r0_pending[32 + l] + r0_sum[l];
            }
            if ((t65 & 8) != 0) {
#pragma unroll
              for (int l = 0; l < 16; ++l) {
                r0_sum[l] = r0_pending[48 + l] + r0_sum[l];
              }
#pragma unroll
              for (int l = 0; l < 16; ++l) {
                r0_pending[64 + l] = r0_sum[l];
              }
            } else {
#pragma unroll
              for (int l = 0; l < 16; ++l) {
                r0_pending[48 + l] = r0_sum[l];
              }
            }
          } else {
#pragma unroll
            for (int l = 0; l < 16; ++l) {
              r0_pending[32 + l] = r0_sum[l];
            }
          }
        } else {
#pragma unroll
          for (int l = 0; l < 16; ++l) {
            r0_pending[16 + l] = r0_sum[l];
          }
        }
      } else {
#pragma unroll
        for (int l = 0; l < 16; ++l) {
          r0_pending[l] = r0_sum[l];
        }
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 16; ++i) {
    r0_sum[i] = -0.0f;
  }
  if ((t2 & 1) != 0) {
#pragma unroll
    for (int i = 0; i < 16; ++i) {
      r0_sum[i] = r0_pending[i] + r0_sum[i];
    }
  }
  if ((t2 & 2) != 0) {
#pragma unroll
    for (int i = 0; i < 16; ++i) {
      r0_sum[i] = r0_pending[16 + i] + r0_sum[i];
    }
  }
  if ((t2 & 4) != 0) {
#pragma unroll
    for (int i = 0; i < 16; ++i) {
      r0_sum[i] = r0_pending[32 + i] + r0_sum[i];
    }
  }
  if ((t2 & 8) != 0) {
#pragma unroll
    for (int i = 0; i < 16; ++i) {
      r0_sum[i] = r0_pending[48 + i] + r0_sum[i];
    }
  }
  if ((t2 & 16) != 0) {
#pragma unroll
    for (int i = 0; i < 16; ++i) {
      r0_sum[i] = r0_pending[64 + i] + r0_sum[i];
    }
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int t66 = first_row + (y + i * 16);
    const bool t67 = t66 < n0;
    const int t68 = i * 4;
    const int t69 = t66 * n1;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int t70 = first_column + (x + j * 16);
      if (t67 && t70 < n1) {
        out2[t69 + t70] = r0_sum[t68 + j];
      }
    }
  }
}
