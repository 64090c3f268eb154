#include "tests/cudasim/driver/graph.h"

#include <algorithm>

using namespace cudasim;
using namespace cudasim::abi;

namespace cudasim {
namespace {

GraphNodeObject* node_of(abi::GraphNode handle) {
  return reinterpret_cast<GraphNodeObject*>(handle);
}

std::shared_ptr<GraphObject> graph_of(Driver& driver, abi::Graph handle) {
  const auto found = driver.graphs.find(reinterpret_cast<GraphObject*>(handle));
  return found == driver.graphs.end() ? nullptr : found->second;
}

std::shared_ptr<GraphExecObject> exec_of(Driver& driver, abi::GraphExec handle) {
  const auto found = driver.graph_execs.find(reinterpret_cast<GraphExecObject*>(handle));
  return found == driver.graph_execs.end() ? nullptr : found->second;
}

bool holds(const GraphObject& graph, const GraphNodeObject* node) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [&](const auto& own) { return own.get() == node; });
}

GraphNodeObject& add_node(GraphObject& graph, Operation operation,
                          std::vector<GraphNodeObject*> dependencies) {
  auto node = std::make_unique<GraphNodeObject>();
  node->operation = std::move(operation);
  node->dependencies = std::move(dependencies);
  graph.nodes.push_back(std::move(node));
  return *graph.nodes.back();
}

Result run_node(const GraphExecObject::Node& node) {
  if (node.operation.kind == Operation::Kind::kHostFunction) {
    node.operation.host(node.operation.host_data);
    return kSuccess;
  }
  return node.operation.work ? node.operation.work() : kSuccess;
}

Result run_graph(const GraphExecObject& exec) {
  std::vector<bool> done(exec.nodes.size());
  for (std::size_t left = exec.nodes.size(); left > 0; --left) {
    std::vector<std::size_t> ready;
    for (std::size_t i = 0; i < exec.nodes.size(); ++i) {
      const auto& needs = exec.nodes[i].dependencies;
      if (!done[i] &&
          std::all_of(needs.begin(), needs.end(), [&](std::size_t n) { return done[n]; })) {
        ready.push_back(i);
      }
    }
    const std::size_t chosen = ready[Driver::get().next_random() % ready.size()];
    done[chosen] = true;
    const Result result = run_node(exec.nodes[chosen]);
    if (result != kSuccess) return result;
  }
  return kSuccess;
}

std::shared_ptr<GraphExecObject> instantiate(const GraphObject& graph) {
  auto exec = std::make_shared<GraphExecObject>();
  for (const auto& node : graph.nodes) {
    GraphExecObject::Node copy{node->operation, {}, node.get(), node->kernel};
    for (const GraphNodeObject* need : node->dependencies) {
      for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        if (graph.nodes[i].get() == need) copy.dependencies.push_back(i);
      }
    }
    exec->nodes.push_back(std::move(copy));
  }
  return exec;
}

Result kernel_operation(Driver& driver, Context& context, const KernelNodeParams& params,
                        Operation& out) {
  abi::Function handle = params.function;
  if (handle == nullptr) handle = reinterpret_cast<abi::Function>(params.kernel);
  FunctionObject* function = driver.function_of(handle);
  if (function == nullptr) return kInvalidHandle;
  LaunchRequest request;
  const Result result =
      prepare_launch(driver, context, *function, {params.grid_x, params.grid_y, params.grid_z},
                     {params.block_x, params.block_y, params.block_z}, params.shared_bytes,
                     params.parameters, params.extra, request);
  if (result == kSuccess) out = launch_operation(driver, context, request);
  return result;
}

Result collect(const GraphObject& graph, const abi::GraphNode* handles, std::size_t count,
               std::vector<GraphNodeObject*>& out) {
  for (std::size_t i = 0; i < count; ++i) {
    if (!holds(graph, node_of(handles[i]))) return kInvalidValue;
    out.push_back(node_of(handles[i]));
  }
  return kSuccess;
}

}  // namespace

Result submit(Driver& driver, Stream& stream, Operation operation) {
  if (!stream.capture) {
    driver.enqueue(stream, std::move(operation));
    return kSuccess;
  }
  auto& frontier = stream.capture->frontier[&stream];
  GraphNodeObject& node = add_node(*stream.capture->graph, std::move(operation), frontier);
  frontier = {&node};
  return kSuccess;
}

}  // namespace cudasim

