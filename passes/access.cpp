#include "passes/access.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "ir/error.h"
#include "ir/hash.h"
#include "passes/index_map.h"
#include "passes/roles.h"

namespace kiln::passes {

using ir::NodeId;
using ir::NodeKind;
using ir::Sym;

Monomial multiply(const ir::Graph& graph, Monomial m, Sym sym) {
  if (graph.constant_sym(sym)) {
    m.coefficient *= graph.sym(sym).lo;
    if (m.coefficient == 0) m.factors.clear();
    return m;
  }
  m.factors.insert(std::upper_bound(m.factors.begin(), m.factors.end(), sym), sym);
  return m;
}

namespace {

void sort_once(std::vector<std::uint32_t>& list) {
  std::ranges::sort(list);
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

// Adds a monomial to a sum of them.
void accumulate(std::vector<Monomial>& sum, const Monomial& m) {
  if (m.coefficient == 0) return;
  const auto at = std::ranges::lower_bound(sum, m.factors, {}, &Monomial::factors);
  if (at == sum.end() || at->factors != m.factors) {
    sum.insert(at, m);
  } else if ((at->coefficient += m.coefficient) == 0) {
    sum.erase(at);
  }
}

}  // namespace

bool Affine::is_coordinate(std::uint32_t c) const {
  return offset.empty() && divided.empty() && terms.size() == 1 && terms[0].coordinate == c &&
         terms[0].coefficient == Monomial{};
}

Affine AffineAlgebra::opaque(const Affine& a) {
  Affine result;
  result.offset = a.offset;
  result.divided = a.divided;
  for (const Affine::Term& term : a.terms) result.divided.push_back(term.coordinate);
  sort_once(result.divided);
  return result;
}

Affine AffineAlgebra::add(Affine a, const Affine& b) const {
  for (const Monomial& m : b.offset) accumulate(a.offset, m);
  a.divided.insert(a.divided.end(), b.divided.begin(), b.divided.end());
  sort_once(a.divided);
  for (const Affine::Term& term : b.terms) {
    auto at = std::ranges::lower_bound(a.terms, term.coordinate, {}, &Affine::Term::coordinate);
    if (at == a.terms.end() || at->coordinate != term.coordinate) {
      a.terms.insert(at, term);
    } else if (at->coefficient.factors == term.coefficient.factors) {
      at->coefficient.coefficient += term.coefficient.coefficient;
      if (at->coefficient.coefficient == 0) a.terms.erase(at);
    } else {
      return opaque(a);  // a diagonal with unlike strides: rare, and only its coordinates matter
    }
  }
  return a;
}

Affine AffineAlgebra::add(Affine a, Sym s) const {
  if (s == ir::kZero) return a;
  accumulate(a.offset, multiply(graph, {}, s));
  return a;
}

Affine AffineAlgebra::sub(Affine a, Sym s) const {
  if (s == ir::kZero) return a;
  accumulate(a.offset, multiply(graph, {-1, {}}, s));
  return a;
}

Affine AffineAlgebra::mul(Affine a, Sym s) const {
  if (s == ir::kZero) return {};
  if (s == ir::kOne) return a;
  for (Affine::Term& term : a.terms) term.coefficient = multiply(graph, term.coefficient, s);
  std::vector<Monomial> offset;
  for (Monomial& m : a.offset) accumulate(offset, multiply(graph, std::move(m), s));
  a.offset = std::move(offset);
  return a;
}

Coordinates coordinates_of(std::span<const Sym> shape) {
  Coordinates result;
  std::uint32_t next = 0;
  for (const Sym s : shape) result.push_back(s == ir::kOne ? kUnit : next++);
  return result;
}

std::vector<Affine> index_at(const Coordinates& coordinates) {
  std::vector<Affine> index(coordinates.size());
  for (std::size_t i = 0; i < coordinates.size(); ++i) {
    if (coordinates[i] != kUnit) index[i].terms.push_back({coordinates[i], {}});
  }
  return index;
}

std::vector<Sym> without_units(std::span<const Sym> shape) {
  std::vector<Sym> result;
  std::ranges::copy_if(shape, std::back_inserter(result), [](Sym s) { return s != ir::kOne; });
  return result;
}

namespace {

void add_guard(Context& context, const Affine& index) {
  for (const auto& term : index.terms) context.guards.push_back(term.coordinate);
  context.guards.insert(context.guards.end(), index.divided.begin(), index.divided.end());
  sort_once(context.guards);
}

// Of a node whose first operand is read where operand_index says.
Context operand_context(const ir::Graph& graph, NodeId node, const Context& context,
                        AffineAlgebra& algebra) {
  return {operand_index<AffineAlgebra>(graph, node, context.index, algebra), context.guards};
}

Context updated_part(const ir::Graph& graph, NodeId node, const Context& context) {
  AffineAlgebra algebra{graph};
  Context part{updated_index<AffineAlgebra>(graph, node, context.index, algebra), context.guards};
  const auto from = graph.shape(graph.operand(node, 1));
  const auto to = graph.shape(node);
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] != to[i]) add_guard(part, context.index[i]);
  }
  return part;
}

}  // namespace

