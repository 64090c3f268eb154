// A micro-test for each opcode form of corpus/forms.txt. Arithmetic forms are run on edge values
// and held against reference.h; the others have programs of their own.
#pragma once

#include "tests/cudasim/tests/harness.h"
#include "tests/cudasim/tests/reference.h"

namespace cudasim_tests {

// The forms of the census, tensor-core forms and prototype names aside.
const std::vector<std::string>& census();

class Forms : public Simulator {
 protected:
  void SetUp() override { start(120); }

  // Each runs the form's test and says whether it knows the form.
  bool arithmetic_form(const std::string& form);
  bool carry_form(const std::string& form);
  bool load_store_form(const std::string& form);
  bool atomic_form(const std::string& form);
  bool warp_form(const std::string& form);
  bool control_form(const std::string& form);

  // One warp runs `body` (with %r1 the lane, %rd1 the input, %rd2 the output, %rd3 and %rd4 this
  // lane's words in them) and leaves 32 words.
  std::vector<std::uint32_t> words(const std::string& body, const std::vector<std::uint32_t>& input,
                                   const std::string& before = "");
};

}  // namespace cudasim_tests
