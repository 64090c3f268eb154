// The table of crossings between host and device, counted by transfers(). The device is the
// simulated one, which must be named before the library looks for devices: each test runs in a
// process of its own that has it in its environment.
#include <gtest/gtest.h>
#include <kiln/kiln.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace {

namespace kn = kiln;

constexpr const char* kChild = "KILN_GATES_CHILD";
constexpr int kSkipped = 77;  // tests/tools/test_main.cpp

// Runs the body where a simulated device is the default one.
template <class Body>
void on_simulator(Body body) {
  if (std::getenv(kChild) != nullptr) {
    ASSERT_GT(kn::devices().size(), 1u) << "no simulated device";
    ASSERT_EQ(kn::default_device(), kn::cuda(0));
    body();
    return;
  }
  if (*KILN_CUDASIM == '\0') GTEST_SKIP() << "the simulated driver was not built";
  const ::testing::TestInfo& test = *::testing::UnitTest::GetInstance()->current_test_info();
  std::ostringstream command;
  command << kChild << "=1 KILN_DEVICE= KILN_CUDA_DRIVER='" << KILN_CUDASIM << "' KILN_CUBLASLT='"
          << KILN_CUDASIM << "' '" << std::filesystem::read_symlink("/proc/self/exe").string()
          << "' --gtest_filter=" << test.test_suite_name() << '.' << test.name();
  const int status = std::system(command.str().c_str());
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kSkipped) GTEST_SKIP() << "NVRTC was not found";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

struct Crossings {
  int up = 0, down = 0;
  std::int64_t bytes_up = 0, bytes_down = 0;
};

// What crosses while f runs, by the list and by the counters, which must agree.
template <class F>
Crossings crossings(F f) {
  const std::size_t listed = kn::transfers().size();
  const kn::Stats before = kn::stats();
  f();
  const kn::Stats spent = kn::stats() - before;
  const std::vector<kn::Transfer> all = kn::transfers();
  Crossings c;
  for (std::size_t i = listed; i < all.size(); ++i) {
    EXPECT_GT(all[i].where.line, 0) << all[i].why;
    (all[i].to_device ? c.up : c.down) += 1;
    (all[i].to_device ? c.bytes_up : c.bytes_down) += all[i].bytes;
  }
  EXPECT_EQ(c.up, spent.uploads);
  EXPECT_EQ(c.down, spent.downloads);
  EXPECT_EQ(c.bytes_down, spent.download_bytes);
  return c;
}

