// Emits one scalar operation on vectors of lanes, with the bits of ir::evaluate.
//
// A value is held in a register type: i1 for bool, iN, float, double. A 16-bit float is held twice:
// as its bits (what loads and stores move) and as the float32 of the same value (what operations
// compute in). Whichever form is not used is deleted before code generation.
#pragma once
#include <llvm/ADT/ArrayRef.h>
#include <llvm/IR/IRBuilder.h>

#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "ir/function.h"
#include "ir/kernel.h"

namespace kiln::codegen {

struct Element {
  llvm::Value* value = nullptr;
  llvm::Value* wide = nullptr;  // 16-bit floats only
};

// Without both of the attributes that this adds, LLVM splits vectors wider than the processor's
// preferred width.
void use_vectors_of(llvm::Function& function, int bytes);

class OpEmitter {
 public:
  // `features` as in CpuTarget; outlives this.
  OpEmitter(llvm::IRBuilder<>& builder, bool x86, int vector_bytes, llvm::StringRef features)
      : b_(builder), x86_(x86), vector_bytes_(vector_bytes), features_(features) {}

  // Of a value in a register, and of an element in memory (bool: i8).
  llvm::Type* type(ir::DType dtype, int lanes) const;
  llvm::Type* memory_type(ir::DType dtype, int lanes) const;
  // Between the two forms.
  Element from_memory(ir::DType dtype, llvm::Value* stored) const;
  llvm::Value* to_memory(ir::DType dtype, const Element& e) const;

  Element constant(ir::DType dtype, std::uint64_t bits, int lanes) const;
  Element splat(const Element& scalar, int lanes) const;
  // Says, before the first of them, that `op` will be wanted so many times more on vectors of
  // `lanes`: what comes often is a function of the module, which is called.
  void expect(ir::Op op, ir::DType type, int lanes, std::int64_t times);
  // The value of `op`; `type` as for ir::evaluate. Rare regions end the current block.
  Element op(ir::Op op, ir::DType type, ir::DType result, llvm::ArrayRef<Element> args);
  llvm::Value* any(llvm::Value* mask) const;  // i1: some lane holds

  // rare ... end_rare: what lies between is emitted into a cold block, skipped where no lane of
  // `condition` holds.
  struct Rare {
    llvm::Value* condition = nullptr;  // null: `inside` is right in all lanes
    llvm::BasicBlock* from = nullptr;
    llvm::BasicBlock* join = nullptr;
  };
  Rare begin_rare(llvm::Value* condition);
  Element end_rare(const Rare& rare, const Element& inside, const Element& otherwise);

 private:
  // How an op is computed on values in registers (spelling.cpp): null for a class of type that its
  // rule excludes, and for those that are members here.
  struct Spelling {
    // Whether there is a function is a fact of its own: with -fsanitize=undefined gcc compares no
    // address in a constant expression (gcc bug 71962).
    struct Make {
      using Function = llvm::Value* (*)(OpEmitter&, bool is_signed, llvm::ArrayRef<llvm::Value*>);
      constexpr Make(std::nullptr_t) {}
      constexpr Make(Function f) : function(f), given(true) {}
      Function function = nullptr;
      bool given = false;
    };
    ir::Op op;
    Make floating, integer;
  };
  struct Spellings;
  static const Spelling& spelling(ir::Op op);

  llvm::Value* extreme(bool maximum, llvm::Value* a, llvm::Value* b);
  Element sign_of_half(ir::Op op, const Element& a);
  llvm::Value* divide(bool remainder, bool is_signed, llvm::Value* a, llvm::Value* b);
  llvm::Value* divide_plainly(bool remainder, bool is_signed, llvm::Value* a, llvm::Value* b);
  llvm::Value* divide_lanes(bool remainder, bool is_signed, llvm::Value* a, llvm::Value* b);
  llvm::Value* high_product(bool is_signed, llvm::Value* a, llvm::Value* b);
  llvm::Value* shift(bool left, bool is_signed, llvm::Value* a, llvm::Value* b);
  Element select(ir::DType type, llvm::Value* condition, const Element& a, const Element& b) const;

  // Conversions (convert.cpp).
  Element cast(ir::DType from, ir::DType to, const Element& a);
  Element bitcast(ir::DType from, ir::DType to, const Element& a);
  llvm::Value* saturate(ir::DType to, llvm::Value* x);
  llvm::Value* round_to_odd(llvm::Value* x);  // float64 -> float32, for a second rounding
  Element narrow(ir::DType half, llvm::Value* x) const;         // float32 -> 16 bits
  llvm::Value* widen(ir::DType half, llvm::Value* bits) const;  // 16 bits -> float32

  Element expand(ir::Op op, ir::DType type, llvm::ArrayRef<Element> args);
  // How an expansion on so many lanes is emitted: in pieces of `lanes`.
  struct Pieces {
    int lanes = 0;
    bool called = false;
  };
  Pieces pieces(const ir::Function& f, int lanes) const;
  llvm::Value* call(const ir::Function& f, llvm::ArrayRef<Element> args, int lanes);
  llvm::Function* function_of(const ir::Function& f, int lanes);
  Element inline_function(const ir::Function& f, llvm::ArrayRef<Element> args, int lanes);
  void emit_instruction(const ir::Function& f, std::size_t i, std::vector<Element>& values,
                        int lanes);
  Element call_region(const ir::Function& f, std::size_t rare, std::size_t end,
                      const std::vector<Element>& values);
  llvm::Function* region_function(const ir::Function& f, std::size_t rare, std::size_t end,
                                  const std::vector<ir::Value>& inputs);
  llvm::AllocaInst* scratch(llvm::Type* type, unsigned slot);

  static int lanes_of(const llvm::Value* value);
  llvm::Value* constant_like(const llvm::Value* model, std::uint64_t integer) const;
  llvm::Value* unary(llvm::Intrinsic::ID id, llvm::Value* a) const;

  llvm::IRBuilder<>& b_;
  bool x86_;
  int vector_bytes_;
  llvm::StringRef features_;
  std::vector<Rare> open_;  // small regions of the function being inlined
  // Of calls of regions, in the function that calls.
  std::map<std::tuple<llvm::Function*, llvm::Type*, unsigned>, llvm::AllocaInst*> scratch_;
  std::map<std::pair<const ir::Function*, int>, std::int64_t> expected_;  // by lanes
};

}  // namespace kiln::codegen
