#include "tests/plans/programs.h"

#include <algorithm>
#include <bit>
#include <random>

#include "ir/error.h"
#include "tests/plans/random_memory.h"

namespace kiln::testing {

using ir::DType;
using ir::NodeKind;
using ir::Sym;

Sym Program::extent(std::int64_t size) {
  if (size == 0 || size == 1) return static_cast<Sym>(size);
  const auto [found, fresh] = sizes_.try_emplace(size, 0);
  if (!fresh) return found->second;
  const std::int64_t low = std::int64_t{1}
                           << (std::bit_width(static_cast<std::uint64_t>(size)) - 1);
  found->second = graph.add_sym({low, 2 * low - 1, size % 16 == 0 ? 16 : size % 4 == 0 ? 4 : 1});
  bindings.syms.push_back(size);
  return found->second;
}

Sym Program::integer(std::int64_t value) {
  if (value == 0 || value == 1) return static_cast<Sym>(value);
  const bool constant_step = value == -1;
  const Sym s =
      graph.add_sym(constant_step ? ir::SymInfo{-1, -1, 1} : ir::SymInfo{INT64_MIN, INT64_MAX, 1});
  bindings.syms.push_back(value);
  return s;
}

std::vector<Sym> Program::extents(const std::vector<std::int64_t>& shape) {
  std::vector<Sym> result;
  for (const std::int64_t size : shape) result.push_back(extent(size));
  return result;
}

Program::Id Program::input(DType dtype, const std::vector<std::int64_t>& shape, int seed) {
  std::int64_t size = 1;
  for (const std::int64_t s : shape) size *= s;
  const std::int64_t bytes = ir::size_of(dtype);
  std::vector<std::byte> values(static_cast<std::size_t>(size * bytes));
  std::mt19937 random(static_cast<unsigned>(seed));
  std::uniform_real_distribution<double> uniform(-4, 4);
  for (std::int64_t i = 0; i < size; ++i) {
    const double v = uniform(random);
    const std::uint64_t bits = ir::is_bool(dtype)  ? static_cast<std::uint64_t>(v > 0)
                               : ir::is_int(dtype) ? ir::bits_of_int(dtype, static_cast<int>(8 * v))
                                                   : ir::bits_of(dtype, v);
    std::memcpy(values.data() + i * bytes, &bits, static_cast<std::size_t>(bytes));
  }
  return buffer({dtype, true, true, false, {}}, shape, std::move(values), 0);
}

Program::Id Program::buffer(ir::Input input, const std::vector<std::int64_t>& shape,
                            std::vector<std::byte> memory, std::int64_t first) {
  data.push_back(std::move(memory));
  offset.push_back(first);
  ir::Node node;
  node.kind = NodeKind::buffer;
  node.dtype = input.dtype;
  graph.inputs.push_back(std::move(input));
  const Id id = graph.add(node, extents(shape), {});
  graph.nodes[id].attr = static_cast<std::uint32_t>(graph.inputs.size() - 1);
  return id;
}

Program::Id Program::factor(DType dtype, const std::vector<std::int64_t>& shape, int seed) {
  return factor(dtype, shape, {}, seed);
}

Program::Id Program::factor(DType dtype, const std::vector<std::int64_t>& shape,
                            const std::vector<std::int64_t>& strides, int seed) {
  constexpr std::int64_t kMargin = 5;
  const bool dense = strides.empty();
  ir::Input input{dtype, dense, false, false, {}};
  std::int64_t low = 0, high = 0, size = 1;
  for (std::size_t i = shape.size(); i-- > 0; size *= shape[i]) {
    const std::int64_t step = dense ? size : strides[i];
    (step < 0 ? low : high) += (shape[i] - 1) * step;
  }
  for (std::size_t i = 0; !dense && i < shape.size(); ++i)
    input.strides.push_back(integer(strides[i]));
  input.ordered = !dense && ir::test::descend(shape, strides);
  if (size == 0) low = high = 0;
  const std::int64_t first = (kMargin - low) * ir::size_of(dtype);
  int number = seed;
  std::vector<std::byte> memory =
      ir::test::memory_of(dtype, high - low + 1 + 2 * kMargin, first, shape, strides, [&] {
        number = (number * 7 + 3) % 31;
        return ir::bits_of(dtype, (seed % 2 == 0 ? -1 : 1) * (number % 5 + 1));
      });
  return buffer(std::move(input), shape, std::move(memory), first);
}

Program::Id Program::scalar(DType dtype, double value) {
  graph.scalars.push_back(dtype);
  bindings.scalars.push_back(ir::bits_of(dtype, value));
  ir::Node node;
  node.kind = NodeKind::scalar;
  node.dtype = dtype;
  node.imm = graph.scalars.size() - 1;
  return graph.add(node, {}, {});
}

Program::Id Program::constant(DType dtype, double value) {
  return graph.constant(dtype, ir::bits_of(dtype, value));
}

Program::Id Program::iota(DType dtype, const std::vector<std::int64_t>& shape, int axis) {
  ir::Node node;
  node.kind = NodeKind::iota;
  node.dtype = dtype;
  node.imm = static_cast<std::uint64_t>(axis);
  return graph.add(node, extents(shape), {});
}

std::vector<std::int64_t> Program::shape_of(Id x) const {
  return ir::values(graph.shape(x), bindings);
}

Program::Id Program::broadcast(Id x, const std::vector<std::int64_t>& shape) {
  if (shape_of(x) == shape) return x;
  ir::Node node;
  node.kind = NodeKind::broadcast;
  node.dtype = graph.nodes[x].dtype;
  return graph.add(node, extents(shape), {{x}});
}

Program::Id Program::map(ir::Op op, std::vector<Id> operands) {
  std::vector<std::int64_t> shape;
  for (const Id x : operands) {
    const std::vector<std::int64_t> own = shape_of(x);
    if (own.size() > shape.size()) shape.insert(shape.begin(), own.size() - shape.size(), 1);
    for (std::size_t i = 0; i < own.size(); ++i) {
      std::int64_t& s = shape[shape.size() - own.size() + i];
      if (own[i] != 1) s = own[i];
    }
  }
  for (Id& x : operands) x = broadcast(x, shape);
  const DType type = graph.nodes[operands.back()].dtype;
  return graph.map(op, ir::info(op).rule == ir::OpRule::Compare ? DType::bool_ : type, operands);
}

Program::Id Program::cast(DType dtype, Id x) { return graph.map(ir::Op::cast, dtype, {{x}}); }

Program::Id Program::reduce(ir::Op op, Id x, std::vector<std::uint8_t> axes, bool keep) {
  std::vector<std::int64_t> kept;
  std::vector<std::int64_t> with_units = shape_of(x);
  for (std::size_t i = 0; i < with_units.size(); ++i) {
    if (std::ranges::find(axes, i) == axes.end()) {
      kept.push_back(with_units[i]);
    } else {
      with_units[i] = 1;
    }
  }
  ir::Node node;
  node.kind = NodeKind::reduce;
  node.op = op;
  node.dtype = graph.nodes[x].dtype;
  const Id r = graph.add(node, extents(kept), {{x}}, ir::Axes{axes});
  return keep ? reshape(r, with_units) : r;
}

Program::Id Program::arg(ir::Op op, Id x, std::uint8_t axis) {
  std::vector<std::int64_t> shape = shape_of(x);
  shape.erase(shape.begin() + axis);
  ir::Node node;
  node.kind = NodeKind::arg_reduce;
  node.op = op;
  node.dtype = DType::int64;
  return graph.add(node, extents(shape), {{x}}, ir::Axes{{axis}});
}

Program::Id Program::permute(Id x, std::vector<std::uint8_t> axes) {
  const std::vector<std::int64_t> from = shape_of(x);
  std::vector<std::int64_t> shape;
  for (const auto axis : axes) shape.push_back(from[axis]);
  ir::Node node;
  node.kind = NodeKind::permute;
  node.dtype = graph.nodes[x].dtype;
  return graph.add(node, extents(shape), {{x}}, ir::Axes{axes});
}

Program::Id Program::reshape(Id x, const std::vector<std::int64_t>& shape) {
  const std::vector<std::int64_t> from = shape_of(x);
  if (from == shape) return x;
  ir::Groups groups;
  std::size_t f = 0;
  std::size_t t = 0;
  while (f < from.size() || t < shape.size()) {
    std::uint8_t nf = 0;
    std::uint8_t nt = 0;
    std::int64_t pf = 1;
    std::int64_t pt = 1;
    do {
      const bool left = f < from.size() && (pf <= pt || t >= shape.size());
      if (left) {
        pf *= from[f++];
        ++nf;
      } else {
        pt *= shape[t++];
        ++nt;
      }
    } while (pf != pt);
    groups.from.push_back(nf);
    groups.to.push_back(nt);
  }
  ir::Node node;
  node.kind = NodeKind::reshape;
  node.dtype = graph.nodes[x].dtype;
  return graph.add(node, extents(shape), {{x}}, groups);
}

Program::Id Program::slice(Id x, const std::vector<std::int64_t>& begin,
                           const std::vector<std::int64_t>& step,
                           const std::vector<std::int64_t>& shape) {
  ir::Slices slices;
  for (const auto b : begin) slices.begin.push_back(integer(b));
  for (const auto s : step) {  // of the frontend's classes
    slices.step.push_back(integer(s));
    ir::SymInfo& info = graph.syms[slices.step.back()];
    if (s > 1) info.lo = 2;
    if (s < -1) info.hi = -2;
  }
  ir::Node node;
  node.kind = NodeKind::slice;
  node.dtype = graph.nodes[x].dtype;
  return graph.add(node, extents(shape), {{x}}, slices);
}

Program::Id Program::pad(Id x, const std::vector<std::int64_t>& low,
                         const std::vector<std::int64_t>& shape, double fill) {
  ir::Pads pads;
  for (const auto l : low) pads.low.push_back(integer(l));
  const Id value = constant(graph.nodes[x].dtype, fill);
  ir::Node node;
  node.kind = NodeKind::pad;
  node.dtype = graph.nodes[x].dtype;
  return graph.add(node, extents(shape), {{x, value}}, pads);
}

Program::Id Program::concat(const std::vector<Id>& parts, int axis) {
  std::vector<std::int64_t> shape = shape_of(parts[0]);
  shape[static_cast<std::size_t>(axis)] = 0;
  for (const Id part : parts)
    shape[static_cast<std::size_t>(axis)] += shape_of(part)[static_cast<std::size_t>(axis)];
  ir::Node node;
  node.kind = NodeKind::concat;
  node.dtype = graph.nodes[parts[0]].dtype;
  node.imm = static_cast<std::uint64_t>(axis);
  return graph.add(node, extents(shape), parts);
}

Program::Id Program::matmul(Id a, Id b) {
  std::vector<std::int64_t> shape = shape_of(a);
  shape.back() = shape_of(b).back();
  ir::Node node;
  node.kind = NodeKind::contract;
  node.dtype = graph.nodes[a].dtype;
  return graph.add(node, extents(shape), {{a, b}});
}

Program::Id Program::sort(Id x, int axis, ir::Op op) {
  ir::Node node;
  node.kind = NodeKind::sort;
  node.op = op;
  node.dtype = graph.nodes[x].dtype;
  node.results = 2;
  return graph.add(node, extents(shape_of(x)), {{x}}, ir::Axes{{static_cast<std::uint8_t>(axis)}});
}

Program::Id Program::scan(ir::Op op, Id x, int axis) {
  ir::Node node;
  node.kind = NodeKind::scan;
  node.op = op;
  node.dtype = graph.nodes[x].dtype;
  return graph.add(node, extents(shape_of(x)), {{x}}, ir::Axes{{static_cast<std::uint8_t>(axis)}});
}

Program::Id Program::item(Id whole, int result) {
  ir::Node node;
  node.kind = NodeKind::item;
  node.dtype = ir::result_type(graph, whole, static_cast<std::size_t>(result));
  node.imm = static_cast<std::uint64_t>(result);
  return graph.add(node, extents(shape_of(whole)), {{whole}});
}

std::vector<ir::ArrayView> Program::views() const {
  std::vector<ir::ArrayView> result;
  for (std::size_t i = 0; i < data.size(); ++i) result.push_back({data[i].data() + offset[i]});
  return result;
}

namespace {

constexpr std::size_t kGuard = 64;
constexpr std::byte kPoison{0xA5};

class PlanRun {
 public:
  PlanRun(const ir::Plan& plan, const ir::Bindings& bindings, std::span<const ir::ArrayView> inputs,
          const Runner& runner)
      : plan_(plan),
        bindings_(bindings),
        inputs_(inputs),
        runner_(runner),
        memory_(plan.buffers.size()),
        taken_(plan.buffers.size(), false) {}

