// What an evaluation does, decided once for a class of bindings: buffers, kernels and library calls
// in order. Made by passes from a Graph, executed by the frontend through a device. Sizes are
// expressions in the graph's symbols.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "ir/call.h"
#include "ir/graph.h"
#include "ir/kernel.h"

namespace kiln::ir {

// By a library: none multiplies matrices; it takes dense ones; or any whose rows or columns are
// dense, one behind another.
enum class Products : std::uint8_t { none, dense, laid_out };

// What a target can do, filled by runtime (or written by hand: plan-only devices) and read by
// passes and codegen.
struct Caps {
  Target target = Target::cpu;
  std::string name = "cpu";             // "cpu", "sm_80"
  int compute_capability = 0;           // CUDA: 80
  int vector_bytes = 32;                // CPU: width of a vector register
  int threads = 1;                      // CPU: threads that run a kernel
  std::int64_t cache_bytes = 0;         // last-level cache
  std::int64_t shared_bytes = 0;        // CUDA: shared memory a block may have
  std::int64_t parameter_bytes = 4096;  // CUDA: limit of kernel parameters
  Products products = Products::laid_out;
  int multiprocessors = 1;
  double bandwidth = 20e9;  // bytes a second
  double rate = 100e9;      // float32 operations a second
  double launch_seconds = 1e-6;

  // What works side by side.
  double units() const { return target == Target::cuda ? multiprocessors : threads; }
  // The one model of a kernel's time, without its launch.
  double seconds(double bytes, double operations) const {
    return std::max(bytes / bandwidth, operations / rate);
  }
  // What such a kernel loses if only `items` of its units find work.
  double idle_seconds(double seconds, double items) const {
    return seconds * (units() / std::clamp(items, 1.0, units()) - 1);
  }
  bool operator==(const Caps&) const = default;
};

enum class BufferRole : std::uint8_t { input, output, temporary };
struct PlanBuffer {
  BufferRole role = BufferRole::temporary;
  std::uint32_t index = 0;  // of the graph's inputs or outputs
  DType dtype = DType::float32;
  SizeExpr elements;               // outputs and temporaries are dense
  NodeId node = 0;                 // whose value it holds
  std::int64_t donated_from = -1;  // this output or temporary takes over that buffer's memory
};

// An argument of a launch. buffer: into Plan::buffers; integer: a Sym, or the number of symbols
// plus an index into Plan::products; scalar: a bound scalar.
struct PlanArg {
  ParamKind kind = ParamKind::buffer;
  std::uint32_t index = 0;
  bool operator==(const PlanArg&) const = default;
};
struct PlanLaunch {
  std::uint32_t kernel = 0;   // into Plan::kernels
  std::vector<PlanArg> args;  // like the kernel's params, for each member in turn
  std::uint32_t members = 0;  // of a batch; 0: none, the launch of one kernel
  std::uint32_t report = 0;   // into Plan::clusters
};
enum class StepKind : std::uint8_t { allocate, launch, call, release };
struct PlanStep {
  StepKind kind = StepKind::launch;
  std::uint32_t index = 0;  // a buffer (allocate, release), of launches, of calls
};

// Why a kernel is what it is; for explain and plan.json.
struct ClusterReport {
  std::int64_t launch = -1;  // into Plan::launches; -1: a call
  std::string name, expression, schedule, schedule_reason;
  std::vector<NodeId> nodes;  // of the optimised graph
  // The iteration space (a batch: of its first member): points, what is reduced at each, and what
  // is reduced anew at each of both.
  std::vector<Sym> outer, inner, nested;
  std::vector<std::string> lines;  // the user's, distinct, in order
  // Bytes of distinct elements; what the kernel asks for is counted when somebody wants to know
  // (traffic.h).
  SizeExpr compulsory_read, compulsory_written;
  SizeExpr operations;
};
struct BoundaryReport {  // a value that was stored rather than fused into a consumer
  NodeId producer = 0, consumer = 0;
  std::string reason;
  SizeExpr bytes;  // written and read again because of it
  // Estimates at the middle of the class, of computing the value in its consumers and of storing
  // it; both 0 where they were not compared because only one of the two can be done.
  double fused_seconds = 0, stored_seconds = 0;
};

// Serves every request of its class: it may carry the names and lines of the graph it was made
// from, for reading, but what is said about a request finds the lines by Graph::origins.
struct Plan {
  Graph graph;  // after the passes that rewrite it: what kernels were made from
  std::vector<PlanBuffer> buffers;
  std::vector<Kernel> kernels;
  std::vector<PlanLaunch> launches;
  std::vector<std::vector<Sym>> products;  // integers that kernels take beside the symbols
  std::vector<Call> calls;
  std::vector<PlanStep> steps;
  std::vector<std::uint32_t> outputs;   // into buffers, one an output of the graph (may repeat)
  std::vector<ClusterReport> clusters;  // one a launch or call, in the order of the steps
  std::vector<BoundaryReport> boundaries;
};
std::string verify(const Plan& plan);
// The value of an integer argument.
inline std::int64_t integer_value(const Plan& plan, std::uint32_t index,
                                  std::span<const std::int64_t> syms) {
  const std::size_t count = plan.graph.syms.size();
  if (index < count) return syms[index];
  std::int64_t value = 1;
  for (const Sym s : plan.products[index - count]) value *= syms[s];
  return value;
}

// Bytes that an execution needs, for bound symbols.
struct PlanMemory {
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  std::int64_t temporaries = 0;  // of all, as if none were reused
  std::int64_t donated = 0;      // of outputs and temporaries that take over other buffers' memory
  std::int64_t peak = 0;         // outputs and temporaries alive at once; inputs are there anyway
};
PlanMemory memory_of(const Plan& plan, const std::vector<std::int64_t>& values);
// max(bytes / bandwidth, operations / rate) + launch.
double estimated_seconds(const ClusterReport& report, const Caps& caps,
                         const std::vector<std::int64_t>& values);

// A kernel as a compiler takes it: CUDA C text, or object-file bytes for the host.
struct KernelSource {
  std::string name;  // the entry symbol
  std::string text;  // CUDA C
  std::vector<std::byte> object;
};

}  // namespace kiln::ir
