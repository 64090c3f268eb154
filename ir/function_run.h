// Private to ir: a function made ready to run over arrays, for those who run it many times.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "ir/function.h"
#include "ir/scalar_loops.h"

namespace kiln::ir {

inline constexpr std::int64_t kFunctionBlock = 256;

// Every instruction has a block of storage; a parameter's is the caller's array itself. `most` is
// the largest n that is expected: smaller blocks are allocated for it. Not for several threads at
// once. Assumes the standard floating-point state.
class FunctionRun {
 public:
  FunctionRun(const Function& f, std::int64_t most);
  void run(std::int64_t n, const void* const* in, void* out);

 private:
  struct Step {
    ArrayLoop loop = nullptr;
    std::size_t close = 0;  // rare: its end_rare
  };
  void block(std::int64_t begin, std::int64_t n, const void* const* in, void* out);
  std::size_t step(std::size_t i, std::int64_t begin, std::int64_t n, const void* const* in);
  void apply(std::size_t i, const Value* args, int count, std::int64_t n);
  DType operand_type(const Inst& inst) const;
  void fill(std::size_t i);

  const Function& f_;
  std::int64_t width_;
  std::vector<void*> values_;
  std::vector<Step> steps_;
  std::unique_ptr<std::uint64_t[]> storage_;
};

}  // namespace kiln::ir
