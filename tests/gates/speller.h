// One program in several spellings: operations written through a Speller come out the same values,
// bit for bit, by other statements. What fusion makes of them must not depend on the spelling.
#pragma once
#include <kiln/kiln.h>

#include <span>
#include <vector>

namespace kiln_gates {

namespace kn = kiln;

enum class Spelling : std::uint8_t {
  plain,
  swapped,   // operands the other way round: b + a, -b + a, b > a, where(!c, no, yes)
  reshaped,  // a kept axis by reshape or expand_dims instead of keepdims; all axes by flattening
  split,     // a statement an operation, by updates of a copy, with views that change nothing
  axes,      // operations on transposes, transposed back
  held,      // every intermediate is named and outlives the evaluation
  cast,      // through a wider type and back
};
inline constexpr Spelling kSpellings[] = {Spelling::plain, Spelling::swapped, Spelling::reshaped,
                                          Spelling::split, Spelling::axes,    Spelling::held,
                                          Spelling::cast};
const char* name(Spelling spelling);

// Sums over several axes are never transposed: their order is the logical one. Scalars beside an
// array must be floating.
class Speller {
 public:
  explicit Speller(Spelling spelling) : spelling_(spelling) {}
  // Values that stay alive until the Speller goes, in every spelling.
  void hold(const kn::Array& x) { held_.push_back(x); }

  kn::Array add(const kn::Array& a, const kn::Array& b);
  kn::Array add(const kn::Array& a, float b);
  kn::Array sub(const kn::Array& a, const kn::Array& b);
  kn::Array sub(const kn::Array& a, float b);
  kn::Array mul(const kn::Array& a, const kn::Array& b);
  kn::Array mul(const kn::Array& a, float b);
  kn::Array div(const kn::Array& a, const kn::Array& b);
  kn::Array div(const kn::Array& a, float b);
  kn::Array square(const kn::Array& a) { return mul(a, a); }
  kn::Array less(const kn::Array& a, const kn::Array& b);
  kn::Array less(const kn::Array& a, float b);
  kn::Array equal(const kn::Array& a, const kn::Array& b);
  kn::Array maximum(const kn::Array& a, const kn::Array& b);
  kn::Array where(const kn::Array& c, const kn::Array& yes, const kn::Array& no);
  // One operand; f is exp, sqrt, a cast, a view, ...
  template <class F>
  kn::Array map(const kn::Array& x, F f) {
    return done(f(x));
  }
  kn::Array exp(const kn::Array& x) { return done(kn::exp(x)); }
  kn::Array log(const kn::Array& x) { return done(kn::log(x)); }
  kn::Array sqrt(const kn::Array& x) { return done(kn::sqrt(x)); }

  // Over one axis (counted from the front or the end), which stays with extent 1 or goes.
  kn::Array sum(const kn::Array& x, std::int64_t axis, kn::Keep keep = kn::keepdims);
  kn::Array max(const kn::Array& x, std::int64_t axis, kn::Keep keep = kn::keepdims);
  kn::Array mean(const kn::Array& x, std::int64_t axis, kn::Keep keep = kn::keepdims);
  kn::Array argmin(const kn::Array& x, std::int64_t axis);
  // Over all axes.
  kn::Array sum(const kn::Array& x);
  kn::Array max(const kn::Array& x);
  kn::Array mean(const kn::Array& x);
  kn::Array argmax(const kn::Array& x);

 private:
  template <class F>
  kn::Array binary(const kn::Array& a, const kn::Array& b, F f);
  template <class F>
  kn::Array along(const kn::Array& x, std::int64_t axis, kn::Keep keep, F f);
  kn::Array done(kn::Array x);
  bool is(Spelling s) const { return spelling_ == s; }

  Spelling spelling_;
  std::vector<kn::Array> held_;
  int made_ = 0;
};

}  // namespace kiln_gates
