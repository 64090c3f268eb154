// Private to ir and the frontend: in what terms the kinds state their shape rules.
//
// One rule a kind serves whoever has shapes, in terms of his own: numbers when an operation is
// recorded, variables that become equal when a graph is built, symbols when one is verified.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "ir/attributes.h"

namespace kiln::ir {

class Shapes {
 public:
  // An extent: what it is the implementation knows.
  using Extent = std::int64_t;

  virtual ~Shapes() = default;

  // What there is.
  virtual int operands() const = 0;
  virtual std::size_t rank(int operand) const = 0;
  virtual Extent extent(int operand, std::size_t axis) const = 0;
  virtual bool is_one(Extent extent) const = 0;      // exactly 1, so that it broadcasts
  virtual std::size_t result_rank() const = 0;       // as the node says
  virtual std::span<const std::uint8_t> axes() = 0;  // of ir::Axes
  virtual const Groups& groups() = 0;
  virtual std::size_t number() const = 0;           // Node::imm
  virtual std::size_t result() const { return 0; }  // of several, the one whose shape is asked for

  // What the rule demands and says. `otherwise` is what is wrong with a node that breaks it.
  virtual void equal(Extent a, Extent b, std::string_view otherwise) = 0;
  virtual void put(Extent extent, std::string_view otherwise) = 0;  // the result's next axis

  // Extents of the result's axes that no rule computes: the node says them.
  // Of nothing else.
  virtual Extent free(std::size_t axis) = 0;
  // The same where it has the same value, fields, and extents that it is made from.
  virtual Extent derived(std::size_t axis, std::span<const Extent> from) = 0;
  // An axis made from one, as a window on it or around it: its extent where both are as long.
  virtual Extent window(std::size_t axis, Extent of) = 0;
  // A part of an axis: equal where both are as long.
  virtual void part(std::size_t /*axis*/, Extent /*of*/, Extent /*part*/) {}
  virtual Extent sum(std::size_t axis, std::span<const Extent> parts,
                     std::string_view otherwise) = 0;
};

}  // namespace kiln::ir
