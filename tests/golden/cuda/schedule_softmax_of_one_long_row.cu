// in pieces: v1 = max(x0, 1)

__device__ float infinity_f32() {
  return __uint_as_float(0x7f800000u);
}

__device__ int wrap_sub(int a, int b) {
  return (int)((unsigned)a - (unsigned)b);
}

__device__ int wrap_add(int a, int b) {
  return (int)((unsigned)a + (unsigned)b);
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

__device__ int trailing_zeros(int a) {
  return a == 0 ? 32 : __ffs((int)(unsigned)a) - 1;
}

// By the width or more: all bits the sign.
__device__ int shift_right(int a, int b) {
  return a >> ((unsigned)b < 32 ? b : 31);
}

extern "C" __global__ void __launch_bounds__(256) kiln_max_c01eba96ce79(int n0,
    float* __restrict__ part0, const float* __restrict__ x0) {
  float r0_acc[4];
  __shared__ float r0_warp[8];
  float r0_stack[2];
  float r0_carry;
  const int block = blockIdx.x;
  const int t1 = block % ((n0 + 16383) / 16384) * 16384;
  const int t2 = min(t1 + 16384, n0);
  const int t3 = wrap_add(wrap_sub(t2, t1), 8191) / 8192;
  const int thread = threadIdx.x;
  const int lane = thread % 32;
  const int warp = thread / 32;
  const int t4 = warp * 1024;
  const int t5 = lane * 4;
  const int t6 = lane ^ 1;
  const int t7 = lane ^ 2;
  const int t8 = lane ^ 4;
  const int t9 = lane ^ 8;
  const int t10 = lane ^ 16;
  const bool t11 = lane == 0;
  for (int i = t1; i < t2; i += 8192) {
    const int t12 = i + t4;
#pragma unroll
    for (int k = 0; k < 4; ++k) r0_acc[k] = -infinity_f32();
    for (int j = t12 + t5; j < min(t12 + 1024, t2); j += 128) {
      const vec<float, 4> x04 = load<4>(&x0[j]);
#pragma unroll
      for (int k = 0; k < 4; ++k) r0_acc[k] = maximum(r0_acc[k], x04[k]);
    }
    const float t13 = maximum(maximum(r0_acc[0], r0_acc[1]), maximum(r0_acc[2], r0_acc[3]));
    r0_acc[0] = t13;
    const float r0_acc_i = r0_acc[0];
    const float t14 = __shfl_sync(0xffffffff, r0_acc_i, t6);
    r0_acc[0] = maximum(r0_acc_i, t14);
    const float r0_acc_i_2 = r0_acc[0];
    const float t15 = __shfl_sync(0xffffffff, r0_acc_i_2, t7);
    r0_acc[0] = maximum(r0_acc_i_2, t15);
    const float r0_acc_i_3 = r0_acc[0];
    const float t16 = __shfl_sync(0xffffffff, r0_acc_i_3, t8);
    r0_acc[0] = maximum(r0_acc_i_3, t16);
    const float r0_acc_i_4 = r0_acc[0];
    const float t17 = __shfl_sync(0xffffffff, r0_acc_i_4, t9);
    r0_acc[0] = maximum(r0_acc_i_4, t17);
    const float r0_acc_i_5 = r0_acc[0];
    const float t18 = __shfl_sync(0xffffffff, r0_acc_i_5, t10);
    r0_acc[0] = maximum(r0_acc_i_5, t18);
    const float r0_acc_i_6 = r0_acc[0];
    if (t11) {
      r0_warp[warp] = r0_acc_i_6;
    }
    __syncthreads();
    const float t19 = maximum(r0_warp[0], r0_warp[1]);
    const float t20 = maximum(r0_warp[4], r0_warp[5]);
    const float t21 = maximum(t19, maximum(r0_warp[2], r0_warp[3]));
    const float t22 = maximum(t21, maximum(t20, maximum(r0_warp[6], r0_warp[7])));
    __syncthreads();
    r0_carry = t22;
    const int t23 = trailing_zeros(wrap_add(wrap_sub(i, t1) / 8192, 1));
    for (int j = 0; j < t23; ++j) {
      r0_carry = maximum(r0_stack[j], r0_carry);
    }
    r0_stack[t23] = r0_carry;
  }
  r0_carry = -infinity_f32();
  for (int i = 0; i < 2; ++i) {
    if ((shift_right(t3, i) & 1) != 0) {
      r0_carry = maximum(r0_stack[i], r0_carry);
    }
  }
  const float t24 = r0_carry;
  if (thread == 0) {
    part0[block] = t24;
  }
}

// v1 = max(x0, 1)

__device__ float infinity_f32() {
  return __uint_as_float(0x7f800000u);
}

// NaN if either is; -0 is less than +0.
__device__ float maximum(float a, float b) {
  const float other = a > b || a != a ? a : b;
  return a == b ? __int_as_float(__float_as_int(a) & __float_as_int(b)) : other;
}

extern "C" __global__ void __launch_bounds__(256) kiln_max_efc7b39a10e9(
    const float* __restrict__ part0, int n0, float* __restrict__ out0) {
  float r0_acc;
  __shared__ float r0_warp[8];
  const int t1 = (n0 + 16383) / 16384;
  const int block = blockIdx.x;
  const int t2 = block * t1;
  const int thread = threadIdx.x;
  const int lane = thread % 32;
  const int warp = thread / 32;
  const int t3 = warp * 32;
  r0_acc = -infinity_f32();
  for (int i = t3 + lane; i < min(t3 + 32, t1); i += 128) {
    const float part0_i = part0[t2 + i];
    r0_acc = maximum(r0_acc, part0_i);
  }
  const float t4 = r0_acc;
  const float t5 = __shfl_sync(0xffffffff, t4, lane ^ 1);
  r0_acc = maximum(t4, t5);
  const float t6 = r0_acc;
  const float t7 = __shfl_sync(0xffffffff, t6, lane ^ 2);
  r0_acc = maximum(t6, t7);
  const float t8 = r0_acc;
  const float t9 = __shfl_sync(0xffffffff, t8, lane ^ 4);
  r0_acc = maximum(t8, t9);
  const float t10 = r0_acc;
  const float t11 = __shfl_sync(0xffffffff, t10, lane ^ 8);
  r0_acc = maximum(t10, t11);
  const float t12 = r0_acc;
  const float t13 = __shfl_sync(0xffffffff, t12, lane ^ 16);
  r0_acc = maximum(t12, t13);
  const float t14 = r0_acc;
  if (lane == 0) {
    r0_warp[warp] = t14;
  }
  __syncthreads();
  const float t15 = maximum(r0_warp[0], r0_warp[1]);
  const float t16 = maximum(r0_warp[4], r0_warp[5]);
  const float t17 = maximum(t15, maximum(r0_warp[2], r0_warp[3]));
  const float t18 = maximum(t17, maximum(t16, maximum(r0_warp[6], r0_warp[7])));
  if (thread == 0) {
    out0[0] = t18;
  }
}

// in pieces: v6 = sum(exp(x0 - v1), 1)

__device__ float infinity_f32() {
  return __uint_as_float(0x7f800000u);
}

__device__ int wrap_sub(int a, int b) {
  return (int)((unsigned)a - (unsigned)b);
}

__device__ int wrap_add(int a, int b) {
  return (int)((unsigned)a + (unsigned)b);
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

__device__ int trailing_zeros(int a) {
  return a == 0 ? 32 : __ffs((int)(unsigned)a) - 1;
}

// By the width or more: all bits the sign.
__device__ int shift_right(int a, int b) {
  return a >> ((unsigned)b < 32 ? b : 31);
}

extern "C" __global__ void __launch_bounds__(256) kiln_sub_exp_sum_add_a99cf51946fd(int n0,
    float* __restrict__ part0, const float* __restrict__ x0, const float* __restrict__ x1) {
  float r0_acc[4];
  __shared__ float r0_warp[8];
  float r0_stack[2];
  float r0_carry;
  const float x1_i = x1[0];
  const int block = blockIdx.x;
  const int t1 = block % ((n0 + 16383) / 16384) * 16384;
  const int t2 = min(t1 + 16384, n0);
  const int t3 = wrap_add(wrap_sub(t2, t1), 8191) / 8192;
  const int thread = threadIdx.x;
  const int lane = thread % 32;
  const int warp = thread / 32;
  const int t4 = warp * 1024;
  const int t5 = lane * 4;
  const int t6 = lane ^ 1;
  const int t7 = lane ^ 2;
  const int t8 = lane ^ 4;
  const int t9 = lane ^ 8;
  const int t10 = lane ^ 16;
  const bool t11 = lane == 0;
  for (int i = t1; i < t2; i += 8192) {
    const int t12 = i + t4;
#pragma unroll
    for (int k = 0; k < 4; ++k) r0_acc[k] = -0.0f;
    for (int j = t12 + t5; j < min(t12 + 1024, t2); j += 128) {
      const vec<float, 4> x04 = load<4>(&x0[j]);
#pragma unroll
      for (int k = 0; k < 4; ++k) r0_acc[k] += kiln_exp(x04[k] - x1_i);
    }
    r0_acc[0] = r0_acc[0] + r0_acc[1] + (r0_acc[2] + r0_acc[3]);
    const float r0_acc_i = r0_acc[0];
    const float t13 = __shfl_sync(0xffffffff, r0_acc_i, t6);
    r0_acc[0] = r0_acc_i + t13;
    const float r0_acc_i_2 = r0_acc[0];
    const float t14 = __shfl_sync(0xffffffff, r0_acc_i_2, t7);
    r0_acc[0] = r0_acc_i_2 + t14;
    const float r0_acc_i_3 = r0_acc[0];
    const float t15 = __shfl_sync(0xffffffff, r0_acc_i_3, t8);
    r0_acc[0] = r0_acc_i_3 + t15;
    const float r0_acc_i_4 = r0_acc[0];
    const float t16 = __shfl_sync(0xffffffff, r0_acc_i_4, t9);
    r0_acc[0] = r0_acc_i_4 + t16;
    const float r0_acc_i_5 = r0_acc[0];
    const float t17 = __shfl_sync(0xffffffff, r0_acc_i_5, t10);
    r0_acc[0] = r0_acc_i_5 + t17;
    const float r0_acc_i_6 = r0_acc[0];
    if (t11) {
      r0_warp[warp] = r0_acc_i_6;
    }
    __syncthreads();
    const float t18 = r0_warp[0] + r0_warp[1] + (r0_warp[2] + r0_warp[3]);
    const float t19 = t18 + (r0_warp[4] + r0_warp[5] + (r0_warp[6] + r0_warp[7]));
    __syncthreads();
    r0_carry = t19;
    const int t20 = trailing_zeros(wrap_add(wrap_sub(i, t1) / 8192, 1));
    for (int j = 0; j < t20; ++j) {
      r0_carry = r0_stack[j] + r0_carry;
    }
    r0_stack[t20] = r0_carry;
  }
  r0_carry = -0.0f;
  for (int i = 0; i < 2; ++i) {
    if ((shift_right(t3, i) & 1) != 0) {
      r0_carry = r0_stack[i] + r0_carry;
    }
  }
  const float t21 = r0_carry;
  if (thread == 0) {
    part0[block] = t21;
  }
}

// v6 = sum(exp(x0 - v1), 1)
extern "C" __global__ void __launch_bounds__(256) kiln_sum_add_6e351152f420(
    const float* __restrict__ part0, int n0, float* __restrict__ out0) {
  float r0_acc;
  __shared__ float r0_warp[8];
  const int t1 = (n0 + 16383) / 16384;
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
    out0[0] = t16;
  }
}

// v9 = exp(x0 - v1) / v6

__device__ float infinity_f32() {
  return __uint_as_float(0x7f800000u);
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

template <class T, int N>
__device__ void store(T* p, const vec<T, N>& value) {
  *reinterpret_cast<vec<T, N>*>(p) = value;
}

extern "C" __global__ void __launch_bounds__(256) kiln_sub_exp_div_82a2bad92975(int n0,
    const float* __restrict__ x0, const float* __restrict__ x1, const float* __restrict__ x2,
    float* __restrict__ out3) {
  const int block = blockIdx.x;
  const int t1 = block * 2048;
  const int thread = threadIdx.x;
  const int t2 = t1 + thread * 4;
  if (2048 <= n0 - t1) {
    const float x1_i = x1[0];
    const float x2_i = x2[0];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int t3 = t2 + i * 1024;
      const vec<float, 4> x04 = load<4>(&x0[t3]);
      vec<float, 4> out34;
#pragma unroll
      for (int k = 0; k < 4; ++k) out34[k] = kiln_exp(x04[k] - x1_i) / x2_i;
      store(&out3[t3], out34);
    }
  } else {
    const float x1_i = x1[0];
    const float x2_i = x2[0];
#pragma unroll 1
    for (int i = t1 + thread; i < n0; i += 256) {
      const float x0_i = x0[i];
      out3[i] = kiln_exp(x0_i - x1_i) / x2_i;
    }
  }
}

