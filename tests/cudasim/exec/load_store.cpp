#include <algorithm>

#include "tests/cudasim/exec/access.h"
#include "tests/cudasim/exec/lanes.h"

namespace cudasim {
namespace {

// A memory element and the lane type that holds it in registers.
template <class T>
struct Lane {
  using Type = T;
};
template <>
struct Lane<U8> {
  using Type = U16;
};

template <class T>
const T* host(const Warp& w, U32 lane) {
  return reinterpret_cast<const T*>(w.address[lane]);
}

Slot element_slot(const Warp& w, const Inst& in, U32 element) {
  return in.count == 1 ? in.d : w.frame->code->slots[in.aux + element];
}

template <class T>
void run_load(Warp& w, const Inst& in, U32 mask) {
  using L = typename Lane<T>::Type;
  const U32 count = in.count;
  const bool contiguous = resolve(w, in, mask, sizeof(T) * count, AccessKind::kLoad);
  for (U32 e = 0; e < count; ++e) {
    const Slot slot = element_slot(w, in, e);
    if (slot == kNoSlot) continue;
    L* d = reg<L>(w, slot);
    if (contiguous) {
      const T* source = host<T>(w, 0) + e;
      if constexpr (std::is_same_v<T, L>) {
        if (count == 1) {
          std::memcpy(d, source, sizeof(T) * kLanes);
          continue;
        }
      }
      for (U32 l = 0; l < kLanes; ++l) d[l] = source[l * count];
    } else {
      for_lanes(mask, [&](U32 l) { d[l] = host<T>(w, l)[e]; });
    }
    if (sizeof(T) == 1 && (in.mode & kModeSigned) != 0) {
      for_lanes(mask, [&](U32 l) { d[l] = static_cast<L>(static_cast<S8>(d[l])); });
    }
  }
}

template <class T>
void run_store(Warp& w, const Inst& in, U32 mask) {
  using L = typename Lane<T>::Type;
  const U32 count = in.count;
  const bool contiguous = resolve(w, in, mask, sizeof(T) * count, AccessKind::kStore);
  for (U32 e = 0; e < count; ++e) {
    const L* source = operand<L>(w, element_slot(w, in, e));
    if (contiguous) {
      T* target = reinterpret_cast<T*>(w.address[0]) + e;
      if constexpr (std::is_same_v<T, L>) {
        if (count == 1) {
          std::memcpy(target, source, sizeof(T) * kLanes);
          continue;
        }
      }
      for (U32 l = 0; l < kLanes; ++l) target[l * count] = static_cast<T>(source[l]);
    } else {
      for_lanes(mask,
                [&](U32 l) { reinterpret_cast<T*>(w.address[l])[e] = static_cast<T>(source[l]); });
    }
  }
}

template <class T>
void run_param_load(Warp& w, const Inst& in, U32 mask) {
  using L = typename Lane<T>::Type;
  const U8* base = w.launch->parameters.data() + in.offset;
  for (U32 e = 0; e < in.count; ++e) {
    T value;
    std::memcpy(&value, base + e * sizeof(T), sizeof(T));
    const bool sign = sizeof(T) == 1 && (in.mode & kModeSigned) != 0;
    const L wide = sign ? static_cast<L>(static_cast<S8>(value)) : static_cast<L>(value);
    const Slot slot = element_slot(w, in, e);
    if (slot != kNoSlot) write_lanes(reg<L>(w, slot), mask, [&](U32) { return wide; });
  }
}

// The copy is done at once: only code that waits for its group may look at the result, and a race
// with such code shows as a write in its own barrier interval.
void run_async_copy(Warp& w, const Inst& in, U32 mask) {
  const U32 bytes = in.aux;
  Inst load = in;
  load.a = in.b;
  load.offset = 0;
  load.address_wide = true;
  load.space = Space::kGlobal;
  U8 data[kLanes][16] = {};
  U32 reading = mask;
  U32 wanted[kLanes];
  const U32* sizes = in.c == kNoSlot ? nullptr : operand<U32>(w, in.c);
  for_lanes(mask, [&](U32 l) {
    wanted[l] = sizes == nullptr ? bytes : std::min(sizes[l], bytes);
    if (wanted[l] == 0) reading &= ~(1u << l);
  });
  if (reading != 0) resolve(w, load, reading, bytes, AccessKind::kLoad);
  for_lanes(reading, [&](U32 l) { std::memcpy(data[l], host<U8>(w, l), wanted[l]); });
  Inst store = in;
  store.space = Space::kShared;
  store.d = kNoSlot;
  store.count = 0;
  resolve(w, store, mask, bytes, AccessKind::kStore);
  for_lanes(mask, [&](U32 l) { std::memcpy(reinterpret_cast<U8*>(w.address[l]), data[l], bytes); });
}

}  // namespace

Handler load_op(unsigned element_bytes) {
  switch (element_bytes) {
    case 1:
      return &run_load<U8>;
    case 2:
      return &run_load<U16>;
    case 4:
      return &run_load<U32>;
    case 8:
      return &run_load<U64>;
    default:
      return nullptr;
  }
}

Handler store_op(unsigned element_bytes) {
  switch (element_bytes) {
    case 1:
      return &run_store<U8>;
    case 2:
      return &run_store<U16>;
    case 4:
      return &run_store<U32>;
    case 8:
      return &run_store<U64>;
    default:
      return nullptr;
  }
}

Handler param_load_op(unsigned element_bytes) {
  switch (element_bytes) {
    case 1:
      return &run_param_load<U8>;
    case 2:
      return &run_param_load<U16>;
    case 4:
      return &run_param_load<U32>;
    case 8:
      return &run_param_load<U64>;
    default:
      return nullptr;
  }
}

Handler async_copy_op() { return &run_async_copy; }

}  // namespace cudasim
