#!/usr/bin/env python3
"""The benchmark suite: run.py <folder of the build> [--quick] [--filter REGEX] [--threads N]
[--peers a,b,...] [--rounds N] [--device cpu|cuda] [--program PATH] [--python PATH] [--seconds N]
[--out FOLDER] [--write]

Writes bench.json, bench.md and plots into <folder>/bench; --write also renews the marked sections
of README.md and examples/bench/README.md. ./dev bench builds first and calls this. With --program
and --python nothing is built or installed, and no build or git is needed.
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
    parser.add_argument("--program", type=pathlib.Path, help="kiln_bench, if not that of the build")
    parser.add_argument("--python", help="an interpreter whose libraries are measured as they are: nothing is installed")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="for all; rows not reached are named")
    parser.add_argument("--out", type=pathlib.Path, help="folder of the results")
    parser.add_argument("--merge", action="store_true", help="keep the other rows of the last run")
    parser.add_argument("--write", action="store_true", help="renew the tables of the READMEs")
    return parser.parse_args()


def commit_of(build):
    """Of the library: git's, or what a bundle says of itself."""
    library = ["ir", "passes", "codegen", "runtime", "frontend"]
    try:
        return json.loads((build / "manifest.json").read_text())["made"]["commit"]
    except (OSError, ValueError, KeyError):
        pass
    try:
        return subprocess.run(["git", "-C", str(peers.ROOT), "log", "-1", "--format=%h", "--"] + library,
                              capture_output=True, text=True).stdout.strip() or "unknown"
    except OSError:
        return "unknown"


