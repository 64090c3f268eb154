// Every access to memory goes through resolve(): it computes the lanes' addresses, checks bounds,
// alignment, initialisation and races in the space they belong to, counts, and leaves host
// addresses in Warp::address.
#pragma once

#include "tests/cudasim/exec/machine.h"

namespace cudasim {

enum class AccessKind : U8 { kLoad, kStore, kAtomic };

// Bits of Inst::mode for memory instructions.
inline constexpr U8 kModeVolatile = 1;
inline constexpr U8 kModeKernelParam = 2;
inline constexpr U8 kModeSigned = 4;

// `bytes` is the size of one lane's access, all its vector elements together. Returns whether the
// 32 lanes lie side by side in host memory in lane order. Throws Fault.
bool resolve(Warp& w, const Inst& in, U32 mask, U32 bytes, AccessKind kind);

// Tells resolve's checks which bytes a store is about to write (before it does), so that a store
// that changes nothing is no write-write race.
void check_shared(Warp& w, const Inst& in, U32 mask, U32 bytes, AccessKind kind, bool contiguous);

// The tag of a generic address, and the space it stands for.
Space space_of(U64 address);

// Reads a byte of global, shared or local memory as the lane sees it, checked like a load; for
// printf and assert messages.
U8 read_byte(Warp& w, U32 lane, U64 generic_address);

Handler load_op(unsigned element_bytes);
Handler store_op(unsigned element_bytes);
Handler param_load_op(unsigned element_bytes);  // a kernel parameter at a fixed offset

enum class AtomicOp : U8 { kAdd, kMin, kMax, kInc, kDec, kAnd, kOr, kXor, kExch, kCas };
// Null where PTX has no such atomic.
Handler atomic_op(AtomicOp op, Type type);

// cp.async: in.aux is the size, in.b the global address, in.c a source size or kNoSlot.
Handler async_copy_op();

}  // namespace cudasim