std::vector<float> ramp(std::int64_t n) {
  std::vector<float> v(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<float>(i % 97) / 13.f;
  return v;
}

TEST(Transfers, QuickstartPrintsTwoResultsOfTwoArrays) {
  on_simulator([] {
    const Crossings c = crossings([] {
      const kn::Array a = {1, 2, 3, 4, 5};
      const kn::Array b = {10, 20, 30, 40, 50};
      std::ostringstream out;
      out << "a + b = " << a + b << "\n";
      out << "distance = " << kn::sqrt(kn::sum(kn::square(a - b) * 0.5)) << "\n";
      EXPECT_NE(out.str().find("[11 22 33 44 55]"), std::string::npos) << out.str();
    });
    EXPECT_EQ(c.up, 2);
    EXPECT_EQ(c.down, 2);
  });
}

TEST(Transfers, AnArrayThatThreeEvaluationsUseGoesUpOnce) {
  on_simulator([] {
    const kn::Array x(ramp(5000));
    const Crossings c = crossings([&] {
      kn::eval(x * 2.f);
      kn::eval(kn::sum(x));
      kn::eval(kn::exp(x) + x);
    });
    EXPECT_EQ(c.up, 1);
    EXPECT_EQ(c.down, 0);
  });
}

TEST(Transfers, KMeansOfAHundredIterationsReadsItsCentresOnce) {
  on_simulator([] {
    const Crossings c = crossings([] {
      constexpr std::int64_t kPoints = 120, kCentres = 4;
      const kn::Array points = kn::Array(ramp(kPoints * 3)).reshape({kPoints, 3});
      kn::Array centres = points(kn::slice(0, kCentres));
      for (int i = 0; i < 100; ++i) {
        const kn::Array distances = kn::sum(
            kn::square(points(kn::_, kn::newaxis, kn::_) - centres(kn::newaxis, kn::_, kn::_)), -1);
        const kn::Array mine =
            kn::expand_dims(kn::argmin(distances, -1), 1) == kn::arange(kCentres);
        const kn::Array weights = mine.astype(kn::float32);
        const kn::Array sums =
            kn::sum(weights(kn::_, kn::_, kn::newaxis) * points(kn::_, kn::newaxis, kn::_), 0);
        const kn::Array counts = kn::maximum(kn::sum(weights, 0), 1.f);
        centres = sums / kn::expand_dims(counts, 1);
        kn::eval(centres);
      }
      EXPECT_EQ(centres.to_vector<float>().size(), 12u);
    });
    EXPECT_EQ(c.up, 1);
    EXPECT_EQ(c.down, 1);
  });
}

TEST(Transfers, ALoopUntilConvergenceMovesOneElementAnIteration) {
  on_simulator([] {
    kn::Array r(ramp(1000));
    kn::eval(r * 1.f);
    int iterations = 0;
    const Crossings c = crossings([&] {
      while (kn::sum(r * r) > 1.f) {
        r = r * 0.5f;
        ++iterations;
      }
    });
    EXPECT_GT(iterations, 4);
    EXPECT_EQ(c.up, 0);
    EXPECT_EQ(c.down, iterations + 1);
    EXPECT_EQ(c.bytes_down, iterations + 1);  // a bool each
  });
}

// The picture program, small: bytes to linear light, blur, unsharp mask, back to bytes.
TEST(Transfers, APictureGoesUpAndComesDownOnce) {
  on_simulator([] {
    const Crossings c = crossings([] {
      constexpr std::int64_t kSide = 40;
      std::vector<std::uint8_t> pixels(kSide * kSide * 3, 100);
      const kn::Array bytes = kn::Array(pixels).reshape({kSide, kSide, 3});
      const kn::Array s = bytes.astype(kn::float32) / 255.f;
      const kn::Array light =
          kn::where(s <= 0.04045f, s / 12.92f, kn::pow((s + 0.055f) / 1.055f, 2.4f));
      kn::Array blurred = light;
      for (const int axis : {0, 1}) {
        std::vector<kn::Margin> margins(3, 0);
        margins[static_cast<std::size_t>(axis)] = 2;
        const kn::Array wide = kn::pad(blurred, margins);
        blurred = kn::zeros_like(light);
        for (int k = 0; k < 5; ++k) {
          const kn::Slice part = kn::slice(k, k + kSide);
          blurred += 0.2f * (axis == 0 ? wide(part) : wide(kn::whole, part));
        }
      }
      const kn::Array sharp = kn::clip(light + 0.6f * (light - blurred), 0.f, 1.f);
      EXPECT_EQ(kn::round(sharp * 255.f).astype(kn::uint8).to_vector<std::uint8_t>().size(),
                pixels.size());
    });
    EXPECT_EQ(c.up, 1);
    EXPECT_EQ(c.down, 1);
  });
}

void print_array_of(std::int64_t elements) {
  const kn::Array x = kn::arange(elements, kn::float32);
  kn::eval(x);
  const Crossings c = crossings([&] {
    std::ostringstream out;
    out << x;
    EXPECT_NE(out.str().find("..."), std::string::npos);
  });
  EXPECT_EQ(c.up, 0);
  EXPECT_GT(c.bytes_down, 0);
  EXPECT_LE(c.bytes_down, 4096);
}
TEST(Transfers, PrintingMovesWhatIsShown) {
  on_simulator([] { print_array_of(1 << 20); });
}
TEST(HeavyTransfers, PrintingAGigabyteMovesWhatIsShown) {
  on_simulator([] { print_array_of(1 << 28); });
}

TEST(Transfers, ReadingTwiceMovesOnce) {
  on_simulator([] {
    const kn::Array y = kn::arange(1000, kn::float32) * 2.f;
    const Crossings c = crossings([&] { EXPECT_EQ(y.to_vector<float>(), y.to_vector<float>()); });
    EXPECT_EQ(c.up, 0);
    EXPECT_EQ(c.down, 1);
  });
}

TEST(Transfers, ArraysOfTwoDevicesAreRefusedWithBothLines) {
  on_simulator([] {
    const kn::Array here = kn::zeros({3}, kn::float32, kn::cpu());
    const int first = __LINE__ - 1;
    const kn::Array there = kn::ones({3}, kn::float32, kn::cuda(0));
    const int second = __LINE__ - 1;
    const Crossings c = crossings([&] {
      try {
        kn::eval(here + there);
        ADD_FAILURE() << "did not throw";
      } catch (const kn::UserError& error) {
        const std::string text = error.what();
        EXPECT_NE(text.find("transfers_tests.cpp:" + std::to_string(first)), std::string::npos)
            << text;
        EXPECT_NE(text.find("transfers_tests.cpp:" + std::to_string(second)), std::string::npos)
            << text;
      }
    });
    EXPECT_EQ(c.up + c.down, 0);
  });
}

TEST(Transfers, ATrainingLoopThatPrintsItsLossComputesItsForwardPassOnce) {
  on_simulator([] {
    const kn::Array x = kn::Array(ramp(600)).reshape({100, 6}), y = kn::Array(ramp(100));
    kn::Array w = kn::zeros({6});
    const kn::Stats before = kn::stats();
    std::ostringstream out;
    for (int step = 0; step < 5; ++step) {
      const kn::Array error = kn::sum(x * w, 1) - y;
      const kn::Array loss = kn::mean(kn::square(error));
      const kn::Array gradient = kn::mean(x * kn::expand_dims(error, 1), 0);
      w = w - 0.01f * gradient;
      out << loss << "\n";
    }
    out << w;
    EXPECT_EQ((kn::stats() - before).recomputed, 0);
  });
}

}  // namespace
