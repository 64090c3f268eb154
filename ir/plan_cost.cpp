#include <algorithm>
#include <utility>

#include "ir/plan.h"

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
  return std::max(moved / caps.bandwidth, operations / caps.rate) + caps.launch_seconds;
}

}  // namespace kiln::ir
