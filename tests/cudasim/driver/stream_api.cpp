// Streams and events.

#include <algorithm>

#include "tests/cudasim/driver/graph.h"
#include "tests/cudasim/driver/state.h"

using namespace cudasim;
using namespace cudasim::abi;

CUDASIM_EXPORT Result cuStreamCreateWithPriority(abi::Stream* out, unsigned flags, int priority) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    if (out == nullptr || (flags & ~kStreamNonBlocking) != 0) return kInvalidValue;
    auto stream = std::make_unique<cudasim::Stream>();
    stream->context = &context;
    stream->blocking = (flags & kStreamNonBlocking) == 0;
    stream->priority = std::clamp(priority, -5, 0);
    stream->id = ++driver.serial;
    cudasim::Stream* key = stream.get();
    driver.streams[key] = std::move(stream);
    context.streams.push_back(key);
    *out = to_handle<abi::Stream>(key);
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuStreamCreate(abi::Stream* out, unsigned flags) {
  return cuStreamCreateWithPriority(out, flags, 0);
}

CUDASIM_EXPORT Result cuStreamDestroy_v2(abi::Stream handle) {
  return with_driver([&](Driver& driver) {
    const auto found = driver.streams.find(reinterpret_cast<cudasim::Stream*>(handle));
    if (found == driver.streams.end()) return kInvalidHandle;
    cudasim::Stream& stream = *found->second;
    // What is queued still runs, as on a device.
    driver.run_until([&] { return stream.queue.empty(); });
    std::erase(stream.context->streams, &stream);
    driver.streams.erase(&stream);
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuStreamSynchronize(abi::Stream handle) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    cudasim::Stream* stream = driver.stream_of(handle, context);
    if (stream == nullptr) return kInvalidHandle;
    if (stream->capture) return kStreamCaptureUnsupported;
    return driver.synchronize(*stream);
  });
}

// A query lets one operation run, so that polling comes to an end.
CUDASIM_EXPORT Result cuStreamQuery(abi::Stream handle) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    cudasim::Stream* stream = driver.stream_of(handle, context);
    if (stream == nullptr) return kInvalidHandle;
    if (!stream->queue.empty()) driver.run_one();
    if (context.sticky != kSuccess) return context.sticky;
    return stream->queue.empty() ? kSuccess : kNotReady;
  });
}

