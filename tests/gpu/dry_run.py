"""A dry run of the bundle, gathered from a build tree: every command on the simulated driver, small.

    dry_run.py <build folder> <work folder>
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "runner")]

import machine


def main():
    if "KILN_NVRTC" not in os.environ and machine.choose_nvrtc(None)[0] is None:
        print("no NVRTC on this machine")
        raise SystemExit(77)
    build, work = (pathlib.Path(a).resolve() for a in sys.argv[1:3])
    bundle = work / "kiln-gpu"
    shutil.rmtree(work, ignore_errors=True)
    subprocess.run([sys.executable, str(HERE / "runner" / "bundle.py"), str(build), str(bundle), "--random", "24",
                    "--any-path"], check=True)
    env = {k: v for k, v in os.environ.items() if k in ("PATH", "KILN_NVRTC")}
    env["HOME"] = "/nowhere"
    ran = subprocess.run([str(bundle / "run"), "--dry"], env=env)
    results = bundle / "results"
    print((results / "page.md").read_text())
    faults = [] if ran.returncode == 0 else [f"run ended with {ran.returncode}"]
    for number, least in ((1, 5), (2, 2), (3, 4)):
        steps = json.loads((results / f"{number}-steps.json").read_text())["steps"]
        faults += [f"{s['name']}: {s['result']}: {s.get('why')}" for s in steps if s["result"] not in ("ok", "skipped")]
        if len(steps) != least:
            faults.append(f"command {number} has {len(steps)} steps, not {least}")
        files = list(results.glob(f"{number}-*"))
        if len(files) > 8 or any(f.stat().st_size > 8 << 20 for f in files):
            faults.append(f"command {number} leaves {len(files)} files, or too large ones")
    if json.loads((results / "report.json").read_text())["silicon"]:
        faults.append("the report calls the simulated driver a GPU")
    if faults:
        raise SystemExit("\n".join(faults))


main()
