// Arrays of more elements than 32 bits count.
#include "ir/narrow.h"
#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;
namespace ir = kiln::ir;

constexpr std::int64_t kMany = (std::int64_t{1} << 31) + 12345;

std::string cuda_text(std::int64_t n) {
  const kn::Scope scope({.device = kn::plan_only("sm_80")});
  return kn::cuda_source(kn::zeros({n}, kn::uint8) + 1, "sm_80").at(0).text;
}

TEST(Large, CudaCountsIn64BitsWhereItMust) {
  expect_contains(cuda_text(kMany), "long long n");
  EXPECT_EQ(cuda_text(1000).find("long long"), std::string::npos);
  expect_contains(cuda_text(ir::kWideElements), "long long n");
  EXPECT_EQ(cuda_text(ir::kWideElements - 1).find("long long"), std::string::npos);
}

// Few elements, spread over much memory, which nothing reads here.
TEST(Large, CudaCountsIn64BitsWhereStridesReachFar) {
  const auto text = [](std::int64_t stride) {
    static const float first = 0;
    const std::shared_ptr<const void> owner(&first, [](const void*) {});
    const kn::Scope scope({.device = kn::cpu()});
    const kn::Array x = kn::borrow(&first, {{3}, {stride}}, owner);
    return kn::cuda_source(x + 1, "sm_80").at(0).text;
  };
  expect_contains(text(ir::kWideElements / 2), "long long n");
  expect_contains(text(-ir::kWideElements / 2), "long long n");
  EXPECT_EQ(text(ir::kWideElements / 2 - 1).find("long long"), std::string::npos);
}

TEST(HeavyLarge, MoreThan2To31ElementsAreEvaluated) {
  const kn::Scope scope({.device = kn::cpu()});
  const kn::Array x = (kn::arange(kMany) & 127).astype(kn::uint8);
  const kn::Array y = x + 1, total = kn::sum(y);
  kn::eval({y, total});
  ASSERT_EQ(y.shape(0), kMany);
  EXPECT_EQ(y(kMany - 1).item<int>(), (kMany - 1) % 128 + 1);
  EXPECT_EQ(y(std::int64_t{1} << 31).item<int>(), 1);
  EXPECT_EQ(y(-12346).item<int>(), 128);
  const std::uint64_t cycles = kMany / 128, rest = kMany % 128;
  EXPECT_EQ(total.item<std::uint64_t>(), cycles * (128 * 129 / 2) + rest * (rest + 1) / 2);
  EXPECT_EQ(kn::argmax(kn::flip(y), 0).item<std::int64_t>(), kMany % 128);
}

}  // namespace
