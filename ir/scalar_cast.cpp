#include <array>

#include "ir/scalar_semantics.h"

namespace kiln::ir {
namespace {

// Conversions between integers only depend on the source's sign and the target's width.
template <DType from, DType to>
constexpr LoopPair entry() {
  if constexpr (is_int(to) && !is_float(from)) {
    return loops<Convert<Bits<Stored<to>>, Stored<from>>>();
  } else {
    return loops<Convert<Stored<to>, Stored<from>>>();
  }
}

using Row = std::array<LoopPair, kRealCount>;
template <DType from, int... to>
constexpr Row make_row(std::integer_sequence<int, to...>) {
  return {entry<from, static_cast<DType>(to)>()...};
}
template <int... from>
constexpr std::array<Row, kRealCount> make_table(std::integer_sequence<int, from...>) {
  return {make_row<static_cast<DType>(from)>(std::make_integer_sequence<int, kRealCount>())...};
}
constexpr auto kTable = make_table(std::make_integer_sequence<int, kRealCount>());

}  // namespace

ArrayLoop cast_loop(DType from, DType to) {
  const LoopPair& pair = kTable[static_cast<int>(from)][static_cast<int>(to)];
  return has_wide_loops() ? pair.wide : pair.plain;
}

}  // namespace kiln::ir
