// row_sum = sum(x, 1)
extern "C" __global__ void __launch_bounds__(128) kiln_sum_37a326995886(
    const float* __restrict__ x, float* __restrict__ row_sum, long long rows, long long columns) {
  float acc;
  const long long block = blockIdx.x;
  const long long thread = threadIdx.x;
  const long long lane = thread % 32;
  const long long row = block * 4 + thread / 32;
  const bool t1 = row < rows;
  const long long t2 = row * columns;
  if (t1) {
    acc = 0.0f;
    for (long long column = lane; column < columns; column += 32) {
      const float x_i = x[t2 + column];
      acc += x_i;
    }
  }
  const float t3 = acc;
  const int t4 = (int)lane;
  const float t5 = __shfl_sync(0xffffffff, t3, t4 ^ 1);
  const float t6 = t3 + t5;
  const float t7 = __shfl_sync(0xffffffff, t6, t4 ^ 2);
  const float t8 = t6 + t7;
  const float t9 = __shfl_sync(0xffffffff, t8, t4 ^ 4);
  const float t10 = t8 + t9;
  const float t11 = __shfl_sync(0xffffffff, t10, t4 ^ 8);
  const float t12 = t10 + t11;
  const float t13 = __shfl_sync(0xffffffff, t12, t4 ^ 16);
  if (lane == 0 && t1) {
    row_sum[row] = t12 + t13;
  }
}
