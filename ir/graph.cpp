#include "ir/graph.h"

#include <algorithm>

#include "ir/error.h"

namespace kiln::ir {

bool Graph::operator==(const Graph& o) const {
  return wide == o.wide && nodes == o.nodes && operand_ids == o.operand_ids && dims == o.dims &&
         outputs == o.outputs && syms == o.syms && inputs == o.inputs && scalars == o.scalars &&
         attributes == o.attributes && regions == o.regions && hints == o.hints;
}

Sym Graph::add_sym(SymInfo info) {
  if (info.lo == info.hi && (info.lo == 0 || info.lo == 1)) return static_cast<Sym>(info.lo);
  syms.push_back(info);
  return static_cast<Sym>(syms.size() - 1);
}

NodeId Graph::add(Node node, std::span<const Sym> shape, std::span<const NodeId> operands,
                  Attribute attribute) {
  internal_check(shape.size() <= static_cast<std::size_t>(kMaxRank), "graph: rank above the limit");
  // The spans may point into this graph's own tables, which grow here.
  const std::vector<Sym> own_shape(shape.begin(), shape.end());
  const std::vector<NodeId> own_operands(operands.begin(), operands.end());
  node.rank = static_cast<std::uint8_t>(own_shape.size());
  node.shape = static_cast<std::uint32_t>(dims.size());
  node.operands = static_cast<std::uint32_t>(operand_ids.size());
  node.operand_count = static_cast<std::uint16_t>(own_operands.size());
  dims.insert(dims.end(), own_shape.begin(), own_shape.end());
  operand_ids.insert(operand_ids.end(), own_operands.begin(), own_operands.end());
  if (!std::holds_alternative<std::monostate>(attribute)) {
    node.attr = static_cast<std::uint32_t>(attributes.size());
    attributes.push_back(std::move(attribute));
  }
  nodes.push_back(node);
  return static_cast<NodeId>(nodes.size() - 1);
}

NodeId Graph::map(Op op, DType result, std::span<const NodeId> operands) {
  Node node;
  node.kind = NodeKind::map;
  node.op = op;
  node.dtype = result;
  return add(node, shape(operands[0]), operands);
}

NodeId Graph::constant(DType dtype, std::uint64_t bits) {
  Node node;
  node.kind = NodeKind::constant;
  node.dtype = dtype;
  node.imm = bits;
  return add(node, {}, {});
}

namespace {

struct Hasher {
  std::uint64_t state = 0x243F6A8885A308D3u;
  void mix(std::uint64_t v) {
    state = (state ^ v) * 0x9E3779B97F4A7C15u;
    state ^= state >> 32;
  }
  template <class T>
  void mix_all(const std::vector<T>& items) {
    mix(items.size());
    for (const T& item : items) mix(static_cast<std::uint64_t>(item));
  }
};

// Chains of their own, side by side: each step waits for a multiplication.
void mix(Hasher& h, const std::vector<Node>& nodes) {
  Hasher what, where, attr, imm;
  for (const Node& n : nodes) {
    what.mix(static_cast<std::uint64_t>(n.kind) | static_cast<std::uint64_t>(n.op) << 8 |
             static_cast<std::uint64_t>(n.dtype) << 16 | static_cast<std::uint64_t>(n.rank) << 24 |
             static_cast<std::uint64_t>(n.shape) << 32);
    where.mix(n.operands | static_cast<std::uint64_t>(n.operand_count) << 32 |
              static_cast<std::uint64_t>(n.results) << 48);
    attr.mix(n.attr);
    imm.mix(n.imm);
  }
  h.mix(nodes.size());
  for (const Hasher& part : {what, where, attr, imm}) h.mix(part.state);
}

void mix(Hasher& h, const Attribute& attribute) {
  h.mix(attribute.index());
  if (const auto* axes = std::get_if<Axes>(&attribute)) h.mix_all(axes->axes);
  if (const auto* groups = std::get_if<Groups>(&attribute))
    h.mix_all(groups->from), h.mix_all(groups->to);
  if (const auto* slices = std::get_if<Slices>(&attribute))
    h.mix_all(slices->begin), h.mix_all(slices->step);
  if (const auto* pads = std::get_if<Pads>(&attribute)) h.mix_all(pads->low);
  if (const auto* loop = std::get_if<Loop>(&attribute)) h.mix(loop->count), h.mix(loop->region);
}

}  // namespace

std::size_t hash(const Graph& graph) {
  Hasher h;
  h.mix(graph.wide);
  mix(h, graph.nodes);
  h.mix_all(graph.operand_ids);
  h.mix_all(graph.dims);
  h.mix_all(graph.outputs);
  h.mix_all(graph.scalars);
  for (const SymInfo& sym : graph.syms) {
    h.mix(static_cast<std::uint64_t>(sym.lo));
    h.mix(static_cast<std::uint64_t>(sym.hi) * 31 + static_cast<std::uint64_t>(sym.multiple));
  }
  for (const Input& input : graph.inputs) {
    h.mix(static_cast<std::uint64_t>(input.dtype) << 3 |
          static_cast<std::uint64_t>(input.dense) << 2 |
          static_cast<std::uint64_t>(input.aligned) << 1 |
          static_cast<std::uint64_t>(input.donatable));
    h.mix_all(input.strides);
  }
  for (const Attribute& attribute : graph.attributes) mix(h, attribute);
  for (const Graph& region : graph.regions) h.mix(hash(region));
  for (const Hint& hint : graph.hints) h.mix(hint.node * 2 + static_cast<std::uint64_t>(hint.kind));
  return h.state;
}

std::string to_text(SourceLine line) {
  if (line.file == nullptr) return "an unknown line";
  const std::string_view file = line.file;
  return std::string(file.substr(file.rfind('/') + 1)) + ":" + std::to_string(line.line);
}

std::vector<std::int64_t> values(std::span<const Sym> syms, const Bindings& bindings) {
  std::vector<std::int64_t> result;
  result.reserve(syms.size());
  for (const Sym sym : syms) result.push_back(bindings.syms[sym]);
  return result;
}

}  // namespace kiln::ir
