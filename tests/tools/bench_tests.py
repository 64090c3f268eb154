"""The benchmark suite's driver: what it must refuse, and what its tables must say.

    bench_tests.py <folder of the suite>
"""

import ctypes
import importlib
import json
import math
import os
import pathlib
import sys
import tempfile
import time
import unittest
import unittest.mock

SUITE = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path[:0] = [str(SUITE), str(SUITE / "peers")]

import measure
import peers
import programs
import reasons
import report
import run
import workloads


class Compare(unittest.TestCase):
    def setUp(self):
        self.exact = next(w for w in workloads.make() if w.name == "axpy")
        self.argmin = next(w for w in workloads.make() if w.name == "knn")

    def test_values(self):
        reference = [1.0, -2.0, 0.5]
        self.assertEqual(measure.compare(self.exact, {"numpy": reference, "a": [1.0, -2.0, 0.5001]}), {})
        for wrong in ([1.0, -2.0], [1.0, -2.0, 0.51], [1.0, -2.0, float("nan")]):
            self.assertEqual(list(measure.compare(self.exact, {"numpy": reference, "a": wrong})), ["a"])

    def test_near_ties(self):
        reference = [float(i) for i in range(1000)]
        some, many = list(reference), list(reference)
        some[7] = 900.0
        many[:20] = [900.0] * 20
        found = measure.compare(self.argmin, {"numpy": reference, "some": some, "many": many})
        self.assertEqual(list(found), ["many"])


class Machine:
    """A process that answers every request in a quarter of a second, or fails at one."""
    fails = ""

    def ask(self, line):
        return None if self.fails and line.startswith(self.fails) else ["0.25"]

    def stop(self):
        self.stopped = True


class Ceilings(unittest.TestCase):
    def test_amounts_a_second(self):
        machine = Machine()
        self.assertEqual(measure.ceilings(machine, 1000, 500),
                         {"triad": 48000, "read": 16000, "arithmetic": 2000})
        self.assertTrue(machine.stopped)

    def test_none_where_one_fails(self):
        machine = Machine()
        machine.fails = "time"
        self.assertIsNone(measure.ceilings(machine, 1000, 500))
        self.assertTrue(machine.stopped)

    @unittest.skipUnless(os.environ.get("KILN_NVRTC"), "no NVRTC")
    def test_kernels_compile(self):
        with unittest.mock.patch.dict(sys.modules, {"cupy": unittest.mock.MagicMock()}):
            source = importlib.import_module("peer_machine_cuda").SOURCE
        nvrtc = ctypes.CDLL(os.environ["KILN_NVRTC"])
        handle = ctypes.c_void_p()
        self.assertEqual(nvrtc.nvrtcCreateProgram(ctypes.byref(handle), source.encode(), None, 0, None, None), 0)
        self.assertEqual(nvrtc.nvrtcCompileProgram(handle, 0, None), 0)
        size = ctypes.c_size_t()
        self.assertEqual(nvrtc.nvrtcGetPTXSize(handle, ctypes.byref(size)), 0)
        ptx = ctypes.create_string_buffer(size.value)
        self.assertEqual(nvrtc.nvrtcGetPTX(handle, ptx), 0)
        # What is measured must not have been optimised away.
        for instruction in (b"ld.global.nc.v4.f32", b"st.global.v4.f32", b"fma.rn.f32"):
            self.assertIn(instruction, ptx.value.replace(b"ld.global.v4", b"ld.global.nc.v4"))


