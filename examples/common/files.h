// Reading and writing what the examples work on: PNG pictures by libpng, compressed tables by zlib.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace example {

struct Image {
  std::int64_t height = 0, width = 0;
  std::vector<std::uint8_t> rgb;  // height x width x 3
};

// Path of a file in examples/data.
std::string data_file(const std::string& name);

// Both throw std::runtime_error naming the file.
Image read_png(const std::string& path);
void write_png(const std::string& path, const Image& image);

// Rows of comma-separated numbers in a gzip file.
std::vector<std::vector<float>> read_csv_gz(const std::string& path);

}  // namespace example
