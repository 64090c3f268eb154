#include "codegen/llvm/emit.h"

#include <bit>
#include <string>

#include "codegen/llvm/compat.h"
#include "ir/error.h"
#include "ir/scalar.h"

namespace kiln::codegen {

using ir::Code;
using ir::DType;
using ir::Inst;
using ir::Value;

namespace {

llvm::Function* declare(llvm::Module& module, int vector_bytes) {
  llvm::LLVMContext& context = module.getContext();
  llvm::Type* word = llvm::Type::getInt64Ty(context);
  llvm::Type* pointer = llvm::PointerType::getUnqual(context);
  auto* type =
      llvm::FunctionType::get(llvm::Type::getVoidTy(context), {pointer, word, word}, false);
  auto* function = llvm::Function::Create(type, llvm::Function::ExternalLinkage,
                                          llvm::StringRef(kEntrySymbol), module);
  use_vectors_of(*function, vector_bytes);
  function->setDoesNotThrow();
  function->addParamAttr(0, llvm::Attribute::NoAlias);
  function->addParamAttr(0, llvm::Attribute::ReadOnly);
  function->getArg(0)->setName("args");
  function->getArg(1)->setName("begin");
  function->getArg(2)->setName("end");
  return function;
}

llvm::BasicBlock* first_block(llvm::Function* function) {
  return llvm::BasicBlock::Create(function->getContext(), "entry", function);
}

}  // namespace

KernelEmitter::KernelEmitter(const ir::Kernel& kernel, llvm::TargetMachine& machine,
                             int vector_bytes, llvm::Module& module)
    : kernel_(kernel),
      module_(module),
      context_(module.getContext()),
      x86_(machine.getTargetTriple().isX86()),
      vector_bytes_(vector_bytes),
      function_(declare(module, vector_bytes)),
      info_(machine.getTargetTransformInfo(*function_)),
      b_(context_),
      entry_(first_block(function_)),
      ops_(b_, x86_, vector_bytes, machine.getTargetFeatureString()),
      start_(block("start")) {}

llvm::BasicBlock* KernelEmitter::block(const char* name) {
  return llvm::BasicBlock::Create(context_, name, function_);
}

void KernelEmitter::run() {
  ir::internal_check(kernel_.target == ir::Target::cpu, "llvm: not a CPU kernel");
  find_scopes();
  count_functions();
  values_.resize(kernel_.insts.size());
  params_.resize(kernel_.params.size());
  b_.SetInsertPoint(start_);
  declare_memories();
  for (std::size_t i = 0; i < kernel_.insts.size();) i = emit(i);
  ir::internal_check(frames_.empty(), "llvm: a scope is not closed");
  finish();
}

void KernelEmitter::finish() {
  if (streams_ && x86_) {
    // Other threads must see streamed data when they see that this kernel has ended.
    b_.CreateCall(compat::intrinsic(module_, llvm::Intrinsic::x86_sse_sfence, {}));
  }
  b_.CreateRetVoid();
  entry_.CreateBr(start_);
}

void KernelEmitter::find_scopes() {
  closing_.assign(kernel_.insts.size(), 0);
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < kernel_.insts.size(); ++i) {
    const Code code = kernel_.insts[i].code;
    const bool closes = code == Code::end || code == Code::end_rare || code == Code::else_;
    if (closes) {
      ir::internal_check(!open.empty(), "llvm: an end without a beginning");
      closing_[open.back()] = i;
      open.pop_back();
    }
    if (code == Code::grid || code == Code::thread || code == Code::loop || code == Code::if_ ||
        code == Code::rare || code == Code::else_) {
      open.push_back(i);
    }
  }
  ir::internal_check(open.empty(), "llvm: a scope is not closed");
}

