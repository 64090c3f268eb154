// Grid items are independent, so a batch of them runs in lockstep: a value is an array over units
// (a unit is one thread of one item) and lanes, unit by unit, and an instruction is one loop over
// it. Which units take part is a byte mask; instructions without side effects ignore it.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "ir/error.h"
#include "ir/fp_state.h"
#include "ir/function_run.h"
#include "ir/kernel_codes.h"
#include "ir/kernel_moves.h"

namespace kiln::ir {
namespace {

constexpr std::int64_t kWarp = 32;
constexpr std::int64_t kBatchBytes = 256 << 10;  // of values, so that a batch stays in a cache
constexpr std::int64_t kBatchUnits = 4096;
constexpr int kPoison = 0xff;  // of local and shared memory before it is written

std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

class KernelRun {
 public:
  KernelRun(const Kernel& kernel, const KernelArg* args, std::int64_t items);
  void run(std::int64_t begin, std::int64_t end);

 private:
  struct Step {
    ArrayLoop loop = nullptr;
    std::byte* out = nullptr;
    const void* in[4] = {};
    std::int64_t lanes = 1;
    std::int64_t bytes = 1;     // of an element
    std::size_t close = 0;      // opener: its end; rare: its end_rare
    std::size_t otherwise = 0;  // if: its else, or its end
    std::unique_ptr<FunctionRun> function;
  };
  struct Loops {  // of one open loop
    std::vector<std::int64_t> var, end, step;
  };
  struct Scope {
    std::size_t opener;
    std::vector<std::uint8_t> parent;  // who was active outside
    Loops loop;
  };

  void choose_units(std::int64_t items);
  void allocate();
  void link();
  void prepare(std::size_t i);
  void fill(std::size_t i, std::uint64_t bits);
  std::size_t step(std::size_t i);
  void batch(std::int64_t first, std::int64_t items);
  void run_op(std::size_t i);
  void access(std::size_t i);
  Place place(const Memory& memory, std::size_t index) const;
  void check_bounds(std::size_t i, const Access& access) const;
  std::size_t open_loop(std::size_t i);
  std::size_t begin_iteration(std::size_t opener);
  std::size_t end_scope(std::size_t i);
  std::size_t open_if(std::size_t i);
  std::size_t open_else(std::size_t i);
  std::size_t open_rare(std::size_t i);
  void close_scope();
  void check_barrier(std::size_t i) const;
  void shuffle(std::size_t i);
  void any(std::size_t i);
  const std::int64_t* as_int64(std::size_t value, std::vector<std::int64_t>& scratch) const;
  void set_active(std::vector<std::uint8_t> active);
  [[noreturn]] void misuse(std::size_t i, std::string_view what) const;

