#include "frontend/host_memory.h"

#include <fmt/format.h>

#include "frontend/complaint.h"
#include "frontend/environment.h"
#include "runtime/host/host_device.h"

namespace kiln::inline v0::frontend {

runtime::HostAllocator& host_allocator() {
  return static_cast<runtime::HostDevice&>(registry().cpu()).allocator();
}

void name_array(Snapshot& snapshot, runtime::OutOfMemory& error) {
  if (error.node >= snapshot.graph.nodes.size()) return;
  snapshot.describe();
  const ir::Graph& g = snapshot.graph;
  const std::string* const label = snapshot.labels[error.node];
  const Shape shape(ir::values(g.shape(error.node), snapshot.bindings));
  name_array(from_ir(g.nodes[error.node].dtype), shape, snapshot.line(error.node), error);
  error.array +=
      label != nullptr ? fmt::format(" \"{}\"", *label) : " " + ir::infix(g, error.node, 120);
}

void name_array(Node* node, runtime::OutOfMemory& error) {
  name_array(node->dtype, node->shape->shape, node->where, error);
  if (node->label() != nullptr) error.array += fmt::format(" \"{}\"", *node->label());
}

void name_array(DType dtype, const Shape& shape, Where made, runtime::OutOfMemory& error) {
  error.array = fmt::format("{} {}", name(dtype), to_text(shape));
  error.made = {made.file, made.line};
}

void raise_out_of_memory(std::string_view function, const runtime::OutOfMemory& error,
                         Where where) {
  Complaint complaint(function, error.what(), where);
  const Where made = Where::here(error.made.file, error.made.line);
  if (!error.array.empty()) {
    complaint.note("for",
                   made.file != nullptr ? error.array + ", made at " + to_text(made) : error.array);
  }
  if (error.interpreting) {
    complaint.note("this evaluation",
                   "stores the value of every operation: Mode::check, Nan::trap and the "
                   "interpreter do, and Mode::check keeps copies of the inputs too");
  }
  const Advice advice = complaint.advise(
      error.asked > error.limit
          ? "smaller arrays: this one alone is beyond the limit (KILN_MEMORY_LIMIT, or "
            "KILN_CUDA_MEMORY_LIMIT on a GPU, sets another)"
          : "eval in between, so that less is alive at once; let go of arrays that are not needed; "
            "a larger limit (KILN_MEMORY_LIMIT, or KILN_CUDA_MEMORY_LIMIT on a GPU)");
  OutOfMemory out(advice.text());
  out.where = advice.where();
  out.asked = error.asked;
  out.free = error.free;
  out.limit = error.limit;
  out.array = error.array;
  out.made = made;
  throw out;
}

namespace {
// take(bytes) for data of such an array.
template <class Take>
auto take_for(const char* function, DType dtype, const Shape& shape, Where where, Take take) {
  try {
    return take(shape.size() * ir::size_of(to_ir(dtype)));
  } catch (runtime::OutOfMemory& error) {
    name_array(dtype, shape, line_of(where), error);
    raise_out_of_memory(function, error, where);
  }
}
}  // namespace

runtime::Block host_block(const char* function, DType dtype, const Shape& shape, Where where) {
  return take_for(function, dtype, shape, where, [](std::int64_t bytes) {
    return runtime::Block{registry().cpu().allocate(bytes), 0};
  });
}

std::shared_ptr<const void> host_room(const char* function, DType dtype, const Shape& shape,
                                      Where where) {
  return take_for(function, dtype, shape, where, [](std::int64_t bytes) {
    return std::make_shared<const runtime::OtherMemory>(host_allocator(), bytes);
  });
}

}  // namespace kiln::inline v0::frontend
