#include "tests/cudasim/exec/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <new>

namespace cudasim {
namespace {

constexpr U64 kAlign = 512;
constexpr U8 kPoison = 0xff;                 // a NaN as a float, -1 as an index
constexpr U64 kPoisonLimit = U64{64} << 20;  // beyond it poisoning costs more than it finds
constexpr U64 kRangeFactor = 4;              // how much quarantine the address range allows

U64 round_up(U64 value, U64 unit) { return (value + unit - 1) / unit * unit; }

U8* reserve(U64 bytes) {
  void* range = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) throw std::bad_alloc();
  return static_cast<U8*>(range);
}

std::string hex(U64 value) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string name(const Allocation& a) {
  return "allocation #" + std::to_string(a.serial) + " of " + std::to_string(a.bytes) +
         " bytes at " + hex(a.address);
}

}  // namespace

Memory::Memory(U64 total_bytes)
    : total_(total_bytes), reserved_(round_up(total_bytes * kRangeFactor, U64{1} << 21)) {
  base_ = reinterpret_cast<U64>(reserve(reserved_));
  state_ = reserve(reserved_);
}

Memory::~Memory() {
  munmap(reinterpret_cast<void*>(base_), reserved_);
  munmap(state_, reserved_);
}

std::optional<U64> Memory::place(U64 bytes) {
  if (bytes <= reserved_ - bump_) {
    const U64 address = base_ + bump_;
    bump_ += bytes;
    return address;
  }
  for (int attempt = 0; attempt < 2; ++attempt) {
    for (auto it = free_.begin(); it != free_.end(); ++it) {
      if (it->second < bytes) continue;
      const U64 address = it->first;
      const U64 rest = it->second - bytes;
      free_.erase(it);
      if (rest > 0) free_[address + bytes] = rest;
      return address;
    }
    recycle();
  }
  return std::nullopt;
}

void Memory::recycle() {
  for (const Range& range : quarantine_) free_[range.address] = range.bytes;
  quarantine_.clear();
  freed_.clear();
  for (auto it = free_.begin(); it != free_.end();) {
    auto next = std::next(it);
    if (next != free_.end() && it->first + it->second == next->first) {
      it->second += next->second;
      free_.erase(next);
    } else {
      ++it;
    }
  }
}

U64 Memory::allocate(U64 bytes, AllocationKind kind, U64 context) {
  const bool counted = kind == AllocationKind::kDevice || kind == AllocationKind::kPool;
  const U64 charge = round_up(std::max<U64>(bytes, 1), kAlign);
  if (bytes > reserved_ || (counted && charge > total_ - used_)) return 0;
  const auto range = place(charge + 2 * kRedZone);
  if (!range) return 0;
  if (counted) used_ += charge;
  const U64 address = *range + kRedZone;
  std::memset(state(*range), 0, kRedZone);
  std::memset(state(address + charge), 0, kRedZone);
  std::memset(state(address), kAllocated, bytes);
  std::memset(state(address + bytes), 0, charge - bytes);
  if (bytes <= kPoisonLimit) std::memset(reinterpret_cast<void*>(address), kPoison, bytes);
  if (kind == AllocationKind::kPinned) mark_initialised(address, bytes);
  live_[address] = Allocation{address, bytes, kind, ++serial_, context};
  return address;
}

bool Memory::release(U64 address) {
  const auto it = live_.find(address);
  if (it == live_.end()) return false;
  const Allocation allocation = it->second;
  const bool counted =
      allocation.kind == AllocationKind::kDevice || allocation.kind == AllocationKind::kPool;
  const U64 charge = round_up(std::max<U64>(allocation.bytes, 1), kAlign);
  if (counted) used_ -= charge;
  live_.erase(it);
  std::memset(state(address), kFreed, allocation.bytes);
  if (charge >= kPage * 16) {
    const U64 first = round_up(address, kPage);
    const U64 last = (address + charge) / kPage * kPage;
    madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  } else {
    std::memset(reinterpret_cast<void*>(address), kPoison, allocation.bytes);
  }
  freed_[address] = allocation;
  quarantine_.push_back({address - kRedZone, charge + 2 * kRedZone});
  return true;
}

