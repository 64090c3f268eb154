// (x0 * s0).T
extern "C" __global__ void __launch_bounds__(256) kiln_mul_a485908a7ff0(int n0,
    const float* __restrict__ x0, float s0, float* __restrict__ out1) {
  __shared__ float tile[1056];
  const int t1 = (n0 + 31) / 32;
  const int block = blockIdx.x;
  const int along = block % t1 * 32;
  const int across = block / t1 % t1 * 32;
  const int thread = threadIdx.x;
  const int column = thread % 32;
  const int row = thread / 32;
  const int t2 = across + column;
  if (t2 < n0) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int t3 = row + i * 8;
      const int t4 = along + t3;
      if (t4 < n0) {
        const float x0_i = x0[t4 * n0 + t2];
        tile[t3 * 33 + column] = x0_i * s0;
      }
    }
  }
  __syncthreads();
  const int t5 = along + column;
  const int t6 = column * 33;
  if (t5 < n0) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int t7 = row + i * 8;
      const int t8 = across + t7;
      if (t8 < n0) {
        out1[t8 * n0 + t5] = tile[t6 + t7];
      }
    }
  }
}
