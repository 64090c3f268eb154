"""JAX: the array programs under jit; its own functions where it has them."""

import functools
import os

import jax
import jax.numpy as jnp
import numpy as np

import programs

if os.environ["BENCH_DEVICE"] == "cuda":
    # Products of float32 in float32, as the others compute them; as it is, JAX takes shorter floats there.
    jax.config.update("jax_default_matmul_precision", "float32")


def about():
    return f"JAX {jax.__version__}, jit, {jax.devices()[0].device_kind}, {len(os.sched_getaffinity(0))} cores"


OWN = {
    "softmax": lambda xp, dims, x: jax.nn.softmax(x, axis=-1),
    "logsumexp": lambda xp, dims, x: jax.nn.logsumexp(x, axis=-1),
}


def program(name, dims):
    function = OWN.get(name, programs.PROGRAMS.get(name))
    return function and jax.jit(functools.partial(function, jnp, dims))


def put(array):
    return jax.device_put(array)


def wait(result):
    jax.block_until_ready(result)


def get(value):
    return np.asarray(value)
