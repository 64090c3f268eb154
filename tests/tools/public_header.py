"""kiln/kiln.h: includes standard headers only, defines no macro, and each public header stands alone.

    public_header.py <compiler> <include folder>

Headers under kiln/interop/ look at other libraries, so they are read for macros only.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]')
DEFINE = re.compile(r"^\s*#\s*define\s+(\w+)")
STANDARD = re.compile(r"^[a-z_0-9]+$")


def run(compiler, source, *flags):
    with tempfile.NamedTemporaryFile("w", suffix=".cpp") as file:
        file.write(source)
        file.flush()
        done = subprocess.run(
            [compiler, "-std=c++20", *flags, file.name], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout


def closure(compiler, source, folder):
    """Headers that a source reads, by g++ -M, the source itself left out."""
    rule = run(compiler, source, "-M", f"-I{folder}").replace("\\\n", " ")
    return {str(pathlib.Path(p).resolve()) for p in rule.split(":", 1)[1].split()[1:]}


def direct_faults(folder, headers):
    """Faults of the headers' text, and the standard headers they name."""
    found, standard = [], set()
    for header in headers:
        interop = "interop" in header.relative_to(folder).parts
        for number, line in enumerate(header.read_text().splitlines(), 1):
            place = f"{header.relative_to(folder)}:{number}"
            if DEFINE.match(line):
                found.append(f"{place}: defines the macro {DEFINE.match(line).group(1)}")
            match = INCLUDE.match(line)
            if not match or interop or match.group(1).startswith("kiln/"):
                continue
            if STANDARD.match(match.group(1)):
                standard.add(match.group(1))
            else:
                found.append(f"{place}: {match.group(1)} is no standard header")
    return found, standard


def faults(compiler, folder):
    headers = sorted((folder / "kiln").rglob("*.h"))
    found, standard = direct_faults(folder, headers)
    if not (folder / "kiln" / "kiln.h").exists():
        return ["kiln/kiln.h is missing"]
    all_standard = "".join(f"#if __has_include(<{name}>)\n#include <{name}>\n#endif\n"
                           for name in sorted(standard))  # some are newer than the compiler
    own = str(folder.resolve()) + "/"
    read = closure(compiler, "#include <kiln/kiln.h>\n", folder)
    foreign = {p for p in read if not p.startswith(own)} - closure(compiler, all_standard, folder)
    found += [f"kiln/kiln.h reads {path}" for path in sorted(foreign)]
    found += macro_faults(compiler, folder, own)
    for header in headers:
        name = header.relative_to(folder)
        if "interop" in name.parts:
            continue
        try:
            run(compiler, f"#include <{name}>\n", "-fsyntax-only", f"-I{folder}")
        except RuntimeError as error:
            found.append(f"{name} does not stand alone: {str(error).strip().splitlines()[0]}")
    return found


def macro_faults(compiler, folder, own):
    """Macros whose definition the preprocessor met inside our headers, conditional ones included."""
    found, current = [], ""
    for line in run(compiler, "#include <kiln/kiln.h>\n", "-E", "-dD", f"-I{folder}").splitlines():
        marker = re.match(r'^# \d+ "([^"]*)"', line)
        if marker:
            path = marker.group(1)
            current = "" if path.startswith("<") else str(pathlib.Path(path).resolve())
        elif current.startswith(own) and DEFINE.match(line):
            found.append(f"{current[len(own):]} defines the macro {DEFINE.match(line).group(1)}")
    return found


def main():
    found = faults(sys.argv[1], pathlib.Path(sys.argv[2]).resolve())
    print("\n".join(found) if found else "standard headers only, no macro")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
