#!/usr/bin/env python3
"""run [correct|speed|tools|all|report] [--dry] [--out FOLDER] [--python PATH] [--seconds N]

Three commands of at most six minutes each, the most telling first: `correct` compares results, `speed`
measures, `tools` runs compute-sanitizer and ncu. `report` makes report.md, report.json and page.md of
what they left in FOLDER (results beside this script). --dry: the simulated driver, small sizes: nothing
then ran on a GPU. --python: the interpreter whose CuPy, PyTorch and JAX are measured beside Kiln.
"""

import argparse
import json
import os
import pathlib
import shutil
import sys
import time

import report
import suites
from machine import BUNDLE, Machine, tool
from steps import Command

BIN = BUNDLE / "bin"
LIMIT = 350  # seconds a command
METRICS = ("dram__bytes_read.sum,dram__bytes_write.sum,gpu__time_duration.sum,sm__throughput.avg.pct_of_peak_sustained_elapsed,"
           "sm__warps_active.avg.pct_of_peak_sustained_active,launch__registers_per_thread,"
           "smsp__average_warps_issue_stalled_long_scoreboard_per_issue_active.ratio,"
           "smsp__average_warps_issue_stalled_barrier_per_issue_active.ratio,"
           "smsp__average_warps_issue_stalled_math_pipe_throttle_per_issue_active.ratio,"
           "smsp__inst_executed.sum,l1tex__t_sectors_pipe_lsu_mem_global_op_ld.sum")


def arguments():
    parser = argparse.ArgumentParser(prog="run", description=__doc__.split("\n\n", 1)[1])
    parser.add_argument("command", choices=("correct", "speed", "tools", "all", "report"), nargs="?", default="all")
    parser.add_argument("--dry", action="store_true")
    parser.add_argument("--out", type=pathlib.Path, default=BUNDLE / "results")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--seconds", type=float, default=LIMIT, help="for each command")
    return parser.parse_args()


def outcome(status):
    return {0: "ok", "cut": "cut", 77: "skipped"}.get(status, "failed")


def last_line(text):
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def correct(machine, command):
    manifest = json.loads((BUNDLE / "manifest.json").read_text())
    env, dry = machine.env, machine.dry

    def facts(limit):
        status, out, err = command.run([BIN / "kiln_gpu_probe", "facts"], limit, env)
        found = {"machine": machine.facts, "bundle": manifest["made"]}
        if status == 0:
            found["device"] = json.loads(out)
        if not dry and shutil.which("nvidia-smi"):
            _, told, _ = command.run(["nvidia-smi", "-q", "-d", "MEMORY,CLOCK,POWER,ECC,TEMPERATURE"], 20, env)
            found["nvidia_smi"] = told[:20000]
        command.path("facts.json").write_text(json.dumps(found, indent=1) + "\n")
        return outcome(status), {"why": "" if status == 0 else last_line(err)}

    def quickstart(limit):
        status, out, err = command.run([BIN / "quickstart"], limit, env)
        return outcome(status), {"why": "" if status == 0 else last_line(out + err)}

    command.step("facts", 40, facts)
    command.step("quickstart", 40, quickstart)
    command.step("programs", 130, lambda limit: programs(machine, command, limit))
    command.step("limits", 80, lambda limit: limits(machine, command, limit))
    command.step("suites", 200, lambda limit: gpu_suites(machine, command, manifest, limit))


def programs(machine, command, limit):
    """Hashes of all programs, in several processes, against the CPU's."""
    import concurrent.futures
    shards = 1 if machine.dry else min(8, os.cpu_count() or 1)
    count = "24" if machine.dry else "500"
    env = dict(machine.env, KILN_MODE="check")
    parts = [pathlib.Path(machine.cache.name) / f"programs-{i}" for i in range(shards)]

    def one(i):
        return command.run([BIN / "kiln_gpu_probe", "hashes", "--expected", BUNDLE / "expected.tsv", "--random", count,
                            "--shard", f"{i}/{shards}"] + (["--only", "random/"] if machine.dry else []),
                           limit, env, output=parts[i])

    with concurrent.futures.ThreadPoolExecutor(shards) as pool:
        ran = list(pool.map(one, range(shards)))
    lines = [line for part in parts if part.exists() for line in part.read_text().splitlines()]
    command.path("programs.tsv").write_text("\n".join(lines) + "\n")
    troubles = "\n".join(err for _, _, err in ran if err)
    if troubles:
        command.path("programs-troubles.txt").write_text(troubles)
    differing = [line.split("\t")[0] for line in lines if line.endswith("!")]
    done = {"programs": len(lines), "differing": differing[:100]}
    if differing:
        done["why"] = f"{len(differing)} of {len(lines)} differ or fail: {', '.join(differing[:4])}"
        return "failed", done
    if any(status == "cut" for status, _, _ in ran):
        return "cut", {**done, "why": f"{len(lines)} programs in time, none differs"}
    return ("ok" if lines and all(s == 0 for s, _, _ in ran) else "failed"), {**done, "why": last_line(troubles)}


def limits(machine, command, limit):
    output = command.path("limits.jsonl")
    status, _, err = command.run([BIN / "kiln_gpu_probe", "limits"] + (["--small"] if machine.dry else []), limit,
                                 machine.env, output=output)
    found = [json.loads(line) for line in output.read_text().splitlines() if line.endswith("}")]
    bad = [f"{s['name']}: {s['why']}" for s in found if s["result"] == "failed"]
    skipped = [s["name"] for s in found if s["result"] == "skipped"]
    return outcome(status), {"limits": len(found), "skipped": skipped,
                             "why": "; ".join(bad)[:400] or ("" if status == 0 else last_line(err))}


