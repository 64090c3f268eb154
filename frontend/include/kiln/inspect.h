// What an evaluation would do. None of these evaluates.
#pragma once
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kiln/array.h"

#pragma GCC visibility push(default)
namespace kiln {
inline namespace v0 {

// A kernel of a plan.
struct Source {
  std::string name;          // of the entry, which profilers show
  std::string expression;    // infix
  std::string text;          // CUDA C
  std::vector<Where> lines;  // the user's
};

// The plan for some arrays: its kernels with expression, iteration space, schedule, bytes and
// estimated time; why values between them are stored, and what computing them again would have
// cost; where memory is reused; what an earlier evaluation had computed already; and whether the
// plan is cached, or for which class it is new.
class Explanation {
 public:
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string json() const;
  // The same, with what machine code takes of a multiprocessor: of each CUDA kernel its registers
  // and stack a thread, its shared memory a block, and what it spills. Each is compiled for that,
  // about a tenth of a second; nothing is added where NVRTC is not found, or does not know the
  // architecture. A page has these figures without being asked.
  [[nodiscard]] Explanation with_resources(Where where = Where::here()) const;
  // A page that needs no other file and no network: the graph with kernels as boxes (drawn where
  // Graphviz's dot is found, else a list), and of each kernel its figures, CUDA C and IR. IoError
  // if it cannot be written.
  void save_html(const std::string& path, Where where = Where::here()) const;
  friend std::ostream& operator<<(std::ostream& out, const Explanation& explanation);

 private:
  friend Explanation explain(const Arrays& arrays, Where where);
  struct Data;
  std::shared_ptr<const Data> data_;
};
[[nodiscard]] Explanation explain(const Arrays& arrays, Where where = Where::here());

// The CUDA C of the kernels that would compute these arrays on a target ("sm_75" ... "sm_120").
[[nodiscard]] std::vector<Source> cuda_source(const Arrays& arrays,
                                              std::string_view target = "sm_80",
                                              Where where = Where::here());

// Writes into the directory (made if missing): the graph before and after each pass (.txt, .dot),
// each kernel's IR, CUDA C, PTX (where NVRTC is found), LLVM IR and assembly, and plan.json.
// KILN_DUMP=<directory> does this for every plan that is made. IoError if the directory cannot be
// written.
void dump(const Arrays& arrays, const std::string& directory, Where where = Where::here());

}  // namespace v0
}  // namespace kiln
#pragma GCC visibility pop
