// Bugs that the simulator must catch, each beside the same code without it.

#include "tests/cudasim/tests/harness.h"

namespace cudasim_tests {
namespace {

class SeededBugs : public Simulator {
 protected:
  // Runs `body` as a kernel of one pointer (in %rd1) and expects a fault that says `message`.
  void expect_fault(const std::string& body, Result code, const std::string& message,
                    unsigned threads = 32, std::size_t bytes = 1024, bool initialised = true,
                    const std::string& before = "") {
    const Result result = launch(body, threads, bytes, initialised, before);
    EXPECT_EQ(result, code) << report();
    EXPECT_NE(report().find(message), std::string::npos) << report();
    EXPECT_NE(report().find("kernel k"), std::string::npos) << report();
    EXPECT_EQ(cuCtxSynchronize(), code) << "the fault is not sticky";
    start(80);
  }
  void expect_fine(const std::string& body, unsigned threads = 32, std::size_t bytes = 1024,
                   const std::string& before = "") {
    EXPECT_EQ(launch(body, threads, bytes, true, before), kSuccess) << report();
  }

 private:
  Result launch(const std::string& body, unsigned threads, std::size_t bytes, bool initialised,
                const std::string& before) {
    const std::string start_text =
        "ld.param.u64 %rd1, [p];\nmov.u32 %r1, %tid.x;\nmul.wide.u32 %rd2, %r1, 4;\n"
        "add.s64 %rd3, %rd1, %rd2;\n";
    const Function kernel =
        function(kernel_text("k", ".param .u64 p", start_text + body + "\nret;", before), "k");
    DevicePtr buffer = initialised ? upload(std::vector<unsigned char>(bytes, 1)) : allocate(bytes);
    return run(kernel, 1, threads, {&buffer});
  }
};

TEST_F(SeededBugs, GlobalLoadOutOfBounds) {
  expect_fine("ld.global.u32 %r2, [%rd3];", 32, 128);
  expect_fault("ld.global.u32 %r2, [%rd3+4];", kIllegalAddress, "out of bounds", 32, 128);
  expect_fault("ld.global.u32 %r2, [%rd1+-4];", kIllegalAddress, "bytes before", 1, 128);
}

TEST_F(SeededBugs, GlobalStoreOutOfBounds) {
  expect_fine("st.global.u32 [%rd3], %r1;", 32, 128);
  expect_fault("st.global.u32 [%rd3+4], %r1;", kIllegalAddress, "past the end", 32, 128);
}

TEST_F(SeededBugs, NullAndForeignPointers) {
  expect_fault("mov.u64 %rd4, 0;\nld.global.u32 %r2, [%rd4];", kIllegalAddress, "null pointer");
  expect_fault("mov.u64 %rd4, 1048576;\nst.global.u32 [%rd4], %r1;", kIllegalAddress,
               "no device memory");
}

TEST_F(SeededBugs, UninitialisedGlobalRead) {
  expect_fault("ld.global.u32 %r2, [%rd3];", kLaunchFailed, "uninitialised memory", 32, 128, false);
  expect_fine("st.global.u32 [%rd3], %r1;\nld.global.u32 %r2, [%rd3];", 32, 128);
}

TEST_F(SeededBugs, UninitialisedSharedRead) {
  expect_fault(".shared .align 4 .b8 s[128];\nld.shared.u32 %r2, [s];", kLaunchFailed,
               "uninitialised memory");
}

// A compiler may load ahead of the branch that asks for the value: only the use shows, by all ones.
TEST_F(SeededBugs, UninitialisedLocalValueUsed) {
  const std::string load =
      ".local .align 8 .b8 s[16];\nst.local.u64 [s], %rd1;\nld.local.u64 %rd4, [s+8];\n";
  expect_fine(load);
  expect_fault(load + "add.s64 %rd4, %rd4, 1;\nst.global.u32 [%rd4], %r1;", kIllegalAddress,
               "null pointer");
}

TEST_F(SeededBugs, MisalignedVector) {
  expect_fine("ld.global.v4.u32 {%r2, %r3, %r4, %r5}, [%rd1+16];");
  expect_fault("ld.global.v4.u32 {%r2, %r3, %r4, %r5}, [%rd1+8];", kMisalignedAddress,
               "misaligned");
  expect_fault("st.global.u64 [%rd1+4], %rd2;", kMisalignedAddress, "misaligned");
}

TEST_F(SeededBugs, SharedAndLocalOutOfBounds) {
  expect_fault(".shared .align 4 .b8 s[128];\nst.shared.u32 [s+128], %r1;", kIllegalAddress,
               "shared store");
  expect_fault(".local .align 4 .b8 s[16];\nst.local.u32 [s+16], %r1;", kIllegalAddress,
               "local store");
}

constexpr const char* kExchange =
    ".shared .align 4 .b8 s[256];\nmov.u64 %rd4, s;\nadd.s64 %rd5, %rd4, %rd2;\n"
    "st.shared.u32 [%rd5], %r1;\n";
constexpr const char* kReadOther =
    "xor.b32 %r2, %r1, 33;\nmul.wide.u32 %rd6, %r2, 4;\nadd.s64 %rd7, %rd4, %rd6;\n"
    "ld.shared.u32 %r3, [%rd7];\n";

TEST_F(SeededBugs, MissingBarrier) {
  expect_fine(std::string(kExchange) + "bar.sync 0;\n" + kReadOther, 64);
  // The other warp's half may be unwritten or raced for, whichever comes first.
  expect_fault(std::string(kExchange) + kReadOther, kLaunchFailed, "shared", 64);
}

TEST_F(SeededBugs, WriteAfterReadRace) {
  const std::string tail = "st.shared.u32 [%rd5], %r3;\n";
  expect_fault(
      std::string(kExchange) + "bar.sync 0;\n" + kReadOther + "add.u32 %r3, %r3, 1;\n" + tail,
      kLaunchFailed, "shared memory race", 64);
}

TEST_F(SeededBugs, IntraWarpRace) {
  const std::string read =
      "xor.b32 %r2, %r1, 1;\nmul.wide.u32 %rd6, %r2, 4;\nadd.s64 %rd7, %rd4, %rd6;\n"
      "ld.shared.u32 %r3, [%rd7];\n";
  expect_fine(std::string(kExchange) + "bar.warp.sync -1;\n" + read, 32);
  expect_fault(std::string(kExchange) + read, kLaunchFailed, "a read after a write", 32);
}

TEST_F(SeededBugs, DifferentValuesInOnePlace) {
  expect_fault(".shared .align 4 .b8 s[4];\nst.shared.u32 [s], %r1;", kLaunchFailed,
               "a write after a write");
  expect_fine(".shared .align 4 .b8 s[4];\nmov.u32 %r2, 7;\nst.shared.u32 [s], %r2;");
}

TEST_F(SeededBugs, ShuffleFromInactiveLane) {
  expect_fine("shfl.sync.bfly.b32 %r2|%p1, %r1, 1, 31, -1;");
  expect_fault(
      "setp.lt.u32 %p2, %r1, 16;\n@!%p2 bra $E;\nshfl.sync.bfly.b32 %r2|%p1, %r1, 16, 31, "
      "65535;\n$E:",
      kLaunchFailed, "takes no part");
}

TEST_F(SeededBugs, LaneOutsideItsMemberMask) {
  expect_fault("vote.sync.ballot.b32 %r2, 1, 65535;", kLaunchFailed, "leaves it out");
}

TEST_F(SeededBugs, DivergentBarrier) {
  expect_fault(
      "setp.lt.u32 %p1, %r1, 16;\n@%p1 bra $A;\nbar.sync 0;\nbra $E;\n$A: bar.sync 0;\n$E:",
      kLaunchFailed, "divergent barrier");
  expect_fault("setp.lt.u32 %p1, %r1, 16;\n@%p1 exit;\nbar.sync 0;", kLaunchFailed,
               "have left the kernel");
}

TEST_F(SeededBugs, Deadlock) {
  expect_fault("setp.lt.u32 %p1, %r1, 16;\n@%p1 bra $A;\nbar.sync 1, 64;\n$A: bar.sync 2, 64;",
               kLaunchFailed, "deadlock");
  expect_fault(
      "setp.lt.u32 %p1, %r1, 16;\n@%p1 bra $A;\nbar.warp.sync -1;\nbra $E;\n$A: bar.sync 0;\n$E:",
      kLaunchFailed, "deadlock");
}

TEST_F(SeededBugs, EndlessLoop) {
  expect_fault("$L: add.u32 %r2, %r1, 1;\nbra $L;", kLaunchFailed, "budget");
}

TEST_F(SeededBugs, ReadOnlyPathOfWrittenMemory) {
  expect_fault("ld.global.nc.u32 %r2, [%rd3];\nst.global.u32 [%rd3], %r2;", kLaunchFailed,
               "read-only path");
  expect_fine("ld.global.u32 %r2, [%rd3];\nst.global.u32 [%rd3], %r2;");
}

TEST_F(SeededBugs, Trap) { expect_fault("trap;", kLaunchFailed, "trap"); }

TEST_F(SeededBugs, FunctionPointerToNothing) {
  expect_fault("call %rd1, ();", kIllegalAddress, "pointer to no function");
}

TEST_F(SeededBugs, ConstantMemoryIsNotWritten) {
  Module module = nullptr;
  EXPECT_EQ(cuModuleLoadData(
                &module,
                kernel_text("k", "", "st.const.u32 [c], 1;\nret;", ".const .u32 c = 1;").c_str()),
            kInvalidPtx);
}

TEST_F(SeededBugs, UseAfterFree) {
  const Function kernel =
      function(kernel_text("k", ".param .u64 p",
                           "ld.param.u64 %rd1, [p];\nld.global.u32 %r1, [%rd1];\nret;"),
               "k");
  DevicePtr buffer = upload(std::vector<int>(4, 1));
  ASSERT_EQ(cuMemFree_v2(buffer), kSuccess);
  EXPECT_EQ(run(kernel, 1, 1, {&buffer}), kIllegalAddress);
  EXPECT_NE(report().find("freed"), std::string::npos) << report();
}

TEST_F(SeededBugs, MissingEventWaitShowsUnderSomeSeed) {
  const Function add = function(
      kernel_text("k", ".param .u64 p",
                  "ld.param.u64 %rd1, [p];\nld.global.u32 %r1, [%rd1];\nadd.u32 %r1, %r1, 1;\n"
                  "st.global.u32 [%rd1], %r1;\nret;"),
      "k");
  for (const bool wait : {false, true}) {
    bool wrong = false;
    for (unsigned seed = 0; seed < 16; ++seed) {
      kilnsim_seed(seed);
      Stream first = nullptr;
      Stream second = nullptr;
      Event event = nullptr;
      ASSERT_EQ(cuStreamCreate(&first, 1), kSuccess);
      ASSERT_EQ(cuStreamCreate(&second, 1), kSuccess);
      ASSERT_EQ(cuEventCreate(&event, 2), kSuccess);
      DevicePtr from = upload(std::vector<int>{1});
      DevicePtr to = upload(std::vector<int>{0});
      void* parameters[] = {&from};
      ASSERT_EQ(cuLaunchKernel(add, 1, 1, 1, 1, 1, 1, 0, first, parameters, nullptr), kSuccess);
      ASSERT_EQ(cuEventRecord(event, first), kSuccess);
      if (wait) {
        ASSERT_EQ(cuStreamWaitEvent(second, event, 0), kSuccess);
      }
      ASSERT_EQ(cuMemcpyDtoDAsync_v2(to, from, 4, second), kSuccess);
      ASSERT_EQ(cuCtxSynchronize(), kSuccess);
      wrong = wrong || download<int>(to, 1)[0] != 2;
    }
    EXPECT_EQ(wrong, !wait);
  }
}

}  // namespace
}  // namespace cudasim_tests
