#include "kiln/io.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <memory>
#include <span>
#include <vector>

#include "frontend/complaint.h"
#include "frontend/host_memory.h"
#include "frontend/npy_header.h"
#include "frontend/read.h"
#include "frontend/state.h"
#include "frontend/translate.h"
#include "ir/mutant.h"
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
  DType dtype_of(std::string_view code, bool* swapped) const;

  std::string path_;
  Where where_;
  std::ifstream file_;
};

std::string Reader::header() {
  char start[8];
  take(start, sizeof start, "the magic string");
  if (std::string_view(start, 6) != kMagic) fail("not a .npy file: wrong magic string");
  const int version = static_cast<unsigned char>(start[6]), minor = start[7];
  if (version < 1 || version > 3 || minor != 0)
    fail(fmt::format("version {}.{} is not known", version, static_cast<unsigned char>(start[7])));
  unsigned char length[4] = {};
  take(length, version == 1 ? 2 : 4, "the header's length");
  const std::size_t bytes =
      length[0] | length[1] << 8 | length[2] << 16 | static_cast<std::size_t>(length[3]) << 24;
  if (bytes > (std::size_t{1} << 20)) fail(fmt::format("a header of {} bytes", bytes));
  std::string text(bytes, '\0');
  take(text.data(), bytes, "the header");
  return text;
}

DType Reader::dtype_of(std::string_view code, bool* swapped) const {
  std::string_view kind = code;
  const bool ordered =
      !kind.empty() && std::string_view("<>|=").find(kind[0]) != std::string_view::npos;
  *swapped = ordered && kind[0] == (kNativeOrder == '<' ? '>' : '<');
  if (ordered) kind.remove_prefix(1);
  if (kind == "?") return bool_;
  for (const Code& c : kCodes) {
    if (kind == c.text || (!ordered && kind == name(c.dtype))) return c.dtype;
  }
  fail(fmt::format("dtype '{}' has no counterpart", code));
}

Array Reader::read() {
  frontend::NpyHeader head;
  const std::string wrong = frontend::parse_npy_header(header(), &head);
  if (!wrong.empty()) fail(wrong);
  bool swapped = false;
  const DType dtype = dtype_of(head.descr, &swapped);
  const Shape shape(head.shape);
  const bool fortran = head.fortran_order && !mutant(ir::Mutant::npy_order);
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
  return frontend::translated("load", where, [&] { return Reader(path, where).read(); });
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
