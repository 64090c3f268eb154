#include "passes/cuda_team.h"

#include <algorithm>
#include <utility>

#include "ir/mutant.h"

namespace kiln::passes {

using ir::kReduceLanes;
using ir::Op;
using ir::Value;

namespace {
constexpr std::int64_t kWarp = TeamShape::kWarp;
}

std::int64_t TeamShape::steps() const {
  return std::max<std::int64_t>((std::min(longest, unit) + stride() - 1) / stride(), 1);
}

CudaTeam::CudaTeam(Scene& scene, Value thread, const TeamShape& shape)
    : b_(scene.b), e_(scene.e), shape_(shape), thread_(thread) {
  const bool block = shape.warps > 1;
  lane_ = block ? b_.rem(thread, b_.index(kWarp)) : thread;
  me_ = shape.width < kWarp ? b_.rem(lane_, b_.index(shape.width)) : lane_;
  warp_ = b_.div(thread, b_.index(kWarp));
  if (!block) return;
  b_.name(lane_, "lane");
  b_.name(warp_, "warp");
}

std::vector<Parts> CudaTeam::reduce(const std::vector<Reducer>& reducers, Value begin, Value end,
                                    const Arrive& arrive, const Element& element) {
  reducers_ = &reducers;
  arrive_ = &arrive;
  element_ = &element;
  const std::int64_t stride = shape_.warps * shape_.unit;
  const bool block = shape_.warps > 1;
  const bool stacked = shape_.several_steps();
  memories_.clear();
  for (const Reducer& r : reducers) {
    Memories& m = memories_.emplace_back(
        Memories{{b_, r, ir::Space::local, shape_.groups() * shape_.vector, r.name() + "_acc"},
                 std::nullopt,
                 std::nullopt});
    if (block) m.meeting.emplace(b_, r, ir::Space::shared, shape_.warps, r.name() + "_warp");
    if (stacked) m.stack.emplace(b_, r, 1, shape_.longest / stride + 1, r.name());
  }
  if (!block) return warp_total(begin, end);
  if (!stacked) return block_total(begin, end);
  const Value step = b_.index(stride);
  const Value first = b_.begin_loop(begin, end, step);
  const std::vector<Parts> totals = block_total(first, end);
  for (std::size_t i = 0; i < reducers.size(); ++i) {
    memories_[i].stack->push(b_, totals[i], b_.div(b_.sub(first, begin), step));
  }
  b_.end();
  const Value steps = b_.div(b_.add(b_.sub(end, begin), b_.index(stride - 1)), step);
  std::vector<Parts> results;
  for (const Memories& m : memories_) results.push_back(m.stack->fold(b_, steps));
  return results;
}

// The block's warps take consecutive units from `first` on; what is beyond `end` is the identity.
std::vector<Parts> CudaTeam::block_total(Value first, Value end) {
  const Value mine = b_.add(first, b_.mul(warp_, b_.index(shape_.unit)));
  const std::vector<Parts> totals = warp_total(mine, end);
  b_.begin_if(b_.op(Op::eq, ir::DType::bool_, {lane_, b_.index(0)}));
  for (std::size_t i = 0; i < totals.size(); ++i) memories_[i].meeting->store(b_, warp_, totals[i]);
  b_.end();
  for (Given& g : given_) {
    if (!std::exchange(g.stored, true)) b_.store(g.memory, b_.index(0), g.value, asks());
  }
  if (!mutant(ir::Mutant::barrier)) b_.barrier();
  std::vector<Parts> results;
  for (std::size_t i = 0; i < totals.size(); ++i) {
    std::vector<Parts> level;
    for (std::int64_t w = 0; w < shape_.warps; ++w) {
      level.push_back(memories_[i].meeting->load(b_, b_.index(w), 1));
    }
    results.push_back((*reducers_)[i].tree(b_, std::move(level)));
  }
  if (shape_.several_steps() && !mutant(ir::Mutant::second_barrier))
    b_.barrier();  // the next step's totals go to the same place
  return results;
}

Value CudaTeam::asks() { return b_.op(Op::eq, ir::DType::bool_, {thread_, b_.index(0)}); }

std::size_t CudaTeam::give(Value value) {
  const bool block = shape_.warps > 1;
  const std::string name = "given" + std::to_string(given_.size());
  given_.push_back({value, block ? b_.shared(b_.dtype(value), 1, name) : 0, !block});
  return given_.size() - 1;
}

Value CudaTeam::got(std::size_t number) {
  const Given& g = given_[number];
  if (shape_.warps > 1) return b_.load(g.memory, b_.index(0));
  return b_.shuffle(g.value, b_.constant(ir::DType::int32, 0));
}

Value CudaTeam::begin_groups() {
  const Value zero = b_.index(0);
  if (shape_.groups() == 1) return zero;
  return b_.begin_loop(zero, b_.index(shape_.groups()), b_.index(1), true);
}

void CudaTeam::in_vectors(const std::function<void()>& body) {
  const bool vector = shape_.vector > 1;
  e_.open_scope();
  e_.set_lanes(static_cast<int>(shape_.vector));
  e_.assume_aligned(vector);
  body();
  e_.set_lanes(1);
  e_.assume_aligned(false);
  e_.close_scope();
}

// Where a thread's elements of a group begin, in the unit that starts at `first`.
Value CudaTeam::first_element(Value group, Value first) {
  const Value before = b_.mul(group, b_.index(kWarp * shape_.vector));
  return b_.add(b_.add(first, before), b_.mul(me_, b_.index(shape_.vector)));
}

void CudaTeam::own_elements(Value group, Value first, Value end, const Arrive& body) {
  const Value vector = b_.index(shape_.vector);
  const Value start = first_element(group, first);
  const bool one_unit = shape_.warps == 1 && shape_.longest <= shape_.unit;
  const Value stop = one_unit ? end : b_.min(b_.add(first, b_.index(shape_.unit)), end);
  const std::int64_t stride = shape_.fixed ? shape_.stride() : kReduceLanes;
  if (!shape_.fixed) {
    const Value position = b_.begin_loop(start, stop, b_.index(stride));
    in_vectors([&] { body(position, ir::kNoValue); });
    b_.end();
    return;
  }
  const std::int64_t steps = shape_.steps();
  const Value zero = b_.index(0);
  const Value step = steps == 1 ? zero : b_.begin_loop(zero, b_.index(steps), b_.index(1), true);
  const Value position = b_.add(start, b_.mul(step, b_.index(stride)));
  b_.begin_if(b_.less(position, stop));
  const Value slot = b_.mul(b_.add(b_.mul(group, b_.index(steps)), step), vector);
  in_vectors([&] { body(position, slot); });
  b_.end();
  if (steps > 1) b_.end();
}

std::vector<Parts> CudaTeam::warp_total(Value first, Value end) {
  const std::vector<Reducer>& reducers = *reducers_;
  const int vector = static_cast<int>(shape_.vector);
  const Value group = begin_groups();
  const Value at = b_.mul(group, b_.index(vector));
  // A lane meets its elements in rising order; what it begins with stands where they do, or behind
  // the range. Elements that are results of units are at places of their own.
  const bool in_order = shape_.unit != kWarp;
  Value positions = first_element(group, first);
  if (vector > 1) positions = b_.add(b_.splat(positions, vector), b_.lane(b_.dtype(first), vector));
  positions = b_.op(Op::cast, ir::DType::int64, {positions});
  for (std::size_t i = 0; i < reducers.size(); ++i) {
    const Reducer& r = reducers[i];
    memories_[i].sums.store(b_, at, in_order ? r.start(b_, positions) : r.identity(b_, vector));
  }
  own_elements(group, first, end, [&](Value position, Value slot) {
    (*arrive_)(position, slot);
    for (std::size_t i = 0; i < reducers.size(); ++i) {
      const Parts next = (*element_)(i, position);
      const PartsMemory& sums = memories_[i].sums;
      const Parts before = sums.load(b_, at, vector);
      sums.store(
          b_, at,
          in_order ? reducers[i].append(b_, before, next) : reducers[i].combine(b_, before, next));
    }
  });
  across_vector(at);
  across_warp(at);
  if (shape_.groups() > 1) b_.end();
  std::vector<Parts> results;
  for (std::size_t i = 0; i < reducers.size(); ++i) {
    std::vector<Parts> level;
    for (std::int64_t g = 0; g < shape_.groups(); ++g) {
      level.push_back(memories_[i].sums.load(b_, b_.index(g * vector), 1));
    }
    results.push_back(reducers[i].tree(b_, std::move(level)));
  }
  return results;
}

// The tree of adjacent pairs over the lanes of a thread.
void CudaTeam::across_vector(Value at) {
  if (shape_.vector == 1) return;
  for (std::size_t i = 0; i < memories_.size(); ++i) {
    std::vector<Parts> level;
    for (std::int64_t k = 0; k < shape_.vector; ++k) {
      level.push_back(memories_[i].sums.load(b_, b_.add(at, b_.index(k)), 1));
    }
    memories_[i].sums.store(b_, at, (*reducers_)[i].tree(b_, std::move(level)));
  }
}

// And over the warp's threads. Both of a pair compute the same: combining commutes.
void CudaTeam::across_warp(Value at) {
  for (std::int64_t distance = 1; distance < shape_.width; distance *= 2) {
    const Value other = b_.op(Op::xor_, b_.dtype(lane_), {lane_, b_.index(distance)});
    const Value source = b_.op(Op::cast, ir::DType::int32, {other});
    for (std::size_t i = 0; i < memories_.size(); ++i) {
      const PartsMemory& sums = memories_[i].sums;
      const Parts mine = sums.load(b_, at, 1);
      Parts received;
      for (const Value part : mine) received.push_back(b_.shuffle(part, source));
      sums.store(b_, at, (*reducers_)[i].combine(b_, mine, received));
    }
  }
}

void CudaTeam::visit(Value end, const Arrive& body) {
  const Value first = shape_.warps > 1 ? b_.mul(warp_, b_.index(shape_.unit)) : b_.index(0);
  const Value group = begin_groups();
  own_elements(group, first, end, body);
  if (shape_.groups() > 1) b_.end();
}

}  // namespace kiln::passes
