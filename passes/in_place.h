// Kernels that may overwrite what they read: an output takes the memory of an input that nobody
// needs afterwards.
#pragma once
#include "ir/kernel.h"

namespace kiln::passes {

// Whether the buffers of parameters `from` (only read) and `to` (only written) may be one: every
// load from `from` stands in the same scope as a later store to `to` of the same lanes at the same
// index value under the same mask. Each element of `to` is stored once by one thread, so each is
// read by the thread that writes it, before it writes, and by no other. Cost: linear in the
// kernel's instructions.
bool can_share(const ir::Kernel& kernel, std::uint32_t from, std::uint32_t to);

// Makes the two parameters one, which is read and written. Parameter `from` is gone, those after it
// move up by one.
void share(ir::Kernel& kernel, std::uint32_t from, std::uint32_t to);

}  // namespace kiln::passes
