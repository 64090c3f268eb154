#include "runtime/execute.h"

#include <algorithm>
#include <chrono>

#include "ir/error.h"
#include "ir/mutant.h"
#include "runtime/host/calls.h"
#include "runtime/small_array.h"

namespace kiln::runtime {

namespace {

constexpr std::size_t kInlineBuffers = 16;
constexpr std::size_t kInlineArgs = 32;

}  // namespace

struct Execution {
  struct Slot {
    std::byte* data = nullptr;
    MemoryRef memory;  // not set for inputs
    std::int64_t offset = 0;
  };

  Execution(const LoadedPlan& loaded_plan, const ir::Bindings& bound, std::span<const Block> blocks,
            std::span<const ir::SourceLine> request, const LaunchWatch* told)
      : loaded(loaded_plan),
        plan(loaded_plan.plan()),
        device(loaded_plan.device()),
        bindings(bound),
        inputs(blocks),
        lines(request),
        watch(told),
        slots(plan.buffers.size()) {}

  const LoadedPlan& loaded;
  const ir::Plan& plan;
  Device& device;
  const ir::Bindings& bindings;
  std::span<const Block> inputs;
  std::span<const ir::SourceLine> lines;
  const LaunchWatch* watch;  // null: nobody is told
  SmallArray<Slot, kInlineBuffers> slots;
  std::int64_t launched = 0, bytes_read = 0, bytes_written = 0;

  std::int64_t value(const ir::SizeExpr& expr) const { return expr.evaluate(bindings.syms); }
  std::int64_t bytes(const ir::PlanBuffer& buffer) const {
    return value(buffer.elements) * ir::size_of(buffer.dtype);
  }

  void run() {
    ir::internal_check(inputs.size() == plan.graph.inputs.size() &&
                           bindings.syms.size() >= plan.graph.syms.size() &&
                           bindings.scalars.size() >= plan.graph.scalars.size(),
                       "execute: inputs or bindings do not fit the plan");
    for (std::size_t i = 0; i < plan.buffers.size(); ++i) {
      const ir::PlanBuffer& buffer = plan.buffers[i];
      if (buffer.role == ir::BufferRole::input) {
        slots[i].data = static_cast<std::byte*>(inputs[buffer.index].data());
      }
    }
    for (const LoadedPlan::Step& step : loaded.steps_) {
      switch (step.kind) {
        case ir::StepKind::allocate:
          allocate(step.index);
          break;
        case ir::StepKind::release:
          slots[step.index].memory.reset();
          break;
        case ir::StepKind::launch:
          launch(step);
          break;
        case ir::StepKind::call:
          call(step);
          break;
      }
    }
  }

  void allocate(std::uint32_t index) {
    const ir::PlanBuffer& buffer = plan.buffers[index];
    Slot& slot = slots[index];
    if (buffer.donated_from < 0) {
      try {
        slot.memory = device.allocate(bytes(buffer));
      } catch (OutOfMemory& error) {
        const std::vector<ir::NodeId>& origins = plan.graph.origins;
        error.node = origins.empty() ? buffer.node : origins[buffer.node];
        throw;
      }
      slot.data = static_cast<std::byte*>(slot.memory->data());
      return;
    }
    const auto from = static_cast<std::uint32_t>(buffer.donated_from);
    const ir::PlanBuffer& donor = plan.buffers[from];
    if (donor.role == ir::BufferRole::input) {
      const Block& block = inputs[donor.index];
      ir::internal_check(block.memory && block.memory->writable(),
                         "execute: a donated input is read-only");
      slot.memory = block.memory;
      slot.offset = block.offset;
    } else {
      slot.memory = slots[from].memory;
      slot.offset = slots[from].offset;
    }
    slot.data = slots[from].data;
  }

  // Grid items of a launch, or of one member of a batch.
  std::int64_t items(const LoadedPlan::Step& step, const ir::KernelArg* args) const {
    std::int64_t count = 1;
    const LoadedPlan::Factor* factor = loaded.factors_.data() + step.factors;
    for (std::uint32_t f = 0; f < step.factor_count; ++f, ++factor) {
      std::int64_t extent = 1;
      const std::uint32_t* param = loaded.grid_params_.data() + factor->first;
      for (std::uint32_t i = 0; i < factor->count; ++i) extent *= args[param[i]].integer;
      count *= (extent + factor->divisor - 1) / factor->divisor;
    }
    return count;
  }

