// Kernel IR to CUDA C: text that a person would have written, and that NVRTC compiles without any
// header. Pure: equal kernels give equal text.
//
//   entry        extern "C" __global__ void <cuda_entry>(params in the kernel's order). Buffers are
//                typed pointers (float16 and bfloat16 as structs of their bits, bool as bool),
//                integers have the kernel's index type, scalars are passed by value
//                a kernel with members has one parameter, the table of a batch by value
//   launch       grid = (grid items, 1, 1), block = (ir::block_threads, 1, 1)
//   compilation  ir::kNvrtcOptions (ir/targets.h): the bits are right only with these
//   flags        kAligned gives accesses of 16 bytes; kNonTemporal has no effect here
//
// With Labels::no the text holds nothing of the user's: names, lines and expression are left out,
// so that equal keys give equal source. The entry is called the same with labels and without.
#pragma once
#include <string>

#include "ir/kernel.h"
#include "ir/plan.h"

namespace kiln::codegen {

// The entry symbol, by which profilers tell kernels apart: kiln_<operations>_<hash>, of what the
// kernel computes (the first few distinct operations of its values: add_mul_sum; copy or fill where
// there is none) and of its text without labels. As dear as the text; the same in every process.
std::string cuda_entry(const ir::Kernel& kernel);

// The kernel must be well-formed and of Target::cuda; throws ir::InternalError otherwise.
std::string cuda_source(const ir::Kernel& kernel, ir::Labels labels = ir::Labels::yes);

// The text and its entry, as NVRTC takes them.
ir::KernelSource cuda_kernel(const ir::Kernel& kernel, ir::Labels labels = ir::Labels::yes);

}  // namespace kiln::codegen