std::uint64_t hash_of(const Context& c) {
  std::uint64_t h = 7;
  const auto add = [&h](std::uint64_t v) { h = ir::mix(h, v); };
  for (const Affine& a : c.index) {
    for (const Monomial& m : a.offset) {
      add(static_cast<std::uint64_t>(m.coefficient));
      for (const Sym s : m.factors) add(s);
    }
    for (const auto& t : a.terms) {
      add(t.coordinate);
      add(static_cast<std::uint64_t>(t.coefficient.coefficient));
      for (const Sym s : t.coefficient.factors) add(s);
    }
    for (const auto d : a.divided) add(d + 1000);
  }
  for (const auto g : c.guards) add(g);
  return h;
}

namespace {

// Each distinct (node, context) once; contexts are interned, so that the visited set is cheap.
class Walk {
 public:
  Walk(const ir::Graph& graph, const std::vector<bool>& is_leaf)
      : graph_(graph), is_leaf_(is_leaf) {}

  Unfolding run(const std::vector<Root>& roots) {
    for (const Root& root : roots) {
      out_.roots.push_back(meet(root.node, intern({root.index, {}}), root.enter));
    }
    stack_.assign(out_.roots.rbegin(), out_.roots.rend());
    while (!stack_.empty()) {
      const std::uint32_t v = stack_.back();
      stack_.pop_back();
      if (!entered_[v]) enter(v);
    }
    return std::move(out_);
  }

 private:
  std::uint32_t intern(Context context) {
    const std::uint64_t key = hash_of(context);
    const auto [first, last] = ids_.equal_range(key);
    for (auto it = first; it != last; ++it) {
      if (out_.contexts[it->second] == context) return it->second;
    }
    out_.contexts.push_back(std::move(context));
    const auto id = static_cast<std::uint32_t>(out_.contexts.size() - 1);
    ids_.emplace(key, id);
    return id;
  }

  // `enter`: even if the node is a leaf for others.
  std::uint32_t meet(NodeId node, std::uint32_t context, bool enter = false) {
    const std::uint64_t key = static_cast<std::uint64_t>(node) << 32 | context;
    const auto [seen, fresh] = seen_.try_emplace(key, out_.visits.size());
    if (fresh) {
      const ir::Node& n = graph_.nodes[node];
      const bool leaf = ends_expression(n) || (is_leaf_[node] && !enter);
      out_.visits.push_back({node, context, leaf, 0, 0});
      entered_.push_back(false);
    }
    return seen->second;
  }

