// Mode::check names the pass that made a mistake, the kernel, the element and the line.
#include "frontend/state.h"
#include "passes/plan.h"
#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;

class Planted {
 public:
  explicit Planted(const std::string& stage) { kn::frontend::state().planted_fault = stage; }
  ~Planted() { kn::frontend::state().planted_fault.clear(); }
  Planted(const Planted&) = delete;
  Planted& operator=(const Planted&) = delete;
};

// Another structure each time, so that no earlier plan serves it.
kn::Array program(int variant, kn::Array* kept, int* line) {
  kn::Array x = kn::reshape(kn::arange(900, kn::float32), {30, 30}) / 7.f;
  const kn::Array y = kn::reshape(kn::arange(900, kn::float32), {30, 30}) * 0.5f + 1.f;
  kn::eval({x, y});
  *kept = y;  // x alone may be overwritten
  kn::Array z = std::move(x);
  for (int i = 0; i < variant; ++i) z = kn::sqrt(z);
  z = kn::flip(z, 1) + y, *line = __LINE__;
  return z;
}

TEST(Check, NamesThePassKernelElementAndLineOfAPlantedFault) {
  int variant = 1;
  for (const std::string& stage : kiln::passes::stage_names()) {
    SCOPED_TRACE(stage);
    const kn::Scope scope({.device = kn::cpu(), .mode = kn::Mode::check});
    int line = 0;
    kn::Array kept;
    const kn::Array z = program(variant++, &kept, &line);
    const Planted planted(stage);
    const std::string message = message_of<kn::InternalError>([&] { kn::eval(z); });
    expect_contains(message, "pass " + stage + ", kernel ");
    expect_contains(message, "element ");
    expect_contains(message, "check_tests.cpp:" + std::to_string(line));
    EXPECT_FALSE(z.evaluated());
    kn::frontend::state().planted_fault.clear();
    const kn::Scope unfused({.fusion = false});  // another plan; the inputs are whole
    EXPECT_EQ(z.to_vector<float>().size(), 900u);
  }
}

TEST(Check, FindsNothingWhereNothingIsPlanted) {
  const kn::Scope scope({.device = kn::cpu(), .mode = kn::Mode::check});
  int line = 0;
  kn::Array kept;
  EXPECT_EQ(program(0, &kept, &line).to_vector<float>().size(), 900u);
}

// What lies near a check: views of values, products of them, nothing at all, very many results.
TEST(Check, TakesViewsProductsEmptyArraysAndManyOutputs) {
  on_each_device([] {
    const auto programs = [] {
      const kn::Array x = kn::reshape(kn::arange(24, kn::float32), {4, 6});
      const kn::Array columns = x.T(), part = x(kn::slice(1, 4, 2), kn::slice(0, 6, 3));
      kn::eval({columns, part});
      std::vector<kn::Array> results{kn::matmul(x, columns),
                                     kn::matmul(part, x.T()(kn::slice(0, 2))),
                                     kn::flip(columns, 1) * 2.f,
                                     kn::matmul(kn::zeros({0, 3}), kn::zeros({3, 2})),
                                     kn::matmul(kn::zeros({2, 0}), kn::zeros({0, 3})),
                                     kn::sum(kn::zeros({0})),
                                     kn::concat({part, kn::zeros({0, 2})}),
                                     x(kn::slice(2, 2)) + 1.f};
      for (int i = 0; i < 300; ++i) results.push_back(kn::sqrt(x + static_cast<float>(i)));
      kn::eval(results);
      std::vector<std::vector<float>> all;
      for (const kn::Array& result : results) all.push_back(values<float>(result));
      return all;
    };
    const kn::Scope lazy({.mode = kn::Mode::lazy});
    const auto expected = programs();
    for (const kn::Mode mode : {kn::Mode::check, kn::Mode::eager}) {
      const kn::Scope scope({.mode = mode});
      EXPECT_TRUE(programs() == expected);
      const kn::Scope trap({.nan = kn::Nan::trap});
      EXPECT_TRUE(programs() == expected);
    }
  });
}

}  // namespace
