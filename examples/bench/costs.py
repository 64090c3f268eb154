"""Costs other than steady speed: kiln_bench's own figures, fresh processes, compiling kiln.h."""

import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import peers
import workloads

def own(program, env, pattern="."):
    """Counters of kiln_bench's own benchmarks, by name; none where it fails."""
    ran = subprocess.run([str(program), "--benchmark_format=json", "--benchmark_filter=" + pattern],
                         env=env, capture_output=True, text=True)
    if ran.returncode:
        return {}
    skip = {"name", "run_name", "run_type", "family_index", "per_family_instance_index", "threads",
            "repetitions", "repetition_index", "iterations", "real_time", "cpu_time", "time_unit"}
    return {re.sub("/(iterations|manual_time).*", "", b["name"]).replace("/", " "):
            {k: v for k, v in b.items() if k not in skip}
            for b in json.loads(ran.stdout)["benchmarks"] if not b.get("error_occurred")}


def cuda(program, env):
    """The same of a CUDA device: NVRTC, and binaries from the disk; none without a driver."""
    return own(program, {**env, "KILN_DEVICE": "cuda"}, "^(compile_chain|compile_functions|first_of_process)/")


def fresh(name, start):
    """From the start of a process to its first Black-Scholes prices, with empty caches on disk and
    with those that the first one filled, and its peak of memory."""
    workload = next(w for w in workloads.make() if w.name == "black_scholes" and w.quick)
    seconds, peak = [], 0
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(3):
            begin = time.perf_counter()
            process = start(name, cache)
            try:
                if process.ask(workload.request()) is None:
                    return None
                seconds.append(time.perf_counter() - begin)
                peak = int(process.ask("counters")[2])
            except peers.Gone:
                return None
            finally:
                process.stop()
    return {"seconds": seconds[0], "again_seconds": min(seconds[1:]), "peak_bytes": peak}


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
