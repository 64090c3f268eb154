#include "codegen/cuda/entry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace kiln::codegen::cuda {

using ir::Code;
using ir::Inst;
using ir::Op;
using ir::Value;

namespace {

constexpr std::size_t kMostNamed = 4, kMostCharacters = 30;

// Which arguments the value of an instruction is made of; those left out say where something lies
// or whether it is computed.
std::vector<Value> made_of(const Inst& inst) {
  const auto& a = inst.args;
  std::vector<Value> parts;
  switch (inst.code) {
    case Code::op:
    case Code::splat:
    case Code::extract:
    case Code::join:
    case Code::even:
    case Code::odd:
      parts.assign(a.begin(), a.end());
      break;
    case Code::shuffle:
    case Code::any:
      parts = {a[0]};
      break;
    case Code::store:
      parts = {a[1]};
      break;
    case Code::load:
      parts = {a[2]};
      break;
    case Code::end_rare:
      parts = {a[1], a[2]};
      break;
    case Code::constant:
    case Code::param:
    case Code::grid:
    case Code::thread:
    case Code::loop:
    case Code::if_:
    case Code::else_:
    case Code::end:
    case Code::rare:
    case Code::lane:
    case Code::barrier:
    case Code::prefetch:
      break;
  }
  std::erase(parts, ir::kNoValue);
  return parts;
}

// The operations whose results a kernel stores. Addresses, bounds and masks are made of the same
// operations, and are told by where they go and by what they are made of.
class Operations {
 public:
  explicit Operations(const ir::Kernel& kernel)
      : kernel_(kernel),
        insts_(kernel.insts),
        data_(insts_.size()),
        result_(insts_.size()),
        reduction_(insts_.size()) {
    find_data();
    find_results();
    find_reductions();
  }

  std::vector<std::string_view> names() const {
    std::vector<std::string_view> names;
    std::size_t characters = 0;
    bool copies = false;
    for (Value i = 0; i < insts_.size(); ++i) {
      copies = copies || (insts_[i].code == Code::load && result_[i]);
      if (!counts(i)) continue;
      const std::string_view name = name_of(i);
      if (std::ranges::find(names, name) != names.end()) continue;
      characters += name.size() + (names.empty() ? 0 : 1);
      if (names.size() == kMostNamed || characters > kMostCharacters) return names;
      names.push_back(name);
    }
    if (names.empty()) names.emplace_back(copies ? "copy" : "fill");
    return names;
  }

 private:
  // Made of elements or of the user's scalars.
  void find_data() {
    for (Value i = 0; i < insts_.size(); ++i) {
      const Inst& in = insts_[i];
      const auto number = static_cast<std::size_t>(in.imm);
      data_[i] = in.code == Code::load ||
                 (in.code == Code::param && kernel_.params[number].kind == ir::ParamKind::scalar);
      for (const Value v : made_of(in)) data_[i] = data_[i] || data_[v];
    }
  }
  void find_results() {
    for (Value i = static_cast<Value>(insts_.size()); i-- > 0;) {
      if (insts_[i].code != Code::store && !result_[i]) continue;
      for (const Value v : made_of(insts_[i])) result_[v] = true;
    }
  }
  // What accumulates in a memory of the thread or block, what meets another thread's, and what
  // joins two such.
  void find_reductions() {
    for (const Inst& in : insts_) {
      if (in.code != Code::store || insts_[in.args[1]].code != Code::op) continue;
      for (const Value v : made_of(insts_[in.args[1]])) {
        if (is_own(insts_[v]) && insts_[v].imm == in.imm) reduction_[in.args[1]] = true;
      }
    }
    std::vector<bool> accumulates(kernel_.memories.size());
    for (const Inst& in : insts_) {
      if (in.code == Code::store && reduction_[in.args[1]])
        accumulates[static_cast<std::size_t>(in.imm)] = true;
    }
    const auto is_part = [&](Value v) {
      return reduction_[v] ||
             (is_own(insts_[v]) && accumulates[static_cast<std::size_t>(insts_[v].imm)]);
    };
    for (Value i = 0; i < insts_.size(); ++i) {
      const Inst& in = insts_[i];
      if (in.code != Code::op || ir::info(in.op).arity != 2) continue;
      const Inst& right = insts_[in.args[1]];
      if ((right.code == Code::shuffle && right.args[0] == in.args[0]) ||
          (is_part(in.args[0]) && is_part(in.args[1]))) {
        reduction_[i] = true;
      }
    }
  }
  bool is_own(const Inst& in) const {
    return in.code == Code::load &&
           kernel_.memories[static_cast<std::size_t>(in.imm)].space != ir::Space::global;
  }

  bool counts(Value i) const {
    const Inst& in = insts_[i];
    if (in.code != Code::op || !result_[i]) return false;
    // What is chosen by where the element lies was chosen by the schedule, or by a view.
    if (data_[i]) return in.op != Op::select || data_[in.args[0]];
    const ir::DType type = insts_[in.args[in.op == Op::select ? 1 : 0]].dtype;
    return type != kernel_.index && type != ir::DType::bool_;
  }
  std::string_view name_of(Value i) const {
    const Op op = insts_[i].op;
    if (reduction_[i] && op == Op::add) return "sum";
    if (reduction_[i] && op == Op::mul) return "prod";
    return ir::info(op).name;
  }

  const ir::Kernel& kernel_;
  const std::vector<Inst>& insts_;
  std::vector<bool> data_, result_, reduction_;
};

}  // namespace

std::string operations(const ir::Kernel& kernel) {
  return fmt::format("{}", fmt::join(Operations(kernel).names(), "_"));
}

}  // namespace kiln::codegen::cuda
