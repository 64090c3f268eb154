#include "bench/native/hand.h"

#include <algorithm>
#include <cmath>

namespace bench::plain {
#include "bench/native/hand_loops.def"
}  // namespace bench::plain
