// The pipeline: a graph becomes a plan.
//
// Graph passes run in the order of kGraphPasses (plan.cpp), each verified; then fusion, scheduling
// and the memory plan. Pure: equal graph, caps and options give an equal plan. Cost is near-linear
// in nodes.
#pragma once
#include <string>
#include <vector>

#include "ir/plan.h"

namespace kiln::passes {

struct PassEntry {
  std::string name;
  double seconds = 0;
  ir::Graph after;        // of a graph pass; the last graph for the others
  std::string findings;   // what the pass decided, in words (fusion: clusters and boundaries)
  std::int64_t work = 0;  // of fusion and schedules: values looked at, each once for each way
};
struct PassLog {
  std::vector<PassEntry> entries;
};

struct Options {
  bool fusion = true;
  std::uint64_t force = 0;            // not 0: decisions are `forced` by it
  bool explain = false;               // Plan::boundaries are looked for
  bool check = false;                 // the partition is verified (partition_text.h)
  bool donate = true;                 // results may be written over what is read for the last time
  std::vector<std::string> disabled;  // names of graph passes to leave out
  PassLog* log = nullptr;
  // For tests: this pass (of stage_names) makes a mistake that no verifier sees and some bits show.
  std::string fault;
};

// Throws InternalError, naming the pass, if a graph is not well-formed after one.
ir::Plan make_plan(const ir::Graph& graph, const ir::Caps& caps, const Options& options = {});

// The graph passes, then fusion, scheduling and the memory plan.
std::vector<std::string> stage_names();
// The graph passes alone, by name, in pipeline order.
std::vector<std::string> graph_pass_names();
ir::Graph run_graph_pass(const std::string& name, const ir::Graph& graph,
                         const ir::Caps& caps = {});

}  // namespace kiln::passes
