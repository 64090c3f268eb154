// Runs emitted CUDA C on the host: the text is compiled by the C++ compiler into a shared library,
// and each thread of a block is a fiber, so that barriers and shuffles are switches between fibers.
// Blocks run one after another. A second opinion on the emitter's text that needs no GPU and no
// NVRTC.
//
// Errors (the compiler's log, a barrier or a shuffle that not all threads reach) are thrown as
// std::runtime_error. In a sanitized build the library is built with the same sanitizer; ub() asks
// for -fsanitize=undefined anywhere: a signed overflow or a wild shift then ends the process.
#pragma once
#include <string>
#include <vector>

#include "ir/kernel.h"

namespace kiln::tests::shim {

struct Options {
  bool undefined = false;
};

// The entries of several sources, compiled together: each source stands in a namespace of its own,
// only the entries' names must differ.
class Library {
 public:
  explicit Library(const std::vector<std::string>& sources, Options options = {});
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  // `args` in the order of the entry's parameters.
  void run(const std::string& entry, int grid, int block, const ir::KernelArg* args) const;

 private:
  void* handle_ = nullptr;
};

// Compiles one source and runs it; equal sources are compiled once a process.
void run(const std::string& source, const std::string& entry, int grid, int block,
         const ir::KernelArg* args);

}  // namespace kiln::tests::shim
