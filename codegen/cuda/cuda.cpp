#include "codegen/cuda.h"

#include <fmt/format.h>

#include <algorithm>

#include "codegen/cuda/body.h"
#include "ir/error.h"

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

std::string signature(const ir::Kernel& kernel, std::string_view entry,
                      const std::vector<std::string>& parameters) {
  std::string text = "extern \"C\" __global__ void ";
  const auto has_threads = [](const ir::Inst& in) { return in.code == ir::Code::thread; };
  if (std::any_of(kernel.insts.begin(), kernel.insts.end(), has_threads)) {
    text += fmt::format("__launch_bounds__({}) ", ir::block_threads(kernel));
  }
  text += fmt::format("{}(", entry);
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

}  // namespace

std::string cuda_entry(const ir::Kernel& kernel, ir::Labels labels) {
  if (labels == ir::Labels::no) return std::string(kCanonicalEntry);
  cuda::Names names;
  const std::string name = names.unique(kernel.name);
  return cuda::is_library_name(name) ? name + "_kernel" : name;
}

std::string cuda_source(const ir::Kernel& kernel, ir::Labels labels) {
  ir::internal_check(kernel.target == ir::Target::cuda, "a kernel for another target");
  const bool labelled = labels == ir::Labels::yes;
  const std::string entry = cuda_entry(kernel, labels);
  cuda::Names names;
  std::vector<std::string> parameters;
  for (const ir::Param& param : kernel.params) {
    const std::string_view canonical = param.kind == ParamKind::buffer    ? "x"
                                       : param.kind == ParamKind::integer ? "n"
                                                                          : "s";
    parameters.push_back(names.unique(labelled ? std::string_view(param.name) : canonical));
  }
  cuda::Prelude prelude;
  cuda::BodyWriter body(kernel.insts, &kernel, ir::kNoValue, parameters, labels, names, prelude);
  body.write();
  const std::string text = signature(kernel, entry, parameters) + body.take() + "}\n";
  const std::string functions = prelude.text(text);
  std::string result = labelled ? header(kernel) : "";
  if (!result.empty() && !functions.empty()) result += '\n';
  return result + functions + text;
}

}  // namespace kiln::codegen
