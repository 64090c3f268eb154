// How messages name a launch: "name (a.cpp:3, a.cpp:4)". Plans and kernels serve many requests, so
// the lines come with each request and never from what is cached.
#pragma once
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "ir/plan.h"

namespace kiln::runtime {

// What outlives the call: devices that work asynchronously keep some of these. Further lines than
// kMost are left out.
struct LaunchNote {
  static constexpr std::size_t kMost = 8;
  std::string name;
  std::array<ir::SourceLine, kMost> lines;
  std::size_t count = 0;
  bool more = false;
  std::string text() const;
};

// References, which hold during the call. Costs nothing until somebody asks.
struct LaunchLabel {
  std::string_view name = {};
  const ir::Graph* graph = nullptr;        // the plan's; null: no lines are known
  std::span<const ir::NodeId> nodes = {};  // of it: what the launch computes
  std::span<const ir::SourceLine> lines =
      {};  // the request's, by node of the graph that was planned
  void write(LaunchNote* note) const;
  std::string text() const;
};

// Of a launch or call of the plan's; of a plan without reports only the kernel's name.
LaunchLabel label_of(const ir::Plan& plan, const ir::PlanLaunch& launch,
                     std::span<const ir::SourceLine> lines);
LaunchLabel label_of(const ir::Plan& plan, const ir::Call& call,
                     std::span<const ir::SourceLine> lines);

}  // namespace kiln::runtime
