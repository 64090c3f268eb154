"""The list of workloads: one row a workload and size. Every peer and the driver read it."""

import dataclasses
import math
import re

K, M = 1 << 10, 1 << 20


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    dims: tuple      # what the peers get
    inputs: tuple    # (extents, low, high) of each, hashed; (extents, file) of `kiln_bench --data`; float32
    least: int       # bytes that must move: inputs once, outputs once
    operations: int  # additions, multiplications; a function such as exp counts as one
    memory_bound: bool = False
    tolerance: float = 1e-4  # relative to the largest magnitude of the result
    astray: float = 0.0      # share of values that may be others: near-ties of an argmin
    quick: bool = False
    gpu: bool = False        # on a GPU only

    @property
    def elements(self):
        return max(math.prod(extents) for extents, *_ in self.inputs)

    @property
    def key(self):
        return f"{self.name} " + "x".join(short(d) for d in self.dims)

    def request(self):
        parts = [":".join([join(extents), *map(str, source)]) for extents, *source in self.inputs]
        return " ".join(["load", self.name, join(self.dims)] + parts)


def join(numbers):
    return ",".join(str(n) for n in numbers)


def short(n):
    for unit, text in ((M, "M"), (K, "K")):
        if n >= unit and n % unit == 0:
            return f"{n // unit}{text}"
    return str(n)


def flat(n, count=1, low=-1.0, high=1.0):
    return (((n,), low, high),) * count


