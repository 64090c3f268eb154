// Functions of ir/math in a kernel: inlined where they are few, functions of the module where they
// are many. The bits are the same.
#include <algorithm>
#include <sstream>

#include "tests/codegen/llvm/support.h"
#include "tests/golden.h"

namespace kiln::codegen::tests {
namespace {

using ir::DType;
using ir::Op;
using ir::Value;

// The host, and the host as if it had narrower registers.
std::vector<CpuTarget> targets() {
  std::vector<CpuTarget> all{host()};
  if (host().vector_bytes == 64) {
    CpuTarget narrow = host();
    for (std::size_t at = 0; (at = narrow.features.find("+avx512", at)) != std::string::npos;) {
      narrow.features[at] = '-';
    }
    narrow.vector_bytes = 32;
    all.push_back(narrow);
  }
  return all;
}

// out[k] = op(x[k], y[k]) for `uses` vectors of an item: all results are there before the first is
// stored, so that they live across what comes after them.
ir::Kernel many(Op op, DType type, int lanes, int uses) {
  ir::KernelBuilder b(ir::Target::cpu, DType::int64);
  const std::uint32_t x = b.buffer(type, "x", true), y = b.buffer(type, "y", true);
  const std::uint32_t out = b.buffer(type, "out", false);
  const Value first = b.mul(b.begin_grid(), b.index(uses * lanes));
  std::vector<Value> results;
  for (int k = 0; k < uses; ++k) {
    const Value at = b.add(first, b.index(k * lanes));
    const Value args[2] = {b.load(x, at, lanes), b.load(y, at, lanes)};
    results.push_back(b.op(op, type, args, ir::info(op).arity));
  }
  for (int k = 0; k < uses; ++k) {
    b.store(out, b.add(first, b.index(k * lanes)), results[static_cast<std::size_t>(k)]);
  }
  b.end();
  return b.finish();
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; ++at) ++n;
  return n;
}

std::size_t defined(const std::string& text) { return count(text, "\ndefine "); }

constexpr int kUses = 6;
constexpr std::int64_t kCount = kUses * 256 * 12;  // whole items of every width

class Functions : public ::testing::TestWithParam<DType> {
 protected:
  // All pairs of edges, then anything.
  Functions() : x_(GetParam(), kCount), y_(GetParam(), kCount) {
    const std::vector<std::uint64_t> edges = edge_values(GetParam());
    const auto n = static_cast<std::int64_t>(edges.size());
    Random random{5};
    for (std::int64_t i = 0; i < kCount; ++i) {
      const bool edge = i < n * n;
      x_.set(i, edge ? edges[static_cast<std::size_t>(i % n)] : random_element(GetParam(), random));
      y_.set(i, edge ? edges[static_cast<std::size_t>(i / n)] : random_element(GetParam(), random));
    }
  }

  std::string wrong(Op op, int lanes, const CpuTarget& target) {
    const ir::KernelSource source = llvm_object(many(op, GetParam(), lanes, kUses), target);
    Array out(GetParam(), kCount), expected(GetParam(), kCount);
    const ir::KernelArg args[] = {{x_.data()}, {y_.data()}, {out.data()}};
    runtime::link(source.object).entry()(args, 0, kCount / (kUses * lanes));
    const void* const in[] = {x_.data(), y_.data()};
    ir::evaluate(op, GetParam(), GetParam(), kCount, in, expected.data());
    return out.guard_intact() ? difference(expected, out) : "written beyond the end";
  }