// What an unrolled loop holds comes once a round.
void KernelEmitter::count_functions() {
  const auto constant = [&](Value v, std::int64_t otherwise) {
    const Inst& inst = kernel_.insts[v];
    return inst.code == Code::constant ? inst.imm : otherwise;
  };
  struct Unrolled {
    std::size_t end;
    std::int64_t times_before;
  };
  std::vector<Unrolled> open;
  std::int64_t times = 1;
  for (std::size_t i = 0; i < kernel_.insts.size(); ++i) {
    const Inst& inst = kernel_.insts[i];
    if (!open.empty() && open.back().end == i) {
      times = open.back().times_before;
      open.pop_back();
    }
    if (inst.code == Code::loop && inst.imm == 1) {
      open.push_back({closing_[i], times});
      const std::int64_t step = constant(inst.args[2], 1);
      times *= (constant(inst.args[1], 1) - constant(inst.args[0], 0) + step - 1) / step;
    }
    if (inst.code == Code::op && ir::has(inst.op, ir::kExpands)) {
      ops_.expect(inst.op, inst.dtype, inst.lanes, times);
    }
  }
}

bool KernelEmitter::has_operand(const Inst& inst, int k) const {
  return inst.args[static_cast<std::size_t>(k)] != ir::kNoValue;
}

const Element& KernelEmitter::operand(const Inst& inst, int k) const {
  const ir::Value value = inst.args[static_cast<std::size_t>(k)];
  ir::internal_check(value < values_.size() && values_[value].value != nullptr,
                     "llvm: an operand that is not defined yet");
  return values_[value];
}

std::size_t KernelEmitter::emit(std::size_t i) {
  const Inst& inst = kernel_.insts[i];
  switch (inst.code) {
    case Code::grid:
      return begin_loop(i, function_->getArg(1), function_->getArg(2), b_.getInt64(1));
    case Code::loop:
      if (inst.imm == 1) return begin_unrolled(i);
      return begin_loop(i, operand(inst, 0).value, operand(inst, 1).value, operand(inst, 2).value);
    case Code::if_:
      begin_if(i);
      return i + 1;
    case Code::else_:
      begin_else();
      return i + 1;
    case Code::end:
      return end_scope(i);
    case Code::rare: {
      Frame frame;
      frame.code = Code::rare;
      frame.rare = ops_.begin_rare(operand(inst, 0).value);
      frames_.push_back(frame);
      return i + 1;
    }
    case Code::end_rare: {
      ir::internal_check(!frames_.empty() && frames_.back().code == Code::rare,
                         "llvm: end_rare without rare");
      const OpEmitter::Rare rare = frames_.back().rare;
      frames_.pop_back();
      values_[i] = ops_.end_rare(rare, operand(inst, 1), operand(inst, 2));
      return i + 1;
    }
    case Code::store:
      store(inst);
      return i + 1;
    case Code::prefetch:
      prefetch(inst);
      return i + 1;
    case Code::constant:
    case Code::param:
    case Code::op:
    case Code::load:
    case Code::thread:
    case Code::splat:
    case Code::lane:
    case Code::extract:
    case Code::join:
    case Code::even:
    case Code::odd:
    case Code::barrier:
    case Code::shuffle:
    case Code::any:
      break;
  }
  emit_value(i);
  return i + 1;
}