CUDASIM_EXPORT Result cuStreamBeginCapture_v2(abi::Stream handle, int mode) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    cudasim::Stream* stream = driver.stream_of(handle, context);
    if (stream == nullptr) return kInvalidHandle;
    if (mode < 0 || mode > 2) return kInvalidValue;
    if (stream->legacy) return kStreamCaptureUnsupported;
    if (stream->capture) return kIllegalState;
    stream->capture = std::make_shared<Capture>();
    stream->capture->origin = stream;
    stream->capture->graph = std::make_shared<GraphObject>();
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuStreamEndCapture(abi::Stream handle, abi::Graph* out) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    cudasim::Stream* stream = driver.stream_of(handle, context);
    if (stream == nullptr) return kInvalidHandle;
    if (out == nullptr) return kInvalidValue;
    if (!stream->capture || stream->capture->origin != stream) return kStreamCaptureUnmatched;
    const std::shared_ptr<Capture> capture = stream->capture;
    for (cudasim::Stream* joined : context.streams) {
      if (joined->capture == capture) joined->capture.reset();
    }
    for (auto& [key, event] : driver.events) {
      if (event->capture == capture) event->capture.reset();
    }
    driver.graphs[capture->graph.get()] = capture->graph;
    *out = to_handle<abi::Graph>(capture->graph.get());
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuStreamIsCapturing(abi::Stream handle, int* status) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    const cudasim::Stream* stream = driver.stream_of(handle, context);
    if (stream == nullptr) return kInvalidHandle;
    if (status == nullptr) return kInvalidValue;
    *status = stream->capture ? 1 : 0;
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuGraphCreate(abi::Graph* out, unsigned) {
  return with_driver([&](Driver& driver) {
    if (out == nullptr) return kInvalidValue;
    auto graph = std::make_shared<GraphObject>();
    *out = to_handle<abi::Graph>(graph.get());
    driver.graphs[graph.get()] = graph;
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuGraphDestroy(abi::Graph handle) {
  return with_driver([&](Driver& driver) {
    const auto graph = graph_of(driver, handle);
    if (!graph) return kInvalidValue;
    driver.graphs.erase(graph.get());
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuGraphAddKernelNode_v2(abi::GraphNode* out, abi::Graph handle,
                                              const abi::GraphNode* needs, std::size_t count,
                                              const KernelNodeParams* params) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    const auto graph = graph_of(driver, handle);
    if (!graph || out == nullptr || params == nullptr) return kInvalidValue;
    std::vector<GraphNodeObject*> dependencies;
    Operation operation;
    Result result = collect(*graph, needs, count, dependencies);
    if (result == kSuccess) result = kernel_operation(driver, context, *params, operation);
    if (result != kSuccess) return result;
    GraphNodeObject& node = add_node(*graph, std::move(operation), std::move(dependencies));
    node.kernel = true;
    *out = to_handle<abi::GraphNode>(&node);
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuGraphAddEmptyNode(abi::GraphNode* out, abi::Graph handle,
                                          const abi::GraphNode* needs, std::size_t count) {
  return with_driver([&](Driver& driver) {
    const auto graph = graph_of(driver, handle);
    if (!graph || out == nullptr) return kInvalidValue;
    std::vector<GraphNodeObject*> dependencies;
    const Result result = collect(*graph, needs, count, dependencies);
    if (result != kSuccess) return result;
    *out = to_handle<abi::GraphNode>(&add_node(*graph, {}, std::move(dependencies)));
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuGraphGetNodes(abi::Graph handle, abi::GraphNode* nodes,
                                      std::size_t* count) {
  return with_driver([&](Driver& driver) {
    const auto graph = graph_of(driver, handle);
    if (!graph || count == nullptr) return kInvalidValue;
    for (std::size_t i = 0; nodes != nullptr && i < std::min(*count, graph->nodes.size()); ++i) {
      nodes[i] = to_handle<abi::GraphNode>(graph->nodes[i].get());
    }
    *count = graph->nodes.size();
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuGraphInstantiateWithFlags(abi::GraphExec* out, abi::Graph handle,
                                                  unsigned long long) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    const auto graph = graph_of(driver, handle);
    if (!graph || out == nullptr) return kInvalidValue;
    const auto exec = instantiate(*graph);
    driver.graph_execs[exec.get()] = exec;
    *out = to_handle<abi::GraphExec>(exec.get());
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuGraphLaunch(abi::GraphExec handle, abi::Stream stream_handle) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    const auto exec = exec_of(driver, handle);
    cudasim::Stream* stream = driver.stream_of(stream_handle, context);
    if (!exec || stream == nullptr) return kInvalidHandle;
    if (driver.fails(KILNSIM_FAIL_LAUNCH)) return kLaunchOutOfResources;
    // A later update must not change a launch that is queued.
    auto snapshot = std::make_shared<GraphExecObject>(*exec);
    Operation operation;
    operation.work = [snapshot] { return run_graph(*snapshot); };
    return submit(driver, *stream, std::move(operation));
  });
}

CUDASIM_EXPORT Result cuGraphExecDestroy(abi::GraphExec handle) {
  return with_driver([&](Driver& driver) {
    const auto exec = exec_of(driver, handle);
    if (!exec) return kInvalidHandle;
    driver.graph_execs.erase(exec.get());
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuGraphExecKernelNodeSetParams_v2(abi::GraphExec handle,
                                                        abi::GraphNode node_handle,
                                                        const KernelNodeParams* params) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    const auto exec = exec_of(driver, handle);
    if (!exec) return kInvalidHandle;
    if (params == nullptr) return kInvalidValue;
    for (GraphExecObject::Node& node : exec->nodes) {
      if (node.source != node_of(node_handle)) continue;
      if (!node.kernel) return kInvalidValue;
      return kernel_operation(driver, context, *params, node.operation);
    }
    return kInvalidValue;
  });
}

CUDASIM_EXPORT Result cuGraphExecUpdate_v2(abi::GraphExec handle, abi::Graph graph_handle,
                                           GraphExecUpdateResultInfo* info) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    const auto exec = exec_of(driver, handle);
    const auto graph = graph_of(driver, graph_handle);
    if (!exec || !graph || info == nullptr) return kInvalidValue;
    *info = {};
    const auto fresh = instantiate(*graph);
    bool same = fresh->nodes.size() == exec->nodes.size();
    for (std::size_t i = 0; same && i < fresh->nodes.size(); ++i) {
      same = fresh->nodes[i].dependencies == exec->nodes[i].dependencies &&
             fresh->nodes[i].kernel == exec->nodes[i].kernel;
    }
    if (!same) {
      info->result = 2;  // the topology differs
      return kGraphExecUpdateFailure;
    }
    exec->nodes = fresh->nodes;
    return kSuccess;
  });
}
