// Computes with Kiln's public API what differential.py writes, a line a request:
//   load <name> <file.npy>    op <name> <function> <word>...    save <name> <file.npy>
//   borrow <name> <file.npy> <first element> <shape> <strides>    eval <name>
//   text <name>    clear    scope <mode> <flush after> <fusion>
// save answers "saved", text the array as it prints and a line "<end>"; what fails answers
// "error <request> :: <message>".
#include <kiln/kiln.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>

namespace {

namespace kn = kiln;
using kn::Array;
using Words = std::vector<std::string>;
using Values = std::map<std::string, Array>;

std::vector<std::int64_t> numbers(const std::string& text) {
  std::vector<std::int64_t> result;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) result.push_back(std::stoll(part));
  return result;
}
kn::Axes axes(const std::string& text) {
  return text == "all" ? kn::Axes(kn::all_axes) : kn::Axes(numbers(text));
}
kn::Keep keep(const std::string& text) { return text == "1" ? kn::keepdims : kn::Keep::no; }

kn::DType dtype(const std::string& text) {
  for (const kn::DType t : {kn::bool_, kn::int8, kn::int16, kn::int32, kn::int64, kn::uint8,
                            kn::uint16, kn::uint32, kn::uint64, kn::float32, kn::float64}) {
    if (kn::name(t) == text) return t;
  }
  throw std::runtime_error("no dtype " + text);
}

// As in Python: 3, 1:5:-2, new, ...
kn::Index index(const std::string& text) {
  if (text == "new") return kn::newaxis;
  if (text == "...") return kn::ellipsis;
  if (text.find(':') == std::string::npos) return std::stoll(text);
  std::vector<kn::Bound> bounds;
  std::istringstream stream(text + ":");
  for (std::string part; std::getline(stream, part, ':');) {
    bounds.push_back(part.empty() ? kn::Bound(kn::_) : kn::Bound(std::stoll(part)));
  }
  return kn::slice(bounds.at(0), bounds.at(1), bounds.size() > 2 ? bounds[2] : kn::Bound(kn::_));
}

// The file's elements, from `first` on at these strides, where they are.
template <class T>
Array borrowed(const Array& file, std::int64_t first, const kn::Layout& layout) {
  const auto view = std::make_shared<const kn::HostView<T>>(file.host<T>());
  return kn::borrow(view->data() + first, layout, view);
}
template <class... T>
Array borrowed_as_stored(const Array& file, std::int64_t first, const kn::Layout& layout) {
  std::optional<Array> result;
  ((file.dtype() == kn::dtype_of<T>()
        ? static_cast<void>(result.emplace(borrowed<T>(file, first, layout)))
        : static_cast<void>(0)),
   ...);
  return result.value();
}

kn::Mode mode(const std::string& text) {
  return text == "eager" ? kn::Mode::eager : text == "check" ? kn::Mode::check : kn::Mode::lazy;
}

// f(i...) for the indices that the words from `first` on say.
template <class F>
auto with_indices(const Words& words, std::size_t first, F f) {
  std::vector<kn::Index> i;
  for (std::size_t k = first; k < words.size(); ++k) i.push_back(index(words[k]));
  switch (i.size()) {
    case 1:
      return f(i[0]);
    case 2:
      return f(i[0], i[1]);
    case 3:
      return f(i[0], i[1], i[2]);
    case 4:
      return f(i[0], i[1], i[2], i[3]);
    default:
      throw std::runtime_error("1 to 4 indices");
  }
}

class Calculator {
 public:
  void answer(const std::string& line) {
    std::istringstream words(line);
    std::string verb, name, word;
    words >> verb >> name >> word;
    if (verb == "clear") values_.clear();
    if (verb == "load") values_.insert_or_assign(name, kn::load(word));
    if (verb == "eval") kn::eval(values_.at(name));
    if (verb == "borrow") {
      std::string first, shape, strides;
      words >> first >> shape >> strides;
      values_.insert_or_assign(
          name, borrowed_as_stored<bool, std::int8_t, std::int16_t, std::int32_t, std::int64_t,
                                   std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t, float,
                                   double>(kn::load(word), std::stoll(first),
                                           {kn::Shape(numbers(shape)), numbers(strides)}));
    }
    if (verb == "scope") {
      std::string fusion;
      words >> fusion;
      scope_.reset();
      scope_.emplace(kn::Options{
          .mode = mode(name), .fusion = fusion == "1", .flush_after = std::stoll(word)});
    }
    if (verb == "save") {
      kn::save(word, values_.at(name));
      std::cout << "saved" << std::endl;
    }
    if (verb == "text") std::cout << values_.at(name) << "\n<end>" << std::endl;
    if (verb != "op") return;
    Words rest;
    for (std::string more; words >> more;) rest.push_back(more);
    values_.insert_or_assign(name, compute(word, rest));
  }

