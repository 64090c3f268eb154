// The corpus through NVRTC: everything loads, and architectures agree bit for bit.

#include <algorithm>
#include <cstdint>

#include "tests/cudasim/tests/harness.h"

namespace cudasim_tests {
namespace {

constexpr unsigned kArchitectures[] = {75, 80, 90, 100, 120};

const char* const kOptionSets[] = {"", "--fmad=false", "--use_fast_math", "-lineinfo"};

bool has_bf16(unsigned architecture) { return architecture >= 80; }

class CorpusLoad : public Simulator, public ::testing::WithParamInterface<unsigned> {};

TEST_P(CorpusLoad, EveryFileAndOption) {
  const Nvrtc* nvrtc = Nvrtc::get();
  if (nvrtc == nullptr) GTEST_SKIP() << "NVRTC is not found";
  ASSERT_NO_FATAL_FAILURE(start(120));
  const unsigned architecture = GetParam();
  for (const std::string& name : corpus_names()) {
    if (name == "29_mma" || (name == "04_ew_bf16" && !has_bf16(architecture))) continue;
    const std::string source = read_file(corpus_path(name + ".cu"));
    for (const char* option : kOptionSets) {
      std::vector<std::string> options = {"--gpu-architecture=compute_" +
                                          std::to_string(architecture)};
      if (*option != '\0') options.push_back(option);
      std::string log;
      const std::string ptx = nvrtc->compile(source, name + ".cu", options, &log);
      ASSERT_FALSE(ptx.empty()) << name << " " << option << "\n" << log;
      Module module = nullptr;
      EXPECT_EQ(cuModuleLoadData(&module, ptx.c_str()), kSuccess)
          << name << " sm_" << architecture << " " << option;
      if (module != nullptr) {
        EXPECT_EQ(cuModuleUnload(module), kSuccess);
      }
    }
  }
  EXPECT_EQ(kilnsim_leaks(0), 0u);
}

INSTANTIATE_TEST_SUITE_P(Architectures, CorpusLoad, ::testing::ValuesIn(kArchitectures));

TEST_F(Simulator, TensorCoreInstructionIsALoadErrorThatNamesIt) {
  const Nvrtc* nvrtc = Nvrtc::get();
  if (nvrtc == nullptr) GTEST_SKIP() << "NVRTC is not found";
  const std::string ptx = nvrtc->compile(read_file(corpus_path("29_mma.cu")), "29_mma.cu",
                                         {"--gpu-architecture=compute_80"});
  char log[512] = "";
  int options[] = {kJitErrorLogBuffer, kJitErrorLogBufferSize};
  void* values[] = {log, reinterpret_cast<void*>(sizeof log)};
  Module module = nullptr;
  EXPECT_EQ(cuModuleLoadDataEx(&module, ptx.c_str(), 2, options, values), kInvalidPtx);
  EXPECT_NE(std::string(log).find("wmma.load.a"), std::string::npos) << log;
  EXPECT_NE(std::string(log).find("PTX line"), std::string::npos) << log;
}

// Kernels whose parameters are pointers and 32- or 64-bit counts run on pseudo-random data; every
// buffer is compared afterwards.
class CorpusAgree : public Simulator, public ::testing::WithParamInterface<const char*> {
 protected:
  static constexpr std::size_t kElements = 2048;
  static constexpr unsigned kCount = 1000;

  // Bit patterns that are small non-negative integers and small positive floats alike would be of
  // no use to both, so the mode says which.
  static std::vector<std::uint32_t> data(unsigned mode, std::size_t index) {
    std::vector<std::uint32_t> words(kElements * 2);
    std::uint64_t state = index * 77 + 5;
    for (std::uint32_t& word : words) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      const auto random = static_cast<std::uint32_t>(state >> 33);
      if (mode == 0) {
        word = random % 1000;
      } else {
        const float value = static_cast<float>(random % 2000001) * 1e-5f - 10.0f;
        std::memcpy(&word, &value, 4);
      }
    }
    return words;
  }

  // The result of every kernel of the file, or of those that ran without a fault.
  std::vector<std::string> run_all(const std::string& ptx, unsigned mode) {
    std::vector<std::string> results;
    for (const std::string& name : kernels(ptx)) results.push_back(run_one(ptx, name, mode));
    return results;
  }

