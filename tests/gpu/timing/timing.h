// What kiln_gpu_probe measures on a GPU: times by the device's events, the kernels behind a
// program, and a round of small programs for a memory checker.
#pragma once
#include "tests/gpu/probe/probe.h"

namespace kiln::gpu {

// [--scale S] [--only REGEX] [--seconds N] [--loops N] [--out FILE] | --plan TARGET
//
// Ceilings of the device, every program of the table, costs of the host. FILE is written anew after
// every row, so that a run that is cut short still tells; a row that throws says why. 0 if no row
// threw. --plan measures nothing and needs no device: it prints each program's launches and
// megabytes on a target such as sm_90.
int timing(const Arguments& arguments);

// [--scale S] [--only REGEX]: twenty programs of the table, each evaluated once between
// cuProfilerStart and cuProfilerStop after it is warm; prints a line each: its name and its kernels
// in the order of their launches.
int kernels(const Arguments& arguments);

// Every program of the table and some of other operations, at odd sizes of hundreds of elements,
// once each.
int small(const Arguments& arguments);

}  // namespace kiln::gpu
