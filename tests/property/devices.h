// The devices that this machine has for tests: the CPU with one thread and with two, and the CUDA
// device on the simulated driver with kernels that NVRTC compiled. A graph is planned for one of
// them, loaded and executed as an evaluation does it, and its outputs are compared with the graph
// interpreter's.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "runtime/registry.h"
#include "tests/cudasim/cudasim.h"
#include "tests/property/random_graph.h"

namespace kiln::testing {

enum class Where : std::uint8_t { one_thread, two_threads, cuda };

struct Setting {
  const char* name = "";
  Where where = Where::one_thread;
  bool fusion = true;
  ir::Products products = ir::Products::laid_out;  // at most, by the device's library if it has one
};

class Devices {
 public:
  Devices();

  // Why there is no such device here; empty if there is.
  std::string missing(Where where);

  // What differs from the graph interpreter's outputs, what was thrown, or nothing. On two threads
  // every launch is spread over both, however small. Inputs must come out as they went in.
  std::string failure(const ir::test::RandomGraph& g, const Setting& setting);

  // What the device computes, output by output; throws what loading or executing throws.
  std::vector<std::vector<std::byte>> outputs(const ir::test::RandomGraph& g,
                                              const Setting& setting);

  // The simulated device's plan for the graph, fused, and what it counted while the plan ran.
  struct Counted {
    ir::Plan plan;
    kilnsim_counters counters;
  };
  Counted count(const ir::test::RandomGraph& g);

  // Empty, or: the setting, the failure, and the smallest prefix of the graph that shows one.
  std::string smallest_failure(const ir::test::RandomGraph& g, const Setting& setting);

 private:
  runtime::Device& device(Where where);
  static ir::Caps caps_of(runtime::Device& device, const Setting& setting);
  std::vector<std::vector<std::byte>> run(const ir::test::RandomGraph& g, const Setting& setting,
                                          std::string& changed);
  std::string compare(const ir::test::RandomGraph& g, const Setting& setting);
  void restart_cuda();

  runtime::Registry one_thread_, two_threads_;
  std::unique_ptr<runtime::Registry> cuda_;
  runtime::KernelCache kernels_;
};

}  // namespace kiln::testing
