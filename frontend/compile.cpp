#include "frontend/compile.h"

#include <chrono>
#include <cstdio>
#include <limits>

#include "codegen/cuda.h"
#if KILN_HAS_LLVM
#include "codegen/llvm.h"
#endif
#include "frontend/code_version.h"
#include "frontend/dump.h"
#include "frontend/environment.h"
#include "frontend/state.h"
#include "ir/numerics.h"
#include "passes/hints.h"

namespace kiln::inline v0::frontend {

namespace {

// Changes whenever code generation or ir/NUMERICS.md does: kernels of another version are not
// reused.
std::string version() {
  return "kiln code " + std::string(code_version()) + ", numerics " +
         std::to_string(ir::kNumericsVersion);
}

ir::KernelSource emit_cuda(const ir::Kernel& kernel) {
  return codegen::cuda_kernel(kernel, ir::Labels::no);
}

runtime::Compiler host_compiler() {
#if KILN_HAS_LLVM
  const codegen::CpuTarget target = codegen::host_target();
  return {[target](const ir::Kernel& kernel) { return codegen::llvm_object(kernel, target); },
          version() + ", " + std::string(codegen::llvm_version()) + ", " + target.cpu + ", " +
              target.features};
#else
  return {[](const ir::Kernel& kernel) { return ir::KernelSource{kernel.name, "", {}}; },
          version()};
#endif
}

}  // namespace

const runtime::Compiler& compiler_for(const runtime::Device& device) {
  static const auto* const cuda = new runtime::Compiler{emit_cuda, version()};
  static const auto* const host = new runtime::Compiler(host_compiler());
  return device.caps().target == ir::Target::cuda ? *cuda : *host;
}

PlanKey key_of(const Snapshot& snapshot, runtime::Device& device) {
  return {&device, snapshot.math, context().fusion,
          !snapshot.products || device.products_missing().empty()};
}

ir::Caps caps_for(const Snapshot& snapshot, runtime::Device& device) {
  ir::Caps caps = device.caps();
  if (!key_of(snapshot, device).products) caps.products = ir::Products::none;
  return caps;
}

passes::Options plan_options(bool fusion) {
  passes::Options options;
  options.fusion = fusion;
  options.disabled = environment().disabled_passes;
  options.fault = state().planted_fault;
  options.check = context().mode == Mode::check;
  return options;
}

ir::Plan make_plan(Snapshot& snapshot, const ir::Caps& caps, bool fusion, passes::PassLog* log) {
  snapshot.describe();
  passes::Options options = plan_options(fusion);
  options.log = log;
  return passes::make_plan(snapshot.graph, caps, options);
}

namespace {

// The plan that is kept serves other programs too and knows no names and lines of this one; a
// complaint about a hint is made with them.
ir::Plan shared_plan(Snapshot& snapshot, const ir::Graph& nameless, const ir::Caps& caps,
                     bool fusion) {
  try {
    return passes::make_plan(nameless, caps, plan_options(fusion));
  } catch (const passes::HintError&) {
    return make_plan(snapshot, caps, fusion);
  }
}

}  // namespace

double compile_budget(const ir::Caps& caps) {
  const double given = context().compile_budget;
  if (given >= 0) return given;
  constexpr double kHost = 2, kCuda = 10;
  return caps.target == ir::Target::cuda ? kCuda : kHost;
}

LoadedPlan plan_for(Snapshot& snapshot, runtime::Device& device, bool always) {
  const PlanKey key = key_of(snapshot, device);
  const std::size_t hash = ir::hash(snapshot.graph);
  if (LoadedPlan plan = state().plans.find(key, snapshot.graph, hash)) {
    state().plans_reused.fetch_add(1, std::memory_order_relaxed);
    return plan;
  }
  Investments& investments = state().investments;
  double cost = 0;
  if (key.fusion && device.runs() && has_several_operations(snapshot.graph)) {
    const Investments::Prospect prospect = investments.weigh(
        snapshot.graph, hash, snapshot.bindings, device.caps(),
        always ? std::numeric_limits<double>::infinity() : compile_budget(device.caps()));
    if (!prospect.fuse) return nullptr;
    cost = prospect.cost;
  }
  const Timed timed(Measure::Kind::plan, "", snapshot.where);
  const std::int64_t compiled = device.counters().read().compiled;
  ir::Graph copy = snapshot.graph;
  ir::Caps caps = device.caps();
  if (!key.products) caps.products = ir::Products::none;
  if (!environment().dump.empty()) dump_plan(environment().dump, snapshot, caps);
  const auto start = std::chrono::steady_clock::now();
  ir::Plan made = shared_plan(snapshot, copy, caps, key.fusion);
  LoadedPlan loaded;
  {
    CompileProgress progress(made, snapshot.where);
    const runtime::Compiler counting = progress.counting(compiler_for(device));
    loaded = std::make_shared<const runtime::LoadedPlan>(
        runtime::load(device, std::move(made), counting, registry().cache(), snapshot.lines));
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const std::string notice = state().compiles.add(snapshot.where, took.count());
  if (!environment().quiet) std::fputs(notice.c_str(), stderr);
  state().planned += static_cast<std::int64_t>(copy.nodes.size());
  // Kernels that were cached cost nothing.
  if (device.counters().read().compiled != compiled) investments.spend(cost);
  state().plans_built.fetch_add(1, std::memory_order_relaxed);
  ++context().plans_built;
  return state().plans.insert(key, std::move(copy), hash, std::move(loaded));
}

}  // namespace kiln::inline v0::frontend
