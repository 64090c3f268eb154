// What the kinds' rules say of axes holds: an element of an operand is changed, and just elements
// of the result that it may be part of change. Of every node of random graphs, by itself.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>

#include "ir/interpret.h"
#include "ir/nodes/rule.h"
#include "ir/strided.h"
#include "tests/property/random_graph.h"

namespace kiln::ir {
namespace {

using Bytes = std::vector<std::byte>;
using Extents = std::vector<std::int64_t>;
using How = AxisUse::How;

// One node, whose operands are inputs.
struct Alone {
  Graph graph;
  NodeId node_ = 0;
  std::vector<Bytes> memory;

  Alone(const Graph& from, NodeId n, std::vector<Bytes> operands) : memory(std::move(operands)) {
    graph.syms = from.syms;
    graph.wide = from.wide;
    std::vector<NodeId> ids;
    for (const NodeId operand : from.operands(n)) {
      Node buffer;
      buffer.kind = NodeKind::buffer;
      buffer.dtype = from.nodes[operand].dtype;
      const NodeId id = graph.add(buffer, from.shape(operand), {});
      graph.nodes[id].attr = static_cast<std::uint32_t>(graph.inputs.size());
      Input input;
      input.dtype = buffer.dtype;
      graph.inputs.push_back(std::move(input));
      ids.push_back(id);
    }
    Node node = from.nodes[n];
    const Attribute attribute = from.attributes[std::exchange(node.attr, 0)];
    node_ = graph.add(node, from.shape(n), ids, attribute);
    graph.outputs = {node_};
    if (node.results == 1) return;
    Node item;  // the first of several results
    item.kind = NodeKind::item;
    item.dtype = node.dtype;
    graph.outputs = {graph.add(item, from.shape(n), {{node_}})};
  }
  NodeId node() const { return node_; }
  Bytes run(const Bindings& bindings) const {
    std::vector<ArrayView> views;
    for (const Bytes& m : memory) views.push_back({m.data()});
    return interpret(graph, {bindings.syms, {}}, views)[0];
  }
};

Extents place(std::int64_t linear, const Extents& extents) {
  Extents index(extents.size());
  for (std::size_t i = extents.size(); i-- > 0; linear /= extents[i])
    index[i] = linear % extents[i];
  return index;
}

// What is wrong with elements of the result that changed as the operand's at `index` did.
std::string judge(const AxisUses& uses, const Extents& index, const std::vector<Extents>& changed) {
  for (std::size_t axis = 0; axis < uses.size(); ++axis) {
    const AxisUse use = uses[axis];
    std::set<std::int64_t> met;
    for (const Extents& at : changed) {
      if (use.how != How::mixed && use.how != How::folded) met.insert(at.at(use.at));
    }
    const std::string name = "axis " + std::to_string(axis);
    if (use.how == How::kept && !met.empty() && met != std::set{index[axis]})
      return name + " is not kept";
    if (use.how == How::windowed && met.size() > 1) return name + " is not a window's";
    if (use.how == How::spread && index[axis] != 0) return name + " is not of extent 1";
  }
  return {};
}

class AxesOfRules : public testing::Test {
 protected:
  // Changes some elements of operand i, one after the other.
  void change(const Graph& graph, Alone& alone, int i, const Bindings& bindings) {
    const NodeId operand = alone.graph.operand(alone.node(), i);
    const Extents from = values(alone.graph.shape(operand), bindings),
                  to = values(alone.graph.shape(alone.node()), bindings);
    const AxisUses uses =
        rule(alone.graph.nodes[alone.node()].kind).axes(alone.graph, alone.node(), i);
    ASSERT_EQ(uses.size(), from.size());
    const std::int64_t bytes = size_of(alone.graph.nodes[operand].dtype),
                       count = element_count(from), step = std::max<std::int64_t>(1, count / 5);
    const std::int64_t wide = size_of(alone.graph.nodes[alone.node()].dtype);
    const Bytes before = alone.run(bindings);
    for (std::int64_t e = 0; e < count; e += step) {
      const auto last = static_cast<std::size_t>((e + 1) * bytes - 1);  // of a float the exponent's
      std::byte& byte = alone.memory[static_cast<std::size_t>(i)][last];
      const std::byte flip{is_bool(alone.graph.nodes[operand].dtype) ? std::uint8_t{1}
                                                                     : std::uint8_t{0x45}};
      const std::byte old = std::exchange(byte, byte ^ flip);
      const Bytes after = alone.run(bindings);
      byte = old;
      std::vector<Extents> changed;
      for (std::int64_t r = 0; r < static_cast<std::int64_t>(before.size()) / wide; ++r) {
        if (std::memcmp(before.data() + r * wide, after.data() + r * wide,
                        static_cast<std::size_t>(wide)) != 0)
          changed.push_back(place(r, to));
      }
      changes_[alone.graph.nodes[alone.node()].kind] += !changed.empty();
      const std::string wrong = judge(uses, place(e, from), changed);
      ASSERT_EQ(wrong, "") << print(graph) << print(alone.graph) << "operand " << i;
    }
  }

