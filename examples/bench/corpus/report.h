// What a run of kiln_corpus prints.
#pragma once
#include <string>

namespace corpus {

struct Options {
  std::string filter;  // only what has this in its name
  int seconds = 0;     // of processor time, for a process
  bool small = false;  // the sizes of the test
  // Seconds of the processor, not of the clock: where the machine is busy with other things.
  bool processor = false;
};

// The programs at their full size: seconds cold and warm, beside the same with an eval and beside
// loops.
void report_programs(const Options& options);
// The rows: figures seen, and what they must be.
void report_rows(const Options& options);
// The programs at their small size: right, and within bounds of counters; the rows that have bounds
// of counters: within them. How many are not as their table says.
int check(const Options& options);

}  // namespace corpus
