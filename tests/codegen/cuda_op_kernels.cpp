// One kernel an op, over every type that it accepts.
#include "ir/kernel_builder.h"
#include "tests/codegen/cuda_kernels.h"

namespace kiln::tests {

using ir::DType;
using ir::KernelBuilder;
using ir::Op;
using ir::Target;
using ir::Value;

namespace {

constexpr int kOpElements = 1024;

// out_t[i] = op(a_t[i], b_t[i], c_t[i]) for each type.
void op_on_type(KernelBuilder& b, Value i, Op op, DType type, DType result) {
  const std::string suffix = '_' + std::string(ir::brief(type)) +
                             (type == result ? "" : '_' + std::string(ir::brief(result)));
  std::vector<Value> operands;
  const int arity = ir::info(op).arity;
  for (int a = 0; a < arity; ++a) {
    const DType own = op == Op::select && a == 0 ? DType::bool_ : type;
    const std::string name = std::string(1, static_cast<char>('a' + a)) + suffix;
    operands.push_back(b.load(b.buffer(own, name, true), i));
  }
  b.store(b.buffer(result, "out" + suffix, false), i,
          b.op(op, result, operands.data(), static_cast<int>(operands.size())));
}

bool accepts(Op op, DType type, DType result) {
  std::vector<DType> operands(ir::info(op).arity, type);
  if (op == Op::select) operands[0] = DType::bool_;
  return ir::type_error(op, operands, result).empty();
}

Case op_case(Op op, DType from, bool conversions) {
  KernelBuilder b(Target::cuda, DType::int32);
  const Value i = thread_index(b, 128);
  for (int t = 0; t <= static_cast<int>(DType::float64); ++t) {
    const DType type = static_cast<DType>(t);
    if (conversions) {
      if (from != type && accepts(op, from, type)) op_on_type(b, i, op, from, type);
    } else {
      const DType result = ir::info(op).rule == ir::OpRule::Compare ? DType::bool_ : type;
      if (accepts(op, type, result)) op_on_type(b, i, op, type, result);
    }
  }
  std::string name = "op_" + std::string(ir::info(op).name);
  if (conversions) name += '_' + std::string(ir::brief(from));
  Case result{finish(b, name.c_str(), ""), kOpElements / 128, {}};
  result.sizes.assign(result.kernel.params.size(), kOpElements);
  return result;
}

}  // namespace

std::vector<Case> cuda_op_cases() {
  std::vector<Case> cases;
  for (int o = 0; o < ir::kOpCount; ++o) {
    const Op op = static_cast<Op>(o);
    if (ir::info(op).rule != ir::OpRule::Convert) {
      cases.push_back(op_case(op, DType::bool_, false));
      continue;
    }
    for (int t = 0; t <= static_cast<int>(DType::float64); ++t) {
      if (op == Op::bitcast && t == 0) continue;
      cases.push_back(op_case(op, static_cast<DType>(t), true));
    }
  }
  return cases;
}

}  // namespace kiln::tests
