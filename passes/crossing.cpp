#include "passes/crossing.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "passes/index_map.h"

namespace kiln::passes {

using ir::NodeId;
using ir::NodeKind;

namespace {

// Nodes under different views that are looked at; more, and nothing crosses.
constexpr std::size_t kMaxPlaces = 4096;

std::int64_t bytes_of(const ClusterContext& c, const Access& access) {
  return ir::size_of(c.graph.nodes[access.leaf].dtype);
}

bool crosses(const ClusterContext& c, const Access& access, std::uint32_t along,
             std::uint32_t across) {
  return stride_of(c.graph, access, across) == Stride::unit &&
         stride_of(c.graph, access, along) == Stride::other;
}

// The axis that most bytes say, the last of equals; none if no access does.
template <class Says>
const MergedAxis* most(const ClusterContext& c, const std::vector<Access>& accesses, Says says) {
  const MergedAxis* best = nullptr;
  std::int64_t most_bytes = 0;
  for (const MergedAxis& axis : c.space.outer) {
    std::int64_t bytes = 0;
    for (const Access& access : accesses) {
      if (says(access, axis.coordinate)) bytes += bytes_of(c, access);
    }
    if (bytes > 0 && bytes >= most_bytes) {
      best = &axis;
      most_bytes = bytes;
    }
  }
  return best;
}

// Walks the expressions of the outputs; a place is a node under views. Views are told apart by the
// way that leads there, so that a schedule can follow it at any point.
class Places {
 public:
  Places(const ClusterContext& c, std::uint32_t along, std::uint32_t across)
      : c_(c), algebra_{c.graph}, along_(along), across_(across) {}

  // What the value of an output is made of: a set of Order. False: too much to look at.
  bool look_at(std::size_t output) {
    const Place root{c_.cluster.outputs[output].node, root_way(output)};
    std::vector<Place> stack{root};
    while (!stack.empty()) {
      const Place place = stack.back();
      if (orders_.size() > kMaxPlaces) return false;
      if (orders_.contains(key(place))) {
        stack.pop_back();
        continue;
      }
      const std::vector<Place> below = operands(place);
      const std::size_t before = stack.size();
      for (const Place& p : below) {
        if (!orders_.contains(key(p))) stack.push_back(p);
      }
      if (stack.size() != before) continue;
      unsigned orders = below.empty() ? leaf_order(place) : 0;
      for (const Place& p : below) orders |= orders_.at(key(p));
      orders_[key(place)] = orders;
      stack.pop_back();
    }
    return true;
  }

  bool only_across(std::size_t output) {
    return orders_.at(key({c_.cluster.outputs[output].node, root_way(output)})) == kAcross;
  }
  bool has_along(std::size_t output) {
    return orders_.at(key({c_.cluster.outputs[output].node, root_way(output)})) & kAlong;
  }

  // The highest places below an output that only run across.
  void collect(std::size_t output, std::vector<CrossingValue>& values) {
    std::vector<Place> stack{{c_.cluster.outputs[output].node, root_way(output)}};
    while (!stack.empty()) {
      const Place place = stack.back();
      stack.pop_back();
      if ((orders_.at(key(place)) & kAcross) == 0 || !collected_.try_emplace(key(place)).second) {
        continue;
      }
      if (orders_.at(key(place)) == kAcross) {
        values.push_back({place.node, ways_[place.way].output, path(place.way)});
        continue;
      }
      const std::vector<Place> below = operands(place);
      stack.insert(stack.end(), below.rbegin(), below.rend());
    }
  }

 private:
  enum Order : unsigned { kAlong = 1, kAcross = 2 };
  struct Place {
    NodeId node;
    std::uint32_t way;
  };
  struct Way {  // a view more than `parent`
    std::uint32_t parent = 0;
    Emitter::View view;
    std::size_t output = 0;
    std::vector<Affine> index;
    bool exact = true;  // nothing added, divided or masked: equal indices are the same point
  };

  static std::uint64_t key(const Place& p) {
    return static_cast<std::uint64_t>(p.node) << 32 | p.way;
  }

  // Outputs over the same coordinates begin at the same point.
  std::uint32_t root_way(std::size_t output) {
    const Coordinates& coordinates = c_.cluster.outputs[output].coordinates;
    const auto [found, fresh] =
        roots_.try_emplace(coordinates, static_cast<std::uint32_t>(ways_.size()));
    if (!fresh) return found->second;
    std::vector<Affine> index = index_at(coordinates);
    if (const auto same = same_point(index)) return found->second = *same;
    ways_.push_back({found->second, {}, output, std::move(index), true});
    exact_.push_back(found->second);
    return found->second;
  }

  // Another way to the point of this index.
  std::optional<std::uint32_t> same_point(const std::vector<Affine>& index) const {
    for (const std::uint32_t way : exact_) {
      if (ways_[way].index == index) return way;
    }
    return std::nullopt;
  }

