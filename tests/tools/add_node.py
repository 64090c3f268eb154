"""Adds a structured operation to a copy of the tree, with the edits that CONTRIBUTING.md names, and
sees that the compiler asks for each of them.

    add_node.py <root> <compile_commands.json>

The kind is a view of the same elements. Without its file, without any one of its functions, and
without its case in any switch of the passes the copy does not compile; with all it does.
"""

import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

NAME = "same"
ROW = ("ir/nodes.def", "KILN_NODE(put, 1, 1, Slices, nothing, put)",
       "KILN_NODE(same, 1, 1, None, nothing, view)")
FUNCTIONS = {
    "shape": "static void shape(Shapes& s) {\n"
             "    for (std::size_t i = 0; i < s.rank(0); ++i) s.put(s.extent(0, i), {});\n  }",
    "check": "static bool check(const NodeCheck& c) {\n"
             "    return c.at(c.operand(0).rank == c.node().rank, \"another rank\");\n  }",
    "interpret": "static void interpret(GraphRun& run) { run.copy_result(0); }",
    "infix": "static void infix(InfixWriter& w, NodeId n, int least) { w.pass(n, least); }",
    "axes": "static AxisUses axes(const Graph& g, NodeId n, int) "
            "{ return kept_axes(g.nodes[n].rank); }",
}
RULES = ("ir/nodes/rules.cpp", '#include "ir/nodes/put.h"', '#include "ir/nodes/same.h"')
# Of the passes: the file with the switch, and a source that sees it.
SWITCHES = {
    "passes/index_map.h": "passes/access.cpp",
    "passes/access.cpp": "passes/access.cpp",
    "passes/emit.cpp": "passes/emit.cpp",
    "passes/length.cpp": "passes/length.cpp",
    "passes/ways.cpp": "passes/ways.cpp",
    "passes/simplify.cpp": "passes/simplify.cpp",
}


def rule(functions):
    body = "\n  ".join(functions)
    return (f'#include "ir/nodes/rules.h"\n\nnamespace kiln::ir {{\ntemplate <>\n'
            f"struct Rule<NodeKind::{NAME}> {{\n  {body}\n}};\n}}\n")


def insert(tree, path, anchor, line):
    """The line behind the anchor's, which there is once."""
    text = (tree / path).read_text()
    if text.count(anchor + "\n") != 1:
        sys.exit(f"{path}: not one line {anchor!r}")
    (tree / path).write_text(text.replace(anchor + "\n", f"{anchor}\n{line}\n"))


def enter_switch(tree, path):
    """Beside put, which every switch over the kinds names as well."""
    text = (tree / path).read_text()
    found = list(re.finditer(r"^ *case ((?:ir::)?NodeKind)::put:", text, re.M))
    if len(found) != 1:
        sys.exit(f"{path}: {len(found)} switches name put")
    at = found[0].start()
    (tree / path).write_text(f"{text[:at]}    case {found[0].group(1)}::{NAME}:\n{text[at:]}")


def check_documented(root):
    section = (root / "CONTRIBUTING.md").read_text().split("## A structured operation")[1]
    section = section.split("\n## ")[0]
    for path in [ROW[0], RULES[0], *SWITCHES]:
        if f"`{path}`" not in section:
            sys.exit(f"CONTRIBUTING.md does not name {path} for a structured operation")


def main(root, commands):
    commands = {str(pathlib.Path(c["file"]).resolve().relative_to(root)): c
                for c in json.loads(pathlib.Path(commands).read_text())
                if root in pathlib.Path(c["file"]).resolve().parents}
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder).resolve()
        for part in ["ir", "passes"]:
            shutil.copytree(root / part, tree / part)

        def compile(source):
            words = shlex.split(commands[source]["command"].replace(str(root) + "/", f"{tree}/"))
            words = [f"-I{tree}" if w == f"-I{root}" else w for w in words]
            if "ccache" in words[0]:
                words = words[1:]
            return subprocess.run([*words, "-fsyntax-only"], cwd=commands[source]["directory"],
                                  capture_output=True, text=True)

        def refused(source, message, what):
            result = compile(source)
            if result.returncode == 0 or not re.search(message, result.stderr):
                sys.exit(f"{source} without {what}:\n{result.stderr or 'compiles'}")

        insert(tree, *ROW)
        refused(RULES[0], "incomplete type", "a rule")
        insert(tree, *RULES)
        file = tree / "ir/nodes/same.h"
        for missing in FUNCTIONS:
            file.write_text("#pragma once\n" + rule(
                [text for name, text in FUNCTIONS.items() if name != missing]))
            refused(RULES[0], missing, missing)
        file.write_text("#pragma once\n" + rule(FUNCTIONS.values()))
        for path, source in SWITCHES.items():
            refused(source, rf"{path}:\d+:.*{NAME}", path)
        for path in SWITCHES:
            enter_switch(tree, path)
        for source in {RULES[0], *SWITCHES.values()}:
            if (result := compile(source)).returncode != 0:
                sys.exit(f"{source} with all of it:\n{result.stderr}")


if __name__ == "__main__":
    source_root = pathlib.Path(sys.argv[1]).resolve()
    check_documented(source_root)
    main(source_root, sys.argv[2])
