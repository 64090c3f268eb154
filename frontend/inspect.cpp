#include "kiln/inspect.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>

#include "codegen/cuda.h"
#include "frontend/access.h"
#include "frontend/compile.h"
#include "frontend/complaint.h"
#include "frontend/devices.h"
#include "frontend/dump.h"
#include "frontend/environment.h"
#include "frontend/snapshot.h"
#include "frontend/state.h"
#include "frontend/translate.h"

namespace kiln::inline v0 {

using frontend::Access;
using frontend::Complaint;
using frontend::Node;
using frontend::Snapshot;
using Json = nlohmann::ordered_json;

namespace {

// The pending part of the arrays, one snapshot a device; nothing is stored or marked.
std::vector<std::pair<std::uint16_t, Snapshot>> snapshots(const Arrays& arrays) {
  std::map<std::uint16_t, std::vector<Node*>> roots;
  std::vector<std::pair<std::uint16_t, Snapshot>> result;
  {
    std::unique_lock<std::mutex> lock(frontend::trace().mutex);
    for (const Array& x : arrays.list()) {
      Node* const root = frontend::root_of(Access::node(x));
      if (root->ready() || root->shape->size == 0) continue;
      std::vector<Node*>& list = roots[root->device];
      if (std::find(list.begin(), list.end(), root) == list.end()) list.push_back(root);
    }
    for (const auto& [device, list] : roots) {
      Snapshot snapshot;
      while (!frontend::take_snapshot(list, false, &snapshot)) frontend::state().finished.wait(lock);
      result.emplace_back(device, std::move(snapshot));
    }
  }
  for (auto& [device, snapshot] : result) {
    for (Node* const node : snapshot.outputs) frontend::trace().release(node);
    snapshot.describe();
  }
  return result;
}

struct Cluster {
  std::string name, expression, schedule, reason;
  std::vector<std::string> lines;
  std::int64_t compulsory_read = 0, compulsory_written = 0, requested_read = 0, requested_written = 0;
  std::int64_t operations = 0;
  bool library = false;
};
struct Boundary {
  std::string producer, consumer, reason;
  std::int64_t bytes = 0;
};
struct DevicePlan {
  std::string device;
  bool cached = false;
  std::size_t nodes = 0;
  std::vector<Cluster> clusters;
  std::vector<Boundary> boundaries;
  std::int64_t input_bytes = 0, output_bytes = 0, temporary_bytes = 0;
};

DevicePlan explain_plan(std::uint16_t id, Snapshot& snapshot) {
  runtime::Device& device = frontend::memory_device(id);
  DevicePlan result;
  result.device = frontend::device_name(id);
  result.nodes = snapshot.graph.nodes.size();
  ir::Graph bare = snapshot.graph;
  bare.lines.clear();
  bare.labels.clear();
  const frontend::PlanKey key{&device, snapshot.math, frontend::context().fusion};
  result.cached = frontend::state().plans.find(key, bare, ir::hash(bare)) != nullptr;
  const ir::Plan plan = frontend::make_plan(snapshot, device.caps(), key.fusion);
  const std::vector<std::int64_t>& values = snapshot.bindings.syms;
  for (std::size_t i = 0; i < plan.clusters.size(); ++i) {
    const ir::ClusterReport& c = plan.clusters[i];
    result.clusters.push_back({c.name, c.expression, c.schedule, c.schedule_reason, c.lines,
                               c.compulsory_read.evaluate(values), c.compulsory_written.evaluate(values),
                               c.requested_read.evaluate(values), c.requested_written.evaluate(values),
                               c.operations.evaluate(values), i >= plan.launches.size()});
  }
  for (const ir::BoundaryReport& b : plan.boundaries) {
    result.boundaries.push_back({ir::infix(plan.graph, b.producer, 60), ir::infix(plan.graph, b.consumer, 60),
                                 b.reason, b.bytes.evaluate(values)});
  }
  for (const ir::PlanBuffer& b : plan.buffers) {
    const std::int64_t bytes = b.elements.evaluate(values) * ir::size_of(b.dtype);
    (b.role == ir::BufferRole::input    ? result.input_bytes
     : b.role == ir::BufferRole::output ? result.output_bytes
                                        : result.temporary_bytes) += bytes;
  }
  return result;
}

std::string bytes_text(std::int64_t bytes) {
  if (bytes < 10000) return fmt::format("{} B", bytes);
  if (bytes < 10'000'000) return fmt::format("{:.1f} kB", static_cast<double>(bytes) / 1e3);
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

void write(std::string* out, const DevicePlan& plan) {
  auto to = std::back_inserter(*out);
  fmt::format_to(to, "plan on {}: {} operations, {} kernels, {} boundaries{}\n", plan.device, plan.nodes,
                 plan.clusters.size(), plan.boundaries.size(), plan.cached ? " (cached)" : "");
  fmt::format_to(to, "memory: {} in, {} out, {} temporary\n", bytes_text(plan.input_bytes),
                 bytes_text(plan.output_bytes), bytes_text(plan.temporary_bytes));
  for (std::size_t i = 0; i < plan.clusters.size(); ++i) {
    const Cluster& c = plan.clusters[i];
    fmt::format_to(to, "\n{} {}: {}\n", c.library ? "library call" : "kernel", i + 1, c.name);
    fmt::format_to(to, "  computes   {}\n", c.expression);
    fmt::format_to(to, "  schedule   {} ({})\n", c.schedule, c.reason);
    fmt::format_to(to, "  reads      {} (requests {})\n", bytes_text(c.compulsory_read), bytes_text(c.requested_read));
    fmt::format_to(to, "  writes     {} (requests {})\n", bytes_text(c.compulsory_written), bytes_text(c.requested_written));
    fmt::format_to(to, "  operations {}\n", c.operations);
    if (!c.lines.empty()) fmt::format_to(to, "  from       {}\n", joined(c.lines));
  }
  for (const Boundary& b : plan.boundaries) {
    fmt::format_to(to, "\nstored between kernels: {}\n  for        {}\n  because    {}\n  costs      {}\n", b.producer,
                   b.consumer, b.reason, bytes_text(b.bytes));
  }
}

Json to_json(const DevicePlan& plan) {
  Json json{{"device", plan.device},          {"cached", plan.cached},
            {"operations", plan.nodes},       {"input_bytes", plan.input_bytes},
            {"output_bytes", plan.output_bytes}, {"temporary_bytes", plan.temporary_bytes}};
  json["kernels"] = Json::array();
  for (const Cluster& c : plan.clusters) {
    json["kernels"].push_back({{"name", c.name},
                               {"expression", c.expression},
                               {"library", c.library},
                               {"schedule", c.schedule},
                               {"schedule_reason", c.reason},
                               {"lines", c.lines},
                               {"compulsory_read", c.compulsory_read},
                               {"compulsory_written", c.compulsory_written},
                               {"requested_read", c.requested_read},
                               {"requested_written", c.requested_written},
                               {"operations", c.operations}});
  }
  json["boundaries"] = Json::array();
  for (const Boundary& b : plan.boundaries) {
    json["boundaries"].push_back(
        {{"producer", b.producer}, {"consumer", b.consumer}, {"reason", b.reason}, {"bytes", b.bytes}});
  }
  return json;
}

}  // namespace

struct Explanation::Data {
  std::vector<DevicePlan> plans;
};

Explanation explain(const Arrays& arrays, Where where) {
  auto data = std::make_shared<Explanation::Data>();
  try {
    for (auto& [device, snapshot] : snapshots(arrays)) data->plans.push_back(explain_plan(device, snapshot));
  } catch (...) {
    frontend::translate(std::current_exception(), where);
  }
  Explanation result;
  result.data_ = std::move(data);
  return result;
}

std::string Explanation::text() const {
  if (data_->plans.empty()) return "nothing to compute: every value is in memory\n";
  std::string out;
  for (const DevicePlan& plan : data_->plans) write(&out, plan);
  return out;
}

std::string Explanation::json() const {
  Json json = Json::array();
  for (const DevicePlan& plan : data_->plans) json.push_back(to_json(plan));
  return json.dump(2);
}

[[gnu::visibility("default")]] std::ostream& operator<<(std::ostream& out, const Explanation& explanation) {
  return out << explanation.text();
}

std::vector<Source> cuda_source(const Arrays& arrays, std::string_view target, Where where) {
  const Device device = plan_only(target, where);
  runtime::Device& planner = frontend::memory_device(Access::id(device));
  if (planner.caps().target != ir::Target::cuda) {
    Complaint("cuda_source", fmt::format("{} is no CUDA target", target), where)
        .advise("sm_75, sm_80, sm_90, sm_100 or sm_120")
        .raise();
  }
  std::vector<Source> result;
  try {
    for (auto& [id, snapshot] : snapshots(arrays)) {
      const ir::Plan plan = frontend::make_plan(snapshot, planner.caps(), frontend::context().fusion);
      std::vector<bool> done(plan.kernels.size());
      for (std::size_t i = 0; i < plan.launches.size(); ++i) {
        const std::uint32_t k = plan.launches[i].kernel;
        if (done[k]) continue;
        done[k] = true;
        Source source{codegen::cuda_entry(plan.kernels[k]), plan.kernels[k].expression,
                      codegen::cuda_source(plan.kernels[k]), {}};
        for (const ir::NodeId node : i < plan.clusters.size() ? plan.clusters[i].nodes : std::vector<ir::NodeId>{}) {
          if (node >= plan.graph.lines.size()) continue;
          const std::string& line = plan.graph.lines[node];
          for (const Where& w : snapshot.lines) {
            if (w.file == nullptr || frontend::to_text(w) != line) continue;
            const bool known = std::any_of(source.lines.begin(), source.lines.end(), [&](const Where& other) {
              return other.line == w.line && std::string_view(other.file) == w.file;
            });
            if (!known) source.lines.push_back(w);
            break;
          }
        }
        result.push_back(std::move(source));
      }
    }
  } catch (...) {
    frontend::translate(std::current_exception(), where);
  }
  return result;
}

void dump(const Arrays& arrays, const std::string& directory, Where where) {
  try {
    for (auto& [id, snapshot] : snapshots(arrays)) {
      passes::PassLog log;
      const ir::Caps& caps = frontend::memory_device(id).caps();
      const ir::Plan plan = frontend::make_plan(snapshot, caps, frontend::context().fusion, &log);
      frontend::dump_plan(directory, snapshot, plan, caps, log);
    }
  } catch (...) {
    frontend::translate(std::current_exception(), where);
  }
}

}  // namespace kiln::inline v0
