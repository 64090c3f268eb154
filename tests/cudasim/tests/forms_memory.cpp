#include <algorithm>

#include "tests/cudasim/tests/forms_harness.h"

namespace cudasim_tests {
namespace {

bool has(const std::vector<std::string>& parts, std::string_view name) {
  return std::find(parts.begin(), parts.end(), name) != parts.end();
}

struct Access {
  std::string space;  // empty: generic
  std::string type;
  unsigned count = 1;
};

Access access_of(const std::vector<std::string>& parts) {
  Access access;
  access.type = parts.back();
  for (const char* space : {"global", "shared", "local", "const", "param"}) {
    if (has(parts, space)) access.space = space;
  }
  if (has(parts, "v2")) access.count = 2;
  if (has(parts, "v4")) access.count = 4;
  return access;
}

std::string register_list(unsigned count) {
  if (count == 1) return "x0";
  std::string text = "{x0";
  for (unsigned i = 1; i < count; ++i) text += ", x" + std::to_string(i);
  return text + "}";
}

std::string declare(const Access& a) {
  const unsigned bits = std::max(2u, size_of(a.type)) * 8;
  std::string text = ".reg .b" + std::to_string(bits) + " x<4>;\n";
  return text;
}

std::string vector_of(unsigned count) { return count == 1 ? "" : ".v" + std::to_string(count); }

// Copies `bytes` from one address expression to another, byte by byte.
std::string copy_bytes(const std::string& to_op, const std::string& to, const std::string& from_op,
                       const std::string& from, unsigned bytes) {
  std::string text;
  for (unsigned i = 0; i < bytes; ++i) {
    const std::string at = std::to_string(i);
    text += from_op + ".u8 %h1, [" + from + "+" + at + "];\n" + to_op + ".u8 [" + to + "+" + at +
            "], %h1;\n";
  }
  return text;
}

// 32 distinct bytes a lane.
std::vector<unsigned char> pattern() {
  std::vector<unsigned char> bytes(32 * 32);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<unsigned char>(i * 7 + i / 32 * 13 + 129);
  return bytes;
}

const char* const kIndex =
    "mov.u32 %r1, %tid.x;\nld.param.u64 %rd1, [in];\nld.param.u64 %rd2, [out];\n"
    "mad.wide.u32 %rd3, %r1, 32, %rd1;\nmad.wide.u32 %rd4, %r1, 32, %rd2;\n";

// The load under test reads this lane's 32 bytes in its space, put there by byte copies.
std::string load_program(const std::string& form, const Access& a, std::string& before,
                         bool& uniform) {
  const unsigned bytes = size_of(a.type) * a.count;
  const std::string target = register_list(a.count);
  std::string text = declare(a);
  std::string address = "%rd3";
  if (a.space == "shared" || a.space == "local") {
    const unsigned size = a.space == "shared" ? 1024 : 32;
    text += "." + a.space + " .align 16 .b8 s[" + std::to_string(size) + "];\nmov.u64 %rd5, s;\n";
    if (a.space == "shared") text += "mad.wide.u32 %rd5, %r1, 32, %rd5;\n";
    text += copy_bytes("st." + a.space, "%rd5", "ld.global", "%rd3", bytes);
    address = "%rd5";
  } else if (a.space == "const") {
    before = ".const .align 16 .b8 c[32] = {1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20};\n";
    address = "c";
    uniform = true;
  } else if (a.space == "param") {
    address = "p";
    uniform = true;
  }
  text += form + " " + target + ", [" + address + "];\n";
  return text + "st.global" + vector_of(a.count) + "." + a.type + " [%rd4], " + target + ";\n";
}

// The store under test writes to its space; byte copies carry the result out.
std::string store_program(const std::string& form, const Access& a, std::string& before) {
  const unsigned bytes = size_of(a.type) * a.count;
  const std::string source = register_list(a.count);
  const std::string load =
      "ld.global" + vector_of(a.count) + "." + a.type + " " + source + ", [%rd3];\n";
  std::string text = declare(a) + load;
  if (a.space == "shared" || a.space == "local") {
    const unsigned size = a.space == "shared" ? 1024 : 32;
    text += "." + a.space + " .align 16 .b8 s[" + std::to_string(size) + "];\nmov.u64 %rd5, s;\n";
    if (a.space == "shared") text += "mad.wide.u32 %rd5, %r1, 32, %rd5;\n";
    text += form + " [%rd5], " + source + ";\n";
    return text + copy_bytes("st.global", "%rd4", "ld." + a.space, "%rd5", bytes);
  }
  if (a.space == "param") {
    const std::string size = "[" + std::to_string(bytes) + "]";
    const std::string suffix = vector_of(a.count) + "." + a.type;
    before = ".func (.param .align 16 .b8 r" + size + ") f(.param .align 16 .b8 q" + size +
             ")\n{\n" + declare(a) + "ld.param" + suffix + " " + source + ", [q];\nst.param" +
             suffix + " [r], " + source + ";\nret;\n}\n";
    text += "{\n.param .align 16 .b8 p" + size + ";\n.param .align 16 .b8 v" + size + ";\n" + form +
            " [p], " + source + ";\ncall.uni (v), f, (p);\nld.param" + suffix + " " + source +
            ", [v];\n}\n";
    return text + "st.global" + suffix + " [%rd4], " + source + ";\n";
  }
  return text + form + " [%rd4], " + source + ";\n";
}

}  // namespace

bool Forms::load_store_form(const std::string& form) {
  const std::vector<std::string> parts = split_form(form);
  if (parts[0] == "cvta") {
    if (parts[1] == "to" || parts[1] == "param" || parts[1] == "const") {
      const std::string space = parts[1] == "to" ? parts[2] : parts[1];
      const bool variable = space == "shared" || space == "local";
      const std::string declared = space == "shared"  ? ".shared .align 4 .b32 s;\n"
                                   : space == "local" ? ".local .align 4 .b32 s;\n"
                                                      : "";
      const std::string source = variable           ? "s"
                                 : space == "const" ? "c"
                                 : space == "param" ? "in"
                                                    : "%rd1";
      // To generic and back again is where it was.
      const auto got =
          words(declared + "mov.u64 %rd5, " + source + ";\ncvta." + space + ".u64 %rd6, %rd5;\n" +
                    "cvta.to." + space + ".u64 %rd7, %rd6;\nsetp.eq.u64 %p1, %rd7, %rd5;\n" +
                    (space == "const" ? "ld.u32 %r4, [%rd6];\n" : "mov.u32 %r4, 9;\n") +
                    "selp.u32 %r3, %r4, 0, %p1;\nst.global.u32 [%rd4], %r3;",
                {0}, ".const .u32 c = 9;");
      for (const std::uint32_t word : got) EXPECT_EQ(word, 9u) << form;
      return true;
    }
    const std::string space = parts[1];
    const std::string declared = space == "global" ? "mov.u64 %rd5, %rd4;\n"
                                                   : "." + space +
                                                         " .align 4 .b32 s[32];\nmov.u64 %rd5, s;\n"
                                                         "mad.wide.u32 %rd5, %r1, 4, %rd5;\n";
    const auto got = words(declared + form + " %rd6, %rd5;\nst.u32 [%rd6], %r1;\nld." + space +
                               ".u32 %r2, [%rd5];\nst.global.u32 [%rd4], %r2;",
                           {0});
    for (std::uint32_t lane = 0; lane < 32; ++lane) EXPECT_EQ(got[lane], lane) << form;
    return true;
  }
  if (parts[0] != "ld" && parts[0] != "st") return false;
  const Access access = access_of(parts);
  std::string before;
  bool uniform = false;
  const std::string body = parts[0] == "ld" ? load_program(form, access, before, uniform)
                                            : store_program(form, access, before);
  const Function kernel =
      function(kernel_text("k", ".param .u64 in, .param .u64 out, .param .align 16 .b8 p[32]",
                           kIndex + body + "ret;", before, 90),
               "k");
  const auto data = pattern();
  DevicePtr in = upload(data);
  DevicePtr out = upload(std::vector<unsigned char>(1024, 0));
  unsigned char parameter[32];
  for (unsigned i = 0; i < 32; ++i) parameter[i] = static_cast<unsigned char>(i + 1);
  EXPECT_EQ(run(kernel, 1, 32, {&in, &out, parameter}), kSuccess) << form << "\n" << report();
  const auto got = download<unsigned char>(out, 1024);
  const unsigned bytes = size_of(access.type) * access.count;
  for (unsigned lane = 0; lane < 32; ++lane) {
    for (unsigned i = 0; i < 32; ++i) {
      const unsigned want = i >= bytes ? 0 : uniform ? i + 1 : data[lane * 32 + i];
      EXPECT_EQ(got[lane * 32 + i], want) << form << " lane " << lane << " byte " << i;
    }
  }
  cuMemFree_v2(in);
  cuMemFree_v2(out);
  return true;
}

namespace {

template <class T>
T number(Bits bits) {
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
template <class T>
Bits bits_of(T value) {
  Bits bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}

Bits atomic_result(const std::string& op, const std::string& type, Bits old, Bits b, Bits c) {
  if (op == "exch") return b;
  if (op == "cas") return old == b ? c : old;
  if (op == "and") return old & b;
  if (op == "or") return old | b;
  if (op == "xor") return old ^ b;
  if (op == "inc") return old >= b ? 0 : old + 1;
  if (op == "min" || op == "max") {
    const bool less = decode_int(b, type) < decode_int(old, type);
    return less == (op == "min") ? b : old;
  }
  if (type == "f32") return bits_of(number<float>(old) + number<float>(b));
  if (type == "f64") return bits_of(number<double>(old) + number<double>(b));
  if (type == "f16x2") {
    const Bits low =
        encode(decode(old & 0xffff, "f16") + decode(b & 0xffff, "f16"), "f16", Round::kNearest);
    const Bits high =
        encode(decode(old >> 16, "f16") + decode(b >> 16, "f16"), "f16", Round::kNearest);
    return low | high << 16;
  }
  return encode_int(decode_int(old, type) + decode_int(b, type), type);
}

Bits atomic_operand(const std::string& type, std::size_t i) {
  if (type == "f32") return bits_of(static_cast<float>(i) * 0.375f - 3.0f);
  if (type == "f64") return bits_of(static_cast<double>(i) * 0.375 - 3.0);
  if (type == "f16x2") return 0x3c003800u + i * 0x00100020u;
  const auto& values = edge_values(type);
  return values[i % values.size()];
}

}  // namespace

// All lanes work on one place, in lane order.
bool Forms::atomic_form(const std::string& form) {
  const std::vector<std::string> parts = split_form(form);
  if (parts[0] != "atom") return false;
  const std::string type = parts.back();
  std::string op;
  for (const char* name : {"add", "min", "max", "inc", "and", "or", "xor", "exch", "cas"}) {
    if (has(parts, name)) op = name;
  }
  const bool shared = has(parts, "shared");
  const unsigned size = size_of(type);
  const std::string bits = ".b" + std::to_string(8 * size);
  const std::string width = std::to_string(size);
  std::string body = ".reg " + bits + " x<4>;\n.shared .align 8 .b64 s;\n" +
                     "mad.wide.u32 %rd3, %r1, " + width + ", %rd3;\nmad.wide.u32 %rd4, %r1, " +
                     width + ", %rd4;\n";
  body += "ld.global" + bits + " x0, [%rd3+8];\nld.global" + bits + " x1, [%rd3+264];\n";
  const std::string place = shared ? "[s]" : "[%rd1]";
  if (shared)
    body += "setp.eq.u32 %p1, %r1, 0;\nld.global" + bits + " x3, [%rd1];\n@%p1 st.shared" + bits +
            " [s], x3;\nbar.sync 0;\n";
  body += form + " x2, " + place + ", x0" + (op == "cas" ? ", x1" : "") + ";\nst.global" + bits +
          " [%rd4], x2;\n";
  if (shared)
    body += "bar.sync 0;\nld.shared" + bits + " x3, [s];\n@%p1 st.global" + bits + " [%rd1], x3;\n";
  const std::string index =
      "mov.u32 %r1, %tid.x;\nld.param.u64 %rd1, [in];\nld.param.u64 %rd2, [out];\n"
      "mov.u64 %rd3, %rd1;\nmov.u64 %rd4, %rd2;\n";
  const Function kernel = function(
      kernel_text("k", ".param .u64 in, .param .u64 out", index + body + "ret;", "", 90), "k");
  std::vector<unsigned char> data(8 + 256 + 256, 0);
  Bits memory = atomic_operand(type, 3);
  std::memcpy(data.data(), &memory, size);
  std::vector<Bits> b(32);
  std::vector<Bits> c(32);
  Bits chain = memory;
  std::vector<Bits> olds;
  for (std::size_t i = 0; i < 32; ++i) {
    b[i] = op == "cas" && i % 3 != 0 ? chain : atomic_operand(type, i);
    c[i] = atomic_operand(type, i + 5);
    std::memcpy(&data[8 + i * size], &b[i], size);
    std::memcpy(&data[264 + i * size], &c[i], size);
    olds.push_back(chain);
    chain = atomic_result(op, type, chain, b[i], c[i]);
  }
  DevicePtr in = upload(data);
  DevicePtr out = allocate(256);
  EXPECT_EQ(run(kernel, 1, 32, {&in, &out}), kSuccess) << form << "\n" << report();
  const auto after = download<unsigned char>(in, 8);
  const auto got = download<unsigned char>(out, 32 * size);
  Bits value = 0;
  std::memcpy(&value, after.data(), size);
  EXPECT_EQ(value, chain) << form;
  for (std::size_t i = 0; i < 32; ++i) {
    value = 0;
    std::memcpy(&value, &got[i * size], size);
    EXPECT_EQ(value, olds[i]) << form << " lane " << i;
  }
  cuMemFree_v2(in);
  cuMemFree_v2(out);
  return true;
}

}  // namespace cudasim_tests
