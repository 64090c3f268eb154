// sum(select(index(1) == (x1 & 255), x0 - max(x0, 1) - log(sum(exp(x0 - max(x0, 1)), 1)), 0), 1)

__device__ float infinity_f32() {
  return __uint_as_float(0x7f800000u);
}

__device__ float nan_f32() {
  return __uint_as_float(0x7fc00000u);
}

// N elements, read and written 16 bytes at a time.
template <class T, int N>
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) vec {
  T lane[N];
  __device__ T& operator[](int k) { return lane[k]; }
  __device__ const T& operator[](int k) const { return lane[k]; }
};

template <int N, class T>
__device__ vec<T, N> load(const T* p) {
  return *reinterpret_cast<const vec<T, N>*>(p);
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

extern "C" __global__ void __launch_bounds__(128) kiln_max_sub_exp_sum_c02d658d3fcb(int n0, int n1,
    const int* __restrict__ x0, const float* __restrict__ x1, float* __restrict__ out2) {
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
  const int t4 = t3 + lane * 4;
  const int t5 = min(t3 + 1024, n1);
#pragma unroll
  for (int k = 0; k < 4; ++k) r0_acc[k] = -infinity_f32();
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const int t6 = t4 + i * 128;
    if (t6 < t5) {
      const vec<float, 4> x14 = load<4>(&x1[t1 + t6]);
#pragma unroll
      for (int k = 0; k < 4; ++k) row0[i * 4 + k] = x14[k];
#pragma unroll
      for (int k = 0; k < 4; ++k) r0_acc[k] = maximum(r0_acc[k], x14[k]);
    }
  }
  const float t7 = maximum(maximum(r0_acc[0], r0_acc[1]), maximum(r0_acc[2], r0_acc[3]));
  r0_acc[0] = t7;
  const int t8 = lane ^ 1;
  const float r0_acc_i = r0_acc[0];
  const float t9 = __shfl_sync(0xffffffff, r0_acc_i, t8);
  r0_acc[0] = maximum(r0_acc_i, t9);
  const int t10 = lane ^ 2;
  const float r0_acc_i_2 = r0_acc[0];
  const float t11 = __shfl_sync(0xffffffff, r0_acc_i_2, t10);
  r0_acc[0] = maximum(r0_acc_i_2, t11);
  const int t12 = lane ^ 4;
  const float r0_acc_i_3 = r0_acc[0];
  const float t13 = __shfl_sync(0xffffffff, r0_acc_i_3, t12);
  r0_acc[0] = maximum(r0_acc_i_3, t13);
  const int t14 = lane ^ 8;
  const float r0_acc_i_4 = r0_acc[0];
  const float t15 = __shfl_sync(0xffffffff, r0_acc_i_4, t14);
  r0_acc[0] = maximum(r0_acc_i_4, t15);
  const int t16 = lane ^ 16;
  const float r0_acc_i_5 = r0_acc[0];
  const float t17 = __shfl_sync(0xffffffff, r0_acc_i_5, t16);
  r0_acc[0] = maximum(r0_acc_i_5, t17);
  const bool t18 = lane == 0;
  const float r0_acc_i_6 = r0_acc[0];
  if (t18) {
    r0_warp[warp] = r0_acc_i_6;
  }
  if (t2) given0 = x0_i;
  __syncthreads();
  const float t19 = maximum(r0_warp[0], r0_warp[1]);
  const float t20 = maximum(t19, maximum(r0_warp[2], r0_warp[3]));
#pragma unroll
  for (int k = 0; k < 4; ++k) r1_acc[k] = -0.0f;
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    if (t4 + i * 128 < t5) {
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        r1_acc[k] += kiln_exp(row0[i * 4 + k] - t20);
      }
    }
  }
  r1_acc[0] = r1_acc[0] + r1_acc[1] + (r1_acc[2] + r1_acc[3]);
  const float r1_acc_i = r1_acc[0];
  const float t21 = __shfl_sync(0xffffffff, r1_acc_i, t8);
  r1_acc[0] = r1_acc_i + t21;
  const float r1_acc_i_2 = r1_acc[0];
  const float t22 = __shfl_sync(0xffffffff, r1_acc_i_2, t10);
  r1_acc[0] = r1_acc_i_2 + t22;
  const float r1_acc_i_3 = r1_acc[0];
  const float t23 = __shfl_sync(0xffffffff, r1_acc_i_3, t12);
  r1_acc[0] = r1_acc_i_3 + t23;
  const float r1_acc_i_4 = r1_acc[0];
  const float t24 = __shfl_sync(0xffffffff, r1_acc_i_4, t14);
  r1_acc[0] = r1_acc_i_4 + t24;
  const float r1_acc_i_5 = r1_acc[0];
  const float t25 = __shfl_sync(0xffffffff, r1_acc_i_5, t16);
  r1_acc[0] = r1_acc_i_5 + t25;
  const float r1_acc_i_6 = r1_acc[0];
  if (t18) {
    r1_warp[warp] = r1_acc_i_6;
  }
  __syncthreads();
  const int t26 = given0 & 255;
  const float t27 = kiln_log(r1_warp[0] + r1_warp[1] + (r1_warp[2] + r1_warp[3]));
#pragma unroll
  for (int k = 0; k < 4; ++k) r2_acc[k] = -0.0f;
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const int t28 = t4 + i * 128;
    vec<bool, 4> t29;
#pragma unroll
    for (int k = 0; k < 4; ++k) t29[k] = wrap_add(t28, k) == t26;
    if (t28 < t5) {
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        r2_acc[k] += t29[k] ? row0[i * 4 + k] - t20 - t27 : 0.0f;
      }
    }
  }
  r2_acc[0] = r2_acc[0] + r2_acc[1] + (r2_acc[2] + r2_acc[3]);
  const float r2_acc_i = r2_acc[0];
  const float t30 = __shfl_sync(0xffffffff, r2_acc_i, t8);
  r2_acc[0] = r2_acc_i + t30;
  const float r2_acc_i_2 = r2_acc[0];
  const float t31 = __shfl_sync(0xffffffff, r2_acc_i_2, t10);
  r2_acc[0] = r2_acc_i_2 + t31;
  const float r2_acc_i_3 = r2_acc[0];
  const float t32 = __shfl_sync(0xffffffff, r2_acc_i_3, t12);
  r2_acc[0] = r2_acc_i_3 + t32;
  const float r2_acc_i_4 = r2_acc[0];
  const float t33 = __shfl_sync(0xffffffff, r2_acc_i_4, t14);
  r2_acc[0] = r2_acc_i_4 + t33;
  const float r2_acc_i_5 = r2_acc[0];
  const float t34 = __shfl_sync(0xffffffff, r2_acc_i_5, t16);
  r2_acc[0] = r2_acc_i_5 + t34;
  const float r2_acc_i_6 = r2_acc[0];
  if (t18) {
    r2_warp[warp] = r2_acc_i_6;
  }
  __syncthreads();
  const float t35 = r2_warp[0] + r2_warp[1] + (r2_warp[2] + r2_warp[3]);
  if (t2) {
    out2[block] = t35;
  }
}

