// Values on the host.
#pragma once
#include <cstddef>
#include <memory>
#include <vector>

#include "frontend/access.h"

namespace kiln::inline v0::frontend {

// Dense elements of an array's own dtype; `owner` keeps them.
struct HostData {
  const std::byte* data = nullptr;
  std::shared_ptr<const void> owner;
};
// Evaluates x and brings it to the host; copies only what is not there, or does not lie densely.
HostData host_data(const Array& x, Where where, const char* why);

}  // namespace kiln::inline v0::frontend
