// What no small program shows: sizes just below and beyond 2^31 elements, arrays of tens of
// gigabytes, memory that runs out and comes back, threads. A line of JSON each step.
//
//   limits [--small] [--only TEXT]
//
// --small: the same steps at sizes for a simulated device. Every step knows its answer in closed
// form; none reads more than a few numbers from the device. What the device has no memory for is
// skipped by name.
#include <chrono>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <thread>

#include "frontend/include/kiln/kiln.h"
#include "tests/gpu/probe/probe.h"

namespace kiln::gpu {

namespace {

struct Skip : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void expect(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

template <class T>
void expect_equal(T got, T wanted, const std::string& what) {
  expect(got == wanted,
         what + " is " + std::to_string(got) + ", should be " + std::to_string(wanted));
}

void need(std::int64_t bytes) {
  if (default_device().free_bytes() < bytes) {
    throw Skip("needs " + std::to_string(bytes >> 20) + " MiB of the device's memory");
  }
}

// n ones plus one, beside guards that a store past the end would change.
void near_2_31(std::int64_t n, DType type, std::int64_t width) {
  need(3 * n * width);
  const Array before = full({1 << 16}, 7, uint8);
  eval(before);
  const Array y = zeros({n}, type) + 1;
  const Array after = full({1 << 16}, 7, uint8);
  eval(y, after);
  expect_equal(sum(y.astype(int64)).item<std::int64_t>(), n, "the sum");
  expect_equal(y(n - 1).astype(int32).item<int>(), 1, "the last element");
  expect_equal(sum(before.astype(int64)).item<std::int64_t>(), std::int64_t{7} << 16,
               "an array made before");
  expect_equal(sum(after.astype(int64)).item<std::int64_t>(), std::int64_t{7} << 16,
               "an array made after");
}

// A sum in the array's own type, a maximum, its place, and the same array backwards.
void reductions_near_2_31(std::int64_t n) {
  need(3 * n);
  const Array x = (arange(n) & 127).astype(uint8);
  eval(x);
  const std::int64_t cycles = n / 128, rest = n % 128;
  const Array total = sum(x).astype(int64), most = max(x), place = argmax(x),
              last = argmax(flip(x));
  eval(total, most, place, last);
  expect_equal(total.item<std::int64_t>(), cycles * (127 * 128 / 2) + rest * (rest - 1) / 2,
               "the sum");
  expect_equal(most.item<int>(), 127, "the maximum");
  expect_equal(place.item<std::int64_t>(), std::int64_t{127}, "its place");
  expect_equal(last.item<std::int64_t>(), rest, "its place from the end");
}

void forty_gigabytes(std::int64_t bytes) {
  need(bytes * 5 / 2);
  const std::int64_t n = bytes / 4;
  const Array x = (arange(n) & 1023).astype(float32);
  const Array y = x * 2.0f + 1.0f;
  eval(y);
  expect_equal(y(n - 1).item<float>(), static_cast<float>((n - 1) % 1024) * 2 + 1,
               "the last element");
  expect_equal(sum((y == 1.0f).astype(int64)).item<std::int64_t>(), (n + 1023) / 1024,
               "the count of the smallest");
  expect_equal(max(y).item<float>(), 2047.0f, "the maximum");
}

bool small_program_is_right() {
  const Array x = arange(1000).astype(float32);
  return sum(x * 2.0f).item<float>() == 999000.0f;
}

// Asked for more than there is: refused by name, and the device works on.
void out_of_memory() {
  const std::int64_t all = default_device().total_bytes();
  bool refused = false;
  try {
    eval(zeros({all + all / 8}, uint8) + 1);
  } catch (const OutOfMemory&) {
    refused = true;
  }
  expect(refused, "more than the device has was not refused");
  expect(small_program_is_right(), "after it a small program is wrong");
}

// Filled piece by piece until nothing is left, then let go.
void filled() {
  const std::int64_t piece = std::max<std::int64_t>(default_device().free_bytes() / 12, 1 << 16);
  std::vector<Array> held;
  bool refused = false;
  try {
    for (int i = 0; i < 64; ++i) {
      held.push_back(zeros({piece}, uint8) + (i % 100));
      eval(held.back());
    }
  } catch (const OutOfMemory&) {
    refused = true;
  }
  expect(refused, "64 twelfths of the memory fitted");
  const std::size_t kept = held.size();
  expect(kept > 4, "too little was held");
  expect_equal(held[3](piece - 1).item<int>(), 3, "what is held");
  held.clear();
  expect(small_program_is_right(), "after it a small program is wrong");
  eval(zeros({piece * 4}, uint8) + 1);
}

// Each thread its own programs of many shapes, and one that all share.
void threads(int rounds) {
  const Array shared = arange(1 << 12).astype(float32);
  eval(shared);
  std::vector<std::string> troubles(8);
  std::vector<std::thread> all;
  for (std::size_t t = 0; t < troubles.size(); ++t) {
    all.emplace_back([&, t] {
      try {
        std::mt19937_64 random(t);
        for (int i = 0; i < rounds; ++i) {
          const auto n = static_cast<std::int64_t>(random() % 3000 + 1);
          const Array x = arange(n).astype(float32), y = x + static_cast<float>(t);
          const Array rows = broadcast_to(y, {3, n});
          const auto wanted = static_cast<double>(n * (n - 1) / 2) +
                              static_cast<double>(n * static_cast<std::int64_t>(t));
          expect_equal(sum(y.astype(float64)).item<double>(), wanted, "a sum");
          expect_equal(max(rows).item<float>(),
                       static_cast<float>(n - 1 + static_cast<std::int64_t>(t)), "a maximum");
          expect_equal(sum((shared * 2.0f).astype(int64)).item<std::int64_t>(),
                       std::int64_t{4095} * 4096, "the shared sum");
        }
      } catch (const std::exception& e) {
        troubles[t] = e.what();
      }
    });
  }
  for (std::thread& thread : all) thread.join();
  for (const std::string& trouble : troubles) expect(trouble.empty(), trouble);
}

struct Step {
  std::string name;
  std::function<void()> run;
};

std::vector<Step> steps(bool small) {
  const std::int64_t two31 = std::int64_t{1} << (small ? 17 : 31);
  std::vector<Step> result;
  for (const std::int64_t off : {-65537, -65536, -32769, -2000, -1, 0, 1, 12345}) {
    const std::int64_t n = std::max<std::int64_t>(two31 + off, 5);
    const std::string at = "2^31" + std::string(off < 0 ? "" : "+") + std::to_string(off);
    result.push_back({"uint8, " + at, [n] { near_2_31(n, uint8, 1); }});
    result.push_back({"reductions, " + at, [n] { reductions_near_2_31(n); }});
    if (off != -2000 && off != 12345) continue;
    result.push_back({"float16, " + at, [n] { near_2_31(n, float16, 2); }});
    result.push_back({"float32, " + at, [n] { near_2_31(n, float32, 4); }});
  }
  const std::int64_t most = small ? 1 << 18 : 40'000'000'000;
  result.push_back({"an array of 40 GB", [most] { forty_gigabytes(most); }});
  result.push_back({"eight threads", [small] { threads(small ? 2 : 100); }});
  result.push_back({"more memory than there is", out_of_memory});
  if (!small) result.push_back({"memory that is full", filled});
  return result;
}

}  // namespace

int limits(const Arguments& arguments) {
  const std::string only = option(arguments, "--only");
  int failures = 0;
  for (const Step& step : steps(has(arguments, "--small"))) {
    if (step.name.find(only) == std::string::npos) continue;
    nlohmann::ordered_json line{{"name", step.name}, {"result", "ok"}};
    const auto begun = std::chrono::steady_clock::now();
    try {
      step.run();
    } catch (const Skip& skip) {
      line["result"] = "skipped";
      line["why"] = skip.what();
    } catch (const std::exception& e) {
      line["result"] = "failed";
      line["why"] = e.what();
      ++failures;
    }
    line["seconds"] =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    std::printf("%s\n", line.dump().c_str());
    std::fflush(stdout);
  }
  return failures == 0 ? 0 : 1;
}

}  // namespace kiln::gpu
