#include "frontend/check.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "frontend/check_plan.h"
#include "frontend/compile.h"
#include "frontend/complaint.h"
#include "frontend/environment.h"
#include "frontend/host_memory.h"
#include "ir/mutant.h"
#include "ir/scalar.h"

namespace kiln::inline v0::frontend {

namespace {

std::uint64_t element(ir::DType t, const std::byte* data, std::int64_t i) {
  std::uint64_t bits = 0;
  const auto size = static_cast<std::size_t>(ir::size_of(t));
  std::memcpy(&bits, data + static_cast<std::size_t>(i) * size, size);
  return bits;
}

double largest(ir::DType t, const std::vector<std::byte>& values) {
  double result = 0;
  const std::int64_t count = static_cast<std::int64_t>(values.size()) / ir::size_of(t);
  for (std::int64_t i = 0; i < count; ++i) {
    const double x = std::abs(ir::to_double(t, element(t, values.data(), i)));
    if (std::isfinite(x)) result = std::max(result, x);
  }
  return result;
}

// The first element that differs.
std::optional<std::int64_t> difference(ir::DType t, const std::vector<std::byte>& wanted,
                                       const std::byte* got, bool loose) {
  const std::int64_t count = static_cast<std::int64_t>(wanted.size()) / ir::size_of(t);
  const double slack = loose && ir::is_float(t) ? 1e-3 * largest(t, wanted) : 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint64_t a = element(t, wanted.data(), i), b = element(t, got, i);
    if (a == b) continue;
    if (ir::is_float(t)) {
      const double x = ir::to_double(t, a), y = ir::to_double(t, b);
      if ((std::isnan(x) && std::isnan(y)) || std::abs(x - y) < slack) continue;
    }
    return i;
  }
  return std::nullopt;
}

using Bytes = std::vector<std::byte>;

std::int64_t total(const std::vector<Bytes>& parts) {
  std::int64_t bytes = 0;
  for (const Bytes& part : parts) bytes += static_cast<std::int64_t>(part.size());
  return bytes;
}

// Each input's memory, on the host.
std::vector<runtime::Block> host_inputs(const Snapshot& snapshot, const char* why) {
  std::vector<runtime::Block> blocks;
  for (const Snapshot::Input& input : snapshot.inputs) {
    blocks.push_back(on_behalf_of(input.node, [&] {
      return input.storage->on(registry().cpu(), snapshot.line(input.node), why);
    }));
  }
  return blocks;
}

// The same for memory that only an interpretation takes.
template <class Take>
void interpreting_on_behalf_of(ir::NodeId node, Take take) {
  try {
    on_behalf_of(node, take);
  } catch (runtime::OutOfMemory& error) {
    error.interpreting = true;
    throw;
  }
}

// Memory is counted beside so many bytes that are counted already.
std::vector<Bytes> counted_interpretation(const ir::Graph& graph, const ir::Bindings& bindings,
                                          std::span<const ir::ArrayView> views,
                                          runtime::OtherMemory& counted, std::int64_t aside,
                                          ir::Watch watch = {}) {
  watch.memory = [&](ir::NodeId n, std::int64_t held) {
    interpreting_on_behalf_of(n, [&] { counted.resize(aside + held); });
  };
  std::vector<Bytes> outputs = ir::interpret(graph, bindings, views, watch);
  counted.resize(aside + total(outputs));
  return outputs;
}

std::vector<Bytes> interpret_on_host(Snapshot& snapshot, const char* why,
                                     runtime::OtherMemory& counted, std::int64_t aside,
                                     ir::Watch watch) {
  const std::vector<runtime::Block> blocks = host_inputs(snapshot, why);
  std::vector<ir::ArrayView> views;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    views.push_back({static_cast<const std::byte*>(blocks[i].data()) + snapshot.inputs[i].offset});
  }
  return counted_interpretation(snapshot.graph, snapshot.bindings, views, counted, aside,
                                std::move(watch));
}

