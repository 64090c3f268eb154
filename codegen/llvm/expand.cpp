// Transcendental operations, by their definitions in ir/math: inlined, or a function of the module.
#include <llvm/IR/Module.h>

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

#include "codegen/llvm/ops.h"
#include "ir/error.h"
#include "ir/mutant.h"

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

// Two registers' worth of independent work hides the latency of a polynomial; more would spill what
// else the loop holds. A function of its own holds nothing else: it takes four at a time, as many
// as come back in registers, and so its calls cost nothing.
constexpr int kInlineRegisters = 2;
constexpr int kCalledRegisters = 4;

// Of two registers and less a call costs up to a quarter of the work. So often the work is inlined
// all the same, each time for as long as a small kernel takes to compile; a call takes a twentieth.
// A loop over vectors has two uses, one of them for what is left over.
constexpr std::int64_t kMostInlined = 4;

DType computed_in(DType type) { return ir::is_half(type) ? DType::float32 : type; }

const ir::Function& expansion_of(ir::Op op, DType type) {
  const ir::Function* f = ir::expansion(op, computed_in(type));
  ir::internal_check(f != nullptr, "llvm: an operation without expansion");
  return *f;
}

}  // namespace

void use_vectors_of(llvm::Function& function, int bytes) {
  const std::string bits = std::to_string(8 * bytes);
  function.addFnAttr("prefer-vector-width", bits);
  function.addFnAttr("min-legal-vector-width", bits);
}

void OpEmitter::expect(ir::Op op, DType type, int lanes, std::int64_t times) {
  expected_[{&expansion_of(op, type), lanes}] += times;
}

OpEmitter::Pieces OpEmitter::pieces(const ir::Function& f, int lanes) const {
  const int of_register = vector_bytes_ / static_cast<int>(ir::size_of(f.result_type));
  const auto divides = [&](int piece) {
    return lanes % piece == 0 && std::has_single_bit(static_cast<unsigned>(lanes / piece));
  };
  const int called = kCalledRegisters * of_register, inlined = kInlineRegisters * of_register;
  if (divides(called)) return {called, true};
  const auto expected = expected_.find({&f, lanes});
  const bool often = expected != expected_.end() && expected->second > kMostInlined;
  if (often && lanes < called) return {lanes, true};
  return {divides(inlined) ? inlined : lanes, false};
}

Element OpEmitter::expand(ir::Op op, DType type, llvm::ArrayRef<Element> args) {
  const ir::Function& f = expansion_of(op, type);
  llvm::SmallVector<Element, 3> operands;
  for (const Element& arg : args) operands.push_back({arg.wide ? arg.wide : arg.value, nullptr});

  const int lanes = lanes_of(operands[0].value);
  const auto [piece, called] = pieces(f, lanes);
  std::vector<llvm::Value*> results;
  for (int first = 0; first < lanes; first += piece) {
    const int from = called && mutant(ir::Mutant::called_pieces) ? 0 : first;
    llvm::SmallVector<Element, 3> some;
    for (const Element& e : operands) {
      some.push_back({piece == lanes ? e.value : part(b_, e.value, from, piece), nullptr});
    }
    results.push_back(called ? call(f, some, piece) : inline_function(f, some, piece).value);
  }
  llvm::Value* value = concatenate(b_, std::move(results), piece);
  return ir::is_half(type) ? narrow(type, value) : Element{value, nullptr};
}

llvm::Value* OpEmitter::call(const ir::Function& f, llvm::ArrayRef<Element> args, int lanes) {
  llvm::Function* function = function_of(f, lanes);
  llvm::SmallVector<llvm::Value*, 3> values;
  for (const Element& arg : args) values.push_back(arg.value);
  // Vectors that live across calls are spilled. Those that cross cache lines would cost the most.
  if (x86_) b_.GetInsertBlock()->getParent()->addFnAttr("stackrealign");
  return b_.CreateCall(function, values);
}

// Operands and result are in registers, by the convention of the platform.
llvm::Function* OpEmitter::function_of(const ir::Function& f, int lanes) {
  llvm::Module& module = *b_.GetInsertBlock()->getModule();
  const std::string name = f.name + ".x" + std::to_string(lanes);
  if (llvm::Function* known = module.getFunction(name)) return known;

  llvm::SmallVector<llvm::Type*, 3> types;
  for (const DType param : f.params) types.push_back(type(param, lanes));
  auto* function =
      llvm::Function::Create(llvm::FunctionType::get(type(f.result_type, lanes), types, false),
                             llvm::Function::InternalLinkage, name, module);
  use_vectors_of(*function, vector_bytes_);
  function->addFnAttr(llvm::Attribute::NoInline);
  function->addFnAttr(llvm::Attribute::WillReturn);
  function->setDoesNotThrow();
  function->setDoesNotAccessMemory();

  const llvm::IRBuilderBase::InsertPoint here = b_.saveIP();
  b_.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "entry", function));
  llvm::SmallVector<Element, 3> args;
  for (llvm::Argument& arg : function->args()) args.push_back({&arg, nullptr});
  b_.CreateRet(inline_function(f, args, lanes).value);
  b_.restoreIP(here);
  return function;
}

