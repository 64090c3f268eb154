// argmin(sum((x0 - x1) * (x0 - x1), 2), 1)

__device__ float infinity_f32() {
  return __uint_as_float(0x7f800000u);
}

__device__ int wrap_add(int a, int b) {
  return (int)((unsigned)a + (unsigned)b);
}

// By the width or more: 0.
__device__ int shift_left(int a, int b) {
  return (unsigned)b < 32 ? (int)((unsigned)a << b) : 0;
}

extern "C" __global__ void __launch_bounds__(256) kiln_sub_mul_add_sum_1e6fc4631ac5(int n0, int n1,
    int n2, const float* __restrict__ x0, const float* __restrict__ x1,
    long long* __restrict__ out2) {
  float r1_sum[4];
  float r1_pending[20];
  float r0[1];
  long long r0_at[1];
  __shared__ float rows0[544];
  __shared__ float columns1[2080];
  const int t1 = (n2 + 7) / 8;
  const bool t2 = (t1 & 1) != 0;
  const bool t3 = (t1 & 2) != 0;
  const bool t4 = (t1 & 4) != 0;
  const bool t5 = (t1 & 8) != 0;
  const bool t6 = (t1 & 16) != 0;
  const int block = blockIdx.x;
  const int first_row = block % ((n0 + 15) / 16) * 16;
  const int thread = threadIdx.x;
  const int x = thread % 16;
  const int y = thread / 16;
  const long long t7 = (long long)x;
#pragma unroll
  for (int i = 0; i < 1; ++i) {
    r0[i] = infinity_f32();
    r0_at[i] = t7;
  }
  for (int i = 0; i < n1; i += 64) {
    for (int j = 0; j < n2; j += 32) {
      for (int l = thread; l < 512; l += 256) {
        const int t8 = l % 32;
        const int t9 = l / 32;
        const int t10 = j + t8;
        const int t11 = first_row + t9;
        const int t12 = t8 * 17 + t9;
        if (t10 < n2 && t11 < n0) {
          const float x0_i = x0[t11 * n2 + t10];
          rows0[t12] = x0_i;
        } else {
          rows0[t12] = 0.0f;
        }
      }
      for (int l = thread; l < 2048; l += 256) {
        const int t13 = l % 32;
        const int t14 = l / 32;
        const int t15 = j + t13;
        const int t16 = i + t14;
        const int t17 = t13 * 65 + t14;
        if (t15 < n2 && t16 < n1) {
          const float x1_i = x1[t16 * n2 + t15];
          columns1[t17] = x1_i;
        } else {
          columns1[t17] = 0.0f;
        }
      }
      __syncthreads();
      const int t18 = j / 8;
      for (int l = 0; l < (min(n2 - j, 32) + 7) / 8; ++l) {
        const int t19 = l * 8;
        const bool t20 = j + (t19 + 7) < n2;
        const int t21 = t19 * 17;
        const int t22 = t19 * 65;
        const bool t23 = wrap_add(j, t19) < n2;
        const bool t24 = wrap_add(j, wrap_add(t19, 1)) < n2;
        const bool t25 = wrap_add(j, wrap_add(t19, 2)) < n2;
        const bool t26 = wrap_add(j, wrap_add(t19, 3)) < n2;
        const bool t27 = wrap_add(j, wrap_add(t19, 4)) < n2;
        const bool t28 = wrap_add(j, wrap_add(t19, 5)) < n2;
        const bool t29 = wrap_add(j, wrap_add(t19, 6)) < n2;
        if (t20) {
#pragma unroll
          for (int m = 0; m < 1; ++m) {
            const int t30 = t21 + (y + m * 16);
            const int t31 = t30 + 17;
            const int t32 = t30 + 34;
            const int t33 = t30 + 51;
            const int t34 = t30 + 68;
            const int t35 = t30 + 85;
            const int t36 = t30 + 102;
            const int t37 = t30 + 119;
            const int t38 = m * 4;
#pragma unroll
            for (int i_2 = 0; i_2 < 4; ++i_2) {
              const int t39 = t22 + (x + i_2 * 16);
              const float t40 = rows0[t30] - columns1[t39];
              const float t41 = rows0[t31] - columns1[t39 + 65];
              const float t42 = rows0[t32] - columns1[t39 + 130];
              const float t43 = rows0[t33] - columns1[t39 + 195];
              const float t44 = rows0[t34] - columns1[t39 + 260];
              const float t45 = rows0[t35] - columns1[t39 + 325];
              const float t46 = rows0[t36] - columns1[t39 + 390];
              const float t47 = rows0[t37] - columns1[t39 + 455];
              const float t48 = t40 * t40 + t41 * t41 + (t42 * t42 + t43 * t43);
              r1_sum[t38 + i_2] = t48 + (t44 * t44 + t45 * t45 + (t46 * t46 + t47 * t47));
            }
          }
        } else {
#pragma unroll
          for (int m = 0; m < 1; ++m) {
            const int t49 = t21 + (y + m * 16);
            const int t50 = t49 + 17;
            const int t51 = t49 + 34;
            const int t52 = t49 + 51;
            const int t53 = t49 + 68;
            const int t54 = t49 + 85;
            const int t55 = t49 + 102;
            const int t56 = t49 + 119;
            const int t57 = m * 4;
#pragma unroll
            for (int i_2 = 0; i_2 < 4; ++i_2) {
              const int t58 = t22 + (x + i_2 * 16);
              const float t59 = rows0[t49] - columns1[t58];
              const float t60 = rows0[t50] - columns1[t58 + 65];
              const float t61 = rows0[t51] - columns1[t58 + 130];
              const float t62 = rows0[t52] - columns1[t58 + 195];
              const float t63 = (t23 ? t59 * t59 : -0.0f) + (t24 ? t60 * t60 : -0.0f);
              const float t64 = rows0[t53] - columns1[t58 + 260];
              const float t65 = rows0[t54] - columns1[t58 + 325];
              const float t66 = rows0[t55] - columns1[t58 + 390];
              const float t67 = rows0[t56] - columns1[t58 + 455];
              const float t68 = (t27 ? t64 * t64 : -0.0f) + (t28 ? t65 * t65 : -0.0f);
              const float t69 = t63 + ((t25 ? t61 * t61 : -0.0f) + (t26 ? t62 * t62 : -0.0f));
              const float t70 = t69 + (t68 + ((t29 ? t66 * t66 : -0.0f) + (t20 ? t67 * t67 : -0.0f)));
              r1_sum[t57 + i_2] = t70;
            }
          }
        }
        const int t71 = t18 + l;
        if ((t71 & 1) != 0) {
#pragma unroll
          for (int m = 0; m < 4; ++m) {
            r1_sum[m] = r1_pending[m] + r1_sum[m];
          }
          if ((t71 & 2) != 0) {
#pragma unroll
            for (int m = 0; m < 4; ++m) {
              r1_sum[m] = r1_pending[4 + m] + r1_sum[m];
            }
            if ((t71 & 4) != 0) {
#pragma unroll
              for (int m = 0; m < 4; ++m) {
                r1_sum[m] = r1_pending[8 + m] + r1_sum[m];
              }
              if ((t71 & 8) != 0) {
#pragma unroll
                for (int m = 0; m < 4; ++m) {
                  r1_sum[m] = r1_pending[12 + m] + r1_sum[m];
                }
#pragma unroll
                for (int m = 0; m < 4; ++m) {
                  r1_pending[16 + m] = r1_sum[m];
                }
              } else {
#pragma unroll
                for (int m = 0; m < 4; ++m) {
                  r1_pending[12 + m] = r1_sum[m];
                }
              }
            } else {
#pragma unroll
              for (int m = 0; m < 4; ++m) {
                r1_pending[8 + m] = r1_sum[m];
              }
            }
          } else {
#pragma unroll
            for (int m = 0; m < 4; ++m) {
              r1_pending[4 + m] = r1_sum[m];
            }
          }
        } else {
#pragma unroll
          for (int m = 0; m < 4; ++m) {
            r1_pending[m] = r1_sum[m];
          }
        }
      }
      __syncthreads();
    }
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      r1_sum[j] = -0.0f;
    }
    if (t2) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        r1_sum[j] = r1_pending[j] + r1_sum[j];
      }
    }
    if (t3) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        r1_sum[j] = r1_pending[4 + j] + r1_sum[j];
      }
    }
    if (t4) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        r1_sum[j] = r1_pending[8 + j] + r1_sum[j];
      }
    }
    if (t5) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        r1_sum[j] = r1_pending[12 + j] + r1_sum[j];
      }
    }
    if (t6) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        r1_sum[j] = r1_pending[16 + j] + r1_sum[j];
      }
    }
