"""Arrays printed by Kiln and by NumPy, for differential.py: the texts must be equal."""

import os

import numpy as np


def printed_arrays(random):
    """Arrays of every shape that prints in its own way, then floats whose digits are hard to get right."""
    shapes = ((), (1,), (5,), (3, 4), (2, 3, 2), (0, 3), (40,), (1100,), (30, 40), (2, 0), (0,), (2, 0, 3))
    for shape in shapes:
        normal = random.standard_normal(shape)
        yield from (normal, normal.astype("float32"), normal * 10.0 ** random.integers(-12, 12), normal.round(2),
                    (normal * 1000).astype("int16"), (np.abs(normal) * 2**40).astype("uint64"), normal > 0,
                    np.where(normal > 1, np.nan, np.where(normal < -1, -np.inf, normal)))
    for dtype in ("float16", "float32", "float64"):
        size = np.dtype(dtype).itemsize
        for n in [0, 1, 2, 3, 7] * 40:  # 0: no axis
            yield np.frombuffer(random.bytes(max(n, 1) * size), dtype).reshape((n,) if n else ())
            scale = 10.0 ** random.integers(-7, 9)
            yield (random.standard_normal((n,) if n else ()) * scale).astype(dtype)
            yield random.integers(-2**26, 2**26, (n,) if n else ()).astype(dtype)
            yield (random.integers(-999, 999, (n,) if n else ()) / 10.0 ** random.integers(0, 7)).astype(dtype)


def at_the_bound(array):
    """Whether the least number is 1e-4 in the array's type, from which on there are no exponents: NumPy 1 compares
    in float64, where it may be less; Kiln does as NumPy 2."""
    if array.dtype.kind != "f":
        return False
    sizes = np.abs(array[np.isfinite(array) & (array != 0)])
    return sizes.size > 0 and sizes.min() == array.dtype.type(1e-4)


def misprints(calculator, folder, seed):
    """Arrays that print otherwise than NumPy's do."""
    found = []
    version = tuple(map(int, np.__version__.split(".")[:2]))
    if version >= (2, 3):
        np.set_printoptions(legacy="2.2")  # later ones give narrow floats exponents sooner
    for array in printed_arrays(np.random.default_rng(seed)):
        if version < (2, 0) and at_the_bound(np.asarray(array)):
            continue
        path = os.path.join(folder, "text.npy")
        np.save(path, array)
        calculator.ask([f"load x {path}", "text x"])
        lines = []
        while (line := calculator.line()) != "<end>":
            lines.append(line)
        if "\n".join(lines) != str(np.asarray(array)):
            found.append(f"{array.dtype}\n" + "\n".join(lines) + "\nNumPy:\n" + str(array))
    return found
