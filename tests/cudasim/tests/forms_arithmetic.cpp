#include <algorithm>
#include <bit>
#include <cmath>

#include "tests/cudasim/tests/forms_harness.h"

namespace cudasim_tests {
namespace {

constexpr std::size_t kMostCases = 4096;

// Bytes of a value in the test's arrays: predicates are words, bytes lie in halves.
unsigned stored(const std::string& type) {
  return type == "pred" ? 4 : std::max(2u, size_of(type));
}

std::vector<std::vector<Bits>> cases_of(const Reference& form) {
  std::vector<const std::vector<Bits>*> values;
  std::size_t all = 1;
  for (const std::string& type : form.operands) {
    values.push_back(&edge_values(type));
    all *= values.back()->size();
  }
  std::vector<std::vector<Bits>> cases;
  // Beyond the limit an odd stride through the product still meets every pair of values.
  const std::size_t stride = all > kMostCases ? all / kMostCases * 2 + 1 : 1;
  for (std::size_t i = 0, at = 0; i < std::min(all, kMostCases); ++i, at = (at + stride) % all) {
    std::vector<Bits> one;
    std::size_t rest = at;
    for (const auto* list : values) {
      one.push_back((*list)[rest % list->size()]);
      rest /= list->size();
    }
    cases.push_back(std::move(one));
  }
  while (cases.size() % 32 != 0) cases.push_back(cases.front());
  return cases;
}

std::string program(const std::string& form, const Reference& r) {
  std::string text = ".reg .b32 t;\n.reg .b64 a;\n";
  std::string arguments;
  for (std::size_t i = 0; i < r.operands.size(); ++i) {
    const std::string n = std::to_string(i);
    const std::string bits = std::to_string(8 * stored(r.operands[i]));
    text += ".reg .b" + bits + " x" + n + ";\nld.param.u64 a, [in" + n + "];\n" +
            "mad.wide.u32 a, %r1, " + std::to_string(stored(r.operands[i])) + ", a;\n" +
            "ld.global.b" + bits + " x" + n + ", [a];\n";
    if (r.operands[i] == "pred") {
      text += ".reg .pred q" + n + ";\nsetp.ne.u32 q" + n + ", x" + n + ", 0;\n";
    }
    arguments += std::string(", ") + (r.operands[i] == "pred" ? "q" : "x") + n;
  }
  const unsigned size = stored(r.result);
  text += "ld.param.u64 a, [out];\nmad.wide.u32 a, %r1, " + std::to_string(size) + ", a;\n";
  if (r.result == "pred") {
    text += ".reg .pred d;\n" + form + " d" + arguments +
            ";\nselp.u32 t, 1, 0, d;\nst.global.u32 [a], t;\n";
  } else {
    const std::string bits = std::to_string(8 * size);
    text += ".reg .b" + bits + " d;\n" + form + " d" + arguments + ";\nst.global.b" + bits +
            " [a], d;\n";
  }
  return text;
}

std::vector<unsigned char> packed(const std::vector<std::vector<Bits>>& cases, std::size_t operand,
                                  unsigned size) {
  std::vector<unsigned char> bytes(cases.size() * size);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    std::memcpy(&bytes[i * size], &cases[i][operand], size);
  }
  return bytes;
}

double number(Bits bits, const std::string& type) {
  return type == "f64" ? std::bit_cast<double>(bits)
                       : std::bit_cast<float>(static_cast<std::uint32_t>(bits));
}

bool agrees(const Reference& r, Bits got, Bits want) {
  if (got == want) return true;
  if (r.result == "f16x2" || r.result == "bf16x2") {
    Reference half = r;
    half.result = r.result.substr(0, r.result.size() - 2);
    return agrees(half, got & 0xffff, want & 0xffff) && agrees(half, got >> 16, want >> 16);
  }
  if (!is_float_type(r.result)) return false;
  if (is_nan(got, r.result) && is_nan(want, r.result)) return true;
  if (r.tolerance == 0) return false;
  const double x = number(got, r.result);
  const double y = number(want, r.result);
  return std::fabs(x - y) <= r.tolerance * std::fabs(y) + 1e-45;
}

// The register's width for a type that is narrower than the test's slot.
std::string shown(const std::vector<Bits>& operands) {
  std::string text;
  char buffer[32];
  for (const Bits bits : operands) {
    std::snprintf(buffer, sizeof buffer, " %llx", static_cast<unsigned long long>(bits));
    text += buffer;
  }
  return text;
}

}  // namespace

