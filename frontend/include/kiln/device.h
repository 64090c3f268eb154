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
  enum class Kind : std::uint8_t { cpu, cuda, interpreter, plan_only };
  using enum Kind;  // Device::cuda

  [[nodiscard]] Kind kind() const;
  [[nodiscard]] int index() const;         // of CUDA devices, as the driver counts; others: 0
  [[nodiscard]] std::string name() const;  // "cpu", "cuda:0", "interpreter", "plan_only(sm_90)"
  // The hardware's own name: "NVIDIA H200", what the processor calls itself; "sm_90" of plan_only.
  [[nodiscard]] std::string model() const;
  // Of CUDA devices, and of plan_only for a GPU: 75, 80, ... 120, as in sm_80; else 0.
  [[nodiscard]] int compute_capability() const;
  // The memory that the hardware has, or the cgroup if that is less; 0 of plan_only.
  [[nodiscard]] std::int64_t total_bytes() const;
  [[nodiscard]] std::int64_t free_bytes() const;  // what could still be allocated
  [[nodiscard]] bool operator==(const Device&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Device& device);

 private:
  friend struct frontend::Access;
  explicit constexpr Device(std::uint16_t id) : id_(id) {}
  std::uint16_t id_;
};

[[nodiscard]] Device cpu();
// DeviceError if it is not there: names what was looked for and where.
[[nodiscard]] Device cuda(int index = 0, Where where = Where::here());
// Plans and emits for "sm_75" ... "sm_120" or "cpu", and never runs: reading is a UserError.
[[nodiscard]] Device plan_only(std::string_view target, Where where = Where::here());
// The reference: evaluates each operation by its definition on one thread, unfused. Slow; every
// other device has its bits (matrix products aside).
[[nodiscard]] Device interpreter();
// The CPU, and every CUDA device the driver shows.
[[nodiscard]] std::vector<Device> devices();
// How many there are: one CPU, one interpreter, the CUDA devices that the driver shows, and the
// targets that plan_only takes. device_count(Device::cuda) is 0 where there is no driver.
[[nodiscard]] int device_count(Device::Kind kind);
[[nodiscard]] bool is_available(Device::Kind kind);  // at least one
// Where operations are recorded without a scope that says otherwise: KILN_DEVICE if set, else the
// first CUDA device, else the CPU. DeviceError if the environment asks for a device that is not
// there: by KILN_DEVICE, or by KILN_CUDA_DRIVER without it. UserError if KILN_DEVICE names none.
[[nodiscard]] Device default_device();

using MaybeDType = std::optional<DType>;
using MaybeDevice = std::optional<Device>;

}  // namespace v0
}  // namespace kiln
#pragma GCC visibility pop
