// abi.h against the toolkit's own header, where there is one.

#include <gtest/gtest.h>

#include "tests/cudasim/abi.h"

#if __has_include(<cuda.h>)
#include <cuda.h>

namespace sim = cudasim::abi;

static_assert(sizeof(sim::LaunchConfig) == sizeof(CUlaunchConfig));
static_assert(offsetof(sim::LaunchConfig, stream) == offsetof(CUlaunchConfig, hStream));
static_assert(offsetof(sim::LaunchConfig, attribute_count) == offsetof(CUlaunchConfig, numAttrs));
static_assert(sizeof(sim::LaunchAttribute) == sizeof(CUlaunchAttribute));
static_assert(offsetof(sim::LaunchAttribute, value) == offsetof(CUlaunchAttribute, value));
static_assert(sim::kLaunchAttributeCooperative == int{CU_LAUNCH_ATTRIBUTE_COOPERATIVE});
static_assert(int{sim::kLaunchAttributeClusterDimension} ==
              int{CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION});
static_assert(sizeof(sim::PoolProps) == sizeof(CUmemPoolProps));
static_assert(offsetof(sim::PoolProps, location) == offsetof(CUmemPoolProps, location));
static_assert(offsetof(sim::PoolProps, max_size) == offsetof(CUmemPoolProps, maxSize));
static_assert(sizeof(sim::KernelNodeParams) == sizeof(CUDA_KERNEL_NODE_PARAMS));
static_assert(offsetof(sim::KernelNodeParams, kernel) == offsetof(CUDA_KERNEL_NODE_PARAMS, kern));
static_assert(sizeof(sim::GraphExecUpdateResultInfo) == sizeof(CUgraphExecUpdateResultInfo));
static_assert(sizeof(sim::DevicePtr) == sizeof(CUdeviceptr));
static_assert(sizeof(sim::Uuid) == sizeof(CUuuid));
static_assert(int{sim::kInvalidValue} == int{CUDA_ERROR_INVALID_VALUE});
static_assert(int{sim::kOutOfMemory} == int{CUDA_ERROR_OUT_OF_MEMORY});
static_assert(int{sim::kInvalidContext} == int{CUDA_ERROR_INVALID_CONTEXT});
static_assert(int{sim::kNoBinaryForGpu} == int{CUDA_ERROR_NO_BINARY_FOR_GPU});
static_assert(int{sim::kInvalidPtx} == int{CUDA_ERROR_INVALID_PTX});
static_assert(int{sim::kUnsupportedPtxVersion} == int{CUDA_ERROR_UNSUPPORTED_PTX_VERSION});
static_assert(int{sim::kInvalidHandle} == int{CUDA_ERROR_INVALID_HANDLE});
static_assert(int{sim::kNotFound} == int{CUDA_ERROR_NOT_FOUND});
static_assert(int{sim::kNotReady} == int{CUDA_ERROR_NOT_READY});
static_assert(int{sim::kIllegalAddress} == int{CUDA_ERROR_ILLEGAL_ADDRESS});
static_assert(int{sim::kLaunchOutOfResources} == int{CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES});
static_assert(int{sim::kContextIsDestroyed} == int{CUDA_ERROR_CONTEXT_IS_DESTROYED});
static_assert(int{sim::kAssert} == int{CUDA_ERROR_ASSERT});
static_assert(int{sim::kMisalignedAddress} == int{CUDA_ERROR_MISALIGNED_ADDRESS});
static_assert(int{sim::kLaunchFailed} == int{CUDA_ERROR_LAUNCH_FAILED});
static_assert(int{sim::kCooperativeLaunchTooLarge} == int{CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE});
static_assert(int{sim::kGraphExecUpdateFailure} == int{CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE});
static_assert(int{sim::kFuncMaxDynamicShared} ==
              int{CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES});
static_assert(int{sim::kFuncRegisters} == int{CU_FUNC_ATTRIBUTE_NUM_REGS});
static_assert(int{sim::kPointerRangeSize} == int{CU_POINTER_ATTRIBUTE_RANGE_SIZE});
static_assert(int{sim::kPoolReleaseThreshold} == int{CU_MEMPOOL_ATTR_RELEASE_THRESHOLD});
static_assert(int{sim::kPoolUsedHigh} == int{CU_MEMPOOL_ATTR_USED_MEM_HIGH});
static_assert(int{sim::kJitErrorLogBufferSize} == int{CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES});
static_assert(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR == 75);
static_assert(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN == 97);
static_assert(CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED == 115);
static_assert(CU_DEVICE_ATTRIBUTE_UNIFIED_FUNCTION_POINTERS == 129);

TEST(Abi, AgreesWithTheToolkitsHeader) {
  EXPECT_EQ(reinterpret_cast<void*>(sim::kStreamLegacy), reinterpret_cast<void*>(CU_STREAM_LEGACY));
  EXPECT_EQ(sim::kLaunchParamBufferPointer, CU_LAUNCH_PARAM_BUFFER_POINTER);
  EXPECT_EQ(sim::kLaunchParamBufferSize, CU_LAUNCH_PARAM_BUFFER_SIZE);
}

#else

TEST(Abi, AgreesWithTheToolkitsHeader) { GTEST_SKIP() << "there is no cuda.h"; }

#endif
