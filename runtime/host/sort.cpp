// Long rows: least significant digit first, by the keys of ir/sort_key.h; all digits are counted in
// one pass, and one that all elements share is skipped. Elements travel as they are, with their
// places where these are wanted, so that equal ones keep their bits and order.
#include "runtime/host/sort.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "ir/error.h"
#include "ir/mutant.h"
#include "ir/sort_key.h"

namespace kiln::runtime {

namespace {

constexpr std::int64_t kFewInsert = 24;      // are inserted, one after the other
constexpr std::int64_t kFewMerge = 512;      // are merged: counting digits costs as much as these
constexpr std::int64_t kWideDigits = 65536;  // from so many on digits of 11 bits save passes
constexpr std::int64_t kGrain = 16384;       // elements that are worth a thread

template <class Bits>
struct Bare {
  Bits bits;
  static Bare make(Bits bits, std::int64_t) { return {bits}; }
};
template <class Bits, class Place>
struct Placed {
  Bits bits;
  Place place;
  static Placed make(Bits bits, std::int64_t place) { return {bits, static_cast<Place>(place)}; }
};

template <class Item, class Key>
void insert(Item* items, std::int64_t n, Key key) {
  for (std::int64_t i = 1; i < n; ++i) {
    const Item item = items[i];
    const auto mine = key(item.bits);
    std::int64_t at = i;
    for (; at > 0 && key(items[at - 1].bits) > mine; --at) items[at] = items[at - 1];
    items[at] = item;
  }
}

// Gives where the sorted items are: in `items` or in `other`.
template <int digit_bits, class Item, class Key>
Item* by_digits(Item* items, Item* other, std::int64_t n, Key key) {
  constexpr int kWidth = 8 * sizeof(key(items[0].bits));
  constexpr int kPasses = (kWidth + digit_bits - 1) / digit_bits;
  constexpr std::size_t kDigits = std::size_t{1} << digit_bits;
  const auto digit = [](auto value, int pass) {
    return static_cast<std::size_t>(value >> (pass * digit_bits)) & (kDigits - 1);
  };
  std::vector<std::int64_t> counts(kPasses * kDigits, 0);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto mine = key(items[i].bits);
    for (int pass = 0; pass < kPasses; ++pass) ++counts[pass * kDigits + digit(mine, pass)];
  }
  for (int pass = 0; pass < kPasses; ++pass) {
    std::int64_t* const begin = counts.data() + pass * kDigits;
    if (begin[digit(key(items[0].bits), pass)] == n) continue;
    std::int64_t sum = 0;
    for (std::size_t d = 0; d < kDigits; ++d) sum += std::exchange(begin[d], sum);
    for (std::int64_t i = 0; i < n; ++i) other[begin[digit(key(items[i].bits), pass)]++] = items[i];
    std::swap(items, other);
  }
  return items;
}

template <class Item, class Key>
Item* sorted(Item* items, Item* other, std::int64_t n, Key key) {
  if (n <= kFewInsert) return insert(items, n, key), items;
  if (n <= kFewMerge) {
    std::stable_sort(items, items + n,
                     [&](const Item& a, const Item& b) { return key(a.bits) < key(b.bits); });
    return items;
  }
  constexpr bool kWide = sizeof(items->bits) >= 4;
  if (kWide && n > kWideDigits) return by_digits<11>(items, other, n, key);
  return by_digits<8>(items, other, n, key);
}

// Where a row of the array begins.
template <class T>
T* row_of(const ir::BoundCall& call, const ir::BoundCall::Array& array, std::int64_t row) {
  T* at = array.as<T>();
  for (std::size_t i = call.extents().size() - 1; i-- > 0; row /= call.extents()[i])
    at += row % call.extents()[i] * array.strides[i];
  return at;
}

template <class Item, class Bits, class Key>
void sort_rows(const ir::BoundCall& call, Key key, std::int64_t begin, std::int64_t end) {
  const std::int64_t n = call.from_last(0);
  std::vector<Item> items(static_cast<std::size_t>(n)), other(items.size());
  const std::int64_t step = call.operand(0).strides.back();
  const ir::BoundCall::Array &values = call.result(0), &places = call.result(1);
  for (std::int64_t row = begin; row < end; ++row) {
    const Bits* const from = row_of<const Bits>(call, call.operand(0), row);
    for (std::int64_t i = 0; i < n; ++i)
      items[static_cast<std::size_t>(i)] = Item::make(from[i * step], i);
    const Item* const in_order = sorted(items.data(), other.data(), n, key);
    if (values.data != nullptr) {
      Bits* const to = row_of<Bits>(call, values, row);
      for (std::int64_t i = 0; i < n; ++i) to[i * values.strides.back()] = in_order[i].bits;
    }
    if constexpr (requires { items[0].place; }) {
      auto* const to = row_of<std::int64_t>(call, places, row);
      for (std::int64_t i = 0; i < n; ++i)
        to[i * places.strides.back()] = static_cast<std::int64_t>(in_order[i].place);
    }
  }
}

}  // namespace

void host_sort(const ir::BoundCall& call, Workers& workers) {
  const std::int64_t n = call.from_last(0);
  std::int64_t rows = 1;
  for (const std::int64_t extent : call.extents().first(call.extents().size() - 1)) rows *= extent;
  ir::with_sort_key(call.dtype(), call.op() == ir::Op::max, [&](auto bits, auto key) {
    using Bits = decltype(bits);
    workers.run(rows, kGrain / n + 1, true, [&](std::int64_t begin, std::int64_t end) {
      if (call.result(1).data == nullptr) {
        sort_rows<Bare<Bits>, Bits>(call, key, begin, end);
      } else if (n <= std::numeric_limits<std::uint32_t>::max()) {
        sort_rows<Placed<Bits, std::uint32_t>, Bits>(call, key, begin, end);
      } else {
        sort_rows<Placed<Bits, std::int64_t>, Bits>(call, key, begin, end);
      }
    });
  });
}

}  // namespace kiln::runtime
