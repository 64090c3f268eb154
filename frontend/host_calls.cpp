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
    const auto note = [&](const std::vector<ir::CallArray>& arrays, bool down) {
      for (const ir::CallArray& array : arrays) {
        if (array.buffer == ir::CallArray::kNobody) continue;
        const std::int64_t bytes =
            plan.buffers[array.buffer].elements.evaluate(snapshot.bindings.syms) *
            ir::size_of(array.dtype);
        note_transfer(down ? device : host, down ? host : device, bytes, where,
                      ir::call_name(call.what).data());
      }
    };
    note(call.operands, true);
    note(call.results, false);
  }
}

}  // namespace kiln::inline v0::frontend
