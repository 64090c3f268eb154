// in pieces: v1 = sum(x0, 0); v2 = argmin(x0, 0); v4 = prod(float64(x0), 0)

__device__ float infinity_f32() {
  return __uint_as_float(0x7f800000u);
}

extern "C" __global__ void __launch_bounds__(256) kiln_sum_lt_eq_ne_3e722a5985e4(int n0, int n1,
    float* __restrict__ part0, float* __restrict__ part1, long long* __restrict__ part2,
    double* __restrict__ part3, const float* __restrict__ x0) {
  float r0_acc[16];
  __shared__ float r0_warp[256];
  float r1_acc;
  long long r1_acc_at;
  __shared__ float r1_warp[256];
  __shared__ long long r1_warp_at[256];
  double r2_acc[16];
  __shared__ double r2_warp[256];
  const int t1 = (n1 + 1023) / 1024;
  const int t2 = (n0 + 31) / 32;
  const int block = blockIdx.x;
  const int t3 = block % t1;
  const int t4 = block / t1;
  const int t5 = t3 * 1024;
  const int t6 = min(t5 + 1024, n1);
  const int thread = threadIdx.x;
  const int lane = thread % 32;
  const int warp = thread / 32;
  const int column = t4 % t2 * 32 + lane;
  const bool inside = column < n0;
  r1_acc = infinity_f32();
  r1_acc_at = 9223372036854775807ll;
#pragma unroll
  for (int i = 0; i < 16; ++i) {
    r0_acc[i] = -0.0f;
    r2_acc[i] = 1.0;
  }
  for (int i = t5 + warp * 16; i < t6; i += 128) {
#pragma unroll
    for (int j = 0; j < 16; ++j) {
      const int t7 = i + j;
      const long long t8 = (long long)t7;
      if (t7 < t6 && inside) {
        const float x0_i = x0[t7 * n0 + column];
        r0_acc[j] += x0_i;
        const float t9 = r1_acc;
        const long long t10 = r1_acc_at;
        const bool t11 = t9 != t9;
        const bool t12 = x0_i != x0_i;
        const bool t13 = x0_i < t9 || (t12 && !t11) || ((t9 == x0_i || (t11 && t12)) && t8 < t10);
        r1_acc = t13 ? x0_i : t9;
        r1_acc_at = t13 ? t8 : t10;
        r2_acc[j] *= (double)x0_i;
      }
    }
  }
  const int t14 = warp * 32 + lane;
  const float t15 = r0_acc[0] + r0_acc[1] + (r0_acc[2] + r0_acc[3]);
  const float t16 = r0_acc[12] + r0_acc[13] + (r0_acc[14] + r0_acc[15]);
  const float t17 = t15 + (r0_acc[4] + r0_acc[5] + (r0_acc[6] + r0_acc[7]));
  r0_warp[t14] = t17 + (r0_acc[8] + r0_acc[9] + (r0_acc[10] + r0_acc[11]) + t16);
  r1_warp[t14] = r1_acc;
  r1_warp_at[t14] = r1_acc_at;
  const double t18 = r2_acc[0] * r2_acc[1] * (r2_acc[2] * r2_acc[3]);
  const double t19 = r2_acc[12] * r2_acc[13] * (r2_acc[14] * r2_acc[15]);
  const double t20 = t18 * (r2_acc[4] * r2_acc[5] * (r2_acc[6] * r2_acc[7]));
  r2_warp[t14] = t20 * (r2_acc[8] * r2_acc[9] * (r2_acc[10] * r2_acc[11]) * t19);
  __syncthreads();
  const int t21 = 32 + lane;
  const int t22 = 64 + lane;
  const int t23 = 96 + lane;
  const int t24 = 128 + lane;
  const int t25 = 160 + lane;
  const int t26 = 192 + lane;
  const int t27 = 224 + lane;
  const float t28 = r0_warp[lane] + r0_warp[t21] + (r0_warp[t22] + r0_warp[t23]);
  const float r1_warp_i = r1_warp[lane];
  const long long r1_warp_at_i = r1_warp_at[lane];
  const float r1_warp_i_2 = r1_warp[t21];
  const long long r1_warp_at_i_2 = r1_warp_at[t21];
  const float r1_warp_i_3 = r1_warp[t22];
  const long long r1_warp_at_i_3 = r1_warp_at[t22];
  const float r1_warp_i_4 = r1_warp[t23];
  const long long r1_warp_at_i_4 = r1_warp_at[t23];
  const float r1_warp_i_5 = r1_warp[t24];
  const long long r1_warp_at_i_5 = r1_warp_at[t24];
  const float r1_warp_i_6 = r1_warp[t25];
  const long long r1_warp_at_i_6 = r1_warp_at[t25];
  const float r1_warp_i_7 = r1_warp[t26];
  const long long r1_warp_at_i_7 = r1_warp_at[t26];
  const float r1_warp_i_8 = r1_warp[t27];
  const long long r1_warp_at_i_8 = r1_warp_at[t27];
  const bool t29 = r1_warp_i != r1_warp_i;
  const bool t30 = r1_warp_i_2 != r1_warp_i_2;
  const bool t31 = r1_warp_i == r1_warp_i_2 || (t29 && t30);
  const bool t32 = r1_warp_i_2 < r1_warp_i || (t30 && !t29);
  const bool t33 = t32 || (t31 && r1_warp_at_i_2 < r1_warp_at_i);
  const float t34 = t33 ? r1_warp_i_2 : r1_warp_i;
  const long long t35 = t33 ? r1_warp_at_i_2 : r1_warp_at_i;
  const bool t36 = r1_warp_i_3 != r1_warp_i_3;
  const bool t37 = r1_warp_i_4 != r1_warp_i_4;
  const bool t38 = r1_warp_i_3 == r1_warp_i_4 || (t36 && t37);
  const bool t39 = r1_warp_i_4 < r1_warp_i_3 || (t37 && !t36);
  const bool t40 = t39 || (t38 && r1_warp_at_i_4 < r1_warp_at_i_3);
  const float t41 = t40 ? r1_warp_i_4 : r1_warp_i_3;
  const long long t42 = t40 ? r1_warp_at_i_4 : r1_warp_at_i_3;
  const bool t43 = r1_warp_i_5 != r1_warp_i_5;
  const bool t44 = r1_warp_i_6 != r1_warp_i_6;
  const bool t45 = r1_warp_i_5 == r1_warp_i_6 || (t43 && t44);
  const bool t46 = r1_warp_i_6 < r1_warp_i_5 || (t44 && !t43);
  const bool t47 = t46 || (t45 && r1_warp_at_i_6 < r1_warp_at_i_5);
  const float t48 = t47 ? r1_warp_i_6 : r1_warp_i_5;
  const long long t49 = t47 ? r1_warp_at_i_6 : r1_warp_at_i_5;
  const bool t50 = r1_warp_i_7 != r1_warp_i_7;
  const bool t51 = r1_warp_i_8 != r1_warp_i_8;
  const bool t52 = r1_warp_i_7 == r1_warp_i_8 || (t50 && t51);
  const bool t53 = r1_warp_i_8 < r1_warp_i_7 || (t51 && !t50);
  const bool t54 = t53 || (t52 && r1_warp_at_i_8 < r1_warp_at_i_7);
  const float t55 = t54 ? r1_warp_i_8 : r1_warp_i_7;
  const long long t56 = t54 ? r1_warp_at_i_8 : r1_warp_at_i_7;
  const bool t57 = t34 != t34;
  const bool t58 = t41 != t41;
  const bool t59 = (t34 == t41 || (t57 && t58)) && t42 < t35;
  const bool t60 = t41 < t34 || (t58 && !t57) || t59;
  const float t61 = t60 ? t41 : t34;
  const long long t62 = t60 ? t42 : t35;
  const bool t63 = t48 != t48;
  const bool t64 = t55 != t55;
  const bool t65 = (t48 == t55 || (t63 && t64)) && t56 < t49;
  const bool t66 = t55 < t48 || (t64 && !t63) || t65;
  const float t67 = t66 ? t55 : t48;
  const long long t68 = t66 ? t56 : t49;
  const bool t69 = t61 != t61;
  const bool t70 = t67 != t67;
  const bool t71 = (t61 == t67 || (t69 && t70)) && t68 < t62;
  const bool t72 = t67 < t61 || (t70 && !t69) || t71;
  const double t73 = r2_warp[lane] * r2_warp[t21] * (r2_warp[t22] * r2_warp[t23]);
  const float t74 = t28 + (r0_warp[t24] + r0_warp[t25] + (r0_warp[t26] + r0_warp[t27]));
  const double t75 = t73 * (r2_warp[t24] * r2_warp[t25] * (r2_warp[t26] * r2_warp[t27]));
  __syncthreads();
  const int t76 = t3 * n0 + (t4 / t2 * n0 + column);
  if (warp == 0 && inside) {
    part0[t76] = t74;
    part1[t76] = t72 ? t67 : t61;
    part2[t76] = t72 ? t68 : t62;
    part3[t76] = t75;
  }
}

