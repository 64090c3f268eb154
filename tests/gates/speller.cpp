#include "tests/gates/speller.h"

#include <string>

namespace kiln_gates {

using kn::Array;
using kn::Keep;

namespace {

constexpr int kCastEvery = 3;  // so that a chain of 512 operations stays below a kernel's 1024

Array there_and_back(const Array& x) {
  switch (x.dtype()) {
    case kn::float32:
      return x.astype(kn::float64).astype(kn::float32);
    case kn::float16:
    case kn::bfloat16:
      return x.astype(kn::float32).astype(x.dtype());
    case kn::int32:
      return x.astype(kn::int64).astype(kn::int32);
    default:
      return x;
  }
}

// Whether y broadcasts to x's shape, so that x can be updated by it.
bool fits(const Array& x, const Array& y) {
  const std::int64_t shift = x.ndim() - y.ndim();
  bool fit = shift >= 0;
  for (std::int64_t i = 0; fit && i < y.ndim(); ++i) {
    fit = y.shape(i) == 1 || y.shape(i) == x.shape(shift + i);
  }
  return fit;
}

kn::Shape without(const kn::Shape& shape, std::int64_t axis) {
  std::vector<std::int64_t> extents(shape.begin(), shape.end());
  extents.erase(extents.begin() + axis);
  return kn::Shape(extents);
}

}  // namespace

const char* name(Spelling spelling) {
  constexpr const char* kNames[] = {"plain",
                                    "operands swapped",
                                    "reshape for keepdims",
                                    "split statements",
                                    "another axis order",
                                    "named locals alive",
                                    "casts added"};
  return kNames[static_cast<int>(spelling)];
}

Array Speller::done(Array x) {
  ++made_;
  if (is(Spelling::cast) && made_ % kCastEvery == 0) x = there_and_back(x);
  if (is(Spelling::split)) x = x(kn::ellipsis);
  if (is(Spelling::held)) {
    x = x.named("t" + std::to_string(made_));
    hold(x);
  }
  return x;
}

template <class F>
Array Speller::binary(const Array& a, const Array& b, F f) {
  if (is(Spelling::axes) && a.ndim() == b.ndim() && a.ndim() >= 2) {
    return done(kn::transpose(f(kn::transpose(a), kn::transpose(b))));
  }
  return done(f(a, b));
}

Array Speller::add(const Array& a, const Array& b) {
  return binary(a, b, [&](const Array& x, const Array& y) {
    if (is(Spelling::swapped)) return y + x;
    if (!is(Spelling::split) || !fits(x, y)) return x + y;
    Array t = x;
    t += y;
    return t;
  });
}
Array Speller::add(const Array& a, float b) { return done(is(Spelling::swapped) ? b + a : a + b); }

Array Speller::sub(const Array& a, const Array& b) {
  return binary(a, b, [&](const Array& x, const Array& y) {
    if (is(Spelling::swapped)) return -y + x;
    if (!is(Spelling::split) || !fits(x, y)) return x - y;
    Array t = x;
    t -= y;
    return t;
  });
}
Array Speller::sub(const Array& a, float b) { return done(is(Spelling::swapped) ? -b + a : a - b); }

Array Speller::mul(const Array& a, const Array& b) {
  return binary(a, b, [&](const Array& x, const Array& y) {
    if (is(Spelling::swapped)) return y * x;
    if (!is(Spelling::split) || !fits(x, y)) return x * y;
    Array t = x;
    t *= y;
    return t;
  });
}
Array Speller::mul(const Array& a, float b) { return done(is(Spelling::swapped) ? b * a : a * b); }

Array Speller::div(const Array& a, const Array& b) {
  return binary(a, b, [&](const Array& x, const Array& y) {
    if (!is(Spelling::split) || !fits(x, y)) return x / y;
    Array t = x;
    t /= y;
    return t;
  });
}
Array Speller::div(const Array& a, float b) { return done(a / b); }

Array Speller::less(const Array& a, const Array& b) {
  return binary(
      a, b, [&](const Array& x, const Array& y) { return is(Spelling::swapped) ? y > x : x < y; });
}
Array Speller::less(const Array& a, float b) { return done(is(Spelling::swapped) ? b > a : a < b); }

Array Speller::equal(const Array& a, const Array& b) {
  return binary(a, b, [&](const Array& x, const Array& y) {
    return is(Spelling::swapped) ? y == x : x == y;
  });
}

Array Speller::maximum(const Array& a, const Array& b) {
  return binary(a, b, [&](const Array& x, const Array& y) {
    return is(Spelling::swapped) ? kn::maximum(y, x) : kn::maximum(x, y);
  });
}

Array Speller::where(const Array& c, const Array& yes, const Array& no) {
  return done(is(Spelling::swapped) ? kn::where(!c, no, yes) : kn::where(c, yes, no));
}

// f(array, axis, keep) reduces one axis.
template <class F>
Array Speller::along(const Array& x, std::int64_t axis, Keep keep, F f) {
  const std::int64_t ndim = x.ndim();
  if (axis < 0) axis += ndim;
  if (is(Spelling::axes) && ndim >= 2) {
    return done(kn::transpose(f(kn::transpose(x), ndim - 1 - axis, keep)));
  }
  if (is(Spelling::swapped)) return done(f(x, axis - ndim, keep));  // counted from the other end
  if (is(Spelling::reshaped)) {
    if (keep == Keep::no) {
      const Array kept = f(x, axis, kn::keepdims);
      return done(kept.reshape(without(kept.shape(), axis)));
    }
    const Array dropped = f(x, axis, Keep::no);
    if (made_ % 2 == 0) return done(kn::expand_dims(dropped, axis));
    std::vector<std::int64_t> extents(dropped.shape().begin(), dropped.shape().end());
    extents.insert(extents.begin() + axis, 1);
    return done(dropped.reshape(kn::Shape(extents)));
  }
  return done(f(x, axis, keep));
}

Array Speller::sum(const Array& x, std::int64_t axis, Keep keep) {
  return along(x, axis, keep,
               [](const Array& a, std::int64_t i, Keep k) { return kn::sum(a, i, k); });
}
Array Speller::max(const Array& x, std::int64_t axis, Keep keep) {
  return along(x, axis, keep,
               [](const Array& a, std::int64_t i, Keep k) { return kn::max(a, {i}, k); });
}
Array Speller::mean(const Array& x, std::int64_t axis, Keep keep) {
  if (is(Spelling::split)) {
    const auto count = static_cast<float>(x.shape(axis));
    return div(sum(x, axis, keep), count);
  }
  return along(x, axis, keep,
               [](const Array& a, std::int64_t i, Keep k) { return kn::mean(a, i, k); });
}
Array Speller::argmin(const Array& x, std::int64_t axis) {
  return along(x, axis, Keep::no,
               [](const Array& a, std::int64_t i, Keep k) { return kn::argmin(a, i, k); });
}

Array Speller::sum(const Array& x) {
  if (is(Spelling::reshaped)) return done(kn::sum(kn::flatten(x), 0));
  return done(is(Spelling::split) ? kn::sum(x, kn::all_axes, kn::keepdims).reshape({})
                                  : kn::sum(x));
}
Array Speller::max(const Array& x) {
  if (is(Spelling::reshaped)) return done(kn::max(kn::flatten(x), {0}));
  return done(kn::max(x));
}
Array Speller::mean(const Array& x) {
  if (is(Spelling::split)) return div(sum(x), static_cast<float>(x.size()));
  if (is(Spelling::reshaped)) return done(kn::mean(kn::flatten(x), 0));
  return done(kn::mean(x));
}
Array Speller::argmax(const Array& x) {
  if (is(Spelling::reshaped)) return done(kn::argmax(kn::flatten(x), 0));
  return done(kn::argmax(x));
}

}  // namespace kiln_gates
