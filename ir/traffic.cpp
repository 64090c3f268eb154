#include "ir/traffic.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "ir/kernel_codes.h"
#include "ir/kernel_moves.h"
#include "ir/scalar_loops.h"

namespace kiln::ir {
namespace {

constexpr std::int64_t kWarp = 32;
constexpr std::int64_t kSteps = 40'000;    // needed instructions of a warp to run, about
constexpr std::int64_t kWholeGrid = 24;    // grids of so many items are not sampled
constexpr std::int64_t kGridSamples = 14;  // at least
constexpr std::int64_t kLoopSamples = 3;
constexpr std::int64_t kLoopRounds = 2048;  // of nested loops together, over the whole grid

// A round of a loop or an item of the grid, and how many it stands for.
struct Sample {
  std::int64_t index;
  double weight;
};

// One warp (CUDA) or one thread (CPU) in lockstep; a value is an array over units and lanes.
class TrafficRun {
 public:
  TrafficRun(const Kernel& kernel, std::span<const std::int64_t> integers);
  RequestedTraffic run();

 private:
  using Mask = std::vector<std::uint8_t>;
  struct LocalIntegers {  // by unit and element
    std::vector<std::int64_t> values;
    std::vector<std::uint8_t> known;
  };
  struct Step {
    ArrayLoop loop = nullptr;
    std::byte* out = nullptr;
    const void* in[4] = {};
    std::int64_t bytes = 1;
    std::size_t close = 0, otherwise = 0;
    bool known = false;
    std::size_t waits_for = 0;         // a load: the loop that has all its uses, or 0
    std::vector<std::size_t> waiting;  // a loop: such loads
    bool needed = false;  // by an address, mask, condition or bound; of a scope: something in it
  };
  void link();
  void find_needed();
  void find_waiting();
  bool need(Value value);
  void fill(std::size_t i, std::int64_t value);
  void fill(std::size_t i, const std::vector<std::int64_t>& values);
  void read(std::size_t value, std::vector<std::int64_t>* wide) const;
  bool operands_known(std::size_t i) const;
  void body(std::size_t first, std::size_t last, const Mask& active, double weight);
  std::size_t open(std::size_t i, const Mask& active, double weight);
  void loop(std::size_t i, const Mask& active, double weight);
  void compute(std::size_t i);
  void access(std::size_t i, const Mask& active, double weight);
  void local_access(std::size_t i, const Mask& active);
  const std::uint8_t* mask_of(const Inst& inst) const;
  std::vector<Sample> samples(std::int64_t count, std::int64_t whole, std::int64_t inner);
  std::int64_t distinct_sectors();

  const Kernel& k_;
  std::vector<std::int64_t> integers_;
  std::int64_t threads_, units_;
  std::int64_t item_ = 0, warp_ = 0;
  std::int64_t whole_loop_ = 0;  // loops of so many rounds are not sampled, where the walk stands
  std::int64_t steps_done_ = 0;
  double golden_ = 0.5;
  std::vector<Step> steps_;
  std::vector<std::size_t> next_;      // by instruction: the next needed one from there
  std::vector<LocalIntegers> locals_;  // by memory; empty for others
  std::unique_ptr<std::byte[]> values_;
  double bytes_[2] = {0, 0}, sectors_[2] = {0, 0};  // read, written
  std::vector<std::int64_t> index_, touched_;       // of an access
};

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
    locals_.push_back({std::vector<std::int64_t>(elements), std::vector<std::uint8_t>(elements)});
  }
  link();
  find_needed();
  find_waiting();
}

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

// The first, the last, and `inner` others. These are taken in golden-section order, going on from
// one call to the next, so that no period is met twice and the calls make up for each other.
std::vector<Sample> TrafficRun::samples(std::int64_t count, std::int64_t whole,
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
  whole_loop_ = kLoopRounds / (warps * std::clamp<std::int64_t>(items, 1, kWholeGrid));
  const Mask all(static_cast<std::size_t>(units_), 1);
  const auto run_item = [&](const Sample& item) {
    item_ = item.index;
    for (warp_ = 0; warp_ * kWarp < threads_; ++warp_) {
      body(0, k_.insts.size(), all, item.weight);
    }
  };
  if (items > 0) run_item({0, 1});
  const std::int64_t affordable = kSteps / std::max<std::int64_t>(steps_done_, 1);
  const std::int64_t inner = std::max(affordable, kGridSamples);
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
    default:
      compute(i);
      return i;
  }
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
    default:
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
    if (store) {
      memory.values[element] = values[at];
      memory.known[element] = steps_[inst.args[1]].known ? 1 : 0;
    } else {
      values[at] = memory.values[element];
      known = known && memory.known[element] != 0;
    }
  }
  if (!store && known) fill(i, values);
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
      if (active[static_cast<std::size_t>(u)] == 0 || (masked != nullptr && masked[at] == 0))
        continue;
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

}  // namespace

RequestedTraffic requested_traffic(const Kernel& kernel, std::span<const std::int64_t> integers) {
  return TrafficRun(kernel, integers).run();
}

}  // namespace kiln::ir
