// What evaluations have learnt about the program: places whose values are used again.
//
// A value that is computed a second time because nothing had stored it teaches its place: the next
// value made there is stored when it is first computed, as long as something may still ask for it.
// So a state that a loop carries on is computed once a step, at the price of one history a place.
// Values that die without having been read unlearn.
#pragma once
#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace kiln::inline v0::frontend {

struct Node;

// A line of the program with the operation, dtype and rank recorded there; 0 is none.
using Place = std::uint64_t;
Place place_of(const Node& node);

// Guarded by the trace's lock.
class Places {
 public:
  // At most so many are known; others are not learnt then.
  static constexpr std::size_t kMost = 4096;
  bool empty() const { return places_.empty(); }
  // Whether values of this place are stored when they are computed.
  bool stores(Place place) const;
  // A value of this place was computed again.
  void learn(Place place);
  // A value that was stored because of its place was read, or died unread.
  void read(Place place);
  void died(Place place);
  std::size_t size() const { return places_.size(); }
  // A value of this place was asked for by nothing but later operations. From the second time on
  // such are computed with the evaluation that follows them.
  static constexpr std::uint32_t kLate = 2;
  void learn_late(Place place);
  bool late(Place place) const;
  bool any_late() const { return late_ != 0; }

 private:
  struct Record {
    std::uint32_t read = 0, unread = 0;
    std::uint32_t lagged = 0;
    bool stored = false;
    // Twice without use, as the last state of a loop is each time it ends, is no reason.
    bool active() const { return unread <= 2 * (read + 1); }
  };
  Record* record(Place place);  // null: they are too many
  std::unordered_map<Place, Record> places_;
  std::size_t late_ = 0;
};

}  // namespace kiln::inline v0::frontend
