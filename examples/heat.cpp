// Heat flow in a plate: 1000 steps of a 5-point stencil by slices, the edge held at its
// temperature. Warm steps plan nothing and compile nothing.
#include <kiln/kiln.h>

#include <cstdlib>
#include <iostream>
namespace kn = kiln;

namespace {

kn::Array step(const kn::Array& u, float alpha) {
  const kn::Slice inner = kn::slice(1, -1);
  const kn::Array centre = u(inner, inner);
  const kn::Array neighbours = u(kn::slice(0, -2), inner) + u(kn::slice(2, kn::_), inner) +
                               u(inner, kn::slice(0, -2)) + u(inner, kn::slice(2, kn::_));
  kn::Array next = u;
  next.at(inner, inner) = centre + alpha * (neighbours - 4.f * centre);
  return next;
}

}  // namespace

// heat [points a side [steps]]
int main(int argc, char** argv) {
  const std::int64_t n = argc > 1 ? std::atoll(argv[1]) : 512;
  const int steps = argc > 2 ? std::atoi(argv[2]) : 1000;
  kn::Array u = kn::zeros({n, n}, kn::float32);
  u.at(kn::slice(0, 1), kn::whole) = 100.f;  // the upper edge is hot
  for (int i = 0; i < 2; ++i) {
    u = step(u, 0.2f);
    kn::eval(u);
  }
  const kn::Stats before = kn::stats();
  const double seconds = kn::timeit([&] {
    for (int i = 0; i < steps / 10; ++i) {
      u = step(u, 0.2f);
      kn::eval(u);
    }
  });
  for (int i = 0; i < steps; ++i) {
    u = step(u, 0.2f);
    kn::eval(u);
  }
  const kn::Stats used = kn::stats() - before;
  std::cout << "temperature down the middle: " << u(kn::slice(0, 64, 8), n / 2) << "\n"
            << seconds * 1e7 / steps << " us a step; in " << used.launched << " warm launches "
            << used.compiled << " kernels compiled, " << used.plans_built << " plans made\n";
  return used.compiled == 0 && used.plans_built == 0 ? 0 : 1;
}
