// What a launch asks of memory: the bytes of its loads and stores, and the 32-byte sectors that
// each of their instructions touches, distinct within a warp (on the CPU: within an instruction).
//
// Found by running what decides a kernel's indices, masks and conditions alone, no memory behind it
// but the integers that it keeps in local arrays. Of grids and loops with many rounds a sample is
// run and weighted, so the cost (milliseconds) depends on the kernel, not on the sizes; where all
// rounds but the first and last ask alike the figures are exact. Conditions and masks made of data
// count as true, an index made of data as a sector an element. Buffers are taken to start on a
// sector. What a compiler moves out of a loop is still counted in it.
#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "ir/kernel.h"
#include "ir/plan.h"

namespace kiln::ir {

inline constexpr std::int64_t kSectorBytes = 32;

struct RequestedTraffic {
  std::int64_t bytes_read = 0, bytes_written = 0;
  std::int64_t sectors_read = 0, sectors_written = 0;

  RequestedTraffic& operator+=(const RequestedTraffic& more) {
    bytes_read += more.bytes_read;
    bytes_written += more.bytes_written;
    sectors_read += more.sectors_read;
    sectors_written += more.sectors_written;
    return *this;
  }
};

// `integers` by the kernel's params; other kinds are ignored.
RequestedTraffic requested_traffic(const Kernel& kernel, std::span<const std::int64_t> integers);
// Of the n-th cluster of a plan, at bound symbols: the sum over a batch's members; a library call
// is taken to ask for what is compulsory.
RequestedTraffic requested_traffic(const Plan& plan, std::size_t cluster,
                                   std::span<const std::int64_t> syms);

// Where arithmetic of 32 bits on a CUDA kernel's indices overflows, at bound sizes: findings, one a
// line; empty if nowhere. What no condition, bound or mask and no access that is made depends on
// may overflow: threads beyond an array compute, and do not use, where they would be. Of large
// grids and loops the first, the last and a sample of the rounds are run.
std::string wrapped_indices(const Kernel& kernel, std::span<const std::int64_t> integers);

}  // namespace kiln::ir
