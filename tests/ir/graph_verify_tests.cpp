// The verifier finds each kind of fault: text of a graph with one fault, and what it says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/graph.h"

namespace kiln::ir {
namespace {

using testing::HasSubstr;

constexpr const char* kHeader = R"(graph
sym s2 [2 64]
sym s3 [2 64]
sym s4 [6 6]
sym s5 [-9 64]
scalar f32
input f32 dense
input f32 strides s1
n0 = buffer f32 [s2 s3] input #0
n1 = constant f32 [] 0x0
n2 = constant b1 [] 0x1
)";

std::string findings(const std::string& body) {
  return verify(parse_graph(kHeader + body + "outputs n0\nend\n"));
}

TEST(GraphVerify, FaultsOfNodes) {
  struct Case {
    const char* body;
    const char* finding;
  };
  constexpr Case kCases[] = {
      {"n3 = neg f32 [s2 s3] n9\n", "does not come before"},
      {"n3 = add f32 [s2 s3] n0\n", "wrong number of operands"},
      {"n3 = concat f32 [s2 s3]\n", "wrong number of operands"},
      {"n3 = neg f32 [s2 s3] n0 results 2\n", "another number of results than its kind has"},
      {"n3 = neg f32 [s2 s9] n0\n", "an extent is unknown"},
      {"n3 = neg f32 [s2 s5] n0\n", "an extent may be negative"},
      {"n3 = neg c64 [s2 s3] n0\n", "complex types are not supported"},
      {"n3 = neg f32 [s2 s2] n0\n", "an operand differs in shape"},
      {"n3 = neg f64 [s2 s3] n0\n", "the result's type is not the operands'"},
      {"n3 = not f32 [s2 s3] n0\n", "operands must be integers or bool"},
      {"n3 = neg f32 [s2 s3] n0 axes( 1 )\n", "not the attribute of this kind"},
      {"n3 = permute f32 [s2 s3] n0\n", "not the attribute of this kind"},
      {"n3 = buffer f32 [s2 s3] input #7\n", "no such input"},
      {"n3 = buffer i32 [s2 s3] input #0\n", "not the input's type"},
      {"n3 = buffer f32 [s2 s3] input #1\n", "strides are not one an axis"},
      {"n3 = constant f32 [s2] 0x0\n", "a constant has no axes"},
      {"n3 = constant f16 [] 0x10000\n", "bits beyond the type's width"},
      {"n3 = constant b1 [] 0x2\n", "a bool is 0 or 1"},
      {"n3 = scalar f32 [s2]\n", "a scalar has no axes"},
      {"n3 = scalar f32 [] #3\n", "no such scalar"},
      {"n3 = scalar f64 []\n", "not the scalar's type"},
      {"n3 = iota i64 [s2] #1\n", "no such axis"},
      {"n3 = iota f32 [s2]\n", "an index is an integer"},
      {"n3 = broadcast i32 [s2 s3] n0\n", "operand and result differ in type"},
      {"n3 = broadcast f32 [s3] n0\n", "the operand has more axes"},
      {"n3 = broadcast f32 [s2 s2] n0\n", "neither 1 nor the result's"},
      {"n3 = permute f32 [s2 s3] n0 axes( 0 0 )\n", "not a permutation"},
      {"n3 = permute f32 [s2 s3] n0 axes( 1 0 )\n", "an axis differs in extent"},
      {"n3 = reshape f32 [s4] n0 groups( 1 / 1 )\n", "the groups do not cover the axes"},
      {"n3 = reshape f32 [s2] n0 groups( 1 1 / 1 0 )\nn4 = reshape f32 [s2 s4] n3 groups( 1 / 2 "
       ")\n",
       "a group changes the number of elements"},
      {"n3 = slice f32 [s2 s3] n0 slices( s0 / s1 )\n", "not one begin and step an axis"},
      {"n3 = slice f32 [s2 s3] n0 slices( s0 s9 / s1 s1 )\n", "an unknown begin or step"},
      {"n3 = pad f32 [s2 s3] n0 n0 pads( s1 s1 )\n", "the fill has axes"},
      {"n3 = pad f32 [s2 s3] n0 n2 pads( s1 s1 )\n", "operand and result differ in type"},
      {"n3 = pad f32 [s2 s3] n0 n1 pads( s1 )\n", "not one width an axis"},
      {"n3 = pad f32 [s2 s3] n0 n1 pads( s1 s9 )\n", "an unknown width"},
      {"n3 = concat f32 [s2 s3] n0 n0 #2\n", "no such axis"},
      {"n3 = concat f32 [s2 s2] n0 n0\n", "differs in another axis"},
      {"n3 = concat f32 [s2 s3] n0 n1\n", "an operand differs in rank"},
      {"n3 = broadcast f32 [s4] n1\nn4 = concat f32 [s4] n3 n3\n", "the extents do not add up"},
      {"n3 = concat f32 [s2 s4] n0 n0 pads( s0 ) #1\n", "not one begin an operand"},
      {"n3 = concat f32 [s2 s4] n0 n0 pads( s0 s9 ) #1\n", "an unknown begin"},
      {"n3 = update f32 [s2 s3] n0 n2 slices( s0 s0 / s1 s1 )\n",
       "operands and result differ in type"},
      {"n3 = update f32 [s2 s2] n0 n0 slices( s0 s0 / s1 s1 )\n", "the base differs in shape"},
      {"n3 = update f32 [s2 s3] n0 n1 slices( s0 s0 / s1 s1 )\n", "not one begin and step an axis"},
      {"n3 = update f32 [s2 s3] n0 n0 slices( s0 s9 / s1 s1 )\n", "an unknown begin or step"},
      {"n3 = update f32 [s2 s3] n0 n0 slices( s0 s0 / s1 s5 )\n",
       "a step that may not be positive"},
      {"n3 = put f32 [s2 s3] n0 slices( s0 / s1 )\n", "not one begin and step an axis"},
      {"n3 = put f32 [s2 s3] n0 slices( s0 s0 / s1 s1 )\n", "not used once"},
      {"n3 = put f32 [s2 s3] n0 slices( s0 s0 / s1 s1 )\nn4 = neg f32 [s2 s3] n3\n", "reads a put"},
      {"n3 = put f32 [s2 s3] n0 slices( s0 s0 / s1 s1 )\n"
       "n4 = update f32 [s2 s3] n3 n3 slices( s0 s0 / s1 s1 )\n",
       "a put into another window"},
      {"n3 = put f32 [s2 s3] n0 slices( s0 s0 / s1 s1 )\n"
       "n4 = update f32 [s2 s3] n0 n3 slices( s0 s4 / s1 s1 )\n",
       "a put into another window"},
      {"n3 = put f32 [s2 s3] n0 slices( s0 s0 / s1 s1 )\n"
       "n4 = concat f32 [s2 s4] n3 n0 pads( s4 s0 ) #1\n",
       "a put into another window"},
      {"n3 = reduce sub f32 [s2] n0 axes( 1 )\n", "not an operation that reduces"},
      {"n3 = reduce and f32 [s2] n0 axes( 1 )\n", "operands must be integers or bool"},
      {"n3 = reduce add f32 [] n0 axes( 1 0 )\n", "not ascending axes"},
      {"n3 = reduce add f32 [] n0 axes( 1 2 )\n", "not ascending axes"},
      {"n3 = reduce add f32 [s2] n0 axes( 0 )\n", "the axes that are kept"},
      {"n3 = arg_reduce add i64 [s2] n0 axes( 1 )\n", "finds an extreme"},
      {"n3 = arg_reduce max i32 [s2] n0 axes( 1 )\n", "an index is int64"},
      {"n3 = arg_reduce max i64 [] n0 axes( 0 1 )\n", "not one axis"},
      {"n3 = contract f32 [s2 s2] n0 n0\n", "the inner extents differ"},
      {"n3 = contract f32 [] n1 n1\n", "differ in rank"},
      {"n3 = contract b1 [] n2 n2\n", "operands must be numbers"},
      {"n3 = permute f32 [s3 s2] n0 axes( 1 0 )\nn4 = contract f32 [s3 s3] n0 n3\n",
       "the outer extents differ"},
      {"n3 = item f32 [s2 s3] n0\n", "no such result"},
      {"n3 = loop f32 [] n1 loop( s2 #0 )\n", "no such region"},
  };
  for (const Case& c : kCases) EXPECT_THAT(findings(c.body), HasSubstr(c.finding)) << c.body;
  EXPECT_EQ(findings(""), "");
}

// A loop over two carried values of different shapes and one operand.
constexpr const char* kLoop = R"(graph
sym s2 [2 64]
sym s3 [0 100]
input f32 dense
input f64 dense
graph
  input f32 dense
  input f64 dense
  input f32 dense
  n0 = buffer f32 [s2] input #0
  n1 = buffer f64 [] input #1
  n2 = buffer f32 [s2] input #2
  n3 = add f32 [s2] n0 n2
  outputs n3 n1
end
n0 = buffer f32 [s2] input #0
n1 = buffer f64 [] input #1
n2 = loop f32 [s2] n0 n1 n0 loop( s3 #0 ) results 2
n3 = item f64 [] n2 #1
n4 = item f32 [s2] n2
outputs n3 n4
end
)";

TEST(GraphVerify, FaultsOfLoops) {
  const auto fault = [](std::string_view from, std::string_view to) {
    std::string text = kLoop;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    return verify(parse_graph(text));
  };
  EXPECT_EQ(verify(parse_graph(kLoop)), "");
  EXPECT_EQ(print(parse_graph(print(parse_graph(kLoop)))), print(parse_graph(kLoop)));
  EXPECT_THAT(fault("loop( s3", "loop( s9"), HasSubstr("the count is unknown"));
  EXPECT_THAT(fault("sym s3 [0", "sym s3 [-4"), HasSubstr("the count may be negative"));
  EXPECT_THAT(fault("n0 n1 n0 loop", "n0 n1 loop"), HasSubstr("the region's inputs"));
  EXPECT_THAT(fault("outputs n3 n1", "outputs n3"), HasSubstr("the region's outputs"));
  EXPECT_THAT(fault("outputs n3 n1", "outputs n1 n3"), HasSubstr("changes its type or shape"));
  EXPECT_THAT(fault("  input f64 dense", "  input f32 dense"), HasSubstr("region differs in type"));
  EXPECT_THAT(fault("f64 [] input #1", "f64 [s2] input #1"), HasSubstr("region differs in shape"));
  EXPECT_THAT(fault("  input f32 dense", "  input f32 strides s1"),
              HasSubstr("region 0: input 0 of a region"));
  EXPECT_THAT(fault("n3 = add f32 [s2] n0 n2", "n3 = add f32 [s3] n0 n2"),
              HasSubstr("region 0: n3"));
  EXPECT_THAT(fault("loop f32 [s2] n0", "loop f32 [] n0"), HasSubstr("that of its first result"));
  EXPECT_THAT(fault("item f64 [] n2 #1", "item f64 [] n2 #2"), HasSubstr("no such result"));
  EXPECT_THAT(fault("item f64 [] n2 #1", "item f32 [] n2 #1"),
              HasSubstr("not the type of that result"));
  EXPECT_THAT(fault("n3 = item f64 [] n2 #1", "n3 = neg f32 [s2] n2"),
              HasSubstr("read them by items"));
  EXPECT_THAT(fault("outputs n3 n4", "outputs n2"), HasSubstr("has several results"));
  EXPECT_THAT(fault("results 2", "results 4"), HasSubstr("fewer operands than carried"));
}

TEST(GraphVerify, FaultsOfTables) {
  const auto fault = [](void (*plant)(Graph&)) {
    Graph g = parse_graph(kLoop);
    plant(g);
    return verify(g);
  };
  EXPECT_THAT(fault([](Graph& g) { g.syms[1].hi = 2; }), HasSubstr("symbols 0 and 1"));
  EXPECT_THAT(fault([](Graph& g) { g.syms[2] = {3, 2, 1}; }), HasSubstr("an empty interval"));
  EXPECT_THAT(fault([](Graph& g) { g.syms[2].multiple = 0; }), HasSubstr("a multiple of 0"));
  EXPECT_THAT(fault([](Graph& g) { g.syms[2] = {1, 1, 1}; }), HasSubstr("is the constant 1"));
  EXPECT_THAT(fault([](Graph& g) { g.scalars = {DType::complex64}; }),
              HasSubstr("a scalar is complex"));
  EXPECT_THAT(fault([](Graph& g) { g.inputs[0].dtype = DType::complex64; }),
              HasSubstr("input 0 is complex"));
  EXPECT_THAT(fault([](Graph& g) { g.inputs[0].strides = {kOne}; }),
              HasSubstr("dense and has strides"));
  EXPECT_THAT(fault([](Graph& g) { g.inputs[0] = {DType::float32, false, false, false, {77}}; }),
              HasSubstr("an unknown stride"));
  EXPECT_THAT(fault([](Graph& g) { g.nodes[0].shape = 99; }),
              HasSubstr("the shape is not in the table"));
  EXPECT_THAT(fault([](Graph& g) { g.nodes[3].operands = 99; }),
              HasSubstr("operands are not in the table"));
  EXPECT_THAT(fault([](Graph& g) { g.outputs = {42}; }), HasSubstr("output n42 does not exist"));
  EXPECT_THAT(fault([](Graph& g) { g.lines.resize(2); }), HasSubstr("lines are not one a node"));
  EXPECT_THAT(fault([](Graph& g) { g.labels.resize(2); }), HasSubstr("labels are not one a node"));
}

}  // namespace
}  // namespace kiln::ir