 private:
  Array compute(const std::string& op, const Words& w) const {
    for (const auto& table : {&Calculator::of_values, &Calculator::reduction, &Calculator::view}) {
      if (const std::optional<Array> result = (this->*table)(op, w)) return *result;
    }
    throw std::runtime_error("no operation " + op);
  }

  const Array& at(const Words& w, std::size_t k) const { return values_.at(w.at(k)); }
  std::vector<Array> from(const Words& w, std::size_t first) const {
    std::vector<Array> result;
    for (std::size_t k = first; k < w.size(); ++k) result.push_back(at(w, k));
    return result;
  }

  std::optional<Array> of_values(const std::string& op, const Words& w) const {
    using One = Array (*)(const Array&, kn::Where);
    using Two = Array (*)(kn::Operand, kn::Operand);
    static const std::map<std::string, One> ones{{"negative", kn::negative},
                                                 {"abs", kn::abs},
                                                 {"sign", kn::sign},
                                                 {"square", kn::square},
                                                 {"floor", kn::floor},
                                                 {"ceil", kn::ceil},
                                                 {"trunc", kn::trunc},
                                                 {"round", kn::round},
                                                 {"sqrt", kn::sqrt},
                                                 {"exp", kn::exp},
                                                 {"sin", kn::sin},
                                                 {"cos", kn::cos},
                                                 {"tanh", kn::tanh},
                                                 {"isnan", kn::isnan},
                                                 {"isinf", kn::isinf},
                                                 {"isfinite", kn::isfinite},
                                                 {"logical_not", kn::logical_not},
                                                 {"bitwise_invert", kn::bitwise_invert}};
    static const std::map<std::string, Two> twos{{"add", kn::add},
                                                 {"subtract", kn::subtract},
                                                 {"multiply", kn::multiply},
                                                 {"divide", kn::divide},
                                                 {"floor_divide", kn::floor_divide},
                                                 {"remainder", kn::remainder},
                                                 {"maximum", kn::maximum},
                                                 {"minimum", kn::minimum},
                                                 {"copysign", kn::copysign},
                                                 {"equal", kn::equal},
                                                 {"not_equal", kn::not_equal},
                                                 {"less", kn::less},
                                                 {"less_equal", kn::less_equal},
                                                 {"greater", kn::greater},
                                                 {"greater_equal", kn::greater_equal},
                                                 {"logical_and", kn::logical_and},
                                                 {"logical_or", kn::logical_or},
                                                 {"logical_xor", kn::logical_xor},
                                                 {"bitwise_and", kn::bitwise_and},
                                                 {"bitwise_or", kn::bitwise_or},
                                                 {"bitwise_xor", kn::bitwise_xor},
                                                 {"bitwise_left_shift", kn::bitwise_left_shift},
                                                 {"bitwise_right_shift", kn::bitwise_right_shift}};
    if (const auto f = ones.find(op); f != ones.end())
      return f->second(at(w, 0), kn::Where::here());
    if (const auto f = twos.find(op); f != twos.end()) return f->second(at(w, 0), at(w, 1));
    if (op == "where") return kn::where(at(w, 0), at(w, 1), at(w, 2));
    if (op == "clip") return kn::clip(at(w, 0), at(w, 1), at(w, 2));
    if (op == "astype") return kn::astype(at(w, 0), dtype(w.at(1)));
    if (op == "matmul") return kn::matmul(at(w, 0), at(w, 1));
    if (op == "outer") return kn::outer(at(w, 0), at(w, 1));
    if (op == "vecdot") return kn::vecdot(at(w, 0), at(w, 1), std::stoll(w.at(2)));
    return std::nullopt;
  }

