#include "ir/error.h"
#include "ir/math/build.h"

namespace kiln::ir::math {
namespace {

class Ordered {
 public:
  explicit Ordered(Function f)
      : from_(std::move(f)),
        to_(from_),
        place_(from_.insts.size(), kNoValue),
        seen_(from_.insts.size(), false) {
    to_.insts.clear();
    for (Value v = 0; v < from_.params.size(); ++v) append(v);
  }

  Function run() {
    visit(from_.result);
    to_.result = place_[from_.result];
    return std::move(to_);
  }

 private:
  void append(Value v) {
    Inst inst = from_.insts[v];
    for (Value& arg : inst.args) {
      if (arg != kNoValue) arg = place_[arg];
    }
    place_[v] = static_cast<Value>(to_.insts.size());
    to_.insts.push_back(inst);
  }

  // Depth is that of the expression: some tens.
  void visit(Value v) {
    if (place_[v] != kNoValue) return;
    const Inst& inst = from_.insts[v];
    if (inst.code == Code::end_rare) {
      visit_rare(inst);
    } else {
      for (const Value arg : inst.args) {
        if (arg != kNoValue) visit(arg);
      }
    }
    append(v);
  }

  void visit_rare(const Inst& end) {
    const Value begin = end.args[0];
    visit(from_.insts[begin].args[0]);
    visit(end.args[2]);
    visit_outside(end.args[1], begin);
    append(begin);
    visit(end.args[1]);
  }

  // What a region uses stands before it.
  void visit_outside(Value v, Value begin) {
    if (v < begin) return visit(v);
    if (seen_[v]) return;
    seen_[v] = true;
    const Inst& inst = from_.insts[v];
    internal_check(inst.code != Code::end_rare, "a rare region in a rare region");
    for (const Value arg : inst.args) {
      if (arg != kNoValue) visit_outside(arg, begin);
    }
  }

  Function from_, to_;
  std::vector<Value> place_;
  std::vector<bool> seen_;
};

}  // namespace

Function finish(FunctionBuilder& b, Val result) { return Ordered(b.finish(result)).run(); }

}  // namespace kiln::ir::math
