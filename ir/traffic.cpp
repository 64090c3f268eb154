#include "ir/traffic.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ir/kernel_moves.h"
#include "ir/traffic_run.h"

namespace kiln::ir {
namespace {

constexpr std::int64_t kSteps = 40'000;    // needed instructions of a warp to run, about
constexpr std::int64_t kWholeGrid = 24;    // grids of so many items are not sampled
constexpr std::int64_t kGridSamples = 14;  // at least
constexpr std::int64_t kLoopSamples = 3;
// An overflow shows at the ends.
constexpr std::int64_t kWrapRounds = 32, kWrapSamples = 3;
constexpr std::int64_t kLoopRounds = 2048;  // of nested loops together, over the whole grid

}  // namespace

TrafficRun::TrafficRun(const Kernel& kernel, std::span<const std::int64_t> integers)
    : k_(kernel),
      integers_(integers.begin(), integers.end()),
      threads_(block_threads(kernel)),
      units_(std::min(threads_, kWarp)),
      steps_(kernel.insts.size()) {
  std::int64_t total = 0;
  std::vector<std::int64_t> offsets;
  for (const Inst& inst : k_.insts) {
    offsets.push_back(total);
    total += (units_ * inst.lanes * size_of(inst.dtype) + 15) / 16 * 16;
  }
  values_ = std::make_unique<std::byte[]>(static_cast<std::size_t>(total + 16));
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    steps_[i].out = values_.get() + offsets[i];
    steps_[i].bytes = size_of(k_.insts[i].dtype);
  }
  for (const Memory& m : k_.memories) {
    const bool kept = m.space == Space::local && !is_float(m.dtype);
    const auto elements = static_cast<std::size_t>(kept ? units_ * m.size : 0);
    locals_.push_back({std::vector<std::int64_t>(elements), std::vector<std::uint8_t>(elements),
                       std::vector<std::uint8_t>(elements)});
  }
  link();
  find_needed();
  find_waiting();
}

// The first, the last, and `inner` others. These are taken in golden-section order, going on from
// one call to the next, so that no period is met twice and the calls make up for each other.
std::vector<TrafficRun::Sample> TrafficRun::samples(std::int64_t count, std::int64_t whole,
                                                    std::int64_t inner) {
  std::vector<Sample> result;
  if (count <= std::max(whole, inner + 2)) {
    for (std::int64_t i = 0; i < count; ++i) result.push_back({i, 1});
    return result;
  }
  constexpr double kGolden = 0.6180339887498949;
  result.push_back({0, 1});
  const double weight = static_cast<double>(count - 2) / static_cast<double>(inner);
  for (std::int64_t i = 0; i < inner; ++i) {
    result.push_back(
        {1 + static_cast<std::int64_t>(golden_ * static_cast<double>(count - 2)), weight});
    golden_ = std::fmod(golden_ + kGolden, 1.0);
  }
  result.push_back({count - 1, 1});
  return result;
}

RequestedTraffic TrafficRun::run() {
  const std::int64_t items = grid_items(k_, integers_);
  const std::int64_t warps = (threads_ + kWarp - 1) / kWarp;
  const std::int64_t rounds = wraps_ ? kWrapRounds : kLoopRounds;
  whole_loop_ = rounds / (warps * std::clamp<std::int64_t>(items, 1, kWholeGrid));
  const Mask all(static_cast<std::size_t>(units_), 1);
  const auto run_item = [&](const Sample& item) {
    item_ = item.index;
    for (warp_ = 0; warp_ * kWarp < threads_; ++warp_) {
      body(0, k_.insts.size(), all, item.weight);
    }
  };
  if (items > 0) run_item({0, 1});
  const std::int64_t affordable = kSteps / std::max<std::int64_t>(steps_done_, 1);
  const std::int64_t inner = wraps_ ? kWrapSamples : std::max(affordable, kGridSamples);
  for (const Sample& item : samples(items, kWholeGrid, inner)) {
    if (item.index > 0) run_item(item);
  }
  const auto whole = [](double figure) { return std::llround(figure); };
  return {whole(bytes_[0]), whole(bytes_[1]), whole(sectors_[0]), whole(sectors_[1])};
}

