// Runs a reproducer: the file that a failed check of an evaluation writes.
//
//   kiln_replay <file>
//
// The file is a graph's text, and lines that begin with "# ": "symbols:" and "scalars:" with the
// values that were bound, for each input "input <offset> <hex bytes>" in order (or "input <offset>
// size <bytes>", where the data was too large to keep; a fixed pattern stands in), and a message.
//
// The graph interpreter's bits are compared with: the graph after each pass; the plan on the CPU,
// fused and not fused. Ends with 1 and the first difference, with 0 if all agree.

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/compile.h"
#include "frontend/environment.h"
#include "ir/graph.h"
#include "ir/scalar.h"
#include "ir/strided.h"
#include "passes/plan.h"
#include "runtime/execute.h"

namespace {

namespace ir = kiln::ir;
namespace runtime = kiln::runtime;

using Bytes = std::vector<std::byte>;

struct Input {
  std::int64_t offset = 0;
  Bytes bytes;
};

struct Case {
  std::string message;
  ir::Graph graph;
  ir::Bindings bindings;
  std::vector<Input> inputs;
};

Bytes from_hex(std::string_view text) {
  Bytes bytes;
  for (; text.size() > 1; text.remove_prefix(2)) {
    unsigned byte = 0;
    const char* const end = text.data() + 2;
    if (std::from_chars(text.data(), end, byte, 16).ptr != end) {
      throw std::runtime_error(fmt::format("'{}' is no hexadecimal byte", text.substr(0, 2)));
    }
    bytes.push_back(static_cast<std::byte>(byte));
  }
  return bytes;
}

// Bytes that are small positive numbers in every dtype: no NaN, no index out of range.
Bytes pattern(std::int64_t size) {
  Bytes bytes(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 37 % 61);
  return bytes;
}

Input read_input(std::istringstream& line) {
  Input input;
  std::string word;
  line >> input.offset >> word;
  if (word == "size") {
    std::int64_t size = 0;
    if (!(line >> size) || size < 0) throw std::runtime_error("an input of no size");
    input.bytes = pattern(size);
    std::cout << "an input of " << size << " bytes was not kept: a pattern stands in\n";
  } else {
    input.bytes = from_hex(word);
  }
  return input;
}

// Whether all elements of an input lie in its memory. In floating point: nothing overflows, and
// what is too large to be exact is far outside.
bool lies_within(const Input& input, const ir::Input& how, std::span<const std::int64_t> extents,
                 const ir::Bindings& bindings) {
  const std::vector<std::int64_t> strides =
      how.dense ? ir::dense_strides(extents) : ir::values(how.strides, bindings);
  double low = 0, high = 0;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    if (extents[i] == 0) return true;
    const double reach = static_cast<double>(extents[i] - 1) * static_cast<double>(strides[i]);
    (reach < 0 ? low : high) += reach;
  }
  const double size = static_cast<double>(ir::size_of(how.dtype));
  const double first = static_cast<double>(input.offset);
  return first + low * size >= 0 &&
         first + (high + 1) * size <= static_cast<double>(input.bytes.size());
}

// The file may be damaged: what the interpreter takes for granted is looked at.
void check(const Case& c) {
  if (const std::string findings = ir::verify(c.graph); !findings.empty()) {
    throw std::runtime_error("the graph is not well-formed:\n" + findings);
  }
  if (c.bindings.syms.size() != c.graph.syms.size() ||
      c.bindings.scalars.size() != c.graph.scalars.size()) {
    throw std::runtime_error("the graph has other symbols or scalars");
  }
  if (c.inputs.size() != c.graph.inputs.size()) {
    throw std::runtime_error(fmt::format("the graph has {} inputs, the file {}",
                                         c.graph.inputs.size(), c.inputs.size()));
  }
  for (ir::NodeId n = 0; n < c.graph.nodes.size(); ++n) {
    const ir::Node& node = c.graph.nodes[n];
    if (node.kind != ir::NodeKind::buffer) continue;
    const std::vector<std::int64_t> extents = ir::values(c.graph.shape(n), c.bindings);
    if (!lies_within(c.inputs[node.attr], c.graph.inputs[node.attr], extents, c.bindings)) {
      throw std::runtime_error(fmt::format("input {} reaches beyond its bytes", node.attr));
    }
  }
}

