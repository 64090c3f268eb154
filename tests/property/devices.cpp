#include "tests/property/devices.h"

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

#include "frontend/compile.h"
#include "runtime/execute.h"
#include "tests/plans/programs.h"

namespace kiln::testing {

namespace {

using ir::test::RandomGraph;
using Bytes = std::vector<std::byte>;

runtime::Config host_config(int threads) {
  runtime::Config config;
  config.threads = threads;
  return config;
}

// A run about CUDA (KILN_DEVICE=cuda) takes the driver of the machine, or the one that is named.
bool own_driver() {
  const char* const device = std::getenv("KILN_DEVICE");
  return device != nullptr && std::string_view(device).starts_with("cuda");
}

// The simulator takes PTX only: machine code would be made for nothing.
runtime::Config cuda_config() {
  runtime::Config config;
  config.cuda_driver = KILN_CUDASIM;
  const char* const named = std::getenv("KILN_CUDA_DRIVER");
  if (own_driver()) config.cuda_driver = named != nullptr ? named : "";
  const char* const library = std::getenv("KILN_CUBLASLT");
  config.cublaslt = !own_driver() ? KILN_CUDASIM : library != nullptr ? library : "";
  config.cubin = own_driver() && named == nullptr;
  if (const char* const nvrtc = std::getenv("KILN_NVRTC")) config.nvrtc = nvrtc;
  return config;
}

// Null on a driver that is not simulated.
template <class Function>
Function* simulator(const char* name) {
  void* const driver = dlopen(cuda_config().cuda_driver.c_str(), RTLD_NOW);
  return driver != nullptr ? reinterpret_cast<Function*>(dlsym(driver, name)) : nullptr;
}

std::vector<runtime::Block> upload(runtime::Device& device, const RandomGraph& g) {
  std::vector<runtime::Block> blocks;
  for (std::size_t i = 0; i < g.memory.size(); ++i) {
    const auto bytes = static_cast<std::int64_t>(g.memory[i].size());
    blocks.push_back({device.allocate(bytes), g.offset[i]});
    device.upload(*blocks.back().memory, 0, g.memory[i].data(), bytes);
  }
  return blocks;
}

Bytes download(const runtime::Block& block, std::size_t bytes) {
  Bytes result(bytes);
  if (bytes == 0) return result;
  block.memory->device().download(result.data(), *block.memory, block.offset,
                                  static_cast<std::int64_t>(bytes));
  return result;
}

std::string changed_input(const RandomGraph& g, const std::vector<runtime::Block>& inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (g.graph.inputs[i].donatable) continue;
    if (download({inputs[i].memory, 0}, g.memory[i].size()) != g.memory[i]) {
      return "input " + std::to_string(i) + " was written to";
    }
  }
  return "";
}

// Estimates of work decide about threads: claimed to be large, they make every launch use both.
void claim_much_work(ir::Plan& plan) {
  for (ir::ClusterReport& report : plan.clusters) {
    report.operations = ir::SizeExpr::constant(std::int64_t{1} << 50);
  }
}

}  // namespace

Devices::Devices()
    : one_thread_(host_config(1)), two_threads_(host_config(2)), kernels_(runtime::Config()) {}

std::string Devices::missing(Where where) {
  if (where != Where::cuda) return "";
  if (!own_driver() && *KILN_CUDASIM == '\0') return "the simulated driver was not built";
  if (!cuda_) cuda_ = std::make_unique<runtime::Registry>(cuda_config());
  if (cuda_->cuda_count() == 0) return cuda_->cuda_missing();
  return cuda_->nvrtc().available() ? "" : cuda_->nvrtc().missing();
}

runtime::Device& Devices::device(Where where) {
  if (where == Where::one_thread) return one_thread_.cpu();
  if (where == Where::two_threads) return two_threads_.cpu();
  if (!cuda_) cuda_ = std::make_unique<runtime::Registry>(cuda_config());
  return cuda_->cuda(0);
}

