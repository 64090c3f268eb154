// The cold half of runtime/execute.h: kernels are compiled, steps resolved and checked.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <new>
#include <system_error>
#include <thread>

#include "ir/error.h"
#include "runtime/execute.h"
#include "runtime/targets.h"

namespace kiln::runtime {

namespace {

// The failure of a kernel to load or compile, with the first launch that needs it.
[[noreturn]] void complain(const std::exception_ptr& failure, const ir::Plan& plan,
                           std::size_t kernel, std::span<const ir::SourceLine> lines) {
  const auto launch = std::ranges::find(plan.launches, kernel, &ir::PlanLaunch::kernel);
  try {
    std::rethrow_exception(failure);
  } catch (OutOfMemory& error) {
    if (launch != plan.launches.end()) {
      error.array = "the code of kernel " + label_of(plan, *launch, lines).text();
    }
    throw;
  } catch (const DeviceError& error) {
    if (launch == plan.launches.end()) throw;
    throw DeviceError(
        fmt::format("kernel {}: {}", label_of(plan, *launch, lines).text(), error.what()),
        error.remedy);
  }
}

// Kernels of one plan compile side by side; the first failure in plan order is thrown.
std::vector<CachedKernel> load_kernels(Device& device, const ir::Plan& plan,
                                       const Compiler& compiler, KernelCache& cache,
                                       std::span<const ir::SourceLine> lines) {
  const std::size_t count = plan.kernels.size();
  if (device.caps().target == ir::Target::cuda) {  // before anything is compiled
    for (std::size_t i = 0; i < count; ++i) {
      const auto launch = std::ranges::find(plan.launches, i, &ir::PlanLaunch::kernel);
      if (launch == plan.launches.end()) continue;
      check_launch(device.caps(), launch_needs(plan.kernels[i]), label_of(plan, *launch, lines), 1);
    }
  }
  std::vector<CachedKernel> kernels(count);
  std::vector<std::exception_ptr> failures(count);
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        kernels[i] = cache.get(device, plan.kernels[i], compiler);
      } catch (...) {
        failures[i] = std::current_exception();
      }
    }
  };
  std::vector<std::thread> threads;
  const std::size_t wanted =
      std::min<std::size_t>(count, std::max(1u, std::thread::hardware_concurrency()));
  try {
    while (threads.size() + 1 < wanted) threads.emplace_back(work);
  } catch (const std::system_error&) {
    // No more threads to be had: those there are, and this one, do the work.
  } catch (const std::bad_alloc&) {
    // Likewise.
  }
  work();
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < count; ++i) {
    if (failures[i]) complain(failures[i], plan, i, lines);
  }
  return kernels;
}

}  // namespace

struct Loader {
  LoadedPlan& loaded;
  const ir::Plan& plan;
  std::vector<bool> allocated = {};

  [[noreturn]] void malformed(std::string_view what) {
    ir::internal_error(fmt::format("plan: {}", what));
  }
  void check(bool ok, std::string_view what) {
    if (!ok) malformed(what);
  }
  const ir::PlanBuffer& buffer(std::uint32_t index) {
    check(index < plan.buffers.size(), "a buffer that does not exist");
    return plan.buffers[index];
  }
  void use(std::uint32_t index) {
    check(buffer(index).role == ir::BufferRole::input || allocated[index],
          fmt::format("buffer {} is used while it has no memory", index));
  }

  void run() {
    allocated.assign(plan.buffers.size(), false);
    for (const ir::PlanBuffer& b : plan.buffers) {
      if (b.role == ir::BufferRole::input) {
        check(b.index < plan.graph.inputs.size(), "an input that does not exist");
      }
    }
    for (const ir::PlanStep& step : plan.steps) add(step);
    for (const std::uint32_t output : plan.outputs) use(output);
    protect_donors();
  }

  void add(const ir::PlanStep& step) {
    LoadedPlan::Step s;
    s.kind = step.kind;
    s.index = step.index;
    s.report = LoadedPlan::kNone;
    const bool reports = !plan.clusters.empty();
    switch (step.kind) {
      case ir::StepKind::allocate: {
        const ir::PlanBuffer& b = buffer(step.index);
        check(b.role != ir::BufferRole::input, "an input is allocated");
        if (b.donated_from >= 0) use(static_cast<std::uint32_t>(b.donated_from));
        allocated[step.index] = true;
        break;
      }
      case ir::StepKind::release:
        // Inputs are the caller's: releasing one means only that the plan is done with it.
        buffer(step.index);
        allocated[step.index] = false;
        break;
      case ir::StepKind::launch:
        check(step.index < plan.launches.size(), "a launch that does not exist");
        if (reports) s.report = plan.launches[step.index].report;
        add_launch(plan.launches[step.index], s);
        break;
      case ir::StepKind::call: {
        check(step.index < plan.calls.size(), "a call that does not exist");
        const ir::Call& call = plan.calls[step.index];
        if (reports) s.report = call.report;
        for (const ir::CallArray& operand : call.operands) use(operand.buffer);
        if (call.workspace != ir::CallArray::kNobody) use(call.workspace);
        for (const ir::CallArray& result : call.results) {
          if (result.buffer == ir::CallArray::kNobody) continue;
          use(result.buffer);
          check(buffer(result.buffer).role != ir::BufferRole::input, "a call writes an input");
        }
        break;
      }
    }
    loaded.steps_.push_back(s);
  }

