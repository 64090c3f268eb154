// Text that is compared with a file under tests/golden; `./dev golden` writes the files anew.
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/source_folder.h"

namespace kiln::testing {

// `name`: below tests/golden, with its extension.
inline void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = source_folder() + "/tests/golden/" + name;
  if (const char* update = std::getenv("KILN_UPDATE_GOLDEN"); update && *update == '1') {
    std::ofstream(path) << text;
    return;
  }
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  std::ostringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(text, golden.str()) << path;
}

}  // namespace kiln::testing
