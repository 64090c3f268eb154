#include "frontend/loops.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <utility>

#include "frontend/access.h"
#include "frontend/devices.h"
#include "frontend/evaluate.h"
#include "frontend/investment.h"
#include "frontend/snapshot.h"
#include "ir/hash.h"
#include "ir/mutant.h"

namespace kiln::inline v0::frontend {

namespace {

constexpr std::size_t kMostBodies = 4096;  // that are known
constexpr std::int64_t kGrowth = 4;

}  // namespace

// The loop in which the log ends: its period is the one that reaches back farthest. False if that
// is less than two rounds.
bool Loops::find_loop(std::size_t* begin) {
  const std::size_t n = log_.size();
  const auto back = [&](std::size_t i) { return log_[n - 1 - i].place; };
  // How far the log agrees with itself p operations before (the Z function of the log reversed).
  std::vector<std::size_t>& z = matches_;
  z.assign(n, 0);
  std::size_t period = 0, reach = 0, left = 0, right = 0;
  for (std::size_t p = 1; p < n; ++p) {
    if (p < right) z[p] = std::min(right - p, z[p - left]);
    while (p + z[p] < n && back(z[p]) == back(p + z[p])) ++z[p];
    if (p + z[p] > right) left = p, right = p + z[p];
    if (z[p] >= p && z[p] + p > reach) period = p, reach = z[p] + p;
  }
  if (period == 0) return false;
  *begin = n - reach;
  round_.clear();
  for (std::size_t i = 0; i < period; ++i) round_.push_back(log_[*begin + i].place);
  return true;
}

// Whether the log goes on with rounds of the loop that was cut last, whole ones or the first part
// of one. Else that loop is over.
bool Loops::goes_on() {
  const std::size_t period = round_.size();
  std::size_t i = 0;
  while (period != 0 && i < log_.size() && log_[i].place == round_[i % period]) ++i;
  if (period != 0 && (i == log_.size() || i >= period)) return true;
  round_.clear();
  return false;
}

// What comes before a loop, its rounds, and what comes behind them.
std::vector<Loops::Body> Loops::rounds(std::size_t begin) const {
  std::vector<Body> result;
  if (begin > 0) result.push_back({0, begin, 1});
  std::uint64_t hash = round_.size();
  for (const Place place : round_) hash = ir::mix(hash, place);
  std::size_t at = begin;
  while (at + round_.size() <= log_.size()) {
    for (std::size_t i = 0; i < round_.size(); ++i) {
      if (log_[at + i].place == round_[i]) continue;
      result.push_back({at, log_.size(), 0});
      return result;
    }
    result.push_back({at, at + round_.size(), hash});
    at += round_.size();
  }
  result.push_back({at, log_.size(), 0});
  return result;
}

// The last has not ended.
std::vector<Loops::Body> Loops::bodies() {
  if (mutant(ir::Mutant::no_rounds)) return {{0, log_.size(), 0}};
  if (goes_on()) return rounds(0);
  std::size_t begin = 0;
  if (find_loop(&begin)) return rounds(begin);
  std::vector<Body> result{{}};
  places_.clear();
  for (std::size_t i = 0; i < log_.size(); ++i) {
    const auto [last, fresh] = places_.at(log_[i].place);
    if (!fresh && last >= result.back().begin) {
      result.back().end = i;
      result.push_back({i, i, 0});
    }
    last = static_cast<std::uint32_t>(i);
    result.back().hash = ir::mix(result.back().hash, log_[i].place);
  }
  result.back().end = log_.size();
  return result;
}

bool Loops::is_pending(const Entry& entry) {
  const Node& node = *entry.node;
  return node.shape != nullptr && place_of(node) == entry.place && !node.ready();
}

// The trace's lock is held. A node belongs to the last entry that names it: where an equal
// operation was found again, or where an operation took the slot of one that was freed.
void Loops::find_uses() {
  const std::uint64_t epoch = ++trace().epoch;
  last_use_.assign(log_.size(), 0);
  own_.assign(log_.size(), 0);
  for (std::size_t i = log_.size(); i-- > 0;) {
    Node* const node = log_[i].node;
    if (!is_pending(log_[i]) || node->epoch == epoch) continue;
    node->epoch = epoch;
    node->id = static_cast<std::uint32_t>(i);
    own_[i] = 1;
  }
  for (std::size_t i = 0; i < log_.size(); ++i) {
    if (own_[i] == 0) continue;
    for (Node* const operand : log_[i].node->inputs()) {
      const Node* const x = root_of(operand);
      if (x->epoch == epoch && !x->ready()) last_use_[x->id] = i;
    }
  }
}

// Forgets operations that nothing can ask for any more, if those left are fewer than the bound.
bool Loops::drop_dead(std::size_t bound) {
  const auto living = static_cast<std::size_t>(std::ranges::count(own_, 1));
  if (living >= bound) return false;
  std::size_t at = 0;
  std::erase_if(log_, [&](const Entry&) { return own_[at++] == 0; });
  round_.clear();
  gaining_ = {};
  return true;
}

// Whether something may still ask for the entry's value when what lies before `end` is evaluated.
bool Loops::needed(std::size_t entry, std::size_t end) const {
  if (own_[entry] == 0) return false;
  const Node& node = *log_[entry].node;
  if (node.in_flight || node.anywhere || node.shape->size == 0 || node.repaired_here())
    return false;
  if (node.kind == Kind::alias) return node.held();
  return last_use_[entry] >= end || node.held();
}

// Whether each element of what a round leaves is made of the same one of the round before, so that
// fusing several saves memory traffic.
bool Loops::elementwise(const Body& body) const {
  for (std::size_t i = body.begin; i < body.end; ++i) {
    if (own_[i] == 0) continue;
    const Node& node = *log_[i].node;
    if (node.kind == Kind::map || node.kind == Kind::broadcast || node.kind == Kind::alias)
      continue;
    const bool view =
        node.kind == Kind::slice || node.kind == Kind::reshape || node.kind == Kind::permute;
    if (!view || !root_of(node.operands()[0])->ready()) return false;
  }
  return true;
}

// Whether the log ends in a loop that is known well enough, and that gains nothing by going on. If
// so its uses are found.
bool Loops::ripe(std::size_t least) {
  if (goes_on()) {
    if (log_.size() < round_.size()) return false;
    find_uses();
    return true;
  }
  std::size_t begin = 0;
  if (!find_loop(&begin)) return false;
  // Two rounds at least; of short ones many.
  const Body first{begin, begin + round_.size(), 0};
  const bool known = first.begin == gaining_.begin && first.end == gaining_.end;
  if (log_.size() - begin >= least && !known) {
    find_uses();
    if (!elementwise(first)) return true;
    gaining_ = first;
  }
  round_.clear();
  return false;
}

// How many such bodies are evaluated at once; `count` of them lie in a row.
std::int64_t Loops::together(const Body& body, std::size_t count, std::size_t bound) {
  // Fused rounds of others gain little, and may take long to plan and compile.
  if (!elementwise(body)) return 1;
  if (known_.size() >= kMostBodies) known_.clear();
  Known& known = known_[body.hash];
  known.seen += static_cast<std::int64_t>(count);
  double carried = 0, compile = 0;
  const ir::Caps& caps = memory_device(log_[body.begin].node->device).caps();
  for (std::size_t i = body.begin; i < body.end; ++i) {
    if (own_[i] == 0) continue;
    const Node& node = *log_[i].node;
    compile += compile_seconds(node.kind == Kind::map && ir::has(node.op, ir::kExpands), caps);
    if (!needed(i, body.end)) continue;
    carried += static_cast<double>(node.shape->size) * ir::size_of(to_ir(node.dtype));
  }
  const double saved = kEvaluationSeconds + 2 * carried / caps.bandwidth;
  const double best = std::sqrt(static_cast<double>(known.seen) * saved / std::max(compile, 1e-9));
  const auto operations = static_cast<std::int64_t>(body.end - body.begin);
  const auto repaid = [&] {
    const auto k = static_cast<double>(known.together);
    const double price = kernel_seconds(caps) + static_cast<double>(kGrowth) * k * compile;
    const double gained = static_cast<double>(known.seen) * saved / k * (1 - 1. / kGrowth);
    return gained >= static_cast<double>(known.plans) * price;
  };
  while (static_cast<double>(kGrowth * known.together) <= best && repaid() &&
         2 * kGrowth * known.together * operations <= static_cast<std::int64_t>(bound)) {
    known.together *= kGrowth;
  }
  return known.together;
}

// What is to be evaluated in turn. Of a run of equal bodies at the end, those that do not fill a
// piece wait for more unless `all` are asked for. The trace's lock is held.
std::vector<Loops::Piece> Loops::pieces(std::size_t bound, bool all_bodies) {
  const std::vector<Body> all = bodies();
  std::vector<Piece> result;
  for (std::size_t i = 0; i + 1 < all.size();) {
    std::size_t next = i + 1;
    while (next + 1 < all.size() && all[next].hash == all[i].hash) ++next;
    const auto k = static_cast<std::size_t>(together(all[i], next - i, bound));
    const bool last = next + 1 == all.size();
    for (; i + k <= next; i += k) result.push_back({all[i + k - 1].end, all[i].hash, {}});
    if (last && !all_bodies && !result.empty()) break;
    for (; i < next; ++i) result.push_back({all[i].end, all[i].hash, {}});
  }
  std::size_t begin = 0;
  for (Piece& piece : result) {
    for (std::size_t i = begin; i < piece.end; ++i) {
      if (!needed(i, piece.end)) continue;
      if (Node* const node = trace().retain_pending(log_[i].node)) {
        piece.roots.push_back(Access::adopt(node));
      }
    }
    begin = piece.end;
  }
  return result;
}

// Reshapes of what has its value by now: views of it, which no kernel copies.
std::vector<Array> Loops::reshapes(std::size_t begin, std::size_t end) const {
  std::vector<Array> result;
  const std::lock_guard<std::mutex> lock(trace().mutex);
  for (std::size_t i = begin; i < end; ++i) {
    Node* const node = log_[i].node;
    if (own_[i] == 0 || !is_pending(log_[i]) || node->kind != Kind::reshape) continue;
    if (node->in_flight || node->anywhere || !root_of(node->operands()[0])->ready()) continue;
    if (trace().retain_pending(node) != nullptr) result.push_back(Access::adopt(node));
  }
  return result;
}

// Evaluates them, each when what comes before it has its value, and forgets them.
void Loops::run(std::vector<Piece> pieces, Where where) {
  busy_ = true;
  try {
    std::size_t begin = 0;
    for (Piece& piece : pieces) {
      evaluate_now(reshapes(std::exchange(begin, piece.end), piece.end), where);
      const std::int64_t built = context().plans_built;
      evaluate_now(piece.roots, where);
      const auto known = known_.find(piece.hash);
      if (known != known_.end()) known->second.plans += context().plans_built - built;
      piece.roots.clear();  // what comes next may overwrite them
    }
  } catch (...) {
    busy_ = false;
    clear();
    throw;
  }
  busy_ = false;
  log_.erase(log_.begin(), log_.begin() + static_cast<std::ptrdiff_t>(pieces.back().end));
  gaining_ = {};
  cut_ = true;
}

bool Loops::cut(std::size_t bound, bool all, Where where) {
  if (busy_ || log_.empty()) return false;
  std::vector<Piece> pieces;
  {
    const std::lock_guard<std::mutex> lock(trace().mutex);
    if (!all && log_.size() < bound) {
      if (!ripe(bound / kEarly)) return false;
    } else {
      find_uses();
      if (!all && drop_dead(bound)) return true;
    }
    pieces = this->pieces(bound, all);
  }
  if (pieces.empty()) return false;
  run(std::move(pieces), where);
  return true;
}

}  // namespace kiln::inline v0::frontend