  void enter(std::uint32_t v) {
    entered_[v] = true;
    const Visit visit = out_.visits[v];
    if (visit.leaf) return;
    const ir::Node& node = graph_.nodes[visit.node];
    const auto operands = graph_.operands(visit.node);
    std::vector<std::uint32_t> contexts(operands.size(), visit.context);
    if (!is_map(node)) {
      std::vector<Context> inner =
          operand_contexts(graph_, visit.node, out_.contexts[visit.context]);
      for (std::size_t i = 0; i < inner.size(); ++i) contexts[i] = intern(std::move(inner[i]));
    }
    std::vector<std::uint32_t> met(operands.size());
    for (std::size_t i = 0; i < operands.size(); ++i) met[i] = meet(operands[i], contexts[i]);
    stack_.insert(stack_.end(), met.rbegin(), met.rend());
    out_.visits[v].first_operand = static_cast<std::uint32_t>(out_.operands.size());
    out_.visits[v].operand_count = static_cast<std::uint32_t>(met.size());
    out_.operands.insert(out_.operands.end(), met.begin(), met.end());
  }

  const ir::Graph& graph_;
  const std::vector<bool>& is_leaf_;
  Unfolding out_;
  std::vector<bool> entered_;  // by visit
  std::unordered_multimap<std::uint64_t, std::uint32_t> ids_;
  std::unordered_map<std::uint64_t, std::uint32_t> seen_;
  std::vector<std::uint32_t> stack_;
};

}  // namespace

std::vector<Context> operand_contexts(const ir::Graph& graph, NodeId node, const Context& context) {
  const auto operands = graph.operands(node);
  AffineAlgebra algebra{graph};
  std::vector<Context> result;
  switch (graph.nodes[node].kind) {
    case NodeKind::map:
      result.assign(operands.size(), context);
      return result;
    case NodeKind::concat: {
      const std::size_t along = graph.nodes[node].imm;
      Context part = context;
      add_guard(part, part.index[along]);
      for (const NodeId operand : operands) {
        result.push_back(part);
        part.index[along] = algebra.sub(std::move(part.index[along]), graph.shape(operand)[along]);
      }
      return result;
    }
    case NodeKind::update:
      result.push_back(context);
      result.push_back(updated_part(graph, node, context));
      return result;
    case NodeKind::pad: {
      result.push_back(operand_context(graph, node, context, algebra));
      const auto from = graph.shape(operands[0]);
      const auto to = graph.shape(node);
      for (std::size_t i = 0; i < from.size(); ++i) {
        if (from[i] != to[i]) add_guard(result[0], context.index[i]);
      }
      result.emplace_back();  // the fill
      return result;
    }
    case NodeKind::broadcast:
    case NodeKind::permute:
    case NodeKind::reshape:
    case NodeKind::slice:
    case NodeKind::put:
      result.push_back(operand_context(graph, node, context, algebra));
      return result;
    case NodeKind::buffer:
    case NodeKind::constant:
    case NodeKind::scalar:
    case NodeKind::iota:
    case NodeKind::reduce:
    case NodeKind::arg_reduce:
    case NodeKind::contract:
    case NodeKind::scan:
    case NodeKind::sort:
    case NodeKind::loop:
    case NodeKind::item:
      break;
  }
  ir::internal_error("access: an expression ends here");
}

Unfolding unfold(const ir::Graph& graph, const std::vector<Root>& roots,
                 const std::vector<bool>& is_leaf) {
  return Walk(graph, is_leaf).run(roots);
}

std::vector<Access> walk(const ir::Graph& graph, const std::vector<Root>& roots,
                         const std::vector<bool>& is_leaf, std::vector<NodeId>* inside) {
  const Unfolding unfolded = unfold(graph, roots, is_leaf);
  std::vector<Access> accesses;
  std::unordered_set<NodeId> passed;
  for (const Visit& visit : unfolded.visits) {
    const Context& context = unfolded.contexts[visit.context];
    if (visit.leaf) {
      accesses.push_back({visit.node, context.index, context.guards, false});
    } else if (inside != nullptr && passed.insert(visit.node).second) {
      inside->push_back(visit.node);
    }
  }
  return accesses;
}