  bool is_leaf(NodeId n) const {
    if (c_.graph.nodes[n].operand_count == 0) return true;
    return c_.partition.stored[n] &&
           std::ranges::find(c_.cluster.outputs, n, &ClusterOutput::node) ==
               c_.cluster.outputs.end();
  }

  std::vector<Place> operands(const Place& place) {
    std::vector<Place> result;
    if (is_leaf(place.node)) return result;
    const auto nodes = c_.graph.operands(place.node);
    const bool map = is_map(c_.graph.nodes[place.node]);
    for (std::uint32_t i = 0; i < nodes.size(); ++i) {
      result.push_back({nodes[i], map ? place.way : way_below(place, i)});
    }
    return result;
  }

  std::uint32_t way_below(const Place& place, std::uint32_t operand) {
    const auto [found, fresh] = below_.try_emplace({place.way, place.node, operand},
                                                   static_cast<std::uint32_t>(ways_.size()));
    if (!fresh) return found->second;
    Way way{place.way, {place.node, operand}, ways_[place.way].output, {}, false};
    const std::vector<Affine>& index = ways_[place.way].index;
    const NodeKind kind = c_.graph.nodes[place.node].kind;
    if (kind == NodeKind::concat || kind == NodeKind::update) {
      way.index = index;  // a shift changes no stride
    } else if (operand == 0) {
      way.index = operand_index<AffineAlgebra>(c_.graph, place.node, index, algebra_);
      way.exact = ways_[place.way].exact && kind != NodeKind::pad &&
                  std::ranges::all_of(way.index, [](const Affine& a) {
                    return a.offset.empty() && a.divided.empty();
                  });
    }
    if (way.exact) {
      if (const auto same = same_point(way.index)) return found->second = *same;
      exact_.push_back(found->second);
    }
    ways_.push_back(std::move(way));
    return found->second;
  }

  unsigned leaf_order(const Place& place) const {
    const ir::Node& node = c_.graph.nodes[place.node];
    if (node.operand_count == 0 && !is_input(node)) return 0;
    const Access access{place.node, ways_[place.way].index, {}, false};
    if (crosses(c_, access, along_, across_)) return kAcross;
    if (stride_of(c_.graph, access, along_) == Stride::none) return 0;
    return kAlong;
  }

  std::vector<Emitter::View> path(std::uint32_t way) const {
    std::vector<Emitter::View> result;
    for (; ways_[way].parent != way; way = ways_[way].parent) result.push_back(ways_[way].view);
    std::ranges::reverse(result);
    return result;
  }

  const ClusterContext& c_;
  AffineAlgebra algebra_;
  std::uint32_t along_, across_;
  std::vector<Way> ways_;
  std::vector<std::uint32_t> exact_;
  std::map<Coordinates, std::uint32_t> roots_;
  std::map<std::tuple<std::uint32_t, NodeId, std::uint32_t>, std::uint32_t> below_;
  std::unordered_map<std::uint64_t, unsigned> orders_;
  std::unordered_map<std::uint64_t, bool> collected_;
};

// Sorts the outputs and lists the values; false: too much to look at.
bool fill(const ClusterContext& c, Crossing& result) {
  const std::uint32_t along = result.along.coordinate;
  const std::uint32_t across = result.across.coordinate;
  Places places(c, along, across);
  for (std::size_t i = 0; i < c.cluster.outputs.size(); ++i) {
    if (!places.look_at(i)) return false;
    if (!crosses(c, stored_access(c.graph, c.partition, c.cluster.outputs[i]), along, across)) {
      result.straight.push_back(i);
    } else if (!places.has_along(i)) {
      result.crossed.push_back(i);
      continue;
    } else {
      result.turned.push_back(i);
    }
    places.collect(i, result.values);
  }
  return true;
}

}  // namespace

std::optional<Crossing> crossing(const ClusterContext& c) {
  if (has_puts(c.partition, c.cluster)) return std::nullopt;
  std::vector<Access> stores;
  for (const ClusterOutput& output : c.cluster.outputs)
    stores.push_back(stored_access(c.graph, c.partition, output));
  const MergedAxis* along = most(c, stores, [&](const Access& access, std::uint32_t axis) {
    return stride_of(c.graph, access, axis) == Stride::unit;
  });
  if (!along || along->by_index) return std::nullopt;
  std::vector<Access> all = c.space.reads;
  all.insert(all.end(), stores.begin(), stores.end());
  const MergedAxis* across = most(c, all, [&](const Access& access, std::uint32_t axis) {
    return crosses(c, access, along->coordinate, axis);
  });
  if (!across || across->by_index) return std::nullopt;
  Crossing result{*along, *across, {}, {}, {}, {}, {}};
  for (const MergedAxis& axis : c.space.outer) {
    if (&axis != along && &axis != across) result.rest.push_back(axis);
  }
  if (!fill(c, result)) return std::nullopt;
  return result;
}

}  // namespace kiln::passes
