// Long rows: least significant digit first, by the keys of ir/sort_key.h; all digits are counted in
// one pass, and one that all elements share is skipped. Elements travel as they are, with their
// places where these are wanted, so that equal ones keep their bits and order.
#include "runtime/host/sort.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "ir/error.h"
#include "ir/mutant.h"
#include "ir/sort_key.h"

namespace kiln::runtime {

namespace {

constexpr std::int64_t kFewInsert = 48;      // are inserted: counting digits costs as much
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
Item* by_digits(Item* items, Item* other, std::int64_t n, Key key,
                std::vector<std::int64_t>& counts) {
  constexpr int kWidth = 8 * sizeof(key(items[0].bits));
  constexpr int kPasses = (kWidth + digit_bits - 1) / digit_bits;
  constexpr std::size_t kDigits = std::size_t{1} << digit_bits;
  const auto digit = [](auto value, int pass) {
    return static_cast<std::size_t>(value >> (pass * digit_bits)) & (kDigits - 1);
  };
  counts.assign(kPasses * kDigits, 0);
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
Item* sorted(Item* items, Item* other, std::int64_t n, Key key, std::vector<std::int64_t>& counts) {
  if (n <= kFewInsert) return insert(items, n, key), items;
  constexpr bool kWide = sizeof(items->bits) >= 4;
  if (kWide && n > kWideDigits) return by_digits<11>(items, other, n, key, counts);
  return by_digits<8>(items, other, n, key, counts);
}

// Where a row of the array begins.
template <class T>
T* row_of(const ir::BoundCall& call, const ir::BoundCall::Array& array, std::int64_t row) {
  T* at = array.as<T>();
  for (std::size_t i = call.extents().size() - 1; i-- > 0; row /= call.extents()[i])
    at += row % call.extents()[i] * array.strides[i];
  return at;
}

// Memory for two lists of a row's items, for each of several threads: of the workspace as far as
// that goes.
template <class Item>
class Lists {
 public:
  Lists(const ir::BoundCall& call, std::int64_t n)
      : n_(static_cast<std::size_t>(n)), workspace_(call.workspace()) {}
  // For one thread; `own` is where they are if there is no room left.
  Item* take(std::vector<Item>& own) {
    const std::size_t bytes = 2 * n_ * sizeof(Item), begin = taken_.fetch_add(1) * bytes;
    if (begin + bytes <= workspace_.size())
      return reinterpret_cast<Item*>(workspace_.data() + begin);
    own.resize(2 * n_);
    return own.data();
  }

 private:
  std::size_t n_;
  std::span<std::byte> workspace_;
  std::atomic<std::size_t> taken_{0};
};

template <class Item, class Bits, class Key>
void sort_rows(const ir::BoundCall& call, Key key, Lists<Item>& lists, std::int64_t begin,
               std::int64_t end) {
  const std::int64_t n = call.from_last(0);
  std::vector<Item> own;
  Item *const items = lists.take(own), *const other = items + n;
  std::vector<std::int64_t> counts;
  const std::int64_t step = call.operand(0).strides.back();
  const ir::BoundCall::Array &values = call.result(0), &places = call.result(1);
  for (std::int64_t row = begin; row < end; ++row) {
    const Bits* const from = row_of<const Bits>(call, call.operand(0), row);
    for (std::int64_t i = 0; i < n; ++i) items[i] = Item::make(from[i * step], i);
    const Item* const in_order = sorted(items, other, n, key, counts);
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

template <class Item, class Bits, class Key>
void sort_all(const ir::BoundCall& call, Key key, Workers& workers) {
  const std::int64_t n = call.from_last(0);
  std::int64_t rows = 1;
  for (const std::int64_t extent : call.extents().first(call.extents().size() - 1)) rows *= extent;
  Lists<Item> lists(call, n);
  workers.run(rows, kGrain / n + 1, true, [&](std::int64_t begin, std::int64_t end) {
    sort_rows<Item, Bits>(call, key, lists, begin, end);
  });
}

}  // namespace

void host_sort(const ir::BoundCall& call, Workers& workers) {
  const bool few = call.from_last(0) <= std::numeric_limits<std::uint32_t>::max();
  ir::with_sort_key(call.dtype(), call.op() == ir::Op::max, [&](auto bits, auto key) {
    using Bits = decltype(bits);
    if (call.result(1).data == nullptr) return sort_all<Bare<Bits>, Bits>(call, key, workers);
    if (few) return sort_all<Placed<Bits, std::uint32_t>, Bits>(call, key, workers);
    return sort_all<Placed<Bits, std::int64_t>, Bits>(call, key, workers);
  });
}

}  // namespace kiln::runtime
