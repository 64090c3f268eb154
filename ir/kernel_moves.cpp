#include "ir/kernel_moves.h"

#include <cstring>

#include "ir/error.h"

namespace kiln::ir {
namespace {

template <class T>
T get(const void* base, std::int64_t i) {
  T value;
  std::memcpy(&value, static_cast<const std::byte*>(base) + i * std::int64_t{sizeof(T)}, sizeof(T));
  return value;
}
template <class T>
void put(void* base, std::int64_t i, T value) {
  std::memcpy(static_cast<std::byte*>(base) + i * std::int64_t{sizeof(T)}, &value, sizeof(T));
}

// The base address unit by unit, without a division for each.
class Bases {
 public:
  explicit Bases(const Place& place) : place_(place), left_(place.share) {}
  std::byte* get() const { return place_.base; }
  void next() {
    if (--left_ > 0) return;
    left_ = place_.share;
    place_.base += place_.stride;
  }

 private:
  Place place_;
  std::int64_t left_;
};

// Whether a row of lanes lies in consecutive elements and none is masked off, the common case.
bool is_whole(const Access& a, std::int64_t unit) {
  if (a.gathers) return false;
  return !a.mask || !std::memchr(a.mask + unit * a.lanes, 0, static_cast<std::size_t>(a.lanes));
}

template <class T>
void load_as(const Access& access) {
  const Access a = access;  // a copy, which the elements written cannot alias
  const std::size_t bytes = static_cast<std::size_t>(a.lanes) * sizeof(T);
  Bases bases(a.place);
  for (std::int64_t u = 0; u < a.units; ++u, bases.next()) {
    if (a.active && !a.active[u]) continue;
    const std::byte* base = bases.get();
    const std::int64_t first = u * a.lanes;
    if (a.lanes > 1 && is_whole(a, u)) {
      std::memcpy(a.out + first * std::int64_t{sizeof(T)},
                  base + a.index[u] * std::int64_t{sizeof(T)}, bytes);
      continue;
    }
    for (std::int64_t k = first; k < first + a.lanes; ++k) {
      const std::int64_t at = a.gathers ? a.index[k] : a.index[u] + (k - first);
      if (!a.mask || a.mask[k])
        put<T>(a.out, k, get<T>(base, at));
      else
        put<T>(a.out, k, a.value ? get<T>(a.value, k) : T{0});
    }
  }
}

template <class T>
void store_as(const Access& access) {
  const Access a = access;  // a copy, which the elements written cannot alias
  const std::size_t bytes = static_cast<std::size_t>(a.lanes) * sizeof(T);
  Bases bases(a.place);
  for (std::int64_t u = 0; u < a.units; ++u, bases.next()) {
    if (a.active && !a.active[u]) continue;
    std::byte* base = bases.get();
    const std::int64_t first = u * a.lanes;
    if (a.lanes > 1 && is_whole(a, u)) {
      std::memcpy(base + a.index[u] * std::int64_t{sizeof(T)},
                  static_cast<const std::byte*>(a.value) + first * std::int64_t{sizeof(T)}, bytes);
      continue;
    }
    for (std::int64_t k = first; k < first + a.lanes; ++k) {
      if (a.mask && !a.mask[k]) continue;
      put<T>(base, a.gathers ? a.index[k] : a.index[u] + (k - first), get<T>(a.value, k));
    }
  }
}

template <class T>
void splat_as(std::int64_t lanes, std::int64_t units, const void* in, std::byte* out) {
  for (std::int64_t u = 0; u < units; ++u) {
    const T value = get<T>(in, u);
    for (std::int64_t l = 0; l < lanes; ++l) put<T>(out, u * lanes + l, value);
  }
}

// Element begin + k * step of each unit's operand lanes, k < count.
template <class T>
void pick_as(std::int64_t lanes, std::int64_t begin, std::int64_t step, std::int64_t count,
             std::int64_t units, const void* in, std::byte* out) {
  for (std::int64_t u = 0; u < units; ++u) {
    for (std::int64_t k = 0; k < count; ++k) {
      put<T>(out, u * count + k, get<T>(in, u * lanes + begin + k * step));
    }
  }
}

template <class T>
void move_as(const Inst& inst, std::int64_t lanes, std::int64_t units, const void* const* in,
             std::byte* out) {
  if (inst.code == Code::splat) return splat_as<T>(inst.lanes, units, in[0], out);
  if (inst.code == Code::extract) return pick_as<T>(lanes, inst.imm, 1, 1, units, in[0], out);
  if (inst.code == Code::even) return pick_as<T>(lanes, 0, 2, inst.lanes, units, in[0], out);
  if (inst.code == Code::odd) return pick_as<T>(lanes, 1, 2, inst.lanes, units, in[0], out);
  internal_check(inst.code == Code::join, "not an instruction that moves lanes");
  const std::size_t bytes = static_cast<std::size_t>(lanes) * sizeof(T);
  for (std::size_t u = 0; u < static_cast<std::size_t>(units); ++u) {
    const auto* a = static_cast<const std::byte*>(in[0]) + u * bytes;
    const auto* b = static_cast<const std::byte*>(in[1]) + u * bytes;
    std::memcpy(out + 2 * u * bytes, a, bytes);
    std::memcpy(out + (2 * u + 1) * bytes, b, bytes);
  }
}

template <class T>
void shuffle_as(std::int64_t count, const std::int32_t* source, const void* in, std::byte* out) {
  for (std::int64_t u = 0; u < count; ++u) put<T>(out, u, get<T>(in, source[u]));
}

}  // namespace

void shuffle_units(std::int64_t bytes, std::int64_t count, const std::int32_t* source,
                   const void* in, std::byte* out) {
  switch (bytes) {
    case 1:
      return shuffle_as<std::uint8_t>(count, source, in, out);
    case 2:
      return shuffle_as<std::uint16_t>(count, source, in, out);
    case 4:
      return shuffle_as<std::uint32_t>(count, source, in, out);
    case 8:
      return shuffle_as<std::uint64_t>(count, source, in, out);
    default:
      for (std::int64_t u = 0; u < count; ++u) {
        std::memcpy(out + u * bytes, static_cast<const std::byte*>(in) + source[u] * bytes,
                    static_cast<std::size_t>(bytes));
      }
  }
}

void load_elements(const Access& access, std::int64_t bytes) {
  switch (bytes) {
    case 1:
      return load_as<std::uint8_t>(access);
    case 2:
      return load_as<std::uint16_t>(access);
    case 4:
      return load_as<std::uint32_t>(access);
    default:
      return load_as<std::uint64_t>(access);
  }
}

void store_elements(const Access& access, std::int64_t bytes) {
  switch (bytes) {
    case 1:
      return store_as<std::uint8_t>(access);
    case 2:
      return store_as<std::uint16_t>(access);
    case 4:
      return store_as<std::uint32_t>(access);
    default:
      return store_as<std::uint64_t>(access);
  }
}

void move_lanes(const Inst& inst, std::int64_t lanes, std::int64_t units, const void* const* in,
                std::byte* out) {
  switch (size_of(inst.dtype)) {
    case 1:
      return move_as<std::uint8_t>(inst, lanes, units, in, out);
    case 2:
      return move_as<std::uint16_t>(inst, lanes, units, in, out);
    case 4:
      return move_as<std::uint32_t>(inst, lanes, units, in, out);
    default:
      return move_as<std::uint64_t>(inst, lanes, units, in, out);
  }
}

}  // namespace kiln::ir
