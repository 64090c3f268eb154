"""Tests the tests: each fault of ir/mutants.def must turn the suite red.

    mutate.py <build folder> [--jobs N] [--third K | number...]
    mutate.py --check <root>

For each fault its nearest tests run first, up to the first red one; where all are green, the
ordinary suite follows. A fault that it does not see either is named, and the run fails: it needs a
test. --third K takes every third fault, so that three nights take all. --check compares the table
with the sources and runs nothing.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import time

ROW = re.compile(r'^KILN_MUTANT\((\d+), (\w+), "([^"]*)",\s*"((?:[^"\\]|\\.)*)"\)', re.M)
SITE = re.compile(r"\bMutant::(\w+)")
FOLDERS = ["ir", "passes", "codegen", "runtime", "frontend"]
LEAST = 30
LEFT_OUT = "^(heavy|nightly|gpu)$"
FAILED = re.compile(r"^\t *\d+ - (.+) \((.+)\)", re.M)


def rows(root):
    """(number, name, nearest tests, fault) of each planted fault."""
    found = ROW.findall((root / "ir" / "mutants.def").read_text())
    return [(int(number), name, tests.split(), fault) for number, name, tests, fault in found]


def sites(root):
    """The files that plant each fault."""
    found = {}
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in {".h", ".cpp"} or file.stem == "mutant":
                continue
            for name in SITE.findall(file.read_text()):
                found.setdefault(name, set()).add(str(file.relative_to(root)))
    return found


def faults(root):
    """Where the table and the sources disagree."""
    table, planted = rows(root), sites(root)
    names = [name for _, name, _, _ in table]
    found = [f"{name}: in the table twice" for name in sorted({n for n in names if names.count(n) > 1})]
    found += [f"{name}: planted nowhere" for name in names if name not in planted]
    found += [f"{name}: planted in {', '.join(sorted(planted[name]))}, not in the table"
              for name in sorted(set(planted) - set(names))]
    found += [f"{name}: names no test" for _, name, tests, _ in table if not tests]
    if [number for number, *_ in table] != list(range(1, len(table) + 1)):
        found.append("the numbers are not 1, 2, 3, ...")
    if len(table) < LEAST:
        found.append(f"{len(table)} faults; at least {LEAST} are wanted")
    return found


class Suite:
    def __init__(self, build, jobs):
        self.command = ["ctest", "--test-dir", build, "-j", str(jobs), "--no-tests=error",
                        "--stop-on-failure", "--output-on-failure"]
        listed = subprocess.run(["ctest", "--test-dir", build, "-N"], capture_output=True, text=True)
        self.entries = set(re.findall(r"^ *Test +#\d+: (.+)$", listed.stdout, re.M))

    def red(self, number, *selection):
        """The first test that fails with this fault, or nothing."""
        run = subprocess.run(self.command + list(selection), capture_output=True, text=True,
                             env=dict(os.environ, KILN_MUTANT=str(number)))
        if run.returncode == 0:
            return ""
        failed = FAILED.findall(run.stdout)
        if not failed:
            raise SystemExit(f"ctest ended with {run.returncode}:\n{run.stdout[-2000:]}{run.stderr}")
        name, how = failed[0]
        return name if how == "Failed" else f"{name} ({how})"

    def red_of(self, number, names):
        return self.red(number, "-R", "^(" + "|".join(re.escape(n) for n in names) + ")$")


def without_sanitizer(suite, chosen):
    """Prints and leaves out the faults whose tests are all in a build tree that is not there."""
    there = []
    for row in chosen:
        number, name, tests, _ = row
        if all(t.startswith("tsan.") and t not in suite.entries for t in tests):
            print(f"{number:>3} {name:<26} not run: KILN_TSAN_BUILD names no build of the preset tsan")
        else:
            there.append(row)
    return there


def run(suite, chosen):
    chosen = without_sanitizer(suite, chosen)
    missing = sorted({t for _, _, tests, _ in chosen for t in tests} - suite.entries)
    if missing:
        print("no such entries of ctest:", ", ".join(missing))
        return 1
    everything = sorted({t for _, _, tests, _ in chosen for t in tests})
    if first := suite.red_of(0, everything):
        print(f"{first} is red without a fault: nothing was tested")
        return 1
    green = []
    print(f"{'fault':<30} {'red test':<40} seconds")
    for number, name, tests, fault in chosen:
        start = time.monotonic()
        red = suite.red_of(number, tests)
        if not red:
            rest = suite.red(number, "-LE", LEFT_OUT)
            red = f"{rest}, far from it" if rest else ""
        if not red:
            green.append(f"{number} {name}: {fault}")
        print(f"{number:>3} {name:<26} {red or 'NONE':<40} {time.monotonic() - start:7.1f}", flush=True)
    print(f"{len(chosen) - len(green)} of {len(chosen)} planted faults turn the suite red")
    for line in green:
        print("  not seen:", line)
    return 1 if green else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", metavar="ROOT")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--third", type=int)
    parser.add_argument("build", nargs="?")
    parser.add_argument("numbers", type=int, nargs="*")
    given = parser.parse_intermixed_args()
    root = pathlib.Path(given.check or pathlib.Path(__file__).parents[2]).resolve()
    if found := faults(root):
        print("\n".join(found))
        return 1
    table = rows(root)
    if given.check:
        print(f"{len(table)} planted faults, each in the table and in the sources")
        return 0
    chosen = [row for row in table if not given.numbers or row[0] in given.numbers]
    if given.third is not None:
        chosen = [row for row in chosen if row[0] % 3 == given.third % 3]
    return run(Suite(given.build, given.jobs), chosen)


if __name__ == "__main__":
    sys.exit(main())
