// Launches, their limits, occupancy, host functions.

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "tests/cudasim/driver/state.h"

using namespace cudasim;
using namespace cudasim::abi;

namespace cudasim {
namespace {

Result refuse(Driver& driver, const std::string& kernel, const std::string& why, Result code) {
  driver.last_report = "cudasim: launch of " + kernel + " refused: " + why + "\n";
  if (!driver.quiet) std::fputs(driver.last_report.c_str(), stderr);
  return code;
}

// Parameters come as one pointer each, or packed in a buffer.
Result copy_parameters(Driver& driver, const FunctionObject& function, void** parameters,
                       void** extra, std::vector<U8>& out) {
  const Code& code = function.code();
  out.assign(code.launch_bytes, 0);
  if (code.launch_bytes == 0) return kSuccess;
  if (parameters != nullptr) {
    const std::vector<ParameterInfo> infos = kernel_parameters(code);
    for (std::size_t i = 0; i < infos.size(); ++i) {
      if (parameters[i] == nullptr) {
        return refuse(driver, function.name, "parameter " + std::to_string(i) + " is null",
                      kInvalidValue);
      }
      std::memcpy(&out[infos[i].offset], parameters[i], infos[i].bytes);
    }
    return kSuccess;
  }
  const void* buffer = nullptr;
  std::size_t size = 0;
  for (int i = 0; extra != nullptr && i < 8 && extra[i] != kLaunchParamEnd; i += 2) {
    if (extra[i] == kLaunchParamBufferPointer) buffer = extra[i + 1];
    if (extra[i] == kLaunchParamBufferSize) size = *static_cast<std::size_t*>(extra[i + 1]);
  }
  if (buffer == nullptr)
    return refuse(driver, function.name, "there are no parameters", kInvalidValue);
  if (size != code.launch_bytes) {
    return refuse(driver, function.name,
                  "the parameter buffer has " + std::to_string(size) + " bytes, the kernel wants " +
                      std::to_string(code.launch_bytes),
                  kInvalidValue);
  }
  std::memcpy(out.data(), buffer, size);
  return kSuccess;
}

Result check_dimensions(Driver& driver, const FunctionObject& function, const Launch& launch) {
  const auto no = [&](const std::string& why) {
    return refuse(driver, function.name, why, kInvalidValue);
  };
  constexpr U32 kGrid[3] = {0x7fffffff, 65535, 65535};
  constexpr U32 kBlock[3] = {1024, 1024, 64};
  for (int i = 0; i < 3; ++i) {
    if (launch.grid[i] == 0 || launch.block[i] == 0) return no("an extent of grid or block is 0");
    if (launch.grid[i] > kGrid[i]) return no("the grid exceeds the device's limit");
    if (launch.block[i] > kBlock[i]) return no("the block exceeds the device's limit");
  }
  const U32 threads = launch.block[0] * launch.block[1] * launch.block[2];
  if (threads > 1024) return no(std::to_string(threads) + " threads in a block");
  const cudasim::Function& ptx = *function.code().function;
  const U32* most = ptx.max_threads;
  if (most[0] != 0 && threads > most[0] * most[1] * most[2]) {
    return no("a block of " + std::to_string(threads) + " threads, compiled for at most " +
              std::to_string(most[0] * most[1] * most[2]));
  }
  const U32* exact = ptx.required_threads;
  if (exact[0] != 0 && !std::equal(exact, exact + 3, launch.block)) {
    return no("the block differs from .reqntid");
  }
  return kSuccess;
}

Result check_resources(Driver& driver, const cudasim::Device& device,
                       const FunctionObject& function, const Launch& launch) {
  const Code& code = function.code();
  const auto no = [&](const std::string& why, Result result) {
    return refuse(driver, function.name, why, result);
  };
  if (code.launch_bytes > device.cap.parameter_limit) {
    return no(std::to_string(code.launch_bytes) + " bytes of parameters, the device takes " +
                  std::to_string(device.cap.parameter_limit),
              kInvalidValue);
  }
  if (launch.dynamic_shared > static_cast<U32>(function.max_dynamic_shared)) {
    return no(std::to_string(launch.dynamic_shared) + " bytes of dynamic shared memory, " +
                  std::to_string(function.max_dynamic_shared) + " are allowed",
              kInvalidValue);
  }
  const U32 shared = shared_bytes_of(code, launch.dynamic_shared);
  const U32 limit = function.max_dynamic_shared > (48 << 10)
                        ? static_cast<U32>(device.cap.shared_optin)
                        : 48u << 10;
  if (shared > limit) {
    return no(
        std::to_string(shared) + " bytes of shared memory, the block has " + std::to_string(limit),
        kInvalidValue);
  }
  const U32 threads = launch.block[0] * launch.block[1] * launch.block[2];
  const int resident =
      active_blocks(device, code, static_cast<int>(threads), launch.dynamic_shared);
  const U64 blocks = U64{launch.grid[0]} * launch.grid[1] * launch.grid[2];
  if (launch.cooperative &&
      blocks > static_cast<U64>(resident) * static_cast<U64>(device.cap.sm_count)) {
    return no("more blocks than can be resident at once", kCooperativeLaunchTooLarge);
  }
  return kSuccess;
}

void add_counters(Counters& to, const Counters& from) {
  auto* sums = reinterpret_cast<unsigned long long*>(&to);
  const auto* parts = reinterpret_cast<const unsigned long long*>(&from);
  for (std::size_t i = 0; i < sizeof(Counters) / sizeof *sums; ++i) sums[i] += parts[i];
}

}  // namespace

// What ptxas would use is not known; the PTX's virtual registers are an upper bound for small
// kernels and mean nothing for large ones, hence the clamp.
int register_estimate(const Code& code) {
  const U32 most = code.function->max_registers != 0 ? code.function->max_registers : 64;
  return static_cast<int>(std::min(most, std::max(16u, (code.register_words + 7) / 8 * 8)));
}

int active_blocks(const Device& device, const Code& code, int threads, U64 dynamic_shared) {
  const Capability& cap = device.cap;
  if (threads <= 0 || threads > 1024) return 0;
  const int warps = (threads + 31) / 32;
  int blocks = std::min(cap.blocks_per_sm, cap.threads_per_sm / (warps * 32));
  const int registers = register_estimate(code) * warps * 32;
  if (registers > 0) blocks = std::min(blocks, 65536 / registers);
  const U64 shared = shared_bytes_of(code, static_cast<U32>(dynamic_shared)) +
                     static_cast<U64>(cap.reserved_shared);
  if (shared > 0) {
    blocks = std::min(blocks, static_cast<int>(static_cast<U64>(cap.shared_per_sm) / shared));
  }
  return blocks;
}

Result prepare_launch(Driver& driver, Context& context, FunctionObject& function,
                      const unsigned (&grid)[3], const unsigned (&block)[3], unsigned shared,
                      void** parameters, void** extra, LaunchRequest& out) {
  if (function.module->context != &context) return kInvalidContext;
  out.function = &function;
  out.program = function.module->program;
  Launch& launch = out.launch;
  launch.program = out.program.get();
  launch.entry = function.entry;
  std::copy_n(grid, 3, launch.grid);
  std::copy_n(block, 3, launch.block);
  launch.dynamic_shared = shared;
  launch.sm_count = static_cast<U32>(context.device->cap.sm_count);
  Result result = check_dimensions(driver, function, launch);
  if (result == kSuccess) result = check_resources(driver, *context.device, function, launch);
  if (result == kSuccess) {
    result = copy_parameters(driver, function, parameters, extra, launch.parameters);
  }
  return result;
}

Operation launch_operation(Driver&, Context& context, const LaunchRequest& request) {
  Operation operation;
  operation.work = [request, &context, name = request.function->name] {
    Driver& driver = Driver::get();
    if (driver.fails(KILNSIM_FAIL_EXECUTION)) {
      driver.fault(context, {FaultKind::kIllegalAddress,
                             "cudasim: kernel " + name + ": illegal address, as the test asked\n"});
      return context.sticky;
    }
    const LaunchResult result = context.device->launcher->run(request.launch, driver.options);
    driver.last = result.counters;
    driver.last_kernel = name;
    add_counters(driver.totals, result.counters);
    if (!result.fault) return kSuccess;
    driver.fault(context, *result.fault);
    return context.sticky;
  };
  return operation;
}

namespace {

Result launch(abi::Function handle, const unsigned (&grid)[3], const unsigned (&block)[3],
              unsigned shared, abi::Stream stream_handle, void** parameters, void** extra,
              bool cooperative) {
  return with_context([&](Driver& driver, Context& context) {
    FunctionObject* function = driver.function_of(handle);
    cudasim::Stream* stream = driver.stream_of(stream_handle, context);
    if (function == nullptr || stream == nullptr) return kInvalidHandle;
    if (stream->context != &context) return kInvalidHandle;
    LaunchRequest request;
    request.launch.cooperative = cooperative;
    const Result result =
        prepare_launch(driver, context, *function, grid, block, shared, parameters, extra, request);
    if (result != kSuccess) return result;
    if (driver.fails(KILNSIM_FAIL_LAUNCH)) return kLaunchOutOfResources;
    return submit(driver, *stream, launch_operation(driver, context, request));
  });
}

}  // namespace
}  // namespace cudasim