  Array x_, y_;
};

TEST_P(Functions, HaveTheReferencesBits) {
  KILN_REQUIRE_HOST();
  for (const CpuTarget& target : targets()) {
    const int of_register = target.vector_bytes / static_cast<int>(ir::size_of(GetParam()));
    for (const int lanes : {1, 2 * of_register, 8 * of_register}) {
      for (int i = 0; i < ir::kOpCount; ++i) {
        const Op op = static_cast<Op>(i);
        if (!ir::has(op, ir::kExpands)) continue;
        EXPECT_EQ(wrong(op, lanes, target), "")
            << ir::info(op).name << ", lanes " << lanes << " of " << target.vector_bytes
            << " bytes a register";
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Llvm, Functions,
                         ::testing::Values(DType::float16, DType::bfloat16, DType::float32,
                                           DType::float64),
                         [](const auto& test) { return std::string(ir::brief(test.param)); });

// What a module holds grows with distinct functions, not with their uses.
TEST(LlvmFunctions, AreDefinedOnce) {
  KILN_REQUIRE_HOST();
  for (const CpuTarget& target : targets()) {
    for (int i = 0; i < ir::kOpCount; ++i) {
      const Op op = static_cast<Op>(i);
      if (!ir::has(op, ir::kExpands)) continue;
      const int lanes = target.vector_bytes;  // four registers
      const auto text = [&](int uses) {
        return llvm_ir(many(op, DType::float32, lanes, uses), target);
      };
      const std::string few = text(8), lots = text(32);
      EXPECT_EQ(defined(few), defined(lots)) << few;
      const std::size_t each = (count(lots, "\n") - count(few, "\n")) / 24;
      EXPECT_LE(each, 8) << ir::info(op).name << ": lines a use\n" << few;
    }
  }
}

// Where a vector is too short for the price of a call, four uses (two of a loop) stay inlined.
TEST(LlvmFunctions, AreInlinedWhereTheyAreFew) {
  KILN_REQUIRE_HOST();
  for (const CpuTarget& target : targets()) {
    const int of_register = target.vector_bytes / 4;
    const auto definitions = [&](int lanes, int uses) {
      return defined(llvm_ir(many(Op::exp, DType::float32, lanes, uses), target));
    };
    for (const int lanes : {1, of_register, 2 * of_register}) {
      EXPECT_EQ(definitions(lanes, 4), 1) << lanes;
      EXPECT_EQ(definitions(lanes, 5), 2) << lanes;
    }
    EXPECT_EQ(definitions(4 * of_register, 1), 2);
    EXPECT_EQ(definitions(8 * of_register, 1), 2);
  }
}

// An unrolled loop uses a function as often as it has rounds.
TEST(LlvmFunctions, CountTheRoundsOfUnrolledLoops) {
  KILN_REQUIRE_HOST();
  const auto text = [](std::int64_t rounds, bool unrolled) {
    ir::KernelBuilder b(ir::Target::cpu, DType::int64);
    const std::uint32_t x = b.buffer(DType::float32, "x", true);
    const std::uint32_t y = b.buffer(DType::float32, "y", false);
    b.begin_grid();
    const Value outer = b.begin_loop(b.index(2), b.index(2 + 3 * rounds), b.index(3), unrolled);
    const Value inner = b.begin_loop(b.index(0), b.index(2), b.index(1), unrolled);
    const Value at = b.add(outer, inner);
    b.store(y, at, b.op(Op::tanh, DType::float32, {b.load(x, at)}));
    b.end();
    b.end();
    const Value last = b.load(y, b.index(1));
    b.store(y, b.index(0), b.op(Op::tanh, DType::float32, {last}));
    b.end();
    return llvm_ir(b.finish(), host());
  };
  EXPECT_EQ(defined(text(1, true)), 1);
  EXPECT_EQ(defined(text(2, true)), 2);
  EXPECT_EQ(defined(text(2, false)), 1);
}

// Definitions and calls of two functions on two widths; names of values and attributes aside.
TEST(LlvmFunctions, Golden) {
  KILN_REQUIRE_HOST();
  const CpuTarget target = targets().back();
  if (target.vector_bytes != 32) GTEST_SKIP() << "registers of 32 bytes only";
  ir::KernelBuilder b(ir::Target::cpu, DType::int64);
  const std::uint32_t x = b.buffer(DType::float32, "x", true);
  const std::uint32_t y = b.buffer(DType::float32, "y", false);
  const std::uint32_t z = b.buffer(DType::float64, "z", false);
  const Value at = b.mul(b.begin_grid(), b.index(64));
  Value v = b.load(x, at, 64);
  for (int k = 0; k < 2; ++k) v = b.op(Op::sin, DType::float32, {v});
  b.store(y, at, v);
  const Value few = b.load(x, at, 16);
  Value w = b.op(Op::cast, DType::float64, {few});
  for (int k = 0; k < 2; ++k) w = b.op(Op::pow, DType::float64, {w, w});
  b.store(z, at, w);
  b.store(y, at, b.op(Op::sin, DType::float32, {few}));
  b.end();
  std::istringstream lines(llvm_ir(b.finish(), target));
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    const bool definition = line.starts_with("define ");
    const bool call =
        line.find(" call ") != std::string::npos &&
        (line.find("_f32.") != std::string::npos || line.find("_f64.") != std::string::npos);
    if (!definition && !call) continue;
    line = line.substr(0, line.rfind(')') + 1);
    if (call) line = "  " + line.substr(line.find("call "));
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] != '%') continue;
      const auto ends = [](char c) { return c == ',' || c == ')'; };
      line.erase(line.begin() + static_cast<std::ptrdiff_t>(i) - 1,
                 std::find_if(line.begin() + static_cast<std::ptrdiff_t>(i), line.end(), ends));
      i = 0;
    }
    text += line + '\n';
  }
  testing::expect_golden("llvm/functions.txt", text);
}

}  // namespace
}  // namespace kiln::codegen::tests