  std::vector<std::vector<std::byte>> run() {
    for (std::uint32_t b = 0; b < plan_.buffers.size(); ++b) {
      if (plan_.buffers[b].donated_from < 0) continue;
      const auto donor = static_cast<std::uint32_t>(plan_.buffers[b].donated_from);
      taken_[donor] = true;
      if (plan_.buffers[donor].role != ir::BufferRole::input) continue;
      const void* const data = inputs_[plan_.buffers[donor].index].data;
      memory_[donor].assign(bytes(donor) + kGuard, kPoison);
      if (bytes(donor) > 0) std::memcpy(memory_[donor].data(), data, bytes(donor));
    }
    for (const ir::PlanStep& step : plan_.steps) {
      if (step.kind == ir::StepKind::allocate) allocate(step.index);
      if (step.kind == ir::StepKind::release && !taken_[step.index]) memory_[step.index].clear();
      if (step.kind == ir::StepKind::launch) launch(plan_.launches[step.index]);
      if (step.kind == ir::StepKind::call) call(plan_.calls[step.index]);
    }
    std::vector<std::vector<std::byte>> outputs;
    for (const std::uint32_t b : plan_.outputs) {
      outputs.push_back(memory_[root(b)]);
      for (std::size_t i = bytes(b); i < outputs.back().size(); ++i) {
        ir::internal_check(outputs.back()[i] == kPoison, "run_plan: a write past the end");
      }
      outputs.back().resize(bytes(b));
    }
    return outputs;
  }

