// Groups: who reads whom, by way of others, against a search that leaves nothing out.
#include "passes/groups.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace kiln::passes {
namespace {

using Edges = std::vector<std::vector<std::size_t>>;  // by root: earlier roots that it reads

class Model {
 public:
  explicit Model(std::size_t roots) : groups_(roots), home_(roots), reads_(roots) {}

  // The next root: in a group of its own, or in this one.
  void add(std::size_t root, const std::vector<std::size_t>& reads, const std::size_t* into) {
    home_[root] = into != nullptr ? *into : groups_.add({});
    groups_.add_root(home_[root], static_cast<ir::NodeId>(root));
    for (const std::size_t r : reads) {
      reads_[root].push_back(r);
      if (group(r) != group(root)) groups_[group(root)].before.insert(home_[r]);
    }
  }
  std::size_t group(std::size_t root) const { return groups_.find(home_[root]); }
  // Whether `from` reads `to`, or a third that does.
  bool reaches(std::size_t from, std::size_t to, std::size_t roots) const {
    std::vector<bool> met(groups_.size(), false);
    std::vector<std::size_t> stack{from};
    while (!stack.empty()) {
      const std::size_t g = stack.back();
      stack.pop_back();
      for (std::size_t root = 0; root < roots; ++root) {
        if (group(root) != g) continue;
        for (const std::size_t r : reads_[root]) {
          const std::size_t next = group(r);
          if (next == to) return true;
          if (next == from || met[next]) continue;
          met[next] = true;
          stack.push_back(next);
        }
      }
    }
    return false;
  }
  bool independent(std::size_t a, std::size_t b, std::size_t roots) const {
    return !reaches(a, b, roots) && !reaches(b, a, roots);
  }
  std::vector<std::size_t> living() const {
    std::vector<std::size_t> result;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      if (!groups_[g].merged) result.push_back(g);
    }
    return result;
  }
  Groups& groups() { return groups_; }

 private:
  Groups groups_;
  std::vector<std::size_t> home_;
  Edges reads_;
};

// One random program: roots come one after another, read earlier ones, and groups merge meanwhile.
void grow(std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto below = [&](std::size_t n) { return std::size_t{random()} % n; };
  const std::size_t roots = 2 + below(24), reach = 1 + below(roots);
  Model model(roots);
  for (std::size_t root = 0; root < roots; ++root) {
    std::vector<std::size_t> reads;
    for (std::size_t k = below(3); root > 0 && k-- > 0;)
      reads.push_back(root - 1 - below(std::min(root, reach)));
    const std::vector<std::size_t> living = model.living();
    // A later root may join a group that none of what it reads depends on.
    const std::size_t* into = nullptr;
    const std::size_t chosen = living.empty() ? 0 : living[below(living.size())];
    if (!living.empty() && below(3) == 0 && std::ranges::none_of(reads, [&](std::size_t r) {
          return model.group(r) != chosen && model.reaches(model.group(r), chosen, root);
        })) {
      into = &chosen;
    }
    model.add(root, reads, into);
    const std::vector<std::size_t> now = model.living();
    for (const std::size_t a : now) {
      for (const std::size_t b : now) {
        if (a == b) continue;
        ASSERT_EQ(model.groups().independent(a, b), model.independent(a, b, root + 1))
            << a << " and " << b << " after root " << root;
      }
    }
    const std::size_t a = now[below(now.size())], b = now[below(now.size())];
    if (a != b && model.independent(a, b, root + 1)) model.groups().merge(a, b);
  }
  const std::vector<std::size_t> order = model.groups().order();
  ASSERT_EQ(order.size(), model.living().size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (std::size_t k = i + 1; k < order.size(); ++k)
      EXPECT_FALSE(model.reaches(order[i], order[k], roots)) << order[i] << " runs first";
  }
}

TEST(Groups, KnowWhoReadsWhomWhileTheyGrow) {
  for (std::uint32_t seed = 0; seed < 200 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    grow(seed);
  }
}

}  // namespace
}  // namespace kiln::passes
