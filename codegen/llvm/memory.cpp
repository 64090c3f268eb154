// Loads and stores of the kernel emitter.
#include <algorithm>
#include <bit>

#include "codegen/llvm/compat.h"
#include "codegen/llvm/emit.h"
#include "ir/error.h"

namespace kiln::codegen {

using ir::DType;
using ir::Inst;
using ir::Space;

namespace {

constexpr std::uint64_t kLocalAlignment = 64;
constexpr int kMostSeparateLanes = 32;  // of a gather or scatter spelled out; above: a loop

int element_bytes(const ir::Memory& memory) { return static_cast<int>(ir::size_of(memory.dtype)); }

}  // namespace

void KernelEmitter::declare_memories() {
  llvm::Type* pointer = llvm::PointerType::getUnqual(context_);
  for (const ir::Memory& memory : kernel_.memories) {
    llvm::Value* base = nullptr;
    switch (memory.space) {
      case Space::global: {
        llvm::Value* slot = entry_.CreateConstInBoundsGEP1_64(entry_.getInt64Ty(),
                                                              function_->getArg(0), memory.param);
        base = entry_.CreateLoad(pointer, slot, memory.name);
        break;
      }
      case Space::local: {
        auto* type = llvm::ArrayType::get(ops_.memory_type(memory.dtype, 1),
                                          static_cast<std::uint64_t>(memory.size));
        llvm::AllocaInst* array = entry_.CreateAlloca(type, nullptr, memory.name);
        array->setAlignment(llvm::Align(kLocalAlignment));
        base = array;
        break;
      }
      case Space::shared:
        ir::internal_error("llvm: shared memory is for CUDA only, in kernel " + kernel_.name);
    }
    memories_.push_back(base);
  }
}

llvm::Value* KernelEmitter::address(const Inst& inst, llvm::Value* index) {
  const auto memory = static_cast<std::size_t>(inst.imm);
  return b_.CreateInBoundsGEP(ops_.memory_type(kernel_.memories[memory].dtype, 1),
                              memories_[memory], index);
}

llvm::Align KernelEmitter::alignment(const Inst& inst) const {
  const ir::Memory& memory = kernel_.memories[static_cast<std::size_t>(inst.imm)];
  const auto element = static_cast<std::uint64_t>(element_bytes(memory));
  const std::uint64_t access = std::bit_floor(element * inst.lanes);
  if (inst.flags & ir::kAligned) return llvm::Align(access);
  if (inst.flags & ir::kNonTemporal) {
    return llvm::Align(std::min(access, static_cast<std::uint64_t>(vector_bytes_)));
  }
  return llvm::Align(element);
}

// What a kernel only reads stays as it is while it runs, so such loads may move past any store.
llvm::LoadInst* KernelEmitter::mark(const Inst& inst, llvm::LoadInst* load) const {
  const ir::Memory& memory = kernel_.memories[static_cast<std::size_t>(inst.imm)];
  if (memory.space == Space::global && !kernel_.params[memory.param].written) {
    load->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(context_, {}));
  }
  return load;
}

llvm::Value* KernelEmitter::unless_full(llvm::Value* mask) {
  const auto* constant = llvm::dyn_cast_or_null<llvm::Constant>(mask);
  return constant && constant->isAllOnesValue() ? nullptr : mask;
}

Element KernelEmitter::load(const Inst& inst) {
  const int lanes = inst.lanes;
  llvm::Value* index = operand(inst, 0).value;
  llvm::Value* mask = has_operand(inst, 1) ? unless_full(operand(inst, 1).value) : nullptr;
  llvm::Value* otherwise = nullptr;
  if (mask) {
    otherwise = has_operand(inst, 2)
                    ? ops_.to_memory(inst.dtype, operand(inst, 2))
                    : llvm::Constant::getNullValue(ops_.memory_type(inst.dtype, lanes));
  }
  llvm::Value* from = address(inst, index);
  llvm::Value* stored = nullptr;
  if (lanes == 1) {
    stored = load_one(inst, from, mask, otherwise);
  } else if (index->getType()->isVectorTy()) {
    stored = gather(inst, from, mask, otherwise);
  } else {
    stored = load_consecutive(inst, from, mask, otherwise);
  }
  return ops_.from_memory(inst.dtype, stored);
}

llvm::Value* KernelEmitter::load_one(const Inst& inst, llvm::Value* address, llvm::Value* mask,
                                     llvm::Value* otherwise) {
  llvm::Type* type = ops_.memory_type(inst.dtype, 1);
  if (!mask) return mark(inst, b_.CreateAlignedLoad(type, address, alignment(inst)));
  llvm::BasicBlock* from = b_.GetInsertBlock();
  llvm::BasicBlock* inside = block("load");
  llvm::BasicBlock* join = block("loaded");
  b_.CreateCondBr(mask, inside, join);
  b_.SetInsertPoint(inside);
  llvm::Value* loaded = mark(inst, b_.CreateAlignedLoad(type, address, alignment(inst)));
  b_.CreateBr(join);
  b_.SetInsertPoint(join);
  llvm::PHINode* value = b_.CreatePHI(type, 2);
  value->addIncoming(otherwise, from);
  value->addIncoming(loaded, inside);
  return value;
}

