#include "passes/plan.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "ir/error.h"
#include "ir/infix.h"
#include "passes/boundary.h"
#include "passes/fuse.h"
#include "passes/hints.h"
#include "passes/memory.h"
#include "passes/nest.h"
#include "passes/outputs.h"
#include "passes/partition_text.h"
#include "passes/products.h"
#include "passes/rewrite.h"
#include "passes/schedule.h"
#include "passes/simplify.h"
#include "passes/windows.h"

namespace kiln::passes {

using ir::NodeId;

namespace {

struct GraphPass {
  const char* name;
  ir::Graph (*run)(const ir::Graph&, const ir::Caps&);
};

template <ir::Graph (*run)(const ir::Graph&)>
ir::Graph on_any_device(const ir::Graph& graph, const ir::Caps&) {
  return run(graph);
}

constexpr GraphPass kGraphPasses[] = {
    // First: what is not wanted costs the others nothing.
    {"dead", on_any_device<remove_dead>},
    // Matrix products, where no library makes them.
    {"products", expand_products},
    // Canonical form, folding, view algebra, common subexpressions.
    {"simplify", on_any_device<simplify>},
    // Last: reshapes of outputs are canonical then.
    {"outputs", on_any_device<bare_outputs>},
};

double now() {
  const auto t = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(t).count();
}

void check(const ir::Graph& graph, const std::string& pass) {
  const std::string findings = ir::verify(graph);
  if (!findings.empty()) ir::internal_error("after pass " + pass + ": " + findings);
}

void note(const Options& options, const std::string& name, double start, const ir::Graph& after,
          std::string findings = "", std::int64_t work = 0) {
  if (options.log)
    options.log->entries.push_back({name, now() - start, after, std::move(findings), work});
}

// The mistakes of Options::fault. An addition that is a subtraction, in a graph or a kernel; an
// output of which only the first row is made.
void spoil(ir::Graph& graph) {
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    ir::Node& node = graph.nodes[i];
    if (node.kind != ir::NodeKind::map || node.op != ir::Op::add) continue;
    node.op = ir::Op::sub;
    return;
  }
}
void spoil(Partition& partition) {
  for (Cluster& cluster : partition.clusters) {
    for (ClusterOutput& output : cluster.outputs) {
      if (!output.coordinates.empty()) output.coordinates[0] = kUnit;
    }
  }
}
void spoil(std::vector<ir::Kernel>& kernels) {
  for (ir::Kernel& kernel : kernels) {
    for (ir::Inst& inst : kernel.insts) {
      const bool value = inst.code == ir::Code::op && inst.op == ir::Op::add;
      if (value && ir::is_float(inst.dtype)) inst.op = ir::Op::sub;
    }
  }
}

ir::Graph run_graph_passes(const ir::Graph& graph, const ir::Caps& caps, const Options& options) {
  ir::Graph current = graph;
  for (const GraphPass& pass : kGraphPasses) {
    if (std::ranges::find(options.disabled, pass.name) != options.disabled.end()) continue;
    const double start = now();
    current = pass.run(current, caps);
    if (options.fault == pass.name) spoil(current);
    check(current, pass.name);
    note(options, pass.name, start, current);
  }
  return current;
}

std::string describe(const ir::Graph& graph, const Partition& partition) {
  std::string text;
  for (const Cluster& cluster : partition.clusters) {
    text += cluster.call ? "call" : cluster.assembled ? "assembled" : "cluster";
    for (const ClusterOutput& output : cluster.outputs) {
      text += " " + ir::stored_name(graph, output.node) + " = " +
              ir::infix(graph, output.node, partition.stored) + ";";
    }
    text += "\n";
  }
  for (const Boundary& b : partition.boundaries) {
    text += ir::stored_name(graph, b.producer) + " stored for " +
            ir::infix(graph, b.consumer, partition.stored) + ": " + b.reason + "\n";
  }
  return text;
}

// Interpreted, printed and verified, but not planned.
void refuse_loops(const ir::Graph& graph) {
  for (ir::NodeId n = 0; n < graph.nodes.size(); ++n) {
    if (graph.nodes[n].kind == ir::NodeKind::loop)
      ir::internal_error("plan: node " + std::to_string(n) + " is a loop, which no pass plans yet");
  }
}

struct Fused {
  Partition partition;
  std::vector<Batch> batches;  // point into the partition's clusters
  std::int64_t work = 0;       // see PassEntry
};

// With the largest budget that gives no kernel that is too long. With the least one only single
// operations are left, which may be of any length.
Fused fuse_and_schedule(const ir::Graph& graph, const ir::Caps& caps, const Options& options,
                        FuseOptions fusion) {
  std::int64_t work = 0;
  for (;; fusion.budget = fusion.budget * 5 / 8) {
    Fused fused;
    fused.partition = fuse(graph, caps, fusion);
    nest_reductions(graph, caps, fusion, fused.partition);
    if (options.fusion && options.fault == "fuse") spoil(fused.partition);
    if (fusion.budget < kLeastLengthBudget) fused.partition.longest = 0;
    fused.work = work += fused.partition.work;
    try {
      fused.batches = batches(graph, fused.partition, caps, options.fusion);
      return fused;
    } catch (const KernelTooLong&) {
      work += kMaxInstructions;
    }
  }
}

}  // namespace

