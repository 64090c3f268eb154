// Every operation on every type and several widths, against the reference evaluator: bit for bit.
#include <array>

#include "tests/codegen/llvm/support.h"

namespace kiln::codegen::tests {
namespace {

using ir::DType;
using ir::Op;

constexpr std::int64_t kCount = 1 << 16;

// One output of a kernel that computes many operations of the same operands.
struct Case {
  Op op;
  DType type;  // as for ir::evaluate
  DType result;
};

std::string name(const Case& c) {
  return std::string(ir::info(c.op).name) + " " + std::string(ir::brief(c.type)) + " -> " +
         std::string(ir::brief(c.result));
}

// Operands: 8 and 16 bits take all values (8: all pairs), wider types all pairs of edges first.
Array operand(DType dtype, int which, Random& random) {
  Array array(dtype, kCount);
  const std::vector<std::uint64_t> edges = edge_values(dtype);
  const auto n = static_cast<std::int64_t>(edges.size());
  for (std::int64_t i = 0; i < kCount; ++i) {
    std::uint64_t bits = random_element(dtype, random);
    if (ir::is_bool(dtype)) {
      bits = static_cast<std::uint64_t>(i >> which) & 1;
    } else if (ir::size_of(dtype) == 1 && which < 2) {
      bits = static_cast<std::uint64_t>(i >> (8 * which)) & 0xff;
    } else if (ir::size_of(dtype) == 2 && which == 0) {
      bits = static_cast<std::uint64_t>(i);
    } else if (i < n * n && which < 2) {
      bits = edges[static_cast<std::size_t>(which == 0 ? i % n : i / n)];
    }
    array.set(i, bits);
  }
  return array;
}

class Operations : public ::testing::TestWithParam<std::tuple<DType, int>> {
 protected:
  // All cases in one kernel: out_k[i] = case_k(inputs[i]).
  static ir::Kernel kernel(const std::vector<Case>& cases, DType type, int lanes) {
    ir::KernelBuilder b(ir::Target::cpu, DType::int64);
    std::array<std::uint32_t, 4> in;
    in[0] = b.buffer(DType::bool_, "condition", true);
    for (std::uint32_t i = 1; i < 4; ++i) in[i] = b.buffer(type, "in" + std::to_string(i), true);
    std::vector<std::uint32_t> out;
    for (std::size_t k = 0; k < cases.size(); ++k) {
      out.push_back(b.buffer(cases[k].result, "out" + std::to_string(k), false));
    }
    const ir::Value item = b.begin_grid();
    const ir::Value at = b.mul(item, b.index(lanes));
    std::array<ir::Value, 4> v;
    for (std::size_t i = 0; i < 4; ++i) v[i] = b.load(in[i], at, lanes);
    for (std::size_t k = 0; k < cases.size(); ++k) {
      const int arity = ir::info(cases[k].op).arity;
      const ir::Value* args = v.data() + (cases[k].op == Op::select ? 0 : 1);
      b.store(out[k], at, b.op(cases[k].op, cases[k].result, args, arity));
    }
    b.end();
    return b.finish();
  }

  static void check(const std::vector<Case>& cases, DType type, int lanes) {
    Random random{7};
    std::vector<Array> in;
    in.push_back(operand(DType::bool_, 0, random));
    for (int i = 0; i < 3; ++i) in.push_back(operand(type, i, random));
    std::vector<Array> out;
    for (const Case& c : cases) out.emplace_back(c.result, kCount);
    std::vector<ir::KernelArg> args;
    for (Array& a : in) args.push_back({a.data()});
    for (Array& a : out) args.push_back({a.data()});
    const runtime::LinkedObject object = compile(kernel(cases, type, lanes));
    object.entry()(args.data(), 0, kCount / lanes);

    for (std::size_t k = 0; k < cases.size(); ++k) {
      const std::size_t first = cases[k].op == Op::select ? 0 : 1;
      std::vector<const void*> operands;
      for (std::size_t i = first; i < 4; ++i) operands.push_back(in[i].data());
      Array expected(cases[k].result, kCount);
      ir::evaluate(cases[k].op, type, cases[k].result, kCount, operands.data(), expected.data());
      EXPECT_EQ(difference(expected, out[k]), "") << name(cases[k]) << ", lanes " << lanes;
      EXPECT_TRUE(out[k].guard_intact()) << name(cases[k]);
    }
  }
};

bool accepted(Op op, DType type, DType result) {
  std::vector<DType> operands(ir::info(op).arity, type);
  if (op == Op::select) operands[0] = DType::bool_;
  return ir::type_error(op, operands, result).empty();
}

TEST_P(Operations, EqualReference) {
  KILN_REQUIRE_HOST();
  const auto [type, lanes] = GetParam();
  std::vector<Case> cases;
  for (int i = 0; i < ir::kOpCount; ++i) {
    const Op op = static_cast<Op>(i);
    if (ir::info(op).rule == ir::OpRule::Convert) continue;
    for (const DType result : {type, DType::bool_}) {
      const bool seen = !cases.empty() && cases.back().op == op;
      if (!seen && accepted(op, type, result)) cases.push_back({op, type, result});
    }
  }
  check(cases, type, lanes);
}

TEST_P(Operations, ConversionsEqualReference) {
  KILN_REQUIRE_HOST();
  const auto [type, lanes] = GetParam();
  std::vector<Case> cases;
  for (const DType result : real_dtypes()) {
    if (result != type) cases.push_back({Op::cast, type, result});
    if (accepted(Op::bitcast, type, result)) cases.push_back({Op::bitcast, type, result});
  }
  check(cases, type, lanes);
}

INSTANTIATE_TEST_SUITE_P(Llvm, Operations,
                         ::testing::Combine(::testing::ValuesIn(real_dtypes()),
                                            ::testing::Values(1, 4, 8, 16)),
                         [](const auto& test) {
                           return std::string(ir::brief(std::get<0>(test.param))) + "x" +
                                  std::to_string(std::get<1>(test.param));
                         });

}  // namespace
}  // namespace kiln::codegen::tests
