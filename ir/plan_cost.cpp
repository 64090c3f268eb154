#include <algorithm>
#include <utility>
#include <vector>

#include "ir/traffic.h"

namespace kiln::ir {

PlanMemory memory_of(const Plan& plan, const std::vector<std::int64_t>& values) {
  PlanMemory memory;
  std::vector<std::int64_t> bytes, owned(plan.buffers.size(), 0);
  for (const PlanBuffer& buffer : plan.buffers) {
    bytes.push_back(buffer.elements.evaluate(values) * size_of(buffer.dtype));
    if (buffer.donated_from >= 0) memory.donated += bytes.back();
    if (buffer.role == BufferRole::input) memory.inputs += bytes.back();
    if (buffer.role == BufferRole::output) memory.outputs += bytes.back();
    if (buffer.role == BufferRole::temporary) memory.temporaries += bytes.back();
  }
  std::int64_t alive = 0;
  for (const PlanStep& step : plan.steps) {
    if (step.kind == StepKind::allocate) {
      const std::int64_t from = plan.buffers[step.index].donated_from;
      // What was the donor's is this buffer's now; of an input's memory nothing is new.
      std::int64_t& own = owned[step.index];
      own = from < 0 ? bytes[step.index] : std::exchange(owned[static_cast<std::size_t>(from)], 0);
      if (from < 0) alive += own;
      memory.peak = std::max(memory.peak, alive);
    } else if (step.kind == StepKind::release) {
      alive -= std::exchange(owned[step.index], 0);
    }
  }
  return memory;
}

double estimated_seconds(const ClusterReport& report, const Caps& caps,
                         const std::vector<std::int64_t>& values) {
  const auto moved = static_cast<double>(report.compulsory_read.evaluate(values) +
                                         report.compulsory_written.evaluate(values));
  const auto operations = static_cast<double>(report.operations.evaluate(values));
  return caps.seconds(moved, operations) + caps.launch_seconds;
}

RequestedTraffic requested_traffic(const Plan& plan, std::size_t cluster,
                                   std::span<const std::int64_t> syms) {
  const ClusterReport& report = plan.clusters[cluster];
  if (report.launch < 0) {
    const std::int64_t read = report.compulsory_read.evaluate(syms);
    const std::int64_t written = report.compulsory_written.evaluate(syms);
    return {read, written, (read + kSectorBytes - 1) / kSectorBytes,
            (written + kSectorBytes - 1) / kSectorBytes};
  }
  const PlanLaunch& launch = plan.launches[static_cast<std::size_t>(report.launch)];
  const Kernel& kernel = plan.kernels[launch.kernel];
  const std::size_t params = kernel.params.size();
  RequestedTraffic sum;
  for (std::size_t first = 0; first < launch.args.size(); first += params) {
    std::vector<std::int64_t> integers(params);
    for (std::size_t i = 0; i < params; ++i) {
      const PlanArg& arg = launch.args[first + i];
      if (arg.kind == ParamKind::integer) integers[i] = integer_value(plan, arg.index, syms);
    }
    sum += requested_traffic(kernel, integers);
  }
  return sum;
}

}  // namespace kiln::ir
