// Device memory: one reserved range of host addresses, so a device pointer is a host pointer. Each
// byte has a state byte (is it allocated, was it written, was it freed). Allocations have red zones
// on both sides and freed ranges are not handed out again until the range is used up.
//
// Threads: allocate, free and find are called under the driver's lock. Workers of one launch only
// read state bytes and store kInitialised into them.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/cudasim/ptx/types.h"

namespace cudasim {

// Bits of a state byte.
inline constexpr U8 kAllocated = 1;
inline constexpr U8 kInitialised = 2;  // only together with kAllocated
inline constexpr U8 kFreed = 4;
inline constexpr U8 kReadable = kAllocated | kInitialised;

// Bits of a touch byte, kept per worker and per launch.
inline constexpr U8 kTouchRead = 1;
inline constexpr U8 kTouchWritten = 2;
inline constexpr U8 kTouchReadOnlyPath = 4;  // by ld.global.nc

enum class AllocationKind : U8 { kDevice, kPool, kPinned, kModule };

struct Allocation {
  U64 address = 0;
  U64 bytes = 0;
  AllocationKind kind = AllocationKind::kDevice;
  U64 serial = 0;   // the n-th allocation of this memory
  U64 context = 0;  // whose it is, the driver's number
};

class Memory {
 public:
  static constexpr U64 kRedZone = 512;
  static constexpr U64 kPage = 4096;

  explicit Memory(U64 total_bytes);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  U64 total() const { return total_; }
  U64 used() const { return used_; }

  // 0 when the memory is used up. Pinned and module memory is not taken from the total.
  U64 allocate(U64 bytes, AllocationKind kind, U64 context = 0);
  // False when the address is not the start of a live allocation.
  bool release(U64 address);
  const Allocation* find(U64 address) const;  // the live allocation that holds the address
  const Allocation* find_start(U64 address) const;
  std::vector<Allocation> live(bool with_modules) const;

  bool contains(U64 address, U64 bytes) const {
    return address >= base_ && bytes <= reserved_ && address - base_ <= reserved_ - bytes;
  }
  U8* state(U64 address) const { return state_ + (address - base_); }
  U64 base() const { return base_; }
  U64 reserved() const { return reserved_; }

  // Every byte of the range is allocated (and, if asked for, initialised).
  bool all(U64 address, U64 bytes, U8 bits) const;
  void mark_initialised(U64 address, U64 bytes);
  // Where the address lies: inside, before, behind which allocation, or freed.
  std::string describe(U64 address) const;

 private:
  struct Range {
    U64 address;
    U64 bytes;
  };
  std::optional<U64> place(U64 bytes);
  void recycle();

  U64 total_;
  U64 used_ = 0;
  U64 reserved_;
  U64 base_ = 0;
  U8* state_ = nullptr;
  U64 bump_ = 0;
  U64 serial_ = 0;
  std::map<U64, Allocation> live_;
  std::map<U64, Allocation> freed_;  // for reports, until the range is used again
  std::deque<Range> quarantine_;
  std::map<U64, U64> free_;
};

// Which bytes a launch touched: the sets behind the "distinct bytes" counters.
class TouchMap {
 public:
  explicit TouchMap(const Memory& memory);
  ~TouchMap();
  TouchMap(const TouchMap&) = delete;
  TouchMap& operator=(const TouchMap&) = delete;

  // Marks a range; the caller has checked that memory holds it.
  // Returns the bits that were set anywhere in it before.
  U8 mark(U64 address, U64 bytes, U8 bits) {
    U8* first = bytes_ + (address - base_);
    note_pages(address, bytes);
    U8 seen = 0;
    for (U64 i = 0; i < bytes; ++i) {
      seen = static_cast<U8>(seen | first[i]);
      first[i] = static_cast<U8>(first[i] | bits);
    }
    return seen;
  }
  struct Totals {
    U64 read = 0;
    U64 written = 0;
    U64 touched = 0;
    U64 conflict = 0;  // an address both written and read by ld.global.nc, or 0
  };
  // Takes over what the other one holds and leaves it empty.
  void merge(TouchMap& other);
  // Counts and empties.
  Totals drain();

 private:
  void note_pages(U64 address, U64 bytes) {
    const U64 first = (address - base_) / Memory::kPage;
    const U64 last = (address - base_ + bytes - 1) / Memory::kPage;
    for (U64 page = first; page <= last; ++page) note_page(page);
  }
  void note_page(U64 page) {
    if (pages_[page] != 0) return;
    pages_[page] = 1;
    touched_pages_.push_back(page);
  }
  U64 base_;
  U64 reserved_;
  U8* bytes_;
  U8* pages_;
  std::vector<U64> touched_pages_;
};

}  // namespace cudasim
