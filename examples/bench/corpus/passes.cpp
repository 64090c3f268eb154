#include "bench/corpus/passes.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <limits>
#include <string>

namespace corpus {

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Of this thread, which is the only one: under a limit of its seconds a process's own clock goes by
// ticks.
double processor_now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double median(std::vector<double> list) {
  std::sort(list.begin(), list.end());
  return list[list.size() / 2];
}

// The largest difference, over the largest value.
double difference(const Values& got, const Values& wanted) {
  if (got.size() != wanted.size()) return std::numeric_limits<double>::infinity();
  double off = 0, scale = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    scale = std::max(scale, std::abs(wanted[i]));
    const double apart = std::abs(got[i] - wanted[i]);
    // Written so that a NaN is a difference.
    if (!(apart <= off)) off = std::isnan(apart) ? std::numeric_limits<double>::infinity() : apart;
  }
  return scale > 0 ? off / scale : off;
}

class Child {
 public:
  Child(const Work& work, std::FILE* told) : work_(work), told_(told) {
    // What a process pays once, whatever it computes.
    kn::set_threads(1);
    kn::eval(kn::ones({8}) + 1);
    if (work.loops != nullptr) wanted_ = work.loops(work.run);
  }

  void tell(const std::string& name, double value) {
    std::fprintf(told_, "%s %.9g\n", name.c_str(), value);
    std::fflush(told_);
  }

  double loops() const {
    const double start = clock();
    (void)work_.loops(work_.run);
    return clock() - start;
  }

  double natural() { return call(work_.run, &result_); }

  double yardstick() {
    Run run = work_.run;
    kn::Options options;
    if (work_.yardstick == Yardstick::with_eval) run.evaluated = true;
    if (work_.yardstick == Yardstick::eager) options.mode = kn::Mode::eager;
    if (work_.yardstick == Yardstick::unfused) options.fusion = false;
    const kn::Scope scope(options);
    return call(run, &result_);
  }

  double quarter() {
    Run run = work_.run;
    run.n /= 4;
    Values ignored;
    return call(run, &ignored);
  }

  // Calls, and tells what it did.
  template <class Call>
  void told(const std::string& name, Call call_it) {
    kn::reset_peak();
    const kn::Stats before = kn::stats();
    const double took = call_it();
    const kn::Stats did = kn::stats() - before;
    tell(name + ".seconds", took);
    tell(name + ".launched", static_cast<double>(did.launched));
    tell(name + ".compiled", static_cast<double>(did.compiled));
    tell(name + ".built", static_cast<double>(did.plans_built));
    tell(name + ".reused", static_cast<double>(did.plans_reused));
    tell(name + ".recomputed", static_cast<double>(did.recomputed));
    tell(name + ".peak", static_cast<double>(kn::stats().peak_bytes));
    if (work_.loops != nullptr) tell(name + ".off", difference(result_, wanted_));
  }

 private:
  double call(const Run& run, Values* result) const {
    const double start = clock();
    *result = work_.natural(run);
    return clock() - start;
  }
  [[nodiscard]] double clock() const { return work_.processor ? processor_now() : now(); }

  const Work& work_;
  std::FILE* told_;
  Values wanted_, result_;
};

// Of calls that take so long together that a coarse clock can tell.
template <class Call>
double average(Call call) {
  double sum = 0;
  int count = 0;
  while (sum < 0.05 && count < 500) {
    sum += call();
    ++count;
  }
  return sum / count;
}

// Calls until one compiles nothing.
void exhaust(Child* child, double patience) {
  const double start = now();
  for (std::int64_t compiled = -1; compiled != kn::stats().compiled && now() - start < patience;) {
    compiled = kn::stats().compiled;
    child->natural();
  }
}

}  // namespace

Outcome as_written(const Work& work, int rounds, int seconds) {
  return isolated(seconds, [&](std::FILE* told) {
    Child child(work, told);
    for (const char* call : {"first", "second", "third", "fourth"}) {
      child.told(call, [&] { return child.natural(); });
    }
    if (rounds == 0) return;
    if (work.varied) exhaust(&child, 0.2 * seconds);
    child.yardstick();
    std::vector<double> warm, yardstick, loops, quarter;
    const double start = now();
    for (int round = 0; round < rounds && (round < 3 || now() - start < 0.1 * seconds); ++round) {
      warm.push_back(average([&] { return child.natural(); }));
      yardstick.push_back(average([&] { return child.yardstick(); }));
      child.tell("warm", median(warm));
      child.tell("yardstick", median(yardstick));
      if (work.loops == nullptr) continue;
      loops.push_back(average([&] { return child.loops(); }));
      child.tell("loops", median(loops));
    }
    for (int round = 0; round < 4 && work.grows; ++round) {
      const double took = average([&] { return child.quarter(); });
      if (round > 0) quarter.push_back(took);
    }
    if (work.grows) child.tell("quarter", median(quarter));
  });
}

Outcome alone(const Work& work, int rounds, int seconds) {
  return isolated(seconds, [&](std::FILE* told) {
    Child child(work, told);
    child.told("yard", [&] { return child.yardstick(); });
    std::vector<double> yardstick, loops;
    for (int round = 0; round < rounds; ++round) {
      yardstick.push_back(average([&] { return child.yardstick(); }));
      child.tell("yardstick", median(yardstick));
      if (work.loops == nullptr) continue;
      loops.push_back(average([&] { return child.loops(); }));
      child.tell("loops", median(loops));
    }
  });
}

}  // namespace corpus
