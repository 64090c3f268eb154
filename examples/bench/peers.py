"""The peers: how each is started, what it needs, and one process of each (README.md: the lines)."""

import glob
import os
import pathlib
import re
import select
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

NATIVE = ("kiln", "kiln_unfused", "hand", "hand_fast", "eigen", "xtensor")
PYTHON = ("numpy", "numexpr", "numba", "jax", "mlx", "drjit", "torch", "torch_compile", "cupy", "cupy_fuse")
# Who runs where. On a GPU, NumPy is there for its results; products of CuPy, PyTorch and Kiln are cuBLAS's.
PEERS = {
    "cpu": tuple(n for n in NATIVE + PYTHON if not n.startswith("cupy")),
    "cuda": ("kiln", "kiln_unfused", "cupy", "cupy_fuse", "torch", "torch_compile", "jax", "numpy"),
}
SLOW_TO_COMPILE = ("torch_compile",)  # seconds a program: a quick run leaves them out


class Gone(Exception):
    """This peer cannot be had; the text is the reason."""


def requirements(names, device):
    """Rows `peer <name> <package> <version>` of dependencies.txt, and `peer_cuda` on a GPU."""
    rows = [line.split() for line in (ROOT / "dependencies.txt").read_text().splitlines()]
    kinds = ("peer", "peer_cuda") if device == "cuda" else ("peer",)
    wanted = {"plots", "torch" if "torch_compile" in names else "", "cupy" if "cupy_fuse" in names else "", *names}
    return [(row[1], row[2] + row[3]) for row in rows if row and row[0] in kinds and row[1] in wanted]


def install(folder, names, device):
    """A virtual environment with the Python peers; gives what could not be installed, with reasons."""
    python = folder / "bin" / "python"
    missing = {}
    if not python.exists():
        made = subprocess.run([sys.executable, "-m", "venv", str(folder)], capture_output=True,
                              text=True)
        if made.returncode:
            return {name: "no virtual environment (Debian: python3-venv)"
                    for name, _ in requirements(names, device)}
    wanted = requirements(names, device)
    stamp = folder / "installed.txt"
    done = stamp.read_text().splitlines() if stamp.exists() else []
    for name, package in wanted:
        if package in done:
            continue
        print(f"   installing {package}", flush=True)
        ran = subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--retries", "1",
                              "--disable-pip-version-check", package],
                             capture_output=True, text=True)
        if ran.returncode:
            last = (ran.stderr.strip().splitlines() or ["pip failed"])[-1]
            missing[name] = f"{package} was not installed: {last[:100]}"
        else:
            done.append(package)
            stamp.write_text("\n".join(done) + "\n")
    return missing


def environment(threads, cache, device, data):
    """The same threads for everyone, memory that stays with the process once it was touched, and the
    folder of the inputs that are files."""
    env = dict(os.environ)
    env["BENCH_DATA"] = str(data)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
                 "NUMEXPR_NUM_THREADS", "NUMEXPR_MAX_THREADS", "NUMBA_NUM_THREADS",
                 "KILN_THREADS"):
        env[name] = str(threads)
    # Tens of microseconds, then a thread that waits sleeps, as Kiln's: else it runs into the next turn.
    env["GOMP_SPINCOUNT"] = "10000"
    env["OPENBLAS_THREAD_TIMEOUT"] = "17"  # log2 of processor cycles; 26 as it is
    env["KILN_CACHE_DIR"] = str(cache)
    env["GLIBC_TUNABLES"] = ("glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1099511627776:"
                             "glibc.malloc.hugetlb=1")
    env["MIMALLOC_PURGE_DELAY"] = "-1"  # PyTorch's
    if device == "cuda":
        env["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # JAX would take three quarters of what all share
        del env["GLIBC_TUNABLES"]
    env["JAX_PLATFORMS"] = env["BENCH_DEVICE"] = env["KILN_DEVICE"] = device
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    env["TORCHINDUCTOR_CACHE_DIR"] = str(pathlib.Path(cache) / "inductor")
    env["TRITON_CACHE_DIR"] = str(pathlib.Path(cache) / "triton")
    if "DRJIT_LIBLLVM_PATH" not in env:
        found = sorted(glob.glob("/usr/lib/llvm-*/lib/libLLVM*.so*")
                       + glob.glob("/usr/lib/*/libLLVM*.so*"))
        if found:
            env["DRJIT_LIBLLVM_PATH"] = found[-1]
    return env


class Process:
    """A peer that runs. send() a line, receive() the words of the answer, ask() both."""

    def __init__(self, name, program, python, env, threads):
        self.name = name
        command = [str(program), "--serve", name]
        if (HERE / "peers" / f"peer_{name}.py").exists():
            command = [str(python), str(HERE / "peers" / "worker.py"), "peer_" + name]
        cores = sorted(os.sched_getaffinity(0))[:threads]
        self.child = subprocess.Popen(
            command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, cores))
        self.buffer = b""

    def send(self, line):
        try:
            self.child.stdin.write(line.encode() + b"\n")
            self.child.stdin.flush()
        except BrokenPipeError:
            pass  # receive() says so

    def receive(self, patience=120):
        """None for `none` and an `error` (self.reason says which); Gone if the process is."""
        until = time.monotonic() + patience
        head = ""
        while head not in ("ok", "none", "error", "gone"):  # else it is what some library prints
            head, _, rest = self.line(until, patience).partition(" ")
        if head == "gone":
            raise Gone(rest)
        self.reason = rest
        return rest.split() if head == "ok" else None

    def line(self, until, patience):
        while b"\n" not in self.buffer:
            if not select.select([self.child.stdout], [], [], max(0, until - time.monotonic()))[0]:
                self.stop()
                raise Gone(f"no answer in {patience:.0f} s")
            more = os.read(self.child.stdout.fileno(), 1 << 16)
            if not more:
                raise Gone("the process ended")
            self.buffer += more
        answer, self.buffer = self.buffer.split(b"\n", 1)
        return answer.decode(errors="replace")

    def ask(self, line, patience=120):
        self.send(line)
        return self.receive(patience)

    def status(self, name):
        """Bytes of VmRSS or VmHWM (the peak since forget_peak()); 0 where they cannot be read."""
        try:
            text = pathlib.Path(f"/proc/{self.child.pid}/status").read_text()
        except OSError:
            return 0
        found = re.search(name + r":\s+(\d+) kB", text)
        return int(found[1]) * 1024 if found else 0

    def forget_peak(self):
        try:
            pathlib.Path(f"/proc/{self.child.pid}/clear_refs").write_text("5")
        except OSError:
            pass  # the peak is then that of the whole process

    def stop(self):
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()
        try:
            self.child.stdin.close()
        except BrokenPipeError:
            pass  # what it had not read yet
