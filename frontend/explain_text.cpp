#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "frontend/explanation.h"

namespace kiln::inline v0::frontend {

using Json = nlohmann::ordered_json;

std::string bytes_text(std::int64_t bytes) {
  if (bytes < 10000) return fmt::format("{} B", bytes);
  const auto value = static_cast<double>(bytes);
  if (bytes < 1'000'000) return fmt::format("{:.1f} kB", value / 1e3);
  if (bytes < 10'000'000'000) return fmt::format("{:.1f} MB", value / 1e6);
  return fmt::format("{:.1f} GB", value / 1e9);
}

std::string time_text(double seconds) {
  if (seconds < 1e-3) return fmt::format("{:.3g} us", seconds * 1e6);
  return fmt::format("{:.3g} ms", seconds * 1e3);
}

std::string resources_text(const runtime::KernelResources& r) {
  std::string text =
      fmt::format("{} registers and {} of stack a thread, {} shared a block", r.registers,
                  bytes_text(r.stack_bytes), bytes_text(r.shared_bytes));
  if (r.spill_store_bytes + r.spill_load_bytes == 0) return text + ", no spills";
  return text + fmt::format(", spills: {} stored, {} loaded", bytes_text(r.spill_store_bytes),
                            bytes_text(r.spill_load_bytes));
}

namespace {

using Out = std::back_insert_iterator<std::string>;

void write_plan(Out to, const DevicePlan& plan) {
  fmt::format_to(to, "plan on {}: {} operations, {} kernels, {} boundaries{}\n", plan.device,
                 plan.nodes, plan.kernels.size(), plan.boundaries.size(),
                 plan.cached ? " (cached)" : "");
  if (!plan.cached && !plan.changes.empty()) {
    fmt::format_to(to, "new plan: this program was planned before for another class\n");
    for (const std::string& change : plan.changes) fmt::format_to(to, "  {}\n", change);
  }
  if (!plan.not_fused.empty()) {
    fmt::format_to(to, "not fused yet, one operation at a time: {}\n", plan.not_fused);
  }
  std::int64_t moved = 0;
  double seconds = 0;
  for (const ExplainedKernel& k : plan.kernels) {
    moved += k.compulsory_read + k.compulsory_written;
    seconds += k.seconds;
  }
  fmt::format_to(to, "bytes: {} moved, {} the least possible\n", bytes_text(moved),
                 bytes_text(plan.least_bytes));
  fmt::format_to(to, "time: {} estimated\n", time_text(seconds));
  if (!plan.products_missing.empty())
    fmt::format_to(to, "matrix products are generated: {}\n", plan.products_missing);
}

void write_memory(Out to, const DevicePlan& plan) {
  const ir::PlanMemory& m = plan.memory;
  fmt::format_to(
      to, "memory: {} in, {} out, {} temporary; {} beside the inputs at the peak, {} taken over\n",
      bytes_text(m.inputs), bytes_text(m.outputs), bytes_text(m.temporaries), bytes_text(m.peak),
      bytes_text(m.donated));
  for (const ExplainedBuffer& b : plan.buffers) {
    if (b.role == "input") continue;
    fmt::format_to(to, "  {} {}: {}{}\n", b.role, b.name, bytes_text(b.bytes),
                   b.takes_over.empty() ? "" : ", in the memory of " + b.takes_over);
  }
}

void write_kernel(Out to, const ExplainedKernel& k, std::size_t number) {
  fmt::format_to(to, "\n{} {}: {}\n", k.library ? "library call" : "kernel", number, k.name);
  fmt::format_to(to, "  computes   {}\n", k.expression);
  if (!k.entry.empty()) fmt::format_to(to, "  entry      {}\n", k.entry);
  fmt::format_to(to, "  over       {}\n", k.space);
  fmt::format_to(to, "  schedule   {} ({})\n", k.schedule, k.reason);
  fmt::format_to(to, "  reads      {} (requests {})\n", bytes_text(k.compulsory_read),
                 bytes_text(k.requested_read));
  fmt::format_to(to, "  writes     {} (requests {})\n", bytes_text(k.compulsory_written),
                 bytes_text(k.requested_written));
  fmt::format_to(to, "  operations {}\n", k.operations);
  fmt::format_to(to, "  time       {} estimated\n", time_text(k.seconds));
  if (!k.cache.empty()) fmt::format_to(to, "  code       {}\n", k.cache);
  if (k.resources) fmt::format_to(to, "  takes      {}\n", resources_text(*k.resources));
  if (!k.lines.empty()) fmt::format_to(to, "  from       {}\n", fmt::join(k.lines, ", "));
}

void write_boundary(Out to, const ExplainedBoundary& b) {
  fmt::format_to(
      to, "\nstored between kernels: {}\n  for        {}\n  because    {}\n  costs      {}\n",
      b.producer, b.consumer, b.reason, bytes_text(b.bytes));
  if (b.fused_seconds > 0) {
    fmt::format_to(to, "  fused      {} instead of {}, estimated\n", time_text(b.fused_seconds),
                   time_text(b.stored_seconds));
  } else {
    fmt::format_to(to, "  fused      cannot be\n");
  }
}

void write_again(Out to, const ExplainedAgain& a) {
  fmt::format_to(
      to,
      "\ncomputed again: {}\n  made       at {}\n  before     by the evaluation at {}, which did "
      "not store "
      "it\n  remedy     eval({{...}}) of both results together, or materialize() of this value\n",
      a.expression, a.made, a.before);
}

Json to_json(const ExplainedKernel& k) {
  Json json{{"name", k.name},
            {"entry", k.entry},
            {"expression", k.expression},
            {"library", k.library},
            {"members", k.members},
            {"space", k.space},
            {"schedule", k.schedule},
            {"schedule_reason", k.reason},
            {"lines", k.lines},
            {"compulsory_read", k.compulsory_read},
            {"compulsory_written", k.compulsory_written},
            {"requested_read", k.requested_read},
            {"requested_written", k.requested_written},
            {"requested_sectors", k.requested_sectors},
            {"operations", k.operations},
            {"estimated_seconds", k.seconds},
            {"code", k.cache}};
  if (const auto& r = k.resources) {
    json["resources"] = {{"registers", r->registers},
                         {"stack_bytes", r->stack_bytes},
                         {"shared_bytes", r->shared_bytes},
                         {"spill_store_bytes", r->spill_store_bytes},
                         {"spill_load_bytes", r->spill_load_bytes}};
  }
  return json;
}

Json to_json(const DevicePlan& plan) {
  Json json{{"device", plan.device},
            {"cached", plan.cached},
            {"class_changes", plan.changes},
            {"not_fused", plan.not_fused},
            {"operations", plan.nodes},
            {"least_bytes", plan.least_bytes},
            {"products_missing", plan.products_missing},
            {"input_bytes", plan.memory.inputs},
            {"output_bytes", plan.memory.outputs},
            {"temporary_bytes", plan.memory.temporaries},
            {"donated_bytes", plan.memory.donated},
            {"peak_bytes", plan.memory.peak}};
  json["kernels"] = Json::array();
  for (const ExplainedKernel& k : plan.kernels) json["kernels"].push_back(to_json(k));
  json["boundaries"] = Json::array();
  for (const ExplainedBoundary& b : plan.boundaries) {
    json["boundaries"].push_back({{"producer", b.producer},
                                  {"consumer", b.consumer},
                                  {"reason", b.reason},
                                  {"bytes", b.bytes},
                                  {"fused_seconds", b.fused_seconds},
                                  {"stored_seconds", b.stored_seconds}});
  }
  json["buffers"] = Json::array();
  for (const ExplainedBuffer& b : plan.buffers) {
    json["buffers"].push_back(
        {{"name", b.name}, {"role", b.role}, {"bytes", b.bytes}, {"takes_over", b.takes_over}});
  }
  json["recomputed"] = Json::array();
  for (const ExplainedAgain& a : plan.again) {
    json["recomputed"].push_back(
        {{"expression", a.expression}, {"made", a.made}, {"before", a.before}});
  }
  return json;
}

}  // namespace

std::string explanation_text(const std::vector<DevicePlan>& plans) {
  if (plans.empty()) return "nothing to compute: every value is in memory\n";
  std::string out;
  const Out to = std::back_inserter(out);
  for (const DevicePlan& plan : plans) {
    write_plan(to, plan);
    write_memory(to, plan);
    for (std::size_t i = 0; i < plan.kernels.size(); ++i) write_kernel(to, plan.kernels[i], i + 1);
    for (const ExplainedBoundary& b : plan.boundaries) write_boundary(to, b);
    for (const ExplainedAgain& a : plan.again) write_again(to, a);
  }
  return out;
}

std::string explanation_json(const std::vector<DevicePlan>& plans) {
  Json json = Json::array();
  for (const DevicePlan& plan : plans) json.push_back(to_json(plan));
  return json.dump(2);
}

}  // namespace kiln::inline v0::frontend
