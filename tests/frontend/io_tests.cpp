// .npy files: round trips, foreign orders, and everything that can be wrong with one.
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "tests/folder.h"
#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;

class Npy : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return folder_.file(name); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  // A file of version 1 with this header and data.
  std::string file(const std::string& header, const std::string& data) const {
    std::string bytes("\x93NUMPY\x01\x00", 8);
    bytes += static_cast<char>(header.size());
    bytes += static_cast<char>(header.size() >> 8);
    return write("file.npy", bytes + header + data);
  }
  std::string complaint(const std::string& file) const {
    int line = 0;
    const std::string message = message_of<kn::IoError>([&] { return kn::load(file); }, &line);
    EXPECT_EQ(line, __LINE__ - 1);
    expect_contains(message, file);
    return message;
  }
  Folder folder_;
};

TEST_F(Npy, RoundTrips) {
  for (const kn::DType t :
       {kn::bool_, kn::int8, kn::int16, kn::int32, kn::int64, kn::uint8, kn::uint16, kn::uint32,
        kn::uint64, kn::float16, kn::float32, kn::float64}) {
    const kn::Array x = kn::reshape(kn::arange(6), {2, 3}).astype(t);
    kn::save(path("x.npy"), x.T());
    const kn::Array y = kn::load(path("x.npy"));
    EXPECT_EQ(y.dtype(), t);
    EXPECT_EQ(y.shape(), (kn::Shape{3, 2}));
    EXPECT_TRUE(kn::all(y == x.T()));
  }
  kn::save(path("zero.npy"), kn::zeros({0, 4}));
  EXPECT_EQ(kn::load(path("zero.npy")).shape(), (kn::Shape{0, 4}));
  kn::save(path("scalar.npy"), kn::Array(2.5));
  EXPECT_EQ(kn::load(path("scalar.npy")).item<double>(), 2.5);
  kn::save(path("one.npy"), kn::Array{7});
  EXPECT_EQ(kn::load(path("one.npy")).shape(), kn::Shape{1});
}

TEST_F(Npy, ForeignOrders) {
  const std::string swapped =
      file("{'descr': '>i4', 'fortran_order': True, 'shape': (2, 3), }\n",
           std::string("\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5\0\0\1\0", 24));
  EXPECT_EQ(values<int>(kn::load(swapped)), (std::vector<int>{1, 3, 5, 2, 4, 256}));
  EXPECT_EQ(values<int>(kn::load(swapped) * 2), (std::vector<int>{2, 6, 10, 4, 8, 512}));
}

// All that the format allows a header to be.
TEST_F(Npy, HeadersOfOtherWriters) {
  const std::string ints("\1\0\0\0\2\0\0\0", 8);
  for (const char* header : {
           R"({"descr": "<i4", "fortran_order": False, "shape": (2,)})",
           R"({'descr':'<i4','fortran_order':False,'shape':(2,)})",
           "{'shape': (2L,), 'fortran_order': True,\n 'descr': \"<i4\",\n}   \n",
           "\t{ 'fortran_order' : False , 'descr' : '<i4' , 'shape' : ( 2 , ) , } ",
           "{'descr': 'int32', 'fortran_order': False, 'shape': (2,)}",
           "{'descr': 'i4', 'fortran_order': False, 'shape': (2,)}",
           "{'descr': '=i4', 'fortran_order': False, 'shape': (2,)}",
       }) {
    const kn::Array x = kn::load(file(header, ints));
    EXPECT_EQ(x.dtype(), kn::int32) << header;
    EXPECT_EQ(values<int>(x), (std::vector<int>{1, 2})) << header;
  }
  const std::string text = "{'descr': '?', 'fortran_order': False, 'shape': ()}";
  EXPECT_TRUE(kn::load(file(text, "\7")).item<bool>());
  for (const char version : {2, 3}) {
    std::string bytes("\x93NUMPY", 6);
    bytes += {version, 0, static_cast<char>(text.size()), 0, 0, 0};
    EXPECT_TRUE(kn::load(write("later.npy", bytes + text + "\1")).item<bool>());
  }
  EXPECT_EQ(
      kn::load(file("{'descr': '<f8', 'fortran_order': True, 'shape': (3, 0, 2)}", "")).shape(),
      (kn::Shape{3, 0, 2}));
}

