// Running a launch: blocks one after the other, two at a time on two host threads where the kernel
// has nothing that could tell the difference (no atomics, no fences), or all at once, taking turns,
// for a cooperative launch.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/cudasim/exec/machine.h"

namespace cudasim {

struct FaultReport {
  FaultKind kind;
  std::string text;  // several lines: what, kernel, block, thread, PTX and CUDA line
  U64 block = 0;
};

struct LaunchResult {
  Counters counters{};
  std::optional<FaultReport> fault;
};

// Keeps what is costly to make between launches on one device.
class Launcher {
 public:
  explicit Launcher(Memory& memory) : memory_(memory) {}
  LaunchResult run(const Launch& launch, const Options& options);

 private:
  Worker& worker(std::size_t index, const Options& options);

  Memory& memory_;
  std::vector<std::unique_ptr<TouchMap>> touches_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

// Shared memory of one block: static and dynamic.
U32 shared_bytes_of(const Code& entry, U32 dynamic_bytes);

// scheduler.cpp: one block.
std::unique_ptr<Block> make_block(const Launch& launch, Worker& worker);
void reset_block(Block& block, U64 linear_index);
// Runs each warp for at most a quantum; true when the block is done. Throws BlockFault.
bool step_block(Block& block);

struct BlockFault {
  Fault fault;
  U32 warp;
  U32 lane;
  const Code* code;
  U32 statement;
};

// scheduler.cpp, used by control.cpp.
Frame* enter_frame(Warp& w, const Code& code, Frame* caller, U32 mask);
void leave_frame(Warp& w, Frame* frame, U32 lanes);
void select_frame(Warp& w, Frame* frame);

// control.cpp: instructions that steer. Each leaves the split as it goes on; they return false when
// the scheduler must choose again.
bool run_branch(Warp& w, Split& split, const Inst& in, U32 mask);
bool run_exit(Warp& w, Split& split, U32 mask);
bool run_return(Warp& w, Split& split, U32 mask);
bool run_call(Warp& w, Split& split, const Inst& in, U32 mask);
bool run_barrier(Warp& w, Split& split, const Inst& in, U32 mask);
bool run_sync(Warp& w, Split& split, const Inst& in, U32 mask);

// barrier.cpp: called when no warp can go on; releases what is complete, throws where nothing can
// be.
void release_barriers(Block& block);

// builtins.cpp
void run_builtin(Warp& w, Builtin builtin, const CallSite& site, U32 mask);

}  // namespace cudasim
