"""What a user's compiler says of calls of every public function; the list is read from the headers.

    public_calls.py names <include folder> <compiler>...     unqualified, beside C, POSIX and std
    public_calls.py discards <include folder> <compiler>...  a statement of a call alone is warned of
    public_calls.py refusals <include folder> <compiler>...  what must not compile says what to write

Of the compilers those are asked that are installed.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import public_functions

C_HEADERS = """aio arpa/inet assert ctype dirent dlfcn errno fcntl fenv float fnmatch ftw glob grp iconv
inttypes langinfo libgen limits locale math mqueue net/if netdb netinet/in netinet/tcp poll pthread
pwd regex sched search semaphore setjmp signal spawn stdarg stddef stdint stdio stdlib string strings
sys/ioctl sys/mman sys/msg sys/param sys/resource sys/select sys/sem sys/shm sys/socket sys/stat
sys/statvfs sys/sysinfo sys/time sys/times sys/types sys/uio sys/un sys/utsname sys/wait syslog
termios time unistd utime wchar wctype wordexp""".split()
STD_HEADERS = """algorithm any array atomic bit bitset charconv chrono cmath complex concepts deque
filesystem functional future iostream iterator limits list map memory mutex numeric optional queue
random ranges regex set sstream stack string thread tuple utility valarray variant vector""".split()

# What `using namespace kiln` cannot help: say kiln::std.
CLASHES = {"std": "the namespace std itself"}
# What `using namespace kiln` together with `using namespace std` cannot help: qualify one of them.
CLASHES_WITH_STD = CLASHES | {
    "any": "a class", "greater": "a class template", "greater_equal": "a class template",
    "less": "a class template", "less_equal": "a class template",
    "logical_and": "a class template", "logical_not": "a class template",
    "logical_or": "a class template", "slice": "a class", "stack": "a class template"}

# Their value is a statement's effect, or the array that they were given.
STATEMENTS = {"materialize", "no_fuse", "must_fuse"}
# Statements that do nothing and are no calls of functions.
IDLE = """kiln::Scope({.mode = kiln::Mode::check});
kiln::Scope{{.mode = kiln::Mode::check}};
kiln::LineScope();
kiln::Measure();
kiln::Array(1.0f);
kiln::Array{1.0f, 2.0f};
kiln::Array{{1.0f}, {2.0f}};
kiln::Array(std::vector<float>{1.0f});
kiln::Array(std::vector<float>{1.0f}, {1, 1});
kiln::Array(std::span<const float>(), {0});
x.reshape({2, 1});
x.astype(kiln::float64);
x.to(device);
x.T();
x.mT();
x.named("a");
x.shape();
x.shape(0);
x.ndim();
x.size();
x.dtype();
x.device();
x.evaluated();
x.at(0);
x.item<float>();
x.to_vector<float>();
x.host<float>();
x(0);
x[0];
x(kiln::whole, 0);
-x;
~x;
!x;
x + y;
x - 1;
2 * x;
x / y;
x % y;
x == y;
x != y;
x < y;
x <= y;
x > y;
x >= y;
x & y;
x | y;
x ^ y;
x << 1;
x >> 1;
x && y;
x || y;
to_string(x);
to_string(x.shape());
kiln::explain(x).text();
device.name();
device.kind();""".splitlines()
# clang 14 to 19 see no temporary in T({...}) where T has a destructor.
SILENT_IN_CLANG = {"kiln::Scope({.mode = kiln::Mode::check});"}
BUSY = """const kiln::Scope scope({.mode = kiln::Mode::check});
const kiln::LineScope line;
x += y;
x.at(0) = 1;
x.at(0) += y;
std::cout << x << x.shape() << x.dtype() << device << kiln::slice(0, 1);
kiln::eval(x);
kiln::eval(x, y);
kiln::synchronize();
kiln::materialize(x);
kiln::no_fuse(x);
kiln::must_fuse(y);""".splitlines()

# Calls that do not compile, and a part of what is said.
REFUSED = {
    "kiln::max(x, y);": "elementwise it is maximum(x, y); max takes axes: max(x, 0)",
    "kiln::max(x, 0.5);": "elementwise it is maximum(x, y)",
    "kiln::max(x, 0.5f);": "elementwise it is maximum(x, y)",
    "kiln::max(x, true);": "elementwise it is maximum(x, y)",
    "kiln::max(x, kiln::half{});": "elementwise it is maximum(x, y)",
    "kiln::max(0, x);": "elementwise it is maximum(x, y)",
    "kiln::max(0.5, x);": "elementwise it is maximum(x, y)",
    "kiln::min(x, y);": "elementwise it is minimum(x, y); min takes axes: min(x, 0)",
    "kiln::min(x, 0.5);": "elementwise it is minimum(x, y)",
    "kiln::min(1.0, x);": "elementwise it is minimum(x, y)",
}

BEGIN = """#include <kiln/kiln.h>
#include <iostream>
#include <span>
#include <vector>
void calls(kiln::Array x, kiln::Array y, const kiln::Device& device, const float* data) {
  static_cast<void>(data);
"""


def installed(compilers):
    """Each once, however it is called."""
    found = {}
    for path in filter(None, map(shutil.which, compilers)):
        found.setdefault(os.path.realpath(path), path)
    return list(found.values())


def is_clang(compiler):
    return "clang" in os.path.realpath(shutil.which(compiler))


def compile_lines(compiler, folder, begin, lines, *flags):
    """Messages of each line: {index: [message]}; those elsewhere at -1."""
    text = begin + "".join(f"  {line}\n" for line in lines) + "}\n"
    first = begin.count("\n") + 1
    with tempfile.NamedTemporaryFile("w", suffix=".cpp") as file:
        file.write(text)
        file.flush()
        done = subprocess.run(
            [compiler, "-std=c++20", "-fsyntax-only", f"-I{folder}", *flags, file.name,
             *(["-ferror-limit=0"] if is_clang(compiler) else [])],
            capture_output=True, text=True)
    messages, held, asked = {}, [], -1
    for line in done.stderr.splitlines():
        match = re.match(r"(\S+?):(\d+):\d+: +(.*)", line)
        if not match:
            continue
        own, said = match.group(1) == file.name, match.group(3)
        index = int(match.group(2)) - first if own else -1
        if own and "required from here" in said:  # g++: before the error in a header
            asked = index
        elif own and "requested here" in said:  # clang: after it
            messages.setdefault(index, []).extend(held)
            held = []
        elif re.match(r"(fatal )?error|warning", said):
            if own or asked >= 0:
                messages.setdefault(index if own else asked, []).append(said)
            else:
                held.append(said)
    if held:
        messages.setdefault(-1, []).extend(held)
    return messages


def every_call(folder, qualified):
    """(function, statement) of each function, with arrays and, where it takes them, with scalars."""
    calls = []
    for function in public_functions.read(folder):
        for scalars in [False, True] if function.takes_scalars() else [False]:
            calls.append((function.name, function.call(scalars, qualified) + ";"))
    return calls


def name_faults(compiler, folder):
    found = []
    for spaces, clashes in (["kiln"], CLASHES), (["kiln", "std"], CLASHES_WITH_STD):
        includes = "".join(f"#if __has_include(<{h}.h>)\n#include <{h}.h>\n#endif\n"
                           for h in C_HEADERS)
        includes += "".join(f"#include <{h}>\n" for h in STD_HEADERS)
        using = "".join(f"using namespace {space};\n" for space in spaces)
        begin = includes + BEGIN.replace("void calls(", using + "void calls(")
        calls = every_call(folder, "")
        messages = compile_lines(compiler, folder, begin, [f"static_cast<void>({c[:-1]});" for _, c in calls])
        found += [f"{' and '.join(spaces)}: {m}" for m in messages.get(-1, [])]
        failed = {calls[i][0]: f"{calls[i][1]} {m[0]}" for i, m in messages.items()
                  if i >= 0 and any("error" in x for x in m)}
        where = "using namespace " + " and ".join(spaces)
        found += [f"{where}: {text}" for name, text in failed.items() if name not in clashes]
        found += [f"{where}: {name} is said to clash and does not" for name in clashes
                  if name not in failed and name in {n for n, _ in calls}]
    return found


def discard_faults(compiler, folder):
    """Calls that a statement may consist of, without a warning; and the reverse."""
    void = {f.name for f in public_functions.read(folder) if f.result == "void"} | STATEMENTS
    calls = [c for name, c in every_call(folder, "kiln::") if name not in void]
    messages = compile_lines(compiler, folder, BEGIN, calls + IDLE + BUSY, "-Wall", "-Wextra")
    found = messages.pop(-1, [])
    for i, line in enumerate(calls + IDLE + BUSY):
        said = messages.get(i, [])
        found += [f"{line} {m}" for m in said if "error" in m]
        warned = any("nodiscard" in m or "comparison result unused" in m for m in said)
        if is_clang(compiler) and line in SILENT_IN_CLANG:
            continue
        if warned == (line in BUSY):
            found.append(f"{line} is {'' if warned else 'not '}warned of")
    return found


def declaration_faults(folder):
    """What has a value is [[nodiscard]], members too; a function of an array has one of a scalar."""
    found = []
    for f in public_functions.read(folder) + public_functions.read_members(folder):
        valued = f.result != "void" and f.name not in STATEMENTS
        updates = f.result.endswith("&") and f.name.startswith("operator") and f.name.endswith("=")
        stream = "std::ostream&" in f.result
        if valued and not f.nodiscard and not stream and (not updates or f.name == "operator=="):
            found.append(f"{f.place} has a value and is not [[nodiscard]]")
    elementwise = [f for f in public_functions.read(folder) if f.header == "elementwise.h"]
    of_scalars = {f.name for f in elementwise if f.takes_scalars()}
    for f in elementwise:
        alone = [p.type for p in f.needed()] == ["const Array&"]
        if alone and f.name not in of_scalars:
            found.append(f"{f.place} takes no C++ scalar: add template <int = 0> {f.name}(Operand)")
    return found


def refusal_faults(compiler, folder):
    messages = compile_lines(compiler, folder, BEGIN, list(REFUSED))
    found = messages.pop(-1, [])
    for i, (line, part) in enumerate(REFUSED.items()):
        if not any(part in m for m in messages.get(i, [])):
            found.append(f"{line} says {messages.get(i)}, not {part!r}")
    return found


def main():
    what, folder, compilers = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), installed(sys.argv[3:])
    check = {"names": name_faults, "discards": discard_faults, "refusals": refusal_faults}[what]
    found = [f"{c}: {fault}" for c in compilers for fault in check(c, folder)]
    if what == "discards":
        found += declaration_faults(folder)
    print("\n".join(found) if found else f"{what}: as they should be, with {', '.join(compilers)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
