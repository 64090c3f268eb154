// The loops of native/hand_loops.def as peers.
#include <atomic>
#include <string>

#include "bench/native/hand.h"
#include "bench/suite/peer.h"

namespace bench {

namespace plain {
#include "bench/suite/hand_programs.def"
}
namespace fast {
#include "bench/suite/hand_programs.def"
}

Peer hand_peer() {
  return {"hand", std::string("g++ ") + __VERSION__ + ", -O3 -march=native -ffp-contract=off",
          plain::make};
}

Peer hand_fast_peer() {
  return {"hand_fast",
          std::string("g++ ") + __VERSION__ +
              ", -O3 -march=native -mprefer-vector-width=512 -ffast-math",
          fast::make};
}

}  // namespace bench
