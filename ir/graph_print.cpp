#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "ir/graph_kinds.h"
#include "ir/scalar.h"
#include "ir/text.h"

namespace kiln::ir {
namespace {

class GraphPrinter {
 public:
  std::string run(const Graph& graph) {
    print_graph(graph);
    return std::move(out_);
  }

 private:
  template <class... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }
  void line() {
    out_ += '\n';
    out_.append(2 * depth_, ' ');
  }

  // Nesting of regions only, which is as deep as the user's loops.
  void print_graph(const Graph& g) {
    put("graph{}", g.wide ? " wide" : "");
    ++depth_;
    for (std::size_t s = 2; s < g.syms.size(); ++s) {
      line();
      put("sym s{} [{} {}]", s, g.syms[s].lo, g.syms[s].hi);
      if (g.syms[s].multiple != 1) put(" multiple {}", g.syms[s].multiple);
    }
    for (const DType t : g.scalars) line(), put("scalar {}", brief(t));
    for (const Input& i : g.inputs) line(), input(i);
    for (const Graph& region : g.regions) line(), print_graph(region);
    for (NodeId n = 0; n < g.nodes.size(); ++n) line(), node(g, n);
    for (const Hint& hint : g.hints) {
      line();
      put("{} n{}", kHintNames[static_cast<int>(hint.kind)], hint.node);
    }
    line();
    put("outputs");
    for (const NodeId n : g.outputs) put(" n{}", n);
    --depth_;
    line();
    put("end");
    if (depth_ == 0) out_ += '\n';
  }

  void input(const Input& i) {
    put("input {}", brief(i.dtype));
    if (i.dense) put(" dense");
    if (i.aligned) put(" aligned");
    if (i.donatable) put(" donatable");
    if (i.ordered) put(" ordered");
    if (!i.strides.empty()) put(" strides"), symbols(i.strides);
  }

  void symbols(std::span<const Sym> syms) {
    for (const Sym s : syms) put(" s{}", s);
  }

  void node(const Graph& g, NodeId n) {
    const Node& node = g.nodes[n];
    const KindInfo& kind = info(node.kind);
    put("n{} = ", n);
    if (node.kind != NodeKind::map) put("{} ", kind.name);
    if (kind.carries == Carries::op) put("{} ", info(node.op).name);
    put("{} [{}]", brief(node.dtype), fmt::join(shape_words(g, n), " "));
    for (const NodeId operand : g.operands(n)) put(" n{}", operand);
    if (node.kind == NodeKind::buffer)
      put(" input #{}", node.attr);
    else if (node.attr != 0)
      attribute(g.attributes[node.attr]);
    if (kind.carries == Carries::bits)
      put(" {:#x}", node.imm);
    else if (node.imm != 0)
      put(" #{}", node.imm);
    if (node.results != 1) put(" results {}", node.results);
    if (n < g.labels.size() && !g.labels[n].empty()) put(" {}", quote(g.labels[n]));
    if (n < g.lines.size() && !g.lines[n].empty()) put(" @{}", quote(g.lines[n]));
    if (node.kind == NodeKind::constant && is_float(node.dtype)) {
      put("  ; {}", to_double(node.dtype, node.imm));
    }
  }

  static std::vector<std::string> shape_words(const Graph& g, NodeId n) {
    std::vector<std::string> words;
    for (const Sym s : g.shape(n)) words.push_back(fmt::format("s{}", s));
    return words;
  }

  // A list that stands behind another field is set off from it.
  void separate(bool first) {
    if (!first) put(" /");
  }
  void field(const AxisList& list, bool first) {
    separate(first);
    for (const int x : list) put(" {}", x);
  }
  void field(const SymList& list, bool first) {
    separate(first);
    symbols(list);
  }
  void field(Sym sym, bool) { put(" s{}", sym); }
  void field(RegionId region, bool) { put(" #{}", static_cast<std::uint32_t>(region)); }

  void attribute(const Attribute& a) {
    put(" {}(", kAttributeNames[a.index()]);
    bool first = true;
    each_field(a, [&](const auto& f) { field(f, std::exchange(first, false)); });
    put(" )");
  }

  std::string out_;
  std::size_t depth_ = 0;
};

}  // namespace

std::string print(const Graph& graph) { return GraphPrinter().run(graph); }

}  // namespace kiln::ir
