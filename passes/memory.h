// Writes the plan: numbers buffers, adds each cluster's kernels, and orders allocations and
// releases so that a temporary lives from the launch that writes it to the last one that reads it.
// There are no offsets: a device's pool reuses what was released. An elementwise kernel may write
// an output over an input of equal size and dtype that is read for the last time: a temporary, or
// an input of the graph's that the evaluation may overwrite (in_place.h says when).
#pragma once
#include "passes/batch.h"

namespace kiln::passes {

enum class Donate : std::uint8_t {
  no,
  yes,
  unchecked,  // for tests: without asking whether a kernel may write over what it reads
};

class PlanWriter {
 public:
  PlanWriter(ir::Plan& plan, const Partition& partition, const ir::Caps& caps,
             Donate donate = Donate::yes);
  void add(Batch batch);  // in execution order
  void finish();          // places the releases, lists outputs and boundaries

 private:
  std::uint32_t buffer_of(ir::NodeId node, bool output);
  void donate(std::size_t step);
  bool may_take(std::uint32_t to, std::uint32_t from, std::size_t step) const;
  void use(std::uint32_t buffer);
  void allocate(std::uint32_t buffer);
  void add_matmul(const Cluster& cluster);
  void add_kernels(Unit unit);
  void add_batch(Batch batch);
  void add_arguments(ir::PlanLaunch& launch, const std::vector<Emitter::Argument>& arguments,
                     const std::vector<std::uint32_t>& temporaries);
  std::uint32_t number_of_product(const std::vector<ir::Sym>& factors);
  void add_launch(ir::PlanLaunch launch, ir::Kernel kernel, ir::ClusterReport report,
                  bool elementwise);
  ir::ClusterReport report_of(const Unit& unit, const ir::Kernel& kernel, bool first) const;

  ir::Plan& plan_;
  const Partition& partition_;
  const ir::Caps& caps_;
  Donate donate_;
  std::vector<std::int64_t> input_buffer_, stored_buffer_;  // by graph input, by node; -1: none
  std::vector<std::size_t> first_use_, last_use_;           // by buffer: steps
  std::vector<bool> elementwise_;                           // by launch
  std::vector<bool> allocated_;
  std::vector<ir::ClusterReport> matmul_reports_;
};

}  // namespace kiln::passes
