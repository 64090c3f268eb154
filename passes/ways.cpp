#include "passes/ways.h"

#include <algorithm>

#include "ir/hash.h"

namespace kiln::passes {

using ir::mix;
using ir::NodeId;
using ir::NodeKind;
using ir::Sym;

int divided_axes(const ir::Graph& graph, NodeId n) {
  const auto& groups = graph.attribute<ir::Groups>(n);
  const auto from = graph.shape(graph.operand(n, 0)), to = graph.shape(n);
  int count = 0;
  std::size_t f = 0, t = 0;
  for (std::size_t g = 0; g < groups.from.size(); ++g) {
    const std::vector<Sym> split = without_units(from.subspan(f, groups.from[g]));
    const std::vector<Sym> whole = without_units(to.subspan(t, groups.to[g]));
    if (split.size() > 1 && split != whole) count += static_cast<int>(split.size());
    f += groups.from[g];
    t += groups.to[g];
  }
  return count;
}

bool is_divided(const Context& context) {
  return std::ranges::any_of(context.index, [](const Affine& a) { return !a.divided.empty(); });
}

std::uint32_t Ways::intern(Context context) {
  const auto id = static_cast<std::uint32_t>(list_.size());
  const auto [known, fresh] = ids_.try_emplace(std::move(context), id);
  if (fresh) list_.push_back(&known->first);
  return known->second;
}

std::uint64_t Ways::longer(const Way& way, NodeId n, std::size_t operand,
                           const Context& inner) const {
  std::uint64_t route = way.route;
  switch (graph_.nodes[n].kind) {
    case NodeKind::slice: {
      const auto& slices = graph_.attribute<ir::Slices>(n);
      for (const Sym s : slices.begin) route = mix(route, s);
      for (const Sym s : slices.step) route = mix(route, s);
      return route;
    }
    case NodeKind::pad: {
      if (operand > 0) return 0;
      const auto from = graph_.shape(graph_.operand(n, 0));
      for (const Sym s : graph_.attribute<ir::Pads>(n).low) route = mix(route, s);
      for (const Sym s : from) route = mix(route, s);
      return route;
    }
    case NodeKind::concat: {
      // By where parts begin, not by which concat: those of many arrays are joined alike.
      const std::size_t axis = graph_.nodes[n].imm;
      const NodeId part = graph_.operand(n, static_cast<int>(operand));
      return mix(mix(mix(route, axis), operand), graph_.shape(part)[axis]);
    }
    case NodeKind::update: {
      if (operand == 0) return route;
      for (const Sym s : graph_.attribute<ir::Slices>(n).begin) route = mix(route, s);
      for (const Sym s : graph_.shape(graph_.operand(n, 1))) route = mix(route, s);
      return route;
    }
    case NodeKind::reshape: {
      // Of an index that was divided only the coordinates are known, not how.
      if (!is_divided(inner)) return route;
      for (const Sym s : graph_.shape(n)) route = mix(route, s);
      for (const Sym s : graph_.shape(graph_.operand(n, 0))) route = mix(route, s);
      return route;
    }
    case NodeKind::buffer:
    case NodeKind::constant:
    case NodeKind::scalar:
    case NodeKind::iota:
    case NodeKind::map:
    case NodeKind::broadcast:
    case NodeKind::permute:
    case NodeKind::put:
    case NodeKind::reduce:
    case NodeKind::arg_reduce:
    case NodeKind::contract:
    case NodeKind::scan:
    case NodeKind::sort:
    case NodeKind::loop:
    case NodeKind::item:
      return route;
  }
  return route;
}

void Ways::below(NodeId n, const Way& way, std::vector<Way>& result) {
  const std::size_t operands = graph_.operands(n).size();
  result.assign(operands, way);
  if (graph_.nodes[n].kind == NodeKind::map) return;
  std::vector<Context> inner = operand_contexts(graph_, n, context(way));
  for (std::size_t i = 0; i < operands; ++i) {
    const std::uint64_t route = longer(way, n, i, inner[i]);
    result[i] = {intern(std::move(inner[i])), route};
  }
}

}  // namespace kiln::passes
