#include "runtime/nvrtc.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/targets.h"
#include "runtime/library.h"

namespace kiln::runtime {

// NVRTC's C interface, as far as it is used.
struct Nvrtc::Api {
  using Result = int;
  using Program = struct ProgramHandle*;
  Library library;
  Result (*version)(int*, int*) = nullptr;
  const char* (*error_string)(Result) = nullptr;
  Result (*create)(Program*, const char* source, const char* name, int headers,
                   const char* const* header_texts, const char* const* header_names) = nullptr;
  Result (*destroy)(Program*) = nullptr;
  Result (*compile)(Program, int options, const char* const*) = nullptr;
  Result (*ptx_size)(Program, std::size_t*) = nullptr;
  Result (*ptx)(Program, char*) = nullptr;
  Result (*cubin_size)(Program, std::size_t*) = nullptr;
  Result (*cubin)(Program, char*) = nullptr;
  Result (*log_size)(Program, std::size_t*) = nullptr;
  Result (*log)(Program, char*) = nullptr;
  Result (*arch_count)(int*) = nullptr;
  Result (*archs)(int*) = nullptr;
  std::vector<int> supported;

  bool load() {
    return library.get("nvrtcVersion", version) &&
           library.get("nvrtcGetErrorString", error_string) &&
           library.get("nvrtcCreateProgram", create) &&
           library.get("nvrtcDestroyProgram", destroy) &&
           library.get("nvrtcCompileProgram", compile) &&
           library.get("nvrtcGetPTXSize", ptx_size) && library.get("nvrtcGetPTX", ptx) &&
           library.get("nvrtcGetCUBINSize", cubin_size) && library.get("nvrtcGetCUBIN", cubin) &&
           library.get("nvrtcGetProgramLogSize", log_size) &&
           library.get("nvrtcGetProgramLog", log) &&
           library.get("nvrtcGetNumSupportedArchs", arch_count) &&
           library.get("nvrtcGetSupportedArchs", archs);
  }

  void check(Result result, const char* call) const {
    if (result != 0) {
      throw DeviceError(fmt::format("{}: {}", call, error_string(result)),
                        "another NVRTC (KILN_NVRTC)");
    }
  }

