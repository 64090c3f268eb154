#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <random>

#include "ir/error.h"
#include "ir/interpret.h"
#include "ir/reduce.h"
#include "tests/ir/graphs.h"

namespace kiln::ir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr DType kF32 = DType::float32;
constexpr DType kI64 = DType::int64;
using Values = std::vector<double>;

class GraphInterpret : public testing::Test {
 protected:
  Values value(NodeId n) {
    b.g.outputs = {n};
    EXPECT_EQ(verify(b.g), "");
    return b.value(n);
  }
  std::string error(NodeId n) {
    try {
      value(n);
    } catch (const InternalError& e) {
      return e.what();
    }
    return "no error";
  }
  test::Builder b;
};

TEST_F(GraphInterpret, LeavesAndMaps) {
  const Sym two = b.extent(2), three = b.extent(3);
  const NodeId x = b.input(kF32, {two, three}, {1, 2, 3, 4, 5, 6});
  const NodeId half =
      b.node(NodeKind::broadcast, kF32, {two, three}, {b.g.constant(kF32, bits_of(kF32, 0.5))});
  b.g.scalars.push_back(kF32);
  b.bindings.scalars.push_back(bits_of(kF32, 10));
  const NodeId s = b.node(NodeKind::scalar, kF32, {}, {});
  const NodeId spread = b.node(NodeKind::broadcast, kF32, {two, three}, {s});
  const NodeId y = b.map(Op::fma, kF32, {x, half, spread});
  EXPECT_THAT(value(y), ElementsAre(10.5, 11, 11.5, 12, 12.5, 13));
  EXPECT_THAT(value(s), ElementsAre(10));
  const NodeId less = b.map(Op::lt, DType::bool_, {x, spread});
  EXPECT_THAT(value(b.map(Op::select, kF32, {less, spread, x})),
              ElementsAre(10, 10, 10, 10, 10, 10));
  EXPECT_THAT(value(b.map(Op::cast, kI64, {y})), ElementsAre(10, 11, 11, 12, 12, 13));
  EXPECT_THAT(value(b.node(NodeKind::iota, DType::int8, {two, three}, {}, {}, 0)),
              ElementsAre(0, 0, 0, 1, 1, 1));
  EXPECT_THAT(value(b.node(NodeKind::iota, DType::uint32, {two, three}, {}, {}, 1)),
              ElementsAre(0, 1, 2, 0, 1, 2));
}

TEST_F(GraphInterpret, StridedInputs) {
  const Sym two = b.extent(2), three = b.extent(3);
  // The transpose of a (3, 2) array, and one row repeated.
  const NodeId t = b.input(kF32, {two, three}, {1, 2, 3, 4, 5, 6}, {kOne, two});
  EXPECT_THAT(value(t), ElementsAre(1, 3, 5, 2, 4, 6));
  const NodeId r = b.input(kF32, {two, three}, {1, 2, 3}, {kZero, kOne});
  EXPECT_THAT(value(r), ElementsAre(1, 2, 3, 1, 2, 3));
}

TEST_F(GraphInterpret, Views) {
  const Sym two = b.extent(2), three = b.extent(3), six = b.extent(6);
  const NodeId x = b.input(kF32, {two, three}, {1, 2, 3, 4, 5, 6});
  const NodeId t = b.node(NodeKind::permute, kF32, {three, two}, {x}, Axes{{1, 0}});
  EXPECT_THAT(value(t), ElementsAre(1, 4, 2, 5, 3, 6));
  const NodeId flat = b.node(NodeKind::reshape, kF32, {six}, {t}, Groups{{2}, {1}});
  EXPECT_THAT(value(flat), ElementsAre(1, 4, 2, 5, 3, 6));
  const NodeId column = b.input(kF32, {two, kOne}, {7, 8});
  EXPECT_THAT(value(b.node(NodeKind::broadcast, kF32, {three, two, two}, {column})),
              ElementsAre(7, 7, 8, 8, 7, 7, 8, 8, 7, 7, 8, 8));
}