namespace {

std::size_t region_end(const ir::Function& f, std::size_t rare) {
  std::size_t depth = 1, i = rare;
  while (depth > 0) {
    ++i;
    ir::internal_check(i < f.insts.size(), "llvm: a rare region without end");
    if (f.insts[i].code == ir::Code::rare) ++depth;
    if (f.insts[i].code == ir::Code::end_rare) --depth;
  }
  return i;
}

// What a region between `rare` and `end` reads from before it, constants aside.
std::vector<ir::Value> inputs_of(const ir::Function& f, std::size_t rare, std::size_t end) {
  std::vector<ir::Value> inputs;
  const auto add = [&](ir::Value v) {
    if (v >= rare || f.insts[v].code == ir::Code::constant) return;
    if (std::find(inputs.begin(), inputs.end(), v) == inputs.end()) inputs.push_back(v);
  };
  for (std::size_t i = rare + 1; i < end; ++i) {
    for (const ir::Value v : f.insts[i].args) {
      if (v != ir::kNoValue) add(v);
    }
  }
  add(f.insts[end].args[1]);
  return inputs;
}

// Regions of more instructions than this are not worth compiling for vectors, in place, each time.
constexpr std::size_t kLargeRegion = 24;

}  // namespace

Element OpEmitter::inline_function(const ir::Function& f, llvm::ArrayRef<Element> args, int lanes) {
  std::vector<Element> values(f.insts.size());
  for (std::size_t i = 0; i < f.params.size(); ++i) values[i] = args[i];
  for (std::size_t i = f.params.size(); i < f.insts.size(); ++i) {
    if (f.insts[i].code == ir::Code::rare) {
      const std::size_t end = region_end(f, i);
      if (end - i > kLargeRegion) {
        values[end] = call_region(f, i, end, values);
        i = end;
        continue;
      }
    }
    emit_instruction(f, i, values, lanes);
  }
  return values[f.result];
}

void OpEmitter::emit_instruction(const ir::Function& f, std::size_t i, std::vector<Element>& values,
                                 int lanes) {
  const ir::Inst& inst = f.insts[i];
  if (inst.code == ir::Code::constant) {
    values[i] = constant(inst.dtype, static_cast<std::uint64_t>(inst.imm), lanes);
  } else if (inst.code == ir::Code::op) {
    llvm::SmallVector<Element, 3> operands;
    const auto arity = static_cast<std::size_t>(ir::info(inst.op).arity);
    for (std::size_t k = 0; k < arity; ++k) operands.push_back(values[inst.args[k]]);
    const DType type = f.insts[inst.args[inst.op == ir::Op::select ? 1 : 0]].dtype;
    values[i] = op(inst.op, type, inst.dtype, operands);
  } else if (inst.code == ir::Code::rare) {
    open_.push_back(begin_rare(values[inst.args[0]].value));
  } else if (inst.code == ir::Code::end_rare) {
    ir::internal_check(!open_.empty(), "llvm: end_rare without rare");
    values[i] = end_rare(open_.back(), values[inst.args[1]], values[inst.args[2]]);
    open_.pop_back();
  } else {
    ir::internal_error("llvm: " + f.name + " is not a straight line");
  }
}

// The lanes that need the region are computed one by one in a function of its own, made once a
// kernel. It keeps all registers, so that the code around the call is as if there were none.
Element OpEmitter::call_region(const ir::Function& f, std::size_t rare, std::size_t end,
                               const std::vector<Element>& values) {
  const Element& otherwise = values[f.insts[end].args[2]];
  llvm::Value* condition = values[f.insts[rare].args[0]].value;
  const std::vector<ir::Value> inputs = inputs_of(f, rare, end);
  llvm::Function* region = region_function(f, rare, end, inputs);
  const int lanes = lanes_of(condition);

  const Rare scope = begin_rare(condition);
  const auto in_memory = [&](DType dtype, const Element& e, unsigned slot) {
    llvm::AllocaInst* place = scratch(memory_type(dtype, lanes), slot);
    b_.CreateStore(to_memory(dtype, e), place);
    return place;
  };
  llvm::SmallVector<llvm::Value*, 8> arguments{b_.getInt64(static_cast<std::uint64_t>(lanes))};
  arguments.push_back(in_memory(DType::bool_, {condition, nullptr}, 0));
  llvm::Value* result = in_memory(f.insts[end].dtype, otherwise, 1);
  arguments.push_back(result);
  for (unsigned k = 0; k < inputs.size(); ++k) {
    arguments.push_back(in_memory(f.insts[inputs[k]].dtype, values[inputs[k]], k + 2));
  }
  llvm::CallInst* call = b_.CreateCall(region, arguments);
  call->setCallingConv(region->getCallingConv());
  const DType dtype = f.insts[end].dtype;
  const Element computed = from_memory(dtype, b_.CreateLoad(memory_type(dtype, lanes), result));
  return end_rare({nullptr, scope.from, scope.join}, computed, otherwise);
}