// A fault loses the device for good; its kernels go with it.
void Devices::restart_cuda() {
  kernels_.clear_memory();
  cuda_.reset();
  if (auto* const reset = simulator<decltype(kilnsim_reset)>("kilnsim_reset")) reset();
}

ir::Caps Devices::caps_of(runtime::Device& device, const Setting& setting) {
  ir::Caps caps = device.caps();
  caps.products = device.products_missing().empty() ? setting.products : ir::Products::none;
  return caps;
}

// `changed`: the input that was written to, if one was.
std::vector<Bytes> Devices::run(const RandomGraph& g, const Setting& setting,
                                std::string& changed) {
  runtime::Device& on = device(setting.where);
  passes::Options options;
  options.fusion = setting.fusion;
  ir::Plan plan = passes::make_plan(g.graph, caps_of(on, setting), options);
  if (setting.where == Where::two_threads) claim_much_work(plan);
  const runtime::LoadedPlan loaded =
      runtime::load(on, std::move(plan), frontend::compiler_for(on), kernels_);
  const std::vector<runtime::Block> inputs = upload(on, g);
  const std::vector<runtime::Block> blocks = runtime::execute(loaded, g.bindings, inputs);
  std::vector<Bytes> results;
  for (std::size_t o = 0; o < blocks.size(); ++o) {
    const ir::NodeId n = g.graph.outputs[o];
    const std::int64_t elements = g.graph.size(n).evaluate(g.bindings.syms);
    const auto bytes = elements * ir::size_of(g.graph.nodes[n].dtype);
    results.push_back(download(blocks[o], static_cast<std::size_t>(bytes)));
  }
  changed = changed_input(g, inputs);
  return results;
}

std::vector<Bytes> Devices::outputs(const RandomGraph& g, const Setting& setting) {
  std::string changed;
  return run(g, setting, changed);
}

std::string Devices::compare(const RandomGraph& g, const Setting& setting) {
  std::string changed;
  const std::vector<Bytes> actual = run(g, setting, changed);
  const std::string what =
      difference(ir::interpret(g.graph, g.bindings, g.inputs()), actual, g.graph);
  return what.empty() ? changed : what;
}

Devices::Counted Devices::count(const RandomGraph& g) {
  runtime::Device& on = device(Where::cuda);
  Counted result{passes::make_plan(g.graph, caps_of(on, {})), {}};
  const runtime::LoadedPlan loaded =
      runtime::load(on, result.plan, frontend::compiler_for(on), kernels_);
  const std::vector<runtime::Block> inputs = upload(on, g);
  simulator<decltype(kilnsim_reset_counters)>("kilnsim_reset_counters")();
  const std::vector<runtime::Block> blocks = runtime::execute(loaded, g.bindings, inputs);
  simulator<decltype(kilnsim_get_counters)>("kilnsim_get_counters")(&result.counters);
  on.synchronize();
  return result;
}

std::string Devices::failure(const RandomGraph& g, const Setting& setting) {
  try {
    return compare(g, setting);
  } catch (const runtime::DeviceError& e) {
    std::string what = e.what();
    if (setting.where == Where::cuda) {
      if (auto* const report = simulator<decltype(kilnsim_last_report)>("kilnsim_last_report")) {
        what += report();
      }
      restart_cuda();
    }
    return what;
  } catch (const std::exception& e) {
    return e.what();
  }
}

std::string Devices::smallest_failure(const RandomGraph& g, const Setting& setting) {
  std::string what = failure(g, setting);
  if (what.empty()) return "";
  ir::Graph least = g.graph;
  for (ir::NodeId n = 0; n < g.graph.nodes.size(); ++n) {
    const RandomGraph prefix = ir::test::with_output(g, n);
    const std::string why = failure(prefix, setting);
    if (why.empty()) continue;
    least = prefix.graph;
    what = why;
    break;
  }
  return std::string(setting.name) + ": " + what + "\n" + ir::print(least);
}

}  // namespace kiln::testing
