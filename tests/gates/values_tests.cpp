// The values of the table of programs, in every spelling and of random shapes: on the default
// device, which .cmake/discover.cmake makes each in turn, they have the interpreter's bits.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "tests/gates/measure.h"
#include "tests/seed.h"

namespace kiln_gates {
namespace {

using kn::Array;

// Every value as 64 bits; NaNs are alike.
std::vector<std::uint64_t> bits(const Array& x) {
  std::vector<std::uint64_t> result;
  if (x.dtype() == kn::float32) {
    for (const float v : x.to_vector<float>())
      result.push_back(std::isnan(v) ? ~0u : std::bit_cast<std::uint32_t>(v));
  } else {
    for (const std::int64_t v : x.to_vector<std::int64_t>())
      result.push_back(static_cast<std::uint64_t>(v));
  }
  return result;
}

std::vector<Array> run(const Row& row, const Dims& dims, const kn::Device& device,
                       Spelling spelling) {
  const kn::Scope scope({.device = device, .flush_after = 0});
  const std::vector<Array> inputs = random_inputs(row, dims, 7);
  Speller speller(row.outlive && spelling == Spelling::plain ? Spelling::held : spelling);
  std::vector<Array> outputs = row.program(speller, inputs, dims);
  kn::eval(outputs);
  return outputs;
}

// The first difference in words.
std::string difference(const Row& row, const std::vector<Array>& wanted,
                       const std::vector<Array>& got) {
  for (std::size_t o = 0; o < wanted.size(); ++o) {
    if (wanted[o].shape() != got[o].shape()) return fmt::format("output {} has another shape", o);
    const auto a = bits(wanted[o]), b = bits(got[o]);
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a[i] == b[i]) continue;
      const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(a[i]));
      const auto y = std::bit_cast<float>(static_cast<std::uint32_t>(b[i]));
      if (row.products && std::abs(x - y) <= 1e-4f * std::max(1.f, std::abs(x))) continue;
      return fmt::format("output {}, element {}: {:#x}, should be {:#x}", o, i, b[i], a[i]);
    }
  }
  return "";
}

// Products by a library have its bits: rows that use one are compared loosely, the spelling alone
// exactly.
TEST(GatesValues, SpellingsHaveTheInterpretersBits) {
  for (const Row& row : rows()) {
    for (const Dims& dims : row.small) {
      const std::vector<Array> wanted = run(row, dims, kn::interpreter(), Spelling::plain);
      for (const Spelling spelling : kSpellings) {
        SCOPED_TRACE(row.name + ", " + to_text(dims) + ", " + name(spelling));
        EXPECT_EQ(difference(row, wanted, run(row, dims, kn::default_device(), spelling)), "");
      }
    }
  }
}

// Shapes with extents of 1, odd and prime ones.
void random_shapes(int count) {
  const std::uint64_t seed = kiln::testing::first_seed();
  for (const Row& row : rows()) {
    if (!row.random) continue;
    std::mt19937_64 rng(seed);
    for (int i = 0; i < count; ++i) {
      const Dims dims = row.random(rng);
      EXPECT_EQ(difference(row, run(row, dims, kn::interpreter(), Spelling::plain),
                           run(row, dims, kn::default_device(), Spelling::plain)),
                "")
          << row.name << ", " << to_text(dims) << ", seed " << seed;
    }
  }
}

TEST(GatesValues, RandomShapes) { random_shapes(2); }
TEST(HeavyGatesValues, RandomShapes) { random_shapes(40); }

}  // namespace
}  // namespace kiln_gates
