#include "runtime/label.h"

#include <algorithm>
#include <vector>

namespace kiln::runtime {

std::string LaunchNote::text() const {
  std::vector<std::string> distinct;  // one file may have several names
  for (std::size_t i = 0; i < count; ++i) {
    std::string line = ir::to_text(lines[i]);
    if (std::ranges::find(distinct, line) == distinct.end()) distinct.push_back(std::move(line));
  }
  std::string text = name;
  for (std::size_t i = 0; i < distinct.size(); ++i) text += (i == 0 ? " (" : ", ") + distinct[i];
  if (more) text += ", ...";
  return distinct.empty() ? text : text + ")";
}

void LaunchLabel::write(LaunchNote* note) const {
  note->name.assign(name);
  note->count = 0;
  note->more = false;
  if (graph == nullptr) return;
  for (const ir::NodeId node : nodes) {
    const ir::NodeId origin = graph->origins.empty() ? node : graph->origins[node];
    if (origin >= lines.size() || lines[origin].file == nullptr) continue;
    const auto end = note->lines.begin() + static_cast<std::ptrdiff_t>(note->count);
    if (std::find(note->lines.begin(), end, lines[origin]) != end) continue;
    if (note->count == LaunchNote::kMost) {
      note->more = true;
      return;
    }
    note->lines[note->count++] = lines[origin];
  }
}

std::string LaunchLabel::text() const {
  LaunchNote note;
  write(&note);
  return note.text();
}

namespace {

LaunchLabel label(const ir::Plan& plan, std::uint32_t number, std::string_view otherwise,
                  std::span<const ir::SourceLine> lines) {
  if (number >= plan.clusters.size()) return {otherwise};
  const ir::ClusterReport& report = plan.clusters[number];
  return {report.name, &plan.graph, report.nodes, lines};
}

}  // namespace

LaunchLabel label_of(const ir::Plan& plan, const ir::PlanLaunch& launch,
                     std::span<const ir::SourceLine> lines) {
  return label(plan, launch.report, plan.kernels[launch.kernel].name, lines);
}

LaunchLabel label_of(const ir::Plan& plan, const ir::Call& call,
                     std::span<const ir::SourceLine> lines) {
  return label(plan, call.report, ir::call_name(call.what), lines);
}

}  // namespace kiln::runtime
