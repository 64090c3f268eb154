#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <iterator>
#include <set>

#include "ir/kernel_codes.h"
#include "ir/mutant.h"

namespace kiln::ir {
namespace {

constexpr std::int64_t kMaxThreads = 1024;
constexpr std::int64_t kWarp = 32;

bool is_identifier(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) return false;
  for (const char c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_') return false;
  }
  return true;
}

class KernelVerifier {
 public:
  explicit KernelVerifier(const Kernel& kernel)
      : k_(kernel), visible_(kernel.insts.size(), false) {}

  std::string run() {
    header();
    for (i_ = 0; i_ < k_.insts.size(); ++i_) instruction(k_.insts[i_]);
    for (const Scope& scope : scopes_) complain("%{} is not closed", scope.opener);
    if (grids_ != 1) complain("a kernel has one grid, this one {}", grids_);
    return std::move(findings_);
  }

 private:
  struct Scope {
    std::size_t opener;
    std::size_t values;  // size of visible_values_ when it was opened
    bool has_else = false;
  };

  template <class... Args>
  void complain(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(findings_), format, std::forward<Args>(args)...);
    findings_ += '\n';
  }
  // A finding about the current instruction.
  void at(bool ok, std::string_view what) {
    if (!ok) complain("%{} {}: {}", i_, name_of(k_.insts[i_]), what);
  }
  static std::string_view name_of(const Inst& inst) {
    return inst.code == Code::op ? info(inst.op).name : info(inst.code).name;
  }

  void header() {
    if (k_.index != DType::int32 && k_.index != DType::int64) {
      complain("the index type is {}", brief(k_.index));
    }
    if (k_.members != 0 && k_.target == Target::cpu)
      complain("a CPU kernel has a table of members");
    std::set<std::string> names;
    for (std::size_t p = 0; p < k_.params.size(); ++p) param(p, names);
    for (std::size_t m = 0; m < k_.memories.size(); ++m) memory(m);
    for (const GridFactor& f : k_.grid) {
      if (f.divisor < 1) complain("a factor of the items has divisor {}", f.divisor);
      for (const std::uint32_t p : f.params) {
        if (p >= k_.params.size() || k_.params[p].kind != ParamKind::integer) {
          complain("a factor of the items names p{}, not an integer parameter", p);
        }
      }
    }
  }

  void param(std::size_t index, std::set<std::string>& names) {
    const Param& p = k_.params[index];
    if (is_complex(p.dtype)) complain("p{} is complex", index);
    if (p.kind == ParamKind::integer && p.dtype != k_.index) {
      complain("p{} is an integer not of the index type", index);
    }
    if (p.name.empty()) return;  // parsed from text without labels
    if (!is_identifier(p.name)) complain("p{}: '{}' is not an identifier", index, p.name);
    if (!names.insert(p.name).second) complain("p{}: the name '{}' is taken", index, p.name);
  }

  void memory(std::size_t index) {
    const Memory& m = k_.memories[index];
    if (m.space != Space::global) {
      if (m.size < 1) complain("m{} has {} elements", index, m.size);
      if (m.space == Space::shared && k_.target == Target::cpu) {
        complain("m{}: a CPU kernel has no shared memory", index);
      }
      return;
    }
    if (m.param >= k_.params.size() || k_.params[m.param].kind != ParamKind::buffer) {
      complain("m{} is of p{}, not a buffer", index, m.param);
    } else if (k_.params[m.param].dtype != m.dtype) {
      complain("m{} differs from its parameter in type", index);
    }
  }

  const Inst& arg(const Inst& inst, std::size_t a) const { return k_.insts[inst.args[a]]; }
  bool is_rare_token(const Inst& inst, int a) const {
    return inst.code == Code::end_rare && a == 0;
  }

  // Whether the operands can be looked at.
  bool operands_ok(const Inst& inst) {
    const CodeInfo& code = info(inst.code);
    const int count = arg_count(inst);
    if (count < code.least_args || count > code.most_args) {
      at(false, "wrong number of operands");
      return false;
    }
    bool ok = true;
    for (int a = 0; a < count; ++a) {
      const Value v = inst.args[static_cast<std::size_t>(a)];
      if (v == kNoValue) {
        if (inst.code != Code::load || a != 1) at(ok = false, "an operand is missing");
      } else if (v >= i_) {
        at(ok = false, "an operand is not an earlier instruction");
      } else if (is_rare_token(inst, a)) {
        continue;
      } else if (!info(k_.insts[v].code).value) {
        at(ok = false, "an operand has no value");
      } else if (!visible_[v] && !mutant(Mutant::closed_scope)) {
        at(ok = false, "an operand is in a scope that is closed");
      }
    }
    return ok;
  }

