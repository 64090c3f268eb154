"""The one rule of the layout: frontend -> {passes, codegen, runtime} -> ir, read from the #includes.

    include_rule.py <root>

prints each edge that points up or sideways as file:line and fails if there is one. Includes are
written from the root ("ir/graph.h"); a relative one fails too, since it would hide an edge. The
public headers see one another alone, and so do the examples, as a user does. Tests may look at
everything.
"""

import pathlib
import re
import sys

ALLOWED = {
    "ir": {"ir"},
    "passes": {"passes", "ir"},
    "codegen": {"codegen", "ir"},
    "runtime": {"runtime", "ir"},
    "frontend": {"frontend", "kiln", "passes", "codegen", "runtime", "ir"},
    "examples": {"examples", "kiln"},
}
FOLDERS = set(ALLOWED) | {"tests", "kiln"}
SUFFIXES = {".h", ".hpp", ".cpp", ".cc", ".def", ".inc"}
INCLUDE = re.compile(r'^\s*#\s*(?:include|include_next|import)\s*["<]([^">]+)[">]')


def allowed_from(path):
    """Folders that the file, given relative to the root, may include from."""
    return {"kiln"} if path.parts[:2] == ("frontend", "include") else ALLOWED[path.parts[0]]


def fault(root, path, target):
    """Why `path` may not include `target`; None if it may."""
    first = target.split("/")[0]
    if first in FOLDERS and "/" in target:
        if first not in allowed_from(path):
            return f"{path.parts[0]} may not include {target}"
    elif ".." in target.split("/") or (root / path.parent / target).exists():
        if path.parts[0] != "examples":
            return f"{target} is not written from the root"
        resolved = (root / path.parent / target).resolve()
        if not resolved.is_relative_to((root / "examples").resolve()):
            return f"examples may not include {target}"
    return None


def violations(root):
    found = []
    for folder in ALLOWED:
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in SUFFIXES or not file.is_file():
                continue
            path = file.relative_to(root)
            for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
                match = INCLUDE.match(line)
                why = fault(root, path, match.group(1)) if match else None
                if why:
                    found.append(f"{path}:{number}: {why}")
    return found


def main():
    found = violations(pathlib.Path(sys.argv[1]).resolve())
    print("\n".join(found) if found else "no edge against the rule")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
