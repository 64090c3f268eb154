// v3 = x0 * s0; v4 = permute(v3, {0, 2, 1})
extern "C" __global__ void __launch_bounds__(256) kiln_mul_62db4840f5a7(int n0, int n1, int n2,
    const float* __restrict__ x0, float s0, float* __restrict__ out1, float* __restrict__ out2) {
  __shared__ float tile[1056];
  const int t1 = (n2 + 31) / 32;
  const int t2 = (n1 + 31) / 32;
  const int block = blockIdx.x;
  const int t3 = block / t1;
  const int along = block % t1 * 32;
  const int across = t3 % t2 * 32;
  const int t4 = t3 / t2;
  const int t5 = t4 * n1;
  const int t6 = t4 * n2;
  const int thread = threadIdx.x;
  const int column = thread % 32;
  const int row = thread / 32;
  const int t7 = along + column;
  const int t8 = column * 33;
  if (t7 < n2) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int t9 = row + i * 8;
      const int t10 = across + t9;
      const int t11 = (t5 + t10) * n2 + t7;
      if (t10 < n1) {
        const float x0_i = x0[t11];
        const float t12 = x0_i * s0;
        out1[t11] = t12;
        tile[t8 + t9] = t12;
      }
    }
  }
  __syncthreads();
  const int t13 = across + column;
  if (t13 < n1) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int t14 = row + i * 8;
      const int t15 = along + t14;
      if (t15 < n2) {
        out2[(t6 + t15) * n1 + t13] = tile[t14 * 33 + column];
      }
    }
  }
}
