#include "passes/scene.h"

#include <algorithm>
#include <cctype>
#include <map>

namespace kiln::passes {

using ir::kNoValue;
using ir::Value;

namespace {

ir::DType index_type(const ClusterContext& c) {
  const bool narrow = c.caps.target == ir::Target::cuda && !c.graph.wide;
  return narrow ? ir::DType::int32 : ir::DType::int64;
}

// Whether `lanes` consecutive elements along an axis, from a multiple of lanes on, are one aligned
// vector (or, where the access does not move along it, one element).
bool aligned(const ClusterContext& c, const Access& access, const MergedAxis& along,
             std::int64_t lanes) {
  const ir::Node& leaf = c.graph.nodes[access.leaf];
  const Affine offset = linear(c.graph, access);
  const Stride stride = stride_of(c.graph, access, along.coordinate);
  if (stride == Stride::none) return true;
  if (stride == Stride::other || !offset.offset.empty() || !offset.divided.empty()) return false;
  if (!access.guards.empty()) return false;
  if (!access.output && is_input(leaf) && !c.graph.inputs[leaf.attr].aligned) {
    return false;
  }
  return std::ranges::all_of(offset.terms, [&](const Affine::Term& term) {
    // The other coordinates of a merged run stay 0.
    const bool in_run = std::ranges::find(along.run, term.coordinate) != along.run.end();
    const Monomial& by = term.coefficient;
    return term.coordinate == along.coordinate || (in_run && !along.by_index) ||
           std::abs(by.coefficient) * known_multiple(c.graph, by.factors) % lanes == 0;
  });
}

}  // namespace

std::int64_t known_multiple(const ir::Graph& graph, std::span<const ir::Sym> factors) {
  std::int64_t known = 1;
  for (const ir::Sym s : factors) known *= graph.sym(s).multiple;
  return known;
}

std::int64_t aligned_lanes(const ClusterContext& c, const MergedAxis& along, std::int64_t lanes) {
  if (lanes < 2) return 1;
  bool all = std::ranges::all_of(
      c.space.reads, [&](const Access& access) { return aligned(c, access, along, lanes); });
  for (const ClusterOutput& output : c.cluster.outputs) {
    all = all && aligned(c, stored_access(c.graph, c.partition, output), along, lanes);
  }
  return all ? lanes : 1;
}

std::int64_t upper(const ir::Graph& graph, const std::vector<MergedAxis>& axes) {
  double size = 1;
  for (const MergedAxis& axis : axes) {
    for (const ir::Sym s : axis.extents) size *= static_cast<double>(graph.sym(s).hi);
  }
  return size > 4e18 ? std::int64_t{4'000'000'000'000'000'000} : static_cast<std::int64_t>(size);
}

std::int64_t lower(const ir::Graph& graph, const std::vector<MergedAxis>& axes) {
  double size = 1;
  for (const MergedAxis& axis : axes) {
    for (const ir::Sym s : axis.extents) size *= static_cast<double>(graph.sym(s).lo);
  }
  return static_cast<std::int64_t>(size);
}

std::int64_t widest(const ClusterContext& c) {
  std::int64_t bytes = 1;
  for (const ir::NodeId n : c.space.inside)
    bytes = std::max(bytes, ir::size_of(c.graph.nodes[n].dtype));
  for (const ir::NodeId n : c.cluster.reduces) {
    bytes = std::max(bytes, ir::size_of(c.graph.nodes[c.graph.operand(n, 0)].dtype));
  }
  for (const Access& a : c.space.reads)
    bytes = std::max(bytes, ir::size_of(c.graph.nodes[a.leaf].dtype));
  for (const ClusterOutput& o : c.cluster.outputs) {
    bytes = std::max(bytes, ir::size_of(c.graph.nodes[o.node].dtype));
  }
  return bytes;
}

MergedAxis flattened(const std::vector<MergedAxis>& axes) {
  MergedAxis all;
  for (const MergedAxis& axis : axes) {
    all.extents.insert(all.extents.end(), axis.extents.begin(), axis.extents.end());
  }
  return all;
}

std::vector<ScheduledTemporary> split_temporaries(const ClusterContext& c, std::int64_t piece) {
  // At most rows * (length / piece + 1) pieces.
  std::vector<ir::Sym> all = c.cluster.outer;
  ir::SizeExpr elements = ir::SizeExpr::product(1, all);
  all.insert(all.end(), c.cluster.inner.begin(), c.cluster.inner.end());
  elements += ir::SizeExpr::product(1, all, piece);
  std::vector<ScheduledTemporary> result;
  for (const ir::NodeId n : c.cluster.reduces) {
    const Reducer r(c.graph, n, 0);
    for (std::size_t part = 0; part < r.part_count(); ++part) {
      result.push_back({r.type(part), elements});
    }
  }
  return result;
}

Partials::Partials(Scene& scene, Access access) : b_(scene.b) {
  std::uint32_t number = 0;
  for (const Reducer& r : scene.reducers(0)) {
    memories_.emplace_back();
    for (std::size_t part = 0; part < r.part_count(); ++part, ++number) {
      memories_.back().push_back(
          scene.e.temporary(r.type(part), "part" + std::to_string(number), number, access == read));
    }
  }
}

void Partials::store(Value at, const std::vector<Parts>& totals, Value mask) const {
  for (std::size_t i = 0; i < totals.size(); ++i) {
    for (std::size_t part = 0; part < totals[i].size(); ++part) {
      b_.store(memories_[i][part], at, totals[i][part], mask);
    }
  }
}

Parts Partials::load(std::size_t reduction, Value at, int lanes, Value mask) const {
  Parts parts;
  for (const std::uint32_t memory : memories_[reduction]) {
    parts.push_back(b_.load(memory, at, lanes, mask));
  }
  return parts;
}

std::uint8_t streaming_flags(const ClusterContext& c, const std::vector<MergedAxis>& axes) {
  // Half of the last-level cache, where the size that the machine tells is a sensible one.
  const std::int64_t large = std::clamp<std::int64_t>(c.caps.cache_bytes / 2, 4 << 20, 64 << 20);
  constexpr std::int64_t kLineElements = 16;  // of a cache line, elements of 4 bytes
  if (has_puts(c.partition, c.cluster)) return 0;
  const bool lines = std::ranges::any_of(
      axes.back().extents, [&](ir::Sym s) { return c.graph.sym(s).multiple % kLineElements == 0; });
  if (axes.size() != 1 && !lines) return 0;
  std::int64_t least = 8;
  for (const ClusterOutput& output : c.cluster.outputs) {
    if (output.coordinates.size() < axes.size()) continue;
    least = std::min(least, ir::size_of(c.graph.nodes[output.node].dtype));
  }
  // A vector of the narrowest output must fill whole registers.
  if (least < 4 || lower(c.graph, axes) * least < large) return 0;
  return axes.size() == 1 ? ir::kNonTemporal | ir::kAligned : ir::kNonTemporal;
}

namespace {

// How often the cluster's values are made by one and the same function of ir/math.
std::size_t uses_of_one_function(const ClusterContext& c) {
  std::map<std::pair<ir::Op, bool>, std::size_t> uses;
  std::size_t most = 0;
  for (const ir::NodeId n : c.space.inside) {
    const ir::Node& node = c.graph.nodes[n];
    if (!is_map(node) || !ir::has(node.op, ir::kExpands)) continue;
    most = std::max(most, ++uses[{node.op, node.dtype == ir::DType::float64}]);
  }
  return most;
}

}  // namespace

// Registers full of the widest dtype: two hide latencies, more would be stored and loaded again.
// A function that is used several times is called (codegen/llvm), which four registers repay.
int cpu_lanes(const ClusterContext& c) {
  const std::int64_t bytes = widest(c);
  const std::int64_t registers = uses_of_one_function(c) > 1 && bytes >= 4 ? 4 : 2;
  const std::int64_t lanes = registers * c.caps.vector_bytes / bytes;
  return static_cast<int>(std::clamp<std::int64_t>(lanes, 4, ir::kReduceLanes));
}

std::string kernel_name(const ClusterContext& c) {
  std::string name;
  const auto append = [&name](std::string_view part) {
    if (!name.empty()) name += '_';
    for (const char ch : part) name += std::isalnum(static_cast<unsigned char>(ch)) ? ch : '_';
  };
  for (const ClusterOutput& output : c.cluster.outputs) {
    if (name.size() > 40) break;
    ir::NodeId made = output.node;  // another order of a value that the kernel makes
    while (c.graph.nodes[made].kind == ir::NodeKind::permute ||
           c.graph.nodes[made].kind == ir::NodeKind::put) {
      made = c.graph.operand(made, 0);
    }
    if (made != output.node && c.partition.stored[made]) made = output.node;
    const ir::Node& node = c.graph.nodes[made];
    const bool labelled = !c.graph.labels.empty() && !c.graph.labels[output.node].empty();
    if (labelled) {
      append(c.graph.labels[output.node]);
    } else if (is_map(node)) {
      append(ir::info(node.op).name);
    } else if (folds(node)) {
      append(node.op == ir::Op::add ? "sum" : ir::info(node.op).name);
    } else {
      append("copy");
    }
  }
  return name.empty() ? "kernel" : name;
}

Scene::Scene(const ClusterContext& context, Stage stage)
    : b(context.caps.target, index_type(context)),
      e(context.graph, context.partition.stored, b),
      context_(context),
      stage_(stage),
      at_(context.space.coordinates) {
  e.bound(context.partition.longest);
  b.kernel().name = kernel_name(context) + (stage == Stage::part ? "_part" : "");
  for (const ClusterOutput& output : context.cluster.outputs) {
    e.computes(output.node);
    if (context.partition.is_put(output.node))
      e.puts(output.node, context.partition.whole[output.node]);
  }
  for (LaneIndex& index : at_) index = e.zero();
}

Value Scene::length(const MergedAxis& axis) { return e.length(axis.extents); }

Value Scene::length(const std::vector<MergedAxis>& axes) {
  Value result = b.index(1);
  for (const MergedAxis& axis : axes) result = b.mul(result, length(axis));
  return result;
}

void Scene::grid(const std::vector<MergedAxis>& axes, std::int64_t piece) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    ir::GridFactor factor;
    if (!axes[i].extents.empty()) factor.params.push_back(e.length_param(axes[i].extents));
    if (i + 1 == axes.size()) factor.divisor = piece;
    b.kernel().grid.push_back(std::move(factor));
  }
}

