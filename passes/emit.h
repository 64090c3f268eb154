// Values of a cluster's nodes as instructions of a kernel under construction.
//
// A schedule opens loops with the KernelBuilder and asks for node values at points; the emitter
// turns views into index arithmetic, leaves into loads, and remembers what it emitted. An index is
// uniform (the same for all lanes), affine (base + lane * step) or arbitrary per lane, so that a
// unit step becomes a vector load, a uniform index a scalar load, and anything else a gather.
#pragma once
#include <map>
#include <unordered_map>

#include "ir/kernel_builder.h"
#include "ir/plan.h"
#include "passes/access.h"
#include "passes/index_map.h"

namespace kiln::passes {

// The index along one axis at the lanes of a point: base, the same for all lanes; or base + lane *
// step; or arbitrary per lane.
//
// An axis of a merged run (space.h) is given by the run's index m: with `scale` the extents of the
// run's axes after it, its own index is m / product(scale), modulo its own extent unless it is the
// first. Shifts and bounds of the first axis, and offsets in memory that runs through the whole
// run, follow from m without a division; anything else divides.
struct LaneIndex {
  ir::Value base = ir::kNoValue;
  ir::Value step = ir::kNoValue;  // lanes differ by this (uniform); kNoValue: all lanes the same
  bool arbitrary = false;         // base is a vector of unrelated indices
  bool residue = false;           // not the first axis of its run: modulo `extent`
  bool complete = false;          // stands for the axis and the residue of the next one as well
  ir::Sym extent = ir::kZero;     // of a residue's axis
  std::uint32_t run = 0;          // which merged run, 0: none
  std::uint32_t scale = 0;        // which list of extents (Emitter::scale); 0: none
  // Of the walked axis plus what is the same everywhere: the value where the current stretch of
  // that axis begins. No pad's or concat's edge lies inside a stretch, so what holds there holds
  // for it all.
  ir::Value origin = ir::kNoValue;
  bool operator==(const LaneIndex&) const = default;
  bool uniform() const { return step == ir::kNoValue && !arbitrary; }
  bool plain() const { return scale == 0 && !residue && !complete; }
};

// Where a value is wanted: coordinates, and which lanes count. A lane outside `mask` must not touch
// memory. Conditions that are the same for all lanes are kept apart, since a uniform load needs
// only those.
struct Point {
  std::vector<LaneIndex> index;
  ir::Value uniform_mask = ir::kNoValue;  // kNoValue: true
  ir::Value lane_mask = ir::kNoValue;
  bool guarded = false;              // by a pad or concat, which most vectors pass or fail as one
  ir::Value outside = ir::kNoValue;  // guarded: the lane mask outside all pads and concats
  bool operator==(const Point&) const = default;
};

class Emitter {
 public:
  // `stored`: nodes that have buffers. Lanes: of vector values; 1 on scalar schedules.
  Emitter(const ir::Graph& graph, const std::vector<bool>& stored, ir::KernelBuilder& builder);

  void set_lanes(int lanes) { lanes_ = lanes; }
  // Throws KernelTooLong (length.h) where the kernel passes this many instructions by far: what is
  // not needed in the end counts as well. 0: it may be of any length.
  void bound(std::int64_t longest) { longest_ = longest; }
  int lanes() const { return lanes_; }
  // Unit-stride vector loads emitted from now on are aligned (the schedule has proved it).
  void assume_aligned(bool aligned) { aligned_ = aligned; }

  // Vector loads of these nodes bring near what lies `elements` further on, or `bytes` if that is
  // kNoValue. {} ends it.
  struct ReadAhead {
    std::vector<bool> nodes;
    ir::Value elements = ir::kNoValue;
    std::int64_t bytes = 0;
  };
  void read_ahead(ReadAhead ahead) { ahead_ = std::move(ahead); }

