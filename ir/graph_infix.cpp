#include <fmt/format.h>

#include <algorithm>

#include "ir/graph_kinds.h"
#include "ir/infix.h"
#include "ir/scalar.h"

namespace kiln::ir {
namespace {

struct Precedence {
  std::string_view symbol;
  int level;
};
constexpr Precedence kPrecedences[] = {
    {"|", 1},  {"^", 2},  {"&", 3}, {"==", 4}, {"!=", 4}, {"<", 5}, {"<=", 5},
    {"<<", 6}, {">>", 6}, {"+", 7}, {"-", 7},  {"*", 8},  {"/", 8}, {"@", 8},
};
constexpr int precedence(std::string_view symbol) {
  for (const Precedence& p : kPrecedences) {
    if (p.symbol == symbol) return p.level;
  }
  return 0;
}

std::string_view reduction_name(const Node& node) {
  if (node.kind == NodeKind::arg_reduce) return node.op == Op::min ? "argmin" : "argmax";
  switch (node.op) {
    case Op::add:
      return "sum";
    case Op::mul:
      return "prod";
    case Op::and_:
      return is_bool(node.dtype) ? "all" : "and";
    case Op::or_:
      return is_bool(node.dtype) ? "any" : "or";
    default:
      return info(node.op).name;
  }
}

std::string_view operation_name(const Node& node) {
  if (node.op == Op::cast) return name(node.dtype);
  // Apart from the reductions.
  if (node.op == Op::max) return "maximum";
  if (node.op == Op::min) return "minimum";
  return info(node.op).name;
}

// A view that only adds or drops axes of extent 1.
bool same_elements(const Graph& graph, NodeId n) {
  const auto without_units = [&](NodeId of) {
    std::vector<Sym> extents;
    std::ranges::remove_copy(graph.shape(of), std::back_inserter(extents), kOne);
    return extents;
  };
  return without_units(n) == without_units(graph.operand(n, 0));
}

}  // namespace

std::string literal(DType type, std::uint64_t bits) {
  if (is_bool(type)) return bits != 0 ? "true" : "false";
  if (type == DType::float64) return fmt::format("{}", to_double(type, bits));
  if (is_float(type)) return fmt::format("{}", static_cast<float>(to_double(type, bits)));
  if (type == DType::uint64) return fmt::format("{}", bits);
  const int unused = 64 - 8 * static_cast<int>(size_of(type));
  const auto shifted = static_cast<std::int64_t>(bits << unused);
  if (is_signed_int(type)) return fmt::format("{}", shifted >> unused);
  return fmt::format("{}", bits);
}

namespace {

// A part of the text still to be written: words, or a node in a place that wants a precedence.
struct Part {
  std::string text;
  NodeId node = 0;
  int least = -1;       // -1: words
  bool beside = false;  // what stands beside it shows that a number there is as many as it needs
};

class InfixWriter {
 public:
  InfixWriter(const Graph& graph, std::size_t limit, const std::vector<bool>* stored)
      : g_(graph), limit_(limit), stored_(stored) {}

  std::string run(NodeId node) {
    expand({{}, node, 0});
    while (!parts_.empty() && out_.size() <= limit_) {
      const Part part = std::move(parts_.back());
      parts_.pop_back();
      pending_ -= part.text.size();
      if (part.least < 0) out_ += part.text;
      // What lies deeper than the text may be long would be cut off anyway.
      else if (out_.size() + pending_ > limit_ + kSlack)
        out_ += "...";
      else
        visit(part);
    }
    if (out_.size() > limit_) {
      out_.resize(limit_ > 3 ? limit_ - 3 : 0);
      out_ += std::string_view("...").substr(0, limit_);
    }
    return std::move(out_);
  }

 private:
  static constexpr std::size_t kSlack = 64;

