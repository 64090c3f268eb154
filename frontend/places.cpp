#include "frontend/places.h"

#include "frontend/trace.h"
#include "ir/hash.h"
#include "ir/mutant.h"

namespace kiln::inline v0::frontend {

Place place_of(const Node& node) {
  Place key = ir::mix(reinterpret_cast<std::uintptr_t>(node.where.file),
                      static_cast<std::uint64_t>(node.where.line));
  key = ir::mix(
      key, static_cast<std::uint64_t>(node.kind) << 32 | static_cast<std::uint64_t>(node.op) << 16 |
               static_cast<std::uint64_t>(node.dtype) << 8 | node.shape->shape.extents().size());
  return key != 0 ? key : 1;
}

bool Places::stores(Place place) const {
  const auto known = places_.find(place);
  if (mutant(ir::Mutant::nothing_learnt)) return false;
  return known != places_.end() && known->second.stored && known->second.active();
}

bool Places::late(Place place) const {
  const auto known = places_.find(place);
  return known != places_.end() && known->second.lagged >= kLate && known->second.active();
}

Places::Record* Places::record(Place place) {
  const auto known = places_.find(place);
  if (known != places_.end()) {
    known->second.unread /= 2;
    return &known->second;
  }
  return places_.size() < kMost ? &places_[place] : nullptr;
}

void Places::learn(Place place) {
  if (Record* const known = record(place)) known->stored = true;
}

void Places::learn_late(Place place) {
  Record* const known = record(place);
  if (known == nullptr) return;
  late_ += ++known->lagged == kLate ? 1 : 0;
}

void Places::read(Place place) {
  const auto known = places_.find(place);
  if (known != places_.end()) ++known->second.read;
}

void Places::died(Place place) {
  const auto known = places_.find(place);
  if (known != places_.end()) ++known->second.unread;
}

}  // namespace kiln::inline v0::frontend
