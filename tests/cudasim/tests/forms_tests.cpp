#include <algorithm>
#include <bit>
#include <sstream>

#include "tests/cudasim/tests/forms_harness.h"

namespace cudasim_tests {

const std::vector<std::string>& census() {
  static const std::vector<std::string> forms = [] {
    std::vector<std::string> found;
    std::istringstream text(read_file(corpus_path("forms.txt")));
    std::string line;
    while (std::getline(text, line)) {
      const std::size_t total = line.find("total=");
      if (line.empty() || line[0] == '#' || total == std::string::npos) continue;
      std::istringstream rest(line.substr(total));
      std::string word;
      rest >> word;
      if (word == "total=") rest >> word;
      while (rest >> word) {
        const std::string form = word.substr(0, word.rfind(':'));
        const bool tensor = form.rfind("wmma", 0) == 0;
        if (!tensor && form.rfind("prototype", 0) != 0) found.push_back(form);
      }
    }
    return found;
  }();
  return forms;
}

namespace {

std::vector<std::uint32_t> lane_inputs() {
  std::vector<std::uint32_t> input(32);
  for (std::uint32_t i = 0; i < 32; ++i) input[i] = (i * 2654435761u) >> 27;
  input[7] = 0x80000000u;
  input[20] = 0x7fffffffu;
  return input;
}

}  // namespace

// Shuffles, votes, matches, reductions over a warp.
bool Forms::warp_form(const std::string& form) {
  const std::vector<std::string> parts = split_form(form);
  const std::string& base = parts[0];
  const auto input = lane_inputs();
  const std::string load = "ld.global.u32 %r2, [%rd3];\n";
  const std::string store = "st.global.u32 [%rd4], %r3;";
  if (base == "shfl") {
    // Segments of 8 lanes: clamp and segment mask as the compiler packs them.
    const std::string& mode = parts[2];
    const std::string c = mode == "up" ? "6144" : "6175";
    const auto got = words(
        load + form + " %r3|%p1, %r2, 3, " + c + ", -1;\n@!%p1 add.u32 %r3, %r3, 1000;\n" + store,
        input);
    for (std::uint32_t lane = 0; lane < 32; ++lane) {
      const std::uint32_t segment = lane / 8 * 8;
      const std::uint32_t at = lane % 8;
      std::uint32_t from = 3;
      bool inside = true;
      if (mode == "up") {
        from = at - 3;
        inside = at >= 3;
      }
      if (mode == "down") {
        from = at + 3;
        inside = at + 3 < 8;
      }
      if (mode == "bfly") from = at ^ 3;
      const std::uint32_t want = inside ? input[segment + from] : input[lane] + 1000;
      EXPECT_EQ(got[lane], want) << form << " lane " << lane;
    }
    return true;
  }
  if (base == "vote") {
    for (const std::uint32_t limit : {0u, 16u, 0xffffffffu}) {
      const std::string test = "setp.lt.u32 %p1, %r2, " + std::to_string(limit) + ";\n";
      const bool ballot = parts[2] == "ballot";
      const auto got = words(load + test + form + (ballot ? " %r3" : " %p2") + ", %p1, -1;\n" +
                                 (ballot ? "" : "selp.u32 %r3, 1, 0, %p2;\n") + store,
                             input);
      std::uint32_t bits = 0;
      for (std::uint32_t lane = 0; lane < 32; ++lane)
        bits |= (input[lane] < limit ? 1u : 0u) << lane;
      std::uint32_t want = bits;
      if (parts[2] == "all") want = bits == 0xffffffffu;
      if (parts[2] == "any") want = bits != 0;
      for (const std::uint32_t word : got) EXPECT_EQ(word, want) << form;
    }
    return true;
  }
  if (base == "match") {
    const bool all = parts[1] == "all";
    const auto got =
        words(load + form + (all ? " %r3|%p1" : " %r3") + ", %r2, -1;\n" + store, input);
    for (std::uint32_t lane = 0; lane < 32; ++lane) {
      std::uint32_t same = 0;
      for (std::uint32_t i = 0; i < 32; ++i) same |= (input[i] == input[lane] ? 1u : 0u) << i;
      EXPECT_EQ(got[lane], all ? 0 : same) << form << " lane " << lane;
    }
    if (all) {
      const auto equal =
          words("mov.u32 %r2, 5;\n" + form + " %r3|%p1, %r2, -1;\n@!%p1 mov.u32 %r3, 0;\n" + store,
                input);
      for (const std::uint32_t word : equal) EXPECT_EQ(word, 0xffffffffu);
    }
    return true;
  }
  if (base == "redux") {
    const auto got = words(load + form + " %r3, %r2, -1;\n" + store, input);
    std::uint32_t want = input[0];
    for (std::uint32_t i = 1; i < 32; ++i) {
      const auto a = static_cast<std::int32_t>(want);
      const auto b = static_cast<std::int32_t>(input[i]);
      if (parts[2] == "add") want += input[i];
      if (parts[2] == "xor") want ^= input[i];
      if (parts[2] == "min") want = static_cast<std::uint32_t>(std::min(a, b));
      if (parts[2] == "max") want = static_cast<std::uint32_t>(std::max(a, b));
    }
    for (const std::uint32_t word : got) EXPECT_EQ(word, want) << form;
    return true;
  }
  if (base == "activemask") {
    const auto got = words(
        "setp.lt.u32 %p1, %r1, 12;\nmov.u32 %r3, 0;\n@%p1 " + form + " %r3;\n" + store, input);
    for (std::uint32_t lane = 0; lane < 32; ++lane) EXPECT_EQ(got[lane], lane < 12 ? 0xfffu : 0u);
    return true;
  }
  return false;
}

// Branches, calls, barriers, fences, traps, asynchronous copies.
bool Forms::control_form(const std::string& form) {
  const std::vector<std::string> parts = split_form(form);
  const std::string& base = parts[0];
  const std::string store = "st.global.u32 [%rd4], %r3;";
  const auto expect_lanes = [&](const std::vector<std::uint32_t>& got, auto want) {
    for (std::uint32_t lane = 0; lane < 32; ++lane)
      EXPECT_EQ(got[lane], want(lane)) << form << " lane " << lane;
  };
  if (form == "bra") {
    // Lane l goes round l times.
    expect_lanes(
        words("mov.u32 %r3, 0;\nmov.u32 %r2, %r1;\n$L: setp.eq.u32 %p1, %r2, 0;\n@%p1 bra $D;\n"
              "add.u32 %r3, %r3, 3;\nsub.u32 %r2, %r2, 1;\nbra $L;\n$D:\n" +
                  store,
              {0}),
        [](std::uint32_t lane) { return 3 * lane; });
  } else if (form == "bra.uni") {
    expect_lanes(words("mov.u32 %r3, 1;\nbra.uni $D;\nmov.u32 %r3, 2;\n$D:\n" + store, {0}),
                 [](std::uint32_t) { return 1u; });
  } else if (base == "call") {
    const std::string functions =
        ".func (.param .b32 r) sum(.param .b32 n)\n{\n.reg .pred %p<2>;\n.reg .b32 %r<5>;\n"
        "ld.param.u32 %r1, [n];\nsetp.eq.u32 %p1, %r1, 0;\nmov.u32 %r4, 0;\n@%p1 bra $D;\n"
        "sub.u32 %r2, %r1, 1;\n{\n.param .b32 a;\n.param .b32 v;\nst.param.b32 [a], %r2;\n"
        "call (v), sum, (a);\nld.param.b32 %r3, [v];\n}\nadd.u32 %r4, %r3, %r1;\n$D: st.param.b32 "
        "[r], %r4;\nret;\n}\n"
        ".global .u64 table[1] = {sum};\n";
    // Direct and recursive, or through a pointer.
    const std::string pointer = "mov.u64 %rd5, table;\nld.global.u64 %rd6, [%rd5];\n";
    const std::string target = form == "call" ? "%rd6" : "sum";
    const std::string prototype =
        form == "call" ? "q: .callprototype (.param .b32 _) _ (.param .b32 _);\n" : "";
    expect_lanes(words(pointer + "{\n.param .b32 a;\n.param .b32 v;\nst.param.b32 [a], %r1;\n" +
                           prototype + form + " (v), " + target + ", (a)" +
                           (form == "call" ? ", q" : "") + ";\nld.param.b32 %r3, [v];\n}\n" + store,
                       {0}, functions),
                 [](std::uint32_t lane) { return lane * (lane + 1) / 2; });
  } else if (form == "ret") {
    expect_lanes(words("mov.u32 %r3, 1;\n" + store +
                           "\nsetp.lt.u32 %p1, %r1, 9;\n@%p1 ret;\nmov.u32 %r3, 2;\n" + store,
                       {0}),
                 [](std::uint32_t lane) { return lane < 9 ? 1u : 2u; });
  } else if (form == "trap") {
    const Function kernel = function(kernel_text("k", "", "trap;\nret;"), "k");
    EXPECT_EQ(run(kernel, 1, 32, {}), kLaunchFailed);
    start(120);
  } else if (base == "bar" && parts[1] == "red") {
    for (const std::uint32_t limit : {0u, 7u, 32u}) {
      const std::string test = "setp.lt.u32 %p1, %r1, " + std::to_string(limit) + ";\n";
      const bool count = parts[2] == "popc";
      const auto got = words(test + form + (count ? " %r3" : " %p2") + ", 0, %p1;\n" +
                                 (count ? "" : "selp.u32 %r3, 1, 0, %p2;\n") + store,
                             {0});
      const std::uint32_t want = count ? limit : parts[2] == "and" ? limit == 32 : limit > 0;
      expect_lanes(got, [&](std::uint32_t) { return want; });
    }
  } else if (base == "bar") {
    // Each lane leaves a word for its neighbour.
    expect_lanes(
        words(".shared .align 4 .b8 s[128];\nmov.u64 %rd5, s;\nmad.wide.u32 %rd6, %r1, 4, %rd5;\n"
              "st.shared.u32 [%rd6], %r1;\n" +
                  form + (parts[1] == "warp" ? " -1" : " 0") +
                  ";\nxor.b32 %r2, %r1, 1;\nmad.wide.u32 %rd6, %r2, 4, %rd5;\nld.shared.u32 %r3, "
                  "[%rd6];\n" +
                  store,
              {0}),
        [](std::uint32_t lane) { return lane ^ 1; });
  } else if (base == "membar" || base == "nanosleep") {
    expect_lanes(
        words("mov.u32 %r3, %r1;\n" + form + (base == "nanosleep" ? " 20" : "") + ";\n" + store,
              {0}),
        [](std::uint32_t lane) { return lane; });
  } else if (base == "cp") {
    const std::vector<std::uint32_t> data = {1, 2, 3, 4};
    expect_lanes(
        words(".shared .align 16 .b8 s[512];\nmov.u32 %r5, s;\nmad.lo.u32 %r5, %r1, 16, %r5;\n"
              "cp.async.cg.shared.global [%r5], [%rd1], "
              "16;\ncp.async.commit_group;\ncp.async.wait_group 0;\n"
              "ld.shared.u32 %r3, [%r5+8];\n" +
                  store,
              data),
        [](std::uint32_t) { return 3u; });
  } else {
    return false;
  }
  return true;
}

namespace {

class FormsOf : public Forms, public ::testing::WithParamInterface<std::string> {};

TEST_P(FormsOf, EveryForm) {
  for (const std::string& form : census()) {
    if (split_form(form)[0] != GetParam()) continue;
    const bool tested = carry_form(form) || load_store_form(form) || atomic_form(form) ||
                        warp_form(form) || control_form(form) || arithmetic_form(form);
    EXPECT_TRUE(tested) << form << " has no micro-test";
  }
}

std::vector<std::string> bases() {
  std::vector<std::string> found;
  for (const std::string& form : census()) found.push_back(split_form(form)[0]);
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

INSTANTIATE_TEST_SUITE_P(Opcodes, FormsOf, ::testing::ValuesIn(bases()),
                         [](const auto& one) { return one.param; });

TEST(Census, IsReadWhole) {
  EXPECT_EQ(census().size(), 540u - 8 - 2);
  EXPECT_EQ(bases().size(), 61u);
}

}  // namespace
}  // namespace cudasim_tests
