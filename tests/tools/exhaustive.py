"""A switch over the kinds or roles of nodes, or over the codes of instructions, names each: there is
no `default:`, so that the compiler points at the switches that a new one has to enter.

    exhaustive.py <root>

prints each switch that has one as file:line and fails if there is any.
"""

import pathlib
import re
import sys

FOLDERS = ("ir", "passes", "codegen", "runtime", "frontend")
ENUMS = r"\bcase (?:\w+::)*(?:NodeKind|Kind|Role|Code)::"


def block(text, begin):
    """From the brace that opens behind `begin` to the one that closes it."""
    depth, begin = 0, text.index("{", begin)
    for i in range(begin, len(text)):
        depth += (text[i] == "{") - (text[i] == "}")
        if depth == 0:
            return text[begin : i + 1]
    return text[begin:]


def without_inner(switch):
    """The block of a switch without those of switches within."""
    inner = re.search(r"\bswitch \(", switch)
    while inner:
        found = block(switch, inner.end())
        switch = switch.replace(switch[inner.start() : inner.end()], "", 1).replace(found, "", 1)
        inner = re.search(r"\bswitch \(", switch)
    return switch


def violations(root):
    found = []
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in (".h", ".cpp") or not file.is_file():
                continue
            text = file.read_text()
            for match in re.finditer(r"\bswitch \(", text):
                switch = without_inner(block(text, match.end()))
                if re.search(ENUMS, switch) and re.search(r"^\s*default:", switch, re.M):
                    line = text.count("\n", 0, match.start()) + 1
                    found.append(f"{file.relative_to(root)}:{line}")
    return found


if __name__ == "__main__":
    faults = violations(pathlib.Path(sys.argv[1]))
    for fault in faults:
        print(f"{fault}: a default: in a switch over kinds, roles or codes; name what it stands for")
    sys.exit(1 if faults else 0)