// v1 = sum(x0, 0); v2 = argmin(x0, 0); v4 = prod(float64(x0), 0)

__device__ float infinity_f32() {
  return __uint_as_float(0x7f800000u);
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

extern "C" __global__ void __launch_bounds__(256) kiln_sum_lt_eq_ne_ea3a11d03bae(int n0,
    const float* __restrict__ part0, const float* __restrict__ part1,
    const long long* __restrict__ part2, const double* __restrict__ part3, int n1,
    float* __restrict__ out0, long long* __restrict__ out1, double* __restrict__ out2) {
  float r0_stack[5];
  float r0_carry;
  float r1_stack[5];
  long long r1_stack_at[5];
  float r1_carry;
  long long r1_carry_at;
  double r2_stack[5];
  double r2_carry;
  const int t1 = (n1 + 1023) / 1024;
  const int block = blockIdx.x;
  const int thread = threadIdx.x;
  const int column = block * 256 + thread;
  if (column < n0) {
    for (int i = 0; i < t1; ++i) {
      const int t2 = i * n0 + column;
      const float part0_i = part0[t2];
      r0_carry = part0_i;
      const int t3 = trailing_zeros(wrap_add(i, 1));
      for (int j = 0; j < t3; ++j) {
        r0_carry = r0_stack[j] + r0_carry;
      }
      r0_stack[t3] = r0_carry;
      const float part1_i = part1[t2];
      const long long part2_i = part2[t2];
      r1_carry = part1_i;
      r1_carry_at = part2_i;
      for (int j = 0; j < t3; ++j) {
        const float r1_stack_i = r1_stack[j];
        const long long r1_stack_at_i = r1_stack_at[j];
        const float t4 = r1_carry;
        const long long t5 = r1_carry_at;
        const bool t6 = r1_stack_i != r1_stack_i;
        const bool t7 = t4 != t4;
        const bool t8 = (r1_stack_i == t4 || (t6 && t7)) && t5 < r1_stack_at_i;
        const bool t9 = t4 < r1_stack_i || (t7 && !t6) || t8;
        r1_carry = t9 ? t4 : r1_stack_i;
        r1_carry_at = t9 ? t5 : r1_stack_at_i;
      }
      r1_stack[t3] = r1_carry;
      r1_stack_at[t3] = r1_carry_at;
      const double part3_i = part3[t2];
      r2_carry = part3_i;
      for (int j = 0; j < t3; ++j) {
        r2_carry = r2_stack[j] * r2_carry;
      }
      r2_stack[t3] = r2_carry;
    }
    r0_carry = -0.0f;
    for (int i = 0; i < 5; ++i) {
      if ((shift_right(t1, i) & 1) != 0) {
        r0_carry = r0_stack[i] + r0_carry;
      }
    }
    r1_carry = infinity_f32();
    r1_carry_at = 9223372036854775807ll;
    const float t10 = r0_carry;
    for (int i = 0; i < 5; ++i) {
      if ((shift_right(t1, i) & 1) != 0) {
        const float r1_stack_i = r1_stack[i];
        const long long r1_stack_at_i = r1_stack_at[i];
        const float t11 = r1_carry;
        const long long t12 = r1_carry_at;
        const bool t13 = r1_stack_i != r1_stack_i;
        const bool t14 = t11 != t11;
        const bool t15 = (r1_stack_i == t11 || (t13 && t14)) && t12 < r1_stack_at_i;
        const bool t16 = t11 < r1_stack_i || (t14 && !t13) || t15;
        r1_carry = t16 ? t11 : r1_stack_i;
        r1_carry_at = t16 ? t12 : r1_stack_at_i;
      }
    }
    r2_carry = 1.0;
    const long long t17 = r1_carry_at;
    for (int i = 0; i < 5; ++i) {
      if ((shift_right(t1, i) & 1) != 0) {
        r2_carry = r2_stack[i] * r2_carry;
      }
    }
    out0[column] = t10;
    out1[column] = t17;
    out2[column] = r2_carry;
  }
}

