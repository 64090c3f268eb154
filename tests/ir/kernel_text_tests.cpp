#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "ir/error.h"
#include "tests/ir/kernels.h"

namespace kiln::ir {
namespace {

using testing::HasSubstr;

bool equal(const Kernel& a, const Kernel& b) {
  return a.name == b.name && a.expression == b.expression && a.target == b.target &&
         a.index == b.index && a.params == b.params && a.memories == b.memories &&
         a.grid == b.grid && a.insts == b.insts && a.names == b.names && a.lines == b.lines;
}

TEST(KernelText, ParseUndoesPrint) {
  for (const Kernel& k : {test::axpb(), test::row_sum_shuffle(), test::block_sum_shared()}) {
    const Kernel back = parse_kernel(print(k));
    EXPECT_TRUE(equal(k, back)) << print(k) << print(back);
  }
}

TEST(KernelText, ReadsAsDocumented) {
  const std::string text = print(test::axpb());
  EXPECT_THAT(text, HasSubstr("kernel cpu i64 \"axpb\"\n"));
  EXPECT_THAT(text, HasSubstr("expression \"2 * x + s\"\n"));
  EXPECT_THAT(text, HasSubstr("param buffer f32 read \"x\"\n"));
  EXPECT_THAT(text, HasSubstr("items p2 / 100\n"));
  EXPECT_THAT(text, HasSubstr("\"v\""));
  EXPECT_THAT(text, HasSubstr("@\"axpb.cpp:3\""));
}

TEST(KernelText, WithoutLabelsItIsAKey) {
  Kernel a = test::axpb(), b = a;
  b.name = "other";
  b.expression.clear();
  b.names = {""};
  b.lines = {""};
  b.params[0].name = "y";
  b.memories[0].name = "y";
  for (Inst& inst : b.insts) inst.name = 0, inst.line = 0;
  EXPECT_EQ(print(a, Labels::no), print(b, Labels::no));
  EXPECT_NE(print(a), print(b));
  EXPECT_EQ(print(parse_kernel(print(a, Labels::no)), Labels::no), print(a, Labels::no));
  // Everything else is in the key.
  const std::string key = print(a, Labels::no);
  for (std::size_t i = 0; i < a.insts.size(); ++i) {
    Kernel c = a;
    c.insts[i].imm ^= 2;
    EXPECT_NE(print(c, Labels::no), key) << i;
  }
  Kernel c = a;
  c.params[3].dtype = DType::float64;
  EXPECT_NE(print(c, Labels::no), key);
  c = a;
  c.target = Target::cuda;
  EXPECT_NE(print(c, Labels::no), key);
}

// Any instructions, well-formed or not: text does not depend on the verifier.
Kernel random_kernel(unsigned seed, int insts) {
  std::mt19937 engine(seed);
  const auto pick = [&](int n) { return static_cast<int>(engine() % static_cast<unsigned>(n)); };
  Kernel k;
  k.name = pick(2) ? "k \"quoted\" \\ \n\x01" : "";
  k.target = static_cast<Target>(pick(2));
  for (int p = pick(4); p > 0; --p) {
    k.params.push_back({static_cast<ParamKind>(pick(3)), static_cast<DType>(pick(kDTypeCount)),
                        pick(2) == 0, pick(2) == 0, "p" + std::to_string(p)});
  }
  for (int m = pick(4); m > 0; --m) {
    Memory memory{static_cast<Space>(pick(3)), static_cast<DType>(pick(kDTypeCount)), 0, 0, "m"};
    (memory.space == Space::global) ? void(memory.param = static_cast<std::uint32_t>(pick(9)))
                                    : void(memory.size = pick(9));
    k.memories.push_back(memory);
  }
  if (pick(2)) k.grid.push_back({{1, 2}, pick(100)});
  std::vector<std::int64_t> open;
  for (int i = 0; i < insts; ++i) {
    Inst inst;
    inst.code = static_cast<Code>(pick(static_cast<int>(Code::any) + 1));
    if (inst.code == Code::op) inst.op = static_cast<Op>(pick(kOpCount));
    inst.dtype = static_cast<DType>(pick(kDTypeCount));
    inst.lanes = static_cast<std::uint16_t>(1 << pick(6));
    inst.flags = static_cast<std::uint8_t>(pick(4));
    for (int a = pick(5); a > 0; --a)
      inst.args[static_cast<std::size_t>(pick(4))] = static_cast<Value>(pick(99));
    inst.imm = pick(3) ? pick(100) : 0;
    const bool opens = inst.code == Code::grid || inst.code == Code::thread ||
                       inst.code == Code::loop || inst.code == Code::if_;
    if (opens) open.push_back(i);
    if (inst.code == Code::end && !open.empty()) {
      if (pick(2)) inst.imm = open.back();
      open.pop_back();
    }
    if (pick(3) == 0) {
      inst.name = static_cast<std::uint16_t>(k.names.size());
      k.names.push_back("name" + std::to_string(i));
    }
    if (pick(3) == 0) {
      inst.line = static_cast<std::uint32_t>(k.lines.size());
      k.lines.push_back("file.cpp:" + std::to_string(i));
    }
    k.insts.push_back(inst);
  }
  return k;
}

bool survives(const Kernel& k) {
  try {
    return equal(parse_kernel(print(k)), k);
  } catch (const InternalError&) {
    return false;
  }
}

TEST(KernelText, RandomKernelsSurvive) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    if (survives(random_kernel(seed, 40))) continue;
    // The shortest prefix that fails.
    int insts = 0;
    while (survives(random_kernel(seed, insts))) ++insts;
    const Kernel k = random_kernel(seed, insts);
    std::string error;
    try {
      error = print(parse_kernel(print(k)));
    } catch (const InternalError& e) {
      error = e.what();
    }
    FAIL() << "seed " << seed << ", " << insts << " instructions\n" << print(k) << error;
  }
}

TEST(KernelText, MalformedTextNamesItsLine) {
  const auto error = [](const std::string& text) -> std::string {
    try {
      parse_kernel(text);
    } catch (const InternalError& e) {
      return e.what();
    }
    return "accepted";
  };
  const std::string head = "kernel cpu i64\n";
  EXPECT_THAT(error(""), HasSubstr("no kernel"));
  EXPECT_THAT(error("kernel gpu i64\n"), HasSubstr("line 1: unknown word 'gpu'"));
  EXPECT_THAT(error(head + "\n%0 = frobnicate f32\n"), HasSubstr("line 3: unknown instruction"));
  EXPECT_THAT(error(head + "%1 = grid i64\n"), HasSubstr("line 2: this instruction is %0"));
  EXPECT_THAT(error(head + "grid i64\n"), HasSubstr("line 2: a number is given to values"));
  EXPECT_THAT(error(head + "%0 = grid\n"), HasSubstr("line 2: a type is missing"));
  EXPECT_THAT(error(head + "%0 = lane i64x99999\n"),
              HasSubstr("line 2: malformed number of lanes"));
  EXPECT_THAT(error(head + "%0 = constant f32 1.0\n"),
              HasSubstr("line 2: '1.0' is not a hexadecimal"));
  EXPECT_THAT(error(head + "%0 = grid i64 \"open\n"), HasSubstr("line 2: string without an end"));
  EXPECT_THAT(error(head + "%0 = grid i64 extra\nend"), HasSubstr("line 2: unexpected 'extra'"));
  EXPECT_THAT(error(head + "end\n"), HasSubstr("line 2: no open scope"));
  EXPECT_EQ(error(head + "; a comment\n  %0 = grid i64 ; another\n  end\n"), "accepted");
}

}  // namespace
}  // namespace kiln::ir
