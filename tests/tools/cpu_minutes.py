"""The processor minutes of ./dev test: the build's, and the tests' by folder.

    cpu_minutes.py <times after the build> <times at the end> <log of the tests>

The first two are what the shell's `times` writes, the log what KILN_CPU_LOG makes test binaries
write: a folder and seconds. What runs beside those binaries (examples, Python, the simulator's own
tests) is "other". Fails above the budget of the whole.
"""

import pathlib
import re
import sys

BUDGET = 110


def children_seconds(text):
    """User and system time of a shell's children: the second line of `times`."""
    minutes = re.findall(r"(\d+)m([\d.]+)s", text.splitlines()[1])
    return sum(60 * int(m) + float(s) for m, s in minutes)


def table(built, ended, log):
    """(what, minutes): the build, folders by falling time, other, all."""
    folders = {}
    for line in log.splitlines():
        folder, seconds = line.split()
        folders[folder] = folders.get(folder, 0) + float(seconds)
    tests = children_seconds(ended) - children_seconds(built)
    rows = [("build", children_seconds(built))]
    rows += [(f"tests/{name}", s) for name, s in sorted(folders.items(), key=lambda item: -item[1])]
    rows.append(("other tests", max(0, tests - sum(folders.values()))))
    rows.append(("all", sum(seconds for _, seconds in rows)))
    return [(what, seconds / 60) for what, seconds in rows]


def main():
    built, ended, log = (pathlib.Path(p) for p in sys.argv[1:4])
    rows = table(built.read_text(), ended.read_text(), log.read_text() if log.exists() else "")
    for what, minutes in rows:
        print(f"   {what:<20} {minutes:7.1f}")
    if rows[-1][1] <= BUDGET:
        return 0
    print(f"   more than {BUDGET} minutes")
    return 1


if __name__ == "__main__":
    sys.exit(main())
