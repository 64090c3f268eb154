#include "runtime/targets.h"

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/targets.h"

namespace kiln::runtime {

namespace {

constexpr GpuFigures kFigures[] = {
    {75, 40, 64, std::int64_t{4} << 20, 320e9, 8.1e12},
    {80, 108, 64, std::int64_t{40} << 20, 1555e9, 19.5e12},
    {90, 132, 128, std::int64_t{50} << 20, 3350e9, 66.9e12},
    {100, 148, 128, std::int64_t{126} << 20, 7700e9, 74.5e12},
    {120, 170, 128, std::int64_t{96} << 20, 1792e9, 104.8e12},
};

constexpr bool every_target_has_figures() {
  for (const ir::GpuTarget& target : ir::kGpuTargets) {
    bool found = false;
    for (const GpuFigures& row : kFigures) {
      found = found || row.compute_capability == target.compute_capability;
    }
    if (!found) return false;
  }
  return true;
}
static_assert(every_target_has_figures());

}  // namespace

const GpuFigures* gpu_figures(int compute_capability) {
  const GpuFigures* best = nullptr;
  for (const GpuFigures& row : kFigures) {
    if (row.compute_capability <= compute_capability) best = &row;
  }
  return best;
}

std::optional<ir::Caps> target_caps(std::string_view name) {
  ir::Caps caps;
  if (name == "cpu") return caps;
  for (const ir::GpuTarget& target : ir::kGpuTargets) {
    if (target.name != name) continue;
    const GpuFigures& figures = *gpu_figures(target.compute_capability);
    caps.target = ir::Target::cuda;
    caps.name = std::string(name);
    caps.compute_capability = target.compute_capability;
    caps.vector_bytes = 16;
    caps.cache_bytes = figures.cache_bytes;
    caps.shared_bytes = kStaticSharedBytes;
    caps.parameter_bytes = kParameterBytes;
    caps.multiprocessors = figures.multiprocessors;
    caps.bandwidth = figures.bandwidth;
    caps.rate = figures.rate;
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
    const std::int64_t bytes = param.kind == ir::ParamKind::buffer    ? 8
                               : param.kind == ir::ParamKind::integer ? ir::size_of(kernel.index)
                                                                      : ir::size_of(param.dtype);
    needs.parameter_bytes = (needs.parameter_bytes + bytes - 1) / bytes * bytes + bytes;
  }
  if (kernel.members != 0) needs.parameter_bytes = ir::batch_bytes(kernel, kernel.members);
  return needs;
}

void check_launch(const ir::Caps& caps, const LaunchNeeds& needs, const std::string& label,
                  std::int64_t blocks) {
  const auto check = [&](std::string_view what, std::int64_t asked, std::int64_t limit) {
    if (asked <= limit) return;
    ir::internal_error(fmt::format("launch of {} on {}: {} {}, the limit is {}", label, caps.name,
                                   asked, what, limit));
  };
  check("blocks", blocks, kMaxBlocks);
  check("threads a block", needs.threads, kMaxBlockThreads);
  check("bytes of shared memory", needs.shared_bytes, caps.shared_bytes);
  check("bytes of parameters", needs.parameter_bytes, caps.parameter_bytes);
}

}  // namespace kiln::runtime
