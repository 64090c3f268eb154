#include "runtime/host/allocator.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "ir/error.h"
#include "runtime/size_class.h"

namespace kiln::runtime {

namespace {

constexpr std::int64_t kAlignment = 64;
constexpr std::int64_t kHuge = std::int64_t{2} << 20;
constexpr std::int64_t kAlwaysKept = std::int64_t{256} << 20;
constexpr std::int64_t kLookedAt = std::int64_t{64} << 20;  // bytes for which the machine is asked

std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

// 2 MB alignment lets the kernel back the block with huge pages from its first byte.
void* map_huge(std::int64_t capacity) {
  const std::size_t mapped = static_cast<std::size_t>(round_up(capacity, kHuge) + kHuge);
  void* const raw =
      mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  const auto base = reinterpret_cast<std::uintptr_t>(raw);
  const std::uintptr_t start = (base + kHuge - 1) & ~static_cast<std::uintptr_t>(kHuge - 1);
  const std::uintptr_t end = start + static_cast<std::uintptr_t>(round_up(capacity, kHuge));
  if (start > base) munmap(raw, start - base);
  if (base + mapped > end) munmap(reinterpret_cast<void*>(end), base + mapped - end);
  void* const data = reinterpret_cast<void*>(start);
  madvise(data, end - start, MADV_HUGEPAGE);
  return data;
}

}  // namespace

struct HostAllocator::HostBlock : Memory {
  explicit HostBlock(Device& device) : Memory(device) {}
  void bind(void* data, std::int64_t size) {
    data_ = data;
    capacity = size;
  }
  void take(std::int64_t bytes) { bytes_ = bytes; }
  std::int64_t capacity = 0;
  bool regular = true;  // of its class's size; others are not kept
  HostBlock* next = nullptr;
};

HostAllocator::HostAllocator(Device& owner, std::int64_t limit, Available available)
    : owner_(owner),
      first_limit_(limit > 0 ? limit : machine_memory() / 10 * 9),
      limit_(first_limit_),
      available_(available) {}

HostAllocator::~HostAllocator() { trim_locked(); }

int HostAllocator::class_index(std::int64_t capacity) {
  const auto last = static_cast<std::uint64_t>(capacity - 1);
  const int exponent = std::bit_width(last) - 1;
  return exponent < 3 ? 0 : exponent * 8 + static_cast<int>((last >> (exponent - 3)) & 7);
}

MemoryRef HostAllocator::allocate(std::int64_t bytes) {
  ir::internal_check(bytes >= 0, "allocate: negative size");
  std::unique_lock lock(mutex_);
  const std::int64_t left = left_locked();
  if (bytes > left) refuse(bytes, left);
  std::int64_t capacity = size_class(bytes);
  HostBlock*& head = cached_[class_index(capacity)];
  HostBlock* block = head;
  if (block) {
    head = block->next;
    cached_bytes_ -= capacity;
  } else {
    // A class larger than what is left: take what is left, a block that will not be kept.
    const std::int64_t room = left;
    const bool regular = capacity <= room;
    if (!regular) capacity = std::min(capacity, std::max(round_up(bytes, kAlignment), room));
    if (used_bytes_ + cached_bytes_ + capacity > limit_) trim_locked();
    check_machine_locked(bytes);
    block = fresh(capacity);
    if (!block) {
      trim_locked();
      block = fresh(capacity);
    }
    if (!block) refuse(bytes, room);
    block->regular = regular;
  }
  block->take(bytes);
  used_bytes_ += block->capacity;
  used_peak_ = std::max(used_peak_, used_bytes_);
  live_ += bytes;
  peak_ = std::max(peak_, live_);
  return MemoryRef(block);
}

void HostAllocator::refuse(std::int64_t bytes, std::int64_t free) const {
  throw OutOfMemory(owner_.name(), bytes, free, limit_);
}

// Looking costs as much as touching a few pages does.
void HostAllocator::check_machine_locked(std::int64_t bytes) {
  if (bytes < kLookedAt || bytes <= available_()) return;
  trim_locked();
  const std::int64_t available = available_();
  if (bytes > available) refuse(bytes, std::min(available, left_locked()));
}

void HostAllocator::count_other(std::int64_t held, std::int64_t more) {
  const std::lock_guard lock(mutex_);
  const std::int64_t room = left_locked();
  if (more > room) refuse(more, room);
  if (used_bytes_ + cached_bytes_ + more > limit_) trim_locked();
  // What comes in small parts is looked at where the sum passes a multiple.
  if (held / kLookedAt != (held + more) / kLookedAt)
    check_machine_locked(std::max(more, kLookedAt));
  used_bytes_ += more;
}

void HostAllocator::uncount_other(std::int64_t bytes) noexcept {
  const std::lock_guard lock(mutex_);
  used_bytes_ -= bytes;
}

void HostAllocator::release(Memory* memory) noexcept {
  auto* const block = static_cast<HostBlock*>(memory);
  std::unique_lock lock(mutex_);
  used_bytes_ -= block->capacity;
  live_ -= block->bytes();
  const std::int64_t keep = std::max(kAlwaysKept, used_peak_);
  if (block->regular && block->capacity <= keep) {
    // What was released last is what the next evaluation wants: others make room for it.
    shrink_locked(keep - block->capacity);
    HostBlock*& head = cached_[class_index(block->capacity)];
    block->next = head;
    head = block;
    cached_bytes_ += block->capacity;
    return;
  }
  lock.unlock();
  destroy(block);
}

HostAllocator::HostBlock* HostAllocator::fresh(std::int64_t capacity) {
  auto block = std::make_unique<HostBlock>(owner_);
  void* const data =
      capacity >= kHuge ? map_huge(capacity)
                        : std::aligned_alloc(
                              kAlignment, static_cast<std::size_t>(round_up(capacity, kAlignment)));
  if (!data) return nullptr;
  block->bind(data, capacity);
  return block.release();
}

void HostAllocator::destroy(HostBlock* block) noexcept {
  if (block->capacity >= kHuge) {
    munmap(block->data(), static_cast<std::size_t>(round_up(block->capacity, kHuge)));
  } else {
    std::free(block->data());
  }
  delete block;
}

void HostAllocator::trim() {
  std::lock_guard lock(mutex_);
  trim_locked();
}

void HostAllocator::trim_locked() noexcept {
  for (HostBlock*& head : cached_) {
    while (head) destroy(std::exchange(head, head->next));
  }
  cached_bytes_ = 0;
}

void HostAllocator::shrink_locked(std::int64_t most) noexcept {
  for (std::size_t i = cached_.size(); i-- > 0 && cached_bytes_ > most;) {
    while (cached_[i] && cached_bytes_ > most) {
      cached_bytes_ -= cached_[i]->capacity;
      destroy(std::exchange(cached_[i], cached_[i]->next));
    }
  }
}

MemoryStats HostAllocator::stats() const {
  std::lock_guard lock(mutex_);
  return {live_, peak_, cached_bytes_, limit_};
}

std::int64_t HostAllocator::free_bytes() const {
  std::lock_guard lock(mutex_);
  return left_locked();
}

void HostAllocator::set_limit(std::int64_t bytes) {
  std::lock_guard lock(mutex_);
  limit_ = bytes > 0 ? bytes : first_limit_;
  shrink_locked(left_locked());
}

void HostAllocator::reset_peak() {
  std::lock_guard lock(mutex_);
  peak_ = live_;
  used_peak_ = used_bytes_;
}

}  // namespace kiln::runtime
