// What of a kernel decides where and whether memory is accessed.
#include <algorithm>

#include "ir/kernel_codes.h"
#include "ir/traffic_run.h"

namespace kiln::ir {

void TrafficRun::link() {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Inst& inst = k_.insts[i];
    for (std::size_t a = 0; a < inst.args.size(); ++a) {
      if (inst.args[a] != kNoValue) steps_[i].in[a] = steps_[inst.args[a]].out;
    }
    if (opens_scope(inst.code) || inst.code == Code::rare) open.push_back(i);
    if (inst.code == Code::else_) steps_[open.back()].otherwise = i;
    if (closes_scope(inst.code)) {
      Step& opener = steps_[open.back()];
      opener.close = i;
      if (opener.otherwise == 0) opener.otherwise = i;
      open.pop_back();
    }
    if (inst.code == Code::op && !is_float(inst.dtype)) {
      const DType type = k_.insts[inst.args[inst.op == Op::select ? 1 : 0]].dtype;
      if (!is_float(type)) steps_[i].loop = loop_of(inst.op, type, inst.dtype);
    }
  }
}

bool TrafficRun::need(Value value) {
  if (value == kNoValue || steps_[value].needed) return false;
  return steps_[value].needed = true;
}

// Most of a kernel computes what is stored; only what decides where and whether is run.
void TrafficRun::find_needed() {
  std::vector<std::uint8_t> loaded(k_.memories.size());  // a needed load reads there
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = steps_.size(); i-- > 0;) {
      const Inst& inst = k_.insts[i];
      Step& s = steps_[i];
      const bool store = inst.code == Code::store;
      const bool access = store || inst.code == Code::load;
      const auto memory = static_cast<std::size_t>(inst.imm);
      if (access &&
          (k_.memories[memory].space == Space::global || (store && loaded[memory] != 0))) {
        s.needed = true;
      }
      if (s.needed) {
        if (inst.code == Code::load && !locals_[memory].values.empty()) loaded[memory] = 1;
        const bool data = store && k_.memories[memory].space == Space::global;
        for (std::size_t a = 0; a < inst.args.size(); ++a) {
          if (!(data && a == 1)) changed = need(inst.args[a]) || changed;
        }
      }
      if (opens_scope(inst.code) || inst.code == Code::rare) {
        const auto first = steps_.begin() + static_cast<std::ptrdiff_t>(i) + 1;
        const auto last = steps_.begin() + static_cast<std::ptrdiff_t>(s.close);
        if (!s.needed && std::any_of(first, last, [](const Step& in) { return in.needed; })) {
          changed = s.needed = true;
          for (const Value v : inst.args) need(v);
        }
      }
    }
  }
  next_.assign(steps_.size() + 1, steps_.size());
  for (std::size_t i = steps_.size(); i-- > 0;) next_[i] = steps_[i].needed ? i : next_[i + 1];
}

// A compiler moves a load that only a loop left rolled uses behind the question whether it runs at
// all.
void TrafficRun::find_waiting() {
  constexpr std::size_t kNone = ~std::size_t{0};
  std::vector<std::size_t> parent, open{kNone};
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Inst& inst = k_.insts[i];
    if (closes_scope(inst.code)) open.pop_back();
    parent.push_back(open.back());
    if (opens_scope(inst.code) || inst.code == Code::rare) open.push_back(i);
    for (const Value v : inst.args) {
      if (v == kNoValue || k_.insts[v].code != Code::load) continue;
      std::size_t scope = i;  // grows outwards, up to what stands beside the load
      while (parent[scope] != parent[v] && parent[scope] != kNone) scope = parent[scope];
      Step& load = steps_[v];
      const bool inside =
          scope != i && k_.insts[scope].code == Code::loop && k_.insts[scope].imm == 2;
      const bool same = load.waits_for == 0 || load.waits_for == scope;
      load.waits_for = inside && same ? scope : kNone;
    }
  }
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    std::size_t& loop = steps_[i].waits_for;
    if (loop == kNone || loop == 0 || !steps_[loop].needed) {
      loop = 0;
    } else {
      steps_[loop].waiting.push_back(i);
    }
  }
}

}  // namespace kiln::ir
