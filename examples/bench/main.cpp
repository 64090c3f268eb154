// kiln_bench: the figures of README.md. A run keeps its compiled kernels in a folder of its own, so
// that what it says about compiling does not depend on earlier runs.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "bench/child.h"
#include "bench/suite/peer.h"

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == bench::kChildFlag) return bench::child();
  if (argc == 3 && std::string(argv[1]) == "--serve") return bench::serve(argv[2]);
  if (argc == 3 && std::string(argv[1]) == "--data") return bench::write_data(argv[2]);
  const std::string folder = bench::make_folder();
  setenv("KILN_CACHE_DIR", folder.c_str(), 1);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  std::filesystem::remove_all(folder);
  return 0;
}
