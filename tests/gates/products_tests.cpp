// Matrix products on a CUDA device for which there is no cuBLASLt: generated kernels make them. The
// device is the simulated one; which library there is must be known before it is looked for, so
// each test runs in a process of its own.
#include <gtest/gtest.h>
#include <kiln/kiln.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace {

namespace kn = kiln;

constexpr const char* kChild = "KILN_GATES_CHILD";
constexpr int kSkipped = 77;  // tests/tools/test_main.cpp

kn::Array whole(const kn::Shape& shape, kn::DType dtype) {
  return kn::reshape(kn::arange(shape.size(), kn::int64) * 7 % 5 + 1, shape).astype(dtype);
}

// Summed by NumPy's rule, on the host.
kn::Array by_sums(const kn::Array& a, const kn::Array& b) {
  const kn::Scope scope({.device = kn::cpu()});
  const kn::Array x = a.to(kn::cpu()), y = b.to(kn::cpu());
  return kn::sum(kn::expand_dims(x, -1) * kn::expand_dims(y, -3), {-2});
}

void expect_products() {
  for (const kn::DType t : {kn::float32, kn::float64, kn::float16}) {
    const kn::Array x = whole({40, 33}, t), batch = whole({3, 5, 33}, t);
    const kn::Array flipped = kn::flip(x), turned = x.T();
    kn::eval({x, batch, flipped, turned});
    const std::pair<kn::Array, kn::Array> factors[] = {{x, turned},
                                                       {turned, x},
                                                       {flipped, turned},
                                                       {x(0), turned},
                                                       {batch, turned},
                                                       {kn::permute_dims(batch, {0, 2, 1}), batch},
                                                       {x(kn::slice(0, 1)), turned},
                                                       {whole({4, 1}, t), whole({1, 6}, t)}};
    for (const auto& [a, b] : factors) {
      const kn::Array left = a.ndim() == 1 ? kn::expand_dims(a, 0) : a;
      EXPECT_EQ((kn::matmul(a, b) * 2).astype(kn::float64).to_vector<double>(),
                (by_sums(left, b) * 2).astype(kn::float64).to_vector<double>());
    }
  }
  // Enough for the schedule of matrix products, with something before and after.
  const kn::Array x = whole({130, 70}, kn::float32), y = whole({70, 90}, kn::float32);
  kn::eval({x, y});
  const kn::Stats before = kn::stats();
  const kn::Array z = kn::maximum(kn::matmul(x + 1.f, y), 3.f);
  kn::eval(z);
  EXPECT_EQ((kn::stats() - before).launched, 1);
  EXPECT_EQ(z.to_vector<float>(), kn::maximum(by_sums(x + 1.f, y), 3.f).to_vector<float>());
  const kn::Scope check({.mode = kn::Mode::check});
  EXPECT_NO_THROW(kn::eval(kn::matmul(y.T() / 7.f, x.T())));
}

// Runs the products, and looks for `reason` in what explain says, where the library is this file.
void without_library(const std::string& library, const std::string& settings,
                     const std::string& reason) {
  if (std::getenv(kChild) != nullptr) {
    ASSERT_EQ(kn::default_device(), kn::cuda(0));
    const kn::Array x = whole({20, 20}, kn::float32);
    const std::string text = kn::explain(kn::matmul(x, x)).text();
    EXPECT_NE(text.find("matrix products are generated: "), std::string::npos) << text;
    EXPECT_NE(text.find(library), std::string::npos) << text;
    EXPECT_NE(text.find(reason), std::string::npos) << text;
    EXPECT_NE(text.find("try: KILN_CUBLASLT naming"), std::string::npos) << text;
    expect_products();
    return;
  }
  if (*KILN_CUDASIM == '\0') GTEST_SKIP() << "the simulated driver was not built";
  const ::testing::TestInfo& test = *::testing::UnitTest::GetInstance()->current_test_info();
  std::ostringstream command;
  command << kChild << "=1 KILN_DEVICE= KILN_CUDA_DRIVER='" << KILN_CUDASIM << "' KILN_CUBLASLT='"
          << library << "' " << settings << " '"
          << std::filesystem::read_symlink("/proc/self/exe").string()
          << "' --gtest_filter=" << test.test_suite_name() << '.' << test.name();
  const int status = std::system(command.str().c_str());
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kSkipped) GTEST_SKIP() << "NVRTC was not found";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(ProductsWithoutALibrary, WhereTheFileIsMissing) {
  without_library("/no/such/libcublasLt.so", "", "no such file");
}
TEST(ProductsWithoutALibrary, WhereTheLibraryDoesNotStart) {
  without_library(KILN_DRIVER_STUB, "KILN_STUB_CUBLASLT=1",
                  "cublasLtCreate failed with 1 (not initialized)");
}

}  // namespace
