// Facts about a list of instructions that decide how each value is written: how often it is used,
// whether its text can stand at its single use, whether its arithmetic can overflow, and which
// vector instructions share one loop over lanes.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "ir/kernel.h"

namespace kiln::codegen::cuda {

struct Uses {
  std::vector<std::uint32_t> count;
  std::vector<ir::Value> user;  // of a value of one use
  // One use, inside the same innermost loop as the definition: the text may move there. The mover
  // keeps loads in order with stores.
  std::vector<bool> movable;
  // Vectors written out in every loop over lanes that needs them: constants, lane numbers, splats,
  // and index arithmetic of these.
  std::vector<bool> leaf;
  // Index arithmetic: made of run-time integers, loop variables and constants, and used for an
  // address, a bound or a mask. It does not overflow, and divisions are of x >= 0 by y > 0.
  std::vector<bool> index;
  // Vector instructions done lane by lane: those of one group stand in one loop. 0: none. Within a
  // group every load precedes every store, and what is stored to was loaded, if at all, at the same
  // elements; so lanes do not see each other's stores.
  std::vector<std::uint32_t> group;
  // Instructions before which the open group must be complete.
  std::vector<bool> closes;
  // Vectors that must exist as a whole, because something outside their loop uses them.
  std::vector<bool> array;
  std::vector<ir::Value>
      match;  // grid, thread, loop, if, else, rare: the instruction that closes it

  Uses(std::span<const ir::Inst> insts, const ir::Kernel* kernel, ir::Value result);

 private:
  void find_scopes(std::span<const ir::Inst> insts);
  void count_uses(std::span<const ir::Inst> insts, ir::Value result);
  void find_index(std::span<const ir::Inst> insts, ir::DType type, const ir::Kernel& kernel);
  void find_leaves(std::span<const ir::Inst> insts);
  void find_groups(std::span<const ir::Inst> insts, const ir::Kernel& kernel);
  void find_arrays(std::span<const ir::Inst> insts);

  std::vector<ir::Value> loop_of_;  // innermost loop around an instruction
};

// A load or store of several lanes done by vector instructions rather than lane by lane.
bool is_whole_access(const ir::Inst& inst, std::span<const ir::Inst> insts,
                     const ir::Kernel& kernel);
int argument_count(const ir::Inst& inst);

}  // namespace kiln::codegen::cuda
