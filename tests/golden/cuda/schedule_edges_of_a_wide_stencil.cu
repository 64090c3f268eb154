// slice(pad(x0, 2)) * slice(pad(x0, 2)) + (slice(pad(x0, 2)) - x0)
extern "C" __global__ void __launch_bounds__(256) kiln_mul_sub_add_83e3ad9b03b7(int n0, int n1,
    const float* __restrict__ x0, int n2, float* __restrict__ out1) {
  const int t1 = (n1 + 255) / 256;
  const int block = blockIdx.x;
  const int t2 = block / t1;
  const int t3 = t2 + 1 - 1;
  const bool t4 = 0 <= t3 && t3 < n0;
  const int t5 = t3 * n1;
  const int t6 = t2 - 1;
  const int thread = threadIdx.x;
  const int t7 = block % t1 * 256 + thread;
  const int t8 = t7 - 1;
  const bool t9 = t4 && (0 <= t8 && t8 < n1);
  const int t10 = t7 + n2 - 1;
  const bool t11 = t4 && (0 <= t10 && t10 < n1);
  const int t12 = t7 + 1 - 1;
  const bool t13 = 0 <= t6 && t6 < n0 && (0 <= t12 && t12 < n1);
  const int t14 = t2 * n1 + t7;
  if (t7 < n1) {
    const float x0_i = t9 ? x0[t5 + t8] : 0.0f;
    const float x0_i_2 = t11 ? x0[t5 + t10] : 0.0f;
    const float x0_i_3 = t13 ? x0[t6 * n1 + t12] : 0.0f;
    const float x0_i_4 = x0[t14];
    const float t15 = (t9 ? x0_i : 2.0f) * (t11 ? x0_i_2 : 2.0f);
    out1[t14] = t15 + ((t13 ? x0_i_3 : 2.0f) - x0_i_4);
  }
}