  void push(Part part) {
    pending_ += part.text.size();
    parts_.push_back(std::move(part));
  }
  // The parts are written in the order given.
  void write(std::initializer_list<Part> parts) {
    for (const Part* part = parts.end(); part != parts.begin();) push(*--part);
  }
  static Part words(std::string text) { return {std::move(text), 0, -1}; }

  // An array of one number.
  bool repeats_number(NodeId n) const {
    return g_.nodes[n].kind == NodeKind::broadcast &&
           g_.nodes[g_.operand(n, 0)].operand_count == 0 && g_.nodes[g_.operand(n, 0)].rank == 0 &&
           g_.nodes[g_.operand(n, 0)].kind != NodeKind::buffer;
  }
  Part operand(NodeId n, int i, int least) const {
    bool beside = false;
    for (int k = 0; g_.nodes[n].kind == NodeKind::map && k < g_.nodes[n].operand_count; ++k)
      beside = beside || !repeats_number(g_.operand(n, k));
    return {{}, g_.operand(n, i), least, beside};
  }

  std::string label(NodeId n, std::string otherwise) const {
    return n < g_.labels.size() && !g_.labels[n].empty() ? g_.labels[n] : std::move(otherwise);
  }

  void binary(NodeId n, std::string_view symbol, int least) {
    const int level = precedence(symbol);
    const bool paren = level < least;
    write({words(paren ? "(" : ""), operand(n, 0, level),
           words(std::string(1, ' ').append(symbol).append(1, ' ')), operand(n, 1, level + 1),
           words(paren ? ")" : "")});
  }

  void call(NodeId n, std::string_view name, std::string_view rest = {}) {
    push(words(std::string(rest).append(1, ')')));
    for (int i = g_.nodes[n].operand_count; i-- > 0;) {
      push(operand(n, i, 0));
      if (i > 0) push(words(", "));
    }
    push(words(std::string(name).append(1, '(')));
  }

  void reduction(NodeId n) {
    const Node& node = g_.nodes[n];
    const std::vector<std::uint8_t>& axes = g_.attribute<Axes>(n).axes;
    std::string rest;
    if (axes.size() == 1 && g_.nodes[g_.operand(n, 0)].rank > 1) {
      rest = fmt::format(", {}", axes[0]);
    } else if (axes.size() < g_.nodes[g_.operand(n, 0)].rank) {
      const std::vector<int> list(axes.begin(), axes.end());
      rest = fmt::format(", {{{}}}", fmt::join(list, ", "));
    }
    call(n, reduction_name(node), rest);
  }

  void permute(NodeId n) {
    constexpr int kPostfix = 10;
    // An input that lies permuted in memory goes by the array's name.
    if (g_.nodes[g_.operand(n, 0)].kind == NodeKind::buffer && !label(n, {}).empty())
      return write({words(label(n, {}))});
    if (g_.nodes[n].rank == 2) return write({{{}, g_.operand(n, 0), kPostfix}, words(".T")});
    const std::vector<std::uint8_t>& axes = g_.attribute<Axes>(n).axes;
    const std::vector<int> list(axes.begin(), axes.end());
    call(n, info(NodeKind::permute).name, fmt::format(", {{{}}}", fmt::join(list, ", ")));
  }

  // Of an axis as Python writes it; `:` is all of it.
  std::string range(NodeId n, std::size_t axis) const {
    const Slices& slices = g_.attribute<Slices>(n);
    const auto value = [&](Sym s) { return g_.values[s]; };
    const std::int64_t begin = value(slices.begin[axis]), step = value(slices.step[axis]),
                       extent = value(g_.shape(n)[axis]);
    if (begin == 0 && step == 1 && extent == value(g_.shape(g_.operand(n, 0))[axis])) return ":";
    const std::int64_t end = begin + (extent - 1) * step + (step > 0 ? 1 : -1);
    std::string text = fmt::format("{}:", begin);
    if (end >= 0) text += fmt::format("{}", end);  // down to the first element: no end
    if (step != 1) text += fmt::format(":{}", step);
    return text;
  }

