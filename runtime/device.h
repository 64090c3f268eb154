// The border to hardware: what an evaluation needs of a device, in a few virtual functions. Three
// implementations: host (runtime/host), CUDA (runtime/cuda), and one that only plans
// (runtime/null).
//
// Order: every device has one queue. Uploads, copies, launches and products take effect in the
// order of the calls; memory may be released as soon as the last call that uses it has been made.
// Calls on one device are safe from any thread. On the host a call returns when its work is done;
// on CUDA it returns at once, failures surface at synchronize(), wait() or download(), and once a
// device is lost every later call throws DeviceError.
//
// Life: a device outlives its memory and kernels. The registry's devices are never destroyed.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ir/kernel.h"
#include "ir/plan.h"
#include "runtime/error.h"
#include "runtime/label.h"
#include "runtime/stats.h"

namespace kiln::runtime {

class Device;
class MemoryRef;

// A block of a device's memory, counted by MemoryRef. Own blocks start at a multiple of 64 bytes
// (256 on CUDA) and are padded to one; foreign blocks belong to somebody else (an adopted vector,
// borrowed host memory) and are only ever read unless adopted as writable.
class Memory {
 public:
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  void* data() const { return data_; }  // an address of the device's; null if bytes() is 0
  std::int64_t bytes() const { return bytes_; }
  Device& device() const { return *device_; }
  // Whether an evaluation may overwrite it: own, or adopted as writable.
  bool writable() const { return writable_; }

 protected:
  friend class MemoryRef;
  friend class Device;
  explicit Memory(Device& device) : device_(&device) {}
  ~Memory() = default;

  Device* device_;
  void* data_ = nullptr;
  std::int64_t bytes_ = 0;  // asked for
  std::atomic<std::uint32_t> references_{0};
  bool writable_ = true;
  bool foreign_ = false;
};

class MemoryRef {
 public:
  MemoryRef() = default;
  explicit MemoryRef(Memory* memory) : memory_(memory) { retain(); }
  MemoryRef(const MemoryRef& other) : memory_(other.memory_) { retain(); }
  MemoryRef(MemoryRef&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)) {}
  MemoryRef& operator=(MemoryRef other) noexcept {
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~MemoryRef() { release(); }
  void reset() {
    release();
    memory_ = nullptr;
  }
  Memory* get() const { return memory_; }
  Memory* operator->() const { return memory_; }
  Memory& operator*() const { return *memory_; }
  explicit operator bool() const { return memory_ != nullptr; }
  bool operator==(const MemoryRef&) const = default;
  // No other reference exists (and none can come into being but through this one).
  bool unique() const { return memory_->references_.load(std::memory_order_acquire) == 1; }

 private:
  void retain() const {
    if (memory_) memory_->references_.fetch_add(1, std::memory_order_relaxed);
  }
  void release() const;
  Memory* memory_ = nullptr;
};

// A kernel made ready for one device: linked code, a function of a module, or the IR itself.
struct LoadedKernel {
  virtual ~LoadedKernel() = default;
};

// What a compiler made of a kernel, as it is cached on disk. Opaque but to the device that made it.
struct Binary {
  std::string entry;
  std::vector<std::byte> bytes;
};

// What a launch has to do, by which the CPU decides how many threads are worth waking.
struct Work {
  double bytes = 0;       // moved, each element once
  double operations = 0;  // of float32
};

struct Launch {
  const LoadedKernel* kernel = nullptr;
  const ir::KernelArg* args = nullptr;  // in the order of Kernel::params, or the table of a batch
  std::int64_t items = 0;               // grid items; > 0
  Work work = {};
  std::uint32_t members = 0;  // of a batch (ir/kernel.h); 0: none
  LaunchLabel label = {};
};

struct MemoryStats {
  std::int64_t live = 0;    // bytes in use
  std::int64_t peak = 0;    // most that live has been
  std::int64_t cached = 0;  // bytes kept for reuse
  std::int64_t limit = 0;
};

// A point of the queue.
struct Event {
  virtual ~Event() = default;
  virtual bool ready() = 0;
  virtual void wait() = 0;  // throws what failed before it
};

class Device {
 public:
  virtual ~Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const ir::Caps& caps() const { return caps_; }
  const std::string& name() const { return name_; }  // "cpu", "cuda:0", "plan_only(sm_90)"
  // The hardware's own name (its target, of a device that only plans; "" if it says none), and the
  // memory it has, whatever the limit.
  const std::string& model() const { return model_; }
  std::int64_t total_bytes() const { return total_bytes_; }
  virtual bool runs() const { return true; }  // false: launches are checked only, data is not there
  bool host_memory() const { return host_memory_; }  // Memory::data() may be read by the caller

