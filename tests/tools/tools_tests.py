"""The tools of this folder, each run on a planted fault and on a tree without one.

    tools_tests.py <compiler>
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import cpu_minutes
import exhaustive
import exports
import facts
import include_rule
import layout
import mutable_globals
import mutate
import public_calls
import public_header

COMPILER = "c++"


class Planted(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name).resolve()
        self.addCleanup(self.folder.cleanup)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def compile(self, source, *flags):
        output = self.root / "out.o"
        file = self.write("planted.cpp", source)
        subprocess.run([COMPILER, "-std=c++20", *flags, "-o", output, file], check=True)
        return str(output)


class Exhaustive(Planted):
    def test_a_default_is_found_where_kinds_or_codes_are_told_apart(self):
        outer = "switch (k) {\n  case ir::NodeKind::map:\n    %s\n  %s\n}\n"
        inner = "switch (op) {\n  case Op::add:\n  default:\n}"
        self.write("passes/good.cpp", outer % (inner, "case ir::NodeKind::pad:"))
        self.write("ir/op.cpp", inner)
        self.assertEqual(exhaustive.violations(self.root), [])
        self.write("passes/bad.cpp", "\n" + outer % ("", "default:"))
        self.write("codegen/bad.h", outer.replace("NodeKind::map", "Code::load") % (inner, "default:"))
        self.assertEqual(exhaustive.violations(self.root), ["passes/bad.cpp:2", "codegen/bad.h:1"])


class IncludeRule(Planted):
    def test_permitted_edges(self):
        self.write("ir/a.h", '#include <vector>\n#include "ir/b.h"\n')
        self.write("ir/b.h", "")
        self.write("passes/a.cpp", '#include "ir/a.h"\n#include "passes/a.h"\n')
        self.write("frontend/a.cpp", '#include "runtime/a.h"\n#include <kiln/kiln.h>\n')
        self.write("examples/a.cpp", "#include <kiln/kiln.h>\n")
        self.write("tests/runtime/a.cpp", '#include "codegen/a.h"\n#include "runtime/a.h"\n')
        self.assertEqual(include_rule.violations(self.root), [])

    def test_each_planted_edge_is_found(self):
        self.write("passes/b.h", "")
        planted = {
            "ir/up.h": '#include "passes/b.h"',
            "passes/sideways.cpp": '  #  include "codegen/b.h"',
            "codegen/sideways.h": "#include <runtime/b.h>",
            "runtime/up.cpp": '#include "frontend/b.h"',
            "passes/relative.cpp": '#include "b.h"',
            "codegen/dots.cpp": '#include "../passes/b.h"',
            "frontend/b.cpp": '#include "tests/b.h"',
            "frontend/include/kiln/b.h": '#include "ir/b.h"',
            "examples/inner.cpp": '#include "ir/b.h"',
            "runtime/test.cpp": '#include "tests/b.h"',
        }
        for path, line in planted.items():
            self.write(path, "#include <vector>\n" + line + "\n")
        found = include_rule.violations(self.root)
        self.assertEqual(sorted(f.split(":")[0] for f in found), sorted(planted))
        self.assertTrue(all(f.split(":")[1] == "2" for f in found))


class Layout(Planted):
    def plant(self):
        for folder in layout.FOLDERS:
            self.write(f"{folder}/README.md", "# x\n")
        for name in layout.ROOT_FILES:
            self.write(name, "x\n")

    def test_agreed_tree(self):
        self.plant()
        self.write(".ci/run", "")
        self.assertEqual(layout.faults(self.root), [])

    def test_faults(self):
        self.plant()
        self.write("util/a.h", "")
        self.write("ir/README.md", "line\n" * 26)
        self.write("tests/a.cpp", "std::filesystem::temp_directory_path()")
        self.write("tests/folder.h", "std::filesystem::temp_directory_path()")
        (self.root / "LICENSE").unlink()
        found = "\n".join(layout.faults(self.root))
        self.assertIn("util", found)
        self.assertIn("ir/README.md is longer", found)
        self.assertIn("missing at the root: LICENSE", found)
        self.assertIn("tests/a.cpp", found)
        self.assertNotIn("tests/folder.h:", found)


class Exports(Planted):
    GOOD = ("namespace kiln { inline namespace v0 { struct A { virtual ~A(); int f() const; };"
            "A::~A() {} int A::f() const { return 1; } } }\n")

    def faults(self, source):
        return exports.faults(self.compile(source, "-shared", "-fPIC"))

    def test_public_names(self):
        self.assertEqual(self.faults(self.GOOD), [])

    def test_foreign_names(self):
        self.assertEqual(self.faults(self.GOOD + "int leak() { return 1; }"), ["exported: leak()"])
        inner = self.faults(self.GOOD + "namespace kiln::runtime { int leak() { return 1; } }")
        self.assertEqual(inner, ["exported: kiln::runtime::leak()"])

    def test_empty_library(self):
        self.assertNotEqual(self.faults("static int a;"), [])


class Globals(Planted):
    SOURCE = """
        #include <string>
        int plain = 1;
        static int zeroed;
        thread_local int local_to_thread;
        const char* const table[] = {"a", "b"};
        constexpr int constant = 4;
        int use() { static std::string text = "x"; return ++zeroed + constant + text.size(); }
    """

    def test_each_kind_is_found(self):
        found, unused = mutable_globals.faults([], [self.compile(self.SOURCE, "-c", "-fPIC")])
        names = {line.split(": ", 1)[1].replace("[abi:cxx11]", "") for line in found}
        self.assertEqual(unused, [])
        self.assertLessEqual({"plain", "zeroed", "local_to_thread", "use()::text"}, names)
        self.assertFalse({"table", "constant"} & names)

    def test_registry(self):
        rows = mutable_globals.read_registry("^plain$  because\n^nothing$  because\n")
        found, unused = mutable_globals.faults(
            rows, [self.compile("int plain = 1;", "-c")])
        self.assertEqual((found, unused), ([], ["^nothing$"]))
        with self.assertRaises(ValueError):
            mutable_globals.read_registry("^plain$")


class PublicHeader(Planted):
    def faults(self, text, **others):
        self.write("kiln/kiln.h", "#pragma once\n" + text)
        for name, content in others.items():
            self.write(f"kiln/{name}.h", content)
        return public_header.faults(COMPILER, self.root)

    def test_clean(self):
        part = "#pragma once\n#include <string>\nusing B = std::string;\n"
        self.assertEqual(self.faults("#include <vector>\n#include <kiln/b.h>\n", b=part), [])

    def test_macro(self):
        self.assertTrue(any("KILN_X" in f for f in self.faults("#define KILN_X 1\n")))

    def test_foreign_header(self):
        self.write("dependency.h", "")
        self.assertTrue(any("dependency.h" in f for f in self.faults('#include "dependency.h"\n')))

    def test_header_that_leans_on_another(self):
        found = self.faults("#include <vector>\n#include <kiln/b.h>\n", b="std::vector<int> b();\n")
        self.assertTrue(any("b.h does not stand alone" in f for f in found))


class PublicCalls(Planted):
    def plant(self, declarations, header="kiln"):
        text = ("// A.\n#pragma once\nnamespace kiln {\ninline namespace v0 {\n\nstruct Array {};\n"
                f"struct Device {{}};\n{declarations}\n}}  // namespace v0\n}}  // namespace kiln\n")
        self.write(f"kiln/{header}.h", text)
        if header != "kiln":
            self.write("kiln/kiln.h", f"#include <kiln/{header}.h>\n")

    def test_a_name_of_posix(self):
        self.plant("void sync(int how = 0);\n[[nodiscard]] Array twice(const Array& x);\n")
        found = "\n".join(public_calls.name_faults(COMPILER, self.root))
        self.assertIn("using namespace kiln: sync()", found)
        self.assertNotIn("twice", found)

    def test_a_type_without_an_argument(self):
        self.plant("[[nodiscard]] Array twice(Sphere x);\n")
        with self.assertRaisesRegex(ValueError, "twice: no argument of type 'Sphere'"):
            public_calls.every_call(self.root, "")

    def test_a_value_that_may_be_dropped(self):
        self.plant("Array twice(const Array& x);\n[[nodiscard]] Array half(const Array& x);\n")
        found = "\n".join(public_calls.declaration_faults(self.root))
        self.assertIn("twice has a value and is not [[nodiscard]]", found)
        self.assertNotIn("half has", found)
        found = "\n".join(public_calls.discard_faults(COMPILER, self.root))
        self.assertIn("kiln::twice(x); is not warned of", found)
        self.assertNotIn("kiln::half(x); is not", found)

    def test_a_function_without_its_scalar_form(self):
        both = "template <int = 0>\n[[nodiscard]] Array half(Operand x) {\n  return {};\n}\n"
        self.plant("[[nodiscard]] Array twice(const Array& x);\n[[nodiscard]] Array half(const Array& x);\n"
                   + both, "elementwise")
        found = "\n".join(public_calls.declaration_faults(self.root))
        self.assertIn("twice takes no C++ scalar", found)
        self.assertNotIn("half takes", found)

    def test_what_compiles_that_should_not(self):
        self.plant("template <class T>\nvoid max(const Array&, const T&) {}\n")
        found = "\n".join(public_calls.refusal_faults(COMPILER, self.root))
        self.assertIn("kiln::max(x, 0.5); says None", found)


class Facts(Planted):
    def test_long_function(self):
        body = "  if (a) { a = \"}\"; }  // }\n" * 61
        text = ("namespace a {\nstruct B {\n int f(int a)\n const {\n" + body + "}\n};\n" +
                "int table[] = {\n" + "1,\n" * 90 + "};\nvoid g() {}\n}\n")
        self.assertEqual(facts.long_functions(text), [("f", 3, 64)])

    def test_long_file_and_reason(self):
        self.write("ir/long.h", "\n" * 501)
        rows = facts.facts(self.root, {"ir/long.h": "one table"})
        self.assertEqual(rows, ["ir/long.h: 501 lines: one table"])
        self.assertIn("no reason given", facts.facts(self.root, {})[0])


class Mutants(Planted):
    def plant(self, rows, source):
        self.write("ir/mutants.def", "".join(
            f'KILN_MUTANT({i}, {name}, "{tests}",\n            "a fault")\n' for i, name, tests in rows))
        self.write("passes/a.cpp", source)
        return mutate.faults(self.root)

    def rows(self):
        return [(i, f"m{i}", "Suite") for i in range(1, mutate.LEAST + 1)]

    def source(self):
        return "".join(f"if (mutant(ir::Mutant::{name})) return;\n" for _, name, _ in self.rows())

    def test_table_and_sources_agree(self):
        self.assertEqual(self.plant(self.rows(), self.source()), [])

    def test_faults(self):
        for rows, source, fault in [
                (self.rows()[:-1], self.source(), "m30: planted in passes/a.cpp, not in the table"),
                (self.rows() + [(31, "m31", "Suite")], self.source(), "m31: planted nowhere"),
                (self.rows() + [(31, "m30", "Suite")], self.source(), "m30: in the table twice"),
                (self.rows()[:-1] + [(30, "m30", "")], self.source(), "m30: names no test"),
                (self.rows()[:-1] + [(33, "m30", "Suite")], self.source(), "the numbers are not")]:
            self.assertIn(fault, "\n".join(self.plant(rows, source)))


class CpuMinutes(unittest.TestCase):
    def test_table(self):
        rows = dict(cpu_minutes.table("0m1.0s 0m1.0s\n10m30.5s 1m29.5s\n", "0m2s 0m1s\n20m0s 2m0s\n",
                                      "ir 60.0\nfrontend 240\nir 60\n"))
        self.assertEqual(rows, {"build": 12, "tests/frontend": 4, "tests/ir": 2, "other tests": 4, "all": 22})


if __name__ == "__main__":
    COMPILER = sys.argv.pop(1)
    unittest.main()