def gpu_suites(machine, command, manifest, limit):
    env = dict(machine.env, KILN_MODE="check")
    until = time.monotonic() + limit
    names = suites.chosen(suites.listed(BIN / "kiln_tests", env), manifest["on_devices"], manifest["on_gpu"])
    if machine.dry:
        names = [name for name in names if name in ("Elementwise", "Promotion", "Views")]
    at_a_time = 1 if machine.dry else max(1, min(8, os.cpu_count() or 1))
    results = suites.run_all(BIN / "kiln_tests", names, env, at_a_time, 90, until)
    suites.write_junit(results, command.path("suites.xml"))
    bad = [r["suite"] for r in results if r["result"] == "failed"]
    cut = [r["suite"] for r in results if r["result"] == "cut"]
    details = {"suites": len(results), "failing": bad, "cut": cut,
               "skipped": [r["suite"] for r in results if r["result"] == "skipped"],
               "why": ", ".join(bad + cut)[:400]}
    return ("failed" if bad else "cut" if cut else "ok" if results else "failed"), details


def speed(machine, command, python):
    env, dry = machine.env, machine.dry
    small = ["--scale", "1e-5"] if dry else []

    def timing(limit):
        output = command.path("timing.json")
        status, _, err = command.run([BIN / "kiln_gpu_probe", "timing", "--seconds", str(int(limit - 5)), "--out", output] + small,
                                     limit, env)
        return outcome(status), {"why": "" if status == 0 else last_line(err)}

    def peers(limit):
        folder = pathlib.Path(machine.cache.name) / "bench"
        words = [python, BUNDLE / "source" / "examples" / "bench" / "run.py", BUNDLE, "--device", "cuda",
                 "--program", BIN / "kiln_bench", "--python", python, "--out", folder, "--seconds", str(int(limit - 15))]
        status, out, err = command.run(words + (["--filter", "axpy 64K"] if dry else []), limit, env)
        for name in ("bench.json", "bench.md"):
            if (folder / name).exists():
                shutil.copy(folder / name, command.path(name))
        return outcome(status), {"why": "" if status == 0 else last_line(err or out)}

    command.step("timing", 190, timing)
    command.step("peers", 170, peers)


def tools(machine, command):
    env = dict(machine.env)

    def sanitizer(kind):
        def work(limit):
            path = tool("compute-sanitizer")
            if machine.dry or path is None:
                words = [BIN / "kiln_gpu_probe", "small"]
                status, _, err = command.run(words, limit, env)
                return ("skipped" if status == 0 else outcome(status)), {
                    "why": "the programs ran, without compute-sanitizer" if status == 0 else last_line(err)}
            words = [path, "--tool", kind, "--error-exitcode", "9", BIN / "kiln_gpu_probe", "small"]
            output = command.path(f"{kind}.txt")
            status, _, err = command.run(words, limit, env, output=output)
            text = output.read_text(errors="replace")
            summary = [line for line in text.splitlines() if "ERROR SUMMARY" in line or "RACECHECK SUMMARY" in line]
            return outcome(status), {"why": (summary or [last_line(err)])[-1] if status else "".join(summary[-1:])}
        return work

    def counters(limit):
        path = tool("ncu")
        words = [BIN / "kiln_gpu_probe", "kernels"]
        if machine.dry or path is None:
            status, _, err = command.run(words + (["--scale", "1e-5"] if machine.dry else []), limit, env)
            return ("skipped" if status == 0 else outcome(status)), {
                "why": "the programs ran, without ncu" if status == 0 else last_line(err)}
        output = command.path("ncu.csv")
        status, _, err = command.run([path, "--clock-control", "none", "--profile-from-start", "off", "--metrics", METRICS,
                                      "--csv", "--page", "raw"] + words, limit, env, output=output)
        text = output.read_text(errors="replace")
        refused = "ERR_NVGPUCTRPERM" in text + err
        return outcome(status), {"why": "this user may not read counters" if refused else "" if status == 0 else last_line(err)}

    command.step("counters", 170, counters)
    for kind in ("memcheck", "racecheck", "initcheck"):
        command.step(kind, 60, sanitizer(kind))


def main():
    given = arguments()
    given.out.mkdir(parents=True, exist_ok=True)
    status = 0
    if given.command != "report":
        machine = Machine(given.dry)
        if machine.why:
            raise SystemExit(f"run: {machine.why}")
        which = ("correct", "speed", "tools") if given.command == "all" else (given.command,)
        for number, name in enumerate(("correct", "speed", "tools"), 1):
            if name not in which:
                continue
            for old in given.out.glob(f"{number}-*"):
                old.unlink()
            print(f"{number}. {name}", flush=True)
            command = Command(number, name, given.seconds, given.out)
            if name == "correct":
                correct(machine, command)
            elif name == "speed":
                speed(machine, command, given.python)
            else:
                tools(machine, command)
            command.finish()
            status = status or int(any(s["result"] == "failed" for s in command.steps))
        machine.cache.cleanup()
    report.write(given.out, BUNDLE)
    print(f"written: {given.out}/report.md, report.json and page.md, the page to attach to an issue", flush=True)
    raise SystemExit(status)


if __name__ == "__main__":
    main()
