// Work in a process of its own: a cache of kernels that is empty, and an end to it whatever it
// does.
#pragma once
#include <cstdio>
#include <functional>
#include <map>
#include <string>

namespace corpus {

struct Outcome {
  std::map<std::string, double> figures;  // those that it told before it ended
  std::string trouble;                    // why it did not come to its end; empty if it did
  bool ended_badly = false;               // it crashed or threw: it did not just take too long
};

// Runs work(told) in a child that may take so many seconds of processor time; lines "name value"
// that it writes come back. Nothing of Kiln may have run in this process.
Outcome isolated(int seconds, const std::function<void(std::FILE* told)>& work);

}  // namespace corpus