void TrafficRun::fill(std::size_t i, std::int64_t value) {
  index_.assign(static_cast<std::size_t>(units_ * k_.insts[i].lanes), value);
  fill(i, index_);
}

// Values by unit and lane.
void TrafficRun::fill(std::size_t i, const std::vector<std::int64_t>& values) {
  const void* in = values.data();
  cast_loop(DType::int64, k_.insts[i].dtype)(units_ * k_.insts[i].lanes, &in, steps_[i].out);
  steps_[i].known = true;
}

void TrafficRun::read(std::size_t value, std::vector<std::int64_t>* wide) const {
  const Inst& inst = k_.insts[value];
  wide->resize(static_cast<std::size_t>(units_ * inst.lanes));
  const void* in = steps_[value].out;
  cast_loop(inst.dtype, DType::int64)(units_ * inst.lanes, &in, wide->data());
}

bool TrafficRun::operands_known(std::size_t i) const {
  return std::ranges::all_of(k_.insts[i].args,
                             [&](Value v) { return v == kNoValue || steps_[v].known; });
}

void TrafficRun::body(std::size_t first, std::size_t last, const Mask& active, double weight) {
  if (std::ranges::find(active, 1) == active.end()) return;
  for (std::size_t i = next_[first]; i < last; i = next_[i + 1]) i = open(i, active, weight);
}

