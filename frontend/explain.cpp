#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "codegen/cuda.h"
#include "frontend/compile.h"
#include "frontend/complaint.h"
#include "frontend/devices.h"
#include "frontend/environment.h"
#include "frontend/explanation.h"
#include "frontend/state.h"
#include "ir/infix.h"
#include "ir/traffic.h"

namespace kiln::inline v0::frontend {

namespace {

using Values = std::vector<std::int64_t>;

std::string space_text(const ir::ClusterReport& report, const Values& values) {
  const auto product = [&](const std::vector<ir::Sym>& syms) {
    Values extents;
    for (const ir::Sym s : syms) extents.push_back(values[s]);
    return fmt::format("{}", fmt::join(extents, " x "));
  };
  std::string text = report.outer.empty() ? "1" : product(report.outer);
  if (!report.inner.empty()) text += fmt::format(" x [{}]", product(report.inner));
  if (!report.nested.empty()) text += fmt::format(" x [[{}]]", product(report.nested));
  return text;
}

std::string origin_text(runtime::Device& device, const ir::Kernel& kernel) {
  switch (registry().cache().origin(device, kernel, compiler_for(device))) {
    case runtime::Origin::memory:
      return "in memory";
    case runtime::Origin::disk:
      return "on disk";
    case runtime::Origin::compiled:
      break;
  }
  return "to be compiled";
}

// In the order in which they run.
void add_kernels(DevicePlan* out, runtime::Device& device) {
  const ir::Plan& plan = *out->plan;
  const Values& v = out->values;
  for (const ir::PlanStep& step : plan.steps) {
    if (step.kind != ir::StepKind::launch && step.kind != ir::StepKind::call) continue;
    const bool library = step.kind == ir::StepKind::call;
    const std::size_t i =
        library ? plan.calls[step.index].report : plan.launches[step.index].report;
    const ir::ClusterReport& c = plan.clusters[i];
    ExplainedKernel k;
    k.cluster = i;
    k.name = c.name;
    k.expression = c.expression;
    k.schedule = c.schedule;
    k.reason = c.schedule_reason;
    k.space = space_text(c, v);
    k.lines = c.lines;
    k.compulsory_read = c.compulsory_read.evaluate(v);
    k.compulsory_written = c.compulsory_written.evaluate(v);
    const ir::RequestedTraffic asked = ir::requested_traffic(plan, i, v);
    k.requested_read = asked.bytes_read;
    k.requested_written = asked.bytes_written;
    k.requested_sectors = asked.sectors_read + asked.sectors_written;
    k.operations = c.operations.evaluate(v);
    k.seconds = ir::estimated_seconds(c, device.caps(), v);
    k.library = library;
    if (!k.library) {
      const ir::PlanLaunch& launch = plan.launches[step.index];
      k.members = launch.members;
      const ir::Kernel& kernel = plan.kernels[launch.kernel];
      if (kernel.target == ir::Target::cuda) k.entry = codegen::cuda_entry(kernel);
      k.cache = origin_text(device, kernel);
    }
    if (k.members > 1) k.space = fmt::format("{} and {} other spaces", k.space, k.members - 1);
    out->kernels.push_back(std::move(k));
  }
}

// The user's name, or that in the expressions; of temporaries the one that kernels give them.
std::vector<std::string> buffer_names(const ir::Plan& plan) {
  std::vector<std::string> names(plan.buffers.size());
  for (const ir::PlanLaunch& launch : plan.launches) {
    const ir::Kernel& kernel = plan.kernels[launch.kernel];
    for (std::size_t i = 0; i < launch.args.size(); ++i) {
      if (launch.args[i].kind != ir::ParamKind::buffer) continue;
      std::string& name = names[launch.args[i].index];
      if (name.empty()) name = kernel.params[i % kernel.params.size()].name;
    }
  }
  std::vector<ir::NodeId> inputs(plan.graph.inputs.size(), 0);
  for (ir::NodeId n = 0; n < plan.graph.nodes.size(); ++n) {
    if (plan.graph.nodes[n].kind == ir::NodeKind::buffer) inputs[plan.graph.nodes[n].attr] = n;
  }
  for (std::size_t b = 0; b < names.size(); ++b) {
    const ir::PlanBuffer& buffer = plan.buffers[b];
    if (buffer.role == ir::BufferRole::input) {
      names[b] = ir::infix(plan.graph, inputs[buffer.index]);
    } else if (buffer.role == ir::BufferRole::output) {
      names[b] = ir::stored_name(plan.graph, plan.graph.outputs[buffer.index]);
    } else if (names[b].empty()) {
      names[b] = fmt::format("b{}", b);
    }
  }
  return names;
}

// Where two have one name, with a number.
void add_buffers(DevicePlan* out) {
  const ir::Plan& plan = *out->plan;
  static constexpr const char* kRoles[] = {"input", "output", "temporary"};
  std::vector<std::string> names = buffer_names(plan);
  std::map<std::string, int> taken;
  for (std::size_t b = 0; b < plan.buffers.size(); ++b) {
    if (const int before = taken[names[b]]++; before > 0)
      names[b] += fmt::format("#{}", before + 1);
  }
  for (std::size_t b = 0; b < plan.buffers.size(); ++b) {
    const ir::PlanBuffer& buffer = plan.buffers[b];
    ExplainedBuffer e{names[b], kRoles[static_cast<int>(buffer.role)],
                      buffer.elements.evaluate(out->values) * ir::size_of(buffer.dtype), ""};
    if (buffer.donated_from >= 0)
      e.takes_over = names[static_cast<std::size_t>(buffer.donated_from)];
    if (buffer.role != ir::BufferRole::temporary) out->least_bytes += e.bytes;
    out->buffers.push_back(std::move(e));
  }
}

void add_facts(DevicePlan* out, runtime::Device& device) {
  const ir::Plan& plan = *out->plan;
  out->compute_capability = device.caps().compute_capability;
  add_kernels(out, device);
  add_buffers(out);
  std::vector<bool> stored(plan.graph.nodes.size(), false);
  for (const ir::BoundaryReport& b : plan.boundaries) stored[b.producer] = true;
  for (const ir::BoundaryReport& b : plan.boundaries) {
    const std::string producer = fmt::format("{} = {}", ir::stored_name(plan.graph, b.producer),
                                             ir::infix(plan.graph, b.producer, stored, 60));
    out->boundaries.push_back({producer, ir::infix(plan.graph, b.consumer, stored, 60), b.reason,
                               b.bytes.evaluate(out->values), b.fused_seconds, b.stored_seconds});
  }
  out->memory = ir::memory_of(plan, out->values);
}

// "axis 1 of x", of the first node that has the symbol as an extent.
std::string symbol_name(const ir::Graph& graph, ir::Sym sym) {
  for (ir::NodeId n = 0; n < graph.nodes.size(); ++n) {
    const auto shape = graph.shape(n);
    const auto at = std::ranges::find(shape, sym);
    if (at == shape.end()) continue;
    std::string name = fmt::format("axis {} of {}", at - shape.begin(), ir::infix(graph, n, 40));
    if (n < graph.lines.size() && !graph.lines[n].empty()) name += " (" + graph.lines[n] + ")";
    return name;
  }
  return "an offset, step or stride";
}

std::string interval(const ir::SymInfo& s) {
  if (s.lo == s.hi) return std::to_string(s.lo);
  const auto bound = [](std::int64_t v) {
    return v == INT64_MIN || v == INT64_MAX ? std::string("any") : std::to_string(v);
  };
  return bound(s.lo) + " to " + bound(s.hi);
}

// How the class of a graph differs from that of another of the same structure.
std::vector<std::string> class_changes(const ir::Graph& now, const ir::Graph& before) {
  std::vector<std::string> changes;
  for (ir::Sym s = 0; s < now.syms.size(); ++s) {
    const ir::SymInfo &a = now.syms[s], &b = before.syms[s];
    if (a.lo != b.lo || a.hi != b.hi) {
      changes.push_back(
          fmt::format("{} is in {}, was in {}", symbol_name(now, s), interval(a), interval(b)));
    } else if (a.multiple != b.multiple) {
      changes.push_back(fmt::format("{} is divisible by {}, was by {}", symbol_name(now, s),
                                    a.multiple, b.multiple));
    }
  }
  for (std::size_t i = 0; i < now.inputs.size(); ++i) {
    const ir::Input &a = now.inputs[i], &b = before.inputs[i];
    const auto say = [&](bool is, bool was, const char* what) {
      if (is != was)
        changes.push_back(fmt::format("input {} {} {}, {} before", i, is ? "is" : "is not", what,
                                      was ? "was" : "was not"));
    };
    say(a.dense, b.dense, "dense in memory");
    say(a.aligned, b.aligned, "aligned to 16 bytes");
    say(a.donatable, b.donatable, "free to be overwritten");
    if (a.dense == b.dense && a.strides != b.strides)
      changes.push_back(fmt::format("input {} has other kinds of strides", i));
  }
  if (now.wide != before.wide)
    changes.emplace_back(now.wide ? "indices need 64 bits" : "indices need 32 bits");
  return changes;
}

void add_cache_status(DevicePlan* out, runtime::Device& device, const Snapshot& snapshot) {
  const PlanKey key = key_of(snapshot, device);
  PlanCache& plans = state().plans;
  out->cached = plans.find(key, snapshot.graph, ir::hash(snapshot.graph)) != nullptr;
  if (out->cached) return;
  if (const auto before = plans.same_structure(key, snapshot.graph)) {
    out->changes = class_changes(snapshot.graph, *before);
  }
  const bool always = context().mode == Mode::check || !snapshot.graph.hints.empty();
  if (always || !key.fusion || !device.runs() || !has_several_operations(snapshot.graph)) return;
  const Investments::Prospect p =
      state().investments.look(snapshot.graph, ir::hash(snapshot.graph), snapshot.bindings,
                               device.caps(), compile_budget(device.caps()));
  if (p.fuse) return;
  out->not_fused =
      fmt::format("{} to compile, saves {} a run, seen {} so far", time_text(p.cost),
                  time_text(p.gain), p.seen == 1 ? "once" : fmt::format("{} times", p.seen));
}

// Scalars of the request are said by their values.
void name_scalars(Snapshot& snapshot) {
  for (ir::NodeId n = 0; n < snapshot.graph.nodes.size(); ++n) {
    const ir::Node& node = snapshot.graph.nodes[n];
    std::string& label = snapshot.graph.labels[n];
    if (node.kind != ir::NodeKind::scalar || !label.empty()) continue;
    label = ir::literal(node.dtype, snapshot.bindings.scalars[node.imm]);
  }
}

passes::Options explained() {
  passes::Options options = plan_options(context().fusion);
  options.explain = true;
  return options;
}

}  // namespace

DevicePlan explain_plan(std::uint16_t id, Snapshot& snapshot) {
  runtime::Device& device = memory_device(id);
  DevicePlan result;
  result.device = device_name(id);
  result.nodes = snapshot.graph.nodes.size();
  snapshot.describe();
  name_scalars(snapshot);
  result.plan = std::make_shared<const ir::Plan>(
      passes::make_plan(snapshot.graph, caps_for(snapshot, device), explained()));
  if (snapshot.products) result.products_missing = device.products_missing();
  result.graph = snapshot.graph;
  result.values = snapshot.bindings.syms;
  add_cache_status(&result, device, snapshot);
  add_facts(&result, device);
  for (const Snapshot::Recomputed& r : snapshot.recomputed) {
    result.again.push_back(
        {ir::infix(snapshot.graph, r.node, 60), to_text(snapshot.line(r.node)),
         r.before.file != nullptr && r.before.line > 0 ? to_text(r.before) : "an earlier line"});
  }
  return result;
}

DevicePlan explain_for(const DevicePlan& plan, const std::string& target) {
  runtime::Device& device = registry().plan_only(target);
  DevicePlan result;
  result.device = target;
  result.elsewhere = true;
  result.nodes = plan.nodes;
  result.plan =
      std::make_shared<const ir::Plan>(passes::make_plan(plan.graph, device.caps(), explained()));
  result.graph = plan.graph;
  result.values = plan.values;
  add_facts(&result, device);
  return result;
}

void add_resources(DevicePlan* plan) {
  runtime::Nvrtc& nvrtc = registry().nvrtc();
  const std::vector<ir::Kernel>& kernels = plan->plan->kernels;
  std::vector<std::optional<runtime::KernelResources>> known(kernels.size());
  for (ExplainedKernel& k : plan->kernels) {
    if (k.library) continue;
    const std::int64_t launch = plan->plan->clusters[k.cluster].launch;
    const std::uint32_t index = plan->plan->launches[static_cast<std::size_t>(launch)].kernel;
    const ir::Kernel& kernel = kernels[index];
    if (kernel.target != ir::Target::cuda || !nvrtc.available() ||
        !nvrtc.supports(plan->compute_capability)) {
      continue;
    }
    if (!known[index]) {
      const ir::KernelSource source = codegen::cuda_kernel(kernel, ir::Labels::no);
      known[index] = runtime::kernel_resources(
          nvrtc.compile(source.name, source.text, plan->compute_capability, true).log);
    }
    k.resources = known[index];
  }
}

}  // namespace kiln::inline v0::frontend
