// Graphs built by hand for tests: short forms of construction, and values given and read as lists.
#pragma once
#include <cstring>
#include <vector>

#include "ir/graph.h"
#include "ir/scalar.h"

namespace kiln::ir::test {

// A graph under construction together with its bindings and inputs.
struct Builder {
  Graph g;
  Bindings bindings{{0, 1}, {}};
  std::vector<std::vector<std::byte>> memory;

  Sym sym(std::int64_t value) {
    if (value == 0 || value == 1) return static_cast<Sym>(value);
    bindings.syms.push_back(value);
    return g.add_sym({std::min<std::int64_t>(value, 0), 1 << 20, 1});
  }
  // A symbol of class [2, 2^20].
  Sym extent(std::int64_t value) {
    if (value == 0 || value == 1) return static_cast<Sym>(value);
    bindings.syms.push_back(value);
    return g.add_sym({2, 1 << 20, 1});
  }

  static std::vector<std::byte> pack(DType t, const std::vector<double>& values) {
    const std::size_t bytes = static_cast<std::size_t>(size_of(t));
    std::vector<std::byte> out(values.size() * bytes);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint64_t bits = bits_of(t, values[i]);
      std::memcpy(out.data() + i * bytes, &bits, bytes);
    }
    return out;
  }

  NodeId input(DType t, const std::vector<Sym>& shape, const std::vector<double>& values,
               const std::vector<Sym>& strides = {}) {
    Node node;
    node.kind = NodeKind::buffer;
    node.dtype = t;
    node.attr = static_cast<std::uint32_t>(g.inputs.size());
    Input in;
    in.dtype = t;
    in.dense = strides.empty();
    in.strides = strides;
    g.inputs.push_back(in);
    memory.push_back(pack(t, values));
    return g.add(node, shape, {});
  }

  NodeId node(NodeKind kind, DType t, const std::vector<Sym>& shape,
              const std::vector<NodeId>& operands, Attribute attribute = {}, std::uint64_t imm = 0,
              Op op = Op::add) {
    Node n;
    n.kind = kind;
    n.dtype = t;
    n.imm = imm;
    n.op = op;
    return g.add(n, shape, operands, std::move(attribute));
  }
  NodeId map(Op op, DType t, const std::vector<NodeId>& operands) { return g.map(op, t, operands); }

  // The value of a node, after verifying the graph.
  std::vector<double> value(NodeId n) {
    g.outputs = {n};
    std::vector<ArrayView> views;
    for (const auto& m : memory) views.push_back({m.data()});
    const std::vector<std::byte> bytes = interpret(g, bindings, views).at(0);
    const DType t = g.nodes[n].dtype;
    const std::size_t size = static_cast<std::size_t>(size_of(t));
    std::vector<double> out(bytes.size() / size);
    for (std::size_t i = 0; i < out.size(); ++i) {
      std::uint64_t bits = 0;
      std::memcpy(&bits, bytes.data() + i * size, size);
      out[i] = to_double(t, bits);
    }
    return out;
  }
};

}  // namespace kiln::ir::test
