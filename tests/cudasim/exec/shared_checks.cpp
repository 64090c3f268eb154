// Races on shared memory between barriers, and bank conflicts.

#include <algorithm>

#include "tests/cudasim/exec/access.h"
#include "tests/cudasim/exec/lanes.h"

namespace cudasim {
namespace {

constexpr U8 kHasWriter = 1;
constexpr U8 kAtomicWriter = 2;
constexpr U8 kHasReader = 4;
constexpr U8 kManyReaders = 8;  // of one warp
constexpr U8 kManyWarps = 16;   // readers of several warps

struct Accessor {
  const Warp& warp;
  U16 thread;

  // Whether an access by another thread is ordered before this one by a warp barrier.
  bool ordered(U16 other, U16 other_sync) const {
    return other / kLanes == thread / kLanes && other_sync != static_cast<U16>(warp.syncs);
  }
};

[[noreturn]] void race(const char* what, U32 offset, U16 other, U32 lane) {
  std::string text = std::string("shared memory race: ") + what + " at byte " +
                     std::to_string(offset) + " conflicts with thread ";
  text += other == 0xffff ? "others" : std::to_string(other);
  text += ", no barrier between them";
  throw Fault{FaultKind::kLaunchFailure, text, static_cast<int>(lane)};
}

void check_read(RaceCell& cell, const Accessor& me, U32 offset, U32 lane) {
  if ((cell.flags & kHasWriter) != 0 && cell.writer != me.thread &&
      !me.ordered(cell.writer, cell.writer_sync)) {
    race("a read after a write", offset, cell.writer, lane);
  }
  const U16 sync = static_cast<U16>(me.warp.syncs);
  if ((cell.flags & kHasReader) == 0) {
    cell.flags |= kHasReader;
  } else if (cell.reader / kLanes != me.thread / kLanes) {
    cell.flags |= kManyWarps;
  } else if (cell.reader != me.thread) {
    cell.flags |= kManyReaders;
  }
  cell.reader = me.thread;
  cell.reader_sync = sync;
}

void check_write(RaceCell& cell, const Accessor& me, U32 offset, U32 lane, bool atomic, bool same) {
  const bool atomics = atomic && (cell.flags & kAtomicWriter) != 0;
  if ((cell.flags & kHasWriter) != 0 && cell.writer != me.thread && !atomics && !same &&
      !me.ordered(cell.writer, cell.writer_sync)) {
    race("a write after a write", offset, cell.writer, lane);
  }
  if ((cell.flags & kHasReader) != 0 && !atomics) {
    if ((cell.flags & kManyWarps) != 0) race("a write after reads", offset, 0xffff, lane);
    const bool others = cell.reader != me.thread || (cell.flags & kManyReaders) != 0;
    const bool ordered = cell.reader / kLanes == me.thread / kLanes &&
                         cell.reader_sync != static_cast<U16>(me.warp.syncs);
    if (others && !ordered) {
      race("a write after a read", offset, cell.reader == me.thread ? U16{0xffff} : cell.reader,
           lane);
    }
  }
  cell.flags =
      static_cast<U8>((cell.flags & ~kAtomicWriter) | kHasWriter | (atomic ? kAtomicWriter : 0));
  cell.writer = me.thread;
  cell.writer_sync = static_cast<U16>(me.warp.syncs);
}

void check_lane(Warp& w, U32 lane, U32 bytes, AccessKind kind) {
  Block& block = *w.block;
  const U32 offset = static_cast<U32>(w.address[lane]);
  const Accessor me{w, static_cast<U16>(w.index * kLanes + lane)};
  const U32 first = offset >> block.race_shift;
  const U32 last = (offset + bytes - 1) >> block.race_shift;
  for (U32 i = first; i <= last; ++i) {
    RaceCell& cell = block.cells[i];
    if (cell.epoch != block.epoch) {
      cell = RaceCell{};
      cell.epoch = block.epoch;
    }
    if (kind == AccessKind::kLoad) {
      check_read(cell, me, offset, lane);
    } else {
      check_write(cell, me, offset, lane, kind == AccessKind::kAtomic, false);
    }
  }
}

// Lanes of one store that write one value to one place conflict in nothing; the store's data is
// compared before the cells are touched.
bool store_repeats(Warp& w, const Inst& in, U32 lane, U32 bytes, U16 writer, U32 mask) {
  const U32 other = writer % kLanes;
  if (writer / kLanes != w.index || (mask >> other & 1) == 0 || in.count != 1) return false;
  if (w.address[other] != w.address[lane] || other >= lane) return false;
  switch (register_bytes(bytes)) {
    case 2:
      return operand<U16>(w, in.d)[lane] == operand<U16>(w, in.d)[other];
    case 4:
      return operand<U32>(w, in.d)[lane] == operand<U32>(w, in.d)[other];
    default:
      return operand<U64>(w, in.d)[lane] == operand<U64>(w, in.d)[other];
  }
}

bool same_value_in_memory(Warp& w, const Inst& in, U32 lane, U32 bytes) {
  if (in.count != 1 || in.d == kNoSlot) return false;
  const Block& block = *w.block;
  const U64 offset = w.address[lane];
  for (U32 i = 0; i < bytes; ++i) {
    if (block.shared_state[offset + i] == 0) return false;
  }
  const U8* data = reinterpret_cast<const U8*>(operand<U8>(w, in.d)) + lane * register_bytes(bytes);
  return std::memcmp(block.shared.data() + offset, data, bytes) == 0;
}

void check_store(Warp& w, const Inst& in, U32 lane, U32 bytes, U32 mask) {
  Block& block = *w.block;
  const U32 offset = static_cast<U32>(w.address[lane]);
  const Accessor me{w, static_cast<U16>(w.index * kLanes + lane)};
  const U32 first = offset >> block.race_shift;
  const U32 last = (offset + bytes - 1) >> block.race_shift;
  for (U32 i = first; i <= last; ++i) {
    RaceCell& cell = block.cells[i];
    if (cell.epoch != block.epoch) {
      cell = RaceCell{};
      cell.epoch = block.epoch;
    }
    const bool contested = (cell.flags & kHasWriter) != 0 && cell.writer != me.thread;
    const bool same = contested && (store_repeats(w, in, lane, bytes, cell.writer, mask) ||
                                    same_value_in_memory(w, in, lane, bytes));
    check_write(cell, me, offset, lane, false, same);
  }
}

// A wavefront serves one 4-byte word of each bank; wider accesses go by half or quarter warps.
void count_banks(Warp& w, U32 mask, U32 bytes) {
  const U32 group_lanes = bytes <= 4 ? 32 : bytes <= 8 ? 16 : 8;
  U64 extra = 0;
  for (U32 start = 0; start < kLanes; start += group_lanes) {
    U32 words[kLanes * 4];
    U32 count = 0;
    for (U32 l = start; l < start + group_lanes; ++l) {
      if ((mask >> l & 1) == 0) continue;
      const U32 first = static_cast<U32>(w.address[l]) / 4;
      for (U32 i = 0; i < std::max(1u, bytes / 4); ++i) words[count++] = first + i;
    }
    bool rising = true;
    for (U32 i = 1; i < count; ++i) rising = rising && words[i] == words[i - 1] + 1;
    if (rising && count <= 32) continue;
    std::sort(words, words + count);
    count = static_cast<U32>(std::unique(words, words + count) - words);
    U32 load[32] = {};
    U32 most = 0;
    for (U32 i = 0; i < count; ++i) most = std::max(most, ++load[words[i] % 32]);
    extra += most > 0 ? most - 1 : 0;
  }
  w.worker->counters.shared_bank_conflicts += extra;
}

// A broadcast: every lane at one address.
bool one_place(const Warp& w, U32 mask) {
  const U64 first = w.address[std::countr_zero(mask)];
  bool same = true;
  for_lanes(mask, [&](U32 l) { same = same && w.address[l] == first; });
  return same;
}

}  // namespace

void check_shared(Warp& w, const Inst& in, U32 mask, U32 bytes, AccessKind kind, bool contiguous) {
  Counters& c = w.worker->counters;
  if (kind != AccessKind::kStore) ++c.shared_load_instructions;
  if (kind != AccessKind::kLoad) ++c.shared_store_instructions;
  if (!contiguous && !one_place(w, mask)) count_banks(w, mask, bytes);
  if (!w.worker->options->check_races || (in.mode & kModeVolatile) != 0) return;
  if (kind == AccessKind::kStore) {
    for_lanes(mask, [&](U32 l) { check_store(w, in, l, bytes, mask); });
  } else {
    for_lanes(mask, [&](U32 l) { check_lane(w, l, bytes, kind); });
  }
}

}  // namespace cudasim
