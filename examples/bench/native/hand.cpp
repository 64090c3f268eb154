#include "bench/native/hand.h"

#include <algorithm>
#include <cmath>
#include <memory>

namespace bench::plain {
#include "bench/native/hand_loops.def"
}  // namespace bench::plain
