// The driver API: handles, limits, memory, streams, graphs, faults, fault injection.

#include <atomic>
#include <thread>

#include "tests/cudasim/tests/harness.h"

namespace cudasim_tests {
namespace {

const std::string kAddOne = kernel_text(
    "add_one", ".param .u64 p, .param .u32 n",
    "ld.param.u64 %rd1, [p];\nld.param.u32 %r1, [n];\nmov.u32 %r2, %ctaid.x;\nmov.u32 %r3, "
    "%ntid.x;\n"
    "mov.u32 %r4, %tid.x;\nmad.lo.u32 %r5, %r2, %r3, %r4;\nsetp.ge.u32 %p1, %r5, %r1;\n@%p1 bra "
    "$E;\n"
    "mad.wide.u32 %rd2, %r5, 4, %rd1;\nld.global.u32 %r6, [%rd2];\nadd.u32 %r6, %r6, 1;\n"
    "st.global.u32 [%rd2], %r6;\n$E: ret;");

class Api : public Simulator {
 protected:
  Result add_one(Function kernel, DevicePtr buffer, unsigned n, Stream stream = nullptr) {
    void* parameters[] = {&buffer, &n};
    return cuLaunchKernel(kernel, (n + 127) / 128, 1, 1, 128, 1, 1, 0, stream, parameters, nullptr);
  }
};

TEST_F(Api, DeviceSaysWhatItIs) {
  for (const int capability : {75, 80, 90, 100, 120}) {
    ASSERT_NO_FATAL_FAILURE(start(static_cast<unsigned>(capability)));
    int major = 0;
    int minor = 0;
    EXPECT_EQ(cuDeviceGetAttribute(&major, 75, 0), kSuccess);
    EXPECT_EQ(cuDeviceGetAttribute(&minor, 76, 0), kSuccess);
    EXPECT_EQ(major * 10 + minor, capability);
  }
  char name[64];
  EXPECT_EQ(cuDeviceGetName(name, sizeof name, 0), kSuccess);
  EXPECT_NE(std::string(name).find("sm_120"), std::string::npos);
  int value = 0;
  EXPECT_EQ(cuDeviceGetAttribute(&value, 10, 0), kSuccess);
  EXPECT_EQ(value, 32);
  EXPECT_EQ(cuDeviceGetAttribute(&value, 5000, 0), kInvalidValue);
  EXPECT_EQ(cuDeviceGetAttribute(&value, 10, 7), kInvalidDevice);
}

TEST_F(Api, NothingWorksBeforeInit) {
  kilnsim_reset();
  int count = 0;
  DevicePtr address = 0;
  EXPECT_EQ(cuDeviceGetCount(&count), kNotInitialized);
  EXPECT_EQ(cuMemAlloc_v2(&address, 4), kNotInitialized);
  ASSERT_EQ(cuInit(0), kSuccess);
  EXPECT_EQ(cuMemAlloc_v2(&address, 4), kInvalidContext);
  EXPECT_EQ(cuInit(1), kInvalidValue);
}

TEST_F(Api, LookUpByName) {
  void* found = nullptr;
  int status = 9;
  EXPECT_EQ(cuGetProcAddress_v2("cuMemAlloc", &found, 13000, 0, &status), kSuccess);
  EXPECT_EQ(found, reinterpret_cast<void*>(&cuMemAlloc_v2));
  EXPECT_EQ(status, 0);
  EXPECT_EQ(cuGetProcAddress_v2("cuLaunchKernel", &found, 13000, 0, &status), kSuccess);
  EXPECT_EQ(found, reinterpret_cast<void*>(&cuLaunchKernel));
  EXPECT_EQ(cuGetProcAddress_v2("cuNoSuchThing", &found, 13000, 0, &status), kNotFound);
  EXPECT_EQ(status, 1);
  const void* table = &table;
  const Uuid id{};
  EXPECT_EQ(cuGetExportTable(&table, &id), kNotFound);
  EXPECT_EQ(table, nullptr);
}

TEST_F(Api, ModuleErrors) {
  Module module = nullptr;
  const char elf[] =
      "\x7f"
      "ELF and what follows";
  EXPECT_EQ(cuModuleLoadData(&module, elf), kNoBinaryForGpu);
  EXPECT_EQ(cuModuleLoadData(&module, "not PTX"), kInvalidPtx);
  EXPECT_EQ(
      cuModuleLoadData(&module, kernel_text("k", "", "frobnicate.u32 %r1, %r2;\nret;").c_str()),
      kInvalidPtx);
  EXPECT_EQ(cuModuleLoadData(&module, kernel_text("k", "", "add.u33 %r1, %r2, %r3;\nret;").c_str()),
            kInvalidPtx);
  EXPECT_EQ(
      cuModuleLoadData(&module, kernel_text("k", "", "add.u32 %r1, %rd2, %r3;\nret;").c_str()),
      kInvalidPtx);
  EXPECT_EQ(cuModuleLoadData(&module, kernel_text("k", "", "bra $nowhere;").c_str()), kInvalidPtx);
  EXPECT_EQ(cuModuleLoadData(&module, kernel_text("k", "", "call nobody, ();").c_str()),
            kInvalidPtx);
  EXPECT_EQ(cuModuleLoadData(&module, kernel_text("k", "", "ret;", "", 90).c_str()),
            kNoBinaryForGpu);
  EXPECT_EQ(cuModuleLoadData(&module, nullptr), kInvalidValue);
  ASSERT_EQ(cuModuleLoadData(&module, kAddOne.c_str()), kSuccess);
  Function kernel = nullptr;
  EXPECT_EQ(cuModuleGetFunction(&kernel, module, "add_two"), kNotFound);
  EXPECT_EQ(cuModuleGetFunction(&kernel, module, "add_one"), kSuccess);
  EXPECT_EQ(cuModuleUnload(module), kSuccess);
  EXPECT_EQ(cuModuleUnload(module), kInvalidHandle);
  EXPECT_EQ(add_one(kernel, 0, 1), kInvalidHandle);
  EXPECT_EQ(kilnsim_leaks(0), 0u);
}

TEST_F(Api, LaunchLimits) {
  const Function kernel = function(kAddOne, "add_one");
  DevicePtr buffer = upload(std::vector<int>(16, 0));
  unsigned n = 16;
  void* parameters[] = {&buffer, &n};
  const auto launch = [&](unsigned grid, unsigned gy, unsigned block, unsigned by,
                          unsigned shared) {
    return cuLaunchKernel(kernel, grid, gy, 1, block, by, 1, shared, nullptr, parameters, nullptr);
  };
  EXPECT_EQ(launch(1, 1, 1025, 1, 0), kInvalidValue);
  EXPECT_EQ(launch(1, 1, 64, 17, 0), kInvalidValue);
  EXPECT_EQ(launch(0, 1, 32, 1, 0), kInvalidValue);
  EXPECT_EQ(launch(1, 65536, 32, 1, 0), kInvalidValue);
  EXPECT_EQ(launch(1, 1, 32, 1, 49153), kInvalidValue);
  ASSERT_EQ(cuFuncSetAttribute(kernel, kFuncMaxDynamicShared, 100000), kSuccess);
  EXPECT_EQ(launch(1, 1, 32, 1, 100000), kSuccess);
  EXPECT_EQ(cuFuncSetAttribute(kernel, kFuncMaxDynamicShared, 200000), kInvalidValue);
  EXPECT_EQ(cuLaunchKernel(kernel, 1, 1, 1, 32, 1, 1, 0, nullptr, nullptr, nullptr), kInvalidValue);
  std::size_t size = 8;
  void* extra[] = {kLaunchParamBufferPointer, parameters, kLaunchParamBufferSize, &size,
                   kLaunchParamEnd};
  EXPECT_EQ(cuLaunchKernel(kernel, 1, 1, 1, 32, 1, 1, 0, nullptr, nullptr, extra), kInvalidValue);
  const std::string wide = kernel_text("k", ".param .align 8 .b8 p[4104]", "ret;");
  std::vector<unsigned char> bytes(4104);
  const Function big = function(wide, "k");
  EXPECT_EQ(run(big, 1, 1, {bytes.data()}), kInvalidValue);
  start(90);
  EXPECT_EQ(run(function(wide, "k"), 1, 1, {bytes.data()}), kSuccess);
}

TEST_F(Api, BoundsOfABlockArePtxDirectives) {
  std::string text = kernel_text("k", "", "ret;");
  text.replace(text.find("()\n{") + 2, 1, "\n.maxntid 64, 1, 1\n");
  const Function kernel = function(text, "k");
  EXPECT_EQ(run(kernel, 1, 64, {}), kSuccess);
  EXPECT_EQ(run(kernel, 1, 65, {}), kInvalidValue);
  int most = 0;
  EXPECT_EQ(cuFuncGetAttribute(&most, kFuncMaxThreads, kernel), kSuccess);
  EXPECT_EQ(most, 64);
}

TEST_F(Api, MemoryErrors) {
  DevicePtr address = 0;
  EXPECT_EQ(cuMemAlloc_v2(&address, 0), kInvalidValue);
  EXPECT_EQ(cuMemAlloc_v2(&address, std::size_t{1} << 40), kOutOfMemory);
  address = allocate(100);
  EXPECT_EQ(address % 256, 0u);
  int host[50] = {};
  EXPECT_EQ(cuMemcpyHtoD_v2(address, host, 101), kInvalidValue);
  EXPECT_EQ(cuMemcpyHtoD_v2(address + 60, host, 41), kInvalidValue);
  EXPECT_EQ(cuMemcpyHtoD_v2(reinterpret_cast<DevicePtr>(host), host, 4), kInvalidValue);
  EXPECT_EQ(cuMemcpyHtoD_v2(address + 60, host, 40), kSuccess);
  EXPECT_EQ(cuMemFree_v2(address + 4), kInvalidValue);
  EXPECT_EQ(cuMemFree_v2(address), kSuccess);
  EXPECT_EQ(cuMemFree_v2(address), kInvalidValue);
  EXPECT_EQ(cuMemcpyHtoD_v2(address, host, 4), kInvalidValue);
  EXPECT_EQ(cuMemFree_v2(0), kSuccess);
  std::size_t before = 0;
  std::size_t after = 0;
  cuMemGetInfo_v2(&before, nullptr);
  DevicePtr large = allocate(std::size_t{200} << 20);
  EXPECT_EQ(cuMemAlloc_v2(&address, std::size_t{100} << 20), kOutOfMemory);
  cuMemFree_v2(large);
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(cuMemAlloc_v2(&address, std::size_t{200} << 20), kSuccess) << "round " << i;
    cuMemFree_v2(address);
  }
  cuMemGetInfo_v2(&after, nullptr);
  EXPECT_EQ(before, after);
}

TEST_F(Api, PinnedMemoryIsReadWhenTheCopyRuns) {
  void* pinned = nullptr;
  ASSERT_EQ(cuMemHostAlloc(&pinned, 4, 0), kSuccess);
  const DevicePtr buffer = allocate(4);
  int* number = static_cast<int*>(pinned);
  *number = 1;
  ASSERT_EQ(cuMemcpyHtoDAsync_v2(buffer, number, 4, nullptr), kSuccess);
  *number = 2;
  EXPECT_EQ(download<int>(buffer, 1)[0], 2);
  int pageable = 3;
  ASSERT_EQ(cuMemcpyHtoDAsync_v2(buffer, &pageable, 4, nullptr), kSuccess);
  pageable = 4;
  EXPECT_EQ(download<int>(buffer, 1)[0], 3);
  unsigned type = 0;
  EXPECT_EQ(cuPointerGetAttribute(&type, kPointerMemoryType, reinterpret_cast<DevicePtr>(pinned)),
            kSuccess);
  EXPECT_EQ(type, kMemoryTypeHost);
  EXPECT_EQ(cuMemFreeHost(pinned), kSuccess);
  EXPECT_EQ(cuMemFreeHost(pinned), kInvalidValue);
}

TEST_F(Api, StreamsEventsAndHostFunctions) {
  const Function kernel = function(kAddOne, "add_one");
  const DevicePtr buffer = upload(std::vector<int>(1000, 5));
  Stream stream = nullptr;
  Event start_event = nullptr;
  Event end_event = nullptr;
  ASSERT_EQ(cuStreamCreate(&stream, 1), kSuccess);
  ASSERT_EQ(cuEventCreate(&start_event, 0), kSuccess);
  ASSERT_EQ(cuEventCreate(&end_event, 0), kSuccess);
  EXPECT_EQ(cuEventQuery(end_event), kSuccess);
  ASSERT_EQ(cuEventRecord(start_event, stream), kSuccess);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(add_one(kernel, buffer, 1000, stream), kSuccess);
  std::atomic<int> called = 0;
  ASSERT_EQ(cuLaunchHostFunc(
                stream, [](void* p) { ++*static_cast<std::atomic<int>*>(p); }, &called),
            kSuccess);
  ASSERT_EQ(cuEventRecord(end_event, stream), kSuccess);
  EXPECT_EQ(cuEventQuery(end_event), kNotReady);
  EXPECT_EQ(cuEventSynchronize(end_event), kSuccess);
  EXPECT_EQ(called, 1);
  EXPECT_EQ(cuStreamQuery(stream), kSuccess);
  float milliseconds = -1;
  EXPECT_EQ(cuEventElapsedTime_v2(&milliseconds, start_event, end_event), kSuccess);
  EXPECT_GT(milliseconds, 0);
  EXPECT_EQ(download<int>(buffer, 1000), std::vector<int>(1000, 8));
  EXPECT_EQ(cuStreamDestroy_v2(stream), kSuccess);
  EXPECT_EQ(cuStreamSynchronize(stream), kInvalidHandle);
}

TEST_F(Api, LegacyStreamOrdersBlockingStreams) {
  const Function kernel = function(kAddOne, "add_one");
  for (unsigned seed = 0; seed < 20; ++seed) {
    kilnsim_seed(seed);
    const DevicePtr buffer = allocate(4);
    Stream stream = nullptr;
    ASSERT_EQ(cuStreamCreate(&stream, 0), kSuccess);
    ASSERT_EQ(cuMemsetD8Async(buffer, 0, 4, nullptr), kSuccess);
    ASSERT_EQ(add_one(kernel, buffer, 1, stream), kSuccess);
    ASSERT_EQ(add_one(kernel, buffer, 1, nullptr), kSuccess);
    ASSERT_EQ(add_one(kernel, buffer, 1, stream), kSuccess);
    EXPECT_EQ(download<int>(buffer, 1)[0], 3);
    ASSERT_EQ(cuStreamDestroy_v2(stream), kSuccess);
  }
}

TEST_F(Api, CapturedGraphRunsAgain) {
  const Function kernel = function(kAddOne, "add_one");
  const DevicePtr buffer = upload(std::vector<int>{0});
  Stream stream = nullptr;
  Graph graph = nullptr;
  GraphExec exec = nullptr;
  ASSERT_EQ(cuStreamCreate(&stream, 1), kSuccess);
  ASSERT_EQ(cuStreamBeginCapture_v2(stream, 0), kSuccess);
  ASSERT_EQ(add_one(kernel, buffer, 1, stream), kSuccess);
  ASSERT_EQ(add_one(kernel, buffer, 1, stream), kSuccess);
  EXPECT_EQ(cuStreamSynchronize(stream), kStreamCaptureUnsupported);
  ASSERT_EQ(cuStreamEndCapture(stream, &graph), kSuccess);
  ASSERT_EQ(cuGraphInstantiateWithFlags(&exec, graph, 0), kSuccess);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(cuGraphLaunch(exec, stream), kSuccess);
  ASSERT_EQ(cuStreamSynchronize(stream), kSuccess);
  EXPECT_EQ(download<int>(buffer, 1)[0], 6);
  EXPECT_EQ(cuGraphExecDestroy(exec), kSuccess);
  EXPECT_EQ(cuGraphDestroy(graph), kSuccess);
  EXPECT_EQ(cuGraphDestroy(graph), kInvalidValue);
}

TEST_F(Api, FaultsAreStickyAndOtherDevicesLiveOn) {
  ASSERT_NO_FATAL_FAILURE(start(80, 2));
  const Function kernel = function(kAddOne, "add_one");
  ASSERT_EQ(add_one(kernel, 4096, 1), kSuccess);
  EXPECT_EQ(cuCtxSynchronize(), kIllegalAddress);
  DevicePtr address = 0;
  EXPECT_EQ(cuMemAlloc_v2(&address, 4), kIllegalAddress);
  Context other = nullptr;
  ASSERT_EQ(cuDevicePrimaryCtxRetain(&other, 1), kSuccess);
  ASSERT_EQ(cuCtxSetCurrent(other), kSuccess);
  const Function again = function(kAddOne, "add_one");
  const DevicePtr buffer = upload(std::vector<int>{1});
  EXPECT_EQ(add_one(again, buffer, 1), kSuccess);
  EXPECT_EQ(download<int>(buffer, 1)[0], 2);
  EXPECT_EQ(cuDevicePrimaryCtxReset_v2(0), kSuccess);
  EXPECT_EQ(cuCtxSetCurrent(context_), kInvalidContext);
  ASSERT_EQ(cuDevicePrimaryCtxRetain(&context_, 0), kSuccess);
  ASSERT_EQ(cuCtxSetCurrent(context_), kSuccess);
  EXPECT_EQ(cuMemAlloc_v2(&address, 4), kSuccess);
}

TEST_F(Api, InjectedFailures) {
  const Function kernel = function(kAddOne, "add_one");
  const DevicePtr buffer = upload(std::vector<int>{0});
  DevicePtr address = 0;
  kilnsim_fail(KILNSIM_FAIL_ALLOCATION, 2, 0);
  EXPECT_EQ(cuMemAlloc_v2(&address, 4), kSuccess);
  EXPECT_EQ(cuMemAlloc_v2(&address, 4), kOutOfMemory);
  EXPECT_EQ(cuMemAlloc_v2(&address, 4), kSuccess);
  kilnsim_fail(KILNSIM_FAIL_LAUNCH, 1, 1);
  EXPECT_EQ(add_one(kernel, buffer, 1), kLaunchOutOfResources);
  EXPECT_EQ(add_one(kernel, buffer, 1), kLaunchOutOfResources);
  kilnsim_fail(KILNSIM_FAIL_LAUNCH, 0, 0);
  EXPECT_EQ(add_one(kernel, buffer, 1), kSuccess);
  kilnsim_fail(KILNSIM_FAIL_LOAD, 1, 0);
  Module module = nullptr;
  EXPECT_EQ(cuModuleLoadData(&module, kAddOne.c_str()), kOutOfMemory);
  EXPECT_EQ(cuModuleLoadData(&module, kAddOne.c_str()), kSuccess);
  EXPECT_EQ(kilnsim_leaks(0), 3u);
}

TEST_F(Api, CountersOfACopyKernel) {
  const Function kernel = function(kAddOne, "add_one");
  const DevicePtr buffer = upload(std::vector<int>(1000, 0));
  kilnsim_reset_counters();
  ASSERT_EQ(add_one(kernel, buffer, 1000), kSuccess);
  kilnsim_counters c{};
  EXPECT_STREQ(kilnsim_last_launch(&c), "add_one");
  EXPECT_EQ(c.launches, 1u);
  EXPECT_EQ(c.blocks, 8u);
  EXPECT_EQ(c.global_bytes_read, 4000u);
  EXPECT_EQ(c.global_bytes_written, 4000u);
  EXPECT_EQ(c.global_sectors_read, 125u);
  EXPECT_EQ(c.global_sectors_written, 125u);
  EXPECT_EQ(c.distinct_bytes_touched, 4000u);
  EXPECT_EQ(c.divergent_branches, 1u);
  kilnsim_counters sums{};
  kilnsim_get_counters(&sums);
  EXPECT_EQ(sums.global_bytes_read, 4000u);
}

TEST_F(Api, CountersOfBankConflictsAndVectors) {
  const Function kernel = function(
      kernel_text(
          "k", ".param .u64 p",
          ".shared .align 16 .b8 s[4224];\nld.param.u64 %rd1, [p];\nmov.u32 %r1, %tid.x;\n"
          "mov.u64 %rd2, s;\nmad.wide.u32 %rd3, %r1, 128, %rd2;\nst.shared.u32 [%rd3], %r1;\n"
          "mad.wide.u32 %rd3, %r1, 132, %rd2;\nst.shared.u32 [%rd3], %r1;\n"
          "mad.wide.u32 %rd4, %r1, 16, %rd1;\nld.global.v4.u32 {%r2, %r3, %r4, %r5}, "
          "[%rd4];\nret;"),
      "k");
  kilnsim_set_option("KILN_SIM_RACES", "0");
  DevicePtr buffer = upload(std::vector<int>(128, 0));
  ASSERT_EQ(run(kernel, 1, 32, {&buffer}), kSuccess) << report();
  kilnsim_counters c{};
  kilnsim_last_launch(&c);
  EXPECT_EQ(c.shared_bank_conflicts, 31u);
  EXPECT_EQ(c.global_vector_accesses, 1u);
  EXPECT_EQ(c.global_sectors_read, 16u);
}

TEST_F(Api, EightThreads) {
  const Function kernel = function(kAddOne, "add_one");
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      cuCtxSetCurrent(context_);
      Stream stream = nullptr;
      cuStreamCreate(&stream, 1);
      for (int round = 0; round < 20; ++round) {
        DevicePtr buffer = 0;
        std::vector<int> data(300, round);
        cuMemAllocAsync(&buffer, 1200, stream);
        cuMemcpyHtoDAsync_v2(buffer, data.data(), 1200, stream);
        add_one(kernel, buffer, 300, stream);
        cuMemcpyDtoHAsync_v2(data.data(), buffer, 1200, stream);
        cuMemFreeAsync(buffer, stream);
        if (cuStreamSynchronize(stream) != kSuccess || data != std::vector<int>(300, round + 1))
          ++wrong;
      }
      cuStreamDestroy_v2(stream);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(kilnsim_leaks(0), 0u);
}

TEST_F(Api, ResultsDoNotDependOnTheSchedule) {
  const std::string text = kernel_text("k", ".param .u64 p",
                                       ".shared .align 4 .b8 s[1024];\nld.param.u64 %rd1, "
                                       "[p];\nmov.u32 %r1, %tid.x;\nmov.u32 %r9, %ctaid.x;\n"
                                       "mov.u64 %rd2, s;\nmad.wide.u32 %rd3, %r1, 4, "
                                       "%rd2;\nand.b32 %r2, %r1, 3;\nmov.u32 %r3, %r1;\n"
                                       "$L: setp.eq.u32 %p1, %r2, 0;\n@%p1 bra $D;\nmad.lo.u32 "
                                       "%r3, %r3, 5, %r2;\nsub.u32 %r2, %r2, 1;\nbra $L;\n"
                                       "$D: st.shared.u32 [%rd3], %r3;\nbar.sync 0;\nxor.b32 %r4, "
                                       "%r1, 255;\nmad.wide.u32 %rd4, %r4, 4, %rd2;\n"
                                       "ld.shared.u32 %r5, [%rd4];\nmad.lo.u32 %r6, %r9, 256, "
                                       "%r1;\nmad.wide.u32 %rd5, %r6, 4, %rd1;\n"
                                       "st.global.u32 [%rd5], %r5;\nret;");
  std::vector<int> first;
  for (unsigned seed = 0; seed < 8; ++seed) {
    kilnsim_seed(seed);
    kilnsim_set_option("KILN_SIM_SCHEDULE", seed == 0 ? "rising" : "random");
    const Function kernel = function(text, "k");
    DevicePtr buffer = allocate(4 * 1024);
    ASSERT_EQ(run(kernel, 4, 256, {&buffer}), kSuccess) << report();
    const auto data = download<int>(buffer, 1024);
    if (first.empty()) first = data;
    EXPECT_EQ(data, first) << "seed " << seed;
  }
}

TEST_F(Api, SpinLockBetweenLanesEnds) {
  const Function kernel =
      function(kernel_text("k", ".param .u64 p",
                           "ld.param.u64 %rd1, [p];\n$L: atom.global.cas.b32 %r1, [%rd1], 0, "
                           "1;\nsetp.ne.u32 %p1, %r1, 0;\n"
                           "@%p1 bra $L;\nld.global.u32 %r2, [%rd1+4];\nadd.u32 %r2, %r2, "
                           "1;\nst.global.u32 [%rd1+4], %r2;\n"
                           "atom.global.exch.b32 %r1, [%rd1], 0;\nret;"),
               "k");
  DevicePtr buffer = upload(std::vector<int>{0, 0});
  ASSERT_EQ(run(kernel, 2, 64, {&buffer}), kSuccess) << report();
  EXPECT_EQ(download<int>(buffer, 2)[1], 128);
}

TEST_F(Api, CooperativeBlocksMeet) {
  const Function kernel =
      function(kernel_text("k", ".param .u64 p",
                           "ld.param.u64 %rd1, [p];\natom.global.add.u32 %r1, [%rd1], 1;\n$L: "
                           "ld.volatile.global.u32 %r2, [%rd1];\n"
                           "setp.lt.u32 %p1, %r2, 8;\n@%p1 bra $L;\nret;"),
               "k");
  DevicePtr buffer = upload(std::vector<int>{0});
  void* parameters[] = {&buffer};
  ASSERT_EQ(cuLaunchCooperativeKernel(kernel, 8, 1, 1, 1, 1, 1, 0, nullptr, parameters), kSuccess);
  EXPECT_EQ(cuCtxSynchronize(), kSuccess) << report();
  EXPECT_EQ(cuLaunchCooperativeKernel(kernel, 100000, 1, 1, 1024, 1, 1, 0, nullptr, parameters),
            kCooperativeLaunchTooLarge);
}

TEST_F(Api, AssertAndPrintf) {
  const Nvrtc* nvrtc = Nvrtc::get();
  if (nvrtc == nullptr) GTEST_SKIP() << "NVRTC is not found";
  const std::string ptx =
      nvrtc->compile(read_file(corpus_path("25_printf_assert.cu")), "25_printf_assert.cu",
                     {"--gpu-architecture=compute_80", "-lineinfo"});
  DevicePtr numbers = upload(std::vector<float>{1, -2.5f, 3});
  DevicePtr indices = upload(std::vector<int>(3000, 1));
  DevicePtr out = allocate(3000 * 4);
  int n = 3;
  testing::internal::CaptureStdout();
  EXPECT_EQ(run(function(ptx, "k_printf"), 1, 32, {&numbers, &n}), kSuccess) << report();
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "neg at 1: -2.500000\n");
  EXPECT_EQ(run(function(ptx, "k_assert"), 100, 32, {&indices, &out, &n}), kAssert);
  EXPECT_NE(report().find("i<n+1024"), std::string::npos) << report();
  EXPECT_NE(report().find("25_printf_assert.cu:"), std::string::npos) << report();
}

