#include "codegen/cuda.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>

#include "codegen/cuda/body.h"
#include "codegen/cuda/entry.h"
#include "ir/error.h"
#include "ir/function.h"
#include "ir/hash.h"

namespace kiln::codegen {

using ir::ParamKind;

namespace {

constexpr std::size_t kColumns = 100;

// // text, over as many lines as it needs, broken at spaces.
std::string comment_lines(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    std::size_t length = text.size();
    if (length > kColumns - 3) {
      length = text.rfind(' ', kColumns - 3);
      if (length == std::string_view::npos || length == 0) length = kColumns - 3;
    }
    result += fmt::format("// {}\n", text.substr(0, length));
    text.remove_prefix(std::min(text.size(), length + 1));
  }
  return result;
}

std::string one_line(std::string_view text) {
  std::string result(text);
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c == '\n' || c == '\r' || c == '\\'; },
      ' ');
  return result;
}

std::string header(const ir::Kernel& kernel) {
  std::string result;
  if (!kernel.expression.empty()) result += comment_lines(one_line(kernel.expression));
  std::string lines;
  for (const std::string& line : kernel.lines) {
    if (!line.empty()) lines += (lines.empty() ? "from " : ", ") + one_line(line);
  }
  return result + comment_lines(lines);
}

std::string declaration(const ir::Kernel& kernel, const ir::Param& param, const std::string& name) {
  switch (param.kind) {
    case ParamKind::integer:
      return fmt::format("{} {}", cuda::value_type(kernel.index), name);
    case ParamKind::scalar:
      return fmt::format("{} {}", cuda::stored_type(param.dtype), name);
    case ParamKind::buffer:
      break;
  }
  // One that is both read and written may be two arrays in one memory.
  const bool in_place = param.read && param.written;
  return fmt::format("{}{}*{} {}", param.written ? "" : "const ", cuda::stored_type(param.dtype),
                     in_place ? "" : " __restrict__", name);
}

// Names in the text of a kernel that is launched over batches.
struct BatchNames {
  std::string type, members, table, member, first;
};

// The table's type: a row of words a member (ir/kernel.h).
std::string table_text(const ir::Kernel& kernel, const BatchNames& names,
                       const std::vector<std::string>& parameters) {
  std::string text = fmt::format(
      "// The arguments of one member of the batch, and the number of its first block.\n"
      "struct alignas(8) {} {{\n",
      names.type);
  for (const ir::BatchRow::Field& field : ir::batch_row(kernel).fields) {
    const std::size_t p = field.param;
    text += fmt::format("  {};\n",
                        p < parameters.size()
                            ? declaration(kernel, kernel.params[p], parameters[p])
                            : fmt::format("{} {}", cuda::value_type(kernel.index), names.first));
  }
  text += "};\n";
  return text + fmt::format("struct {} {{\n  {} row[{}];\n}};\n\n", names.members, names.type,
                            kernel.members);
}

// Finds the member that the block belongs to, the last whose first block is not beyond it, and its
// arguments.
std::string find_member(const ir::Kernel& kernel, const BatchNames& names,
                        const std::vector<std::string>& parameters) {
  const std::string_view index = cuda::value_type(kernel.index);
  const std::uint32_t half = std::bit_ceil(kernel.members) / 2;
  std::string text = fmt::format("  int {} = 0;\n", names.member);
  if (half > 0) {
    text += fmt::format("  for (int step = {}; step > 0; step /= 2) {{\n", half);
    text += fmt::format("    const int next = {} + step;\n", names.member);
    text +=
        fmt::format("    if (next < {} && {}.row[next].{} <= ({})blockIdx.x) {} = next;\n  }}\n",
                    kernel.members, names.table, names.first, index, names.member);
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const ParamKind kind = kernel.params[i].kind;
    text += fmt::format("  {}{} = {}.row[{}].{};\n", kind == ParamKind::buffer ? "" : "const ",
                        declaration(kernel, kernel.params[i], parameters[i]), names.table,
                        names.member, parameters[i]);
  }
  return text;
}

