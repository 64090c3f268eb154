// Loops in what a thread records without evaluating it.
//
// A thread remembers the places that it has recorded since its last evaluation. Once they are many,
// their sequence is divided into *bodies*. Where its end is periodic, that is a loop, and a body
// one round of it; else a body ends where a place comes again that it holds already. The bodies
// that have ended are evaluated one after the other, each with what later operations or Arrays
// still need of it, and the one that has not ended stays pending. So a loop is cut between its
// rounds whatever came before it, one plan serves all its rounds, and a program that runs again
// plans nothing.
//
// Elementwise bodies that come often are evaluated together: K of them cost K compiles of one and
// save K - 1 times the memory traffic and the overhead of an evaluation; of N rounds, N (1 - 1 /
// K). K is the power of 4 nearest below the K at which both are equal. A loop whose rounds took
// many plans, since each has another shape, will take as many again: K does not grow before that is
// saved. Of others K is 1.
#pragma once
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "frontend/number_table.h"
#include "frontend/places.h"
#include "kiln/array.h"

namespace kiln::inline v0::frontend {

class Loops {
 public:
  // This thread has recorded an operation; the node may be an older one that is equal.
  void note(Node* node) { log_.push_back({node, place_of(*node)}); }
  std::size_t pending() const { return log_.size(); }
  // With fewer operations pending the round is not whole of a loop that seems to go on.
  std::size_t round() const { return round_.size(); }
  // visit(node, place) of operations that are pending, but for some that were found again. The
  // trace's lock is held.
  template <class Visit>
  void each_pending(Visit visit) const {
    for (const Entry& entry : log_) {
      if (is_pending(entry)) visit(entry.node, entry.place);
    }
  }
  // Evaluates the bodies that have ended, of `bound` operations at most together; if a loop goes
  // on, those that fill no piece wait for more unless `all` are asked for. With fewer operations
  // than the bound only a loop is cut whose rounds gain nothing from each other. False if there is
  // none: then nothing was done.
  bool cut(std::size_t bound, bool all, Where where);
  // Whether it did since the log was cleared: what is left of the loop goes the same way.
  bool was_cut() const { return cut_; }
  // This thread has evaluated what it wanted: nothing is remembered.
  void clear() {
    log_.clear();
    round_.clear();
    gaining_ = {};
    cut_ = false;
  }

 private:
  struct Entry {
    Node* node;  // perhaps freed since, or another's
    Place place;
  };
  struct Body {
    std::size_t begin = 0, end = 0;  // in the log
    std::uint64_t hash = 0;          // of its places
  };
  static bool is_pending(const Entry& entry);
  struct Known {  // bodies of one hash
    std::int64_t seen = 0, together = 1;
    std::int64_t plans = 0;  // built for them
  };
  struct Piece {
    std::size_t end = 0;     // in the log
    std::uint64_t hash = 0;  // of its bodies
    std::vector<Array> roots;
  };

  std::vector<Body> bodies();
  bool find_loop(std::size_t* begin);
  bool goes_on();
  std::vector<Body> rounds(std::size_t begin) const;
  std::vector<Piece> pieces(std::size_t bound, bool all);
  void find_uses();
  bool drop_dead(std::size_t bound);
  bool elementwise(const Body& body) const;
  bool ripe(std::size_t least);
  std::int64_t together(const Body& body, std::size_t count, std::size_t bound);
  bool needed(std::size_t entry, std::size_t end) const;
  std::vector<Array> reshapes(std::size_t begin, std::size_t end) const;
  void run(std::vector<Piece> pieces, Where where);

  std::vector<Entry> log_;
  std::vector<Place> round_;  // of the loop that was found last, at whose head the log begins
  Body gaining_;              // the first round of a loop that was found to gain by going on
  std::vector<std::size_t> matches_;   // workspace of find_loop
  std::vector<std::size_t> last_use_;  // by entry: the last that consumes it; 0: none
  std::vector<std::uint8_t> own_;      // by entry: its node is pending, and was recorded there
  std::unordered_map<std::uint64_t, Known> known_;
  NumberTable places_;
  bool cut_ = false;
  bool busy_ = false;  // evaluating a piece
};

}  // namespace kiln::inline v0::frontend
