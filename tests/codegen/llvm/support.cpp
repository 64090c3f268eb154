#include "tests/codegen/llvm/support.h"

namespace kiln::codegen::tests {

using ir::DType;

std::vector<std::uint64_t> edge_values(DType dtype) {
  if (ir::is_bool(dtype)) return {0, 1};
  std::vector<std::uint64_t> values;
  if (ir::is_int(dtype)) {
    const std::uint64_t all = ~std::uint64_t{0} >> (64 - 8 * ir::size_of(dtype));
    const std::uint64_t top = all ^ (all >> 1);
    for (const std::int64_t v :
         {0, 1, -1, 2, -2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100}) {
      values.push_back(ir::bits_of_int(dtype, v));
    }
    for (const std::uint64_t v : {top, top + 1, top - 1, all - 5}) values.push_back(v & all);
    return values;
  }
  const std::uint64_t sign = std::uint64_t{1} << (8 * ir::size_of(dtype) - 1);
  for (const double v : {0.0,
                         0.5,
                         1.0,
                         1.5,
                         2.0,
                         2.5,
                         3.5,
                         0.49999997,
                         0.1,
                         100.0,
                         127.0,
                         127.5,
                         128.0,
                         255.5,
                         256.0,
                         32767.5,
                         32768.0,
                         65504.0,
                         65520.0,
                         65536.0,
                         8388607.5,
                         16777217.0,
                         2147483520.0,
                         2147483647.0,
                         2147483648.0,
                         4294967040.0,
                         4294967295.0,
                         4294967296.0,
                         9223371487098961920.0,
                         9223372036854775808.0,
                         18446742974197923840.0,
                         18446744073709551616.0,
                         88.7,
                         710.0,
                         1e-3,
                         1e-8,
                         1e-30,
                         3.14159265358979,
                         1e10,
                         1e30,
                         1e300,
                         1e-300,
                         1e-42,
                         5e-324}) {
    values.push_back(ir::bits_of(dtype, v));
  }
  const std::uint64_t inf = ir::bits_of(dtype, __builtin_inf());
  for (const std::uint64_t v :
       {inf, inf - 1, inf + 1, inf | (inf >> 1), std::uint64_t{1}, std::uint64_t{3},
        ir::bits_of(dtype, 1.0) + 1, ir::bits_of(dtype, 1.0) - 1}) {
    values.push_back(v);
  }
  const std::size_t positive = values.size();
  for (std::size_t i = 0; i < positive; ++i) values.push_back(values[i] | sign);
  return values;
}

std::uint64_t random_element(DType dtype, Random& random) {
  if (ir::is_bool(dtype)) return random.next() >> 63;
  const int shift = 64 - 8 * static_cast<int>(ir::size_of(dtype));
  const std::uint64_t word = random.next();
  switch (word & 3) {
    case 0: {
      static const auto table = [] {
        std::vector<std::vector<std::uint64_t>> edges;
        for (const DType t : real_dtypes()) edges.push_back(edge_values(t));
        return edges;
      }();
      const auto& edges = table[static_cast<std::size_t>(dtype)];
      return edges[(word >> 8) % edges.size()];
    }
    case 1:
      return random.next() >> shift;
    default: {
      const double x = static_cast<double>(static_cast<std::int64_t>(random.next())) * 0x1p-59;
      if (ir::is_float(dtype)) return ir::bits_of(dtype, x);
      return ir::bits_of_int(dtype, static_cast<std::int64_t>(x * 10));
    }
  }
}

Array random_array(DType dtype, std::int64_t n, std::uint64_t seed) {
  Random random{seed};
  Array array(dtype, n);
  for (std::int64_t i = 0; i < n; ++i) array.set(i, random_element(dtype, random));
  return array;
}

std::vector<Argument> expect_as_interpreted(const ir::Kernel& kernel,
                                            const std::vector<Argument>& arguments,
                                            std::int64_t begin, std::int64_t end) {
  EXPECT_EQ(ir::verify(kernel), "") << ir::print(kernel);
  std::vector<Argument> expected = arguments, actual = arguments;
  const auto words = [](std::vector<Argument>& list) {
    std::vector<ir::KernelArg> args;
    for (Argument& a : list) {
      ir::KernelArg arg;
      if (a.is_word) {
        arg.integer = a.word;
      } else {
        arg.pointer = a.array.data();
      }
      args.push_back(arg);
    }
    return args;
  };
  ir::interpret(kernel, words(expected).data(), begin, end);
  const runtime::LinkedObject object = compile(kernel);
  object.entry()(words(actual).data(), begin, end);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].is_word) continue;
    const std::string found = difference(expected[i].array, actual[i].array);
    EXPECT_EQ(found, "") << "argument " << i << " of\n" << ir::print(kernel);
    EXPECT_TRUE(actual[i].array.guard_intact()) << "argument " << i << " of\n" << ir::print(kernel);
  }
  return actual;
}

}  // namespace kiln::codegen::tests
