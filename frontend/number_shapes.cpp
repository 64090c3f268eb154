#include "frontend/number_shapes.h"

#include "ir/error.h"
#include "ir/nodes/rule.h"

namespace kiln::inline v0::frontend {

namespace {

class NumberShapes final : public ir::Shapes {
 public:
  NumberShapes(std::span<Node* const> operands, std::span<const std::int64_t> axes,
               std::size_t number, PerAxis& result)
      : operands_(operands), number_(number), result_(result) {
    for (const std::int64_t axis : axes) axes_[axis_count_++] = static_cast<std::uint8_t>(axis);
  }

  int operands() const override { return static_cast<int>(operands_.size()); }
  std::size_t rank(int i) const override { return of(i).size(); }
  Extent extent(int i, std::size_t axis) const override { return of(i)[axis]; }
  bool is_one(Extent e) const override { return e == 1; }
  std::size_t result_rank() const override { unsaid(); }
  std::span<const std::uint8_t> axes() override { return {axes_, axis_count_}; }
  const ir::Groups& groups() override { unsaid(); }
  std::size_t number() const override { return number_; }

  void equal(Extent a, Extent b, std::string_view) override {
    ir::internal_check(a == b, "record: operands that do not fit");
  }
  void put(Extent e, std::string_view) override { result_.push_back(e); }
  Extent free(std::size_t) override { unsaid(); }
  Extent derived(std::size_t, std::span<const Extent>) override { unsaid(); }
  Extent window(std::size_t, Extent) override { unsaid(); }
  Extent sum(std::size_t, std::span<const Extent> parts, std::string_view) override {
    Extent sum = 0;
    for (const Extent part : parts) sum += part;
    return sum;
  }

 private:
  std::span<const std::int64_t> of(int i) const {
    return operands_[static_cast<std::size_t>(i)]->shape->shape.extents();
  }
  [[noreturn]] static void unsaid() { ir::internal_error("record: an extent that nobody said"); }

  std::span<Node* const> operands_;
  std::uint8_t axes_[ir::kMaxRank];
  std::size_t axis_count_ = 0;
  std::size_t number_;
  PerAxis& result_;
};

}  // namespace

PerAxis shape_by_rule(Kind kind, std::span<Node* const> operands,
                      std::span<const std::int64_t> axes, std::size_t number) {
  PerAxis result;
  NumberShapes shapes(operands, axes, number, result);
  ir::rule(static_cast<ir::NodeKind>(kind)).shape(shapes);
  return result;
}

}  // namespace kiln::inline v0::frontend
