// Chains of views into each other, with little arithmetic between: each link needs its operand at
// other coordinates, so that ways multiply.
#pragma once
#include <functional>
#include <span>

#include "tests/plans/programs.h"

namespace kiln::testing {

inline constexpr std::int64_t kChainLength = 96;  // elements, at each link

// Gives link number i of a chain from the one before.
using Link = Program::Id (*)(Program& p, Program::Id x, int i);
struct Kind {
  const char* name;
  Link link;
};
std::span<const Kind> links();

Program chain(int depth, const std::function<Link(int)>& link);
Program chain(int depth, Link link);
Program::Id rolled(Program& p, Program::Id x, std::int64_t by);

}  // namespace kiln::testing
