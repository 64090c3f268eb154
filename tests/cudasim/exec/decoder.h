// The decoder of one function; decode.cpp has operands and the driver loop, decode_*.cpp the
// opcodes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tests/cudasim/exec/machine.h"
#include "tests/cudasim/exec/ops.h"

namespace cudasim {

// The suffixes of an opcode; each must be taken by the opcode's decoder.
class Suffixes {
 public:
  void assign(std::vector<std::string_view> parts) { parts_ = std::move(parts); }
  bool take(std::string_view name);
  bool take_prefix(std::string_view prefix);
  // The first type left.
  std::optional<Type> type();
  bool empty() const { return parts_.empty(); }
  std::string_view first() const { return parts_.front(); }
  std::size_t size() const { return parts_.size(); }

 private:
  std::vector<std::string_view> parts_;
};

// Where a module's variables lie, shared by the decoders of its functions.
struct Layout {
  std::vector<U64> module_offsets;  // shared variables of the module: offset in shared memory
  std::vector<std::vector<U64>> function_offsets;  // of Function::variables in their spaces
  std::unordered_map<std::string_view, U32> functions;
};

class Decoder {
 public:
  Decoder(const Program& program, const Layout& layout, U32 function_index, Code& code);
  void run();

 private:
  using Member = void (Decoder::*)();
  static const std::unordered_map<std::string_view, Member>& table();

  [[noreturn]] void fail(const std::string& message) const;
  const Operand& arg(std::size_t index) const;
  void expect_args(std::size_t least, std::size_t most) const;
  Type type();

  // Operands.
  Slot constant(U64 bits, unsigned bytes);
  Slot predicate_constant(bool value);
  Slot temporary(unsigned bytes);
  Slot read(const Operand& from, Type as, bool wide_allowed = false);
  Slot read_predicate(const Operand& from);
  Slot write(const Operand& to, Type as, bool wide_allowed = false);
  Slot write_predicate(const Operand& to);
  Slot address_value(const Operand& variable);
  U64 immediate(const Operand& from, Type as) const;
  void address(Inst& in, const Operand& from, Space& space);
  U32 slot_list(const std::vector<Slot>& slots);
  std::optional<std::pair<Space, U64>> variable_place(const Operand& from) const;
  void register_size_error(const Operand& operand, unsigned bytes, Type as) const;

  // Instructions.
  Inst start() const;
  void emit(const Inst& in);
  void emit_plain(Handler handler, std::initializer_list<Slot> slots);
  void helper(Handler handler, Slot d, Slot a, S64 offset = 0);
  void finish_statement();
  FloatMode float_mode();
  Rounding rounding();

  // Opcodes: arithmetic.
  void add_sub();
  void carry_arithmetic(IntOp op, bool in);
  void addc();
  void subc();
  void mul();
  void mad();
  void madc();
  void mad_forms(bool carry_in);
  void fma();
  void div();
  void rem();
  void min_max();
  void abs_neg();
  void copysign();
  void sqrt_rcp();
  void approximate();
  void sad();
  void logic();
  void shift();
  void shf();
  void lop3();
  void bit_count();
  void bfe();
  void bfi();
  void bfind();
  void prmt();
  void dp4a();
  void dp2a();
  void testp();
  void setp();
  void set();
  void selp();
  void slct();
  void cvt();
  void float_arithmetic(FloatOp op, Type as, unsigned operands);

  // Moves and memory.
  void mov();
  void cvta();
  void ld();
  void st();
  void ld_param_fixed(Inst in, Type as);
  void vector_targets(Inst& in, const Operand& list, Type as, bool load);
  void memory_suffixes(Inst& in, Space& space);
  void atom();
  void red();
  void atomic(bool with_result);
  void cp();
  void prefetch();
  void isspacep();

  // Control and synchronisation.
  void bra();
  void call();
  void ret();
  void exit();
  void trap();
  void bar();
  void membar();
  void shfl();
  void vote();
  void match();
  void redux();
  void activemask();
  void elect();
  void nothing();
  void emit_sync(Inst in, const Operand& members);
  U32 label(std::string_view name) const;
  std::vector<CallSite::Copy> call_copies(const Operand& group) const;

  const Program& program_;
  const Module& module_;
  const Layout& layout_;
  const Function& function_;
  U32 function_index_;
  Code& code_;
  const Statement* statement_ = nullptr;
  U32 statement_index_ = 0;
  std::string_view opcode_;
  Suffixes suffixes_;
  std::vector<Slot> registers_;
  std::map<std::pair<U64, unsigned>, Slot> constants_;
  U32 temporaries_begin_ = 0;
  U32 temporaries_ = 0;
  std::vector<Inst> after_;
  std::vector<U32> first_inst_;  // of each statement
  std::vector<U32> branches_;    // instructions whose aux is a statement index yet
};

// Handlers that give run-time addresses: of the dynamic shared array, of a local variable.
Handler dynamic_shared_op();
Handler local_address_op();
Handler add_tag_op();     // cvta to generic: tag in Inst::offset; null stays null
Handler remove_tag_op();  // cvta.to
Handler has_tag_op();     // isspacep
Handler trap_op();

}  // namespace cudasim
