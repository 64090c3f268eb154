// A second opinion on what the simulator runs: the CUDA C of every kernel of the program table,
// compiled for the host and run by fibers, has the bits that the simulator must have too. A
// library's product is the graph interpreter's.
#include <gtest/gtest.h>

#include "codegen/cuda.h"
#include "passes/plan.h"
#include "tests/plans/cases.h"
#include "tests/shim/shim.h"

namespace kiln {
namespace {

using testing::Program;

struct Planned {
  const testing::Case* tested;
  Program program;
  ir::Plan plan;
  std::size_t first;  // number of its first kernel
};

std::string entry(std::size_t kernel) { return "kernel_" + std::to_string(kernel); }

// With an entry of its own, so that all kernels are one library. A batch is run member by member.
std::string source(ir::Kernel kernel, std::size_t number) {
  kernel.members = 0;
  std::string text = codegen::cuda_source(kernel, ir::Labels::no);
  const std::string name = codegen::cuda_entry(kernel);
  for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
    text.replace(at, name.size(), entry(number));
  }
  return text;
}

TEST(ShimPrograms, HaveTheInterpretersBits) {
  std::vector<Planned> all;
  std::vector<std::string> sources;
  for (const testing::Case& c : testing::cases()) {
    Planned p{&c, {}, {}, sources.size()};
    c.build(p.program);
    p.plan = passes::make_plan(p.program.graph, testing::cuda_caps());
    for (const ir::Kernel& kernel : p.plan.kernels) {
      sources.push_back(source(kernel, sources.size()));
    }
    all.push_back(std::move(p));
  }
  const tests::shim::Library library(sources);
  for (const Planned& p : all) {
    const auto runner = [&](const ir::Kernel& kernel, const ir::KernelArg* args,
                            std::int64_t items) {
      const auto number = p.first + static_cast<std::size_t>(&kernel - p.plan.kernels.data());
      library.run(entry(number), static_cast<int>(items),
                  static_cast<int>(ir::block_threads(kernel)), args);
    };
    const auto expected = ir::interpret(p.program.graph, p.program.bindings, p.program.views());
    const auto actual = testing::run_plan(p.plan, p.program.bindings, p.program.views(), runner);
    EXPECT_EQ(testing::difference(expected, actual, p.program.graph), "") << p.tested->name;
  }
}

}  // namespace
}  // namespace kiln
