#include "kiln/io.h"
#include "ir/mutant.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <fstream>
#include <memory>
#include <span>
#include <vector>

#include "frontend/complaint.h"
#include "frontend/host_memory.h"
#include "frontend/read.h"
#include "frontend/state.h"
#include "kiln/creation.h"
#include "kiln/views.h"

namespace kiln::inline v0 {

using frontend::Complaint;

namespace {

constexpr std::string_view kMagic{"\x93NUMPY", 6};

constexpr char kNativeOrder = std::endian::native == std::endian::little ? '<' : '>';

struct Code {
  DType dtype;
  const char* text;  // kind and bytes
};
constexpr Code kCodes[] = {{bool_, "b1"},  {int8, "i1"},    {int16, "i2"},   {int32, "i4"},
                           {int64, "i8"},  {uint8, "u1"},   {uint16, "u2"},  {uint32, "u4"},
                           {uint64, "u8"}, {float16, "f2"}, {float32, "f4"}, {float64, "f8"}};

class Reader {
 public:
  Reader(const std::string& path, Where where)
      : path_(path), where_(where), file_(path, std::ios::binary) {
    if (!file_) fail("cannot be opened");
  }
  Array read();

 private:
  [[noreturn]] void fail(const std::string& what) const {
    Complaint("load", fmt::format("{}: {}", path_, what), where_)
        .advise("a .npy file of numbers, as numpy.save or kiln::save writes it")
        .raise<IoError>();
  }
  void take(void* to, std::size_t bytes, const char* what) {
    file_.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes));
    if (static_cast<std::size_t>(file_.gcount()) != bytes) {
      fail(fmt::format("truncated: {} needs {} bytes, {} are there", what, bytes, file_.gcount()));
    }
  }
  std::string header();
  std::string_view field(std::string_view header, std::string_view name) const;
  DType dtype_of_code(std::string_view code, bool* swapped) const;
  Shape shape_of(std::string_view text) const;

  std::string path_;
  Where where_;
  std::ifstream file_;
};

std::string Reader::header() {
  char start[8];
  take(start, sizeof start, "the magic string");
  if (std::string_view(start, 6) != kMagic) fail("not a .npy file: wrong magic string");
  const int version = start[6];
  if (version < 1 || version > 3) fail(fmt::format("version {} is not known", version));
  unsigned char length[4] = {};
  take(length, version == 1 ? 2 : 4, "the header's length");
  const std::size_t bytes =
      length[0] | length[1] << 8 | length[2] << 16 | static_cast<std::size_t>(length[3]) << 24;
  if (bytes > (std::size_t{1} << 20)) fail(fmt::format("a header of {} bytes", bytes));
  std::string text(bytes, '\0');
  take(text.data(), bytes, "the header");
  return text;
}

// The value behind 'name': in the header's dictionary, up to the comma that ends it.
std::string_view Reader::field(std::string_view header, std::string_view name) const {
  const std::string quoted = fmt::format("'{}'", name);
  std::size_t at = header.find(quoted);
  if (at == std::string_view::npos) fail(fmt::format("malformed header: no {}", quoted));
  at = header.find(':', at + quoted.size());
  if (at == std::string_view::npos) fail(fmt::format("malformed header: {} has no value", quoted));
  at = header.find_first_not_of(' ', at + 1);
  if (at == std::string_view::npos) fail(fmt::format("malformed header: {} has no value", quoted));
  const char open = header[at];
  std::size_t end = 0;
  if (open == '(') {
    end = header.find(')', at) + 1;
  } else if (open == '\'') {
    end = header.find('\'', at + 1) + 1;
  } else if (open == '[') {
    fail("a structured dtype, which has no counterpart");
  } else {
    end = header.find_first_of(",}", at);
  }
  if (end == 0 || end == std::string_view::npos)
    fail(fmt::format("malformed header: {} does not end", quoted));
  return header.substr(at, end - at);
}

DType Reader::dtype_of_code(std::string_view code, bool* swapped) const {
  if (code.size() < 4) fail(fmt::format("dtype {} is malformed", code));
  const char order = code[1];
  const std::string_view kind = code.substr(2, code.size() - 3);
  *swapped = order == (std::endian::native == std::endian::little ? '>' : '<');
  for (const Code& c : kCodes) {
    if (kind == c.text && std::string_view("<>|=").find(order) != std::string_view::npos)
      return c.dtype;
  }
  fail(fmt::format("dtype {} has no counterpart", code));
}

