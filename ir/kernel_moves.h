// Private to ir: how the kernel interpreter moves elements between memories and values.
#pragma once
#include <cstddef>
#include <cstdint>

#include "ir/kernel.h"

namespace kiln::ir {

// Where a memory lies for unit u: base + u / share * stride bytes.
struct Place {
  std::byte* base = nullptr;
  std::int64_t stride = 0;
  std::int64_t share = 1;
};

// A load or store by some units, of `lanes` elements each.
struct Access {
  Place place;
  const std::int64_t* index = nullptr;  // one a unit, or with `gathers` one a lane
  bool gathers = false;
  std::int64_t units = 0;
  std::int64_t lanes = 1;
  const std::uint8_t* active = nullptr;  // by unit; null: all
  const std::uint8_t* mask = nullptr;    // by lane; null: all
  const void* value = nullptr;           // stored, or given for masked-off lanes (null: 0)
  std::byte* out = nullptr;              // of a load
};
void load_elements(const Access& access, std::int64_t bytes);
void store_elements(const Access& access, std::int64_t bytes);

// splat, extract, join, even, odd, for all units; `lanes` are the first operand's.
void move_lanes(const Inst& inst, std::int64_t lanes, std::int64_t units, const void* const* in,
                std::byte* out);

// out[u] = in[source[u]] for u < count units of `bytes` bytes each.
void shuffle_units(std::int64_t bytes, std::int64_t count, const std::int32_t* source,
                   const void* in, std::byte* out);

}  // namespace kiln::ir
