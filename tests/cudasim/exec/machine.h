// The executable form of a kernel and the state of the machine that runs it.
//
// A warp's registers are lane-contiguous arrays (32 values of 2, 4 or 8 bytes; a predicate is one
// 32-bit mask), so an instruction is a loop over 32 lanes. A warp is a list of splits: groups of
// lanes with one program counter and one call frame. Data flow: decode.h makes a Program of a
// Module; Launcher (launch.h) makes Blocks of a Launch and runs them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "tests/cudasim/cudasim.h"
#include "tests/cudasim/exec/fault.h"
#include "tests/cudasim/exec/memory.h"
#include "tests/cudasim/ptx/module.h"

namespace cudasim {

inline constexpr U32 kLanes = 32;
inline constexpr U32 kFullMask = 0xffffffffu;

// Address tags of the generic address space. Shared, local and parameter addresses are offsets
// inside their window; global and constant addresses are the device pointer itself.
inline constexpr U64 kTagMask = U64{0xff} << 56;
inline constexpr U64 kSharedTag = U64{1} << 56;
inline constexpr U64 kLocalTag = U64{2} << 56;
inline constexpr U64 kParamTag = U64{3} << 56;
inline constexpr U64 kFunctionTag = U64{4} << 56;
inline constexpr U64 kWindowBase = 1024;  // first offset used, so that 0 is never a valid address

// Where an operand lies: a byte offset into the frame's registers, or with bit 0 set into the
// code's constants.
using Slot = U32;
inline constexpr Slot kNoSlot = 0xffffffffu;

struct Warp;
struct Inst;
struct Block;
using Handler = void (*)(Warp&, const Inst&, U32 mask);

enum class Flow : U8 {
  kPlain,
  kBranch,
  kReturn,
  kExit,
  kCall,
  kBarrier,  // bar.sync, bar.red: waits for the block
  kSync,     // waits for the lanes of a member mask
  kTrap,
};

struct Inst {
  Handler run = nullptr;
  Slot d = kNoSlot;
  Slot a = kNoSlot;
  Slot b = kNoSlot;
  Slot c = kNoSlot;
  Slot e = kNoSlot;
  Slot guard = kNoSlot;
  U32 aux = 0;        // branch target, call site, first of a list of slots, or a mode
  S64 offset = 0;     // memory: added to the address
  U32 statement = 0;  // index into Function::body, for reports
  Flow flow = Flow::kPlain;
  U8 weight = 0;  // 1 for the instruction that stands for the PTX statement
  bool guard_negated = false;
  Space space = Space::kGeneric;
  U8 count = 1;  // memory: elements of the vector
  U8 mode = 0;
  bool address_wide = true;  // memory: 64-bit address register
  bool read_only = false;    // memory: through the read-only path
};

struct CallSite {
  U32 callee = 0;           // index of a Code
  Slot indirect = kNoSlot;  // a function address instead
  struct Copy {
    U32 offset;  // in the caller's parameter area
    U32 bytes;
  };
  std::vector<Copy> arguments;
  std::vector<Copy> results;
};

enum class Builtin : U8 { kNone, kPrintf, kAssertFail };

struct Code {
  const Function* function = nullptr;
  Builtin builtin = Builtin::kNone;
  std::vector<Inst> insts;
  std::vector<U8> constants;  // lane arrays
  std::vector<Slot> slots;    // operand lists of vector instructions
  std::vector<CallSite> calls;
  U32 register_bytes = 0;
  U32 register_words = 0;              // 32-bit registers a thread would use without reuse
  U32 parameter_bytes = 0;             // per lane: parameters, results, call arguments
  U32 local_bytes = 0;                 // per lane
  std::vector<U32> parameter_offsets;  // of Function::variables in parameter space
  U32 launch_bytes = 0;                // entry: bytes of the kernel's parameters
  U32 static_shared = 0;               // entry: bytes below the dynamic shared array
  bool has_atomics = false;            // or other reasons to run blocks one after the other
  bool narrow_shared = false;  // accesses of less than four bytes that may reach shared memory
};

// A module ready to run on one device. Owns its global variables' place in memory, not the memory.
struct Program {
  std::unique_ptr<Module> module;
  std::vector<Code> codes;     // by index of Module::functions
  std::vector<U64> addresses;  // of Module::variables, where they lie in global or constant space
  bool has_atomics = false;
  bool narrow_shared = false;

