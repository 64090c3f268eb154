// Programs of ten elementwise operations, as many different ones as wanted: none is compiled twice.
#pragma once
#include <kiln/kiln.h>

#include <cstdint>

namespace bench {

// The bits of `number` choose the operations.
kiln::Array some_chain(const kiln::Array& x, const kiln::Array& y, std::uint64_t number);

// The one that is measured on large arrays; plain::chain computes the same.
kiln::Array ten_operations(const kiln::Array& x, const kiln::Array& y);

}  // namespace bench
