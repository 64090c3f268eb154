// Damaged .npy files: load gives an array that can be read to its last element, or throws an Error.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "kiln/kiln.h"
#include "tests/damage.h"
#include "tests/folder.h"
#include "tests/seed.h"

namespace {

namespace kn = kiln;
using kiln::testing::first_seed;
using kiln_tests::Damage;

std::string npy(int version, const std::string& header, const std::string& data) {
  std::string bytes("\x93NUMPY", 6);
  bytes += static_cast<char>(version);
  bytes += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) {
    bytes += static_cast<char>(header.size() >> (8 * i) & 0xff);
  }
  return bytes + header + data;
}

std::vector<std::string> files(const std::string& scratch) {
  const std::string data = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
  std::vector<std::string> result{
      npy(1, "{'descr': '>i4', 'fortran_order': True, 'shape': (2, 3), }\n", data),
      npy(2, "{'descr': '<f8', 'fortran_order': False, 'shape': (5,), }\n", data),
      npy(3, "{'descr': '|b1', 'fortran_order': False, 'shape': (), }\n", data),
      npy(1, "{'shape': (0, 4), 'fortran_order': True, 'descr': '<f2'}\n", ""),
      npy(1, "{\"descr\": \"|u1\", \"fortran_order\": False, \"shape\": (3, 1, 2)}\n", data)};
  for (const kn::DType t : {kn::bool_, kn::int64, kn::float32}) {
    kn::save(scratch, kn::arange(12).reshape({3, 4}).astype(t));
    std::stringstream bytes;
    bytes << std::ifstream(scratch, std::ios::binary).rdbuf();
    result.push_back(bytes.str());
  }
  return result;
}

void load_damaged(std::uint64_t count) {
  const kiln_tests::Folder folder;
  const std::string path = folder.file("x.npy"), copy = folder.file("y.npy");
  const std::vector<std::string> valid = files(path);
  int loaded = 0, refused = 0;
  for (std::uint64_t seed = first_seed(); seed < first_seed() + count; ++seed) {
    SCOPED_TRACE("KILN_SEED=" + std::to_string(seed));
    std::ofstream(path, std::ios::binary) << Damage(seed).of(valid);
    try {
      const kn::Array x = kn::load(path);
      kn::save(copy, x);
      const kn::Array y = kn::load(copy);
      EXPECT_EQ(y.dtype(), x.dtype());
      EXPECT_EQ(y.shape(), x.shape());
      ++loaded;
    } catch (const kn::Error&) {
      ++refused;
    }
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(loaded, 0);
  EXPECT_GT(refused, 0);
}

TEST(NpyFuzz, FilesAreReadOrRefused) { load_damaged(2000); }
TEST(NightlyNpyFuzz, FilesAreReadOrRefused) { load_damaged(200'000); }

}  // namespace
