// Kernels and plans by hand, folders and child processes for the runtime's tests.
#pragma once
#include <cstdlib>
#include <string>
#include <vector>

#include "ir/kernel_builder.h"
#include "ir/plan.h"
#include "runtime/cache.h"
#include "runtime/execute.h"
#include "tests/child.h"
#include "tests/folder.h"

namespace kiln::runtime::test {

using kiln_tests::Folder;
using kiln_tests::in_child;

inline constexpr std::int64_t kTile = 64;

// z[i] = x[i] op a for i < n, kTile elements a grid item. Parameters: x, z, n, a.
inline ir::Kernel map_kernel(ir::Op op, std::string name = "map") {
  ir::KernelBuilder b(ir::Target::cpu, ir::DType::int64);
  const std::uint32_t x = b.buffer(ir::DType::float32, "x", true);
  const std::uint32_t z = b.buffer(ir::DType::float32, "z", false);
  const ir::Value n = b.integer("n");
  const ir::Value a = b.scalar(ir::DType::float32, "a");
  b.set_line("user.cpp:7");
  const ir::Value item = b.begin_grid();
  const ir::Value begin = b.mul(item, b.index(kTile));
  const ir::Value end = b.min(b.add(begin, b.index(kTile)), n);
  const ir::Value i = b.begin_loop(begin, end, b.index(1));
  b.store(z, i, b.op(op, ir::DType::float32, {b.load(x, i), a}));
  b.end();
  b.end();
  ir::Kernel kernel = b.finish();
  kernel.name = std::move(name);
  kernel.grid = {{{2}, kTile}};
  return kernel;
}

// A plan over one input vector of n (symbol 2) float32 and one scalar, ready to be given steps.
inline ir::Plan vector_plan() {
  ir::Plan plan;
  plan.graph.syms.push_back({0, std::int64_t{1} << 40, 1});
  plan.graph.inputs.push_back({});
  plan.graph.scalars.push_back(ir::DType::float32);
  plan.buffers.push_back({ir::BufferRole::input, 0, ir::DType::float32,
                          ir::SizeExpr::product(1, std::vector<ir::Sym>{2}), 0, -1});
  return plan;
}
inline std::uint32_t add_buffer(ir::Plan& plan, ir::BufferRole role,
                                std::int64_t donated_from = -1) {
  plan.buffers.push_back({role, 0, ir::DType::float32,
                          ir::SizeExpr::product(1, std::vector<ir::Sym>{2}), 0, donated_from});
  return static_cast<std::uint32_t>(plan.buffers.size() - 1);
}
inline void add_launch(ir::Plan& plan, std::uint32_t kernel, std::uint32_t from, std::uint32_t to) {
  plan.launches.push_back({kernel,
                           {{ir::ParamKind::buffer, from},
                            {ir::ParamKind::buffer, to},
                            {ir::ParamKind::integer, 2},
                            {ir::ParamKind::scalar, 0}}});
  plan.steps.push_back(
      {ir::StepKind::launch, static_cast<std::uint32_t>(plan.launches.size() - 1)});
}
inline void add_allocate(ir::Plan& plan, std::uint32_t buffer) {
  plan.steps.push_back({ir::StepKind::allocate, buffer});
}
inline void add_release(ir::Plan& plan, std::uint32_t buffer) {
  plan.steps.push_back({ir::StepKind::release, buffer});
}

// z = (x + a) * a: two launches and a temporary.
inline ir::Plan two_step_plan() {
  ir::Plan plan = vector_plan();
  plan.kernels = {map_kernel(ir::Op::add), map_kernel(ir::Op::mul)};
  const std::uint32_t t = add_buffer(plan, ir::BufferRole::temporary);
  const std::uint32_t z = add_buffer(plan, ir::BufferRole::output);
  add_allocate(plan, t);
  add_launch(plan, 0, 0, t);
  add_allocate(plan, z);
  add_launch(plan, 1, t, z);
  add_release(plan, t);
  plan.outputs = {z};
  return plan;
}

inline ir::Bindings bind(std::int64_t n, float a) {
  return {{0, 1, n}, {std::bit_cast<std::uint32_t>(a)}};
}

inline Block upload(Device& device, const std::vector<float>& values) {
  const auto bytes = static_cast<std::int64_t>(values.size() * sizeof(float));
  Block block{device.allocate(bytes), 0};
  device.upload(*block.memory, 0, values.data(), bytes);
  return block;
}
inline std::vector<float> download(const Block& block, std::size_t count) {
  std::vector<float> values(count);
  block.memory->device().download(values.data(), *block.memory, block.offset,
                                  static_cast<std::int64_t>(count * sizeof(float)));
  return values;
}

// The CPU device by interpretation, without caches on disk.
inline Config interpreting(int threads = 1) {
  Config config;
  config.threads = threads;
  config.interpret = true;
  return config;
}

}  // namespace kiln::runtime::test
