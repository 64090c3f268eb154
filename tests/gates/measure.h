// What a program is planned to cost on a device that only plans, and the list of figures that are
// not met yet.
#pragma once
#include <map>
#include <string>

#include "tests/gates/rows.h"

namespace kiln_gates {

struct Figures {
  int kernels = 0;   // without library calls
  double least = 0;  // bytes of inputs and outputs
  double compulsory = 0, requested = 0;
  double sectors = -1;  // bytes of sectors requested; negative: the plan does not say
  std::int64_t temporary = 0;
  double operations = 0;
};
// Evaluates nothing but its own inputs. The program is recorded on the device.
Figures measure(const Row& row, const Dims& dims, const kn::Device& device, Spelling spelling);

// The program's inputs with values from the seed, on the current device.
std::vector<kn::Array> random_inputs(const Row& row, const Dims& dims, std::uint64_t seed);
std::string to_text(const Dims& dims);

// Figures that are missed and known to be: tests/gates/missed.txt, a line each,
// "what | asked | measured". A figure that is met must not be listed; a listed one may not get
// worse. KILN_UPDATE_GOLDEN=1 writes the lines of the tests that ran anew.
class Missed {
 public:
  // `scope` starts the names of all figures that will be reported.
  explicit Missed(std::string scope);
  ~Missed();
  Missed(const Missed&) = delete;
  Missed& operator=(const Missed&) = delete;
  // Smaller is better. Fails the running test where the list does not say what is measured.
  void report(const std::string& what, double asked, double measured);

 private:
  struct Line {
    double asked, measured;
  };
  std::string scope_;
  bool update_;
  std::map<std::string, Line> known_, found_;
};

}  // namespace kiln_gates
