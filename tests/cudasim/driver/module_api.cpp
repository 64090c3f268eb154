// Modules, libraries, and their kernels.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "tests/cudasim/driver/state.h"

using namespace cudasim;
using namespace cudasim::abi;

namespace cudasim {

const Code& FunctionObject::code() const { return module->program->codes[entry]; }

namespace {

// ELF, a fat binary or its wrapper: nothing that a simulator of PTX can run.
bool is_binary(const void* image) {
  const char* text = static_cast<const char*>(image);
  for (const char* magic : {"\x7f"
                            "ELF",
                            "\x50\xed\x55\xba", "\xb1\x43\x62\x46"}) {
    if (std::strncmp(text, magic, 4) == 0) return true;
  }
  return false;
}

std::string log_text(const LoadError& error) {
  return "cudasim: PTX line " + std::to_string(error.line) + ": " + error.message + "\n";
}

}  // namespace

Result load_module(Driver& driver, Context& context, const void* image, ModuleObject** out,
                   std::string* log) {
  if (image == nullptr) return kInvalidValue;
  if (driver.fails(KILNSIM_FAIL_LOAD)) return kOutOfMemory;
  if (is_binary(image)) return kNoBinaryForGpu;
  std::string text;
  Result result = kSuccess;
  std::shared_ptr<Program> program;
  try {
    program = load_program(static_cast<const char*>(image), *context.device->memory);
    const Module& module = *program->module;
    if (module.target > context.device->cap.number) {
      text = "cudasim: PTX for sm_" + std::to_string(module.target) +
             " on a device of capability " + std::to_string(context.device->cap.number) + "\n";
      result = kNoBinaryForGpu;
    } else if (module.version > 90) {
      text = "cudasim: PTX version " + std::to_string(module.version) + " is newer than 9.0\n";
      result = kUnsupportedPtxVersion;
    }
    if (result != kSuccess) unload_program(*program, *context.device->memory);
  } catch (const LoadError& error) {
    text = log_text(error);
    result = kInvalidPtx;
  }
  if (log != nullptr) *log = text;
  if (result != kSuccess) {
    if (!driver.quiet) std::fputs(text.c_str(), stderr);
    return result;
  }
  auto module = std::make_unique<ModuleObject>();
  module->context = &context;
  module->program = std::move(program);
  ModuleObject* key = module.get();
  driver.modules[key] = std::move(module);
  *out = key;
  return kSuccess;
}

FunctionObject* find_function(Driver& driver, ModuleObject& module, const std::string& name) {
  auto& known = module.functions[name];
  if (known) return known.get();
  const int entry = module.program->find_entry(name);
  if (entry < 0) {
    module.functions.erase(name);
    return nullptr;
  }
  known = std::make_unique<FunctionObject>();
  known->module = &module;
  known->entry = static_cast<U32>(entry);
  known->name = name;
  driver.functions.insert(known.get());
  return known.get();
}

// Launches that wait still hold the program; its variables are freed now.
void unload_module(Driver& driver, ModuleObject& module) {
  if (module.context->sticky == kSuccess) driver.wait_for_work(*module.context);
  for (auto& [name, function] : module.functions) driver.functions.erase(function.get());
  unload_program(*module.program, *module.context->device->memory);
  driver.modules.erase(&module);
}

namespace {

// Writes a log into the caller's buffers for it, where options name any.
void write_logs(unsigned count, const int* options, void** values, const std::string& log) {
  char* buffer = nullptr;
  std::size_t size = 0;
  void** size_value = nullptr;
  for (unsigned i = 0; i < count && options != nullptr && values != nullptr; ++i) {
    if (options[i] == kJitErrorLogBuffer) buffer = static_cast<char*>(values[i]);
    if (options[i] == kJitInfoLogBuffer && values[i] != nullptr) *static_cast<char*>(values[i]) = 0;
    if (options[i] == kJitErrorLogBufferSize) {
      size = static_cast<std::size_t>(reinterpret_cast<std::uintptr_t>(values[i]) & 0xffffffffu);
      size_value = &values[i];
    }
  }
  if (buffer == nullptr || size == 0) return;
  std::snprintf(buffer, size, "%s", log.c_str());
  *size_value = reinterpret_cast<void*>(std::min(size, log.size()));
}

Result global_of(const ModuleObject& module, const char* name, DevicePtr* address,
                 std::size_t* bytes) {
  const auto& variables = module.program->module->variables;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    if (variables[i].name != name || module.program->addresses[i] == 0) continue;
    if (address != nullptr) *address = module.program->addresses[i];
    if (bytes != nullptr) *bytes = variables[i].bytes;
    return kSuccess;
  }
  return kNotFound;
}

}  // namespace
}  // namespace cudasim