Case read_case(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  Case result;
  std::string text;
  for (std::string row; std::getline(file, row);) {
    if (!row.starts_with("# ")) {
      text += row + '\n';
      continue;
    }
    std::istringstream line(row.substr(2));
    std::string word;
    line >> word;
    if (word == "symbols:") {
      for (std::int64_t value = 0; line >> value;) result.bindings.syms.push_back(value);
    } else if (word == "scalars:") {
      for (std::uint64_t bits = 0; line >> bits;) result.bindings.scalars.push_back(bits);
    } else if (word == "input") {
      result.inputs.push_back(read_input(line));
    } else {
      result.message += row.substr(2) + '\n';
    }
  }
  result.graph = ir::parse_graph(text);
  check(result);
  return result;
}

std::uint64_t element(ir::DType type, const Bytes& bytes, std::size_t i) {
  std::uint64_t bits = 0;
  const auto size = static_cast<std::size_t>(ir::size_of(type));
  std::memcpy(&bits, bytes.data() + i * size, size);
  return bits;
}

// The first difference in words, empty if there is none. NaNs are equal to each other.
std::string difference(const ir::Graph& graph, const std::vector<Bytes>& wanted,
                       const std::vector<Bytes>& got) {
  for (std::size_t k = 0; k < wanted.size(); ++k) {
    const ir::DType type = graph.nodes[graph.outputs[k]].dtype;
    const std::size_t count = wanted[k].size() / static_cast<std::size_t>(ir::size_of(type));
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t a = element(type, wanted[k], i), b = element(type, got[k], i);
      if (a == b) continue;
      const double x = ir::to_double(type, a), y = ir::to_double(type, b);
      if (ir::is_float(type) && std::isnan(x) && std::isnan(y)) continue;
      return fmt::format("output {}, element {}: {} (bits {:#x}), should be {} (bits {:#x})", k, i,
                         y, b, x, a);
    }
  }
  return "";
}

std::vector<Bytes> interpret(const ir::Graph& graph, const Case& c) {
  std::vector<ir::ArrayView> views;
  for (const Input& input : c.inputs) views.push_back({input.bytes.data() + input.offset});
  return ir::interpret(graph, c.bindings, views);
}

std::vector<Bytes> execute(const Case& c, bool fusion, const std::vector<Bytes>& like) {
  runtime::Registry& registry = kiln::frontend::registry();
  runtime::Device& cpu = registry.cpu();
  kiln::passes::Options options;
  options.fusion = fusion;
  const runtime::LoadedPlan plan =
      runtime::load(cpu, kiln::passes::make_plan(c.graph, cpu.caps(), options),
                    kiln::frontend::compiler_for(cpu), registry.cache());
  std::vector<runtime::Block> blocks;
  for (const Input& input : c.inputs) {
    const auto size = static_cast<std::int64_t>(input.bytes.size());
    blocks.push_back({cpu.allocate(size), input.offset});
    cpu.upload(*blocks.back().memory, 0, input.bytes.data(), size);
  }
  const std::vector<runtime::Block> outputs = runtime::execute(plan, c.bindings, blocks);
  std::vector<Bytes> result;
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    Bytes bytes(like[k].size());
    cpu.download(bytes.data(), *outputs[k].memory, outputs[k].offset,
                 static_cast<std::int64_t>(bytes.size()));
    result.push_back(std::move(bytes));
  }
  return result;
}

bool agrees(const std::string& what, const ir::Graph& graph, const std::vector<Bytes>& wanted,
            const std::vector<Bytes>& got) {
  const std::string found = difference(graph, wanted, got);
  std::cout << what << ": " << (found.empty() ? "agrees" : found) << '\n';
  return found.empty();
}

int run(const std::string& path) {
  const Case c = read_case(path);
  std::cout << c.message;
  const std::vector<Bytes> wanted = interpret(c.graph, c);
  ir::Graph graph = c.graph;
  for (const std::string& pass : kiln::passes::graph_pass_names()) {
    graph = kiln::passes::run_graph_pass(pass, graph);
    if (!agrees("after pass " + pass, c.graph, wanted, interpret(graph, c))) return 1;
  }
  for (const bool fusion : {false, true}) {
    const std::string what = fusion ? "kernels, fused" : "kernels, not fused";
    if (!agrees(what, c.graph, wanted, execute(c, fusion, wanted))) return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: kiln_replay <file>\n";
    return 2;
  }
  try {
    return run(argv[1]);
  } catch (const std::exception& error) {
    std::cerr << "kiln_replay: " << error.what() << '\n';
    return 1;
  }
}
