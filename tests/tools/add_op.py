"""Adds an elementwise operation to a copy of the tree, with the lines that CONTRIBUTING.md names.

    add_op.py <root> refuse <compile_commands.json>   a row of a target left out does not compile, and
                                                      with it the target's table does
    add_op.py <root> run <compiler>                   the copy is built (minutes), and a program uses
                                                      the operation
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

# File, the line that the new one stands after or before, the new line.
EDITS = [
    ("ir/ops.def", "after", 'KILN_OP(rint, 1, Float, 0, "")', 'KILN_OP(take_sign, 2, Float, 0, "")'),
    ("ir/scalar_semantics.h", "after", "  if constexpr (op == Op::rint) return std::rint(a);",
     "  if constexpr (op == Op::take_sign) return std::copysign(a, b);"),
    ("codegen/cuda/spelling.h", "after", '    {ir::Op::rint, detail::math("rint"), {}, {}},',
     '    {ir::Op::take_sign, detail::math("copysign"), {}, {}},'),
    ("codegen/llvm/spelling.cpp", "after", "      {Op::rint, call<llvm::Intrinsic::rint>, nullptr},",
     "      {Op::take_sign, call<llvm::Intrinsic::copysign>, nullptr},"),
    ("frontend/elementwise.cpp", "before",
     "Array maximum(Operand left, Operand right) { return binary(kMaximum, left, right); }",
     "Array take_sign(Operand left, Operand right) { return binary({\"take_sign\", Op::take_sign, "
     "kFloat, Gives::floating}, left, right); }"),
    ("frontend/include/kiln/elementwise.h", "before",
     "[[nodiscard]] Array maximum(Operand left, Operand right);",
     "[[nodiscard]] Array take_sign(Operand magnitude, Operand sign);"),
]

PROGRAM = """#include <kiln/kiln.h>
#include <iostream>
int main() {
  const kiln::Array x = {3.0f, -0.0f, -2.0f}, y = {-1.0f, 1.0f, -0.0f};
  std::cout << kiln::take_sign(x, y) * 2.0f << '\\n' << kiln::cuda_source(kiln::take_sign(x, y))[0].text;
}
"""


def edit(root, edits):
    for path, where, anchor, line in edits:
        file = root / path
        text = file.read_text()
        if text.count(anchor + "\n") != 1:
            sys.exit(f"{path}: not one line {anchor!r}")
        new = f"{anchor}\n{line}\n" if where == "after" else f"{line}\n{anchor}\n"
        file.write_text(text.replace(anchor + "\n", new))


def check_documented(root):
    """The files edited are those of the table in CONTRIBUTING.md, a line each."""
    section = (root / "CONTRIBUTING.md").read_text().split("## An elementwise operation")[1]
    rows = [row for row in section.split("\n## ")[0].splitlines() if row.startswith("| ")][1:]
    named = []
    for row in rows:
        files = re.findall(r"`([\w./]+\.(?:def|h|cpp))`", row.split("|")[3])
        if int(row.split("|")[2]) != len(files):
            sys.exit(f"CONTRIBUTING.md: not one line a file: {row}")
        named += files
    if sorted(named) != sorted(path for path, *_ in EDITS):
        sys.exit(f"CONTRIBUTING.md names {named}")


def copy(root, to, folders):
    for folder in folders:
        shutil.copytree(root / folder, to / folder, dirs_exist_ok=True)


def refuse(root, commands):
    spellings = {"codegen/cuda/spelling.cpp": "has no CUDA spelling",
                 "codegen/llvm/spelling.cpp": "has no LLVM spelling"}
    commands = {str(pathlib.Path(c["file"]).resolve().relative_to(root)): c
                for c in json.loads(pathlib.Path(commands).read_text())
                if root in pathlib.Path(c["file"]).resolve().parents}
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder).resolve()
        copy(root, tree, ["ir", "codegen"])

        def compile(source):
            words = shlex.split(commands[source]["command"].replace(str(root) + "/", f"{tree}/"))
            words = [f"-I{tree}" if w == f"-I{root}" else w for w in words]
            if "ccache" in words[0]:
                words = words[1:]
            return subprocess.run([*words, "-fsyntax-only"], cwd=commands[source]["directory"],
                                  capture_output=True, text=True)

        edit(tree, [e for e in EDITS if e[0].startswith("ir/")])
        for source, message in spellings.items():
            if source not in commands:
                continue  # built without LLVM
            result = compile(source)
            if result.returncode == 0 or message not in result.stderr:
                sys.exit(f"{source} without the row:\n{result.stderr or 'compiles'}")
        edit(tree, [e for e in EDITS if e[0].startswith("codegen/")])
        for source in spellings:
            if source in commands and (result := compile(source)).returncode != 0:
                sys.exit(f"{source} with the row:\n{result.stderr}")


def run(root, compiler):
    with tempfile.TemporaryDirectory() as folder:
        tree, build = pathlib.Path(folder).resolve() / "kiln", pathlib.Path(folder).resolve() / "build"
        tree.mkdir()
        copy(root, tree, [".cmake", "ir", "passes", "codegen", "runtime", "frontend"])
        for file in ["CMakeLists.txt", "dependencies.txt", "LICENSE", "README.md"]:
            shutil.copy(root / file, tree)
        edit(tree, EDITS)
        (tree / "program.cpp").write_text(PROGRAM)

        def check(*words, **environment):
            result = subprocess.run([str(w) for w in words], capture_output=True, text=True,
                                    env=os.environ | environment)
            if result.returncode != 0:
                sys.exit(f"{words}:\n{result.stdout}{result.stderr}")
            return result.stdout

        check("cmake", "-S", tree, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
              f"-DCMAKE_CXX_COMPILER={compiler}", "-DKILN_TESTS=OFF", "-DKILN_EXAMPLES=OFF", "-DKILN_DOCS=OFF",
              f"-DCMAKE_INSTALL_PREFIX={folder}/kiln-installed", "-DCMAKE_INSTALL_LIBDIR=lib")
        check("cmake", "--build", build)
        check("cmake", "--install", build)
        installed = pathlib.Path(folder) / "kiln-installed"
        check(compiler, "-std=c++20", "-Werror", f"-I{installed}/include", tree / "program.cpp",
              "-o", build / "program", f"-L{installed}/lib", "-lkiln", f"-Wl,-rpath,{installed}/lib")
        for device in ["cpu", "interpreter"]:
            output = check(build / "program", KILN_DEVICE=device, KILN_CACHE_DIR=str(build / "cache"))
            if not output.startswith("[-6.  0. -4.]\n") or "copysignf(" not in output:
                sys.exit(f"on {device}:\n{output}")


if __name__ == "__main__":
    source_root = pathlib.Path(sys.argv[1]).resolve()
    check_documented(source_root)
    {"refuse": refuse, "run": run}[sys.argv[2]](source_root, sys.argv[3])
