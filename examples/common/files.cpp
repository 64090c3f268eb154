#include "common/files.h"

#include <png.h>
#include <zlib.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace example {

std::string data_file(const std::string& name) {
  const char* const given = std::getenv("KILN_EXAMPLE_DATA");
  return std::string(given != nullptr ? given : KILN_EXAMPLE_DATA) + "/" + name;
}

Image read_png(const std::string& path) {
  png_image png;
  std::memset(&png, 0, sizeof png);
  png.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_file(&png, path.c_str())) {
    throw std::runtime_error(path + ": " + png.message);
  }
  png.format = PNG_FORMAT_RGB;
  Image image{png.height, png.width, std::vector<std::uint8_t>(PNG_IMAGE_SIZE(png))};
  if (!png_image_finish_read(&png, nullptr, image.rgb.data(), 0, nullptr)) {
    throw std::runtime_error(path + ": " + png.message);
  }
  return image;
}

void write_png(const std::string& path, const Image& image) {
  png_image png;
  std::memset(&png, 0, sizeof png);
  png.version = PNG_IMAGE_VERSION;
  png.format = PNG_FORMAT_RGB;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  if (!png_image_write_to_file(&png, path.c_str(), 0, image.rgb.data(), 0, nullptr)) {
    throw std::runtime_error(path + ": " + png.message);
  }
}

std::vector<std::vector<float>> read_csv_gz(const std::string& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (!file) throw std::runtime_error(path + ": cannot be opened");
  std::vector<std::vector<float>> rows;
  char line[4096];
  while (gzgets(file, line, sizeof line)) {
    std::vector<float>& row = rows.emplace_back();
    for (char* at = line; *at && *at != '\n';) {
      row.push_back(std::strtof(at, &at));
      if (*at == ',') ++at;
    }
  }
  gzclose(file);
  return rows;
}

}  // namespace example
