// Every public function called wrongly: the message says what is wrong, and the line is the
// caller's.
#include <algorithm>
#include <fstream>
#include <functional>
#include <set>

#include "tests/frontend/support.h"
#include "tests/public_names.h"
#include "tests/source_folder.h"

namespace {

using namespace kiln_tests;
using kn::_;

struct Call {
  const char* message;  // a part of it
  int line;
  std::function<void()> run;  // its value is of no interest
};

const kn::Array& matrix() {
  static const kn::Array x = kn::zeros({3, 4});
  return x;
}
const kn::Array& other() {
  static const kn::Array x = kn::zeros({5, 4});
  return x;
}
const kn::Array& truth() {
  static const kn::Array x = kn::zeros({3}, kn::bool_);
  return x;
}
const kn::Array& integers() {
  static const kn::Array x = kn::zeros({3}, kn::int32);
  return x;
}

// One call a line: the line of the entry is the line of the call.
// clang-format off
const Call kCalls[] = {
    {"add: shapes (3, 4) and (5, 4) do not broadcast: axis 0 is 3 and 5", __LINE__, [] { return matrix() + other(); }},
    {"add: shapes", __LINE__, [] { return kn::add(matrix(), other()); }},
    {"subtract: shapes", __LINE__, [] { return matrix() - other(); }},
    {"subtract: takes integers and floats, not bool", __LINE__, [] { return kn::subtract(truth(), truth()); }},
    {"multiply: shapes", __LINE__, [] { return matrix() * other(); }},
    {"divide: shapes", __LINE__, [] { return matrix() / other(); }},
    {"remainder: shapes", __LINE__, [] { return matrix() % other(); }},
    {"floor_divide: shapes", __LINE__, [] { return kn::floor_divide(matrix(), other()); }},
    {"floor_divide: takes integers and floats, not bool", __LINE__, [] { return kn::floor_divide(truth(), truth()); }},
    {"pow: shapes", __LINE__, [] { return kn::pow(matrix(), other()); }},
    {"pow: an integer to a negative power", __LINE__, [] { return kn::pow(integers(), -2); }},
    {"equal: shapes", __LINE__, [] { static_cast<void>(matrix() == other()); }},
    {"not_equal: shapes", __LINE__, [] { static_cast<void>(matrix() != other()); }},
    {"less: shapes (3, 4) and (5, 4)", __LINE__, [] { static_cast<void>(matrix() < other()); }},
    {"less_equal: shapes", __LINE__, [] { static_cast<void>(matrix() <= other()); }},
    {"greater: shapes (3, 4) and (5, 4)", __LINE__, [] { static_cast<void>(matrix() > other()); }},
    {"greater_equal: shapes", __LINE__, [] { static_cast<void>(matrix() >= other()); }},
    {"bitwise_and: takes integers and bool, not float32", __LINE__, [] { return matrix() & matrix(); }},
    {"try: astype(kiln::int32) for numbers, a comparison such as x > 0 for conditions", __LINE__, [] { return matrix() & matrix(); }},
    {"bitwise_or: takes integers and bool, not float32", __LINE__, [] { return matrix() | 1; }},
    {"bitwise_xor: takes integers and bool, not float32", __LINE__, [] { return 1 ^ matrix(); }},
    {"bitwise_left_shift: takes integers, not bool", __LINE__, [] { return truth() << truth(); }},
    {"bitwise_right_shift: takes integers, not float32", __LINE__, [] { return matrix() >> 1; }},
    {"bitwise_invert: takes integers and bool, not float32", __LINE__, [] { return ~matrix(); }},
    {"negative: takes integers and floats, not bool", __LINE__, [] { return -truth(); }},
    {"positive: takes", __LINE__, [] { return kn::positive(truth()); }},
    {"sign: takes", __LINE__, [] { return kn::sign(truth()); }},
    {"square: takes", __LINE__, [] { return kn::square(truth()); }},
    {"relu: takes", __LINE__, [] { return kn::relu(truth()); }},
    {"floor: takes", __LINE__, [] { return kn::floor(truth()); }},
    {"ceil: takes", __LINE__, [] { return kn::ceil(truth()); }},
    {"trunc: takes", __LINE__, [] { return kn::trunc(truth()); }},
    {"round: takes", __LINE__, [] { return kn::round(truth()); }},
    {"signbit: takes", __LINE__, [] { return kn::signbit(truth()); }},
    {"maximum: shapes", __LINE__, [] { return kn::maximum(matrix(), other()); }},
    {"minimum: shapes", __LINE__, [] { return kn::minimum(matrix(), other()); }},
    {"maximum: shapes", __LINE__, [] { return kn::clip(matrix(), other(), 3); }},
    {"copysign: shapes", __LINE__, [] { return kn::copysign(matrix(), other()); }},
    {"logical_and: shapes", __LINE__, [] { return kn::logical_and(matrix(), other()); }},
    {"logical_or: shapes", __LINE__, [] { return kn::logical_or(matrix(), other()); }},
    {"logical_xor: shapes", __LINE__, [] { return kn::logical_xor(matrix(), other()); }},
    {"where: the condition: takes bool, not float32", __LINE__, [] { return kn::where(matrix(), 1, 2); }},
    {"where: shapes", __LINE__, [] { return kn::where(truth(), matrix(), 2); }},
    {"the scalar 300 does not fit uint8", __LINE__, [] { return kn::zeros({2}, kn::uint8) + 300; }},
    {"add: an update in place cannot change the shape", __LINE__, [] { kn::Array x = {1.f}; x += matrix(); }},
    {"float64 does not convert to int32", __LINE__, [] { kn::Array x = {1}; x /= 2; }},
    {"astype: takes", __LINE__, [] { return matrix().astype(kn::complex64); }},
    {"result_type: no arrays", __LINE__, [] { return kn::result_type(std::vector<kn::Array>{}); }},
    {"index: index 3 is out of range for axis 0 with extent 3", __LINE__, [] { return matrix()(3); }},
    {"index: index -5 is out of range for axis 1 with extent 4", __LINE__, [] { return matrix()(0, -5); }},
    {"index: 3 indices for 2 axes", __LINE__, [] { return matrix()(0, 0, 0); }},
    {"index: a slice's step is 0", __LINE__, [] { return matrix()(kn::slice(0, 2, 0)); }},
    {"index: more than one ellipsis", __LINE__, [] { return matrix()(kn::ellipsis, kn::ellipsis); }},
    {"at =: a value of shape (5)", __LINE__, [] { kn::Array x = matrix(); x.at(0) = kn::zeros({5}); }},
    {"index: index 9 is out of range", __LINE__, [] { kn::Array x = matrix(); x.at(9) += 1; }},
    {"reshape: shape (3, 4) has 12 elements, shape (5) has 5", __LINE__, [] { return kn::reshape(matrix(), {5}); }},
    {"reshape: 12 elements do not divide", __LINE__, [] { return matrix().reshape({5, -1}); }},
    {"reshape: shape (-1, -1) leaves more than one extent open", __LINE__, [] { return matrix().reshape({-1, -1}); }},
    {"zeros: shape (-1) has a negative extent", __LINE__, [] { return kn::zeros({-1}); }},
    {"reshape: shape (-2, 6) has a negative extent", __LINE__, [] { return kn::reshape(matrix(), {-2, 6}); }},
    {"permute_dims: axis 0 is named twice", __LINE__, [] { return kn::permute_dims(matrix(), {0, 0}); }},
    {"permute_dims: 1 axes are named, the array has 2", __LINE__, [] { return kn::permute_dims(matrix(), 0); }},
    {"transpose: axis 2 is out of range for 2 axes", __LINE__, [] { return kn::transpose(matrix(), {2, 0}); }},
    {"matrix_transpose: needs 2 axes or more, not 1", __LINE__, [] { return kn::matrix_transpose(truth()); }},
    {"matrix_transpose: needs", __LINE__, [] { return truth().mT(); }},
    {"T: is for arrays of 2 axes, not 1", __LINE__, [] { return truth().T(); }},
    {"moveaxis: as many axes must be moved", __LINE__, [] { return kn::moveaxis(matrix(), {0, 1}, 0); }},
    {"swapaxes: axis 2 is out of range", __LINE__, [] { return kn::swapaxes(matrix(), 0, 2); }},
    {"expand_dims: axis 4 is out of range", __LINE__, [] { return kn::expand_dims(matrix(), 4); }},
    {"expand_dims: axis 0 is named twice", __LINE__, [] { return kn::expand_dims(matrix(), {0, 0}); }},
    {"squeeze: axis 1 has extent 4, not 1", __LINE__, [] { return kn::squeeze(matrix(), 1); }},
    {"broadcast_to: shape (3, 4) does not broadcast to (3, 5)", __LINE__, [] { return kn::broadcast_to(matrix(), {3, 5}); }},
    {"broadcast_arrays: shapes", __LINE__, [] { return kn::broadcast_arrays({matrix(), other()}); }},
    {"flip: axis 7 is out of range", __LINE__, [] { return kn::flip(matrix(), 7); }},
    {"roll: axis -3 is out of range", __LINE__, [] { return kn::roll(matrix(), 1, -3); }},
    {"pad: 3 margins are given for 2 axes", __LINE__, [] { return kn::pad(matrix(), {1, 2, 3}); }},
    {"pad: a margin is negative", __LINE__, [] { return kn::pad(matrix(), {-1}); }},
    {"concat: shapes (3, 4) and (5, 4) do not join along axis 1", __LINE__, [] { return kn::concat({matrix(), other()}, 1); }},
    {"concat: no arrays", __LINE__, [] { return kn::concat(std::vector<kn::Array>{}); }},
    {"stack: shapes (3, 4) and (5, 4) differ", __LINE__, [] { return kn::stack({matrix(), other()}); }},
    {"unstack: axis 2 is out of range", __LINE__, [] { return kn::unstack(matrix(), 2); }},
    {"repeat: a negative number", __LINE__, [] { return kn::repeat(matrix(), -1, 0); }},
    {"tile: shape (-1) has a negative extent", __LINE__, [] { return kn::tile(matrix(), {-1}); }},
    {"tril: needs 2 axes", __LINE__, [] { return kn::tril(truth()); }},
    {"triu: needs 2 axes", __LINE__, [] { return kn::triu(truth()); }},
    {"sum: axis 2 is out of range for 2 axes", __LINE__, [] { return kn::sum(matrix(), 2); }},
    {"sum: axis 1 is named twice", __LINE__, [] { return kn::sum(matrix(), {1, -1}); }},
    {"prod: axis -3", __LINE__, [] { return kn::prod(matrix(), -3); }},
    {"mean: axis 2", __LINE__, [] { return kn::mean(matrix(), 2); }},
    {"var: axis 2", __LINE__, [] { return kn::var(matrix(), 2); }},
    {"std: axis 2", __LINE__, [] { return kn::std(matrix(), 2); }},
    {"max: axis 2", __LINE__, [] { return kn::max(matrix(), {2}); }},
    {"min: axis 0 has no elements", __LINE__, [] { return kn::min(kn::zeros({0})); }},
    {"any: axis 2", __LINE__, [] { return kn::any(matrix(), 2); }},
    {"all: axis 2", __LINE__, [] { return kn::all(matrix(), 2); }},
    {"count_nonzero: axis 2", __LINE__, [] { return kn::count_nonzero(matrix(), 2); }},
    {"argmax: axis 2", __LINE__, [] { return kn::argmax(matrix(), 2); }},
    {"argmin: axis 0 has no elements", __LINE__, [] { return kn::argmin(kn::zeros({0})); }},
    {"cumulative_sum: axis 2", __LINE__, [] { return kn::cumulative_sum(matrix(), 2); }},
    {"cumulative_prod: axis -1 of a 0-d array, which has none", __LINE__, [] { return kn::cumulative_prod(kn::Array(1.f)); }},
    {"cummax: axis -3", __LINE__, [] { return kn::cummax(matrix(), -3); }},
    {"cummin: axis 2", __LINE__, [] { return kn::cummin(matrix(), 2); }},
    {"sort: axis 2", __LINE__, [] { return kn::sort(matrix(), 2); }},
    {"argsort: axis -1 of a 0-d array, which has none", __LINE__, [] { return kn::argsort(kn::Array(1.f)); }},
    {"sorted: axis 2", __LINE__, [] { return kn::sorted(matrix(), 2).values; }},
    {"top_k: the first 5 of 4 along axis 1", __LINE__, [] { return kn::top_k(matrix(), 5).values; }},
    {"top_k: the first -1 of 3 along axis 0", __LINE__, [] { return kn::top_k(matrix(), -1, 0).indices; }},
    {"matmul: shapes (3, 4) and (5, 4) do not multiply: inner extents are 4 and 5", __LINE__, [] { return kn::matmul(matrix(), other()); }},
    {"matmul: a 0-d operand", __LINE__, [] { return kn::matmul(kn::Array(1.f), matrix()); }},
    {"matmul: takes integers and floats, not bool", __LINE__, [] { return kn::matmul(truth(), truth()); }},
    {"vecdot: axis", __LINE__, [] { return kn::vecdot(kn::zeros({3, 1}), kn::zeros({3, 4})); }},
    {"outer: takes 1-d arrays", __LINE__, [] { return kn::outer(matrix(), truth()); }},
    {"softmax: axis 2", __LINE__, [] { return kn::softmax(matrix(), 2); }},
    {"log_softmax: axis 2", __LINE__, [] { return kn::log_softmax(matrix(), 2); }},
    {"logsumexp: axis 2", __LINE__, [] { return kn::logsumexp(matrix(), 2); }},
    {"layer_norm: axis 2", __LINE__, [] { return kn::layer_norm(matrix(), 2); }},
    {"rms_norm: axis 2", __LINE__, [] { return kn::rms_norm(matrix(), 2); }},
    {"zeros: shape (-1) has a negative extent", __LINE__, [] { return kn::zeros({-1}); }},
    {"ones: shape (4611686018427387904, 2) has more than 2^62 elements", __LINE__, [] { return kn::ones({std::int64_t{1} << 62, 2}); }},
    {"empty: 33 axes; at most 32", __LINE__, [] { return kn::empty(std::vector<std::int64_t>(33, 1)); }},
    {"index: 33 axes; at most 32", __LINE__, [] { return kn::empty(std::vector<std::int64_t>(32, 1))(kn::newaxis, kn::ellipsis); }},
    {"full: the value must be one number", __LINE__, [] { return kn::full({2}, matrix()); }},
    {"full: the scalar 256 does not fit uint8", __LINE__, [] { return kn::full({2}, 256, kn::uint8); }},
    {"full_like: the value must be one number", __LINE__, [] { return kn::full_like(matrix(), matrix()); }},
    {"arange: from 0 to 5 by 0 has no end", __LINE__, [] { return kn::arange(0, 5, 0); }},
    {"arange: bounds must be C++ numbers", __LINE__, [] { return kn::arange(kn::Array(5)); }},
    {"linspace: takes floats, not int32", __LINE__, [] { return kn::linspace(0, 1, 3, kn::int32); }},
    {"eye: shape (-2, -2) has a negative extent", __LINE__, [] { return kn::eye(-2); }},
    {"from_host: 1 strides for 2 axes", __LINE__, [] { const int data[] = {1}; return kn::from_host(data, {{1, 1}, {1}}); }},
    {"borrow: the owner is null", __LINE__, [] { const int data[] = {1}; return kn::borrow(data, {{1}, {1}}, nullptr); }},
    {"Array: shape (3) has 3 elements, the data has 2", __LINE__, [] { return kn::Array(std::span<const int>(std::vector<int>{1, 2}), {3}); }},
    {"Array: shape (3) has 3 elements, the data has 2", __LINE__, [] { const std::vector<int> v{1, 2}; return kn::Array(v, 3); }},
    {"Array: shape (3) has 3 elements, the data has 2", __LINE__, [] { return kn::Array(std::vector<int>{1, 2}, 3); }},
    {"Array: shape (-1) has a negative extent", __LINE__, [] { return kn::Array(std::vector<int>{}, -1); }},
    {"Array: the rows have different lengths", __LINE__, [] { kn::Array x{{1, 2}, {3}}; }},
    {"Array: the rows have different lengths", __LINE__, [] { kn::Array x{{{1, 2}, {3, 4}}, {{5, 6}}}; }},
    {"Array: the rows have different lengths", __LINE__, [] { kn::Array x{{{1, 2}, {3, 4}}, {{5, 6}, {7}}}; }},
    {"item: needs one element, not 12", __LINE__, [] { return matrix().item<float>(); }},
    {"copy_to: the target has 1 elements, the array 12", __LINE__, [] { float x = 0; matrix().copy_to(std::span<float>(&x, 1)); }},
    {"save: bfloat16 has no counterpart", __LINE__, [] { kn::save("/dev/null", kn::zeros({1}, kn::bfloat16)); }},
    {"set_threads: -1 threads", __LINE__, [] { kn::set_threads(-1); }},
    {"set_memory_limit: -1 bytes", __LINE__, [] { kn::set_memory_limit(-1); }},
    {"timeit: nothing was evaluated or read", __LINE__, [] { return kn::timeit([] {}); }},
    {"index: index 3 is out of range for axis 0", __LINE__, [] { return matrix()[3]; }},
    {"max: axis 2", __LINE__, [] { return kn::max(matrix(), 2); }},
    {"square: takes", __LINE__, [] { return kn::square(true); }},
    {"plan_only: ", __LINE__, [] { return kn::plan_only("sm_3"); }},
    {"cuda_source: cpu is no CUDA target", __LINE__, [] { return kn::cuda_source(matrix() + 1, "cpu"); }},
    {"multiply: shapes", __LINE__, [] { return kn::multiply(matrix(), other()); }},
    {"divide: shapes", __LINE__, [] { return kn::divide(matrix(), other()); }},
    {"remainder: shapes", __LINE__, [] { return kn::remainder(matrix(), other()); }},
    {"equal: shapes", __LINE__, [] { return kn::equal(matrix(), other()); }},
    {"not_equal: shapes", __LINE__, [] { return kn::not_equal(matrix(), other()); }},
    {"less: shapes", __LINE__, [] { return kn::less(matrix(), other()); }},
    {"less_equal: shapes", __LINE__, [] { return kn::less_equal(matrix(), other()); }},
    {"greater: shapes", __LINE__, [] { return kn::greater(matrix(), other()); }},
    {"greater_equal: shapes", __LINE__, [] { return kn::greater_equal(matrix(), other()); }},
    {"bitwise_and: takes", __LINE__, [] { return kn::bitwise_and(matrix(), 1); }},
    {"bitwise_or: takes", __LINE__, [] { return kn::bitwise_or(matrix(), 1); }},
    {"bitwise_xor: takes", __LINE__, [] { return kn::bitwise_xor(matrix(), 1); }},
    {"bitwise_left_shift: takes", __LINE__, [] { return kn::bitwise_left_shift(matrix(), 1); }},
    {"bitwise_right_shift: takes", __LINE__, [] { return kn::bitwise_right_shift(matrix(), 1); }},
    {"bitwise_invert: takes", __LINE__, [] { return kn::bitwise_invert(matrix()); }},
    {"negative: takes", __LINE__, [] { return kn::negative(truth()); }},
    {"astype: takes", __LINE__, [] { return kn::astype(matrix(), kn::complex64); }},
    {"subtract: shapes", __LINE__, [] { kn::Array x = matrix(); x -= other(); }},
    {"multiply: shapes", __LINE__, [] { kn::Array x = matrix(); x *= other(); }},
    {"index: index 9 is out of range", __LINE__, [] { kn::Array x = matrix(); x.at(9) -= 1; }},
    {"index: index 9 is out of range", __LINE__, [] { kn::Array x = matrix(); x.at(9) *= 1; }},
    {"index: index 9 is out of range", __LINE__, [] { kn::Array x = matrix(); x.at(9) /= 1; }},
    {"maximum: shapes (4) and (5)", __LINE__, [] { kn::Array x = matrix(); x.at(0).max(kn::zeros({5})); }},
    {"minimum: shapes (4) and (5)", __LINE__, [] { kn::Array x = matrix(); x.at(0).min(kn::zeros({5})); }},
    {"to_vector: int32 does not hold every float64", __LINE__, [] { return kn::Array{0.5}.to_vector<int>(); }},
    {"item: int32 does not hold every int64", __LINE__, [] { return kn::sum(integers()).item<int>(); }},
    {"item: float64 does not hold every int64", __LINE__, [] { return kn::sum(integers()).item<double>(); }},
    {"copy_to: bool does not hold every int32", __LINE__, [] { bool x[3]; integers().copy_to(std::span<bool>(x)); }},
    {"host: int32 does not hold every float32", __LINE__, [] { return kn::Array{1.f, 0.1f}.host<int>(); }},
    {"zeros_like: complex64 is reserved", __LINE__, [] { return kn::zeros_like(matrix(), kn::complex64); }},
    {"ones_like: complex64 is reserved", __LINE__, [] { return kn::ones_like(matrix(), kn::complex64); }},
    {"empty_like: complex64 is reserved", __LINE__, [] { return kn::empty_like(matrix(), kn::complex64); }},
    {"shape: axis 5 is out of range for 1 axes", __LINE__, [] { return kn::zeros({3}).shape(5); }},
    {"bool: the truth of 3 elements", __LINE__, [] { if (kn::zeros({3})) return; }},
    {"to: plan_only(sm_90) plans and never runs", __LINE__, [] { return kn::zeros({2}, {}, kn::plan_only("sm_90")).to(kn::cpu()); }},
    {"must_fuse: of one value both no_fuse and must_fuse", __LINE__, [] { const kn::Array x = matrix() * 3; kn::no_fuse(x); kn::must_fuse(x); }},
    {"no_fuse: of one value both no_fuse and must_fuse", __LINE__, [] { const kn::Array x = matrix() * 5; kn::must_fuse(x); kn::no_fuse(x); }},
    {"arange: the scalar 300 does not fit uint8", __LINE__, [] { return kn::arange(300, 305, 1, kn::uint8); }},
    {"borrow: the strides reach beyond", __LINE__, [] { const int data[] = {1}; return kn::borrow(data, {{3}, {INT64_MAX}}, std::make_shared<int>()); }},
    {"set_threads: -1 threads", __LINE__, [] { kn::set_threads(-1); }},
    {"set_memory_limit: -1 bytes", __LINE__, [] { kn::set_memory_limit(-1); }},
};
// clang-format on

// Functions without a row: what no argument of theirs can be wrong about, and where else it is
// seen.
struct NeverWrong {
  const char* why;
  std::set<std::string> functions;
};
const NeverWrong kNeverWrong[] = {
    {"take every array",
     {"Array::operator!",
      "Explanation::json",
      "Explanation::text",
      "abs",
      "cos",
      "eval",
      "exp",
      "explain",
      "flatten",
      "isfinite",
      "isinf",
      "isnan",
      "log",
      "logical_not",
      "materialize",
      "reciprocal",
      "sigmoid",
      "sin",
      "sqrt",
      "tanh",
      "timeit"}},
    {"tell what there is",
     {"Array::device",
      "Array::dtype",
      "Array::evaluated",
      "Array::named",
      "Array::ndim",
      "Array::size",
      "Device::free_bytes",
      "Device::name",
      "Explanation::with_resources",
      "HostView::begin",
      "HostView::data",
      "HostView::end",
      "HostView::operator[]",
      "HostView::shape",
      "HostView::size",
      "HostView::span",
      "Stats::operator-",
      "compile_report",
      "cpu",
      "devices",
      "interpreter",
      "Measure::Measure",
      "Measure::json",
      "Measure::rows",
      "Measure::seconds",
      "Measure::stats",
      "Measure::text",
      "reset_peak",
      "stats",
      "synchronize",
      "Device::kind",
      "Device::index",
      "Device::model",
      "Device::compute_capability",
      "Device::total_bytes",
      "device_count",
      "is_available",
      "to_string",
      "version",
      "Operand::array",
      "Operand::where",
      "transfers"}},
    {"hold what others check",
     {"Array::at",
      "Array::operator=",
      "Array::operator[]",
      "Arrays::Arrays",
      "Arrays::list",
      "Axes::Axes",
      "Axes::all",
      "Axes::list",
      "Bound::Bound",
      "Extent::Extent",
      "Index::Index",
      "LineScope::LineScope",
      "Margin::Margin",
      "Operand::Operand",
      "Scope::Scope",
      "Shape::Shape",
      "Shape::begin",
      "Shape::end",
      "Shape::extents",
      "Shape::ndim",
      "Shape::operator[]",
      "Shape::size",
      "Where::here",
      "dtype_of",
      "name",
      "slice"}},
    {"have no line but that of their array: TruthNamesTheLineThatMadeTheArray",
     {"operator&&", "operator||"}},
    {"throw IoError: io_tests.cpp, explain_tests.cpp", {"Explanation::save_html", "dump", "load"}},
    {"throw DeviceError, or what KILN_DEVICE says: below, environment_tests.cpp",
     {"cuda", "default_device"}},
};

// The rows of the table, as they stand in this file.
std::string rows_of_the_table() {
  std::ifstream file(kiln::testing::source_folder() + "/tests/error/user_errors_tests.cpp");
  std::string rows;
  for (std::string line; std::getline(file, line);)
    if (line.find(", __LINE__, [] {") != std::string::npos) rows += line + "\n";
  return rows;
}

// How a call of a public function is spelt there.
std::vector<std::string> spellings(const std::string& name) {
  const std::size_t colons = name.find("::");
  const std::string member = colons == std::string::npos ? name : name.substr(colons + 2);
  const std::string sign = member.starts_with("operator") ? member.substr(8) : "";
  if (name.starts_with("Place::operator")) return {") " + sign + " "};
  if (sign == "()") return {"matrix()("};
  if (sign == " bool") return {"if ("};
  if (!sign.empty()) return {" " + sign + " ", " " + sign + "matrix"};
  if (colons == std::string::npos) return {"kn::" + name + "("};
  if (name == "Array::Array") return {"kn::Array x{", "kn::Array(std::span"};
  return {"." + member + "(", "." + member + "<"};
}

TEST(UserErrors, EveryFunctionHasARow) {
  const std::string rows = rows_of_the_table();
  const std::set<std::string> names = public_names();
  std::set<std::string> rest;
  for (const NeverWrong& list : kNeverWrong)
    rest.insert(list.functions.begin(), list.functions.end());
  for (const std::string& name : rest)
    EXPECT_TRUE(names.contains(name)) << name << " is in no public header";
  for (const std::string& name : names) {
    const std::vector<std::string> calls = spellings(name);
    const bool called = std::ranges::any_of(
        calls, [&](const std::string& call) { return rows.find(call) != std::string::npos; });
    EXPECT_TRUE(called || rest.contains(name)) << name << " is never called wrongly";
  }
}

TEST(UserErrors, EveryFunctionNamesItsCallersLine) {
  for (const Call& call : kCalls) {
    SCOPED_TRACE(std::string("line ") + std::to_string(call.line) + ": " + call.message);
    int line = 0;
    const std::string message = message_of(call.run, &line);
    expect_contains(message, "kiln: ");
    expect_contains(message, call.message);
    EXPECT_EQ(line, call.line);
    expect_contains(message, "\n  at user_errors_tests.cpp:" + std::to_string(call.line));
  }
}

TEST(UserErrors, OperandsAreDescribed) {
  const int made = __LINE__ + 1;
  const kn::Array u = kn::zeros({3, 4}).named("u"), v = kn::ones({5, 4});
  const std::string message = message_of([&] { return u + v; });
  expect_contains(message, "\n  left: float32 (3, 4) \"u\", made at user_errors_tests.cpp:" +
                               std::to_string(made));
  expect_contains(
      message, "\n  right: float32 (5, 4), made at user_errors_tests.cpp:" + std::to_string(made));
  expect_contains(message, "\n  try: ");
  expect_contains(message_of([&] { return (truth() - 1.5) + (truth() - truth()); }),
                  "right: bool (3)");
}

TEST(UserErrors, CompositesReportTheOutermostLine) {
  const auto gelu = [](const kn::Array& x, const kn::Array& wrong,
                       kn::Where where = kn::Where::here()) {
    const kn::LineScope scope(where);
    return x * wrong;
  };
  int line = 0;
  message_of([&] { return gelu(matrix(), other()); }, &line);
  EXPECT_EQ(line, __LINE__ - 1);
}

TEST(UserErrors, TruthNamesTheLineThatMadeTheArray) {
  const int made = __LINE__ + 1;
  const kn::Array x = matrix() > 0;
  int line = 0;
  expect_contains(message_of(
                      [&] {
                        if (x) return;
                      },
                      &line),
                  "use any() or all()");
  EXPECT_EQ(line, made);
  message_of([&] { return x.shape(5); }, &line);
  EXPECT_EQ(line, made);
  expect_contains(message_of([&] { static_cast<void>(x && other()); }, &line),
                  "logical_and: shapes");
  EXPECT_EQ(line, made);
  expect_contains(message_of([&] { static_cast<void>(x || other()); }, &line),
                  "logical_or: shapes");
  EXPECT_EQ(line, made);
}

TEST(UserErrors, TwoDevicesInOneOperation) {
  const kn::Scope scope({.device = kn::cpu()});
  const kn::Array a = {1.f}, b = kn::Array{1.f}.to(kn::interpreter());
  const std::string message = message_of([&] { return a + b; });
  expect_contains(message, "add: operands are on two devices, cpu and interpreter");
  expect_contains(message, "try: x.to(device) copies explicitly");
}

TEST(DeviceErrors, AMissingDeviceNamesWhatWasLookedFor) {
  if (kn::devices().size() > 1) GTEST_SKIP() << "a CUDA device is there";
  int line = 0;
  const std::string message = message_of<kn::DeviceError>([] { return kn::cuda(); }, &line);
  EXPECT_EQ(line, __LINE__ - 1);
  expect_contains(message, "libcuda");
}

TEST(DeviceErrors, APlannerHoldsNoValues) {
  const kn::Scope scope({.device = kn::plan_only("sm_90")});
  const kn::Array x = kn::zeros({4}) + 1;
  expect_contains(message_of([&] { return x.to_vector<float>(); }), "plans and never runs");
}

TEST(DeviceErrors, OutOfMemoryLeavesArraysPending) {
  const kn::Array x = kn::zeros({std::int64_t{1} << 50}, kn::uint8) + 1;
  int line = 0;
  try {
    kn::eval(x);
    FAIL() << "a petabyte was allocated";
  } catch (const kn::OutOfMemory& error) {
    line = error.where.line;
    EXPECT_GE(error.asked, std::int64_t{1} << 50);
    EXPECT_GT(error.free, 0);
    expect_contains(error.what(), "user_errors_tests.cpp");
    expect_remedy(error.what());
  }
  EXPECT_EQ(line, __LINE__ - 9);
  EXPECT_FALSE(x.evaluated());
  if (interpreting()) return;
  const kn::Scope scope({.mode = kn::Mode::lazy});  // which computes no more than the element
  EXPECT_EQ(x(0).item<int>(), 1);
}

}  // namespace
