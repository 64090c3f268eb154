// Programs and the hashes of their results: a line each, "name <tab> hash of each output". NaNs are
// hashed as one. Made on the CPU when a bundle is made, and compared on the GPU.
//
//   hashes [--expected FILE] [--shard I/N] [--random COUNT] [--only TEXT]
//
// The programs: those of the planner's tests, by hand; those of the gates at their small sizes, but
// for those with products, whose bits are a library's; random graphs of four kinds. With --expected
// each is also compared with the interpreter, here and now (the gates' in mode check); of one that
// differs the smallest part that does is printed to stderr. The status is 1 if any does.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string_view>

#include "ir/hash.h"
#include "tests/gates/measure.h"
#include "tests/gpu/probe/probe.h"
#include "tests/plans/cases.h"
#include "tests/property/devices.h"

namespace kiln::gpu {

namespace {

using ir::test::RandomGraph;
using testing::Devices;
using testing::Setting;
using testing::Where;

constexpr int kMostShown = 5;  // failures whose smallest part is looked for

struct Item {
  std::string name;
  std::function<std::string()> hashes;
  std::function<std::string()> failure;  // against the interpreter; empty if there is none
};

std::uint64_t hash(std::span<const std::byte> bytes, std::size_t width,
                   std::uint64_t (*canonical)(std::uint64_t)) {
  std::uint64_t h = ir::mix(0x6b696c6e, bytes.size());
  for (std::size_t i = 0; i + width <= bytes.size(); i += width) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, bytes.data() + i, width);
    h = ir::mix(h, canonical(bits));
  }
  return h;
}

// Bits whose exponent is all ones and whose fraction is not 0 are made one NaN.
template <std::uint64_t Exponent, std::uint64_t Fraction>
std::uint64_t nan_is_one(std::uint64_t bits) {
  return (bits & Exponent) == Exponent && (bits & Fraction) != 0 ? Exponent | Fraction : bits;
}

std::string hash_text(std::span<const std::byte> bytes, ir::DType type) {
  auto canonical = [](std::uint64_t bits) { return bits; };
  std::uint64_t (*function)(std::uint64_t) = canonical;
  if (type == ir::DType::float16) function = nan_is_one<0x7c00, 0x3ff>;
  if (type == ir::DType::bfloat16) function = nan_is_one<0x7f80, 0x7f>;
  if (type == ir::DType::float32) function = nan_is_one<0x7f800000, 0x7fffff>;
  if (type == ir::DType::float64) function = nan_is_one<0x7ffull << 52, (1ull << 52) - 1>;
  char text[20];
  std::snprintf(text, sizeof text, "%016llx",
                static_cast<unsigned long long>(
                    hash(bytes, static_cast<std::size_t>(ir::size_of(type)), function)));
  return text;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ",") + part;
  return text;
}

Item graph_item(std::string name, std::function<RandomGraph()> make, Devices& devices,
                const Setting& setting) {
  Item item;
  item.name = std::move(name);
  item.hashes = [make, &devices, setting] {
    const RandomGraph g = make();
    const auto outputs = devices.outputs(g, setting);
    std::vector<std::string> parts;
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      parts.push_back(hash_text(outputs[o], g.graph.nodes[g.graph.outputs[o]].dtype));
    }
    return joined(parts);
  };
  item.failure = [make, &devices, setting] { return devices.smallest_failure(make(), setting); };
  return item;
}

// Of the default device; with KILN_MODE=check an evaluation throws where it differs.
Item gate_item(const kiln_gates::Row& row, const kiln_gates::Dims& dims) {
  Item item;
  item.name = "gate/" + row.name + "/" + kiln_gates::to_text(dims);
  item.hashes = [&row, &dims] {
    const auto inputs = kiln_gates::random_inputs(row, dims, 7);
    kiln_gates::Speller speller(kiln_gates::Spelling::plain);
    auto outputs = row.program(speller, inputs, dims);
    kiln::eval(outputs);
    std::vector<std::string> parts;
    for (const Array& x : outputs) {
      const bool floats = x.dtype() == kiln::float32;
      const auto values = floats ? std::vector<std::int64_t>() : x.to_vector<std::int64_t>();
      const auto reals = floats ? x.to_vector<float>() : std::vector<float>();
      parts.push_back(floats ? hash_text(std::as_bytes(std::span(reals)), ir::DType::float32)
                             : hash_text(std::as_bytes(std::span(values)), ir::DType::int64));
    }
    return joined(parts);
  };
  item.failure = [] { return std::string(); };
  return item;
}