  void slice(NodeId n) {
    constexpr int kPostfix = 10;
    // Of a class of requests, begins and steps are not known.
    if (g_.values.size() < g_.syms.size()) return call(n, info(NodeKind::slice).name);
    std::vector<std::string> ranges;
    for (std::size_t axis = 0; axis < g_.nodes[n].rank; ++axis) ranges.push_back(range(n, axis));
    while (ranges.size() > 1 && ranges.back() == ":") ranges.pop_back();
    write({{{}, g_.operand(n, 0), kPostfix}, words(fmt::format("[{}]", fmt::join(ranges, ", ")))});
  }

  void map(NodeId n, int least) {
    const Node& node = g_.nodes[n];
    if (!info(node.op).infix.empty()) return binary(n, info(node.op).infix, least);
    if (node.op == Op::neg) {
      const bool paren = least > 9;
      return write({words(paren ? "(-" : "-"), {{}, g_.operand(n, 0), 9}, words(paren ? ")" : "")});
    }
    call(n, operation_name(node));
  }

  void visit(const Part& part) {
    if (stored_ != nullptr && (*stored_)[part.node] && g_.nodes[part.node].operand_count > 0) {
      return write({words(stored_name(g_, part.node))});
    }
    expand(part);
  }

  void broadcast(const Part& part) {
    const NodeId n = part.node;
    if (!repeats_number(n)) return push({{}, g_.operand(n, 0), part.least});
    if (!label(n, {}).empty()) return write({words(label(n, {}))});
    if (part.beside) return push({{}, g_.operand(n, 0), part.least});
    call(n, "full");
  }

  void expand(const Part& part) {
    const NodeId n = part.node;
    const int least = part.least;
    const Node& node = g_.nodes[n];
    switch (node.kind) {
      case NodeKind::buffer:
        return write({words(label(n, fmt::format("x{}", node.attr)))});
      case NodeKind::scalar:
        return write({words(label(n, fmt::format("s{}", node.imm)))});
      case NodeKind::constant:
        return write({words(label(n, literal(node.dtype, node.imm)))});
      case NodeKind::iota:
        return write({words(fmt::format("index({})", node.imm))});
      case NodeKind::map:
        return map(n, least);
      case NodeKind::broadcast:
        return broadcast(part);
      case NodeKind::slice:
        return slice(n);
      case NodeKind::reduce:
      case NodeKind::arg_reduce:
        return reduction(n);
      case NodeKind::reshape:
        if (same_elements(g_, n)) return push({{}, g_.operand(n, 0), least});
        return call(n, info(node.kind).name);
      case NodeKind::permute:
        return permute(n);
      case NodeKind::put:
        return push({{}, g_.operand(n, 0), least});
      case NodeKind::contract:
        return binary(n, "@", least);
      case NodeKind::item:
        return call(n, "item", fmt::format(", {}", node.imm));
      default:
        return call(n, info(node.kind).name);
    }
  }

  const Graph& g_;
  const std::size_t limit_;
  const std::vector<bool>* stored_;  // by node, or null: none is
  std::string out_;
  std::vector<Part> parts_;  // what comes next is last
  std::size_t pending_ = 0;  // characters of words in it
};

}  // namespace

std::string infix(const Graph& graph, NodeId node, std::size_t limit) {
  return InfixWriter(graph, limit, nullptr).run(node);
}

std::string stored_name(const Graph& graph, NodeId node) {
  const bool labelled = node < graph.labels.size() && !graph.labels[node].empty();
  return labelled ? graph.labels[node] : fmt::format("v{}", node);
}

std::string infix(const Graph& graph, NodeId node, const std::vector<bool>& stored,
                  std::size_t limit) {
  return InfixWriter(graph, limit, &stored).run(node);
}

}  // namespace kiln::ir
