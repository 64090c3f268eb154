#include "runtime/cuda/cuda_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "ir/error.h"
#include "ir/targets.h"
#include "runtime/small_array.h"
#include "runtime/targets.h"

namespace kiln::runtime {

namespace {

constexpr int kLargeParametersSince = 12010;  // driver version
constexpr int kLargeParametersFrom = 90;      // compute capability

struct CudaKernel : LoadedKernel {
  explicit CudaKernel(CudaContext& the_context) : context(the_context) {}
  ~CudaKernel() override {
    if (!module || !context.usable()) return;
    try {
      const EnterCuda entered(context);
      context.driver.module_unload(module);
    } catch (const DeviceError&) {
      // Lost together with the device.
    }
  }
  CudaContext& context;
  CudaDriver::Module module = nullptr;
  CudaDriver::Function function = nullptr;
  LaunchNeeds needs;
  std::size_t parameters = 0;
  std::uint32_t members = 0;  // Kernel::members
  ir::BatchRow row;           // of a batch's table
};

// The table of a batch, packed (ir/kernel.h).
std::vector<std::byte> packed_table(const CudaKernel& kernel, const Launch& launch) {
  const ir::BatchRow& row = kernel.row;
  std::vector<std::byte> table(std::size_t{kernel.members} * row.bytes);
  for (std::size_t m = 0; m < kernel.members; ++m) {
    for (const ir::BatchRow::Field& field : row.fields) {
      ir::KernelArg arg{nullptr};
      if (m < launch.members) {
        arg = launch.args[m * row.fields.size() + field.param];
      } else if (field.param == kernel.parameters) {
        arg.integer = ir::kNoBlock;
      }
      // The low bytes of an argument are its value.
      std::memcpy(table.data() + m * row.bytes + field.offset, &arg, field.bytes);
    }
  }
  return table;
}

struct CudaEvent : Event {
  explicit CudaEvent(CudaContext& the_context) : context(the_context) {
    const EnterCuda entered(context);
    context.check(context.driver.event_create(&event, cuda::kEventNoTiming), "cuEventCreate");
    context.check(context.driver.event_record(event, context.stream), "cuEventRecord");
  }
  ~CudaEvent() override {
    if (!event || !context.usable()) return;
    try {
      const EnterCuda entered(context);
      context.driver.event_destroy(event);
    } catch (const DeviceError&) {
      // Lost together with the device.
    }
  }
  bool ready() override {
    const EnterCuda entered(context);
    const int result = context.driver.event_query(event);
    if (result == cuda::kNotReady) return false;
    context.check(result, "cuEventQuery");
    return true;
  }
  void wait() override {
    const EnterCuda entered(context);
    context.check(context.driver.event_synchronize(event), "cuEventSynchronize");
  }
  CudaContext& context;
  CudaDriver::EventHandle event = nullptr;
};

ir::Caps cuda_caps(CudaDriver& driver, int index) {
  int device = 0;
  const int result = driver.device_get(&device, index);
  if (result != cuda::kSuccess) {
    throw DeviceError(
        fmt::format("cuda:{}: cuDeviceGet failed: {}", index, driver.describe(result)),
        "nvidia-smi shows whether the driver sees the device");
  }
  const auto attribute = [&](int which) {
    int value = 0;
    driver.device_attribute(&value, which, device);
    return value;
  };
  ir::Caps caps;
  caps.target = ir::Target::cuda;
  caps.compute_capability =
      attribute(cuda::kCapabilityMajor) * 10 + attribute(cuda::kCapabilityMinor);
  caps.name = fmt::format("sm_{}", caps.compute_capability);
  const ir::GpuTarget* const figures = gpu_target(caps.compute_capability);
  if (!figures) {
    throw DeviceError(
        fmt::format("cuda:{} has compute capability {}.{}; 7.5 or newer is needed", index,
                    caps.compute_capability / 10, caps.compute_capability % 10),
        "kiln::cpu(), or a newer GPU");
  }
  caps.vector_bytes = 16;
  caps.shared_bytes =
      std::min<std::int64_t>(kStaticSharedBytes, attribute(cuda::kSharedBytesPerBlock));
  caps.parameter_bytes =
      driver.version >= kLargeParametersSince && caps.compute_capability >= kLargeParametersFrom
          ? kLargeParameterBytes
          : kParameterBytes;
  caps.multiprocessors = std::max(1, attribute(cuda::kMultiprocessors));
  caps.cache_bytes = attribute(cuda::kCacheBytes);
  if (caps.cache_bytes <= 0) caps.cache_bytes = figures->cache_bytes;
  // Twice the memory clock (kHz) times the bus width (bits); newer drivers report no clocks.
  caps.bandwidth = 2e3 * attribute(cuda::kMemoryClockRate) * attribute(cuda::kMemoryBusWidth) / 8;
  if (caps.bandwidth <= 0) caps.bandwidth = figures->bandwidth;
  caps.rate =
      2e3 * attribute(cuda::kClockRate) * caps.multiprocessors * figures->cores_per_multiprocessor;
  if (caps.rate <= 0) caps.rate = figures->rate;
  caps.launch_seconds = 3e-6;
  return caps;
}

std::int64_t device_memory(CudaContext& context) {
  std::size_t total = 0;
  context.check(context.driver.device_memory(&total, context.device), "cuDeviceTotalMem");
  return static_cast<std::int64_t>(total);
}

std::int64_t memory_limit(CudaContext& context, std::int64_t configured) {
  const std::int64_t all = device_memory(context);
  return configured > 0 ? std::min(configured, all) : all;
}

std::string device_model(CudaContext& context) {
  std::string name(256, '\0');
  context.check(context.driver.device_name(name.data(), 255, context.device), "cuDeviceGetName");
  return name.c_str();
}

// PTX first, with its size before it; machine code, if any, after it.
std::vector<std::byte> pack(const NvrtcResult& result) {
  const std::uint64_t size = result.ptx.size();
  std::vector<std::byte> bytes(sizeof size + size + result.cubin.size());
  std::memcpy(bytes.data(), &size, sizeof size);
  std::memcpy(bytes.data() + sizeof size, result.ptx.data(), size);
  std::copy(result.cubin.begin(), result.cubin.end(),
            bytes.begin() + static_cast<std::ptrdiff_t>(sizeof size + size));
  return bytes;
}

struct Images {
  std::string ptx, cubin;
};
constexpr const char* kEmptyCache = "an empty kernel cache: another KILN_CACHE_DIR";
Images unpack(const std::vector<std::byte>& bytes) {
  std::uint64_t size = 0;
  if (bytes.size() < sizeof size)
    throw DeviceError("a cached CUDA binary is too short", kEmptyCache);
  std::memcpy(&size, bytes.data(), sizeof size);
  if (size > bytes.size() - sizeof size)
    throw DeviceError("a cached CUDA binary is too short", kEmptyCache);
  const char* const text = reinterpret_cast<const char*>(bytes.data()) + sizeof size;
  return {std::string(text, size), std::string(text + size, bytes.size() - sizeof size - size)};
}

CudaDriver::Address address(const Memory& memory, std::int64_t offset, std::int64_t bytes) {
  ir::internal_check(offset >= 0 && bytes >= 0 && offset + bytes <= memory.bytes(),
                     "a copy leaves its memory");
  return reinterpret_cast<std::uintptr_t>(memory.data()) + static_cast<std::uintptr_t>(offset);
}

}  // namespace

std::unique_ptr<Device> make_cuda_device(CudaDriver& driver, Nvrtc& nvrtc, const Config& config,
                                         int index) {
  return std::make_unique<CudaDevice>(driver, nvrtc, config, index);
}

CudaDevice::CudaDevice(CudaDriver& driver, Nvrtc& nvrtc, const Config& config, int index)
    : Device(fmt::format("cuda:{}", index), cuda_caps(driver, index), false),
      config_(config),
      nvrtc_(nvrtc),
      context_(driver, index, name_),
      memory_(*this, context_, memory_limit(context_, config.cuda_memory_limit)),
      staging_(context_, memory_),
      blas_(config_, context_),
      cubin_(config.cubin) {
  model_ = device_model(context_);
  total_bytes_ = device_memory(context_);
}

CudaDevice::~CudaDevice() = default;

void CudaDevice::upload(Memory& to, std::int64_t offset, const void* source, std::int64_t bytes) {
  if (bytes == 0) return;
  const EnterCuda entered(context_);
  staging_.upload(address(to, offset, bytes), source, bytes);
  Counters::add(counters_.uploads, 1);
  Counters::add(counters_.upload_bytes, bytes);
}

void CudaDevice::download(void* target, const Memory& from, std::int64_t offset,
                          std::int64_t bytes) {
  if (bytes == 0) return;
  const EnterCuda entered(context_);
  staging_.download(target, address(from, offset, bytes), bytes);
  Counters::add(counters_.downloads, 1);
  Counters::add(counters_.download_bytes, bytes);
}

void CudaDevice::copy(Memory& to, std::int64_t to_offset, const Memory& from,
                      std::int64_t from_offset, std::int64_t bytes) {
  if (bytes == 0) return;
  const EnterCuda entered(context_);
  context_.check(context_.driver.copy_on_device(address(to, to_offset, bytes),
                                                address(from, from_offset, bytes),
                                                static_cast<std::size_t>(bytes), context_.stream),
                 "cuMemcpyDtoDAsync");
}

void CudaDevice::fill_zero(Memory& to, std::int64_t offset, std::int64_t bytes) {
  if (bytes == 0) return;
  const EnterCuda entered(context_);
  context_.check(context_.driver.set_bytes(address(to, offset, bytes), 0,
                                           static_cast<std::size_t>(bytes), context_.stream),
                 "cuMemsetD8Async");
}

std::string CudaDevice::compiler() const {
  const auto [major, minor] = nvrtc_.version();
  std::string text = fmt::format("nvrtc {}.{} {}", major, minor, cubin_ ? "cubin" : "ptx");
  for (const std::string& option : Nvrtc::options()) text += " " + option;
  return text;
}

Binary CudaDevice::compile(const ir::KernelSource& source) {
  const int own = caps_.compute_capability;
  if (nvrtc_.supports(own)) {
    return {source.name, pack(nvrtc_.compile(source.name, source.text, own, cubin_))};
  }
  int lower = 0;
  for (const ir::GpuTarget& target : ir::kGpuTargets) {
    if (target.compute_capability <= own && nvrtc_.supports(target.compute_capability)) {
      lower = std::max(lower, target.compute_capability);
    }
  }
  if (lower == 0) {
    throw DeviceError(fmt::format("this NVRTC compiles for no architecture that {} ({}) can run",
                                  name_, caps_.name),
                      "KILN_NVRTC naming an NVRTC of a toolkit that knows this GPU");
  }
  return {source.name, pack(nvrtc_.compile(source.name, source.text, lower, false))};
}

CudaDriver::Module CudaDevice::load_module(const std::string& label, const std::string& image,
                                           bool ptx) {
  CudaDriver::Module module = nullptr;
  const auto bytes = static_cast<std::int64_t>(image.size());
  if (!ptx) {
    bool foreign = false;
    memory_.with_room(bytes, "cuModuleLoadDataEx", [&] {
      const int result = context_.driver.module_load(&module, image.data(), 0, nullptr, nullptr);
      foreign = result == cuda::kNoBinaryForGpu || result == cuda::kInvalidImage;
      return foreign ? cuda::kSuccess : result;
    });
    return foreign ? nullptr : module;
  }
  std::string log(8192, '\0');
  int names[] = {cuda::kJitErrorLog, cuda::kJitErrorLogBytes};
  void* values[] = {log.data(), reinterpret_cast<void*>(log.size())};
  memory_.with_room(bytes, "cuModuleLoadDataEx", [&] {
    const int result = context_.driver.module_load(&module, image.c_str(), 2, names, values);
    if (result == cuda::kSuccess || result == cuda::kOutOfMemory || cuda::sticky(result)) {
      return result;
    }
    throw DeviceError(fmt::format("{}: the driver does not take the PTX of kernel {}: {}\n{}",
                                  name_, label, context_.driver.describe(result), log.c_str()),
                      "a driver at least as new as NVRTC, or KILN_NVRTC naming an older one");
  });
  return module;
}

std::shared_ptr<const LoadedKernel> CudaDevice::load_kernel(const ir::Kernel& kernel,
                                                            const Binary& binary) {
  ir::internal_check(kernel.target == ir::Target::cuda, "a CPU kernel given to a CUDA device");
  const Images images = unpack(binary.bytes);
  auto loaded = std::make_shared<CudaKernel>(context_);
  loaded->needs = launch_needs(kernel);
  loaded->parameters = kernel.params.size();
  loaded->members = kernel.members;
  loaded->row = ir::batch_row(kernel);
  check_launch(caps_, loaded->needs, {kernel.name}, 1);
  const EnterCuda entered(context_);
  if (!images.cubin.empty() && cubin_) {
    loaded->module = load_module(kernel.name, images.cubin, false);
    if (!loaded->module) cubin_ = false;
  }
  if (!loaded->module) loaded->module = load_module(kernel.name, images.ptx, true);
  context_.check(
      context_.driver.module_function(&loaded->function, loaded->module, binary.entry.c_str()),
      "cuModuleGetFunction");
  int most = 0;
  context_.check(
      context_.driver.function_attribute(&most, cuda::kFunctionMaxThreads, loaded->function),
      "cuFuncGetAttribute");
  if (loaded->needs.threads > most) {
    throw DeviceError(
        fmt::format("{}: kernel {} has {} threads a block, and its registers allow {}", name_,
                    kernel.name, loaded->needs.threads, most),
        "Scope({.fusion = false}) for smaller kernels; report this: it is a bug of Kiln");
  }
  return loaded;
}

void CudaDevice::launch(const Launch& launch) {
  const auto& kernel = static_cast<const CudaKernel&>(*launch.kernel);
  check_launch(caps_, kernel.needs, launch.label, launch.items);
  std::vector<std::byte> table;
  if (kernel.members != 0) table = packed_table(kernel, launch);
  // A parameter takes as many low bytes of its argument as it is wide.
  SmallArray<void*, 64> arguments(kernel.members != 0 ? 1 : kernel.parameters);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    arguments[i] = kernel.members != 0 ? static_cast<void*>(table.data())
                                       : const_cast<ir::KernelArg*>(launch.args + i);
  }
  const EnterCuda entered(context_);
  context_.note_launch(launch.label);
  context_.check(context_.driver.launch(kernel.function, static_cast<unsigned>(launch.items), 1, 1,
                                        static_cast<unsigned>(kernel.needs.threads), 1, 1, 0,
                                        context_.stream, arguments.data(), nullptr),
                 "cuLaunchKernel", &launch.label);
}

void CudaDevice::call(const ir::BoundCall& call, const LaunchLabel& label) {
  const EnterCuda entered(context_);
  context_.note_launch(label);
  blas_.multiply(call, *this);
}

std::string CudaDevice::products_missing() {
  if (!context_.usable()) return "";  // what needs it says so
  const EnterCuda entered(context_);
  return blas_.missing();
}

std::shared_ptr<Event> CudaDevice::record() { return std::make_shared<CudaEvent>(context_); }

void CudaDevice::synchronize() {
  if (context_.of_parent()) return;  // this process has started nothing there
  const EnterCuda entered(context_);
  context_.synchronize();
}

}  // namespace kiln::runtime
