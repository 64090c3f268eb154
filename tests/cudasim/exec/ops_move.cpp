#include <chrono>

#include "tests/cudasim/exec/lanes.h"
#include "tests/cudasim/exec/ops.h"

namespace cudasim {
namespace {

template <class T>
struct Move {
  using D = T;
  using A = T;
  static T apply(T a) { return a; }
};

void move_predicate(Warp& w, const Inst& in, U32 mask) {
  set_predicate(w, in.d, predicate(w, in.a), mask);
}

template <class To, class From>
struct Resize {
  using D = To;
  using A = From;
  static To apply(From a) { return static_cast<To>(a); }
};

template <class To, class From>
Handler resize() {
  return &run_unary<Resize<To, From>>;
}

template <class To, class Part>
void run_pack(Warp& w, const Inst& in, U32 mask) {
  constexpr U32 kParts = sizeof(To) / sizeof(Part);
  const Part* parts[kParts];
  for (U32 i = 0; i < kParts; ++i) {
    parts[i] = operand<Part>(w, w.frame->code->slots[in.aux + i]);
  }
  write_lanes(reg<To>(w, in.d), mask, [&](U32 l) {
    To value = 0;
    for (U32 i = 0; i < kParts; ++i) {
      value = static_cast<To>(value | static_cast<To>(parts[i][l]) << (8 * sizeof(Part) * i));
    }
    return value;
  });
}

template <class From, class Part>
void run_unpack(Warp& w, const Inst& in, U32 mask) {
  constexpr U32 kParts = sizeof(From) / sizeof(Part);
  alignas(64) From source[kLanes];
  std::memcpy(source, operand<From>(w, in.a), sizeof source);
  for (U32 i = 0; i < kParts; ++i) {
    const Slot slot = w.frame->code->slots[in.aux + i];
    if (slot == kNoSlot) continue;
    write_lanes(reg<Part>(w, slot), mask,
                [&](U32 l) { return static_cast<Part>(source[l] >> (8 * sizeof(Part) * i)); });
  }
}

U64 nanoseconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<U64>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

// Special registers that differ between the lanes of a warp.
template <SpecialRegister kWhich>
U64 lane_value(const Warp& w, U32 lane) {
  switch (kWhich) {
    case SpecialRegister::kTidX:
      return w.tid[0][lane];
    case SpecialRegister::kTidY:
      return w.tid[1][lane];
    case SpecialRegister::kTidZ:
      return w.tid[2][lane];
    case SpecialRegister::kLaneid:
      return lane;
    case SpecialRegister::kLanemaskEq:
      return 1u << lane;
    case SpecialRegister::kLanemaskLt:
      return (1u << lane) - 1;
    case SpecialRegister::kLanemaskLe:
      return (2u << lane) - 1;
    case SpecialRegister::kLanemaskGt:
      return ~((2u << lane) - 1);
    default:
      return ~((1u << lane) - 1);
  }
}

// Special registers that are the same for a whole warp.
U64 warp_value(const Warp& w, SpecialRegister which) {
  const Launch& launch = *w.launch;
  const U32 at = static_cast<U32>(which);
  if (which >= SpecialRegister::kNtidX && which <= SpecialRegister::kNtidZ) {
    return launch.block[at - static_cast<U32>(SpecialRegister::kNtidX)];
  }
  if (which >= SpecialRegister::kCtaidX && which <= SpecialRegister::kCtaidZ) {
    return w.block->index[at - static_cast<U32>(SpecialRegister::kCtaidX)];
  }
  if (which >= SpecialRegister::kNctaidX && which <= SpecialRegister::kNctaidZ) {
    return launch.grid[at - static_cast<U32>(SpecialRegister::kNctaidX)];
  }
  switch (which) {
    case SpecialRegister::kWarpid:
      return w.index;
    case SpecialRegister::kNwarpid:
      return w.block->warps.size();
    case SpecialRegister::kSmid:
      return (w.block->index[0] + w.block->index[1] + w.block->index[2]) % launch.sm_count;
    case SpecialRegister::kNsmid:
      return launch.sm_count;
    case SpecialRegister::kClock:
    case SpecialRegister::kClock64:
      return w.executed;
    case SpecialRegister::kClockHi:
      return w.executed >> 32;
    case SpecialRegister::kGlobaltimer:
    case SpecialRegister::kGlobaltimerLo:
      return nanoseconds();
    case SpecialRegister::kGlobaltimerHi:
      return nanoseconds() >> 32;
    case SpecialRegister::kDynamicSmemSize:
      return launch.dynamic_shared;
    case SpecialRegister::kTotalSmemSize:
      return w.block->shared_bytes;
    default:
      return 0;
  }
}

template <class T, SpecialRegister kWhich>
void run_lane_special(Warp& w, const Inst& in, U32 mask) {
  write_lanes(reg<T>(w, in.d), mask,
              [&](U32 l) { return static_cast<T>(lane_value<kWhich>(w, l)); });
}

template <class T>
void run_warp_special(Warp& w, const Inst& in, U32 mask) {
  const T value = static_cast<T>(warp_value(w, static_cast<SpecialRegister>(in.mode)));
  write_lanes(reg<T>(w, in.d), mask, [&](U32) { return value; });
}

template <class T>
Handler special(SpecialRegister which) {
  switch (which) {
    case SpecialRegister::kTidX:
      return &run_lane_special<T, SpecialRegister::kTidX>;
    case SpecialRegister::kTidY:
      return &run_lane_special<T, SpecialRegister::kTidY>;
    case SpecialRegister::kTidZ:
      return &run_lane_special<T, SpecialRegister::kTidZ>;
    case SpecialRegister::kLaneid:
      return &run_lane_special<T, SpecialRegister::kLaneid>;
    case SpecialRegister::kLanemaskEq:
      return &run_lane_special<T, SpecialRegister::kLanemaskEq>;
    case SpecialRegister::kLanemaskLt:
      return &run_lane_special<T, SpecialRegister::kLanemaskLt>;
    case SpecialRegister::kLanemaskLe:
      return &run_lane_special<T, SpecialRegister::kLanemaskLe>;
    case SpecialRegister::kLanemaskGt:
      return &run_lane_special<T, SpecialRegister::kLanemaskGt>;
    case SpecialRegister::kLanemaskGe:
      return &run_lane_special<T, SpecialRegister::kLanemaskGe>;
    default:
      return &run_warp_special<T>;
  }
}

}  // namespace

Handler mov_op(unsigned bytes) {
  switch (bytes) {
    case 0:
      return &move_predicate;
    case 2:
      return &run_unary<Move<U16>>;
    case 4:
      return &run_unary<Move<U32>>;
    case 8:
      return &run_unary<Move<U64>>;
    default:
      return nullptr;
  }
}

Handler special_op(SpecialRegister which, unsigned bytes) {
  switch (bytes) {
    case 2:
      return special<U16>(which);
    case 4:
      return special<U32>(which);
    case 8:
      return special<U64>(which);
    default:
      return nullptr;
  }
}

// `from` 1 reads the low byte of a 16-bit lane.
Handler resize_op(unsigned to, unsigned from, bool sign) {
  switch (to * 10 + from) {
    case 24:
      return resize<U16, U32>();
    case 28:
      return resize<U16, U64>();
    case 48:
      return resize<U32, U64>();
    case 42:
      return sign ? resize<U32, S16>() : resize<U32, U16>();
    case 82:
      return sign ? resize<U64, S16>() : resize<U64, U16>();
    case 84:
      return sign ? resize<U64, S32>() : resize<U64, U32>();
    default:
      return nullptr;
  }
}

Handler pack_op(unsigned to, unsigned parts) {
  if (to == 4 && parts == 2) return &run_pack<U32, U16>;
  if (to == 8 && parts == 2) return &run_pack<U64, U32>;
  return to == 8 && parts == 4 ? &run_pack<U64, U16> : nullptr;
}

Handler unpack_op(unsigned from, unsigned parts) {
  if (from == 4 && parts == 2) return &run_unpack<U32, U16>;
  if (from == 8 && parts == 2) return &run_unpack<U64, U32>;
  return from == 8 && parts == 4 ? &run_unpack<U64, U16> : nullptr;
}

}  // namespace cudasim