  bool within(Code code) const {
    for (const Scope& scope : scopes_) {
      if (k_.insts[scope.opener].code == code) return true;
    }
    return false;
  }
  bool innermost(Code code) const {
    return !scopes_.empty() && k_.insts[scopes_.back().opener].code == code;
  }

  void instruction(const Inst& inst) {
    if (inst.name >= k_.names.size()) at(false, "no such name");
    if (inst.line >= k_.lines.size()) at(false, "no such line");
    at(inst.lanes >= 1, "no lanes");
    at(!is_complex(inst.dtype), "complex types are not supported");
    const bool memory_access = inst.code == Code::load || inst.code == Code::store;
    at(memory_access || inst.flags == 0, "flags belong to loads and stores");
    at(!within(Code::rare) || info(inst.code).pure, "not allowed in a rare region");
    at(grids_ == 0 || !scopes_.empty(), "instruction after the grid");
    if (operands_ok(inst)) check(inst);
    if (info(inst.code).value && !opens_scope(inst.code) && inst.code != Code::end_rare) {
      show(i_);
    }
    scopes(inst);
  }

  void show(std::size_t value) {
    visible_[value] = true;
    visible_values_.push_back(value);
  }
  void hide_down_to(std::size_t count) {
    while (visible_values_.size() > count) {
      visible_[visible_values_.back()] = false;
      visible_values_.pop_back();
    }
  }

  void scopes(const Inst& inst) {
    if (opens_scope(inst.code) || inst.code == Code::rare) {
      scopes_.push_back({i_, visible_values_.size()});
      if (info(inst.code).value) show(i_);
    } else if (inst.code == Code::else_ && innermost(Code::if_)) {
      hide_down_to(scopes_.back().values);
      at(!scopes_.back().has_else, "a second else");
      scopes_.back().has_else = true;
    } else if ((inst.code == Code::end && !innermost(Code::rare) && !scopes_.empty()) ||
               (inst.code == Code::end_rare && innermost(Code::rare))) {
      hide_down_to(scopes_.back().values);
      scopes_.pop_back();
      if (inst.code == Code::end_rare) show(i_);
    }
  }

  void check(const Inst& inst);
  void check_op(const Inst& inst);
  void check_access(const Inst& inst);
  void check_prefetch(const Inst& inst);
  void check_scope(const Inst& inst);
  void check_loop(const Inst& inst);
  void check_close(const Inst& inst);
  void check_lanes(const Inst& inst);
  void check_cooperation(const Inst& inst);

  const Kernel& k_;
  std::size_t i_ = 0;
  std::string findings_;
  std::vector<bool> visible_;
  std::vector<std::size_t> visible_values_;
  std::vector<Scope> scopes_;
  int grids_ = 0;
  std::int64_t threads_ = 0;
};

void KernelVerifier::check(const Inst& inst) {
  switch (inst.code) {
    case Code::constant:
      at(inst.lanes == 1, "a constant has one lane");
      at(size_of(inst.dtype) == 8 ||
             static_cast<std::uint64_t>(inst.imm) >> (8 * size_of(inst.dtype)) == 0,
         "bits beyond the type's width");
      at(!is_bool(inst.dtype) || inst.imm == 0 || inst.imm == 1, "a bool is 0 or 1");
      return;
    case Code::param: {
      const bool known = static_cast<std::uint64_t>(inst.imm) < k_.params.size();
      at(known, "no such parameter");
      if (!known) return;
      const Param& p = k_.params[static_cast<std::size_t>(inst.imm)];
      at(p.kind != ParamKind::buffer, "a buffer is not a value");
      at(p.dtype == inst.dtype && inst.lanes == 1, "not the parameter's type");
      return;
    }
    case Code::op:
      return check_op(inst);
    case Code::load:
    case Code::store:
      return check_access(inst);
    case Code::prefetch:
      return check_prefetch(inst);
    case Code::grid:
    case Code::thread:
    case Code::if_:
      return check_scope(inst);
    case Code::loop:
      return check_loop(inst);
    case Code::else_:
    case Code::end:
    case Code::rare:
    case Code::end_rare:
      return check_close(inst);
    case Code::barrier:
    case Code::shuffle:
      return check_cooperation(inst);
    case Code::splat:
    case Code::lane:
    case Code::extract:
    case Code::join:
    case Code::even:
    case Code::odd:
    case Code::any:
      return check_lanes(inst);
  }
}

