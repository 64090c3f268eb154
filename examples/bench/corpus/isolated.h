// Work in a process of its own: a cache of kernels that is empty, and an end to it whatever it
// does.
#pragma once
#include <sys/types.h>

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

// Does what it is asked for, and writes lines "name value".
using Answer = std::function<void(const std::string& wish, std::FILE* told)>;

// A child that may take so many seconds of processor time, and that waits while it is asked for
// nothing. So several can live side by side and work in turn. Nothing of Kiln may have run in this
// process.
class Isolated {
 public:
  // The child calls start() and does what comes out of it.
  Isolated(int seconds, const std::function<Answer()>& start);
  ~Isolated();
  Isolated(const Isolated&) = delete;
  Isolated& operator=(const Isolated&) = delete;
  // Until it has done it. False if it came to an end over it, or had before.
  bool ask(const std::string& wish);
  // Nothing more is asked of it.
  const Outcome& end();
  const Outcome& outcome() const { return outcome_; }

 private:
  const int seconds_;
  std::string cache_;
  pid_t child_ = 0;  // 0: it has ended
  int socket_ = -1;
  std::FILE* told_ = nullptr;
  Outcome outcome_;
};

}  // namespace corpus