def machine(threads, build):
    cpu = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cache = {}
    for level in sorted(pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            kind = (level / "type").read_text().strip()
            if kind != "Instruction":
                cache["L" + (level / "level").read_text().strip()] = (level / "size").read_text().strip()
        except OSError:
            pass  # virtual machines show some of it only
    return {"cpu": cpu, "cores": os.cpu_count(), "threads": threads, "cache": cache,
            "memory_gib": round(memory / 2**30), "system": platform.system() + " " + platform.machine(),
            "load_before": round(os.getloadavg()[0], 1), "commit": commit_of(build),
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
    try:
        told = subprocess.run(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"],
                              capture_output=True, text=True).stdout
    except OSError:
        told = ""
    return {"gpu": told.splitlines()[0] + " (driver)" if told else "unknown"}


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


class Run:
    """What a run needs: where its files lie, what it starts, until when."""

    def __init__(self, given):
        self.given, self.on_gpu = given, given.device == "cuda"
        self.begun = time.time()
        self.until = self.begun + given.seconds
        self.build = given.build.resolve()
        self.program = given.program or self.build / "examples" / "kiln_bench"
        self.folder = given.out or self.build / ("bench-cuda" if self.on_gpu else "bench")
        self.folder.mkdir(parents=True, exist_ok=True)
        venv = self.build / "bench" / "venv"
        self.python = given.python or venv / "bin" / "python"
        self.names = given.peers.split(",") if given.peers else [
            n for n in peers.PEERS[given.device] if not (given.quick and n in peers.SLOW_TO_COMPILE)]
        self.missing = {} if given.python else peers.install(venv, self.names, given.device)
        self.chosen = workloads.chosen(given.filter, given.quick, given.device)

    def make_inputs(self, cache):
        self.cache, self.data = cache, self.folder / "data"
        subprocess.run([str(self.program), "--data", str(self.data)], check=True,
                       env=peers.environment(self.given.threads, cache, "cpu", self.data))

    def start(self, name, empty=None):
        env = peers.environment(self.given.threads, empty or self.cache, self.given.device, self.data)
        return peers.Process(name, self.program, self.python, env, self.given.threads)

    def left(self):
        return self.until - time.time()

    def row(self, workload, processes):
        """A row, whatever happens: what went wrong is named in it."""
        quick = self.given.quick
        patience = min(30 if quick else 180, max(5, self.left()))
        if self.given.seconds < float("inf"):
            patience = min(patience, 45)  # one peer that hangs must not cost all rows
        turn = 0.02 if quick or self.on_gpu else 0.05
        try:
            return measure.run_workload(workload, processes, self.given.rounds or (3 if quick else 5), patience, turn,
                                        settle=self.on_gpu)
        except Exception as error:
            for name in list(processes):
                processes.pop(name).stop()  # nobody knows what they would answer next
            return measure.failed(workload, f"{type(error).__name__}: {error}")


def begin(run, result):
    """The machine, its ceilings, the peers that answer."""
    given = run.given
    result["machine"] = machine(given.threads, run.build)
    if run.on_gpu:
        result["machine"].update(gpu(run.start("kiln")))
        found = measure.ceilings(run.start("machine_cuda"), 1 << 26, 1 << 38, 10)
    else:
        measure.figures(run.start("kiln"))
        found = measure.ceilings(run.start("machine"), 1 << 26, 1 << 32)
    if found:
        result["ceilings"] = found
    processes, result["about"], result["gaps"] = start_all(run.names, run.start, run.missing)
    if not given.peers:
        result["gaps"].update({n: "left out of a quick run: it compiles for seconds a row"
                               for n in peers.SLOW_TO_COMPILE if given.quick})
        if not run.on_gpu:
            result["gaps"]["CuPy, cuBLAS, PyTorch, JAX and Kiln on a GPU"] = "only with --device cuda"
    return processes


def compute(run, result, processes):
    """The rows, each written when it is there."""
    kept = {}
    if run.given.merge:
        old = json.loads((run.folder / "bench.json").read_text())
        kept = {row["name"]: row for row in old["rows"]}
        result["anew"] = len(run.chosen)
        result.update({k: old[k] for k in ("costs", "costs_cuda", "header", "fresh") if k in old})
    result["rows"] = list(kept.values())
    for workload in run.chosen:
        if run.left() < 0:
            result.setdefault("not_reached", []).append(workload.key)
            continue
        for name in result["about"].keys() - processes.keys():
            processes[name] = run.start(name)  # one that ended gets its chance with the next row
        row = run.row(workload, processes)
        kept[row["name"]] = row
        result["rows"] = list(kept.values())
        show(row)
        write(run, result)
    write(run, result)
    for process in processes.values():
        process.stop()


def write(run, result):
    result["seconds"] = round(time.time() - run.begun)
    result["machine"]["load_after"] = round(os.getloadavg()[0], 1)
    (run.folder / "bench.json").write_text(json.dumps(result, indent=1) + "\n")
    report.write(result, run.folder, False)


def main():
    given = arguments()
    if given.write and given.device == "cuda":
        raise SystemExit("--write: the READMEs hold tables of the CPU")
    run = Run(given)
    result = {"quick": given.quick}
    with tempfile.TemporaryDirectory() as cache:
        run.make_inputs(cache)
        processes = begin(run, result)
        if not (given.quick or given.filter or run.on_gpu):
            env = peers.environment(given.threads, cache, given.device, run.data)
            result["costs"] = costs.own(run.program, env)
            result["costs_cuda"] = costs.cuda(run.program, env)
            result["header"] = costs.header()
            result["fresh"] = {n: f for n in result["about"] if (f := costs.fresh(n, run.start))}
        compute(run, result, processes)
    report.write(result, run.folder, given.write)
    plots = subprocess.run([str(run.python), str(peers.HERE / "plots.py"), str(run.folder)],
                           stderr=subprocess.PIPE, text=True)
    if plots.returncode:
        print("no plots: " + (plots.stderr.strip().splitlines() or ["plots.py failed"])[-1])
    elif given.write:
        for name in ("speed.svg", "roofline.svg"):
            shutil.copy(run.folder / name, peers.HERE / name)
    print(f"{result['seconds']} s; written: {run.folder}/bench.json, bench.md, *.png, *.svg")


if __name__ == "__main__":
    main()