CUDASIM_EXPORT Result cuModuleLoadDataEx(abi::Module* out, const void* image, unsigned count,
                                         int* options, void** values) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    if (out == nullptr) return kInvalidValue;
    ModuleObject* module = nullptr;
    std::string log;
    const Result result = load_module(driver, context, image, &module, &log);
    write_logs(count, options, values, log);
    if (result == kSuccess) *out = to_handle<abi::Module>(module);
    return result;
  });
}

CUDASIM_EXPORT Result cuModuleLoadData(abi::Module* out, const void* image) {
  return cuModuleLoadDataEx(out, image, 0, nullptr, nullptr);
}

CUDASIM_EXPORT Result cuModuleLoadFatBinary(abi::Module* out, const void* image) {
  return cuModuleLoadDataEx(out, image, 0, nullptr, nullptr);
}

CUDASIM_EXPORT Result cuModuleLoad(abi::Module* out, const char* path) {
  if (path == nullptr) return kInvalidValue;
  std::ifstream file(path, std::ios::binary);
  if (!file) return kFileNotFound;
  std::stringstream text;
  text << file.rdbuf();
  return cuModuleLoadData(out, text.str().c_str());
}

CUDASIM_EXPORT Result cuModuleUnload(abi::Module handle) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    ModuleObject* module = driver.module_of(handle);
    if (module == nullptr) return kInvalidHandle;
    unload_module(driver, *module);
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuModuleGetLoadingMode(int* mode) {
  if (mode == nullptr) return kInvalidValue;
  *mode = 1;  // eager
  return kSuccess;
}

CUDASIM_EXPORT Result cuModuleGetFunction(abi::Function* out, abi::Module handle,
                                          const char* name) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    ModuleObject* module = driver.module_of(handle);
    if (module == nullptr) return kInvalidHandle;
    if (out == nullptr || name == nullptr) return kInvalidValue;
    FunctionObject* function = find_function(driver, *module, name);
    if (function == nullptr) return kNotFound;
    *out = to_handle<abi::Function>(function);
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuModuleGetFunctionCount(unsigned* count, abi::Module handle) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    const ModuleObject* module = driver.module_of(handle);
    if (module == nullptr) return kInvalidHandle;
    if (count == nullptr) return kInvalidValue;
    *count = 0;
    for (const Code& code : module->program->codes) {
      *count += code.function->entry && code.function->defined ? 1 : 0;
    }
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuModuleEnumerateFunctions(abi::Function* out, unsigned most,
                                                 abi::Module handle) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    ModuleObject* module = driver.module_of(handle);
    if (module == nullptr) return kInvalidHandle;
    if (out == nullptr) return kInvalidValue;
    unsigned count = 0;
    for (const Code& code : module->program->codes) {
      if (!code.function->entry || !code.function->defined || count == most) continue;
      FunctionObject* function = find_function(driver, *module, std::string(code.function->name));
      out[count++] = to_handle<abi::Function>(function);
    }
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuModuleGetGlobal_v2(DevicePtr* address, std::size_t* bytes,
                                           abi::Module handle, const char* name) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    const ModuleObject* module = driver.module_of(handle);
    if (module == nullptr) return kInvalidHandle;
    return name == nullptr ? kInvalidValue : global_of(*module, name, address, bytes);
  });
}

