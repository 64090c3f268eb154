#include "frontend/host_calls.h"

#include "frontend/devices.h"
#include "frontend/storage.h"

namespace kiln::inline v0::frontend {

namespace {

// The user's line of what the call makes.
Where line_of_call(const ir::Plan& plan, const ir::Call& call, const Snapshot& snapshot) {
  const ir::NodeId made = plan.clusters[call.report].nodes[0];
  const ir::NodeId origin = plan.graph.origins.empty() ? made : plan.graph.origins[made];
  return snapshot.line(origin);
}

}  // namespace

void note_calls_of_host(const runtime::LoadedPlan& loaded, const Snapshot& snapshot) {
  runtime::Device& device = loaded.device();
  const ir::Plan& plan = loaded.plan();
  for (const ir::Call& call : plan.calls) {
    if (device.has(call.what) || !device.runs()) continue;
    runtime::Device& host = memory_device(kCpu);
    const Where where = line_of_call(plan, call, snapshot);
    const ir::BoundCall bound(call, snapshot.bindings.syms,
                              [](std::uint32_t) -> std::byte* { return nullptr; });
    const auto note = [&](const ir::BoundCall::Array& array, bool down) {
      const std::int64_t bytes = bound.reach(array).size() * ir::size_of(array.dtype);
      note_transfer(down ? device : host, down ? host : device, bytes, where,
                    ir::call_name(call.what).data());
    };
    for (std::size_t i = 0; i < call.operands.size(); ++i) note(bound.operand(i), true);
    for (std::size_t i = 0; i < call.results.size(); ++i) {
      if (call.results[i].buffer != ir::CallArray::kNobody) note(bound.result(i), false);
    }
  }
}

}  // namespace kiln::inline v0::frontend
