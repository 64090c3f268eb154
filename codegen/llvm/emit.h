// Kernel IR -> LLVM IR: control flow, memories, and lanes; scalar operations are OpEmitter's.
//
// Blocks: `entry` holds parameters and local arrays, so that they dominate everything; `start` and
// what follows is the kernel's text in order. State lives in memories only, so no phi but loop
// variables and rare regions is ever made here; local arrays become registers by SROA.
#pragma once
#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include <functional>
#include <vector>

#include "codegen/llvm.h"
#include "codegen/llvm/ops.h"

namespace kiln::codegen {

class KernelEmitter {
 public:
  KernelEmitter(const ir::Kernel& kernel, llvm::TargetMachine& machine, int vector_bytes,
                llvm::Module& module);
  // Adds the function kEntrySymbol. Called once.
  void run();

 private:
  struct Frame {
    ir::Code code = ir::Code::end;
    ir::Value opener = ir::kNoValue;
    llvm::BasicBlock* body = nullptr;
    llvm::BasicBlock* exit = nullptr;
    llvm::PHINode* variable = nullptr;  // of a loop
    llvm::Value* end = nullptr;
    llvm::Value* step = nullptr;
    bool unrolled = false;
    std::int64_t current = 0;  // of an unrolled loop
    OpEmitter::Rare rare;
  };

  // Control flow; each gives the next instruction.
  std::size_t emit(std::size_t i);
  void emit_value(std::size_t i);
  std::size_t begin_loop(std::size_t i, llvm::Value* begin, llvm::Value* end, llvm::Value* step);
  std::size_t begin_unrolled(std::size_t i);
  void begin_if(std::size_t i);
  void begin_else();
  std::size_t end_scope(std::size_t i);
  void find_scopes();
  void count_functions();  // of ir/math, for ops_
  void finish();

  // Values.
  Element param(std::uint32_t index);
  Element lane_numbers(ir::DType dtype, int lanes);
  Element shuffled(ir::Value a, ir::Value b, llvm::ArrayRef<int> lanes);
  Element operation(const ir::Inst& inst);
  const Element& operand(const ir::Inst& inst, int k) const;
  bool has_operand(const ir::Inst& inst, int k) const;
  llvm::BasicBlock* block(const char* name);
  void name_value(const ir::Inst& inst, const Element& value);

  // Memories (memory.cpp).
  void declare_memories();
  Element load(const ir::Inst& inst);
  void prefetch(const ir::Inst& inst);
  void store(const ir::Inst& inst);
  llvm::Value* address(const ir::Inst& inst, llvm::Value* index);
  static llvm::Value* unless_full(llvm::Value* mask);  // null if all ones
  llvm::Value* load_consecutive(const ir::Inst& inst, llvm::Value* address, llvm::Value* mask,
                                llvm::Value* otherwise);
  llvm::Value* load_one(const ir::Inst& inst, llvm::Value* address, llvm::Value* mask,
                        llvm::Value* otherwise);
  llvm::Value* gather(const ir::Inst& inst, llvm::Value* addresses, llvm::Value* mask,
                      llvm::Value* otherwise);
  void store_consecutive(const ir::Inst& inst, llvm::Value* address, llvm::Value* value,
                         llvm::Value* mask);
  void store_one(const ir::Inst& inst, llvm::Value* address, llvm::Value* value, llvm::Value* mask);
  void scatter(const ir::Inst& inst, llvm::Value* addresses, llvm::Value* value, llvm::Value* mask);
  llvm::Align alignment(const ir::Inst& inst) const;
  llvm::LoadInst* mark(const ir::Inst& inst, llvm::LoadInst* load) const;
  // body(lane) for each lane that holds in `mask` (null: all), in order, as a loop.
  void for_each_lane(llvm::Value* mask, int lanes, const std::function<void(llvm::Value*)>& body);
  llvm::AllocaInst* scratch(llvm::Type* type);
  llvm::Value* scratch_lane(llvm::AllocaInst* array, llvm::Type* element, llvm::Value* lane);

  const ir::Kernel& kernel_;
  llvm::Module& module_;
  llvm::LLVMContext& context_;
  bool x86_;
  int vector_bytes_;
  llvm::Function* function_;
  llvm::TargetTransformInfo info_;  // which masked accesses are instructions
  llvm::IRBuilder<> b_;
  llvm::IRBuilder<> entry_;
  OpEmitter ops_;
  llvm::BasicBlock* start_;
  std::vector<Element> values_;
  std::vector<Element> params_;
  std::vector<llvm::Value*> memories_;
  std::vector<std::size_t> closing_;  // of each opener (of if_ and else_: the next else_ or end)
  std::vector<Frame> frames_;
  bool streams_ = false;  // has non-temporal stores
};

}  // namespace kiln::codegen
