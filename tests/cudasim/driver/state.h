// The driver's objects and the one lock around them.
//
// Work is queued per stream and runs when something waits for it, one operation at a time, chosen
// at random among all streams' heads that may legally run: so a missing wait shows. All of it runs
// under Driver::mutex; only host functions run without.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "tests/cudasim/abi.h"
#include "tests/cudasim/exec/decode.h"
#include "tests/cudasim/exec/launch.h"

namespace cudasim {

struct Device;
struct Context;
struct Stream;

// A point in a stream's work; shared by the event that names it and the operations that wait.
struct Mark {
  bool done = false;
  U64 nanoseconds = 0;
};

struct Operation {
  enum class Kind : U8 { kWork, kHostFunction, kRecord, kWait };
  Kind kind = Kind::kWork;
  U64 sequence = 0;
  std::function<abi::Result()> work;
  abi::HostFn host = nullptr;
  void* host_data = nullptr;
  std::shared_ptr<Mark> mark;  // kRecord, kWait
};

struct Capture;

struct Stream {
  Context* context = nullptr;
  bool blocking = true;  // ordered with the legacy stream
  bool legacy = false;
  bool busy = false;  // a host function of it is running
  int priority = 0;
  U64 id = 0;
  std::deque<Operation> queue;
  std::shared_ptr<Capture> capture;
};

struct Event {
  Context* context = nullptr;
  bool timing = true;
  bool recorded = false;
  std::shared_ptr<Mark> mark;
  std::shared_ptr<Capture> capture;  // recorded in a capturing stream
  std::vector<struct GraphNodeObject*> capture_nodes;
};

struct FunctionObject {
  struct ModuleObject* module = nullptr;
  U32 entry = 0;
  int max_dynamic_shared = 48 << 10;
  int carveout = -1;
  const Code& code() const;
  std::string name;
};

struct ModuleObject {
  Context* context = nullptr;
  std::shared_ptr<Program> program;
  std::map<std::string, std::unique_ptr<FunctionObject>> functions;
};

// A library belongs to no context; its kernels become functions of a context when asked for.
struct KernelObject {
  struct LibraryObject* library = nullptr;
  std::string name;
};
struct LibraryObject {
  std::string image;
  std::map<std::string, std::unique_ptr<KernelObject>> kernels;
  std::map<Context*, ModuleObject*> modules;
};

struct Pool {
  Device* device = nullptr;
  U64 threshold = 0;
  U64 used = 0;
  U64 used_high = 0;
  U64 max_size = 0;
  bool is_default = false;
};

struct Context {
  Device* device = nullptr;
  bool primary = false;
  abi::Result sticky = abi::kSuccess;
  Stream legacy;
  Stream per_thread;
  std::vector<Stream*> streams;  // the two above and created ones
  U64 serial = 0;
};

// What a compute capability brings with it.
struct Capability {
  U32 number;  // 80
  const char* name;
  int sm_count;
  int threads_per_sm;
  int blocks_per_sm;
  int shared_per_sm;
  int shared_optin;
  int reserved_shared;
  U32 parameter_limit;
};
const Capability& capability(U32 number);

struct Device {
  int ordinal = 0;
  Capability cap{};
  std::unique_ptr<Memory> memory;
  std::unique_ptr<Launcher> launcher;
  std::unique_ptr<Context> primary;
  int primary_references = 0;
  unsigned primary_flags = 0;
  Pool default_pool;
  Pool* current_pool = nullptr;
};

struct Failure {
  U64 countdown = 0;
  bool every = false;
};

struct GraphObject;
struct GraphExecObject;

class Driver {
 public:
  static Driver& get();

  std::recursive_mutex mutex;
  std::condition_variable_any changed;
  bool initialised = false;
  Options options;
  U32 compute_capability = 80;
  U64 memory_bytes = U64{4} << 30;
  int device_count = 1;
  bool report_leaks = false;
  bool quiet = false;
  Failure failures[KILNSIM_FAIL_KINDS];
  Counters totals{};
  Counters last{};
  std::string last_kernel;
  std::string last_report;
  U64 sequence = 0;
  U64 serial = 0;
  U64 random = 1;
  U64 clock = 0;  // simulated nanoseconds, advanced by every operation