  // Counts the step's bytes and says what there is to do.
  Work account(const LoadedPlan::Step& step) {
    ++launched;
    std::int64_t moved = 0;
    double operations = 0;
    if (step.report != LoadedPlan::kNone) {
      const ir::ClusterReport& report = plan.clusters[step.report];
      const std::int64_t read = value(report.compulsory_read);
      const std::int64_t written = value(report.compulsory_written);
      bytes_read += read;
      bytes_written += written;
      moved = read + written;
      operations = static_cast<double>(value(report.operations));
    } else {
      for (std::uint32_t i = 0; i < step.arg_count; ++i) {
        const ir::PlanArg& arg = loaded.args_[step.args + i];
        if (arg.kind == ir::ParamKind::buffer) moved += bytes(plan.buffers[arg.index]);
      }
    }
    return {static_cast<double>(moved), operations};
  }

  void bind(const ir::PlanArg* arg, std::uint32_t count, ir::KernelArg* args) {
    for (std::uint32_t i = 0; i < count; ++i, ++arg) {
      switch (arg->kind) {
        case ir::ParamKind::buffer:
          args[i].pointer = slots[arg->index].data;
          break;
        case ir::ParamKind::integer:
          args[i].integer = ir::integer_value(plan, arg->index, bindings.syms);
          break;
        case ir::ParamKind::scalar:
          args[i].bits = bindings.scalars[arg->index];
          break;
      }
    }
  }

  void launch(const LoadedPlan::Step& step) {
    if (step.members != 0) return launch_batch(step);
    SmallArray<ir::KernelArg, kInlineArgs> args(step.arg_count);
    bind(loaded.args_.data() + step.args, step.arg_count, args.data());
    const std::int64_t count = items(step, args.data());
    if (count <= 0) return;
    const Work work = account(step);
    start({step.kernel, args.data(), count, work, 0,
           label_of(plan, plan.launches[step.index], lines)});
  }

  void launch_batch(const LoadedPlan::Step& step) {
    const std::size_t row = step.params + std::size_t{1};
    SmallArray<ir::KernelArg, kInlineArgs> table(step.members * row);
    std::int64_t count = 0;
    for (std::uint32_t m = 0; m < step.members; ++m) {
      ir::KernelArg* args = table.data() + m * row;
      bind(loaded.args_.data() + step.args + m * step.params, step.params, args);
      args[step.params].integer = count + (mutant(ir::Mutant::batch_first) && m == 1 ? 1 : 0);
      count += items(step, args);
    }
    if (count <= 0) return;
    const Work work = account(step);
    start({step.kernel, table.data(), count, work, step.members,
           label_of(plan, plan.launches[step.index], lines)});
  }

  void start(const Launch& launch) {
    tell(launch.label, launch.work, [&] { device.launch(launch); });
  }

  template <class Call>
  void tell(const LaunchLabel& label, const Work& work, Call call) {
    if (watch == nullptr) return call();
    const auto before = std::chrono::steady_clock::now();
    call();
    device.synchronize();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - before;
    (*watch)(label, static_cast<std::int64_t>(work.bytes), took.count());
  }

  void call(const LoadedPlan::Step& step) {
    const ir::Call& planned = plan.calls[step.index];
    ir::BoundCall bound(planned, bindings.syms,
                        [&](std::uint32_t buffer) { return slots[buffer].data; });
    bool terms = true;  // whether there is anything to compute with
    for (std::size_t i = 0; i < planned.results.size(); ++i) {
      const bool wanted = planned.results[i].buffer != ir::CallArray::kNobody;
      if (wanted && !check_reach(planned.results[i], bound, bound.result(i))) return;
    }
    for (std::size_t i = 0; i < planned.operands.size(); ++i)
      terms = check_reach(planned.operands[i], bound, bound.operand(i)) && terms;
    if (!terms) return clear(planned);
    const Work work = account(step);
    const LaunchLabel label = label_of(plan, planned, lines);
    try {
      if (device.has(planned.what)) {
        tell(label, work, [&] { device.call(bound, label); });
      } else {
        tell(label, work, [&] { call_on_host(planned, bound); });
      }
    } catch (OutOfMemory& error) {
      error.array = "the workspace of " + label.text();
      throw;
    }
  }

