#include "tests/shim/nvrtc.h"

#include <dlfcn.h>

#include <cstdlib>

#include "ir/targets.h"

namespace kiln::tests {

namespace {

using Program = void*;

std::vector<std::string> candidates() {
  if (const char* file = std::getenv("KILN_NVRTC"); file != nullptr && *file != 0) return {file};
  std::vector<std::string> prefixes;
  for (const char* variable : {"CUDA_HOME", "CUDA_PATH"}) {
    if (const char* value = std::getenv(variable); value != nullptr && *value != 0) {
      prefixes.emplace_back(value);
    }
  }
  for (const char* prefix : {"/usr/local/cuda", "/opt/cuda", "/usr/lib/cuda"}) {
    prefixes.emplace_back(prefix);
  }
  std::vector<std::string> files;
  for (const std::string& prefix : prefixes) {
    for (const char* folder : {"/lib64", "/lib", "/targets/x86_64-linux/lib"}) {
      for (const char* name : {"/libnvrtc.so", "/libnvrtc.so.13", "/libnvrtc.so.12"}) {
        files.push_back(prefix + folder + name);
      }
    }
  }
  for (const char* name : {"libnvrtc.so", "libnvrtc.so.13", "libnvrtc.so.12"}) {
    files.emplace_back(name);
  }
  return files;
}

template <class Signature>
Signature* symbol(void* library, const char* name) {
  return reinterpret_cast<Signature*>(dlsym(library, name));
}

using GetSize = int(Program, std::size_t*);
using GetText = int(Program, char*);

std::string text_of(void* library, Program program, const char* size_name, const char* text_name) {
  std::size_t size = 0;
  if (symbol<GetSize>(library, size_name)(program, &size) != 0 || size == 0) return "";
  std::string text(size, '\0');
  if (symbol<GetText>(library, text_name)(program, text.data()) != 0) return "";
  text.pop_back();  // the terminating zero
  return text;
}

}  // namespace

const Nvrtc& Nvrtc::get() {
  static const Nvrtc nvrtc;
  return nvrtc;
}

Nvrtc::Nvrtc() {
  std::string looked;
  for (const std::string& file : candidates()) {
    library_ = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library_ != nullptr) return;
    looked += ' ' + file;
  }
  missing_ = "NVRTC not found; looked for" + looked;
}

Nvrtc::Result Nvrtc::compile(const std::string& source, int compute_capability,
                             const std::vector<std::string>& more_options) const {
  const std::string architecture =
      "--gpu-architecture=compute_" + std::to_string(compute_capability);
  std::vector<const char*> options{architecture.c_str()};
  options.insert(options.end(), std::begin(ir::kNvrtcOptions), std::end(ir::kNvrtcOptions));
  for (const std::string& option : more_options) options.push_back(option.c_str());

  using Create =
      int(Program*, const char*, const char*, int, const char* const*, const char* const*);
  using Compile = int(Program, int, const char* const*);
  using Destroy = int(Program*);
  Program program = nullptr;
  Result result;
  if (symbol<Create>(library_, "nvrtcCreateProgram")(&program, source.c_str(), "kernel.cu", 0,
                                                     nullptr, nullptr) != 0) {
    result.log = "nvrtcCreateProgram failed";
    return result;
  }
  result.ok = symbol<Compile>(library_, "nvrtcCompileProgram")(
                  program, static_cast<int>(options.size()), options.data()) == 0;
  result.log = text_of(library_, program, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog");
  if (result.ok) result.ptx = text_of(library_, program, "nvrtcGetPTXSize", "nvrtcGetPTX");
  symbol<Destroy>(library_, "nvrtcDestroyProgram")(&program);
  return result;
}

}  // namespace kiln::tests
