// How long kernels become, and the bound of it: compile time, and registers, grow with a kernel's
// length, and along every path of views what is below is computed again (ways.h), so that what few
// nodes say may be a kernel without end.
//
// Fusion goes by an estimate, in saturating arithmetic and at most so many steps for each stored
// value; what is emitted is counted too, and emission stops where it passes the bound. Then fusion
// is asked again with a smaller budget (make_plan), so that the bound holds whatever the estimate
// says.
#pragma once
#include <cstdint>
#include <vector>

#include "passes/cluster.h"

namespace kiln::passes {

// Of a kernel, after expansion: every computation of a value at other coordinates, every step of an
// index and every mask is an instruction, a function (exp, sin, ...) is as many as its text in
// ir/math has, once, and a call each time. A loop's body counts once, and so do the lanes of a
// vector. One operation that joins so many arrays that it alone is longer stays as it is.
inline constexpr std::int64_t kMaxInstructions = 4096;
std::int64_t instructions(const ir::Kernel& kernel);

// The estimate, as the emitter writes it: of one value of a node, its operands' aside.
std::int64_t own_length(const ir::Graph& graph, ir::NodeId n);

// Of the estimate, at first: most schedules write what they compute twice, for whole vectors and
// for what is left of them.
inline constexpr std::int64_t kLengthBudget = kMaxInstructions / 2 - 64;
// Below it nothing would be left to part.
inline constexpr std::int64_t kLeastLengthBudget = 24;

// Thrown where a kernel under construction passes Partition::longest.
struct KernelTooLong {};

// Stores values so that what is made of the stored ones is estimated to stay within
// Partition::budget, and notes the estimates (Partition::lengths). Where a computation is cut, few
// values pass from one part to the other.
void cut_long_kernels(const ir::Graph& graph, Partition& partition);

}  // namespace kiln::passes
