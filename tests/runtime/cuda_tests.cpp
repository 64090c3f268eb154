// The CUDA device on a driver that records what it is told (tests/stub).
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>

#include "ir/error.h"
#include "runtime/cuda/cuda_device.h"
#include "runtime/registry.h"
#include "tests/runtime/products.h"
#include "tests/runtime/support.h"
#include "tests/stub/stub.h"

namespace kiln::runtime {
namespace {

using testing::HasSubstr;

ir::Kernel block_kernel(std::int64_t threads = 256) {
  ir::KernelBuilder b(ir::Target::cuda, ir::DType::int32);
  const std::uint32_t z = b.buffer(ir::DType::float32, "z", false);
  const ir::Value n = b.integer("n");
  const ir::Value a = b.scalar(ir::DType::float32, "a");
  b.set_line("user.cpp:41");
  const ir::Value block = b.begin_grid();
  const ir::Value t = b.begin_thread(threads);
  const ir::Value i = b.add(b.mul(block, b.index(threads)), t);
  b.begin_if(b.less(i, n));
  b.store(z, i, a);
  b.end();
  b.end();
  b.end();
  ir::Kernel kernel = b.finish();
  kernel.name = "fill";
  return kernel;
}

// As the device packs what NVRTC gave: size of the PTX, PTX, machine code.
Binary binary(const std::string& ptx, const std::string& cubin) {
  const std::uint64_t size = ptx.size();
  std::string text(sizeof size, '\0');
  std::memcpy(text.data(), &size, sizeof size);
  text += ptx + cubin;
  const auto* const p = reinterpret_cast<const std::byte*>(text.data());
  return {"fill", {p, p + text.size()}};
}

class CudaTest : public testing::Test {
 protected:
  CudaTest() {
    void* const library = dlopen(KILN_DRIVER_STUB, RTLD_NOW | RTLD_LOCAL);
    using Get = const stub::Control* (*)();
    stub_ = reinterpret_cast<Get>(dlsym(library, "kiln_stub_control"))();
    stub_->reset();
    allocated_ = stub_->allocated();
    config_.cuda_driver = KILN_DRIVER_STUB;
    config_.cublaslt = KILN_DRIVER_STUB;
  }
  Device& device() {
    if (!registry_) registry_ = std::make_unique<Registry>(config_);
    return registry_->cuda(0);
  }
  std::string calls() {
    std::string log = stub_->log();
    stub_->reset();
    return log;
  }
  std::string message_of(const std::function<void()>& body) {
    try {
      body();
    } catch (const DeviceError& e) {
      EXPECT_FALSE(e.remedy.empty()) << e.what();
      return e.what();
    }
    return "(no error)";
  }
  void launch(Device& on, const LoadedKernel& kernel, std::int64_t items) {
    ir::KernelArg args[3];
    args[0].bits = 0xabcd00;
    args[1].integer = 1000;
    args[2].bits = 0x3f800000;
    static const ir::Graph graph;
    static constexpr ir::NodeId kNodes[] = {0};
    static constexpr ir::SourceLine kLines[] = {{"of/user.cpp", 41}};
    on.launch({&kernel, args, items, {}, 0, {"fill", &graph, kNodes, kLines}});
  }