  const Kernel& k_;
  const KernelArg* args_;
  const std::int64_t threads_;
  std::size_t grid_ = 0;       // the instruction
  std::int64_t capacity_ = 1;  // items of a batch
  std::int64_t units_ = 1;     // of this batch
  std::int64_t first_ = 0;     // item of this batch
  std::vector<Step> steps_;
  std::unique_ptr<std::byte[]> values_;
  std::vector<std::unique_ptr<std::byte[]>> memories_;
  std::vector<std::uint8_t> active_;
  bool all_ = true;
  std::vector<Scope> scopes_;
  mutable std::vector<std::int64_t> index_;
};

KernelRun::KernelRun(const Kernel& kernel, const KernelArg* args, std::int64_t items)
    : k_(kernel), args_(args), threads_(block_threads(kernel)), steps_(kernel.insts.size()) {
  choose_units(items);
  allocate();
  link();
  set_active(std::vector<std::uint8_t>(static_cast<std::size_t>(units_), 1));
  for (std::size_t i = 0; i < k_.insts.size(); ++i) prepare(i);
  for (std::size_t i = 0; i < grid_; ++i) i = step(i);
}

// As many items as keep a batch's values and memories in a cache; one at least.
void KernelRun::choose_units(std::int64_t items) {
  std::int64_t unit_bytes = 1, item_bytes = 0;
  for (const Inst& inst : k_.insts) {
    if (info(inst.code).value) unit_bytes += inst.lanes * size_of(inst.dtype);
  }
  for (const Memory& m : k_.memories) {
    if (m.space == Space::local) unit_bytes += m.size * size_of(m.dtype);
    if (m.space == Space::shared) item_bytes += m.size * size_of(m.dtype);
  }
  const std::int64_t fit = kBatchBytes / (unit_bytes * threads_ + item_bytes);
  capacity_ = std::clamp<std::int64_t>(std::min(fit, kBatchUnits / threads_), 1, items);
  units_ = capacity_ * threads_;
}

void KernelRun::allocate() {
  constexpr std::int64_t kAlignment = 64;
  std::int64_t total = 0;
  std::vector<std::int64_t> offsets;
  for (const Inst& inst : k_.insts) {
    offsets.push_back(total);
    if (info(inst.code).value) {
      total += round_up(units_ * inst.lanes * size_of(inst.dtype), kAlignment);
    }
  }
  values_ = std::make_unique<std::byte[]>(static_cast<std::size_t>(total + 1));
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Inst& inst = k_.insts[i];
    steps_[i].out = values_.get() + offsets[i];
    steps_[i].lanes = inst.lanes;
    steps_[i].bytes = size_of(inst.dtype);
  }
  for (const Memory& m : k_.memories) {
    const std::int64_t copies = m.space == Space::global  ? 0
                                : m.space == Space::local ? units_
                                                          : capacity_;
    memories_.push_back(std::make_unique_for_overwrite<std::byte[]>(
        static_cast<std::size_t>(copies * m.size * size_of(m.dtype))));
  }
}

void KernelRun::link() {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Inst& inst = k_.insts[i];
    for (std::size_t a = 0; a < inst.args.size(); ++a) {
      if (inst.args[a] != kNoValue) steps_[i].in[a] = steps_[inst.args[a]].out;
    }
    if (inst.code == Code::grid) grid_ = i;
    if (opens_scope(inst.code) || inst.code == Code::rare) open.push_back(i);
    if (inst.code == Code::else_) steps_[open.back()].otherwise = i;
    if (inst.code == Code::end || inst.code == Code::end_rare) {
      Step& opener = steps_[open.back()];
      opener.close = i;
      if (opener.otherwise == 0) opener.otherwise = i;
      open.pop_back();
    }
  }
}

void KernelRun::prepare(std::size_t i) {
  const Inst& inst = k_.insts[i];
  Step& s = steps_[i];
  if (inst.code == Code::constant) fill(i, static_cast<std::uint64_t>(inst.imm));
  if (inst.code == Code::param) fill(i, args_[inst.imm].bits);
  if (inst.code == Code::lane) {
    std::vector<std::int64_t> lanes(static_cast<std::size_t>(units_ * s.lanes));
    for (std::size_t k = 0; k < lanes.size(); ++k) {
      lanes[k] = static_cast<std::int64_t>(k) % s.lanes;
    }
    const void* in = lanes.data();
    cast_loop(DType::int64, inst.dtype)(units_ * s.lanes, &in, s.out);
  }
  if (inst.code == Code::end_rare) {
    s.loop = loop_of(Op::select, inst.dtype, inst.dtype);
    s.in[0] = steps_[k_.insts[inst.args[0]].args[0]].out;
  }
  if (inst.code != Code::op) return;
  const DType type = k_.insts[inst.args[inst.op == Op::select ? 1 : 0]].dtype;
  s.loop = loop_of(inst.op, type, inst.dtype);
  if (const Function* f = expansion(inst.op, type)) {
    s.function = std::make_unique<FunctionRun>(*f, units_ * s.lanes);
  }
}

void KernelRun::fill(std::size_t i, std::uint64_t bits) {
  const Step& s = steps_[i];
  for (std::int64_t u = 0; u < units_; ++u) {
    std::memcpy(s.out + u * s.bytes, &bits, static_cast<std::size_t>(s.bytes));
  }
}

void KernelRun::run(std::int64_t begin, std::int64_t end) {
  for (std::int64_t first = begin; first < end; first += capacity_) {
    batch(first, std::min(capacity_, end - first));
  }
}