ir::test::RandomGraphOptions kind_of(std::uint64_t seed) {
  switch (seed % 4) {
    case 0:
      return ir::test::row_programs();
    case 1:
      return ir::test::products();
    case 2:
      return ir::test::writes();
    default:
      return {};
  }
}

std::vector<Item> items(std::uint64_t random, Devices& devices, const Setting& setting) {
  std::vector<Item> result;
  for (const testing::Case& c : testing::cases()) {
    result.push_back(graph_item(
        std::string("program/") + c.name,
        [build = c.build] {
          testing::Program p;
          build(p);
          return RandomGraph{p.graph, p.bindings, p.data, p.offset};
        },
        devices, setting));
  }
  for (const kiln_gates::Row& row : kiln_gates::rows()) {
    if (row.products) continue;
    for (const kiln_gates::Dims& dims : row.small) result.push_back(gate_item(row, dims));
  }
  for (std::uint64_t seed = 1; seed <= random; ++seed) {
    result.push_back(graph_item(
        "random/" + std::to_string(seed),
        [seed] { return ir::test::random_graph(seed, kind_of(seed)); }, devices, setting));
  }
  return result;
}

std::map<std::string, std::string> read(const std::string& path) {
  std::map<std::string, std::string> result;
  std::ifstream file(path);
  if (!file) throw std::runtime_error("no such file: " + path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t tab = line.find('\t');
    if (tab != std::string::npos) result[line.substr(0, tab)] = line.substr(tab + 1);
  }
  return result;
}

bool on_cuda() {
  const char* const device = std::getenv("KILN_DEVICE");
  return device != nullptr && std::string_view(device).starts_with("cuda");
}

// What is wrong, or nothing.
std::string trouble(const Item& item, const std::string& got, const std::string& wanted,
                    int& shown) {
  if (got != wanted) {
    const std::string why = shown++ < kMostShown ? item.failure() : "";
    return "differs from the CPU's " + wanted + (why.empty() ? "" : ": " + why);
  }
  return item.failure();
}

}  // namespace

int hashes(const Arguments& arguments) {
  const std::string expected = option(arguments, "--expected");
  const std::string shard = option(arguments, "--shard", "0/1"), only = option(arguments, "--only");
  const std::uint64_t random = std::stoull(option(arguments, "--random", "500"));
  const std::size_t slash = shard.find('/');
  const std::size_t first = std::stoull(shard), step = std::stoull(shard.substr(slash + 1));
  const auto wanted = expected.empty() ? std::map<std::string, std::string>() : read(expected);
  Devices devices;
  const Setting setting{"device", on_cuda() ? Where::cuda : Where::one_thread};
  if (const std::string why = devices.missing(setting.where); !why.empty())
    throw std::runtime_error(why);
  const std::vector<Item> all = items(random, devices, setting);
  int failures = 0, shown = 0;
  for (std::size_t i = first; i < all.size(); i += step) {
    const Item& item = all[i];
    if (item.name.find(only) == std::string::npos) continue;
    std::string got, what;
    try {
      got = item.hashes();
      const auto known = wanted.find(item.name);
      if (!expected.empty() && known == wanted.end()) what = "is not among what is expected";
      if (known != wanted.end()) what = trouble(item, got, known->second, shown);
    } catch (const std::exception& e) {
      got = "-";
      what = e.what();
    }
    std::printf("%s\t%s%s\n", item.name.c_str(), got.c_str(), what.empty() ? "" : "\t!");
    std::fflush(stdout);
    if (what.empty()) continue;
    ++failures;
    std::fprintf(stderr, "%s: %s\n", item.name.c_str(), what.c_str());
  }
  return failures == 0 ? 0 : 1;
}

}  // namespace kiln::gpu
