"""What the guide lists against where it stands: environment variables and options of the build.

    guide_facts.py <root>
"""

import pathlib
import re
import sys


def first_cells(text, heading):
    """Names in the first column of the table behind a line of the header `| heading |`."""
    table = text.split(f"\n| {heading} |", 1)[1].split("\n\n", 1)[0]
    return {name for line in table.strip().split("\n")[2:]
            for name in re.findall(r"`(\w+)`", line.split("|")[1])}


def differences(what, listed, there):
    return ([f"{what} {name}: the guide does not list it" for name in sorted(there - listed)] +
            [f"{what} {name}: the guide lists it, and there is none" for name in sorted(listed - there)])


def faults(variables, devices, build, deployment):
    read = set(re.findall(r'"((?:KILN_|CUDA_|XDG_)\w+|HOME)"', variables))
    options = set(re.findall(r"\boption\((KILN_\w+)", build))
    return (differences("variable", first_cells(devices, "variable"), read) +
            differences("option", first_cells(deployment, "option"), options))


def main():
    root = pathlib.Path(sys.argv[1])
    guide = root / "examples" / "guide"
    build = "\n".join(path.read_text() for path in sorted((root / ".cmake").glob("*.cmake")))
    found = faults((root / "frontend" / "environment.cpp").read_text(), (guide / "devices.md").read_text(),
                   build, (guide / "deployment.md").read_text())
    print("\n".join(found) if found else "the guide lists what there is")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
