"""README.md's table of the GPUs that Kiln has run on, made of tests/gpu/reports/*.json.

    where_it_ran.py            fails where the READMEs say something else
    where_it_ran.py --write
"""

import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BEGIN, END = "<!-- silicon: begin -->", "<!-- silicon: end -->"


def step(report, name):
    for command in report["commands"]:
        for found in command["steps"]:
            if found["name"] == name:
                return found
    return {}


def row(report):
    if not report["silicon"]:
        raise ValueError("a report of the simulated driver is none of a GPU")
    facts = report["facts"]
    device, machine = facts["device"], facts["machine"]
    programs, suites = step(report, "programs"), step(report, "suites")
    rows = [r for r in (report.get("timing") or {}).get("rows", []) if "off" in r]
    held = sum(1 / 1.3 <= r["off"] <= 1.3 for r in rows)
    counted = programs.get("programs", 0)
    return (f"| {device['model']} ({device['target']}) | {machine['driver'] / 1000:g} | {device['nvrtc']} | "
            f"{facts['bundle']['commit']} | {report['date']} | {counted - len(programs.get('differing', []))} of {counted} | "
            f"{suites.get('suites', 0) - len(suites.get('failing', [])) - len(suites.get('cut', []))} of {suites.get('suites', 0)} | "
            f"{held} of {len(rows)} |")


def section(reports):
    if not reports:
        return "No report has come back yet."
    head = ["| GPU | driver for CUDA | NVRTC | commit | on | programs with the CPU's bits | suites | times within 1.3 of their prediction |",
            "|---|---|---|---|---|---|---|---|"]
    return "\n".join(head + [row(r) for r in reports])


def renewed(text, body):
    new, count = re.subn(re.escape(BEGIN) + r".*?" + re.escape(END), lambda _: f"{BEGIN}\n\n{body}\n\n{END}", text, flags=re.S)
    if count != 1:
        raise SystemExit("README.md: one section between the marks of silicon is wanted")
    return new


def main():
    body = section([json.loads(path.read_text()) for path in sorted((HERE / "reports").glob("*.json"))])
    path = ROOT / "README.md"
    text = path.read_text()
    if "--write" in sys.argv:
        path.write_text(renewed(text, body))
    elif renewed(text, body) != text:
        raise SystemExit("README.md: what has run where is another than tests/gpu/reports says: where_it_ran.py --write")


if __name__ == "__main__":
    main()
