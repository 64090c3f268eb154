extern "C" __global__ void __launch_bounds__(32) kiln_fma_sub_mul_div_2143f9ded089(
    const float* __restrict__ x, const float* __restrict__ y, const unsigned* __restrict__ m,
    float* __restrict__ out, unsigned* __restrict__ bits, bool* __restrict__ flag, int n) {
  const int block = blockIdx.x;
  const int thread = threadIdx.x;
  const int t1 = block * 32 + thread;
  if (t1 < n) {
    const float x_i = x[t1];
    const float y_i = y[t1];
    const unsigned m_i = m[t1];
    const float t2 = fmaf(fmaf(fmaf(0.25f, x_i, 1.0f), x_i, 0.5f), x_i, 0.33333334f);
    const float t3 = fmaf(fmaf(fmaf(t2, x_i, 0.25f), x_i, 0.2f), x_i, 0.16666667f);
    const float t4 = y_i - (x_i - y_i - fmaf(fmaf(t3, x_i, 0.14285715f), x_i, 0.125f));
    const bool t5 = (x_i < y_i && x_i != x_i) || !(y_i <= -0.0f);
    flag[t1] = t5;
    out[t1] = t5 ? -(-((x_i - t4) / (x_i * y_i))) : y_i - 1.5f;
    bits[t1] = (((m_i + 3u) >> 3) & ~(m_i | 255u)) ^ __float_as_uint(x_i);
  }
}
