// Follows index arithmetic of 32 bits that overflows, up to what depends on it.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "ir/kernel_codes.h"
#include "ir/kernel_moves.h"
#include "ir/traffic_run.h"

namespace kiln::ir {

namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int32_t>::min();

bool fits(std::int64_t value) { return kLeast <= value && value <= kMost; }

// Whether the exact result is one of 32 bits; the operands are.
bool result_fits(Op op, std::int64_t a, std::int64_t b) {
  switch (op) {
    case Op::add:
      return fits(a + b);
    case Op::sub:
      return fits(a - b);
    case Op::mul:
      return fits(a * b);
    case Op::neg:
    case Op::abs:
      return a != kLeast;
    case Op::shl:
      return b >= 0 && b < 32 && fits(a * (std::int64_t{1} << b));
    default:
      return true;
  }
}

}  // namespace

void TrafficRun::look_for_wraps() { wraps_ = true; }

bool TrafficRun::lost(Value value, std::int64_t unit, std::int64_t lane) const {
  const std::vector<std::uint8_t>& flags = steps_[value].lost;
  if (flags.empty()) return false;
  const std::int64_t lanes = k_.insts[value].lanes;
  return flags[static_cast<std::size_t>(unit * lanes + (lanes == 1 ? 0 : lane))] != 0;
}

void TrafficRun::report(std::size_t i, std::int64_t unit, const std::string& what) {
  constexpr std::size_t kLongest = 1000;
  const std::string place = fmt::format("instruction {} (", i);
  if (findings_.size() > kLongest || findings_.find(place) != std::string::npos) return;
  findings_ += fmt::format("{}{}): {}, at item {}, thread {}\n", place, info(k_.insts[i].code).name,
                           what, item_, warp_ * kWarp + unit);
}

// Instruction i does something that depends on a value.
void TrafficRun::demand(std::size_t i, Value value, std::int64_t unit, std::int64_t lane) {
  if (wraps_ && lost(value, unit, lane)) report(i, unit, "depends on an index beyond 32 bits");
}

void TrafficRun::check_loop(std::size_t i, const Mask& active,
                            const std::vector<std::int64_t>& begin,
                            const std::vector<std::int64_t>& end,
                            const std::vector<std::int64_t>& step) {
  const Inst& inst = k_.insts[i];
  for (std::size_t u = 0; u < active.size(); ++u) {
    if (active[u] == 0) continue;
    const auto unit = static_cast<std::int64_t>(u);
    for (int a = 0; a < 3; ++a) demand(i, inst.args[static_cast<std::size_t>(a)], unit, 0);
    if (inst.dtype != DType::int32 || begin[u] >= end[u]) continue;
    const std::int64_t rounds = (end[u] - begin[u] + step[u] - 1) / step[u];
    if (!fits(begin[u] + rounds * step[u])) report(i, unit, "the variable leaves 32 bits");
  }
}

// After an instruction was run.
void TrafficRun::follow_wraps(std::size_t i) {
  const Inst& inst = k_.insts[i];
  Step& s = steps_[i];
  s.lost.clear();
  if (!s.known) return;
  const auto count = static_cast<std::size_t>(units_ * inst.lanes);
  switch (inst.code) {
    case Code::param:
      if (inst.dtype == DType::int32 && !fits(integers_[static_cast<std::size_t>(inst.imm)])) {
        s.lost.assign(count, 1);
      }
      return;
    case Code::op:
      wrap_of_op(i);
      return;
    case Code::splat:
    case Code::extract:
    case Code::join:
    case Code::even:
    case Code::odd: {
      std::vector<std::vector<std::uint8_t>> flags(inst.args.size());
      const void* in[4] = {};
      bool any = false;
      for (std::size_t a = 0; a < inst.args.size(); ++a) {
        if (inst.args[a] == kNoValue) continue;
        flags[a] = steps_[inst.args[a]].lost;
        any = any || !flags[a].empty();
        flags[a].resize(static_cast<std::size_t>(units_ * k_.insts[inst.args[a]].lanes));
        in[a] = flags[a].data();
      }
      if (!any) return;
      Inst moved = inst;
      moved.dtype = DType::bool_;
      s.lost.resize(count);
      move_lanes(moved, k_.insts[inst.args[0]].lanes, units_, in,
                 reinterpret_cast<std::byte*>(s.lost.data()));
      return;
    }
    case Code::any: {
      const std::vector<std::uint8_t>& flags = steps_[inst.args[0]].lost;
      if (std::ranges::find(flags, 1) != flags.end()) s.lost.assign(count, 1);
      return;
    }
    case Code::constant:
    case Code::load:
    case Code::store:
    case Code::grid:
    case Code::thread:
    case Code::loop:
    case Code::if_:
    case Code::else_:
    case Code::end:
    case Code::rare:
    case Code::end_rare:
    case Code::lane:
    case Code::barrier:
    case Code::shuffle:
    case Code::prefetch:
      return;
  }
}

void TrafficRun::wrap_of_op(std::size_t i) {
  const Inst& inst = k_.insts[i];
  std::vector<std::int64_t> in[3];
  int operands = 0;
  for (; operands < 3 && inst.args[static_cast<std::size_t>(operands)] != kNoValue; ++operands) {
    read(inst.args[static_cast<std::size_t>(operands)], &in[operands]);
  }
  std::vector<std::uint8_t> result(static_cast<std::size_t>(units_ * inst.lanes));
  const bool logical = inst.dtype == DType::bool_ && (inst.op == Op::and_ || inst.op == Op::or_);
  for (std::size_t k = 0; k < result.size(); ++k) {
    const auto unit = static_cast<std::int64_t>(k) / inst.lanes,
               lane = static_cast<std::int64_t>(k) % inst.lanes;
    const auto gone = [&](int a) {
      return a < operands && lost(inst.args[static_cast<std::size_t>(a)], unit, lane);
    };
    bool wrapped = gone(0) || gone(1) || gone(2);
    if (inst.op == Op::select) wrapped = gone(0) || gone(in[0][k] != 0 ? 1 : 2);
    if (logical) {  // one operand may decide alone
      const std::int64_t decides = inst.op == Op::or_ ? 1 : 0;
      if ((in[0][k] == decides && !gone(0)) || (in[1][k] == decides && !gone(1))) wrapped = false;
    }
    if (inst.dtype == DType::int32) {
      wrapped = wrapped || (inst.op == Op::cast
                                ? !fits(in[0][k])
                                : !result_fits(inst.op, in[0][k], operands > 1 ? in[1][k] : 0));
    }
    result[k] = wrapped ? 1 : 0;
  }
  if (std::ranges::find(result, 1) != result.end()) steps_[i].lost = std::move(result);
}

std::string wrapped_indices(const Kernel& kernel, std::span<const std::int64_t> integers) {
  TrafficRun run(kernel, integers);
  run.look_for_wraps();
  run.run();
  return run.findings();
}

}  // namespace kiln::ir
