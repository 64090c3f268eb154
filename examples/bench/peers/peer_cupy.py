"""CuPy, as its users write it; products of matrices are cuBLAS's."""

import functools

import cupy as cp

import programs


def about():
    name = cp.cuda.runtime.getDeviceProperties(0)["name"].decode()
    return f"CuPy {cp.__version__}, {name}"


def program(name, dims):
    function = programs.PROGRAMS.get(name)
    return function and functools.partial(function, cp, dims)


def put(array):
    return cp.asarray(array)


def wait(result):
    cp.cuda.Device().synchronize()


def get(value):
    return cp.asnumpy(value)


def drop():
    cp.get_default_memory_pool().free_all_blocks()
