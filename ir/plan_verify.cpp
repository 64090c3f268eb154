#include <algorithm>

#include "ir/mutant.h"
#include "ir/plan.h"

namespace kiln::ir {

namespace {

SizeExpr times(const SizeExpr& a, const SizeExpr& b) {
  SizeExpr result;
  for (const SizeTerm& x : a.terms) {
    for (const SizeTerm& y : b.terms) {
      std::vector<Sym> factors = x.factors;
      factors.insert(factors.end(), y.factors.begin(), y.factors.end());
      result += SizeExpr::product(x.coefficient * y.coefficient, factors);
    }
  }
  return result;
}

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
      case StepKind::matmul: {
        const PlanMatmul& m = plan_.matmuls.at(step.index);
        for (const std::uint32_t buffer : {m.a, m.b, m.c}) need(buffer, "matmul");
        check(m);
        break;
      }
      case StepKind::launch:
        check(plan_.launches.at(step.index));
        break;
    }
  }

  // A library takes dense matrices, whole, and knows nothing of strides.
  void check(const PlanMatmul& m) {
    const auto matrix = [&](std::uint32_t b, const SizeExpr& elements, const char* name) {
      const PlanBuffer& buffer = plan_.buffers.at(b);
      const std::string what = std::string("matmul: operand ") + name;
      if (buffer.role == BufferRole::input && !plan_.graph.inputs.at(buffer.index).dense &&
          !mutant(Mutant::strided_product))
        say(what + " is an input with strides in memory");
      if (buffer.dtype != m.dtype) say(what + " has another dtype");
      if (buffer.elements != elements) say(what + " has another number of elements");
    };
    const SizeExpr a = times(m.m, m.k), b = times(m.k, m.n);
    matrix(m.a, m.repeat_a ? a : times(m.batch, a), "a");
    matrix(m.b, m.repeat_b ? b : times(m.batch, b), "b");
    matrix(m.c, times(m.batch, times(m.m, m.n)), "c");
    if (plan_.buffers.at(m.c).role == BufferRole::input) say("matmul: writes an input");
    if (m.c == m.a || m.c == m.b) say("matmul: writes what it reads");
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
