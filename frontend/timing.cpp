// What timeit asks of the library.
#include <algorithm>
#include <chrono>

#include "frontend/complaint.h"
#include "frontend/state.h"
#include "kiln/evaluate.h"

namespace kiln::inline v0::frontend {

std::int64_t runs() { return state().runs.load(std::memory_order_relaxed); }

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void complain_of_no_run(Where where) {
  Complaint("timeit", "nothing was evaluated or read: what is timed only records operations", where)
      .advise(
          "return the array from the function, or eval it there; and compute it anew in each "
          "call, for what has a value is not computed again")
      .raise();
}

}  // namespace kiln::inline v0::frontend
