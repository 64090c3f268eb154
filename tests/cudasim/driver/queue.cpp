#include <cstdio>
#include <limits>

#include "tests/cudasim/driver/state.h"

namespace cudasim {
namespace {

constexpr std::size_t kMaxQueued = 4096;  // then the oldest work runs without being waited for
constexpr U64 kNone = std::numeric_limits<U64>::max();

abi::Result result_of(FaultKind kind) {
  switch (kind) {
    case FaultKind::kIllegalAddress:
      return abi::kIllegalAddress;
    case FaultKind::kMisaligned:
      return abi::kMisalignedAddress;
    case FaultKind::kIllegalInstruction:
      return abi::kIllegalInstruction;
    case FaultKind::kAssert:
      return abi::kAssert;
    default:
      return abi::kLaunchFailed;
  }
}

U64 oldest(const Stream& stream) {
  return stream.queue.empty() ? kNone : stream.queue.front().sequence;
}

}  // namespace

void Driver::enqueue(Stream& stream, Operation operation) {
  operation.sequence = ++sequence;
  stream.queue.push_back(std::move(operation));
  if (stream.queue.size() > kMaxQueued) {
    run_until([&] { return stream.queue.size() <= kMaxQueued / 2; });
  }
}

// A head may run if the mark it waits for has passed and the legacy stream's order holds: its work
// comes after all earlier work of blocking streams, and theirs after its earlier work.
bool Driver::runnable(const Stream& stream) const {
  if (stream.queue.empty() || stream.busy) return false;
  const Operation& head = stream.queue.front();
  if (head.kind == Operation::Kind::kWait && !head.mark->done) return false;
  const Context& context = *stream.context;
  if (stream.legacy) {
    for (const Stream* other : context.streams) {
      if (other == &stream || !other->blocking) continue;
      if (oldest(*other) < head.sequence) return false;
    }
  } else if (stream.blocking && oldest(context.legacy) < head.sequence) {
    return false;
  }
  return true;
}

bool Driver::run_one() {
  std::vector<Stream*> ready;
  for (Context* context : all_contexts()) {
    for (Stream* stream : context->streams) {
      if (runnable(*stream)) ready.push_back(stream);
    }
  }
  if (ready.empty()) return false;
  Stream& stream = *ready[next_random() % ready.size()];
  Context& context = *stream.context;
  Operation& head = stream.queue.front();
  clock += 1000;
  if (head.kind == Operation::Kind::kHostFunction && context.sticky == abi::kSuccess) {
    // Without the lock: the function may wait for a thread that calls the driver. The operation
    // stays at the head, so nothing behind it starts.
    stream.busy = true;
    const abi::HostFn host = head.host;
    void* const data = head.host_data;
    mutex.unlock();
    host(data);
    mutex.lock();
    stream.busy = false;
    stream.queue.pop_front();
    changed.notify_all();
    return true;
  }
  const Operation operation = std::move(head);
  stream.queue.pop_front();
  if (operation.kind == Operation::Kind::kRecord) {
    operation.mark->done = true;
    operation.mark->nanoseconds = clock;
  } else if (operation.kind == Operation::Kind::kWork && context.sticky == abi::kSuccess) {
    const abi::Result result = operation.work();
    if (result != abi::kSuccess && context.sticky == abi::kSuccess) context.sticky = result;
  }
  return true;
}

void Driver::run_until(const std::function<bool()>& condition) {
  while (!condition()) {
    if (run_one()) continue;
    bool busy = false;
    for (Context* context : all_contexts()) {
      for (const Stream* stream : context->streams) busy = busy || stream->busy;
    }
    if (!busy) return;
    changed.wait(mutex);
  }
}

void Driver::drain() {
  run_until([] { return false; });
}

abi::Result Driver::synchronize(Stream& stream) {
  const U64 last_sequence = stream.queue.empty() ? 0 : stream.queue.back().sequence;
  run_until([&] { return oldest(stream) > last_sequence; });
  return stream.context->sticky;
}

void Driver::wait_for_work(Context& context) {
  const U64 last_sequence = sequence;
  run_until([&] {
    for (const Stream* stream : context.streams) {
      if (oldest(*stream) <= last_sequence) return false;
    }
    return true;
  });
}

void Driver::fault(Context& context, const FaultReport& report) {
  context.sticky = result_of(report.kind);
  last_report = report.text;
  if (!quiet) std::fputs(report.text.c_str(), stderr);
}

}  // namespace cudasim
