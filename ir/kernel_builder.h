// Writes a kernel instruction by instruction, so that schedules can be written plainly: types are
// derived, integer identities and constants are folded, and pure instructions (operations, and
// loads from memories that the kernel does not write) are value-numbered and placed in the
// outermost open scope where their operands are known: loop-invariant code never stands in a loop.
// A load stays inside the `if` that guards it. Everything else goes to the end of the innermost
// open scope.
//
// Values are final only in the kernel that finish() returns; until then they are the builder's ids.
#pragma once
#include <functional>
#include <initializer_list>
#include <unordered_map>

#include "ir/kernel.h"

namespace kiln::ir {

class KernelBuilder {
 public:
  KernelBuilder(Target target, DType index);

  // Parameters and memories. Integers are deduplicated by the caller.
  // Gives the memory; the param is its `param`. `constant`: this kernel never writes it.
  std::uint32_t buffer(DType dtype, std::string name, bool constant);
  Value integer(std::string name);  // type: index
  Value scalar(DType dtype, std::string name);
  std::uint32_t local(DType dtype, std::int64_t size, std::string name);
  std::uint32_t shared(DType dtype, std::int64_t size, std::string name);

  Value constant(DType dtype, std::uint64_t bits, int lanes = 1);
  Value index(std::int64_t value);  // a constant of the index type
  // Operands of one lane are splatted to the widest operand's lanes. Folds integer identities
  // (x + 0, x * 1, x * 0, 0 / x ...) and constants of any type, exactly.
  Value op(Op op, DType result, std::initializer_list<Value> args);
  Value op(Op op, DType result, const Value* args, int count);
  // Index arithmetic.
  Value add(Value a, Value b);
  Value sub(Value a, Value b);
  Value mul(Value a, Value b);
  Value div(Value a, Value b);  // both >= 0
  Value rem(Value a, Value b);
  Value min(Value a, Value b);
  Value less(Value a, Value b);
  Value logical_and(Value a,
                    Value b);  // kNoValue stands for true on either side, and is returned for it

  Value load(std::uint32_t memory, Value index, int lanes = 1, Value mask = kNoValue,
             Value otherwise = kNoValue, std::uint8_t flags = 0);
  void store(std::uint32_t memory, Value index, Value value, Value mask = kNoValue,
             std::uint8_t flags = 0);

  Value begin_grid();
  Value begin_thread(std::int64_t threads);
  Value begin_loop(Value begin, Value end, Value step, bool unroll = false);
  Value begin_short_loop(Value begin, Value end, Value step);  // of few rounds
  void begin_if(Value condition);
  void begin_else();
  void end();  // closes the innermost grid, thread, loop, if

  void prefetch(std::uint32_t memory, Value index);

  Value splat(Value scalar, int lanes);
  Value lane(DType dtype, int lanes);
  Value extract(Value vector, int lane);
  Value join(Value a, Value b);
  Value even(Value a);
  Value odd(Value a);
  Value any(Value mask);
  void barrier();
  Value shuffle(Value value, Value source_lane);

  // Hints for instructions emitted from now on.
  void set_line(std::string_view line);
  void name(Value value, std::string_view hint);

  DType dtype(Value v) const { return kernel_.insts[v].dtype; }
  int lanes(Value v) const { return kernel_.insts[v].lanes; }
  bool is_constant(Value v, std::int64_t* value = nullptr) const;  // of an integer type
  Kernel& kernel() { return kernel_; }
  // Numbers the instructions in their final order, without those whose value nothing needs; fills
  // Param::read and written.
  Kernel finish();

 private:
  std::vector<Value> needed() const;
  Value append(Inst inst);  // to the innermost scope
  Value place(Inst inst, int depth);
  Value pure(Inst inst, int least_depth = 0);
  Value open(Inst inst);
  int depth_of(const Inst& inst) const;
  Kernel kernel_;
  std::uint32_t line_ = 0;
  std::vector<int> depths_;            // of each value's scope
  std::vector<bool> constant_memory_;  // by memory
  struct Key {
    Inst inst;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  using Table = std::unordered_map<Key, Value, KeyHash>;
  struct Scope {
    Value opener = kNoValue;
    bool guards = false;       // an if: loads inside may not leave it
    std::vector<Value> order;  // its instructions, the opener first, closed inner scopes in place
    Table table;
  };
  std::vector<Scope> scopes_;
};

}  // namespace kiln::ir
