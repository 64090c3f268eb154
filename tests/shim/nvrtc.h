// NVRTC for tests, loaded at run time: from KILN_NVRTC (a file), CUDA_HOME, CUDA_PATH, the
// conventional prefixes, then the loader's path. Tests that need it are skipped where it is
// missing.
#pragma once
#include <string>
#include <vector>

namespace kiln::tests {

class Nvrtc {
 public:
  static const Nvrtc& get();
  bool available() const { return missing_.empty(); }
  const std::string& missing() const { return missing_; }  // where it was looked for

  struct Result {
    bool ok = false;
    std::string ptx, log;
  };
  // With ir::kNvrtcOptions.
  Result compile(const std::string& source, int compute_capability,
                 const std::vector<std::string>& more_options = {}) const;

 private:
  Nvrtc();
  void* library_ = nullptr;
  std::string missing_;
};

}  // namespace kiln::tests
