// What explain says: a plan in words and numbers, for bound sizes. Written as text and JSON
// (explain_text.cpp) and as a page (explain_html.cpp).
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "frontend/snapshot.h"
#include "ir/plan.h"
#include "runtime/resources.h"

namespace kiln::inline v0::frontend {

struct ExplainedKernel {
  std::size_t cluster = 0;  // of the plan's
  std::string name, expression, schedule, reason;
  std::string entry;  // of CUDA: what profilers call it
  std::string
      space;  // "4096 x [1000]": points, and what is reduced at each; [[8]]: anew at each of both
  std::uint32_t members = 0;  // of a batch
  std::vector<std::string> lines;
  std::int64_t compulsory_read = 0, compulsory_written = 0, requested_read = 0,
               requested_written = 0;
  std::int64_t requested_sectors = 0;
  std::int64_t operations = 0;
  double seconds = 0;  // estimated
  std::string cache;   // "in memory", "on disk", "to be compiled"; empty for library calls
  bool library = false;
  std::optional<runtime::KernelResources> resources;  // add_resources
};

struct ExplainedBoundary {
  std::string producer, consumer, reason;
  std::int64_t bytes = 0;
  double fused_seconds = 0, stored_seconds = 0;  // as in ir::BoundaryReport
};

struct ExplainedBuffer {
  std::string name, role;
  std::int64_t bytes = 0;
  std::string takes_over;  // the buffer whose memory it uses, if any
};

struct ExplainedAgain {  // a value that an earlier evaluation computed and did not store
  std::string expression, made, before;  // lines
};

struct DevicePlan {
  std::string device;
  bool elsewhere = false;  // of explain_for
  bool cached = false;
  // Of a new plan: how its class differs from that of the last plan of the same structure; empty if
  // there is none.
  std::vector<std::string> changes;
  std::string not_fused;  // why it would run one operation at a time; empty if it would not
  std::size_t nodes = 0;
  std::vector<ExplainedKernel> kernels;
  std::vector<ExplainedBoundary> boundaries;
  std::vector<ExplainedBuffer> buffers;
  std::vector<ExplainedAgain> again;
  ir::PlanMemory memory;
  std::int64_t least_bytes = 0;  // every input read once, every output written once
  std::string products_missing;  // why no library multiplies its matrices, if it has some

  std::shared_ptr<const ir::Plan> plan;  // what it was made of
  std::vector<std::int64_t> values;      // of symbols
  int compute_capability = 0;
  ir::Graph graph;  // before the passes
};

// Plans a snapshot for its device, as an evaluation would. Evaluates and stores nothing.
DevicePlan explain_plan(std::uint16_t device, Snapshot& snapshot);
// The same program for another target: what its kernels would be.
DevicePlan explain_for(const DevicePlan& plan, const std::string& target);
// Compiles the CUDA kernels to machine code, where NVRTC can: tens to hundreds of milliseconds
// each.
void add_resources(DevicePlan* plan);

std::string explanation_text(const std::vector<DevicePlan>& plans);
std::string explanation_json(const std::vector<DevicePlan>& plans);
// One file that needs no other. The graph is drawn where Graphviz's dot is found, else listed.
std::string explanation_html(const std::vector<DevicePlan>& plans);

std::string bytes_text(std::int64_t bytes);  // "12.3 kB"
std::string time_text(double seconds);       // "1.2 us"
std::string resources_text(const runtime::KernelResources& resources);

}  // namespace kiln::inline v0::frontend