  // Whether an array of a call has elements, all of which lie in its buffer.
  bool check_reach(const ir::CallArray& array, const ir::BoundCall& call,
                   const ir::BoundCall::Array& where) const {
    const ir::BoundCall::Reach reach = call.reach(where);
    if (reach.empty) return false;
    const ir::PlanBuffer& buffer = plan.buffers[array.buffer];
    if (is_spread(buffer)) return true;
    const std::int64_t first = value(array.offset);
    ir::internal_check(first + reach.low >= 0 && first + reach.high < value(buffer.elements),
                       "execute: a call reaches beyond its buffer");
    return true;
  }
  // An input whose elements do not lie side by side: how far they reach is the caller's matter.
  bool is_spread(const ir::PlanBuffer& buffer) const {
    return buffer.role == ir::BufferRole::input && !plan.graph.inputs[buffer.index].dense;
  }

  // Operands come to the host and results go back.
  void call_on_host(const ir::Call& planned, ir::BoundCall& bound) {
    struct Copy {
      Memory* memory;
      std::int64_t offset;
      std::vector<std::byte> bytes;
    };
    std::vector<Copy> results;
    std::vector<std::vector<std::byte>> operands;
    const auto place = [&](const ir::CallArray& array, std::size_t number, bool result) {
      const ir::BoundCall::Array& at =
          result ? bound.result(number - planned.operands.size()) : bound.operand(number);
      const ir::BoundCall::Reach reach = bound.reach(at);
      const std::int64_t size = ir::size_of(at.dtype), low = reach.low * size;
      const ir::PlanBuffer& buffer = plan.buffers[array.buffer];
      const bool input = buffer.role == ir::BufferRole::input;
      Memory* const memory =
          input ? inputs[buffer.index].memory.get() : slots[array.buffer].memory.get();
      const std::int64_t offset =
          at.data + low - static_cast<std::byte*>(memory->data());  // addresses of the device's
      std::vector<std::byte> bytes(static_cast<std::size_t>(reach.size() * size));
      if (!result) device.download(bytes.data(), *memory, offset, reach.size() * size);
      bound.move(number, bytes.data() - low);
      if (result) {
        results.push_back({memory, offset, std::move(bytes)});
      } else {
        operands.push_back(std::move(bytes));
      }
    };
    std::size_t number = 0;
    for (const ir::CallArray& array : planned.operands) place(array, number++, false);
    for (const ir::CallArray& array : planned.results) {
      if (array.buffer != ir::CallArray::kNobody) place(array, number, true);
      ++number;
    }
    bound.drop_workspace();  // which is the device's
    Workers alone(1);
    host_call(bound, alone);
    for (const Copy& result : results) {
      device.upload(*result.memory, result.offset, result.bytes.data(),
                    static_cast<std::int64_t>(result.bytes.size()));
    }
  }

  // Sums over nothing.
  void clear(const ir::Call& planned) {
    ir::internal_check(planned.what == ir::NodeKind::contract, "execute: a call over nothing");
    for (const ir::CallArray& result : planned.results) {
      const Slot& slot = slots[result.buffer];
      device.fill_zero(*slot.memory, slot.offset, bytes(plan.buffers[result.buffer]));
    }
  }

  void finish(std::span<Block> outputs) {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const std::uint32_t index = plan.outputs[i];
      const ir::PlanBuffer& buffer = plan.buffers[index];
      if (buffer.role == ir::BufferRole::input) {
        outputs[i] = inputs[buffer.index];
      } else {
        const bool lost = mutant(ir::Mutant::lost_offset);
        outputs[i] = {slots[index].memory, lost ? 0 : slots[index].offset};
      }
    }
    Counters& counters = device.counters();
    if (launched != 0) Counters::add(counters.launched, launched);
    if (bytes_read != 0) Counters::add(counters.bytes_read, bytes_read);
    if (bytes_written != 0) Counters::add(counters.bytes_written, bytes_written);
  }
};

void execute(const LoadedPlan& plan, const ir::Bindings& bindings, std::span<const Block> inputs,
             std::span<Block> outputs, std::span<const ir::SourceLine> lines,
             const LaunchWatch* watch) {
  ir::internal_check(outputs.size() == plan.plan().outputs.size(),
                     "execute: outputs do not fit the plan");
  Execution execution(plan, bindings, inputs, lines, watch);
  execution.run();
  execution.finish(outputs);
}

std::vector<Block> execute(const LoadedPlan& plan, const ir::Bindings& bindings,
                           std::span<const Block> inputs) {
  std::vector<Block> outputs(plan.plan().outputs.size());
  execute(plan, bindings, inputs, outputs);
  return outputs;
}

}  // namespace kiln::runtime
