// Branches, calls, barriers and the instructions in which lanes meet; the table of opcodes.

#include "tests/cudasim/exec/decoder.h"
#include "tests/cudasim/exec/sync.h"

namespace cudasim {
namespace {

void run_nothing(Warp&, const Inst&, U32) {}

}  // namespace

void Decoder::nothing() {
  while (!suffixes_.empty() && suffixes_.type()) {
  }
  emit_plain(&run_nothing, {});
}

U32 Decoder::label(std::string_view name) const {
  U32 scope = statement_->scope;
  for (;;) {
    for (const Label& candidate : function_.labels) {
      if (candidate.name == name && candidate.scope == scope) return candidate.statement;
    }
    if (scope == 0) break;
    scope = function_.scope_parents[scope];
  }
  fail("unknown label " + std::string(name));
}

void Decoder::bra() {
  expect_args(1, 1);
  suffixes_.take("uni");
  if (arg(0).kind != Operand::Kind::kName) fail("'bra' goes to no label");
  Inst in = start();
  in.flow = Flow::kBranch;
  in.aux = label(arg(0).name);
  branches_.push_back(static_cast<U32>(code_.insts.size()));
  emit(in);
}

std::vector<CallSite::Copy> Decoder::call_copies(const Operand& group) const {
  std::vector<CallSite::Copy> copies;
  for (const Operand& part : group.parts) {
    if (part.kind != Operand::Kind::kLocalVar ||
        function_.variables[part.index].space != Space::kParam) {
      fail("an argument of 'call' is no .param variable");
    }
    if (function_.entry && part.index < function_.parameter_count) {
      fail("an argument of 'call' is a kernel parameter");
    }
    copies.push_back({static_cast<U32>(layout_.function_offsets[function_index_][part.index]),
                      static_cast<U32>(function_.variables[part.index].bytes)});
  }
  return copies;
}

void Decoder::call() {
  suffixes_.take("uni");
  std::size_t next = 0;
  CallSite site;
  if (arg(0).kind == Operand::Kind::kGroup) {
    site.results = call_copies(arg(0));
    next = 1;
  }
  const Operand& target = arg(next++);
  if (next < statement_->operands.size() && arg(next).kind == Operand::Kind::kGroup) {
    site.arguments = call_copies(arg(next++));
  }
  Inst in = start();
  in.flow = Flow::kCall;
  if (target.kind == Operand::Kind::kRegister) {
    site.indirect = read(target, Type::kU64);
  } else {
    const auto found = layout_.functions.find(target.name);
    if (target.kind != Operand::Kind::kName || found == layout_.functions.end()) {
      fail("'call' of an unknown function " + std::string(target.name));
    }
    const Function& callee = module_.functions[found->second];
    const bool builtin = callee.name == "vprintf" || callee.name == "__assertfail";
    if (callee.entry) fail("'call' of a kernel");
    if (!callee.defined && !builtin) {
      fail("function " + std::string(callee.name) + " is defined nowhere");
    }
    site.callee = found->second;
    if (callee.parameter_count != site.arguments.size() ||
        callee.result_count != site.results.size()) {
      fail("'call' passes a wrong number of arguments");
    }
    if (builtin) code_.has_atomics = true;
  }
  in.aux = static_cast<U32>(code_.calls.size());
  code_.calls.push_back(std::move(site));
  emit(in);
}

void Decoder::ret() {
  suffixes_.take("uni");
  Inst in = start();
  in.flow = function_.entry ? Flow::kExit : Flow::kReturn;
  emit(in);
}

void Decoder::exit() {
  Inst in = start();
  in.flow = Flow::kExit;
  emit(in);
}

void Decoder::trap() {
  Inst in = start();
  in.flow = Flow::kTrap;
  emit(in);
}

// bar.sync, bar.arrive, bar.red and bar.warp.sync; barrier.* are the same without alignment.
// Inst::a is the barrier, b the thread count or kNoSlot, c the predicate of bar.red, mode its kind.
void Decoder::bar() {
  if (suffixes_.take("warp")) {
    if (!suffixes_.take("sync")) fail("unknown form of 'bar.warp'");
    expect_args(1, 1);
    Inst in = start();
    in.run = warp_barrier_op();
    return emit_sync(in, arg(0));
  }
  suffixes_.take("cta");
  suffixes_.take("aligned");
  Inst in = start();
  in.flow = Flow::kBarrier;
  const bool arrive = suffixes_.take("arrive");
  const bool reduce = suffixes_.take("red");
  if (!arrive && !reduce && !suffixes_.take("sync")) fail("unknown form of 'bar'");
  std::size_t next = 0;
  in.mode = arrive ? 1 : 0;
  if (reduce) {
    const bool population = suffixes_.take("popc");
    const bool all = suffixes_.take("and");
    if (!population && !all && !suffixes_.take("or")) fail("unknown form of 'bar.red'");
    in.mode = population ? 2 : all ? 3 : 4;
    const Type as = type();
    if (as != (population ? Type::kU32 : Type::kPred)) fail("unknown form of 'bar.red'");
    in.d = population ? write(arg(0), as) : write_predicate(arg(0));
    in.c = read_predicate(arg(statement_->operands.size() - 1));
    next = 1;
  }
  in.a = read(arg(next), Type::kU32);
  const std::size_t last = statement_->operands.size() - (reduce ? 1 : 0);
  if (next + 1 < last) in.b = read(arg(next + 1), Type::kU32);
  if (arrive && in.b == kNoSlot) fail("'bar.arrive' has no thread count");
  emit(in);
}

void Decoder::membar() {
  while (!suffixes_.empty()) suffixes_.take(suffixes_.first());
  code_.has_atomics = true;
  nothing();
}

// The member mask must be readable when lanes arrive, before the handler runs: it goes into aux.
void Decoder::emit_sync(Inst in, const Operand& members) {
  in.aux = read(members, Type::kB32);
  in.flow = Flow::kSync;
  emit(in);
  if (in.run == nullptr) fail("unknown form '" + std::string(statement_->opcode) + "'");
}

void Decoder::shfl() {
  expect_args(5, 5);
  if (!suffixes_.take("sync")) fail("only 'shfl.sync' exists");
  ShuffleMode mode = ShuffleMode::kIdx;
  if (suffixes_.take("up")) {
    mode = ShuffleMode::kUp;
  } else if (suffixes_.take("down")) {
    mode = ShuffleMode::kDown;
  } else if (suffixes_.take("bfly")) {
    mode = ShuffleMode::kBfly;
  } else if (!suffixes_.take("idx")) {
    fail("unknown form '" + std::string(statement_->opcode) + "'");
  }
  const Type as = type();
  Inst in = start();
  in.run = as == Type::kB32 ? shuffle_op(mode) : nullptr;
  in.a = read(arg(1), as);
  in.b = read(arg(2), Type::kB32);
  in.c = read(arg(3), Type::kB32);
  const Operand& to = arg(0);
  const bool pair = to.kind == Operand::Kind::kPair;
  in.d = write(pair ? to.parts[0] : to, as);
  if (pair) in.e = write_predicate(to.parts[1]);
  emit_sync(in, arg(4));
}

void Decoder::vote() {
  expect_args(3, 3);
  if (!suffixes_.take("sync")) fail("only 'vote.sync' exists");
  const Type as = type();
  VoteMode mode = VoteMode::kBallot;
  if (suffixes_.take("all")) {
    mode = VoteMode::kAll;
  } else if (suffixes_.take("any")) {
    mode = VoteMode::kAny;
  } else if (suffixes_.take("uni")) {
    mode = VoteMode::kUni;
  } else if (!suffixes_.take("ballot")) {
    fail("unknown form '" + std::string(statement_->opcode) + "'");
  }
  const bool ballot = mode == VoteMode::kBallot;
  Inst in = start();
  in.run = as == (ballot ? Type::kB32 : Type::kPred) ? vote_op(mode) : nullptr;
  in.a = read_predicate(arg(1));
  in.d = ballot ? write(arg(0), as) : write_predicate(arg(0));
  emit_sync(in, arg(2));
}

void Decoder::match() {
  expect_args(3, 3);
  const bool all = suffixes_.take("all");
  if (!all && !suffixes_.take("any")) fail("'match' is .all or .any");
  if (!suffixes_.take("sync")) fail("only 'match.sync' exists");
  const Type as = type();
  Inst in = start();
  in.run = is_bits(as) ? match_op(all, type_bytes(as)) : nullptr;
  in.a = read(arg(1), as);
  const Operand& to = arg(0);
  const bool pair = to.kind == Operand::Kind::kPair;
  if (pair && !all) fail("'match.any' has no predicate");
  in.d = write(pair ? to.parts[0] : to, Type::kB32);
  if (pair) in.e = write_predicate(to.parts[1]);
  emit_sync(in, arg(2));
}

void Decoder::redux() {
  expect_args(3, 3);
  if (!suffixes_.take("sync")) fail("only 'redux.sync' exists");
  constexpr std::pair<std::string_view, ReduxOp> kOps[] = {
      {"add", ReduxOp::kAdd}, {"min", ReduxOp::kMin}, {"max", ReduxOp::kMax},
      {"and", ReduxOp::kAnd}, {"or", ReduxOp::kOr},   {"xor", ReduxOp::kXor},
  };
  const Type as = type();
  Inst in = start();
  for (const auto& [name, op] : kOps) {
    if (suffixes_.take(name)) in.run = redux_op(op, as);
  }
  in.a = read(arg(1), as);
  in.d = write(arg(0), as);
  emit_sync(in, arg(2));
}

void Decoder::activemask() {
  expect_args(1, 1);
  emit_plain(type() == Type::kB32 ? activemask_op() : nullptr, {write(arg(0), Type::kB32)});
}

void Decoder::elect() {
  expect_args(2, 2);
  if (!suffixes_.take("sync")) fail("only 'elect.sync' exists");
  Inst in = start();
  in.run = elect_op();
  const Operand& to = arg(0);
  if (to.kind != Operand::Kind::kPair) fail("'elect' gives a pair");
  in.d = write(to.parts[0], Type::kB32);
  in.e = write_predicate(to.parts[1]);
  emit_sync(in, arg(1));
}

const std::unordered_map<std::string_view, Decoder::Member>& Decoder::table() {
  static const std::unordered_map<std::string_view, Member> kTable = {
      {"add", &Decoder::add_sub},
      {"sub", &Decoder::add_sub},
      {"addc", &Decoder::addc},
      {"subc", &Decoder::subc},
      {"mul", &Decoder::mul},
      {"mad", &Decoder::mad},
      {"madc", &Decoder::madc},
      {"fma", &Decoder::fma},
      {"div", &Decoder::div},
      {"rem", &Decoder::rem},
      {"min", &Decoder::min_max},
      {"max", &Decoder::min_max},
      {"abs", &Decoder::abs_neg},
      {"neg", &Decoder::abs_neg},
      {"copysign", &Decoder::copysign},
      {"sqrt", &Decoder::sqrt_rcp},
      {"rcp", &Decoder::sqrt_rcp},
      {"ex2", &Decoder::approximate},
      {"lg2", &Decoder::approximate},
      {"sin", &Decoder::approximate},
      {"cos", &Decoder::approximate},
      {"tanh", &Decoder::approximate},
      {"rsqrt", &Decoder::approximate},
      {"sad", &Decoder::sad},
      {"and", &Decoder::logic},
      {"or", &Decoder::logic},
      {"xor", &Decoder::logic},
      {"not", &Decoder::logic},
      {"cnot", &Decoder::logic},
      {"shl", &Decoder::shift},
      {"shr", &Decoder::shift},
      {"shf", &Decoder::shf},
      {"lop3", &Decoder::lop3},
      {"popc", &Decoder::bit_count},
      {"clz", &Decoder::bit_count},
      {"brev", &Decoder::bit_count},
      {"bfe", &Decoder::bfe},
      {"bfi", &Decoder::bfi},
      {"bfind", &Decoder::bfind},
      {"prmt", &Decoder::prmt},
      {"dp4a", &Decoder::dp4a},
      {"dp2a", &Decoder::dp2a},
      {"testp", &Decoder::testp},
      {"setp", &Decoder::setp},
      {"set", &Decoder::set},
      {"selp", &Decoder::selp},
      {"slct", &Decoder::slct},
      {"cvt", &Decoder::cvt},
      {"mov", &Decoder::mov},
      {"cvta", &Decoder::cvta},
      {"ld", &Decoder::ld},
      {"ldu", &Decoder::ld},
      {"st", &Decoder::st},
      {"atom", &Decoder::atom},
      {"red", &Decoder::red},
      {"cp", &Decoder::cp},
      {"prefetch", &Decoder::prefetch},
      {"prefetchu", &Decoder::prefetch},
      {"isspacep", &Decoder::isspacep},
      {"bra", &Decoder::bra},
      {"call", &Decoder::call},
      {"ret", &Decoder::ret},
      {"exit", &Decoder::exit},
      {"trap", &Decoder::trap},
      {"brkpt", &Decoder::trap},
      {"bar", &Decoder::bar},
      {"barrier", &Decoder::bar},
      {"membar", &Decoder::membar},
      {"fence", &Decoder::membar},
      {"shfl", &Decoder::shfl},
      {"vote", &Decoder::vote},
      {"match", &Decoder::match},
      {"redux", &Decoder::redux},
      {"activemask", &Decoder::activemask},
      {"elect", &Decoder::elect},
      {"nanosleep", &Decoder::nothing},
  };
  return kTable;
}

}  // namespace cudasim
