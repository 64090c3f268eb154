// The version of ir/NUMERICS.md: bits change only with it, and it enters every cache key.
#pragma once

namespace kiln::ir {

inline constexpr int kNumericsVersion = 1;

}  // namespace kiln::ir
