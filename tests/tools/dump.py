"""A program run with KILN_DUMP writes everything about each plan that it makes.

    dump.py <quickstart>
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

with tempfile.TemporaryDirectory() as folder:
    subprocess.run([sys.argv[1]], check=True, stdout=subprocess.DEVNULL,
                   env=os.environ | {"KILN_DUMP": f"{folder}/dump", "KILN_DEVICE": "cpu"})
    plans = sorted(pathlib.Path(folder, "dump").iterdir())
    if [p.name for p in plans] != ["plan-0000", "plan-0001"]:
        sys.exit(f"plans: {plans}")
    # The second is that of a result which was asked for by a name.
    files = {p.name: p.read_text() for p in plans[1].iterdir()}
    plan = json.loads(files.pop("plan.json"))
    if len(plan["kernels"]) != 1 or plan["kernels"][0]["compulsory_read"] != 40:
        sys.exit(f"plan.json: {plan['kernels']}")
    if '"distance"' not in files["00-input.txt"] or not files["00-input.dot"].startswith("digraph"):
        sys.exit(files["00-input.txt"])
    kernels = [name for name in files if name.endswith(".cu")]
    if len(kernels) != 1 or not re.search(r'extern "C" __global__', files[kernels[0]]):
        sys.exit(f"of the files {sorted(files)} one should be a CUDA kernel")
    if "cpu-kernel-00-distance.txt" not in files:
        sys.exit(f"of the files {sorted(files)} one should be the CPU kernel's IR")
