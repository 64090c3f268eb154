// How few kernels serve how many sizes: counted by the kernels' text without labels, which is the
// key of the caches, for CUDA by planning alone.
#include <set>

#include "frontend/access.h"
#include "frontend/compile.h"
#include "frontend/snapshot.h"
#include "ir/kernel.h"
#include "runtime/targets.h"
#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;

// The kernels of a pending array's plan for a target.
void collect(const kn::Array& x, const kn::ir::Caps& caps, std::set<std::string>* kernels) {
  kn::frontend::Snapshot snapshot;
  {
    const std::lock_guard<std::mutex> lock(kn::frontend::trace().mutex);
    kn::frontend::Node* const root = kn::frontend::root_of(kn::frontend::Access::node(x));
    ASSERT_TRUE(
        kn::frontend::take_snapshot({&root, 1}, kn::frontend::Learning::nothing, &snapshot));
  }
  for (kn::frontend::Node* const node : snapshot.outputs) kn::frontend::trace().release(node);
  const kn::ir::Plan plan = kn::frontend::make_plan(snapshot, caps, true);
  for (const kn::ir::Kernel& kernel : plan.kernels) {
    kernels->insert(kn::ir::print(kernel, kn::ir::Labels::no));
  }
}

struct Counted {
  const char* target;
  std::size_t most_elementwise, most_reduction;
};
constexpr Counted kTargets[] = {
    {"cpu", 6, 6}, {"sm_75", 6, 12}, {"sm_80", 6, 12}, {"sm_90", 6, 12}};

// Fresh data of a shape, `shift` elements behind an aligned address.
kn::Array data(const kn::Shape& shape, std::int64_t shift = 0) {
  static const auto* const memory = new std::vector<float>(std::size_t{1} << 21, 1.f);
  std::vector<std::int64_t> strides(static_cast<std::size_t>(shape.ndim()), 1);
  for (std::size_t i = strides.size(); i-- > 1;) strides[i - 1] = strides[i] * shape.extents()[i];
  return kn::borrow(memory->data() + shift, {shape, strides},
                    std::shared_ptr<const void>(memory->data(), [](const void*) {}));
}

TEST(Classes, AnElementwiseProgramOfAnySizesAndAlignmentsHasFewKernels) {
  const std::vector<std::int64_t> sizes = {
      1,     2,     3,     7,     8,     15,     16,     17,        31,     32,   48,
      63,    64,    100,   127,   128,   500,    512,    1000,      1024,   4095, 4096,
      10000, 16384, 65535, 65536, 99999, 262144, 500000, 1'000'000, 1048576};
  for (const Counted& target : kTargets) {
    std::set<std::string> kernels;
    const kn::ir::Caps caps = *kn::runtime::target_caps(target.target);
    for (const std::int64_t n : sizes) {
      for (const std::int64_t shift : {0, 1, 4}) {
        const kn::Array x = data({n}, shift), y = data({n});
        collect(x * 2.5f + y * x, caps, &kernels);
      }
    }
    EXPECT_LE(kernels.size(), target.most_elementwise) << target.target;
    RecordProperty(std::string("kernels_") + target.target, static_cast<int>(kernels.size()));
  }
}

TEST(Classes, OneReductionOfAnyRowLengthHasFewKernels) {
  for (const Counted& target : kTargets) {
    std::set<std::string> kernels;
    const kn::ir::Caps caps = *kn::runtime::target_caps(target.target);
    // Lengths of one class are one graph but for the factors 16 and 4: each class by its ends and
    // all kinds within.
    for (std::int64_t low = 1; low <= 20'000; low *= 2) {
      for (const std::int64_t n :
           {low, low + 1, low + 4, low + low / 2, 2 * low - 1, 2 * low - 4, 2 * low - 16}) {
        if (n < low || n > 2 * low - 1 || n > 20'000) continue;
        collect(kn::sum(data({96, n}), {-1}), caps, &kernels);
      }
    }
    EXPECT_LE(kernels.size(), target.most_reduction) << target.target;
    RecordProperty(std::string("kernels_") + target.target, static_cast<int>(kernels.size()));
  }
}

TEST(Classes, ExtentsWithinTheirClassAndScalarsPlanNothing) {
  if (interpreting()) GTEST_SKIP() << "the interpreter makes no plans";
  const auto run = [](std::int64_t rows, std::int64_t columns, float scale, float shift) {
    const kn::Array x = data({rows, columns}), y = data({columns});
    kn::eval({kn::exp(x * scale - shift) + y, kn::max(x * y, {-1}), kn::sum(x + shift, {0})});
  };
  // Both extents are innermost somewhere: not divisible by 4, by 4 alone, by 16.
  for (const std::int64_t multiple : {1, 4, 16}) {
    const auto in_class = [&](std::int64_t n) {
      return multiple == 1 ? n % 4 != 0 : n % multiple == 0 && n % (4 * multiple) != 0;
    };
    std::vector<std::int64_t> sizes;
    for (std::int64_t n = 64; n < 128; ++n) {
      if (in_class(n)) sizes.push_back(n);
    }
    run(sizes.front(), sizes.back(), 0.5f, 2.f);
    const kn::Stats before = kn::stats();
    int runs = 0;
    for (std::size_t i = 0; i < sizes.size(); i += 1 + sizes.size() / 8) {
      for (std::size_t j = 0; j < sizes.size(); j += 1 + sizes.size() / 6, ++runs) {
        run(sizes[i], sizes[j], 0.01f * static_cast<float>(i), 1.f + static_cast<float>(j));
      }
    }
    const kn::Stats spent = kn::stats() - before;
    EXPECT_EQ(spent.plans_built, 0) << multiple;
    EXPECT_EQ(spent.compiled, 0) << multiple;
    EXPECT_EQ(spent.plans_reused, runs) << multiple;
    EXPECT_GE(runs, 4);
  }
}

}  // namespace
