"""numexpr: what is one expression of arrays of one shape, and reductions over such."""

import numexpr as ne
import numpy as np


def about():
    return f"numexpr {ne.__version__}, {ne.nthreads} threads, VML {'on' if ne.use_vml else 'off'}"


def chain(dims):
    text = "x"
    for k in range(dims[1]):
        text = f"({text} + x)" if k % 2 else f"({text} * c)"
    values = {"c": np.float32(0.9375)}

    def run(x):
        values["x"] = x
        return ne.evaluate(text, values)

    return run


def black_scholes(spot, strike, years, rate, sigma):
    """float32 all through: constants are arrays of one element."""
    values = dict(s=spot, k=strike, t=years, r=rate, v=sigma)
    values.update({f"c{i}": np.float32(c) for i, c in enumerate(
        (0.2316419, 0.319381530, -0.356563782, 1.781477937, -1.821255978, 1.330274429,
         0.3989422804, 0.5, 1.0))})
    values["d1"] = ne.evaluate("(log(s/k) + (r + c7*v*v)*t) / (v*sqrt(t))", values)
    values["d2"] = ne.evaluate("d1 - v*sqrt(t)", values)

    def cdf(d):
        w = f"(c8/(c8 + c0*abs({d})))"
        poly = f"{w}*(c1 + {w}*(c2 + {w}*(c3 + {w}*(c4 + {w}*c5))))"
        values["tail"] = ne.evaluate(f"c6*exp(-c7*{d}*{d})*{poly}", values)
        return ne.evaluate(f"where({d}>=0, c8-tail, tail)", values)

    values["n1"], values["n2"] = cdf("d1"), cdf("d2")
    return (ne.evaluate("s*n1 - k*exp(-r*t)*n2", values),
            ne.evaluate("k*exp(-r*t)*(c8-n2) - s*(c8-n1)", values))


def transcendental(x):
    return ne.evaluate("tanh(exp(sin(x)) - log(1 + x*x)*cos(x))")


def axpy(x, y, a=np.float32(2.5)):
    return ne.evaluate("a*x + y")


def mse(x, y):
    return ne.evaluate("sum((x - y)**2)") / np.float32(x.size)


def heat(u, c=np.float32(0.1)):
    m, w, e, n, s = u[1:-1, 1:-1], u[1:-1, :-2], u[1:-1, 2:], u[:-2, 1:-1], u[2:, 1:-1]
    return ne.evaluate("m + c*(w + e + n + s - 4*m)")


def program(name, dims):
    if name == "chain":
        return chain(dims) if dims[1] <= 10 else None
    return {"axpy": axpy, "transcendental": transcendental, "black_scholes": black_scholes,
            "mse": mse, "heat": heat}.get(name)