#pragma unroll
    for (int j = 0; j < 1; ++j) {
      const bool t72 = first_row + (y + j * 16) < n0;
      const int t73 = j * 4;
#pragma unroll
      for (int l = 0; l < 4; ++l) {
        const int t74 = i + (x + l * 16);
        if (t72 && t74 < n1) {
          const float r1_sum_i = r1_sum[t73 + l];
          const float r0_i = r0[j];
          const bool t75 = r1_sum_i < r0_i || (r0_i == r0_i && r1_sum_i != r1_sum_i);
          r0[j] = t75 ? r1_sum_i : r0_i;
          r0_at[j] = t75 ? (long long)t74 : r0_at[j];
        }
      }
    }
  }
  const int t76 = thread % 32;
#pragma unroll
  for (int i = 0; i < 1; ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int t77 = t76 ^ shift_left(1, j);
      const float r0_i = r0[i];
      const long long r0_at_i = r0_at[i];
      const float t78 = __shfl_sync(0xffffffff, r0_i, t77);
      const long long t79 = __shfl_sync(0xffffffff, r0_at_i, t77);
      const bool t80 = r0_i != r0_i;
      const bool t81 = t78 != t78;
      const bool t82 = (r0_i == t78 || (t80 && t81)) && t79 < r0_at_i;
      const bool t83 = t78 < r0_i || (t81 && !t80) || t82;
      r0[i] = t83 ? t78 : r0_i;
      r0_at[i] = t83 ? t79 : r0_at_i;
    }
  }
  const bool t84 = x == 0;
#pragma unroll
  for (int i = 0; i < 1; ++i) {
    const int t85 = first_row + (y + i * 16);
    if (t84 && t85 < n0) {
      out2[t85] = r0_at[i];
    }
  }
}