CUDASIM_EXPORT Result cuStreamGetCtx(abi::Stream handle, abi::Context* out) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    const cudasim::Stream* stream = driver.stream_of(handle, context);
    if (stream == nullptr) return kInvalidHandle;
    if (out == nullptr) return kInvalidValue;
    *out = to_handle<abi::Context>(stream->context);
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuStreamGetFlags(abi::Stream handle, unsigned* flags) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    const cudasim::Stream* stream = driver.stream_of(handle, context);
    if (stream == nullptr) return kInvalidHandle;
    if (flags == nullptr) return kInvalidValue;
    *flags = stream->blocking ? 0 : kStreamNonBlocking;
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuStreamGetPriority(abi::Stream handle, int* priority) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    const cudasim::Stream* stream = driver.stream_of(handle, context);
    if (stream == nullptr) return kInvalidHandle;
    if (priority == nullptr) return kInvalidValue;
    *priority = stream->priority;
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuStreamGetId(abi::Stream handle, unsigned long long* id) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    const cudasim::Stream* stream = driver.stream_of(handle, context);
    if (stream == nullptr) return kInvalidHandle;
    if (id == nullptr) return kInvalidValue;
    *id = stream->id;
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuStreamWaitEvent(abi::Stream handle, abi::Event event_handle, unsigned) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    cudasim::Stream* stream = driver.stream_of(handle, context);
    cudasim::Event* event = driver.event_of(event_handle);
    if (stream == nullptr || event == nullptr) return kInvalidHandle;
    if (event->capture) {
      if (stream->capture && stream->capture != event->capture) return kStreamCaptureInvalidated;
      stream->capture = event->capture;
      auto& frontier = stream->capture->frontier[stream];
      frontier.insert(frontier.end(), event->capture_nodes.begin(), event->capture_nodes.end());
      return kSuccess;
    }
    if (stream->capture) return kStreamCaptureUnsupported;
    if (!event->recorded) return kSuccess;
    Operation operation;
    operation.kind = Operation::Kind::kWait;
    operation.mark = event->mark;
    driver.enqueue(*stream, std::move(operation));
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuEventCreate(abi::Event* out, unsigned flags) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    if (out == nullptr || flags > 7) return kInvalidValue;
    auto event = std::make_unique<cudasim::Event>();
    event->context = &context;
    event->timing = (flags & kEventDisableTiming) == 0;
    cudasim::Event* key = event.get();
    driver.events[key] = std::move(event);
    *out = to_handle<abi::Event>(key);
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuEventDestroy_v2(abi::Event handle) {
  return with_driver([&](Driver& driver) {
    cudasim::Event* event = driver.event_of(handle);
    if (event == nullptr) return kInvalidHandle;
    driver.events.erase(event);
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuEventRecord(abi::Event handle, abi::Stream stream_handle) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    cudasim::Event* event = driver.event_of(handle);
    cudasim::Stream* stream = driver.stream_of(stream_handle, context);
    if (event == nullptr || stream == nullptr) return kInvalidHandle;
    if (event->context != stream->context) return kInvalidHandle;
    if (stream->capture) {
      event->capture = stream->capture;
      event->capture_nodes = stream->capture->frontier[stream];
      return kSuccess;
    }
    event->capture.reset();
    event->recorded = true;
    event->mark = std::make_shared<Mark>();
    Operation operation;
    operation.kind = Operation::Kind::kRecord;
    operation.mark = event->mark;
    driver.enqueue(*stream, std::move(operation));
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuEventRecordWithFlags(abi::Event event, abi::Stream stream, unsigned) {
  return cuEventRecord(event, stream);
}

CUDASIM_EXPORT Result cuEventQuery(abi::Event handle) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    const cudasim::Event* event = driver.event_of(handle);
    if (event == nullptr) return kInvalidHandle;
    if (event->capture) return kStreamCaptureUnsupported;
    if (!event->recorded) return kSuccess;
    if (!event->mark->done) driver.run_one();
    if (context.sticky != kSuccess) return context.sticky;
    return event->mark->done ? kSuccess : kNotReady;
  });
}

CUDASIM_EXPORT Result cuEventSynchronize(abi::Event handle) {
  return with_context([&](Driver& driver, cudasim::Context& context) {
    const cudasim::Event* event = driver.event_of(handle);
    if (event == nullptr) return kInvalidHandle;
    if (event->capture) return kStreamCaptureUnsupported;
    if (!event->recorded) return kSuccess;
    const std::shared_ptr<Mark> mark = event->mark;
    driver.run_until([&] { return mark->done; });
    return context.sticky;
  });
}

CUDASIM_EXPORT Result cuEventElapsedTime_v2(float* milliseconds, abi::Event start_handle,
                                            abi::Event end_handle) {
  return with_context([&](Driver& driver, cudasim::Context&) {
    const cudasim::Event* start = driver.event_of(start_handle);
    const cudasim::Event* end = driver.event_of(end_handle);
    if (start == nullptr || end == nullptr) return kInvalidHandle;
    if (milliseconds == nullptr) return kInvalidValue;
    if (!start->timing || !end->timing || !start->recorded || !end->recorded) return kInvalidHandle;
    if (!start->mark->done || !end->mark->done) return kNotReady;
    const double nanoseconds =
        static_cast<double>(end->mark->nanoseconds) - static_cast<double>(start->mark->nanoseconds);
    *milliseconds = static_cast<float>(nanoseconds * 1e-6);
    return kSuccess;
  });
}

CUDASIM_EXPORT Result cuEventElapsedTime(float* milliseconds, abi::Event start, abi::Event end) {
  return cuEventElapsedTime_v2(milliseconds, start, end);
}
