// The life of a few expressions, end to end.
#include <gtest/gtest.h>
#include <kiln/kiln.h>

#include <bit>
#include <numeric>
#include <sstream>
#include <vector>

namespace kn = kiln;

namespace {

std::string text(const kn::Array& x) {
  std::ostringstream out;
  out << x;
  return out.str();
}

TEST(Smoke, AddsTwoArrays) {
  const kn::Array a = {1, 2, 3, 4, 5}, b = {10, 20, 30, 40, 50};
  const kn::Array c = a + b;
  EXPECT_FALSE(c.evaluated());
  EXPECT_EQ(c.dtype(), kn::int32);
  EXPECT_EQ(c.to_vector<int>(), (std::vector<int>{11, 22, 33, 44, 55}));
  EXPECT_TRUE(c.evaluated());
  EXPECT_EQ(text(c), "[11 22 33 44 55]");
}

TEST(Smoke, BroadcastsReducesAndSlices) {
  kn::Array x = kn::reshape(kn::arange(12, kn::float32), {4, 3});
  const kn::Array d = kn::sqrt(kn::sum((x(kn::whole, kn::newaxis, kn::ellipsis) - x) * 2.0, -1));
  const kn::Array u = x(kn::slice(1, -1), 0);
  kn::eval({d, u});
  EXPECT_EQ(d.shape(), (kn::Shape{4, 4}));
  EXPECT_EQ(u.to_vector<float>(), (std::vector<float>{3, 6}));
  x.at(kn::slice(0, 2), kn::whole) = 0;
  EXPECT_EQ(x.to_vector<float>(), (std::vector<float>{0, 0, 0, 0, 0, 0, 6, 7, 8, 9, 10, 11}));
}

TEST(Smoke, EveryDeviceGivesTheSameBits) {
  std::vector<float> values(1000);
  std::iota(values.begin(), values.end(), -500.f);
  const auto bits_on = [&](const kn::Device& device) {
    kn::Scope scope({.device = device});
    const kn::Array x(values);
    const kn::Array y = kn::softmax(kn::reshape(x, {10, 100}) / 100.f);
    EXPECT_NEAR(kn::sum(y).item<float>(), 10.f, 1e-5f);
    std::vector<std::uint32_t> bits;
    for (const float v : y.to_vector<float>()) bits.push_back(std::bit_cast<std::uint32_t>(v));
    return bits;
  };
  const std::vector<std::uint32_t> reference = bits_on(kn::interpreter());
  for (const kn::Device& device : kn::devices()) EXPECT_EQ(bits_on(device), reference) << device;
}

}  // namespace
