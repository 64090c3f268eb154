#include "kiln/process.h"

#include <fmt/format.h>

#include <iterator>

#include "frontend/complaint.h"
#include "frontend/devices.h"
#include "frontend/environment.h"
#include "frontend/trace.h"
#include "frontend/translate.h"
#include "ir/mutant.h"
#include "runtime/host/workers.h"

namespace kiln::inline v0 {

using frontend::Access;
using frontend::Complaint;

std::string_view version() { return KILN_VERSION; }

void set_threads(int count, Where where) {
  const int most = runtime::most_threads();
  if (count < 0 || count > most) {
    Complaint("set_threads", fmt::format("{} threads; at most {} here", count, most), where)
        .advise("0, which is one a core")
        .raise();
  }
  frontend::registry().set_threads(count);
}

void set_memory_limit(std::int64_t bytes, MaybeDevice device, Where where) {
  if (bytes < 0) {
    Complaint("set_memory_limit", fmt::format("{} bytes", bytes), where)
        .advise("a number, or 0 for the limit of the start")
        .raise();
  }
  frontend::translated("set_memory_limit", where, [&] {
    const std::uint16_t id = device ? Access::id(*device) : frontend::current_device();
    frontend::memory_device(id).set_memory_limit(bytes);
  });
  if (!mutant(ir::Mutant::limit_of_the_thread)) ++frontend::trace().limits;
}

}  // namespace kiln::inline v0
