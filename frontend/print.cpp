// operator<<: NumPy's layout of brackets, lines and summaries.
#include <algorithm>
#include <cstring>
#include <ostream>
#include <sstream>

#include "frontend/environment.h"
#include "frontend/evaluate.h"
#include "frontend/layout.h"
#include "frontend/number_text.h"
#include "frontend/read.h"
#include "frontend/record.h"

namespace kiln::inline v0 {

using frontend::Access;
using frontend::Node;
using Extents = std::vector<std::int64_t>;

namespace {

constexpr std::int64_t kThreshold = 1000;  // more elements are summarised
constexpr std::int64_t kEdge = 3;          // elements shown at each end of an axis then
constexpr std::size_t kWidth = 75;

// The elements that are shown: the array without the middle of its long axes.
struct Shown {
  Extents extent;         // of what is shown
  std::vector<bool> cut;  // axes whose middle is left out
  std::vector<std::string> texts;
};

class Printer {
 public:
  explicit Printer(const Shown& shown) : shown_(shown) {}
  std::string print(std::size_t axis, std::size_t first, std::string indent, std::size_t width);

 private:
  std::string row(std::size_t first, const std::string& indent, std::size_t width);
  std::string block(std::size_t axis, std::size_t first, const std::string& indent,
                    std::size_t width);
  const Shown& shown_;
};

std::string Printer::print(std::size_t axis, std::size_t first, std::string indent,
                           std::size_t width) {
  const bool last = axis + 1 == shown_.extent.size();
  const std::string text = last ? row(first, indent, width) : block(axis, first, indent, width);
  return "[" + text.substr(indent.size()) + "]";
}

std::string Printer::row(std::size_t first, const std::string& indent, std::size_t width) {
  std::string done, line = indent;
  const auto extend = [&](const std::string& word) {
    if (line.size() + word.size() > width - 1 && line.size() > indent.size()) {
      done += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
      line = indent;
    }
    line += word;
  };
  const std::int64_t n = shown_.extent.back();
  for (std::int64_t i = 0; i < n; ++i) {
    if (i == kEdge && shown_.cut.back()) {
      extend("...");
      line += " ";
    }
    extend(shown_.texts[first + static_cast<std::size_t>(i)]);
    if (i + 1 < n) line += " ";
  }
  return done + line;
}

std::string Printer::block(std::size_t axis, std::size_t first, const std::string& indent,
                           std::size_t width) {
  std::size_t stride = 1;
  for (std::size_t i = axis + 1; i < shown_.extent.size(); ++i)
    stride *= static_cast<std::size_t>(shown_.extent[i]);
  const std::string gap(shown_.extent.size() - axis - 1, '\n');
  std::string text;
  const std::int64_t n = shown_.extent[axis];
  for (std::int64_t i = 0; i < n; ++i) {
    if (i == kEdge && shown_.cut[axis]) text += indent + "..." + gap;
    text += indent +
            print(axis + 1, first + static_cast<std::size_t>(i) * stride, indent + " ", width - 1);
    if (i + 1 < n) text += gap;
  }
  return text;
}

// The array without the middle of its cut axes, on its own device.
Array without_middle(Array x, const Shown& shown, Where where) {
  for (std::size_t i = 0; i < shown.cut.size(); ++i) {
    if (!shown.cut[i]) continue;
    Extents extent(x.shape().begin(), x.shape().end()), begin(extent.size(), 0),
        step(extent.size(), 1);
    const std::int64_t n = std::exchange(extent[i], kEdge);
    const Array head = frontend::sliced(x, Shape(extent), begin, step, where);
    begin[i] = n - kEdge;
    const Array tail = frontend::sliced(x, Shape(extent), begin, step, where);
    Node* const nodes[] = {Access::node(head), Access::node(tail)};
    x = frontend::concatenated(nodes, static_cast<std::int64_t>(i), where);
  }
  return x;
}

// The same from memory that the host can read.
std::vector<std::byte> gather(const Array& x, const Shown& shown, const std::byte* first,
                              const frontend::Value& value) {
  const auto size = static_cast<std::size_t>(ir::size_of(frontend::to_ir(x.dtype())));
  const std::size_t ndim = shown.extent.size();
  const Extents strides =
      value.strides.empty() ? frontend::dense_strides(x.shape().extents()) : value.strides;
  std::vector<std::byte> result(static_cast<std::size_t>(Shape(shown.extent).size()) * size);
  Extents index(ndim, 0);
  for (std::size_t at = 0; at < result.size(); at += size) {
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < ndim; ++i) {
      const bool tail = shown.cut[i] && index[i] >= kEdge;
      offset +=
          strides[i] * (tail ? x.shape().extents()[i] - shown.extent[i] + index[i] : index[i]);
    }
    std::memcpy(result.data() + at, first + offset * static_cast<std::int64_t>(size), size);
    for (std::size_t i = ndim; i-- > 0 && ++index[i] == shown.extent[i];) index[i] = 0;
  }
  return result;
}

Shown shown_of(const Array& x, Where where) {
  Shown shown;
  const bool summary = x.size() > kThreshold;
  for (const std::int64_t n : x.shape()) {
    const bool cut = summary && n > 2 * kEdge;
    shown.cut.push_back(cut);
    shown.extent.push_back(cut ? 2 * kEdge : n);
  }
  const ir::DType t = frontend::to_ir(x.dtype());
  const auto count = static_cast<std::size_t>(Shape(shown.extent).size());
  const frontend::Value& value = *Access::node(x)->value.load(std::memory_order_acquire);
  runtime::Block block;
  if (summary && value.storage->resident(frontend::registry().cpu(), &block)) {
    const auto* const first =
        static_cast<const std::byte*>(block.data()) + value.offset * ir::size_of(t);
    shown.texts = frontend::aligned_texts(t, gather(x, shown, first, value).data(), count);
    return shown;
  }
  const Array part = summary ? without_middle(x, shown, where) : x;
  shown.texts =
      frontend::aligned_texts(t, frontend::host_data(part, where, "operator<<").data, count);
  return shown;
}

}  // namespace

std::string Array::text() const {
  std::ostringstream out;
  out << *this;
  return std::move(out).str();
}

[[gnu::visibility("default")]] std::ostream& operator<<(std::ostream& out, const Array& x) {
  const Where where = Access::node(x)->where;
  if (x.size() == 0) return out << "[]";
  frontend::evaluate({&x, 1}, where);
  if (x.ndim() == 0) {
    return out << frontend::number_text(frontend::to_ir(x.dtype()),
                                        frontend::host_data(x, where, "operator<<").data);
  }
  frontend::Context& c = frontend::context();
  const bool before = std::exchange(c.evaluating, true);
  Shown shown;
  try {
    shown = shown_of(x, where);
  } catch (...) {
    c.evaluating = before;
    throw;
  }
  c.evaluating = before;
  return out << Printer(shown).print(0, 0, " ", kWidth);
}

}  // namespace kiln::inline v0