  std::vector<std::unique_ptr<Device>> devices;
  std::map<Context*, std::unique_ptr<Context>> contexts;  // created ones, not primary
  std::map<Stream*, std::unique_ptr<Stream>> streams;
  std::map<Event*, std::unique_ptr<Event>> events;
  std::map<ModuleObject*, std::unique_ptr<ModuleObject>> modules;
  std::map<LibraryObject*, std::unique_ptr<LibraryObject>> libraries;
  std::map<Pool*, std::unique_ptr<Pool>> pools;
  std::unordered_set<void*> functions;
  std::unordered_set<void*> kernels;
  std::map<U64, U64> registered;  // host ranges of cuMemHostRegister
  std::map<U64, Pool*> pool_of;
  std::map<GraphObject*, std::shared_ptr<GraphObject>> graphs;
  std::map<GraphExecObject*, std::shared_ptr<GraphExecObject>> graph_execs;

  void read_environment();
  bool set_option(const std::string& name, const std::string& value);
  void initialise();
  void reset();
  bool fails(int kind);
  void seed(U64 value);
  U32 next_random();

  // Queue (queue.cpp).
  void enqueue(Stream& stream, Operation operation);
  // Runs legal operations, chosen at random, until the condition holds or none is left.
  void run_until(const std::function<bool()>& condition);
  bool run_one();
  void drain();
  bool runnable(const Stream& stream) const;
  abi::Result synchronize(Stream& stream);
  void wait_for_work(Context& context);
  void fault(Context& context, const FaultReport& report);

  // Lookups; null for what is no live handle.
  Context* context_of(abi::Context handle);
  Stream* stream_of(abi::Stream handle, Context& current);
  Event* event_of(abi::Event handle);
  ModuleObject* module_of(abi::Module handle);
  FunctionObject* function_of(abi::Function handle);
  LibraryObject* library_of(abi::Library handle);
  KernelObject* kernel_of(abi::Kernel handle);
  Pool* pool_from(abi::Pool handle);
  Device* device_of(abi::Device ordinal);
  // The memory that holds an address, device or pinned; null for other host memory.
  Memory* memory_of(U64 address, Device** device = nullptr);
  std::vector<Context*> all_contexts();
  std::unique_ptr<Context> make_context(Device& device, bool primary);
  void destroy_context(Context& context);

 private:
  Driver() = default;
  void initialise_device(int ordinal);
};

// The calling thread's stack of contexts.
std::vector<Context*>& context_stack();
Context* current_context();

// Every driver function runs in here: lock, exceptions to codes.
abi::Result guarded(const std::function<abi::Result()>& body);
// The same, with an initialised driver.
abi::Result with_driver(const std::function<abi::Result(Driver&)>& body);
// The same, with a current context that has no sticky error.
abi::Result with_context(const std::function<abi::Result(Driver&, Context&)>& body);

template <class Handle, class Object>
Handle to_handle(Object* object) {
  return reinterpret_cast<Handle>(object);
}

// modules.cpp
abi::Result load_module(Driver& driver, Context& context, const void* image, ModuleObject** out,
                        std::string* log);
FunctionObject* find_function(Driver& driver, ModuleObject& module, const std::string& name);
void unload_module(Driver& driver, ModuleObject& module);

// launch_api.cpp
struct LaunchRequest {
  FunctionObject* function = nullptr;
  Launch launch;
  std::shared_ptr<Program> program;  // keeps the code while the launch waits
};
// Checks a launch against the device's limits and copies its parameters.
abi::Result prepare_launch(Driver& driver, Context& context, FunctionObject& function,
                           const unsigned (&grid)[3], const unsigned (&block)[3], unsigned shared,
                           void** parameters, void** extra, LaunchRequest& out);
Operation launch_operation(Driver& driver, Context& context, const LaunchRequest& request);
int active_blocks(const Device& device, const Code& code, int threads, U64 dynamic_shared);
int register_estimate(const Code& code);

// memory_api.cpp
struct Range {
  U64 address = 0;
  U64 bytes = 0;
};
// Where a copy or fill goes is live memory.
abi::Result check_device_range(Driver& driver, U64 address, U64 bytes);
Operation copy_operation(Driver& driver, U64 to, U64 from, U64 bytes);
Operation fill_operation(Driver& driver, U64 to, U64 value, U32 unit, U64 count);

// graph.cpp: adds the operation to the stream's queue, or to the graph it is capturing.
abi::Result submit(Driver& driver, Stream& stream, Operation operation);

}  // namespace cudasim
