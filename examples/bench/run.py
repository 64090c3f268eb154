#!/usr/bin/env python3
"""The benchmark suite: run.py <folder of the build> [--quick] [--filter REGEX] [--threads N]
[--peers a,b,...] [--rounds N] [--device cpu|cuda] [--write]

Writes bench.json, bench.md and plots into <folder>/bench; --write also renews the marked sections
of README.md and examples/bench/README.md. ./dev bench builds first and calls this.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import subprocess
import tempfile
import time

import costs
import measure
import peers
import report
import workloads


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("build", type=pathlib.Path, help="folder of the build")
    parser.add_argument("--quick", action="store_true", help="fewer workloads, no costs, no compiled PyTorch")
    parser.add_argument("--filter", default="", help="only workloads that match")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--peers", default="", help="only these, comma between")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="cuda: into bench-cuda")
    parser.add_argument("--merge", action="store_true", help="keep the other rows of the last run")
    parser.add_argument("--write", action="store_true", help="renew the tables of the READMEs")
    return parser.parse_args()


def machine(threads):
    cpu = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cache = {}
    for level in sorted(pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind = (level / "type").read_text().strip()
        if kind != "Instruction":
            cache["L" + (level / "level").read_text().strip()] = (level / "size").read_text().strip()
    library = ["ir", "passes", "codegen", "runtime", "frontend"]
    commit = subprocess.run(["git", "-C", str(peers.ROOT), "log", "-1", "--format=%h", "--"] + library,
                            capture_output=True, text=True).stdout.strip()
    return {"cpu": cpu, "cores": os.cpu_count(), "threads": threads, "cache": cache,
            "memory_gib": round(memory / 2**30), "system": platform.system() + " " + platform.machine(),
            "load_before": round(os.getloadavg()[0], 1), "commit": commit or "unknown",
            "date": datetime.date.today().isoformat()}


def gpu(kiln):
    """What computes on CUDA; ends the run where nothing does."""
    answer = kiln.ask("load axpy 8 8:0:1 8:0:1")
    reason = kiln.reason
    kiln.stop()
    if answer is None:
        raise SystemExit("no benchmarks on CUDA: " + reason)
    if "cudasim" in os.environ.get("KILN_CUDA_DRIVER", ""):
        return {"gpu": "the simulated driver: these are no times of a GPU"}
    told = subprocess.run(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"],
                          capture_output=True, text=True)
    return {"gpu": told.stdout.splitlines()[0] + " (driver)" if told.stdout else "unknown"}


def start_all(names, start, missing):
    about, gaps = {}, {name: missing[name] for name in names if name in missing}
    processes = {name: start(name) for name in names if name not in missing}
    for process in processes.values():  # they load at the same time
        process.send("hello")
    for name, process in list(processes.items()):
        try:
            about[name] = " ".join(process.receive(60))
        except peers.Gone as gone:
            processes.pop(name).stop()
            gaps[name] = str(gone)
    return processes, about, gaps


def show(row):
    kiln = row["peers"].get("kiln", {}).get("median")
    others = ", ".join(f"{n} {p['median'] / kiln:.2f}" for n, p in row["peers"].items()
                       if kiln and n != "kiln")
    print(f"{row['name']:24} {report.duration(kiln) if kiln else '-':>9}   {others}", flush=True)
    for name, text in row["troubles"].items():
        print(f"{'':24} {name}: {text}", flush=True)


def main():
    given = arguments()
    if given.write and given.device == "cuda":
        raise SystemExit("--write: the READMEs hold tables of the CPU")
    build = given.build.resolve()
    program, folder = build / "examples" / "kiln_bench", build / "bench"
    venv = folder / "venv"
    on_gpu = given.device == "cuda"
    if on_gpu:
        folder = build / "bench-cuda"
    folder.mkdir(exist_ok=True)
    names = given.peers.split(",") if given.peers else [
        n for n in peers.PEERS[given.device] if not (given.quick and n in peers.SLOW_TO_COMPILE)]
    missing = peers.install(venv, names, given.device)
    begun = time.time()
    with tempfile.TemporaryDirectory() as cache:
        data = folder / "data"
        subprocess.run([str(program), "--data", str(data)], check=True,
                       env=peers.environment(given.threads, cache, "cpu", data))
        env = peers.environment(given.threads, cache, given.device, data)

        def start(name, empty=None):
            chosen = peers.environment(given.threads, empty, given.device, data) if empty else env
            return peers.Process(name, program, venv / "bin" / "python", chosen, given.threads)

        result = {"machine": machine(given.threads), "quick": given.quick}
        if on_gpu:
            result["machine"].update(gpu(start("kiln")))
            found = measure.ceilings(start("machine_cuda"), 1 << 27, 1 << 38)
        else:
            measure.figures(start("kiln"))
            found = measure.ceilings(start("machine"), 1 << 26, 1 << 32)
        if found:
            result["ceilings"] = found
        processes, result["about"], result["gaps"] = start_all(names, start, missing)
        if not given.peers:
            result["gaps"].update({n: "left out of a quick run: it compiles for seconds a row"
                                   for n in peers.SLOW_TO_COMPILE if given.quick})
            if not on_gpu:
                result["gaps"]["CuPy, cuBLAS, PyTorch, JAX and Kiln on a GPU"] = "only with --device cuda"
        if not (given.quick or given.filter or on_gpu):
            result["costs"] = costs.own(program, env)
            result["costs_cuda"] = costs.cuda(program, env)
            result["header"] = costs.header()
            result["fresh"] = {n: f for n in result["about"] if (f := costs.fresh(n, start))}
        kept = {}
        if given.merge:
            old = json.loads((folder / "bench.json").read_text())
            kept = {row["name"]: row for row in old["rows"]}
            result["anew"] = len(workloads.chosen(given.filter, given.quick))
            result.update({k: old[k] for k in ("costs", "costs_cuda", "header", "fresh") if k in old})
        for workload in workloads.chosen(given.filter, given.quick):
            for name in result["about"].keys() - processes.keys():
                processes[name] = start(name)  # one that ended gets its chance with the next row
            row = measure.run_workload(workload, processes, given.rounds or (3 if given.quick else 5),
                                       30 if given.quick else 180, 0.02 if given.quick else 0.05)
            kept[row["name"]] = row
            result["rows"] = list(kept.values())
            show(row)
            result["seconds"] = round(time.time() - begun)
            result["machine"]["load_after"] = round(os.getloadavg()[0], 1)
            (folder / "bench.json").write_text(json.dumps(result, indent=1) + "\n")
        for process in processes.values():
            process.stop()
    report.write(result, folder, given.write)
    plots = subprocess.run([str(venv / "bin" / "python"), str(peers.HERE / "plots.py"), str(folder)])
    if plots.returncode:
        print("no plots: Matplotlib is missing")
    elif given.write:
        for name in ("speed.svg", "roofline.svg"):
            shutil.copy(folder / name, peers.HERE / name)
    print(f"{result['seconds']} s; written: {folder}/bench.json, bench.md, *.png, *.svg")


main()