  const stub::Control* stub_ = nullptr;
  long allocated_ = 0;  // left by earlier tests, whose device was lost
  Config config_;
  std::unique_ptr<Registry> registry_;
};

TEST_F(CudaTest, OpensThePrimaryContextOnceAndLeavesTheCallersCurrent) {
  const auto set_context = reinterpret_cast<int (*)(void*)>(
      dlsym(dlopen(KILN_DRIVER_STUB, RTLD_NOW), "cuCtxPushCurrent_v2"));
  const auto pop_context = reinterpret_cast<int (*)(void**)>(
      dlsym(dlopen(KILN_DRIVER_STUB, RTLD_NOW), "cuCtxPopCurrent_v2"));
  void* own = this;
  set_context(own);
  Device& cuda = device();
  EXPECT_EQ(&device(), &cuda);
  EXPECT_EQ(calls(),
            "cuInit\ncuDeviceGet 0\ncuDeviceGet 0\ncuDevicePrimaryCtxRetain\ncuStreamCreate 1\n"
            "cuMemPoolCreate\ncuMemPoolSetAttribute 4 ffffffffffffffff\n");
  const MemoryRef memory = cuda.allocate(64);
  EXPECT_EQ(stub_->current(), own);
  stub_->fail("cuMemcpyHtoDAsync_v2", 0, 1, 1);
  float value = 1;
  EXPECT_THROW(cuda.upload(*memory, 0, &value, 4), DeviceError);
  EXPECT_EQ(stub_->current(), own) << "after an error too";
  pop_context(&own);
}

TEST_F(CudaTest, CapsComeFromTheDriver) {
  stub_->attribute(75, 9);
  stub_->attribute(16, 132);
  stub_->attribute(36, 2000000);
  stub_->attribute(37, 512);
  const ir::Caps caps = device().caps();
  EXPECT_EQ(caps.name, "sm_90");
  EXPECT_EQ(caps.compute_capability, 90);
  EXPECT_EQ(caps.multiprocessors, 132);
  EXPECT_EQ(caps.cache_bytes, 1 << 20);
  EXPECT_EQ(caps.bandwidth, 256e9);
  EXPECT_EQ(caps.parameter_bytes, 32764);
  EXPECT_GT(caps.rate, 0);
}

TEST_F(CudaTest, AnOldDeviceIsRefused) {
  stub_->attribute(75, 6);
  EXPECT_THAT(message_of([&] { device(); }), HasSubstr("cuda:0 has compute capability 6.0; 7.5"));
}

TEST_F(CudaTest, MissingDevicesAreNamed) {
  stub_->devices(2);
  EXPECT_THAT(message_of([&] { Registry(config_).cuda(2); }),
              HasSubstr("no CUDA device 2: the driver shows 2, numbered from 0"));
  stub_->devices(0);
  EXPECT_THAT(message_of([&] { Registry(config_).cuda(0); }),
              HasSubstr("no CUDA device: the CUDA driver shows no device"));
  stub_->fail("cuInit", 0, 100, 1);
  EXPECT_THAT(message_of([&] { Registry(config_).cuda(0); }),
              HasSubstr("does not start: CUDA_ERROR_STUB (100): as the test asked"));
}

TEST_F(CudaTest, SeveralDevicesAreApart) {
  stub_->devices(2);
  Registry registry(config_);
  EXPECT_EQ(registry.cuda_count(), 2);
  EXPECT_EQ(registry.cuda(1).name(), "cuda:1");
  EXPECT_NE(&registry.cuda(0), &registry.cuda(1));
}

TEST_F(CudaTest, AllocatesFromItsPoolInStreamOrder) {
  Device& cuda = device();
  calls();
  {
    const MemoryRef a = cuda.allocate(1000);
    const MemoryRef empty = cuda.allocate(0);
    EXPECT_EQ(cuda.memory().live, 1000);
    EXPECT_EQ(empty->data(), nullptr);
  }
  EXPECT_EQ(calls(), "cuMemAllocFromPoolAsync 1024\ncuMemFreeAsync\n");
  EXPECT_GT(cuda.free_bytes(), 0);
  EXPECT_EQ(calls(), "cuMemGetInfo_v2\n");  // asked of the driver, unlike what memory() says
  EXPECT_EQ(cuda.memory().peak, 1000);
  cuda.trim();
  EXPECT_THAT(calls(), HasSubstr("cuMemPoolTrimTo 0"));
}

TEST_F(CudaTest, WithoutPoolsItKeepsBlocksBySize) {
  stub_->attribute(115, 0);
  Device& cuda = device();
  calls();
  stub_->attribute(115, 0);
  const void* const first = cuda.allocate(1000)->data();
  EXPECT_EQ(cuda.allocate(1000)->data(), first);
  EXPECT_EQ(calls(), "cuMemAlloc_v2 1024\n");
  EXPECT_EQ(cuda.memory().cached, 1024);
  cuda.trim();
  EXPECT_THAT(calls(), HasSubstr("cuMemFree_v2"));
  EXPECT_EQ(stub_->allocated(), allocated_);
}

TEST_F(CudaTest, OutOfMemoryIsTriedAgainAfterReleasing) {
  Device& cuda = device();
  calls();
  stub_->fail("cuMemAllocFromPoolAsync", 0, 2, 1);
  EXPECT_NO_THROW(cuda.allocate(1000));
  EXPECT_EQ(calls(),
            "cuMemAllocFromPoolAsync 1024\ncuStreamSynchronize\ncuMemPoolTrimTo 0\n"
            "cuMemAllocFromPoolAsync 1024\ncuMemFreeAsync\n");
  stub_->fail("cuMemAllocFromPoolAsync", 0, 2, 2);
  try {
    cuda.allocate(5000);
    FAIL();
  } catch (const OutOfMemory& e) {
    EXPECT_EQ(e.asked, 5000);
    EXPECT_EQ(e.free, 12345678);
  }
  EXPECT_NO_THROW(cuda.allocate(1000)) << "the device is still good";
}

TEST_F(CudaTest, TheConfiguredLimitHolds) {
  config_.cuda_memory_limit = 4096;
  const MemoryRef held = device().allocate(3000);
  EXPECT_THROW(device().allocate(2000), OutOfMemory);
  EXPECT_EQ(device().memory().limit, 4096);
  EXPECT_LT(device().free_bytes(), 2000);
}

TEST_F(CudaTest, WhatIsReleasedCountsAsFree) {
  config_.cuda_memory_limit = 4096;
  for (int i = 0; i < 3; ++i) EXPECT_NO_THROW(device().allocate(3000)) << i;
  EXPECT_EQ(device().free_bytes(), 4096);
}

TEST_F(CudaTest, CopiesGoThroughPinnedHalves) {
  Device& cuda = device();
  std::vector<std::uint32_t> data(5 << 18);  // 5 MB
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint32_t>(i * 77);
  const auto bytes = static_cast<std::int64_t>(data.size() * 4);
  const MemoryRef memory = cuda.allocate(bytes);
  calls();
  cuda.upload(*memory, 0, data.data(), bytes);
  EXPECT_EQ(calls(),
            "cuMemHostAlloc 4194304\ncuEventCreate\ncuMemHostAlloc 4194304\ncuEventCreate\n"
            "cuMemcpyHtoDAsync_v2 4194304\ncuEventRecord\n"
            "cuMemcpyHtoDAsync_v2 1048576\ncuEventRecord\n");
  const MemoryRef other = cuda.allocate(bytes);
  cuda.copy(*other, 0, *memory, 0, bytes);
  cuda.fill_zero(*other, 0, 4);
  std::vector<std::uint32_t> back(data.size());
  cuda.download(back.data(), *other, 0, bytes);
  data[0] = 0;
  EXPECT_EQ(back, data);
  cuda.download(back.data(), *memory, bytes - 8, 8);
  EXPECT_EQ(back[1], data.back());
  const Stats stats = cuda.counters().read();
  EXPECT_EQ(stats.uploads, 1);
  EXPECT_EQ(stats.upload_bytes, bytes);
  EXPECT_EQ(stats.downloads, 2);
  EXPECT_EQ(stats.download_bytes, bytes + 8);
  EXPECT_THROW(cuda.download(back.data(), *memory, bytes - 4, 8), ir::InternalError);
}

TEST_F(CudaTest, LoadsMachineCodeAndLaunches) {
  Device& cuda = device();
  calls();
  const auto kernel = cuda.load_kernel(block_kernel(), binary("PTX text",
                                                              "\x7f"
                                                              "ELFcode"));
  EXPECT_EQ(calls(),
            "cuModuleLoadDataEx \x7f"
            "ELFcode\ncuModuleGetFunction fill\n");
  stub_->parameters(3);
  launch(cuda, *kernel, 4);
  EXPECT_EQ(calls(), "cuLaunchKernel 4,1,1 256,1,1 0 200 abcd00 3e8 3f800000\n");
  EXPECT_THROW(launch(cuda, *kernel, std::int64_t{1} << 31), DeviceError);
}

TEST_F(CudaTest, MachineCodeThatTheDriverDoesNotTakeGivesWayToPtx) {
  Device& cuda = device();
  calls();
  stub_->fail("cuModuleLoadDataEx", 0, 209, 1);
  const auto first = cuda.load_kernel(block_kernel(), binary("PTX text",
                                                             "\x7f"
                                                             "ELFcode"));
  EXPECT_EQ(calls(),
            "cuModuleLoadDataEx \x7f"
            "ELFcode\ncuModuleLoadDataEx PTX text\n"
            "cuModuleGetFunction fill\n");
  const auto second = cuda.load_kernel(block_kernel(), binary("PTX text",
                                                              "\x7f"
                                                              "ELFcode"));
  EXPECT_EQ(calls(), "cuModuleLoadDataEx PTX text\ncuModuleGetFunction fill\n") << "and not again";
}

TEST_F(CudaTest, PtxThatTheDriverDoesNotTakeIsReportedWithItsLog) {
  Device& cuda = device();
  stub_->fail("cuModuleLoadDataEx", 0, 218, 1);
  EXPECT_THAT(message_of([&] { cuda.load_kernel(block_kernel(), binary("PTX text", "")); }),
              testing::AllOf(HasSubstr("the driver does not take the PTX of kernel fill: "
                                       "CUDA_ERROR_STUB (218)"),
                             HasSubstr("stub's log")));
  EXPECT_THAT(message_of([&] { cuda.load_kernel(block_kernel(), {"fill", {}}); }),
              HasSubstr("too short"));
  EXPECT_THAT(message_of([&] { cuda.load_kernel(block_kernel(1024), binary("PTX text", "")); }),
              HasSubstr("1024 threads a block, and its registers allow 512"));
}

TEST_F(CudaTest, ALostDeviceSaysSoFromThenOnAndNamesTheKernels) {
  Device& cuda = device();
  const auto kernel = cuda.load_kernel(block_kernel(), binary("PTX text", ""));
  MemoryRef memory = cuda.allocate(64);
  launch(cuda, *kernel, 1);
  stub_->fail("cuStreamSynchronize", 0, 700, 1);
  const std::string message = message_of([&] { cuda.synchronize(); });
  EXPECT_THAT(message, HasSubstr("cuda:0 is lost: cuStreamSynchronize reported "
                                 "CUDA_ERROR_ILLEGAL_ADDRESS (700): as the test asked"));
  EXPECT_THAT(message, HasSubstr("kernels launched since the last synchronisation:\n"
                                 "  fill (user.cpp:41)"));
  EXPECT_EQ(message_of([&] { cuda.allocate(1); }), message);
  EXPECT_EQ(message_of([&] { launch(cuda, *kernel, 1); }), message);
  EXPECT_EQ(message_of([&] { cuda.synchronize(); }), message);
  EXPECT_NO_FATAL_FAILURE(memory.reset());
}

TEST_F(CudaTest, ARefusedLaunchDoesNotLoseTheDevice) {
  Device& cuda = device();
  const auto kernel = cuda.load_kernel(block_kernel(), binary("PTX text", ""));
  stub_->fail("cuLaunchKernel", 0, 701, 1);
  EXPECT_THAT(message_of([&] { launch(cuda, *kernel, 1); }),
              testing::AllOf(HasSubstr("cuda:0: cuLaunchKernel failed: CUDA_ERROR_STUB (701)"),
                             HasSubstr("\n  kernel fill (user.cpp:41)")));
  EXPECT_NO_THROW(launch(cuda, *kernel, 1));
}

TEST_F(CudaTest, EventsWaitAndTell) {
  Device& cuda = device();
  const std::shared_ptr<Event> event = cuda.record();
  stub_->fail("cuEventQuery", 0, 600, 1);
  EXPECT_FALSE(event->ready());
  EXPECT_TRUE(event->ready());
  EXPECT_NO_THROW(event->wait());
}

TEST_F(CudaTest, AForkedChildGetsAClearError) {
  Device& cuda = device();
  const MemoryRef memory = cuda.allocate(64);
  EXPECT_EQ(test::in_child([&] {
              const MemoryRef copy = memory;
              const std::string message = message_of([&] { cuda.allocate(64); });
              return message.find("cuda:0 was opened before this process was forked") == 0 ? 0 : 1;
            }),
            0);
}

TEST_F(CudaTest, ProductsThroughCublasLt) {
  Device& cuda = device();
  test::check_products<float>(cuda, ir::DType::float32, 1e-5);
  test::check_products<double>(cuda, ir::DType::float64, 1e-14);
}

void multiply(Device& device) {
  const ir::Call call = test::product_call({}, ir::DType::float32);
  device.call(ir::BoundCall(call, {}, [](std::uint32_t) { return nullptr; }), {"matmul"});
}

TEST_F(CudaTest, AMissingCublasLtIsNamed) {
  config_.cublaslt = "/no/such/libcublasLt.so";
  Device& cuda = device();
  const std::string message = message_of([&] { multiply(cuda); });
  EXPECT_THAT(message,
              HasSubstr("cuBLASLt, which multiplies matrices on CUDA, was not found. Looked for:\n"
                        "  /no/such/libcublasLt.so: no such file"));
  EXPECT_THAT(cuda.products_missing(), testing::StartsWith(message));
  EXPECT_THAT(cuda.products_missing(), HasSubstr("\n  try: KILN_CUBLASLT naming the library"));
}

TEST_F(CudaTest, ACublasLtThatDoesNotStartIsNamed) {
  Device& cuda = device();
  setenv("KILN_STUB_CUBLASLT", "1", 1);
  const std::string missing = cuda.products_missing();
  const std::string thrown = message_of([&] { multiply(cuda); });
  unsetenv("KILN_STUB_CUBLASLT");
  EXPECT_EQ(thrown,
            std::string(KILN_DRIVER_STUB) + ": cublasLtCreate failed with 1 (not initialized)");
  EXPECT_EQ(missing, thrown +
                         "\n  try: KILN_CUBLASLT naming a cuBLASLt that fits the driver; products "
                         "on kiln::cpu()");
  EXPECT_EQ(cuda.products_missing(), missing);  // plans were made by the answer: it stays
}

TEST_F(CudaTest, ACublasLtThatStartsMultiplies) { EXPECT_EQ(device().products_missing(), ""); }

TEST_F(CudaTest, CompilesForItsArchitectureOrTheNextLowerOne) {
  stub_->attribute(75, 8);
  stub_->attribute(76, 0);
  Registry registry(config_);
  if (!registry.nvrtc().available()) GTEST_SKIP() << registry.nvrtc().missing();
  Device& cuda = registry.cuda(0);
  EXPECT_THAT(cuda.compiler(), HasSubstr("cubin"));
  const ir::KernelSource source{
      "fill", "extern \"C\" __global__ void fill(float* z, int n, float a) {}", {}};
  calls();
  cuda.load_kernel(block_kernel(), cuda.compile(source));
  EXPECT_THAT(calls(), HasSubstr("cuModuleLoadDataEx \x7f"
                                 "ELF"));
  stub_->fail("cuModuleLoadDataEx", 0, 209, 1);
  cuda.load_kernel(block_kernel(), cuda.compile(source));
  EXPECT_THAT(cuda.compiler(), testing::Not(HasSubstr("cubin")));
  calls();
  cuda.load_kernel(block_kernel(), cuda.compile(source));
  EXPECT_THAT(calls(), HasSubstr("cuModuleLoadDataEx //"));
}

TEST_F(CudaTest, EverythingIsGivenBack) {
  {
    Device& cuda = device();
    const auto kernel = cuda.load_kernel(block_kernel(), binary("PTX text", ""));
    const MemoryRef memory = cuda.allocate(64);
    float value = 1;
    cuda.upload(*memory, 0, &value, 4);
    calls();
  }
  registry_.reset();
  const std::string log = calls();
  for (const char* call : {"cuMemFreeHost", "cuMemPoolDestroy", "cuStreamDestroy_v2",
                           "cuDevicePrimaryCtxRelease_v2 0"}) {
    EXPECT_THAT(log, HasSubstr(call));
  }
  EXPECT_EQ(stub_->allocated(), allocated_);
}

}  // namespace
}  // namespace kiln::runtime
