"""std::format of Kiln's types, by each installed compiler whose standard library has <format>.

    std_format.py <include folder> <compiler>...

Runs without the library, whose few functions that formatting asks are in the program: the standard
library with <format> need not be the one that Kiln was built with. 77: no compiler has it.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

PROGRAM = """#include <kiln/kiln.h>

#include <cstdio>
namespace kiln::inline v0 {
Shape::Shape(std::initializer_list<Extent> extents) {
  for (const Extent& n : extents) extents_.push_back(n.value);
}
std::string Shape::text() const { return "(3, 4)"; }
std::string_view name(DType) { return "float32"; }
std::string Device::name() const { return "cpu"; }
std::string Array::text() const { return "[1. 2.]"; }
void Array::release(frontend::Node*) noexcept {}
namespace frontend {
struct Access {
  static Device device() { return Device(0); }
};
}
}
int main() {
  const kiln::Shape shape{3, 4};
  const kiln::Array x;
  const kiln::Device device = kiln::frontend::Access::device();
  std::puts(std::format("{} {} {} {}", shape, kiln::float32, device, x).c_str());
  std::puts(std::format("{:>9}|{:<9}|{:*^9}", shape, kiln::float32, device).c_str());
  try {
    std::puts(std::vformat("{:.3}", std::make_format_args(x)).c_str());
  } catch (const std::format_error& error) {
    std::puts(error.what());
  }
}
"""
EXPECTED = """(3, 4) float32 cpu [1. 2.]
   (3, 4)|float32  |***cpu***
a kiln::Array is formatted by {} alone
"""


def has_format(command):
    source = "#include <format>\n#include <string>\nstd::string text() { return std::format(\"{}\", 1); }\n"
    done = subprocess.run([*command, "-fsyntax-only", "-x", "c++", "-"], input=source, capture_output=True, text=True)
    return done.returncode == 0


def faults(command, folder):
    with tempfile.TemporaryDirectory() as work:
        source, program = pathlib.Path(work) / "program.cpp", pathlib.Path(work) / "program"
        source.write_text(PROGRAM)
        done = subprocess.run([*command, f"-I{folder}", source, "-o", program], capture_output=True, text=True)
        if done.returncode != 0:
            return [f"{' '.join(command)}: {done.stderr}"]
        said = subprocess.run([program], capture_output=True, text=True).stdout
        return [] if said == EXPECTED else [f"{' '.join(command)}: not\n{EXPECTED}but\n{said}"]


def main():
    commands = [[name, "-std=c++20", *library] for name in dict.fromkeys(sys.argv[2:])
                for library in ([], ["-stdlib=libc++"]) if shutil.which(name)]
    able = [c for c in commands if has_format(c)]
    if not able:
        print("no compiler here has <format>")
        return 77
    found = [fault for command in able for fault in faults(command, sys.argv[1])]
    print("\n".join(found) if found else "formatted by " + ", ".join(" ".join(c) for c in able))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
