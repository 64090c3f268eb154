// What many nodes have alike: shapes, and the lists of views and reductions. A box is counted under
// the trace's lock by the nodes that have it. Equal content mostly has one box (the latest of its
// hash is found again), so that comparing boxes mostly says at once that content is equal.
#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "ir/hash.h"
#include "kiln/types.h"

namespace kiln::inline v0::frontend {

inline std::uint64_t mix(std::uint64_t hash, std::span<const std::int64_t> list) {
  hash = ir::mix(hash, list.size());
  for (const std::int64_t n : list) hash = ir::mix(hash, static_cast<std::uint64_t>(n));
  return hash;
}

struct ShapeBox {
  Shape shape;
  std::int64_t size = 0;
  std::uint64_t hash = 0;  // of what is in it
  std::uint32_t references = 0;
  std::uint32_t place = 0;  // in the table

  using Content = std::span<const std::int64_t>;
  static std::uint64_t hash_of(Content extents) { return mix(0, extents); }
  explicit ShapeBox(Content extents) : shape(extents), size(shape.size()), hash(hash_of(extents)) {}
  bool holds(Content other) const { return std::ranges::equal(shape.extents(), other); }
};

// Two lists of integers; what they are is said by the kind of a node.
struct Lists {
  std::span<const std::int64_t> list, more;
};
struct ListBox {
  std::vector<std::int64_t> list, more;
  std::uint64_t hash = 0;
  std::uint32_t references = 0;
  std::uint32_t place = 0;

  using Content = Lists;
  static std::uint64_t hash_of(const Lists& lists) { return mix(mix(0, lists.list), lists.more); }
  explicit ListBox(const Lists& l)
      : list(l.list.begin(), l.list.end()), more(l.more.begin(), l.more.end()), hash(hash_of(l)) {}
  bool holds(const Lists& other) const {
    return std::ranges::equal(list, other.list) && std::ranges::equal(more, other.more);
  }
};

template <class Box>
class Boxes {
 public:
  // A box of this content; it has one reference more.
  Box* take(const typename Box::Content& content) {
    const std::uint64_t hash = Box::hash_of(content);
    const auto place = static_cast<std::uint32_t>(hash >> 32) % kPlaces;
    Box*& latest = latest_[place];
    if (latest == nullptr || latest->hash != hash || !latest->holds(content)) {
      latest = new Box(content);
      latest->place = place;
    }
    ++latest->references;
    return latest;
  }
  void drop(Box* box) noexcept {
    if (--box->references != 0) return;
    if (latest_[box->place] == box) latest_[box->place] = nullptr;
    delete box;
  }

 private:
  static constexpr std::uint32_t kPlaces = 64;
  Box* latest_[kPlaces] = {};
};

}  // namespace kiln::inline v0::frontend
