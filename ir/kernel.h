// Kernel IR: what a scheduled cluster computes, loop by loop. One language, two instantiations: a
// CUDA kernel has a grid loop (blocks) and a thread loop, shared memory, barriers and shuffles; a
// CPU kernel has a grid loop (a range of items split over threads) and vectors of lanes.
//
// A kernel is a flat list of instructions; the index of an instruction is its value (SSA: an
// operand is always an earlier instruction, in the same or an enclosing scope). Scopes are opened
// and closed by paired instructions:
//
//   grid ... end            once, outermost; its value is the work item's (block's) number
//   thread ... end          CUDA only, directly inside grid; its value is threadIdx.x
//   loop ... end            args: begin, end, step; its value is the loop variable
//   if ... [else ...] end   args: condition (one lane)
//   rare ... end_rare       args: condition | begin, inside, otherwise: `inside` is computed only
//                           where some lane needs it; the value of end_rare is
//                           select(condition, inside, otherwise)
//
// State lives in memories: parameters' buffers, arrays local to a thread (registers, if every index
// is constant after unrolling), arrays shared by a block. A memory is declared in Kernel::memories.
//
// A kernel may be launched over a batch: members with arguments of their own, whose grids lie one
// after another. It is written for one member and its grid numbers the member's items. On the CPU
// any kernel may be; a CUDA kernel says so (Kernel::members), since it finds its arguments in a
// table.
//
// Types: every value has a dtype and a number of lanes. Elementwise instructions take operands of
// equal lanes (splat makes a vector of a scalar). bool values with lanes are masks. Index
// arithmetic is ordinary integer arithmetic in Kernel::index (int64 on the CPU, int32 or int64 on
// CUDA).
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ir/op.h"
#include "ir/size_expr.h"

