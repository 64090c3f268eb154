#include <algorithm>
#include <cmath>
#include <memory>

#include "bench/native/hand.h"

namespace bench::fast {
#include "bench/native/hand_loops.def"
}  // namespace bench::fast
