// Where arrays live and are computed.
#pragma once
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kiln/types.h"

namespace kiln::inline v0::frontend {
struct Access;
}
#pragma GCC visibility push(default)
namespace kiln {
inline namespace v0 {

// A small value; equal values are the same device.
class Device {
 public:
  std::string name() const;         // "cpu", "cuda:0", "interpreter", "plan_only(sm_90)"
  std::int64_t free_bytes() const;  // what could still be allocated
  bool operator==(const Device&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Device& device);

 private:
  friend struct frontend::Access;
  explicit constexpr Device(std::uint16_t id) : id_(id) {}
  std::uint16_t id_;
};

Device cpu();
// DeviceError if it is not there: names what was looked for and where.
Device cuda(int index = 0, Where where = Where::here());
// Plans and emits for "sm_75" ... "sm_120" or "cpu", and never runs: reading is a UserError.
Device plan_only(std::string_view target, Where where = Where::here());
// The reference: evaluates each operation by its definition on one thread, unfused. Slow; every
// other device has its bits (matrix products aside).
Device interpreter();
// The CPU, and every CUDA device the driver shows.
std::vector<Device> devices();
// Where operations are recorded without a scope that says otherwise: KILN_DEVICE if set, else the
// first CUDA device, else the CPU.
Device default_device();

using MaybeDType = std::optional<DType>;
using MaybeDevice = std::optional<Device>;

}  // namespace v0
}  // namespace kiln
#pragma GCC visibility pop
