// row_max = max(x, 1)

__device__ float infinity_f32() {
  return __uint_as_float(0x7f800000u);
}

// NaN if either is; -0 is less than +0.
__device__ float maximum(float a, float b) {
  const float other = a > b || a != a ? a : b;
  return a == b ? __int_as_float(__float_as_int(a) & __float_as_int(b)) : other;
}

extern "C" __global__ void __launch_bounds__(128) kiln_max_2e1c53358763(
    const float* __restrict__ x, float* __restrict__ row_max, int columns) {
  float best;
  __shared__ float tile[128];
  const int row = blockIdx.x;
  const int t1 = row * columns;
  const int thread = threadIdx.x;
  best = -infinity_f32();
  for (int column = thread; column < columns; column += 128) {
    const float x_i = x[t1 + column];
    best = maximum(best, x_i);
  }
  tile[thread] = best;
  __syncthreads();
  if (thread < 64) {
    tile[thread] = maximum(tile[thread], tile[thread + 64]);
  }
  __syncthreads();
  if (thread < 32) {
    tile[thread] = maximum(tile[thread], tile[thread + 32]);
  }
  __syncthreads();
  if (thread < 16) {
    tile[thread] = maximum(tile[thread], tile[thread + 16]);
  }
  __syncthreads();
  if (thread < 8) {
    tile[thread] = maximum(tile[thread], tile[thread + 8]);
  }
  __syncthreads();
  if (thread < 4) {
    tile[thread] = maximum(tile[thread], tile[thread + 4]);
  }
  __syncthreads();
  if (thread < 2) {
    tile[thread] = maximum(tile[thread], tile[thread + 2]);
  }
  __syncthreads();
  if (thread < 1) {
    tile[thread] = maximum(tile[thread], tile[thread + 1]);
  }
  __syncthreads();
  if (thread == 0) {
    row_max[row] = tile[0];
  }
}