llvm::Function* OpEmitter::region_function(const ir::Function& f, std::size_t rare, std::size_t end,
                                           const std::vector<ir::Value>& inputs) {
  llvm::Module& module = *b_.GetInsertBlock()->getModule();
  const std::string name = f.name + ".rare" + std::to_string(rare);
  if (llvm::Function* known = module.getFunction(name)) return known;

  llvm::SmallVector<llvm::Type*, 8> types{b_.getInt64Ty(), b_.getPtrTy(), b_.getPtrTy()};
  types.append(inputs.size(), b_.getPtrTy());
  auto* type = llvm::FunctionType::get(b_.getVoidTy(), types, false);
  auto* region = llvm::Function::Create(type, llvm::Function::InternalLinkage, name, module);
  region->addFnAttr(llvm::Attribute::NoInline);
  region->addFnAttr(llvm::Attribute::Cold);
  region->setDoesNotThrow();
  if (x86_) {  // AArch64 (LLVM 19) accepts the convention and keeps no vector register
    region->setCallingConv(llvm::CallingConv::PreserveAll);
    // vzeroupper at the end would destroy the registers just restored.
    region->addFnAttr("target-features", (features_ + ",-vzeroupper").str());
  }

  const llvm::IRBuilderBase::InsertPoint here = b_.saveIP();
  const auto block = [&](const char* label) {
    return llvm::BasicBlock::Create(module.getContext(), label, region);
  };
  llvm::BasicBlock* entry = block("entry");
  llvm::BasicBlock* head = block("lane");
  llvm::BasicBlock* inside = block("inside");
  llvm::BasicBlock* next = block("next");
  llvm::BasicBlock* after = block("after");
  b_.SetInsertPoint(entry);
  b_.CreateBr(head);
  b_.SetInsertPoint(head);
  llvm::PHINode* lane = b_.CreatePHI(b_.getInt64Ty(), 2);
  lane->addIncoming(b_.getInt64(0), entry);
  const auto place = [&](DType dtype, unsigned argument) {
    return b_.CreateInBoundsGEP(memory_type(dtype, 1), region->getArg(argument), lane);
  };
  const auto read = [&](DType dtype, unsigned argument) {
    return from_memory(dtype, b_.CreateLoad(memory_type(dtype, 1), place(dtype, argument)));
  };
  b_.CreateCondBr(read(DType::bool_, 1).value, inside, next);
  b_.SetInsertPoint(inside);
  std::vector<Element> values(f.insts.size());
  for (std::size_t i = 0; i < rare; ++i) {
    if (f.insts[i].code == ir::Code::constant) emit_instruction(f, i, values, 1);
  }
  for (unsigned k = 0; k < inputs.size(); ++k) {
    values[inputs[k]] = read(f.insts[inputs[k]].dtype, k + 3);
  }
  for (std::size_t i = rare + 1; i < end; ++i) emit_instruction(f, i, values, 1);
  const DType dtype = f.insts[end].dtype;
  b_.CreateStore(to_memory(dtype, values[f.insts[end].args[1]]), place(dtype, 2));
  b_.CreateBr(next);
  b_.SetInsertPoint(next);
  llvm::Value* following = b_.CreateNUWAdd(lane, b_.getInt64(1));
  lane->addIncoming(following, next);
  b_.CreateCondBr(b_.CreateICmpULT(following, region->getArg(0)), head, after);
  b_.SetInsertPoint(after);
  b_.CreateRetVoid();
  b_.restoreIP(here);
  return region;
}

llvm::AllocaInst* OpEmitter::scratch(llvm::Type* type, unsigned slot) {
  llvm::Function* function = b_.GetInsertBlock()->getParent();
  llvm::AllocaInst*& array = scratch_[{function, type, slot}];
  if (!array) {
    llvm::BasicBlock& entry = function->getEntryBlock();
    llvm::IRBuilder<> at(&entry, entry.begin());
    array = at.CreateAlloca(type);
    array->setAlignment(llvm::Align(64));
  }
  return array;
}

}  // namespace kiln::codegen
