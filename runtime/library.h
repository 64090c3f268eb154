// Shared libraries opened at run time, looked for in several places.
#pragma once
#include <string>
#include <vector>

#include "runtime/config.h"

namespace kiln::runtime {

// An open library; it stays open for the process's life.
class Library {
 public:
  // Opens the first of `paths` that can be opened. Names without '/' are left to the loader.
  static Library open(const std::vector<std::string>& paths);

  explicit operator bool() const { return handle_ != nullptr; }
  const std::string& path() const { return path_; }
  // What was tried and why each failed, for messages: a line each, which begins with its break.
  const std::string& tried() const { return tried_; }

  // The address of a symbol, null if there is none.
  void* symbol(const char* name) const;
  template <class Function>
  bool get(const char* name, Function*& to) const {
    to = reinterpret_cast<Function*>(symbol(name));
    return to != nullptr;
  }

 private:
  void* handle_ = nullptr;
  std::string path_;
  std::string tried_;
};

// Where a library of the CUDA toolkit may lie. `chosen` (if not empty) is the only place; else the
// configured folders, the configured prefixes, the conventional ones, and the loader's path.
std::vector<std::string> toolkit_paths(const Config& config, const std::string& chosen,
                                       const std::vector<std::string>& names);

}  // namespace kiln::runtime
