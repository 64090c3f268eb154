// kiln_corpus: ordinary programs measured, or checked. README.md in this folder.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bench/corpus/report.h"

namespace {

constexpr const char* kUsage =
    "kiln_corpus [--check | --programs | --rows] [--small] [--processor] [--filter TEXT] "
    "[--seconds N]\n";

}  // namespace

int main(int argc, char** argv) {
  corpus::Options options;
  bool checked = false, programs = true, rows = true;
  for (int i = 1; i < argc; ++i) {
    const auto is = [&](const char* name) { return std::strcmp(argv[i], name) == 0; };
    const bool more = i + 1 < argc;
    if (is("--check")) {
      checked = true;
    } else if (is("--programs")) {
      rows = false;
    } else if (is("--rows")) {
      programs = false;
    } else if (is("--small")) {
      options.small = true;
    } else if (is("--processor")) {
      options.processor = true;
    } else if (is("--filter") && more) {
      options.filter = argv[++i];
    } else if (is("--seconds") && more && std::atoi(argv[i + 1]) > 0) {
      options.seconds = std::atoi(argv[++i]);
    } else {
      std::fputs(kUsage, stderr);
      return 2;
    }
  }
  if (options.seconds == 0) options.seconds = checked ? 5 : 60;
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  if (checked) return corpus::check(options) == 0 ? 0 : 1;
  if (programs) corpus::report_programs(options);
  if (rows) corpus::report_rows(options);
  return 0;
}
