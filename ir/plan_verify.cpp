#include <algorithm>

#include "ir/plan.h"

namespace kiln::ir {

namespace {

class PlanCheck {
 public:
  explicit PlanCheck(const Plan& plan)
      : plan_(plan), alive_(plan.buffers.size(), false), taken_(plan.buffers.size(), false) {}

  std::string run() {
    for (std::size_t b = 0; b < plan_.buffers.size(); ++b) {
      alive_[b] = plan_.buffers[b].role == BufferRole::input;
    }
    for (const Kernel& kernel : plan_.kernels) {
      const std::string findings = verify(kernel);
      if (!findings.empty()) say("kernel " + kernel.name + ": " + findings);
    }
    for (const PlanStep& step : plan_.steps) check(step);
    if (plan_.outputs.size() != plan_.graph.outputs.size()) say("outputs do not match the graph's");
    for (const std::uint32_t output : plan_.outputs) {
      if (output >= alive_.size() || !alive_[output]) say("an output is not alive at the end");
    }
    return std::move(findings_);
  }

 private:
  void say(const std::string& text) { findings_ += text + "\n"; }

  void check(const PlanStep& step) {
    switch (step.kind) {
      case StepKind::allocate:
        if (alive_.at(step.index)) say("allocated twice: buffer " + std::to_string(step.index));
        alive_[step.index] = true;
        if (plan_.buffers[step.index].donated_from >= 0) check_donation(step.index);
        break;
      case StepKind::release:
        if (taken_[step.index]) {  // its memory lives on in another buffer
          taken_[step.index] = false;
          break;
        }
        need(step.index, "release");
        if (plan_.buffers[step.index].role != BufferRole::temporary) say("released no temporary");
        alive_[step.index] = false;
        break;
      case StepKind::call:
        check(plan_.calls.at(step.index));
        break;
      case StepKind::launch:
        check(plan_.launches.at(step.index));
        break;
    }
  }

  // Where the arrays lie is seen when sizes are bound (runtime/execute.cpp).
  void check(const Call& call) {
    const std::string_view error = error_of(call);
    if (!error.empty()) return say("call: " + std::string(error));
    const std::string name(call_name(call.what));
    if (call.workspace != CallArray::kNobody) {
      need(call.workspace, name);
      const PlanBuffer& buffer = plan_.buffers.at(call.workspace);
      if (buffer.role != BufferRole::temporary || buffer.dtype != DType::uint8 ||
          buffer.elements != call.workspace_bytes)
        say(name + ": a workspace that is no temporary of so many bytes");
    }
    for (const CallArray& operand : call.operands) check(name, operand);
    for (const CallArray& result : call.results) {
      if (result.buffer == CallArray::kNobody) continue;
      check(name, result);
      if (plan_.buffers.at(result.buffer).role == BufferRole::input)
        say(name + ": writes an input");
      for (const CallArray& operand : call.operands) {
        if (operand.buffer == result.buffer) say(name + ": writes what it reads");
      }
    }
  }
  void check(const std::string& name, const CallArray& array) {
    need(array.buffer, name);
    if (plan_.buffers.at(array.buffer).dtype != array.dtype)
      say(name + ": an array of another dtype");
  }

  // From here on the donor's memory is the buffer's: nothing may use it as the donor's.
  void check_donation(std::uint32_t buffer) {
    const auto from = static_cast<std::uint32_t>(plan_.buffers[buffer].donated_from);
    need(from, "donation");
    const PlanBuffer &to = plan_.buffers[buffer], &donor = plan_.buffers.at(from);
    if (donor.role == BufferRole::output) say("an output is donated");
    if (donor.role == BufferRole::input && !plan_.graph.inputs.at(donor.index).donatable) {
      say("an input that must stay is donated");
    }
    if (to.elements != donor.elements || size_of(to.dtype) != size_of(donor.dtype)) {
      say("a donated buffer has another size");
    }
    alive_[from] = false;
    taken_[from] = donor.role == BufferRole::temporary;
  }

  void check(const PlanLaunch& launch) {
    const Kernel& kernel = plan_.kernels.at(launch.kernel);
    const std::size_t rows = std::max(launch.members, 1u);
    if (launch.args.size() != kernel.params.size() * rows) {
      say("kernel " + kernel.name + ": arguments do not match parameters");
      return;
    }
    const bool table = kernel.target == Target::cuda;
    if (table &&
        (launch.members > kernel.members || (launch.members == 0 && kernel.members != 0))) {
      say("kernel " + kernel.name + ": a batch that it is not made for");
    }
    for (std::size_t i = 0; i < launch.args.size(); ++i) {
      const PlanArg& arg = launch.args[i];
      const Param& param = kernel.params[i % kernel.params.size()];
      if (arg.kind != param.kind) say("kernel " + kernel.name + ": kind of " + param.name);
      if (arg.kind == ParamKind::integer &&
          arg.index >= plan_.graph.syms.size() + plan_.products.size()) {
        say("kernel " + kernel.name + ": no symbol for " + param.name);
      }
      if (arg.kind == ParamKind::scalar && (arg.index >= plan_.graph.scalars.size() ||
                                            plan_.graph.scalars[arg.index] != param.dtype)) {
        say("kernel " + kernel.name + ": no scalar for " + param.name);
      }
      if (arg.kind != ParamKind::buffer) continue;
      need(arg.index, kernel.name);
      if (plan_.buffers[arg.index].dtype != param.dtype)
        say("kernel " + kernel.name + ": dtype of " + param.name);
      if (param.written && plan_.buffers[arg.index].role == BufferRole::input) {
        say("kernel " + kernel.name + ": writes an input");
      }
    }
  }

  void need(std::uint32_t buffer, const std::string& who) {
    if (buffer >= alive_.size() || !alive_[buffer]) {
      say(who + ": uses buffer " + std::to_string(buffer) + " while it is not alive");
    }
  }

  const Plan& plan_;
  std::vector<bool> alive_;
  std::vector<bool> taken_;  // temporaries whose memory another buffer took over, not yet released
  std::string findings_;
};

}  // namespace

std::string verify(const Plan& plan) { return PlanCheck(plan).run(); }

}  // namespace kiln::ir
