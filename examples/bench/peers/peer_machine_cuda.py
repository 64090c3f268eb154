"""Ceilings of the roofline on a GPU: bandwidth of reading alone, of two reads and a write, and the
rate of independent multiply-adds. No peer: run.py asks for it by itself."""

import cupy as cp

from peer_cupy import about, drop, get, put, wait  # noqa: F401

THREADS = 256
CHAINS = 8  # independent multiply-adds of a thread

SOURCE = f"constexpr int kChains = {CHAINS};" r"""
extern "C" __global__ void triad(long long n, const float4* x, const float4* y, float4* out) {
  const long long step = (long long)gridDim.x * blockDim.x;
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += step) {
    const float4 a = x[i], b = y[i];
    out[i] = make_float4(a.x + 3 * b.x, a.y + 3 * b.y, a.z + 3 * b.z, a.w + 3 * b.w);
  }
}

// The sum is stored where it is a value that inputs in [0, 1) do not have: always read, never written.
extern "C" __global__ void read(long long n, const float4* x, float* out) {
  const long long step = (long long)gridDim.x * blockDim.x;
  float sum = 0;
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += step) {
    const float4 a = x[i];
    sum += (a.x + a.y) + (a.z + a.w);
  }
  if (sum < 0) out[0] = sum;
}

extern "C" __global__ void arithmetic(long long rounds, const float* x, float* out) {
  const float a = x[0], b = x[1];
  float c[kChains];
  for (int k = 0; k < kChains; ++k) c[k] = threadIdx.x + k;
  for (long long r = 0; r < rounds; ++r) {
    for (int k = 0; k < kChains; ++k) c[k] = fmaf(c[k], a, b);
  }
  float sum = 0;
  for (int k = 0; k < kChains; ++k) sum += c[k];
  if (sum < 0) out[0] = sum;
}
"""


def program(name, dims):
    if name not in ("triad", "read", "arithmetic"):
        return None
    kernel = cp.RawModule(code=SOURCE).get_function(name)
    blocks = 8 * cp.cuda.runtime.getDeviceProperties(0)["multiProcessorCount"]
    amount = dims[0] // 4
    if name == "arithmetic":
        amount = max(1, dims[0] // (2 * CHAINS * THREADS * blocks))
    out = cp.zeros(dims[0] if name == "triad" else 1, dtype=cp.float32)

    def run(*inputs):
        kernel((blocks,), (THREADS,), (cp.int64(amount), *inputs, out))
        return out

    return run
