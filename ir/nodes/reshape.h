// The same elements in row-major order, under other axes.
#pragma once
#include <numeric>
#include "ir/nodes/rules.h"
#include "ir/strided.h"

namespace kiln::ir {

template <>
struct Rule<NodeKind::reshape> {
  static void shape(Shapes& s) {
    const Groups& groups = s.groups();
    std::size_t f = 0, t = 0;
    std::vector<Shapes::Extent> from;
    for (std::size_t g = 0; g < groups.from.size(); ++g) {
      from.clear();
      for (std::size_t i = 0; i < groups.from[g]; ++i) from.push_back(s.extent(0, f++));
      // Extents of a group that were given, not computed, distinguish what follows.
      const bool one = groups.from[g] == 1 && groups.to[g] == 1;
      for (std::size_t i = 0; i < groups.to[g]; ++i, ++t) {
        from.push_back(one ? s.window(t, from[0]) : s.derived(t, from));
        s.put(from.back(), "a group changes the number of elements");
      }
    }
  }
  static bool check(const NodeCheck& c) {
    c.same_type();
    const Groups& groups = c.attribute<Groups>();
    const auto sum = [](const AxisList& list) {
      return std::accumulate(list.begin(), list.end(), std::size_t{0});
    };
    if (!c.at(groups.from.size() == groups.to.size() && sum(groups.from) == c.operand(0).rank &&
                  sum(groups.to) == c.node().rank,
              "the groups do not cover the axes")) {
      return false;
    }
    std::size_t f = 0, t = 0;
    bool same = true;
    for (std::size_t g = 0; g < groups.from.size(); ++g) {
      same = same && c.at(same_extent(c, c.operand_shape(0).subspan(f, groups.from[g]),
                                      c.shape().subspan(t, groups.to[g])),
                          "a group changes the number of elements");
      f += groups.from[g];
      t += groups.to[g];
    }
    return same;
  }
  // Whether two products of extents may be equal: decided where, apart from symbols in common, all
  // are constants.
  static bool same_extent(const NodeCheck& c, std::span<const Sym> from, std::span<const Sym> to) {
    std::vector<Sym> a(from.begin(), from.end()), b(to.begin(), to.end());
    std::int64_t product[2] = {1, 1};
    const auto fold = [&](std::vector<Sym>& list, std::int64_t& constant) {
      std::erase_if(list, [&](Sym s) {
        if (!c.root.constant_sym(s)) return false;
        constant *= c.sym(s).lo;
        return true;
      });
      std::ranges::sort(list);
    };
    fold(a, product[0]);
    fold(b, product[1]);
    return a != b || product[0] == product[1];
  }
  static void interpret(GraphRun& run) {
    if (element_count(run.extents()) != element_count(run.operand_extents(0)))
      run.fail("the number of elements changes");
    run.copy_result(0);
  }
  static void infix(InfixWriter& w, NodeId n, int least) {
    // A view that only adds or drops axes of extent 1 goes without a name.
    const auto without_units = [&](NodeId of) {
      std::vector<Sym> extents;
      std::ranges::remove_copy(w.graph().shape(of), std::back_inserter(extents), kOne);
      return extents;
    };
    if (without_units(n) == without_units(w.graph().operand(n, 0))) return w.pass(n, least);
    w.call(n, "reshape");
  }
  static AxisUses axes(const Graph& g, NodeId n, int) {
    const Groups& groups = g.attribute<Groups>(n);
    AxisUses uses;
    std::uint8_t at = 0;
    for (std::size_t i = 0; i < groups.from.size(); ++i) {
      const bool one = groups.from[i] == 1 && groups.to[i] == 1;
      uses.insert(uses.end(), groups.from[i], {one ? AxisUse::How::kept : AxisUse::How::mixed, at});
      at = static_cast<std::uint8_t>(at + groups.to[i]);
    }
    return uses;
  }
};

}  // namespace kiln::ir