  // A symbol's value: a constant or an integer parameter.
  ir::Value sym(ir::Sym sym);
  ir::Value product(std::span<const ir::Sym> syms);
  ir::Value sum(const std::vector<Monomial>& monomials);
  std::uint32_t sym_param(ir::Sym sym);  // the parameter's number, for grid factors
  // The number of elements of these extents together as one parameter, so that a kernel does not
  // tell how many axes were merged.
  ir::Value length(std::span<const ir::Sym> extents);
  std::uint32_t length_param(std::span<const ir::Sym> extents);

  // Value of a node at a point. `bound` values (reductions' results, this kernel's) take precedence
  // and are the same wherever they are asked for.
  ir::Value value(ir::NodeId node, const Point& point);
  void bind(ir::NodeId node, ir::Value value) { bound_[node] = value; }
  // The value of a node at this point is known until the innermost scope closes.
  void assume(ir::NodeId node, const Point& point, ir::Value value) {
    remember({node, intern(point)}, value);
  }
  // Marks nodes as computed by this kernel although they have buffers: their values are not read
  // back.
  void computes(ir::NodeId node) { own_.push_back(node); }

  // Marks a put, and what its window is of.
  void puts(ir::NodeId put, ir::NodeId whole) { wholes_[put] = whole; }

  // What computing nodes at points would load from memory: each leaf and point once, in an order
  // that depends on the expressions alone. Nothing is loaded; results of this kernel's reductions
  // need not be known yet.
  struct Read {
    ir::NodeId leaf = 0;
    Point point;
    bool operator==(const Read&) const = default;
  };
  std::vector<Read> reads(const std::vector<std::pair<ir::NodeId, Point>>& wanted);

  // Stores into the dense buffer of a node, or into the window of a put; `index` by the node's
  // axes.
  void store(ir::NodeId node, const Point& point, ir::Value value, std::uint8_t flags = 0);
  // The memory of a temporary that is no node's (partial results), and its argument.
  std::uint32_t temporary(ir::DType dtype, std::string name, std::uint32_t plan_buffer,
                          bool constant);

  // A step from a node to its operand number `operand`.
  struct View {
    ir::NodeId node = 0;
    std::uint32_t operand = 0;
  };
  // Where the last operand's value is wanted for a value at `point`, as value() would ask for it.
  Point below(const Point& point, std::span<const View> path);
  // Gives a node's value at a point, until the scope closes; not computed again.
  void give(ir::NodeId node, const Point& point, ir::Value value);

  // What a scope remembers is forgotten when it closes.
  void open_scope() { memo_.emplace_back(); }
  void close_scope() { memo_.pop_back(); }

  // Index arithmetic (the algebra of index_map.h).
  using Index = LaneIndex;
  LaneIndex zero();
  LaneIndex add(const LaneIndex& a, const LaneIndex& b);
  LaneIndex add(const LaneIndex& a, ir::Sym s);
  LaneIndex sub(const LaneIndex& a, ir::Sym s);
  LaneIndex mul(const LaneIndex& a, ir::Sym s);
  LaneIndex div(const LaneIndex& a, ir::Sym s) { return div_by(a, sym(s)); }
  LaneIndex rem(const LaneIndex& a, ir::Sym s) { return rem_by(a, sym(s)); }
  LaneIndex div_by(const LaneIndex& a, ir::Value by);
  LaneIndex rem_by(const LaneIndex& a, ir::Value by);
  LaneIndex shift(const LaneIndex& a, ir::Value by);  // a + by, in units of the axis
  ir::Value materialise(const LaneIndex& a);          // a scalar if uniform, else lanes; unscaled
  std::uint32_t scale(std::vector<ir::Sym> extents);  // for LaneIndex::scale

