// CUDA graphs: recorded operations with their dependencies. Launching one queues a single operation
// that runs the nodes in a random legal order.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "tests/cudasim/driver/state.h"

namespace cudasim {

struct GraphNodeObject {
  Operation operation;
  std::vector<GraphNodeObject*> dependencies;
  bool kernel = false;
  Context* context = nullptr;
};

struct GraphObject {
  std::vector<std::unique_ptr<GraphNodeObject>> nodes;  // each after what it depends on
};

// A graph's copy as it was when instantiated; `sources` are the nodes of the original.
struct GraphExecObject {
  struct Node {
    Operation operation;
    std::vector<std::size_t> dependencies;
    const GraphNodeObject* source;
    bool kernel;
  };
  std::vector<Node> nodes;
};

// A stream's recording; other streams join it by waiting for its events.
struct Capture {
  Stream* origin = nullptr;
  std::shared_ptr<GraphObject> graph;
  std::map<Stream*, std::vector<GraphNodeObject*>> frontier;
};

}  // namespace cudasim
