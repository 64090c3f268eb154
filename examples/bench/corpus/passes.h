// Work measured in processes of its own, as it is written and beside its yardstick.
#pragma once
#include "bench/corpus/corpus.h"
#include "bench/corpus/isolated.h"

namespace corpus {

enum class Yardstick : std::uint8_t {
  with_eval,  // its state evaluated each step: Run::evaluated
  eager,      // one operation at a time, at its line
  unfused     // lazy, each operation a kernel
};

struct Work {
  Values (*natural)(const Run&) = nullptr;
  Values (*loops)(const Run&) = nullptr;  // may be missing
  Run run;
  Yardstick yardstick = Yardstick::with_eval;
  // No two calls are alike: what is measured begins when a call compiles nothing, or after some
  // seconds.
  bool varied = false;
  bool grows = false;      // wants `quarter`
  bool processor = false;  // its seconds are of the processor, not of the clock
};

struct Measured {
  Outcome written, yardstick;
};

// Both in a process of their own. Of each: figures of the first four calls, first.<what>,
// second.<what>, third.<what>, fourth.<what>: seconds, launched, compiled, built, reused,
// recomputed, peak (bytes), off (the largest difference from the loops over their largest value).
// Then of `rounds` rounds in which they take turns the median seconds: warm of both, loops of the
// yardstick's process, quarter of the written one's: warm, of a quarter of the size. Where there
// are rounds, first.seconds are the median of three processes each. A process may take so many
// seconds of its processor, the yardstick's `patience` times as many.
Measured measure(const Work& work, int rounds, int seconds, int patience = 1);

}  // namespace corpus