std::vector<std::vector<Monomial>> edges(const ir::Graph& graph, const Unfolding& unfolded,
                                         std::uint32_t coordinate) {
  std::vector<std::vector<Monomial>> result;
  const auto add = [&](const Affine& index, std::vector<Monomial> at) {
    for (Monomial m : index.offset) {
      m.coefficient = -m.coefficient;
      accumulate(at, m);
    }
    if (std::ranges::find(result, at) == result.end()) result.push_back(std::move(at));
  };
  for (const Visit& visit : unfolded.visits) {
    const ir::Node& node = graph.nodes[visit.node];
    const bool window = node.kind == NodeKind::pad || node.kind == NodeKind::update;
    if (visit.leaf || (!window && node.kind != NodeKind::concat)) continue;
    const auto operands = graph.operands(visit.node);
    const auto to = graph.shape(visit.node);
    const auto from = graph.shape(operands[node.kind == NodeKind::update ? 1 : 0]);
    const auto low = [&](std::size_t axis) {
      return node.kind == NodeKind::pad ? graph.attribute<ir::Pads>(visit.node).low[axis]
                                        : graph.attribute<ir::Slices>(visit.node).begin[axis];
    };
    for (std::size_t axis = 0; axis < to.size(); ++axis) {
      const Affine& index = unfolded.contexts[visit.context].index[axis];
      const bool along = index.divided.empty() && index.terms.size() == 1 &&
                         index.terms[0] == Affine::Term{coordinate, {}};
      if (!along) continue;
      std::vector<Monomial> at;
      if (window && from[axis] != to[axis]) {
        accumulate(at, multiply(graph, {}, low(axis)));
        add(index, at);
        accumulate(at, multiply(graph, {}, from[axis]));
        add(index, at);
      } else if (node.kind == NodeKind::concat && axis == node.imm) {
        for (std::size_t i = 0; i + 1 < operands.size(); ++i) {
          accumulate(at, multiply(graph, {}, graph.shape(operands[i])[axis]));
          add(index, at);
        }
      }
    }
  }
  return result;
}

std::size_t depth(std::span<const Affine> index) {
  std::uint32_t result = 0;
  for (const Affine& a : index) {
    if (!a.terms.empty()) result = std::max(result, a.terms.back().coordinate + 1);
    if (!a.divided.empty()) result = std::max(result, a.divided.back() + 1);
  }
  return result;
}

std::optional<Coordinates> plain(std::span<const Sym> shape, const Context& context) {
  if (!context.guards.empty()) return std::nullopt;
  Coordinates coords;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const Affine& a = context.index[i];
    if (shape[i] == ir::kOne) {
      coords.push_back(kUnit);
      continue;
    }
    if (a.terms.size() != 1 || !a.is_coordinate(a.terms[0].coordinate)) return std::nullopt;
    if (std::ranges::find(coords, a.terms[0].coordinate) != coords.end()) return std::nullopt;
    coords.push_back(a.terms[0].coordinate);
  }
  return coords;
}

Affine linear(const ir::Graph& graph, const Access& access) {
  AffineAlgebra algebra{graph};
  const ir::Node& leaf = graph.nodes[access.leaf];
  if (!access.output && leaf.kind == NodeKind::buffer && !graph.inputs[leaf.attr].dense) {
    const std::vector<Sym>& strides = graph.inputs[leaf.attr].strides;
    Affine sum;
    for (std::size_t i = 0; i < access.index.size(); ++i) {
      sum = algebra.add(std::move(sum), algebra.mul(access.index[i], strides[i]));
    }
    return sum;
  }
  return linear_index<AffineAlgebra>(algebra, graph.shape(access.leaf), access.index);
}

}  // namespace kiln::passes
