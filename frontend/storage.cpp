#include "frontend/storage.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/complaint.h"
#include "frontend/environment.h"
#include "frontend/state.h"
#include "kiln/evaluate.h"

namespace kiln::inline v0::frontend {

void note_transfer(runtime::Device& from, runtime::Device& to, std::int64_t bytes, Where where,
                   const char* why) {
  const bool up = from.host_memory();
  if (context().transfers == Transfers::forbid) {
    Complaint(why,
              fmt::format("a copy of {} bytes from {} to {} is forbidden here", bytes, from.name(),
                          to.name()),
              where)
        .advise("the array is needed on the other device: copy it with to() before the scope")
        .raise<TransferForbidden>();
  }
  state().add_transfer({line_of(where), up, bytes, why});
}

namespace {

// From one device to another, in parts, so that the host needs little memory.
void copy_through_host(runtime::Device& source, const runtime::Block& from, runtime::Device& target,
                       const runtime::Block& to, std::int64_t bytes) {
  constexpr std::int64_t kPart = std::int64_t{16} << 20;
  std::vector<std::byte> part(static_cast<std::size_t>(std::min(bytes, kPart)));
  for (std::int64_t at = 0; at < bytes; at += kPart) {
    const std::int64_t size = std::min(bytes - at, kPart);
    source.download(part.data(), *from.memory, from.offset + at, size);
    target.upload(*to.memory, at, part.data(), size);
  }
}

}  // namespace

runtime::Block Storage::on(runtime::Device& device, Where where, const char* why) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Copy& place : copies_) {
    if (place.device == &device) return place.block;
  }
  runtime::Device& source = *copies_[0].device;
  const runtime::Block& from = copies_[0].block;
  if (!source.runs()) {
    Complaint(why, fmt::format("{} plans and never runs: it holds no values", source.name()), where)
        .advise("evaluate on another device")
        .raise();
  }
  note_transfer(source, device, bytes_, where, why);
  const Timed timed(source.host_memory() ? Measure::Kind::upload : Measure::Kind::download, why,
                    line_of(where), bytes_);
  runtime::Block to{device.allocate(bytes_), 0};
  if (bytes_ > 0) {
    if (source.host_memory()) {
      device.upload(*to.memory, 0, from.data(), bytes_);
    } else if (device.host_memory()) {
      source.download(to.data(), *from.memory, from.offset, bytes_);
    } else {
      copy_through_host(source, from, device, to, bytes_);
    }
  }
  if (timed.open()) device.synchronize();
  copies_.push_back({&device, to});
  return to;
}

bool Storage::resident(runtime::Device& device, runtime::Block* block) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Copy& place : copies_) {
    if (place.device != &device) continue;
    *block = place.block;
    return true;
  }
  return false;
}

std::int64_t Storage::misalignment() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(copies_[0].block.data()) % 16);
}

bool Storage::unique() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return copies_.size() == 1 && copies_[0].block.memory && copies_[0].block.memory->writable() &&
         copies_[0].block.memory.unique();
}

void delete_values(Value* first) noexcept {
  while (first != nullptr) delete std::exchange(first, first->next);
}

}  // namespace kiln::inline v0::frontend
