// The first minutes with Kiln: two arrays, their sum, a fused expression, and the CUDA it becomes.
#include <kiln/kiln.h>

#include <iostream>
namespace kn = kiln;

int main() {
  const kn::Array a = {1, 2, 3, 4, 5};
  const kn::Array b = {10, 20, 30, 40, 50};
  std::cout << "a + b = " << a + b << "\n";

  const kn::Stats before = kn::stats();
  const kn::Array distance = kn::sqrt(kn::sum(kn::square(a - b) * 0.5)).named("distance");
  const std::string cuda = kn::cuda_source(distance)[0].text;  // nothing is evaluated for this
  std::cout << "distance = " << distance << "\n";

  const kn::Stats used = kn::stats() - before;
  std::cout << "six operations, " << used.launched << " kernel, " << used.uploads << " uploads, "
            << used.downloads << " download\n\n";
  std::cout << "The CUDA C of that kernel:\n\n" << cuda;
}
