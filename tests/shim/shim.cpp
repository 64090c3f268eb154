#include "tests/shim/shim.h"

#include <dlfcn.h>
#include <ucontext.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "tests/folder.h"
#include "tests/source_folder.h"

namespace kiln::tests::shim {

namespace {

struct Index {
  unsigned x, y, z;
};
// As in device.h.
struct State {
  Index thread, block, block_size, grid_size;
  void (*barrier)();
  std::uint64_t (*shuffle)(std::uint64_t bits, int source_lane);
};
using Entry = void(void* const*);

constexpr std::size_t kStackBytes = 128 * 1024;
constexpr int kWarp = 32;

// One block in execution: every thread runs until it waits or ends.
class Block {
 public:
  Block(State& state, Entry* entry, void* const* args, int threads)
      : state_(state), entry_(entry), args_(args), fibers_(static_cast<std::size_t>(threads)) {}

  void run(unsigned number) {
    state_.block = {number, 0, 0};
    current_block = this;
    for (std::size_t i = 0; i < fibers_.size(); ++i) start(i);
    for (;;) {
      bool ran = false, done = true;
      for (std::size_t i = 0; i < fibers_.size(); ++i) {
        if (fibers_[i].wait == Wait::ended || !may_run(i)) continue;
        ran = true;
        resume(i);
      }
      for (const Fiber& fiber : fibers_) done = done && fiber.wait == Wait::ended;
      if (done) return;
      if (!ran) throw std::runtime_error("a barrier or a shuffle that not all threads reach");
    }
  }

 private:
  enum class Wait { barrier, shuffle, nothing, ended };
  struct Fiber {
    ucontext_t context;
    std::unique_ptr<char[]> stack;
    Wait wait = Wait::nothing;
    int arrivals[2] = {};  // barriers and shuffles so far; those who meet have the same number
    std::uint64_t value[2] = {};  // offered to the warp, by parity of the shuffle
  };
  static inline Block* current_block = nullptr;

  void start(std::size_t i) {
    Fiber& fiber = fibers_[i];
    if (!fiber.stack) fiber.stack = std::make_unique_for_overwrite<char[]>(kStackBytes);
    fiber.wait = Wait::nothing;
    fiber.arrivals[0] = fiber.arrivals[1] = 0;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = kStackBytes;
    fiber.context.uc_link = &scheduler_;
    makecontext(&fiber.context, body, 0);
  }
  static void body() {
    Block& block = *current_block;
    block.entry_(block.args_);
    block.fibers_[block.running_].wait = Wait::ended;
  }
  void resume(std::size_t i) {
    running_ = i;
    state_.thread = {static_cast<unsigned>(i), 0, 0};
    state_.barrier = [] { current_block->pause(Wait::barrier); };
    state_.shuffle = shuffle;
    fibers_[i].wait = Wait::nothing;
    swapcontext(&scheduler_, &fibers_[i].context);
  }
  // A waiting thread goes on when every thread it waits for has come to the same wait.
  bool may_run(std::size_t i) const {
    const Fiber& own = fibers_[i];
    if (own.wait == Wait::nothing) return true;
    const bool warp = own.wait == Wait::shuffle;
    const std::size_t first = warp ? i / kWarp * kWarp : 0;
    const std::size_t last = warp ? std::min(first + kWarp, fibers_.size()) : fibers_.size();
    for (std::size_t j = first; j < last; ++j) {
      const Fiber& other = fibers_[j];
      const int kind = static_cast<int>(own.wait);
      if (other.arrivals[kind] < own.arrivals[kind]) return false;
    }
    return true;
  }
  void pause(Wait wait) {
    Fiber& fiber = fibers_[running_];
    ++fiber.arrivals[static_cast<int>(wait)];
    fiber.wait = wait;
    swapcontext(&fiber.context, &scheduler_);
  }
  static std::uint64_t shuffle(std::uint64_t bits, int source_lane) {
    Block& block = *current_block;
    const std::size_t self = block.running_;
    const int parity = block.fibers_[self].arrivals[static_cast<int>(Wait::shuffle)] & 1;
    block.fibers_[self].value[parity] = bits;
    block.pause(Wait::shuffle);
    const std::size_t source = self / kWarp * kWarp + static_cast<std::size_t>(source_lane & 31);
    return source < block.fibers_.size() ? block.fibers_[source].value[parity] : bits;
  }