// Runs instruction i, with its scope if it opens one, and gives the last one done.
std::size_t TrafficRun::open(std::size_t i, const Mask& active, double weight) {
  const Inst& inst = k_.insts[i];
  const Step& s = steps_[i];
  ++steps_done_;
  switch (inst.code) {
    case Code::grid:
      fill(i, item_);
      return i;
    case Code::thread: {
      std::vector<std::int64_t> number;
      for (std::int64_t u = 0; u < units_; ++u) number.push_back(warp_ * kWarp + u);
      fill(i, number);
      return i;
    }
    case Code::loop:
      loop(i, active, weight);
      return s.close;
    case Code::if_: {
      if (!steps_[inst.args[0]].known) {
        body(i + 1, s.otherwise, active, weight);
        return s.close;
      }
      Mask then = active, otherwise = active;
      const auto* const condition = reinterpret_cast<const std::uint8_t*>(s.in[0]);
      for (std::size_t u = 0; u < active.size(); ++u) {
        if (active[u] != 0) demand(i, inst.args[0], static_cast<std::int64_t>(u), 0);
        (condition[u] != 0 ? otherwise : then)[u] = 0;
      }
      body(i + 1, s.otherwise, then, weight);
      if (s.otherwise != s.close) body(s.otherwise + 1, s.close, otherwise, weight);
      return s.close;
    }
    case Code::load:
    case Code::store:
      if (s.waits_for == 0) access(i, active, weight);
      return i;
    case Code::constant:
    case Code::param:
    case Code::op:
    case Code::else_:
    case Code::end:
    case Code::rare:
    case Code::end_rare:
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
  compute(i);
  if (wraps_) follow_wraps(i);
  return i;
}

void TrafficRun::loop(std::size_t i, const Mask& active, double weight) {
  const Inst& inst = k_.insts[i];
  if (!operands_known(i)) {
    steps_[i].known = false;
    for (const std::size_t load : steps_[i].waiting) access(load, active, weight);
    body(i + 1, steps_[i].close, active, weight);
    return;
  }
  std::vector<std::int64_t> begin, end, step;
  read(inst.args[0], &begin);
  read(inst.args[1], &end);
  read(inst.args[2], &step);
  if (wraps_) check_loop(i, active, begin, end, step);
  std::int64_t most = 0;
  for (std::size_t u = 0; u < active.size(); ++u) {
    if (active[u] != 0) most = std::max(most, (end[u] - begin[u] + step[u] - 1) / step[u]);
  }
  if (!steps_[i].waiting.empty()) {
    Mask enters = active;
    for (std::size_t u = 0; u < active.size(); ++u) enters[u] &= begin[u] < end[u] ? 1 : 0;
    for (const std::size_t load : steps_[i].waiting) access(load, enters, weight);
  }
  std::vector<std::int64_t> variable;
  Mask inside;
  const std::int64_t whole = whole_loop_;
  const std::vector<Sample> rounds = samples(most, inst.imm == 1 ? most : whole, kLoopSamples);
  whole_loop_ /= std::max<std::int64_t>(static_cast<std::int64_t>(rounds.size()), 1);
  for (const Sample& round : rounds) {
    variable = begin;
    inside = active;
    for (std::size_t u = 0; u < active.size(); ++u) {
      variable[u] += round.index * step[u];
      if (variable[u] >= end[u]) inside[u] = 0;
    }
    fill(i, variable);
    body(i + 1, steps_[i].close, inside, weight * round.weight);
  }
  whole_loop_ = whole;
}

void TrafficRun::compute(std::size_t i) {
  const Inst& inst = k_.insts[i];
  Step& s = steps_[i];
  const bool whole_number = !is_float(inst.dtype);
  switch (inst.code) {
    case Code::constant:
      s.known = whole_number;
      if (s.known) fill(i, inst.imm);
      return;
    case Code::param:
      s.known = k_.params[static_cast<std::size_t>(inst.imm)].kind == ParamKind::integer;
      if (s.known) fill(i, integers_[static_cast<std::size_t>(inst.imm)]);
      return;
    case Code::op:
      s.known = s.loop != nullptr && operands_known(i);
      if (s.known) s.loop(units_ * inst.lanes, s.in, s.out);
      return;
    case Code::lane: {
      std::vector<std::int64_t> lanes;
      for (std::int64_t k = 0; k < units_ * inst.lanes; ++k) lanes.push_back(k % inst.lanes);
      if (whole_number) fill(i, lanes);
      return;
    }
    case Code::splat:
    case Code::extract:
    case Code::join:
    case Code::even:
    case Code::odd:
      s.known = whole_number && operands_known(i);
      if (s.known) move_lanes(inst, k_.insts[inst.args[0]].lanes, units_, s.in, s.out);
      return;
    case Code::any: {
      s.known = operands_known(i);
      const std::int64_t lanes = k_.insts[inst.args[0]].lanes;
      const auto* const in = static_cast<const std::uint8_t*>(s.in[0]);
      for (std::int64_t u = 0; s.known && u < units_; ++u) {
        const std::uint8_t* const first = in + u * lanes;
        s.out[u] = static_cast<std::byte>(std::find(first, first + lanes, 1) != first + lanes);
      }
      return;
    }
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
    case Code::barrier:
    case Code::shuffle:
    case Code::prefetch:
      s.known = false;
  }
}

// Of the lanes of a load or store, or null: all.
const std::uint8_t* TrafficRun::mask_of(const Inst& inst) const {
  const Value mask = inst.args[inst.code == Code::store ? 2 : 1];
  if (mask == kNoValue || !steps_[mask].known) return nullptr;
  return reinterpret_cast<const std::uint8_t*>(steps_[mask].out);
}

// Coordinates may go through local memory: the edge up to which a loop runs.
void TrafficRun::local_access(std::size_t i, const Mask& active) {
  const Inst& inst = k_.insts[i];
  const bool store = inst.code == Code::store;
  LocalIntegers& memory = locals_[static_cast<std::size_t>(inst.imm)];
  steps_[i].known = false;
  if (memory.values.empty()) return;
  if (!steps_[inst.args[0]].known) {
    if (store) std::ranges::fill(memory.known, 0);
    return;
  }
  const std::int64_t lanes = store ? k_.insts[inst.args[1]].lanes : inst.lanes;
  const auto size = static_cast<std::int64_t>(memory.values.size()) / units_;
  const bool gathers = k_.insts[inst.args[0]].lanes != 1;
  const std::uint8_t* const mask = mask_of(inst);
  std::vector<std::int64_t> index, values(static_cast<std::size_t>(units_ * lanes));
  std::vector<std::uint8_t> wrapped(values.size());
  read(inst.args[0], &index);
  if (store) read(inst.args[1], &values);
  bool known = true;
  for (std::int64_t k = 0; k < units_ * lanes; ++k) {
    const std::int64_t u = k / lanes;
    const auto at = static_cast<std::size_t>(k);
    if (active[static_cast<std::size_t>(u)] == 0 || (mask != nullptr && mask[at] == 0)) continue;
    const std::int64_t e = gathers ? index[at] : index[static_cast<std::size_t>(u)] + k % lanes;
    if (e < 0 || e >= size) continue;
    const auto element = static_cast<std::size_t>(u * size + e);
    demand(i, inst.args[0], u, gathers ? k % lanes : 0);
    if (store) {
      memory.lost[element] = lost(inst.args[1], u, k % lanes) ? 1 : 0;
      memory.values[element] = values[at];
      memory.known[element] = steps_[inst.args[1]].known ? 1 : 0;
    } else {
      values[at] = memory.values[element];
      wrapped[at] = memory.lost[element];
      known = known && memory.known[element] != 0;
    }
  }
  if (store || !known) return;
  fill(i, values);
  steps_[i].lost = std::move(wrapped);
}

std::int64_t TrafficRun::distinct_sectors() {
  if (!std::ranges::is_sorted(touched_)) std::ranges::sort(touched_);
  return std::unique(touched_.begin(), touched_.end()) - touched_.begin();
}

void TrafficRun::access(std::size_t i, const Mask& active, double weight) {
  const Inst& inst = k_.insts[i];
  const bool store = inst.code == Code::store;
  if (k_.memories[static_cast<std::size_t>(inst.imm)].space != Space::global) {
    local_access(i, active);
    return;
  }
  steps_[i].known = false;
  const std::int64_t lanes = store ? k_.insts[inst.args[1]].lanes : inst.lanes;
  const std::int64_t size = size_of(k_.memories[static_cast<std::size_t>(inst.imm)].dtype);
  const std::uint8_t* const masked = mask_of(inst);
  const bool gathers = k_.insts[inst.args[0]].lanes != 1;
  const bool known = steps_[inst.args[0]].known;
  if (known) read(inst.args[0], &index_);
  // On CUDA a vector is one instruction only if aligned; else each lane is one.
  const bool apart = k_.target == Target::cuda && lanes > 1 && (inst.flags & kAligned) == 0;
  touched_.clear();
  std::int64_t elements = 0, scattered = 0;
  for (std::int64_t l = 0; l < lanes; ++l) {
    for (std::int64_t u = 0; u < units_; ++u) {
      const auto at = static_cast<std::size_t>(u * lanes + l);
      if (active[static_cast<std::size_t>(u)] == 0) continue;
      if (masked != nullptr) demand(i, inst.args[store ? 2 : 1], u, l);
      if (masked != nullptr && masked[at] == 0) continue;
      if (known) demand(i, inst.args[0], u, gathers ? l : 0);
      ++elements;
      if (known) {
        const std::int64_t e = gathers ? index_[at] : index_[static_cast<std::size_t>(u)] + l;
        const std::int64_t sector = e * size / kSectorBytes * (apart ? lanes : 1) + (apart ? l : 0);
        if (touched_.empty() || touched_.back() != sector) touched_.push_back(sector);
      } else {
        ++scattered;
      }
    }
  }
  bytes_[store ? 1 : 0] += weight * static_cast<double>(elements * size);
  sectors_[store ? 1 : 0] += weight * static_cast<double>(distinct_sectors() + scattered);
}

RequestedTraffic requested_traffic(const Kernel& kernel, std::span<const std::int64_t> integers) {
  return TrafficRun(kernel, integers).run();
}

}  // namespace kiln::ir
