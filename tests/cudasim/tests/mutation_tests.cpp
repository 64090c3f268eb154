// Damaged PTX: whatever happens to a text, loading it gives a result code and leaves no memory
// behind. The mutations are the same in every run; the fuzz target goes further.

#include <cstdint>

#include "tests/cudasim/tests/harness.h"

namespace cudasim_tests {
namespace {

// Everything the parser knows, in one module that needs no compiler.
const char* const kEverything = R"(.version 8.0
.target sm_75
.address_size 64
.extern .shared .align 16 .b8 dyn[];
.global .align 8 .u64 table[2] = {twice, twice};
.const .align 4 .b8 weights[12] = {1, 2, 3, 0X4U};
.global .f32 scale = 0f3F800000;
.func (.param .b32 result) twice(.param .b32 value)
{
  .reg .f32 %f<3>;
  ld.param.f32 %f1, [value];
  add.rn.f32 %f2, %f1, %f1;
  st.param.f32 [result+0], %f2;
  ret;
}
.visible .entry everything(.param .u64 .ptr .align 1 p, .param .u32 n, .param .b8 s[16])
.maxntid 256, 1, 1
{
  .local .align 16 .b8 depot[32];
  .shared .align 4 .b8 tile[1024];
  .reg .pred %p<4>;
  .reg .b16 %h<4>;
  .reg .b32 %r<10>;
  .reg .b64 %rd<8>;
  .loc 1 5 3
  ld.param.u64 %rd1, [p];
  mov.u32 %r1, %tid.x;
  mov.u64 %rd2, depot;
  cvta.local.u64 %rd3, %rd2;
  @!%p1 bra $end;
  { .reg .b32 lo, hi; mov.b64 {lo, hi}, %rd1; mov.b64 %rd4, {hi, lo}; }
  shfl.sync.bfly.b32 %r2|%p2, %r1, 1, 31, -1;
  setp.lt.and.s32 %p1|%p3, %r1, %r2, %p2;
  atom.global.add.u32 %r3, [%rd1+4], %r2;
  ld.global.v4.u32 {%r4, %r5, _, %r7}, [%rd1+-16];
  {
    .param .b32 a;
    .param .b32 v;
    st.param.b32 [a+0], %r1;
    call.uni (v), twice, (a);
    ld.param.b32 %r2, [v+0];
  }
  bar.sync 0;
  cvt.rn.f16.f32 %h1, %r4;
$end:
  .pragma "nounroll";
  ret;
}
)";

class Mutation : public Simulator {
 protected:
  std::uint32_t random() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>(state_ >> 33);
  }

  std::string mutated(std::string text) {
    static constexpr char kBytes[] =
        "{}()[],;:|@!%$.<>+-_\"\\/* \n0123456789xXfFdDabeglnprstuw\x7f\xff";
    for (std::uint32_t count = 1 + random() % 4; count > 0; --count) {
      const std::size_t at = random() % text.size();
      const std::size_t length = 1 + random() % 12;
      switch (random() % 5) {
        case 0:
          text.erase(at, length);
          break;
        case 1:
          text.insert(at, 1, kBytes[random() % (sizeof kBytes - 1)]);
          break;
        case 2:
          text[at] = kBytes[random() % (sizeof kBytes - 1)];
          break;
        case 3:
          text.insert(random() % text.size(), text.substr(at, length));
          break;
        default:
          text.resize(at + 1);
      }
      if (text.empty()) text = ".";
    }
    return text;
  }

 private:
  std::uint64_t state_ = 99;
};

TEST_F(Mutation, TheOriginalLoads) {
  Module module = nullptr;
  ASSERT_EQ(cuModuleLoadData(&module, kEverything), kSuccess);
  EXPECT_EQ(cuModuleUnload(module), kSuccess);
}

TEST_F(Mutation, DamagedTextGivesAResultCode) {
  unsigned accepted = 0;
  unsigned refused = 0;
  for (int round = 0; round < 20000; ++round) {
    const std::string text = mutated(kEverything);
    Module module = nullptr;
    const Result result = cuModuleLoadData(&module, text.c_str());
    if (result == kSuccess) {
      ++accepted;
      EXPECT_EQ(cuModuleUnload(module), kSuccess);
    } else {
      ++refused;
      EXPECT_TRUE(result == kInvalidPtx || result == kNoBinaryForGpu ||
                  result == kUnsupportedPtxVersion)
          << result << "\n"
          << text;
    }
  }
  EXPECT_GT(accepted, 100u);
  EXPECT_GT(refused, 10000u);
  EXPECT_EQ(kilnsim_leaks(0), 0u);
}

}  // namespace
}  // namespace cudasim_tests