  std::vector<std::string> kernels(const std::string& ptx) {
    Module module = nullptr;
    EXPECT_EQ(cuModuleLoadData(&module, ptx.c_str()), kSuccess);
    unsigned count = 0;
    cuModuleGetFunctionCount(&count, module);
    std::vector<Function> functions(count);
    cuModuleEnumerateFunctions(functions.data(), count, module);
    std::vector<std::string> names;
    for (const Function one : functions) {
      const char* name = nullptr;
      cuFuncGetName(&name, one);
      names.push_back(name);
    }
    cuModuleUnload(module);
    return names;
  }

  std::string run_one(const std::string& ptx, const std::string& name, unsigned mode) {
    const Function kernel = function(ptx, name);
    std::vector<std::uint64_t> values;
    std::vector<DevicePtr> buffers;
    std::size_t offset = 0;
    std::size_t size = 0;
    for (std::size_t i = 0; cuFuncGetParamInfo(kernel, i, &offset, &size) == kSuccess; ++i) {
      if (size > 8) return name + ": skipped";
      // The pointers come first; in the generators a 64-bit seed and offset follow the only one.
      const bool only = name.rfind("rand_", 0) == 0;
      const bool pointer = size == 8 && buffers.size() == i && (!only || i == 0);
      if (pointer) buffers.push_back(upload(data(mode, i)));
      values.push_back(pointer ? buffers.back() : (i > buffers.size() ? 1 : kCount));
    }
    std::vector<void*> parameters;
    for (std::uint64_t& value : values) parameters.push_back(&value);
    int most = 0;
    cuFuncGetAttribute(&most, kFuncMaxThreads, kernel);
    const unsigned threads = most < 256 ? static_cast<unsigned>(most) : 256;
    const Result result = run(kernel, 4, threads, parameters, 8192);
    std::string text = name + ": " + std::to_string(result);
    if (result != kSuccess) {
      start(120);
      return text;
    }
    for (const DevicePtr buffer : buffers) {
      const auto words = download<std::uint32_t>(buffer, kElements * 2);
      std::uint64_t hash = 1469598103934665603u;
      for (const std::uint32_t word : words) hash = (hash ^ word) * 1099511628211u;
      text += " " + std::to_string(hash);
      cuMemFree_v2(buffer);
    }
    return text;
  }
};

// Where libm or a library header chooses another algorithm for a newer architecture the bits may
// differ; no file of the corpus does so today with contraction off.
TEST_P(CorpusAgree, FiveArchitectures) {
  const Nvrtc* nvrtc = Nvrtc::get();
  if (nvrtc == nullptr) GTEST_SKIP() << "NVRTC is not found";
  ASSERT_NO_FATAL_FAILURE(start(120));
  const std::string name = GetParam();
  const std::string source = read_file(corpus_path(name + ".cu"));
  for (const unsigned mode : {0u, 1u}) {
    std::vector<std::string> first;
    for (const unsigned architecture : kArchitectures) {
      if (name == "04_ew_bf16" && !has_bf16(architecture)) continue;
      const std::string ptx = nvrtc->compile(
          source, name + ".cu",
          {"--gpu-architecture=compute_" + std::to_string(architecture), "--fmad=false"});
      ASSERT_FALSE(ptx.empty());
      std::vector<std::string> results = run_all(ptx, mode);
      std::sort(results.begin(), results.end());
      // misc reads the clock; redux does not exist on sm_75.
      std::erase_if(results, [](const std::string& text) {
        return text.rfind("misc:", 0) == 0 || text.rfind("redux:", 0) == 0;
      });
      if (first.empty()) {
        first = results;
      } else {
        EXPECT_EQ(results, first) << name << " sm_" << architecture << " mode " << mode;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Files, CorpusAgree,
    ::testing::Values("01_ew_f32", "02_ew_f64", "03_ew_f16", "04_ew_bf16", "05_ew_int",
                      "06_ew_bool", "07_ew_complex", "08_libm_f32_exp_log", "09_libm_f32_trig",
                      "10_libm_f32_special", "11_libm_f64_exp_log", "12_libm_f64_trig",
                      "13_libm_f64_special", "14_casts", "15_index_divmod", "16_vec_ldst",
                      "17_grid_stride", "18_warp_reduce", "19_block_reduce", "20_atomics",
                      "21_softmax_layernorm", "22_transpose_matmul", "23_gather_scatter_scan",
                      "24_philox", "26_local_calls_switch", "27_warp_misc"));

}  // namespace
}  // namespace cudasim_tests
