// Writes the plan: numbers buffers, adds each cluster's kernels, and orders allocations and
// releases so that a temporary lives from the launch that writes it to the last one that reads it.
// There are no offsets: a device's pool reuses what was released.
#pragma once
#include "passes/batch.h"

namespace kiln::passes {

class PlanWriter {
 public:
  PlanWriter(ir::Plan& plan, const Partition& partition, const ir::Caps& caps);
  void add(Batch batch);  // in execution order
  void finish();                     // places the releases, lists outputs and boundaries

 private:
  std::uint32_t buffer_of(ir::NodeId node, bool output);
  void use(std::uint32_t buffer);
  void allocate(std::uint32_t buffer);
  void add_matmul(const Cluster& cluster);
  void add_kernels(Unit unit);
  void add_batch(Batch batch);
  void add_arguments(ir::PlanLaunch& launch, const std::vector<Emitter::Argument>& arguments,
                     const std::vector<std::uint32_t>& temporaries);
  std::uint32_t number_of_product(const std::vector<ir::Sym>& factors);
  void add_launch(ir::PlanLaunch launch, ir::Kernel kernel, ir::ClusterReport report);
  ir::ClusterReport report_of(const Unit& unit, const ir::Kernel& kernel, bool first) const;

  ir::Plan& plan_;
  const Partition& partition_;
  const ir::Caps& caps_;
  std::vector<std::int64_t> input_buffer_, stored_buffer_;  // by graph input, by node; -1: none
  std::vector<std::size_t> last_use_;                       // by buffer: the step that uses it last
  std::vector<bool> allocated_;
  std::vector<ir::ClusterReport> matmul_reports_;
};

}  // namespace kiln::passes
