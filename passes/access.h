// How an expression reads its leaves: each leaf's index as a symbolic function of the iteration's
// coordinates. Fusion, collapsing of axes and the choice of the vector axis are decided by it.
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "ir/graph.h"

namespace kiln::passes {

// coefficient * product of symbols (sorted)
struct Monomial {
  std::int64_t coefficient = 1;
  std::vector<ir::Sym> factors;
  bool operator==(const Monomial&) const = default;
};
Monomial multiply(const ir::Graph& graph, Monomial m, ir::Sym sym);

// A sum of coordinates with symbolic coefficients plus an offset that is the same everywhere; or,
// where an index was divided, only the set of coordinates it depends on. Equal sums are equal.
struct Affine {
  struct Term {
    std::uint32_t coordinate = 0;
    Monomial coefficient;
    bool operator==(const Term&) const = default;
  };
  std::vector<Term> terms;             // by ascending coordinate
  std::vector<Monomial> offset;        // ascending by factors, none with coefficient 0
  std::vector<std::uint32_t> divided;  // coordinates that it depends on in another way, ascending
  bool operator==(const Affine&) const = default;
  // exactly coordinate c, or exactly 0
  bool is_coordinate(std::uint32_t c) const;
  bool is_zero() const { return terms.empty() && offset.empty() && divided.empty(); }
};

// The algebra of index_map.h over Affine.
struct AffineAlgebra {
  using Index = Affine;
  const ir::Graph& graph;
  Affine zero() const { return {}; }
  Affine add(Affine a, const Affine& b) const;
  Affine add(Affine a, ir::Sym s) const;
  Affine sub(Affine a, ir::Sym s) const;
  Affine mul(Affine a, ir::Sym s) const;
  Affine div(const Affine& a, ir::Sym) const { return opaque(a); }
  Affine rem(const Affine& a, ir::Sym) const { return opaque(a); }
  static Affine opaque(const Affine& a);
};

// One way in which a leaf is read.
struct Access {
  ir::NodeId leaf = 0;
  std::vector<Affine> index;          // one an axis of the leaf
  std::vector<std::uint32_t> guards;  // coordinates that a mask (pad, concat) on the way depends on
  bool output = false;                // the dense buffer that the node is stored to
};

// Which coordinate each axis of a node runs along; an axis of extent 1 runs along none.
using Coordinates = std::vector<std::uint32_t>;
inline constexpr std::uint32_t kUnit = ~std::uint32_t{0};
// Axes in order get coordinates 0, 1, ..., those of extent 1 kUnit.
Coordinates coordinates_of(std::span<const ir::Sym> shape);
// The index whose entries are exactly these coordinates.
std::vector<Affine> index_at(const Coordinates& coordinates);
// The shape without axes of extent 1.
std::vector<ir::Sym> without_units(std::span<const ir::Sym> shape);

// A place where a walk starts: a node and the index at which its value is wanted. `enter`: the node
// itself is computed here even if it is a leaf for others.
struct Root {
  ir::NodeId node = 0;
  std::vector<Affine> index;
  bool enter = false;
};

// Expressions unfolded: every (node, index) that the roots need, once each. What is asked for at
// two indices is two visits, since it is computed twice.
struct Visit {
  ir::NodeId node = 0;
  std::uint32_t context = 0;                           // of Unfolding::contexts
  bool leaf = false;                                   // the walk stopped here
  std::uint32_t first_operand = 0, operand_count = 0;  // of Unfolding::operands: visits
};
struct Context {
  std::vector<Affine> index;
  std::vector<std::uint32_t> guards;
  bool operator==(const Context&) const = default;
};
std::uint64_t hash_of(const Context& context);
// The contexts in which a node's operands are needed where the node itself is needed in one. Not
// for leaves: reductions, products, nodes without operands.
std::vector<Context> operand_contexts(const ir::Graph& graph, ir::NodeId node,
                                      const Context& context);
struct Unfolding {
  std::vector<Context> contexts;
  std::vector<Visit> visits;
  std::vector<std::uint32_t> operands;
  std::vector<std::uint32_t> roots;  // visit of each root
};

// Walks from the roots towards the operands, through maps and views, and stops at leaves: nodes for
// which is_leaf holds, nodes without operands, reductions and products.
Unfolding unfold(const ir::Graph& graph, const std::vector<Root>& roots,
                 const std::vector<bool>& is_leaf);
// The leaves of the same walk, in the order met; `inside`, if given, receives every node passed
// through, once each.
std::vector<Access> walk(const ir::Graph& graph, const std::vector<Root>& roots,
                         const std::vector<bool>& is_leaf,
                         std::vector<ir::NodeId>* inside = nullptr);
// Values of a coordinate between which every pad and concat that is indexed by it alone, at unit
// step, is wholly inside or wholly outside: sums of monomials.
std::vector<std::vector<Monomial>> edges(const ir::Graph& graph, const Unfolding& unfolded,
                                         std::uint32_t coordinate);
// How many of the coordinates, nested loops from the outermost in, have to be known for an index:
// what is computed there is computed once for each point of these loops.
std::size_t depth(std::span<const Affine> index);
// The coordinates of an index that is nothing but distinct coordinates, with nothing masked; else
// none.
std::optional<Coordinates> plain(std::span<const ir::Sym> shape, const Context& context);

// The element's offset in a dense leaf, or one with strides, as one symbolic function; opaque if
// some axis is.
Affine linear(const ir::Graph& graph, const Access& access);

}  // namespace kiln::passes