CUDASIM_EXPORT Result cuLaunchKernel(abi::Function function, unsigned grid_x, unsigned grid_y,
                                     unsigned grid_z, unsigned block_x, unsigned block_y,
                                     unsigned block_z, unsigned shared, abi::Stream stream,
                                     void** parameters, void** extra) {
  return cudasim::launch(function, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared,
                         stream, parameters, extra, false);
}

CUDASIM_EXPORT Result cuLaunchCooperativeKernel(abi::Function function, unsigned grid_x,
                                                unsigned grid_y, unsigned grid_z, unsigned block_x,
                                                unsigned block_y, unsigned block_z, unsigned shared,
                                                abi::Stream stream, void** parameters) {
  return cudasim::launch(function, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared,
                         stream, parameters, nullptr, true);
}

CUDASIM_EXPORT Result cuLaunchKernelEx(const LaunchConfig* config, abi::Function function,
                                       void** parameters, void** extra) {
  if (config == nullptr) return kInvalidValue;
  bool cooperative = false;
  for (unsigned i = 0; i < config->attribute_count; ++i) {
    const LaunchAttribute& attribute = config->attributes[i];
    if (attribute.id == kLaunchAttributeCooperative) cooperative = attribute.value.cooperative != 0;
    const unsigned* cluster = attribute.value.cluster;
    if (attribute.id == kLaunchAttributeClusterDimension &&
        (cluster[0] > 1 || cluster[1] > 1 || cluster[2] > 1)) {
      return kNotSupported;
    }
  }
  return cudasim::launch(function, {config->grid_x, config->grid_y, config->grid_z},
                         {config->block_x, config->block_y, config->block_z}, config->shared_bytes,
                         config->stream, parameters, extra, cooperative);
}

