#include <cstdio>
#include <exception>
#include <string_view>

#include "tests/gpu/timing/timing.h"

namespace {

struct Verb {
  std::string_view name;
  int (*run)(const kiln::gpu::Arguments&);
};
constexpr Verb kVerbs[] = {{"facts", kiln::gpu::facts},     {"hashes", kiln::gpu::hashes},
                           {"limits", kiln::gpu::limits},   {"timing", kiln::gpu::timing},
                           {"kernels", kiln::gpu::kernels}, {"small", kiln::gpu::small}};

}  // namespace

int main(int count, char** words) {
  const kiln::gpu::Arguments arguments(words + 1, words + count);
  for (const Verb& verb : kVerbs) {
    if (arguments.empty() || arguments[0] != verb.name) continue;
    try {
      return verb.run({arguments.begin() + 1, arguments.end()});
    } catch (const std::exception& e) {
      std::fprintf(stderr, "kiln_gpu_probe %s: %s\n", arguments[0].c_str(), e.what());
      return 2;
    }
  }
  std::fprintf(stderr, "kiln_gpu_probe <verb>:");
  for (const Verb& verb : kVerbs) std::fprintf(stderr, " %s", verb.name.data());
  std::fprintf(stderr, "\n");
  return 2;
}
