"""The bundle's runner: what it chooses, what it says of programs that hang or crash, and its report.

    runner_tests.py
"""

import json
import os
import pathlib
import stat
import sys
import tempfile
import time
import unittest
import unittest.mock
import xml.etree.ElementTree as ET

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "runner")]

import machine
import report
import steps
import suites
import where_it_ran


def program(folder, name, text):
    path = pathlib.Path(folder) / name
    path.write_text("#!/usr/bin/env python3\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


class Libraries(unittest.TestCase):
    def choose(self, driver, versions):
        with unittest.mock.patch.object(machine, "nvrtc_version", lambda path: versions[path]):
            return machine.choose_nvrtc(driver, list(versions))

    def test_newest_that_the_driver_takes(self):
        versions = {"a": (11, 8), "b": (12, 9), "c": (12, 4), "d": (13, 0), "e": None}
        self.assertEqual(self.choose(12060, versions), ("b", (12, 9)))
        self.assertEqual(self.choose(13000, versions), ("d", (13, 0)))
        self.assertEqual(self.choose(None, versions), ("d", (13, 0)))

    def test_none_fits(self):
        self.assertIn("every NVRTC is newer", self.choose(12060, {"d": (13, 0)})[1])
        self.assertIn("no libnvrtc.so found", self.choose(12060, {"d": None})[1])

    def test_cublaslt(self):
        paths = ["/a/libcublasLt.so.13.1.0.3", "/b/libcublasLt.so.12.9.1", "/b/libcublasLt.so.12.10.0"]
        self.assertEqual(machine.choose_cublaslt(12040, paths), paths[2])
        self.assertEqual(machine.choose_cublaslt(13000, paths), paths[0])
        self.assertIsNone(machine.choose_cublaslt(11080, paths))

    def test_without_a_driver(self):
        with unittest.mock.patch.object(machine, "driver_version", lambda: None):
            here = machine.Machine(False)
            here.cache.cleanup()
            self.assertIn("no NVIDIA driver", here.why)

    def test_nothing_of_the_callers_kiln_is_kept(self):
        with unittest.mock.patch.dict(os.environ, {"KILN_MODE": "eager", "KILN_THREADS": "1"}):
            here = machine.Machine(True)
            here.cache.cleanup()
            env = here.env
        self.assertNotIn("KILN_MODE", env)
        self.assertNotIn("KILN_THREADS", env)
        self.assertEqual(env["KILN_DEVICE"], "cuda")


class Steps(unittest.TestCase):
    def command(self, folder, seconds):
        return steps.Command(1, "correct", seconds, pathlib.Path(folder))

    def test_a_program_that_hangs_is_stopped_with_what_it_started(self):
        with tempfile.TemporaryDirectory() as folder:
            command = self.command(folder, 30)
            hangs = program(folder, "hangs", "import subprocess, time\nprint('begun', flush=True)\n"
                                             "subprocess.Popen(['sleep', '60'])\ntime.sleep(60)\n")
            begun = time.monotonic()
            status, out, err = command.run([hangs], 1, dict(os.environ))
            self.assertLess(time.monotonic() - begun, 15)
            self.assertEqual((status, out), ("cut", "begun\n"))
            self.assertIn("stopped after 1 s", err)
            command.finish()

    def test_what_was_written_stays(self):
        with tempfile.TemporaryDirectory() as folder:
            command = self.command(folder, 30)
            slow = program(folder, "slow", "import time\nprint('a row', flush=True)\ntime.sleep(60)\n")
            command.run([slow], 1, dict(os.environ), output=command.path("rows.txt"))
            self.assertEqual(command.path("rows.txt").read_text(), "a row\n")
            command.finish()

    def test_one_step_that_throws_ends_nothing(self):
        with tempfile.TemporaryDirectory() as folder, unittest.mock.patch("builtins.print"):
            command = self.command(folder, 30)

            def throws(limit):
                raise ValueError("bad")
            command.step("a", 5, throws)
            command.step("b", 5, lambda limit: ("ok", {}))
            command.end = time.monotonic()
            command.step("c", 5, lambda limit: ("ok", {}))
            command.finish()
            told = json.loads(command.path("steps.json").read_text())["steps"]
            self.assertEqual([s["result"] for s in told], ["failed", "ok", "cut"])
            self.assertIn("ValueError: bad", told[0]["why"])

    def test_large_files_are_shortened(self):
        with tempfile.TemporaryDirectory() as folder, unittest.mock.patch.object(steps, "MOST_BYTES", 1000):
            command = self.command(folder, 30)
            command.path("big.txt").write_text("a" * 5000 + "z")
            command.finish()
            text = command.path("big.txt").read_text()
            self.assertLess(len(text), 1000)
            self.assertTrue(text.startswith("a") and text.endswith("z") and "... cut ..." in text)


BINARY = """
import json, sys, time
arguments = dict(a.split('=', 1) for a in sys.argv[1:] if '=' in a)
if '--gtest_list_tests' in sys.argv:
    tests = [('Good', 'tests/frontend/a.cpp'), ('Values/0', '/x/tests/frontend/a.cpp'), ('Values/1', '/x/tests/frontend/a.cpp'),
             ('Crash', 'tests/error/b.cpp'), ('Hang', 'tests/frontend/a.cpp'), ('Skip', 'tests/property/device_tests.cpp'),
             ('HeavyOne', 'tests/frontend/a.cpp'), ('Elsewhere', 'tests/passes/c.cpp')]
    open(arguments['--gtest_output'].split(':', 1)[1], 'w').write(json.dumps(
        {'testsuites': [{'name': n, 'testsuite': [{'name': 't', 'file': f}]} for n, f in tests]}))
    sys.exit(0)
name = arguments['--gtest_filter'].split('.')[0]
if name == 'Crash':
    print('about to crash', flush=True); import os; os.abort()
if name == 'Hang':
    print('hanging', flush=True); time.sleep(60)
sys.exit(77 if name == 'Skip' else 0)
"""


class Suites(unittest.TestCase):
    def test_all_outcomes(self):
        with tempfile.TemporaryDirectory() as folder:
            binary = program(folder, "kiln_tests", BINARY)
            env = dict(os.environ)
            names = suites.chosen(suites.listed(binary, env), "frontend/|error/", "property/device_tests")
            self.assertEqual(names, ["Good", "Values", "Crash", "Hang", "Skip"])
            results = suites.run_all(binary, names, env, 3, 2, time.monotonic() + 30)
            self.assertEqual([r["result"] for r in results], ["ok", "ok", "failed", "cut", "skipped"])
            self.assertIn("about to crash", results[2]["text"])
            self.assertIn("ended by signal 6", results[2]["text"])
            suites.write_junit(results, pathlib.Path(folder) / "suites.xml")
            root = ET.parse(pathlib.Path(folder) / "suites.xml").getroot()
            self.assertEqual((root.get("tests"), root.get("failures"), root.get("skipped")), ("5", "2", "1"))
            late = suites.run_all(binary, names[:1], env, 1, 2, time.monotonic() - 1)
            self.assertEqual(late[0]["result"], "cut")


PREDICTIONS = ("name\tkernels\tMB\tmemory_us\tissue_us\tlow_us\thigh_us\tbound\tpeer_us\n"
               "axpy\t1\t805\t187\t15\t204\t204\tmemory\t204\n"
               "softmax\t1\t537\t125\t88\t160\t200\ttrips\t145\n"
               "argmax\t1\t268\t62\t56\t490\t490\ttrips\t68\n")


def results(folder, dry=False, rows=()):
    folder = pathlib.Path(folder)
    (folder / "predictions.tsv").write_text(PREDICTIONS)
    facts = {"machine": {"dry_run": dry, "driver": 13000, "system": "Linux", "cores": 8},
             "bundle": {"commit": "abc1234", "date": "2026-12-01"},
             "device": {"kiln": "0.1.0", "model": "NVIDIA X", "target": "sm_90", "nvrtc": "13.0"}}
    (folder / "1-facts.json").write_text(json.dumps(facts))
    told = [{"name": "programs", "result": "failed", "seconds": 9, "programs": 671, "differing": ["random/7"],
             "why": "1 of 671 differ or fail: random/7"},
            {"name": "suites", "result": "ok", "seconds": 99, "suites": 120, "failing": [], "skipped": ["A"]}]
    (folder / "1-steps.json").write_text(json.dumps({"command": "correct", "seconds": 300, "steps": told}))
    (folder / "2-timing.json").write_text(json.dumps({"ceilings": {"copy": 4300.0}, "rows": list(rows)}))
    return folder


class Report(unittest.TestCase):
    ROWS = ({"name": "axpy", "kernels": 1, "median_us": 210.0, "gb_per_s": 3800.0},
            {"name": "softmax", "kernels": 1, "median_us": 400.0},
            {"name": "argmax", "kernels": 2, "median_us": 100.0}, {"name": "blur", "error": "OutOfMemory: no room"})

    def test_each_prediction_beside_its_measurement(self):
        with tempfile.TemporaryDirectory() as folder:
            out = results(folder, rows=self.ROWS)
            report.write(out, out)
            text = (out / "report.md").read_text()
            self.assertIn("| axpy | 1 | 204 | 210 | 1.03 | 3800 | memory | 204 |", text)
            self.assertIn("| softmax | 1 | 160 to 200 | 400 | **2** |", text)
            self.assertIn("| argmax | 2 (1 predicted) | 490 | 100 | **0.204** |", text)
            self.assertIn("OutOfMemory: no room", text)
            self.assertIn("1 of 3 programs lie within 1.3", text)
            self.assertIn("Slower than predicted: softmax 2.00.", text)
            self.assertIn("Faster than predicted: argmax 0.20.", text)
            self.assertIn("- correct, programs: failed. 1 of 671 differ or fail: random/7\n  - random/7", text)
            page = (out / "page.md").read_text()
            self.assertIn("NVIDIA X (sm_90), driver for CUDA 13", page)
            self.assertLess(len(page.splitlines()), 60)
            self.assertTrue(json.loads((out / "report.json").read_text())["silicon"])

    def test_a_dry_run_says_so(self):
        with tempfile.TemporaryDirectory() as folder:
            out = results(folder, dry=True, rows=self.ROWS)
            report.write(out, out)
            page = (out / "page.md").read_text()
            self.assertIn("nothing here ran on a GPU", page)
            self.assertIn("judge no prediction", page)
            self.assertNotIn("than predicted", page)
            self.assertFalse(json.loads((out / "report.json").read_text())["silicon"])

    def test_nothing_timed(self):
        with tempfile.TemporaryDirectory() as folder:
            out = results(folder)
            report.write(out, out)
            self.assertIn("No program was timed.", (out / "report.md").read_text())

    def test_of_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder)
            (out / "predictions.tsv").write_text(PREDICTIONS)
            report.write(out, out)
            self.assertIn("nothing here ran on a GPU", (out / "report.md").read_text())


class WhereItRan(unittest.TestCase):
    def test_rows(self):
        with tempfile.TemporaryDirectory() as folder:
            out = results(folder, rows=Report.ROWS)
            report.write(out, out)
            told = json.loads((out / "report.json").read_text())
            text = where_it_ran.section([told])
            self.assertIn("| NVIDIA X (sm_90) | 13 | 13.0 | abc1234 |", text)
            self.assertIn("670 of 671", text)
            self.assertIn("120 of 120", text)
            self.assertIn("1 of 3", text)
            told["silicon"] = False
            with self.assertRaises(ValueError):
                where_it_ran.section([told])

    def test_none(self):
        self.assertIn("No report has come back yet", where_it_ran.section([]))


unittest.main()