  int find_entry(std::string_view name) const;
};

struct Frame {
  const Code* code = nullptr;
  Frame* caller = nullptr;
  const CallSite* site = nullptr;
  U32 return_pc = 0;
  U32 lanes = 0;  // that have not returned yet
  U32 depth = 0;
  U32 local_base = 0;  // offset in each lane's local memory
  std::vector<U8> registers;
  std::vector<U8> parameters;  // lane l at l * code->parameter_bytes
};

enum class Wait : U8 { kNone, kSync, kBarrier };

struct Split {
  U32 pc = 0;
  U32 mask = 0;
  Frame* frame = nullptr;
  Wait wait = Wait::kNone;
  bool deferred = false;  // gave way after its quantum
  U64 turn = 0;           // Warp::executed + 1 when its turn began, 0 before
};

// What every launch is checked against and run with; from the environment, see README.md.
struct Options {
  U64 seed = 1;
  bool random_schedule = false;
  bool strict_barriers = true;
  bool check_races = true;
  bool jitter = false;
  U64 budget = U64{1} << 28;  // instructions of one warp
  U32 threads = 2;
};

struct Launch {
  const Program* program = nullptr;
  U32 entry = 0;
  U32 grid[3] = {1, 1, 1};
  U32 block[3] = {1, 1, 1};
  U32 dynamic_shared = 0;
  bool cooperative = false;
  std::vector<U8> parameters;
  U32 sm_count = 1;
};

using Counters = kilnsim_counters;

// One host thread's share of a launch.
struct Worker {
  Memory* memory = nullptr;
  TouchMap* touch = nullptr;
  const Options* options = nullptr;
  Counters counters{};
  U64 random = 1;
  std::vector<std::unique_ptr<Frame>> spare_frames;

  U32 next_random() {
    random = random * 6364136223846793005u + 1442695040888963407u;
    return static_cast<U32>(random >> 33);
  }
};

// Who accessed a granule of shared memory since the last barrier.
struct RaceCell {
  U32 epoch = 0;
  U16 writer = 0;
  U16 reader = 0;
  U16 writer_sync = 0;  // the writing warp's count of warp barriers
  U16 reader_sync = 0;
  U8 flags = 0;
};

struct Warp {
  std::array<U8*, 2> base{};  // registers, constants: see Slot
  Frame* frame = nullptr;
  Block* block = nullptr;
  Worker* worker = nullptr;
  const Launch* launch = nullptr;
  U32 live = 0;
  U32 carry = 0;  // condition code, a bit a lane
  U32 index = 0;  // in the block
  U32 syncs = 0;  // warp barriers passed
  U32 pc = 0;     // of the instruction being executed
  U64 executed = 0;
  U64 divergences = 0;
  std::vector<Split> splits;
  std::vector<std::unique_ptr<Frame>> frames;
  std::vector<U8> local;        // lane l at l * local_capacity
  std::vector<U8> local_state;  // kInitialised
  U32 local_capacity = 0;
  alignas(64) U32 tid[3][kLanes] = {};
  alignas(64) U64 address[kLanes] = {};  // scratch of memory instructions
};

struct Block {
  const Launch* launch = nullptr;
  Worker* worker = nullptr;
  U32 index[3] = {0, 0, 0};
  U32 threads = 0;
  U32 epoch = 1;
  U32 shared_bytes = 0;
  U32 race_shift = 2;  // log2 of the granule of race checks
  bool clean = false;  // shared memory holds nothing of an earlier block
  std::vector<U8> shared;
  std::vector<U8> shared_state;
  std::vector<RaceCell> cells;
  std::array<U32, 16> arrived{};  // by bar.arrive
  std::vector<std::unique_ptr<Warp>> warps;
};

template <class T>
T* reg(Warp& warp, Slot slot) {
  return reinterpret_cast<T*>(warp.base[0] + slot);
}

template <class T>
const T* operand(const Warp& warp, Slot slot) {
  return reinterpret_cast<const T*>(warp.base[slot & 1] + (slot & ~1u));
}

inline U32 predicate(const Warp& warp, Slot slot) { return *operand<U32>(warp, slot); }

inline void set_predicate(Warp& warp, Slot slot, U32 value, U32 mask) {
  U32* bits = reg<U32>(warp, slot);
  *bits = (*bits & ~mask) | (value & mask);
}

}  // namespace cudasim