void KernelRun::batch(std::int64_t first, std::int64_t items) {
  first_ = first;
  units_ = items * threads_;
  set_active(std::vector<std::uint8_t>(static_cast<std::size_t>(units_), 1));
  for (std::size_t m = 0; m < k_.memories.size(); ++m) {
    const Memory& memory = k_.memories[m];
    if (memory.space == Space::global) continue;
    const std::int64_t copies = memory.space == Space::local ? units_ : items;
    std::memset(memories_[m].get(), kPoison,
                static_cast<std::size_t>(copies * memory.size * size_of(memory.dtype)));
  }
  for (std::size_t i = grid_; i < k_.insts.size(); ++i) i = step(i);
}

void KernelRun::set_active(std::vector<std::uint8_t> active) {
  active_ = std::move(active);
  all_ = std::find(active_.begin(), active_.end(), 0) == active_.end();
}

void KernelRun::misuse(std::size_t i, std::string_view what) const {
  const Inst& inst = k_.insts[i];
  internal_error(fmt::format("kernel {}: %{} {}: {}{}{}", k_.name, i, info(inst.code).name, what,
                             inst.line != 0 ? " at " : "", k_.lines[inst.line]));
}

// Runs instruction i and gives the last one done.
std::size_t KernelRun::step(std::size_t i) {
  const Step& s = steps_[i];
  switch (k_.insts[i].code) {
    case Code::constant:
    case Code::param:
    case Code::lane:
      return i;
    case Code::op:
      return run_op(i), i;
    case Code::load:
    case Code::store:
      return access(i), i;
    case Code::grid:
    case Code::thread: {
      std::vector<std::int64_t> number(static_cast<std::size_t>(units_));
      const bool grid = k_.insts[i].code == Code::grid;
      for (std::int64_t u = 0; u < units_; ++u) {
        number[static_cast<std::size_t>(u)] = grid ? first_ + u / threads_ : u % threads_;
      }
      const void* in = number.data();
      cast_loop(DType::int64, k_.index)(units_, &in, s.out);
      return i;
    }
    case Code::loop:
      return open_loop(i);
    case Code::if_:
      return open_if(i);
    case Code::else_:
      return open_else(i);
    case Code::end:
      return end_scope(i);
    case Code::rare:
      return open_rare(i);
    case Code::end_rare:
      return s.loop(units_ * s.lanes, s.in, s.out), i;
    case Code::splat:
    case Code::extract:
    case Code::join:
    case Code::even:
    case Code::odd:
      move_lanes(k_.insts[i], k_.insts[k_.insts[i].args[0]].lanes, units_, s.in, s.out);
      return i;
    case Code::barrier:
      return check_barrier(i), i;
    case Code::shuffle:
      return shuffle(i), i;
    case Code::any:
      return any(i), i;
    case Code::prefetch:
      return i;
  }
  internal_error("unknown instruction");
}

void KernelRun::run_op(std::size_t i) {
  Step& s = steps_[i];
  if (s.function)
    s.function->run(units_ * s.lanes, s.in, s.out);
  else
    s.loop(units_ * s.lanes, s.in, s.out);
}

const std::int64_t* KernelRun::as_int64(std::size_t value,
                                        std::vector<std::int64_t>& scratch) const {
  const Step& s = steps_[value];
  const DType type = k_.insts[value].dtype;
  if (type == DType::int64) return reinterpret_cast<const std::int64_t*>(s.out);
  scratch.resize(static_cast<std::size_t>(units_ * s.lanes));
  const void* in = s.out;
  cast_loop(type, DType::int64)(units_ * s.lanes, &in, scratch.data());
  return scratch.data();
}

Place KernelRun::place(const Memory& memory, std::size_t index) const {
  const std::int64_t bytes = memory.size * size_of(memory.dtype);
  switch (memory.space) {
    case Space::global:
      return {static_cast<std::byte*>(args_[memory.param].pointer), 0, 1};
    case Space::local:
      return {memories_[index].get(), bytes, 1};
    case Space::shared:
      return {memories_[index].get(), bytes, threads_};
  }
  internal_error("unknown memory space");
}

