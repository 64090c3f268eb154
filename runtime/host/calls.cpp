#include "runtime/host/calls.h"

#include "ir/error.h"
#include "runtime/host/blas.h"
#include "runtime/host/scan.h"
#include "runtime/host/sort.h"

namespace kiln::runtime {

void host_call(const ir::BoundCall& call, Workers& workers) {
  if (call.what() == ir::NodeKind::contract) return host_product(call, workers);
  if (call.what() == ir::NodeKind::scan) return host_scan(call, workers);
  if (call.what() == ir::NodeKind::sort) return host_sort(call, workers);
  ir::internal_error("call: a kind that the host does not know");
}

}  // namespace kiln::runtime