  // Memory. Throws OutOfMemory after cached blocks were released and the allocation tried again.
  // The contents are undefined. 0 bytes give a block without data.
  virtual MemoryRef allocate(std::int64_t bytes) = 0;
  // Memory of somebody else's on this device, kept by `owner`.
  MemoryRef adopt(void* data, std::int64_t bytes, std::shared_ptr<const void> owner, bool writable);
  // Copies count in the statistics as transfers where host and device are different things. upload
  // may return before the copy is done, but `source` may be changed at once.
  virtual void upload(Memory& to, std::int64_t offset, const void* source, std::int64_t bytes) = 0;
  virtual void download(void* target, const Memory& from, std::int64_t offset,
                        std::int64_t bytes) = 0;
  virtual void copy(Memory& to, std::int64_t to_offset, const Memory& from,
                    std::int64_t from_offset, std::int64_t bytes) = 0;
  virtual MemoryStats memory() const = 0;       // of a lost device too
  virtual std::int64_t free_bytes() const = 0;  // what could still be allocated
  virtual void trim() = 0;                      // gives cached blocks back to the system
  virtual void reset_peak() = 0;
  // From now on; what is in use stays. 0: the limit of the start.
  virtual void set_memory_limit(std::int64_t bytes) = 0;

  // Kernels. compile turns source into a binary that load_kernel takes, in this process or another;
  // compiler() is the text of everything that this depends on besides the source (architecture,
  // compiler version, options). A device that needs no source (it interprets, or only plans for the
  // CPU) gets an empty binary.
  virtual bool needs_source() const = 0;
  virtual std::string compiler() const = 0;
  virtual Binary compile(const ir::KernelSource& source) = 0;
  virtual std::shared_ptr<const LoadedKernel> load_kernel(const ir::Kernel& kernel,
                                                          const Binary& binary) = 0;
  virtual void launch(const Launch& launch) = 0;
  // Whether there is something for such calls; else the host makes them, on copies.
  virtual bool has(ir::NodeKind call) const = 0;
  // Every array has elements, all in memory. Throws DeviceError where no library is there for it,
  // or none takes the arrays as they lie; OutOfMemory without a name, of a workspace.
  virtual void call(const ir::BoundCall& call, const LaunchLabel& label) = 0;
  // Why matrices cannot be multiplied, where there is no library for it; empty if they can. The
  // first call may load the library.
  virtual std::string products_missing() { return ""; }
  virtual void fill_zero(Memory& to, std::int64_t offset, std::int64_t bytes) = 0;

  virtual std::shared_ptr<Event> record() = 0;
  virtual void synchronize() = 0;
  virtual void check_usable() const {}  // throws if it is lost, or belongs to a parent process

  // Around fork(): holds the locks that a child needs.
  virtual void before_fork() {}
  virtual void after_fork() {}

  Counters& counters() { return counters_; }

 protected:
  Device(std::string name, ir::Caps caps, bool host_memory);
  friend class MemoryRef;
  virtual void release(Memory* memory) noexcept = 0;  // own blocks whose last reference went
  void release_any(Memory* memory) noexcept;

  std::string name_;
  ir::Caps caps_;
  bool host_memory_;
  std::string model_;
  std::int64_t total_bytes_ = 0;
  Counters counters_;
};

}  // namespace kiln::runtime
