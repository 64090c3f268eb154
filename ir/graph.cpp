#include "ir/graph.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "ir/error.h"
#include "ir/hash.h"

namespace kiln::ir {

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
  if (!std::holds_alternative<None>(attribute)) {
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

// What a node says, as words. It has no padding but four bytes behind `attr`.
struct Words {
  std::uint64_t word[4];
  explicit Words(const Node& n) {
    static_assert(sizeof(Node) == 32 && offsetof(Node, attr) == 16 && offsetof(Node, imm) == 24);
    std::memcpy(word, &n, sizeof(word));
    word[2] = n.attr;
  }
};

bool equal(const std::vector<Node>& a, const std::vector<Node>& b) {
  if (a.size() != b.size()) return false;
  std::uint64_t differ = 0;
  for (std::size_t i = 0; i < a.size() && differ == 0; ++i) {
    const Words x(a[i]), y(b[i]);
    for (int k = 0; k < 4; ++k) differ |= x.word[k] ^ y.word[k];
  }
  return differ == 0;
}

// Four chains side by side: each step of one waits for a multiplication.
struct Hasher {
  std::uint64_t state = 0x243F6A8885A308D3u;
  void mix(std::uint64_t v) { state = ir::mix(state, v); }
  template <class Block>  // gives the i-th four words
  void mix_blocks(std::size_t count, Block block) {
    std::uint64_t chain[4] = {1, 2, 3, 4};
    for (std::size_t i = 0; i < count; ++i) {
      const auto words = block(i);
      for (int k = 0; k < 4; ++k) chain[k] = ir::mix(chain[k], words.word[k]);
    }
    mix(count);
    for (const std::uint64_t part : chain) mix(part);
  }
  template <class T>
  void mix_few(const std::vector<T>& items) {
    mix(items.size());
    for (const T& item : items) mix(static_cast<std::uint64_t>(item));
  }
  template <class T>
  void mix_many(const std::vector<T>& items) {
    struct Block {
      std::uint64_t word[4] = {};
    };
    const std::size_t bytes = items.size() * sizeof(T);
    mix(bytes);
    if (bytes == 0) return;
    mix_blocks((bytes + sizeof(Block) - 1) / sizeof(Block), [&](std::size_t i) {
      Block block;
      std::memcpy(block.word, reinterpret_cast<const char*>(items.data()) + i * sizeof(Block),
                  std::min(sizeof(Block), bytes - i * sizeof(Block)));
      return block;
    });
  }
};

void mix(Hasher& h, const Attribute& attribute) {
  h.mix(attribute.index());
  each_field(attribute, [&](const auto& field) {
    if constexpr (requires { field.size(); }) {
      h.mix_few(field);
    } else {
      h.mix(static_cast<std::uint64_t>(field));
    }
  });
}

}  // namespace

bool Graph::operator==(const Graph& o) const {
  return wide == o.wide && equal(nodes, o.nodes) && operand_ids == o.operand_ids &&
         dims == o.dims && outputs == o.outputs && syms == o.syms && inputs == o.inputs &&
         scalars == o.scalars && attributes == o.attributes && regions == o.regions &&
         hints == o.hints;
}

std::size_t hash(const Graph& graph) {
  Hasher h;
  h.mix(graph.wide);
  h.mix_blocks(graph.nodes.size(), [&](std::size_t i) { return Words(graph.nodes[i]); });
  h.mix_many(graph.operand_ids);
  h.mix_many(graph.dims);
  h.mix_many(graph.outputs);
  h.mix_many(graph.scalars);
  for (const SymInfo& sym : graph.syms) {
    h.mix(static_cast<std::uint64_t>(sym.lo));
    h.mix(static_cast<std::uint64_t>(sym.hi) * 31 + static_cast<std::uint64_t>(sym.multiple));
  }
  for (const Input& input : graph.inputs) {
    h.mix(static_cast<std::uint64_t>(input.dtype) << 4 |
          static_cast<std::uint64_t>(input.ordered) << 3 |
          static_cast<std::uint64_t>(input.dense) << 2 |
          static_cast<std::uint64_t>(input.aligned) << 1 |
          static_cast<std::uint64_t>(input.donatable));
    h.mix_few(input.strides);
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