 private:
  std::size_t bytes(std::uint32_t b) const {
    const std::int64_t elements = plan_.buffers[b].elements.evaluate(bindings_.syms);
    return static_cast<std::size_t>(elements * ir::size_of(plan_.buffers[b].dtype));
  }

  // The buffer whose memory this one uses.
  std::uint32_t root(std::uint32_t b) const {
    while (plan_.buffers[b].donated_from >= 0) {
      b = static_cast<std::uint32_t>(plan_.buffers[b].donated_from);
    }
    return b;
  }

  void allocate(std::uint32_t b) {
    if (plan_.buffers[b].donated_from < 0) memory_[b].assign(bytes(b) + kGuard, kPoison);
  }

  // An input that is taken over is copied at the start, and then read and written in place.
  void* pointer(std::uint32_t b) {
    const std::uint32_t r = root(b);
    const ir::PlanBuffer& buffer = plan_.buffers[r];
    const bool input = buffer.role == ir::BufferRole::input && !taken_[r];
    return input ? const_cast<void*>(inputs_[buffer.index].data) : memory_[r].data();
  }

  void launch(const ir::PlanLaunch& launch) {
    const ir::Kernel& kernel = plan_.kernels[launch.kernel];
    const std::size_t params = kernel.params.size();
    const std::size_t members = std::max(launch.members, 1u);
    std::vector<ir::KernelArg> table(members * (params + 1));
    std::int64_t items = 0;
    for (std::size_t m = 0; m < members; ++m) {
      ir::KernelArg* args = table.data() + m * (params + 1);
      std::vector<std::int64_t> integers(params);
      for (std::size_t i = 0; i < params; ++i) {
        const ir::PlanArg& arg = launch.args[m * params + i];
        if (arg.kind == ir::ParamKind::buffer) args[i].pointer = pointer(arg.index);
        if (arg.kind == ir::ParamKind::integer) {
          args[i].integer = integers[i] = ir::integer_value(plan_, arg.index, bindings_.syms);
        }
        if (arg.kind == ir::ParamKind::scalar) args[i].bits = bindings_.scalars[arg.index];
      }
      args[params].integer = items;
      items += ir::grid_items(kernel, integers);
    }
    ir::each_member(table.data(), params, members, 0, items,
                    [&](const ir::KernelArg* args, std::int64_t begin, std::int64_t end) {
                      if (runner_) {
                        runner_(kernel, args, end);
                      } else {
                        ir::interpret(kernel, args, begin, end);
                      }
                    });
  }

