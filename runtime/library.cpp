#include "runtime/library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace kiln::runtime {

namespace {

namespace fs = std::filesystem;

// /usr/local/cuda first, then the versioned prefixes, newest first by name.
std::vector<std::string> conventional_prefixes() {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator at("/usr/local", error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with("cuda-")) found.push_back(at->path().string());
  }
  std::sort(found.rbegin(), found.rend());
  found.insert(found.begin(), {"/usr/local/cuda", "/opt/cuda"});
  return found;
}

}  // namespace

Library Library::open(const std::vector<std::string>& paths) {
  Library library;
  for (const std::string& path : paths) {
    std::error_code error;
    const bool file = path.find('/') != std::string::npos;
    if (file && !fs::exists(path, error)) {
      library.tried_ += fmt::format("\n  {}: no such file", path);
      continue;
    }
    library.handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library.handle_) {
      library.path_ = path;
      return library;
    }
    const char* const why = dlerror();
    library.tried_ += fmt::format("\n  {}: {}", path, why ? why : "cannot be opened");
  }
  return library;
}

void* Library::symbol(const char* name) const { return handle_ ? dlsym(handle_, name) : nullptr; }

std::vector<std::string> toolkit_paths(const Config& config, const std::string& chosen,
                                       const std::vector<std::string>& names) {
  if (!chosen.empty()) return {chosen};
  std::vector<std::string> folders = config.library_folders;
  std::vector<std::string> prefixes;
  for (const std::string& prefix : {config.cuda_home, config.cuda_path}) {
    if (!prefix.empty()) prefixes.push_back(prefix);
  }
  for (const std::string& prefix : conventional_prefixes()) prefixes.push_back(prefix);
  for (const std::string& prefix : prefixes) {
    for (const char* folder :
         {"lib64", "lib", "targets/x86_64-linux/lib", "targets/sbsa-linux/lib"}) {
      std::error_code error;
      if (fs::is_directory(prefix + "/" + folder, error)) folders.push_back(prefix + "/" + folder);
    }
  }
  std::vector<std::string> paths;
  for (const std::string& folder : folders) {
    for (const std::string& name : names) paths.push_back(folder + "/" + name);
  }
  paths.insert(paths.end(), names.begin(), names.end());
  return paths;
}

}  // namespace kiln::runtime
