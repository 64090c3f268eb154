#include "tests/frontend/every_function.h"

#include "tests/folder.h"

namespace kiln_tests {

namespace {

using kn::_;
using kn::Array;
using X = const kn::Array&;

std::string said(const std::vector<Array>& list) {
  std::string text = std::to_string(list.size()) + " arrays";
  for (const Array& x : list) text += ", " + kiln_tests::said(x);
  return text;
}
std::string said(X x) { return kiln_tests::said(x); }
std::string said(std::size_t count) { return std::to_string(count); }

std::int64_t rows(X x) { return x.shape(0); }
Array truth(X x) { return x > 0; }
Array whole(X x) { return x.astype(kn::int32); }
kn::HostView<float> host(X x) { return x.host<float>(); }
// What is written in place.
template <class Write>
std::string changed(X x, Write write) {
  Array y = x;
  write(y);
  return said(y);
}

const char* const kSame = "float32 (0, 3)";
const char* const kTruths = "bool (0, 3)";
const char* const kWhole = "int32 (0, 3)";
const char* const kZeros = "float32 (3) [0. 0. 0.]";
const char* const kNans = "float32 (3) [nan nan nan]";
const char* const kAny = "*";

// clang-format off
const FunctionCall kCalls[] = {
    {"Array::Array", "float32 (0)", [](X) { return said(Array(std::vector<float>{})); }},
    {"Array::Array", "int32 (0)", [](X) { return said(Array(std::initializer_list<int>{})); }},
    {"Array::Array", "int32 (0, 0)", [](X) { return said(Array(std::initializer_list<std::initializer_list<int>>{})); }},
    {"Array::Array", "int32 (2, 0)", [](X) { return said(Array(std::initializer_list<std::initializer_list<int>>{{}, {}})); }},
    {"Array::Array", "bool (0)", [](X) { const std::vector<bool> none; return said(Array(none)); }},
    {"Array::Array", "float64 (3, 0)", [](X) { return said(Array(std::span<const double>(), {3, 0})); }},
    {"Array::shape", "0", [](X x) { return said(static_cast<std::size_t>(x.shape(0) * x.shape()[1])); }},
    {"Array::ndim", "2", [](X x) { return said(static_cast<std::size_t>(x.ndim())); }},
    {"Array::size", "0", [](X x) { return said(static_cast<std::size_t>(x.size())); }},
    {"Array::dtype", "float32", [](X x) { return std::string(kn::name(x.dtype())); }},
    {"Array::device", kAny, [](X x) { return x.device().name(); }},
    {"Array::evaluated", kAny, [](X x) { return said(std::size_t{x.evaluated()}); }},
    {"Array::operator()", "float32 (0)", [](X x) { return said(x(_, 1)); }},
    {"Array::operator()", "float32 (0, 1, 2)", [](X x) { return said(x(kn::ellipsis, kn::newaxis, kn::slice(0, 2))); }},
    {"Array::operator()", kSame, [](X x) { return said(x(kn::slice(_, _, -1))); }},
    {"Array::operator()", "error: kiln: index: index 0 is out of range for axis 0 with extent 0", [](X x) { return said(x(0)); }},
    {"Array::at", "float32 (0, 3)", [](X x) { return changed(x, [](Array& y) { y.at(kn::slice(0, 2), 1) = 5; }); }},
#ifdef __cpp_multidimensional_subscript
    {"Array::operator[]", "float32 (0)", [](X x) { return said(x[_, 1]); }},
#endif
    {"Array::astype", "float64 (0, 3)", [](X x) { return said(x.astype(kn::float64)); }},
    {"Array::to", kSame, [](X x) { return said(x.to(kn::cpu())); }},
    {"Array::reshape", "float32 (3, 0)", [](X x) { return said(x.reshape({3, rows(x)})); }},
    {"Array::T", "float32 (3, 0)", [](X x) { return said(x.T()); }},
    {"Array::mT", "float32 (3, 0)", [](X x) { return said(x.mT()); }},
    {"Array::named", kSame, [](X x) { return said(x.named("x")); }},
    {"Array::item", "error: kiln: item: needs one element, not 0", [](X x) { return std::to_string(x.item<float>()); }},
    {"Array::to_vector", "0", [](X x) { return said(x.to_vector<float>().size() + x.to_vector<double>().size()); }},
    {"Array::to_vector", "0", [](X x) { return said(truth(x).to_vector<bool>().size()); }},
    {"Array::copy_to", "0", [](X x) { std::vector<float> v(static_cast<std::size_t>(x.size())); x.copy_to(std::span<float>(v)); return said(v.size()); }},
    {"Array::copy_to", "0", [](X x) { std::vector<double> v(static_cast<std::size_t>(x.size())); x.copy_to(std::span<double>(v)); return said(v.size()); }},
    {"Array::host", "0", [](X x) { return said(static_cast<std::size_t>(x.host<double>().size())); }},
    {"HostView::data", kAny, [](X x) { return said(std::size_t{host(x).data() != nullptr}); }},
    {"HostView::size", "0", [](X x) { return said(static_cast<std::size_t>(host(x).size())); }},
    {"HostView::shape", "0", [](X x) { return said(static_cast<std::size_t>(host(x).shape()[0])); }},
    {"HostView::begin", "0", [](X x) { std::size_t n = 0; for (const float v : host(x)) n += v < 1e9f ? 1 : 0; return said(n); }},
    {"HostView::end", "0", [](X x) { const auto h = host(x); return said(static_cast<std::size_t>(h.end() - h.begin())); }},
    {"HostView::operator[]", kAny, [](X x) { const auto h = host(x); return h.size() > 0 ? std::to_string(h[0]) : ""; }},
    {"HostView::span", "0", [](X x) { return said(host(x).span().size()); }},
    {"Array::operator bool", "error: kiln: bool: the truth of 0 elements", [](X x) { return said(std::size_t{static_cast<bool>(x)}); }},
    {"Array::operator+=", kSame, [](X x) { return changed(x, [](Array& y) { y += y; }); }},
    {"Array::operator-=", kSame, [](X x) { return changed(x, [](Array& y) { y -= 1; }); }},
    {"Array::operator*=", kSame, [](X x) { return changed(x, [](Array& y) { y *= 2.f; }); }},
    {"Array::operator/=", kSame, [](X x) { return changed(x, [](Array& y) { y /= Array{1.f, 2.f, 3.f}; }); }},
    {"Array::operator!", kTruths, [](X x) { return said(!truth(x)); }},
    {"Array::operator=", kSame, [](X x) { Array y; y = x; return said(y); }},
    {"operator-", kSame, [](X x) { return said(-x); }},
    {"operator~", kWhole, [](X x) { return said(~whole(x)); }},
    {"operator+", kSame, [](X x) { return said(x + Array{1.f, 2.f, 3.f}); }},
    {"operator*", kSame, [](X x) { return said(2 * x); }},
    {"operator/", "float64 (0, 3)", [](X x) { return said(whole(x) / 2); }},
    {"operator%", kSame, [](X x) { return said(x % 2); }},
    {"operator==", kTruths, [](X x) { return said(x == x); }},
    {"operator!=", kTruths, [](X x) { return said(x != 1); }},
    {"operator<", kTruths, [](X x) { return said(x < 1); }},
    {"operator<=", kTruths, [](X x) { return said(x <= 1); }},
    {"operator>", kTruths, [](X x) { return said(x > 1); }},
    {"operator>=", kTruths, [](X x) { return said(x >= 1); }},
    {"operator&", kWhole, [](X x) { return said(whole(x) & 1); }},
    {"operator|", kWhole, [](X x) { return said(whole(x) | 1); }},
    {"operator^", kWhole, [](X x) { return said(whole(x) ^ 1); }},
    {"operator<<", kWhole, [](X x) { return said(whole(x) << 1); }},
    {"operator<<", "[]", [](X x) { return text(x); }},
    {"operator>>", kWhole, [](X x) { return said(whole(x) >> 1); }},
    {"operator&&", kTruths, [](X x) { return said(truth(x) && truth(x)); }},
    {"operator||", kTruths, [](X x) { return said(truth(x) || truth(x)); }},
    {"Place::operator=", kSame, [](X x) { return changed(x, [](Array& y) { y.at(kn::ellipsis) = y; }); }},
    {"Place::operator+=", kSame, [](X x) { return changed(x, [](Array& y) { y.at(kn::slice(0, 0)) += 1; }); }},
    {"Place::operator-=", kSame, [](X x) { return changed(x, [](Array& y) { y.at(_, 0) -= 1; }); }},
    {"Place::operator*=", kSame, [](X x) { return changed(x, [](Array& y) { y.at(_, kn::slice(_, _, -2)) *= 2; }); }},
    {"Place::operator/=", kSame, [](X x) { return changed(x, [](Array& y) { y.at(_) /= 2; }); }},
    {"Place::max", kSame, [](X x) { return changed(x, [](Array& y) { y.at(_).max(2); }); }},
    {"Place::min", kSame, [](X x) { return changed(x, [](Array& y) { y.at(_).min(2); }); }},

    {"zeros", kSame, [](X x) { return said(kn::zeros(x.shape())); }},
    {"ones", kSame, [](X x) { return said(kn::ones(x.shape())); }},
    {"empty", kSame, [](X x) { return said(kn::empty(x.shape())); }},
    {"full", "int64 (0, 3)", [](X x) { return said(kn::full(x.shape(), 2)); }},
    {"zeros_like", kSame, [](X x) { return said(kn::zeros_like(x)); }},
    {"ones_like", kSame, [](X x) { return said(kn::ones_like(x)); }},
    {"empty_like", kSame, [](X x) { return said(kn::empty_like(x)); }},
    {"full_like", kSame, [](X x) { return said(kn::full_like(x, 2.5)); }},
    {"arange", "int64 (0)", [](X x) { return said(kn::arange(rows(x))); }},
    {"arange", "float32 (0)", [](X x) { return said(kn::arange(0.0, -1.0 * static_cast<double>(rows(x)), -0.5)); }},
    {"linspace", "float32 (0)", [](X x) { return said(kn::linspace(0, 1, rows(x))); }},
    {"eye", "float32 (0, 0)", [](X x) { return said(kn::eye(rows(x))); }},
    {"eye", "float32 (0, 3)", [](X x) { return said(kn::eye(rows(x), 3, 1)); }},
    {"from_host", "float32 (0, 3)", [](X x) { const auto h = host(x); return said(kn::from_host(h.data(), {x.shape(), {3, 1}})); }},
    {"from_host", "int32 (2, 0)", [](X) { return said(kn::from_host<int>(nullptr, {{2, 0}, {7, -5}})); }},
    {"borrow", "float32 (0, 3)", [](X x) { const auto h = std::make_shared<kn::HostView<float>>(host(x)); return said(kn::borrow(h->data(), {x.shape(), {3, 1}}, h)); }},

    {"add", kSame, [](X x) { return said(kn::add(x, x)); }},
    {"subtract", kSame, [](X x) { return said(kn::subtract(x, kn::ones({1, 3}))); }},
    {"multiply", kSame, [](X x) { return said(kn::multiply(x, 2)); }},
    {"divide", "float64 (0, 3)", [](X x) { return said(kn::divide(whole(x), 2)); }},
    {"floor_divide", kSame, [](X x) { return said(kn::floor_divide(x, 2)); }},
    {"remainder", kWhole, [](X x) { return said(kn::remainder(whole(x), 2)); }},
    {"pow", kSame, [](X x) { return said(kn::pow(x, 3)); }},
    {"pow", kSame, [](X x) { return said(kn::pow(x, x)); }},
    {"pow", kWhole, [](X x) { return said(kn::pow(whole(x), 0)); }},
    {"negative", kSame, [](X x) { return said(kn::negative(x)); }},
    {"positive", kSame, [](X x) { return said(kn::positive(x)); }},
    {"abs", kSame, [](X x) { return said(kn::abs(x)); }},
    {"sign", kSame, [](X x) { return said(kn::sign(x)); }},
    {"square", kSame, [](X x) { return said(kn::square(x)); }},
    {"reciprocal", kSame, [](X x) { return said(kn::reciprocal(x)); }},
    {"maximum", kSame, [](X x) { return said(kn::maximum(x, x)); }},
    {"minimum", kSame, [](X x) { return said(kn::minimum(x, 1)); }},
    {"clip", kSame, [](X x) { return said(kn::clip(x, 0, 1)); }},
    {"floor", kSame, [](X x) { return said(kn::floor(x)); }},
    {"ceil", kSame, [](X x) { return said(kn::ceil(x)); }},
    {"trunc", kSame, [](X x) { return said(kn::trunc(x)); }},
    {"round", kSame, [](X x) { return said(kn::round(x)); }},
    {"sqrt", kSame, [](X x) { return said(kn::sqrt(x)); }},
    {"exp", kSame, [](X x) { return said(kn::exp(x)); }},
    {"log", kSame, [](X x) { return said(kn::log(x)); }},
    {"sin", kSame, [](X x) { return said(kn::sin(x)); }},
    {"cos", kSame, [](X x) { return said(kn::cos(x)); }},
    {"tanh", kSame, [](X x) { return said(kn::tanh(x)); }},
    {"sigmoid", kSame, [](X x) { return said(kn::sigmoid(x)); }},
    {"relu", kSame, [](X x) { return said(kn::relu(x)); }},
    {"equal", kTruths, [](X x) { return said(kn::equal(x, x)); }},
    {"not_equal", kTruths, [](X x) { return said(kn::not_equal(x, x)); }},
    {"less", kTruths, [](X x) { return said(kn::less(x, x)); }},
    {"less_equal", kTruths, [](X x) { return said(kn::less_equal(x, x)); }},
    {"greater", kTruths, [](X x) { return said(kn::greater(x, x)); }},
    {"greater_equal", kTruths, [](X x) { return said(kn::greater_equal(x, x)); }},
    {"isnan", kTruths, [](X x) { return said(kn::isnan(x)); }},
    {"isnan", kTruths, [](X x) { return said(kn::isnan(whole(x))); }},
    {"isinf", kTruths, [](X x) { return said(kn::isinf(x)); }},
    {"isfinite", kTruths, [](X x) { return said(kn::isfinite(x)); }},
    {"signbit", kTruths, [](X x) { return said(kn::signbit(x)); }},
    {"copysign", kSame, [](X x) { return said(kn::copysign(x, x)); }},
    {"logical_and", kTruths, [](X x) { return said(kn::logical_and(x, x)); }},
    {"logical_or", kTruths, [](X x) { return said(kn::logical_or(x, x)); }},
    {"logical_xor", kTruths, [](X x) { return said(kn::logical_xor(x, x)); }},
    {"logical_not", kTruths, [](X x) { return said(kn::logical_not(x)); }},
    {"bitwise_and", kWhole, [](X x) { return said(kn::bitwise_and(whole(x), 1)); }},
    {"bitwise_or", kWhole, [](X x) { return said(kn::bitwise_or(whole(x), 1)); }},
    {"bitwise_xor", kWhole, [](X x) { return said(kn::bitwise_xor(whole(x), 1)); }},
    {"bitwise_invert", kWhole, [](X x) { return said(kn::bitwise_invert(whole(x))); }},
    {"bitwise_left_shift", kWhole, [](X x) { return said(kn::bitwise_left_shift(whole(x), 1)); }},
    {"bitwise_right_shift", kWhole, [](X x) { return said(kn::bitwise_right_shift(whole(x), 1)); }},
    {"where", kSame, [](X x) { return said(kn::where(truth(x), x, 0)); }},
    {"astype", kTruths, [](X x) { return said(kn::astype(x, kn::bool_)); }},
    {"result_type", "float64", [](X x) { return std::string(kn::name(kn::result_type({x, whole(x)}))); }},

    {"reshape", "float32 (0)", [](X x) { return said(kn::reshape(x, {-1})); }},
    {"reshape", "float32 (5, 0, 2)", [](X x) { return said(kn::reshape(x(kn::slice(0, 0)), {5, 0, 2})); }},
    {"permute_dims", "float32 (3, 0)", [](X x) { return said(kn::permute_dims(x, {1, 0})); }},
    {"transpose", "float32 (3, 0)", [](X x) { return said(kn::transpose(x)); }},
    {"matrix_transpose", "float32 (3, 0)", [](X x) { return said(kn::matrix_transpose(x)); }},
    {"moveaxis", "float32 (3, 0)", [](X x) { return said(kn::moveaxis(x, 0, 1)); }},
    {"swapaxes", "float32 (3, 0)", [](X x) { return said(kn::swapaxes(x, 0, 1)); }},
    {"expand_dims", "float32 (1, 0, 3)", [](X x) { return said(kn::expand_dims(x, 0)); }},
    {"squeeze", "float32 (0, 3)", [](X x) { return said(kn::squeeze(kn::expand_dims(x, 1))); }},
    {"flatten", "float32 (0)", [](X x) { return said(kn::flatten(x)); }},
    {"broadcast_to", "float32 (2, 0, 3)", [](X x) { return said(kn::broadcast_to(x, {2, rows(x), 3})); }},
    {"broadcast_to", "float32 (0, 3)", [](X x) { return said(kn::broadcast_to(kn::sum(x, 0), {0, 3})); }},
    {"broadcast_arrays", "2 arrays, float32 (0, 3), float32 (0, 3)", [](X x) { return said(kn::broadcast_arrays({x, kn::ones({3})})); }},
    {"flip", kSame, [](X x) { return said(kn::flip(x)); }},
    {"roll", kSame, [](X x) { return said(kn::roll(x, 5)); }},
    {"roll", kSame, [](X x) { return said(kn::roll(x, 1, {0, 1})); }},
    {"pad", "float32 (2, 3) [[7. 7. 7.]\n [7. 7. 7.]]", [](X x) { return said(kn::pad(x, {1, 0}, 7)); }},
    {"pad", "float32 (0, 5)", [](X x) { return said(kn::pad(x, {0, {2, 0}})); }},
    {"concat", kSame, [](X x) { return said(kn::concat({x, x})); }},
    {"concat", "float32 (0, 6)", [](X x) { return said(kn::concat({x, x}, 1)); }},
    {"concat", "float32 (1, 3) [[1. 1. 1.]]", [](X x) { return said(kn::concat({x, kn::ones({1, 3}), x})); }},
    {"stack", "float32 (2, 0, 3)", [](X x) { return said(kn::stack({x, x})); }},
    {"unstack", "0 arrays", [](X x) { return said(kn::unstack(x)); }},
    {"unstack", "3 arrays, float32 (0), float32 (0), float32 (0)", [](X x) { return said(kn::unstack(x, 1)); }},
    {"repeat", kSame, [](X x) { return said(kn::repeat(x, 2, 0)); }},
    {"repeat", "float32 (0, 0)", [](X x) { return said(kn::repeat(x, 0, 1)); }},
    {"tile", "float32 (0, 6)", [](X x) { return said(kn::tile(x, {2, 2})); }},
    {"tile", "float32 (4, 0, 0)", [](X x) { return said(kn::tile(x, {4, 1, 0})); }},
    {"tril", kSame, [](X x) { return said(kn::tril(x, 1)); }},
    {"triu", "float32 (3, 0)", [](X x) { return said(kn::triu(x.T())); }},

    {"sum", "float32 () 0.0", [](X x) { return said(kn::sum(x)); }},
    {"sum", kZeros, [](X x) { return said(kn::sum(x, 0)); }},
    {"sum", "float32 (0)", [](X x) { return said(kn::sum(x, 1)); }},
    {"sum", "int64 (1, 1) [[0]]", [](X x) { return said(kn::sum(whole(x), kn::all_axes, kn::keepdims)); }},
    {"sum", kSame, [](X x) { return said(kn::sum(x, std::vector<std::int64_t>{})); }},
    {"prod", "float32 (1, 3) [[1. 1. 1.]]", [](X x) { return said(kn::prod(x, 0, kn::keepdims)); }},
    {"mean", "float32 () nan", [](X x) { return said(kn::mean(x)); }},
    {"mean", kNans, [](X x) { return said(kn::mean(x, 0)); }},
    {"mean", "float32 (0)", [](X x) { return said(kn::mean(x, 1)); }},
    {"mean", "float64 () nan", [](X x) { return said(kn::mean(whole(x))); }},
    {"var", "float32 () nan", [](X x) { return said(kn::var(x)); }},
    {"var", kNans, [](X x) { return said(kn::var(x, 0, {1})); }},
    {"var", "float64 (0)", [](X x) { return said(kn::var(whole(x), 1, {5})); }},
    {"std", "float32 () nan", [](X x) { return said(kn::std(x, kn::all_axes, {1})); }},
    {"std", kNans, [](X x) { return said(kn::std(x, 0)); }},
    {"max", "error: kiln: max: axis 0 has no elements", [](X x) { return said(kn::max(x)); }},
    {"max", "float32 (0)", [](X x) { return said(kn::max(x, {1})); }},
    {"min", "error: kiln: min: axis 0 has no elements", [](X x) { return said(kn::min(x, {0})); }},
    {"min", "bool (0)", [](X x) { return said(kn::min(truth(x), {1})); }},
    {"any", "bool () False", [](X x) { return said(kn::any(x)); }},
    {"all", "bool (3) [ True  True  True]", [](X x) { return said(kn::all(x, 0)); }},
    {"count_nonzero", "int64 () 0", [](X x) { return said(kn::count_nonzero(x)); }},
    {"argmax", "error: kiln: argmax: axis 0 has no elements", [](X x) { return said(kn::argmax(x)); }},
    {"argmax", "int64 (0, 1)", [](X x) { return said(kn::argmax(x, 1, kn::keepdims)); }},
    {"argmin", "error: kiln: argmin: axis 0 has no elements", [](X x) { return said(kn::argmin(x, 0)); }},

    {"softmax", kSame, [](X x) { return said(kn::softmax(x)); }},
    {"softmax", kSame, [](X x) { return said(kn::softmax(x, 0)); }},
    {"log_softmax", kSame, [](X x) { return said(kn::log_softmax(x, 0)); }},
    {"logsumexp", "float32 () -inf", [](X x) { return said(kn::logsumexp(x)); }},
    {"logsumexp", "float32 (0, 1)", [](X x) { return said(kn::logsumexp(x, 1, kn::keepdims)); }},
    {"layer_norm", kSame, [](X x) { return said(kn::layer_norm(x)); }},
    {"layer_norm", kSame, [](X x) { return said(kn::layer_norm(x, 0)); }},
    {"rms_norm", kSame, [](X x) { return said(kn::rms_norm(x, {0, 1})); }},

    {"matmul", "float32 (3, 3) [[0. 0. 0.]\n [0. 0. 0.]\n [0. 0. 0.]]", [](X x) { return said(kn::matmul(x.T(), x)); }},
    {"matmul", "float32 (0, 2)", [](X x) { return said(kn::matmul(x, kn::ones({3, 2}))); }},
    {"matmul", "int32 (2, 0, 0)", [](X x) { return said(kn::matmul(kn::ones({2, 1, 3}, kn::int32) * whole(x), whole(x.T()))); }},
    {"vecdot", "float32 (0)", [](X x) { return said(kn::vecdot(x, x)); }},
    {"vecdot", kZeros, [](X x) { return said(kn::vecdot(x, x, 0)); }},
    {"outer", "float32 (0, 0)", [](X x) { return said(kn::outer(kn::flatten(x), kn::flatten(x))); }},

    {"eval", kSame, [](X x) { const Array y = x + 1; kn::eval({x, y}); return said(y); }},
    {"materialize", kSame, [](X x) { return said(kn::materialize(x * 2) + 1); }},
    {"no_fuse", kSame, [](X x) { return said(kn::no_fuse(x * 2) + 1); }},
    {"must_fuse", kSame, [](X x) { return said(kn::must_fuse(x * 2) + 1); }},
    {"synchronize", kAny, [](X x) { kn::eval(x * 2); kn::synchronize(); return std::string(); }},
    {"Scope::Scope", kSame, [](X x) { const kn::Scope scope({.mode = kn::Mode::eager}); return said(x + 1); }},
    {"LineScope::LineScope", kSame, [](X x) { const kn::LineScope scope; return said(x + 1); }},
    {"stats", kAny, [](X) { return said(static_cast<std::size_t>(kn::stats().launched)); }},
    {"compile_report", kAny, [](X) { return said(kn::compile_report().lines.size()); }},
    {"Stats::operator-", kAny, [](X) { return said(static_cast<std::size_t>((kn::stats() - kn::stats()).launched)); }},
    {"Measure::Measure", kSame, [](X x) { const kn::Measure m; return said(x * 3); }},
    {"Measure::seconds", kAny, [](X x) { const kn::Measure m; kn::eval(x * 3); return std::to_string(m.seconds()); }},
    {"Measure::stats", kAny, [](X x) { const kn::Measure m; kn::eval(x * 3); return said(static_cast<std::size_t>(m.stats().launched)); }},
    {"Measure::rows", kAny, [](X x) { const kn::Measure m; kn::eval(x * 3); return said(m.rows().size()); }},
    {"Measure::text", kAny, [](X x) { const kn::Measure m; kn::eval(x * 3); return m.text(); }},
    {"Measure::json", kAny, [](X x) { const kn::Measure m; kn::eval(x * 3); return m.json(); }},
    {"reset_peak", kAny, [](X) { kn::reset_peak(); return std::string(); }},
    {"transfers", kAny, [](X) { return said(kn::transfers().size()); }},
    {"Device::name", kAny, [](X x) { return x.device().name(); }},
    {"Device::kind", kAny, [](X x) { return said(static_cast<std::size_t>(x.device().kind())); }},
    {"Device::index", kAny, [](X x) { return said(static_cast<std::size_t>(x.device().index())); }},
    {"Device::model", kAny, [](X x) { return x.device().model(); }},
    {"Device::compute_capability", kAny, [](X x) { return said(static_cast<std::size_t>(x.device().compute_capability())); }},
    {"Device::total_bytes", kAny, [](X x) { return said(static_cast<std::size_t>(x.device().total_bytes())); }},
    {"device_count", kAny, [](X) { return said(static_cast<std::size_t>(kn::device_count(kn::Device::cuda))); }},
    {"is_available", kAny, [](X) { return said(std::size_t{kn::is_available(kn::Device::cuda)}); }},
    {"set_memory_limit", kAny, [](X x) { kn::set_memory_limit(0, x.device()); return std::string(); }},
    {"to_string", "[]", [](X x) { return to_string(x); }},
    {"Operand::array", kSame, [](X x) { return said(kn::Operand(x).array()); }},
    {"Device::free_bytes", kAny, [](X x) { return said(static_cast<std::size_t>(x.device().free_bytes())); }},
    {"cpu", kSame, [](X x) { return said(kn::zeros(x.shape(), kn::float32, kn::cpu())); }},
    {"interpreter", kSame, [](X x) { return said(kn::zeros(x.shape(), kn::float32, kn::interpreter())); }},
    {"cuda", kAny, [](X x) { return said(kn::zeros(x.shape(), kn::float32, kn::cuda())); }},
    {"plan_only", kAny, [](X x) { return said(kn::cuda_source(kn::sum(kn::zeros(x.shape(), {}, kn::plan_only("sm_90")) + 1)).size()); }},
    {"devices", kAny, [](X) { return said(kn::devices().size()); }},
    {"default_device", kAny, [](X) { return kn::default_device().name(); }},
    {"explain", kAny, [](X x) { return kn::explain(x + 1).text(); }},
    {"Explanation::text", kAny, [](X x) { return kn::explain({x + 1, kn::sum(x)}).text(); }},
    {"Explanation::json", kAny, [](X x) { return kn::explain(x + 1).json(); }},
    {"Explanation::with_resources", kAny, [](X x) { return kn::explain(x + 1).with_resources().text(); }},
    {"Explanation::save_html", kAny, [](X x) { const Folder folder; kn::explain(x + 1).save_html(folder.file("x.html")); return std::string(); }},
    {"cuda_source", "0", [](X x) { return said(kn::cuda_source(x + 1).size()); }},
    {"dump", kAny, [](X x) { const Folder folder; kn::dump(x + 1, folder.path()); return std::string(); }},
    {"save", kAny, [](X x) { const Folder folder; kn::save(folder.file("x.npy"), x + 1); return std::string(); }},
    {"load", kSame, [](X x) { const Folder folder; kn::save(folder.file("x.npy"), x); return said(kn::load(folder.file("x.npy"))); }},
    {"load", "float32 (3, 0)", [](X x) { const Folder folder; kn::save(folder.file("x.npy"), x.T()); return said(kn::load(folder.file("x.npy")) * 2); }},
};
// clang-format on

const LeftOut kLeftOut[] = {
    {"Array::operator[]", "of C++23"},
    {"Arrays::Arrays", "a list of arrays"},
    {"Arrays::list", "a list of arrays"},
    {"Axes::Axes", "numbers of axes"},
    {"Axes::all", "numbers of axes"},
    {"Axes::list", "numbers of axes"},
    {"Bound::Bound", "a part of an index"},
    {"Extent::Extent", "an integer"},
    {"Index::Index", "a part of an index"},
    {"Margin::Margin", "two integers"},
    {"Operand::Operand", "every operation makes them"},
    {"Operand::where", "a line"},
    {"Shape::Shape", "extents"},
    {"Shape::begin", "extents"},
    {"Shape::end", "extents"},
    {"Shape::extents", "extents"},
    {"Shape::ndim", "extents"},
    {"Shape::operator[]", "extents"},
    {"Shape::size", "extents"},
    {"Where::here", "a line"},
    {"dtype_of", "a type"},
    {"name", "a type"},
    {"set_threads", "of the process: device_tests.cpp"},
    {"slice", "a part of an index"},
    {"timeit", "calls what it is given, and synchronize; takes 0.2 s"},
    {"version", "a text"},
};

}  // namespace

std::span<const FunctionCall> every_function() { return kCalls; }
std::span<const LeftOut> left_out() { return kLeftOut; }

std::string said(const kn::Array& x) {
  std::ostringstream out;
  out << x.dtype() << ' ' << x.shape();
  kn::eval(x);
  if (x.size() > 0) out << ' ' << x;
  return out.str();
}

}  // namespace kiln_tests