TEST_F(GraphInterpret, SlicesCountBackwards) {
  const Sym two = b.extent(2), three = b.extent(3), six = b.extent(6);
  const NodeId x = b.input(kF32, {six}, {0, 1, 2, 3, 4, 5});
  const Sym five = b.sym(5), back = b.sym(-2);
  EXPECT_THAT(value(b.node(NodeKind::slice, kF32, {three}, {x}, Slices{{five}, {back}})),
              ElementsAre(5, 3, 1));
  EXPECT_THAT(value(b.node(NodeKind::slice, kF32, {two}, {x}, Slices{{kOne}, {two}})),
              ElementsAre(1, 3));
  EXPECT_THAT(value(b.node(NodeKind::slice, kF32, {kZero}, {x}, Slices{{six}, {kOne}})),
              ElementsAre());
  EXPECT_THAT(error(b.node(NodeKind::slice, kF32, {three}, {x}, Slices{{five}, {kOne}})),
              HasSubstr("3 elements from 5 by 1 of 6"));
}

TEST_F(GraphInterpret, PadAndConcat) {
  const Sym two = b.extent(2), three = b.extent(3), four = b.extent(4), five = b.extent(5);
  const NodeId x = b.input(kF32, {two, two}, {1, 2, 3, 4});
  const NodeId fill = b.g.constant(kF32, bits_of(kF32, 9));
  const NodeId p = b.node(NodeKind::pad, kF32, {three, four}, {x, fill}, Pads{{kOne, kZero}});
  EXPECT_THAT(value(p), ElementsAre(9, 9, 9, 9, 1, 2, 9, 9, 3, 4, 9, 9));
  const NodeId y = b.input(kF32, {two, three}, {5, 6, 7, 8, 9, 10});
  EXPECT_THAT(value(b.node(NodeKind::concat, kF32, {two, five}, {x, y}, {}, 1)),
              ElementsAre(1, 2, 5, 6, 7, 3, 4, 8, 9, 10));
  EXPECT_THAT(value(b.node(NodeKind::concat, kF32, {four, two}, {x, x}, {}, 0)),
              ElementsAre(1, 2, 3, 4, 1, 2, 3, 4));
  EXPECT_THAT(error(b.node(NodeKind::concat, kF32, {two, four}, {x, y}, {}, 1)),
              HasSubstr("do not add up"));
  EXPECT_THAT(error(b.node(NodeKind::pad, kF32, {two, two}, {x, fill}, Pads{{kOne, kZero}})),
              HasSubstr("does not fit"));
}

