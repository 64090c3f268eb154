// Develops a photograph: sRGB to linear light, separable Gaussian blur by shifted slices, unsharp
// mask, filmic tone curve, back to sRGB and 8 bits; then the same with fusion off, to compare.
#include <kiln/kiln.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>

#include "common/files.h"
namespace kn = kiln;

namespace {

kn::Array to_linear(const kn::Array& bytes) {
  const kn::Array s = bytes.astype(kn::float32) / 255.f;
  return kn::where(s <= 0.04045f, s / 12.92f, kn::pow((s + 0.055f) / 1.055f, 2.4f));
}

kn::Array to_bytes(const kn::Array& linear) {
  const kn::Array x = kn::clip(linear, 0.f, 1.f);
  const kn::Array s =
      kn::where(x <= 0.0031308f, x * 12.92f, 1.055f * kn::pow(x, 1 / 2.4f) - 0.055f);
  return kn::round(s * 255.f).astype(kn::uint8);
}

// Weighted sum of shifted slices along one axis of a picture that is dark beyond its edge.
kn::Array shifted_sum(const kn::Array& image, int axis, int radius, float sigma) {
  std::vector<kn::Margin> margins(3, 0);
  margins[static_cast<std::size_t>(axis)] = {radius, radius};
  const kn::Array wide = kn::pad(image, margins);
  const std::int64_t n = image.shape(axis);
  kn::Array sum = kn::zeros_like(image);
  for (int k = -radius; k <= radius; ++k) {
    const float weight = std::exp(-0.5f * static_cast<float>(k * k) / (sigma * sigma));
    const kn::Slice window = kn::slice(k + radius, k + radius + n);
    sum += weight * (axis == 0 ? wide(window) : wide(kn::whole, window));
  }
  return sum;
}

// Gaussian blur along one axis: the sum over what is inside the picture, by the weights inside.
kn::Array blur_axis(const kn::Array& image, int axis, int radius, float sigma) {
  const kn::Array inside = axis == 0 ? kn::ones({image.shape(0), 1, 1}, kn::float32)
                                     : kn::ones({1, image.shape(1), 1}, kn::float32);
  return shifted_sum(image, axis, radius, sigma) / shifted_sum(inside, axis, radius, sigma);
}

// A rational curve with a soft shoulder, as film has: highlights roll off instead of clipping.
kn::Array filmic(const kn::Array& x) {
  return x * (2.51f * x + 0.03f) / (x * (2.43f * x + 0.59f) + 0.14f);
}

kn::Array develop(const kn::Array& bytes) {
  const kn::Array light = to_linear(bytes);
  const kn::Array blurred = blur_axis(blur_axis(light, 0, 4, 2.f), 1, 4, 2.f);
  const kn::Array sharp = light + 0.6f * (light - blurred);
  return to_bytes(filmic(kn::maximum(sharp, 0.f) * 0.7f));
}

struct Run {
  std::vector<std::uint8_t> pixels;
  kn::Stats used;
  double seconds;
};

// The upper rows of a picture.
example::Image upper(example::Image image, std::int64_t rows) {
  image.height = std::min(image.height, rows);
  image.rgb.resize(static_cast<std::size_t>(image.height * image.width * 3));
  return image;
}

Run run(const example::Image& image, bool fusion) {
  const kn::Scope scope({.fusion = fusion});
  const kn::Stats before = kn::stats();
  const kn::Array bytes(std::span<const std::uint8_t>(image.rgb), {image.height, image.width, 3});
  Run result;
  result.pixels = develop(bytes).to_vector<std::uint8_t>();
  result.used = kn::stats() - before;
  result.seconds = kn::timeit([&] { kn::eval(develop(bytes)); });
  return result;
}

void report(const char* name, const Run& r) {
  std::cout << name << ": " << r.used.launched << " kernels, "
            << (r.used.bytes_read + r.used.bytes_written) / 1000 << " KB moved by kernels, "
            << r.used.uploads << " upload, " << r.used.downloads << " download, " << r.seconds * 1e3
            << " ms warm\n";
}

}  // namespace

// photo [the picture to write [how many rows of it]]
int main(int argc, char** argv) {
  const std::int64_t rows = argc > 2 ? std::atoll(argv[2]) : 1 << 20;
  const example::Image image = upper(example::read_png(example::data_file("astronaut.png")), rows);
  const Run fused = run(image, true);
  const Run unfused = run(image, false);
  report("fused  ", fused);
  report("unfused", unfused);
  std::cout << "same pixels: " << (fused.pixels == unfused.pixels ? "yes" : "NO") << "\n";
  const std::string target = argc > 1 ? argv[1] : "photo.png";
  example::write_png(target, {image.height, image.width, fused.pixels});
  std::cout << "written: " << target << "\n";
  return fused.pixels == unfused.pixels ? 0 : 1;
}
