"""NumPy, as its users write it."""

import functools

import numpy as np

import programs


def about():
    return f"NumPy {np.__version__}, its own BLAS; elementwise on one thread, as it is"


def program(name, dims):
    function = programs.PROGRAMS.get(name)
    return function and functools.partial(function, np, dims)
