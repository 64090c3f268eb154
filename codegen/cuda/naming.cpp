// Which values get names, and how lines are put together.
#include <fmt/format.h>

#include <algorithm>

#include "codegen/cuda/body.h"

namespace kiln::codegen::cuda {

using ir::Code;
using ir::DType;
using ir::Inst;
using ir::kNoValue;
using ir::Value;

namespace {

constexpr std::size_t kWidestOneLineLoop = 72;

}  // namespace

void BodyWriter::define(Value i, Expression text) {
  Slot& slot = slots_[i];
  slot.text = std::move(text);
  slot.deferred = true;
  take_locals(i);
  if (uses_.array[i]) {
    name_array(i);
  } else if (!uses_.movable[i]) {
    name(i);
  } else if (!slot.locals.empty()) {
    readers_.push_back(i);
  }
}

// The operands' texts are now part of i's.
void BodyWriter::take_locals(Value i) {
  for (int a = 0; a < argument_count(inst(i)); ++a) {
    const Value v = inst(i).args[static_cast<std::size_t>(a)];
    if (v == kNoValue || !slots_[v].deferred) continue;
    slots_[v].deferred = false;
    std::vector<std::int64_t>& locals = slots_[i].locals;
    locals.insert(locals.end(), slots_[v].locals.begin(), slots_[v].locals.end());
    std::erase(readers_, v);
  }
}

void BodyWriter::name(Value v) {
  Slot& slot = slots_[v];
  const Inst& in = inst(v);
  const std::string variable = fresh(v);
  std::string text =
      fmt::format("const {} {} = {};", value_type(in.dtype), variable, slot.text.value.text);
  if (uses_.group[v] != 0) {
    group_lanes_ = in.lanes;
    lane_line(std::move(text), &in);
  } else {
    line(std::move(text), &in);
  }
  slot.text = expression(in.dtype, {variable, kPrimary}, prelude_);
  slot.deferred = false;
  slot.locals.clear();
  std::erase(readers_, v);
}

void BodyWriter::name_array(Value v) {
  Slot& slot = slots_[v];
  const Inst& in = inst(v);
  slot.array = fresh(v);
  line(fmt::format("{} {};", vec_type(in.dtype, in.lanes), slot.array));
  group_lanes_ = in.lanes;
  const std::string& own = ir::is_half(in.dtype) ? slot.text.stored : slot.text.value.text;
  lane_line(fmt::format("{}[k] = {};", slot.array, own), &in);
  slot.text = from_stored(in.dtype, {slot.array + "[k]", kPrimary}, prelude_);
  slot.deferred = false;
  slot.locals.clear();
}

// A leaf that something needs as a whole: its own loop, whatever group is open.
void BodyWriter::materialise_leaf(Value v) {
  const Inst& in = inst(v);
  slots_[v].array = fresh(v);
  const Text value = operand(v, false);
  const std::string own =
      ir::is_half(in.dtype) ? call(prelude_.from_float(in.dtype), {value.text}).text : value.text;
  line(fmt::format("{} {};", vec_type(in.dtype, in.lanes), slots_[v].array));
  line("#pragma unroll");
  line(fmt::format("for (int k = 0; k < {}; ++k) {}[k] = {};", in.lanes, slots_[v].array, own),
       &in);
}

void BodyWriter::name_readers(std::int64_t memory) {
  const std::vector<Value> readers = readers_;
  for (const Value v : readers) {
    const std::vector<std::int64_t>& locals = slots_[v].locals;
    if (std::find(locals.begin(), locals.end(), memory) != locals.end()) name(v);
  }
}

void BodyWriter::name_all_readers() {
  const std::vector<Value> readers = readers_;
  for (const Value v : readers) name(v);
}

std::string BodyWriter::fresh(Value v) {
  const Inst& in = inst(v);
  if (kernel_ != nullptr && labels_ == ir::Labels::yes && in.name != 0) {
    return names_.unique(kernel_->names[in.name]);
  }
  if (in.code == Code::load) {
    const std::string& from = memories_[static_cast<std::size_t>(in.imm)];
    if (plain_variable_[static_cast<std::size_t>(in.imm)]) return names_.temporary();
    return names_.unique(from + (in.lanes == 1 ? "_i" : std::to_string(in.lanes)));
  }
  if (in.code == Code::op) {  // one that goes to memory as a whole: out4
    const Value user = uses_.user[v];
    if (in.lanes > 1 && user != kNoValue && inst(user).code == Code::store &&
        memory(inst(user)).space != ir::Space::local && inst(user).args[1] == v) {
      return names_.unique(memories_[static_cast<std::size_t>(inst(user).imm)] +
                           std::to_string(in.lanes));
    }
  }
  if (in.code == Code::grid) return names_.unique("block");
  if (in.code == Code::thread) return names_.unique("thread");
  if (in.code != Code::loop) return names_.temporary();
  for (const std::string_view variable : {"i", "j", "l", "m"}) {
    if (names_.is_free(variable)) return names_.unique(variable);
  }
  return names_.unique("i");
}

std::string BodyWriter::vec_type(DType type, int lanes) {
  prelude_.vector();
  return fmt::format("vec<{}, {}>", stored_type(type), lanes);
}

// Lines.

std::string BodyWriter::comment(const Inst* source) {
  if (source == nullptr || kernel_ == nullptr || labels_ == ir::Labels::no || source->line == 0 ||
      source->line == line_) {
    return "";
  }
  line_ = source->line;
  return "  // " + kernel_->lines[line_];
}

void BodyWriter::line(std::string text, const Inst* source) {
  if (!text.starts_with('#')) out_.append(static_cast<std::size_t>(2 * depth_), ' ');
  out_ += text + comment(source) + '\n';
}

void BodyWriter::lane_line(std::string text, const Inst* source) {
  group_.push_back(std::move(text) + comment(source));
}

void BodyWriter::close_group() {
  if (group_.empty()) return;
  line("#pragma unroll");
  const std::string loop = fmt::format("for (int k = 0; k < {}; ++k) ", group_lanes_);
  const bool short_one = group_.size() == 1 &&
                         loop.size() + group_[0].size() < kWidestOneLineLoop &&
                         group_[0].find("//") == std::string::npos;
  if (short_one) {
    line(loop + group_[0]);
    group_.clear();
    return;
  }
  line(loop + '{');
  ++depth_;
  for (std::string& text : group_) line(std::move(text));
  --depth_;
  line("}");
  group_.clear();
}

}  // namespace kiln::codegen::cuda