std::vector<ir::ArrayView> views_of(const Snapshot& snapshot, const Reference& reference) {
  std::vector<ir::ArrayView> views;
  for (std::size_t i = 0; i < snapshot.inputs.size(); ++i) {
    views.push_back({reference.storages[i].data() + snapshot.inputs[i].offset});
  }
  return views;
}

// The memory of each input in hexadecimal, or only its size where it is large.
void write_inputs(std::ostream& file, const Snapshot& snapshot, const Reference& reference) {
  constexpr std::size_t kMostBytes = 1 << 16;
  for (std::size_t i = 0; i < snapshot.inputs.size(); ++i) {
    const std::vector<std::byte>& bytes = reference.storages[i];
    file << "# input " << snapshot.inputs[i].offset << ' ';
    if (bytes.size() > kMostBytes) {
      file << "size " << bytes.size() << '\n';
      continue;
    }
    for (const std::byte b : bytes) file << fmt::format("{:02x}", static_cast<unsigned>(b));
    file << '\n';
  }
}

// What kiln_replay reads.
std::string write_reproducer(const Snapshot& snapshot, const Reference& reference,
                             const std::string& message) {
  static std::atomic<int> count{0};
  std::error_code ignored;
  const std::filesystem::path path = std::filesystem::temp_directory_path(ignored) /
                                     fmt::format("kiln-failure-{}-{}.txt", getpid(), count++);
  std::ofstream file(path);
  file << "# " << message << "\n" << ir::print(snapshot.graph) << "# symbols:";
  for (const std::int64_t value : snapshot.bindings.syms) file << ' ' << value;
  file << "\n# scalars:";
  for (const std::uint64_t bits : snapshot.bindings.scalars) file << ' ' << bits;
  file << '\n';
  write_inputs(file, snapshot, reference);
  return file ? path.string() : std::string();
}

bool all_equal(const Snapshot& snapshot, const Reference& reference,
               const std::vector<std::vector<std::byte>>& outputs, bool loose) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const ir::DType t = snapshot.graph.nodes[snapshot.graph.outputs[i]].dtype;
    if (difference(t, reference.outputs[i], outputs[i].data(), loose)) return false;
  }
  return true;
}

// Of the stages behind the graph passes, the one without which the interpreted plan is right; empty
// if the plan is right, so that code generation or the device is at fault, or has library calls.
std::string guilty_stage(const Snapshot& snapshot, const Reference& reference,
                         const runtime::LoadedPlan& plan, bool loose) {
  const std::vector<ir::ArrayView> views = views_of(snapshot, reference);
  const auto is_right = [&](bool fusion, bool donate) {
    passes::Options options = plan_options(fusion);
    options.donate = donate;
    const ir::Plan made =
        passes::make_plan(snapshot.graph, caps_for(snapshot, plan.device()), options);
    const auto outputs = interpret_plan(made, snapshot.bindings, views);
    return !outputs || all_equal(snapshot, reference, *outputs, loose);
  };
  const bool fusion = context().fusion;
  if (is_right(fusion, true)) return "";
  if (is_right(fusion, false)) return "pass memory";
  return fusion && is_right(false, false) ? "pass fuse" : "pass schedule";
}

// The pass after which the interpreter gives other bits; empty if none does.
std::string guilty_pass(Snapshot& snapshot, const Reference& reference,
                        const runtime::LoadedPlan& plan, bool loose) {
  passes::PassLog log;
  make_plan(snapshot, caps_for(snapshot, plan.device()), context().fusion, &log);
  const std::vector<ir::ArrayView> views = views_of(snapshot, reference);
  runtime::OtherMemory counted(host_allocator());
  for (const passes::PassEntry& entry : log.entries) {
    const auto outputs = counted_interpretation(entry.after, snapshot.bindings, views, counted, 0);
    if (!all_equal(snapshot, reference, outputs, loose)) return "pass " + entry.name;
  }
  return "";
}

