#include "codegen/cuda/body.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/error.h"

namespace kiln::codegen::cuda {

using ir::Code;
using ir::DType;
using ir::Inst;
using ir::kNoValue;
using ir::Value;

namespace {

constexpr std::size_t kWidestText = 72;  // an expression; statements come to some 90 columns
constexpr std::size_t kWorthAName = 20;  // shorter texts stay where they are

}  // namespace

BodyWriter::BodyWriter(std::span<const Inst> insts, const ir::Kernel* kernel, Value result,
                       std::vector<std::string> parameters, ir::Labels labels, Names& names,
                       Prelude& prelude)
    : insts_(insts),
      kernel_(kernel),
      parameters_(std::move(parameters)),
      labels_(labels),
      names_(names),
      prelude_(prelude),
      uses_(insts, kernel, result),
      slots_(insts.size()) {}

void BodyWriter::write() {
  if (kernel_ != nullptr) declare_memories();
  for (Value i = 0; i < insts_.size(); ++i) {
    if (uses_.closes[i]) close_group();
    write(i);
  }
  close_group();
}

// Pure values nobody uses are left out.
void BodyWriter::write(Value i) {
  const Inst& in = inst(i);
  switch (in.code) {
    case Code::constant:
      break;
    case Code::param: {
      const std::string& text = parameters_[static_cast<std::size_t>(in.imm)];
      const bool in_struct = kernel_ != nullptr && ir::is_half(in.dtype);
      slots_[i].text = in_struct ? from_stored(in.dtype, {text, kPrimary}, prelude_)
                                 : Expression{{text, kPrimary}, ""};
      break;
    }
    case Code::op:
      if (uses_.count[i] == 0) break;
      if (!uses_.leaf[i]) {
        define(i, operation(i));
        break;
      }
      slots_[i].text = spell(i);
      if (uses_.array[i]) materialise_leaf(i);
      break;
    case Code::load:
    case Code::store:
      write_memory(i);
      break;
    case Code::splat:
    case Code::lane:
    case Code::extract:
    case Code::join:
    case Code::even:
    case Code::odd:
    case Code::any:
      if (uses_.count[i] != 0) write_vector(i);
      break;
    case Code::barrier:
      name_all_readers();
      line("__syncthreads();", &in);
      break;
    case Code::shuffle:
      if (uses_.count[i] != 0) write_shuffle(i);
      break;
    case Code::grid:
    case Code::thread:
    case Code::loop:
    case Code::if_:
    case Code::else_:
    case Code::end:
    case Code::rare:
    case Code::end_rare:
    case Code::prefetch:
      write_scope(i);
  }
}

void BodyWriter::write_scope(Value i) {
  const Inst& in = inst(i);
  const std::string_view type = value_type(in.dtype);
  if (in.code == Code::grid || in.code == Code::thread) {
    if (uses_.count[i] == 0) return;
    const std::string variable = fresh(i);
    line(fmt::format("const {} {} = {};", type, variable,
                     in.code == Code::grid ? grid_ : "threadIdx.x"));
    slots_[i].text.value = {variable, kPrimary};
  } else if (in.code == Code::loop) {
    open_loop(i);
  } else if (in.code == Code::if_) {
    take_locals(i);
    const std::string test = operand(in.args[0], false).text;
    name_all_readers();
    line(fmt::format("if ({}) {{", test), &in);
    open_scope();
  } else if (in.code == Code::else_) {
    name_all_readers();
    close_scope();
    line("} else {");
    open_scope();
  } else if (in.code == Code::end) {
    name_all_readers();
    const Code opened = inst(static_cast<Value>(in.imm)).code;
    if (opened == Code::grid || opened == Code::thread) return;
    close_scope();
    line("}");
  } else if (in.code == Code::rare) {
    open_rare(i);
  } else {
    ir::internal_check(in.code == Code::end_rare,
                       "an instruction that CUDA C has no statement for");
    close_rare(i);
  }
}

void BodyWriter::open_loop(Value i) {
  const Inst& in = inst(i);
  // The end and the step are evaluated again in each iteration.
  for (const Value v : {in.args[1], in.args[2]}) {
    if (slots_[v].deferred && !slots_[v].locals.empty()) name(v);
  }
  take_locals(i);
  const std::string begin = operand(in.args[0], false).text;
  const std::string end = within(operand(in.args[1], false), kAdditive);
  const std::string step = operand(in.args[2], false).text;
  name_all_readers();
  open_scope();
  const std::string variable = fresh(i);
  --depth_;
  if (in.imm != 0) line(in.imm == 1 ? "#pragma unroll" : "#pragma unroll 1");
  const std::string advance =
      step == "1" ? "++" + variable : fmt::format("{} += {}", variable, step);
  line(fmt::format("for ({} {} = {}; {} < {}; {}) {{", value_type(in.dtype), variable, begin,
                   variable, end, advance),
       &in);
  slots_[i].text.value = {variable, kPrimary};
  ++depth_;
}

// T r = otherwise; if (condition) { ...; r = inside; }
void BodyWriter::open_rare(Value i) {
  const Inst& in = inst(i);
  const Inst& close = inst(uses_.match[i]);
  const Value otherwise = close.args[2];
  take_locals(i);
  name_all_readers();
  const std::string result = fresh(uses_.match[i]);
  if (close.lanes == 1) {
    line(fmt::format("{} {} = {};", value_type(close.dtype), result,
                     operand(otherwise, false).text));
    line(fmt::format("if ({}) {{", operand(in.args[0], false).text), &in);
  } else {
    line(fmt::format("{} {} = {};", vec_type(close.dtype, close.lanes), result, array(otherwise)));
    line(fmt::format("if ({}({})) {{", prelude_.rearrange(Code::any), array(in.args[0])), &in);
  }
  slots_[uses_.match[i]].array = result;
  open_scope();
}

void BodyWriter::close_rare(Value i) {
  const Inst& in = inst(i);
  Slot& slot = slots_[i];
  take_locals(i);
  if (in.lanes == 1) {
    line(fmt::format("{} = {};", slot.array, operand(in.args[1], false).text));
    slot.text = expression(in.dtype, {slot.array, kPrimary}, prelude_);
  } else {
    const std::string mask = array(inst(in.args[0]).args[0]);
    group_lanes_ = in.lanes;
    lane_line(fmt::format("if ({}[k]) {}[k] = {}[k];", mask, slot.array, array(in.args[1])), &in);
    close_group();
    slot.text = from_stored(in.dtype, {slot.array + "[k]", kPrimary}, prelude_);
  }
  name_all_readers();
  close_scope();
  line("}");
}

void BodyWriter::open_scope() {
  ++depth_;
  names_.open_scope();
}

void BodyWriter::close_scope() {
  --depth_;
  names_.close_scope();
}

// Never moved: all threads of the warp take part at one place.
void BodyWriter::write_shuffle(Value i) {
  const Inst& in = inst(i);
  take_locals(i);
  name_all_readers();
  const std::string source = operand(in.args[1], false).text;
  const bool converts = !ir::is_float(in.dtype) && ir::size_of(in.dtype) < 4;
  const std::string before = converts ? fmt::format("({})", value_type(in.dtype)) : "";
  const std::string variable = fresh(i);
  const auto shuffled = [&](const Text& value) {
    const Text own = converts ? prefix("(int)", value) : value;
    return fmt::format("{}__shfl_sync(0xffffffff, {}, {})", before, own.text, source);
  };
  if (in.lanes == 1) {
    line(fmt::format("const {} {} = {};", value_type(in.dtype), variable,
                     shuffled(operand(in.args[0], true))),
         &in);
    slots_[i].text = expression(in.dtype, {variable, kPrimary}, prelude_);
    return;
  }
  line(fmt::format("{} {};", vec_type(in.dtype, in.lanes), variable));
  group_lanes_ = in.lanes;
  const Text value = from_stored(in.dtype, {array(in.args[0]) + "[k]", kPrimary}, prelude_).value;
  const std::string stored = ir::is_half(in.dtype)
                                 ? call(prelude_.from_float(in.dtype), {shuffled(value)}).text
                                 : shuffled(value);
  lane_line(fmt::format("{}[k] = {};", variable, stored), &in);
  close_group();
  slots_[i].array = variable;
  slots_[i].text = from_stored(in.dtype, {variable + "[k]", kPrimary}, prelude_);
}

void BodyWriter::write_vector(Value i) {
  const Inst& in = inst(i);
  Slot& slot = slots_[i];
  if (in.code == Code::splat) {
    slot.text = slots_[in.args[0]].text;  // constants are written where they are used
    if (uses_.array[i]) materialise_leaf(i);
  } else if (in.code == Code::lane) {
    const Text k{"k", kPrimary};
    const bool is_int32 = in.dtype == DType::int32 || uses_.index[i];
    const Text own = is_int32 ? k : prefix(fmt::format("({})", value_type(in.dtype)), k);
    slot.text = expression(in.dtype, own, prelude_);
    if (uses_.array[i]) materialise_leaf(i);
  } else if (in.code == Code::extract) {
    const Inst& from = inst(in.args[0]);
    if (from.code == Code::splat) {
      slot.text = {operand(from.args[0], true), slots_[from.args[0]].text.stored};
      if (slot.text.stored.empty()) slot.text = expression(in.dtype, slot.text.value, prelude_);
      return;
    }
    const Text lane{fmt::format("{}[{}]", array(in.args[0]), in.imm), kPrimary};
    slot.text = from_stored(in.dtype, lane, prelude_);
  } else if (in.code == Code::any) {
    define(i,
           {{fmt::format("{}({})", prelude_.rearrange(in.code), array(in.args[0])), kPrimary}, ""});
  } else {  // join, even, odd
    std::string arguments = array(in.args[0]);
    if (in.code == Code::join) arguments += ", " + array(in.args[1]);
    const std::string variable = fresh(i);
    line(fmt::format("const {} {} = {}({});", vec_type(in.dtype, in.lanes), variable,
                     prelude_.rearrange(in.code), arguments),
         &in);
    slot.array = variable;
    slot.text = from_stored(in.dtype, {variable + "[k]", kPrimary}, prelude_);
  }
}

// Operands and operations.

Text BodyWriter::operand(Value v, bool exact) const {
  while (inst(v).code == Code::splat) v = inst(v).args[0];
  const Inst& in = inst(v);
  if (in.code == Code::constant) {
    return literal(in.dtype, static_cast<std::uint64_t>(in.imm), exact);
  }
  return slots_[v].text.value;
}

const std::string& BodyWriter::array(Value v) const {
  ir::internal_check(!slots_[v].array.empty(), "a vector that was not made an array");
  return slots_[v].array;
}

Expression BodyWriter::spell(Value i) {
  const Inst& in = inst(i);
  std::vector<Operand> operands;
  for (int a = 0; a < argument_count(in); ++a) {
    Value v = in.args[static_cast<std::size_t>(a)];
    while (inst(v).code == Code::splat) v = inst(v).args[0];
    Operand o{operand(v, false), operand(v, true), slots_[v].text.stored, false, 0};
    if (inst(v).code == Code::constant) {
      o.constant = true;
      const DType type = inst(v).dtype;
      if (ir::is_int(type))
        o.integer = integer_value(type, static_cast<std::uint64_t>(inst(v).imm));
      o.stored = expression(type, o.exact, prelude_).stored;
    }
    operands.push_back(std::move(o));
  }
  const DType type = inst(in.args[in.op == ir::Op::select ? 1 : 0]).dtype;
  return spell_op(in.op, type, in.dtype, operands, uses_.index[i], prelude_);
}

Expression BodyWriter::operation(Value i) {
  const Inst& in = inst(i);
  for (;;) {
    Expression text = spell(i);
    Value longest = kNoValue;
    std::size_t length = kWorthAName;
    for (const Value v : in.args) {
      if (v == kNoValue || !slots_[v].deferred) continue;
      if (slots_[v].text.value.text.size() > length) {
        longest = v;
        length = slots_[v].text.value.text.size();
      }
    }
    if (text.value.text.size() <= kWidestText || longest == kNoValue) return text;
    name(longest);
  }
}

std::string function_text(const ir::Function& f, std::string_view name, std::string_view how,
                          Prelude& prelude) {
  static constexpr std::string_view kParameters[] = {"x", "y", "z"};
  ir::internal_check(f.params.size() <= std::size(kParameters), "a function of many parameters");
  Names names;
  std::vector<std::string> parameters;
  std::string list;
  for (std::size_t i = 0; i < f.params.size(); ++i) {
    parameters.push_back(names.unique(kParameters[i]));
    list += fmt::format("{}{} {}", i == 0 ? "" : ", ", value_type(f.params[i]), parameters[i]);
  }
  BodyWriter body(f.insts, nullptr, f.result, parameters, ir::Labels::no, names, prelude);
  body.write();
  std::string text =
      fmt::format("__device__ {}{} {}({}) {{\n", how, value_type(f.result_type), name, list);
  const std::string result = body.text_of(f.result);
  return text + body.take() + fmt::format("  return {};\n}}\n", result);
}

}  // namespace kiln::codegen::cuda
