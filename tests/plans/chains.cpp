#include "tests/plans/chains.h"

namespace kiln::testing {

using ir::DType;
using ir::Op;
using Id = Program::Id;

Id rolled(Program& p, Id x, std::int64_t by) {
  return p.concat({p.slice(x, {by}, {1}, {kChainLength - by}), p.slice(x, {0}, {1}, {by})}, 0);
}

namespace {

Id half(Program& p, Id x) { return p.map(Op::mul, {x, p.constant(DType::float32, 0.5)}); }
Id padded(Program& p, Id x, std::int64_t low, std::int64_t high) {
  const Id inner = p.slice(x, {low}, {1}, {kChainLength - low - high});
  return p.pad(inner, {low}, {kChainLength}, 0.25);
}

Id roll(Program& p, Id x, int i) { return p.map(Op::add, {half(p, x), rolled(p, x, 1 + i % 7)}); }
Id roll_alone(Program& p, Id x, int i) { return rolled(p, x, 1 + i % 7); }
Id pad(Program& p, Id x, int i) { return p.map(Op::add, {half(p, x), padded(p, x, 1 + i % 3, 2)}); }
Id stencil(Program& p, Id x, int) {
  const auto part = [&](std::int64_t from) { return p.slice(x, {from}, {1}, {kChainLength - 2}); };
  const Id inner = p.map(Op::sub, {half(p, p.map(Op::add, {part(0), part(2)})), part(1)});
  return p.pad(inner, {1}, {kChainLength}, 0);
}
// A window written with what another window holds.
Id write(Program& p, Id x, int i) {
  const std::int64_t at = 1 + i % (kChainLength - 1);
  const Id value = half(p, p.slice(x, {at - 1}, {1}, {1}));
  const Id here = p.pad(p.broadcast(p.constant(DType::bool_, 1), {1}), {at}, {kChainLength}, 0);
  return p.map(Op::select, {here, p.pad(value, {at}, {kChainLength}, 0), x});
}
Id stack(Program& p, Id x, int i) {
  const std::int64_t distance = std::int64_t{1} << (i * 2 % 5);
  const std::int64_t blocks = kChainLength / (2 * distance);
  const Id pairs = p.reshape(x, {blocks, 2, distance});
  const auto side = [&](std::int64_t s) {
    return p.slice(pairs, {0, s, 0}, {1, 1, 1}, {blocks, 1, distance});
  };
  const Id low = p.map(Op::min, {side(0), side(1)}), high = p.map(Op::max, {side(0), side(1)});
  return p.reshape(p.concat({low, high}, 1), {kChainLength});
}
Id transposed(Program& p, Id x, int i) {
  const Id turned = p.reshape(p.permute(p.reshape(x, {8, 12}), {1, 0}), {kChainLength});
  return p.map(Op::add, {turned, i % 2 == 0 ? half(p, x) : rolled(p, x, 5)});
}
Id function(Program& p, Id x, int) { return p.map(Op::tanh, {x}); }
Id shared(Program& p, Id x, int) { return p.map(Op::mul, {x, x}); }

constexpr Kind kKinds[] = {{"roll", roll},       {"roll alone", roll_alone}, {"pad", pad},
                           {"stencil", stencil}, {"write", write},           {"stack", stack},
                           {"turn", transposed}, {"function", function},     {"shared", shared}};

}  // namespace

std::span<const Kind> links() { return kKinds; }

Program chain(int depth, const std::function<Link(int)>& link) {
  Program p;
  Id x = p.input(DType::float32, {kChainLength});
  for (int i = 0; i < depth; ++i) x = link(i)(p, x, i);
  p.output(x);
  return p;
}
Program chain(int depth, Link link) {
  return chain(depth, [link](int) { return link; });
}

}  // namespace kiln::testing