void KernelRun::access(std::size_t i) {
  const Inst& inst = k_.insts[i];
  const Step& s = steps_[i];
  const bool store = inst.code == Code::store;
  const std::size_t m = static_cast<std::size_t>(inst.imm);
  Access a;
  a.place = place(k_.memories[m], m);
  a.index = as_int64(inst.args[0], index_);
  a.gathers = k_.insts[inst.args[0]].lanes != 1;
  a.units = units_;
  a.lanes = s.lanes;
  a.active = all_ ? nullptr : active_.data();
  a.mask = static_cast<const std::uint8_t*>(s.in[store ? 2 : 1]);
  a.value = s.in[store ? 1 : 2];
  a.out = s.out;
  check_bounds(i, a);
  (store ? store_elements : load_elements)(a, s.bytes);
}

// Local and shared memory have known sizes; alignment is promised for whole accesses, up to 16
// bytes on CUDA.
void KernelRun::check_bounds(std::size_t i, const Access& a) const {
  const Inst& inst = k_.insts[i];
  const Memory& memory = k_.memories[static_cast<std::size_t>(inst.imm)];
  const std::int64_t whole = a.lanes * steps_[i].bytes;
  const std::int64_t alignment =
      k_.target == Target::cuda ? std::min<std::int64_t>(whole, 16) : whole;
  const bool aligned =
      (inst.flags & kAligned) != 0 && !a.gathers && (alignment & (alignment - 1)) == 0;
  if (memory.space == Space::global && !aligned) return;
  for (std::int64_t u = 0; u < a.units; ++u) {
    if (a.active && !a.active[u]) continue;
    if (aligned) {
      std::int64_t at = a.index[u] * steps_[i].bytes;
      if (memory.space == Space::global) at += reinterpret_cast<std::intptr_t>(a.place.base);
      if (at % alignment != 0) misuse(i, "the address is not aligned");
    }
    if (memory.space == Space::global) continue;
    for (std::int64_t l = 0; l < a.lanes; ++l) {
      if (a.mask && !a.mask[u * a.lanes + l]) continue;
      const std::int64_t at = a.gathers ? a.index[u * a.lanes + l] : a.index[u] + l;
      if (at < 0 || at >= memory.size) {
        misuse(i, fmt::format("index {} outside {} of {} elements", at, memory.name, memory.size));
      }
    }
  }
}

std::size_t KernelRun::open_loop(std::size_t i) {
  const Inst& inst = k_.insts[i];
  Scope scope{i, active_, {}};
  std::vector<std::int64_t> scratch;
  const auto copy = [&](std::size_t value) {
    const std::int64_t* from = as_int64(value, scratch);
    return std::vector<std::int64_t>(from, from + units_);
  };
  scope.loop = {copy(inst.args[0]), copy(inst.args[1]), copy(inst.args[2])};
  for (std::size_t u = 0; u < active_.size(); ++u) {
    if (active_[u] && scope.loop.step[u] <= 0) misuse(i, "the step is not positive");
  }
  scopes_.push_back(std::move(scope));
  return begin_iteration(i);
}

// Leaves those active whose variable is below their end; without any, the loop is left.
std::size_t KernelRun::begin_iteration(std::size_t opener) {
  const Loops& loop = scopes_.back().loop;
  bool some = false, all = true;
  for (std::size_t u = 0; u < active_.size(); ++u) {
    active_[u] = active_[u] && loop.var[u] < loop.end[u];
    some = some || active_[u];
    all = all && active_[u];
  }
  all_ = all;
  if (!some) return close_scope(), steps_[opener].close;
  const void* in = loop.var.data();
  cast_loop(DType::int64, k_.insts[opener].dtype)(units_, &in, steps_[opener].out);
  return opener;
}

std::size_t KernelRun::end_scope(std::size_t i) {
  const std::size_t opener = static_cast<std::size_t>(k_.insts[i].imm);
  const Code code = k_.insts[opener].code;
  if (code == Code::grid || code == Code::thread) return i;
  if (code == Code::if_) return close_scope(), i;
  Loops& loop = scopes_.back().loop;
  for (std::size_t u = 0; u < active_.size(); ++u) {
    if (!active_[u]) continue;
    if (__builtin_add_overflow(loop.var[u], loop.step[u], &loop.var[u])) active_[u] = 0;
  }
  return begin_iteration(opener);
}

