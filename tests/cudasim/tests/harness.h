// What the simulator's tests share: the driver's functions, a fixture with a fresh driver and a
// context, device buffers, launches.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "tests/cudasim/abi.h"
#include "tests/cudasim/cudasim.h"

extern "C" {
using namespace cudasim::abi;
Result cuInit(unsigned);
Result cuDriverGetVersion(int*);
Result cuGetErrorName(Result, const char**);
Result cuGetErrorString(Result, const char**);
Result cuDeviceGetCount(int*);
Result cuDeviceGet(Device*, int);
Result cuDeviceGetName(char*, int, Device);
Result cuDeviceGetAttribute(int*, int, Device);
Result cuDeviceTotalMem_v2(std::size_t*, Device);
Result cuDevicePrimaryCtxRetain(Context*, Device);
Result cuDevicePrimaryCtxRelease_v2(Device);
Result cuDevicePrimaryCtxReset_v2(Device);
Result cuCtxCreate_v4(Context*, void*, unsigned, Device);
Result cuCtxDestroy_v2(Context);
Result cuCtxSetCurrent(Context);
Result cuCtxGetCurrent(Context*);
Result cuCtxSynchronize();
Result cuMemGetInfo_v2(std::size_t*, std::size_t*);
Result cuMemAlloc_v2(DevicePtr*, std::size_t);
Result cuMemFree_v2(DevicePtr);
Result cuMemAllocAsync(DevicePtr*, std::size_t, Stream);
Result cuMemFreeAsync(DevicePtr, Stream);
Result cuMemHostAlloc(void**, std::size_t, unsigned);
Result cuMemFreeHost(void*);
Result cuMemcpyHtoD_v2(DevicePtr, const void*, std::size_t);
Result cuMemcpyDtoH_v2(void*, DevicePtr, std::size_t);
Result cuMemcpyDtoD_v2(DevicePtr, DevicePtr, std::size_t);
Result cuMemcpyHtoDAsync_v2(DevicePtr, const void*, std::size_t, Stream);
Result cuMemcpyDtoHAsync_v2(void*, DevicePtr, std::size_t, Stream);
Result cuMemcpyDtoDAsync_v2(DevicePtr, DevicePtr, std::size_t, Stream);
Result cuMemsetD8Async(DevicePtr, unsigned char, std::size_t, Stream);
Result cuMemsetD32_v2(DevicePtr, unsigned, std::size_t);
Result cuPointerGetAttribute(void*, int, DevicePtr);
Result cuModuleLoadData(Module*, const void*);
Result cuModuleLoadDataEx(Module*, const void*, unsigned, int*, void**);
Result cuModuleUnload(Module);
Result cuModuleGetFunction(Function*, Module, const char*);
Result cuModuleGetGlobal_v2(DevicePtr*, std::size_t*, Module, const char*);
Result cuModuleGetFunctionCount(unsigned*, Module);
Result cuModuleEnumerateFunctions(Function*, unsigned, Module);
Result cuFuncGetAttribute(int*, int, Function);
Result cuFuncSetAttribute(Function, int, int);
Result cuFuncGetName(const char**, Function);
Result cuFuncGetParamInfo(Function, std::size_t, std::size_t*, std::size_t*);
Result cuLibraryLoadData(Library*, const void*, int*, void**, unsigned, int*, void**, unsigned);
Result cuLibraryUnload(Library);
Result cuLibraryGetKernel(Kernel*, Library, const char*);
Result cuKernelGetFunction(Function*, Kernel);
Result cuLaunchKernel(Function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                      unsigned, Stream, void**, void**);
Result cuLaunchKernelEx(const LaunchConfig*, Function, void**, void**);
Result cuLaunchCooperativeKernel(Function, unsigned, unsigned, unsigned, unsigned, unsigned,
                                 unsigned, unsigned, Stream, void**);
Result cuLaunchHostFunc(Stream, HostFn, void*);
Result cuOccupancyMaxActiveBlocksPerMultiprocessor(int*, Function, int, std::size_t);
Result cuStreamCreate(Stream*, unsigned);
Result cuStreamDestroy_v2(Stream);
Result cuStreamSynchronize(Stream);
Result cuStreamQuery(Stream);
Result cuStreamWaitEvent(Stream, Event, unsigned);
Result cuStreamBeginCapture_v2(Stream, int);
Result cuStreamEndCapture(Stream, Graph*);
Result cuGraphInstantiateWithFlags(GraphExec*, Graph, unsigned long long);
Result cuGraphLaunch(GraphExec, Stream);
Result cuGraphExecDestroy(GraphExec);
Result cuGraphDestroy(Graph);
Result cuEventCreate(Event*, unsigned);
Result cuEventDestroy_v2(Event);
Result cuEventRecord(Event, Stream);
Result cuEventQuery(Event);
Result cuEventSynchronize(Event);
Result cuEventElapsedTime_v2(float*, Event, Event);
Result cuGetProcAddress_v2(const char*, void**, int, std::uint64_t, int*);
Result cuGetExportTable(const void**, const Uuid*);
}

namespace cudasim_tests {

// PTX around a kernel's body: `%r1` and its kin are declared in plenty.
std::string kernel_text(const std::string& name, const std::string& parameters,
                        const std::string& body, const std::string& before = "",
                        unsigned target = 75);

class Simulator : public ::testing::Test {
 protected:
  void SetUp() override { start(80); }
  void TearDown() override { kilnsim_reset(); }

  // A fresh driver of a capability, with the primary context current.
  void start(unsigned capability, unsigned devices = 1);
  Function function(const std::string& ptx, const std::string& name);
  // Loads, launches, waits.
  Result run(Function kernel, unsigned blocks, unsigned threads, std::vector<void*> parameters,
             unsigned shared = 0);

  template <class T>
  DevicePtr upload(const std::vector<T>& data) {
    DevicePtr address = 0;
    EXPECT_EQ(cuMemAlloc_v2(&address, data.size() * sizeof(T)), kSuccess);
    EXPECT_EQ(cuMemcpyHtoD_v2(address, data.data(), data.size() * sizeof(T)), kSuccess);
    return address;
  }
  DevicePtr allocate(std::size_t bytes) {
    DevicePtr address = 0;
    EXPECT_EQ(cuMemAlloc_v2(&address, bytes), kSuccess);
    return address;
  }
  template <class T>
  std::vector<T> download(DevicePtr address, std::size_t count) {
    std::vector<T> data(count);
    EXPECT_EQ(cuMemcpyDtoH_v2(data.data(), address, count * sizeof(T)), kSuccess);
    return data;
  }
  std::string report() const { return kilnsim_last_report(); }

  Context context_ = nullptr;
};

// NVRTC, loaded when it is there.
class Nvrtc {
 public:
  static const Nvrtc* get();  // null where NVRTC is not found
  // The PTX, or an empty text and the log.
  std::string compile(const std::string& source, const std::string& name,
                      const std::vector<std::string>& options, std::string* log = nullptr) const;

 private:
  Nvrtc() = default;
  void* library_ = nullptr;
};

std::string read_file(const std::string& path);
// The corpus: folder and names without the .cu.
std::string corpus_path(const std::string& name);
const std::vector<std::string>& corpus_names();

}  // namespace cudasim_tests