  std::string text(Program program, Result (*size_of)(Program, std::size_t*),
                   Result (*get)(Program, char*), const char* call) const {
    std::size_t size = 0;
    check(size_of(program, &size), call);
    std::string result(size, '\0');
    if (size > 0) check(get(program, result.data()), call);
    while (!result.empty() && result.back() == '\0') result.pop_back();
    return result;
  }
};

namespace {

std::string numbered(const std::string& source) {
  std::string result;
  int number = 1;
  for (std::size_t begin = 0; begin < source.size(); ++number) {
    const std::size_t end = std::min(source.find('\n', begin), source.size());
    result += fmt::format("{:5} | {}\n", number, source.substr(begin, end - begin));
    begin = end + 1;
  }
  return result;
}

// NVRTC opens its built-ins by name when it first compiles, and so finds them only where the loader
// looks. Those that lie beside it, as in a wheel, are opened here: a name that is open is found.
void open_builtins(const std::string& nvrtc, int major, int minor) {
  const std::size_t slash = nvrtc.rfind('/');
  if (slash == std::string::npos) return;
  static_cast<void>(Library::open(
      {fmt::format("{}libnvrtc-builtins.so.{}.{}", nvrtc.substr(0, slash + 1), major, minor)}));
}

}  // namespace

Nvrtc::Nvrtc(const Config& config) : config_(config) {}
Nvrtc::~Nvrtc() { delete api_; }

const std::vector<std::string>& Nvrtc::options() {
  static const std::vector<std::string> kOptions = [] {
    std::vector<std::string> all(std::begin(ir::kNvrtcOptions), std::end(ir::kNvrtcOptions));
    all.emplace_back("-lineinfo");  // changes no instruction; faults name the CUDA line
    return all;
  }();
  return kOptions;
}

void Nvrtc::look() {
  auto api = std::make_unique<Api>();
  api->library = Library::open(
      toolkit_paths(config_, config_.nvrtc, {"libnvrtc.so", "libnvrtc.so.13", "libnvrtc.so.12"}));
  if (!api->library) {
    missing_ =
        "NVRTC, which compiles CUDA kernels, was not found. Looked for:" + api->library.tried();
    return;
  }
  int count = 0;
  if (!api->load()) {
    missing_ = fmt::format("{} is not a usable NVRTC: a function is missing", api->library.path());
    return;
  }
  api->check(api->arch_count(&count), "nvrtcGetNumSupportedArchs");
  api->supported.resize(static_cast<std::size_t>(count));
  api->check(api->archs(api->supported.data()), "nvrtcGetSupportedArchs");
  int major = 0, minor = 0;
  api->check(api->version(&major, &minor), "nvrtcVersion");
  open_builtins(api->library.path(), major, minor);
  api_ = api.release();
}

Nvrtc::Api& Nvrtc::api() {
  std::call_once(looked_, [this] { look(); });
  if (!api_) {
    throw DeviceError(missing_, "KILN_NVRTC naming the library, or kiln::cpu()");
  }
  return *api_;
}

bool Nvrtc::available() { return missing().empty(); }

std::string Nvrtc::missing() {
  std::call_once(looked_, [this] { look(); });
  return missing_;
}

std::pair<int, int> Nvrtc::version() {
  std::pair<int, int> version;
  api().check(api().version(&version.first, &version.second), "nvrtcVersion");
  return version;
}

bool Nvrtc::supports(int compute_capability) {
  const std::vector<int>& all = api().supported;
  return std::find(all.begin(), all.end(), compute_capability) != all.end();
}

NvrtcResult Nvrtc::compile(const std::string& name, const std::string& source,
                           int compute_capability, bool cubin) {
  const Api& nvrtc = api();
  struct Program {
    const Api& api;
    Api::Program handle = nullptr;
    ~Program() {
      if (handle) api.destroy(&handle);
    }
  } program{nvrtc};
  nvrtc.check(
      nvrtc.create(&program.handle, source.c_str(), (name + ".cu").c_str(), 0, nullptr, nullptr),
      "nvrtcCreateProgram");
  std::vector<std::string> words = options();
  // Declares less of CUDA's library, which our text does not use: a third of the time of a small
  // kernel, the same instructions. Known from 12.4 on.
  if (version() >= std::pair(12, 4)) words.emplace_back("-minimal");
  words.push_back(
      fmt::format("--gpu-architecture={}_{}", cubin ? "sm" : "compute", compute_capability));
  const std::string architecture = words.back();
  if (cubin) words.emplace_back("--ptxas-options=-v");  // kernel_resources reads it from the log
  std::vector<const char*> pointers;
  for (const std::string& word : words) pointers.push_back(word.c_str());
  const int status =
      nvrtc.compile(program.handle, static_cast<int>(pointers.size()), pointers.data());
  NvrtcResult result;
  result.log = nvrtc.text(program.handle, nvrtc.log_size, nvrtc.log, "nvrtcGetProgramLog");
  if (status != 0) {
    throw DeviceError(
        fmt::format("NVRTC could not compile kernel {} for {}: {}\n{}\nSource:\n{}", name,
                    architecture, nvrtc.error_string(status), result.log, numbered(source)),
        "report this with the text above: it is a bug of Kiln; kiln::cpu() or "
        "another NVRTC (KILN_NVRTC) meanwhile");
  }
  result.ptx = nvrtc.text(program.handle, nvrtc.ptx_size, nvrtc.ptx, "nvrtcGetPTX");
  if (cubin) {
    std::size_t size = 0;
    nvrtc.check(nvrtc.cubin_size(program.handle, &size), "nvrtcGetCUBINSize");
    result.cubin.resize(size);
    nvrtc.check(nvrtc.cubin(program.handle, reinterpret_cast<char*>(result.cubin.data())),
                "nvrtcGetCUBIN");
  }
  return result;
}

}  // namespace kiln::runtime
