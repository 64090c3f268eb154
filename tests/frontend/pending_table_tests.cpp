// The table of pending operations against a plain list, with hashes that share their places.
#include "frontend/pending_table.h"

#include <random>

#include "tests/frontend/support.h"
#include "tests/seed.h"

namespace {

using kiln::frontend::Node;
using kiln::frontend::PendingTable;

TEST(PendingTable, FindsWhatIsThereAndNothingElse) {
  std::mt19937_64 random(kiln::testing::first_seed());
  std::vector<char> memory(6000);
  const auto node = [&](std::size_t i) { return reinterpret_cast<Node*>(&memory[i]); };
  // Few homes, close together and at the table's end.
  const auto hash = [](std::size_t i) { return 0xFFFE'0000u + 0x0800u * (i * i % 61) + 1u; };
  const auto found = [&](const PendingTable& table, std::size_t i) {
    return table.find(hash(i), [&](Node* n) { return n == node(i); }) == node(i);
  };
  PendingTable table;
  std::vector<std::size_t> absent(memory.size()), present;
  for (std::size_t i = 0; i < absent.size(); ++i) absent[i] = i;
  for (int step = 0; step < 12'000; ++step) {
    // It fills to a third, beyond its first size, and empties again.
    const bool add = present.empty() || (step < 5000 ? random() % 3 != 0 : random() % 5 == 0);
    std::vector<std::size_t>&from = add ? absent : present, &to = add ? present : absent;
    std::swap(from[random() % from.size()], from.back());
    const std::size_t i = from.back();
    from.pop_back();
    to.push_back(i);
    if (add) {
      table.make_room();
      table.insert(node(i), hash(i));
    } else {
      table.erase(node(i), hash(i));
    }
    ASSERT_EQ(found(table, i), add) << step;
    if (step % 100 != 0) continue;
    for (const std::size_t k : present) ASSERT_TRUE(found(table, k)) << step;
    for (std::size_t k = 0; k < absent.size(); k += 50) ASSERT_FALSE(found(table, absent[k]));
  }
}

}  // namespace