llvm::Value* KernelEmitter::load_consecutive(const Inst& inst, llvm::Value* address,
                                             llvm::Value* mask, llvm::Value* otherwise) {
  llvm::Type* type = ops_.memory_type(inst.dtype, inst.lanes);
  const llvm::Align align = alignment(inst);
  if (!mask) return mark(inst, b_.CreateAlignedLoad(type, address, align));
  if (info_.isLegalMaskedLoad(type, align)) {
    return b_.CreateMaskedLoad(type, address, align, mask, otherwise);
  }
  llvm::Type* element = ops_.memory_type(inst.dtype, 1);
  llvm::AllocaInst* result = scratch(type);
  b_.CreateStore(otherwise, result);
  for_each_lane(mask, inst.lanes, [&](llvm::Value* lane) {
    llvm::Value* from = b_.CreateInBoundsGEP(element, address, lane);
    b_.CreateStore(b_.CreateLoad(element, from), scratch_lane(result, element, lane));
  });
  return b_.CreateLoad(type, result);
}

// Without gather instructions masked-off lanes read a zero of ours, so that no lane branches.
llvm::Value* KernelEmitter::gather(const Inst& inst, llvm::Value* addresses, llvm::Value* mask,
                                   llvm::Value* otherwise) {
  llvm::Type* type = ops_.memory_type(inst.dtype, inst.lanes);
  llvm::Type* element = ops_.memory_type(inst.dtype, 1);
  const llvm::Align align(static_cast<std::uint64_t>(
      element_bytes(kernel_.memories[static_cast<std::size_t>(inst.imm)])));
  auto* vector = llvm::cast<llvm::VectorType>(type);
  if (info_.isLegalMaskedGather(type, align) && !info_.forceScalarizeMaskedGather(vector, align)) {
    return b_.CreateMaskedGather(type, addresses, align, mask, otherwise);
  }
  if (inst.lanes > kMostSeparateLanes) {
    llvm::AllocaInst* from = scratch(addresses->getType());
    llvm::AllocaInst* result = scratch(type);
    b_.CreateStore(addresses, from);
    if (mask) b_.CreateStore(otherwise, result);
    for_each_lane(mask, inst.lanes, [&](llvm::Value* lane) {
      llvm::Value* address = b_.CreateLoad(b_.getPtrTy(), scratch_lane(from, b_.getPtrTy(), lane));
      b_.CreateStore(b_.CreateLoad(element, address), scratch_lane(result, element, lane));
    });
    return b_.CreateLoad(type, result);
  }
  if (mask) {
    llvm::AllocaInst* zero = scratch(element);
    entry_.CreateStore(llvm::Constant::getNullValue(element), zero);
    addresses = b_.CreateSelect(mask, addresses, b_.CreateVectorSplat(inst.lanes, zero));
  }
  llvm::Value* result = llvm::PoisonValue::get(type);
  for (std::uint64_t lane = 0; lane < inst.lanes; ++lane) {
    llvm::Value* address = b_.CreateExtractElement(addresses, lane);
    llvm::LoadInst* loaded = b_.CreateAlignedLoad(element, address, align);
    result = b_.CreateInsertElement(result, mask ? loaded : mark(inst, loaded), lane);
  }
  return mask ? b_.CreateSelect(mask, result, otherwise) : result;
}

void KernelEmitter::prefetch(const Inst& inst) {
  const auto memory = static_cast<std::size_t>(inst.imm);
  llvm::Value* at = b_.CreateGEP(ops_.memory_type(inst.dtype, 1), memories_[memory],
                                 operand(inst, 0).value);  // may lie outside
  constexpr unsigned kRead = 0, kKeep = 3, kData = 1;
  b_.CreateIntrinsic(llvm::Intrinsic::prefetch, {at->getType()},
                     {at, b_.getInt32(kRead), b_.getInt32(kKeep), b_.getInt32(kData)});
}

void KernelEmitter::store(const Inst& inst) {
  const int lanes = inst.lanes;
  llvm::Value* index = operand(inst, 0).value;
  llvm::Value* value = ops_.to_memory(inst.dtype, operand(inst, 1));
  llvm::Value* mask = has_operand(inst, 2) ? unless_full(operand(inst, 2).value) : nullptr;
  llvm::Value* to = address(inst, index);
  if (lanes == 1) {
    store_one(inst, to, value, mask);
  } else if (index->getType()->isVectorTy()) {
    scatter(inst, to, value, mask);
  } else {
    store_consecutive(inst, to, value, mask);
  }
}

void KernelEmitter::store_one(const Inst& inst, llvm::Value* address, llvm::Value* value,
                              llvm::Value* mask) {
  llvm::BasicBlock* after = nullptr;
  if (mask) {
    llvm::BasicBlock* inside = block("store");
    after = block("stored");
    b_.CreateCondBr(mask, inside, after);
    b_.SetInsertPoint(inside);
  }
  b_.CreateAlignedStore(value, address, alignment(inst));
  if (!mask) return;
  b_.CreateBr(after);
  b_.SetInsertPoint(after);
}