// The kernels that write an output.
std::string guilty_kernels(const Snapshot& snapshot, const ir::Plan& plan, std::uint32_t buffer) {
  std::string names;
  for (const ir::PlanLaunch& launch : plan.launches) {
    const ir::Kernel& kernel = plan.kernels[launch.kernel];
    for (std::size_t i = 0; i < launch.args.size(); ++i) {
      const bool writes = launch.args[i].kind == ir::ParamKind::buffer &&
                          launch.args[i].index == buffer &&
                          kernel.params[i % kernel.params.size()].written;
      if (!writes) continue;
      names += (names.empty() ? "kernel " : ", ") +
               runtime::label_of(plan, launch, snapshot.lines).text();
    }
  }
  return names.empty() ? "a call" : names;
}

}  // namespace

Reference interpret_reference(Snapshot& snapshot) {
  Reference reference;
  reference.counted = std::make_unique<runtime::OtherMemory>(host_allocator());
  std::int64_t copied = 0;
  if (context().mode == Mode::check) {
    const std::vector<runtime::Block> blocks = host_inputs(snapshot, "check");
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const auto* const first = static_cast<const std::byte*>(blocks[i].data());
      const std::int64_t bytes = snapshot.inputs[i].storage->bytes();
      interpreting_on_behalf_of(snapshot.inputs[i].node,
                                [&] { reference.counted->resize(copied += bytes); });
      reference.storages.emplace_back(first, first + bytes);
    }
  }
  reference.outputs = interpret_on_host(snapshot, "check", *reference.counted, copied, {});
  return reference;
}

void watch_interpretation(Snapshot& snapshot, const char* why, ir::Watch watch) {
  runtime::OtherMemory counted(host_allocator());
  interpret_on_host(snapshot, why, counted, 0, std::move(watch));
}

namespace {

// Who made an output wrong.
std::string guilty(Snapshot& snapshot, const Reference& reference, const runtime::LoadedPlan& plan,
                   std::size_t output, bool loose) {
  std::string names;
  try {
    names = guilty_pass(snapshot, reference, plan, loose);
    if (names.empty()) names = guilty_stage(snapshot, reference, plan, loose);
  } catch (const runtime::OutOfMemory&) {
    names = "a pass that there was no memory to look for";
  }
  return names + (names.empty() ? "" : ", ") +
         guilty_kernels(snapshot, plan.plan(), plan.plan().outputs[output]);
}

}  // namespace

void compare(Snapshot& snapshot, const Reference& reference, const runtime::LoadedPlan& plan,
             std::span<const runtime::Block> outputs) {
  const bool loose = snapshot.products;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const ir::NodeId node = snapshot.graph.outputs[i];
    const ir::DType t = snapshot.graph.nodes[node].dtype;
    const auto bytes = static_cast<std::int64_t>(reference.outputs[i].size());
    const std::unique_ptr<runtime::OtherMemory> counted = on_behalf_of(
        node, [&] { return std::make_unique<runtime::OtherMemory>(host_allocator(), bytes); });
    std::vector<std::byte> got(reference.outputs[i].size());
    plan.device().download(got.data(), *outputs[i].memory, outputs[i].offset, bytes);
    const std::optional<std::int64_t> at = difference(t, reference.outputs[i], got.data(), loose);
    if (!at || mutant(ir::Mutant::blind_check)) continue;
    const std::string message = fmt::format(
        "{} on {}: element {} of output {} ({}) is {} (bits {:#x}), should be {} (bits {:#x})",
        guilty(snapshot, reference, plan, i, loose), plan.device().name(), *at, i,
        ir::infix(snapshot.graph, node), ir::to_double(t, element(t, got.data(), *at)),
        element(t, got.data(), *at), ir::to_double(t, element(t, reference.outputs[i].data(), *at)),
        element(t, reference.outputs[i].data(), *at));
    const std::string reproducer = write_reproducer(snapshot, reference, message);
    const Advice advice =
        Complaint("check", message, snapshot.line(node))
            .advise(fmt::format("report this, it is a bug of Kiln{}; KILN_DISABLE_PASSES or "
                                "Scope({{.fusion = false}}) may go around it",
                                reproducer.empty() ? "" : ", with " + reproducer));
    InternalError error(advice.text());
    error.where = advice.where();
    error.reproducer = reproducer;
    throw error;
  }
}

}  // namespace kiln::inline v0::frontend