namespace kiln::ir {

using Value = std::uint32_t;
inline constexpr Value kNoValue = ~Value{0};

enum class Target : std::uint8_t { cpu, cuda };

enum class Code : std::uint8_t {
  constant,  // imm: the element's bits
  param,     // imm: index into params (int or scalar; in a Function: the argument's index)
  op,        // op, args
  load,      // imm: memory; args: index, [mask], [otherwise]. A scalar index with lanes > 1 reads
             // consecutive elements; an index with lanes gathers. Masked-off lanes read nothing
             // and give `otherwise` (0 without one).
  store,     // imm: memory; args: index, value, [mask]; as for load (an index with lanes scatters)
  grid,      // begin of the scope, see above
  thread,    // imm: threads a block
  loop,      // args: begin, end, step (step > 0; the loop runs while var < end); imm: 1 = unroll
             // (constant bounds), 2 = few rounds, not worth several copies of the body
  if_,
  else_,
  end,  // closes grid, thread, loop, if_; imm: the instruction that opened it
  rare,
  end_rare,
  splat,     // args: a scalar -> lanes copies
  lane,      // 0, 1, 2, ... of dtype, lanes
  extract,   // args: vector; imm: the lane -> scalar
  join,      // args: a, b of equal lanes -> twice the lanes, a first
  even,      // args: vector -> half the lanes: lanes 0, 2, 4, ...
  odd,       // lanes 1, 3, 5, ...
  barrier,   // CUDA: all threads of the block
  shuffle,   // CUDA: args: value, source lane (int32, 0..31 of the warp) -> the value there
  any,       // args: mask with lanes -> bool scalar: some lane holds
  prefetch,  // CPU: args: index; imm: memory (global). Brings the element's cache line near; the
             // index may lie beyond the memory. Changes no value.
};

// One instruction. 48 bytes, trivially copyable.
struct Inst {
  Code code = Code::constant;
  Op op = Op::add;             // code op only
  DType dtype = DType::bool_;  // of the value
  std::uint8_t flags = 0;      // InstFlag
  std::uint16_t lanes = 1;     // of the value
  std::uint16_t name = 0;      // index into Kernel::names, 0: none; never part of a key
  std::uint32_t line = 0;      // index into Kernel::lines, 0: none; never part of a key
  std::array<Value, 4> args{kNoValue, kNoValue, kNoValue, kNoValue};
  std::int64_t imm = 0;
  bool operator==(const Inst&) const = default;
};
enum InstFlag : std::uint8_t {
  kAligned = 1,      // load, store: the address is a multiple of the access's bytes (CUDA: one
                     // vector instruction of up to 16 bytes; else lane by lane)
  kNonTemporal = 2,  // store: streams past the cache
};

enum class ParamKind : std::uint8_t {
  buffer,   // pointer to elements of dtype
  integer,  // a run-time integer, of dtype Kernel::index
  scalar,   // a user's scalar of dtype
};
struct Param {
  ParamKind kind = ParamKind::buffer;
  DType dtype = DType::float32;
  bool written = false;  // buffer: some store goes there
  bool read = true;      // buffer: some load comes from there; both: a donated pair
  std::string name;      // "x", "n0"; unique, a C identifier
  bool operator==(const Param&) const = default;
};

enum class Space : std::uint8_t { global, local, shared };
struct Memory {
  Space space = Space::global;
  DType dtype = DType::float32;
  std::int64_t size = 0;    // elements, local and shared
  std::uint32_t param = 0;  // global: index into params
  std::string name;
  bool operator==(const Memory&) const = default;
};

// Items (blocks) of the grid: the product over factors of ceil(product of integer params /
// divisor). No factors: 1.
struct GridFactor {
  std::vector<std::uint32_t> params;
  std::int64_t divisor = 1;
  bool operator==(const GridFactor&) const = default;
};

struct Kernel {
  std::string name;        // a C identifier, from labels and ops; never part of a key
  std::string expression;  // infix, for comments and explain; never part of a key
  Target target = Target::cpu;
  DType index = DType::int64;
  std::uint32_t members = 0;  // CUDA: rows of the table of a batch; 0: launched by itself only
  std::vector<Param> params;
  std::vector<Memory> memories;
  std::vector<GridFactor> grid;
  std::vector<Inst> insts;
  std::vector<std::string> names{""};  // hints for readable text
  std::vector<std::string> lines{""};  // the user's lines: "heat.cpp:41"
};

// Threads of a block (imm of the thread instruction), 1 without one.
std::int64_t block_threads(const Kernel& kernel);
// Grid items for bound integer params (indexed like params; other kinds are ignored).
std::int64_t grid_items(const Kernel& kernel, const std::vector<std::int64_t>& param_values);

enum class Labels : bool { no, yes };
// Text of a kernel; without labels (names, lines, expression) it is canonical: equal text means
// equal instructions, and is what kernel caches compare. parse(print(k)) == k.
std::string print(const Kernel& kernel, Labels labels = Labels::yes);
Kernel parse_kernel(std::string_view text);  // throws InternalError with the line on malformed text
// What is wrong with the kernel, one finding a line; empty if well-formed.
std::string verify(const Kernel& kernel);

// An argument of an interpreted launch: a pointer (buffer) or the bits of an integer or scalar.
union KernelArg {
  void* pointer;
  std::int64_t integer;
  std::uint64_t bits;
};
// The table of a batch has a row of these for each member: its arguments in the order of params,
// then the number of its first grid item among those of all members. A CUDA kernel takes the table
// by value, packed, with Kernel::members rows; rows without a member begin beyond every block.
inline constexpr std::int64_t kNoBlock = 2147483647;
// Bytes of a parameter: a pointer, an integer of the kernel's index type, a scalar.
std::int64_t bytes_of(const Kernel& kernel, const Param& param);
// A row of the packed table: the widest first, so that nothing but its end is padded.
struct BatchRow {
  struct Field {
    std::uint32_t param = 0;  // params.size(): the first item
    std::uint32_t offset = 0, bytes = 0;
  };
  std::vector<Field> fields;  // in memory order
  std::uint32_t bytes = 0;    // of a row, a multiple of 8
};
BatchRow batch_row(const Kernel& kernel);

// run(arguments, begin, end) for each member that has some of the batch's items begin..end,
// numbered within the member.
template <class Run>
void each_member(const KernelArg* table, std::size_t params, std::size_t members,
                 std::int64_t begin, std::int64_t end, Run run) {
  const std::size_t row = params + 1;
  for (std::size_t m = 0; m < members; ++m) {
    const std::int64_t first = table[m * row + params].integer;
    const std::int64_t next = m + 1 < members ? table[(m + 1) * row + params].integer : end;
    const std::int64_t from = first < begin ? begin : first;
    const std::int64_t to = next < end ? next : end;
    if (from < to) run(table + m * row, from - first, to - first);
  }
}

// The definition of a kernel's meaning: runs grid items begin..end. CUDA kernels run block by
// block, all threads of a block in lockstep with masks. Throws InternalError on a misuse that
// hardware would punish (a barrier or shuffle under divergence).
void interpret(const Kernel& kernel, const KernelArg* args, std::int64_t begin, std::int64_t end);

}  // namespace kiln::ir