void KernelRun::close_scope() {
  set_active(std::move(scopes_.back().parent));
  scopes_.pop_back();
}

std::size_t KernelRun::open_if(std::size_t i) {
  const std::uint8_t* condition = static_cast<const std::uint8_t*>(steps_[i].in[0]);
  scopes_.push_back({i, active_, {}});
  std::vector<std::uint8_t> inside = active_;
  bool some = false;
  for (std::size_t u = 0; u < inside.size(); ++u) {
    inside[u] = inside[u] && condition[u];
    some = some || inside[u];
  }
  set_active(std::move(inside));
  // The instruction before the else or the end, which runs next.
  return some ? i : steps_[i].otherwise - 1;
}

std::size_t KernelRun::open_else(std::size_t i) {
  const Scope& scope = scopes_.back();
  const std::uint8_t* condition = static_cast<const std::uint8_t*>(steps_[scope.opener].in[0]);
  std::vector<std::uint8_t> inside = scope.parent;
  bool some = false;
  for (std::size_t u = 0; u < inside.size(); ++u) {
    inside[u] = inside[u] && !condition[u];
    some = some || inside[u];
  }
  set_active(std::move(inside));
  return some ? i : steps_[scope.opener].close - 1;
}

// A region that nobody needs is skipped, and its value is the common one.
std::size_t KernelRun::open_rare(std::size_t i) {
  const std::size_t close = steps_[i].close;
  const Step& end = steps_[close];
  const std::uint8_t* need = static_cast<const std::uint8_t*>(steps_[i].in[0]);
  const std::int64_t n = units_ * end.lanes;
  if (std::any_of(need, need + n, [](std::uint8_t x) { return x != 0; })) return i;
  std::memcpy(end.out, end.in[2], static_cast<std::size_t>(n * end.bytes));
  return close;
}

void KernelRun::check_barrier(std::size_t i) const {
  if (all_) return;
  for (std::int64_t item = 0; item < units_ / threads_; ++item) {
    const auto* first = active_.data() + item * threads_;
    const auto here = std::count(first, first + threads_, 1);
    if (here != 0 && here != threads_) misuse(i, "not all threads of the block reach it");
  }
}

void KernelRun::shuffle(std::size_t i) {
  const Step& s = steps_[i];
  const auto* source = static_cast<const std::int32_t*>(s.in[1]);
  const std::int64_t bytes = s.lanes * s.bytes;
  for (std::int64_t warp = 0; warp < units_; warp += kWarp) {
    const auto* first = active_.data() + warp;
    const auto here = std::count(first, first + kWarp, 1);
    if (here == 0) continue;
    if (here != kWarp) misuse(i, "not all threads of the warp reach it");
    for (std::int64_t u = warp; u < warp + kWarp; ++u) {
      if (source[u] < 0 || source[u] >= kWarp) misuse(i, "the source is not a lane of the warp");
    }
    shuffle_units(bytes, kWarp, source + warp,
                  static_cast<const std::byte*>(s.in[0]) + warp * bytes, s.out + warp * bytes);
  }
}

void KernelRun::any(std::size_t i) {
  const Step& s = steps_[i];
  const std::int64_t lanes = k_.insts[k_.insts[i].args[0]].lanes;
  const auto* mask = static_cast<const std::uint8_t*>(s.in[0]);
  for (std::int64_t u = 0; u < units_; ++u) {
    const auto* first = mask + u * lanes;
    const bool some = std::any_of(first, first + lanes, [](std::uint8_t x) { return x != 0; });
    s.out[u] = static_cast<std::byte>(some);
  }
}

}  // namespace

void interpret(const Kernel& kernel, const KernelArg* args, std::int64_t begin, std::int64_t end) {
  if (begin >= end) return;
  const FloatState state;
  KernelRun(kernel, args, end - begin).run(begin, end);
}

}  // namespace kiln::ir
