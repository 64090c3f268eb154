#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/error.h"
#include "ir/infix.h"
#include "tests/ir/graphs.h"

namespace kiln::ir {
namespace {

using testing::HasSubstr;

constexpr const char* kRowMax = R"(graph wide
  sym s2 [1024 2047] multiple 4
  sym s3 [16 31]
  scalar f32
  input f32 dense aligned donatable
  input i32 strides s3 s1
  n0 = buffer f32 [s2 s3] input #0 "x" @"rows.cpp:3"
  n1 = reduce max f32 [s2] n0 axes( 1 )
  n2 = reshape f32 [s2 s1] n1 groups( 1 / 2 ) @"rows.cpp:12"
  n3 = broadcast f32 [s2 s3] n2
  n4 = sub f32 [s2 s3] n0 n3
  n5 = constant f32 [] 0x40200000  ; 2.5
  n6 = pad f32 [s2 s3] n4 n5 pads( s0 s1 )
  n7 = slice f32 [s2 s3] n6 slices( s0 s3 / s1 s2 )
  n8 = iota i64 [s2 s3] #1
  n9 = scalar f32 []
  n10 = buffer i32 [s2 s3] input #1
  n11 = permute i32 [s3 s2] n10 axes( 1 0 )
  n12 = put f32 [s2 s1] n2 slices( s0 s3 / s1 s1 )
  n13 = update f32 [s2 s3] n4 n12 slices( s0 s3 / s1 s1 )
  n14 = concat f32 [s2 s3] n4 n4 pads( s0 s3 ) #1
  outputs n4 n7
end
)";

TEST(GraphText, PrintsWhatItParses) { EXPECT_EQ(print(parse_graph(kRowMax)), kRowMax); }

TEST(GraphText, EqualityAndHashIgnoreSideTables) {
  const Graph a = parse_graph(kRowMax);
  EXPECT_EQ(a.labels.at(0), "x");
  EXPECT_EQ(a.lines.at(2), "rows.cpp:12");
  Graph b = a;
  b.labels.clear();
  b.lines.assign(b.nodes.size(), "elsewhere.cpp:1");
  EXPECT_EQ(a, b);
  EXPECT_EQ(hash(a), hash(b));
  EXPECT_NE(print(a), print(b));
}

TEST(GraphText, EqualityAndHashSeeEverythingElse) {
  const Graph a = parse_graph(kRowMax);
  const std::vector<void (*)(Graph&)> changes = {
      [](Graph& g) { g.wide = false; },
      [](Graph& g) { g.nodes[4].op = Op::add; },
      [](Graph& g) { g.nodes[5].imm ^= 1; },
      [](Graph& g) { g.nodes[8].dtype = DType::int32; },
      [](Graph& g) { g.syms[2].hi = 4095; },
      [](Graph& g) { g.syms[2].multiple = 8; },
      [](Graph& g) { g.inputs[0].donatable = false; },
      [](Graph& g) { g.inputs[0].aligned = false; },
      [](Graph& g) { g.inputs[1].strides = {kOne, kOne}; },
      [](Graph& g) { g.scalars[0] = DType::float64; },
      [](Graph& g) { g.outputs = {4}; },
      [](Graph& g) { std::get<Axes>(g.attributes[g.nodes[1].attr]).axes = {0}; },
      [](Graph& g) { std::get<Slices>(g.attributes[g.nodes[7].attr]).step = {kOne, kOne}; },
      [](Graph& g) { g.dims[0] = 3; },
      [](Graph& g) { g.regions.emplace_back(); },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Graph b = a;
    changes[i](b);
    EXPECT_FALSE(a == b) << i;
    EXPECT_NE(hash(a), hash(b)) << i;
    EXPECT_NE(print(a), print(b)) << i;
    EXPECT_EQ(parse_graph(print(b)), b) << i;
  }
}

TEST(GraphText, MalformedTextNamesItsLine) {
  const auto error = [](const std::string& text) -> std::string {
    try {
      parse_graph(text);
    } catch (const InternalError& e) {
      return e.what();
    }
    return "accepted";
  };
  EXPECT_THAT(error(""), HasSubstr("no graph"));
  EXPECT_THAT(error("graph\n"), HasSubstr("line 1: a graph without end"));
  EXPECT_THAT(error("graph\nend\ngraph\n"), HasSubstr("line 3: text after the graph"));
  EXPECT_THAT(error("graph\n sym s3 [0 1]\nend\n"), HasSubstr("line 2: not the next symbol"));
  EXPECT_THAT(error("graph\n n1 = scalar f32 []\nend\n"), HasSubstr("line 2: not the next node"));
  EXPECT_THAT(error("graph\n n0 = frob f32 []\nend\n"),
              HasSubstr("line 2: unknown operation 'frob'"));
  EXPECT_THAT(error("graph\n n0 = scalar f99 []\nend\n"), HasSubstr("line 2: 'f99' is not a type"));
  EXPECT_THAT(error("graph\n n0 = scalar f32 [s-1]\nend\n"),
              HasSubstr("line 2: s-1 is out of range"));
  EXPECT_THAT(error("graph\n outputs n0 5\nend\n"), HasSubstr("line 2: unexpected '5'"));
  EXPECT_EQ(error("graph\nend\n"), "accepted");
}

TEST(GraphInfix, Expressions) {
  test::Builder b;
  const DType f = DType::float32;
  const Sym n = b.extent(4), m = b.extent(5);
  const NodeId x = b.input(f, {n, m}, {}), y = b.input(f, {n, m}, {});
  const auto op = [&](Op o, std::vector<NodeId> operands) { return b.map(o, f, operands); };
  const NodeId sum = op(Op::add, {x, y}), product = op(Op::mul, {x, y});
  EXPECT_EQ(infix(b.g, op(Op::mul, {sum, x})), "(x0 + x1) * x0");
  EXPECT_EQ(infix(b.g, op(Op::add, {product, x})), "x0 * x1 + x0");
  EXPECT_EQ(infix(b.g, op(Op::sub, {x, sum})), "x0 - (x0 + x1)");
  EXPECT_EQ(infix(b.g, op(Op::sub, {sum, x})), "x0 + x1 - x0");
  EXPECT_EQ(infix(b.g, op(Op::exp, {op(Op::neg, {sum})})), "exp(-(x0 + x1))");
  b.g.labels.resize(b.g.nodes.size());
  b.g.labels[x] = "rain";
  EXPECT_EQ(infix(b.g, op(Op::max, {x, y})), "maximum(rain, x1)");
  const NodeId rows = b.node(NodeKind::reduce, f, {n}, {sum}, Axes{{1}}, 0, Op::add);
  EXPECT_EQ(infix(b.g, rows), "sum(rain + x1, 1)");
  EXPECT_EQ(infix(b.g, b.node(NodeKind::reduce, f, {}, {sum}, Axes{{0, 1}}, 0, Op::mul)),
            "prod(rain + x1)");
  const NodeId half = b.g.constant(f, bits_of(f, 0.1));
  EXPECT_EQ(infix(b.g, half), "0.1");
  const NodeId wide = b.node(NodeKind::broadcast, f, {n, m}, {half});
  EXPECT_EQ(infix(b.g, op(Op::mul, {x, wide})), "rain * 0.1");
  EXPECT_EQ(infix(b.g, b.g.constant(DType::int8, 0xfe)), "-2");
  EXPECT_EQ(infix(b.g, b.map(Op::cast, DType::int64, {x})), "int64(rain)");
  const NodeId turned = b.node(NodeKind::permute, f, {m, n}, {sum}, Axes{{1, 0}});
  EXPECT_EQ(infix(b.g, turned), "(rain + x1).T");
}

TEST(GraphInfix, StoredValuesGoByTheirNames) {
  test::Builder b;
  const DType f = DType::float32;
  const Sym n = b.extent(4);
  const NodeId x = b.input(f, {n}, {});
  const NodeId y = b.map(Op::neg, f, {x}), z = b.map(Op::add, f, {y, y});
  std::vector<bool> stored(b.g.nodes.size(), true);
  EXPECT_EQ(infix(b.g, z, stored), "v1 + v1");
  EXPECT_EQ(infix(b.g, y, stored), "-x0");
  b.g.labels.resize(b.g.nodes.size());
  b.g.labels[y] = "debt";
  EXPECT_EQ(infix(b.g, z, stored), "debt + debt");
  EXPECT_EQ(stored_name(b.g, z), "v2");
}

TEST(GraphInfix, DeepExpressionsAreCutInBoundedTime) {
  test::Builder b;
  NodeId left = b.input(DType::float32, {}, {1});
  for (int i = 0; i < 200000; ++i)
    left = b.map(i % 2 ? Op::add : Op::mul, DType::float32, {left, left});
  const std::string text = infix(b.g, left, 60);
  EXPECT_EQ(text.size(), 60u);
  EXPECT_THAT(text, testing::EndsWith("..."));
  EXPECT_EQ(infix(b.g, left, 2), "..");
}

TEST(Graphviz, NamesNodesAndEdges) {
  const std::string dot = graphviz(parse_graph(kRowMax));
  EXPECT_THAT(dot, testing::StartsWith("digraph kiln {"));
  EXPECT_THAT(dot, HasSubstr("n0 [label=\"buffer 'x'\\nfloat32 s2 s3\\nrows.cpp:3\"]"));
  EXPECT_THAT(dot, HasSubstr("n0 -> n1;"));
  EXPECT_THAT(dot, HasSubstr("reduce max"));
  EXPECT_THAT(dot, HasSubstr("n4 [penwidth=2]"));
}

}  // namespace
}  // namespace kiln::ir
