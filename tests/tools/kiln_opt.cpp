// Runs graph passes, by name and in the order given, on a graph's text; prints the graph after
// them.
//
//   kiln_opt --list
//   kiln_opt <file or -> [pass...]

#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "passes/plan.h"

namespace {

std::string read_all(const std::string& path) {
  const auto slurp = [](std::istream& in) {
    return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  };
  if (path == "-") return slurp(std::cin);
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  return slurp(file);
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() == 1 && arguments[0] == "--list") {
    for (const std::string& name : kiln::passes::graph_pass_names()) std::cout << name << '\n';
    return 0;
  }
  if (arguments.empty()) {
    std::cerr << "usage: kiln_opt --list | kiln_opt <file or -> [pass...]\n";
    return 2;
  }
  kiln::ir::Graph graph = kiln::ir::parse_graph(read_all(arguments[0]));
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (i > 0) graph = kiln::passes::run_graph_pass(arguments[i], graph);
    const std::string findings = kiln::ir::verify(graph);
    if (!findings.empty()) {
      std::cerr << "not well-formed after " << (i > 0 ? arguments[i] : "parsing") << ":\n"
                << findings << '\n';
      return 1;
    }
  }
  std::cout << kiln::ir::print(graph);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "kiln_opt: " << error.what() << '\n';
    return 1;
  }
}
