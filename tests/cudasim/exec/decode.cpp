#include "tests/cudasim/exec/decode.h"

#include <algorithm>
#include <bit>

#include "tests/cudasim/exec/access.h"
#include "tests/cudasim/exec/decoder.h"
#include "tests/cudasim/ptx/parser.h"

namespace cudasim {

bool Suffixes::take(std::string_view name) {
  const auto it = std::find(parts_.begin(), parts_.end(), name);
  if (it == parts_.end()) return false;
  parts_.erase(it);
  return true;
}

bool Suffixes::take_prefix(std::string_view prefix) {
  for (auto it = parts_.begin(); it != parts_.end(); ++it) {
    if (it->substr(0, prefix.size()) != prefix) continue;
    parts_.erase(it);
    return true;
  }
  return false;
}

std::optional<Type> Suffixes::type() {
  for (auto it = parts_.begin(); it != parts_.end(); ++it) {
    if (const auto type = parse_type(*it)) {
      parts_.erase(it);
      return type;
    }
  }
  return std::nullopt;
}

Decoder::Decoder(const Program& program, const Layout& layout, U32 function_index, Code& code)
    : program_(program),
      module_(*program.module),
      layout_(layout),
      function_(module_.functions[function_index]),
      function_index_(function_index),
      code_(code) {
  U32 offset = 0;
  for (const Register& reg : function_.registers) {
    registers_.push_back(offset);
    const unsigned bytes = type_bytes(reg.type);
    offset += bytes == 0 ? 64 : register_bytes(bytes) * kLanes;
    code_.register_words += bytes == 8 ? 2 : bytes == 0 ? 0 : 1;
  }
  temporaries_begin_ = offset;
  code_.register_bytes = offset;
}

void Decoder::run() {
  first_inst_.reserve(function_.body.size() + 1);
  for (statement_index_ = 0; statement_index_ < function_.body.size(); ++statement_index_) {
    statement_ = &function_.body[statement_index_];
    first_inst_.push_back(static_cast<U32>(code_.insts.size()));
    temporaries_ = temporaries_begin_;
    std::vector<std::string_view> parts = split_dots(statement_->opcode);
    if (parts.empty()) fail("this is no opcode");
    opcode_ = parts.front();
    parts.erase(parts.begin());
    suffixes_.assign(std::move(parts));
    const auto found = table().find(opcode_);
    if (found == table().end()) {
      fail("unknown opcode '" + std::string(statement_->opcode) + "'");
    }
    (this->*found->second)();
    finish_statement();
  }
  first_inst_.push_back(static_cast<U32>(code_.insts.size()));
  // Falling off the end returns.
  Inst last;
  last.flow = function_.entry ? Flow::kExit : Flow::kReturn;
  last.statement = function_.body.empty() ? 0 : static_cast<U32>(function_.body.size() - 1);
  code_.insts.push_back(last);
  for (const U32 branch : branches_) code_.insts[branch].aux = first_inst_[code_.insts[branch].aux];
}

void Decoder::finish_statement() {
  if (!suffixes_.empty()) {
    fail("unknown form '" + std::string(statement_->opcode) + "': ." +
         std::string(suffixes_.first()));
  }
  for (const Inst& in : after_) code_.insts.push_back(in);
  after_.clear();
  code_.register_bytes = std::max(code_.register_bytes, temporaries_);
}

void Decoder::fail(const std::string& message) const {
  throw LoadError{statement_ != nullptr ? statement_->line : function_.line,
                  message + " in " + std::string(function_.name)};
}

const Operand& Decoder::arg(std::size_t index) const {
  if (index >= statement_->operands.size()) {
    fail("'" + std::string(statement_->opcode) + "' has too few operands");
  }
  return statement_->operands[index];
}

void Decoder::expect_args(std::size_t least, std::size_t most) const {
  const std::size_t count = statement_->operands.size();
  if (count >= least && count <= most) return;
  fail("'" + std::string(statement_->opcode) + "' has " + std::to_string(count) + " operands");
}

Type Decoder::type() {
  const auto found = suffixes_.type();
  if (!found) fail("'" + std::string(statement_->opcode) + "' has no type");
  return *found;
}

Inst Decoder::start() const {
  Inst in;
  in.statement = statement_index_;
  if (statement_->guarded) {
    in.guard = registers_[statement_->guard];
    in.guard_negated = statement_->guard_negated;
  }
  return in;
}

void Decoder::emit(const Inst& in) {
  if (in.run == nullptr && in.flow == Flow::kPlain) {
    fail("unknown form '" + std::string(statement_->opcode) + "'");
  }
  code_.insts.push_back(in);
  code_.insts.back().weight = 1;
}

void Decoder::emit_plain(Handler handler, std::initializer_list<Slot> slots) {
  Inst in = start();
  in.run = handler;
  Slot* const fields[] = {&in.d, &in.a, &in.b, &in.c, &in.e};
  std::size_t next = 0;
  for (const Slot slot : slots) *fields[next++] = slot;
  emit(in);
}

// A helper runs unguarded: it writes a temporary only.
void Decoder::helper(Handler handler, Slot d, Slot a, S64 offset) {
  Inst in;
  in.statement = statement_index_;
  in.run = handler;
  in.d = d;
  in.a = a;
  in.offset = offset;
  if (handler == nullptr) fail("unknown form '" + std::string(statement_->opcode) + "'");
  code_.insts.push_back(in);
}

Slot Decoder::constant(U64 bits, unsigned bytes) {
  const unsigned size = register_bytes(bytes);
  if (size < 8) bits &= (U64{1} << 8 * size) - 1;
  const auto [it, inserted] = constants_.try_emplace({bits, size}, 0);
  if (inserted) {
    const std::size_t at = code_.constants.size();
    code_.constants.resize(at + std::size_t{size} * kLanes);
    for (U32 l = 0; l < kLanes; ++l) std::memcpy(&code_.constants[at + l * size], &bits, size);
    it->second = static_cast<Slot>(at) | 1;
  }
  return it->second;
}

// A mask of lanes, found under a size of its own.
Slot Decoder::predicate_constant(bool value) { return constant(value ? kFullMask : 0, 4); }

Slot Decoder::temporary(unsigned bytes) {
  const Slot slot = temporaries_;
  temporaries_ += bytes == 0 ? 64 : register_bytes(bytes) * kLanes;
  return slot;
}

void Decoder::register_size_error(const Operand& operand, unsigned bytes, Type as) const {
  fail("register " + function_.registers[operand.index].name + " has " + std::to_string(8 * bytes) +
       " bits, '" + std::string(statement_->opcode) + "' wants " +
       std::to_string(8 * type_bytes(as)));
}

U64 Decoder::immediate(const Operand& from, Type as) const {
  switch (from.kind) {
    case Operand::Kind::kInteger:
      if (as == Type::kF32 || as == Type::kF64) fail("an integer stands for a float");
      return from.value;
    case Operand::Kind::kFloat32:
      if (type_bytes(as) != 4) fail("an f32 constant stands for another type");
      return from.value;
    default:
      if (as == Type::kF32) {
        return std::bit_cast<U32>(static_cast<float>(std::bit_cast<double>(from.value)));
      }
      if (type_bytes(as) != 8) fail("an f64 constant stands for another type");
      return from.value;
  }
}

Slot Decoder::read(const Operand& from, Type as, bool wide_allowed) {
  const unsigned want = register_bytes(type_bytes(as));
  switch (from.kind) {
    case Operand::Kind::kRegister: {
      if (from.negated) fail("'!' stands before no predicate");
      const unsigned have = type_bytes(function_.registers[from.index].type);
      if (have != 0 && register_bytes(have) == want) return registers_[from.index];
      if (!wide_allowed || have < want) register_size_error(from, have, as);
      const Slot narrow = temporary(want);
      helper(resize_op(want, have, false), narrow, registers_[from.index]);
      return narrow;
    }
    case Operand::Kind::kInteger:
    case Operand::Kind::kFloat32:
    case Operand::Kind::kFloat64:
      return constant(immediate(from, as), type_bytes(as));
    case Operand::Kind::kSpecial: {
      const Slot slot = temporary(want);
      Inst in;
      in.statement = statement_index_;
      in.mode = static_cast<U8>(from.index);
      in.run = special_op(static_cast<SpecialRegister>(from.index), want);
      in.d = slot;
      code_.insts.push_back(in);
      return slot;
    }
    case Operand::Kind::kLocalVar:
    case Operand::Kind::kModuleVar:
    case Operand::Kind::kName: {
      const Slot wide = address_value(from);
      if (want == 8) return wide;
      if (want != 4) fail("an address does not fit the instruction's type");
      const Slot narrow = temporary(4);
      helper(resize_op(4, 8, false), narrow, wide);
      return narrow;
    }
    default:
      fail("an operand of '" + std::string(statement_->opcode) + "' is of the wrong kind");
  }
}

Slot Decoder::read_predicate(const Operand& from) {
  if (from.kind == Operand::Kind::kInteger) return predicate_constant(from.value != 0);
  if (from.kind != Operand::Kind::kRegister ||
      function_.registers[from.index].type != Type::kPred) {
    fail("an operand of '" + std::string(statement_->opcode) + "' is no predicate");
  }
  if (!from.negated) return registers_[from.index];
  const Slot inverse = temporary(0);
  helper(predicate_op(BitOp::kNot), inverse, registers_[from.index]);
  return inverse;
}

Slot Decoder::write(const Operand& to, Type as, bool wide_allowed) {
  const unsigned want = register_bytes(type_bytes(as));
  if (to.kind == Operand::Kind::kSink) return temporary(want);
  if (to.kind != Operand::Kind::kRegister) {
    fail("the result of '" + std::string(statement_->opcode) + "' is no register");
  }
  const unsigned have = type_bytes(function_.registers[to.index].type);
  if (have != 0 && register_bytes(have) == want) return registers_[to.index];
  if (!wide_allowed || have < want) register_size_error(to, have, as);
  const Slot narrow = temporary(want);
  Inst in = start();
  in.run = resize_op(have, want, is_signed(as));
  in.d = registers_[to.index];
  in.a = narrow;
  after_.push_back(in);
  return narrow;
}

Slot Decoder::write_predicate(const Operand& to) {
  if (to.kind == Operand::Kind::kSink) return temporary(0);
  if (to.kind != Operand::Kind::kRegister || function_.registers[to.index].type != Type::kPred) {
    fail("the result of '" + std::string(statement_->opcode) + "' is no predicate");
  }
  return registers_[to.index];
}

// The space of a variable and its address there, where that is known at load time; for local
// variables and the dynamic shared array an offset to what is known at run time.
std::optional<std::pair<Space, U64>> Decoder::variable_place(const Operand& from) const {
  const U64 offset = static_cast<U64>(from.offset);
  if (from.kind == Operand::Kind::kLocalVar) {
    const Variable& variable = function_.variables[from.index];
    const U64 place = layout_.function_offsets[function_index_][from.index];
    return std::pair{variable.space, kWindowBase + place + offset};
  }
  if (from.kind == Operand::Kind::kModuleVar) {
    const Variable& variable = module_.variables[from.index];
    if (variable.space == Space::kShared) {
      return std::pair{Space::kShared, kWindowBase + layout_.module_offsets[from.index] + offset};
    }
    return std::pair{variable.space, program_.addresses[from.index] + offset};
  }
  return std::nullopt;
}

Slot Decoder::address_value(const Operand& variable) {
  if (variable.kind == Operand::Kind::kName) {
    const auto found = layout_.functions.find(variable.name);
    if (found == layout_.functions.end()) fail("unknown name " + std::string(variable.name));
    return constant(kFunctionTag | (found->second + 1), 8);
  }
  const auto place = *variable_place(variable);
  const bool dynamic = variable.kind == Operand::Kind::kModuleVar &&
                       place.first == Space::kShared && module_.variables[variable.index].external;
  if (!dynamic && place.first != Space::kLocal) return constant(place.second, 8);
  const Slot slot = temporary(8);
  helper(dynamic ? dynamic_shared_op() : local_address_op(), slot, kNoSlot,
         static_cast<S64>(place.second));
  return slot;
}

// Fills in the address operand. `space` is what the opcode says; a variable's own space must agree.
void Decoder::address(Inst& in, const Operand& from, Space& space) {
  if (from.kind != Operand::Kind::kAddress || from.parts.size() != 1) {
    fail("'" + std::string(statement_->opcode) + "' has no address");
  }
  const Operand& base = from.parts[0];
  in.offset = from.offset;
  switch (base.kind) {
    case Operand::Kind::kRegister: {
      const unsigned bytes = type_bytes(function_.registers[base.index].type);
      if (bytes != 4 && bytes != 8) register_size_error(base, bytes, Type::kB64);
      in.address_wide = bytes == 8;
      in.a = registers_[base.index];
      break;
    }
    case Operand::Kind::kInteger:
      in.a = constant(base.value, 8);
      break;
    case Operand::Kind::kLocalVar:
    case Operand::Kind::kModuleVar: {
      const Space own = variable_place(base)->first;
      if (space == Space::kGeneric) space = own;
      if (space != own) fail("a variable lies in another space than the instruction names");
      in.a = address_value(base);
      const bool parameter = base.kind == Operand::Kind::kLocalVar && own == Space::kParam;
      if (parameter && function_.entry && base.index < function_.parameter_count) {
        in.mode |= kModeKernelParam;
      }
      break;
    }
    default:
      fail("unknown name in an address: " + std::string(base.name));
  }
  if (base.kind == Operand::Kind::kRegister && space == Space::kParam && function_.entry) {
    in.mode |= kModeKernelParam;
  }
}

U32 Decoder::slot_list(const std::vector<Slot>& slots) {
  const U32 first = static_cast<U32>(code_.slots.size());
  code_.slots.insert(code_.slots.end(), slots.begin(), slots.end());
  return first;
}

Rounding Decoder::rounding() {
  if (suffixes_.take("rn")) return Rounding::kNearest;
  if (suffixes_.take("rz")) return Rounding::kZero;
  if (suffixes_.take("rm")) return Rounding::kDown;
  return suffixes_.take("rp") ? Rounding::kUp : Rounding::kNone;
}

FloatMode Decoder::float_mode() {
  FloatMode mode;
  mode.rounding = rounding();
  mode.flush = suffixes_.take("ftz");
  mode.saturate = suffixes_.take("sat");
  mode.nan = suffixes_.take("NaN");
  return mode;
}

}  // namespace cudasim
