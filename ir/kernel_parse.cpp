#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "ir/kernel_codes.h"
#include "ir/text.h"

namespace kiln::ir {
namespace {

class KernelParser {
 public:
  explicit KernelParser(std::string_view text) : r_(text) {}

  Kernel run() {
    if (!r_.next_line()) r_.fail("no kernel");
    header();
    while (r_.next_line()) {
      if (r_.accept("expression"))
        k_.expression = r_.quoted();
      else if (r_.peek() == "param" && k_.insts.empty())
        param();
      else if (r_.accept("memory"))
        memory();
      else if (r_.accept("items"))
        items();
      else
        instruction();
    }
    return std::move(k_);
  }

 private:
  template <class E, std::size_t n>
  E choose(const std::string_view (&names)[n]) {
    const std::string_view text = r_.word();
    const auto found = std::find(std::begin(names), std::end(names), text);
    if (found == std::end(names)) r_.fail(fmt::format("unknown word '{}'", text));
    return static_cast<E>(found - std::begin(names));
  }
  DType dtype() {
    const std::string_view text = r_.word();
    const auto type = dtype_from_brief(text);
    if (!type) r_.fail(fmt::format("'{}' is not a type", text));
    return *type;
  }
  std::string label() { return r_.peek_quoted() ? r_.quoted() : std::string(); }

  void header() {
    r_.expect("kernel");
    k_.target = choose<Target>(kTargetNames);
    k_.index = dtype();
    if (r_.accept("members")) k_.members = r_.count<std::uint32_t>();
    k_.name = label();
  }

  void param() {
    r_.expect("param");
    Param p;
    p.kind = choose<ParamKind>(kParamKindNames);
    p.dtype = dtype();
    p.read = r_.accept("read");
    p.written = r_.accept("written");
    p.name = label();
    k_.params.push_back(std::move(p));
  }

  void memory() {
    Memory m;
    m.space = choose<Space>(kSpaceNames);
    m.dtype = dtype();
    if (m.space == Space::global)
      m.param = r_.number<std::uint32_t>('p');
    else
      m.size = r_.prefixed('#');
    m.name = label();
    k_.memories.push_back(std::move(m));
  }

  void items() {
    GridFactor f;
    while (r_.peek_prefixed('p')) f.params.push_back(r_.number<std::uint32_t>('p'));
    r_.expect("/");
    f.divisor = r_.integer();
    k_.grid.push_back(std::move(f));
  }

  void code(Inst& inst) {
    const std::string_view text = r_.word();
    for (std::size_t c = 0; c < std::size(kCodes); ++c) {
      if (kCodes[c].name == text && static_cast<Code>(c) != Code::op) {
        inst.code = static_cast<Code>(c);
        return;
      }
    }
    const std::optional<Op> op = op_from_name(text);
    if (!op) r_.fail(fmt::format("unknown instruction '{}'", text));
    inst.code = Code::op;
    inst.op = *op;
  }

  // f32 or f32x8.
  bool type(Inst& inst) {
    const std::string_view text = r_.peek();
    const std::size_t x = text.find('x');
    const auto found = dtype_from_brief(text.substr(0, x));
    if (!found) return false;
    r_.word();
    inst.dtype = *found;
    if (x == std::string_view::npos) return true;
    int lanes = 0;
    for (const char c : text.substr(x + 1)) {
      if (c < '0' || c > '9' || lanes > 6552) r_.fail("malformed number of lanes");
      lanes = 10 * lanes + (c - '0');
    }
    inst.lanes = static_cast<std::uint16_t>(lanes);
    return true;
  }

  void immediate(Inst& inst) {
    switch (info(inst.code).imm) {
      case ImmKind::bits:
        inst.imm = static_cast<std::int64_t>(r_.bits());
        return;
      case ImmKind::param:
        inst.imm = r_.prefixed('p');
        return;
      case ImmKind::memory:
        inst.imm = r_.prefixed('m');
        return;
      case ImmKind::opener:
        if (r_.peek_prefixed('#'))
          inst.imm = r_.prefixed('#');
        else if (!open_.empty())
          inst.imm = static_cast<std::int64_t>(open_.back());
        else
          r_.fail("no open scope");
        return;
      case ImmKind::number:
        if (r_.peek_prefixed('#')) inst.imm = r_.prefixed('#');
        return;
    }
  }

  std::size_t intern(std::vector<std::string>& table, std::string text) {
    const auto found = std::find(table.begin() + 1, table.end(), text);
    const std::size_t index = static_cast<std::size_t>(found - table.begin());
    if (index > std::numeric_limits<std::uint16_t>::max()) r_.fail("too many names or lines");
    if (found == table.end()) table.push_back(std::move(text));
    return index;
  }

  void instruction() {
    const std::size_t i = k_.insts.size();
    Inst inst;
    const bool numbered = r_.peek_prefixed('%');
    if (numbered) {
      if (r_.prefixed('%') != static_cast<std::int64_t>(i)) {
        r_.fail(fmt::format("this instruction is %{}", i));
      }
      r_.expect("=");
    }
    code(inst);
    if (info(inst.code).value != numbered) r_.fail("a number is given to values, and only to them");
    if (!type(inst) && numbered) r_.fail("a type is missing");
    immediate(inst);
    for (std::size_t a = 0; r_.peek_prefixed('%') || r_.peek() == "_"; ++a) {
      if (a == inst.args.size()) r_.fail("too many operands");
      if (!r_.accept("_")) inst.args[a] = r_.number<Value>('%');
    }
    for (const FlagName& flag : kFlagNames) {
      if (r_.accept(flag.name)) inst.flags |= flag.flag;
    }
    if (r_.peek_quoted()) inst.name = static_cast<std::uint16_t>(intern(k_.names, r_.quoted()));
    if (r_.accept("@")) inst.line = static_cast<std::uint32_t>(intern(k_.lines, r_.quoted()));
    k_.insts.push_back(inst);
    if (closes_scope(inst.code) && !open_.empty()) open_.pop_back();
    if (opens_scope(inst.code) || inst.code == Code::rare) open_.push_back(i);
  }

  TextReader r_;
  Kernel k_;
  std::vector<std::size_t> open_;
};

}  // namespace

Kernel parse_kernel(std::string_view text) { return KernelParser(text).run(); }

}  // namespace kiln::ir
