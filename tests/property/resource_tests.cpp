// What the kernels of the program table take as machine code, as NVRTC's assembler says: a budget
// of registers, stack and shared memory for each schedule, and no spills beyond a list, so that a
// change that costs occupancy is seen. A suite for each architecture.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "codegen/cuda.h"
#include "passes/plan.h"
#include "runtime/nvrtc.h"
#include "runtime/resources.h"
#include "runtime/targets.h"
#include "tests/plans/cases.h"

namespace kiln {
namespace {

using testing::Case;
using testing::Program;

struct Budget {
  std::string_view schedule;
  int registers;  // a thread
  // Of bytes, each kernel's own number, not a margin: a thread's stack of chunk totals, whose index
  // is known at run time only, and a block's shared memory.
  std::int64_t stack_bytes, shared_bytes;
};
// A multiprocessor of 65,536 registers is full of threads (2048) at 32 a thread; 64 let it hold
// half as many, 128 a quarter: enough where each has many loads under way because it keeps its part
// of a row. A tile's thread keeps the sums of its results, one block a multiprocessor. Long rows
// take blocks of 1024 threads, of which a multiprocessor holds one with 56 registers as with 48
// (sm_120) and whose warps' totals are 128 bytes a reduction.
constexpr Budget kBudgets[] = {
    {"pointwise", 32, 0, 0},
    {"pointwise, batched", 32, 0, 0},
    {"transpose", 40, 0, 16896},
    {"rows, several a warp", 40, 0, 0},
    {"rows, several a warp, kept in registers", 40, 0, 0},
    {"rows, a warp each", 64, 0, 0},
    {"rows, a warp each, kept in registers", 128, 0, 0},
    {"rows, a block each", 56, 0, 256},
    {"rows, a block each, kept in registers", 128, 0, 256},
    {"split rows", 48, 32, 96},
    {"columns", 64, 48, 4096},
    {"split columns", 96, 120, 6144},
    {"tiled", 224, 0, 16640},
};

// Within its launch bounds the assembler chooses how many registers a thread gets, so that one more
// block fits; here it prefers these few bytes, outside the loops over memory, to a block less. A
// kernel of one warp has a multiprocessor to itself: its registers bound nothing. One of sm_120 is
// full with 1536 threads: 40 registers each are there.
struct Excess {
  std::string_view program, target;
  std::int64_t stack_bytes, store_bytes, load_bytes;
  int registers = 0;
};
constexpr Excess kExcesses[] = {
    {"argmax_all_large", "sm_90", 48, 4, 12},
    {"join_of_columns", "sm_120", 0, 0, 0, 40},
    {"norm_of_vectors_of_bfloats", "sm_90", 8, 4, 4},
    {"softmax_of_a_transpose", "sm_90", 16, 16, 24},
    {"softmax_of_a_transpose", "sm_120", 16, 20, 32},
    {"softmax_of_bfloats", "sm_120", 8, 4, 4},
    {"sum_all_small", "sm_120", 0, 0, 0, 77},
};

class Resources : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!nvrtc_.available()) GTEST_SKIP() << nvrtc_.missing();
    caps_ = runtime::target_caps(GetParam()).value();
    if (!nvrtc_.supports(caps_.compute_capability)) {
      GTEST_SKIP() << "NVRTC does not know " << GetParam();
    }
  }

  void check(const Case& c) {
    Program p;
    c.build(p);
    const ir::Plan plan = passes::make_plan(p.graph, caps_);
    for (std::size_t i = 0; i < plan.launches.size(); ++i) {
      const std::string& schedule = plan.clusters[plan.launches[i].report].schedule;
      SCOPED_TRACE(std::string(c.name) + ": " + schedule);
      const auto* const budget = std::ranges::find(kBudgets, schedule, &Budget::schedule);
      ASSERT_NE(budget, std::end(kBudgets)) << "a schedule without a budget";
      seen_.insert(budget->schedule);
      const auto taken = resources(plan.kernels[plan.launches[i].kernel]);
      ASSERT_TRUE(taken.has_value()) << "the log says nothing";
      compare(*taken, *budget, allowed(c.name));
    }
  }

  std::optional<runtime::KernelResources> resources(const ir::Kernel& kernel) {
    const std::string text = codegen::cuda_source(kernel, ir::Labels::no);
    return runtime::kernel_resources(
        nvrtc_.compile("kernel", text, caps_.compute_capability, true).log);
  }

  Excess allowed(std::string_view program) const {
    for (const Excess& e : kExcesses) {
      if (e.program == program && e.target == GetParam()) return e;
    }
    return {program, GetParam(), 0, 0, 0};
  }

  static void compare(const runtime::KernelResources& taken, const Budget& budget,
                      const Excess& excess) {
    EXPECT_LE(taken.registers, std::max(budget.registers, excess.registers));
    EXPECT_LE(taken.shared_bytes, budget.shared_bytes);
    EXPECT_LE(taken.stack_bytes, std::max(budget.stack_bytes, excess.stack_bytes));
    EXPECT_LE(taken.spill_store_bytes, excess.store_bytes);
    EXPECT_LE(taken.spill_load_bytes, excess.load_bytes);
  }

  runtime::Nvrtc nvrtc_{runtime::Config{}};
  ir::Caps caps_;
  std::set<std::string_view> seen_;
};

TEST_P(Resources, AreWithinTheirSchedulesBudgets) {
  for (const Case& c : testing::cases()) check(c);
  for (const Budget& b : kBudgets) {
    EXPECT_TRUE(seen_.contains(b.schedule)) << "no program has the schedule " << b.schedule;
  }
}

INSTANTIATE_TEST_SUITE_P(Sm80, Resources, ::testing::Values("sm_80"));
INSTANTIATE_TEST_SUITE_P(Sm90, Resources, ::testing::Values("sm_90"));
INSTANTIATE_TEST_SUITE_P(Sm120, Resources, ::testing::Values("sm_120"));

}  // namespace
}  // namespace kiln
