// main of every test binary. ctest reads the exit status and nothing else, so each way in which a
// run can go wrong must end in a status that is not 0:
//   1   a test failed or threw, or the filter selected no test
//   86  the process left through exit() before the last test had ended
//   77  every selected test was skipped; ctest reports these as skipped, by name
// KILN_SKIP_LOG names a file to which each skipped test appends one line with its reason,
// KILN_CPU_LOG one to which each run appends the folder of its tests and the seconds of processor
// time that it and its children took.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

constexpr int kAllSkipped = 77;
constexpr int kLeftEarly = 86;

bool run_finished = false;

void reject_early_exit() {
  if (run_finished) return;
  std::fputs("test_main: the process called exit() before the tests had ended\n", stderr);
  std::fflush(nullptr);
  std::_Exit(kLeftEarly);
}

class SkipLog : public testing::EmptyTestEventListener {
 public:
  explicit SkipLog(const char* path) : path_(path) {}

 private:
  void OnTestEnd(const testing::TestInfo& test) override {
    note(std::string(test.test_suite_name()) + "." + test.name(), *test.result());
  }
  void OnTestProgramEnd(const testing::UnitTest& unit) override {
    note("all tests", unit.ad_hoc_test_result());
  }
  void note(const std::string& name, const testing::TestResult& result) const {
    if (!result.Skipped()) return;
    std::FILE* file = std::fopen(path_.c_str(), "a");
    if (file == nullptr) return;
    std::string reason;
    for (int i = 0; i < result.total_part_count(); ++i) {
      const testing::TestPartResult& part = result.GetTestPartResult(i);
      if (part.skipped()) reason = part.message();
    }
    for (char& c : reason) {
      if (c == '\n') c = ' ';
    }
    std::fprintf(file, "%s: %s\n", name.c_str(), reason.c_str());
    std::fclose(file);
  }

  std::string path_;
};

double processor_seconds(int whose) {
  rusage used{};
  getrusage(whose, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// tests/<folder>/... of the first test that was selected.
std::string selected_folder() {
  constexpr std::string_view kTests = "/tests/";
  const testing::UnitTest& unit = *testing::UnitTest::GetInstance();
  for (int i = 0; i < unit.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *unit.GetTestSuite(i);
    if (!suite.should_run()) continue;
    const std::string file = suite.GetTestInfo(0)->file();
    const std::size_t at = file.rfind(kTests);
    if (at == std::string::npos) return "other";
    const std::size_t begin = at + kTests.size();
    return file.substr(begin, file.find('/', begin) - begin);
  }
  return "other";
}

void note_processor_time(const char* path) {
  std::FILE* const file = std::fopen(path, "a");
  if (file == nullptr) return;
  std::fprintf(file, "%s %.2f\n", selected_folder().c_str(),
               processor_seconds(RUSAGE_SELF) + processor_seconds(RUSAGE_CHILDREN));
  std::fclose(file);
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  // Plans, and what is counted of them, do not depend on the machine unless a test asks for it.
  setenv("KILN_HOST_FIGURES", "fixed", 0);
  // Nor on what the suites before have compiled.
  setenv("KILN_COMPILE_BUDGET", "inf", 0);
  setenv("KILN_QUIET", "1", 0);
  if (const char* path = std::getenv("KILN_SKIP_LOG")) {
    testing::UnitTest::GetInstance()->listeners().Append(new SkipLog(path));
  }
  const bool listing = testing::GTEST_FLAG(list_tests);
  std::atexit(reject_early_exit);
  const int status = RUN_ALL_TESTS();
  run_finished = true;
  if (const char* path = std::getenv("KILN_CPU_LOG"); path != nullptr && !listing) {
    note_processor_time(path);
  }
  if (status != 0 || listing) return status;
  const testing::UnitTest& unit = *testing::UnitTest::GetInstance();
  if (unit.test_to_run_count() == 0) {
    std::fputs("test_main: no test was selected\n", stderr);
    return 1;
  }
  const bool all_at_once = unit.ad_hoc_test_result().Skipped();  // by a global environment
  return all_at_once || unit.skipped_test_count() == unit.test_to_run_count() ? kAllSkipped : 0;
}
