// The floating-point state every computation of this library runs in: round to nearest, denormals
// kept, no traps. Set around it on the calling thread, and the caller's state restored.
#pragma once
#include <cstdint>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace kiln::ir {

class FloatState {
 public:
  FloatState() : saved_(get()) {
    if (saved_ != kStandard) set(kStandard);
  }
  ~FloatState() {
    if (saved_ != kStandard) set(saved_);
  }
  FloatState(const FloatState&) = delete;
  FloatState& operator=(const FloatState&) = delete;

 private:
#if defined(__x86_64__)
  // Exceptions masked; the sticky flags (low six bits) are not state that matters here.
  static constexpr std::uint64_t kStandard = 0x1f80;
  static std::uint64_t get() { return _mm_getcsr() & ~0x3fu; }
  static void set(std::uint64_t state) { _mm_setcsr(static_cast<unsigned>(state)); }
#elif defined(__aarch64__)
  static constexpr std::uint64_t kStandard = 0;
  static std::uint64_t get() {
    std::uint64_t state;
    asm volatile("mrs %0, fpcr" : "=r"(state));
    return state;
  }
  static void set(std::uint64_t state) { asm volatile("msr fpcr, %0" : : "r"(state)); }
#else
  static constexpr std::uint64_t kStandard = 0;
  static std::uint64_t get() { return 0; }
  static void set(std::uint64_t) {}
#endif
  std::uint64_t saved_;
};

}  // namespace kiln::ir