TEST_F(Api, LibrariesGiveKernels) {
  Library library = nullptr;
  Kernel kernel = nullptr;
  Function as_function = nullptr;
  ASSERT_EQ(cuLibraryLoadData(&library, kAddOne.c_str(), nullptr, nullptr, 0, nullptr, nullptr, 0),
            kSuccess);
  EXPECT_EQ(cuLibraryGetKernel(&kernel, library, "nothing"), kNotFound);
  ASSERT_EQ(cuLibraryGetKernel(&kernel, library, "add_one"), kSuccess);
  ASSERT_EQ(cuKernelGetFunction(&as_function, kernel), kSuccess);
  const DevicePtr buffer = upload(std::vector<int>{1});
  EXPECT_EQ(add_one(as_function, buffer, 1), kSuccess);
  EXPECT_EQ(add_one(reinterpret_cast<Function>(kernel), buffer, 1), kSuccess);
  EXPECT_EQ(download<int>(buffer, 1)[0], 3);
  EXPECT_EQ(cuLibraryUnload(library), kSuccess);
  EXPECT_EQ(add_one(as_function, buffer, 1), kInvalidHandle);
}

TEST_F(Api, JitterMovesApproximateUnitsOnly) {
  const std::string text = kernel_text(
      "k", ".param .u64 p",
      "ld.param.u64 %rd1, [p];\nmov.u32 %r1, %tid.x;\nmad.wide.u32 %rd2, %r1, 4, "
      "%rd1;\ncvt.rn.f32.u32 %r2, %r1;\n"
      "add.rn.f32 %r2, %r2, 0f3FC00000;\nex2.approx.f32 %r3, %r2;\nst.global.f32 [%rd2], %r3;\n"
      "mul.rn.f32 %r4, %r2, %r2;\nst.global.f32 [%rd2+128], %r4;\nret;");
  std::vector<std::vector<unsigned>> results;
  for (const char* jitter : {"0", "1"}) {
    kilnsim_set_option("KILN_SIM_JITTER", jitter);
    DevicePtr buffer = allocate(256);
    ASSERT_EQ(run(function(text, "k"), 1, 32, {&buffer}), kSuccess);
    results.push_back(download<unsigned>(buffer, 64));
  }
  unsigned moved = 0;
  for (std::size_t i = 0; i < 64; ++i) {
    const auto distance = static_cast<int>(results[0][i] - results[1][i]);
    EXPECT_LE(std::abs(distance), i < 32 ? 2 : 0);
    moved += distance != 0;
  }
  EXPECT_GT(moved, 8u);
}

}  // namespace
}  // namespace cudasim_tests
