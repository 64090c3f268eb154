#include "tests/cudasim/tests/harness.h"

#include <dlfcn.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace cudasim_tests {

std::string kernel_text(const std::string& name, const std::string& parameters,
                        const std::string& body, const std::string& before, unsigned target) {
  return ".version 8.0\n.target sm_" + std::to_string(target) + "\n.address_size 64\n" + before +
         "\n.visible .entry " + name + "(" + parameters + ")\n{\n" +
         ".reg .pred %p<16>;\n.reg .b16 %h<16>;\n.reg .b32 %r<32>;\n.reg .b64 %rd<32>;\n" + body +
         "\n}\n";
}

void Simulator::start(unsigned capability, unsigned devices) {
  kilnsim_reset();
  kilnsim_set_option("KILN_SIM_CC", std::to_string(capability).c_str());
  kilnsim_set_option("KILN_SIM_DEVICES", std::to_string(devices).c_str());
  kilnsim_set_option("KILN_SIM_MEMORY", "256m");
  kilnsim_set_option("KILN_SIM_QUIET", "1");
  kilnsim_set_option("KILN_SIM_SCHEDULE", "rising");
  kilnsim_set_option("KILN_SIM_STRICT", "1");
  kilnsim_set_option("KILN_SIM_RACES", "1");
  kilnsim_set_option("KILN_SIM_JITTER", "0");
  kilnsim_set_option("KILN_SIM_BUDGET", "4000000");
  kilnsim_seed(1);
  ASSERT_EQ(cuInit(0), kSuccess);
  ASSERT_EQ(cuDevicePrimaryCtxRetain(&context_, 0), kSuccess);
  ASSERT_EQ(cuCtxSetCurrent(context_), kSuccess);
}

Function Simulator::function(const std::string& ptx, const std::string& name) {
  Module module = nullptr;
  Function result = nullptr;
  EXPECT_EQ(cuModuleLoadData(&module, ptx.c_str()), kSuccess) << ptx;
  if (module == nullptr) return nullptr;
  EXPECT_EQ(cuModuleGetFunction(&result, module, name.c_str()), kSuccess);
  return result;
}

Result Simulator::run(Function kernel, unsigned blocks, unsigned threads,
                      std::vector<void*> parameters, unsigned shared) {
  const Result launched = cuLaunchKernel(kernel, blocks, 1, 1, threads, 1, 1, shared, nullptr,
                                         parameters.data(), nullptr);
  return launched == kSuccess ? cuCtxSynchronize() : launched;
}

namespace {

template <class F>
F symbol(void* library, const char* name) {
  return reinterpret_cast<F>(dlsym(library, name));
}

}  // namespace

const Nvrtc* Nvrtc::get() {
  static const Nvrtc* const found = []() -> const Nvrtc* {
    const std::vector<std::string> names = {CUDASIM_NVRTC, "libnvrtc.so.13", "libnvrtc.so"};
    for (const std::string& name : names) {
      if (name.empty()) continue;
      if (void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) {
        static Nvrtc nvrtc;
        nvrtc.library_ = library;
        return &nvrtc;
      }
    }
    return nullptr;
  }();
  return found;
}

std::string Nvrtc::compile(const std::string& source, const std::string& name,
                           const std::vector<std::string>& options, std::string* log) const {
  using Program = void*;
  const auto create = symbol<int (*)(Program*, const char*, const char*, int, const char* const*,
                                     const char* const*)>(library_, "nvrtcCreateProgram");
  const auto compile =
      symbol<int (*)(Program, int, const char* const*)>(library_, "nvrtcCompileProgram");
  const auto destroy = symbol<int (*)(Program*)>(library_, "nvrtcDestroyProgram");
  const auto size = symbol<int (*)(Program, std::size_t*)>(library_, "nvrtcGetPTXSize");
  const auto text = symbol<int (*)(Program, char*)>(library_, "nvrtcGetPTX");
  const auto log_size = symbol<int (*)(Program, std::size_t*)>(library_, "nvrtcGetProgramLogSize");
  const auto log_text = symbol<int (*)(Program, char*)>(library_, "nvrtcGetProgramLog");
  Program program = nullptr;
  if (create(&program, source.c_str(), name.c_str(), 0, nullptr, nullptr) != 0) return {};
  const std::string include = std::string("-I") + CUDASIM_CUDA_INCLUDE;
  std::vector<const char*> arguments = {include.c_str()};
  for (const std::string& option : options) arguments.push_back(option.c_str());
  const int result = compile(program, static_cast<int>(arguments.size()), arguments.data());
  std::string ptx;
  std::size_t bytes = 0;
  if (result == 0 && size(program, &bytes) == 0 && bytes > 0) {
    ptx.resize(bytes);
    text(program, ptx.data());
    ptx.resize(std::strlen(ptx.c_str()));
  }
  if (log != nullptr && log_size(program, &bytes) == 0 && bytes > 0) {
    log->resize(bytes);
    log_text(program, log->data());
  }
  destroy(&program);
  return ptx;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string corpus_path(const std::string& name) {
  return std::string(CUDASIM_SOURCE_DIR) + "/corpus/" + name;
}

const std::vector<std::string>& corpus_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(corpus_path(""))) {
      if (entry.path().extension() == ".cu") found.push_back(entry.path().stem().string());
    }
    std::sort(found.begin(), found.end());
    return found;
  }();
  return names;
}

}  // namespace cudasim_tests
