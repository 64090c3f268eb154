#include "frontend/devices.h"

#include <charconv>
#include <mutex>
#include <ostream>

#include "frontend/complaint.h"
#include "frontend/environment.h"
#include "frontend/translate.h"
#include "ir/targets.h"
#include "kiln/device.h"

namespace kiln::inline v0 {
namespace frontend {

namespace {

struct Planners {
  std::mutex mutex;
  std::vector<runtime::Device*> devices;
};
Planners& planners() {
  static Planners* const instance = new Planners;
  return *instance;
}

runtime::Device& cuda_device(int index, Where where) {
  try {
    return registry().cuda(index);
  } catch (const runtime::DeviceError& error) {
    Complaint("cuda", error.what(), where)
        .advise("kiln::devices() lists what there is; kiln::cpu() is always there")
        .raise<DeviceError>();
  }
}

std::uint16_t planner(std::string_view target, Where where) {
  runtime::Device* device = nullptr;
  try {
    device = &registry().plan_only(target);
  } catch (const runtime::DeviceError& error) {
    Complaint("plan_only", error.what(), where)
        .advise("sm_75, sm_80, sm_90, sm_100, sm_120 or cpu")
        .raise();
  }
  Planners& p = planners();
  const std::lock_guard<std::mutex> lock(p.mutex);
  std::size_t i = 0;
  while (i < p.devices.size() && p.devices[i] != device) ++i;
  if (i == p.devices.size()) p.devices.push_back(device);
  return static_cast<std::uint16_t>(kFirstPlanner + i);
}

}  // namespace

std::uint16_t device_called(std::string_view text) {
  constexpr std::string_view kPlanOnly = "plan_only:";
  if (text == "cpu") return kCpu;
  if (text == "interpreter") return kInterpreter;
  const std::string given = "KILN_DEVICE=\"" + std::string(text) + "\": ";
  if (text.starts_with(kPlanOnly)) {
    try {
      registry().plan_only(text.substr(kPlanOnly.size()));
    } catch (const runtime::DeviceError& error) {
      Complaint("environment", given + error.what(), {}).advise(error.remedy).raise();
    }
    return planner(text.substr(kPlanOnly.size()), {});
  }
  if (text == "cuda" || text.starts_with("cuda:")) {
    int index = 0;
    const std::string_view digits = text == "cuda" ? std::string_view("0") : text.substr(5);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (error == std::errc() && end == digits.data() + digits.size()) {
      try {
        registry().cuda(index);
      } catch (const runtime::DeviceError& e) {
        Complaint("environment", given + e.what(), {}).advise(e.remedy).raise<DeviceError>();
      }
      return static_cast<std::uint16_t>(kFirstCuda + index);
    }
  }
  refuse("KILN_DEVICE", text, "cpu, cuda, cuda:<n>, interpreter or plan_only:<target>");
}

runtime::Device& memory_device(std::uint16_t id) {
  if (id == kCpu || id == kInterpreter) return registry().cpu();
  if (id < kFirstPlanner) return cuda_device(id - kFirstCuda, {});
  Planners& p = planners();
  const std::lock_guard<std::mutex> lock(p.mutex);
  return *p.devices[id - kFirstPlanner];
}

std::string device_name(std::uint16_t id) {
  if (id == kInterpreter) return "interpreter";
  return memory_device(id).name();
}

std::uint16_t current_device() {
  const Context& c = context();
  return c.device >= 0 ? static_cast<std::uint16_t>(c.device) : Access::id(default_device());
}

}  // namespace frontend

using frontend::Access;
using frontend::Complaint;

Device::Kind Device::kind() const {
  if (id_ == frontend::kCpu) return cpu;
  if (id_ == frontend::kInterpreter) return interpreter;
  return id_ < frontend::kFirstPlanner ? cuda : plan_only;
}
int Device::index() const { return kind() == cuda ? id_ - frontend::kFirstCuda : 0; }
std::string Device::name() const { return frontend::device_name(id_); }
std::string Device::model() const { return frontend::memory_device(id_).model(); }
int Device::compute_capability() const {
  return frontend::memory_device(id_).caps().compute_capability;
}
std::int64_t Device::total_bytes() const { return frontend::memory_device(id_).total_bytes(); }
std::int64_t Device::free_bytes() const {
  return frontend::translated("free_bytes", {},
                              [&] { return frontend::memory_device(id_).free_bytes(); });
}
[[gnu::visibility("default")]] std::ostream& operator<<(std::ostream& out, const Device& device) {
  return out << device.name();
}

Device cpu() { return Access::device(frontend::kCpu); }
Device interpreter() { return Access::device(frontend::kInterpreter); }
Device cuda(int index, Where where) {
  frontend::cuda_device(index, where);
  return Access::device(static_cast<std::uint16_t>(frontend::kFirstCuda + index));
}
Device plan_only(std::string_view target, Where where) {
  return Access::device(frontend::planner(target, where));
}

std::vector<Device> devices() {
  std::vector<Device> result{cpu()};
  const int count = frontend::registry().cuda_count();
  for (int i = 0; i < count; ++i) {
    result.push_back(Access::device(static_cast<std::uint16_t>(frontend::kFirstCuda + i)));
  }
  return result;
}

int device_count(Device::Kind kind) {
  switch (kind) {
    case Device::cuda:
      return frontend::registry().cuda_count();
    case Device::plan_only:
      return static_cast<int>(std::size(ir::kGpuTargets)) + 1;  // and "cpu"
    default:
      return 1;
  }
}
bool is_available(Device::Kind kind) { return device_count(kind) > 0; }

Device default_device() {
  static const std::uint16_t id = [] {
    const std::string& wanted = frontend::environment().device;
    if (!wanted.empty()) return frontend::device_called(wanted);
    if (frontend::registry().cuda_count() > 0) return frontend::kFirstCuda;
    const std::string& driver = frontend::environment().runtime.cuda_driver;
    if (!driver.empty()) {  // asked for: the CPU in its place would be a surprise
      Complaint("environment",
                "KILN_CUDA_DRIVER=\"" + driver + "\": " + frontend::registry().cuda_missing(), {})
          .advise("KILN_DEVICE=cpu where no GPU is wanted")
          .raise<DeviceError>();
    }
    return frontend::kCpu;
  }();
  return Access::device(id);
}

}  // namespace kiln::inline v0
