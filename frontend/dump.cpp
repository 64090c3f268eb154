#include "frontend/dump.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "codegen/cuda.h"
#if KILN_HAS_LLVM
#include "codegen/llvm.h"
#endif
#include "frontend/compile.h"
#include "frontend/counters.h"
#include "frontend/environment.h"
#include "frontend/state.h"
#include "ir/traffic.h"
#include "runtime/error.h"

namespace kiln::inline v0::frontend {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

class Dump {
 public:
  Dump(const std::string& directory, const Snapshot& snapshot, const ir::Plan& plan)
      : snapshot_(snapshot), plan_(plan) {
    std::error_code error;
    fs::create_directories(directory, error);
    // The first number that is free: plans of several processes may go into one directory.
    for (int n = 0; !error; ++n) {
      folder_ = fs::path(directory) / fmt::format("plan-{:04}", n);
      if (fs::create_directory(folder_, error)) return;
    }
    throw runtime::IoError(
        fmt::format("dump: {} cannot be written: {}", directory, error.message()));
  }
  void graphs(const passes::PassLog& log);
  void kernels(const ir::Plan& plan, const ir::Caps& caps);
  void plan();

 private:
  void write(const std::string& name, const std::string& text) const {
    std::ofstream file(folder_ / name, std::ios::binary);
    file << text;
    file.close();
    if (!file)
      throw runtime::IoError(fmt::format("dump: {} cannot be written", (folder_ / name).string()));
  }
  void graph(const std::string& name, const ir::Graph& graph) const {
    write(name + ".txt", ir::print(graph));
    write(name + ".dot", ir::graphviz(graph));
  }
  void cuda(const std::string& name, const ir::Kernel& kernel, int capability) const;
  void host(const std::string& name, const ir::Kernel& kernel) const;
  Json cluster(std::size_t index) const;

  fs::path folder_;
  const Snapshot& snapshot_;
  const ir::Plan& plan_;
};

void Dump::graphs(const passes::PassLog& log) {
  graph("00-input", snapshot_.graph);
  std::string decisions;
  int n = 1;
  for (const passes::PassEntry& entry : log.entries) {
    graph(fmt::format("{:02}-{}", n++, entry.name), entry.after);
    if (!entry.findings.empty()) decisions += entry.name + ":\n" + entry.findings + "\n";
  }
  write("decisions.txt", decisions);
}

// PTX is added wherever NVRTC is found; its failure is written down, not thrown.
void Dump::cuda(const std::string& name, const ir::Kernel& kernel, int capability) const {
  const ir::KernelSource source = codegen::cuda_kernel(kernel);
  write(name + ".cu", source.text);
  runtime::Nvrtc& nvrtc = registry().nvrtc();
  if (!nvrtc.available()) return;
  try {
    write(name + ".ptx", nvrtc.compile(source.name, source.text, capability, false).ptx);
  } catch (const runtime::DeviceError& error) {
    write(name + ".ptx.log", error.what());
  }
}

void Dump::host(const std::string& name, const ir::Kernel& kernel) const {
#if KILN_HAS_LLVM
  const codegen::CpuTarget target = codegen::host_target();
  if (!target.unsupported.empty()) return;
  write(name + ".ll", codegen::llvm_ir(kernel, target));
  write(name + ".s", codegen::assembly(kernel, target));
#else
  static_cast<void>(name), static_cast<void>(kernel);
#endif
}

void Dump::kernels(const ir::Plan& plan, const ir::Caps& caps) {
  for (std::size_t i = 0; i < plan.kernels.size(); ++i) {
    const ir::Kernel& kernel = plan.kernels[i];
    const std::string name = fmt::format("{}-kernel-{:02}-{}", caps.name, i, kernel.name);
    write(name + ".txt", ir::print(kernel));
    if (kernel.target == ir::Target::cuda) {
      cuda(name, kernel, caps.compute_capability);
    } else {
      host(name, kernel);
    }
  }
}

Json Dump::cluster(std::size_t index) const {
  const ir::ClusterReport& c = plan_.clusters[index];
  const std::vector<std::int64_t>& values = snapshot_.bindings.syms;
  const ir::RequestedTraffic asked = ir::requested_traffic(plan_, index, values);
  Json json{{"name", c.name},
            {"expression", c.expression},
            {"schedule", c.schedule},
            {"schedule_reason", c.schedule_reason},
            {"lines", c.lines},
            {"compulsory_read", c.compulsory_read.evaluate(values)},
            {"compulsory_written", c.compulsory_written.evaluate(values)},
            {"requested_read", asked.bytes_read},
            {"requested_written", asked.bytes_written},
            {"requested_sectors", asked.sectors_read + asked.sectors_written},
            {"operations", c.operations.evaluate(values)}};
  if (c.launch >= 0) json["kernel"] = plan_.launches[static_cast<std::size_t>(c.launch)].kernel;
  return json;
}

void Dump::plan() {
  const std::vector<std::int64_t>& values = snapshot_.bindings.syms;
  Json json;
  json["symbols"] = Json::array();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const ir::SymInfo& s = snapshot_.graph.syms[i];
    json["symbols"].push_back(
        {{"value", values[i]}, {"low", s.lo}, {"high", s.hi}, {"multiple", s.multiple}});
  }
  json["kernels"] = Json::array();
  for (std::size_t i = 0; i < plan_.clusters.size(); ++i) json["kernels"].push_back(cluster(i));
  json["boundaries"] = Json::array();
  for (const ir::BoundaryReport& b : plan_.boundaries) {
    json["boundaries"].push_back({{"producer", b.producer},
                                  {"consumer", b.consumer},
                                  {"reason", b.reason},
                                  {"bytes", b.bytes.evaluate(values)}});
  }
  json["buffers"] = Json::array();
  static constexpr const char* kRoles[] = {"input", "output", "temporary"};
  for (const ir::PlanBuffer& b : plan_.buffers) {
    json["buffers"].push_back({{"role", kRoles[static_cast<int>(b.role)]},
                               {"dtype", ir::name(b.dtype)},
                               {"bytes", b.elements.evaluate(values) * ir::size_of(b.dtype)},
                               {"donated_from", b.donated_from}});
  }
  json["process"] = Json::object();
  add_counters(json["process"], stats());
  json["transfers"] = Json::array();
  for (const Transfer& t : transfers()) {
    json["transfers"].push_back({{"to_device", t.to_device}, {"bytes", t.bytes}, {"why", t.why}});
  }
  write("plan.json", json.dump(2) + "\n");
}

}  // namespace

void dump_plan(const std::string& directory, Snapshot& snapshot, const ir::Caps& caps) {
  passes::PassLog log;
  const ir::Plan plan = make_plan(snapshot, caps, context().fusion, &log);
  Dump dump(directory, snapshot, plan);
  dump.graphs(log);
  dump.kernels(plan, caps);
  dump.plan();
  runtime::Device& other =
      caps.target == ir::Target::cuda ? registry().cpu() : registry().plan_only("sm_80");
  dump.kernels(make_plan(snapshot, other.caps(), context().fusion), other.caps());
}

}  // namespace kiln::inline v0::frontend
