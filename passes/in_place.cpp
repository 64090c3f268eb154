#include "passes/in_place.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "ir/error.h"

namespace kiln::passes {

using ir::Code;
using ir::Inst;
using ir::Value;

namespace {

// The global memory of a parameter; there is one.
std::int64_t memory_of(const ir::Kernel& kernel, std::uint32_t param) {
  for (std::size_t m = 0; m < kernel.memories.size(); ++m) {
    const ir::Memory& memory = kernel.memories[m];
    if (memory.space == ir::Space::global && memory.param == param)
      return static_cast<std::int64_t>(m);
  }
  ir::internal_error("a buffer parameter without a memory");
}

}  // namespace

bool can_share(const ir::Kernel& kernel, std::uint32_t from, std::uint32_t to) {
  const std::int64_t source = memory_of(kernel, from), target = memory_of(kernel, to);
  // Where an access goes: scope, index, lanes, mask. An else has the scope of its own.
  using Place = std::tuple<Value, Value, std::uint16_t, Value>;
  std::set<Place> waiting;  // loaded, not yet stored
  std::set<Place> stored;
  std::vector<Value> open{ir::kNoValue};
  for (Value v = 0; v < kernel.insts.size(); ++v) {
    const Inst& inst = kernel.insts[v];
    switch (inst.code) {
      case Code::grid:
      case Code::thread:
      case Code::loop:
      case Code::if_:
      case Code::rare:
        open.push_back(v);
        break;
      case Code::else_:
        open.back() = v;
        break;
      case Code::end:
      case Code::end_rare:
        open.pop_back();
        break;
      case Code::load:
        if (inst.imm == source) {
          const Place place{open.back(), inst.args[0], inst.lanes, inst.args[1]};
          if (stored.contains(place)) return false;
          waiting.insert(place);
        }
        break;
      case Code::store:
        if (inst.imm == target) {
          const Place place{open.back(), inst.args[0], inst.lanes, inst.args[2]};
          if (!stored.insert(place).second) return false;
          waiting.erase(place);
        }
        break;
      case Code::constant:
      case Code::param:
      case Code::op:
      case Code::splat:
      case Code::lane:
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
  }
  return waiting.empty();
}

void share(ir::Kernel& kernel, std::uint32_t from, std::uint32_t to) {
  const std::int64_t source = memory_of(kernel, from), target = memory_of(kernel, to);
  for (Inst& inst : kernel.insts) {
    const bool access = inst.code == Code::load || inst.code == Code::store;
    if ((access || inst.code == Code::prefetch) && inst.imm >= source) {
      inst.imm = inst.imm == source ? target : inst.imm;
      if (inst.imm > source) --inst.imm;
    }
    if (inst.code == Code::param && inst.imm > from) --inst.imm;
  }
  kernel.memories.erase(kernel.memories.begin() + static_cast<std::ptrdiff_t>(source));
  for (ir::Memory& memory : kernel.memories) {
    if (memory.space == ir::Space::global && memory.param > from) --memory.param;
  }
  for (ir::GridFactor& factor : kernel.grid) {
    for (std::uint32_t& param : factor.params) {
      if (param > from) --param;
    }
  }
  kernel.params[to].read = true;
  kernel.params.erase(kernel.params.begin() + from);
}

}  // namespace kiln::passes
