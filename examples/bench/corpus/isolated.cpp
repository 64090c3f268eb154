#include "bench/corpus/isolated.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace corpus {

namespace {

constexpr int kThrew = 3;
constexpr int kPatience =
    20;  // how many times slower than its processor time a child may be, before it counts as stuck

[[noreturn]] void be_child(int pipe, int seconds, const std::string& cache,
                           const std::function<void(std::FILE*)>& work) {
  const rlimit limit{static_cast<rlim_t>(seconds), static_cast<rlim_t>(seconds)};
  setrlimit(RLIMIT_CPU, &limit);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  alarm(static_cast<unsigned>(kPatience * seconds));
  setenv("KILN_CACHE_DIR", cache.c_str(), 1);
  setenv("KILN_HOST_FIGURES", "fixed", 0);  // so that plans do not depend on what else runs here
  std::FILE* const told = fdopen(pipe, "w");
  int status = 0;
  try {
    work(told);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    status = kThrew;
  }
  std::fflush(told);
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

Outcome isolated(int seconds, const std::function<void(std::FILE*)>& work) {
  std::string cache = (std::filesystem::temp_directory_path() / "kiln_corpus_XXXXXX").string();
  int ends[2];
  if (mkdtemp(cache.data()) == nullptr || pipe(ends) != 0)
    throw std::runtime_error("no folder or no pipe");
  std::fflush(stdout);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("no process");
  if (child == 0) be_child(ends[1], seconds, cache, work);
  close(ends[1]);
  std::FILE* const told = fdopen(ends[0], "r");
  Outcome outcome;
  char name[64];
  double value = 0;
  while (std::fscanf(told, "%63s %lf", name, &value) == 2) outcome.figures[name] = value;
  std::fclose(told);
  int status = 0;
  waitpid(child, &status, 0);
  judge(status, seconds, &outcome);
  std::filesystem::remove_all(cache);
  return outcome;
}

}  // namespace corpus
