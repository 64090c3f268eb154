#include "passes/memory.h"

#include <algorithm>

#include "ir/error.h"

namespace kiln::passes {

using ir::NodeId;
using ir::NodeKind;
using ir::PlanStep;
using ir::StepKind;

PlanWriter::PlanWriter(ir::Plan& plan, const Partition& partition, const ir::Caps& caps)
    : plan_(plan),
      partition_(partition),
      caps_(caps),
      input_buffer_(plan.graph.inputs.size(), -1),
      stored_buffer_(plan.graph.nodes.size(), -1) {}

// The buffer a node is read from (`output` false) or stored to. They differ for an input that is
// asked for as an output: it is copied.
std::uint32_t PlanWriter::buffer_of(NodeId n, bool output) {
  const ir::Graph& graph = plan_.graph;
  const ir::Node& node = graph.nodes[n];
  const bool input = node.kind == NodeKind::buffer && !output;
  std::int64_t& known = input ? input_buffer_[node.attr] : stored_buffer_[n];
  if (known >= 0) return static_cast<std::uint32_t>(known);
  ir::PlanBuffer buffer;
  buffer.dtype = node.dtype;
  buffer.elements = graph.size(n);
  if (input) {
    buffer.role = ir::BufferRole::input;
    buffer.index = node.attr;
  } else if (const auto at = std::ranges::find(graph.outputs, n); at != graph.outputs.end()) {
    buffer.role = ir::BufferRole::output;
    buffer.index = static_cast<std::uint32_t>(at - graph.outputs.begin());
  }
  known = static_cast<std::int64_t>(plan_.buffers.size());
  plan_.buffers.push_back(std::move(buffer));
  return static_cast<std::uint32_t>(known);
}

void PlanWriter::use(std::uint32_t buffer) {
  last_use_.resize(plan_.buffers.size(), 0);
  last_use_[buffer] = plan_.steps.size();
}

void PlanWriter::allocate(std::uint32_t buffer) {
  allocated_.resize(plan_.buffers.size(), false);
  if (allocated_[buffer] || plan_.buffers[buffer].role == ir::BufferRole::input) return;
  allocated_[buffer] = true;
  plan_.steps.push_back({StepKind::allocate, buffer});
}

void PlanWriter::add_matmul(const Cluster& cluster) {
  const ir::Graph& graph = plan_.graph;
  const NodeId n = cluster.outputs[0].node;
  const MatmulOperand a = matmul_operand(graph, graph.operand(n, 0));
  const MatmulOperand b = matmul_operand(graph, graph.operand(n, 1));
  const auto shape = graph.shape(n);
  const auto left = graph.shape(graph.operand(n, 0));
  ir::PlanMatmul call;
  call.dtype = graph.nodes[n].dtype;
  call.a = buffer_of(a.node, false);
  call.b = buffer_of(b.node, false);
  call.c = buffer_of(n, true);
  call.transpose_a = a.transposed;
  call.transpose_b = b.transposed;
  const std::size_t rank = shape.size();
  call.batch = ir::SizeExpr::product(1, shape.first(rank - 2));
  call.m = ir::SizeExpr::product(1, shape.subspan(rank - 2, 1));
  call.n = ir::SizeExpr::product(1, shape.subspan(rank - 1, 1));
  call.k = ir::SizeExpr::product(1, left.subspan(rank - 1, 1));
  allocate(call.c);
  for (const std::uint32_t buffer : {call.a, call.b, call.c}) use(buffer);
  plan_.steps.push_back({StepKind::matmul, static_cast<std::uint32_t>(plan_.matmuls.size())});
  ir::ClusterReport report;
  report.name = "matmul";
  report.expression = ir::infix(graph, n);
  report.schedule = "library";
  report.schedule_reason = "a matrix product";
  report.nodes = {n};
  const std::int64_t bytes = ir::size_of(call.dtype);
  report.compulsory_read = ir::SizeExpr::product(bytes, left);
  report.compulsory_read += ir::SizeExpr::product(bytes, graph.shape(graph.operand(n, 1)));
  report.compulsory_written = ir::SizeExpr::product(bytes, shape);
  report.requested_read = report.compulsory_read;
  report.requested_written = report.compulsory_written;
  std::vector<ir::Sym> all(shape.begin(), shape.end());
  all.push_back(left[rank - 1]);
  report.operations = ir::SizeExpr::product(2, all);
  matmul_reports_.push_back(std::move(report));
  plan_.matmuls.push_back(std::move(call));
}

void PlanWriter::add_report(const Cluster& cluster, const Space& space, const Scheduled& scheduled,
                            const ScheduledKernel& kernel, bool first) {
  const ir::Graph& graph = plan_.graph;
  ir::ClusterReport report;
  report.name = kernel.kernel.name;
  report.expression = kernel.kernel.expression;
  report.schedule = scheduled.name;
  report.schedule_reason = scheduled.reason;
  report.nodes = space.inside;
  report.nodes.insert(report.nodes.end(), cluster.reduces.begin(), cluster.reduces.end());
  std::ranges::sort(report.nodes);
  if (!graph.lines.empty()) {
    for (const NodeId n : report.nodes) {
      const std::string& line = graph.lines[n];
      if (!line.empty() && std::ranges::find(report.lines, line) == report.lines.end()) {
        report.lines.push_back(line);
      }
    }
  }
  if (first) {  // a later stage moves only partial results
    Traffic traffic = traffic_of(graph, cluster, space);
    report.compulsory_read = std::move(traffic.compulsory_read);
    report.compulsory_written = std::move(traffic.compulsory_written);
    report.requested_read = std::move(traffic.requested_read);
    report.requested_written = std::move(traffic.requested_written);
    report.operations = std::move(traffic.operations);
  }
  plan_.clusters.push_back(std::move(report));
}

void PlanWriter::add(const Cluster& cluster) {
  if (cluster.matmul) {
    add_matmul(cluster);
    return;
  }
  if (cluster.outputs.empty()) return;
  const Space space = space_of(plan_.graph, partition_, cluster);
  Scheduled scheduled = schedule({plan_.graph, partition_, cluster, space, caps_});
  std::vector<std::uint32_t> temporaries;
  for (const ScheduledTemporary& t : scheduled.temporaries) {
    temporaries.push_back(static_cast<std::uint32_t>(plan_.buffers.size()));
    plan_.buffers.push_back({ir::BufferRole::temporary, 0, t.dtype, t.elements, -1});
  }
  for (std::size_t i = 0; i < scheduled.kernels.size(); ++i) {
    ScheduledKernel& k = scheduled.kernels[i];
    ir::PlanLaunch launch;
    launch.kernel = static_cast<std::uint32_t>(plan_.kernels.size());
    for (const Emitter::Argument& a : k.arguments) {
      std::uint32_t index = a.index;
      if (a.kind == ir::ParamKind::buffer) {
        index = a.is_node ? buffer_of(a.index, a.output) : temporaries[a.index];
        allocate(index);
      }
      launch.args.push_back({a.kind, index});
    }
    for (const ir::PlanArg& a : launch.args) {
      if (a.kind == ir::ParamKind::buffer) use(a.index);
    }
    plan_.steps.push_back({StepKind::launch, static_cast<std::uint32_t>(plan_.launches.size())});
    add_report(cluster, space, scheduled, k, i == 0);
    plan_.kernels.push_back(std::move(k.kernel));
    plan_.launches.push_back(std::move(launch));
  }
}

void PlanWriter::finish() {
  std::vector<std::vector<std::uint32_t>> dies(plan_.steps.size());
  for (std::uint32_t b = 0; b < last_use_.size(); ++b) {
    if (plan_.buffers[b].role == ir::BufferRole::temporary) dies[last_use_[b]].push_back(b);
  }
  std::vector<PlanStep> steps;
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    steps.push_back(plan_.steps[i]);
    for (const std::uint32_t b : dies[i]) steps.push_back({StepKind::release, b});
  }
  plan_.steps = std::move(steps);
  for (const NodeId output : plan_.graph.outputs) {
    const std::int64_t buffer = stored_buffer_[output];
    ir::internal_check(buffer >= 0, "plan: an output has no buffer");
    plan_.outputs.push_back(static_cast<std::uint32_t>(buffer));
  }
  plan_.clusters.insert(plan_.clusters.end(), matmul_reports_.begin(), matmul_reports_.end());
  for (const Boundary& b : partition_.boundaries) {
    ir::BoundaryReport report{b.producer, b.consumer, b.reason, plan_.graph.size(b.producer)};
    for (ir::SizeTerm& term : report.bytes.terms) {
      term.coefficient *= 2 * ir::size_of(plan_.graph.nodes[b.producer].dtype);
    }
    plan_.boundaries.push_back(std::move(report));
  }
}

}  // namespace kiln::passes
