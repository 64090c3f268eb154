// What a user's first program does: arithmetic on the CPU, and the CUDA text of it, with or without
// any CUDA on the machine.

#include <kiln/kiln.h>

#include <cstdio>
#include <vector>

int main() {
  kiln::Array a = {1.f, 2.f, 3.f}, b = {10.f, 20.f, 30.f};
  kiln::Array c = kiln::sqrt(a * a) + b;
  const std::vector<kiln::Source> sources = kiln::cuda_source(c);
  if (sources.size() != 1 || sources[0].text.find("__global__") == std::string::npos) {
    std::puts("cuda_source: expected the text of one kernel");
    return 1;
  }
  if (c.to_vector<float>() != std::vector<float>{11.f, 22.f, 33.f}) {
    std::puts("wrong result");
    return 1;
  }
  if (kiln::devices().empty()) {
    std::puts("no device, not even the CPU");
    return 1;
  }
  std::puts("ok");
  return 0;
}
