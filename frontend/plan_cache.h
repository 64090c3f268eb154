// Plans by the graphs they were made for, compared whole; the least recently used are dropped where
// they are many, or take much memory.
#pragma once
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "frontend/trace.h"
#include "ir/graph.h"
#include "runtime/execute.h"

namespace kiln::inline v0::frontend {

// What a plan depends on besides the graph.
struct PlanKey {
  const runtime::Device* device = nullptr;
  Math math = Math::exact;
  bool fusion = true;
  bool products = true;  // by a library; asked of the device only for graphs that have some
  bool operator==(const PlanKey&) const = default;
};

using LoadedPlan = std::shared_ptr<const runtime::LoadedPlan>;

class PlanCache {
 public:
  static constexpr std::size_t kBytes = std::size_t{256} << 20;
  explicit PlanCache(std::size_t capacity, std::size_t bytes = kBytes)
      : capacity_(capacity), most_bytes_(bytes) {}
  LoadedPlan find(const PlanKey& key, const ir::Graph& graph, std::size_t hash);
  // The graph of the plan used last that has this one's structure and another class; none: nullopt.
  std::optional<ir::Graph> same_structure(const PlanKey& key, const ir::Graph& graph) const;
  // Gives the plan that is kept: another thread's if it was first.
  LoadedPlan insert(const PlanKey& key, ir::Graph graph, std::size_t hash, LoadedPlan plan);
  std::size_t size() const;
  std::size_t bytes() const;              // of graphs and plans, about
  std::mutex& mutex() { return mutex_; }  // for fork

 private:
  struct Entry {
    PlanKey key;
    ir::Graph graph;
    std::size_t hash;
    LoadedPlan plan;
    std::size_t bytes;
  };
  std::list<Entry>::iterator look(const PlanKey& key, const ir::Graph& graph, std::size_t hash);

  mutable std::mutex mutex_;
  std::size_t capacity_, most_bytes_;
  std::size_t bytes_ = 0;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_multimap<std::size_t, std::list<Entry>::iterator> by_hash_;
};

}  // namespace kiln::inline v0::frontend