class Rows(unittest.TestCase):
    def test_workloads(self):
        rows = workloads.make()
        self.assertEqual(len({w.key for w in rows}), len(rows))
        for w in rows:
            self.assertIn(w.name, programs.PROGRAMS)
            self.assertGreaterEqual(w.least, 4 * w.elements)

    def test_a_gpu_has_the_telling_ones_first(self):
        cpu, cuda = ([w.key for w in workloads.chosen(device=d)] for d in ("cpu", "cuda"))
        self.assertEqual(len(set(cuda)), len(cuda))
        self.assertLess(set(cpu), set(cuda))
        self.assertEqual(cpu, [w.key for w in workloads.make()])
        self.assertEqual(cuda[:5], ["softmax 16Kx4K", "layer_norm 16Kx4K", "row_sums 64Kx1K",
                                    "column_sums 16Kx4K", "row_argmax 64Kx1K"])
        for start in workloads.TELLING:
            self.assertTrue(any(key.startswith(start) for key in cpu), start)
        for w in workloads.gpu_rows():
            self.assertTrue(w.gpu and w.quick)
            self.assertIn(w.name, programs.PROGRAMS)
            self.assertGreaterEqual(w.least, 4 * w.elements)

    def test_digits_and_photograph_are_files(self):
        rows = [w for w in workloads.make() if w.name in ("distances", "kmeans", "knn", "blur")]
        for text in [text for w in rows for text in w.request().split()[3:]]:
            self.assertRegex(text, r"^\d+,\d+:(digits|photograph)\w*\.npy$")
        self.assertEqual(len(rows), 5)


def result():
    def row(name, bound, **seconds):
        return {"name": name, "least_bytes": 8 << 20, "operations": 1 << 20, "elements": 1 << 20,
                "memory_bound": bound, "troubles": {}, "kernels": 1, "bytes_moved": 8 << 20,
                "peers": {n: measure.summary([s, 2 * s, 3 * s]) for n, s in seconds.items()}}
    machine = {"cpu": "c", "cores": 2, "threads": 1, "cache": {"L1": "32K"}, "memory_gib": 1,
               "load_before": 0, "load_after": 0, "commit": "x", "date": "today"}
    return {"machine": machine, "quick": False, "about": {"kiln": "k", "a": "A", "hand": "H"},
            "ceilings": {"triad": 1e9, "read": 1e9, "arithmetic": 1e9}, "gaps": {"b": "not there"},
            "rows": [row("win", True, kiln=1.0, a=4.0, hand=0.5), row("loss", True, kiln=1.0, a=0.5),
                     row("defeat", False, kiln=1.0, a=0.25), row("alone", False, kiln=1.0)]}


