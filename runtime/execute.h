// Plans made ready for a device, and their execution.
//
// load is the cold part: kernels are looked up or compiled (in parallel), and every step is
// resolved to plain tables. execute is the warm part: bind sizes, pointers and scalars, and launch.
// A loaded plan is immutable; several threads may execute it at once. A throwing execution leaves
// all inputs as they were, donated ones included, unless the device itself failed.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "ir/graph.h"
#include "ir/plan.h"
#include "runtime/cache.h"
#include "runtime/device.h"

namespace kiln::runtime {

// Memory of an input or output: element (0, 0, ...) lies `offset` bytes from the block's start.
// Outputs are dense; offset is 0 but for an output that is, or took over, an input.
struct Block {
  MemoryRef memory;
  std::int64_t offset = 0;
  void* data() const { return memory ? static_cast<std::byte*>(memory->data()) + offset : nullptr; }
};

class LoadedPlan {
 public:
  const ir::Plan& plan() const { return *plan_; }
  Device& device() const { return *device_; }
  const std::vector<CachedKernel>& kernels() const { return kernels_; }  // as Plan::kernels

 private:
  friend LoadedPlan load(Device&, ir::Plan, const Compiler&, KernelCache&,
                         std::span<const ir::SourceLine>);
  friend struct Loader;
  friend struct Execution;

  struct Factor {
    std::uint32_t first = 0, count = 0;  // params in grid_params_
    std::int64_t divisor = 1;
  };
  struct Step {
    ir::StepKind kind = ir::StepKind::launch;
    std::uint32_t index = 0;                      // buffer, launch, call: as in ir::PlanStep
    std::uint32_t args = 0, arg_count = 0;        // launch: in args_
    std::uint32_t params = 0, members = 0;        // launch: of the kernel; of a batch, else 0
    std::uint32_t factors = 0, factor_count = 0;  // launch: in factors_
    const LoadedKernel* kernel = nullptr;
    std::uint32_t report = 0;  // launch, call: index into Plan::clusters, or kNone
  };
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  std::unique_ptr<const ir::Plan> plan_;
  Device* device_ = nullptr;
  std::vector<CachedKernel> kernels_;
  std::vector<Step> steps_;
  std::vector<ir::PlanArg> args_;
  std::vector<Factor> factors_;
  std::vector<std::uint32_t> grid_params_;
};

// Throws InternalError for a malformed plan, and what compiling throws.
// lines: the request's, by node of the graph that was planned; messages name a kernel that does not
// compile by them.
LoadedPlan load(Device& device, ir::Plan plan, const Compiler& compiler, KernelCache& cache,
                std::span<const ir::SourceLine> lines = {});

// Told of each launch and library call when it is done: bytes, each distinct element once. Every
// one is then waited for, so that the seconds are its own.
using LaunchWatch =
    std::function<void(const LaunchLabel& label, std::int64_t bytes, double seconds)>;

// inputs: one for each of the graph's, kept by the caller during the call; those that the plan
// donates must be writable. outputs: one for each of Plan::outputs, filled. lines as for load. Warm
// cost: about a microsecond for a one-kernel plan, the kernel itself aside.
void execute(const LoadedPlan& plan, const ir::Bindings& bindings, std::span<const Block> inputs,
             std::span<Block> outputs, std::span<const ir::SourceLine> lines = {},
             const LaunchWatch* watch = nullptr);
std::vector<Block> execute(const LoadedPlan& plan, const ir::Bindings& bindings,
                           std::span<const Block> inputs);

}  // namespace kiln::runtime