  State& state_;
  Entry* entry_;
  void* const* args_;
  std::vector<Fiber> fibers_;
  ucontext_t scheduler_;
  std::size_t running_ = 0;
};

std::string sanitizers(const Options& options) {
  std::string flags;
#if defined(__SANITIZE_ADDRESS__)
  flags += " -fsanitize=address";
#endif
  if (options.undefined) flags += " -fsanitize=undefined -fsanitize-undefined-trap-on-error";
  return flags;
}

// All sources in one file, each entry with a caller that takes addresses of arguments.
std::string unit(const std::vector<std::string>& sources) {
  static const std::regex entry(
      "extern \"C\" __global__ void (?:__launch_bounds__\\(\\d+\\) )?(\\w+)");
  std::ostringstream text;
  text << "#include \"" << testing::source_folder() << "/tests/shim/device.h\"\n";
  for (std::size_t i = 0; i < sources.size(); ++i) {
    text << "namespace source_" << i << " {\n" << sources[i];
    std::smatch match;
    std::string rest = sources[i];
    while (std::regex_search(rest, match, entry)) {
      text << "extern \"C\" void shim_" << match[1] << "(void* const* args) { shim_call("
           << match[1] << ", args); }\n";
      rest = match.suffix();
    }
    text << "}\n";
  }
  return text.str();
}

std::string read(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

Library::Library(const std::vector<std::string>& sources, Options options) {
  const kiln_tests::Folder folder;
  const std::string source = folder.file("unit.cpp"), object = folder.file("unit.so");
  const std::string messages = folder.file("log");
  std::ofstream(source) << unit(sources);
  const char* named = std::getenv("KILN_SHIM_CXX");
  const std::string command =
      std::string(named != nullptr && *named != 0 ? named : "g++") +
      " -std=c++20 -O1 -w -ffp-contract=off -fno-strict-aliasing -shared -fPIC" +
      sanitizers(options) + " -o '" + object + "' '" + source + "' 2> '" + messages + "'";
  const int status = std::system(command.c_str());
  if (status == 0) handle_ = dlopen(object.c_str(), RTLD_NOW | RTLD_LOCAL);
  const char* loading = status == 0 && handle_ == nullptr ? dlerror() : nullptr;
  const std::string log = loading != nullptr ? loading : read(messages);
  if (handle_ == nullptr) throw std::runtime_error("shim: " + command + "\n" + log);
}

Library::~Library() {
  if (handle_ != nullptr) dlclose(handle_);
}

void Library::run(const std::string& entry, int grid, int block, const ir::KernelArg* args) const {
  auto* call = reinterpret_cast<Entry*>(dlsym(handle_, ("shim_" + entry).c_str()));
  auto* state = static_cast<State*>(dlsym(handle_, "shim_state"));
  if (call == nullptr || state == nullptr) throw std::runtime_error("shim: no entry " + entry);
  state->block_size = {static_cast<unsigned>(block), 1, 1};
  state->grid_size = {static_cast<unsigned>(grid), 1, 1};
  constexpr int kMostArguments = 64;
  void* addresses[kMostArguments];
  for (int i = 0; i < kMostArguments; ++i) {
    addresses[i] = const_cast<ir::KernelArg*>(args) + i;  // those past the last are not looked at
  }
  Block running(*state, call, addresses, block);
  for (int i = 0; i < grid; ++i) running.run(static_cast<unsigned>(i));
}

void run(const std::string& source, const std::string& entry, int grid, int block,
         const ir::KernelArg* args) {
  static std::map<std::string, std::unique_ptr<Library>> libraries;
  std::unique_ptr<Library>& library = libraries[source];
  if (!library) library = std::make_unique<Library>(std::vector<std::string>{source});
  library->run(entry, grid, block, args);
}

}  // namespace kiln::tests::shim
