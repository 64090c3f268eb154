#include "kiln/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <ostream>

#include "codegen/cuda.h"
#include "frontend/access.h"
#include "frontend/compile.h"
#include "frontend/complaint.h"
#include "frontend/devices.h"
#include "frontend/dump.h"
#include "frontend/environment.h"
#include "frontend/explanation.h"
#include "frontend/snapshot.h"
#include "frontend/state.h"
#include "frontend/translate.h"
#include "runtime/error.h"

namespace kiln::inline v0 {

using frontend::Access;
using frontend::Complaint;
using frontend::Node;
using frontend::Snapshot;

namespace {

// The pending part of the arrays, one snapshot a device; nothing is stored or marked.
std::vector<std::pair<std::uint16_t, Snapshot>> snapshots(const Arrays& arrays) {
  ++frontend::state().runs;
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
      try {
        while (!frontend::take_snapshot(list, frontend::Learning::nothing, &snapshot))
          frontend::state().finished.wait(lock);
      } catch (...) {
        lock.unlock();
        for (Node* const node : snapshot.beside) frontend::trace().release(node);
        throw;
      }
      frontend::name_results(arrays.list(), &snapshot);
      result.emplace_back(device, std::move(snapshot));
    }
  }
  for (auto& [device, snapshot] : result) {
    for (Node* const node : snapshot.outputs) frontend::trace().release(node);
    snapshot.describe();
  }
  return result;
}

}  // namespace

struct Explanation::Data {
  std::vector<frontend::DevicePlan> plans;
};

Explanation explain(const Arrays& arrays, Where where) {
  auto data = std::make_shared<Explanation::Data>();
  frontend::translated("explain", where, [&] {
    for (auto& [device, snapshot] : snapshots(arrays))
      data->plans.push_back(frontend::explain_plan(device, snapshot));
  });
  Explanation result;
  result.data_ = std::move(data);
  return result;
}

std::string Explanation::text() const { return frontend::explanation_text(data_->plans); }
std::string Explanation::json() const { return frontend::explanation_json(data_->plans); }

Explanation Explanation::with_resources(Where where) const {
  auto data = std::make_shared<Data>(*data_);
  frontend::translated("with_resources", where, [&] {
    for (frontend::DevicePlan& plan : data->plans) frontend::add_resources(&plan);
  });
  Explanation result;
  result.data_ = std::move(data);
  return result;
}

void Explanation::save_html(const std::string& path, Where where) const {
  frontend::translated("save_html", where, [&] {
    std::ofstream file(path, std::ios::binary);
    file << frontend::explanation_html(data_->plans);
    file.close();
    if (!file) throw runtime::IoError(fmt::format("{} cannot be written", path));
  });
}

[[gnu::visibility("default")]] std::ostream& operator<<(std::ostream& out,
                                                        const Explanation& explanation) {
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
      const ir::Plan plan =
          frontend::make_plan(snapshot, planner.caps(), frontend::context().fusion);
      std::vector<bool> done(plan.kernels.size());
      for (std::size_t i = 0; i < plan.launches.size(); ++i) {
        const std::uint32_t k = plan.launches[i].kernel;
        if (done[k]) continue;
        done[k] = true;
        ir::KernelSource code = codegen::cuda_kernel(plan.kernels[k]);
        Source source{std::move(code.name), plan.kernels[k].expression, std::move(code.text), {}};
        for (const ir::NodeId node : plan.clusters[plan.launches[i].report].nodes) {
          if (node >= plan.graph.lines.size()) continue;
          const std::string& line = plan.graph.lines[node];
          for (std::uint32_t n = 0; n < snapshot.lines.size(); ++n) {
            const Where w = snapshot.line(n);
            if (w.file == nullptr || frontend::to_text(w) != line) continue;
            const bool known =
                std::any_of(source.lines.begin(), source.lines.end(), [&](const Where& other) {
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
    frontend::translate("cuda_source", where);
  }
  return result;
}

void dump(const Arrays& arrays, const std::string& directory, Where where) {
  frontend::translated("dump", where, [&] {
    for (auto& [id, snapshot] : snapshots(arrays)) {
      frontend::dump_plan(directory, snapshot,
                          frontend::caps_for(snapshot, frontend::memory_device(id)));
    }
  });
}

}  // namespace kiln::inline v0
