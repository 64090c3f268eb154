// Elementwise programs that several benchmarks measure.
#pragma once
#include <kiln/kiln.h>

#include <cstdint>
#include <vector>

namespace bench {

// Ten operations that the bits of `number` choose: as many programs as wanted, so that none is
// compiled twice.
kiln::Array some_chain(const kiln::Array& x, const kiln::Array& y, std::uint64_t number);

// The one that is measured on large arrays; plain::chain computes the same.
kiln::Array ten_operations(const kiln::Array& x, const kiln::Array& y);

// European prices of calls and puts; the normal distribution by Abramowitz and Stegun 26.2.17.
std::vector<kiln::Array> black_scholes(const kiln::Array& spot, const kiln::Array& strike,
                                       const kiln::Array& years, const kiln::Array& rate,
                                       const kiln::Array& sigma);

}  // namespace bench
