// How times are taken: loops of calls between two events of the device, medians of several loops.
#pragma once
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/gpu/timing/gpu.h"

namespace kiln::gpu {

using Json = nlohmann::ordered_json;

double now();  // seconds of a steady clock
double median(std::vector<double> values);

struct Loops {
  std::int64_t calls = 0;       // in a loop
  std::vector<double> seconds;  // a call, by the device's events, of each loop
  std::vector<double> issuing;  // the same on the host's clock, until the last call returned
};
// Calls f until a loop takes some five milliseconds, then that often in each of `loops` loops. What
// f puts on the queue has been compiled before. Slow ones get fewer loops, three at least.
Loops run_loops(Gpu& gpu, int loops, const std::function<void()>& f);
// calls, loops, median_us, min_us, max_us, host_us.
Json described(const Loops& loops);

// The file of results, written anew after every change.
class Results {
 public:
  explicit Results(std::string path) : path_(std::move(path)) {}
  // Adds what `make` gives to "rows", or to an object by its name, and prints a line. Its error if
  // it throws: false.
  bool add(const std::string& list, const std::string& name, const std::function<Json()>& make);
  void put(const char* key, Json value);

 private:
  void write() const;
  std::string path_;  // "": nowhere
  Json all_;
};

}  // namespace kiln::gpu
