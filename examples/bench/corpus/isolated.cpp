#include "bench/corpus/isolated.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

namespace corpus {

namespace {

constexpr int kThrew = 3;
constexpr int kPatience =
    20;  // how many times slower than its processor time a child may be, before it counts as stuck

constexpr const char* kDone = "done";  // ends an answer

void answer_all(int socket, const std::function<Answer()>& start) {
  std::FILE* const told = fdopen(socket, "w");
  std::FILE* const asked = fdopen(dup(socket), "r");
  const Answer answer = start();
  char wish[64];
  while (std::fscanf(asked, "%63s", wish) == 1) {
    answer(wish, told);
    std::fprintf(told, "%s 0\n", kDone);
    std::fflush(told);
  }
}

[[noreturn]] void be_child(int socket, int seconds, const std::string& cache,
                           const std::function<Answer()>& start) {
  const rlimit limit{static_cast<rlim_t>(seconds), static_cast<rlim_t>(seconds)};
  setrlimit(RLIMIT_CPU, &limit);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  alarm(static_cast<unsigned>(kPatience * seconds));
  setenv("KILN_CACHE_DIR", cache.c_str(), 1);
  setenv("KILN_HOST_FIGURES", "fixed", 0);  // so that plans do not depend on what else runs here
  int status = 0;
  try {
    answer_all(socket, start);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    status = kThrew;
  }
  std::fflush(stdout);
  _exit(status);
}

void judge(int status, int seconds, Outcome* outcome) {
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  const bool late = signal == SIGKILL || signal == SIGXCPU || signal == SIGALRM;
  outcome->ended_badly = status != 0 && !late;
  if (late) {
    outcome->trouble =
        signal == SIGALRM ? "stuck" : "not done in " + std::to_string(seconds) + " s";
  } else if (signal != 0) {
    outcome->trouble = strsignal(signal);
  } else if (status != 0) {
    outcome->trouble = "it threw";
  }
}

}  // namespace

Isolated::Isolated(int seconds, const std::function<Answer()>& start) : seconds_(seconds) {
  cache_ = (std::filesystem::temp_directory_path() / "kiln_corpus_XXXXXX").string();
  int ends[2];
  if (mkdtemp(cache_.data()) == nullptr ||
      socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw std::runtime_error("no folder or no socket");
  std::fflush(stdout);
  child_ = fork();
  if (child_ < 0) throw std::runtime_error("no process");
  if (child_ == 0) {
    close(ends[0]);  // or it would not see that nothing more is asked
    be_child(ends[1], seconds, cache_, start);
  }
  close(ends[1]);
  socket_ = ends[0];
  told_ = fdopen(dup(socket_), "r");
}

bool Isolated::ask(const std::string& wish) {
  if (child_ == 0) return false;
  const std::string line = wish + "\n";
  if (send(socket_, line.data(), line.size(), MSG_NOSIGNAL) >= 0) {
    char name[64];
    double value = 0;
    while (std::fscanf(told_, "%63s %lf", name, &value) == 2) {
      if (std::strcmp(name, kDone) == 0) return true;
      outcome_.figures[name] = value;
    }
  }
  end();
  return false;
}

const Outcome& Isolated::end() {
  if (child_ == 0) return outcome_;
  shutdown(socket_, SHUT_WR);
  int status = 0;
  waitpid(std::exchange(child_, 0), &status, 0);
  judge(status, seconds_, &outcome_);
  std::fclose(told_);
  close(socket_);
  std::filesystem::remove_all(cache_);
  return outcome_;
}

Isolated::~Isolated() { end(); }

}  // namespace corpus
