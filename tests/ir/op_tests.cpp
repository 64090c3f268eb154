// What the tables of operations and dtypes say of types and names.
#include "ir/op.h"

#include <gtest/gtest.h>

#include <vector>

namespace kiln::ir {
namespace {

TEST(Op, TypeRules) {
  const DType f = DType::float32, i = DType::int32, b = DType::bool_;
  const auto ok = [](Op op, std::vector<DType> types, DType result) {
    return type_error(op, types, result).empty();
  };
  EXPECT_TRUE(ok(Op::add, {i, i}, i));
  EXPECT_FALSE(ok(Op::add, {b, b}, b));
  EXPECT_FALSE(ok(Op::add, {i, f}, f));
  EXPECT_FALSE(ok(Op::add, {i}, i));
  EXPECT_FALSE(ok(Op::div, {i, i}, i));
  EXPECT_FALSE(ok(Op::shl, {f, f}, f));
  EXPECT_TRUE(ok(Op::and_, {b, b}, b));
  EXPECT_FALSE(ok(Op::lt, {f, f}, f));
  EXPECT_TRUE(ok(Op::select, {b, f, f}, f));
  EXPECT_FALSE(ok(Op::select, {i, f, f}, f));
  EXPECT_TRUE(ok(Op::bitcast, {f}, i));
  EXPECT_FALSE(ok(Op::bitcast, {f}, DType::int64));
  EXPECT_FALSE(ok(Op::bitcast, {b}, DType::uint8));
  EXPECT_FALSE(ok(Op::cast, {f}, DType::complex64));
  EXPECT_FALSE(ok(Op::exp, {i}, i));
}

TEST(DType, BriefNames) {
  for (int i = 0; i < kDTypeCount; ++i) {
    EXPECT_EQ(dtype_from_brief(kDTypes[i].brief), static_cast<DType>(i));
  }
  EXPECT_FALSE(dtype_from_brief("float32"));
}

}  // namespace
}  // namespace kiln::ir
