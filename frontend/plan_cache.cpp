#include "frontend/plan_cache.h"

#include "ir/mutant.h"

namespace kiln::inline v0::frontend {

std::list<PlanCache::Entry>::iterator PlanCache::look(const PlanKey& key, const ir::Graph& graph,
                                                      std::size_t hash) {
  const auto [first, last] = by_hash_.equal_range(hash);
  for (auto at = first; at != last; ++at) {
    const bool same = at->second->key == key || mutant(ir::Mutant::plan_key);
    if (same && at->second->graph == graph) return at->second;
  }
  return entries_.end();
}

LoadedPlan PlanCache::find(const PlanKey& key, const ir::Graph& graph, std::size_t hash) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto entry = look(key, graph, hash);
  if (entry == entries_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->plan;
}

std::optional<ir::Graph> PlanCache::same_structure(const PlanKey& key,
                                                   const ir::Graph& graph) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Entry& entry : entries_) {
    const ir::Graph& g = entry.graph;
    if (entry.key == key && g.nodes == graph.nodes && g.operand_ids == graph.operand_ids &&
        g.dims == graph.dims && g.outputs == graph.outputs && g.attributes == graph.attributes &&
        g.hints == graph.hints && g.scalars == graph.scalars &&
        g.syms.size() == graph.syms.size() && g.inputs.size() == graph.inputs.size() &&
        !(g == graph)) {
      return g;
    }
  }
  return std::nullopt;
}

LoadedPlan PlanCache::insert(const PlanKey& key, ir::Graph graph, std::size_t hash,
                             LoadedPlan plan) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto entry = look(key, graph, hash);
  if (entry != entries_.end()) return entry->plan;
  entries_.push_front({key, std::move(graph), hash, plan});
  by_hash_.emplace(hash, entries_.begin());
  while (entries_.size() > capacity_ && entries_.size() > 1) {
    const auto oldest = std::prev(entries_.end());
    const auto [first, last] = by_hash_.equal_range(oldest->hash);
    for (auto at = first; at != last; ++at) {
      if (at->second != oldest) continue;
      by_hash_.erase(at);
      break;
    }
    entries_.erase(oldest);
  }
  return plan;
}

std::size_t PlanCache::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return entries_.size();
}

}  // namespace kiln::inline v0::frontend