CUDASIM_EXPORT Result cuLaunchHostFunc(abi::Stream handle, HostFn host, void* data) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    cudasim::Stream* stream = driver.stream_of(handle, context);
    if (stream == nullptr) return kInvalidHandle;
    if (host == nullptr) return kInvalidValue;
    Operation operation;
    operation.kind = Operation::Kind::kHostFunction;
    operation.host = host;
    operation.host_data = data;
    return submit(driver, *stream, std::move(operation));
  });
}

CUDASIM_EXPORT Result cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, abi::Function handle,
                                                                  int threads,
                                                                  std::size_t dynamic_shared) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    const FunctionObject* function = driver.function_of(handle);
    if (function == nullptr) return kInvalidHandle;
    if (blocks == nullptr || threads <= 0) return kInvalidValue;
    *blocks = active_blocks(*context.device, function->code(), threads, dynamic_shared);
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int* blocks, abi::Function function, int threads, std::size_t dynamic_shared, unsigned) {
  return cuOccupancyMaxActiveBlocksPerMultiprocessor(blocks, function, threads, dynamic_shared);
}

CUDASIM_EXPORT Result cuOccupancyMaxPotentialBlockSize(int* grid, int* block, abi::Function handle,
                                                       BlockSizeFn shared_of,
                                                       std::size_t dynamic_shared, int limit) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    const FunctionObject* function = driver.function_of(handle);
    if (function == nullptr) return kInvalidHandle;
    if (grid == nullptr || block == nullptr) return kInvalidValue;
    const U32* most = function->code().function->max_threads;
    int top = most[0] != 0 ? static_cast<int>(most[0] * most[1] * most[2]) : 1024;
    if (limit > 0) top = std::min(top, limit);
    int best = 0;
    for (int threads = top / 32 * 32; threads >= 32; threads -= 32) {
      const std::size_t shared = shared_of != nullptr ? shared_of(threads) : dynamic_shared;
      const int resident = active_blocks(*context.device, function->code(), threads, shared);
      if (resident * threads <= best) continue;
      best = resident * threads;
      *block = threads;
      *grid = resident * context.device->cap.sm_count;
    }
    return best == 0 ? kInvalidValue : kSuccess;
  });
}
