"""What the machine brings: its driver, NVIDIA's libraries and tools, and the environment that every
program of the bundle gets. Nothing of the machine that built the bundle is known here."""

import ctypes
import glob
import os
import pathlib
import re
import shutil
import site
import sys
import tempfile

BUNDLE = pathlib.Path(__file__).resolve().parent.parent


def folders():
    """Where NVIDIA's libraries may be, the most particular first."""
    found = []
    for variable in ("CUDA_HOME", "CUDA_PATH"):
        if os.environ.get(variable):
            found.append(os.environ[variable])
    found += sorted(glob.glob("/usr/local/cuda*"), reverse=True) + ["/opt/cuda", "/usr/lib/cuda"]
    result = [f"{prefix}/{below}" for prefix in found for below in ("lib64", "lib", "targets/x86_64-linux/lib")]
    packages = list(site.getsitepackages()) + [site.getusersitepackages()] + [p for p in sys.path if p]
    for folder in packages:
        result += sorted(glob.glob(f"{folder}/nvidia/*/lib"))
    return result + ["/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"]


def files(name):
    """All files called libNAME.so.*, by real path, each once."""
    seen = {}
    for folder in folders():
        for path in sorted(glob.glob(f"{folder}/lib{name}.so*"), reverse=True):
            seen.setdefault(os.path.realpath(path), path)
    return [path for path in seen if "builtins" not in path and ".alt." not in path]


def driver_version(path="libcuda.so.1"):
    """13000 for CUDA 13.0; None without a driver."""
    try:
        driver = ctypes.CDLL(path)
        version = ctypes.c_int(0)
        return version.value if driver.cuDriverGetVersion(ctypes.byref(version)) == 0 else None
    except (OSError, AttributeError):
        return None


def nvrtc_version(path):
    try:
        library = ctypes.CDLL(path)
        major, minor = ctypes.c_int(0), ctypes.c_int(0)
        if library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)):
            return None
        return major.value, minor.value
    except (OSError, AttributeError):
        return None


def choose_nvrtc(driver, candidates=None):
    """The newest NVRTC whose major version the driver has too, since a driver takes neither machine
    code nor PTX of a later one; (path, (major, minor)) or (None, why)."""
    versions = {path: nvrtc_version(path) for path in (files("nvrtc") if candidates is None else candidates)}
    known = {path: v for path, v in versions.items() if v}
    if not known:
        return None, "no libnvrtc.so found in: " + " ".join(folders())
    fitting = {path: v for path, v in known.items() if driver is None or v[0] <= driver // 1000}
    if not fitting:
        listed = ", ".join(f"{p} ({v[0]}.{v[1]})" for p, v in known.items())
        return None, f"the driver is for CUDA {driver // 1000}, every NVRTC is newer: {listed}"
    best = max(fitting, key=lambda path: fitting[path])
    return best, fitting[best]


def choose_cublaslt(driver, candidates=None):
    """The newest cuBLASLt of a version that the driver has too, by its file's name; None if there is none."""
    known = {}
    for path in files("cublasLt") if candidates is None else candidates:
        version = re.search(r"\.so\.([0-9.]+)$", os.path.realpath(path) if candidates is None else path)
        if version:
            known[path] = tuple(int(part) for part in version[1].split("."))
    fitting = {path: v for path, v in known.items() if driver is None or v[0] <= driver // 1000}
    return max(fitting, key=lambda path: fitting[path]) if fitting else None


def tool(name):
    """The path of compute-sanitizer or ncu, or None."""
    found = shutil.which(name)
    if found:
        return found
    places = sorted(glob.glob(f"/usr/local/cuda*/bin/{name}"), reverse=True)
    places += sorted(glob.glob(f"/opt/nvidia/*/*/{name}"), reverse=True)
    return places[0] if places else None


class Machine:
    """The environment of programs; `why` says what is missing, empty if they can run."""

    def __init__(self, dry):
        self.dry = dry
        self.why = ""
        self.facts = {"dry_run": dry, "python": sys.version.split()[0], "cores": os.cpu_count(),
                      "system": " ".join(os.uname()[i] for i in (0, 2, 4))}
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("KILN_") or k == "KILN_NVRTC"}
        simulator = str(BUNDLE / "lib" / "libcudasim.so")
        driver = None
        if dry:
            self.env.update(KILN_CUDA_DRIVER=simulator, KILN_CUBLASLT=simulator)
        else:
            driver = driver_version()
            if driver is None:
                self.why = "no NVIDIA driver (libcuda.so.1) on this machine; --dry uses a simulated one"
            blas = choose_cublaslt(driver)
            if blas:
                self.env["KILN_CUBLASLT"] = blas
        self.facts["driver"] = driver
        if "KILN_NVRTC" not in self.env:
            path, told = choose_nvrtc(driver)
            if path is None:
                self.why = self.why or told
            else:
                self.env["KILN_NVRTC"] = path
                self.facts["nvrtc"] = f"{told[0]}.{told[1]}"
        self.facts["nvrtc_file"] = self.env.get("KILN_NVRTC")
        self.facts["cublaslt_file"] = None if dry else self.env.get("KILN_CUBLASLT")
        self.cache = tempfile.TemporaryDirectory(prefix="kiln-gpu-")
        self.env.update(
            KILN_DEVICE="cuda", KILN_QUIET="1", KILN_COMPILE_BUDGET="inf", PYTHONDONTWRITEBYTECODE="1",
            KILN_SOURCE=str(BUNDLE / "source"), KILN_EXAMPLE_DATA=str(BUNDLE / "source" / "examples" / "data"),
            KILN_CACHE_DIR=os.path.join(self.cache.name, "kernels"))