std::vector<std::string> stage_names() {
  std::vector<std::string> names = graph_pass_names();
  names.insert(names.end(), {"fuse", "schedule", "memory"});
  return names;
}

std::vector<std::string> graph_pass_names() {
  std::vector<std::string> names;
  for (const GraphPass& pass : kGraphPasses) names.emplace_back(pass.name);
  return names;
}

ir::Graph run_graph_pass(const std::string& name, const ir::Graph& graph, const ir::Caps& caps) {
  for (const GraphPass& pass : kGraphPasses) {
    if (name == pass.name) return pass.run(graph, caps);
  }
  ir::internal_error("no graph pass named " + name);
}

ir::Plan make_plan(const ir::Graph& graph, const ir::Caps& caps, const Options& options) {
  refuse_loops(graph);
  ir::Plan plan;
  plan.graph = run_graph_passes(graph, caps, options);
  double start = now();
  FuseOptions fusion{options.fusion};
  if (options.force != 0) fusion.choose = forced(options.force);
  plan.graph = place_windows(plan.graph, caps, fusion, options.donate);
  check(plan.graph, "windows");
  Fused fused = fuse_and_schedule(plan.graph, caps, options, fusion);
  Partition& partition = fused.partition;
  if (options.check && options.fault != "fuse") {  // that one is to be found by its bits
    const std::string findings = verify(plan.graph, caps, partition);
    if (!findings.empty()) ir::internal_error("after fusion: " + findings + print(partition));
  }
  if (options.explain || options.log || !plan.graph.hints.empty()) {
    find_boundaries(plan.graph, caps, partition);
  } else {
    partition.boundaries.clear();
  }
  if (options.fusion) check_hints(plan.graph, partition);
  note(options, "fuse", start, plan.graph,
       options.log ? describe(plan.graph, partition) : std::string(), fused.work);
  start = now();
  const Donate donate = !options.donate             ? Donate::no
                        : options.fault == "memory" ? Donate::unchecked
                                                    : Donate::yes;
  PlanWriter writer(plan, partition, caps, donate);
  for (const Batch& batch : fused.batches) writer.add(batch);
  writer.finish();
  if (options.fault == "schedule") spoil(plan.kernels);
  note(options, "schedule", start, plan.graph);
  const std::string findings = ir::verify(plan);
  if (!findings.empty()) ir::internal_error("plan: " + findings);
  return plan;
}

}  // namespace kiln::passes