void KernelEmitter::store_consecutive(const Inst& inst, llvm::Value* address, llvm::Value* value,
                                      llvm::Value* mask) {
  const llvm::Align align = alignment(inst);
  if (!mask) {
    llvm::StoreInst* stored = b_.CreateAlignedStore(value, address, align);
    if (inst.flags & ir::kNonTemporal) {
      streams_ = true;
      llvm::Metadata* one = llvm::ConstantAsMetadata::get(b_.getInt32(1));
      stored->setMetadata(llvm::LLVMContext::MD_nontemporal, llvm::MDNode::get(context_, {one}));
    }
    return;
  }
  if (info_.isLegalMaskedStore(value->getType(), align)) {
    b_.CreateMaskedStore(value, address, align, mask);
    return;
  }
  llvm::Type* element = ops_.memory_type(inst.dtype, 1);
  llvm::AllocaInst* values = scratch(value->getType());
  b_.CreateStore(value, values);
  for_each_lane(mask, inst.lanes, [&](llvm::Value* lane) {
    llvm::Value* one = b_.CreateLoad(element, scratch_lane(values, element, lane));
    b_.CreateStore(one, b_.CreateInBoundsGEP(element, address, lane));
  });
}

// Lanes are written in order: where two go to one element, the last one stays.
void KernelEmitter::scatter(const Inst& inst, llvm::Value* addresses, llvm::Value* value,
                            llvm::Value* mask) {
  llvm::Type* element = ops_.memory_type(inst.dtype, 1);
  const llvm::Align align(static_cast<std::uint64_t>(
      element_bytes(kernel_.memories[static_cast<std::size_t>(inst.imm)])));
  auto* vector = llvm::cast<llvm::VectorType>(value->getType());
  if (info_.isLegalMaskedScatter(vector, align) &&
      !info_.forceScalarizeMaskedScatter(vector, align)) {
    b_.CreateMaskedScatter(value, addresses, align, mask);
    return;
  }
  if (!mask && inst.lanes <= kMostSeparateLanes) {
    for (std::uint64_t lane = 0; lane < inst.lanes; ++lane) {
      b_.CreateAlignedStore(b_.CreateExtractElement(value, lane),
                            b_.CreateExtractElement(addresses, lane), align);
    }
    return;
  }
  llvm::AllocaInst* to = scratch(addresses->getType());
  llvm::AllocaInst* values = scratch(value->getType());
  b_.CreateStore(addresses, to);
  b_.CreateStore(value, values);
  for_each_lane(mask, inst.lanes, [&](llvm::Value* lane) {
    llvm::Value* one = b_.CreateLoad(element, scratch_lane(values, element, lane));
    b_.CreateStore(one, b_.CreateLoad(b_.getPtrTy(), scratch_lane(to, b_.getPtrTy(), lane)));
  });
}

void KernelEmitter::for_each_lane(llvm::Value* mask, int lanes,
                                  const std::function<void(llvm::Value*)>& body) {
  llvm::AllocaInst* flags = nullptr;
  if (mask) {
    llvm::Type* bytes = llvm::FixedVectorType::get(b_.getInt8Ty(), static_cast<unsigned>(lanes));
    flags = scratch(bytes);
    b_.CreateStore(b_.CreateZExt(mask, bytes), flags);
  }
  llvm::BasicBlock* before = b_.GetInsertBlock();
  llvm::BasicBlock* head = block("lane");
  llvm::BasicBlock* inside = mask ? block("active") : head;
  llvm::BasicBlock* next = mask ? block("next") : head;
  llvm::BasicBlock* after = block("lanes");
  b_.CreateBr(head);
  b_.SetInsertPoint(head);
  llvm::PHINode* lane = b_.CreatePHI(b_.getInt64Ty(), 2);
  lane->addIncoming(b_.getInt64(0), before);
  if (mask) {
    llvm::Value* flag = b_.CreateLoad(b_.getInt8Ty(), scratch_lane(flags, b_.getInt8Ty(), lane));
    b_.CreateCondBr(b_.CreateICmpNE(flag, b_.getInt8(0)), inside, next);
    b_.SetInsertPoint(inside);
  }
  body(lane);
  if (mask) {
    b_.CreateBr(next);
    b_.SetInsertPoint(next);
  }
  llvm::Value* following = b_.CreateNUWAdd(lane, b_.getInt64(1));
  lane->addIncoming(following, next);
  b_.CreateCondBr(b_.CreateICmpULT(following, b_.getInt64(static_cast<std::uint64_t>(lanes))), head,
                  after);
  b_.SetInsertPoint(after);
}

llvm::AllocaInst* KernelEmitter::scratch(llvm::Type* type) {
  llvm::AllocaInst* array = entry_.CreateAlloca(type);
  array->setAlignment(llvm::Align(kLocalAlignment));
  return array;
}

llvm::Value* KernelEmitter::scratch_lane(llvm::AllocaInst* array, llvm::Type* element,
                                         llvm::Value* lane) {
  return b_.CreateInBoundsGEP(element, array, lane);
}

}  // namespace kiln::codegen
