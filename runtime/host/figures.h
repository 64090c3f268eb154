// What the cost model knows of this machine: figures of the CPU device as a whole, all its threads
// at work.
//
// By default (Config::host_figures "measured") they are measured once a machine and kept in the
// cache folder, under its rules of trust: in some 50 ms, when the CPU device is first used. They
// are rounded to powers of two, and what is kept is taken as it is, so that noise cannot change a
// plan from one run to the next; deleting the cache measures anew. Where nothing can be kept
// nothing is measured: the figures are fixed ones then, which are also those of "fixed".
// Kernels and their keys depend on figures only where decisions do.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kiln::runtime {

struct Config;
class DiskCache;
class Workers;

struct HostFigures {
  double bandwidth = 20e9;      // bytes a second between memory and processor, arrays out of cache
  double cached = 60e9;         // the same of arrays that lie in the last-level cache
  double rate = 50e9;           // additions or multiplications of float32 a second
  double wake_seconds = 10e-6;  // until sleeping threads have taken their part
  bool operator==(const HostFigures&) const = default;
};

// Of a machine that nothing was measured of.
HostFigures fixed_figures(int threads);

// "bandwidth=40e9,cached=1e11,rate=1e11,wake=1e-5", each at most once, in any order; what is left
// out is as fixed. Null: not of this form, or no machine is like that.
std::optional<HostFigures> parse_figures(std::string_view text, int threads);
std::string to_text(const HostFigures& figures);

// Whether Config::host_figures may be this: "measured", "fixed" or what parse_figures takes.
bool valid_host_figures(std::string_view text);

// In some tens of milliseconds and up to 96 MB, given back at the end. Rounded.
HostFigures measure_figures(Workers& workers, std::int64_t cache_bytes);

// As config says. Never throws for want of a folder or of memory.
HostFigures host_figures(const Config& config, DiskCache& kept);

// Of the machine, as far as they need no measuring.
int host_threads(const Config& config);
// What the processor calls itself, spaces and all; "" where there is none to ask.
std::string host_processor();
int host_vector_bytes();
std::int64_t host_cache_bytes();

}  // namespace kiln::runtime
