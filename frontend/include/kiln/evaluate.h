// When and how things are computed: eval and sync, options in scopes, counters.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kiln/array.h"

#pragma GCC visibility push(default)
namespace kiln {
inline namespace v0 {

// Evaluates these arrays together, as one plan a device. Implied by reading a value. If it throws,
// every array is as before.
void eval(const Arrays& arrays, Where where = Where::here());
// Hints to fusion about a pending value, which each of these gives back. Bits never depend on them.
// materialize: the next evaluation that computes x stores it, for later ones to use. no_fuse: no
// kernel both computes x and uses it; x is stored between them. must_fuse: every kernel that uses x
// computes it; where that cannot be, evaluating and explaining throw a UserError that says why. Of
// x that has a value, and with fusion off, they ask for nothing. UserError: no_fuse and must_fuse
// of one value.
Array materialize(const Array& x);
Array no_fuse(const Array& x, Where where = Where::here());
Array must_fuse(const Array& x, Where where = Where::here());

// Waits for what was started and throws what failed.
void sync(Where where = Where::here());

enum class Math : std::uint8_t {
  exact,  // the same bits on every device
  fast    // the device's approximations are allowed
};
enum class Transfers : std::uint8_t {
  allow,
  forbid  // a copy between host and device throws TransferForbidden
};
enum class Mode : std::uint8_t {
  lazy,
  eager,  // evaluates each operation at its line
  check   // evaluates by the interpreter too and compares bits: names what differs first
};
enum class Nan : std::uint8_t {
  allow,
  // An evaluation first computes its operations one by one, operands before what uses them, by the
  // interpreter on the host (this costs what Mode::check does, and as much memory), and throws
  // NanTrapped for the first that has a NaN where nothing it is made of has one: 0 / 0, inf - inf,
  // log(-1). An element is made of its operands' elements there, of those that a reduction
  // combines, or of a row and a column of a product; scalars and NaNs in the data are operands, and
  // views and where hand on what they get. Of functions that are several operations, NaNs that
  // their own result does not have are theirs alone. Arrays stay pending. Not seen are operations
  // on which nothing that is evaluated depends, and NaNs of the device's own: of Math::fast, of
  // products by libraries.
  trap
};
// What a Scope changes; unset members keep the enclosing scope's value. Device and math belong to
// operations recorded in the scope, the others to evaluations started in it.
struct Options {
  std::optional<Device> device{};
  std::optional<Math> math{};
  std::optional<Transfers> transfers{};
  std::optional<Mode> mode{};
  std::optional<Nan> nan{};
  std::optional<bool> fusion{};
  // Evaluates what is pending at the next repetition of a line once that many operations are
  // pending, so that a loop without eval needs bounded memory; 0: never, whatever flush_bytes is.
  std::optional<std::int64_t> flush_after{};
  // The same once so many bytes are kept by nothing but pending operations; 0: never. By default a
  // quarter of what may be allocated on the device.
  std::optional<std::int64_t> flush_bytes{};
};
// Options of this thread until the end of the block; nests. Scope s({.mode = Mode::check});
class [[nodiscard]] Scope {
 public:
  explicit Scope(const Options& options);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  Options saved_;
};

// Operations recorded on this thread while it lives are reported as of this line: for functions
// composed of others. The outermost wins.
class [[nodiscard]] LineScope {
 public:
  explicit LineScope(Where where = Where::here());
  ~LineScope();
  LineScope(const LineScope&) = delete;
  LineScope& operator=(const LineScope&) = delete;

 private:
  bool outermost_;
};

// What happened since the process started; take the difference of two.
struct Stats {
  std::int64_t launched = 0;     // kernels and library calls
  std::int64_t compiled = 0;     // kernels compiled
  std::int64_t memory_hits = 0;  // kernels found in memory, on disk
  std::int64_t disk_hits = 0;
  std::int64_t plans_built = 0;  // evaluations that had to plan, that found a plan
  std::int64_t plans_reused = 0;
  std::int64_t recomputed = 0;  // operations computed again because nothing had stored their value
  std::int64_t bytes_read = 0;  // by kernels, each distinct element once
  std::int64_t bytes_written = 0;
  std::int64_t uploads = 0, upload_bytes = 0;
  std::int64_t downloads = 0, download_bytes = 0;
  std::int64_t live_bytes = 0;  // on all devices; these two are no differences
  std::int64_t peak_bytes = 0;
  Stats operator-(const Stats& before) const;
};
Stats stats();
// live_bytes is the new peak.
void reset_peak();

// A copy between host and device.
struct Transfer {
  Where where;
  bool to_device;
  std::int64_t bytes;
  std::string why;  // "an operand", or the function: "to_vector"
};
// The latest 10,000.
std::vector<Transfer> transfers();

// Calls f until it has taken 0.2 s or 5 calls, after one call to warm up, with sync after each;
// gives the median in seconds.
template <class F>
double timeit(F&& f) {
  f();
  sync();
  std::vector<double> seconds;
  double total = 0;
  while (seconds.size() < 5 || (total < 0.2 && seconds.size() < 10000)) {
    const auto start = std::chrono::steady_clock::now();
    f();
    sync();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    seconds.push_back(took.count());
    total += took.count();
  }
  std::nth_element(seconds.begin(),
                   seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2),
                   seconds.end());
  return seconds[seconds.size() / 2];
}

}  // namespace v0
}  // namespace kiln
#pragma GCC visibility pop