def make():
    rows = []

    def add(name, dims, inputs, out, operations, **more):
        read = sum(math.prod(extents) for extents, *_ in inputs)
        rows.append(Workload(name, dims, inputs, 4 * (read + out), operations, **more))

    for n in (1, 64 * K, M, 16 * M, 64 * M):
        add("axpy", (n,), flat(n, 2), n, 2 * n, memory_bound=n >= 16 * M,
            quick=n in (1, M, 16 * M))
    for n, count in ((16 * M, 1), (1, 10), (64 * K, 10), (M, 10), (64 * M, 10), (16 * M, 64),
                     (M, 512)):
        add("chain", (n, count), flat(n), n, n * count,
            memory_bound=n >= 16 * M and count <= 10, quick=n <= M and count != 512)
    for n in (64 * K, 4 * M):
        add("transcendental", (n,), flat(n, low=0.0, high=3.0), n, 9 * n)
    market = ((50, 150), (50, 150), (0.1, 2.1), (0.01, 0.05), (0.1, 0.4))
    for n in (64 * K, 4 * M):
        add("black_scholes", (n,), tuple(((n,), *bounds) for bounds in market), 2 * n, 65 * n,
            quick=n == 4 * M)
    for n in (64 * K, 64 * M):
        add("mse", (n,), flat(n, 2), 1, 3 * n, memory_bound=n == 64 * M, quick=n == 64 * K,
            tolerance=5e-3)  # sums of 64M squares in float32 lose digits unless they are split
    for columns in (32, 2 * K, 64 * K):
        x = (((16 * M // columns, columns), -2.0, 2.0),)
        rows_ = 16 * M // columns
        add("softmax", x[0][0], x, 16 * M, 5 * 16 * M, quick=columns == 2 * K)
        add("layer_norm", x[0][0], x + flat(columns, 2), 16 * M, 7 * 16 * M,
            quick=columns == 2 * K)
        add("logsumexp", x[0][0], x, rows_, 4 * 16 * M)
    add("standardise", (16 * K, K), (((16 * K, K), -1.0, 3.0),), 16 * M, 6 * 16 * M)
    every = ((1797, 64), "digits.npy")
    centres = ((10, 64), "digits_centres.npy")
    known, asked = ((1198, 64), "digits_known.npy"), ((599, 64), "digits_asked.npy")
    add("distances", (1198, 599, 64), (known, asked), 1198 * 599, 3 * 1198 * 599 * 64, quick=True)
    add("add_transposed", (4 * K,), (((4 * K, 4 * K), -1.0, 1.0),), 16 * M, 16 * M, quick=True)
    add("heat", (4 * K,), (((4 * K, 4 * K), 0.0, 1.0),), 16 * M, 7 * 16 * M, memory_bound=True,
        quick=True)
    add("gray_scott", (2 * K,), (((2 * K, 2 * K), 0.0, 1.0),) * 2, 8 * M, 36 * 4 * M)
    for n, file in ((512, "photograph.npy"), (2 * K, "photograph_4.npy")):
        add("blur", (n,), (((n, n), file),), n * n, 26 * n * n)
    add("kmeans", (1797, 64, 10), (every, centres), 640, 5 * 1797 * 64 * 10, tolerance=1e-3)
    add("knn", (599, 1198, 64), (asked, known), 599, 3 * 599 * 1198 * 64, astray=0.01)
    add("nbody", (4 * K,), flat(4 * K, 3) + flat(4 * K, low=0.1), 3 * 4 * K, 18 * (4 * K) ** 2,
        tolerance=1e-3, quick=True)
    for n in (64 * K,):
        one = (((n,), -1.0, 1.0), ((n,), -1.0, 1.0), ((n,), -0.1, 0.1), ((n,), 0.0, 0.1))
        add("adam", (n,), one * 50, 150 * n, 50 * 13 * n)
    add("logistic", (16 * K, 256), (((16 * K, 256), -1.0, 1.0), ((16 * K,), 0.0, 1.0),
                                    ((256,), -0.1, 0.1)), 256, 4 * 16 * K * 256)
    add("mlp", (K, 784, 512, 10), (((K, 784), 0.0, 1.0), ((784, 512), -0.05, 0.05),
                                   ((512,), -0.1, 0.1), ((512, 10), -0.1, 0.1),
                                   ((10,), -0.1, 0.1)), 10 * K, 2 * K * (784 * 512 + 5120),
        quick=True)
    return rows


def gpu_rows():
    """What tells most on a GPU, at sizes beyond its caches; the first first."""
    n = 64 * M
    rows = []

    def add(name, dims, inputs, out, operations, **more):
        read = sum(math.prod(extents) for extents, *_ in inputs)
        rows.append(Workload(name, dims, inputs, 4 * (read + out), operations, quick=True, gpu=True, **more))

    wide, narrow = (((16 * K, 4 * K), -2.0, 2.0),), (((64 * K, K), -2.0, 2.0),)
    add("softmax", wide[0][0], wide, n, 5 * n, memory_bound=True)
    add("layer_norm", wide[0][0], wide + flat(4 * K, 2), n, 7 * n, memory_bound=True)
    add("row_sums", narrow[0][0], narrow, 64 * K, n, memory_bound=True)
    add("column_sums", wide[0][0], wide, 4 * K, n, memory_bound=True)
    add("row_argmax", narrow[0][0], narrow, 64 * K, n, memory_bound=True, astray=0.01)
    add("gelu", (n,), flat(n, low=-3.0, high=3.0), n, 9 * n, memory_bound=True)
    market = ((50, 150), (50, 150), (0.1, 2.1), (0.01, 0.05), (0.1, 0.4))
    add("black_scholes", (16 * M,), tuple(((16 * M,), *bounds) for bounds in market), 32 * M, 65 * 16 * M)
    square = (((4 * K, 4 * K), -1.0, 1.0),) * 2
    add("product", (4 * K,), square, 16 * M, 2 * (4 * K) ** 3)
    one = (((512 * K,), -1.0, 1.0), ((512 * K,), -1.0, 1.0), ((512 * K,), -0.1, 0.1), ((512 * K,), 0.0, 0.1))
    add("adam", (512 * K,), one * 50, 150 * 512 * K, 50 * 13 * 512 * K)
    return rows


# Rows of the common list that follow those; the others come after them.
TELLING = ("axpy 64M", "chain 64Mx10", "mse 64M", "axpy 64K", "softmax 256x64K", "softmax 512Kx32", "mlp ", "kmeans ")


def chosen(pattern="", quick=False, device="cpu"):
    rows = make()
    if device == "cuda":
        def rank(w):
            return next((i for i, start in enumerate(TELLING) if w.key.startswith(start)), len(TELLING))
        rows = gpu_rows() + sorted(rows, key=rank)
    return [w for w in rows if re.search(pattern, w.key) and (w.quick or not quick)]