void KernelEmitter::emit_value(std::size_t i) {
  const Inst& inst = kernel_.insts[i];
  const int lanes = inst.lanes;
  Element& out = values_[i];
  switch (inst.code) {
    case Code::constant:
      out = ops_.constant(inst.dtype, static_cast<std::uint64_t>(inst.imm), lanes);
      break;
    case Code::param:
      out = param(static_cast<std::uint32_t>(inst.imm));
      break;
    case Code::op:
      out = operation(inst);
      break;
    case Code::load:
      out = load(inst);
      break;
    case Code::splat:
      out = ops_.splat(operand(inst, 0), lanes);
      break;
    case Code::lane:
      out = lane_numbers(inst.dtype, lanes);
      break;
    case Code::any:
      out = {ops_.any(operand(inst, 0).value), nullptr};
      break;
    case Code::extract: {
      const Element& e = operand(inst, 0);
      const auto at = static_cast<std::uint64_t>(inst.imm);
      out = {b_.CreateExtractElement(e.value, at),
             e.wide ? b_.CreateExtractElement(e.wide, at) : nullptr};
      break;
    }
    case Code::join: {
      llvm::SmallVector<int, 128> order;
      for (int k = 0; k < lanes; ++k) order.push_back(k);
      out = shuffled(inst.args[0], inst.args[1], order);
      break;
    }
    case Code::even:
    case Code::odd: {
      llvm::SmallVector<int, 128> order;
      for (int k = 0; k < lanes; ++k) order.push_back(2 * k + (inst.code == Code::odd ? 1 : 0));
      // Of a join, one shuffle of two registers instead of one of a wide vector.
      const Inst& from = kernel_.insts[inst.args[0]];
      const bool joined = from.code == Code::join && lanes > 1;
      out = joined ? shuffled(from.args[0], from.args[1], order)
                   : shuffled(inst.args[0], inst.args[0], order);
      break;
    }
    case Code::thread:
      ir::internal_error("llvm: a thread loop is for CUDA only, in kernel " + kernel_.name);
    case Code::barrier:
      ir::internal_error("llvm: a barrier is for CUDA only, in kernel " + kernel_.name);
    case Code::shuffle:
      ir::internal_error("llvm: a shuffle is for CUDA only, in kernel " + kernel_.name);
    case Code::store:
    case Code::grid:
    case Code::loop:
    case Code::if_:
    case Code::else_:
    case Code::end:
    case Code::rare:
    case Code::end_rare:
    case Code::prefetch:
      ir::internal_error("llvm: an unknown instruction in kernel " + kernel_.name);
  }
  name_value(inst, out);
}

void KernelEmitter::name_value(const Inst& inst, const Element& value) {
  if (inst.name == 0 || context_.shouldDiscardValueNames()) return;
  if (llvm::isa<llvm::Instruction>(value.value)) value.value->setName(kernel_.names[inst.name]);
}

Element KernelEmitter::operation(const Inst& inst) {
  llvm::SmallVector<Element, 3> operands;
  const int arity = ir::info(inst.op).arity;
  for (int k = 0; k < arity; ++k) operands.push_back(operand(inst, k));
  const DType type = kernel_.insts[inst.args[inst.op == ir::Op::select ? 1 : 0]].dtype;
  return ops_.op(inst.op, type, inst.dtype, operands);
}

// Loaded once, in the entry block. Pointers are not loaded here but in declare_memories.
Element KernelEmitter::param(std::uint32_t index) {
  Element& known = params_[index];
  if (known.value) return known;
  const ir::Param& p = kernel_.params[index];
  llvm::Value* address =
      entry_.CreateConstInBoundsGEP1_64(b_.getInt64Ty(), function_->getArg(0), index);
  const llvm::IRBuilderBase::InsertPoint here = b_.saveIP();
  b_.restoreIP(entry_.saveIP());
  llvm::Value* stored = b_.CreateLoad(ops_.memory_type(p.dtype, 1), address, p.name);
  known = ops_.from_memory(p.dtype, stored);
  b_.restoreIP(here);
  return known;
}

Element KernelEmitter::lane_numbers(DType dtype, int lanes) {
  const auto at = [&](int k) { return ops_.constant(dtype, ir::bits_of_int(dtype, k), 1).value; };
  if (lanes == 1) return {at(0), nullptr};
  std::vector<llvm::Constant*> numbers;
  for (int k = 0; k < lanes; ++k) numbers.push_back(llvm::cast<llvm::Constant>(at(k)));
  return {llvm::ConstantVector::get(numbers), nullptr};
}

Element KernelEmitter::shuffled(ir::Value a, ir::Value b, llvm::ArrayRef<int> lanes) {
  const Element& x = values_[a];
  const Element& y = values_[b];
  const auto pick = [&](llvm::Value* p, llvm::Value* q) -> llvm::Value* {
    if (!p) return nullptr;
    if (!p->getType()->isVectorTy()) {  // join of two scalars
      llvm::Value* pair = llvm::PoisonValue::get(llvm::FixedVectorType::get(p->getType(), 2));
      pair = b_.CreateInsertElement(pair, p, std::uint64_t{0});
      return b_.CreateInsertElement(pair, q, std::uint64_t{1});
    }
    if (lanes.size() == 1) return b_.CreateExtractElement(p, static_cast<std::uint64_t>(lanes[0]));
    return b_.CreateShuffleVector(p, q, lanes);
  };
  return {pick(x.value, y.value), pick(x.wide, y.wide)};
}

