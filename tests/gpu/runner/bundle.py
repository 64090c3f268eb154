"""bundle.py <build folder> <bundle folder> [--pack FILE.tar.xz]: gathers what ./dev gpu --bundle built
into a folder that needs a driver, a C library and Python only."""

import argparse
import datetime
import hashlib
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tarfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
PROGRAMS = ("tests/kiln_tests", "tests/gpu/kiln_gpu_probe", "examples/kiln_bench", "examples/quickstart")
OWN_LIBRARIES = ("libkiln.so.0", "tests/cudasim/libcudasim.so", "tests/stub/libkiln_driver_stub.so",
                 "tests/stub/libkiln_nvrtc_stub.so")
# The C library is the machine's.
SYSTEM = re.compile(r"^(ld-linux.*|lib(c|m|mvec|dl|rt|pthread|util|resolv)\.so.*|linux-vdso.*)$")
SOURCES = ("tests/shim/device.h", "tests/gates/missed.txt", "examples/data", "examples/bench", "dependencies.txt", "LICENSE")
MOST_BYTES = 60 << 20


def run(*words, **options):
    return subprocess.run([str(w) for w in words], check=True, text=True, stdout=subprocess.PIPE, **options).stdout


def libraries(files, folder):
    """Copies the shared libraries of the files, but for the C library."""
    for file in files:
        env = dict(os.environ, LD_LIBRARY_PATH=str(folder))
        for line in run("ldd", file, env=env).splitlines():
            found = re.match(r"\s*(\S+) => (\S+) \(0x", line)
            if "not found" in line:
                raise SystemExit(f"bundle: {file}: {line.strip()}")
            if not found or SYSTEM.match(found[1]) or (folder / found[1]).exists():
                continue
            shutil.copy(os.path.realpath(found[2]), folder / found[1])


def strip(folder):
    for path in folder.iterdir():
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
        subprocess.run(["strip", "--strip-unneeded", str(path)], check=True)


def patterns(build):
    """What ctest runs on a driver of the machine, from the file that it reads itself."""
    text = (build / "tests" / "kiln_tests_entries.cmake").read_text()
    return {name: re.search(rf'set\({name} "(.*)"\)', text)[1] for name in ("on_devices", "on_gpu")}


def paths_of_the_build(folder, build):
    """Names of files that hold a path of this machine's build or sources."""
    words = [str(ROOT).encode() + b"/", str(build).encode() + b"/"]
    return [f.name for f in sorted(folder.iterdir()) if any(w in f.read_bytes() for w in words)]


def gather(build, out):
    if out.exists():
        shutil.rmtree(out)
    for name in ("bin", "lib", "source", "runner"):
        (out / name).mkdir(parents=True)
    for name in PROGRAMS:
        shutil.copy(build / name, out / "bin")
    for name in OWN_LIBRARIES:
        if (build / name).exists():
            shutil.copy(os.path.realpath(build / name), out / "lib" / pathlib.Path(name).name)
    libraries(list((out / "bin").iterdir()) + list((out / "lib").iterdir()), out / "lib")
    strip(out / "bin")
    strip(out / "lib")
    for name in SOURCES:
        to = out / "source" / name
        to.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, to, ignore=shutil.ignore_patterns("*.cpp", "*.h", "*.def", "*.svg", "__pycache__", "corpus"))
        else:
            shutil.copy(ROOT / name, to)
    for path in HERE.glob("*.py"):
        if path.name != "bundle.py":
            shutil.copy(path, out / "runner")
    shutil.copy(HERE.parent / "predictions.tsv", out)
    shutil.copy(HERE / "page.md", out / "README.md")
    (out / "run").write_text('#!/bin/sh\nexec python3 "$(dirname "$0")/runner/run.py" "$@"\n')
    (out / "run").chmod(0o755)


def describe(build, out):
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    made = {"commit": commit.stdout.strip() or "unknown", "date": datetime.date.today().isoformat()}
    manifest = {"made": made, **patterns(build)}
    manifest["files"] = {str(p.relative_to(out)): hashlib.sha256(p.read_bytes()).hexdigest()[:16]
                         for p in sorted(out.rglob("*")) if p.is_file()}
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def expect(out, random):
    """The CPU's results: what the GPU's are compared with."""
    env = {**{k: v for k, v in os.environ.items() if not k.startswith("KILN_")}, "KILN_DEVICE": "cpu", "KILN_QUIET": "1",
           "KILN_SOURCE": str(out / "source")}
    lines = run(out / "bin" / "kiln_gpu_probe", "hashes", "--random", str(random), env=env)
    bad = [line for line in lines.splitlines() if line.endswith("!") or "\t-" in line]
    if bad:
        raise SystemExit(f"bundle: on the CPU of this machine fails: {bad[0]}")
    (out / "expected.tsv").write_text(lines)


def pack(out, file):
    """One archive; the programs hold much alike, so the dictionary is as large as all of them."""
    import lzma
    filters = [{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 256 << 20}]
    with lzma.open(file, "wb", filters=filters) as stream, tarfile.open(fileobj=stream, mode="w") as tar:
        tar.add(out, arcname=out.name)
    size = file.stat().st_size
    print(f"   {file}: {size / 2**20:.1f} MiB, sha256 {hashlib.sha256(file.read_bytes()).hexdigest()}")
    if size > MOST_BYTES:
        raise SystemExit(f"bundle: more than {MOST_BYTES >> 20} MiB")


def main():
    parser = argparse.ArgumentParser(prog="./dev gpu --bundle")
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--pack", type=pathlib.Path)
    parser.add_argument("--random", type=int, default=500, help="random programs of which results are shipped")
    parser.add_argument("--any-path", action="store_true", help="binaries may hold paths of the build (a build tree for tests)")
    given = parser.parse_args()
    out = given.out.resolve()
    gather(given.build.resolve(), out)
    expect(out, given.random)
    describe(given.build.resolve(), out)
    held = paths_of_the_build(out / "bin", given.build.resolve()) + paths_of_the_build(out / "lib", given.build.resolve())
    if held and not given.any_path:
        raise SystemExit(f"bundle: paths of this machine stand in {', '.join(held)}")
    print(f"   {out}: {sum(p.stat().st_size for p in out.rglob('*') if p.is_file()) / 2**20:.0f} MiB")
    if given.pack:
        pack(out, given.pack)


if __name__ == "__main__":
    main()