const Allocation* Memory::find(U64 address) const {
  auto it = live_.upper_bound(address);
  if (it == live_.begin()) return nullptr;
  --it;
  return address - it->first < std::max<U64>(it->second.bytes, 1) ? &it->second : nullptr;
}

const Allocation* Memory::find_start(U64 address) const {
  const auto it = live_.find(address);
  return it == live_.end() ? nullptr : &it->second;
}

std::vector<Allocation> Memory::live(bool with_modules) const {
  std::vector<Allocation> result;
  for (const auto& [address, allocation] : live_) {
    if (with_modules || allocation.kind != AllocationKind::kModule) result.push_back(allocation);
  }
  return result;
}

bool Memory::all(U64 address, U64 bytes, U8 bits) const {
  if (!contains(address, bytes)) return false;
  const U8* first = state(address);
  U8 common = 0xff;
  for (U64 i = 0; i < bytes; ++i) common = static_cast<U8>(common & first[i]);
  return (common & bits) == bits;
}

void Memory::mark_initialised(U64 address, U64 bytes) {
  std::memset(state(address), kReadable, bytes);
}

std::string Memory::describe(U64 address) const {
  if (address < Memory::kPage) return "a null pointer";
  if (const Allocation* inside = find(address)) {
    return "byte " + std::to_string(address - inside->address) + " of " + name(*inside);
  }
  auto freed = freed_.upper_bound(address);
  if (freed != freed_.begin()) {
    const Allocation& a = std::prev(freed)->second;
    if (address - a.address < a.bytes) {
      return "byte " + std::to_string(address - a.address) + " of the freed " + name(a);
    }
  }
  if (!contains(address, 1)) return "no device memory (a host pointer?)";
  const auto next = live_.upper_bound(address);
  if (next != live_.begin()) {
    const Allocation& a = std::prev(next)->second;
    return std::to_string(address - (a.address + a.bytes)) + " bytes past the end of " + name(a);
  }
  if (next != live_.end()) {
    return std::to_string(next->first - address) + " bytes before " + name(next->second);
  }
  return "no allocation";
}

TouchMap::TouchMap(const Memory& memory) : base_(memory.base()), reserved_(memory.reserved()) {
  bytes_ = reserve(reserved_);
  pages_ = reserve(reserved_ / Memory::kPage + 1);
}

TouchMap::~TouchMap() {
  munmap(bytes_, reserved_);
  munmap(pages_, reserved_ / Memory::kPage + 1);
}

void TouchMap::merge(TouchMap& other) {
  for (const U64 page : other.touched_pages_) {
    U8* to = bytes_ + page * Memory::kPage;
    U8* from = other.bytes_ + page * Memory::kPage;
    for (U64 i = 0; i < Memory::kPage; ++i) to[i] = static_cast<U8>(to[i] | from[i]);
    std::memset(from, 0, Memory::kPage);
    note_page(page);
    other.pages_[page] = 0;
  }
  other.touched_pages_.clear();
}

TouchMap::Totals TouchMap::drain() {
  constexpr U8 kBoth = kTouchWritten | kTouchReadOnlyPath;
  Totals totals;
  for (const U64 page : touched_pages_) {
    U8* bytes = bytes_ + page * Memory::kPage;
    U32 read = 0;
    U32 written = 0;
    U32 touched = 0;
    U32 conflicts = 0;
    for (U64 i = 0; i < Memory::kPage; ++i) {
      const U8 b = bytes[i];
      read += b & 1u;
      written += (b >> 1) & 1u;
      touched += b != 0;
      conflicts += (b & kBoth) == kBoth;
    }
    totals.read += read;
    totals.written += written;
    totals.touched += touched;
    if (conflicts > 0 && totals.conflict == 0) {
      for (U64 i = 0; i < Memory::kPage; ++i) {
        if ((bytes[i] & kBoth) == kBoth) {
          totals.conflict = base_ + page * Memory::kPage + i;
          break;
        }
      }
    }
    std::memset(bytes, 0, Memory::kPage);
    pages_[page] = 0;
  }
  touched_pages_.clear();
  return totals;
}

}  // namespace cudasim