  void run(std::uint64_t seed) {
    test::RandomGraphOptions options;
    options.max_elements = 200;
    const test::RandomGraph r = test::random_graph(seed, options);
    const Graph& g = r.graph;
    Watch watch;
    watch.value = [&](NodeId n, const std::byte*, std::span<const std::byte* const> operands) {
      std::vector<Bytes> memory;
      if (role(g.nodes[n].kind) == Role::item) return;  // a result of a node, which is changed
      for (std::size_t i = 0; i < operands.size(); ++i) {
        const NodeId from = g.operand(n, static_cast<int>(i));
        const std::int64_t size =
            element_count(values(g.shape(from), r.bindings)) * size_of(g.nodes[from].dtype);
        memory.emplace_back(operands[i], operands[i] + size);
      }
      if (memory.empty() || testing::Test::HasFatalFailure()) return;
      Alone alone(g, n, std::move(memory));
      for (int i = 0; i < g.nodes[n].operand_count; ++i) change(g, alone, i, r.bindings);
    };
    static_cast<void>(interpret(g, r.bindings, r.inputs(), watch));
  }

  std::map<NodeKind, int> changes_;
};

TEST_F(AxesOfRules, ChangeWhatTheyMay) {
  for (std::uint64_t seed = 0; seed < 600 && !HasFatalFailure(); ++seed) run(seed);
  for (const NodeKind kind : test::RandomGraphOptions().kinds) {
    if (role(kind) == Role::leaf) continue;
    EXPECT_GT(changes_[kind], 20) << static_cast<int>(kind);
  }
}

// No rule says less than it could.
TEST_F(AxesOfRules, AreSaidAsFarAsTheyAreKnown) {
  const Graph g = parse_graph(R"(graph
sym s2 [2 64]
sym s3 [2 64]
sym s4 [2 64]
input f32 dense
input f32 dense
n0 = buffer f32 [s2 s3] input #0
n1 = buffer f32 [s3 s4] input #1
n2 = neg f32 [s2 s3] n0
n3 = broadcast f32 [s4 s2 s3] n0
n4 = permute f32 [s3 s2] n0 axes( 1 0 )
n5 = reshape f32 [s2 s1 s3] n0 groups( 1 0 1 / 1 1 1 )
n6 = slice f32 [s2 s4] n0 slices( s0 s1 / s1 s1 )
n7 = constant f32 [] 0x0
n8 = pad f32 [s2 s4] n0 n7 pads( s0 s1 )
n9 = concat f32 [s2 s4] n0 n0 #1
n10 = update f32 [s2 s3] n0 n2 slices( s0 s0 / s1 s1 )
n11 = reduce add f32 [s2] n0 axes( 1 )
n12 = arg_reduce max i64 [s3] n0 axes( 0 )
n13 = contract f32 [s2 s4] n0 n1
outputs n13
end
)");
  ASSERT_EQ(verify(g), "");
  const auto said = [&](NodeId n, int operand) {
    std::string text;
    for (const AxisUse use : rule(g.nodes[n].kind).axes(g, n, operand)) {
      text += " " + std::string(1, "kwsmf"[static_cast<int>(use.how)]);
      if (use.how != How::folded) text += std::to_string(use.at);
    }
    return text;
  };
  EXPECT_EQ(said(2, 0), " k0 k1");
  EXPECT_EQ(said(3, 0), " k1 k2");
  EXPECT_EQ(said(4, 0), " k1 k0");
  EXPECT_EQ(said(5, 0), " k0 k2");
  EXPECT_EQ(said(6, 0), " k0 w1");
  EXPECT_EQ(said(8, 0), " k0 w1");
  EXPECT_EQ(said(8, 1), "");
  EXPECT_EQ(said(9, 1), " k0 w1");
  EXPECT_EQ(said(10, 0), " k0 k1");
  EXPECT_EQ(said(10, 1), " k0 k1");
  EXPECT_EQ(said(11, 0), " k0 f");
  EXPECT_EQ(said(12, 0), " f k0");
  EXPECT_EQ(said(13, 0), " k0 f");
  EXPECT_EQ(said(13, 1), " f k1");
}

}  // namespace
}  // namespace kiln::ir
