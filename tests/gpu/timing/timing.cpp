#include "tests/gpu/timing/timing.h"

#include <fmt/format.h>

#include <limits>
#include <regex>
#include <stdexcept>

#include "tests/gpu/timing/host.h"
#include "tests/gpu/timing/program.h"

namespace kiln::gpu {

namespace {

struct Given {
  double scale = 1;
  std::string only;
  double seconds = std::numeric_limits<double>::infinity();
  int loops = 20;
  std::string out;
};

Given read(const Arguments& arguments) {
  Given given;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    const std::string& name = arguments[i];
    if (i + 1 == arguments.size()) throw std::invalid_argument(name + ": no value");
    const std::string& value = arguments[i + 1];
    if (name == "--scale") {
      given.scale = std::stod(value);
    } else if (name == "--only") {
      given.only = value;
    } else if (name == "--seconds") {
      given.seconds = std::stod(value);
    } else if (name == "--loops") {
      given.loops = std::stoi(value);
    } else if (name == "--out") {
      given.out = value;
    } else {
      throw std::invalid_argument("timing takes no " + name);
    }
  }
  return given;
}

// What Kiln plans: schedules, bytes of inputs and results, its own estimate.
Json planned(const Arrays& outputs) {
  Json row;
  double seconds = 0;
  std::int64_t temporary = 0, least = 0;
  for (const Json& plan : Json::parse(kn::explain(outputs).json())) {
    temporary += plan["temporary_bytes"].get<std::int64_t>();
    least += plan["least_bytes"].get<std::int64_t>();
    for (const Json& kernel : plan["kernels"]) {
      seconds += kernel["estimated_seconds"].get<double>();
      const bool library = kernel["library"].get<bool>();
      row["schedules"].push_back(library ? Json("library") : kernel["schedule"]);
    }
  }
  row["least_bytes"] = least;
  row["temporary_bytes"] = temporary;
  row["model_us"] = 1e6 * seconds;
  return row;
}

// A line a program: name, launches, megabytes that its kernels must move, at the sizes of the
// table.
int plan_all(const std::string& target) {
  const kn::Scope scope({.device = kn::plan_only(target), .flush_after = 0});
  for (const Program& program : programs()) {
    Arrays in;
    for (const Input& input : program.inputs(program.dims)) {
      in.push_back(kn::zeros(input.shape, input.dtype));
    }
    kn::eval(in);
    int launches = 0;
    double bytes = 0;
    for (const Json& plan : Json::parse(kn::explain(program.run(in, program.dims)).json())) {
      for (const Json& kernel : plan["kernels"]) {
        ++launches;
        bytes +=
            kernel["compulsory_read"].get<double>() + kernel["compulsory_written"].get<double>();
      }
    }
    fmt::print("{}\t{}\t{:.0f}\n", program.name, launches, 1e-6 * bytes);
  }
  return 0;
}

Json measured(Gpu& gpu, const Program& program, const Plan& plan) {
  const Dims dims = scaled(program, plan.scale);
  const Arrays in = make_inputs(program.inputs(dims));
  Json row = {{"dtype", program.dtype}, {"dims", dims}};
  {
    const Arrays outputs = program.run(in, dims);
    row.update(planned(outputs));
    kn::eval(outputs);
  }
  const auto evaluate = [&] { kn::eval(program.run(in, dims)); };
  evaluate();
  kn::synchronize();
  const kn::Stats before = kn::stats();
  evaluate();
  const kn::Stats one = kn::stats() - before;
  const Loops loops = run_loops(gpu, plan.loops, evaluate);
  const kn::Stats all = kn::stats() - before;
  const std::int64_t bytes = one.bytes_read + one.bytes_written;
  row["kernels"] = one.launched;
  row["bytes"] = bytes;
  row["compiled_while_timed"] = all.compiled;
  row["planned_while_timed"] = all.plans_built;
  row.update(described(loops));
  row["gb_per_s"] = 1e-9 * static_cast<double>(bytes) / median(loops.seconds);
  return row;
}

class Run {
 public:
  explicit Run(const Given& given)
      : until_(now() + given.seconds), only_(given.only), results_(given.out) {
    plan_.scale = given.scale;
    plan_.loops = given.loops;
    plan_.wanted = [this](const std::string& name) { return wanted(name); };
  }

  bool operator()() {
    results_.put("program", "kiln_gpu_probe timing");
    results_.put("scale", plan_.scale);
    const kn::Scope scope({.device = kn::cuda(),
                           .flush_after = 0,
                           .compile_budget = std::numeric_limits<double>::infinity()});
    results_.put("facts", device_facts(gpu_));
    bool good = ceilings(gpu_, plan_, results_);
    for (const Program& program : programs()) {
      if (!wanted(program.name)) continue;
      good &= results_.add("rows", program.name, [&] { return measured(gpu_, program, plan_); });
    }
    good &= host_costs(gpu_, plan_, results_);
    results_.put("not_reached", late_);
    results_.put("complete", true);
    return good;
  }

 private:
  bool wanted(const std::string& name) {
    if (!std::regex_search(name, only_)) return false;
    if (now() < until_) return true;
    late_.push_back(name);
    return false;
  }

  double until_;
  std::regex only_;
  Results results_;
  Json late_ = Json::array();
  Plan plan_;
  Gpu gpu_;
};

}  // namespace

int timing(const Arguments& arguments) {
  if (arguments == Arguments{kFirstKernels}) return first_kernels();
  if (has(arguments, "--plan")) return plan_all(option(arguments, "--plan"));
  return Run(read(arguments))() ? 0 : 1;
}

}  // namespace kiln::gpu
