// A test binary that goes wrong on purpose, in the way its suite is named. red_run.py demands that
// each way ends in a status that ctest takes for a failure.

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <thread>

TEST(Passes, Test) { SUCCEED(); }

TEST(Fails, Test) { EXPECT_EQ(1, 2); }

TEST(Throws, Test) { throw std::runtime_error("thrown on purpose"); }

TEST(ThrowsUnknown, Test) { throw 7; }

TEST(Crashes, Test) { std::raise(SIGSEGV); }

TEST(Terminates, Test) { std::terminate(); }

TEST(ThrowsInThread, Test) {
  std::thread([] { throw std::runtime_error("thrown in a thread on purpose"); }).join();
}

TEST(ExitsWithZero, Test) { std::exit(0); }

TEST(Skips, Test) { GTEST_SKIP() << "skipped on purpose"; }

class ThrowsInSetUp : public testing::Test {
 public:
  static void SetUpTestSuite() { throw std::runtime_error("thrown in set-up on purpose"); }
};

TEST_F(ThrowsInSetUp, Test) { SUCCEED(); }