  void call(const ir::Call& call) {
    ir::interpret(ir::BoundCall(call, bindings_.syms, [this](std::uint32_t buffer) {
      return static_cast<std::byte*>(pointer(buffer));
    }));
  }

  const ir::Plan& plan_;
  const ir::Bindings& bindings_;
  std::span<const ir::ArrayView> inputs_;
  const Runner& runner_;
  std::vector<std::vector<std::byte>> memory_;
  std::vector<bool> taken_;  // another buffer uses its memory
};

}  // namespace

std::vector<std::vector<std::byte>> run_plan(const ir::Plan& plan, const ir::Bindings& bindings,
                                             std::span<const ir::ArrayView> inputs,
                                             const Runner& runner) {
  return PlanRun(plan, bindings, inputs, runner).run();
}

std::string difference(const std::vector<std::vector<std::byte>>& expected,
                       const std::vector<std::vector<std::byte>>& actual, const ir::Graph& graph) {
  if (expected.size() != actual.size()) return "unlike numbers of outputs";
  for (std::size_t o = 0; o < expected.size(); ++o) {
    const DType type = graph.nodes[graph.outputs[o]].dtype;
    const auto size = static_cast<std::size_t>(ir::size_of(type));
    if (expected[o].size() != actual[o].size())
      return "output " + std::to_string(o) + ": sizes differ";
    for (std::size_t i = 0; i * size < expected[o].size(); ++i) {
      std::uint64_t a = 0;
      std::uint64_t b = 0;
      std::memcpy(&a, expected[o].data() + i * size, size);
      std::memcpy(&b, actual[o].data() + i * size, size);
      if (a == b) continue;
      const double x = ir::to_double(type, a);
      const double y = ir::to_double(type, b);
      if (ir::is_float(type) && x != x && y != y) continue;
      return "output " + std::to_string(o) + " element " + std::to_string(i) + ": expected " +
             std::to_string(x) + ", got " + std::to_string(y);
    }
  }
  return "";
}

ir::Caps cpu_caps() {
  ir::Caps caps;
  caps.vector_bytes = 32;
  caps.threads = 2;
  caps.cache_bytes = 32 << 20;
  return caps;
}

ir::Caps wide_cpu_caps() {
  ir::Caps caps = cpu_caps();
  caps.vector_bytes = 64;
  return caps;
}

ir::Caps cuda_caps() {
  ir::Caps caps;
  caps.target = ir::Target::cuda;
  caps.name = "sm_80";
  caps.compute_capability = 80;
  caps.shared_bytes = 48 << 10;
  caps.multiprocessors = 108;
  caps.bandwidth = 1.5e12;
  caps.rate = 19e12;
  caps.launch_seconds = 3e-6;
  return caps;
}

}  // namespace kiln::testing
