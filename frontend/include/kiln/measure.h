// What a stretch of a program did and where its time went.
//
//   kiln::Measure m;
//   train();
//   std::cout << m;   // launches, compiles, plans, copies; seconds by line
#pragma once
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "kiln/evaluate.h"

#pragma GCC visibility push(default)
namespace kiln {
inline namespace v0 {

// Counts, from its construction to the call, what the whole process does, on every thread: seconds
// of several threads add up. While one lives, devices that work asynchronously are waited for after
// each kernel, so that a kernel's seconds are its own; nothing is measured, and nothing of this
// costs time, where none lives. Several may live at once, on any threads; each starts at 0.
class [[nodiscard]] Measure {
 public:
  enum class Kind : std::uint8_t {
    evaluation,  // all of it: what follows, finding the plan, allocating, waiting for another
                 // thread
    plan,        // planning and compiling: once for each new structure or class of sizes
    upload,      // copies to a device
    download,    // copies to the host
    kernel       // running: kernels and library calls
  };
  struct Row {
    Kind kind = Kind::evaluation;
    std::string name;          // of a kernel; of a copy why it is needed: "an operand", "to_vector"
    std::vector<Where> lines;  // that asked for the evaluation or the copy; that a kernel computes
    std::int64_t count = 0;
    std::int64_t bytes = 0;  // copied; read and written by kernels, each distinct element once
    double seconds = 0;
  };

  [[nodiscard]] explicit Measure(Where where = Where::here());
  ~Measure();
  Measure(const Measure&) = delete;
  Measure& operator=(const Measure&) = delete;

  // Waits for the devices, and throws what failed there.
  [[nodiscard]] double seconds() const;         // since the construction
  [[nodiscard]] Stats stats() const;            // what happened since, as by stats() - stats()
  [[nodiscard]] std::vector<Row> rows() const;  // by kind, then the dearest first
  [[nodiscard]] std::string text() const;       // what << prints
  [[nodiscard]] std::string json() const;       // one object
  friend std::ostream& operator<<(std::ostream& out, const Measure& measure);

 private:
  struct Start;
  Start* start_;
};

// What the process has spent so far on planning and compiling new graphs. A graph is new if its
// operations, or the class of its sizes, are; numbers are not part of it.
struct CompileReport {
  struct Line {
    Where where;  // of the evaluation
    std::int64_t graphs = 0;
    double seconds = 0;
  };
  double seconds = 0;  // of all threads together
  std::int64_t graphs = 0;
  std::vector<Line> lines;  // most seconds first; the first 4096 lines
};
// After two seconds, one line on stderr names the line with most graphs; KILN_QUIET=1 silences it,
// and the progress that a terminal shows of a compile that takes as long.
[[nodiscard]] CompileReport compile_report();

}  // namespace v0
}  // namespace kiln
#pragma GCC visibility pop
