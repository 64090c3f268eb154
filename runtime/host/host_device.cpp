#include "runtime/host/host_device.h"

#include <algorithm>
#include <cstdio>

#include "ir/bytes.h"
#include "ir/error.h"
#include "ir/fp_state.h"
#include "runtime/host/calls.h"
#if KILN_HAS_LLVM
#include "runtime/host/link.h"
#endif

namespace kiln::runtime {

namespace {

constexpr double kEvenSeconds = 300e-6;    // up to here one range a thread keeps caches warm
constexpr double kInterpretedFactor = 50;  // about how much slower the interpreter is

using Entry = void (*)(const ir::KernelArg* args, std::int64_t begin, std::int64_t end);

struct HostKernel : LoadedKernel {
  Entry entry = nullptr;  // null: interpreted
  ir::Kernel kernel;      // interpreted only
  std::size_t params = 0;
  bool streams = false;  // has stores that pass by the cache
#if KILN_HAS_LLVM
  LinkedObject object;
#endif
};

void run_range(const HostKernel& kernel, const Launch& launch, std::int64_t begin,
               std::int64_t end) {
  const ir::FloatState state;
  const auto run = [&](const ir::KernelArg* args, std::int64_t from, std::int64_t to) {
    if (kernel.entry) {
      kernel.entry(args, from, to);
    } else {
      ir::interpret(kernel.kernel, args, from, to);
    }
  };
  if (launch.members == 0) {
    run(launch.args, begin, end);
  } else {
    ir::each_member(launch.args, kernel.params, launch.members, begin, end, run);
  }
#if defined(__x86_64__)
  // Streaming stores are ordered by nothing else.
  if (kernel.streams) _mm_sfence();
#endif
}

ir::Caps host_caps(const Config& config, const HostFigures& figures) {
  ir::Caps caps;
  caps.target = ir::Target::cpu;
  caps.name = "cpu";
  caps.threads = host_threads(config);
  caps.vector_bytes = host_vector_bytes();
  caps.cache_bytes = host_cache_bytes();
  caps.bandwidth = figures.bandwidth;
  caps.rate = figures.rate;
  caps.launch_seconds = 0.5e-6;
  return caps;
}

bool machine_is_supported() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return true;
#endif
}

struct DoneEvent : Event {
  bool ready() override { return true; }
  void wait() override {}
};

std::byte* at(const Memory& memory, std::int64_t offset, std::int64_t bytes) {
  ir::internal_check(offset >= 0 && bytes >= 0 && offset + bytes <= memory.bytes(),
                     "a copy leaves its memory");
  return static_cast<std::byte*>(memory.data()) + offset;
}

}  // namespace

HostDevice::HostDevice(const Config& config)
    : HostDevice(config, fixed_figures(host_threads(config))) {}

HostDevice::HostDevice(const Config& config, const HostFigures& figures)
    : Device("cpu", host_caps(config, figures), true),
      cached_bandwidth_(figures.cached),
      parallel_seconds_(2 * figures.wake_seconds),
      interprets_(config.interpret || !KILN_HAS_LLVM || !machine_is_supported()),
      allocator_(*this, config.memory_limit),
      workers_(config.threads) {
  model_ = host_processor();
  model_.erase(0, model_.find_first_not_of(' '));
  model_.erase(model_.find_last_not_of(' ') + 1);
  total_bytes_ = machine_memory();
}

HostDevice::~HostDevice() = default;

void HostDevice::upload(Memory& to, std::int64_t offset, const void* source, std::int64_t bytes) {
  ir::copy_bytes(at(to, offset, bytes), source, bytes);
}

void HostDevice::download(void* target, const Memory& from, std::int64_t offset,
                          std::int64_t bytes) {
  ir::copy_bytes(target, at(from, offset, bytes), bytes);
}

void HostDevice::copy(Memory& to, std::int64_t to_offset, const Memory& from,
                      std::int64_t from_offset, std::int64_t bytes) {
  ir::move_bytes(at(to, to_offset, bytes), at(from, from_offset, bytes), bytes);
}

void HostDevice::fill_zero(Memory& to, std::int64_t offset, std::int64_t bytes) {
  ir::zero_bytes(at(to, offset, bytes), bytes);
}

std::string HostDevice::compiler() const { return interprets_ ? "interpreter" : "object"; }

Binary HostDevice::compile(const ir::KernelSource& source) { return {source.name, source.object}; }

std::shared_ptr<const LoadedKernel> HostDevice::load_kernel(const ir::Kernel& kernel,
                                                            [[maybe_unused]] const Binary& binary) {
  ir::internal_check(kernel.target == ir::Target::cpu, "a CUDA kernel given to the CPU device");
  auto loaded = std::make_shared<HostKernel>();
  loaded->params = kernel.params.size();
  loaded->streams = std::any_of(kernel.insts.begin(), kernel.insts.end(), [](const ir::Inst& i) {
    return (i.flags & ir::kNonTemporal) != 0;
  });
  if (interprets_) {
    std::call_once(said_slow_, [] {
      std::fputs("kiln: the CPU device interprets its kernels, which is slow\n", stderr);
    });
    loaded->kernel = kernel;
    return loaded;
  }
#if KILN_HAS_LLVM
  loaded->object = link(binary.bytes);
  loaded->entry = loaded->object.entry();
#endif
  return loaded;
}

double HostDevice::seconds(const Work& work) const {
  const ir::Caps& c = caps();
  const bool cached = work.bytes < static_cast<double>(c.cache_bytes / 2);
  const double moving = work.bytes / (cached ? cached_bandwidth_ : c.bandwidth);
  return std::max(moving, work.operations / c.rate) * c.threads;
}

void HostDevice::launch(const Launch& launch) {
  const auto& kernel = static_cast<const HostKernel&>(*launch.kernel);
  const double seconds = this->seconds(launch.work) * (kernel.entry ? 1 : kInterpretedFactor);
  if (seconds < parallel_seconds_ || workers_.threads() == 1) {
    run_range(kernel, launch, 0, launch.items);
    return;
  }
  workers_.run(launch.items, 1, seconds < kEvenSeconds, [&](std::int64_t begin, std::int64_t end) {
    run_range(kernel, launch, begin, end);
  });
}

void HostDevice::call(const ir::BoundCall& call, const LaunchLabel&) { host_call(call, workers_); }

std::shared_ptr<Event> HostDevice::record() { return std::make_shared<DoneEvent>(); }

}  // namespace kiln::runtime