class Tables(unittest.TestCase):
    def test_losses_come_first_and_worst_first(self):
        text = report.full(result())
        self.assertIn("Slower than the best peer in 2 of 4 rows", text)
        places = [text.index(t) for t in ("| defeat |", "| loss |", "All rows", "| win |")]
        self.assertEqual(places, sorted(places))

    def test_figures(self):
        text = report.summary(result())
        self.assertIn("over 3 workloads of 1M elements and more: 0.79 x", text)  # (4 / 2 / 4)^(1/3)
        self.assertIn("Of 2 memory-bound ones beyond the cache, 1 are", text)
        self.assertIn("**missing**: not there", report.versions(result()))

    def test_cells_and_reasons(self):
        self.assertIn("| \\|a\\|^2 | b |", report.table(["x", "y"], [["|a|^2", "b"]]))
        self.assertEqual(reasons.of("no such workload 7"), "reason not known")
        self.assertIn("| defeat | 2 s | a | 0.25 | reason not known |", report.losses(result()))

    def test_costs(self):
        found = {**result(), "costs": {"record": {"ns_an_op": 90.0}, "axpy": {"x_stream": 0.97}},
                 "costs_cuda": {}, "header": {"kiln": 1.5},
                 "fresh": {"kiln": {"seconds": 0.5, "again_seconds": 0.1, "peak_bytes": 3 << 20}}}
        text = report.full(found)
        for line in ("| recording an operation | 90 ns |  |", "**missing**, no driver",
                     "with kiln | 1.5 s |", "| kiln | 500 ms | 100 ms | 3 MiB |",
                     "| axpy | 0.97 |"):
            self.assertIn(line, text)

    def test_marks(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "README.md"
            path.write_text("a\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nb\n")
            report.renew(path, "new")
            self.assertEqual(path.read_text(),
                             "a\n<!-- bench: begin -->\n\nnew\n\n<!-- bench: end -->\nb\n")
            path.write_text("no marks\n")
            self.assertRaises(SystemExit, report.renew, path, "new")


class Drop(unittest.TestCase):
    class Idle:
        stopped = False

        def __init__(self, resident, gone=False):
            self.resident, self.gone = resident, gone

        def ask(self, line):
            if self.gone:
                raise peers.Gone("it ended")

        def status(self, name):
            return self.resident

        def stop(self):
            self.stopped = True

    def test_those_that_keep_memory_end(self):
        small, large, gone = self.Idle(1 << 20), self.Idle(1 << 30), self.Idle(0, True)
        processes = {"small": small, "large": large, "gone": gone}
        measure.drop(processes)
        self.assertEqual(list(processes), ["small"])
        self.assertEqual([p.stopped for p in (small, large, gone)], [False, True, True])


class Devices(unittest.TestCase):
    def test_each_installs_what_its_peers_need(self):
        cpu = dict(peers.requirements(peers.PEERS["cpu"], "cpu"))
        cuda = [package for _, package in peers.requirements(peers.PEERS["cuda"], "cuda")]
        self.assertNotIn("cupy", cpu)
        self.assertTrue(any(p.startswith("cupy-") for p in cuda))
        self.assertTrue(any(p.startswith("jax[cuda") for p in cuda))
        self.assertIn("torch", dict(peers.requirements(["torch_compile"], "cpu")))
        for names in peers.PEERS.values():
            for name in set(names) & set(peers.PYTHON):
                self.assertTrue((SUITE / "peers" / f"peer_{name}.py").exists(), name)

    def test_a_gpu_has_no_ceilings_of_the_cpu(self):
        found = result()
        del found["ceilings"]
        found["machine"]["gpu"] = "some GPU"
        text = report.full(found)
        self.assertIn("some GPU; host: c", text)
        self.assertNotIn("roofline", text)


class Timed:
    """A peer whose calls take a millisecond once it is warm; it may fail at a request."""

    def __init__(self, fails=""):
        self.fails, self.asked, self.reason, self.first = fails, [], "it broke", True

    def send(self, line):
        self.line = line

    def receive(self, patience=None):
        return self.ask(self.line)

    def ask(self, line, patience=None):
        self.asked.append(line)
        verb, *words = line.split()
        if verb == self.fails:
            return None
        if verb == "time":
            first, self.first = self.first, False
            return ["0.004" if first else "0.001"]
        return {"load": ["1"], "check": ["2", "1.0", "2.0"], "counters": ["1", "64", "0"]}.get(verb, [])

    def forget_peak(self):
        pass

    def status(self, name):
        return 1

    def stop(self):
        pass


class Turns(unittest.TestCase):
    workload = next(w for w in workloads.make() if w.name == "axpy")

    def row(self, settle, **processes):
        with unittest.mock.patch("time.sleep"):
            return measure.run_workload(self.workload, processes, 3, 5, 0.02, settle)

    def test_a_whole_turn_settles_how_many_calls_one_has(self):
        peer = Timed()
        self.assertEqual(self.row(True, kiln=peer)["peers"]["kiln"]["calls"], 20)
        self.assertEqual([a for a in peer.asked if a.startswith("time")], ["time 1", "time 2"] + ["time 20"] * 4)
        self.assertEqual(self.row(False, kiln=Timed())["peers"]["kiln"]["rounds"], 3)

    def test_one_that_fails_is_a_line(self):
        for verb in ("load", "check", "time", "counters"):
            row = self.row(True, kiln=Timed(), torch=Timed(verb))
            self.assertIn("kiln", row["peers"])
            self.assertEqual("torch" in row["troubles"], verb != "counters")
        self.assertEqual(self.row(True, kiln=Timed("counters"))["bytes_moved"], 0)
        row = measure.failed(self.workload, "KeyError: x")
        self.assertIn("the row: KeyError: x", report.troubles({"rows": [row]}))


class Fused(unittest.TestCase):
    def test_a_kernel_takes_one_tensor_of_adam(self):
        cupy, taken = unittest.mock.MagicMock(sqrt=math.sqrt), []

        def fuse(kernel_name):
            return lambda f: lambda *inputs: (taken.append(len(inputs)), f(*inputs))[1]
        cupy.fuse = fuse
        inputs = [0.1 * k for k in range(1, 13)]
        with unittest.mock.patch.dict(sys.modules, {"cupy": cupy}):
            sys.modules.pop("peer_cupy", None)
            found = importlib.import_module("peer_cupy_fuse").program("adam", [1])(*inputs)
        self.assertEqual((found, taken), (programs.adam(cupy, [1], *inputs), [4, 4, 4]))


class Runs(unittest.TestCase):
    """run.py from a folder without a build, without git."""

    def run_it(self, folder, *words):
        arguments = [str(folder), "--device", "cuda", "--program", str(folder / "kiln_bench"), "--python", sys.executable,
                     "--out", str(folder / "out" / "here"), "--filter", "axpy (1|64K)$", *words]
        with unittest.mock.patch.object(sys, "argv", ["run.py", *arguments]), \
             unittest.mock.patch.object(peers, "install", side_effect=AssertionError("installs")), \
             unittest.mock.patch.object(peers, "PEERS", {"cuda": ("kiln", "no_such_peer")}), \
             unittest.mock.patch.dict(os.environ, {"PATH": "/nowhere"}), unittest.mock.patch("builtins.print"):
            run.main()
        return json.loads((folder / "out" / "here" / "bench.json").read_text())

    def bundle(self, folder):
        folder = pathlib.Path(folder)
        program = folder / "kiln_bench"
        program.write_text(f"#!{sys.executable}\n" + """import sys
if sys.argv[1:] == ["--serve", "no_such_peer"]: print("gone no module", flush=True); sys.exit()
if sys.argv[1] == "--data": sys.exit()
for line in sys.stdin:
    print("some library talks", flush=True)
    answer = {"check": "2 1 2", "time": "0.001", "counters": "1 64 0"}.get(line.split()[0], "this tree")
    print("ok " + answer, flush=True)
""")
        program.chmod(0o755)
        (folder / "manifest.json").write_text('{"made": {"commit": "abc123"}}')
        return folder

    def test_from_a_bundle(self):
        with tempfile.TemporaryDirectory() as folder:
            found = self.run_it(self.bundle(folder))
            self.assertEqual([r["name"] for r in found["rows"]], ["axpy 64K", "axpy 1"])
            self.assertEqual(found["machine"]["commit"], "abc123")
            self.assertIn("no module", found["gaps"]["no_such_peer"])
            self.assertNotIn("not_reached", found)

    def test_rows_not_reached_are_named(self):
        with tempfile.TemporaryDirectory() as folder:
            found = self.run_it(self.bundle(folder), "--seconds", "0")
            self.assertEqual((found["rows"], found["not_reached"]), ([], ["axpy 64K", "axpy 1"]))
            self.assertIn("Not reached in time: axpy 64K, axpy 1.",
                          (pathlib.Path(folder) / "out" / "here" / "bench.md").read_text())


class Processes(unittest.TestCase):
    def test_patience_is_for_the_whole_answer(self):
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "peer"
            program.write_text("#!/bin/sh\nwhile sleep 0.2; do echo some library talks; done\n")
            program.chmod(0o755)
            process = peers.Process("hand", program, None, {"PATH": os.environ["PATH"]}, 1)
            begun = time.monotonic()
            self.assertRaisesRegex(peers.Gone, "no answer in 1 s", process.ask, "hello", 1)
            self.assertLess(time.monotonic() - begun, 10)

    def ask(self, script):
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "peer"
            program.write_text("#!/bin/sh\n" + script + "\n")
            program.chmod(0o755)
            process = peers.Process("hand", program, None, {}, 1)
            try:
                return process.ask("hello", 5)
            finally:
                process.stop()

    def test_answers(self):
        self.assertEqual(self.ask("read line; echo ok some words; read more"), ["some", "words"])
        self.assertIsNone(self.ask("read line; echo none; read more"))
        self.assertRaisesRegex(peers.Gone, "no headers", self.ask, "read line; echo gone no headers")
        self.assertRaisesRegex(peers.Gone, "ended", self.ask, "exit 1")


unittest.main()
