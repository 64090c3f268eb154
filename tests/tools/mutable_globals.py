"""Mutable globals: symbols in writable sections of object files, against a list of the permitted.

    mutable_globals.py <registry.txt> <file that lists object files, one a line> [--without-llvm]

A row of the registry is `<regular expression over the demangled name><two spaces or more><reason>`.
Thread-local variables, static locals and their guards count. Read-only data that only needs
relocation (.data.rel.ro: vtables, tables of pointers) does not. A row that matches nothing fails,
unless the objects were built without LLVM and so are not all there.
"""

import pathlib
import re
import subprocess
import sys

SYMBOL = re.compile(r"^[0-9a-f]+ (.{7}) (\S+)\s+[0-9a-f]+\s+(?:\.hidden |\.protected )?(.+)$")
WRITABLE = re.compile(r"^\.(?:data|bss|tdata|tbss|lbss|ldata)(?!\.rel\.ro)(?:\.|$)|^\*COM\*$")


def mutable_symbols(object_file):
    listing = subprocess.run(
        ["objdump", "-t", "-C", object_file], capture_output=True, text=True, check=True).stdout
    found = []
    for line in listing.splitlines():
        match = SYMBOL.match(line)
        if match is None:
            continue
        flags, section, name = match.groups()
        # d: a section's own symbol. DW.ref: a pointer that the compiler keeps for unwinding.
        own = "d" not in flags and not name.startswith((".", "DW.ref."))
        if own and WRITABLE.match(section):
            found.append(name)
    return found


def read_registry(text):
    rows = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        pattern, _, reason = line.strip().partition("  ")
        if not reason.strip():
            raise ValueError(f"the row has no reason: {line}")
        rows.append(re.compile(pattern))
    return rows


def faults(rows, object_files):
    unused = set(rows)
    found = []
    for object_file in object_files:
        for name in mutable_symbols(object_file):
            matching = [row for row in rows if row.search(name)]
            unused.difference_update(matching)
            if not matching:
                found.append(f"{pathlib.Path(object_file).name}: {name}")
    return sorted(set(found)), [row.pattern for row in rows if row in unused]


def main():
    rows = read_registry(pathlib.Path(sys.argv[1]).read_text())
    object_files = pathlib.Path(sys.argv[2]).read_text().split()
    found, unused = faults(rows, object_files)
    if "--without-llvm" in sys.argv:
        unused = []
    for line in found:
        print("mutable global outside the registry:", line)
    for pattern in unused:
        print("row of the registry that matches nothing:", pattern)
    if not found and not unused:
        print(f"{len(object_files)} object files, no mutable global outside the registry")
    return 1 if found or unused else 0


if __name__ == "__main__":
    sys.exit(main())
