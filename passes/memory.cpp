#include "passes/memory.h"

#include <algorithm>
#include <map>

#include "ir/error.h"
#include "ir/infix.h"
#include "ir/mutant.h"
#include "passes/calls.h"
#include "passes/in_place.h"

namespace kiln::passes {

using ir::NodeId;
using ir::NodeKind;
using ir::PlanStep;
using ir::StepKind;

namespace {

void add_line(std::vector<std::string>& lines, const std::string& line) {
  if (!line.empty() && std::ranges::find(lines, line) == lines.end()) lines.push_back(line);
}

}  // namespace

PlanWriter::PlanWriter(ir::Plan& plan, const Partition& partition, const ir::Caps& caps,
                       Donate donate)
    : plan_(plan),
      partition_(partition),
      caps_(caps),
      donate_(donate),
      input_buffer_(plan.graph.inputs.size(), -1),
      stored_buffer_(plan.graph.nodes.size(), -1) {}

// The buffer a node is read from (`output` false) or stored to. They differ for an input that is
// copied: one that is asked for as an output, or whose strides a library does not take.
std::uint32_t PlanWriter::buffer_of(NodeId n, bool output) {
  const ir::Graph& graph = plan_.graph;
  const ir::Node& node = graph.nodes[n];
  const bool input = node.kind == NodeKind::buffer && !output;
  std::int64_t& known = input ? input_buffer_[node.attr] : stored_buffer_[n];
  ir::internal_check(known >= 0 || node.kind != NodeKind::put, "plan: a put has no buffer");
  if (known >= 0) return static_cast<std::uint32_t>(known);
  ir::PlanBuffer buffer;
  buffer.dtype = node.dtype;
  buffer.elements = graph.size(n);
  buffer.node = n;
  if (node.kind == NodeKind::update && is_assembled(graph, n)) {
    const NodeId base = graph.operand(n, 0);
    buffer.donated_from = buffer_of(base, graph.nodes[base].kind != NodeKind::buffer);
  }
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
  constexpr std::size_t kNever = ~std::size_t{0};
  first_use_.resize(plan_.buffers.size(), kNever);
  last_use_.resize(plan_.buffers.size(), 0);
  first_use_[buffer] = std::min(first_use_[buffer], plan_.steps.size());
  last_use_[buffer] = plan_.steps.size();
}

void PlanWriter::allocate(std::uint32_t buffer) {
  allocated_.resize(plan_.buffers.size(), false);
  if (allocated_[buffer] || plan_.buffers[buffer].role == ir::BufferRole::input) return;
  allocated_[buffer] = true;
  if (plan_.buffers[buffer].donated_from >= 0)
    use(static_cast<std::uint32_t>(plan_.buffers[buffer].donated_from));
  plan_.steps.push_back({StepKind::allocate, buffer});
}

void PlanWriter::add_call(const Cluster& cluster) {
  const ir::Graph& graph = plan_.graph;
  const NodeId n = called(graph, cluster.outputs[0].node);
  const std::vector<CallOperand> operands = call_operands(graph, caps_, n);
  std::vector<std::uint32_t> buffers;
  for (const CallOperand& read : operands) buffers.push_back(buffer_of(read.node, read.copied));
  const std::size_t first = buffers.size();
  buffers.resize(first + graph.nodes[n].results, ir::CallArray::kNobody);
  for (const ClusterOutput& output : cluster.outputs) {
    const ir::Node& node = graph.nodes[output.node];
    const std::uint32_t buffer = buffer_of(output.node, true);
    allocate(buffer);
    buffers[first + (is_result(node) ? node.imm : 0)] = buffer;
  }
  ir::Call call = call_of(graph, n, operands, buffers);
  call.workspace_bytes = call_workspace(graph, caps_, n, std::span(buffers).subspan(first));
  if (!call.workspace_bytes.terms.empty()) {
    call.workspace = static_cast<std::uint32_t>(plan_.buffers.size());
    plan_.buffers.push_back({ir::BufferRole::temporary, 0, ir::DType::uint8, call.workspace_bytes,
                             cluster.outputs[0].node, -1});
    allocate(call.workspace);
    use(call.workspace);
  }
  for (const std::uint32_t buffer : buffers)
    if (buffer != ir::CallArray::kNobody) use(buffer);
  plan_.steps.push_back({StepKind::call, static_cast<std::uint32_t>(plan_.calls.size())});
  ir::ClusterReport report;
  const bool product = call.what == NodeKind::contract;
  report.name = ir::call_name(call.what);
  report.expression = expression_of(graph, partition_, cluster);
  report.schedule = product ? "library" : "whole rows";
  report.schedule_reason = product ? "a matrix product" : "each row is computed as a whole";
  for (const ClusterOutput& output : cluster.outputs) report.nodes.push_back(output.node);
  if (is_result(graph.nodes[report.nodes[0]])) report.nodes.push_back(n);
  std::ranges::sort(report.nodes);
  const Traffic traffic = traffic_of(graph, caps_, cluster, {});
  report.compulsory_read = traffic.compulsory_read;
  report.compulsory_written = traffic.compulsory_written;
  report.operations = traffic.operations;
  const auto shape = graph.shape(n);
  report.outer.assign(shape.begin(), shape.end());
  if (product) report.inner.push_back(graph.shape(graph.operand(n, 0)).back());
  call.report = static_cast<std::uint32_t>(plan_.clusters.size());
  plan_.clusters.push_back(std::move(report));
  plan_.calls.push_back(std::move(call));
}

ir::ClusterReport PlanWriter::report_of(const Unit& unit, std::size_t kernel) const {
  const ir::Graph& graph = plan_.graph;
  const ScheduledKernel& scheduled = unit.scheduled.kernels[kernel];
  ir::ClusterReport report;
  report.name = scheduled.kernel->name;
  report.expression =
      (scheduled.part ? "in pieces: " : "") + expression_of(graph, partition_, *unit.cluster);
  report.schedule = unit.scheduled.name;
  report.schedule_reason = unit.scheduled.reason;
  report.nodes = unit.inside;
  for (const std::vector<NodeId>* reduces :
       {&unit.cluster->reduces, &unit.cluster->nested_reduces}) {
    report.nodes.insert(report.nodes.end(), reduces->begin(), reduces->end());
  }
  std::ranges::sort(report.nodes);
  report.outer = unit.cluster->outer;
  report.inner = unit.cluster->inner;
  report.nested = unit.cluster->nested;
  if (!graph.lines.empty()) {
    for (const NodeId n : report.nodes) add_line(report.lines, graph.lines[n]);
  }
  if (kernel == 0) {  // a later stage moves only partial results
    report.compulsory_read = unit.traffic.compulsory_read;
    report.compulsory_written = unit.traffic.compulsory_written;
    report.operations = unit.traffic.operations;
  }
  return report;
}

void PlanWriter::add(const Batch& batch) {
  if (batch.size() > 1) {
    add_batch(batch);
  } else if (batch[0].cluster->assembled) {
    return;  // its pieces are there
  } else if (batch[0].cluster->call) {
    add_call(*batch[0].cluster);
  } else {
    add_kernels(batch[0]);
  }
}

std::uint32_t PlanWriter::number_of_product(const std::vector<ir::Sym>& factors) {
  const auto found = std::ranges::find(plan_.products, factors);
  const auto number = static_cast<std::size_t>(found - plan_.products.begin());
  if (found == plan_.products.end()) plan_.products.push_back(factors);
  return static_cast<std::uint32_t>(plan_.graph.syms.size() + number);
}

void PlanWriter::add_arguments(ir::PlanLaunch& launch,
                               const std::vector<Emitter::Argument>& arguments,
                               const std::vector<std::uint32_t>& temporaries) {
  for (const Emitter::Argument& a : arguments) {
    std::uint32_t index = a.index;
    if (a.kind == ir::ParamKind::buffer) {
      index = a.is_node ? buffer_of(a.index, a.output) : temporaries[a.index];
      allocate(index);
    } else if (!a.factors.empty()) {
      index = number_of_product(a.factors);
    }
    launch.args.push_back({a.kind, index});
  }
}

// The number of a kernel, for a table of so many rows (0: none).
std::uint32_t PlanWriter::kernel_of(const ScheduledKernel& scheduled, std::size_t members,
                                    const std::string& expression) {
  const std::uint32_t rows = members > 1 ? table_rows(caps_, *scheduled.kernel, members) : 0;
  const auto next = static_cast<std::uint32_t>(plan_.kernels.size());
  const auto [known, fresh] = numbers_.try_emplace({scheduled.kernel, rows}, next);
  if (fresh) {
    plan_.kernels.push_back(*scheduled.kernel);
    plan_.kernels.back().members = rows;
    plan_.kernels.back().expression = expression;
  }
  return known->second;
}

// The launch's buffers are allocated; its step is the next.
void PlanWriter::add_launch(ir::PlanLaunch launch, ir::ClusterReport report, bool alone) {
  for (const ir::PlanArg& a : launch.args) {
    if (a.kind == ir::ParamKind::buffer) use(a.index);
  }
  const auto number = static_cast<std::uint32_t>(plan_.launches.size());
  plan_.steps.push_back({StepKind::launch, number});
  report.launch = number;
  launch.report = static_cast<std::uint32_t>(plan_.clusters.size());
  plan_.clusters.push_back(std::move(report));
  plan_.launches.push_back(std::move(launch));
  alone_.push_back(alone);
}

void PlanWriter::add_kernels(const Unit& unit) {
  std::vector<std::uint32_t> temporaries;
  for (const ScheduledTemporary& t : unit.scheduled.temporaries) {
    temporaries.push_back(static_cast<std::uint32_t>(plan_.buffers.size()));
    plan_.buffers.push_back(
        {ir::BufferRole::temporary, 0, t.dtype, t.elements, unit.cluster->outputs[0].node, -1});
  }
  for (std::size_t i = 0; i < unit.scheduled.kernels.size(); ++i) {
    const ScheduledKernel& k = unit.scheduled.kernels[i];
    ir::PlanLaunch launch;
    add_arguments(launch, k.arguments, temporaries);
    ir::ClusterReport report = report_of(unit, i);
    launch.kernel = kernel_of(k, 1, report.expression);
    add_launch(std::move(launch), std::move(report), unit.scheduled.kernels.size() == 1);
  }
}

bool PlanWriter::may_take(std::uint32_t to, std::uint32_t from, std::size_t step) const {
  const ir::PlanBuffer &result = plan_.buffers[to], &donor = plan_.buffers[from];
  if (result.role == ir::BufferRole::input || donor.role == ir::BufferRole::output) return false;
  if (first_use_[to] != step || last_use_[from] != step || result.donated_from >= 0) return false;
  if (result.dtype != donor.dtype || result.elements != donor.elements) return false;
  if (donor.role == ir::BufferRole::temporary) return true;
  const ir::Input& input = plan_.graph.inputs[donor.index];
  const bool may = input.donatable || mutant(ir::Mutant::donated_input);
  return may && input.dense && input.aligned;  // as results are
}

bool PlanWriter::may_share(std::uint32_t kernel, std::uint32_t from, std::uint32_t to) {
  if (donate_ == Donate::unchecked || mutant(ir::Mutant::shared_memory_of_arguments)) return true;
  const auto [known, fresh] = may_share_.try_emplace({kernel, from, to});
  if (fresh) known->second = can_share(plan_.kernels[kernel], from, to);
  return known->second;
}

// The kernel that has one memory for both parameters: other launches may need this one as it is.
std::uint32_t PlanWriter::shared(std::uint32_t kernel, std::uint32_t from, std::uint32_t to) {
  const auto next = static_cast<std::uint32_t>(plan_.kernels.size());
  const auto [known, fresh] = shared_.try_emplace({kernel, from, to}, next);
  if (fresh) {
    plan_.kernels.push_back(ir::Kernel(plan_.kernels[kernel]));
    share(plan_.kernels.back(), from, to);
  }
  return known->second;
}

// Lets what this step's kernel writes take over what it is the last to read.
void PlanWriter::donate(std::size_t step) {
  const std::uint32_t number = plan_.steps[step].index;
  if (!alone_[number]) return;
  ir::PlanLaunch& launch = plan_.launches[number];
  std::map<std::uint32_t, int> named;  // by buffer: arguments of the launch that name it
  for (const ir::PlanArg& a : launch.args) {
    if (a.kind == ir::ParamKind::buffer) ++named[a.index];
  }
  const auto width = [&] { return plan_.kernels[launch.kernel].params.size(); };
  // In every member. Members run in any order, so no other argument may name the donor.
  const auto may_take_all = [&](std::uint32_t to, std::uint32_t from) {
    for (std::size_t row = 0; row < launch.args.size(); row += width()) {
      const std::uint32_t donor = launch.args[row + from].index;
      if (named[donor] != 1 || !may_take(launch.args[row + to].index, donor, step)) return false;
    }
    return true;
  };
  const auto is = [&](std::uint32_t param, bool read, bool written) {
    const ir::Param& p = plan_.kernels[launch.kernel].params[param];
    return p.kind == ir::ParamKind::buffer && p.read == read && p.written == written;
  };
  for (std::uint32_t from = 0; from < width(); ++from) {
    if (!is(from, true, false)) continue;
    for (std::uint32_t to = 0; to < width(); ++to) {
      if (!is(to, false, true) || !may_take_all(to, from)) continue;
      if (!may_share(launch.kernel, from, to)) continue;
      const std::size_t row_width = width();
      for (std::size_t row = 0; row < launch.args.size(); row += row_width) {
        plan_.buffers[launch.args[row + to].index].donated_from = launch.args[row + from].index;
      }
      launch.kernel = shared(launch.kernel, from, to);
      std::size_t at = 0;
      std::erase_if(launch.args, [&](const ir::PlanArg&) { return at++ % row_width == from; });
      --from;
      break;
    }
  }
}

void PlanWriter::add_batch(const Batch& batch) {
  ir::PlanLaunch launch;
  launch.members = static_cast<std::uint32_t>(batch.size());
  ir::ClusterReport report = report_of(batch[0], 0);
  report.expression += "; and " + std::to_string(batch.size() - 1) + " more alike";
  report.schedule += ", batched";
  report.schedule_reason += "; " + std::to_string(batch.size()) +
                            " clusters that differ in extents and arrays only, in one launch";
  for (const Unit& unit : batch) {
    add_arguments(launch, unit.scheduled.kernels[0].arguments, {});
    if (&unit == &batch[0]) continue;
    const ir::ClusterReport more = report_of(unit, 0);
    report.nodes.insert(report.nodes.end(), more.nodes.begin(), more.nodes.end());
    for (const std::string& line : more.lines) add_line(report.lines, line);
    report.compulsory_read += more.compulsory_read;
    report.compulsory_written += more.compulsory_written;
    report.operations += more.operations;
  }
  launch.kernel = kernel_of(batch[0].scheduled.kernels[0], batch.size(), report.expression);
  add_launch(std::move(launch), std::move(report), true);
}

// Kernels that launches were given others for are dropped; those left stand in the order of their
// first launches.
void PlanWriter::keep_used_kernels() {
  constexpr std::uint32_t kUnused = ~std::uint32_t{0};
  std::vector<std::uint32_t> numbers(plan_.kernels.size(), kUnused);
  std::vector<ir::Kernel> kernels;
  for (ir::PlanLaunch& launch : plan_.launches) {
    std::uint32_t& number = numbers[launch.kernel];
    if (number == kUnused) {
      number = static_cast<std::uint32_t>(kernels.size());
      kernels.push_back(std::move(plan_.kernels[launch.kernel]));
    }
    launch.kernel = number;
  }
  plan_.kernels = std::move(kernels);
}

void PlanWriter::finish() {
  for (std::size_t i = 0; donate_ != Donate::no && i < plan_.steps.size(); ++i) {
    if (plan_.steps[i].kind == StepKind::launch) donate(i);
  }
  keep_used_kernels();
  std::vector<std::vector<std::uint32_t>> dies(plan_.steps.size());
  for (std::uint32_t b = 0; b < last_use_.size(); ++b) {
    if (plan_.buffers[b].role != ir::BufferRole::temporary) continue;
    if (!mutant(ir::Mutant::release)) dies[last_use_[b]].push_back(b);
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
  for (const Boundary& b : partition_.boundaries) {
    ir::BoundaryReport report{b.producer,      b.consumer,
                              b.reason,        plan_.graph.size(b.producer),
                              b.fused_seconds, b.stored_seconds};
    const bool output =
        std::ranges::find(plan_.graph.outputs, b.producer) != plan_.graph.outputs.end();
    for (ir::SizeTerm& term : report.bytes.terms) {
      term.coefficient *= (output ? 1 : 2) * ir::size_of(plan_.graph.nodes[b.producer].dtype);
    }
    plan_.boundaries.push_back(std::move(report));
  }
}

}  // namespace kiln::passes
