// Functions and kernels: attributes, names, parameters.

#include "tests/cudasim/driver/state.h"

using namespace cudasim;
using namespace cudasim::abi;

namespace cudasim {
namespace {

Result function_attribute(const FunctionObject& function, int attribute, int* value) {
  if (value == nullptr) return kInvalidValue;
  const Code& code = function.code();
  const cudasim::Function& ptx = *code.function;
  const U32* threads = ptx.required_threads[0] != 0 ? ptx.required_threads : ptx.max_threads;
  switch (attribute) {
    case kFuncMaxThreads:
      *value = threads[0] == 0
                   ? 1024
                   : static_cast<int>(std::min(1024u, threads[0] * threads[1] * threads[2]));
      return kSuccess;
    case kFuncSharedBytes:
      *value = static_cast<int>(code.static_shared);
      return kSuccess;
    case kFuncConstBytes: {
      U64 bytes = 0;
      for (const Variable& variable : function.module->program->module->variables) {
        if (variable.space == Space::kConst) bytes += variable.bytes;
      }
      *value = static_cast<int>(bytes);
      return kSuccess;
    }
    case kFuncLocalBytes:
      *value = static_cast<int>(code.local_bytes);
      return kSuccess;
    case kFuncRegisters:
      *value = register_estimate(code);
      return kSuccess;
    case kFuncPtxVersion:
    case kFuncBinaryVersion:
      *value = attribute == kFuncPtxVersion
                   ? static_cast<int>(function.module->program->module->target)
                   : static_cast<int>(function.module->context->device->cap.number);
      return kSuccess;
    case kFuncCacheModeCa:
      *value = 0;
      return kSuccess;
    case kFuncMaxDynamicShared:
      *value = function.max_dynamic_shared;
      return kSuccess;
    case kFuncSharedCarveout:
      *value = function.carveout;
      return kSuccess;
    default:
      if (attribute < 0 || attribute > 15) return kInvalidValue;
      *value = 0;
      return kSuccess;
  }
}

Result set_function_attribute(FunctionObject& function, int attribute, int value) {
  const Capability& cap = function.module->context->device->cap;
  if (attribute == kFuncMaxDynamicShared) {
    if (value < 0 || value + static_cast<int>(function.code().static_shared) > cap.shared_optin) {
      return kInvalidValue;
    }
    function.max_dynamic_shared = value;
    return kSuccess;
  }
  if (attribute != kFuncSharedCarveout || value < -1 || value > 100) return kInvalidValue;
  function.carveout = value;
  return kSuccess;
}

Result parameter_info(const FunctionObject& function, std::size_t index, std::size_t* offset,
                      std::size_t* size) {
  const std::vector<ParameterInfo> parameters = kernel_parameters(function.code());
  if (index >= parameters.size() || offset == nullptr) return kInvalidValue;
  *offset = parameters[index].offset;
  if (size != nullptr) *size = parameters[index].bytes;
  return kSuccess;
}

FunctionObject* function_or_kernel(Driver& driver, const void* handle) {
  return driver.function_of(const_cast<abi::Function>(static_cast<const FunctionHandle*>(handle)));
}

}  // namespace
}  // namespace cudasim

CUDASIM_EXPORT Result cuFuncGetAttribute(int* value, int attribute, abi::Function handle) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    const FunctionObject* function = driver.function_of(handle);
    return function == nullptr ? kInvalidHandle : function_attribute(*function, attribute, value);
  });
}

CUDASIM_EXPORT Result cuFuncSetAttribute(abi::Function handle, int attribute, int value) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    FunctionObject* function = driver.function_of(handle);
    return function == nullptr ? kInvalidHandle
                               : set_function_attribute(*function, attribute, value);
  });
}

CUDASIM_EXPORT Result cuFuncSetCacheConfig(abi::Function handle, int) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    return driver.function_of(handle) == nullptr ? kInvalidHandle : kSuccess;
  });
}

CUDASIM_EXPORT Result cuFuncGetModule(abi::Module* out, abi::Function handle) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    const FunctionObject* function = driver.function_of(handle);
    if (function == nullptr) return kInvalidHandle;
    if (out == nullptr) return kInvalidValue;
    *out = to_handle<abi::Module>(function->module);
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuFuncGetName(const char** name, abi::Function handle) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    const FunctionObject* function = driver.function_of(handle);
    if (function == nullptr) return kInvalidHandle;
    if (name == nullptr) return kInvalidValue;
    *name = function->name.c_str();
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuFuncGetParamInfo(abi::Function handle, std::size_t index,
                                         std::size_t* offset, std::size_t* size) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    const FunctionObject* function = driver.function_of(handle);
    return function == nullptr ? kInvalidHandle : parameter_info(*function, index, offset, size);
  });
}

CUDASIM_EXPORT Result cuFuncIsLoaded(int* state, abi::Function handle) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    if (driver.function_of(handle) == nullptr) return kInvalidHandle;
    if (state == nullptr) return kInvalidValue;
    *state = 1;
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuFuncLoad(abi::Function handle) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    return driver.function_of(handle) == nullptr ? kInvalidHandle : kSuccess;
  });
}

CUDASIM_EXPORT Result cuKernelGetAttribute(int* value, int attribute, abi::Kernel handle,
                                           abi::Device) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    const FunctionObject* function = function_or_kernel(driver, handle);
    return function == nullptr ? kInvalidHandle : function_attribute(*function, attribute, value);
  });
}

CUDASIM_EXPORT Result cuKernelSetAttribute(int attribute, int value, abi::Kernel handle,
                                           abi::Device) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    FunctionObject* function = function_or_kernel(driver, handle);
    return function == nullptr ? kInvalidHandle
                               : set_function_attribute(*function, attribute, value);
  });
}

CUDASIM_EXPORT Result cuKernelGetParamInfo(abi::Kernel handle, std::size_t index,
                                           std::size_t* offset, std::size_t* size) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    const FunctionObject* function = function_or_kernel(driver, handle);
    return function == nullptr ? kInvalidHandle : parameter_info(*function, index, offset, size);
  });
}
