// Which arrays' elements indices of 32 bits can name.
//
// A kernel's indices go beyond the end of an array: a loop's last step, the end of a vector that
// does not fit, the elements rounded up to whole pieces. So room for the farthest such step is left
// below 2^31. The frontend calls a graph wide (Graph::wide) by this, and every schedule says how
// far it steps (passes/schedule.h).
#pragma once
#include <cstdint>

namespace kiln::ir {

inline constexpr std::int64_t kFarthestStep = std::int64_t{1} << 16;
// From so many elements on, or where memory is spread over so many, indices take 64 bits.
inline constexpr std::int64_t kWideElements = (std::int64_t{1} << 31) - kFarthestStep;

}  // namespace kiln::ir
