// Memory of the process beside that of evaluations, counted against the CPU's limit before it is
// taken; and OutOfMemory in words.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "frontend/snapshot.h"
#include "runtime/error.h"
#include "runtime/host/allocator.h"

namespace kiln::inline v0::frontend {

// The CPU's, for runtime::OtherMemory.
runtime::HostAllocator& host_allocator();

// What take() gives; an OutOfMemory that it throws is said to be for this node of the snapshot.
template <class Take>
auto on_behalf_of(ir::NodeId node, Take take) {
  try {
    return take();
  } catch (runtime::OutOfMemory& error) {
    error.node = node;
    throw;
  }
}

// Says in `error` what the memory was for: the value of the node that it names, or this array.
void name_array(Snapshot& snapshot, runtime::OutOfMemory& error);
void name_array(Node* node, runtime::OutOfMemory& error);
void name_array(DType dtype, const Shape& shape, Where made, runtime::OutOfMemory& error);

// The same for this array.
template <class Take>
auto on_behalf_of(Node* node, Take take) {
  try {
    return take();
  } catch (runtime::OutOfMemory& error) {
    name_array(node, error);
    throw;
  }
}

[[noreturn]] void raise_out_of_memory(std::string_view function, const runtime::OutOfMemory& error,
                                      Where where);

// A block of the CPU's for data of such an array; OutOfMemory names it.
runtime::Block host_block(const char* function, DType dtype, const Shape& shape, Where where);
// The same, but the caller takes the memory: it is counted as long as what is returned lives.
std::shared_ptr<const void> host_room(const char* function, DType dtype, const Shape& shape,
                                      Where where);

}  // namespace kiln::inline v0::frontend