// Rotated: one test before, one after each round.
std::size_t KernelEmitter::begin_loop(std::size_t i, llvm::Value* begin, llvm::Value* end,
                                      llvm::Value* step) {
  Frame frame;
  frame.code = kernel_.insts[i].code;
  frame.opener = static_cast<ir::Value>(i);
  frame.body = block("loop");
  frame.exit = block("after");
  frame.end = end;
  frame.step = step;
  llvm::BasicBlock* before = b_.GetInsertBlock();
  b_.CreateCondBr(b_.CreateICmpSLT(begin, end), frame.body, frame.exit);
  b_.SetInsertPoint(frame.body);
  frame.variable = b_.CreatePHI(begin->getType(), 2);
  frame.variable->addIncoming(begin, before);
  values_[i] = {frame.variable, nullptr};
  name_value(kernel_.insts[i], values_[i]);
  frames_.push_back(frame);
  return i + 1;
}

std::size_t KernelEmitter::begin_unrolled(std::size_t i) {
  const Inst& inst = kernel_.insts[i];
  const auto bound = [&](int k) {
    const auto* c = llvm::dyn_cast<llvm::ConstantInt>(operand(inst, k).value);
    ir::internal_check(c != nullptr, "llvm: an unrolled loop without constant bounds");
    return c->getSExtValue();
  };
  Frame frame;
  frame.code = Code::loop;
  frame.opener = static_cast<ir::Value>(i);
  frame.unrolled = true;
  frame.current = bound(0);
  ir::internal_check(bound(2) > 0, "llvm: a loop whose step is not positive");
  if (frame.current >= bound(1)) return closing_[i] + 1;
  values_[i] = {llvm::ConstantInt::getSigned(ops_.type(inst.dtype, 1), frame.current), nullptr};
  frames_.push_back(frame);
  return i + 1;
}

void KernelEmitter::begin_if(std::size_t i) {
  const bool has_else = kernel_.insts[closing_[i]].code == Code::else_;
  Frame frame;
  frame.code = Code::if_;
  frame.opener = static_cast<ir::Value>(i);
  frame.body = has_else ? block("else") : nullptr;
  frame.exit = block("after");
  llvm::BasicBlock* then = block("then");
  b_.CreateCondBr(operand(kernel_.insts[i], 0).value, then, has_else ? frame.body : frame.exit);
  b_.SetInsertPoint(then);
  frames_.push_back(frame);
}

void KernelEmitter::begin_else() {
  ir::internal_check(!frames_.empty() && frames_.back().code == Code::if_ && frames_.back().body,
                     "llvm: else without if");
  b_.CreateBr(frames_.back().exit);
  b_.SetInsertPoint(frames_.back().body);
}

std::size_t KernelEmitter::end_scope(std::size_t i) {
  ir::internal_check(!frames_.empty(), "llvm: an end without a beginning");
  Frame& frame = frames_.back();
  if (frame.code == Code::if_) {
    b_.CreateBr(frame.exit);
    b_.SetInsertPoint(frame.exit);
    frames_.pop_back();
    return i + 1;
  }
  const Inst& opener = kernel_.insts[frame.opener];
  if (frame.unrolled) {
    const auto constant = [&](int k) {
      return llvm::cast<llvm::ConstantInt>(operand(opener, k).value)->getSExtValue();
    };
    frame.current += constant(2);
    if (frame.current < constant(1)) {
      values_[frame.opener] = {
          llvm::ConstantInt::getSigned(ops_.type(opener.dtype, 1), frame.current), nullptr};
      return frame.opener + 1;
    }
  } else {
    llvm::Value* next = b_.CreateNSWAdd(frame.variable, frame.step);
    frame.variable->addIncoming(next, b_.GetInsertBlock());
    b_.CreateCondBr(b_.CreateICmpSLT(next, frame.end), frame.body, frame.exit);
    b_.SetInsertPoint(frame.exit);
  }
  frames_.pop_back();
  return i + 1;
}

}  // namespace kiln::codegen
