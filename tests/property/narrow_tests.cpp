// Index arithmetic of 32 bits at the largest sizes that are given it: no index that anything
// depends on overflows. Arithmetic alone is run, so that no memory is needed.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "ir/narrow.h"
#include "ir/traffic.h"
#include "passes/fuse.h"
#include "passes/nest.h"
#include "passes/plan.h"
#include "passes/schedule.h"
#include "runtime/targets.h"
#include "tests/plans/programs.h"

namespace kiln {
namespace {

using ir::DType;
using ir::Op;
using testing::Program;
using Id = Program::Id;
using Shape = std::vector<std::int64_t>;

constexpr std::int64_t kTwoTo31 = std::int64_t{1} << 31;

// Program::input without data.
Id input(Program& p, DType dtype, const Shape& shape) {
  p.graph.inputs.push_back({dtype, true, true, false, {}});
  ir::Node node;
  node.kind = ir::NodeKind::buffer;
  node.dtype = dtype;
  const Id id = p.graph.add(node, p.extents(shape), {});
  p.graph.nodes[id].attr = static_cast<std::uint32_t>(p.graph.inputs.size() - 1);
  return id;
}

Id strided(Program& p, DType dtype, const Shape& shape, const Shape& strides) {
  const Id id = input(p, dtype, shape);
  ir::Input& in = p.graph.inputs.back();
  in.dense = false;
  for (const std::int64_t stride : strides) in.strides.push_back(p.integer(stride));
  return id;
}

Id plus_one(Program& p, Id x) { return p.map(Op::add, {x, p.constant(p.graph.nodes[x].dtype, 1)}); }

Id softmax(Program& p, Id x, std::uint8_t axis) {
  const Id shifted = p.map(Op::sub, {x, p.reduce(Op::max, x, {axis}, true)});
  const Id e = p.map(Op::exp, {shifted});
  return p.map(Op::div, {e, p.reduce(Op::add, e, {axis}, true)});
}

// x in rows or columns, as far as n elements go.
struct Matrix {
  std::int64_t rows, columns;
};
std::vector<Matrix> matrices(std::int64_t n) {
  std::vector<Matrix> all;
  for (const std::int64_t side : {2, 33, 1000, 46000, 1 << 20}) {
    all.push_back({side, n / side});
    all.push_back({n / side, side});
  }
  return all;
}

using Add =
    std::function<void(const std::string& name, const std::function<void(Program&)>& build)>;

void pointwise(std::int64_t n, const Add& add) {
  for (const DType type : {DType::uint8, DType::float16, DType::float32, DType::float64}) {
    for (const std::int64_t size : {n, n / 16 * 16}) {
      add("chain", [=](Program& p) { p.output(plus_one(p, input(p, type, {size}))); });
    }
  }
  add("unaligned", [=](Program& p) {
    p.output(plus_one(p, input(p, DType::float32, {n})));
    p.graph.inputs[0].aligned = false;
  });
  add("a total beside", [=](Program& p) {
    const Id x = input(p, DType::uint8, {n / 16 * 16});
    p.output(p.map(Op::mul, {x, input(p, DType::uint8, {})}));
  });
  add("iota", [=](Program& p) { p.output(plus_one(p, p.iota(DType::int64, {n}, 0))); });
  add("reversed",
      [=](Program& p) { p.output(p.slice(input(p, DType::float32, {n}), {n - 1}, {-1}, {n})); });
  add("every other",
      [=](Program& p) { p.output(p.slice(input(p, DType::float32, {n}), {1}, {2}, {n / 2})); });
  add("from afar", [=](Program& p) {
    p.output(plus_one(p, p.slice(input(p, DType::float32, {n}), {n - 1000}, {1}, {1000})));
  });
  add("steps afar", [=](Program& p) {
    p.output(p.slice(input(p, DType::float32, {n}), {5}, {(n - 6) / 2}, {3}));
  });
  for (const Matrix m : matrices(n)) {
    const std::int64_t rows = m.rows, columns = m.columns;
    add("row and column", [=](Program& p) {
      const Id sum = p.map(
          Op::add, {input(p, DType::float32, {rows, 1}), input(p, DType::float32, {columns})});
      p.output(p.map(Op::mul, {sum, input(p, DType::float32, {rows, columns})}));
    });
    add("transposed", [=](Program& p) {
      const Id x = input(p, DType::float32, {rows, columns});
      p.output(p.map(Op::add, {x, p.permute(input(p, DType::float32, {columns, rows}), {1, 0})}));
    });
    add("transposed bytes",
        [=](Program& p) { p.output(p.permute(input(p, DType::uint8, {columns, rows}), {1, 0})); });
    add("numbers", [=](Program& p) { p.output(p.iota(DType::int32, {rows, columns}, 0)); });
    add("reversed rows", [=](Program& p) {
      p.output(p.slice(input(p, DType::int8, {rows, columns}), {rows - 1, columns - 1}, {-1, -1},
                       {rows, columns}));
    });
  }
}

void joins(std::int64_t n, const Add& add) {
  for (const DType type : {DType::uint8, DType::float32}) {
    add("halves", [=](Program& p) {
      p.output(plus_one(p, p.concat({input(p, type, {n / 2}), input(p, type, {n - n / 2})}, 0)));
    });
    add("a little at the end", [=](Program& p) {
      p.output(p.concat({input(p, type, {n - 100}), input(p, type, {100})}, 0));
    });
    add("padded far", [=](Program& p) {
      p.output(plus_one(p, p.pad(input(p, type, {1000}), {n - 1000}, {n}, 0)));
    });
    add("padded", [=](Program& p) { p.output(p.pad(input(p, type, {n - 20}), {7}, {n}, 1)); });
    add("rolled", [=](Program& p) {
      const Id x = input(p, type, {n / 2});
      p.output(p.slice(p.concat({x, x}, 0), {n / 2 - 3}, {1}, {n / 2}));
    });
    add("difference of neighbours", [=](Program& p) {
      const Id x = input(p, type, {n});
      p.output(p.map(Op::sub, {p.slice(x, {1}, {1}, {n - 1}), p.slice(x, {0}, {1}, {n - 1})}));
    });
    add("picture in a frame", [=](Program& p) {
      const std::int64_t side = 20000, height = n / (side * 3);
      const Id x = input(p, type, {height - 2, side - 2, 3});
      p.output(p.pad(x, {1, 1, 0}, {height, side, 3}, 0));
    });
  }
  for (const Matrix m : matrices(n)) {
    const std::int64_t rows = m.rows, columns = m.columns;
    add("joined below", [=](Program& p) {
      p.output(p.concat(
          {input(p, DType::float32, {rows - 1, columns}), input(p, DType::float32, {1, columns})},
          0));
    });
    add("joined beside", [=](Program& p) {
      p.output(p.concat(
          {input(p, DType::float32, {rows, columns - 1}), input(p, DType::float32, {rows, 1})}, 1));
    });
    add("padded rows", [=](Program& p) {
      p.output(p.pad(input(p, DType::float32, {1, columns}), {rows - 1, 0}, {rows, columns}, 0));
    });
  }
}

// Few elements of a large array, wanted at each of several channels.
void channels(std::int64_t n, const Add& add) {
  add("from afar, with channels", [=](Program& p) {
    const Id x = p.slice(input(p, DType::float32, {n}), {n - 1000}, {1}, {1000});
    p.output(p.map(Op::mul, {p.reshape(x, {1000, 1}), input(p, DType::float32, {1000, 3})}));
  });
  add("a far row, with channels", [=](Program& p) {
    const Id x = input(p, DType::float32, {1000, n / 1000});
    const Id row = p.slice(x, {999, 5}, {1, 1}, {1, 1000});
    p.output(p.map(Op::mul, {p.reshape(row, {1000, 1}), input(p, DType::float32, {1000, 3})}));
  });
  add("far rows, with channels", [=](Program& p) {
    const Id x = input(p, DType::float32, {1000, n / 1000});
    const Id part = p.slice(x, {7, 5}, {1, 1}, {993, 1000});
    p.output(p.map(Op::mul,
                   {p.reshape(part, {993, 1000, 1}), input(p, DType::float32, {993, 1000, 3})}));
  });
  add("rolled, with channels", [=](Program& p) {
    const Id x = input(p, DType::float32, {n / 3}), twice = p.concat({x, x}, 0);
    const Id rolled = p.slice(twice, {n / 3 - 3}, {1}, {n / 3});
    p.output(p.map(Op::mul, {p.reshape(rolled, {n / 3, 1}), input(p, DType::float32, {3})}));
  });
  add("a frame, with channels", [=](Program& p) {
    const Id x = p.pad(input(p, DType::float32, {20}), {n / 3 - 30}, {n / 3}, 0);
    p.output(p.map(Op::mul, {p.reshape(x, {n / 3, 1}), input(p, DType::float32, {3})}));
  });
}

// Few elements, far apart in memory.
void spread(std::int64_t n, const Add& add) {
  add("four elements",
      [=](Program& p) { p.output(plus_one(p, strided(p, DType::float32, {4}, {(n - 1) / 3}))); });
  add("rows apart", [=](Program& p) {
    p.output(plus_one(p, strided(p, DType::float32, {1000, 1000}, {(n - 1000) / 999, 1})));
  });
  add("columns apart", [=](Program& p) {
    const Id x = strided(p, DType::uint8, {1000, 1000}, {1, (n - 1000) / 999});
    p.output(p.reduce(Op::max, x, {0}));
    p.output(p.reduce(Op::max, x, {1}));
  });
  add("joined to what is dense", [=](Program& p) {
    p.output(p.concat(
        {strided(p, DType::float32, {3}, {(n - 1) / 2}), input(p, DType::float32, {100'000})}, 0));
  });
}

void reductions(std::int64_t n, const Add& add) {
  for (const DType type : {DType::uint8, DType::float32}) {
    for (const std::int64_t size : {n, n / 16 * 16}) {
      add("sum", [=](Program& p) { p.output(p.reduce(Op::add, input(p, type, {size}), {0})); });
      add("argmax", [=](Program& p) { p.output(p.arg(Op::max, input(p, type, {size}), 0)); });
    }
  }
  add("one long softmax",
      [=](Program& p) { p.output(softmax(p, input(p, DType::float32, {1, n}), 1)); });
  for (const Matrix m : matrices(n)) {
    const std::int64_t rows = m.rows, columns = m.columns;
    for (const std::uint8_t axis : {0, 1}) {
      add("sums", [=](Program& p) {
        p.output(p.reduce(Op::add, input(p, DType::float32, {rows, columns}), {axis}));
      });
      add("sums of bytes", [=](Program& p) {
        p.output(p.reduce(Op::add, input(p, DType::uint8, {rows, columns}), {axis}));
      });
      add("softmax", [=](Program& p) {
        p.output(softmax(p, input(p, DType::float32, {rows, columns}), axis));
      });
      add("argmin", [=](Program& p) {
        p.output(p.arg(Op::min, input(p, DType::float32, {rows, columns}), axis));
      });
    }
    add("all of it", [=](Program& p) {
      const Id x = input(p, DType::float32, {rows, columns});
      p.output(p.reduce(Op::add, p.map(Op::mul, {x, input(p, DType::float32, {columns})}), {0, 1}));
    });
    add("middle", [=](Program& p) {
      p.output(p.reduce(Op::add, input(p, DType::float32, {7, rows, columns / 7}), {1}));
    });
    add("outer and inner", [=](Program& p) {
      p.output(p.reduce(Op::add, input(p, DType::float32, {7, rows, columns / 7}), {0, 2}));
    });
  }
}

void tiles(std::int64_t n, const Add& add) {
  for (const std::int64_t depth : {3, 64, 500, 3000}) {
    for (const std::int64_t rows : {40, 3000}) {
      const std::int64_t columns = n / depth / rows;
      const auto distances = [=](Program& p) {
        const Id d = p.map(Op::sub, {input(p, DType::float32, {rows, 1, depth}),
                                     input(p, DType::float32, {1, columns, depth})});
        return p.reduce(Op::add, p.map(Op::mul, {d, d}), {2});
      };
      add("distances", [=](Program& p) { p.output(distances(p)); });
      add("nearest", [=](Program& p) { p.output(p.arg(Op::min, distances(p), 1)); });
    }
  }
}

class Narrow : public ::testing::Test {
 protected:
  // Every kernel of the program; gives the farthest step that their schedules state.
  static std::int64_t check(const std::string& name, const std::function<void(Program&)>& build,
                            std::string* findings) {
    Program p;
    build(p);
    ir::Graph graph = p.graph;
    for (const char* const pass : {"dead", "simplify"}) graph = passes::run_graph_pass(pass, graph);
    const ir::Caps caps = runtime::target_caps("sm_80").value();
    passes::Partition partition = passes::fuse(graph, caps);
    passes::nest_reductions(graph, caps, {}, partition);
    std::int64_t step = 0;
    for (const passes::Cluster& cluster : partition.clusters) {
      const passes::Space space = passes::space_of(graph, caps, partition, cluster);
      const passes::Scheduled s = passes::schedule({graph, partition, cluster, space, caps});
      step = std::max(step, s.step);
      schedules_.insert(s.name);
      for (const passes::ScheduledKernel& k : s.kernels) {
        EXPECT_EQ(k.kernel->index, DType::int32);
        std::vector<std::int64_t> integers;
        for (const auto& a : k.arguments) {
          std::int64_t value = a.kind == ir::ParamKind::integer ? p.bindings.syms[a.index] : 0;
          if (!a.factors.empty()) value = 1;
          for (const ir::Sym f : a.factors) value *= p.bindings.syms[f];
          integers.push_back(value);
        }
        const std::string wrapped = ir::wrapped_indices(*k.kernel, integers);
        if (!wrapped.empty()) *findings += name + ", " + s.name + ":\n" + wrapped;
      }
    }
    return step;
  }

  static void expect_none(const std::string& name, const std::function<void(Program&)>& build) {
    std::string findings;
    check(name, build, &findings);
    EXPECT_EQ(findings, "");
  }

  inline static std::set<std::string> schedules_;
};

TEST_F(Narrow, NoIndexOverflowsAtTheLargestSizes) {
  schedules_.clear();
  for (const auto& programs : {pointwise, joins, channels, spread, reductions, tiles}) {
    std::vector<std::int64_t> steps;
    programs(ir::kWideElements - 1, [&](const std::string& name, const auto& build) {
      std::string findings;
      steps.push_back(check(name, build, &findings));
      EXPECT_LE(steps.back(), ir::kFarthestStep) << name;
      EXPECT_EQ(findings, "");
    });
    // What a schedule says of its steps is true: as much room is enough.
    for (const std::int64_t step : std::set<std::int64_t>(steps.begin(), steps.end())) {
      std::size_t number = 0;
      programs(kTwoTo31 - 1 - step, [&](const std::string& name, const auto& build) {
        if (steps[number++] == step) expect_none(name, build);
      });
    }
  }
  for (const char* const name :
       {"pointwise", "transpose", "columns", "split columns", "split rows", "tiled",
        "rows, several a warp", "rows, a warp each", "rows, a block each",
        "rows, several a warp, kept in registers", "rows, a warp each, kept in registers",
        "rows, a block each, kept in registers"}) {
    EXPECT_TRUE(schedules_.contains(name)) << name;
  }
}

// What went wrong without room.
TEST_F(Narrow, OverflowIsFound) {
  const auto findings = [](const std::function<void(Program&)>& build) {
    std::string text;
    check("", build, &text);
    return text;
  };
  EXPECT_NE(findings([](Program& p) {
              p.output(plus_one(p, input(p, DType::uint8, {kTwoTo31 - 2000})));
            }),
            "");
  EXPECT_NE(findings([](Program& p) {
              p.output(p.reduce(Op::add, input(p, DType::uint8, {kTwoTo31 - 2000}), {0}));
            }),
            "");
  EXPECT_NE(findings([](Program& p) {
              p.output(plus_one(p, strided(p, DType::float32, {4}, {kTwoTo31 / 3 + 1})));
            }),
            "");
}

}  // namespace
}  // namespace kiln
