#include "runtime/targets.h"

#include <fmt/format.h>

#include "ir/error.h"
#include "runtime/error.h"

namespace kiln::runtime {

const ir::GpuTarget* gpu_target(int compute_capability) {
  const ir::GpuTarget* best = nullptr;
  for (const ir::GpuTarget& row : ir::kGpuTargets) {
    if (row.compute_capability <= compute_capability) best = &row;
  }
  return best;
}

std::optional<ir::Caps> target_caps(std::string_view name) {
  ir::Caps caps;
  if (name == "cpu") return caps;
  for (const ir::GpuTarget& target : ir::kGpuTargets) {
    if (target.name != name) continue;
    caps.target = ir::Target::cuda;
    caps.name = std::string(name);
    caps.compute_capability = target.compute_capability;
    caps.vector_bytes = 16;
    caps.cache_bytes = target.cache_bytes;
    caps.shared_bytes = kStaticSharedBytes;
    caps.parameter_bytes = kParameterBytes;
    caps.multiprocessors = target.multiprocessors;
    caps.bandwidth = target.bandwidth;
    caps.rate = target.rate;
    caps.launch_seconds = 3e-6;
    return caps;
  }
  return std::nullopt;
}

LaunchNeeds launch_needs(const ir::Kernel& kernel) {
  LaunchNeeds needs;
  needs.threads = ir::block_threads(kernel);
  for (const ir::Memory& memory : kernel.memories) {
    if (memory.space != ir::Space::shared) continue;
    needs.shared_bytes =
        (needs.shared_bytes + 15) / 16 * 16 + memory.size * ir::size_of(memory.dtype);
  }
  for (const ir::Param& param : kernel.params) {
    const std::int64_t bytes = ir::bytes_of(kernel, param);
    needs.parameter_bytes = (needs.parameter_bytes + bytes - 1) / bytes * bytes + bytes;
  }
  if (kernel.members != 0)
    needs.parameter_bytes = std::int64_t{kernel.members} * ir::batch_row(kernel).bytes;
  return needs;
}

void check_launch(const ir::Caps& caps, const LaunchNeeds& needs, const LaunchLabel& label,
                  std::int64_t blocks) {
  const auto check = [&](std::string_view what, std::int64_t asked, std::int64_t limit) {
    if (asked <= limit) return;
    ir::internal_error(fmt::format("launch of {} on {}: {} {}, the limit is {}", label.text(),
                                   caps.name, asked, what, limit));
  };
  check("threads a block", needs.threads, kMaxBlockThreads);
  check("bytes of shared memory", needs.shared_bytes, caps.shared_bytes);
  // The program decides on these, and no schedule can help it.
  const auto refuse = [&](std::string_view what, std::int64_t asked, std::int64_t limit,
                          std::string_view remedy) {
    if (asked <= limit) return;
    throw DeviceError(fmt::format("kernel {} has {} {}, {} takes {}", label.text(), asked, what,
                                  caps.name, limit),
                      std::string(remedy));
  };
  refuse("bytes of parameters", needs.parameter_bytes, caps.parameter_bytes,
         "join a part of the arrays at a time, with eval() between: one operation takes too many");
  refuse("blocks", blocks, kMaxBlocks, "slices of the arrays, which are too large for one launch");
}

}  // namespace kiln::runtime