CUDASIM_EXPORT Result cuLibraryLoadData(abi::Library* out, const void* image, int* options,
                                        void** values, unsigned count, int*, void**, unsigned) {
  return with_driver([&](Driver& driver) {
    if (out == nullptr || image == nullptr) return kInvalidValue;
    if (is_binary(image)) return kNoBinaryForGpu;
    if (driver.fails(KILNSIM_FAIL_LOAD)) return kOutOfMemory;
    auto library = std::make_unique<LibraryObject>();
    library->image = static_cast<const char*>(image);
    try {
      parse_module(library->image);
    } catch (const LoadError& error) {
      const std::string log = log_text(error);
      write_logs(count, options, values, log);
      if (!driver.quiet) std::fputs(log.c_str(), stderr);
      return kInvalidPtx;
    }
    LibraryObject* key = library.get();
    driver.libraries[key] = std::move(library);
    *out = to_handle<abi::Library>(key);
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuLibraryUnload(abi::Library handle) {
  return with_driver([&](Driver& driver) {
    LibraryObject* library = driver.library_of(handle);
    if (library == nullptr) return kInvalidHandle;
    for (auto& [context, module] : library->modules) unload_module(driver, *module);
    for (auto& [name, kernel] : library->kernels) driver.kernels.erase(kernel.get());
    driver.libraries.erase(library);
    return kSuccess;
  });
}

namespace {

Result library_module(Driver& driver, cudasim::Context& context, LibraryObject& library,
                      ModuleObject** out) {
  ModuleObject*& module = library.modules[&context];
  if (module == nullptr) {
    const Result result = load_module(driver, context, library.image.c_str(), &module, nullptr);
    if (result != kSuccess) {
      library.modules.erase(&context);
      return result;
    }
  }
  *out = module;
  return kSuccess;
}

}  // namespace

CUDASIM_EXPORT Result cuLibraryGetModule(abi::Module* out, abi::Library handle) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    LibraryObject* library = driver.library_of(handle);
    if (library == nullptr) return kInvalidHandle;
    if (out == nullptr) return kInvalidValue;
    ModuleObject* module = nullptr;
    const Result result = library_module(driver, context, *library, &module);
    if (result == kSuccess) *out = to_handle<abi::Module>(module);
    return result;
  });
}

CUDASIM_EXPORT Result cuLibraryGetKernel(abi::Kernel* out, abi::Library handle, const char* name) {
  return with_driver([&](Driver& driver) {
    LibraryObject* library = driver.library_of(handle);
    if (library == nullptr) return kInvalidHandle;
    if (out == nullptr || name == nullptr) return kInvalidValue;
    const auto module = parse_module(library->image);
    const cudasim::Function* function = module->find_function(name);
    if (function == nullptr || !function->entry) return kNotFound;
    auto& kernel = library->kernels[name];
    if (!kernel) {
      kernel = std::make_unique<KernelObject>(KernelObject{library, name});
      driver.kernels.insert(kernel.get());
    }
    *out = to_handle<abi::Kernel>(kernel.get());
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuLibraryGetGlobal(DevicePtr* address, std::size_t* bytes,
                                         abi::Library handle, const char* name) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    LibraryObject* library = driver.library_of(handle);
    if (library == nullptr) return kInvalidHandle;
    if (name == nullptr) return kInvalidValue;
    ModuleObject* module = nullptr;
    const Result result = library_module(driver, context, *library, &module);
    return result == kSuccess ? global_of(*module, name, address, bytes) : result;
  });
}

CUDASIM_EXPORT Result cuKernelGetFunction(abi::Function* out, abi::Kernel handle) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    KernelObject* kernel = driver.kernel_of(handle);
    if (kernel == nullptr) return kInvalidHandle;
    if (out == nullptr) return kInvalidValue;
    ModuleObject* module = nullptr;
    const Result result = library_module(driver, context, *kernel->library, &module);
    if (result != kSuccess) return result;
    *out = to_handle<abi::Function>(find_function(driver, *module, kernel->name));
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuKernelGetName(const char** name, abi::Kernel handle) {
  return with_driver([&](Driver& driver) {
    const KernelObject* kernel = driver.kernel_of(handle);
    if (kernel == nullptr) return kInvalidHandle;
    if (name == nullptr) return kInvalidValue;
    *name = kernel->name.c_str();
    return kSuccess;
  });
}
