// The pending operations that others may be equal to, by hashes of what they are. Open addressing,
// at most half full. A hash stands beside its node, so that a search looks into no node but equal
// ones: they lie anywhere in memory.
#pragma once
#include <cstdint>
#include <vector>

namespace kiln::inline v0::frontend {

struct Node;

class PendingTable {
 public:
  // The first node of this hash that `take` takes; none: null.
  template <class Take>
  Node* find(std::uint32_t hash, Take take) const {
    for (std::size_t i = home(hash); slots_[i].node != nullptr; i = next(i)) {
      if (slots_[i].hash == hash && take(slots_[i].node)) return slots_[i].node;
    }
    return nullptr;
  }
  void make_room() {
    if (2 * (size_ + 1) > slots_.size()) grow();
  }
  // After make_room.
  void insert(Node* node, std::uint32_t hash) noexcept {
    ++size_;
    place({node, hash});
  }
  // A node that is there.
  void erase(const Node* node, std::uint32_t hash) {
    std::size_t hole = home(hash);
    while (slots_[hole].node != node) hole = next(hole);
    // What lies behind moves up, unless its home lies behind the hole.
    for (std::size_t i = next(hole); slots_[i].node != nullptr; i = next(i)) {
      const std::size_t mask = slots_.size() - 1;
      if (((i - home(slots_[i].hash)) & mask) < ((i - hole) & mask)) continue;
      slots_[hole] = slots_[i];
      hole = i;
    }
    slots_[hole] = {};
    --size_;
  }

 private:
  struct Slot {
    Node* node = nullptr;
    std::uint32_t hash = 0;
  };
  // Of a hash the upper bits: they depend on all others.
  std::size_t home(std::uint32_t hash) const { return hash >> shift_; }
  std::size_t next(std::size_t i) const { return (i + 1) & (slots_.size() - 1); }
  void place(Slot slot) {
    std::size_t i = home(slot.hash);
    while (slots_[i].node != nullptr) i = next(i);
    slots_[i] = slot;
  }
  void grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    --shift_;
    for (const Slot& slot : old) {
      if (slot.node != nullptr) place(slot);
    }
  }

  std::uint32_t shift_ = 20;
  std::vector<Slot> slots_{std::size_t{1} << (32 - shift_)};
  std::size_t size_ = 0;
};

}  // namespace kiln::inline v0::frontend
