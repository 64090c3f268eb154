#include <kiln/kiln.h>
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include "bench/suite/peer.h"

namespace bench {

namespace {

// Values that every peer makes alike: hashed positions, uniform between the bounds.
std::unique_ptr<Memory> hashed(std::int64_t count, std::uint32_t number, float low, float high) {
  auto memory = std::make_unique<Memory>(count);
  for (std::int64_t i = 0; i < count; ++i) {
    std::uint32_t h = static_cast<std::uint32_t>(i) * 2654435761U + number * 2654435769U;
    h = (h ^ (h >> 16)) * 2246822507U;
    h ^= h >> 13;
    const float unit = static_cast<float>(h >> 8) * 0x1p-24F;
    memory->data()[i] = low + (high - low) * unit;
  }
  return memory;
}

// A file that `kiln_bench --data` wrote: floats in rows.
std::unique_ptr<Memory> read(const std::string& file, const std::vector<std::int64_t>& extents) {
  const char* folder = std::getenv("BENCH_DATA");
  if (!folder) throw std::runtime_error("BENCH_DATA names no folder");
  const kiln::Array array = kiln::load(std::string(folder) + "/" + file);
  if (array.shape() != kiln::Shape(extents)) throw std::runtime_error(file + ": other extents");
  const std::vector<float> values = array.to_vector<float>();
  auto memory = std::make_unique<Memory>(static_cast<std::int64_t>(values.size()));
  std::copy(values.begin(), values.end(), memory->data());
  return memory;
}

// <name> <dims, comma between> and for each input <extents, comma between>:<low>:<high>, or
// <extents>:<file> of `kiln_bench --data`
std::vector<std::int64_t> numbers(const std::string& text) {
  std::vector<std::int64_t> result;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) result.push_back(std::stoll(part));
  return result;
}

Problem problem(std::istream& words) {
  Problem p;
  std::string word;
  words >> p.name >> word;
  p.dims = numbers(word);
  while (words >> word) {
    const std::size_t first = word.find(':'), second = word.find(':', first + 1);
    p.shapes.push_back(numbers(word.substr(0, first)));
    if (second == std::string::npos) {
      p.inputs.push_back(read(word.substr(first + 1), p.shapes.back()));
      continue;
    }
    std::int64_t count = 1;
    for (const std::int64_t extent : p.shapes.back()) count *= extent;
    p.inputs.push_back(hashed(count, static_cast<std::uint32_t>(p.inputs.size()),
                              std::stof(word.substr(first + 1, second - first - 1)),
                              std::stof(word.substr(second + 1))));
  }
  return p;
}

class Server {
 public:
  explicit Server(Peer peer) : peer_(std::move(peer)) {}

  std::string answer(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    if (verb == "hello") return "ok " + peer_.about;
    if (verb == "load") return load(words);
    if (verb == "check") return check(words);
    if (verb == "time") return time(words);
    if (verb == "counters") return counters();
    if (verb == "drop") {
      program_.reset();
      problem_ = {};
      malloc_trim(0);  // the environment tells the C library to keep everything
      return "ok";
    }
    throw std::runtime_error("unknown request: " + verb);
  }

 private:
  std::string load(std::istream& words) {
    program_.reset();
    problem_ = problem(words);
    program_ = peer_.make(problem_);
    if (!program_) return "none";
    const double start = now();
    program_->run();
    wait();
    return "ok " + std::to_string(now() - start);
  }

  // check <samples>: how many values there are and that many of them, evenly spread
  std::string check(std::istream& words) const {
    std::int64_t samples = 0;
    words >> samples;
    std::ostringstream out;
    out.precision(9);
    std::int64_t total = 0;
    const std::vector<Values> outputs = program_->outputs();
    for (const Values& values : outputs) total += values.count;
    out << "ok " << total;
    const std::int64_t taken = std::min(samples, total);
    for (std::int64_t k = 0; k < taken; ++k) {
      std::int64_t at = k * total / taken;
      std::size_t which = 0;
      while (at >= outputs[which].count) at -= outputs[which++].count;
      out << ' ' << outputs[which].data[at];
    }
    return out.str();
  }

  void wait() const {
    if (program_->wait) program_->wait();
  }

  // time <calls>: seconds a call; on a GPU all of them are waited for at the end only
  std::string time(std::istream& words) {
    std::int64_t calls = 1;
    words >> calls;
    const double start = now();
    for (std::int64_t k = 0; k < calls; ++k) program_->run();
    wait();
    std::ostringstream out;
    out.precision(9);
    out << "ok " << (now() - start) / static_cast<double>(calls);
    return out.str();
  }

  // Kernels launched and bytes moved by one run, and this process's peak of memory in bytes.
  std::string counters() {
    const kiln::Stats before = kiln::stats();
    if (program_) program_->run();
    const kiln::Stats used = kiln::stats() - before;
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::ostringstream out;
    out << "ok " << used.launched << ' ' << used.bytes_read + used.bytes_written << ' '
        << usage.ru_maxrss * 1024;
    return out.str();
  }

  Peer peer_;
  Problem problem_;
  std::optional<Program> program_;
};

std::optional<Peer> find(const std::string& name) {
  for (std::optional<Peer> peer : {std::optional(kiln_peer()), std::optional(unfused_peer()),
                                   std::optional(hand_peer()), std::optional(hand_fast_peer()),
                                   std::optional(machine_peer()), eigen_peer(), xtensor_peer()}) {
    if (peer && peer->name == name) return peer;
  }
  return std::nullopt;
}

}  // namespace

void split(std::int64_t count, std::int64_t unit, std::int64_t work,
           const std::function<void(std::int64_t, std::int64_t)>& f) {
  constexpr std::int64_t kWorthThreads = 1 << 17;
  if (work < kWorthThreads) return f(0, count);
  share(count, unit, f);
}

Program writing(std::vector<std::int64_t> counts,
                const std::function<Run(const Pointers&)>& make_run) {
  auto memory = std::make_shared<std::vector<std::unique_ptr<Memory>>>();
  std::vector<float*> pointers;
  std::vector<Values> values;
  for (const std::int64_t count : counts) {
    memory->push_back(std::make_unique<Memory>(count));
    pointers.push_back(memory->back()->data());
    values.push_back({pointers.back(), count});
  }
  return {make_run(pointers), [memory, values] { return values; }};
}

int serve(const std::string& name) {
  std::optional<Peer> peer = find(name);
  if (!peer) {
    std::cout << "gone not built in: its headers were not found" << std::endl;
    return 0;
  }
  Server server(std::move(*peer));
  for (std::string line; std::getline(std::cin, line) && line != "quit";) {
    try {
      std::cout << server.answer(line) << std::endl;
    } catch (const std::exception& error) {
      std::string text = error.what();
      for (char& c : text) c = c == '\n' ? ' ' : c;
      std::cout << "error " << text << std::endl;
    }
  }
  return 0;
}

}  // namespace bench
