// The texts of both IRs, damaged: the parser refuses them by an InternalError, or gives what the
// verifier can look at; what is well-formed prints and parses as itself, and CUDA C can be written
// for it.
#include <gtest/gtest.h>

#include "codegen/cuda.h"
#include "ir/error.h"
#include "ir/infix.h"
#include "passes/plan.h"
#include "tests/damage.h"
#include "tests/ir/kernels.h"
#include "tests/plans/cases.h"
#include "tests/property/random_graph.h"
#include "tests/seed.h"

namespace {

namespace ir = kiln::ir;
using kiln::testing::first_seed;
using kiln_tests::Damage;

constexpr const char* kLoop = R"(graph
  sym s2 [2 3]
  sym s3 [0 100]
  input f32 dense
  n0 = buffer f32 [s2] input #0 "x"
  graph
    sym s2 [2 3]
    sym s3 [0 100]
    input f32 dense
    n0 = buffer f32 [s2] input #0
    n1 = add f32 [s2] n0 n0
    outputs n1
  end
  n1 = loop f32 [s2] n0 loop( s3 #0 ) results 1
  n2 = item f32 [s2] n1 #0 @"loop.cpp:3"
  outputs n2
end
)";

std::vector<std::string> graphs() {
  std::vector<std::string> texts{kLoop};
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    ir::test::RandomGraphOptions options;
    options.nodes = 8;
    texts.push_back(ir::print(ir::test::random_graph(seed, options).graph));
  }
  return texts;
}

std::vector<std::string> kernels() {
  std::vector<std::string> texts{ir::print(ir::test::axpb()),
                                 ir::print(ir::test::row_sum_shuffle()),
                                 ir::print(ir::test::block_sum_shared())};
  for (const kiln::testing::Case& c : kiln::testing::cases()) {
    kiln::testing::Program program;
    c.build(program);
    for (const ir::Caps& caps : {kiln::testing::cpu_caps(), kiln::testing::cuda_caps()}) {
      const ir::Plan plan = kiln::passes::make_plan(program.graph, caps, {});
      for (const ir::Kernel& kernel : plan.kernels) {
        std::string text = ir::print(kernel);
        if (text.size() < 6000) texts.push_back(std::move(text));
      }
    }
  }
  return texts;
}

// How many texts were refused by the parser, refused by the verifier, and well-formed.
struct Counts {
  int unread = 0, malformed = 0, sound = 0;
};

template <class Read>
Counts read_damaged(const std::vector<std::string>& texts, std::uint64_t count, Read read) {
  Counts counts;
  for (std::uint64_t seed = first_seed(); seed < first_seed() + count; ++seed) {
    SCOPED_TRACE("KILN_SEED=" + std::to_string(seed));
    const std::string text = Damage(seed).of(texts);
    try {
      ++(read(text) ? counts.sound : counts.malformed);
    } catch (const ir::InternalError&) {
      ++counts.unread;
    }
    if (testing::Test::HasFailure()) break;
  }
  return counts;
}

bool read_graph(const std::string& text) {
  const ir::Graph graph = ir::parse_graph(text);
  if (!ir::verify(graph).empty()) return false;
  for (ir::NodeId n = 0; n < graph.nodes.size(); ++n) EXPECT_FALSE(ir::infix(graph, n).empty());
  const ir::Graph again = ir::parse_graph(ir::print(graph));
  EXPECT_EQ(again, graph) << text;
  EXPECT_EQ(ir::hash(again), ir::hash(graph));
  EXPECT_EQ(ir::print(again), ir::print(graph)) << text;
  return true;
}

bool read_kernel(const std::string& text) {
  const ir::Kernel kernel = ir::parse_kernel(text);
  if (!ir::verify(kernel).empty()) return false;
  const ir::Kernel again = ir::parse_kernel(ir::print(kernel));
  EXPECT_EQ(ir::print(again), ir::print(kernel)) << text;
  if (kernel.target == ir::Target::cuda) {
    EXPECT_FALSE(kiln::codegen::cuda_source(kernel, ir::Labels::yes).empty());
  }
  return true;
}

void expect_all_kinds(const Counts& counts) {
  EXPECT_GT(counts.unread, 0);
  EXPECT_GT(counts.malformed, 0);
  EXPECT_GT(counts.sound, 0);
}

TEST(TextFuzz, GraphsAreReadOrRefused) {
  expect_all_kinds(read_damaged(graphs(), 2000, read_graph));
}
TEST(TextFuzz, KernelsAreReadOrRefused) {
  expect_all_kinds(read_damaged(kernels(), 1000, read_kernel));
}
TEST(NightlyTextFuzz, GraphsAreReadOrRefused) {
  expect_all_kinds(read_damaged(graphs(), 300'000, read_graph));
}
TEST(NightlyTextFuzz, KernelsAreReadOrRefused) {
  expect_all_kinds(read_damaged(kernels(), 100'000, read_kernel));
}

}  // namespace
