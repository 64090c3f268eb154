"""A Python peer as a process: worker.py <peer>. The lines are those of suite/serve.cpp.

A peer is a module of this folder with
  about()            version and flags
  program(name, dims) a function of the inputs, or None where the peer has no program
and, where its arrays are not NumPy's, computed when a function returns,
  put(array)         a NumPy array as the library's own
  wait(result)       returns when the result is computed
  get(value)         one value of the result as a NumPy array
and, where the library keeps memory that was freed,
  drop()             gives it back

On a GPU the calls of a turn are not waited for one by one, only the last: a queue that is kept full is what
is measured, not the ten microseconds that a wait costs.
"""

import ctypes
import gc
import importlib
import math
import os
import pathlib
import resource
import sys
import time

# What a library prints goes to stderr: answers have the pipe for themselves.
ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def answer(*words):
    print(*words, file=ANSWERS, flush=True)


try:
    import numpy as np
except ImportError as error:
    answer("gone", type(error).__name__, error)
    raise SystemExit from None

ON_GPU = os.environ.get("BENCH_DEVICE") == "cuda"


def hashed(number, extents, low, high):
    """As in suite/serve.cpp; in blocks, so that little more than the result is needed."""
    low, high, scale = np.float32(low), np.float32(high), np.float32(2.0 ** -24)
    values = np.empty(math.prod(extents), dtype=np.float32)
    for begin in range(0, values.size, 1 << 18):
        block = values[begin:begin + (1 << 18)]
        h = np.arange(begin, begin + block.size, dtype=np.uint32)
        h *= np.uint32(2654435761)
        h += np.uint32(number * 2654435769 % (1 << 32))
        h ^= h >> np.uint32(16)
        h *= np.uint32(2246822507)
        h ^= h >> np.uint32(13)
        h >>= np.uint32(8)
        block[:] = low + (high - low) * (h.astype(np.float32) * scale)
    return values.reshape(extents)


def make_input(number, text):
    """<extents>:<low>:<high>, or <extents>:<file> of `kiln_bench --data`."""
    extents, *source = text.split(":")
    extents = tuple(int(e) for e in extents.split(","))
    if len(source) == 2:
        return hashed(number, extents, float(source[0]), float(source[1]))
    values = np.load(pathlib.Path(os.environ["BENCH_DATA"]) / source[0])
    if values.shape != extents or values.dtype != np.float32:
        raise ValueError(f"{source[0]}: {values.dtype}{values.shape}")
    return values


class Server:
    def __init__(self, peer):
        self.peer = peer
        for name in ("put", "wait", "get", "drop"):
            setattr(self, "peer_" + name, getattr(peer, name, lambda *value: value[0] if value else None))
        self.drop()

    def drop(self):
        self.run = self.result = self.inputs = None
        gc.collect()
        self.peer_drop()
        ctypes.CDLL(None).malloc_trim(0)  # the environment tells the C library to keep everything
        return "ok"

    def hello(self):
        return "ok " + self.peer.about()

    def load(self, name, dims, *inputs):
        self.drop()
        dims = [int(d) for d in dims.split(",")]
        function = self.peer.program(name, dims)
        if function is None:
            return "none"
        self.inputs = [self.peer_put(make_input(number, text)) for number, text in enumerate(inputs)]
        self.peer_wait(self.inputs)

        def run():
            self.result = None
            self.result = function(*self.inputs)
            if not ON_GPU:
                self.peer_wait(self.result)

        self.run = run
        start = time.perf_counter()
        run()
        self.peer_wait(self.result)
        return f"ok {time.perf_counter() - start:.9f}"

    def check(self, samples):
        result = self.result if isinstance(self.result, (tuple, list)) else [self.result]
        flat = [np.asarray(self.peer_get(value), dtype=np.float32).reshape(-1) for value in result]
        total = sum(len(f) for f in flat)
        taken = min(int(samples), total)
        places = np.arange(taken) * total // taken
        values, begin = [], 0
        for f in flat:
            here = places[(places >= begin) & (places < begin + len(f))] - begin
            values += f[here].tolist()
            begin += len(f)
        return " ".join(["ok", str(total)] + [f"{v:.9g}" for v in values])

    def time(self, calls):
        start = time.perf_counter()
        for _ in range(int(calls)):
            self.run()
        if ON_GPU:
            self.peer_wait(self.result)
        return f"ok {(time.perf_counter() - start) / int(calls):.9g}"

    def counters(self):
        return f"ok 0 0 {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}"


def main():
    try:
        server = Server(importlib.import_module(sys.argv[1]))
    except Exception as error:  # a peer that cannot be had is a named gap
        answer("gone", type(error).__name__, str(error).split("\n")[0])
        return
    for line in sys.stdin:
        verb, *words = line.split()
        if verb == "quit":
            break
        try:
            answer(getattr(server, verb)(*words))
        except Exception as error:
            answer("error", type(error).__name__, str(error).split("\n")[0][:200])


main()
