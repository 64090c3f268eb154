#include <cstdio>
#include <cstdlib>
#include <new>

#include "tests/cudasim/driver/graph.h"
#include "tests/cudasim/driver/state.h"

namespace cudasim {
namespace {

constexpr Capability kCapabilities[] = {
    {75, "Simulated GPU (sm_75)", 40, 1024, 16, 64 << 10, 64 << 10, 0, 4096},
    {80, "Simulated GPU (sm_80)", 108, 2048, 32, 164 << 10, 163 << 10, 1024, 4096},
    {86, "Simulated GPU (sm_86)", 84, 1536, 16, 100 << 10, 99 << 10, 1024, 4096},
    {89, "Simulated GPU (sm_89)", 128, 1536, 24, 100 << 10, 99 << 10, 1024, 4096},
    {90, "Simulated GPU (sm_90)", 132, 2048, 32, 228 << 10, 227 << 10, 1024, 32764},
    {100, "Simulated GPU (sm_100)", 148, 2048, 32, 228 << 10, 227 << 10, 1024, 32764},
    {120, "Simulated GPU (sm_120)", 170, 1536, 24, 100 << 10, 99 << 10, 1024, 32764},
};

constexpr const char* kOptionNames[] = {
    "KILN_SIM_CC",        "KILN_SIM_MEMORY",    "KILN_SIM_DEVICES",        "KILN_SIM_SEED",
    "KILN_SIM_SCHEDULE",  "KILN_SIM_STRICT",    "KILN_SIM_RACES",          "KILN_SIM_JITTER",
    "KILN_SIM_BUDGET",    "KILN_SIM_THREADS",   "KILN_SIM_FAIL_ALLOC",     "KILN_SIM_FAIL_LAUNCH",
    "KILN_SIM_FAIL_LOAD", "KILN_SIM_FAIL_COPY", "KILN_SIM_FAIL_EXECUTION", "KILN_SIM_LEAKS",
    "KILN_SIM_QUIET",
};

void report_leaks_at_exit() {
  if (Driver::get().report_leaks) kilnsim_leaks(1);
}

U64 number(const std::string& text) {
  char* end = nullptr;
  U64 value = std::strtoull(text.c_str(), &end, 10);
  if (end != nullptr && (*end == 'k' || *end == 'K')) value <<= 10;
  if (end != nullptr && (*end == 'm' || *end == 'M')) value <<= 20;
  if (end != nullptr && (*end == 'g' || *end == 'G')) value <<= 30;
  return value;
}

bool is_on(const std::string& value) { return !value.empty() && value != "0" && value != "off"; }

}  // namespace

const Capability& capability(U32 number) {
  for (const Capability& row : kCapabilities) {
    if (row.number == number) return row;
  }
  std::fprintf(stderr, "cudasim: capability %u is not simulated, using 80\n", number);
  return kCapabilities[1];
}

// Never destroyed: other static objects may release device memory in their destructors.
Driver& Driver::get() {
  static Driver* const driver = [] {
    Driver* made = new Driver();
    made->read_environment();
    std::atexit(report_leaks_at_exit);
    return made;
  }();
  return *driver;
}

void Driver::read_environment() {
  for (const char* name : kOptionNames) {
    if (const char* value = std::getenv(name)) set_option(name, value);
  }
}

bool Driver::set_option(const std::string& name, const std::string& value) {
  if (name == "KILN_SIM_CC") {
    compute_capability = static_cast<U32>(number(value));
  } else if (name == "KILN_SIM_MEMORY") {
    memory_bytes = number(value);
  } else if (name == "KILN_SIM_DEVICES") {
    device_count = static_cast<int>(std::min<U64>(number(value), 16));
  } else if (name == "KILN_SIM_SEED") {
    seed(number(value));
  } else if (name == "KILN_SIM_SCHEDULE") {
    options.random_schedule = value == "random";
  } else if (name == "KILN_SIM_STRICT") {
    options.strict_barriers = is_on(value);
  } else if (name == "KILN_SIM_RACES") {
    options.check_races = is_on(value);
  } else if (name == "KILN_SIM_JITTER") {
    options.jitter = is_on(value);
  } else if (name == "KILN_SIM_BUDGET") {
    options.budget = number(value);
  } else if (name == "KILN_SIM_THREADS") {
    options.threads = static_cast<U32>(number(value));
  } else if (name == "KILN_SIM_FAIL_ALLOC") {
    failures[KILNSIM_FAIL_ALLOCATION] = {number(value), false};
  } else if (name == "KILN_SIM_FAIL_LAUNCH") {
    failures[KILNSIM_FAIL_LAUNCH] = {number(value), false};
  } else if (name == "KILN_SIM_FAIL_LOAD") {
    failures[KILNSIM_FAIL_LOAD] = {number(value), false};
  } else if (name == "KILN_SIM_FAIL_COPY") {
    failures[KILNSIM_FAIL_COPY] = {number(value), false};
  } else if (name == "KILN_SIM_FAIL_EXECUTION") {
    failures[KILNSIM_FAIL_EXECUTION] = {number(value), false};
  } else if (name == "KILN_SIM_LEAKS") {
    report_leaks = is_on(value);
  } else if (name == "KILN_SIM_QUIET") {
    quiet = is_on(value);
  } else {
    return false;
  }
  return true;
}

void Driver::seed(U64 value) {
  options.seed = value;
  random = value * 2 + 1;
}

U32 Driver::next_random() {
  random = random * 6364136223846793005u + 1442695040888963407u;
  return static_cast<U32>(random >> 33);
}

void Driver::initialise() {
  if (initialised) return;
  for (int i = 0; i < device_count; ++i) initialise_device(i);
  initialised = true;
}

void Driver::initialise_device(int ordinal) {
  auto device = std::make_unique<Device>();
  device->ordinal = ordinal;
  device->cap = capability(compute_capability);
  device->memory = std::make_unique<Memory>(memory_bytes);
  device->launcher = std::make_unique<Launcher>(*device->memory);
  device->default_pool.device = device.get();
  device->default_pool.is_default = true;
  device->current_pool = &device->default_pool;
  devices.push_back(std::move(device));
}

void Driver::reset() {
  graph_execs.clear();
  graphs.clear();
  libraries.clear();
  modules.clear();
  functions.clear();
  kernels.clear();
  events.clear();
  streams.clear();
  pools.clear();
  pool_of.clear();
  registered.clear();
  contexts.clear();
  devices.clear();
  context_stack().clear();
  for (Failure& failure : failures) failure = {};
  totals = {};
  last = {};
  last_kernel.clear();
  last_report.clear();
  initialised = false;
}

bool Driver::fails(int kind) {
  Failure& failure = failures[kind];
  if (failure.countdown == 0) return false;
  if (--failure.countdown > 0) return false;
  if (failure.every) failure.countdown = 1;
  return true;
}

std::vector<Context*>& context_stack() {
  static thread_local std::vector<Context*> stack;
  return stack;
}

Context* current_context() {
  const auto& stack = context_stack();
  return stack.empty() ? nullptr : stack.back();
}

std::vector<Context*> Driver::all_contexts() {
  std::vector<Context*> result;
  for (auto& device : devices) {
    if (device->primary) result.push_back(device->primary.get());
  }
  for (auto& [context, owner] : contexts) result.push_back(context);
  return result;
}

std::unique_ptr<Context> Driver::make_context(Device& device, bool primary) {
  auto context = std::make_unique<Context>();
  context->device = &device;
  context->primary = primary;
  context->serial = ++serial;
  context->legacy.context = context.get();
  context->legacy.legacy = true;
  context->per_thread.context = context.get();
  context->streams = {&context->legacy, &context->per_thread};
  return context;
}

// Work that was queued is dropped, as when a process ends; what the context owned is freed.
void Driver::destroy_context(Context& context) {
  if (context.sticky == abi::kSuccess) wait_for_work(context);
  const auto owned = [&](Context* other) { return other == &context; };
  for (auto it = streams.begin(); it != streams.end();) {
    it = owned(it->second->context) ? streams.erase(it) : std::next(it);
  }
  for (auto it = events.begin(); it != events.end();) {
    it = owned(it->second->context) ? events.erase(it) : std::next(it);
  }
  std::vector<ModuleObject*> dead;
  for (auto& [module, owner] : modules) {
    if (owned(module->context)) dead.push_back(module);
  }
  for (ModuleObject* module : dead) unload_module(*this, *module);
  for (auto& [library, owner] : libraries) library->modules.erase(&context);
  Memory& memory = *context.device->memory;
  for (const Allocation& allocation : memory.live(false)) {
    if (allocation.context == context.serial) {
      pool_of.erase(allocation.address);
      memory.release(allocation.address);
    }
  }
  auto& stack = context_stack();
  std::erase(stack, &context);
}

Context* Driver::context_of(abi::Context handle) {
  for (Context* context : all_contexts()) {
    if (to_handle<abi::Context>(context) == handle) return context;
  }
  return nullptr;
}

Stream* Driver::stream_of(abi::Stream handle, Context& current) {
  if (handle == nullptr || handle == abi::kStreamLegacy) return &current.legacy;
  if (handle == abi::kStreamPerThread) return &current.per_thread;
  const auto found = streams.find(reinterpret_cast<Stream*>(handle));
  return found == streams.end() ? nullptr : found->first;
}

Event* Driver::event_of(abi::Event handle) {
  const auto found = events.find(reinterpret_cast<Event*>(handle));
  return found == events.end() ? nullptr : found->first;
}

ModuleObject* Driver::module_of(abi::Module handle) {
  const auto found = modules.find(reinterpret_cast<ModuleObject*>(handle));
  return found == modules.end() ? nullptr : found->first;
}

LibraryObject* Driver::library_of(abi::Library handle) {
  const auto found = libraries.find(reinterpret_cast<LibraryObject*>(handle));
  return found == libraries.end() ? nullptr : found->first;
}

KernelObject* Driver::kernel_of(abi::Kernel handle) {
  return kernels.count(handle) == 0 ? nullptr : reinterpret_cast<KernelObject*>(handle);
}

// A kernel of a library stands for its function in the current context.
FunctionObject* Driver::function_of(abi::Function handle) {
  if (functions.count(handle) != 0) return reinterpret_cast<FunctionObject*>(handle);
  KernelObject* kernel = kernel_of(reinterpret_cast<abi::Kernel>(handle));
  Context* context = current_context();
  if (kernel == nullptr || context == nullptr) return nullptr;
  ModuleObject*& module = kernel->library->modules[context];
  if (module == nullptr && load_module(*this, *context, kernel->library->image.c_str(), &module,
                                       nullptr) != abi::kSuccess) {
    return nullptr;
  }
  return find_function(*this, *module, kernel->name);
}

Pool* Driver::pool_from(abi::Pool handle) {
  for (auto& device : devices) {
    if (to_handle<abi::Pool>(&device->default_pool) == handle) return &device->default_pool;
  }
  const auto found = pools.find(reinterpret_cast<Pool*>(handle));
  return found == pools.end() ? nullptr : found->first;
}

Device* Driver::device_of(abi::Device ordinal) {
  if (ordinal < 0 || static_cast<std::size_t>(ordinal) >= devices.size()) return nullptr;
  return devices[static_cast<std::size_t>(ordinal)].get();
}

Memory* Driver::memory_of(U64 address, Device** device) {
  for (auto& candidate : devices) {
    if (!candidate->memory->contains(address, 1)) continue;
    if (device != nullptr) *device = candidate.get();
    return candidate->memory.get();
  }
  return nullptr;
}

abi::Result guarded(const std::function<abi::Result()>& body) {
  try {
    const std::lock_guard<std::recursive_mutex> lock(Driver::get().mutex);
    return body();
  } catch (const std::bad_alloc&) {
    return abi::kOutOfMemory;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cudasim: %s\n", error.what());
    return abi::kUnknown;
  }
}

abi::Result with_driver(const std::function<abi::Result(Driver&)>& body) {
  return guarded([&] {
    Driver& driver = Driver::get();
    return driver.initialised ? body(driver) : abi::kNotInitialized;
  });
}

abi::Result with_context(const std::function<abi::Result(Driver&, Context&)>& body) {
  return with_driver([&](Driver& driver) {
    Context* context = current_context();
    if (context == nullptr) return abi::kInvalidContext;
    if (driver.context_of(to_handle<abi::Context>(context)) == nullptr) {
      return abi::kContextIsDestroyed;
    }
    if (context->sticky != abi::kSuccess) return context->sticky;
    return body(driver, *context);
  });
}

}  // namespace cudasim
