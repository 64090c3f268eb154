"""Numba: parallel loops, as one writes them for it."""

import math

import numba
import numpy as np
from numba import njit, prange

jit = njit(parallel=True, fastmath=True, error_model="numpy")
F = np.float32


def about():
    return (f"Numba {numba.__version__}, parallel, fastmath, {numba.get_num_threads()} threads, "
            "float32")


@jit
def axpy(x, y):
    out = np.empty_like(x)
    for i in prange(x.size):
        out[i] = F(2.5) * x[i] + y[i]
    return out


def chain(count):
    @jit
    def run(x):
        out = np.empty_like(x)
        for i in prange(x.size):
            z = x[i]
            for k in range(count // 2):
                z = z * F(0.9375) + x[i]
            if count % 2:
                z = z * F(0.9375)
            out[i] = z
        return out
    return run


@jit
def transcendental(x):
    out = np.empty_like(x)
    for i in prange(x.size):
        out[i] = math.tanh(math.exp(math.sin(x[i])) - math.log(F(1) + x[i] * x[i]) * math.cos(x[i]))
    return out


@njit(fastmath=True, error_model="numpy")
def cdf(x):
    k = F(1) / (F(1) + F(0.2316419) * abs(x))
    poly = k * (F(0.319381530) + k * (F(-0.356563782) + k * (
        F(1.781477937) + k * (F(-1.821255978) + k * F(1.330274429)))))
    tail = F(0.3989422804) * math.exp(F(-0.5) * x * x) * poly
    return F(1) - tail if x >= F(0) else tail


@jit
def black_scholes(spot, strike, years, rate, sigma):
    call, put_ = np.empty_like(spot), np.empty_like(spot)
    for i in prange(spot.size):
        root = sigma[i] * math.sqrt(years[i])
        d1 = (math.log(spot[i] / strike[i])
              + (rate[i] + F(0.5) * sigma[i] * sigma[i]) * years[i]) / root
        d2 = d1 - root
        discounted = strike[i] * math.exp(-rate[i] * years[i])
        call[i] = spot[i] * cdf(d1) - discounted * cdf(d2)
        put_[i] = discounted * cdf(-d2) - spot[i] * cdf(-d1)
    return call, put_


@jit
def mse(x, y):
    block = 1 << 14  # a float32 sum of more elements loses digits
    total = 0.0
    for b in prange((x.size + block - 1) // block):
        part = F(0)
        for i in range(b * block, min((b + 1) * block, x.size)):
            part += (x[i] - y[i]) * (x[i] - y[i])
        total += part
    return F(total / x.size)


@jit
def softmax(x):
    out = np.empty_like(x)
    for r in prange(x.shape[0]):
        top = x[r, 0]
        for c in range(x.shape[1]):
            top = max(top, x[r, c])
        total = F(0)
        for c in range(x.shape[1]):
            e = math.exp(x[r, c] - top)
            out[r, c] = e
            total += e
        scale = F(1) / total
        for c in range(x.shape[1]):
            out[r, c] *= scale
    return out


@jit
def layer_norm(x, gain, shift):
    out = np.empty_like(x)
    n = F(x.shape[1])
    for r in prange(x.shape[0]):
        total = F(0)
        for c in range(x.shape[1]):
            total += x[r, c]
        mean = total / n
        squares = F(0)
        for c in range(x.shape[1]):
            squares += (x[r, c] - mean) * (x[r, c] - mean)
        scale = F(1) / math.sqrt(squares / n + F(1e-5))
        for c in range(x.shape[1]):
            out[r, c] = (x[r, c] - mean) * scale * gain[c] + shift[c]
    return out


@jit
def logsumexp(x):
    out = np.empty(x.shape[0], x.dtype)
    for r in prange(x.shape[0]):
        top = x[r, 0]
        for c in range(x.shape[1]):
            top = max(top, x[r, c])
        total = F(0)
        for c in range(x.shape[1]):
            total += math.exp(x[r, c] - top)
        out[r] = math.log(total) + top
    return out


@jit
def distances(a, b):
    out = np.empty((a.shape[0], b.shape[0]), a.dtype)
    for i in prange(a.shape[0]):
        for j in range(b.shape[0]):
            total = F(0)
            for k in range(a.shape[1]):
                total += (a[i, k] - b[j, k]) * (a[i, k] - b[j, k])
            out[i, j] = total
    return out


@jit
def add_transposed(x):
    n, tile = x.shape[0], 64
    out = np.empty_like(x)
    for block in prange((n + tile - 1) // tile):
        for first in range(0, n, tile):
            for i in range(block * tile, min(n, (block + 1) * tile)):
                for j in range(first, min(n, first + tile)):
                    out[i, j] = x[i, j] + x[j, i]
    return out


@jit
def heat(u):
    out = np.empty((u.shape[0] - 2, u.shape[1] - 2), u.dtype)
    for r in prange(out.shape[0]):
        for c in range(out.shape[1]):
            m = u[r + 1, c + 1]
            out[r, c] = m + F(0.1) * (u[r + 1, c] + u[r + 1, c + 2] + u[r, c + 1]
                                      + u[r + 2, c + 1] - F(4) * m)
    return out


@jit
def nbody(x, y, z, mass):
    fx, fy, fz = np.empty_like(x), np.empty_like(x), np.empty_like(x)
    for i in prange(x.size):
        ax, ay, az = F(0), F(0), F(0)
        for j in range(x.size):
            dx, dy, dz = x[j] - x[i], y[j] - y[i], z[j] - z[i]
            square = dx * dx + dy * dy + dz * dz + F(0.01)
            pull = mass[j] / (square * math.sqrt(square))
            ax += pull * dx
            ay += pull * dy
            az += pull * dz
        fx[i], fy[i], fz[i] = ax, ay, az
    return fx, fy, fz


OWN = {f.__name__: f for f in (axpy, transcendental, black_scholes, mse, softmax, layer_norm,
                               logsumexp, distances, add_transposed, heat, nbody)}


def program(name, dims):
    return chain(dims[1]) if name == "chain" else OWN.get(name)
