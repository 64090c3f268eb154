#include "frontend/plan_cache.h"

#include "ir/mutant.h"

namespace kiln::inline v0::frontend {

namespace {

template <class T>
std::size_t bytes_of(const std::vector<T>& list) {
  return list.capacity() * sizeof(T);
}

// What grows with the number of nodes and instructions; the code of kernels is the kernel cache's.
std::size_t bytes_of(const ir::Graph& g) {
  return sizeof g + bytes_of(g.nodes) + bytes_of(g.operand_ids) + bytes_of(g.dims) +
         bytes_of(g.syms) + bytes_of(g.inputs) + bytes_of(g.attributes) + bytes_of(g.origins);
}

std::size_t bytes_of(const ir::Plan& plan) {
  std::size_t bytes = bytes_of(plan.graph) + bytes_of(plan.buffers) + bytes_of(plan.launches) +
                      bytes_of(plan.steps) + bytes_of(plan.clusters) + bytes_of(plan.boundaries);
  for (const ir::Kernel& kernel : plan.kernels) {
    bytes += sizeof kernel + bytes_of(kernel.insts) + bytes_of(kernel.params);
  }
  for (const ir::PlanLaunch& launch : plan.launches) bytes += bytes_of(launch.args);
  bytes += bytes_of(plan.calls);
  for (const ir::ClusterReport& c : plan.clusters) bytes += c.expression.size() + bytes_of(c.nodes);
  return bytes;
}

}  // namespace

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
  std::unique_lock<std::mutex> lock(mutex_, std::defer_lock);
  if (!mutant(ir::Mutant::unlocked_plans)) lock.lock();
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
  const std::size_t bytes = bytes_of(graph) + bytes_of(plan->plan());
  bytes_ += bytes;
  entries_.push_front({key, std::move(graph), hash, plan, bytes});
  by_hash_.emplace(hash, entries_.begin());
  while ((entries_.size() > capacity_ || bytes_ > most_bytes_) && entries_.size() > 1) {
    const auto oldest = std::prev(entries_.end());
    const auto [first, last] = by_hash_.equal_range(oldest->hash);
    for (auto at = first; at != last; ++at) {
      if (at->second != oldest) continue;
      by_hash_.erase(at);
      break;
    }
    bytes_ -= oldest->bytes;
    entries_.erase(oldest);
  }
  return plan;
}

std::size_t PlanCache::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return entries_.size();
}

std::size_t PlanCache::bytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return bytes_;
}

}  // namespace kiln::inline v0::frontend
