// Private to ir: runs what decides a kernel's indices, masks and conditions, and nothing else.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ir/scalar_loops.h"
#include "ir/traffic.h"

namespace kiln::ir {

// One warp (CUDA) or one thread (CPU) in lockstep; a value is an array over units and lanes.
class TrafficRun {
 public:
  static constexpr std::int64_t kWarp = 32;
  TrafficRun(const Kernel& kernel, std::span<const std::int64_t> integers);
  RequestedTraffic run();
  // Follows index arithmetic that leaves 32 bits (wrapped_indices) while it runs.
  void look_for_wraps();
  const std::string& findings() const { return findings_; }

 private:
  using Mask = std::vector<std::uint8_t>;
  // A round of a loop or an item of the grid, and how many it stands for.
  struct Sample {
    std::int64_t index;
    double weight;
  };
  struct LocalIntegers {  // by unit and element
    std::vector<std::int64_t> values;
    std::vector<std::uint8_t> known, lost;
  };
  struct Step {
    ArrayLoop loop = nullptr;
    std::byte* out = nullptr;
    const void* in[4] = {};
    std::int64_t bytes = 1;
    std::size_t close = 0, otherwise = 0;
    bool known = false;
    std::size_t waits_for = 0;         // a load: the loop that has all its uses, or 0
    std::vector<std::size_t> waiting;  // a loop: such loads
    std::vector<std::uint8_t> lost;    // by unit and lane: comes of what left 32 bits
    bool needed = false;  // by an address, mask, condition or bound; of a scope: something in it
  };
  void link();
  void find_needed();
  void find_waiting();
  bool need(Value value);
  void fill(std::size_t i, std::int64_t value);
  void fill(std::size_t i, const std::vector<std::int64_t>& values);
  void read(std::size_t value, std::vector<std::int64_t>* wide) const;
  bool operands_known(std::size_t i) const;
  void body(std::size_t first, std::size_t last, const Mask& active, double weight);
  std::size_t open(std::size_t i, const Mask& active, double weight);
  void loop(std::size_t i, const Mask& active, double weight);
  void compute(std::size_t i);
  void access(std::size_t i, const Mask& active, double weight);
  void local_access(std::size_t i, const Mask& active);
  const std::uint8_t* mask_of(const Inst& inst) const;
  std::vector<Sample> samples(std::int64_t count, std::int64_t whole, std::int64_t inner);
  std::int64_t distinct_sectors();
  void follow_wraps(std::size_t i);
  void wrap_of_op(std::size_t i);
  bool lost(Value value, std::int64_t unit, std::int64_t lane) const;
  void demand(std::size_t i, Value value, std::int64_t unit, std::int64_t lane);
  void report(std::size_t i, std::int64_t unit, const std::string& what);
  void check_loop(std::size_t i, const Mask& active, const std::vector<std::int64_t>& begin,
                  const std::vector<std::int64_t>& end, const std::vector<std::int64_t>& step);

  const Kernel& k_;
  std::vector<std::int64_t> integers_;
  std::int64_t threads_, units_;
  std::int64_t item_ = 0, warp_ = 0;
  std::int64_t whole_loop_ = 0;  // loops of so many rounds are not sampled, where the walk stands
  std::int64_t steps_done_ = 0;
  double golden_ = 0.5;
  std::vector<Step> steps_;
  std::vector<std::size_t> next_;      // by instruction: the next needed one from there
  std::vector<LocalIntegers> locals_;  // by memory; empty for others
  std::unique_ptr<std::byte[]> values_;
  double bytes_[2] = {0, 0}, sectors_[2] = {0, 0};  // read, written
  std::vector<std::int64_t> index_, touched_;       // of an access
  bool wraps_ = false;                              // are followed
  std::string findings_;
};

}  // namespace kiln::ir
