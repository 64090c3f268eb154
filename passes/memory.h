// Writes the plan: numbers buffers, adds each cluster's kernels, and orders allocations and
// releases so that a temporary lives from the launch that writes it to the last one that reads it.
// There are no offsets: a device's pool reuses what was released. A kernel of its own may write
// an output over an input of equal size and dtype that is read for the last time: a temporary, or
// an input of the graph's that the evaluation may overwrite (in_place.h says when). An update that
// is assembled (windows.h) always takes over the memory of its base.
#pragma once
#include <map>
#include <tuple>

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
  void add(const Batch& batch);  // in execution order
  void finish();                 // places the releases, lists outputs and boundaries

 private:
  std::uint32_t buffer_of(ir::NodeId node, bool output);
  void donate(std::size_t step);
  bool may_take(std::uint32_t to, std::uint32_t from, std::size_t step) const;
  void use(std::uint32_t buffer);
  void allocate(std::uint32_t buffer);
  void add_call(const Cluster& cluster);
  void add_kernels(const Unit& unit);
  void add_batch(const Batch& batch);
  std::uint32_t kernel_of(const ScheduledKernel& scheduled, std::size_t members,
                          const std::string& expression);
  std::uint32_t shared(std::uint32_t kernel, std::uint32_t from, std::uint32_t to);
  bool may_share(std::uint32_t kernel, std::uint32_t from, std::uint32_t to);
  void keep_used_kernels();
  void add_arguments(ir::PlanLaunch& launch, const std::vector<Emitter::Argument>& arguments,
                     const std::vector<std::uint32_t>& temporaries);
  std::uint32_t number_of_product(const std::vector<ir::Sym>& factors);
  void add_launch(ir::PlanLaunch launch, ir::ClusterReport report, bool alone);
  ir::ClusterReport report_of(const Unit& unit, std::size_t kernel) const;

  ir::Plan& plan_;
  const Partition& partition_;
  const ir::Caps& caps_;
  Donate donate_;
  std::vector<std::int64_t> input_buffer_, stored_buffer_;  // by graph input, by node; -1: none
  std::vector<std::size_t> first_use_, last_use_;           // by buffer: steps
  std::vector<bool> alone_;  // by launch: no other one computes the same cluster
  std::vector<bool> allocated_;
  // Numbers in the plan: of scheduled kernels by rows of a table; of kernels by number, read
  // parameter and the written one whose memory it has.
  std::map<std::pair<std::shared_ptr<const ir::Kernel>, std::uint32_t>, std::uint32_t> numbers_;
  using Sharing = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;
  std::map<Sharing, std::uint32_t> shared_;
  std::map<Sharing, bool> may_share_;
};

}  // namespace kiln::passes
