#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "ir/graph_kinds.h"
#include "ir/text.h"

namespace kiln::ir {
namespace {

class GraphParser {
 public:
  explicit GraphParser(std::string_view text) : r_(text) {}

  Graph run() {
    if (!r_.next_line()) r_.fail("no graph");
    Graph graph = parse_graph();
    if (r_.next_line()) r_.fail("text after the graph");
    return graph;
  }

 private:
  // Stands on the line `graph`, leaves after the line `end`.
  Graph parse_graph() {
    Graph g;
    r_.expect("graph");
    g.wide = r_.accept("wide");
    while (true) {
      if (!r_.next_line()) r_.fail("a graph without end");
      if (r_.accept("end")) return g;
      if (r_.accept("sym"))
        sym(g);
      else if (r_.accept("scalar"))
        g.scalars.push_back(dtype());
      else if (r_.accept("input"))
        input(g);
      else if (r_.peek() == "graph")
        region(g);
      else if (r_.accept(kHintNames[0]))
        g.hints.push_back({number<NodeId>('n'), HintKind::no_fuse});
      else if (r_.accept(kHintNames[1]))
        g.hints.push_back({number<NodeId>('n'), HintKind::must_fuse});
      else if (r_.accept("outputs"))
        nodes(g.outputs);
      else
        node(g);
    }
  }

  // Regions nest as deep as loops do: a bound spares the stack.
  void region(Graph& g) {
    constexpr int kDeepest = 64;
    if (++depth_ > kDeepest) r_.fail("regions nest too deeply");
    g.regions.push_back(parse_graph());
    --depth_;
  }

  DType dtype() {
    const std::string_view text = r_.word();
    const auto type = dtype_from_brief(text);
    if (!type) r_.fail(fmt::format("'{}' is not a type", text));
    return *type;
  }
  template <class T>
  T number(char prefix) {
    return r_.number<T>(prefix);
  }
  void symbols(std::vector<Sym>& list) {
    while (r_.peek_prefixed('s')) list.push_back(number<Sym>('s'));
  }
  void nodes(std::vector<NodeId>& list) {
    while (r_.peek_prefixed('n')) list.push_back(number<NodeId>('n'));
  }

  void sym(Graph& g) {
    if (r_.prefixed('s') != static_cast<std::int64_t>(g.syms.size()))
      r_.fail("not the next symbol");
    SymInfo info;
    r_.expect("[");
    info.lo = r_.integer();
    info.hi = r_.integer();
    r_.expect("]");
    if (r_.accept("multiple")) info.multiple = r_.integer();
    g.syms.push_back(info);
  }

  void input(Graph& g) {
    Input i;
    i.dtype = dtype();
    i.dense = r_.accept("dense");
    i.aligned = r_.accept("aligned");
    i.donatable = r_.accept("donatable");
    i.ordered = r_.accept("ordered");
    if (r_.accept("strides")) symbols(i.strides);
    g.inputs.push_back(std::move(i));
  }

  Op op() {
    const std::string_view text = r_.word();
    const std::optional<Op> found = op_from_name(text);
    if (!found) r_.fail(fmt::format("unknown operation '{}'", text));
    return *found;
  }

  void kind(Node& node) {
    const std::string_view text = r_.peek();
    node.kind = NodeKind::map;
    for (std::size_t k = 0; k < std::size(kKinds); ++k) {
      if (kKinds[k].name == text) node.kind = static_cast<NodeKind>(k);
    }
    if (node.kind != NodeKind::map) r_.word();
    if (info(node.kind).carries == Carries::op) node.op = op();
  }

  void node(Graph& g) {
    if (r_.prefixed('n') != static_cast<std::int64_t>(g.nodes.size())) r_.fail("not the next node");
    r_.expect("=");
    Node node;
    kind(node);
    node.dtype = dtype();
    std::vector<Sym> shape;
    std::vector<NodeId> operands;
    r_.expect("[");
    symbols(shape);
    r_.expect("]");
    nodes(operands);
    Attribute attribute;
    if (node.kind == NodeKind::buffer) {
      r_.expect("input");
      node.attr = number<std::uint32_t>('#');
    } else {
      attribute = parse_attribute();
    }
    if (info(node.kind).carries == Carries::bits)
      node.imm = r_.bits();
    else if (r_.peek_prefixed('#'))
      node.imm = number<std::uint64_t>('#');
    if (r_.accept("results")) node.results = r_.count<std::uint16_t>();
    if (shape.size() > static_cast<std::size_t>(kMaxRank)) r_.fail("too many axes");
    const NodeId id = g.add(node, shape, operands, std::move(attribute));
    if (r_.peek_quoted()) note(g.labels, id, r_.quoted());
    if (r_.accept("@")) note(g.lines, id, r_.quoted());
    if (!g.labels.empty()) g.labels.resize(g.nodes.size());
    if (!g.lines.empty()) g.lines.resize(g.nodes.size());
  }

  static void note(std::vector<std::string>& table, NodeId id, std::string text) {
    table.resize(id + std::size_t{1});
    table[id] = std::move(text);
  }

  void separate(bool first) {
    if (!first) r_.expect("/");
  }
  void field(AxisList& list, bool first) {
    separate(first);
    while (r_.peek() != ")" && r_.peek() != "/") {
      list.push_back(static_cast<std::uint8_t>(std::clamp<std::int64_t>(r_.integer(), 0, 255)));
    }
  }
  void field(SymList& list, bool first) {
    separate(first);
    symbols(list);
  }
  void field(Sym& sym, bool) { sym = number<Sym>('s'); }
  void field(RegionId& region, bool) { region = RegionId{number<std::uint32_t>('#')}; }

  // Where the next word is an attribute's name, else None.
  template <std::size_t I = 1>
  Attribute parse_attribute() {
    if constexpr (I == std::variant_size_v<Attribute>) {
      return {};
    } else {
      if (!r_.accept(kAttributeNames[I])) return parse_attribute<I + 1>();
      Attribute result(std::in_place_index<I>);
      r_.expect("(");
      bool first = true;
      each_field(result, [&](auto& f) { field(f, std::exchange(first, false)); });
      r_.expect(")");
      return result;
    }
  }

  TextReader r_;
  int depth_ = 0;
};

}  // namespace

Graph parse_graph(std::string_view text) { return GraphParser(text).run(); }

}  // namespace kiln::ir