TEST_F(GraphInterpret, UpdatesReplaceAWindow) {
  const Sym two = b.extent(2), three = b.extent(3), four = b.extent(4), six = b.extent(6);
  const NodeId x = b.input(kF32, {two, three}, {1, 2, 3, 4, 5, 6});
  const NodeId y = b.input(kF32, {two, kOne}, {8, 9});
  const auto update = [&](NodeId base, NodeId v, std::vector<Sym> shape, const Slices& window) {
    return b.node(NodeKind::update, kF32, std::move(shape), {base, v}, window);
  };
  const Slices column{{kZero, kOne}, {kOne, kOne}};
  EXPECT_THAT(value(update(x, y, {two, three}, column)), ElementsAre(1, 8, 3, 4, 9, 6));
  EXPECT_THAT(value(x), ElementsAre(1, 2, 3, 4, 5, 6));
  const NodeId line = b.input(kF32, {six}, {0, 1, 2, 3, 4, 5});
  const NodeId v = b.input(kF32, {three}, {-1, -2, -3});
  EXPECT_THAT(value(update(line, v, {six}, {{kOne}, {two}})), ElementsAre(0, -1, 2, -2, 4, -3));
  // Of a base that nobody wants else, and of one that is the value as well.
  const NodeId sum = b.g.map(Op::add, kF32, std::vector<NodeId>{line, line});
  EXPECT_THAT(value(update(sum, v, {six}, {{three}, {kOne}})), ElementsAre(0, 2, 4, -1, -2, -3));
  EXPECT_THAT(value(update(sum, sum, {six}, {{kZero}, {kOne}})), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(error(update(line, v, {six}, {{four}, {kOne}})),
              HasSubstr("axis 0: 3 elements from 4 by 1 of 6"));
  EXPECT_THAT(error(update(line, v, {six}, {{two}, {two}})), HasSubstr("of 6"));
}

TEST_F(GraphInterpret, AJoinOfManyChecksItsBegins) {
  const Sym two = b.extent(2), four = b.extent(4);
  const NodeId x = b.input(kF32, {two}, {1, 2});
  EXPECT_THAT(value(b.node(NodeKind::concat, kF32, {four}, {x, x}, Pads{{kZero, two}}, 0)),
              ElementsAre(1, 2, 1, 2));
  EXPECT_THAT(error(b.node(NodeKind::concat, kF32, {four}, {x, x}, Pads{{kZero, kOne}}, 0)),
              HasSubstr("does not begin where the one before it ends"));
}

TEST_F(GraphInterpret, Reductions) {
  const Sym two = b.extent(2), three = b.extent(3);
  const Values data = {3, -1, 2, 0, 5, 4};
  const NodeId x = b.input(kF32, {two, three}, data);
  const auto reduce = [&](Op op, std::vector<Sym> shape, Axes axes, NodeId of, DType t) {
    return value(b.node(NodeKind::reduce, t, shape, {of}, axes, 0, op));
  };
  EXPECT_THAT(reduce(Op::add, {two}, {{1}}, x, kF32), ElementsAre(4, 9));
  EXPECT_THAT(reduce(Op::add, {three}, {{0}}, x, kF32), ElementsAre(3, 4, 6));
  EXPECT_THAT(reduce(Op::mul, {}, {{0, 1}}, x, kF32), ElementsAre(0));
  EXPECT_THAT(reduce(Op::min, {two}, {{1}}, x, kF32), ElementsAre(-1, 0));
  EXPECT_THAT(reduce(Op::max, {three}, {{0}}, x, kF32), ElementsAre(3, 5, 4));
  const NodeId bytes = b.input(DType::uint8, {two, three}, {200, 100, 1, 7, 6, 12});
  EXPECT_THAT(reduce(Op::add, {two}, {{1}}, bytes, DType::uint8), ElementsAre(45, 25));
  EXPECT_THAT(reduce(Op::and_, {two}, {{1}}, bytes, DType::uint8), ElementsAre(0, 4));
  EXPECT_THAT(reduce(Op::or_, {two}, {{1}}, bytes, DType::uint8), ElementsAre(237, 15));
  const NodeId flags = b.input(DType::bool_, {two, three}, {1, 1, 1, 0, 1, 0});
  EXPECT_THAT(reduce(Op::and_, {two}, {{1}}, flags, DType::bool_), ElementsAre(1, 0));
  EXPECT_THAT(reduce(Op::or_, {three}, {{0}}, flags, DType::bool_), ElementsAre(1, 1, 1));
  const double inf = HUGE_VAL;
  const NodeId none = b.input(kF32, {two, kZero}, {});
  EXPECT_THAT(reduce(Op::add, {two}, {{1}}, none, kF32), ElementsAre(0, 0));
  EXPECT_THAT(reduce(Op::mul, {two}, {{1}}, none, kF32), ElementsAre(1, 1));
  EXPECT_THAT(reduce(Op::min, {two}, {{1}}, none, kF32), ElementsAre(inf, inf));
  EXPECT_THAT(reduce(Op::max, {two}, {{1}}, none, kF32), ElementsAre(-inf, -inf));
}

TEST_F(GraphInterpret, ArgReductions) {
  const Sym two = b.extent(2), four = b.extent(4);
  const double nan = std::nan("");
  const NodeId x = b.input(kF32, {two, four}, {1, 3, 3, 0, 2, nan, nan, 5});
  const auto arg = [&](Op op, std::vector<Sym> shape, std::uint8_t axis, NodeId of) {
    return value(b.node(NodeKind::arg_reduce, kI64, shape, {of}, Axes{{axis}}, 0, op));
  };
  EXPECT_THAT(arg(Op::max, {two}, 1, x), ElementsAre(1, 1));
  EXPECT_THAT(arg(Op::min, {two}, 1, x), ElementsAre(3, 1));
  EXPECT_THAT(arg(Op::max, {four}, 0, x), ElementsAre(1, 1, 1, 1));
  const NodeId zeros = b.input(DType::float16, {two}, {0.0, -0.0});
  EXPECT_THAT(arg(Op::min, {}, 0, zeros), ElementsAre(0));
  EXPECT_THAT(arg(Op::max, {}, 0, zeros), ElementsAre(0));
}

TEST_F(GraphInterpret, Contractions) {
  const Sym two = b.extent(2), three = b.extent(3);
  for (const DType t : {kF32, DType::float64, DType::bfloat16, DType::int8}) {
    const NodeId x = b.input(t, {two, two, three}, {1, 2, 3, 4, 5, 6, 1, 0, 0, 0, 1, 0});
    const NodeId y = b.input(t, {two, three, two}, {1, 0, 0, 1, 1, 1, 7, 8, 9, 10, 11, 12});
    EXPECT_THAT(value(b.node(NodeKind::contract, t, {two, two, two}, {x, y})),
                ElementsAre(4, 5, 10, 11, 7, 8, 9, 10));
  }
}

TEST_F(GraphInterpret, Loops) {
  // (a, c) -> (a + c * step, c + a), three times.
  const Sym two = b.extent(2), three = b.extent(3);
  const NodeId a = b.input(kF32, {two}, {1, 2}), c = b.input(kF32, {two}, {0, 1});
  const NodeId step = b.input(kF32, {two}, {10, 100});
  test::Builder r;
  const NodeId ra = r.input(kF32, {two}, {}), rc = r.input(kF32, {two}, {});
  const NodeId rs = r.input(kF32, {two}, {});
  r.g.outputs = {r.map(Op::fma, kF32, {rc, rs, ra}), r.map(Op::add, kF32, {rc, ra})};
  b.g.regions.push_back(r.g);
  Node loop;
  loop.kind = NodeKind::loop;
  loop.dtype = kF32;
  loop.results = 2;
  const NodeId operands[] = {a, c, step};
  const Sym shape[] = {two};
  const auto items = [&](Sym count) {
    const NodeId n = b.g.add(loop, shape, operands, Loop{count, RegionId{0}});
    const NodeId first = b.node(NodeKind::item, kF32, {two}, {n}, {}, 0);
    return std::pair(first, b.node(NodeKind::item, kF32, {two}, {n}, {}, 1));
  };
  double x[2] = {1, 2}, y[2] = {0, 1};
  for (int k = 0; k < 3; ++k) {
    for (int i = 0; i < 2; ++i) {
      const double next = x[i] + y[i] * (i == 0 ? 10 : 100);
      y[i] += x[i];
      x[i] = next;
    }
  }
  const auto thrice = items(three);
  EXPECT_THAT(value(thrice.first), ElementsAre(x[0], x[1]));
  EXPECT_THAT(value(thrice.second), ElementsAre(y[0], y[1]));
  const auto never = items(kZero);
  EXPECT_THAT(value(never.second), ElementsAre(0, 1));
  const Graph back = parse_graph(print(b.g));
  EXPECT_EQ(back, b.g);
  EXPECT_EQ(hash(back), hash(b.g));
}

TEST_F(GraphInterpret, BindingsMustBeOfTheClass) {
  const Sym n = b.extent(5);
  const NodeId x = b.input(kF32, {n}, {1, 2, 3, 4, 5});
  b.g.syms[n] = {4, 7, 4};
  EXPECT_THAT(error(x), HasSubstr("s2 = 5 is outside its class"));
  b.g.syms[n] = {4, 7, 1};
  EXPECT_EQ(error(x), "no error");
}

// The canonical order, written as NUMERICS.md words it: by recursion, element by element.
template <class T>
T tree(std::vector<T> parts) {
  while (parts.size() > 1) {
    std::vector<T> next;
    for (std::size_t i = 0; i + 1 < parts.size(); i += 2) next.push_back(parts[i] + parts[i + 1]);
    if (parts.size() % 2 != 0) next.push_back(parts.back());
    parts = next;
  }
  return parts[0];
}
template <class T>
T canonical_sum(const std::vector<T>& x) {
  std::vector<T> chunks;
  for (std::size_t c = 0; c < x.size(); c += 1024) {
    std::vector<T> lanes;
    for (std::size_t i = c; i < std::min(c + 1024, x.size()); ++i) {
      if ((i - c) < 128)
        lanes.push_back(x[i]);
      else
        lanes[(i - c) % 128] += x[i];
    }
    chunks.push_back(tree(lanes));
  }
  return tree(chunks);
}

TEST(Reduce, SumsInTheCanonicalOrder) {
  std::mt19937 engine(7);
  std::normal_distribution<float> normal(0, 1000);
  for (const std::size_t n :
       {1u, 2u, 3u, 127u, 128u, 129u, 700u, 1023u, 1024u, 1025u, 5000u, 7200u}) {
    for (const std::size_t columns : {1u, 3u}) {
      std::vector<float> x(n * columns);
      for (float& v : x) v = normal(engine);
      std::vector<double> wide(x.begin(), x.end());
      std::vector<std::uint16_t> halves;
      for (const float v : x) halves.push_back(float_to_bfloat(v));
      std::vector<float> out(columns);
      std::vector<double> out_wide(columns);
      std::vector<std::uint16_t> out_half(columns);
      const auto rows = static_cast<std::int64_t>(n), width = static_cast<std::int64_t>(columns);
      reduce_rows(Op::add, kF32, rows, width, x.data(), out.data());
      reduce_rows(Op::add, DType::float64, rows, width, wide.data(), out_wide.data());
      reduce_rows(Op::add, DType::bfloat16, rows, width, halves.data(), out_half.data());
      for (std::size_t c = 0; c < columns; ++c) {
        std::vector<float> column, half_column;
        std::vector<double> wide_column;
        for (std::size_t i = 0; i < n; ++i) {
          column.push_back(x[i * columns + c]);
          wide_column.push_back(wide[i * columns + c]);
          half_column.push_back(bfloat_to_float(halves[i * columns + c]));
        }
        ASSERT_EQ(out[c], canonical_sum(column)) << n;
        ASSERT_EQ(out_wide[c], canonical_sum(wide_column)) << n;
        ASSERT_EQ(out_half[c], float_to_bfloat(canonical_sum(half_column))) << n;
      }
    }
  }
}

TEST(Reduce, SumsStartFromTheirFirstElement) {
  std::vector<float> x(2000, -0.0f);
  float out = 1;
  reduce_rows(Op::add, kF32, 2000, 1, x.data(), &out);
  EXPECT_TRUE(std::signbit(out));
  reduce_rows(Op::add, kF32, 0, 1, x.data(), &out);
  EXPECT_FALSE(std::signbit(out));
}

TEST(Reduce, IdentitiesChangeNothing) {
  for (const Op op : {Op::add, Op::mul, Op::min, Op::max, Op::and_, Op::or_}) {
    for (int d = 0; d < static_cast<int>(DType::complex64); ++d) {
      const DType t = static_cast<DType>(d);
      const DType types[2] = {t, t};
      if (!type_error(op, types, t).empty()) continue;
      for (const std::int64_t v : {0, 1, 5, -5, 100}) {
        const std::uint64_t in[] = {bits_of_int(t, v), reduce_identity(op, t)};
        EXPECT_EQ(evaluate_bits(op, t, t, in), in[0]) << info(op).name << brief(t) << v;
      }
    }
  }
}

// Memory is told before it is taken, and what is let go of is no longer held.
TEST_F(GraphInterpret, WatchSeesMemoryAndValues) {
  const Sym n = b.extent(100);
  const NodeId x = b.input(kF32, {n}, Values(100, 2));
  const NodeId y = b.map(Op::mul, kF32, {x, x});
  const NodeId z = b.map(Op::sqrt, kF32, {y});
  const NodeId sum = b.node(NodeKind::reduce, kF32, {}, {z}, Axes{{0}});
  b.g.nodes[sum].op = Op::add;
  b.g.outputs = {sum, y, sum};
  ASSERT_EQ(verify(b.g), "");
  std::vector<ArrayView> views;
  for (const auto& bytes : b.memory) views.push_back({bytes.data()});
  std::vector<std::pair<NodeId, std::int64_t>> memory;
  std::vector<std::pair<NodeId, float>> values;
  Watch watch;
  watch.memory = [&](NodeId node, std::int64_t held) { memory.emplace_back(node, held); };
  watch.value = [&](NodeId node, const std::byte* result,
                    std::span<const std::byte* const> operands) {
    float first = 0;
    std::memcpy(&first, result, sizeof first);
    values.emplace_back(node, first);
    EXPECT_EQ(operands.size(), b.g.operands(node).size());
    for (const std::byte* const operand : operands) EXPECT_NE(operand, nullptr);
  };
  const auto outputs = interpret(b.g, b.bindings, views, watch);
  using Pair = std::pair<NodeId, std::int64_t>;
  // x; y beside it; z beside y; for the sum a copy of its rows and the result; its second copy.
  EXPECT_THAT(memory, ElementsAre(Pair(x, 400), Pair(y, 800), Pair(z, 800), Pair(sum, 1200),
                                  Pair(sum, 1204), Pair(sum, 408)));
  using Value = std::pair<NodeId, float>;
  EXPECT_THAT(values, ElementsAre(Value(x, 2), Value(y, 4), Value(z, 2), Value(sum, 200)));
  EXPECT_EQ(outputs.size(), 3u);
  EXPECT_EQ(outputs[0], outputs[2]);
  watch.memory = [](NodeId, std::int64_t held) {
    if (held > 1000) throw std::runtime_error("enough");
  };
  EXPECT_THROW(interpret(b.g, b.bindings, views, watch), std::runtime_error);
}

}  // namespace
}  // namespace kiln::ir