void KernelVerifier::check_op(const Inst& inst) {
  const int count = arg_count(inst);
  DType types[3] = {};
  for (int a = 0; a < count; ++a) {
    const Inst& operand = arg(inst, static_cast<std::size_t>(a));
    types[a] = operand.dtype;
    at(operand.lanes == inst.lanes, "operands and result differ in lanes");
  }
  const std::string_view error =
      type_error(inst.op, {types, static_cast<std::size_t>(count)}, inst.dtype);
  at(error.empty(), error);
}

void KernelVerifier::check_access(const Inst& inst) {
  const bool store = inst.code == Code::store;
  if (static_cast<std::uint64_t>(inst.imm) >= k_.memories.size())
    return at(false, "no such memory");
  const Memory& m = k_.memories[static_cast<std::size_t>(inst.imm)];
  at(m.dtype == inst.dtype, "not the memory's type");
  const Inst& index = arg(inst, 0);
  at(index.dtype == DType::int32 || index.dtype == DType::int64, "the index is not an integer");
  at(index.lanes == 1 || index.lanes == inst.lanes, "the index differs in lanes");
  const Value mask = inst.args[store ? 2 : 1];
  if (mask != kNoValue) {
    at(k_.insts[mask].dtype == DType::bool_, "the mask is not bool");
    at(k_.insts[mask].lanes == inst.lanes, "the mask differs in lanes");
  }
  const Value value = inst.args[store ? 1 : 2];
  if (value != kNoValue) {
    at(k_.insts[value].dtype == inst.dtype, store ? "the value is not of the memory's type"
                                                  : "the substitute is not of the memory's type");
    at(k_.insts[value].lanes == inst.lanes, "the value differs in lanes");
  }
  at(store || (inst.flags & kNonTemporal) == 0, "a load is not non-temporal");
  at(m.space == Space::global || within(Code::grid), "local memory exists inside the grid");
  at(!store || within(Code::grid), "a store outside the grid");
  if (m.space != Space::global || m.param >= k_.params.size()) return;
  const Param& p = k_.params[m.param];
  at(store ? p.written : p.read,
     store ? "its parameter is not marked written" : "its parameter is not marked read");
}

void KernelVerifier::check_prefetch(const Inst& inst) {
  at(k_.target == Target::cpu, "a prefetch is for the CPU");
  const bool known = static_cast<std::uint64_t>(inst.imm) < k_.memories.size();
  at(known, "no such memory");
  if (!known) return;
  const Memory& m = k_.memories[static_cast<std::size_t>(inst.imm)];
  at(m.space == Space::global && m.dtype == inst.dtype, "not a buffer of that type");
  at(arg(inst, 0).dtype == k_.index && arg(inst, 0).lanes == 1, "the index is not an index");
}

void KernelVerifier::check_scope(const Inst& inst) {
  if (inst.code == Code::if_) {
    at(arg(inst, 0).dtype == DType::bool_ && arg(inst, 0).lanes == 1,
       "the condition is not one bool");
    at(within(Code::grid), "an if outside the grid");
    return;
  }
  at(inst.dtype == k_.index && inst.lanes == 1, "not of the index type");
  if (inst.code == Code::grid) {
    ++grids_;
    at(scopes_.empty(), "the grid is not outermost");
    return;
  }
  at(k_.target == Target::cuda, "a CPU kernel has no threads");
  at(innermost(Code::grid), "threads are directly inside the grid");
  at(threads_ == 0, "a second thread scope");
  at(inst.imm >= 1 && inst.imm <= kMaxThreads, "the number of threads is out of range");
  threads_ = inst.imm;
}

void KernelVerifier::check_loop(const Inst& inst) {
  bool constant = true;
  for (std::size_t a = 0; a < 3; ++a) {
    at(arg(inst, a).dtype == inst.dtype && arg(inst, a).lanes == 1, "a bound differs in type");
    constant = constant && arg(inst, a).code == Code::constant;
  }
  at(is_int(inst.dtype) && inst.lanes == 1, "the variable is not one integer");
  at(inst.imm >= 0 && inst.imm <= 2, "unroll is 0, 1 or 2");
  at(inst.imm != 1 || constant, "an unrolled loop has constant bounds");
  at(within(Code::grid), "a loop outside the grid");
  const Inst& step = arg(inst, 2);
  if (step.code == Code::constant && is_int(step.dtype)) {
    const std::uint64_t sign = std::uint64_t{1} << (8 * size_of(step.dtype) - 1);
    const bool negative =
        is_signed_int(step.dtype) && (static_cast<std::uint64_t>(step.imm) & sign);
    at(step.imm != 0 && !negative, "the step is not positive");
  }
}

