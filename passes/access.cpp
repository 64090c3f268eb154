#include "passes/access.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "passes/index_map.h"

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

bool Affine::is_coordinate(std::uint32_t c) const {
  return !offset && divided.empty() && terms.size() == 1 && terms[0].coordinate == c &&
         terms[0].coefficient == Monomial{};
}

Affine AffineAlgebra::opaque(const Affine& a) {
  Affine result;
  result.offset = a.offset;
  result.divided = a.divided;
  for (const Affine::Term& term : a.terms) result.divided.push_back(term.coordinate);
  std::ranges::sort(result.divided);
  const auto repeated = std::ranges::unique(result.divided);
  result.divided.erase(repeated.begin(), repeated.end());
  return result;
}

Affine AffineAlgebra::add(Affine a, const Affine& b) const {
  a.offset = a.offset || b.offset;
  a.divided.insert(a.divided.end(), b.divided.begin(), b.divided.end());
  std::ranges::sort(a.divided);
  const auto repeated = std::ranges::unique(a.divided);
  a.divided.erase(repeated.begin(), repeated.end());
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
  a.offset = a.offset || s != ir::kZero;
  return a;
}

Affine AffineAlgebra::mul(Affine a, Sym s) const {
  if (s == ir::kZero) return {};
  for (Affine::Term& term : a.terms) term.coefficient = multiply(graph, term.coefficient, s);
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

// The same index under the same guards is one context, by number, so that a visited set is cheap.
struct Context {
  std::vector<Affine> index;
  std::vector<std::uint32_t> guards;
  bool operator==(const Context&) const = default;
};

std::uint64_t hash_of(const Context& c) {
  std::uint64_t h = 7;
  const auto mix = [&h](std::uint64_t v) { h = (h ^ v) * 0x9E3779B97F4A7C15u, h ^= h >> 29; };
  for (const Affine& a : c.index) {
    mix(a.offset);
    for (const auto& t : a.terms) {
      mix(t.coordinate);
      mix(static_cast<std::uint64_t>(t.coefficient.coefficient));
      for (const Sym s : t.coefficient.factors) mix(s);
    }
    for (const auto d : a.divided) mix(d + 1000);
  }
  for (const auto g : c.guards) mix(g);
  return h;
}

class Walk {
 public:
  Walk(const ir::Graph& graph, const std::vector<bool>& is_leaf, std::vector<NodeId>* inside)
      : graph_(graph), algebra_{graph}, is_leaf_(is_leaf), inside_(inside) {}

  std::vector<Access> run(const std::vector<Root>& roots) {
    for (auto root = roots.rbegin(); root != roots.rend(); ++root) {
      push(root->node, intern({root->index, {}}), root->enter);
    }
    while (!stack_.empty()) {
      const Item item = stack_.back();
      stack_.pop_back();
      visit(item);
    }
    return std::move(accesses_);
  }

 private:
  struct Item {
    NodeId node;
    std::uint32_t context;
    bool root;
  };

  std::uint32_t intern(Context context) {
    const std::uint64_t key = hash_of(context);
    const auto [first, last] = ids_.equal_range(key);
    for (auto it = first; it != last; ++it) {
      if (contexts_[it->second] == context) return it->second;
    }
    contexts_.push_back(std::move(context));
    const auto id = static_cast<std::uint32_t>(contexts_.size() - 1);
    ids_.emplace(key, id);
    return id;
  }

  void push(NodeId node, std::uint32_t context, bool root = false) {
    const std::uint64_t key = static_cast<std::uint64_t>(node) << 32 | context;
    const auto [seen, fresh] = seen_.try_emplace(key, root);
    if (fresh || (root && !seen->second)) stack_.push_back({node, context, root});
  }

  void visit(const Item& item) {
    const ir::Node& node = graph_.nodes[item.node];
    const bool source = node.operand_count == 0;
    const bool stops = node.kind == NodeKind::reduce || node.kind == NodeKind::arg_reduce ||
                       node.kind == NodeKind::contract;
    if (source || stops || (is_leaf_[item.node] && !item.root)) {
      const Context& context = contexts_[item.context];
      accesses_.push_back({item.node, context.index, context.guards, false});
      return;
    }
    if (inside_ && entered_.emplace(item.node, true).second) inside_->push_back(item.node);
    const auto operands = graph_.operands(item.node);
    if (node.kind == NodeKind::map) {
      for (std::size_t i = operands.size(); i-- > 0;) push(operands[i], item.context);
    } else if (node.kind == NodeKind::concat) {
      for (std::size_t i = operands.size(); i-- > 0;) {
        push(operands[i], intern(concat_operand(item, node, i > 0)));
      }
    } else {
      Context context = contexts_[item.context];
      std::vector<Affine> inner =
          operand_index<AffineAlgebra>(graph_, item.node, context.index, algebra_);
      if (node.kind == NodeKind::pad) {
        push(operands[1], intern({{}, {}}));
        add_guards(context, item.node);
      }
      context.index = std::move(inner);
      push(operands[0], intern(std::move(context)));
    }
  }

  Context concat_operand(const Item& item, const ir::Node& node, bool shifted) {
    Context context = contexts_[item.context];
    Affine& axis = context.index[node.imm];
    add_guard(context, axis);
    axis.offset = axis.offset || shifted;
    return context;
  }

  static void add_guard(Context& context, const Affine& index) {
    for (const auto& term : index.terms) context.guards.push_back(term.coordinate);
    context.guards.insert(context.guards.end(), index.divided.begin(), index.divided.end());
    std::ranges::sort(context.guards);
    const auto repeated = std::ranges::unique(context.guards);
    context.guards.erase(repeated.begin(), repeated.end());
  }

  void add_guards(Context& context, NodeId pad) {
    const auto from = graph_.shape(graph_.operand(pad, 0));
    const auto to = graph_.shape(pad);
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (from[i] != to[i]) add_guard(context, context.index[i]);
    }
  }

  const ir::Graph& graph_;
  AffineAlgebra algebra_;
  const std::vector<bool>& is_leaf_;
  std::vector<NodeId>* inside_;
  std::vector<Context> contexts_;
  std::unordered_multimap<std::uint64_t, std::uint32_t> ids_;
  std::unordered_map<std::uint64_t, bool> seen_;
  std::unordered_map<NodeId, bool> entered_;
  std::vector<Item> stack_;
  std::vector<Access> accesses_;
};

}  // namespace

std::vector<Access> walk(const ir::Graph& graph, const std::vector<Root>& roots,
                         const std::vector<bool>& is_leaf, std::vector<NodeId>* inside) {
  return Walk(graph, is_leaf, inside).run(roots);
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
