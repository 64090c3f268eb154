#include "codegen/cuda.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "ir/error.h"
#include "ir/kernel_builder.h"
#include "ir/targets.h"
#include "tests/codegen/cuda_kernels.h"
#include "tests/golden.h"
#include "tests/shim/nvrtc.h"
#include "tests/shim/shim.h"

namespace kiln::tests {
namespace {

using codegen::cuda_source;

void expect_compiles(const ir::Kernel& kernel, bool in_registers) {
  for (const ir::GpuTarget& target : ir::kGpuTargets) {
    const auto result = Nvrtc::get().compile(cuda_source(kernel), target.compute_capability);
    ASSERT_TRUE(result.ok) << kernel.name << " for " << target.name << '\n' << result.log;
    EXPECT_NE(result.ptx.find(".entry " + codegen::cuda_entry(kernel)), std::string::npos);
    EXPECT_EQ(result.log.find("warning"), std::string::npos) << result.log;
    if (in_registers) {
      EXPECT_EQ(result.ptx.find(".local"), std::string::npos) << kernel.name;
    }
  }
}

// Runs each case by the shim and by the interpreter, and compares the bits of every buffer.
void expect_same_bits(const std::vector<Case>& cases, bool specials, shim::Options options) {
  std::vector<std::string> sources;
  for (const Case& c : cases) {
    ASSERT_EQ(ir::verify(c.kernel), "") << c.kernel.name;
    sources.push_back(cuda_source(c.kernel));
  }
  const shim::Library library(sources, options);
  for (const Case& c : cases) {
    const Arguments by_text = make_arguments(c.kernel, c.sizes, specials);
    const Arguments by_definition = make_arguments(c.kernel, c.sizes, specials);
    library.run(codegen::cuda_entry(c.kernel), static_cast<int>(c.items),
                static_cast<int>(ir::block_threads(c.kernel)), by_text.pointers().data());
    ir::interpret(c.kernel, by_definition.pointers().data(), 0, c.items);
    EXPECT_EQ(difference(c.kernel, by_text, by_definition), "");
  }
}

TEST(CudaText, IsGolden) {
  for (const Case& c : cuda_cases()) {
    testing::expect_golden("cuda/" + c.kernel.name + ".cu", cuda_source(c.kernel));
  }
}

// By which profilers tell kernels apart.
TEST(CudaEntry, SaysWhatIsComputedAndWhichTextItIs) {
  std::map<std::string, std::string> texts;  // by entry
  for (const Case& c : cuda_cases()) {
    const std::string entry = codegen::cuda_entry(c.kernel);
    EXPECT_TRUE(std::regex_match(entry, std::regex("kiln_[a-z][a-z0-9_]*_[0-9a-f]{12}"))) << entry;
    const std::string canonical = ir::print(c.kernel, ir::Labels::no);
    const auto [known, fresh] = texts.emplace(entry, canonical);
    EXPECT_TRUE(fresh || known->second == canonical) << entry << " is called by two kernels";
    for (const ir::Labels labels : {ir::Labels::yes, ir::Labels::no}) {
      const ir::KernelSource source = codegen::cuda_kernel(c.kernel, labels);
      EXPECT_EQ(source.name, entry);
      EXPECT_NE(source.text.find(" " + entry + "("), std::string::npos) << source.text;
    }
  }
  EXPECT_GT(texts.size(), 5u);
}

TEST(CudaEntry, HasNothingOfTheUsersInIt) {
  ir::Kernel kernel = cuda_cases()[0].kernel;
  const std::string entry = codegen::cuda_entry(kernel);
  kernel.name = "secret_label";
  kernel.expression = "secret * 2";
  for (ir::Param& param : kernel.params) param.name = "secret";
  EXPECT_EQ(codegen::cuda_entry(kernel), entry);
}

TEST(CudaEntry, NamesTheFirstOperations) {
  const auto named = [](std::string_view kernel) {
    for (const Case& c : cuda_cases()) {
      if (c.kernel.name != kernel) continue;
      const std::string entry = codegen::cuda_entry(c.kernel);
      return entry.substr(5, entry.size() - 5 - 13);
    }
    return std::string("none");
  };
  EXPECT_EQ(named("add_scale"), "add_mul");
  EXPECT_EQ(named("row_sum"), "sum");
}

TEST(CudaText, EmittedTwiceIsTheSame) {
  const std::vector<Case> first = cuda_cases(), second = cuda_cases();
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(cuda_source(first[i].kernel), cuda_source(second[i].kernel));
  }
}

TEST(CudaText, WithoutLabelsHoldsNothingOfTheUsers) {
  for (const Case& c : cuda_cases()) {
    ir::Kernel other = c.kernel;
    other.name = "renamed";
    other.expression = "something else";
    for (std::string& name : other.names) name = name.empty() ? "" : "other_" + name;
    for (std::string& line : other.lines) line = line.empty() ? "" : "other.cpp:7";
    for (ir::Inst& inst : other.insts) inst.line = 0;
    for (ir::Param& param : other.params) param.name = "other_" + param.name;
    for (ir::Memory& memory : other.memories) memory.name = "other_" + memory.name;
    EXPECT_EQ(cuda_source(c.kernel, ir::Labels::no), cuda_source(other, ir::Labels::no));
    EXPECT_NE(cuda_source(c.kernel), cuda_source(other));
  }
}

TEST(CudaText, UsersNamesNeverClash) {
  ir::KernelBuilder b(ir::Target::cuda, ir::DType::int32);
  const auto x = b.buffer(ir::DType::float32, "float", true),
             out = b.buffer(ir::DType::float32, "minimum", false);
  b.begin_grid();
  const ir::Value thread = b.begin_thread(32);
  b.name(thread, "float");
  const ir::Value v = b.load(x, thread);
  b.name(v, "2nd run: x*y");
  const ir::Value w =
      b.op(ir::Op::min, ir::DType::float32, {v, b.op(ir::Op::mul, ir::DType::float32, {v, v})});
  b.name(w, "if");
  b.store(out, thread, w);
  b.store(out, b.add(thread, b.index(32)), w);
  b.end();
  b.end();
  ir::Kernel kernel = b.finish();
  kernel.name = "exp";
  kernel.expression = "a */ comment \\\n int x;";
  std::vector<Case> cases;
  cases.push_back({std::move(kernel), 1, {32, 64}});
  expect_same_bits(cases, true, {});
  EXPECT_TRUE(codegen::cuda_entry(cases[0].kernel).starts_with("kiln_mul_min_"));
  if (!Nvrtc::get().available()) GTEST_SKIP() << Nvrtc::get().missing();
  expect_compiles(cases[0].kernel, true);
}

// What a fused expression came not to need may still be among its parameters.
TEST(CudaText, ParametersThatNothingReadsHaveTypes) {
  ir::KernelBuilder b(ir::Target::cuda, ir::DType::int32);
  b.buffer(ir::DType::bfloat16, "brain", true);
  b.buffer(ir::DType::float16, "half", true);
  const auto x = b.buffer(ir::DType::float32, "x", true),
             out = b.buffer(ir::DType::float32, "out", false);
  b.begin_grid();
  const ir::Value thread = b.begin_thread(32);
  b.store(out, thread, b.load(x, thread));
  b.end();
  b.end();
  std::vector<Case> cases;
  cases.push_back({b.finish(), 1, {32, 32, 32, 32}});
  expect_same_bits(cases, true, {});
  if (!Nvrtc::get().available()) GTEST_SKIP() << Nvrtc::get().missing();
  expect_compiles(cases[0].kernel, true);
}

// An element's number, as data: its arithmetic wraps, that of the address it is taken from does
// not.
TEST(CudaText, TellsIndicesFromData) {
  ir::KernelBuilder b(ir::Target::cuda, ir::DType::int32);
  const auto out = b.buffer(ir::DType::int32, "out", false);
  const ir::Value n = b.integer("n");
  const ir::Value block = b.begin_grid();
  const ir::Value i = b.add(b.mul(block, b.index(32)), b.begin_thread(32));
  b.name(i, "i");
  b.begin_if(b.less(i, n));
  b.store(out, i, b.mul(b.add(i, n), b.index(1000000)));
  b.end();
  b.end();
  b.end();
  ir::Kernel kernel = b.finish();
  kernel.name = "numbers";
  std::vector<Case> cases;
  cases.push_back({kernel, 100, {3200, 3200}});
  const std::string text = cuda_source(kernel);
  EXPECT_NE(text.find("const int i = block * 32 + thread;"), std::string::npos) << text;
  EXPECT_NE(text.find("out[i] = wrap_mul(wrap_add(i, n), 1000000);"), std::string::npos) << text;
  expect_same_bits(cases, false, {.undefined = true});
}

// Neither depth nor length of an expression costs more than its length.
TEST(CudaText, WritesAChainOfManyOps) {
  ir::KernelBuilder b(ir::Target::cuda, ir::DType::int32);
  const auto x = b.buffer(ir::DType::float32, "x", true);
  const auto out = b.buffer(ir::DType::float32, "out", false);
  b.begin_grid();
  const ir::Value thread = b.begin_thread(32);
  const ir::Value start = b.load(x, thread);
  ir::Value v = start;
  constexpr int kOps = 200000;
  for (int i = 0; i < kOps; ++i) {
    v = b.op(i % 2 == 0 ? ir::Op::add : ir::Op::mul, ir::DType::float32, {v, start});
  }
  b.store(out, thread, v);
  b.end();
  b.end();
  ir::Kernel kernel = b.finish();
  kernel.name = "chain";
  const std::string text = cuda_source(kernel);
  std::istringstream lines(text);
  std::size_t longest = 0, count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    longest = std::max(longest, line.size());
  EXPECT_LE(longest, 100u);
  EXPECT_LT(count, std::size_t{kOps} / 3);
}

TEST(CudaText, RejectsAKernelForTheCpu) {
  ir::KernelBuilder b(ir::Target::cpu, ir::DType::int64);
  b.begin_grid();
  b.end();
  const ir::Kernel kernel = b.finish();
  EXPECT_THROW(cuda_source(kernel), ir::InternalError);
}

TEST(CudaNvrtc, CompilesEveryGoldenForEveryTarget) {
  if (!Nvrtc::get().available()) GTEST_SKIP() << Nvrtc::get().missing();
  for (const Case& c : cuda_cases()) expect_compiles(c.kernel, true);
}

TEST(CudaNvrtc, CompilesEveryOpForEveryTarget) {
  if (!Nvrtc::get().available()) GTEST_SKIP() << Nvrtc::get().missing();
  for (const Case& c : cuda_op_cases()) expect_compiles(c.kernel, false);
}

// One access of 16 bytes where the kernel says so.
TEST(CudaNvrtc, WholeAccessesAreVectorInstructions) {
  if (!Nvrtc::get().available()) GTEST_SKIP() << Nvrtc::get().missing();
  for (const Case& c : cuda_cases()) {
    const bool four = c.kernel.name == "squared_delta", eight = c.kernel.name == "halves";
    if (!four && !eight) continue;
    const std::string ptx = Nvrtc::get().compile(cuda_source(c.kernel), 75).ptx;
    for (const char* access : {"ld.global.nc.v4.", "st.global.v4."}) {
      const std::size_t first = ptx.find(access);
      ASSERT_NE(first, std::string::npos) << c.kernel.name << ' ' << access;
      if (eight || access[0] == 'l') {
        EXPECT_NE(ptx.find(access, first + 1), std::string::npos);
      }
    }
    EXPECT_EQ(ptx.find("ld.global.nc.u16"), std::string::npos);
  }
}

// Checks of a division written into every round of a loop cost NVRTC minutes: they are a function
// of their own in PTX.
TEST(CudaNvrtc, CheckedDivisionIsACall) {
  if (!Nvrtc::get().available()) GTEST_SKIP() << Nvrtc::get().missing();
  ir::KernelBuilder b(ir::Target::cuda, ir::DType::int32);
  const auto x = b.buffer(ir::DType::int32, "x", true);
  const auto out = b.buffer(ir::DType::int32, "out", false);
  b.begin_grid();
  const ir::Value thread = b.begin_thread(32);
  const ir::Value left = b.load(x, thread), right = b.load(x, b.add(thread, b.index(32)));
  const ir::Value quotient = b.op(ir::Op::idiv, ir::DType::int32, {left, right});
  b.store(out, thread, quotient);
  b.end();
  b.end();
  ir::Kernel kernel = b.finish();
  kernel.name = "quotient";
  const std::string ptx = Nvrtc::get().compile(cuda_source(kernel), 75).ptx;
  EXPECT_NE(ptx.find(".func"), std::string::npos) << ptx;
  EXPECT_NE(ptx.find("call"), std::string::npos) << ptx;
}

TEST(CudaShim, EveryGoldenHasTheInterpretersBits) {
  expect_same_bits(cuda_cases(), false, {.undefined = true});
}

TEST(CudaShim, EveryGoldenHasTheInterpretersBitsOnSpecialValues) {
  expect_same_bits(cuda_cases(), true, {});
}

TEST(CudaShim, EveryOpHasTheInterpretersBits) {
  expect_same_bits(cuda_op_cases(), true, {.undefined = true});
}

// The language computes with int: what an operation on narrow integers gives must wrap before the
// next one sees it.
TEST(CudaShim, NarrowIntegersWrapAtEachOperation) {
  std::vector<Case> cases;
  for (const ir::DType type :
       {ir::DType::int8, ir::DType::int16, ir::DType::uint8, ir::DType::uint16}) {
    ir::KernelBuilder b(ir::Target::cuda, ir::DType::int32);
    const auto x = b.buffer(type, "x", true), y = b.buffer(type, "y", true);
    const ir::Value i = tests::thread_index(b, 128);
    const ir::Value left = b.load(x, i), right = b.load(y, i);
    for (const ir::Op op : {ir::Op::add, ir::Op::sub, ir::Op::mul}) {  // each used once: no name
      const auto less = b.buffer(ir::DType::bool_, "less_" + std::string(ir::info(op).name), false);
      b.store(less, i, b.op(ir::Op::lt, ir::DType::bool_, {b.op(op, type, {left, right}), left}));
    }
    const std::string name = "narrow_" + std::string(ir::brief(type));
    cases.push_back({tests::finish(b, name.c_str(), ""), 8, {1024, 1024, 1024, 1024, 1024}});
  }
  expect_same_bits(cases, true, {.undefined = true});
}

TEST(CudaShim, FindsABarrierThatNotAllReach) {
  const std::string source = R"(extern "C" __global__ void divergent(int n) {
  if (threadIdx.x < n) __syncthreads();
}
)";
  ir::KernelArg all{}, some{};
  all.integer = 64;
  some.integer = 63;
  EXPECT_NO_THROW(shim::run(source, "divergent", 2, 64, &all));
  EXPECT_THROW(shim::run(source, "divergent", 2, 64, &some), std::runtime_error);
}

// The checks that the other tests rely on do end the process.
TEST(CudaShimDeathTest, FindsASignedOverflow) {
  const std::string source = R"(extern "C" __global__ void overflow(int* out, int n) {
  *out = n + 1;
}
)";
  const shim::Library library({source}, {.undefined = true});
  int out = 0;
  ir::KernelArg args[2]{};
  args[0].pointer = &out;
  args[1].integer = 5;
  library.run("overflow", 1, 1, args);
  EXPECT_EQ(out, 6);
  args[1].integer = 0x7FFFFFFF;
  EXPECT_DEATH(library.run("overflow", 1, 1, args), "");
}

TEST(CudaShim, ReportsTheCompilersLog) {
  const ir::KernelArg none{};
  try {
    shim::run("extern \"C\" __global__ void broken(int n) { undeclared(n); }\n", "broken", 1, 1,
              &none);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("undeclared"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace kiln::tests
