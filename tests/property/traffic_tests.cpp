// The bytes and sectors that a plan states against those that the simulator counts, launch by
// launch summed over the plan.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "ir/traffic.h"
#include "tests/plans/cases.h"
#include "tests/property/devices.h"

namespace kiln {
namespace {

using ir::DType;
using ir::Op;
using ir::test::RandomGraph;
using testing::Devices;
using testing::Program;
using testing::Where;
using Id = Program::Id;

struct Stated {
  ir::RequestedTraffic requested;
  std::int64_t compulsory_read = 0, compulsory_written = 0;
  std::int64_t partials = 0;  // bytes of temporaries: at most so many are partial results
};

Stated stated(const ir::Plan& plan, const ir::Bindings& bindings) {
  Stated sum;
  for (std::size_t i = 0; i < plan.clusters.size(); ++i) {
    if (plan.clusters[i].launch < 0) continue;
    sum.requested += ir::requested_traffic(plan, i, bindings.syms);
    sum.compulsory_read += plan.clusters[i].compulsory_read.evaluate(bindings.syms);
    sum.compulsory_written += plan.clusters[i].compulsory_written.evaluate(bindings.syms);
  }
  for (const ir::PlanBuffer& b : plan.buffers) {
    if (b.role == ir::BufferRole::temporary) {
      sum.partials += b.elements.evaluate(bindings.syms) * ir::size_of(b.dtype);
    }
  }
  return sum;
}

// Programs that read a buffer in several ways, or but for what an update replaces, of which the
// plan knows only that all of it is there.
constexpr std::string_view kReadInPart[] = {"slices_and_flip", "write_into_a_computed_array"};

std::int64_t difference(std::int64_t a, unsigned long long b) {
  return std::abs(a - static_cast<std::int64_t>(b));
}
std::int64_t hundredth(unsigned long long x) { return static_cast<std::int64_t>(x / 100); }

class TrafficTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { devices_ = std::make_unique<Devices>(); }
  static void TearDownTestSuite() { devices_.reset(); }
  void SetUp() override {
    if (const std::string why = devices_->missing(Where::cuda); !why.empty()) GTEST_SKIP() << why;
  }

  // Compares, and gives what was counted.
  static Devices::Counted check(void (*build)(Program&), std::string_view name) {
    Program p;
    build(p);
    const RandomGraph g{p.graph, p.bindings, p.data, p.offset};
    Devices::Counted counted = devices_->count(g);
    compare(stated(counted.plan, g.bindings), counted, name);
    return counted;
  }

  static void compare(const Stated& s, const Devices::Counted& counted, std::string_view name) {
    const kilnsim_counters& n = counted.counters;
    const ir::RequestedTraffic& asked = s.requested;
    EXPECT_LE(difference(asked.bytes_read, n.global_bytes_read), hundredth(n.global_bytes_read))
        << name << ": " << asked.bytes_read << " stated, " << n.global_bytes_read << " counted";
    EXPECT_LE(difference(asked.bytes_written, n.global_bytes_written),
              hundredth(n.global_bytes_written))
        << name << ": " << asked.bytes_written << " stated, " << n.global_bytes_written
        << " counted";
    // The parts of a warp that split up ask for a sector once each.
    if (n.divergent_branches == 0) {
      EXPECT_LE(difference(asked.sectors_read, n.global_sectors_read),
                hundredth(n.global_sectors_read) + 1)
          << name << ": " << asked.sectors_read << " stated, " << n.global_sectors_read;
      EXPECT_LE(difference(asked.sectors_written, n.global_sectors_written),
                hundredth(n.global_sectors_written) + 1)
          << name << ": " << asked.sectors_written << " stated, " << n.global_sectors_written;
    }
    // Partial results of a reduction in stages are written and read on top of what the plan states.
    const bool in_part = std::ranges::find(kReadInPart, name) != std::end(kReadInPart);
    const auto distinct_read = static_cast<std::int64_t>(n.distinct_bytes_read);
    const auto distinct_written = static_cast<std::int64_t>(n.distinct_bytes_written);
    if (s.partials == 0 && !in_part) {
      EXPECT_EQ(s.compulsory_read, distinct_read) << name;
    }
    EXPECT_LE(distinct_read, s.compulsory_read + s.partials) << name;
    EXPECT_GE(distinct_read, in_part ? 0 : s.compulsory_read) << name;
    EXPECT_GE(distinct_written, s.compulsory_written) << name;
    EXPECT_LE(distinct_written, s.compulsory_written + s.partials) << name;
  }

  // Every warp instruction touches no more sectors than its bytes fill.
  static void expect_coalesced(const kilnsim_counters& n) {
    EXPECT_LE(n.global_sectors_read * 32, n.global_bytes_read * 101 / 100);
    EXPECT_LE(n.global_sectors_written * 32, n.global_bytes_written * 101 / 100);
  }

  inline static std::unique_ptr<Devices> devices_;
};

TEST_F(TrafficTest, ProgramsMoveWhatTheirPlansState) {
  for (const testing::Case& c : testing::cases()) check(c.build, c.name);
}

TEST_F(TrafficTest, AlignedPointwiseIsVectorisedAndCoalesced) {
  const Devices::Counted counted = check(
      [](Program& p) {
        const Id x = p.input(DType::float32, {96, 1024});
        p.output(p.map(Op::add, {p.map(Op::mul, {x, x}), p.input(DType::float32, {96, 1024}, 2)}));
      },
      "aligned pointwise");
  const kilnsim_counters& n = counted.counters;
  EXPECT_EQ(counted.plan.clusters[0].schedule, "pointwise");
  EXPECT_EQ(n.global_vector_accesses, n.global_load_instructions + n.global_store_instructions);
  EXPECT_EQ(n.global_vector_accesses, 3u * 96 * 1024 / 128);
  expect_coalesced(n);
}

TEST_F(TrafficTest, UnalignedPointwiseIsCoalesced) {
  const Devices::Counted counted =
      check([](Program& p) { p.output(p.map(Op::exp, {p.input(DType::float32, {100003})})); },
            "unaligned pointwise");
  expect_coalesced(counted.counters);
}

TEST_F(TrafficTest, BroadcastsAreReadByEveryRow) {
  check(
      [](Program& p) {
        const Id row = p.input(DType::float32, {512}),
                 column = p.input(DType::float32, {200, 1}, 2);
        p.output(p.map(Op::mul, {row, column}));
      },
      "outer product");
}

TEST_F(TrafficTest, RowsAreCoalesced) {
  for (const auto build :
       {+[](Program& p) { p.output(p.reduce(Op::add, p.input(DType::float32, {256, 512}), {1})); },
        +[](Program& p) { p.output(p.reduce(Op::add, p.input(DType::float32, {256, 8192}), {1})); },
        +[](Program& p) {
          p.output(p.reduce(Op::max, p.input(DType::float32, {1 << 20}), {0}));
        }}) {
    const kilnsim_counters n = check(build, "a reduction of rows").counters;
    EXPECT_EQ(n.global_sectors_read * 32, n.global_bytes_read);
    EXPECT_EQ(n.shared_bank_conflicts, 0u);
  }
}

TEST_F(TrafficTest, ColumnsAreCoalesced) {
  const kilnsim_counters n =
      check(
          [](Program& p) {
            p.output(p.reduce(Op::add, p.input(DType::float32, {1500, 512}), {0}));
          },
          "a reduction of columns")
          .counters;
  EXPECT_EQ(n.global_sectors_read * 32, n.global_bytes_read);
  EXPECT_EQ(n.shared_bank_conflicts, 0u);
}

}  // namespace
}  // namespace kiln
