// Graph passes on text: each file of rewrites/ names a pass, a graph, and the graph that the pass
// makes of it. KILN_UPDATE_GOLDEN=1 writes what the passes make now; read the diff.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "ir/graph.h"
#include "passes/plan.h"
#include "tests/source_folder.h"

namespace kiln {
namespace {

struct RewriteCase {
  std::string comment, pass, before, after;
};

constexpr const char* kArrow = "=>\n";

RewriteCase read(const std::filesystem::path& path) {
  std::ifstream file(path);
  RewriteCase result;
  std::string line;
  std::getline(file, result.comment);
  std::getline(file, line);
  result.pass = line.substr(line.find(' ') + 1);
  std::stringstream rest;
  rest << file.rdbuf();
  const std::string text = rest.str();
  const std::size_t arrow = text.find(kArrow);
  result.before = text.substr(0, arrow);
  if (arrow != std::string::npos) result.after = text.substr(arrow + std::string(kArrow).size());
  return result;
}

std::vector<std::filesystem::path> cases() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(testing::source_folder() + "/tests/passes/rewrites")) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

TEST(GoldenRewrites, EachPassMakesWhatTheFileSays) {
  ASSERT_FALSE(cases().empty());
  for (const auto& path : cases()) {
    const RewriteCase c = read(path);
    const ir::Graph before = ir::parse_graph(c.before);
    EXPECT_EQ(ir::print(before), c.before) << path << ": the text is not canonical";
    ir::Caps least;
    least.products = ir::Products::none;
    const ir::Graph after = passes::run_graph_pass(c.pass, before, least);
    EXPECT_EQ(ir::verify(after), "") << path;
    if (std::getenv("KILN_UPDATE_GOLDEN")) {
      std::ofstream(path) << c.comment << "\npass " << c.pass << "\n"
                          << c.before << kArrow << ir::print(after);
    } else {
      EXPECT_EQ(ir::print(after), c.after) << path << ": " << c.comment;
      EXPECT_EQ(ir::print(passes::run_graph_pass(c.pass, after)), c.after)
          << path << ": not idempotent";
    }
  }
}

}  // namespace
}  // namespace kiln
