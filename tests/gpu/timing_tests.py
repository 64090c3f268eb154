"""kiln_gpu_probe's timing, small and kernels, tried where there is no GPU.

    timing_tests.py predictions <probe>          the table of predictions against the programs
    timing_tests.py dry <probe> <work folder>    all of it on the simulated driver, small
"""

import csv
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CEILINGS = ("copy", "copy_loop", "triad", "triad_loop", "read", "write", "copy_driver", "empty", "multiply_add", "trip")
HOST = [name + size for size in ("_1", "_64k") for name in
        ("evaluate", "evaluate_sum", "evaluate_in_place", "evaluate_and_wait", "item")]
HOST += ["synchronize", "upload", "download", "use_of_host_data", "to_vector", "compile_cold", "compile_from_disk"]
# Where the prediction has other kernels or bytes than the plan for sm_90, and why it stays as it was written.
OTHERWISE = {
    "adam_50": "one launch where the driver takes 32 KB of parameters, which a plan alone does not know",
    "batch_norm_statistics": "the array, read twice, counts twice",
    "blur_5x5_uint8": "was one kernel of 25 reads an element",
}


def predictions():
    with (HERE / "predictions.tsv").open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def run(*words):
    ran = subprocess.run([str(w) for w in words], capture_output=True, text=True)
    if "NVRTC, which compiles CUDA kernels, was not found" in ran.stderr:
        print(ran.stderr)
        raise SystemExit(77)
    return ran


def check_predictions(probe):
    told = run(probe, "timing", "--plan", "sm_90")
    rows = [line.split("\t") for line in told.stdout.splitlines()]
    predicted = predictions()
    names = [p["name"] for p in predicted]
    faults = [told.stderr] if told.returncode else []
    if [row[0] for row in rows] != names:
        faults.append(f"programs {[row[0] for row in rows]}\nare not those of predictions.tsv: {names}")
    for (name, kernels, megabytes), p in zip(rows, predicted):
        same = kernels == p["kernels"] and abs(float(megabytes) - float(p["MB"])) <= 0.02 * float(p["MB"])
        if same == (name in OTHERWISE):
            faults.append(f"{name}: {kernels} kernels, {megabytes} MB; predicted {p['kernels']}, {p['MB']}; "
                          f"excused: {OTHERWISE.get(name, 'no')}")
        if not 0 < float(p["low_us"]) <= float(p["high_us"]) or float(p["peer_us"]) <= 0:
            faults.append(f"{name}: its figures make no sense")
    return faults


def faults_of(file):
    """What is missing in a file of results whose times mean nothing."""
    found = json.loads(file.read_text())
    faults = [] if found.get("complete") and not found["not_reached"] else ["the run did not reach its end"]
    names = [p["name"] for p in predictions()]
    if [row["name"] for row in found["rows"]] != names:
        faults.append(f"rows: {[row['name'] for row in found['rows']]}, not {names}")
    for row in found["rows"]:
        if "error" in row or not (row["kernels"] > 0 and row["bytes"] > 0 and row["median_us"] > 0):
            faults.append(f"row {row}")
        elif row["compiled_while_timed"] or row["planned_while_timed"] or len(row["schedules"]) != row["kernels"]:
            faults.append(f"row {row['name']} was not warm, or has other kernels than its plan: {row}")
    for part, wanted in (("ceilings", CEILINGS), ("host", HOST)):
        faults += [f"{part} lacks {name}" for name in wanted if name not in found[part]]
        faults += [f"{part} {name}: {row}" for name, row in found[part].items()
                   if "error" in row or not any(isinstance(v, float) and v > 0 for v in row.values())]
    for name in ("upload", "download", "use_of_host_data", "to_vector"):
        row = found["host"].get(name, {})
        if row.get("copied_bytes") != row.get("bytes"):
            faults.append(f"host {name} did not copy what it says: {row}")
    cold, disk = found["host"]["compile_cold"], found["host"]["compile_from_disk"]
    if (cold["compiled"], cold["from_disk"], disk["compiled"], disk["from_disk"]) != (3, 0, 0, 3):
        faults.append(f"kernels were not compiled as meant: {cold}, {disk}")
    return faults


def check_dry(probe, folder):
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "timing.json"
    file.unlink(missing_ok=True)
    told = run(probe, "timing", "--scale", "1e-5", "--loops", "1", "--out", file)
    faults = [told.stdout + told.stderr] if told.returncode else faults_of(file)
    late = run(probe, "timing", "--seconds", "0", "--out", file)
    reached = json.loads(file.read_text())
    if late.returncode or "rows" in reached or len(reached["not_reached"]) < len(CEILINGS + tuple(HOST)):
        faults.append(f"without time: {late.stderr} {reached}")
    small = run(probe, "small")
    lines = small.stdout.splitlines()
    if small.returncode or len(lines) < 60 or not all(line.startswith("ok\t") for line in lines):
        faults.append("small: " + small.stdout + small.stderr)
    kernels = run(probe, "kernels", "--scale", "1e-5")
    lines = [line.split("\t") for line in kernels.stdout.splitlines()]
    if kernels.returncode or len(lines) != 20 or not all(len(line) > 1 and ": " in line[1] for line in lines):
        faults.append("kernels: " + kernels.stdout + kernels.stderr)
    return faults


def main():
    what, probe, *folder = sys.argv[1:]
    faults = check_predictions(probe) if what == "predictions" else check_dry(probe, pathlib.Path(folder[0]))
    if faults:
        raise SystemExit("\n".join(faults))


main()
