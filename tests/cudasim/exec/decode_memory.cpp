// Moves, addresses, loads, stores and atomics.

#include <algorithm>

#include "tests/cudasim/exec/access.h"
#include "tests/cudasim/exec/decoder.h"
#include "tests/cudasim/exec/lanes.h"
#include "tests/cudasim/ptx/parser.h"

namespace cudasim {
namespace {

U64 tag_of(Space space) {
  switch (space) {
    case Space::kShared:
      return kSharedTag;
    case Space::kLocal:
      return kLocalTag;
    case Space::kParam:
      return kParamTag;
    default:
      return 0;
  }
}

void run_dynamic_shared(Warp& w, const Inst& in, U32 mask) {
  const U32 fixed = w.launch->program->codes[w.launch->entry].static_shared;
  const U64 address = static_cast<U64>(in.offset) + (fixed + 15) / 16 * 16;
  write_lanes(reg<U64>(w, in.d), mask, [&](U32) { return address; });
}

void run_local_address(Warp& w, const Inst& in, U32 mask) {
  const U64 address = static_cast<U64>(in.offset) + w.frame->local_base;
  write_lanes(reg<U64>(w, in.d), mask, [&](U32) { return address; });
}

void run_add_tag(Warp& w, const Inst& in, U32 mask) {
  const auto* a = operand<U64>(w, in.a);
  const U64 tag = static_cast<U64>(in.offset);
  write_lanes(reg<U64>(w, in.d), mask, [&](U32 l) { return a[l] == 0 ? 0 : a[l] | tag; });
}

void run_remove_tag(Warp& w, const Inst& in, U32 mask) {
  const auto* a = operand<U64>(w, in.a);
  const U64 tag = static_cast<U64>(in.offset);
  for_lanes(mask, [&](U32 l) {
    if ((a[l] & kTagMask) == tag) return;
    throw Fault{FaultKind::kIllegalAddress, "cvta.to of an address of another space",
                static_cast<int>(l)};
  });
  write_lanes(reg<U64>(w, in.d), mask, [&](U32 l) { return a[l] & ~kTagMask; });
}

void run_has_tag(Warp& w, const Inst& in, U32 mask) {
  const auto* a = operand<U64>(w, in.a);
  const U64 tag = static_cast<U64>(in.offset);
  set_predicate(w, in.d, lanes_where([&](U32 l) { return (a[l] & kTagMask) == tag; }), mask);
}

struct AtomicRow {
  std::string_view name;
  AtomicOp op;
};
constexpr AtomicRow kAtomics[] = {
    {"add", AtomicOp::kAdd}, {"min", AtomicOp::kMin}, {"max", AtomicOp::kMax},
    {"inc", AtomicOp::kInc}, {"dec", AtomicOp::kDec}, {"and", AtomicOp::kAnd},
    {"or", AtomicOp::kOr},   {"xor", AtomicOp::kXor}, {"exch", AtomicOp::kExch},
    {"cas", AtomicOp::kCas},
};

bool take_scope(Suffixes& suffixes) {
  return suffixes.take("cta") || suffixes.take("gpu") || suffixes.take("sys") ||
         suffixes.take("cluster");
}

Space take_space(Suffixes& suffixes) {
  constexpr std::string_view kNames[] = {"global", "shared", "local", "const", "param"};
  for (const std::string_view name : kNames) {
    Space space{};
    if (suffixes.take(name)) return parse_space(name, space), space;
  }
  if (suffixes.take("shared::cta")) return Space::kShared;
  if (suffixes.take("param::entry") || suffixes.take("param::func")) return Space::kParam;
  return Space::kGeneric;
}

}  // namespace

Handler dynamic_shared_op() { return &run_dynamic_shared; }
Handler local_address_op() { return &run_local_address; }
Handler add_tag_op() { return &run_add_tag; }
Handler remove_tag_op() { return &run_remove_tag; }
Handler has_tag_op() { return &run_has_tag; }

void Decoder::mov() {
  expect_args(2, 2);
  const Type as = type();
  const Operand& to = arg(0);
  const Operand& from = arg(1);
  if (as == Type::kPred) {
    return emit_plain(mov_op(0), {write_predicate(to), read_predicate(from)});
  }
  const unsigned bytes = type_bytes(as);
  if (to.kind != Operand::Kind::kVector && from.kind != Operand::Kind::kVector) {
    const Slot a = read(from, as);
    return emit_plain(mov_op(register_bytes(bytes)), {write(to, as), a});
  }
  const bool pack = from.kind == Operand::Kind::kVector;
  const Operand& list = pack ? from : to;
  const unsigned parts = static_cast<unsigned>(list.parts.size());
  if (parts == 0 || bytes % parts != 0) fail("'mov' splits no such vector");
  const Type part_type = bytes / parts == 4 ? Type::kB32 : Type::kB16;
  Inst in = start();
  std::vector<Slot> slots;
  for (const Operand& part : list.parts) {
    if (pack) {
      slots.push_back(read(part, part_type));
    } else {
      const bool sink = part.kind == Operand::Kind::kSink;
      slots.push_back(sink ? kNoSlot : write(part, part_type));
    }
  }
  in.aux = slot_list(slots);
  if (pack) {
    in.run = pack_op(bytes, parts);
    in.d = write(to, as);
  } else {
    in.run = unpack_op(bytes, parts);
    in.a = read(from, as);
  }
  emit(in);
}

void Decoder::cvta() {
  expect_args(2, 2);
  const bool to = suffixes_.take("to");
  const Space space = take_space(suffixes_);
  const Type as = type();
  if (space == Space::kGeneric || type_bytes(as) != 8) fail("unknown form of 'cvta'");
  Inst in = start();
  in.run = to ? remove_tag_op() : add_tag_op();
  in.offset = static_cast<S64>(tag_of(space));
  in.a = read(arg(1), as);
  in.d = write(arg(0), as);
  emit(in);
}

void Decoder::isspacep() {
  expect_args(2, 2);
  const Space space = take_space(suffixes_);
  if (space == Space::kGeneric) fail("'isspacep' names no space");
  Inst in = start();
  in.run = has_tag_op();
  in.offset = static_cast<S64>(tag_of(space));
  in.a = read(arg(1), Type::kU64);
  in.d = write_predicate(arg(0));
  emit(in);
}

void Decoder::memory_suffixes(Inst& in, Space& space) {
  space = take_space(suffixes_);
  if (suffixes_.take("volatile") || suffixes_.take("mmio")) in.mode |= kModeVolatile;
  for (const std::string_view order : {"relaxed", "acquire", "release", "weak"}) {
    if (suffixes_.take(order) && order != "weak") in.mode |= kModeVolatile;
  }
  take_scope(suffixes_);
  in.read_only = suffixes_.take("nc");
  for (const std::string_view cache : {"ca", "cg", "cs", "cv", "lu", "wb", "wt"}) {
    suffixes_.take(cache);
  }
  suffixes_.take_prefix("L1::");
  suffixes_.take_prefix("L2::");
  if (suffixes_.take("v2")) in.count = 2;
  if (suffixes_.take("v4")) in.count = 4;
  if (suffixes_.take("v8")) in.count = 8;
}

void Decoder::vector_targets(Inst& in, const Operand& list, Type as, bool load) {
  const bool vector = list.kind == Operand::Kind::kVector;
  if ((in.count > 1) != vector || (vector && list.parts.size() != in.count)) {
    fail("'" + std::string(statement_->opcode) + "' has a wrong number of values");
  }
  if (in.count > 32 / std::max(1u, type_bytes(as))) fail("a vector is longer than 32 bytes");
  if (!vector) {
    in.d = load ? write(list, as, true) : read(list, as, true);
    return;
  }
  std::vector<Slot> slots;
  for (const Operand& part : list.parts) {
    if (part.kind == Operand::Kind::kSink && load) {
      slots.push_back(kNoSlot);
    } else {
      slots.push_back(load ? write(part, as, true) : read(part, as, true));
    }
  }
  in.aux = slot_list(slots);
}

void Decoder::ld() {
  expect_args(2, 3);
  Inst in = start();
  Space space{};
  memory_suffixes(in, space);
  const Type as = type();
  if (in.read_only && space != Space::kGlobal) fail("'.nc' loads are from .global");
  address(in, arg(1), space);
  in.space = space;
  if (is_signed(as)) in.mode |= kModeSigned;
  vector_targets(in, arg(0), as, true);
  in.run = load_op(type_bytes(as));
  const U32 bytes = type_bytes(as) * in.count;
  const bool may_be_shared = space == Space::kShared || space == Space::kGeneric;
  if (may_be_shared && bytes < 4) code_.narrow_shared = true;
  const bool fixed = arg(1).parts[0].kind == Operand::Kind::kLocalVar;
  if (space == Space::kParam && fixed && (in.mode & kModeKernelParam) != 0) {
    const U64 offset = layout_.function_offsets[function_index_][arg(1).parts[0].index];
    in.offset += static_cast<S64>(offset);
    if (in.offset < 0 || static_cast<U64>(in.offset) + bytes > code_.launch_bytes) {
      fail("a load lies outside the kernel's parameters");
    }
    in.run = param_load_op(type_bytes(as));
  }
  emit(in);
}

void Decoder::st() {
  expect_args(2, 3);
  Inst in = start();
  Space space{};
  memory_suffixes(in, space);
  const Type as = type();
  address(in, arg(0), space);
  if (space == Space::kConst) fail("a store to constant memory");
  in.space = space;
  vector_targets(in, arg(1), as, false);
  in.run = store_op(type_bytes(as));
  const bool may_be_shared = space == Space::kShared || space == Space::kGeneric;
  if (may_be_shared && type_bytes(as) * in.count < 4) code_.narrow_shared = true;
  emit(in);
}

void Decoder::atom() { atomic(true); }
void Decoder::red() { atomic(false); }

void Decoder::atomic(bool with_result) {
  code_.has_atomics = true;
  Inst in = start();
  Space space = take_space(suffixes_);
  for (const std::string_view order : {"relaxed", "acquire", "release", "acq_rel", "noftz"}) {
    suffixes_.take(order);
  }
  take_scope(suffixes_);
  suffixes_.take_prefix("L2::");
  const AtomicRow* row = nullptr;
  for (const AtomicRow& candidate : kAtomics) {
    if (row == nullptr && suffixes_.take(candidate.name)) row = &candidate;
  }
  if (row == nullptr) fail("unknown form '" + std::string(statement_->opcode) + "'");
  const Type as = type();
  const std::size_t first = with_result ? 1 : 0;
  const bool cas = row->op == AtomicOp::kCas;
  expect_args(first + (cas ? 3 : 2), first + (cas ? 3 : 2));
  address(in, arg(first), space);
  in.space = space;
  if (space != Space::kGeneric && space != Space::kGlobal && space != Space::kShared) {
    fail("an atomic works on .global and .shared");
  }
  if (space != Space::kGlobal && type_bytes(as) < 4) code_.narrow_shared = true;
  in.run = atomic_op(row->op, as);
  in.b = read(arg(first + 1), as);
  if (cas) in.c = read(arg(first + 2), as);
  if (with_result && arg(0).kind != Operand::Kind::kSink) in.d = write(arg(0), as);
  emit(in);
}

// cp.async and the waiting for it; the copy itself is done at once.
void Decoder::cp() {
  if (!suffixes_.take("async")) fail("unknown form '" + std::string(statement_->opcode) + "'");
  if (suffixes_.take("commit_group") || suffixes_.take("wait_all"))
    return expect_args(0, 0), nothing();
  if (suffixes_.take("wait_group")) return expect_args(1, 1), nothing();
  expect_args(3, 4);
  const bool global_cache = suffixes_.take("cg");
  if (!global_cache && !suffixes_.take("ca")) fail("'cp.async' is .ca or .cg");
  if (!suffixes_.take("shared") && !suffixes_.take("shared::cta"))
    fail("'cp.async' writes .shared");
  if (!suffixes_.take("global")) fail("'cp.async' reads .global");
  suffixes_.take_prefix("L2::");
  if (arg(2).kind != Operand::Kind::kInteger) fail("the size of 'cp.async' is no constant");
  const U64 bytes = arg(2).value;
  if (bytes != 16 && (global_cache || (bytes != 4 && bytes != 8))) fail("'cp.async' of a bad size");
  Inst in = start();
  in.run = async_copy_op();
  Space shared = Space::kShared;
  Space global = Space::kGlobal;
  Inst from = start();
  address(from, arg(1), global);
  in.b = from.a;
  if (!from.address_wide) fail("'cp.async' reads through a 32-bit address");
  if (from.offset != 0) {
    in.b = temporary(8);
    const Slot offset = constant(static_cast<U64>(from.offset), 8);
    Inst sum;
    sum.statement = statement_index_;
    sum.run = int_op(IntOp::kAdd, Type::kU64);
    sum.d = in.b;
    sum.a = from.a;
    sum.b = offset;
    code_.insts.push_back(sum);
  }
  address(in, arg(0), shared);
  in.space = Space::kShared;
  in.aux = static_cast<U32>(bytes);
  if (statement_->operands.size() == 4) in.c = read(arg(3), Type::kU32);
  emit(in);
}

void Decoder::prefetch() {
  while (!suffixes_.empty()) suffixes_.take(suffixes_.first());
  nothing();
}

}  // namespace cudasim
