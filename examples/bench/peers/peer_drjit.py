"""Dr.Jit's LLVM backend: elementwise programs and their reductions to one value."""

import functools
import types

import drjit as dr
import numpy as np
from drjit.llvm import Float

import programs

dr.set_thread_count(len(__import__("os").sched_getaffinity(0)))

XP = types.SimpleNamespace(
    abs=dr.abs, exp=dr.exp, sqrt=dr.sqrt, log=dr.log, sin=dr.sin, cos=dr.cos, tanh=dr.tanh, square=dr.square,
    where=dr.select, mean=dr.mean)
HAS = ("axpy", "chain", "transcendental", "black_scholes", "mse", "adam")


def about():
    return f"Dr.Jit {dr.__version__}, LLVM, {dr.thread_count()} threads"


def program(name, dims):
    return functools.partial(programs.PROGRAMS[name], XP, dims) if name in HAS else None


def put(array):
    return Float(array)


def wait(result):
    dr.eval(result)
    dr.sync_thread()


def get(value):
    return np.array(value)


def drop():
    dr.flush_malloc_cache()
