"""Costs other than steady speed: kiln_bench's own figures, fresh processes, compiling kiln.h."""

import json
import pathlib
import shutil
import subprocess
import tempfile
import time

import peers
import workloads

OWN = "^(record|evaluate_again|compile_chain|first_of_process|nvrtc_chain)/"


def own(program, env):
    """Counters of the benchmarks in costs.cpp, by name."""
    ran = subprocess.run([str(program), "--benchmark_format=json", "--benchmark_filter=" + OWN],
                         env=env, capture_output=True, text=True)
    if ran.returncode:
        return {}
    skip = {"name", "run_name", "run_type", "family_index", "per_family_instance_index", "threads",
            "repetitions", "repetition_index", "iterations", "real_time", "cpu_time", "time_unit"}
    return {b["name"].split("/")[0]: {k: v for k, v in b.items() if k not in skip}
            for b in json.loads(ran.stdout)["benchmarks"]}


def fresh(name, start, tries=3):
    """From the start of a process to its first Black-Scholes prices, and its peak of memory."""
    workload = next(w for w in workloads.make() if w.name == "black_scholes" and w.quick)
    seconds, peak = [], 0
    for _ in range(tries):
        begin = time.perf_counter()
        process = start(name)
        try:
            if process.ask(workload.request()) is None:
                return None
            seconds.append(time.perf_counter() - begin)
            peak = int(process.ask("counters")[2])
        except peers.Gone:
            return None
        finally:
            process.stop()
    return {"seconds": sorted(seconds)[len(seconds) // 2], "peak_bytes": peak}


def header():
    """Seconds to compile a file that includes kiln.h, and one that includes what it includes least."""
    compiler = shutil.which("g++")
    if not compiler:
        return {}
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("empty", "int main() {}\n"),
                           ("vector", "#include <vector>\nint main() {}\n"),
                           ("kiln", "#include <kiln/kiln.h>\nint main() {}\n")):
            source = pathlib.Path(folder) / (name + ".cpp")
            source.write_text(text)
            took = []
            for _ in range(5):
                begin = time.perf_counter()
                subprocess.run([compiler, "-std=c++20", "-O2", "-c", str(source), "-o",
                                str(source.with_suffix(".o")),
                                "-I", str(peers.ROOT / "frontend" / "include")], check=True)
                took.append(time.perf_counter() - begin)
            found[name] = sorted(took)[2]
    return found