bool Forms::arithmetic_form(const std::string& form) {
  const Reference r = describe_form(form);
  if (!r.known) return false;
  const auto cases = cases_of(r);
  std::string parameters = ".param .u64 out";
  std::vector<DevicePtr> buffers = {allocate(cases.size() * stored(r.result))};
  for (std::size_t i = 0; i < r.operands.size(); ++i) {
    parameters += ", .param .u64 in" + std::to_string(i);
    buffers.push_back(upload(packed(cases, i, stored(r.operands[i]))));
  }
  const std::string index =
      "mov.u32 %r2, %ctaid.x;\nmov.u32 %r3, %tid.x;\nmad.lo.u32 %r1, %r2, 32, %r3;\n";
  const Function kernel =
      function(kernel_text("k", parameters, index + program(form, r) + "ret;", "", 90), "k");
  std::vector<void*> arguments;
  for (DevicePtr& buffer : buffers) arguments.push_back(&buffer);
  EXPECT_EQ(run(kernel, static_cast<unsigned>(cases.size() / 32), 32, arguments), kSuccess)
      << form << "\n"
      << report();
  const unsigned size = stored(r.result);
  const auto got = download<unsigned char>(buffers[0], cases.size() * size);
  int wrong = 0;
  for (std::size_t i = 0; i < cases.size() && wrong < 5; ++i) {
    Bits value = 0;
    std::memcpy(&value, &got[i * size], size);
    const Bits want = evaluate_form(form, cases[i]);
    if (agrees(r, value, want)) continue;
    ++wrong;
    ADD_FAILURE() << form << " of" << shown(cases[i]) << " gave" << shown({value}) << ", expected"
                  << shown({want});
  }
  for (const DevicePtr buffer : buffers) cuMemFree_v2(buffer);
  return true;
}

std::vector<std::uint32_t> Forms::words(const std::string& body,
                                        const std::vector<std::uint32_t>& input,
                                        const std::string& before) {
  const std::string start_text =
      "mov.u32 %r1, %laneid;\nld.param.u64 %rd1, [in];\nld.param.u64 %rd2, [out];\n"
      "mad.wide.u32 %rd3, %r1, 4, %rd1;\nmad.wide.u32 %rd4, %r1, 4, %rd2;\n";
  const Function kernel = function(
      kernel_text("k", ".param .u64 in, .param .u64 out", start_text + body + "\nret;", before, 90),
      "k");
  DevicePtr in = upload(input);
  DevicePtr out = allocate(128);
  EXPECT_EQ(run(kernel, 1, 32, {&in, &out}), kSuccess) << body << "\n" << report();
  const auto result = download<std::uint32_t>(out, 32);
  cuMemFree_v2(in);
  cuMemFree_v2(out);
  return result;
}

// Chains over three words: a + b, a - b, and products with addends.
bool Forms::carry_form(const std::string& form) {
  static const char* const kAdds[] = {"add.cc.u32", "addc.cc.u32", "addc.u32"};
  static const char* const kSubs[] = {"sub.cc.u32", "subc.cc.u32", "subc.u32"};
  static const char* const kMads[] = {"mad.lo.cc.u32", "madc.hi.cc.u32", "madc.lo.cc.u32",
                                      "madc.hi.u32"};
  const auto among = [&](const auto& list) {
    return std::find(std::begin(list), std::end(list), form) != std::end(list);
  };
  if (!among(kAdds) && !among(kSubs) && !among(kMads)) return false;
  const std::vector<std::uint32_t> edges = {0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
  for (unsigned which = 0; which < 3; ++which) {
    std::vector<std::uint32_t> in(32 * 6);
    for (std::size_t i = 0; i < in.size(); ++i)
      in[i] = edges[(i * 7 + i / 6 + i / 31) % edges.size()];
    const std::string load =
        "mad.wide.u32 %rd5, %r1, 24, %rd1;\nld.global.u32 %r2, [%rd5];\nld.global.u32 %r3, "
        "[%rd5+4];\n"
        "ld.global.u32 %r4, [%rd5+8];\nld.global.u32 %r5, [%rd5+12];\nld.global.u32 %r6, "
        "[%rd5+16];\n"
        "ld.global.u32 %r7, [%rd5+20];\n";
    const std::string chains[] = {
        "add.cc.u32 %r8, %r2, %r5;\naddc.cc.u32 %r9, %r3, %r6;\naddc.u32 %r10, %r4, %r7;\n",
        "sub.cc.u32 %r8, %r2, %r5;\nsubc.cc.u32 %r9, %r3, %r6;\nsubc.u32 %r10, %r4, %r7;\n",
        "mad.lo.cc.u32 %r8, %r2, %r5, %r4;\nmadc.hi.cc.u32 %r9, %r2, %r5, %r7;\n"
        "madc.lo.cc.u32 %r10, %r3, %r6, 0;\nmadc.hi.u32 %r11, %r3, %r6, 0;\n"};
    for (unsigned word = 0; word < (which == 2 ? 4u : 3u); ++word) {
      const auto got = words(
          load + chains[which] + "st.global.u32 [%rd4], %r" + std::to_string(8 + word) + ";", in);
      for (std::size_t lane = 0; lane < 32; ++lane) {
        const std::uint32_t* x = &in[lane * 6];
        __extension__ using UInt128 = unsigned __int128;
        const auto wide = [](std::uint32_t a, std::uint32_t b, std::uint32_t c) {
          return static_cast<UInt128>(a) | static_cast<UInt128>(b) << 32 |
                 static_cast<UInt128>(c) << 64;
        };
        UInt128 want = 0;
        if (which == 0) want = wide(x[0], x[1], x[2]) + wide(x[3], x[4], x[5]);
        if (which == 1) want = wide(x[0], x[1], x[2]) - wide(x[3], x[4], x[5]);
        if (which == 2) {
          want = static_cast<UInt128>(x[0]) * x[3] + (static_cast<UInt128>(x[1]) * x[4] << 64) +
                 wide(x[2], x[5], 0);
        }
        EXPECT_EQ(got[lane], static_cast<std::uint32_t>(want >> (32 * word)))
            << which << " word " << word;
      }
    }
  }
  return true;
}

}  // namespace cudasim_tests
