// Loads, stores and the declarations of memories.
#include <fmt/format.h>

#include "codegen/cuda/body.h"
#include "ir/error.h"
#include "ir/mutant.h"

namespace kiln::codegen::cuda {

using ir::Code;
using ir::Inst;
using ir::kNoValue;
using ir::Space;
using ir::Value;

namespace {

constexpr std::size_t kWidestStored = 64;  // with the place, some 90 columns

bool is_zero(const Inst& inst) { return inst.code == Code::constant && inst.imm == 0; }

}  // namespace

void BodyWriter::declare_memories() {
  const std::size_t count = kernel_->memories.size();
  std::vector<bool> whole(count), only_first(count, true), used(count);
  for (const Inst& in : insts_) {
    if (in.code != Code::load && in.code != Code::store) continue;
    const auto m = static_cast<std::size_t>(in.imm);
    used[m] = true;
    if (is_whole_access(in, insts_, *kernel_)) whole[m] = true;
    const int lanes = in.code == Code::load ? in.lanes : insts_[in.args[1]].lanes;
    if (lanes > 1 || !is_zero(insts_[in.args[0]])) only_first[m] = false;
  }
  memories_.resize(count);
  plain_variable_.resize(count);
  for (std::size_t m = 0; m < count; ++m) {
    const ir::Memory& memory = kernel_->memories[m];
    if (memory.space == Space::global) {
      memories_[m] = parameters_[memory.param];
      continue;
    }
    if (!used[m]) continue;
    const bool shared = memory.space == Space::shared;
    const std::string_view canonical = shared ? "tile" : "local";
    memories_[m] = names_.unique(labels_ == ir::Labels::yes && !memory.name.empty()
                                     ? std::string_view(memory.name)
                                     : canonical);
    plain_variable_[m] = memory.size == 1 && only_first[m];
    line(fmt::format("{}{}{} {}{};", whole[m] ? "alignas(16) " : "", shared ? "__shared__ " : "",
                     stored_type(memory.dtype), memories_[m],
                     plain_variable_[m] ? "" : fmt::format("[{}]", memory.size)));
  }
}

std::string BodyWriter::element(Value access) const {
  const Inst& in = inst(access);
  const auto m = static_cast<std::size_t>(in.imm);
  if (plain_variable_[m]) return memories_[m];
  const Value at = in.args[0];
  Text index = operand(at, false);
  const int lanes = in.code == Code::load ? in.lanes : inst(in.args[1]).lanes;
  if (lanes > 1 && inst(at).lanes == 1) {
    const Text k{"k", kPrimary};
    index = is_zero(inst(at)) ? k : infix(index, "+", kAdditive, k);
  }
  return fmt::format("{}[{}]", memories_[m], index.text);
}

std::string BodyWriter::address(Value access) const {
  const Inst& in = inst(access);
  const std::string& memory = memories_[static_cast<std::size_t>(in.imm)];
  if (is_zero(inst(in.args[0]))) return memory;
  return fmt::format("&{}[{}]", memory, operand(in.args[0], false).text);
}

std::string BodyWriter::condition(Value mask) const {
  return mask == kNoValue ? "" : operand(mask, false).text;
}

void BodyWriter::write_memory(Value i) {
  const Inst& in = inst(i);
  if (in.code == Code::store) return store(i);
  if (uses_.count[i] == 0) return;
  if (is_whole_access(in, insts_, *kernel_)) return load_whole(i);
  load(i);
}

// A load gets a name at its place; one from local or shared memory may move to its use, if no store
// to that memory, barrier or scope's end comes between.
void BodyWriter::load(Value i) {
  const Inst& in = inst(i);
  const bool local = memory(in).space != Space::global && in.args[1] == kNoValue;
  Expression text = load_text(i);
  if (local) slots_[i].locals.push_back(in.imm);
  const bool movable = local && uses_.movable[i];
  if (!movable || uses_.array[i]) {
    take_locals(i);
    slots_[i].text = std::move(text);
    slots_[i].deferred = true;
    uses_.array[i] ? name_array(i) : name(i);
    return;
  }
  define(i, std::move(text));
}

Expression BodyWriter::load_text(Value i) {
  const Inst& in = inst(i);
  const Expression own = from_stored(in.dtype, {element(i), kPrimary}, prelude_);
  if (in.args[1] == kNoValue) return own;
  const Text otherwise =
      in.args[2] == kNoValue ? literal(in.dtype, 0, false) : operand(in.args[2], false);
  const Text test = operand(in.args[1], false);
  const Text value{fmt::format("{} ? {} : {}", within(test, kLogicalOr), own.value.text,
                               within(otherwise, kConditional)),
                   kConditional};
  return expression(in.dtype, value, prelude_);
}

void BodyWriter::load_whole(Value i) {
  const Inst& in = inst(i);
  take_locals(i);
  const std::string type = vec_type(in.dtype, in.lanes);
  const std::string value = fmt::format("{}<{}>({})", prelude_.load_vector(), in.lanes, address(i));
  Slot& slot = slots_[i];
  slot.array = fresh(i);
  if (in.args[1] == kNoValue) {
    line(fmt::format("const {} {} = {};", type, slot.array, value), &in);
  } else {
    line(fmt::format("{} {} = {{}};", type, slot.array));
    line(fmt::format("if ({}) {} = {};", condition(in.args[1]), slot.array, value), &in);
  }
  slot.text = from_stored(in.dtype, {slot.array + "[k]", kPrimary}, prelude_);
}

void BodyWriter::store(Value i) {
  const Inst& in = inst(i);
  // Long parts get names first.
  for (const Value v : in.args) {
    if (v != kNoValue && slots_[v].deferred && slots_[v].text.value.text.size() > kWidestStored) {
      name(v);
    }
  }
  take_locals(i);
  name_readers(in.imm);
  const std::string test = condition(in.args[2]);
  std::string text = store_statement(i);
  if (!test.empty() && !mutant(ir::Mutant::store_mask))
    text = fmt::format("if ({}) {}", test, text);
  if (uses_.group[i] != 0) {
    group_lanes_ = inst(in.args[1]).lanes;
    lane_line(std::move(text), &in);
  } else {
    line(std::move(text), &in);
  }
}

std::string BodyWriter::store_statement(Value i) {
  const Inst& in = inst(i);
  const Value v = in.args[1];
  if (is_whole_access(in, insts_, *kernel_)) {
    return fmt::format("{}({}, {});", prelude_.store_vector(), address(i), array(v));
  }
  const std::string place = element(i);
  const Inst& value = inst(v);
  if (value.code == Code::op) {  // acc = acc + x
    const Word& own = word(value.op, value.dtype);
    const bool updates = own.form == Form::infix &&
                         ir::info(value.op).rule != ir::OpRule::Compare &&
                         (value.dtype == ir::DType::float32 || value.dtype == ir::DType::float64) &&
                         inst(value.args[0]).code == Code::load;
    const std::string start = fmt::format("{} {} ", place, own.text);
    if (updates && slots_[v].text.value.text.starts_with(start)) {
      const std::string rest = slots_[v].text.value.text.substr(start.size());
      return fmt::format(
          "{} {}= {};", place, own.text,
          rest.starts_with('(') && rest.ends_with(')') && rest.find('(', 1) == std::string::npos
              ? rest.substr(1, rest.size() - 2)
              : rest);
    }
  }
  std::string stored = operand(v, false).text;
  if (ir::is_half(value.dtype)) {
    Value source = v;
    while (inst(source).code == Code::splat) source = inst(source).args[0];
    stored = slots_[source].text.stored;
    if (stored.empty()) stored = expression(value.dtype, operand(source, false), prelude_).stored;
  }
  return fmt::format("{} = {};", place, stored);
}

}  // namespace kiln::codegen::cuda
