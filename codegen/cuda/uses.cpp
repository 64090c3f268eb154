#include "codegen/cuda/uses.h"

#include <algorithm>
#include <map>

namespace kiln::codegen::cuda {

using ir::Code;
using ir::DType;
using ir::Inst;
using ir::kNoValue;
using ir::Op;
using ir::Value;

int argument_count(const Inst& inst) {
  int count = 4;
  while (count > 0 && inst.args[static_cast<std::size_t>(count - 1)] == kNoValue) --count;
  return count;
}

bool is_whole_access(const Inst& inst, std::span<const Inst> insts, const ir::Kernel& kernel) {
  const bool load = inst.code == Code::load;
  if (!load && inst.code != Code::store) return false;
  const Value mask = inst.args[load ? 1 : 2];
  const bool uniform =
      mask == kNoValue || insts[mask].lanes == 1 || insts[mask].code == Code::splat;
  const int lanes = load ? inst.lanes : insts[inst.args[1]].lanes;
  return lanes > 1 && (inst.flags & ir::kAligned) != 0 && uniform &&
         insts[inst.args[0]].lanes == 1 && (!load || inst.args[2] == kNoValue) &&
         kernel.memories[static_cast<std::size_t>(inst.imm)].space != ir::Space::local;
}

Uses::Uses(std::span<const Inst> insts, const ir::Kernel* kernel, Value result)
    : count(insts.size()),
      user(insts.size(), kNoValue),
      movable(insts.size()),
      leaf(insts.size()),
      index(insts.size()),
      group(insts.size()),
      closes(insts.size()),
      array(insts.size()),
      match(insts.size(), kNoValue),
      loop_of_(insts.size(), kNoValue) {
  find_scopes(insts);
  count_uses(insts, result);
  if (kernel == nullptr) return;
  find_index(insts, kernel->index, *kernel);
  find_leaves(insts);
  find_groups(insts, *kernel);
  find_arrays(insts);
}

void Uses::find_scopes(std::span<const Inst> insts) {
  std::vector<Value> open, loops;
  for (Value i = 0; i < insts.size(); ++i) {
    const Code code = insts[i].code;
    if (code == Code::end || code == Code::end_rare || code == Code::else_) {
      match[open.back()] = i;
      if (insts[open.back()].code == Code::loop) loops.pop_back();
      open.pop_back();
    }
    loop_of_[i] = loops.empty() ? kNoValue : loops.back();
    if (code == Code::grid || code == Code::thread || code == Code::loop || code == Code::if_ ||
        code == Code::else_ || code == Code::rare) {
      open.push_back(i);
      if (code == Code::loop) loops.push_back(i);
    }
  }
}

void Uses::count_uses(std::span<const Inst> insts, Value result) {
  for (Value i = 0; i < insts.size(); ++i) {
    const Inst& inst = insts[i];
    for (int a = 0; a < argument_count(inst); ++a) {
      const Value v = inst.args[static_cast<std::size_t>(a)];
      if (v == kNoValue || (inst.code == Code::end_rare && a == 0)) continue;
      ++count[v];
      // The value that a rare region falls back on is written before the region.
      user[v] = inst.code == Code::end_rare && a == 2 ? inst.args[0] : i;
    }
  }
  if (result != kNoValue) ++count[result];
  for (Value v = 0; v < insts.size(); ++v) {
    if (count[v] != 1) continue;
    movable[v] = user[v] == kNoValue ||
                 (loop_of_[user[v]] == loop_of_[v] && insts[user[v]].code != Code::splat);
  }
}

namespace {

bool is_index_op(Op op) {
  return op == Op::add || op == Op::sub || op == Op::mul || op == Op::idiv || op == Op::irem ||
         op == Op::min || op == Op::max;
}
bool is_condition_op(Op op) {
  return ir::info(op).rule == ir::OpRule::Compare || ir::info(op).rule == ir::OpRule::Bits;
}

// Whether operand `a` is used as an index, bound or mask, by an instruction that needs one or by
// one whose value is so used.
bool is_index_position(const Inst& user, int a, bool user_is_index) {
  switch (user.code) {
    case Code::load:
      return a < 2;
    case Code::store:
      return a != 1;
    case Code::loop:
    case Code::if_:
      return true;
    case Code::shuffle:
      return a == 1;
    case Code::splat:
      return user_is_index;
    case Code::op:
      return user_is_index &&
             (is_index_op(user.op) || is_condition_op(user.op) || user.op == Op::select);
    case Code::constant:
    case Code::param:
    case Code::grid:
    case Code::thread:
    case Code::else_:
    case Code::end:
    case Code::rare:
    case Code::end_rare:
    case Code::lane:
    case Code::extract:
    case Code::join:
    case Code::even:
    case Code::odd:
    case Code::barrier:
    case Code::any:
    case Code::prefetch:
      break;
  }
  return false;
}

}  // namespace

void Uses::find_index(std::span<const Inst> insts, DType type, const ir::Kernel& kernel) {
  std::vector<bool> index_use(insts.size());
  for (Value i = static_cast<Value>(insts.size()); i-- > 0;) {
    for (int a = 0; a < argument_count(insts[i]); ++a) {
      const Value v = insts[i].args[static_cast<std::size_t>(a)];
      if (v != kNoValue && is_index_position(insts[i], a, index_use[i])) index_use[v] = true;
    }
  }
  std::vector<bool> made_of_index(insts.size());
  std::vector<bool> extent(insts.size());  // a length, or a product of lengths: what axes divide by
  for (Value i = 0; i < insts.size(); ++i) {
    const Inst& inst = insts[i];
    if (inst.dtype != type) continue;
    switch (inst.code) {
      case Code::constant:
      case Code::grid:
      case Code::thread:
      case Code::loop:
      case Code::lane:
        made_of_index[i] = true;
        break;
      case Code::param:
        made_of_index[i] =
            kernel.params[static_cast<std::size_t>(inst.imm)].kind == ir::ParamKind::integer;
        extent[i] = made_of_index[i];
        break;
      case Code::splat:
        made_of_index[i] = made_of_index[inst.args[0]];
        break;
      case Code::op:
        made_of_index[i] =
            (is_index_op(inst.op) && made_of_index[inst.args[0]] && made_of_index[inst.args[1]]) ||
            (inst.op == Op::select && made_of_index[inst.args[1]] && made_of_index[inst.args[2]]);
        extent[i] = inst.op == Op::mul && extent[inst.args[0]] && extent[inst.args[1]];
        break;
      case Code::load:
      case Code::store:
      case Code::if_:
      case Code::else_:
      case Code::end:
      case Code::rare:
      case Code::end_rare:
      case Code::extract:
      case Code::join:
      case Code::even:
      case Code::odd:
      case Code::barrier:
      case Code::shuffle:
      case Code::any:
      case Code::prefetch:
        break;
    }
    // A coordinate is one by what it is made of, even where it is the user's value (an arange):
    // with the checks of the user's own divisions NVRTC may take minutes.
    const bool coordinate = inst.code == Code::op && (inst.op == Op::idiv || inst.op == Op::irem) &&
                            extent[inst.args[1]];
    index[i] = made_of_index[i] && (index_use[i] || coordinate);
  }
}

void Uses::find_leaves(std::span<const Inst> insts) {
  for (Value i = 0; i < insts.size(); ++i) {
    const Inst& inst = insts[i];
    if (inst.lanes == 1) continue;
    const bool plain = inst.op == Op::add || inst.op == Op::sub || inst.op == Op::mul;
    leaf[i] =
        inst.code == Code::splat || inst.code == Code::lane ||
        (inst.code == Code::op && plain && index[i] && leaf[inst.args[0]] && leaf[inst.args[1]]);
  }
}

void Uses::find_groups(std::span<const Inst> insts, const ir::Kernel& kernel) {
  std::uint32_t id = 0;
  int lanes = 0;  // 0: no group is open
  // Of the open group: the index at which a memory was loaded (kNoValue: at several), stores.
  std::map<std::int64_t, Value> loaded;
  std::vector<std::int64_t> stored;
  const auto close = [&](Value i) {
    closes[i] = lanes != 0;
    lanes = 0;
  };
  const auto join = [&](Value i, int width, bool fits) {
    if (lanes != width || !fits) close(i);
    if (lanes == 0) {
      ++id;
      lanes = width;
      loaded.clear();
      stored.clear();
    }
    group[i] = id;
  };
  for (Value i = 0; i < insts.size(); ++i) {
    const Inst& inst = insts[i];
    const bool whole = is_whole_access(inst, insts, kernel);
    if (inst.code == Code::constant || inst.code == Code::param || leaf[i]) continue;
    if (inst.code == Code::op) {
      if (inst.lanes > 1) join(i, inst.lanes, stored.empty());
    } else if (inst.code == Code::load && inst.lanes > 1 && !whole) {
      join(i, inst.lanes, stored.empty());
      const Value at = insts[inst.args[0]].lanes == 1 ? inst.args[0] : kNoValue;
      const auto [place, is_new] = loaded.emplace(inst.imm, at);
      if (!is_new && place->second != at) place->second = kNoValue;
    } else if (inst.code == Code::load) {
      if (!stored.empty()) close(i);
    } else if (inst.code == Code::store && insts[inst.args[1]].lanes > 1 && !whole) {
      const auto found = loaded.find(inst.imm);
      const bool same =
          found == loaded.end() || (found->second == inst.args[0] && found->second != kNoValue);
      const bool again = std::find(stored.begin(), stored.end(), inst.imm) != stored.end();
      join(i, insts[inst.args[1]].lanes, same && !again);
      stored.push_back(inst.imm);
    } else {
      close(i);
    }
  }
}

void Uses::find_arrays(std::span<const Inst> insts) {
  for (Value i = 0; i < insts.size(); ++i) {
    const Inst& inst = insts[i];
    for (const Value v : inst.args) {
      if (v == kNoValue || insts[v].lanes == 1) continue;
      // The condition of a whole access is a splat, and is written as the scalar.
      const bool mask = (inst.code == Code::load && v == inst.args[1]) ||
                        (inst.code == Code::store && v == inst.args[2]);
      const bool spread = inst.code == Code::extract && insts[v].code == Code::splat;
      if (leaf[v]) {
        if (group[i] == 0 && !leaf[i] && !mask && !spread) array[v] = true;
      } else if (group[v] == 0 || group[i] != group[v]) {
        array[v] = true;
      }
    }
  }
}

}  // namespace kiln::codegen::cuda
