#include "bench/corpus/passes.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

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

// What runs in a process: the work as it is written, or its yardstick.
class Child {
 public:
  Child(const Work& work, bool yardstick, int seconds)
      : work_(work), run_(work.run), seconds_(seconds) {
    // What a process pays once, whatever it computes.
    kn::set_threads(1);
    kn::eval(kn::ones({8}) + 1);
    if (work.loops != nullptr) wanted_ = work.loops(run_);
    if (!yardstick) return;
    if (work.yardstick == Yardstick::with_eval) run_.evaluated = true;
    if (work.yardstick == Yardstick::eager) options_.mode = kn::Mode::eager;
    if (work.yardstick == Yardstick::unfused) options_.fusion = false;
  }

  void answer(const std::string& wish, std::FILE* told) {
    const kn::Scope scope(options_);
    if (wish == "exhaust") return exhaust();
    if (wish == "warm" || wish == "loops" || wish == "quarter") {
      Run run = run_;
      if (wish == "quarter") run.n /= 4;
      std::vector<double>& taken = taken_[wish];
      taken.push_back(average([&] { return wish == "loops" ? loops() : call(run); }));
      tell(told, wish, median(taken));
    } else {
      first_calls(wish, told);
    }
  }

 private:
  static void tell(std::FILE* told, const std::string& name, double value) {
    std::fprintf(told, "%s %.9g\n", name.c_str(), value);
    std::fflush(told);
  }

  // Calls, and tells what it did.
  void first_calls(const std::string& name, std::FILE* told) {
    kn::reset_peak();
    const kn::Stats before = kn::stats();
    const double took = call(run_);
    const kn::Stats did = kn::stats() - before;
    tell(told, name + ".seconds", took);
    tell(told, name + ".launched", static_cast<double>(did.launched));
    tell(told, name + ".compiled", static_cast<double>(did.compiled));
    tell(told, name + ".built", static_cast<double>(did.plans_built));
    tell(told, name + ".reused", static_cast<double>(did.plans_reused));
    tell(told, name + ".recomputed", static_cast<double>(did.recomputed));
    tell(told, name + ".peak", static_cast<double>(kn::stats().peak_bytes));
    if (work_.loops != nullptr) tell(told, name + ".off", difference(result_, wanted_));
  }

  // Calls until one compiles nothing.
  void exhaust() {
    const double start = now();
    for (std::int64_t compiled = -1;
         compiled != kn::stats().compiled && now() - start < 0.2 * seconds_;) {
      compiled = kn::stats().compiled;
      call(run_);
    }
  }

  // Of calls that take so long together that a coarse clock can tell.
  template <class Call>
  static double average(Call call) {
    double sum = 0;
    int count = 0;
    while (sum < 0.05 && count < 500) {
      sum += call();
      ++count;
    }
    return sum / count;
  }

  double call(const Run& run) {
    const double start = clock();
    result_ = work_.natural(run);
    return clock() - start;
  }
  double loops() const {
    const double start = clock();
    (void)work_.loops(work_.run);
    return clock() - start;
  }
  [[nodiscard]] double clock() const { return work_.processor ? processor_now() : now(); }

  const Work& work_;
  Run run_;
  const int seconds_;
  kn::Options options_;
  Values wanted_, result_;
  std::map<std::string, std::vector<double>> taken_;
};

class Process : public Isolated {
 public:
  Process(const Work& work, bool yardstick, int seconds)
      : Isolated(seconds, [&] {
          auto child = std::make_shared<Child>(work, yardstick, seconds);
          return [child](const std::string& wish, std::FILE* told) { child->answer(wish, told); };
        }) {}
};

// The first calls of three processes each.
void median_cold(const Work& work, int seconds, Measured* measured) {
  Outcome* const of[] = {&measured->written, &measured->yardstick};
  std::vector<double> taken[2];
  for (int i = 0; i < 2; ++i) taken[i].push_back(of[i]->figures["first.seconds"]);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 2; ++i) {
      Process process(work, i == 1, seconds);
      if (process.ask("first")) taken[i].push_back(process.outcome().figures.at("first.seconds"));
    }
  }
  for (int i = 0; i < 2; ++i) of[i]->figures["first.seconds"] = median(taken[i]);
}

}  // namespace

Measured measure(const Work& work, int rounds, int seconds, int patience) {
  Process written(work, false, seconds), yardstick(work, true, patience * seconds);
  for (const char* call : {"first", "second", "third", "fourth"}) {
    written.ask(call);
    yardstick.ask(call);
  }
  if (rounds > 0 && work.varied) {
    written.ask("exhaust");
    yardstick.ask("exhaust");
  }
  const double start = now();
  for (int round = 0; round < rounds && (round < 3 || now() - start < 0.1 * seconds); ++round) {
    written.ask("warm");
    yardstick.ask("warm");
    if (work.loops != nullptr) yardstick.ask("loops");
    if (work.grows) written.ask("quarter");
  }
  Measured measured{written.end(), yardstick.end()};
  if (rounds > 0 && measured.written.trouble.empty() && measured.yardstick.trouble.empty())
    median_cold(work, seconds, &measured);
  return measured;
}

}  // namespace corpus
