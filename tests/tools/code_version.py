"""The version of generated code: any change of ir or codegen changes it, nothing else does.

    code_version.py <root> <cmake>
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT, CMAKE = pathlib.Path(sys.argv[1]), sys.argv[2]


def version(root, out):
    subprocess.run([CMAKE, f"-DROOT={root}", f"-DOUT={out}", "-P", str(ROOT / ".cmake" / "code_version.cmake")], check=True)
    return re.search(r'return "([0-9a-f]{16})"', out.read_text())[1]


def main():
    with tempfile.TemporaryDirectory() as folder:
        copy, out = pathlib.Path(folder) / "copy", pathlib.Path(folder) / "version.cpp"
        for name in ("ir", "codegen"):
            shutil.copytree(ROOT / name, copy / name)
        (copy / "passes").mkdir()
        first = version(copy, out)
        faults = [] if version(ROOT, out) == first else ["a copy has another version"]
        for name in ("codegen/cuda/prelude.cpp", "ir/math/exp.cpp", "ir/ops.def", "codegen/llvm/emit.h"):
            path = copy / name
            text = path.read_text()
            path.write_text(text + "\n")
            if version(copy, out) == first:
                faults.append(f"{name} changed, the version did not")
            path.write_text(text)
        for name in ("ir/README.md", "passes/fuse.cpp"):
            path = copy / name
            path.write_text("changed\n")
            if version(copy, out) != first:
                faults.append(f"{name} is no part of it")
        if faults:
            raise SystemExit("\n".join(faults))


main()
