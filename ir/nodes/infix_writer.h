// Private to ir: writes expressions, as the kinds' infix rules see it. Parts wait on a stack, since
// expressions may be nested deeply.
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace kiln::ir {

class InfixWriter {
 public:
  // A part of the text still to be written: words, or a node in a place that wants a precedence.
  struct Part {
    std::string text;
    NodeId node = 0;
    int least = -1;       // -1: words
    bool beside = false;  // what stands beside it shows that a number there is as many as it needs
  };
  static constexpr int kPostfix = 10;  // the precedence of .T and [...]

  InfixWriter(const Graph& graph, std::size_t limit, const std::vector<bool>* stored)
      : g_(graph), limit_(limit), stored_(stored) {}
  std::string run(NodeId node);

  const Graph& graph() const { return g_; }
  const Node& node(NodeId n) const { return g_.nodes[n]; }
  const Node& operand_of(NodeId n) const { return g_.nodes[g_.operand(n, 0)]; }
  // The user's name for a node.
  std::string label(NodeId n, std::string otherwise) const;
  bool labelled(NodeId n) const { return !label(n, {}).empty(); }
  // An array of one number.
  bool repeats_number(NodeId n) const;

  static Part words(std::string text) { return {std::move(text), 0, -1}; }
  Part operand(NodeId n, int i, int least) const;
  void push(Part part);
  // The parts are written in the order given.
  void write(std::initializer_list<Part> parts);
  void write(std::string text) { write({words(std::move(text))}); }
  // The operand stands for the node.
  void pass(NodeId n, int least) { push({{}, g_.operand(n, 0), least}); }
  void binary(NodeId n, std::string_view symbol, int least);
  // name(operands rest)
  void call(NodeId n, std::string_view name, std::string_view rest = {});
  // The same with the list of axes behind the operands.
  void call_along(NodeId n, std::string_view name, const AxisList& axes);

 private:
  void visit(const Part& part);
  void expand(const Part& part);

  const Graph& g_;
  const std::size_t limit_;
  const std::vector<bool>* stored_;  // by node, or null: none is
  std::string out_;
  std::vector<Part> parts_;  // what comes next is last
  std::size_t pending_ = 0;  // characters of words in it
};

}  // namespace kiln::ir
