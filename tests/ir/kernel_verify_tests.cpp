// The verifier finds each kind of fault: one is planted at a time in a kernel that is well-formed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/ir/kernels.h"

namespace kiln::ir {
namespace {

using testing::HasSubstr;

// Line i of the body is instruction %i.
constexpr const char* kHeader = R"(kernel cuda i32 "k"
param buffer f32 read "x"
param buffer f32 written "out"
param integer i32 read "n"
param scalar f32 read "s"
memory global f32 p0 "x"
memory global f32 p1 "out"
memory local f32 #4 "acc"
memory shared f32 #64 "tile"
items p2 / 64
)";

std::string findings(const std::string& body) { return verify(parse_kernel(kHeader + body)); }

TEST(KernelVerify, HandWrittenKernelsAreWellFormed) {
  EXPECT_EQ(verify(test::axpb()), "");
  EXPECT_EQ(verify(test::row_sum_shuffle()), "");
  EXPECT_EQ(verify(test::block_sum_shared()), "");
}

TEST(KernelVerify, FaultsOfTheHeader) {
  const auto fault = [](auto plant) {
    Kernel k = test::block_sum_shared();
    plant(k);
    return verify(k);
  };
  EXPECT_THAT(fault([](Kernel& k) { k.index = DType::int16; }), HasSubstr("the index type is i16"));
  EXPECT_THAT(fault([](Kernel& k) { k.params[0].name = "out"; }), HasSubstr("'out' is taken"));
  EXPECT_THAT(fault([](Kernel& k) { k.params[0].name = "2x"; }), HasSubstr("not an identifier"));
  EXPECT_THAT(fault([](Kernel& k) { k.params[2].dtype = DType::int64; }),
              HasSubstr("not of the index"));
  EXPECT_THAT(fault([](Kernel& k) { k.params[0].dtype = DType::complex64; }), HasSubstr("complex"));
  EXPECT_THAT(fault([](Kernel& k) { k.memories[2].size = 0; }), HasSubstr("has 0 elements"));
  EXPECT_THAT(fault([](Kernel& k) { k.memories[0].param = 2; }), HasSubstr("not a buffer"));
  EXPECT_THAT(fault([](Kernel& k) { k.memories[0].dtype = DType::int32; }),
              HasSubstr("differs from"));
  EXPECT_THAT(fault([](Kernel& k) { k.grid[0].divisor = 0; }), HasSubstr("divisor 0"));
  EXPECT_THAT(fault([](Kernel& k) { k.grid[0].params = {0}; }),
              HasSubstr("not an integer parameter"));
  EXPECT_THAT(fault([](Kernel& k) { k.target = Target::cpu; }), HasSubstr("no shared memory"));
  EXPECT_THAT(fault([](Kernel& k) { k.params[0].read = false; }), HasSubstr("not marked read"));
  EXPECT_THAT(fault([](Kernel& k) { k.params[1].written = false; }),
              HasSubstr("not marked written"));
  EXPECT_THAT(fault([](Kernel& k) { k.insts[0].name = 99; }), HasSubstr("no such name"));
  EXPECT_THAT(fault([](Kernel& k) { k.insts[0].line = 99; }), HasSubstr("no such line"));
  EXPECT_THAT(fault([](Kernel& k) { k.insts.pop_back(); }), HasSubstr("is not closed"));
  EXPECT_THAT(fault([](Kernel& k) { k.insts.clear(); }), HasSubstr("has one grid"));
}

TEST(KernelVerify, FaultsOfInstructions) {
  struct Case {
    const char* body;
    const char* finding;
  };
  const std::string grid = "%0 = grid i32\n";
  const Case kCases[] = {
      {"%1 = add i32 %0\n", "wrong number of operands"},
      {"%1 = add i32 %0 %2\n%2 = add i32 %0 %0\n", "not an earlier instruction"},
      {"%1 = add i32 %0 _ %0\n", "an operand is missing"},
      {"%1 = add f32 %0 %0\n", "the result's type is not the operands'"},
      {"%1 = lane i32x4\n%2 = add i32x4 %1 %0\n", "differ in lanes"},
      {"%1 = constant b1 0x1\nif %1\n%3 = add i32 %0 %0\nend\n%5 = add i32 %3 %3\n",
       "scope that is closed"},
      {"%1 = constant b1 0x1\nif %1\n%3 = add i32 %0 %0\nelse\n%5 = add i32 %3 %3\nend\n",
       "scope that is closed"},
      {"%1 = constant b1 0x1\nif %1\nelse\nelse\nend\n", "a second else"},
      {"%1 = constant b1 0x1\nif %1\nend\n%4 = not b1 %2\n", "an operand has no value"},
      {"%1 = loop i32 %0 %0 %0\nelse\nend\n", "an else without an if"},
      {"%1 = constant u8 0x100\n", "bits beyond the type's width"},
      {"%1 = constant b1 0x2\n", "a bool is 0 or 1"},
      {"%1 = param f32 p9\n", "no such parameter"},
      {"%1 = param f32 p0\n", "a buffer is not a value"},
      {"%1 = param i32 p3\n", "not the parameter's type"},
      {"%1 = load f32 m9 %0\n", "no such memory"},
      {"%1 = load f16 m0 %0\n", "not the memory's type"},
      {"%1 = param f32 p3\n%2 = load f32 m0 %1\n", "the index is not an integer"},
      {"%1 = lane i32x4\n%2 = load f32x8 m0 %1\n", "the index differs in lanes"},
      {"%1 = load f32 m0 %0 %0\n", "the mask is not bool"},
      {"%1 = constant b1 0x1\n%2 = load f32x4 m0 %0 %1\n", "the mask differs in lanes"},
      {"%1 = constant b1 0x1\n%2 = load f32 m0 %0 %1 %0\n",
       "the substitute is not of the memory's type"},
      {"store f32 m1 %0 %0\n", "the value is not of the memory's type"},
      {"%1 = param f32 p3\nstore f32x4 m1 %0 %1\n", "the value differs in lanes"},
      {"%1 = load f32 m0 %0 nontemporal\n", "a load is not non-temporal"},
      {"%1 = add i32 %0 %0 aligned\n", "flags belong to loads and stores"},
      {"%1 = grid i32\nend\n", "the grid is not outermost"},
      {"%1 = thread i32 #2000\nend\n", "number of threads is out of range"},
      {"%1 = thread i64 #32\nend\n", "not of the index type"},
      {"%1 = thread i32 #32\n%2 = thread i32 #32\nend\nend\n", "directly inside the grid"},
      {"%1 = thread i32 #32\nend\n%3 = thread i32 #32\nend\n", "a second thread scope"},
      {"if %0\nend\n", "the condition is not one bool"},
      {"%1 = constant i32 0x0\n%2 = loop i32 %0 %0 %1\nend\n", "the step is not positive"},
      {"%1 = constant i32 0x1\n%2 = loop i32 #1 %0 %0 %1\nend\n",
       "an unrolled loop has constant bounds"},
      {"%1 = constant i32 0x1\n%2 = loop i32 #3 %1 %1 %1\nend\n", "unroll is 0, 1 or 2"},
      {"%1 = constant i64 0x1\n%2 = loop i32 %0 %0 %1\nend\n", "a bound differs in type"},
      {"%1 = constant b1 0x1\nrare %1\nend\n", "a rare region is closed by end_rare"},
      {"rare %0\n%2 = end_rare i32 %1 %0 %0\n", "the condition is not bool"},
      {"%1 = constant b1 0x1\nrare %1\n%3 = load f32 m0 %0\n%4 = end_rare i32 %2 %0 %0\n",
       "not allowed in a rare region"},
      {"%1 = constant b1 0x1\nrare %1\n%3 = add i32 %0 %0\n%4 = end_rare i32 %2 %0 %3\n",
       "the common value is computed inside"},
      {"%1 = constant b1 0x1\nrare %1\n%3 = end_rare i32 %0 %0 %0\n",
       "not the innermost open rare"},
      {"%1 = constant b1 0x1\nrare %1\n%3 = end_rare f32 %2 %0 %0\n", "values differ in type"},
      {"%1 = lane i32x4\n%2 = splat i32x8 %1\n", "the operand of a splat has one lane"},
      {"%1 = lane f32x4\n", "lane numbers are integers"},
      {"%1 = lane i32x4\n%2 = extract i32 #4 %1\n", "no such lane"},
      {"%1 = lane i32x4\n%2 = join i32x4 %1 %1\n", "lanes do not add up"},
      {"%1 = lane i32x4\n%2 = even i32x4 %1\n", "half the lanes"},
      {"%1 = lane i32x4\n%2 = odd f32x2 %1\n", "operand and result differ in type"},
      {"%1 = lane i32x4\n%2 = any b1 %1\n", "operand and result differ in type"},
      {"barrier\n", "outside the threads"},
      {"%1 = thread i32 #40\n%2 = shuffle i32 %1 %1\nend\n", "the block is not of whole warps"},
      {"%1 = thread i32 #32\n%2 = shuffle f32 %1 %1\nend\n", "operand and result differ in type"},
      {"%1 = lane i32x0\n", "no lanes"},
      {"%1 = cast c64 %0\n", "complex types are not supported"},
      {"%1 = thread i32 #32\nend #0\n", "not the innermost open scope"},
  };
  for (const Case& c : kCases) {
    EXPECT_THAT(findings(grid + c.body + "end\n"), HasSubstr(c.finding)) << c.body;
  }
  EXPECT_EQ(findings(grid + "end\n"), "");
}

TEST(KernelVerify, WhatStandsOutsideTheGrid) {
  const std::string body = "%0 = constant i32 0x0\n%1 = constant b1 0x1\n%2 = constant f32 0x0\n";
  const std::string grid = "= grid i32\nend\n";
  EXPECT_EQ(findings(body + "%3 = load f32 m0 %0\n%4 " + grid), "");
  EXPECT_THAT(findings(body + "store f32 m1 %0 %2\n%4 " + grid), HasSubstr("a store outside"));
  EXPECT_THAT(findings(body + "%3 = load f32 m2 %0\n%4 " + grid), HasSubstr("inside the grid"));
  EXPECT_THAT(findings(body + "if %1\nend\n%5 " + grid), HasSubstr("an if outside"));
  EXPECT_THAT(findings(body + "%3 = loop i32 %0 %0 %0\nend\n%5 " + grid),
              HasSubstr("a loop outside"));
  EXPECT_THAT(findings(body + "%3 " + grid + "%5 = not b1 %1\n"), HasSubstr("after the grid"));
}

TEST(KernelVerify, CpuKernelsHaveNoThreads) {
  const auto cpu = [](const std::string& body) {
    return verify(parse_kernel("kernel cpu i64\n%0 = grid i64\n" + body + "end\n"));
  };
  EXPECT_EQ(cpu(""), "");
  EXPECT_THAT(cpu("%1 = thread i64 #32\nend\n"), HasSubstr("a CPU kernel has no threads"));
  EXPECT_THAT(cpu("barrier\n"), HasSubstr("outside the threads of a CUDA kernel"));
}

TEST(KernelVerify, PrefetchesAreOfBuffersOnTheCpu) {
  const auto cpu = [](const std::string& body) {
    return verify(
        parse_kernel("kernel cpu i64\nparam buffer f32 \"x\"\n"
                     "memory global f32 p0 \"x\"\nmemory local f32 #4 \"acc\"\n"
                     "%0 = constant i64 0x7\n%1 = constant i32 0x7\n%2 = grid i64\n" +
                     body + "end\n"));
  };
  EXPECT_EQ(cpu("prefetch f32 m0 %0\n"), "");
  EXPECT_THAT(cpu("prefetch f32 m1 %0\n"), HasSubstr("not a buffer"));
  EXPECT_THAT(cpu("prefetch f64 m0 %0\n"), HasSubstr("not a buffer"));
  EXPECT_THAT(cpu("prefetch f32 m2 %0\n"), HasSubstr("no such memory"));
  EXPECT_THAT(cpu("prefetch f32 m0 %1\n"), HasSubstr("the index is not an index"));
  EXPECT_THAT(findings("%0 = constant i32 0x0\n%1 = grid i32\nprefetch f32 m0 %0\nend\n"),
              HasSubstr("a prefetch is for the CPU"));
}

}  // namespace
}  // namespace kiln::ir
