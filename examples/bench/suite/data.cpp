// The inputs that are no hashed numbers: examples/data as .npy files, which every peer reads.
#include <kiln/kiln.h>

#include <cmath>
#include <filesystem>
#include <stdexcept>

#include "bench/suite/peer.h"
#include "common/files.h"

namespace bench {

namespace {

using Floats = std::vector<float>;
constexpr std::int64_t kPixels = 64;  // of a digit; the label follows them

void write(const std::filesystem::path& file, const Floats& values, std::int64_t columns) {
  const std::int64_t rows = static_cast<std::int64_t>(values.size()) / columns;
  kiln::save(file.string(), kiln::Array(std::span<const float>(values), {rows, columns}));
}

// Luminance from 0 to 1, each pixel `times` x `times`.
Floats enlarged(const example::Image& image, std::int64_t times) {
  Floats grey;
  grey.reserve(static_cast<std::size_t>(image.height * image.width * times * times));
  for (std::int64_t r = 0; r < image.height * times; ++r) {
    for (std::int64_t c = 0; c < image.width * times; ++c) {
      const std::uint8_t* rgb = image.rgb.data() + (r / times * image.width + c / times) * 3;
      grey.push_back((0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2]) / 255.0f);
    }
  }
  return grey;
}

void write_photograph(const std::filesystem::path& folder) {
  const example::Image image = example::read_png(example::data_file("astronaut.png"));
  write(folder / "photograph.npy", enlarged(image, 1), image.width);
  write(folder / "photograph_4.npy", enlarged(image, 4), image.width * 4);
}

// Every third digit is asked for, the others are known, as in the example; the first of each kind
// are the centres that k-means begins with.
void write_digits(const std::filesystem::path& folder) {
  Floats all, known, asked, centres;
  const auto rows = example::read_csv_gz(example::data_file("digits.csv.gz"));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto append = [&](Floats& set) {
      set.insert(set.end(), rows[i].begin(), rows[i].begin() + kPixels);
    };
    append(all);
    append(i % 3 == 0 ? asked : known);
  }
  for (int label = 0; label < 10; ++label) {
    std::size_t i = 0;
    while (i < rows.size() && std::lround(rows[i].at(kPixels)) != label) ++i;
    centres.insert(centres.end(), rows.at(i).begin(), rows.at(i).begin() + kPixels);
  }
  write(folder / "digits.npy", all, kPixels);
  write(folder / "digits_known.npy", known, kPixels);
  write(folder / "digits_asked.npy", asked, kPixels);
  write(folder / "digits_centres.npy", centres, kPixels);
}

}  // namespace

int write_data(const std::string& folder) {
  std::filesystem::create_directories(folder);
  write_photograph(folder);
  write_digits(folder);
  return 0;
}

}  // namespace bench
