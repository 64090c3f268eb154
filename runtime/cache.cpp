#include "runtime/cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "ir/bytes.h"
#include "ir/error.h"
#include "ir/mutant.h"

namespace kiln::runtime {

namespace {

std::vector<std::byte> pack(const Binary& binary) {
  const auto entry_bytes = static_cast<std::uint32_t>(binary.entry.size());
  std::vector<std::byte> packed(sizeof entry_bytes + entry_bytes + binary.bytes.size());
  std::byte* at = packed.data();
  std::memcpy(at, &entry_bytes, sizeof entry_bytes);
  at += sizeof entry_bytes;
  std::memcpy(at, binary.entry.data(), entry_bytes);
  at += entry_bytes;
  ir::copy_bytes(at, binary.bytes.data(), static_cast<std::int64_t>(binary.bytes.size()));
  return packed;
}

std::optional<Binary> unpack(std::span<const std::byte> packed) {
  std::uint32_t entry_bytes = 0;
  if (packed.size() < sizeof entry_bytes) return std::nullopt;
  std::memcpy(&entry_bytes, packed.data(), sizeof entry_bytes);
  packed = packed.subspan(sizeof entry_bytes);
  if (packed.size() < entry_bytes) return std::nullopt;
  Binary binary;
  binary.entry.assign(reinterpret_cast<const char*>(packed.data()), entry_bytes);
  packed = packed.subspan(entry_bytes);
  binary.bytes.assign(packed.begin(), packed.end());
  return binary;
}

}  // namespace

struct KernelCache::Entry {
  const std::string* key = nullptr;  // in entries_
  CachedKernel cached;
  bool ready = false;
  bool failed = false;
  std::list<Entry*>::iterator place;
};

KernelCache::KernelCache(const Config& config)
    : capacity_(static_cast<std::size_t>(std::max(config.cached_kernels, 1))),
      disk_(config.cache_folder, config.cache_bytes) {}

KernelCache::~KernelCache() = default;

std::string KernelCache::key(const Device& device, const ir::Kernel& kernel,
                             const Compiler& compiler) {
  return fmt::format("target {}\ncompiler {}\nversion {}\n{}", device.caps().name,
                     device.compiler(), mutant(ir::Mutant::kernel_key) ? "" : compiler.version,
                     ir::print(kernel, ir::Labels::no));
}

CachedKernel KernelCache::get(Device& device, const ir::Kernel& kernel, const Compiler& compiler) {
  const std::string disk_key = key(device, kernel, compiler);
  const std::string memory_key = device.name() + "\n" + disk_key;
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto found = entries_.find(memory_key);
    if (found == entries_.end()) break;
    const std::shared_ptr<Entry> entry = found->second;
    changed_.wait(lock, [&] { return entry->ready || entry->failed; });
    if (!entry->ready) continue;  // whoever made it got the error; this thread tries itself
    // While waiting it may have been evicted; then it has no place in the list.
    const auto now = entries_.find(memory_key);
    if (now != entries_.end() && now->second == entry) {
      recent_.splice(recent_.begin(), recent_, entry->place);
    }
    Counters::add(device.counters().memory_hits, 1);
    return {entry->cached.kernel, Origin::memory};
  }
  const auto entry = std::make_shared<Entry>();
  const auto place = entries_.emplace(memory_key, entry).first;
  entry->key = &place->first;
  lock.unlock();
  try {
    entry->cached = make(device, kernel, compiler, disk_key);
    lock.lock();
    recent_.push_front(entry.get());
  } catch (...) {
    if (!lock.owns_lock()) lock.lock();
    entry->failed = true;
    entries_.erase(memory_key);
    changed_.notify_all();
    throw;
  }
  entry->ready = true;
  entry->place = recent_.begin();
  evict();
  changed_.notify_all();
  return entry->cached;
}

Origin KernelCache::origin(const Device& device, const ir::Kernel& kernel,
                           const Compiler& compiler) {
  const std::string disk_key = key(device, kernel, compiler);
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(device.name() + "\n" + disk_key);
    if (found != entries_.end() && found->second->ready) return Origin::memory;
  }
  return device.needs_source() && disk_.find(disk_key) ? Origin::disk : Origin::compiled;
}

CachedKernel KernelCache::make(Device& device, const ir::Kernel& kernel, const Compiler& compiler,
                               std::string_view disk_key) {
  if (!device.needs_source()) {
    Counters::add(device.counters().compiled, 1);
    return {device.load_kernel(kernel, {}), Origin::compiled};
  }
  if (const auto stored = disk_.find(disk_key)) {
    if (const auto binary = unpack(*stored)) {
      try {
        CachedKernel cached{device.load_kernel(kernel, *binary), Origin::disk};
        Counters::add(device.counters().disk_hits, 1);
        return cached;
      } catch (const DeviceError&) {
        // Whole, but not to this machine's liking: made anew below.
      } catch (const ir::InternalError&) {
        // Likewise, as the linker puts it.
      }
    }
  }
  const Binary binary = device.compile(compiler.emit(kernel));
  CachedKernel cached{device.load_kernel(kernel, binary), Origin::compiled};
  if (!binary.bytes.empty()) disk_.store(disk_key, pack(binary));
  Counters::add(device.counters().compiled, 1);
  return cached;
}

void KernelCache::evict() {
  while (recent_.size() > capacity_) {
    Entry* const oldest = recent_.back();
    recent_.pop_back();
    entries_.erase(entries_.find(*oldest->key));
  }
}

void KernelCache::clear_memory() {
  std::lock_guard lock(mutex_);
  for (const Entry* entry : recent_) entries_.erase(entries_.find(*entry->key));
  recent_.clear();
}

std::size_t KernelCache::size() const {
  std::lock_guard lock(mutex_);
  return recent_.size();
}

void KernelCache::before_fork() { mutex_.lock(); }

void KernelCache::after_fork(bool child) {
  if (child) {
    std::erase_if(entries_, [](const auto& item) { return !item.second->ready; });
  }
  mutex_.unlock();
}

}  // namespace kiln::runtime