  // One argument a parameter; buffers by node until the plan numbers them.
  struct Argument {
    ir::ParamKind kind = ir::ParamKind::buffer;
    std::uint32_t index = 0;  // sym, scalar, or plan buffer
    bool is_node = false;     // buffer: index is a node
    bool output = false;  // the node's stored buffer (a buffer node that is an output is copied)
    std::vector<ir::Sym> factors = {};  // integer: if there are any, their product
  };
  const std::vector<Argument>& arguments() const { return arguments_; }
  ir::KernelBuilder& builder() { return b_; }
  const ir::Graph& graph() const { return graph_; }

 private:
  struct Demand {
    ir::NodeId node;
    std::uint32_t context;
    bool operator==(const Demand&) const = default;
  };
  std::uint32_t intern(Point point);
  std::uint32_t unguarded(std::uint32_t context);
  void check_length();
  ir::Value known(const Demand& d);
  ir::Value remembered(const Demand& d) const;
  void remember(const Demand& d, ir::Value v);
  bool is_leaf(ir::NodeId node) const;
  ir::Value leaf(ir::NodeId node, const Point& point);
  ir::Value load(ir::NodeId node, const Point& point);
  std::vector<Demand> demands(ir::NodeId node, const Point& point);
  ir::Value combine(ir::NodeId node, const Point& point, std::span<const ir::Value> operands);
  Point guarded(const Point& point, std::size_t axis, ir::Value low, ir::Value high);
  ir::Value in_range(const LaneIndex& index, ir::Value low, ir::Value high);
  ir::Value compared(const LaneIndex& index);  // what decides on which side of an edge it is
  Point guarded(Point point, ir::NodeId whole, ir::NodeId part);
  ir::Value inside(ir::NodeId whole, ir::NodeId part, std::span<const LaneIndex> index);
  std::vector<ir::Value> concat_bounds(ir::NodeId node);
  ir::Value lanes_of(const LaneIndex& a);  // m of each lane
  ir::Value quotient(const LaneIndex& m, ir::Value by, ir::Value* remainder);
  std::int64_t upper_bound(ir::Value v) const;
  LaneIndex resolved(const LaneIndex& a);  // the axis's own index, plain
  ir::Value scaled(ir::Value v, const LaneIndex& like);
  LaneIndex offset_of(ir::NodeId node, const Point& point);
  // What indices are computed for from here on: places along each of these axes, or among all
  // elements.
  void reach_axes(std::span<const ir::Sym> axes, std::span<const ir::Sym> more);
  void reach_elements(std::span<const ir::Sym> extents);
  bool room_for(std::uint32_t scale) const;
  std::uint32_t memory_of(ir::NodeId node, bool output);

  const ir::Graph& graph_;
  const std::vector<bool>& stored_;
  ir::KernelBuilder& b_;
  int lanes_ = 1;
  std::int64_t longest_ = 0, visits_ = 0;
  bool aligned_ = false;
  double reach_ = 0;  // places that an index may stand for, at most
  ReadAhead ahead_;
  int parts_ = 0;  // guarded vector loads, for their memories' names
  std::map<ir::Sym, std::pair<std::uint32_t, ir::Value>> syms_;  // parameter number, value
  std::map<std::vector<ir::Sym>, std::pair<std::uint32_t, ir::Value>> lengths_;
  std::map<std::pair<ir::NodeId, bool>, std::uint32_t> memories_;
  std::map<std::uint64_t, ir::Value> scalars_;
  std::unordered_map<ir::NodeId, ir::Value> bound_;
  std::vector<ir::NodeId> own_;
  std::unordered_map<ir::NodeId, ir::NodeId> wholes_;  // of puts
  std::vector<Argument> arguments_;
  std::unordered_map<ir::Value, std::int64_t> bounds_;  // of symbols and their products
  std::vector<std::vector<ir::Sym>> scales_{{}};
  std::vector<Point> points_;
  std::unordered_multimap<std::uint64_t, std::uint32_t> point_ids_;
  std::unordered_map<std::uint32_t, std::uint32_t> unguarded_;  // by point
  std::vector<std::unordered_map<std::uint64_t, ir::Value>> memo_{1};
};

}  // namespace kiln::passes