void KernelVerifier::check_close(const Inst& inst) {
  if (inst.code == Code::rare) {
    at(arg(inst, 0).dtype == DType::bool_, "the condition is not bool");
    return;
  }
  if (scopes_.empty()) return at(false, "no open scope");
  const std::size_t opener = scopes_.back().opener;
  if (inst.code == Code::else_) {
    at(innermost(Code::if_), "an else without an if");
    at(inst.imm == static_cast<std::int64_t>(opener), "not the innermost open scope");
  } else if (inst.code == Code::end) {
    at(!innermost(Code::rare), "a rare region is closed by end_rare");
    at(inst.imm == static_cast<std::int64_t>(opener), "not the innermost open scope");
  } else {
    const bool closes = innermost(Code::rare) && inst.args[0] == opener;
    at(closes, "not the innermost open rare region");
    for (std::size_t a = 1; a < 3; ++a) {
      at(arg(inst, a).dtype == inst.dtype, "values differ in type");
      at(arg(inst, a).lanes == inst.lanes, "values differ in lanes");
    }
    if (!closes) return;
    at(arg(k_.insts[opener], 0).lanes == inst.lanes, "the condition differs in lanes");
    at(inst.args[2] < opener, "the common value is computed inside");
  }
}

void KernelVerifier::check_lanes(const Inst& inst) {
  const int lanes = inst.lanes;
  if (inst.code == Code::lane) return at(is_int(inst.dtype), "lane numbers are integers");
  const Inst& a = arg(inst, 0);
  at(a.dtype == inst.dtype, "operand and result differ in type");
  if (inst.code == Code::splat) {
    at(a.lanes == 1, "the operand of a splat has one lane");
  } else if (inst.code == Code::extract) {
    at(lanes == 1, "an extracted lane is a scalar");
    at(inst.imm >= 0 && inst.imm < a.lanes, "no such lane");
  } else if (inst.code == Code::join) {
    at(arg(inst, 1).dtype == inst.dtype, "operand and result differ in type");
    at(arg(inst, 1).lanes == a.lanes && lanes == 2 * a.lanes, "lanes do not add up");
  } else if (inst.code == Code::any) {
    at(lanes == 1 && a.dtype == DType::bool_, "any takes a mask and gives one bool");
  } else {  // even, odd
    at(a.lanes == 2 * lanes, "the result does not have half the lanes");
  }
}

void KernelVerifier::check_cooperation(const Inst& inst) {
  at(k_.target == Target::cuda && within(Code::thread), "outside the threads of a CUDA kernel");
  if (inst.code == Code::barrier) return;
  at(arg(inst, 0).dtype == inst.dtype && arg(inst, 0).lanes == inst.lanes,
     "operand and result differ in type");
  at(arg(inst, 1).dtype == DType::int32 && arg(inst, 1).lanes == 1,
     "the source lane is not one int32");
  at(threads_ % kWarp == 0, "the block is not of whole warps");
}

}  // namespace

std::string verify(const Kernel& kernel) { return KernelVerifier(kernel).run(); }

std::int64_t block_threads(const Kernel& kernel) {
  for (const Inst& inst : kernel.insts) {
    if (inst.code == Code::thread) return inst.imm;
  }
  return 1;
}

std::int64_t bytes_of(const Kernel& kernel, const Param& param) {
  switch (param.kind) {
    case ParamKind::buffer:
      return sizeof(void*);
    case ParamKind::integer:
      return size_of(kernel.index);
    case ParamKind::scalar:
      break;
  }
  return size_of(param.dtype);
}

BatchRow batch_row(const Kernel& kernel) {
  BatchRow row;
  for (std::uint32_t p = 0; p < kernel.params.size(); ++p) {
    row.fields.push_back({p, 0, static_cast<std::uint32_t>(bytes_of(kernel, kernel.params[p]))});
  }
  row.fields.push_back({static_cast<std::uint32_t>(kernel.params.size()), 0,
                        static_cast<std::uint32_t>(size_of(kernel.index))});
  std::ranges::stable_sort(row.fields, std::greater(), &BatchRow::Field::bytes);
  for (BatchRow::Field& field : row.fields) {
    field.offset = row.bytes;
    row.bytes += field.bytes;
  }
  row.bytes = (row.bytes + 7) / 8 * 8;
  return row;
}

std::int64_t grid_items(const Kernel& kernel, const std::vector<std::int64_t>& param_values) {
  std::int64_t items = 1;
  for (const GridFactor& f : kernel.grid) {
    std::int64_t extent = 1;
    for (const std::uint32_t p : f.params) extent *= param_values[p];
    items *= extent / f.divisor + (extent % f.divisor != 0);
  }
  return items;
}

}  // namespace kiln::ir
