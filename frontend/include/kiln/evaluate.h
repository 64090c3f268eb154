// When and how things are computed: eval and synchronize, options in scopes, counters.
#pragma once
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "kiln/array.h"

#pragma GCC visibility push(default)
namespace kiln {
inline namespace v0 {

// Evaluates these arrays together, as one plan a device. Implied by reading a value. If it throws,
// every array is as before.
void eval(const Arrays& arrays, Where where = Where::here());
namespace frontend {
struct FirstArray {  // with the caller's line
  FirstArray(const Array& x, Where w = Where::here()) : array(x), where(w) {}
  const Array& array;
  Where where;
};
// Gives every array a value. If it throws, all are as before.
void evaluate(std::span<const Array> arrays, Where where);
}  // namespace frontend
// eval(a, b, c) is eval({a, b, c}).
template <std::same_as<Array>... More>
void eval(frontend::FirstArray first, const Array& second, const More&... more) {
  const Array list[] = {first.array, second, more...};
  frontend::evaluate(list, first.where);
}
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
void synchronize(Where where = Where::here());

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
  // A thread that has recorded that many operations since its last evaluation evaluates the rounds
  // of its loop that have ended, so that a loop without eval needs bounded memory; where rounds
  // gain nothing by being fused, from an eighth of them on. Straight code is evaluated when it is
  // four times as long. 0: never, whatever flush_bytes is.
  std::optional<std::int64_t> flush_after{};
  // The same once so many bytes are kept by nothing but pending operations; 0: never. By default a
  // quarter of what may be allocated on the device.
  std::optional<std::int64_t> flush_bytes{};
  // Seconds (modelled) that the process may spend on compiling what is new. Beyond it a new
  // expression runs one operation at a time, with the same bits, until it has come often enough to
  // have repaid its compile. By default 2 on a CPU, 10 on CUDA; infinity: always compile.
  std::optional<double> compile_budget{};
};
// Options of this thread until the end of the block; nests. Scope s({.mode = Mode::check});
class [[nodiscard]] Scope {
 public:
  [[nodiscard]] explicit Scope(const Options& options);
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
  [[nodiscard]] explicit LineScope(Where where = Where::here());
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
  [[nodiscard]] Stats operator-(const Stats& before) const;
};
[[nodiscard]] Stats stats();
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
[[nodiscard]] std::vector<Transfer> transfers();

namespace frontend {
// The arrays of an Array, or a tuple, pair or range of such.
template <class R>
void collect(const R& result, std::vector<Array>* list) {
  if constexpr (std::same_as<R, Array>) {
    list->push_back(result);
  } else if constexpr (requires { std::tuple_size<R>::value; }) {
    std::apply([&](const auto&... part) { (collect(part, list), ...); }, result);
  } else if constexpr (requires { result.begin() != result.end(); }) {
    // A path's elements are paths, and so on without end.
    using Part = std::remove_cvref_t<decltype(*result.begin())>;
    if constexpr (!std::same_as<Part, R>) {
      for (const auto& part : result) collect(part, list);
    }
  }
}
template <class F>
void run_once(F& f, Where where) {
  using R = std::invoke_result_t<F&>;
  if constexpr (std::is_void_v<R>) {
    f();
  } else {
    std::vector<Array> list;
    collect(static_cast<const std::remove_cvref_t<R>&>(f()), &list);
    evaluate(list, where);
  }
  synchronize(where);
}
std::int64_t runs();  // evaluations and readings so far
double now();         // seconds, of a steady clock
double median(std::vector<double> values);
[[noreturn]] void complain_of_no_run(Where where);
}  // namespace frontend
// Calls f until it has taken 0.2 s or 5 calls, after one call to warm up; evaluates the Array that
// f returns (or each of a tuple, pair or range) and calls synchronize after each; gives the median
// in seconds. UserError if these calls evaluated and read nothing, for then they only recorded.
template <class F>
[[nodiscard]] double timeit(F&& f, Where where = Where::here()) {
  frontend::run_once(f, where);
  const std::int64_t before = frontend::runs();
  std::vector<double> seconds;
  double total = 0;
  while (seconds.size() < 5 || (total < 0.2 && seconds.size() < 10000)) {
    const double start = frontend::now();
    frontend::run_once(f, where);
    const double took = frontend::now() - start;
    if (frontend::runs() == before) frontend::complain_of_no_run(where);
    seconds.push_back(took);
    total += took;
  }
  return frontend::median(std::move(seconds));
}

}  // namespace v0
}  // namespace kiln
#pragma GCC visibility pop
