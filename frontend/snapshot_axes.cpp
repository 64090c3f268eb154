// The axes of the graph's nodes, as variables that operations unify.
#include <algorithm>

#include "frontend/snapshot_builder.h"
#include "ir/nodes/rule.h"
#include "ir/nodes/shape.h"

namespace kiln::inline v0::frontend {

// Applies a kind's shape rule, and fills the attribute's fields of each axis when it comes to it.
class Builder::Variables final : public ir::Shapes {
 public:
  Variables(Builder& b, Node& node, ir::Attribute& attribute)
      : b_(b),
        symbols_(b.symbols_),
        node_(node),
        to_(node.shape->shape.extents()),
        attribute_(attribute) {}

  int operands() const override { return static_cast<int>(node_.operand_count); }
  std::size_t rank(int i) const override { return of(i).size(); }
  Extent extent(int i, std::size_t axis) const override { return of(i)[axis]; }
  bool is_one(Extent e) const override { return e == kVarOne; }
  std::size_t result_rank() const override { return to_.size(); }
  std::span<const std::uint8_t> axes() override { return std::get<ir::Axes>(attribute_).axes; }
  const ir::Groups& groups() override { return std::get<ir::Groups>(attribute_); }
  std::size_t number() const override { return node_.imm; }

  void equal(Extent a, Extent b, std::string_view) override {
    symbols_.unite(static_cast<Var>(a), static_cast<Var>(b));
  }
  void put(Extent e, std::string_view) override { b_.axes_.push_back(static_cast<Var>(e)); }

  Extent free(std::size_t axis) override { return symbols_.extent(to_[axis]); }
  // Whatever axis it is: equal windows on equal axes are equally long.
  Extent derived(std::size_t axis, std::span<const Extent> from) override {
    auto key = static_cast<std::uint64_t>(node_.kind);
    for (const Extent e : from) key = mix(key, symbols_.find(static_cast<Var>(e)));
    ir::each_sym_list(attribute_, [&](std::span<const ir::Sym> list) {
      if (axis < list.size()) key = mix(key, list[axis]);
    });
    return symbols_.derived(mix(key, static_cast<std::uint64_t>(to_[axis])), to_[axis]);
  }
  Extent window(std::size_t axis, Extent of) override {
    fill(axis);
    return symbols_.value(static_cast<Var>(of)) == to_[axis] ? of : derived(axis, {&of, 1});
  }
  void part(std::size_t axis, Extent of, Extent part) override {
    fill(axis);
    const Var a = static_cast<Var>(of), b = static_cast<Var>(part);
    if (symbols_.value(a) == symbols_.value(b)) symbols_.unite(a, b);
  }
  Extent sum(std::size_t axis, std::span<const Extent> parts, std::string_view) override {
    return derived(axis, parts);
  }

 private:
  std::span<const Var> of(int i) const {
    return b_.axes_of(b_.input(&node_, static_cast<std::uint32_t>(i)));
  }
  void fill(std::size_t axis) {
    if (auto* const slices = std::get_if<ir::Slices>(&attribute_)) {
      slices->begin.push_back(symbols_.integer(Symbols::Use::begin, node_.list()[axis]));
      slices->step.push_back(symbols_.integer(Symbols::Use::step, node_.more()[axis]));
    } else if (auto* const pads = std::get_if<ir::Pads>(&attribute_)) {
      pads->low.push_back(symbols_.integer(Symbols::Use::low, node_.list()[axis]));
    }
  }

  Builder& b_;
  Symbols& symbols_;
  Node& node_;
  const std::span<const std::int64_t> to_;
  ir::Attribute& attribute_;
};

// One of an earlier snapshot, if there is one of that type, whose lists keep their memory.
ir::Attribute& Builder::next_attribute(ir::NodeKind kind) {
  const std::size_t index = ir::attribute_index(kind);
  std::vector<ir::Attribute>& list = out_->graph.attributes;
  if (index == 0) return list[0];
  if (attributes_ == list.size()) list.emplace_back();
  ir::Attribute& next = list[attributes_];
  if (next.index() != index) next = ir::new_attribute(index);
  ir::each_field(next, [](auto& field) {
    if constexpr (requires { field.clear(); }) field.clear();
  });
  return next;
}

ir::Attribute& Builder::write_axes(Node* node) {
  const auto kind = static_cast<ir::NodeKind>(node->kind);
  ir::Attribute& attribute = next_attribute(kind);
  if (auto* const axes = std::get_if<ir::Axes>(&attribute)) {
    for (const std::int64_t axis : node->list())
      axes->axes.push_back(static_cast<std::uint8_t>(axis));
  } else if (auto* const groups = std::get_if<ir::Groups>(&attribute)) {
    *groups = group_axes(input(node, 0)->shape->shape.extents(), node->shape->shape.extents());
  }
  Variables variables(*this, *node, attribute);
  ir::rule(kind).shape(variables);
  return attribute;
}

}  // namespace kiln::inline v0::frontend
