// What there is: the device as the library sees it, NVRTC, cuBLASLt, the figures of the cost model.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "frontend/include/kiln/kiln.h"
#include "runtime/registry.h"
#include "tests/gpu/probe/probe.h"

namespace kiln::gpu {

int facts(const Arguments&) {
  nlohmann::ordered_json out;
  out["kiln"] = kiln::version();
  const Device device = kiln::default_device();
  out["device"] = device.name();
  out["model"] = device.model();
  out["compute_capability"] = device.compute_capability();
  out["total_bytes"] = device.total_bytes();
  out["free_bytes"] = device.free_bytes();
  if (device.kind() == Device::cuda) {
    runtime::Registry& registry = runtime::registry();
    runtime::Device& on = registry.cuda(device.index());
    const ir::Caps caps = on.caps();
    out["devices"] = kiln::device_count(Device::cuda);
    out["target"] = caps.name;
    out["multiprocessors"] = caps.multiprocessors;
    out["cache_bytes"] = caps.cache_bytes;
    out["shared_bytes"] = caps.shared_bytes;
    out["parameter_bytes"] = caps.parameter_bytes;
    out["assumed_bandwidth"] = caps.bandwidth;
    out["assumed_rate"] = caps.rate;
    out["assumed_launch_seconds"] = caps.launch_seconds;
    out["compiler"] = on.compiler();
    out["products_missing"] = on.products_missing();
    const auto [major, minor] = registry.nvrtc().version();
    out["nvrtc"] = std::to_string(major) + "." + std::to_string(minor);
    out["nvrtc_knows_it"] = registry.nvrtc().supports(device.compute_capability());
  }
  std::printf("%s\n", out.dump(1).c_str());
  return 0;
}

}  // namespace kiln::gpu
