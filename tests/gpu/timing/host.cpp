#include "tests/gpu/timing/host.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <stdexcept>

#include "bench/chains.h"
#include "tests/folder.h"
#include "tests/gpu/timing/program.h"

namespace kiln::gpu {

namespace {

// Seconds on the host's clock.
double clocked(const std::function<void()>& f) {
  const double start = now();
  f();
  return now() - start;
}

class Host {
 public:
  Host(Gpu& gpu, const Plan& plan, Results& results) : gpu_(gpu), plan_(plan), results_(results) {}

  bool run() {
    bool good = true;
    for (const std::int64_t n : {std::int64_t{1}, std::int64_t{1} << 16}) {
      const Arrays in = make_inputs({{{n}}, {{n}}});
      const std::string of = n == 1 ? "_1" : "_64k";
      good &= warm("evaluate" + of, [&] { kn::eval(2.5F * in[0] + in[1]); });
      good &= warm("evaluate_sum" + of, [&] { kn::eval(kn::sum(in[0])); });
      Array x = in[0] + 0.F;
      good &= warm("evaluate_in_place" + of, [&] {
        x = x * 0.5F + in[1];
        kn::eval(x);
      });
      good &= waited("evaluate_and_wait" + of, [&] {
        kn::eval(2.5F * in[0] + in[1]);
        kn::synchronize();
      });
      float kept = 0;
      good &= waited("item" + of, [&] { kept += kn::sum(in[0]).item<float>(); });
    }
    good &= waited("synchronize", [] { kn::synchronize(); });
    good &= copies();
    good &= compiles("compile_cold");
    good &= compiles("compile_from_disk");
    return good;
  }

 private:
  std::int64_t calls(double whole) const {
    return std::max<std::int64_t>(10, std::llround(whole * std::min(1.0, plan_.scale)));
  }

  bool add(const std::string& name, const std::function<Json()>& make) {
    return !plan_.wanted(name) || results_.add("host", name, make);
  }

  // Calls that nobody waits for, one synchronisation at the end.
  bool warm(const std::string& name, const std::function<void()>& f) {
    return add(name, [&]() -> Json {
      for (int i = 0; i < 5; ++i) f();
      kn::synchronize();
      const std::int64_t count = calls(1e5);
      const kn::Stats before = kn::stats();
      double issued = 0;
      const double all = clocked([&] {
        issued = clocked([&] {
          for (std::int64_t i = 0; i < count; ++i) f();
        });
        kn::synchronize();
      });
      const kn::Stats used = kn::stats() - before;
      return {{"calls", count},
              {"ns", 1e9 * all / static_cast<double>(count)},
              {"ns_to_issue", 1e9 * issued / static_cast<double>(count)},
              {"launches_a_call", static_cast<double>(used.launched) / static_cast<double>(count)},
              {"planned", used.plans_built},
              {"compiled", used.compiled}};
    });
  }

  bool waited(const std::string& name, const std::function<void()>& f) {
    return add(name, [&]() -> Json {
      for (int i = 0; i < 5; ++i) f();
      std::vector<double> seconds;
      const std::int64_t count = calls(2000);
      for (std::int64_t i = 0; i < count; ++i) seconds.push_back(clocked(f));
      const auto [least, most] = std::ranges::minmax(seconds);
      return {{"calls", count},
              {"ns", 1e9 * median(seconds)},
              {"min_ns", 1e9 * least},
              {"max_ns", 1e9 * most}};
    });
  }

  bool moved(const std::string& name, std::int64_t bytes, const std::function<void()>& f) {
    return add(name, [&]() -> Json {
      f();
      const kn::Stats before = kn::stats();
      std::vector<double> seconds;
      for (int i = 0; i < 5; ++i) seconds.push_back(clocked(f));
      const kn::Stats used = kn::stats() - before;
      const double typical = median(seconds);
      return {{"bytes", bytes},
              {"copied_bytes", (used.upload_bytes + used.download_bytes) / 5},
              {"ns", 1e9 * typical},
              {"gb_per_s", 1e-9 * static_cast<double>(bytes) / typical}};
    });
  }

  // By the runtime alone (through pinned buffers), and as a user sees them.
  bool copies() {
    const std::int64_t count = std::max<std::int64_t>(1000, calls(1 << 26)), bytes = 4 * count;
    std::vector<float> data(static_cast<std::size_t>(count), 1.F);
    auto& device = gpu_.device;
    bool good = true;
    {
      const kiln::runtime::MemoryRef memory = device.allocate(bytes);
      good &= moved("upload", bytes, [&] {
        device.upload(*memory, 0, data.data(), bytes);
        device.synchronize();
      });
      good &= moved("download", bytes, [&] { device.download(data.data(), *memory, 0, bytes); });
    }
    const std::span<const float> all(data);
    good &= moved("use_of_host_data", bytes, [&] {
      kn::eval(Array(all, {count}) + 1.F);  // goes to the device when it is needed there
      kn::synchronize();
    });
    // Of a new array each time: one that was read keeps its values on the host.
    good &= moved("to_vector", bytes, [&] { (void)(kn::ones({count}) + 1.F).to_vector<float>(); });
    return good;
  }

  // A process of its own, twice with the same folder of kernels, which is empty at first.
  bool compiles(const std::string& name) {
    return add(name, [&]() -> Json {
      const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
      const std::string command =
          "KILN_CACHE_DIR='" + kernels_.path() + "' '" + program + "' timing " + kFirstKernels;
      std::FILE* const pipe = popen(command.c_str(), "r");
      if (pipe == nullptr) throw std::runtime_error("no child process");
      std::string text;
      for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) {
        text += static_cast<char>(c);
      }
      const int status = pclose(pipe);
      if (status != 0) throw std::runtime_error("the child process failed: " + text);
      return Json::parse(text);
    });
  }

  Gpu& gpu_;
  const Plan& plan_;
  Results& results_;
  const kiln_tests::Folder kernels_;
};

}  // namespace

bool host_costs(Gpu& gpu, const Plan& plan, Results& results) {
  return Host(gpu, plan, results).run();
}

int first_kernels() {
  const kn::Scope scope(
      {.device = kn::cuda(), .compile_budget = std::numeric_limits<double>::infinity()});
  const Array x(std::vector<float>(2048, 1.F)), y(std::vector<float>(2048, 2.F));
  kn::eval(x, y);
  kn::synchronize();
  const kn::Stats before = kn::stats();
  Json result;
  const auto time = [&](const char* name, const std::function<Array()>& make) {
    for (const bool first : {true, false}) {
      const Array z = make();
      const double took = clocked([&] {
        kn::eval(z);
        kn::synchronize();
      });
      result[std::string(name) + (first ? "_ms" : "_again_ms")] = 1e3 * took;
    }
  };
  time("first_chain", [&] { return bench::some_chain(x, y, 0x1b1b1); });
  time("chain", [&] { return bench::some_chain(x, y, 0x2c639); });
  time("softmax", [&] { return kn::softmax(kn::reshape(x, {2, 1024})); });
  const kn::Stats used = kn::stats() - before;
  result["compiled"] = used.compiled;
  result["from_disk"] = used.disk_hits;
  std::puts(result.dump().c_str());
  return 0;
}

}  // namespace kiln::gpu