TEST_F(Npy, MalformedHeadersAreRefused) {
  const std::string ints("\1\0\0\0\2\0\0\0", 8);
  const std::pair<const char*, const char*> kCases[] = {
      {"", "no dictionary"},
      {"['descr']", "no dictionary"},
      {"{", "malformed header"},
      {"{'descr': '<i4', 'fortran_order': False, 'shape': (2,)", "does not end"},
      {"{'descr': '<i4', 'fortran_order': False, 'shape': (2,)} 7", "more behind"},
      {"{'descr': '<i4' 'fortran_order': False, 'shape': (2,)}", "does not end"},
      {"{'descr': '<i4', 'fortran_order': False, 'shape': (2)}", "shape (2) is malformed"},
      {"{'descr': '<i4', 'fortran_order': False, 'shape': (2,,)}", "shape (2,,) is malformed"},
      {"{'descr': '<i4', 'fortran_order': False, 'shape': (,)}", "is malformed"},
      {"{'descr': '<i4', 'fortran_order': False, 'shape': (1 2)}", "is malformed"},
      {"{'descr': '<i4', 'fortran_order': False, 'shape': (02,)}", "is malformed"},
      {"{'descr': '<i4', 'fortran_order': False, 'shape': (2.,)}", "is malformed"},
      {"{'descr': '<i4', 'fortran_order': False, 'shape': (2,", "is malformed"},
      {"{'descr': '<i4', 'fortran_order': False, 'shape': 2}", "'shape' is no tuple"},
      {"{'descr': '<i4', 'fortran_order': 0, 'shape': (2,)}", "'fortran_order' is neither"},
      {"{'descr': '<i4, 'fortran_order': False, 'shape': (2,)}", "malformed header"},
      {"{'descr': 4, 'fortran_order': False, 'shape': (2,)}", "'descr' is no string"},
      {"{'descr': '', 'fortran_order': False, 'shape': (2,)}", "dtype '' has no counterpart"},
      {"{'descr': '<i', 'fortran_order': False, 'shape': (2,)}", "no counterpart"},
      {"{'descr': '<U4', 'fortran_order': False, 'shape': (2,)}", "no counterpart"},
      {"{'descr': '<i4', 'descr': '<i4', 'fortran_order': False, 'shape': (2,)}", "twice"},
      {"{'descr': '<i4', 'fortran_order': False, 'shape': (2,), 'more': 1}", "'more' is not known"},
      {"{'descr': '<i4', 'shape': (2,)}", "no 'fortran_order'"},
      {"{'descr': '<i4', 'fortran_order': False}", "no 'shape'"},
      {"{descr: '<i4', 'fortran_order': False, 'shape': (2,)}", "a key is no string"},
      {"{'descr' '<i4', 'fortran_order': False, 'shape': (2,)}", "'descr' has no value"},
  };
  for (const auto& [header, message] : kCases)
    expect_contains(complaint(file(header, ints)), message);
  expect_contains(complaint(write("minor", std::string("\x93NUMPY\x01\x02\x00\x00", 10))),
                  "version 1.2 is not known");
}

// Whatever happens to a file's bytes, it is loaded or refused.
TEST_F(Npy, SpoiltFilesAreLoadedOrRefused) {
  kn::save(path("good.npy"), kn::Array{{1.5f, 2.f, 3.f}, {4.f, 5.f, 6.f}});
  std::ostringstream text;
  text << std::ifstream(path("good.npy"), std::ios::binary).rdbuf();
  const std::string good = text.str();
  int loaded = 0;
  const auto try_loading = [&](const std::string& bytes) {
    try {
      loaded += kn::load(write("spoilt.npy", bytes)).size() >= 0 ? 1 : 0;
    } catch (const kn::IoError&) {
    }
  };
  for (std::size_t size = 0; size < good.size(); ++size) try_loading(good.substr(0, size));
  EXPECT_EQ(loaded, 0);
  for (std::size_t i = 0; i < 80; ++i) {
    for (const char c : {'\xff', ')', '\'', '}', ',', '9'}) {
      std::string bytes = good;
      bytes[i] = c;
      try_loading(bytes);
    }
  }
  EXPECT_GT(loaded, 5);
}

TEST_F(Npy, WhatIsWrongIsNamed) {
  expect_contains(complaint(path("missing.npy")), "cannot be opened");
  expect_contains(complaint(write("a", "PK\x03\x04 and more bytes")), "wrong magic string");
  expect_contains(complaint(write("b", "")), "truncated");
  expect_contains(complaint(write("c", std::string("\x93NUMPY\x09\x00\x00\x00", 10))),
                  "version 9.0 is not known");
  expect_contains(complaint(write("d", std::string("\x93NUMPY\x01\x00\x60\x00{", 11))),
                  "truncated: the header");
  expect_contains(
      complaint(file("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }\n", "abc")),
      "the elements need 16 bytes, 3 are there");
  expect_contains(
      complaint(file("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }\n", "")),
      "no counterpart");
  expect_contains(
      complaint(file("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,), }\n", "")),
      "structured dtype");
  expect_contains(complaint(file("{'fortran_order': False, 'shape': (1,), }\n", "")), "no 'descr'");
  expect_contains(
      complaint(file("{'descr': '<f4', 'fortran_order': maybe, 'shape': (1,), }\n", "")),
      "fortran_order");
  expect_contains(
      complaint(file("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }\n", "")),
      "is malformed");
  expect_contains(
      complaint(file(
          "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999), }\n", "")),
      "is malformed");
  expect_contains(
      complaint(file("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000,), }\n", "")),
      "the elements need 4000000000 bytes");
  expect_contains(
      message_of<kn::IoError>([&] { kn::save(path("no/such/folder.npy"), kn::Array{1}); }),
      "cannot be written");
  expect_contains(message_of([&] { kn::save(path("x.npy"), kn::zeros({2}, kn::bfloat16)); }),
                  "bfloat16 has no counterpart");
}

}  // namespace
