"""Random programs computed by Kiln and by NumPy: shapes, dtypes and values must be equal.

    differential.py <calculator> [--programs N] [--seed N] [--show]

Whole numbers and truths are compared exactly, floats within a tolerance: sums have another order.
Inputs are files in either order and borrowed memory with any strides, NaN where no element lies;
some values are evaluated at once, and each program has a mode. What is left out, and why:
tests/property/README.md.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import warnings

try:
    import numpy as np
except ImportError:
    if "KILN_SKIP_LOG" in os.environ:
        with open(os.environ["KILN_SKIP_LOG"], "a") as log:
            log.write("numpy (programs compared with NumPy's): NumPy is not installed\n")
    sys.exit(77)

from printing import misprints

FLOATS = ("float32", "float64")
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
LARGEST = 4000  # elements of a value
EXTENTS, CHANCES = (0, 1, 2, 3, 4, 5, 7, 17, 33), (.03, .22, .15, .2, .15, .1, .07, .05, .03)

OF_FLOATS = ("add subtract multiply divide maximum minimum equal less greater_equal floor_divide "
             "remainder").split()
OF_INTEGERS = ("add subtract multiply divide maximum minimum equal less greater less_equal bitwise_and "
               "bitwise_or bitwise_xor floor_divide remainder").split()
OF_TRUTHS = "equal not_equal logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor".split()
FLOAT_FUNCTIONS = ("negative abs sign square floor ceil trunc round isnan isinf isfinite sqrt exp sin cos "
                   "tanh").split()
# These round; what jumps where its input changes by little is not asked of what they gave.
ROUNDING = "divide sqrt exp sin cos tanh sum prod mean var std softmax matmul vecdot outer".split()
JUMPING = ("divide equal less greater_equal floor_divide remainder sign floor ceil trunc round isnan isinf isfinite "
           "sqrt any all count_nonzero argmax argmin astype").split()
NUMPY_NAMES = {"round": "rint", "bitwise_invert": "invert"}
MOVES = ("reshape permute_dims expand_dims squeeze broadcast_to flip roll pad concat stack where clip astype "
         "repeat tile tril triu softmax vecdot outer " + "matmul " * 5).split()


def function(name):
    return getattr(np, NUMPY_NAMES.get(name, name))


def text(numbers):
    """An axis, some, or None for all, as a word."""
    if numbers is None:
        return "all"
    return ",".join(map(str, numbers)) if isinstance(numbers, (tuple, list)) else str(numbers)


def elements(*shapes):
    """Those of the shapes broadcast together; too many where they cannot be."""
    try:
        return int(np.prod(np.broadcast_shapes(*shapes)))
    except ValueError:
        return LARGEST + 1


class Program:
    """A random program: the lines for the calculator, and every value as NumPy has it."""

    def __init__(self, seed, folder):
        self.random = np.random.default_rng(seed)
        self.folder, self.lines, self.values, self.computed = folder, ["clear"], {}, []
        self.rounded = set()
        mode, flush = self.one_of("lazy lazy lazy eager check".split()), self.one_of([1024, 1024, 5])
        self.lines.append(f"scope {mode} {flush} {int(self.chance(.8))}")
        for _ in range(int(self.random.integers(4, 16))):
            self.step()

    def chance(self, p):
        return self.random.random() < p

    def one_of(self, things):
        return things[self.random.integers(len(things))]

    def between(self, low, high):
        return int(self.random.integers(low, high + 1))

    def data(self, shape, dtype):
        n = int(np.prod(shape))
        if dtype == "bool":
            return self.random.integers(0, 2, n).astype(bool).reshape(shape)
        if dtype in FLOATS:
            x = (self.random.integers(-8, 9, n) * 0.25).astype(dtype)
            if n and self.chance(0.15):
                x[self.random.integers(n)] = self.one_of([np.nan, np.inf, -np.inf, -0.0])
            return x.reshape(shape)
        low = 0 if dtype in UNSIGNED else -9
        return self.random.integers(low, 12, n).astype(dtype).reshape(shape)

    def axes(self, rank, most=2):
        if rank == 0 or self.chance(0.3):
            return None
        chosen = self.random.permutation(rank)[:self.between(1, min(rank, most))]
        return tuple(int(a) - (rank if self.chance(0.4) else 0) for a in chosen)

    def indices(self, shape):
        """As NumPy takes them, and as words; four at most."""
        taken, words = [], []
        for extent in shape[:self.between(1, 3)]:
            if len(words) < 3 and self.chance(0.12):
                taken.append(None)
                words.append("new")
            if extent and self.chance(0.25):
                taken.append(self.between(-extent, extent - 1))
                words.append(str(taken[-1]))
                continue
            begin, end = (None if self.chance(0.4) else self.between(-extent - 2, extent + 2) for _ in "be")
            step = None if self.chance(0.4) else self.one_of((1, 2, 3, 5, -1, -2, -3))
            taken.append(slice(begin, end, step))
            words.append(":".join("" if v is None else str(v) for v in (begin, end, step)))
        if not words or (len(words) < 4 and self.chance(0.1)):
            taken.append(Ellipsis)
            words.append("...")
        return tuple(taken[:4]), words[:4]

    def load(self, array):
        path = os.path.join(self.folder, (name := f"v{len(self.values)}") + ".npy")
        verb, layout = "load", ""
        if array.ndim and self.chance(0.3):
            verb, (array, layout) = "borrow", self.borrowed(array, path)
        else:
            np.save(path, np.array(array, order="F") if self.chance(0.2) else array)
        self.lines.append(f"{verb} {name} {path} {layout}")
        self.values[name] = array
        return name

    def borrowed(self, array, path):
        """The array in memory with strides, where what is repeated is one, and the words for it."""
        strides, step, low, high = [0] * array.ndim, self.one_of([1, 1, 2, 3]), 0, 0
        for axis in self.random.permutation(array.ndim):
            repeated = self.chance(0.1)
            strides[axis] = 0 if repeated else -step if self.chance(0.15) else step
            reach = strides[axis] * max(array.shape[axis] - 1, 0)
            low, high = low + min(reach, 0), high + max(reach, 0)
            step = step if repeated else step * max(array.shape[axis], 1) + self.one_of([0, 0, 1, 2])
        margin = self.between(0, 5)
        outside = {"f": np.nan, "b": self.chance(0.5)}.get(array.dtype.kind, 0x5A)
        memory = np.full(high - low + 1 + 2 * margin, outside, array.dtype)
        steps = [s * array.itemsize for s in strides]
        within = np.lib.stride_tricks.as_strided(memory[margin - low:], array.shape, steps)
        within[...] = array
        np.save(path, memory)
        return within.copy(), f"{margin - low} {text(array.shape)} {text(strides)}"

    def compute(self, operation, result, *words):
        rounded = any(isinstance(w, str) and w in self.rounded for w in words)
        if rounded and operation in JUMPING:
            return
        name = f"v{len(self.values)}"
        if rounded or (operation in ROUNDING and np.asarray(result).dtype.kind == "f"):
            self.rounded.add(name)
        self.lines.append(f"op {name} {operation} " + " ".join(text(w) for w in words))
        self.values[name] = np.asarray(result)
        self.computed.append(name)
        self.lines += [f"eval {name}"] * self.chance(0.25)

    def beside(self, name):
        """Another value of this dtype whose shape broadcasts with this one's."""
        x = self.values[name]
        found = [n for n, v in self.values.items()
                 if n != name and v.dtype == x.dtype and elements(v.shape, x.shape) <= LARGEST]
        if found and self.chance(0.6):
            return self.one_of(found)
        shape = [1 if self.chance(0.3) else e for e in x.shape]
        return self.load(self.data(shape[self.between(0, len(shape)):] if self.chance(0.4) else shape,
                                   str(x.dtype)))

    def step(self):
        if len(self.values) < 2 or self.chance(0.08):
            shape = [int(self.random.choice(EXTENTS, p=CHANCES)) for _ in range(self.between(0, 3))]
            self.load(self.data(shape, self.one_of(FLOATS * 3 + SIGNED + UNSIGNED + ("bool",))))
            return
        name = self.one_of(list(self.values))
        kind = self.random.choice(["pair", "single", "reduce", "index", "assign", "move"],
                                  p=[.22, .1, .2, .16, .06, .26])
        getattr(self, kind)(name, self.values[name], str(self.values[name].dtype))

    def pair(self, a, x, dtype):
        b = self.beside(a)
        y = self.values[b]
        table = OF_FLOATS if dtype in FLOATS else OF_TRUTHS if dtype == "bool" else OF_INTEGERS
        operation = self.one_of(table)
        if operation in ("floor_divide", "remainder") and dtype not in FLOATS and (y == 0).any():
            return  # by zero: 0 for Kiln, undefined for NumPy
        self.compute(operation, function(operation)(x, y), a, b)

    def single(self, a, x, dtype):
        table = (FLOAT_FUNCTIONS if dtype in FLOATS else ["logical_not"] if dtype == "bool" else
                 ["square", "bitwise_invert", "negative"] + ["abs", "sign"] * (dtype in SIGNED))
        operation = self.one_of(table)
        self.compute(operation, function(operation)(x), a)

    def reduce(self, a, x, dtype):
        over, keep = self.axes(x.ndim), self.chance(0.5)
        table = ["any", "all", "count_nonzero"]
        if dtype != "bool":
            table += ["sum", "prod", "max", "min", "argmax", "argmin"]
        if dtype in FLOATS:
            table += ["mean", "var", "std"]
        operation = self.one_of(table)
        reduced = x.size if over is None else int(np.prod([x.shape[i] for i in over]))
        if reduced == 0 and operation in ("max", "min", "argmax", "argmin"):
            return  # an error of both
        if operation.startswith("arg"):
            if np.isnan(x).any():
                return
            over = over[0] if over is not None else None
        wide = x.astype("float64") if operation in ("var", "std") else x
        result = np.asarray(function(operation)(wide, axis=over, keepdims=keep))
        if operation in ("var", "std"):
            result = result.astype(dtype)
        self.compute(operation, result, a, over, int(keep))

    def index(self, a, x, dtype):
        taken, words = self.indices(x.shape)
        self.compute("index", x[taken], a, *words)

    def assign(self, a, x, dtype):
        taken, words = self.indices(x.shape)
        if None in [t for t in taken if not isinstance(t, slice)]:
            return
        part = [1 if self.chance(0.3) else e for e in x[taken].shape]
        b, result = self.load(self.data(part, dtype)), x.copy()
        if dtype == "bool" or self.chance(0.5):
            result[taken] = self.values[b]
            self.compute("assign", result, a, b, *words)
        else:
            result[taken] += self.values[b]
            self.compute("add_at", result, a, b, *words)

    def move(self, a, x, dtype):
        operation = self.one_of(MOVES)
        getattr(self, "move_" + operation)(a, x, dtype)

    def move_reshape(self, a, x, dtype):
        if x.size == 0:
            return
        parts = [d for d in range(1, x.size + 1) if x.size % d == 0]
        first = self.one_of(parts)
        second = self.one_of([d for d in parts if (x.size // first) % d == 0])
        shape = [first, second, x.size // first // second]
        said = list(shape)
        if self.chance(0.4):
            said[self.between(0, 2)] = -1
        self.compute("reshape", x.reshape(shape), a, said)

    def move_permute_dims(self, a, x, dtype):
        if x.ndim:
            order = [int(i) for i in self.random.permutation(x.ndim)]
            self.compute("permute_dims", x.transpose(order), a, order)

    def move_expand_dims(self, a, x, dtype):
        if x.ndim < 4:
            axis = self.between(-x.ndim - 1, x.ndim)
            self.compute("expand_dims", np.expand_dims(x, axis), a, axis)

    def move_squeeze(self, a, x, dtype):
        ones = [k for k, extent in enumerate(x.shape) if extent == 1]
        if ones:
            axis = None if self.chance(0.5) else self.one_of(ones)
            self.compute("squeeze", np.squeeze(x, axis), a, axis)

    def move_broadcast_to(self, a, x, dtype):
        if 0 < x.ndim < 4 and x.size < 200:
            shape = [self.between(1, 4) if e == 1 else e for e in x.shape]
            shape = [self.between(1, 3)] * self.chance(0.5) + shape
            self.compute("broadcast_to", np.broadcast_to(x, shape), a, shape)

    def move_flip(self, a, x, dtype):
        over = self.axes(x.ndim)
        self.compute("flip", np.flip(x, over), a, over)

    def move_roll(self, a, x, dtype):
        over, by = self.axes(x.ndim, 1), self.between(-9, 9)
        self.compute("roll", np.roll(x, by, over), a, by, over)

    def move_pad(self, a, x, dtype):
        margins = [(self.between(0, 3), self.between(0, 3)) for _ in x.shape]
        if margins and elements([e + sum(m) for e, m in zip(x.shape, margins)]) <= LARGEST:
            b = self.load(self.data((), dtype))
            self.compute("pad", np.pad(x, margins, constant_values=self.values[b]), a,
                         [n for m in margins for n in m], b)

    def join(self, operation, join, a, axis):
        names = [a]
        for _ in range(self.between(1, 2)):
            shape = list(self.values[a].shape)
            if operation == "concat" and self.chance(0.6):
                shape[axis] = self.between(0, 4)
            names.append(self.load(self.data(shape, str(self.values[a].dtype))))
        self.compute(operation, join([self.values[n] for n in names], axis), axis, *names)

    def move_concat(self, a, x, dtype):
        if x.ndim and x.size < 1500:
            self.join("concat", np.concatenate, a, self.between(-x.ndim, x.ndim - 1))

    def move_stack(self, a, x, dtype):
        if x.ndim < 4 and x.size < 1500:
            self.join("stack", np.stack, a, self.between(-x.ndim - 1, x.ndim))

    def move_where(self, a, x, dtype):
        b = self.beside(a)
        shape = np.broadcast_shapes(x.shape, self.values[b].shape)
        truths = [n for n, v in self.values.items()
                  if v.dtype == bool and elements(v.shape, shape) <= LARGEST]
        c = self.one_of(truths) if truths else self.load(self.data(shape, "bool"))
        self.compute("where", np.where(self.values[c], x, self.values[b]), c, a, b)

    def move_clip(self, a, x, dtype):
        low, high = np.sort(np.nan_to_num(self.data((2,), dtype))) if dtype != "bool" else (0, 0)
        if dtype != "bool":
            low, high = self.load(np.asarray(low)), self.load(np.asarray(high))
            self.compute("clip", np.clip(x, self.values[low], self.values[high]), a, low, high)

    def move_astype(self, a, x, dtype):
        to = self.one_of(FLOATS + SIGNED + UNSIGNED + ("bool",))
        # Beyond the integer's range the result is Kiln's own.
        if dtype in FLOATS and to not in FLOATS + ("bool",):
            low = 0 if to in UNSIGNED else -100
            if not (np.isfinite(x).all() and (x >= low).all() and (x <= 100).all()):
                return
        self.compute("astype", x.astype(to), a, to)

    def move_repeat(self, a, x, dtype):
        if x.ndim and x.size < 500:
            axis, times = self.between(-x.ndim, x.ndim - 1), self.between(0, 3)
            self.compute("repeat", np.repeat(x, times, axis), a, times, axis)

    def move_tile(self, a, x, dtype):
        times = [self.between(0, 2) for _ in range(self.between(1, x.ndim + 1))]
        if 0 < x.ndim < 4 and x.size < 300:
            self.compute("tile", np.tile(x, times), a, times)

    def triangle(self, operation, a, x):
        if x.ndim >= 2:
            diagonal = self.between(-3, 3)
            self.compute(operation, function(operation)(x, diagonal), a, diagonal)

    def move_tril(self, a, x, dtype):
        self.triangle("tril", a, x)

    def move_triu(self, a, x, dtype):
        self.triangle("triu", a, x)

    def move_softmax(self, a, x, dtype):
        if dtype in FLOATS and x.ndim and x.size and np.isfinite(x).all():
            axis = self.between(-x.ndim, x.ndim - 1)
            e = np.exp(x.astype("float64") - x.max(axis, keepdims=True))
            self.compute("softmax", (e / e.sum(axis, keepdims=True)).astype(dtype), a, axis)

    def multipliable(self, x):
        """Sums of products of what is large depend on their order."""
        return x.ndim and x.dtype != bool and (x.dtype.kind != "f" or (np.abs(x) <= 30).all())

    def move_matmul(self, a, x, dtype):
        if not self.multipliable(x):
            return
        fits = []
        for name, y in self.values.items():
            for left, right in ((a, name), (name, a)):
                p, q = self.values[left], self.values[right]
                if (self.multipliable(y) and y.dtype == x.dtype and p.shape[-1] == q.shape[max(q.ndim - 2, 0)]
                        and elements(p.shape[:-2], q.shape[:-2]) <= 50):
                    fits.append((left, right))
        if fits and self.chance(0.6):
            left, right = self.one_of(fits)
        else:
            batch = [1 if self.chance(0.3) else e for e in x.shape[:-2]] or [3] * self.chance(0.3)
            batch = batch[self.between(0, len(batch)):]
            after = self.chance(0.5)
            if after:
                shape = batch + [x.shape[-1], self.between(0, 4)]
                shape = shape[-2:-1] if self.chance(0.2) else shape
            else:
                shape = batch + [self.between(0, 4), x.shape[max(x.ndim - 2, 0)]]
            b = self.load(np.nan_to_num(self.data(shape, dtype), posinf=1, neginf=1))
            left, right = (a, b) if after else (b, a)
        result = self.values[left] @ self.values[right]
        if result.size <= LARGEST:
            self.compute("matmul", result, left, right)

    def move_vecdot(self, a, x, dtype):
        if x.ndim and dtype != "bool":
            axis = self.between(-x.ndim, x.ndim - 1)
            shape = [1 if self.chance(0.3) and k != axis % x.ndim else e for k, e in enumerate(x.shape)]
            same = [n for n, y in self.values.items() if y.shape == x.shape and y.dtype == x.dtype]
            b = self.one_of(same) if self.chance(0.5) else self.load(self.data(shape, dtype))
            self.compute("vecdot", np.add.reduce(x * self.values[b], axis, dtype), a, b, axis)

    def move_outer(self, a, x, dtype):
        if x.ndim == 1 and dtype != "bool":
            others = [n for n, y in self.values.items() if y.ndim == 1 and y.dtype == x.dtype]
            b = self.one_of(others) if self.chance(0.5) else self.load(self.data((self.between(0, 9),), dtype))
            if x.size * self.values[b].size <= LARGEST:
                self.compute("outer", np.multiply.outer(x, self.values[b]), a, b)


def difference(got, expected):
    """What is wrong with a value, or nothing."""
    if got.shape != expected.shape:
        return f"shape {got.shape} instead of {expected.shape}"
    if got.dtype != expected.dtype and not (got.dtype.kind == expected.dtype.kind == "f"):
        return f"dtype {got.dtype} instead of {expected.dtype}"
    if got.dtype.kind != "f":
        return "" if (got == expected).all() else "other values"
    got, expected, narrow = got.astype("float64"), expected.astype("float64"), got.dtype == np.float32
    finite = np.isfinite(expected)
    if not np.array_equal(got[~finite], expected[~finite], equal_nan=True):
        return "other infinities or NaNs"
    scale = max(1.0, np.abs(expected[finite]).max(initial=0))
    near = np.abs(got[finite] - expected[finite]) <= (2e-4 if narrow else 1e-6) * scale
    return "" if near.all() else "other values"


class Calculator:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, lines):
        self.process.stdin.write("".join(line + "\n" for line in lines))
        self.process.stdin.flush()

    def line(self):
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"the calculator ended with {self.process.wait()}")
        return answer.rstrip("\n")


def fault(calculator, program):
    """The first thing that is wrong with a program, or nothing. Its values are asked for in any order."""
    asked = [str(n) for n in program.random.permutation(program.computed)[:5]]
    paths = {name: os.path.join(program.folder, "of_" + name + ".npy") for name in asked}
    calculator.ask(program.lines + [f"save {n} {paths[n]}" for n in asked])
    found, answers = "", 0
    while answers < len(asked):
        answer = calculator.line()
        answers += answer == "saved" or answer.startswith("error save")
        found = found or (answer if answer.startswith("error") else "")
    for name in asked:
        wrong = "" if found else difference(np.load(paths[name]), program.values[name])
        found = found or (wrong and f"{name}: {wrong}")
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("calculator")
    parser.add_argument("--programs", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1, help="of the first program; each run has the same")
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    warnings.filterwarnings("ignore")
    calculator, wrong = Calculator(given.calculator), 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.seed, given.seed + given.programs):
            program = Program(number, folder)
            found = fault(calculator, program) if program.computed else ""
            if found or given.show:
                print(f"--seed {number} --programs 1: {found or 'agrees'}\n  " + "\n  ".join(program.lines))
            wrong += bool(found)
        texts = misprints(calculator, folder, given.seed)
    print("\n\n".join(texts[:5]))
    print(f"{wrong} of {given.programs} programs and {len(texts)} texts differ from NumPy {np.__version__}")
    return 1 if wrong or texts else 0


if __name__ == "__main__":
    sys.exit(main())