  // <array> <axes> <keep>
  std::optional<Array> reduction(const std::string& op, const Words& w) const {
    using Over = Array (*)(const Array&, const kn::Axes&, kn::Keep, kn::Where);
    static const std::map<std::string, Over> table{
        {"any", kn::any}, {"all", kn::all}, {"count_nonzero", kn::count_nonzero}};
    if (const auto f = table.find(op); f != table.end()) {
      return f->second(at(w, 0), axes(w.at(1)), keep(w.at(2)), kn::Where::here());
    }
    if (op == "sum") return kn::sum(at(w, 0), axes(w.at(1)), keep(w.at(2)));
    if (op == "prod") return kn::prod(at(w, 0), axes(w.at(1)), keep(w.at(2)));
    if (op == "mean") return kn::mean(at(w, 0), axes(w.at(1)), keep(w.at(2)));
    if (op == "var") return kn::var(at(w, 0), axes(w.at(1)), {0}, keep(w.at(2)));
    if (op == "std") return kn::std(at(w, 0), axes(w.at(1)), {0}, keep(w.at(2)));
    if (op == "softmax") return kn::softmax(at(w, 0), axes(w.at(1)));
    if (op == "max" || op == "min") return extreme(op == "max", at(w, 0), w.at(1), keep(w.at(2)));
    if (op == "argmax" || op == "argmin") {
      std::optional<std::int64_t> axis;
      if (w.at(1) != "all") axis = std::stoll(w[1]);
      return op == "argmax" ? kn::argmax(at(w, 0), axis, keep(w.at(2)))
                            : kn::argmin(at(w, 0), axis, keep(w.at(2)));
    }
    return std::nullopt;
  }

  static Array extreme(bool max, const Array& x, const std::string& over, kn::Keep keep) {
    if (over == "all") return max ? kn::max(x, kn::all_axes, keep) : kn::min(x, kn::all_axes, keep);
    const std::vector<std::int64_t> n = numbers(over);
    if (n.size() == 1) return max ? kn::max(x, {n[0]}, keep) : kn::min(x, {n[0]}, keep);
    return max ? kn::max(x, {n[0], n[1]}, keep) : kn::min(x, {n[0], n[1]}, keep);
  }

  std::optional<Array> view(const std::string& op, const Words& w) const {
    if (op == "concat") return kn::concat(from(w, 1), std::stoll(w.at(0)));
    if (op == "stack") return kn::stack(from(w, 1), std::stoll(w.at(0)));
    const Array& x = at(w, 0);
    if (op == "index") return with_indices(w, 1, [&](auto... i) { return x(i...); });
    if (op == "reshape") return kn::reshape(x, kn::Shape(numbers(w.at(1))));
    if (op == "permute_dims") return kn::permute_dims(x, axes(w.at(1)));
    if (op == "expand_dims") return kn::expand_dims(x, axes(w.at(1)));
    if (op == "squeeze") return kn::squeeze(x, axes(w.at(1)));
    if (op == "broadcast_to") return kn::broadcast_to(x, kn::Shape(numbers(w.at(1))));
    if (op == "flip") return kn::flip(x, axes(w.at(1)));
    if (op == "roll") return kn::roll(x, std::stoll(w.at(1)), axes(w.at(2)));
    if (op == "repeat") return kn::repeat(x, std::stoll(w.at(1)), std::stoll(w.at(2)));
    if (op == "tile") return kn::tile(x, kn::Shape(numbers(w.at(1))));
    if (op == "tril") return kn::tril(x, std::stoll(w.at(1)));
    if (op == "triu") return kn::triu(x, std::stoll(w.at(1)));
    if (op == "pad") {
      std::vector<kn::Margin> margins;
      const std::vector<std::int64_t> n = numbers(w.at(1));
      for (std::size_t k = 0; k + 1 < n.size(); k += 2) margins.push_back({n[k], n[k + 1]});
      return kn::pad(x, margins, at(w, 2));
    }
    if (op == "assign" || op == "add_at") {
      Array y = x;
      with_indices(w, 2, [&](auto... i) {
        if (op == "assign") {
          y.at(i...) = at(w, 1);
        } else {
          y.at(i...) += at(w, 1);
        }
        return 0;
      });
      return y;
    }
    return std::nullopt;
  }

  Values values_;
  std::optional<kn::Scope> scope_;
};

}  // namespace

int main() {
  Calculator calculator;
  for (std::string line; std::getline(std::cin, line);) {
    try {
      calculator.answer(line);
    } catch (const std::exception& error) {
      std::string message = error.what();
      std::ranges::replace(message, '\n', ' ');
      std::cout << "error " << line << " :: " << message << std::endl;
    }
  }
}
