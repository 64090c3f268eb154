// Writes a kernel instruction by instruction: types are derived, pure instructions are value-numbered
// within the open scopes, integer identities and constants are folded, so that schedules can be
// written plainly. An instruction is appended to the innermost open scope.
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
  std::uint32_t buffer(DType dtype, std::string name);  // gives the memory; the param is its `param`
  Value integer(std::string name);                      // type: index
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
  Value logical_and(Value a, Value b);  // kNoValue stands for true on either side, and is returned for it

  Value load(std::uint32_t memory, Value index, int lanes = 1, Value mask = kNoValue,
             Value otherwise = kNoValue, std::uint8_t flags = 0);
  void store(std::uint32_t memory, Value index, Value value, Value mask = kNoValue,
             std::uint8_t flags = 0);

  Value begin_grid();
  Value begin_thread(std::int64_t threads);
  Value begin_loop(Value begin, Value end, Value step, bool unroll = false);
  void begin_if(Value condition);
  void begin_else();
  void end();  // closes the innermost grid, thread, loop, if

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
  // Closes nothing; fills Param::read and written from the loads and stores.
  Kernel finish();

 private:
  Value append(Inst inst);
  Value pure(Inst inst);  // value-numbered
  Kernel kernel_;
  std::uint32_t line_ = 0;
  struct Key {
    Inst inst;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  using Table = std::unordered_map<Key, Value, KeyHash>;
  std::vector<Table> scopes_;       // one a scope; looked up innermost first
  std::vector<Value> open_;         // the instructions that opened them
};

}  // namespace kiln::ir
