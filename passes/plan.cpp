#include "passes/plan.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "ir/error.h"
#include "passes/fuse.h"
#include "passes/memory.h"
#include "passes/nest.h"
#include "passes/rewrite.h"
#include "passes/schedule.h"
#include "passes/simplify.h"

namespace kiln::passes {

using ir::NodeId;

namespace {

struct GraphPass {
  const char* name;
  ir::Graph (*run)(const ir::Graph&);
};

constexpr GraphPass kGraphPasses[] = {
    {"dead", remove_dead},   // first: what is not wanted costs the others nothing
    {"simplify", simplify},  // canonical form, folding, view algebra, common subexpressions
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
          std::string findings = "") {
  if (options.log)
    options.log->entries.push_back({name, now() - start, after, std::move(findings)});
}

ir::Graph run_graph_passes(const ir::Graph& graph, const Options& options) {
  ir::Graph current = graph;
  for (const GraphPass& pass : kGraphPasses) {
    if (std::ranges::find(options.disabled, pass.name) != options.disabled.end()) continue;
    const double start = now();
    current = pass.run(current);
    check(current, pass.name);
    note(options, pass.name, start, current);
    if (options.stop_after == pass.name) break;
  }
  return current;
}

std::string describe(const ir::Graph& graph, const Partition& partition) {
  std::string text;
  for (const Cluster& cluster : partition.clusters) {
    text += cluster.matmul ? "matmul" : "cluster";
    for (const ClusterOutput& output : cluster.outputs) {
      text += " %" + std::to_string(output.node) + " = " + ir::infix(graph, output.node) + ";";
    }
    text += "\n";
  }
  for (const Boundary& b : partition.boundaries) {
    text += "%" + std::to_string(b.producer) + " stored for %" + std::to_string(b.consumer) + ": " +
            b.reason + "\n";
  }
  return text;
}

}  // namespace

std::vector<std::string> graph_pass_names() {
  std::vector<std::string> names;
  for (const GraphPass& pass : kGraphPasses) names.emplace_back(pass.name);
  return names;
}

ir::Graph run_graph_pass(const std::string& name, const ir::Graph& graph) {
  for (const GraphPass& pass : kGraphPasses) {
    if (name == pass.name) return pass.run(graph);
  }
  ir::internal_error("no graph pass named " + name);
}

ir::Plan make_plan(const ir::Graph& graph, const ir::Caps& caps, const Options& options) {
  ir::Plan plan;
  plan.graph = run_graph_passes(graph, options);
  double start = now();
  const FuseOptions fusion{options.fusion, options.force};
  Partition partition = fuse(plan.graph, caps, fusion);
  nest_reductions(plan.graph, caps, fusion, partition);
  note(options, "fuse", start, plan.graph, describe(plan.graph, partition));
  start = now();
  PlanWriter writer(plan, partition, caps);
  for (Batch& batch : batches(plan.graph, partition, caps, options.fusion)) {
    writer.add(std::move(batch));
  }
  writer.finish();
  note(options, "schedule", start, plan.graph);
  const std::string findings = ir::verify(plan);
  if (!findings.empty()) ir::internal_error("plan: " + findings);
  return plan;
}

}  // namespace kiln::passes
