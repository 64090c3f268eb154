#include "runtime/registry.h"

#include <fmt/format.h>
#include <pthread.h>

#include <atomic>
#include <optional>

#include "ir/error.h"
#include "ir/targets.h"
#include "runtime/cuda/cuda.h"
#include "runtime/host/host_device.h"
#include "runtime/null/null_device.h"
#include "runtime/targets.h"

namespace kiln::runtime {

struct Registry::Cuda {
  CudaDriverPointer driver;
  std::string missing;
  int count = 0;
  std::vector<std::unique_ptr<Device>> devices;
};

Registry::Registry(Config config) : config_(std::move(config)), cache_(config_), nvrtc_(config_) {}
// Kernels go before their devices.
Registry::~Registry() { cache_.clear_memory(); }

Device& Registry::cpu() {
  std::lock_guard lock(mutex_);
  if (!cpu_) cpu_ = std::make_unique<HostDevice>(config_, host_figures(config_, cache_.disk()));
  return *cpu_;
}

Registry::Cuda& Registry::driver() {
  if (!cuda_) {
    auto cuda = std::make_unique<Cuda>();
    cuda->driver = open_cuda_driver(config_, cuda->missing);
    if (cuda->driver) cuda->count = cuda_device_count(*cuda->driver);
    if (cuda->driver && cuda->count == 0) cuda->missing = "the CUDA driver shows no device";
    cuda->devices.resize(static_cast<std::size_t>(cuda->count));
    cuda_ = std::move(cuda);
  }
  return *cuda_;
}

int Registry::cuda_count() {
  std::lock_guard lock(mutex_);
  return driver().count;
}

std::string Registry::cuda_missing() {
  std::lock_guard lock(mutex_);
  return driver().missing;
}

Device& Registry::cuda(int index) {
  std::lock_guard lock(mutex_);
  Cuda& cuda = driver();
  if (cuda.count == 0) {
    throw DeviceError(
        "no CUDA device: " + cuda.missing,
        "kiln::cpu(), which is always there; KILN_CUDA_DRIVER names a driver library");
  }
  if (index < 0 || index >= cuda.count) {
    throw DeviceError(
        fmt::format("no CUDA device {}: the driver shows {}, numbered from 0", index, cuda.count),
        "a number that kiln::devices() lists");
  }
  std::unique_ptr<Device>& device = cuda.devices[static_cast<std::size_t>(index)];
  if (!device) device = make_cuda_device(*cuda.driver, nvrtc_, config_, index);
  return *device;
}

Device& Registry::plan_only(std::string_view target) {
  std::lock_guard lock(mutex_);
  for (const std::unique_ptr<Device>& device : planners_) {
    if (device->caps().name == target) return *device;
  }
  const std::optional<ir::Caps> caps = target_caps(target);
  if (!caps) {
    std::string known = "cpu";
    for (const ir::GpuTarget& row : ir::kGpuTargets) known += fmt::format(", {}", row.name);
    throw DeviceError(fmt::format("no target \"{}\": the targets are {}", target, known),
                      "one of these");
  }
  return *planners_.emplace_back(std::make_unique<NullDevice>(*caps));
}

std::vector<Device*> Registry::devices() {
  std::lock_guard lock(mutex_);
  return devices_locked();
}

std::vector<Device*> Registry::devices_locked() {
  std::vector<Device*> all;
  if (cpu_) all.push_back(cpu_.get());
  if (cuda_) {
    for (const std::unique_ptr<Device>& device : cuda_->devices) {
      if (device) all.push_back(device.get());
    }
  }
  for (const std::unique_ptr<Device>& device : planners_) all.push_back(device.get());
  return all;
}

void Registry::set_threads(int threads) {
  std::lock_guard lock(mutex_);
  config_.threads = threads;
  if (cpu_) static_cast<HostDevice&>(*cpu_).workers().set_threads(threads);
}

void Registry::before_fork() {
  mutex_.lock();
  cache_.before_fork();
  for (Device* const device : devices_locked()) device->before_fork();
}

void Registry::after_fork(bool child) {
  for (Device* const device : devices_locked()) device->after_fork();
  cache_.after_fork(child);
  mutex_.unlock();
}

namespace {

// All mutable state of the process, in one place that is never destroyed.
struct Process {
  std::mutex mutex;
  std::optional<Config> config;
  std::atomic<Registry*> registry{nullptr};
  std::mutex blas;
  std::atomic<std::uint32_t> generation{0};
};

Process& process();

void before_fork() {
  process().mutex.lock();
  process().blas.lock();
  if (Registry* const r = process().registry) r->before_fork();
}
void after_fork(bool child) {
  if (Registry* const r = process().registry) r->after_fork(child);
  process().blas.unlock();
  process().mutex.unlock();
}

Process& process() {
  static Process* const the_process = [] {
    pthread_atfork(
        before_fork, [] { after_fork(false); },
        [] {
          ++process().generation;
          after_fork(true);
        });
    return new Process;
  }();
  return *the_process;
}

}  // namespace

void configure(Config config) {
  std::lock_guard lock(process().mutex);
  ir::internal_check(process().registry == nullptr, "configure: the runtime is in use already");
  process().config = std::move(config);
}

Registry& registry() {
  Process& p = process();
  if (Registry* const made = p.registry.load(std::memory_order_acquire)) return *made;
  std::lock_guard lock(p.mutex);
  if (!p.registry) p.registry = new Registry(p.config.value_or(Config{}));
  return *p.registry;
}

std::mutex& blas_mutex() { return process().blas; }
std::uint32_t fork_generation() { return process().generation.load(std::memory_order_relaxed); }

}  // namespace kiln::runtime
