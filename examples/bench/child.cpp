#include "bench/child.h"

#include <kiln/kiln.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "bench/chains.h"
#include "bench/measure.h"

namespace bench {

int child() {
  const std::vector<float> data(64, 1.0f);
  const kiln::Array x(data), y(data);
  double took[2];
  for (std::uint64_t i = 0; i < 2; ++i) {
    const kiln::Array z = some_chain(x, y, 0x1b1b1 + i);
    const double start = now();
    kiln::eval(z);
    took[i] = now() - start;
  }
  const kiln::Stats stats = kiln::stats();
  std::printf("%.9f %.9f %lld %lld\n", took[0], took[1], static_cast<long long>(stats.compiled),
              static_cast<long long>(stats.disk_hits));
  return 0;
}

FirstKernels run_child(const std::string& cache_folder) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  const std::string command =
      "KILN_CACHE_DIR='" + cache_folder + "' '" + program + "' " + kChildFlag;
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("no child process");
  FirstKernels result;
  long long compiled = 0, from_disk = 0;
  const int read =
      std::fscanf(pipe, "%lf %lf %lld %lld", &result.first, &result.second, &compiled, &from_disk);
  if (pclose(pipe) != 0 || read != 4) throw std::runtime_error("the child process failed");
  result.compiled = compiled;
  result.from_disk = from_disk;
  return result;
}

std::string make_folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "kiln_bench_XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  return pattern;
}

}  // namespace bench
