// Numbers by 64-bit hashes, for a workspace that is filled and cleared again and again: clearing
// costs nothing, and nothing is allocated once it has grown.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "ir/hash.h"

namespace kiln::inline v0::frontend {

class NumberTable {
 public:
  void clear() {
    ++epoch_;
    size_ = 0;
  }
  // The number of a key, 0 if it is new, and whether it is. Valid until the next call.
  std::pair<std::uint32_t&, bool> at(std::uint64_t key) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    Slot& slot = place(key);
    const bool fresh = slot.epoch != epoch_;
    if (fresh) {
      slot = {key, epoch_, 0};
      ++size_;
    }
    return {slot.number, fresh};
  }

 private:
  struct Slot {
    std::uint64_t key = 0;
    std::uint64_t epoch = 0;  // of the filling that it belongs to
    std::uint32_t number = 0;
  };
  Slot& place(std::uint64_t key) {
    std::size_t i = ir::mix(key, 0) >> 32 & (slots_.size() - 1);
    while (slots_[i].epoch == epoch_ && slots_[i].key != key) i = (i + 1) & (slots_.size() - 1);
    return slots_[i];
  }
  void grow() {
    std::vector<Slot> old(slots_.empty() ? 64 : 2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.epoch == epoch_) place(slot.key) = slot;
    }
  }

  std::vector<Slot> slots_;  // a power of two, at most half of them filled
  std::uint64_t epoch_ = 1;
  std::size_t size_ = 0;
};

}  // namespace kiln::inline v0::frontend
