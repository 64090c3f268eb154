#include "frontend/check_plan.h"

#include "frontend/host_memory.h"

namespace kiln::inline v0::frontend {

namespace {

using Bytes = std::vector<std::byte>;

class PlanRun {
 public:
  PlanRun(const ir::Plan& plan, const ir::Bindings& bindings, std::span<const ir::ArrayView> inputs)
      : plan_(plan), bindings_(bindings), inputs_(inputs), memory_(plan.buffers.size()) {}

  std::vector<Bytes> run() {
    for (const ir::PlanStep& step : plan_.steps) {
      if (step.kind == ir::StepKind::allocate) allocate(step.index);
      if (step.kind == ir::StepKind::release) release(step.index);
      if (step.kind == ir::StepKind::launch) launch(plan_.launches[step.index]);
    }
    std::vector<Bytes> outputs;
    for (const std::uint32_t b : plan_.outputs) outputs.push_back(memory_[b]);
    return outputs;
  }

 private:
  void release(std::uint32_t b) {
    held_ -= static_cast<std::int64_t>(memory_[b].size());
    memory_[b] = Bytes();
  }

  std::size_t bytes(std::uint32_t b) const {
    const ir::PlanBuffer& buffer = plan_.buffers[b];
    return static_cast<std::size_t>(buffer.elements.evaluate(bindings_.syms) *
                                    ir::size_of(buffer.dtype));
  }

  // Donated inputs are copied: they belong to the caller.
  void allocate(std::uint32_t b) {
    const std::int64_t from = plan_.buffers[b].donated_from;
    if (from < 0) {
      counted_.resize(held_ += static_cast<std::int64_t>(bytes(b)));
      memory_[b].assign(bytes(b), std::byte{0});
      return;
    }
    const auto donor = static_cast<std::uint32_t>(from);
    if (plan_.buffers[donor].role == ir::BufferRole::input) {
      const auto* const data =
          static_cast<const std::byte*>(inputs_[plan_.buffers[donor].index].data);
      counted_.resize(held_ += static_cast<std::int64_t>(bytes(b)));
      memory_[b].assign(data, data + bytes(b));
    } else {
      memory_[b] = std::move(memory_[donor]);
    }
  }

  void launch(const ir::PlanLaunch& launch) {
    const std::size_t params = plan_.kernels[launch.kernel].params.size();
    for (std::size_t row = 0; row < launch.args.size(); row += params) {
      member(plan_.kernels[launch.kernel], launch.args.data() + row);
    }
  }

  void member(const ir::Kernel& kernel, const ir::PlanArg* arg) {
    std::vector<ir::KernelArg> args(kernel.params.size());
    std::vector<std::int64_t> integers(kernel.params.size());
    for (std::size_t i = 0; i < args.size(); ++i) {
      const std::uint32_t index = arg[i].index;
      switch (arg[i].kind) {
        case ir::ParamKind::buffer: {
          const ir::PlanBuffer& buffer = plan_.buffers[index];
          args[i].pointer = buffer.role == ir::BufferRole::input
                                ? const_cast<void*>(inputs_[buffer.index].data)
                                : memory_[index].data();
          break;
        }
        case ir::ParamKind::integer:
          args[i].integer = integers[i] = ir::integer_value(plan_, index, bindings_.syms);
          break;
        case ir::ParamKind::scalar:
          args[i].bits = bindings_.scalars[index];
          break;
      }
    }
    ir::interpret(kernel, args.data(), 0, ir::grid_items(kernel, integers));
  }

  const ir::Plan& plan_;
  const ir::Bindings& bindings_;
  std::span<const ir::ArrayView> inputs_;
  std::vector<Bytes> memory_;
  runtime::OtherMemory counted_{host_allocator()};
  std::int64_t held_ = 0;
};

}  // namespace

std::optional<std::vector<Bytes>> interpret_plan(const ir::Plan& plan, const ir::Bindings& bindings,
                                                 std::span<const ir::ArrayView> inputs) {
  if (!plan.calls.empty()) return std::nullopt;
  return PlanRun(plan, bindings, inputs).run();
}

}  // namespace kiln::inline v0::frontend
