// The version of ir/NUMERICS.md: bits change only with it, and it enters every cache key.
#pragma once

namespace kiln::ir {

inline constexpr int kNumericsVersion = 2;

}  // namespace kiln::ir
