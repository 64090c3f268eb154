// Writes the statements of a kernel, or of a straight-line function, from its instructions. Values
// of one use become part of the expression that uses them; the others, loads and whatever would
// make a line too long get a name.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/cuda/expressions.h"
#include "codegen/cuda/names.h"
#include "codegen/cuda/prelude.h"
#include "codegen/cuda/uses.h"
#include "ir/function.h"

namespace kiln::codegen::cuda {

class BodyWriter {
 public:
  // `kernel` is null for a function; `parameters` are the names of its params.
  BodyWriter(std::span<const ir::Inst> insts, const ir::Kernel* kernel, ir::Value result,
             std::vector<std::string> parameters, ir::Labels labels, Names& names,
             Prelude& prelude);
  // What the grid's value is called; blockIdx.x unless it is said.
  void grid_is(std::string text) { grid_ = std::move(text); }
  void write();
  // The text of a value that stands by now, for `return`.
  std::string text_of(ir::Value v) const { return operand(v, false).text; }
  std::string take() { return std::move(out_); }

 private:
  const ir::Inst& inst(ir::Value v) const { return insts_[v]; }
  const ir::Memory& memory(const ir::Inst& access) const {
    return kernel_->memories[static_cast<std::size_t>(access.imm)];
  }

  // What is known of a value's text; see write().
  struct Slot {
    Expression text;
    bool deferred = false;             // the text still has to appear somewhere
    std::vector<std::int64_t> locals;  // memories, not global, that the deferred text reads
    std::string array;                 // the name of a vector that exists as a whole
  };

  void write(ir::Value i);
  void write_scope(ir::Value i);
  void write_memory(ir::Value i);
  void write_vector(ir::Value i);
  void declare_memories();

  void open_scope();
  void close_scope();
  void open_loop(ir::Value i);
  void open_rare(ir::Value i);
  void close_rare(ir::Value i);
  void write_shuffle(ir::Value i);

  void load(ir::Value i);
  void load_whole(ir::Value i);
  void store(ir::Value i);
  std::string store_statement(ir::Value i);
  Expression load_text(ir::Value i);
  std::string element(ir::Value access) const;  // x[i], x[i + k]
  std::string address(ir::Value access) const;  // x + i
  std::string condition(ir::Value mask) const;  // "" without a mask

  Text operand(ir::Value v, bool exact) const;
  Expression operation(ir::Value i);  // names operands until the line is short enough
  Expression spell(ir::Value i);
  const std::string& array(ir::Value v) const;

  void define(ir::Value i, Expression text);
  void name(ir::Value v);
  void name_array(ir::Value v);
  void materialise_leaf(ir::Value v);
  void name_readers(std::int64_t memory);  // deferred texts that read this memory
  void name_all_readers();
  void take_locals(ir::Value i);
  std::string fresh(ir::Value v);
  std::string vec_type(ir::DType type, int lanes);

  void line(std::string text, const ir::Inst* source = nullptr);
  void lane_line(std::string text, const ir::Inst* source);
  void close_group();
  std::string comment(const ir::Inst* source);

  std::span<const ir::Inst> insts_;
  const ir::Kernel* kernel_;
  std::vector<std::string> parameters_;
  ir::Labels labels_;
  Names& names_;
  Prelude& prelude_;
  Uses uses_;

  std::vector<Slot> slots_;
  std::vector<std::string> memories_;  // names
  std::vector<bool> plain_variable_;   // a local memory of one element
  std::vector<ir::Value> readers_;     // deferred values with locals
  std::vector<std::string> group_;     // statements of the open lane loop
  int group_lanes_ = 0;
  std::uint32_t line_ = 0;  // of the last comment
  int depth_ = 1;
  std::string grid_ = "blockIdx.x";
  std::string out_;
};

// `__device__ float name(float x) { ... }`, with what stands in `how` after the first word.
std::string function_text(const ir::Function& f, std::string_view name, std::string_view how,
                          Prelude& prelude);

}  // namespace kiln::codegen::cuda
