// Control flow, lanes, rare regions, random kernels: compiled against interpreted, bit for bit.
#include <atomic>
#include <cmath>
#include <thread>

#include "ir/error.h"
#include "tests/codegen/llvm/support.h"

namespace kiln::codegen::tests {
namespace {

using ir::DType;
using ir::Op;
using ir::Value;

ir::KernelBuilder cpu_kernel() { return {ir::Target::cpu, DType::int64}; }

TEST(LlvmKernel, RunsTheItemsAsked) {
  KILN_REQUIRE_HOST();
  ir::KernelBuilder b = cpu_kernel();
  const std::uint32_t y = b.buffer(DType::int64, "y", false);
  const Value item = b.begin_grid();
  b.store(y, item, b.mul(item, b.index(3)));
  b.end();
  const ir::Kernel kernel = b.finish();
  expect_as_interpreted(kernel, {Array(DType::int64, 32)}, 0, 32);
  expect_as_interpreted(kernel, {Array(DType::int64, 32)}, 7, 19);
  expect_as_interpreted(kernel, {Array(DType::int64, 32)}, 5, 5);
}

TEST(LlvmKernel, ScalarParams) {
  KILN_REQUIRE_HOST();
  for (const DType dtype : real_dtypes()) {
    ir::KernelBuilder b = cpu_kernel();
    const std::uint32_t y = b.buffer(dtype, "y", false), z = b.buffer(DType::float32, "z", false);
    const Value s = b.scalar(dtype, "s");
    const Value item = b.begin_grid();
    b.store(y, b.mul(item, b.index(4)), b.splat(s, 4));
    b.store(z, item, b.op(Op::cast, DType::float32, {s}));
    b.end();
    Random random{17};
    const auto bits = static_cast<std::int64_t>(random_element(dtype, random));
    expect_as_interpreted(b.finish(), {Array(dtype, 8), Array(DType::float32, 2), bits}, 0, 2);
  }
}

TEST(LlvmKernel, LoopsAndBranches) {
  KILN_REQUIRE_HOST();
  ir::KernelBuilder b = cpu_kernel();
  const std::uint32_t x = b.buffer(DType::int32, "x", true), y = b.buffer(DType::int32, "y", false);
  const std::uint32_t total = b.local(DType::int32, 2, "total");
  const Value n = b.integer("n"), step = b.integer("step");
  const Value item = b.begin_grid();
  const Value zero = b.constant(DType::int32, 0);
  b.store(total, b.index(0), zero);
  b.store(total, b.index(1), zero);
  const Value i = b.begin_loop(item, n, step);
  const Value v = b.load(x, i);
  b.begin_if(b.op(Op::lt, DType::bool_, {v, zero}));
  const Value j =
      b.begin_loop(b.index(0), b.op(Op::irem, DType::int64, {i, b.index(3)}), b.index(1));
  b.store(total, b.index(0), b.add(b.load(total, b.index(0)), b.op(Op::cast, DType::int32, {j})));
  b.end();
  b.begin_else();
  b.begin_if(b.op(Op::eq, DType::bool_,
                  {b.op(Op::and_, DType::int32, {v, b.constant(DType::int32, 1)}), zero}));
  b.store(total, b.index(1), b.add(b.load(total, b.index(1)), v));
  b.end();
  b.end();
  b.end();
  b.store(y, item, b.sub(b.load(total, b.index(1)), b.load(total, b.index(0))));
  b.end();
  const ir::Kernel kernel = b.finish();
  for (const std::int64_t count : {0, 1, 40, 97}) {
    for (const std::int64_t by : {1, 7}) {
      expect_as_interpreted(
          kernel, {random_array(DType::int32, 97, 8), Array(DType::int32, 12), count, by}, 0, 12);
    }
  }
}

TEST(LlvmKernel, UnrolledLoops) {
  KILN_REQUIRE_HOST();
  ir::KernelBuilder b = cpu_kernel();
  const std::uint32_t y = b.buffer(DType::int64, "y", false);
  const std::uint32_t a = b.local(DType::int64, 12, "a");
  const Value item = b.begin_grid();
  const Value i = b.begin_loop(b.index(0), b.index(12), b.index(4), true);
  const Value j = b.begin_loop(b.index(0), b.index(4), b.index(1), true);
  b.store(a, b.add(i, j), b.mul(b.add(i, item), b.add(j, b.index(1))));
  b.end();
  b.end();
  const Value none = b.begin_loop(b.index(3), b.index(3), b.index(1), true);
  b.store(a, none, none);
  b.end();
  const Value k = b.begin_loop(b.index(1), b.index(12), b.index(5), true);
  b.store(y, b.add(b.mul(item, b.index(12)), k), b.load(a, k));
  b.end();
  b.end();
  const ir::Kernel kernel = b.finish();
  expect_as_interpreted(kernel, {Array(DType::int64, 36)}, 0, 3);
  const std::string text = llvm_ir(kernel, host());
  EXPECT_EQ(text.find("alloca"), std::string::npos) << text;
}

TEST(LlvmKernel, LanesOfEveryType) {
  KILN_REQUIRE_HOST();
  for (const DType dtype : real_dtypes()) {
    for (const int lanes : {2, 8, 64}) {
      ir::KernelBuilder b = cpu_kernel();
      const std::uint32_t x = b.buffer(dtype, "x", true), y = b.buffer(dtype, "y", false);
      const std::uint32_t flags = b.buffer(DType::bool_, "flags", false);
      const Value item = b.begin_grid();
      const Value at = b.mul(item, b.index(4 * lanes));
      const Value p = b.load(x, at, lanes), q = b.load(x, b.add(at, b.index(lanes)), lanes);
      b.store(y, at, b.join(p, q));
      b.store(y, b.add(at, b.index(2 * lanes)), b.join(b.odd(p), b.even(q)));
      const DType whole = ir::is_int(dtype) ? dtype : DType::int32;
      b.store(y, b.add(at, b.index(3 * lanes)), b.op(Op::cast, dtype, {b.lane(whole, lanes)}));
      b.store(y, b.add(at, b.index(3 * lanes)), b.join(b.extract(q, lanes - 1), b.extract(p, 1)));
      const Value less = b.op(Op::lt, DType::bool_, {p, q});
      b.store(flags, b.mul(item, b.index(2)), b.any(less));
      b.store(flags, b.add(b.mul(item, b.index(2)), b.index(1)),
              b.any(b.op(Op::and_, DType::bool_, {less, b.op(Op::lt, DType::bool_, {q, p})})));
      b.end();
      expect_as_interpreted(
          b.finish(),
          {random_array(dtype, 16 * lanes, 3), Array(dtype, 16 * lanes), Array(DType::bool_, 8)}, 0,
          4);
    }
  }
}

// Lanes that need the rare parts of expansions, few and many, in every position.
TEST(LlvmKernel, RareRegionsOfExpansions) {
  KILN_REQUIRE_HOST();
  for (const DType dtype : {DType::float32, DType::float64, DType::float16}) {
    for (const int lanes : {1, 8, 32, 128}) {
      ir::KernelBuilder b = cpu_kernel();
      const std::uint32_t x = b.buffer(dtype, "x", true);
      std::vector<std::uint32_t> out;
      for (int i = 0; i < 5; ++i) out.push_back(b.buffer(dtype, "y" + std::to_string(i), false));
      const Value at = b.mul(b.begin_grid(), b.index(lanes));
      const Value v = b.load(x, at, lanes);
      const Value sine = b.op(Op::sin, dtype, {v});
      b.store(out[0], at, sine);
      b.store(out[1], at, b.op(Op::cos, dtype, {b.op(Op::mul, dtype, {v, sine})}));
      b.store(out[2], at, b.op(Op::exp, dtype, {v}));
      b.store(out[3], at, b.op(Op::log, dtype, {v}));
      b.store(out[4], at, b.op(Op::pow, dtype, {b.op(Op::abs, dtype, {v}), sine}));
      b.end();
      constexpr std::int64_t kCount = 1024;
      Array numbers(dtype, kCount);
      for (std::int64_t i = 0; i < kCount; ++i) {
        const bool special = i >= 512 || i % 37 == 5;
        const double sign = i % 3 == 0 ? -1 : 1;
        const double plain = sign * static_cast<double>(i % 50) * 0.11;
        numbers.set(
            i, ir::bits_of(dtype, special ? sign * std::ldexp(1.37, static_cast<int>(i % 200) - 60)
                                          : plain));
      }
      std::vector<Argument> arguments{numbers};
      for (int i = 0; i < 5; ++i) arguments.emplace_back(Array(dtype, kCount));
      expect_as_interpreted(b.finish(), arguments, 0, kCount / lanes);
    }
  }
}

// A straight line of random operations on random types and widths.
ir::Kernel random_kernel(Random& random, int lanes, std::vector<Argument>& arguments,
                         std::int64_t count) {
  ir::KernelBuilder b = cpu_kernel();
  std::vector<Value> values;
  const auto type_of = [&](std::int64_t i) { return real_dtypes()[static_cast<std::size_t>(i)]; };
  const auto types = static_cast<std::int64_t>(real_dtypes().size());
  std::vector<std::uint32_t> in;
  for (int i = 0; i < 4; ++i) {
    const DType dtype = type_of(random.below(types));
    in.push_back(b.buffer(dtype, "x" + std::to_string(i), true));
    arguments.emplace_back(random_array(dtype, count, random.next()));
  }
  std::vector<std::uint32_t> out;
  std::vector<DType> out_types;
  for (int i = 0; i < 4; ++i) {
    out_types.push_back(type_of(random.below(types)));
    out.push_back(b.buffer(out_types.back(), "y" + std::to_string(i), false));
    arguments.emplace_back(Array(out_types.back(), count));
  }
  const Value at = b.mul(b.begin_grid(), b.index(lanes));
  for (const std::uint32_t memory : in) values.push_back(b.load(memory, at, lanes));
  const auto pick = [&] {
    return values[static_cast<std::size_t>(random.below(std::ssize(values)))];
  };
  const auto as = [&](DType dtype, Value v) { return b.op(Op::cast, dtype, {v}); };
  for (int k = 0; k < 24; ++k) {
    const Op op = static_cast<Op>(random.below(ir::kOpCount));
    if (op == Op::bitcast) continue;
    const Value first = pick();
    const DType type = b.dtype(first);
    std::vector<Value> args{first, as(type, pick()), as(type, pick())};
    if (op == Op::select) args.insert(args.begin(), as(DType::bool_, pick()));
    args.resize(ir::info(op).arity);
    DType result = type;
    if (op == Op::cast) result = type_of(random.below(types));
    if (ir::info(op).rule == ir::OpRule::Compare) result = DType::bool_;
    std::vector<DType> operands;
    for (const Value v : args) operands.push_back(b.dtype(v));
    if (!ir::type_error(op, operands, result).empty()) continue;
    values.push_back(b.op(op, result, args.data(), static_cast<int>(args.size())));
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Value last = values[values.size() - 1 - std::min(i, values.size() - 1)];
    b.store(out[i], at, as(out_types[i], last));
  }
  b.end();
  return b.finish();
}

class RandomKernels : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(LlvmKernel, RandomKernels, ::testing::Values(1, 2, 8, 16, 32));

TEST_P(RandomKernels, EqualInterpreter) {
  KILN_REQUIRE_HOST();
  constexpr std::int64_t kCount = 512;
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    Random random{seed * 1000 + static_cast<std::uint64_t>(GetParam())};
    std::vector<Argument> arguments;
    const ir::Kernel kernel = random_kernel(random, GetParam(), arguments, kCount);
    expect_as_interpreted(kernel, arguments, 0, kCount / GetParam());
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

TEST(LlvmKernel, SameBytesFromSeveralThreads) {
  KILN_REQUIRE_HOST();
  std::vector<ir::Kernel> kernels;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    Random random{seed};
    std::vector<Argument> arguments;
    kernels.push_back(random_kernel(random, 8, arguments, 64));
  }
  std::vector<std::vector<std::byte>> expected;
  for (const ir::Kernel& kernel : kernels) expected.push_back(llvm_object(kernel, host()).object);
  std::atomic<int> different{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t k = 0; k < kernels.size(); ++k) {
        const std::size_t which = (k + static_cast<std::size_t>(t) * 2) % kernels.size();
        const ir::KernelSource source = llvm_object(kernels[which], host());
        if (source.object != expected[which]) ++different;
        const runtime::LinkedObject object = runtime::link(source.object);
        if (object.entry() == nullptr) ++different;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(different, 0);
}

// Names and lines decide no byte.
TEST(LlvmKernel, LabelsDecideNoByte) {
  KILN_REQUIRE_HOST();
  const auto make = [](const char* label) {
    ir::KernelBuilder b = cpu_kernel();
    const std::uint32_t x = b.buffer(DType::float32, "x", true),
                        y = b.buffer(DType::float32, "y", false);
    const Value at = b.mul(b.begin_grid(), b.index(8));
    b.set_line(label);
    const Value v = b.op(Op::exp, DType::float32, {b.load(x, at, 8)});
    b.name(v, label);
    b.store(y, at, v);
    b.end();
    ir::Kernel kernel = b.finish();
    kernel.name = label;
    return kernel;
  };
  EXPECT_EQ(llvm_object(make("heat"), host()).object, llvm_object(make("cold"), host()).object);
  EXPECT_NE(llvm_ir(make("heat"), host()).find("%heat"), std::string::npos);
}

void expect_rejected(const ir::Kernel& kernel, const std::string& word) {
  try {
    llvm_object(kernel, host());
    ADD_FAILURE() << "accepted " << word;
  } catch (const ir::InternalError& e) {
    EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << e.what();
  }
}

TEST(LlvmKernel, RejectsWhatOnlyCudaHas) {
  KILN_REQUIRE_HOST();
  const auto with = [](const auto& body) {
    ir::KernelBuilder b = cpu_kernel();
    const std::uint32_t y = b.buffer(DType::int64, "y", false);
    b.begin_grid();
    body(b, y);
    b.end();
    return b.finish();
  };
  expect_rejected(with([](ir::KernelBuilder& b, std::uint32_t) { b.barrier(); }), "barrier");
  expect_rejected(with([](ir::KernelBuilder& b, std::uint32_t y) {
                    const Value v = b.load(y, b.index(0));
                    b.store(y, b.index(0), b.shuffle(v, b.constant(DType::int32, 0)));
                  }),
                  "shuffle");
  expect_rejected(with([](ir::KernelBuilder& b, std::uint32_t y) {
                    b.store(y, b.begin_thread(32), b.index(1));
                    b.end();
                  }),
                  "thread");
  expect_rejected(with([](ir::KernelBuilder& b, std::uint32_t y) {
                    b.store(y, b.index(0), b.load(b.shared(DType::int64, 4, "s"), b.index(0)));
                  }),
                  "shared");
  ir::KernelBuilder cuda(ir::Target::cuda, DType::int64);
  cuda.begin_grid();
  cuda.end();
  expect_rejected(cuda.finish(), "CPU");
}

TEST(LlvmKernel, RejectsUnsupportedTargets) {
  CpuTarget target;
  target.unsupported = "generated code needs the processor feature fma";
  ir::KernelBuilder b = cpu_kernel();
  b.begin_grid();
  b.end();
  EXPECT_THROW(llvm_object(b.finish(), target), ir::InternalError);
}

#if defined(__x86_64__)
// Code for wider registers than this machine's can be made, and looked at.
TEST(LlvmKernel, WidthFollowsTheTarget) {
  KILN_REQUIRE_HOST();
  ir::KernelBuilder b = cpu_kernel();
  const std::uint32_t x = b.buffer(DType::float32, "x", true),
                      y = b.buffer(DType::float32, "y", false);
  const Value n = b.integer("n");
  const Value at = b.mul(b.begin_grid(), b.index(16));
  const Value mask =
      b.op(Op::lt, DType::bool_, {b.add(b.lane(DType::int64, 16), b.splat(at, 16)), n});
  const Value v = b.load(x, at, 16, mask);
  b.store(y, at, b.op(Op::fma, DType::float32, {v, v, v}), mask);
  b.end();
  const ir::Kernel kernel = b.finish();
  CpuTarget wide;
  wide.cpu = "skylake-avx512";
  wide.features =
      "+avx2,+fma,+f16c,+bmi,+bmi2,+lzcnt,+popcnt,+avx512f,+avx512bw,+avx512dq,+avx512vl";
  wide.vector_bytes = 64;
  EXPECT_NE(assembly(kernel, wide).find("zmm"), std::string::npos);
  EXPECT_NE(assembly(kernel, host()).find(host().vector_bytes == 64 ? "zmm" : "ymm"),
            std::string::npos);
}
#endif

}  // namespace
}  // namespace kiln::codegen::tests