  void add_launch(const ir::PlanLaunch& launch, LoadedPlan::Step& s) {
    check(launch.kernel < plan.kernels.size(), "a kernel that does not exist");
    const ir::Kernel& kernel = plan.kernels[launch.kernel];
    const std::size_t params = kernel.params.size();
    check(launch.args.size() == params * std::max(launch.members, 1u),
          "arguments do not fit the kernel");
    check(kernel.members == 0 || (launch.members > 0 && launch.members <= kernel.members),
          "a batch does not fit the kernel");
    s.kernel = loaded.kernels_[launch.kernel].kernel.get();
    s.args = static_cast<std::uint32_t>(loaded.args_.size());
    s.arg_count = static_cast<std::uint32_t>(launch.args.size());
    s.params = static_cast<std::uint32_t>(params);
    s.members = launch.members;
    for (std::size_t i = 0; i < launch.args.size(); ++i) {
      const ir::PlanArg& arg = launch.args[i];
      check(arg.kind == kernel.params[i % params].kind,
            "an argument's kind does not fit the kernel");
      if (arg.kind == ir::ParamKind::buffer) {
        use(arg.index);
      } else if (arg.kind == ir::ParamKind::integer) {
        check(arg.index < plan.graph.syms.size() + plan.products.size(),
              "a symbol that does not exist");
      } else {
        check(arg.index < plan.graph.scalars.size(), "a scalar that does not exist");
      }
      loaded.args_.push_back(arg);
    }
    s.factors = static_cast<std::uint32_t>(loaded.factors_.size());
    s.factor_count = static_cast<std::uint32_t>(kernel.grid.size());
    for (const ir::GridFactor& factor : kernel.grid) {
      check(factor.divisor > 0, "a grid factor's divisor is not positive");
      loaded.factors_.push_back({static_cast<std::uint32_t>(loaded.grid_params_.size()),
                                 static_cast<std::uint32_t>(factor.params.size()), factor.divisor});
      for (const std::uint32_t param : factor.params) {
        check(param < params && kernel.params[param].kind == ir::ParamKind::integer,
              "a grid factor is not an integer parameter");
        loaded.grid_params_.push_back(param);
      }
    }
  }

  bool takes_input(std::uint32_t index) {
    for (;;) {
      const ir::PlanBuffer& b = buffer(index);
      if (b.role == ir::BufferRole::input || b.donated_from < 0) return false;
      index = static_cast<std::uint32_t>(b.donated_from);
      if (buffer(index).role == ir::BufferRole::input) return true;
    }
  }

  bool overwrites_input(const LoadedPlan::Step& step) {
    if (step.kind == ir::StepKind::call) {
      return std::ranges::any_of(plan.calls[step.index].results, [&](const ir::CallArray& result) {
        return result.buffer != ir::CallArray::kNobody && takes_input(result.buffer);
      });
    }
    if (step.kind != ir::StepKind::launch) return false;
    const std::vector<ir::PlanArg>& args = plan.launches[step.index].args;
    return std::any_of(args.begin(), args.end(), [&](const ir::PlanArg& arg) {
      return arg.kind == ir::ParamKind::buffer && takes_input(arg.index);
    });
  }

  // Once a donated input is overwritten the execution can no longer be undone, so whatever may fail
  // for want of memory comes before that step.
  void protect_donors() {
    std::vector<LoadedPlan::Step>& steps = loaded.steps_;
    const auto first = std::find_if(steps.begin(), steps.end(),
                                    [&](const LoadedPlan::Step& s) { return overwrites_input(s); });
    std::stable_partition(first, steps.end(), [&](const LoadedPlan::Step& s) {
      return s.kind == ir::StepKind::allocate && plan.buffers[s.index].donated_from < 0;
    });
  }
};

LoadedPlan load(Device& device, ir::Plan plan, const Compiler& compiler, KernelCache& cache,
                std::span<const ir::SourceLine> lines) {
  LoadedPlan loaded;
  loaded.plan_ = std::make_unique<const ir::Plan>(std::move(plan));
  loaded.device_ = &device;
  loaded.kernels_ = load_kernels(device, *loaded.plan_, compiler, cache, lines);
  Loader{loaded, *loaded.plan_}.run();
  return loaded;
}

}  // namespace kiln::runtime
