// Our declarations of NVIDIA's interfaces against its headers, where those are installed.
#include <gtest/gtest.h>

#include "runtime/cuda/driver.h"

#if __has_include(<cuda.h>)
#include <cuda.h>

namespace kiln::runtime {
namespace {

using Pool = CudaDriver::PoolProperties;
static_assert(sizeof(Pool) == sizeof(CUmemPoolProps));
static_assert(offsetof(Pool, allocation) == offsetof(CUmemPoolProps, allocType));
static_assert(offsetof(Pool, handles) == offsetof(CUmemPoolProps, handleTypes));
static_assert(offsetof(Pool, location) == offsetof(CUmemPoolProps, location));
static_assert(offsetof(Pool, security) == offsetof(CUmemPoolProps, win32SecurityAttributes));
static_assert(offsetof(Pool, most) == offsetof(CUmemPoolProps, maxSize));
static_assert(offsetof(Pool, usage) == offsetof(CUmemPoolProps, usage));
static_assert(Pool{}.allocation == CU_MEM_ALLOCATION_TYPE_PINNED);
static_assert(Pool{}.location == CU_MEM_LOCATION_TYPE_DEVICE);
static_assert(sizeof(CudaDriver::Address) == sizeof(CUdeviceptr));

TEST(CudaAbi, ValuesOfTheDriversEnumerations) {
  EXPECT_EQ(cuda::kOutOfMemory, CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(cuda::kDeinitialized, CUDA_ERROR_DEINITIALIZED);
  EXPECT_EQ(cuda::kNoDevice, CUDA_ERROR_NO_DEVICE);
  EXPECT_EQ(cuda::kInvalidImage, CUDA_ERROR_INVALID_IMAGE);
  EXPECT_EQ(cuda::kNoBinaryForGpu, CUDA_ERROR_NO_BINARY_FOR_GPU);
  EXPECT_EQ(cuda::kNotReady, CUDA_ERROR_NOT_READY);
  EXPECT_EQ(cuda::kUncorrectable, CUDA_ERROR_ECC_UNCORRECTABLE);
  EXPECT_EQ(cuda::kUnavailable, CUDA_ERROR_DEVICE_UNAVAILABLE);
  EXPECT_EQ(cuda::kSharedBytesPerBlock, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK);
  EXPECT_EQ(cuda::kClockRate, CU_DEVICE_ATTRIBUTE_CLOCK_RATE);
  EXPECT_EQ(cuda::kMultiprocessors, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  EXPECT_EQ(cuda::kMemoryClockRate, CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE);
  EXPECT_EQ(cuda::kMemoryBusWidth, CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH);
  EXPECT_EQ(cuda::kCacheBytes, CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE);
  EXPECT_EQ(cuda::kCapabilityMajor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
  EXPECT_EQ(cuda::kCapabilityMinor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  EXPECT_EQ(cuda::kPoolsSupported, CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED);
  EXPECT_EQ(cuda::kFunctionMaxThreads, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
  EXPECT_EQ(cuda::kPoolReleaseThreshold, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD);
  EXPECT_EQ(cuda::kJitInfoLog, CU_JIT_INFO_LOG_BUFFER);
  EXPECT_EQ(cuda::kJitInfoLogBytes, CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES);
  EXPECT_EQ(cuda::kJitErrorLog, CU_JIT_ERROR_LOG_BUFFER);
  EXPECT_EQ(cuda::kJitErrorLogBytes, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);
  EXPECT_EQ(cuda::kStreamNonBlocking, CU_STREAM_NON_BLOCKING);
  EXPECT_EQ(cuda::kEventNoTiming, CU_EVENT_DISABLE_TIMING);
}

TEST(CudaAbi, WhichFailuresPoisonAContext) {
  for (const int sticky :
       {CUDA_ERROR_ILLEGAL_ADDRESS, CUDA_ERROR_LAUNCH_TIMEOUT, CUDA_ERROR_ASSERT,
        CUDA_ERROR_HARDWARE_STACK_ERROR, CUDA_ERROR_ILLEGAL_INSTRUCTION,
        CUDA_ERROR_MISALIGNED_ADDRESS, CUDA_ERROR_LAUNCH_FAILED, CUDA_ERROR_CONTEXT_IS_DESTROYED,
        CUDA_ERROR_ECC_UNCORRECTABLE, CUDA_ERROR_DEINITIALIZED}) {
    EXPECT_TRUE(cuda::sticky(sticky)) << sticky;
  }
  for (const int harmless :
       {CUDA_SUCCESS, CUDA_ERROR_OUT_OF_MEMORY, CUDA_ERROR_INVALID_VALUE, CUDA_ERROR_NOT_READY,
        CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, CUDA_ERROR_PRIMARY_CONTEXT_ACTIVE,
        CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, CUDA_ERROR_NOT_SUPPORTED}) {
    EXPECT_FALSE(cuda::sticky(harmless)) << harmless;
  }
}

}  // namespace
}  // namespace kiln::runtime
#else
TEST(CudaAbi, Headers) { GTEST_SKIP() << "CUDA's headers are not installed"; }
#endif
