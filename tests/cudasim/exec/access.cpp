#include "tests/cudasim/exec/access.h"

#include <algorithm>
#include <cstdio>

#include "tests/cudasim/exec/lanes.h"

namespace cudasim {
namespace {

const char* verb(AccessKind kind) {
  switch (kind) {
    case AccessKind::kLoad:
      return "load of ";
    case AccessKind::kStore:
      return "store of ";
    case AccessKind::kAtomic:
      return "atomic of ";
  }
  return "";
}

[[noreturn]] void fail(FaultKind kind, AccessKind access, const char* space, U32 bytes, U64 address,
                       const std::string& why, U32 lane) {
  char at[32];
  std::snprintf(at, sizeof at, "0x%llx", static_cast<unsigned long long>(address));
  throw Fault{kind,
              std::string(space) + " " + verb(access) + std::to_string(bytes) + " bytes at " + at +
                  ": " + why,
              static_cast<int>(lane)};
}

void compute_addresses(Warp& w, const Inst& in) {
  if (in.address_wide) {
    const auto* a = operand<U64>(w, in.a);
    const U64 offset = static_cast<U64>(in.offset);
    for (U32 l = 0; l < kLanes; ++l) w.address[l] = a[l] + offset;
  } else {
    const auto* a = operand<U32>(w, in.a);
    const U32 offset = static_cast<U32>(in.offset);
    for (U32 l = 0; l < kLanes; ++l) w.address[l] = static_cast<U32>(a[l] + offset);
  }
}

bool side_by_side(const Warp& w, U32 bytes) {
  U64 different = 0;
  for (U32 l = 0; l < kLanes; ++l) different |= w.address[l] ^ (w.address[0] + U64{l} * bytes);
  return different == 0;
}

U64 distinct_sectors(const Warp& w, U32 mask) {
  U64 sectors[kLanes];
  U32 count = 0;
  bool sorted = true;
  for_lanes(mask, [&](U32 l) {
    const U64 sector = w.address[l] >> 5;
    if (count > 0 && sector == sectors[count - 1]) return;
    sorted = sorted && (count == 0 || sector > sectors[count - 1]);
    sectors[count++] = sector;
  });
  if (sorted) return count;
  std::sort(sectors, sectors + count);
  return static_cast<U64>(std::unique(sectors, sectors + count) - sectors);
}

void count_global(Warp& w, U32 mask, U32 bytes, AccessKind kind, U64 sectors) {
  Counters& c = w.worker->counters;
  const U64 total = U64{bytes} * static_cast<U32>(std::popcount(mask));
  if (bytes == 16) ++c.global_vector_accesses;
  if (kind != AccessKind::kStore) {
    ++c.global_load_instructions;
    c.global_bytes_read += total;
    c.global_sectors_read += sectors;
  }
  if (kind != AccessKind::kLoad) {
    ++c.global_store_instructions;
    c.global_bytes_written += total;
    c.global_sectors_written += sectors;
  }
}

[[noreturn]] void fail_read_only(U64 address, U32 bytes, AccessKind kind, U32 lane) {
  fail(FaultKind::kLaunchFailure, kind, "global", bytes, address,
       "the kernel both writes this byte and reads it through the read-only path (ld.global.nc)",
       lane);
}

U8 touch_bits(const Inst& in, AccessKind kind) {
  if (kind == AccessKind::kStore) return kTouchWritten;
  if (kind == AccessKind::kAtomic) return kTouchRead | kTouchWritten;
  return in.read_only ? kTouchRead | kTouchReadOnlyPath : kTouchRead;
}

U8 forbidden_bits(const Inst& in, AccessKind kind) {
  if (kind != AccessKind::kLoad) return kTouchReadOnlyPath;
  return in.read_only ? kTouchWritten : 0;
}

void check_global_lane(Warp& w, const Inst& in, U32 bytes, AccessKind kind, U32 lane) {
  Memory& memory = *w.worker->memory;
  const U64 address = w.address[lane];
  if ((address & (bytes - 1)) != 0) {
    fail(FaultKind::kMisaligned, kind, "global", bytes, address, "misaligned address", lane);
  }
  if (!memory.all(address, bytes, kAllocated)) {
    fail(FaultKind::kIllegalAddress, kind, "global", bytes, address,
         "out of bounds: " +
             memory.describe(
                 address +
                 (memory.contains(address, 1) && memory.find(address) != nullptr ? bytes - 1 : 0)),
         lane);
  }
  if (kind != AccessKind::kStore && !memory.all(address, bytes, kReadable)) {
    fail(FaultKind::kLaunchFailure, kind, "global", bytes, address,
         "uninitialised memory: " + memory.describe(address), lane);
  }
  const U8 seen = w.worker->touch->mark(address, bytes, touch_bits(in, kind));
  if ((seen & forbidden_bits(in, kind)) != 0) fail_read_only(address, bytes, kind, lane);
  if (kind != AccessKind::kLoad) memory.mark_initialised(address, bytes);
}

bool resolve_global(Warp& w, const Inst& in, U32 mask, U32 bytes, AccessKind kind) {
  Memory& memory = *w.worker->memory;
  const U64 first = w.address[0];
  const U64 total = U64{bytes} * kLanes;
  const U8 need = kind == AccessKind::kStore ? kAllocated : kReadable;
  if (mask == kFullMask && (first & (bytes - 1)) == 0 && side_by_side(w, bytes) &&
      memory.all(first, total, need)) {
    const U8 seen = w.worker->touch->mark(first, total, touch_bits(in, kind));
    if ((seen & forbidden_bits(in, kind)) != 0) fail_read_only(first, bytes, kind, 0);
    if (kind != AccessKind::kLoad) memory.mark_initialised(first, total);
    count_global(w, mask, bytes, kind, ((first + total - 1) >> 5) - (first >> 5) + 1);
    return true;
  }
  for_lanes(mask, [&](U32 l) { check_global_lane(w, in, bytes, kind, l); });
  count_global(w, mask, bytes, kind, distinct_sectors(w, mask));
  return false;
}

// Shared, local and parameter windows: a checked offset.
U64 window_offset(U64 address, U32 bytes, U64 limit, AccessKind kind, const char* space, U32 lane) {
  if ((address & (bytes - 1)) != 0) {
    fail(FaultKind::kMisaligned, kind, space, bytes, address, "misaligned address", lane);
  }
  const U64 offset = address - kWindowBase;
  if (address < kWindowBase || offset > limit || bytes > limit - offset) {
    fail(FaultKind::kIllegalAddress, kind, space, bytes, address,
         "out of bounds: the window has " + std::to_string(limit) + " bytes from " +
             std::to_string(kWindowBase),
         lane);
  }
  return offset;
}

// The whole warp side by side, in bounds, aligned and initialised: one check for all of it.
bool resolve_shared_at_once(Warp& w, const Inst& in, U32 bytes, AccessKind kind) {
  Block& block = *w.block;
  const U64 total = U64{bytes} * kLanes;
  const U64 offset = w.address[0] - kWindowBase;
  if ((offset & (bytes - 1)) != 0 || offset > block.shared_bytes ||
      total > block.shared_bytes - offset || !side_by_side(w, bytes)) {
    return false;
  }
  U8* state = block.shared_state.data() + offset;
  U8 common = 1;
  for (U64 i = 0; i < total; ++i) common = static_cast<U8>(common & state[i]);
  if (kind != AccessKind::kStore && common == 0) return false;
  for (U32 l = 0; l < kLanes; ++l) w.address[l] = offset + U64{l} * bytes;
  check_shared(w, in, kFullMask, bytes, kind, true);
  if (kind != AccessKind::kLoad) std::memset(state, 1, total);
  const U64 base = reinterpret_cast<U64>(block.shared.data());
  for (U32 l = 0; l < kLanes; ++l) w.address[l] += base;
  return true;
}

bool resolve_shared(Warp& w, const Inst& in, U32 mask, U32 bytes, AccessKind kind) {
  Block& block = *w.block;
  if (mask == kFullMask && resolve_shared_at_once(w, in, bytes, kind)) return true;
  for_lanes(mask, [&](U32 l) {
    const U64 offset = window_offset(w.address[l], bytes, block.shared_bytes, kind, "shared", l);
    U8* state = block.shared_state.data() + offset;
    if (kind != AccessKind::kStore) {
      for (U32 i = 0; i < bytes; ++i) {
        if (state[i] != 0) continue;
        fail(FaultKind::kLaunchFailure, kind, "shared", bytes, w.address[l], "uninitialised memory",
             l);
      }
    }
    w.address[l] = offset;
  });
  check_shared(w, in, mask, bytes, kind, false);
  for_lanes(mask, [&](U32 l) {
    if (kind != AccessKind::kLoad) std::memset(block.shared_state.data() + w.address[l], 1, bytes);
    w.address[l] = reinterpret_cast<U64>(block.shared.data() + w.address[l]);
  });
  return false;
}

// Compilers load from local arrays ahead of the branch that asks for the value, so a load of bytes
// never stored is no fault. It gives a NaN, or -1: a kernel that uses it has wrong results.
constexpr U8 kUnsetLocal = 0xff;

void resolve_local(Warp& w, U32 mask, U32 bytes, AccessKind kind) {
  const U64 limit = U64{w.frame->local_base} + w.frame->code->local_bytes;
  Counters& c = w.worker->counters;
  const U64 total = U64{bytes} * static_cast<U32>(std::popcount(mask));
  (kind == AccessKind::kLoad ? c.local_bytes_read : c.local_bytes_written) += total;
  for_lanes(mask, [&](U32 l) {
    const U64 offset =
        window_offset(w.address[l], bytes, limit, kind, "local", l) + U64{l} * w.local_capacity;
    U8* state = w.local_state.data() + offset;
    for (U32 i = 0; i < bytes && kind != AccessKind::kStore; ++i) {
      if (state[i] == 0) w.local[offset + i] = kUnsetLocal;
    }
    if (kind != AccessKind::kLoad) std::memset(state, 1, bytes);
    w.address[l] = reinterpret_cast<U64>(w.local.data() + offset);
  });
}

void resolve_param(Warp& w, U32 mask, U32 bytes, AccessKind kind, bool kernel) {
  Frame& frame = *w.frame;
  const auto& launch = w.launch->parameters;
  const U64 limit = kernel ? launch.size() : frame.code->parameter_bytes;
  if (kernel && kind != AccessKind::kLoad) {
    throw Fault{FaultKind::kIllegalAddress, "store to a kernel parameter"};
  }
  for_lanes(mask, [&](U32 l) {
    const U64 offset = window_offset(w.address[l], bytes, limit, kind, "parameter", l);
    const U8* base = kernel ? launch.data() : frame.parameters.data() + limit * l;
    w.address[l] = reinterpret_cast<U64>(base + offset);
  });
}

bool resolve_in(Warp& w, const Inst& in, Space space, U32 mask, U32 bytes, AccessKind kind) {
  switch (space) {
    case Space::kShared:
      return resolve_shared(w, in, mask, bytes, kind);
    case Space::kLocal:
      resolve_local(w, mask, bytes, kind);
      return false;
    case Space::kParam:
      resolve_param(w, mask, bytes, kind, (in.mode & kModeKernelParam) != 0);
      return false;
    case Space::kConst:
      if (kind != AccessKind::kLoad) {
        throw Fault{FaultKind::kIllegalAddress, "store to constant memory"};
      }
      return resolve_global(w, in, mask, bytes, kind);
    default:
      return resolve_global(w, in, mask, bytes, kind);
  }
}

bool resolve_generic(Warp& w, const Inst& in, U32 mask, U32 bytes, AccessKind kind) {
  for (U32 rest = mask; rest != 0;) {
    const U64 tag = w.address[std::countr_zero(rest)] & kTagMask;
    U32 group = 0;
    for_lanes(rest, [&](U32 l) {
      if ((w.address[l] & kTagMask) == tag) group |= 1u << l;
    });
    if (tag == 0 && group == kFullMask) return resolve_global(w, in, mask, bytes, kind);
    const Space space = space_of(tag);
    if (space == Space::kGeneric) {
      const U32 lane = static_cast<U32>(std::countr_zero(group));
      fail(FaultKind::kIllegalAddress, kind, "generic", bytes, w.address[lane],
           "this is no address of any memory", lane);
    }
    for_lanes(group, [&](U32 l) { w.address[l] &= ~kTagMask; });
    if (space == Space::kParam) {
      resolve_param(w, group, bytes, kind, true);
    } else {
      resolve_in(w, in, space, group, bytes, kind);
    }
    rest &= ~group;
  }
  return false;
}

}  // namespace

Space space_of(U64 address) {
  switch (address & kTagMask) {
    case 0:
      return Space::kGlobal;
    case kSharedTag:
      return Space::kShared;
    case kLocalTag:
      return Space::kLocal;
    case kParamTag:
      return Space::kParam;
    default:
      return Space::kGeneric;
  }
}

bool resolve(Warp& w, const Inst& in, U32 mask, U32 bytes, AccessKind kind) {
  compute_addresses(w, in);
  if (in.space == Space::kGeneric) return resolve_generic(w, in, mask, bytes, kind);
  return resolve_in(w, in, in.space, mask, bytes, kind);
}

U8 read_byte(Warp& w, U32 lane, U64 generic_address) {
  Inst in;
  const U32 mask = 1u << lane;
  w.address[lane] = generic_address;
  resolve_generic(w, in, mask, 1, AccessKind::kLoad);
  return *reinterpret_cast<const U8*>(w.address[lane]);
}

}  // namespace cudasim
