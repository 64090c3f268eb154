// Transcendental operations, inlined from their definitions in ir/math.
#include <vector>

#include "codegen/llvm/ops.h"
#include "ir/error.h"

namespace kiln::codegen {

using ir::DType;

namespace {

llvm::Value* part(llvm::IRBuilder<>& b, llvm::Value* vector, int first, int lanes) {
  llvm::SmallVector<int, 64> mask;
  for (int i = 0; i < lanes; ++i) mask.push_back(first + i);
  return b.CreateShuffleVector(vector, mask);
}

// Vectors of equal lanes, one after another.
llvm::Value* concatenate(llvm::IRBuilder<>& b, std::vector<llvm::Value*> parts, int lanes) {
  while (parts.size() > 1) {
    std::vector<llvm::Value*> wider;
    llvm::SmallVector<int, 128> mask;
    for (int i = 0; i < 2 * lanes; ++i) mask.push_back(i);
    for (std::size_t i = 0; i < parts.size(); i += 2) {
      wider.push_back(b.CreateShuffleVector(parts[i], parts[i + 1], mask));
    }
    parts = std::move(wider);
    lanes *= 2;
  }
  return parts[0];
}

// Two registers' worth of independent work hides the latency of a polynomial; more would spill.
constexpr int kRegisters = 2;

}  // namespace

Element OpEmitter::expand(ir::Op op, DType type, llvm::ArrayRef<Element> args) {
  const DType computed = ir::is_half(type) ? DType::float32 : type;
  const ir::Function* f = ir::expansion(op, computed);
  ir::internal_check(f != nullptr, "llvm: an operation without expansion");
  llvm::SmallVector<Element, 3> operands;
  for (const Element& arg : args) operands.push_back({arg.wide ? arg.wide : arg.value, nullptr});

  const int lanes = lanes_of(operands[0].value);
  const int chunk = kRegisters * vector_bytes_ / static_cast<int>(ir::size_of(computed));
  llvm::Value* value = nullptr;
  if (lanes <= chunk || lanes % chunk != 0 || (lanes / chunk & (lanes / chunk - 1)) != 0) {
    value = inline_function(*f, operands, lanes).value;
  } else {
    std::vector<llvm::Value*> results;
    for (int first = 0; first < lanes; first += chunk) {
      llvm::SmallVector<Element, 3> some;
      for (const Element& e : operands) some.push_back({part(b_, e.value, first, chunk), nullptr});
      results.push_back(inline_function(*f, some, chunk).value);
    }
    value = concatenate(b_, std::move(results), chunk);
  }
  return ir::is_half(type) ? narrow(type, value) : Element{value, nullptr};
}

Element OpEmitter::inline_function(const ir::Function& f, llvm::ArrayRef<Element> args, int lanes) {
  std::vector<Element> values(f.insts.size());
  std::vector<Rare> rares;
  for (std::size_t i = 0; i < f.insts.size(); ++i) {
    const ir::Inst& inst = f.insts[i];
    switch (inst.code) {
      case ir::Code::constant:
        values[i] = constant(inst.dtype, static_cast<std::uint64_t>(inst.imm), lanes);
        break;
      case ir::Code::param:
        values[i] = args[static_cast<std::size_t>(inst.imm)];
        break;
      case ir::Code::op: {
        llvm::SmallVector<Element, 3> operands;
        const int arity = ir::info(inst.op).arity;
        for (int k = 0; k < arity; ++k) operands.push_back(values[inst.args[static_cast<std::size_t>(k)]]);
        const DType type = f.insts[inst.args[inst.op == ir::Op::select ? 1 : 0]].dtype;
        values[i] = this->op(inst.op, type, inst.dtype, operands);
        break;
      }
      case ir::Code::rare:
        rares.push_back(begin_rare(values[inst.args[0]].value));
        break;
      case ir::Code::end_rare:
        ir::internal_check(!rares.empty(), "llvm: end_rare without rare");
        values[i] = end_rare(rares.back(), values[inst.args[1]], values[inst.args[2]]);
        rares.pop_back();
        break;
      default:
        ir::internal_error("llvm: " + f.name + " is not a straight line");
    }
  }
  return values[f.result];
}

}  // namespace kiln::codegen
