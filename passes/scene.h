// What every schedule needs while it writes a kernel: the builder, the emitter, the current index
// of each coordinate, and the cluster's reductions and outputs at the current point.
#pragma once
#include <optional>

#include "passes/reducer.h"
#include "passes/schedule.h"

namespace kiln::passes {

class Scene {
 public:
  enum class Stage : bool { whole, part };  // part: ScheduledKernel::part
  explicit Scene(const ClusterContext& context, Stage stage = Stage::whole);

  ir::KernelBuilder b;
  Emitter e;

  // Length of a merged axis; of several axes together.
  ir::Value length(const MergedAxis& axis);
  ir::Value length(const std::vector<MergedAxis>& axes);
  // Grid factors: every axis whole; the last one in pieces of `piece` if > 1.
  void grid(const std::vector<MergedAxis>& axes, std::int64_t piece = 1);

  void set(const MergedAxis& axis, LaneIndex index);
  void set_uniform(const MergedAxis& axis, ir::Value index) { set(axis, {index, ir::kNoValue}); }
  // Splits a row-major linear index over the axes and sets them.
  void set_linear(const std::vector<MergedAxis>& axes, LaneIndex linear);

  // The point of a node whose axes are these coordinates; with the current masks.
  Point point(const Coordinates& coordinates);
  void mask(ir::Value lane_mask) { lane_mask_ = lane_mask; }
  ir::Value mask() const { return lane_mask_; }
  bool masked() const { return lane_mask_ != ir::kNoValue; }

  std::vector<Reducer> reducers(int phase) const;
  std::vector<Reducer> nested_reducers() const;
  int phases() const;
  Parts element(const Reducer& reducer, ir::Value position);
  // What elements of the reductions of a phase, or full outputs in the one after all phases, read
  // that is the same all along these axes. `here` and `there`: any two positions.
  std::vector<Emitter::Read> fixed_reads(const std::vector<MergedAxis>& along, int phase,
                                         ir::Value here, ir::Value there);
  // Outputs over outer coordinates only / over all.
  void store(const ClusterOutput& output, std::uint8_t flags = 0);
  void store_outer_outputs(std::uint8_t flags = 0);
  void store_full_outputs(std::uint8_t flags = 0);
  bool has_full_outputs() const;
  bool has_outer_outputs() const;
  bool is_full(const ClusterOutput& output) const;

  // body(index) for vectors of lanes from `begin` on while they fit below `end`, and once more,
  // masked, for what is left.
  template <class Body>
  void vector_loop(ir::Value begin, ir::Value end, Body body);

  ScheduledKernel finish();
  const ClusterContext& context() const { return context_; }

 private:
  const ClusterContext& context_;
  Stage stage_;
  std::vector<LaneIndex> at_;
  ir::Value lane_mask_ = ir::kNoValue;
};

template <class Body>
void Scene::vector_loop(ir::Value begin, ir::Value end, Body body) {
  const ir::Value lanes = b.index(e.lanes());
  const ir::Value whole = b.mul(b.div(b.sub(end, begin), lanes), lanes);
  const ir::Value full_end = b.add(begin, whole);
  const ir::Value i = b.begin_loop(begin, full_end, lanes);
  e.open_scope();
  body(LaneIndex{i, b.index(1)});
  e.close_scope();
  b.end();
  b.begin_if(b.less(full_end, end));
  e.open_scope();
  // Fewer than a vector: 32 bits, so that the mask is as wide as most elements.
  const ir::Value left = b.op(ir::Op::cast, ir::DType::int32, {b.sub(end, full_end)});
  mask(b.op(ir::Op::lt, ir::DType::bool_, {b.lane(ir::DType::int32, e.lanes()), left}));
  body(LaneIndex{full_end, b.index(1)});
  mask(ir::kNoValue);
  e.close_scope();
  b.end();
}

// A split reduction: a row is reduced in pieces of this many elements (a power of two of chunks,
// hence whole subtrees of the canonical order), then the pieces' results.
inline constexpr std::int64_t kSplitPiece = 16 * ir::kReduceChunk;
// The memories of partial results, one a piece of a row or column.
std::vector<ScheduledTemporary> split_temporaries(const ClusterContext& context,
                                                  std::int64_t piece = kSplitPiece);
// Those memories in a kernel of the first stage, which writes them, or of the second.
class Partials {
 public:
  enum Access : bool { written, read };
  Partials(Scene& scene, Access access);
  // Of every reduction of the first phase.
  void store(ir::Value at, const std::vector<Parts>& totals, ir::Value mask = ir::kNoValue) const;
  // Those of so many places from `at` on.
  Parts load(std::size_t reduction, ir::Value at, int lanes = 1,
             ir::Value mask = ir::kNoValue) const;

 private:
  ir::KernelBuilder& b_;
  std::vector<std::vector<std::uint32_t>> memories_;  // by reduction, by part
};
// All axes as one run.
MergedAxis flattened(const std::vector<MergedAxis>& axes);

// Upper end of the interval of a product of extents, saturating.
std::int64_t upper(const ir::Graph& graph, const std::vector<MergedAxis>& axes);
std::int64_t lower(const ir::Graph& graph, const std::vector<MergedAxis>& axes);
// Flags of whole vectors stored to outputs over these axes, on the CPU: non-temporal where every
// such output cannot stay in the cache and its vectors are aligned, since all axes are merged into
// one or the last one is whole cache lines. For outputs that the kernel does not read back.
std::uint8_t streaming_flags(const ClusterContext& context, const std::vector<MergedAxis>& axes);
// Lanes of a vector loop on the CPU: two registers of the widest element, or four where that makes
// calls of functions cheap; at most kReduceLanes.
int cpu_lanes(const ClusterContext& context);
// `lanes`, if that many consecutive elements along an axis, from a multiple of lanes on, are one
// aligned vector in every access that moves along it; else 1.
std::int64_t aligned_lanes(const ClusterContext& context, const MergedAxis& along,
                           std::int64_t lanes);
// The product of symbols is known to be divisible by this.
std::int64_t known_multiple(const ir::Graph& graph, std::span<const ir::Sym> factors);
// The widest element read, written or reduced, in bytes.
std::int64_t widest(const ClusterContext& context);
// A C identifier from the labels and last ops of a cluster.
std::string kernel_name(const ClusterContext& context);

}  // namespace kiln::passes
