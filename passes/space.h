// A cluster's iteration space with axes merged where no access can tell, and what it reads and
// writes.
//
// A merged run of coordinates is walked by one index m. Where every access is linear in the run's
// coordinates with matching coefficients, the last coordinate takes m itself and the others 0. A
// run whose inner part is too short for vectors (the channels of a picture) may be merged even so
// (`by_index`): each coordinate is given by m, and accesses that do not run through the whole run
// divide (emit.h). A CPU does so where that costs less than vectors with most lanes masked off.
#pragma once
#include "passes/access.h"
#include "passes/fuse.h"

namespace kiln::passes {

struct MergedAxis {
  std::vector<ir::Sym> extents;    // of the run; its length is their product
  std::uint32_t coordinate = 0;    // the last one of the run
  bool by_index = false;           // see above
  std::vector<std::uint32_t> run;  // its coordinates
};

struct Space {
  std::vector<MergedAxis> outer, inner, nested;  // axes of extent 1 are left out
  std::size_t coordinates = 0;                   // original ones: outer first
  std::vector<Access> reads;                     // of memory
  std::vector<ir::NodeId> inside;                // nodes computed
  // By depth (access.h): of all values that are computed once for each point of so many loops. A
  // node that is needed at several indices counts for each.
  std::vector<std::int64_t> operations;
};

// How many axes these are if none were merged by index: one is walked without a division.
std::size_t walked_apart(const std::vector<MergedAxis>& axes);

// Of a library's product, and of what is assembled: only what it reads.
Space space_of(const ir::Graph& graph, const ir::Caps& caps, const Partition& partition,
               const Cluster& cluster);

// The coefficient of a coordinate in an access's offset: how far a step moves.
enum class Stride : std::uint8_t { none, unit, other };
Stride stride_of(const ir::Graph& graph, const Access& access, std::uint32_t coordinate);

// What memory delivers where `lanes` neighbours along these axes (the last one fastest) are loaded
// together: bytes for each of them, whole sectors, and at least the element that each asks for. At
// the middle of the class; an index that was divided is taken to lie anywhere.
double delivered_bytes(const ir::Graph& graph, const Access& access,
                       std::span<const MergedAxis> axes, std::int64_t lanes);

// Compulsory bytes (each distinct element of each buffer once), and operations.
struct Traffic {
  ir::SizeExpr compulsory_read, compulsory_written, operations;
};
Traffic traffic_of(const ir::Graph& graph, const ir::Caps& caps, const Cluster& cluster,
                   const Space& space);

}  // namespace kiln::passes
