// The programs of the gates, written through a Speller. A `Dims` is the row's of rows.h.
#pragma once
#include <vector>

#include "tests/gates/speller.h"

namespace kiln_gates {

using Dims = std::vector<std::int64_t>;

// dims[0] operations on in[0].
std::vector<kn::Array> chain(Speller& s, const std::vector<kn::Array>& in, const Dims& dims);
// Spot, strike, years, rate, sigma -> call, put.
std::vector<kn::Array> black_scholes(Speller& s, const std::vector<kn::Array>& in, const Dims&);
std::vector<kn::Array> casts(Speller& s, const std::vector<kn::Array>& in, const Dims&);
std::vector<kn::Array> joined(Speller& s, const std::vector<kn::Array>& in, const Dims&);

// Over the last axis.
kn::Array softmax(Speller& s, const kn::Array& x);
kn::Array layer_norm(Speller& s, const kn::Array& x);
kn::Array variance(Speller& s, const kn::Array& x, std::int64_t axis, kn::Keep keep);
// -log softmax of the label's class, a row.
kn::Array cross_entropy(Speller& s, const kn::Array& x, const kn::Array& labels);
// (n, d), (m, d) -> (n, m).
kn::Array squared_distances(Speller& s, const kn::Array& a, const kn::Array& b);

// dims[0] is 5 or 9 points: by slices of a padded array, around a torus, with a boundary that
// stays.
std::vector<kn::Array> stencil_by_slices(Speller& s, const std::vector<kn::Array>& in, const Dims&);
std::vector<kn::Array> stencil_by_roll(Speller& s, const std::vector<kn::Array>& in, const Dims&);
std::vector<kn::Array> stencil_by_where(Speller& s, const std::vector<kn::Array>& in, const Dims&);
std::vector<kn::Array> blur(Speller& s, const std::vector<kn::Array>& in, const Dims&);

// Parameter, gradient and both moments, of each tensor -> parameter and moments.
std::vector<kn::Array> adam(Speller& s, const std::vector<kn::Array>& in, const Dims&);
// Points, centres -> centres.
std::vector<kn::Array> kmeans(Speller& s, const std::vector<kn::Array>& in, const Dims&);
// Features, labels, weights -> weights.
std::vector<kn::Array> logistic(Speller& s, const std::vector<kn::Array>& in, const Dims& dims);
// 2 operations, or about 480 if dear.
kn::Array producer(Speller& s, const kn::Array& x, bool dear);

}  // namespace kiln_gates