void Scene::set(const MergedAxis& axis, LaneIndex index) {
  if (!axis.by_index) {
    at_[axis.coordinate] = index;
    return;
  }
  index.run = axis.coordinate + 1;
  for (std::size_t i = 0; i < axis.run.size(); ++i) {
    index.scale =
        e.scale({axis.extents.begin() + static_cast<std::ptrdiff_t>(i) + 1, axis.extents.end()});
    index.residue = i > 0;
    index.extent = i > 0 ? axis.extents[i] : ir::kZero;
    at_[axis.run[i]] = index;
  }
}

void Scene::set_linear(const std::vector<MergedAxis>& axes, LaneIndex linear) {
  for (std::size_t i = axes.size(); i-- > 0;) {
    if (i == 0) {
      set(axes[0], linear);
    } else {
      const Value extent = length(axes[i]);
      set(axes[i], e.rem_by(linear, extent));
      linear = e.div_by(linear, extent);
    }
  }
}

Point Scene::point(const Coordinates& coordinates) {
  Point p;
  for (const std::uint32_t c : coordinates) p.index.push_back(c == kUnit ? e.zero() : at_[c]);
  p.lane_mask = lane_mask_;
  return p;
}

std::vector<Reducer> Scene::reducers(int phase) const {
  std::vector<Reducer> result;
  const Cluster& cluster = context_.cluster;
  for (std::size_t i = 0; i < cluster.reduces.size(); ++i) {
    if (cluster.phases[i] == phase) result.emplace_back(context_.graph, cluster.reduces[i], i);
  }
  return result;
}