std::string signature(const ir::Kernel& kernel, std::string_view entry,
                      const std::vector<std::string>& parameters, const BatchNames* batch) {
  std::string text = "extern \"C\" __global__ void ";
  const auto has_threads = [](const ir::Inst& in) { return in.code == ir::Code::thread; };
  if (std::any_of(kernel.insts.begin(), kernel.insts.end(), has_threads)) {
    text += fmt::format("__launch_bounds__({}) ", ir::block_threads(kernel));
  }
  text += fmt::format("{}(", entry);
  if (batch != nullptr) {
    return text +
           fmt::format("\n    const __grid_constant__ {} {}) {{\n", batch->members, batch->table);
  }
  std::size_t column = text.size();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    std::string one = declaration(kernel, kernel.params[i], parameters[i]);
    one += i + 1 < parameters.size() ? "," : ") {";
    if (column + one.size() + 1 > kColumns) {
      text += "\n    ";
      column = 4;
    } else if (i != 0) {
      text += ' ';
      ++column;
    }
    text += one;
    column += one.size();
  }
  return text + (parameters.empty() ? ") {\n" : "\n");
}

// NVRTC inlines whatever it may, each lane anew: eight times sin in a kernel take it half a second,
// 32 times three and a half, and a tenth of a second where sin is called. So many instructions of
// one function may be inlined: sin up to twice, exp up to six times, where a loop over vectors
// counts twice, for what is left over. What a call costs a GPU no one has measured yet.
constexpr std::size_t kMostInlined = 720;

void call_what_comes_often(const ir::Kernel& kernel, cuda::Prelude& prelude) {
  std::map<std::pair<ir::Op, ir::DType>, std::size_t> inlined;
  for (const ir::Inst& in : kernel.insts) {
    if (in.code != ir::Code::op || !ir::has(in.op, ir::kExpands)) continue;
    const ir::DType computed = ir::is_half(in.dtype) ? ir::DType::float32 : in.dtype;
    std::size_t& instructions = inlined[{in.op, computed}];
    instructions += ir::expansion(in.op, computed)->insts.size();
    if (instructions > kMostInlined) prelude.call(in.op, computed);
  }
}

std::string text_of(const ir::Kernel& kernel, ir::Labels labels, std::string_view entry) {
  ir::internal_check(kernel.target == ir::Target::cuda, "a kernel for another target");
  const bool labelled = labels == ir::Labels::yes;
  cuda::Names names;
  std::vector<std::string> parameters;
  for (const ir::Param& param : kernel.params) {
    const std::string_view canonical = param.kind == ParamKind::buffer    ? "x"
                                       : param.kind == ParamKind::integer ? "n"
                                                                          : "s";
    parameters.push_back(names.unique(labelled ? std::string_view(param.name) : canonical));
  }
  cuda::Prelude prelude;
  call_what_comes_often(kernel, prelude);
  cuda::BodyWriter body(kernel.insts, &kernel, ir::kNoValue, parameters, labels, names, prelude);
  std::string types, prologue;
  BatchNames batch;
  if (kernel.members != 0) {
    batch = {names.unique("Member"), names.unique("Batch"), names.unique("batch"),
             names.unique("member"), names.unique("first_block")};
    types = table_text(kernel, batch, parameters);
    prologue = find_member(kernel, batch, parameters);
    body.grid_is(fmt::format("blockIdx.x - {}.row[{}].{}", batch.table, batch.member, batch.first));
  }
  body.write();
  const std::string text =
      types + signature(kernel, entry, parameters, kernel.members != 0 ? &batch : nullptr) +
      prologue + body.take() + "}\n";
  for (const ir::Param& param : kernel.params) prelude.declare(param.dtype);  // even if not read
  const std::string functions = prelude.text(text);
  std::string result = labelled ? header(kernel) : "";
  if (!result.empty() && !functions.empty()) result += '\n';
  return result + functions + text;
}

}  // namespace

// Of the text and not of the instructions, whose order is also that in which a compiler of this
// library evaluates arguments.
std::string cuda_entry(const ir::Kernel& kernel) {
  const std::uint64_t hash = ir::hash_text(text_of(kernel, ir::Labels::no, "kiln"));
  return fmt::format("kiln_{}_{:012x}", cuda::operations(kernel), hash >> 16);
}

ir::KernelSource cuda_kernel(const ir::Kernel& kernel, ir::Labels labels) {
  std::string entry = cuda_entry(kernel);
  std::string text = text_of(kernel, labels, entry);
  return {std::move(entry), std::move(text), {}};
}

std::string cuda_source(const ir::Kernel& kernel, ir::Labels labels) {
  return cuda_kernel(kernel, labels).text;
}

}  // namespace kiln::codegen
