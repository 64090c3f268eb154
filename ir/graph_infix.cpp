#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ir/graph_kinds.h"
#include "ir/infix.h"
#include "ir/nodes/infix_writer.h"
#include "ir/nodes/rule.h"
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

std::string InfixWriter::run(NodeId node) {
  constexpr std::size_t kSlack = 64;
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

void InfixWriter::push(Part part) {
  pending_ += part.text.size();
  parts_.push_back(std::move(part));
}

void InfixWriter::write(std::initializer_list<Part> parts) {
  for (const Part* part = parts.end(); part != parts.begin();) push(*--part);
}

bool InfixWriter::repeats_number(NodeId n) const {
  if (node(n).kind != NodeKind::broadcast) return false;
  const Node& of = operand_of(n);
  return role(of.kind) == Role::leaf && of.rank == 0 && of.kind != NodeKind::buffer;
}

InfixWriter::Part InfixWriter::operand(NodeId n, int i, int least) const {
  bool beside = false;
  for (int k = 0; node(n).kind == NodeKind::map && k < node(n).operand_count; ++k)
    beside = beside || !repeats_number(g_.operand(n, k));
  return {{}, g_.operand(n, i), least, beside};
}

std::string InfixWriter::label(NodeId n, std::string otherwise) const {
  return n < g_.labels.size() && !g_.labels[n].empty() ? g_.labels[n] : std::move(otherwise);
}

void InfixWriter::binary(NodeId n, std::string_view symbol, int least) {
  const int level = precedence(symbol);
  const bool paren = level < least;
  write({words(paren ? "(" : ""), operand(n, 0, level),
         words(std::string(1, ' ').append(symbol).append(1, ' ')), operand(n, 1, level + 1),
         words(paren ? ")" : "")});
}

void InfixWriter::call(NodeId n, std::string_view name, std::string_view rest) {
  push(words(std::string(rest).append(1, ')')));
  for (int i = node(n).operand_count; i-- > 0;) {
    push(operand(n, i, 0));
    if (i > 0) push(words(", "));
  }
  push(words(std::string(name).append(1, '(')));
}

void InfixWriter::call_along(NodeId n, std::string_view name, const AxisList& axes) {
  const std::vector<int> list(axes.begin(), axes.end());
  call(n, name, fmt::format(", {{{}}}", fmt::join(list, ", ")));
}

void InfixWriter::visit(const Part& part) {
  if (stored_ != nullptr && (*stored_)[part.node] && node(part.node).operand_count > 0) {
    return write(stored_name(g_, part.node));
  }
  expand(part);
}

// A number beside an array goes without the axes that it gets there.
void InfixWriter::expand(const Part& part) {
  const NodeId n = part.node;
  if (part.beside && repeats_number(n) && !labelled(n)) return pass(n, part.least);
  rule(node(n).kind).infix(*this, n, part.least);
}

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