std::vector<Reducer> Scene::nested_reducers() const {
  std::vector<Reducer> result;
  const Cluster& cluster = context_.cluster;
  for (const ir::NodeId n : cluster.nested_reduces) {
    result.emplace_back(context_.graph, n, cluster.reduces.size() + result.size());
  }
  return result;
}

int Scene::phases() const {
  const auto& phases = context_.cluster.phases;
  return phases.empty() ? 0 : *std::ranges::max_element(phases) + 1;
}

Parts Scene::element(const Reducer& reducer, Value position) {
  return reducer.element(e, point(reduce_coordinates(context_.graph, reducer.node())), position);
}

std::vector<Emitter::Read> Scene::fixed_reads(const std::vector<MergedAxis>& along, int phase,
                                              Value here, Value there) {
  std::vector<std::pair<ir::NodeId, Coordinates>> wanted;
  for (const Reducer& r : reducers(phase)) {
    wanted.emplace_back(context_.graph.operand(r.node(), 0),
                        reduce_coordinates(context_.graph, r.node()));
  }
  for (const ClusterOutput& output : context_.cluster.outputs) {
    if (phase == phases() && is_full(output)) wanted.emplace_back(output.node, output.coordinates);
  }
  const auto reads_at = [&](Value position) {
    set_linear(along, {position, kNoValue});
    std::vector<std::pair<ir::NodeId, Point>> points;
    for (const auto& [node, coordinates] : wanted) points.emplace_back(node, point(coordinates));
    return e.reads(points);
  };
  std::vector<Emitter::Read> one = reads_at(here);
  const std::vector<Emitter::Read> other = reads_at(there);
  if (one.size() != other.size()) return {};
  std::vector<Emitter::Read> same;
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (one[i] == other[i]) same.push_back(std::move(one[i]));
  }
  return same;
}

bool Scene::is_full(const ClusterOutput& output) const {
  return !context_.cluster.inner.empty() && !per_row(context_.graph.nodes[output.node]) &&
         std::ranges::any_of(output.coordinates, [&](std::uint32_t c) {
           return c != kUnit && c >= context_.cluster.outer.size();
         });
}

bool Scene::has_full_outputs() const {
  return std::ranges::any_of(context_.cluster.outputs,
                             [&](const ClusterOutput& o) { return is_full(o); });
}

bool Scene::has_outer_outputs() const {
  return std::ranges::any_of(context_.cluster.outputs,
                             [&](const ClusterOutput& o) { return !is_full(o); });
}

void Scene::store(const ClusterOutput& output, std::uint8_t flags) {
  const Point p = point(output.coordinates);
  e.store(output.node, p, e.value(output.node, p), flags);
}

void Scene::store_outer_outputs(std::uint8_t flags) {
  for (const ClusterOutput& output : context_.cluster.outputs) {
    if (!is_full(output)) store(output, flags);
  }
}

void Scene::store_full_outputs(std::uint8_t flags) {
  for (const ClusterOutput& output : context_.cluster.outputs) {
    if (is_full(output)) store(output, flags);
  }
}

ScheduledKernel Scene::finish() {
  return {std::make_shared<const ir::Kernel>(b.finish()), e.arguments(), stage_ == Stage::part};
}

}  // namespace kiln::passes
