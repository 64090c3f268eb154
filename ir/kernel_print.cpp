#include <fmt/format.h>

#include <iterator>

#include "ir/kernel_codes.h"
#include "ir/mutant.h"
#include "ir/scalar.h"
#include "ir/text.h"

namespace kiln::ir {
namespace {

class KernelPrinter {
 public:
  KernelPrinter(const Kernel& kernel, Labels labels) : k_(kernel), labels_(labels == Labels::yes) {}

  std::string run() {
    header();
    for (std::size_t i = 0; i < k_.insts.size(); ++i) instruction(i);
    return std::move(out_);
  }

 private:
  template <class... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }
  void label(std::string_view text) {
    if (labels_) put(" {}", quote(text));
  }

  void header() {
    put("kernel {} {}", kTargetNames[static_cast<int>(k_.target)], brief(k_.index));
    if (k_.members != 0) put(" members {}", k_.members);
    label(k_.name);
    out_ += '\n';
    if (labels_ && !k_.expression.empty()) put("expression {}\n", quote(k_.expression));
    for (const Param& p : k_.params) {
      put("param {} {}", kParamKindNames[static_cast<int>(p.kind)], brief(p.dtype));
      if (p.read) put(" read");
      if (p.written) put(" written");
      label(p.name);
      out_ += '\n';
    }
    for (const Memory& m : k_.memories) {
      put("memory {} {}", kSpaceNames[static_cast<int>(m.space)], brief(m.dtype));
      if (m.space == Space::global)
        put(" p{}", m.param);
      else
        put(" #{}", m.size);
      label(m.name);
      out_ += '\n';
    }
    for (const GridFactor& f : k_.grid) {
      put("items");
      for (const std::uint32_t p : f.params) put(" p{}", p);
      put(" / {}\n", f.divisor);
    }
  }

  void immediate(const Inst& inst) {
    switch (info(inst.code).imm) {
      case ImmKind::bits:
        put(" {:#x}", static_cast<std::uint64_t>(inst.imm));
        return;
      case ImmKind::param:
        put(" p{}", inst.imm);
        return;
      case ImmKind::memory:
        put(" m{}", inst.imm);
        return;
      case ImmKind::opener:
        if (open_.empty() || static_cast<std::int64_t>(open_.back()) != inst.imm) {
          put(" #{}", inst.imm);
        }
        return;
      case ImmKind::number:
        if (inst.imm != 0) put(" #{}", inst.imm);
        return;
    }
  }

  void instruction(std::size_t i) {
    const Inst& inst = k_.insts[i];
    const CodeInfo& code = info(inst.code);
    if (dedents(inst.code) && depth_ > 0) --depth_;
    out_.append(2 * depth_ + 2, ' ');
    if (code.value) put("%{} = ", i);
    put("{}", inst.code == Code::op ? info(inst.op).name : code.name);
    if (code.value || inst.dtype != DType::bool_ || inst.lanes != 1) {
      put(" {}", brief(inst.dtype));
      if (inst.lanes != 1 && !mutant(Mutant::key_lanes)) put("x{}", inst.lanes);
    }
    immediate(inst);
    for (int a = 0; a < arg_count(inst); ++a) {
      const Value arg = inst.args[static_cast<std::size_t>(a)];
      if (arg == kNoValue)
        put(" _");
      else
        put(" %{}", arg);
    }
    for (const FlagName& flag : kFlagNames) {
      if (inst.flags & flag.flag) put(" {}", flag.name);
    }
    labels(inst);
    out_ += '\n';
    if (closes_scope(inst.code) && !open_.empty()) open_.pop_back();
    if (opens_scope(inst.code) || inst.code == Code::rare) open_.push_back(i);
    if (indents(inst.code)) ++depth_;
  }

  void labels(const Inst& inst) {
    if (!labels_) return;
    if (inst.name != 0) put(" {}", quote(k_.names[inst.name]));
    if (inst.line != 0) put(" @{}", quote(k_.lines[inst.line]));
    if (inst.code == Code::constant && is_float(inst.dtype)) {
      put("  ; {}", to_double(inst.dtype, static_cast<std::uint64_t>(inst.imm)));
    }
  }

  const Kernel& k_;
  const bool labels_;
  std::string out_;
  std::size_t depth_ = 0;
  std::vector<std::size_t> open_;
};

}  // namespace

std::string print(const Kernel& kernel, Labels labels) {
  return KernelPrinter(kernel, labels).run();
}

}  // namespace kiln::ir
