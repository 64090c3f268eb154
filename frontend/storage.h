// Values of arrays in memory.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "frontend/places.h"
#include "kiln/types.h"
#include "runtime/device.h"
#include "runtime/execute.h"

namespace kiln::inline v0::frontend {

// Elements in the memory of one device or, after a transfer, of several: immutable, except that an
// evaluation that is the last to need them may take the memory over (Storage::unique).
class Storage {
 public:
  Storage(runtime::Device& device, runtime::Block block, std::int64_t bytes) : bytes_(bytes) {
    copies_.push_back({&device, std::move(block)});
  }
  std::int64_t bytes() const { return bytes_; }
  // The block on a device, copied there if it is elsewhere. `where` and `why` go into the list of
  // transfers; TransferForbidden if the thread's scope says so.
  runtime::Block on(runtime::Device& device, Where where, const char* why);
  // The block if it is there already.
  bool resident(runtime::Device& device, runtime::Block* block) const;
  // Bytes by which its first place misses a multiple of 16.
  std::int64_t misalignment() const;
  // It is on one device only, in memory of ours that nothing else refers to.
  bool unique() const;

 private:
  struct Copy {
    runtime::Device* device;
    runtime::Block block;
  };
  mutable std::mutex mutex_;
  std::vector<Copy> copies_;
  std::int64_t bytes_;
};

// Where an array's elements lie in a storage: element (i, j, ...) at offset + i * strides[0] + ...,
// in elements. No strides: dense, row-major.
struct Value {
  std::shared_ptr<Storage> storage;
  std::int64_t offset = 0;
  std::vector<std::int64_t> strides;
  Place guess = 0;        // for whose sake it was stored unasked, until it is read
  Value* next = nullptr;  // in a list of values to be deleted
};
void delete_values(Value* first) noexcept;

// Enters a copy between host and device into the list of transfers; TransferForbidden if the
// thread's scope says so.
void note_transfer(runtime::Device& from, runtime::Device& to, std::int64_t bytes, Where where,
                   const char* why);

}  // namespace kiln::inline v0::frontend