Shape Reader::shape_of(std::string_view text) const {
  std::vector<std::int64_t> extents;
  const char* at = text.data() + 1;
  const char* const end = text.data() + text.size() - 1;
  std::int64_t size = 1;
  while (at != end) {
    if (*at == ' ' || *at == ',' || *at == 'L') {
      ++at;
      continue;
    }
    std::int64_t n = 0;
    const auto [stop, error] = std::from_chars(at, end, n);
    const bool fits =
        error == std::errc() && n >= 0 && (n == 0 || size <= (std::int64_t{1} << 59) / n);
    if (!fits) fail(fmt::format("shape {} is malformed", text));
    if (n > 0) size *= n;
    extents.push_back(n);
    at = stop;
  }
  if (extents.size() > 32) fail(fmt::format("{} axes; at most 32 are possible", extents.size()));
  return Shape(extents);
}

Array Reader::read() {
  const std::string text = header();
  bool swapped = false;
  const DType dtype = dtype_of_code(field(text, "descr"), &swapped);
  const std::string_view order = field(text, "fortran_order");
  if (!order.starts_with("True") && !order.starts_with("False"))
    fail("malformed header: fortran_order");
  const bool fortran = order.starts_with("True") && !mutant(ir::Mutant::npy_order);
  const std::string_view extents = field(text, "shape");
  if (extents.front() != '(') fail("malformed header: shape");
  const Shape shape = shape_of(extents);
  const auto size = static_cast<std::size_t>(ir::size_of(frontend::to_ir(dtype)));
  const std::size_t bytes = static_cast<std::size_t>(shape.size()) * size;
  // The file's length is compared first: a wrong shape must not allocate what is not there.
  const auto start = file_.tellg();
  file_.seekg(0, std::ios::end);
  const auto there = static_cast<std::size_t>(file_.tellg() - start);
  if (there < bytes)
    fail(fmt::format("truncated: the elements need {} bytes, {} are there", bytes, there));
  file_.seekg(start);
  const auto block =
      std::make_shared<runtime::Block>(frontend::host_block("load", dtype, shape, where_));
  auto* const data = static_cast<std::byte*>(block->data());
  take(data, bytes, "the elements");
  if (swapped && size > 1) {
    for (std::size_t i = 0; i < bytes; i += size) std::reverse(data + i, data + i + size);
  }
  if (dtype == bool_) {
    for (std::byte& b : std::span(data, bytes)) b = b != std::byte{0} ? std::byte{1} : b;
  }
  std::vector<std::int64_t> strides(static_cast<std::size_t>(shape.ndim()));
  std::int64_t next = 1;
  for (std::size_t i = 0; i < strides.size(); ++i) {
    const std::size_t axis = fortran ? i : strides.size() - 1 - i;
    strides[axis] = next;
    next *= shape.extents()[axis];
  }
  return frontend::borrow_strided(dtype, data, {shape, strides}, block, where_);
}

std::string python_tuple(const Shape& shape) {
  std::string text = frontend::to_text(shape);
  if (shape.ndim() == 1) text.insert(text.size() - 1, ",");
  return text;
}

}  // namespace

Array load(const std::string& path, Where where) {
  ++frontend::state().runs;
  return Reader(path, where).read();
}

void save(const std::string& path, const Array& x, Where where) {
  const Code* const code = std::ranges::find(kCodes, x.dtype(), &Code::dtype);
  if (code == std::end(kCodes)) {
    Complaint("save", fmt::format("{} has no counterpart in .npy files", name(x.dtype())), where)
        .operand("array", x)
        .advise("astype(kiln::float32)")
        .raise();
  }
  const bool one_byte = code->text[1] == '1';
  std::string header =
      fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': {}, }}",
                  one_byte ? '|' : kNativeOrder, code->text, python_tuple(x.shape()));
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');
  header += '\n';
  const frontend::HostData host = frontend::host_data(x, where, "save");
  std::ofstream file(path, std::ios::binary);
  const char prefix[] = {1, 0, static_cast<char>(header.size() & 0xff),
                         static_cast<char>(header.size() >> 8)};
  file.write(kMagic.data(), static_cast<std::streamsize>(kMagic.size()));
  file.write(prefix, sizeof prefix);
  file.write(header.data(), static_cast<std::streamsize>(header.size()));
  file.write(reinterpret_cast<const char*>(host.data),
             static_cast<std::streamsize>(x.size() * ir::size_of(frontend::to_ir(x.dtype()))));
  file.close();
  if (file) return;
  Complaint("save", fmt::format("{}: cannot be written", path), where)
      .advise("a path in a folder that exists and may be written, on a disk with room")
      .raise<IoError>();
}

}  // namespace kiln::inline v0
