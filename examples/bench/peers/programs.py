"""The workloads over the namespace of an array library that follows NumPy (`xp`)."""


def normal_cdf(xp, x):
    k = 1 / (1 + 0.2316419 * xp.abs(x))
    poly = k * (0.319381530 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))))
    tail = 0.3989422804 * xp.exp(-0.5 * x * x) * poly
    return xp.where(x >= 0, 1 - tail, tail)


def axpy(xp, dims, x, y):
    return 2.5 * x + y


def chain(xp, dims, x):
    z = x
    for k in range(dims[1]):
        z = z + x if k % 2 else z * 0.9375
    return z


def transcendental(xp, dims, x):
    return xp.tanh(xp.exp(xp.sin(x)) - xp.log(1 + x * x) * xp.cos(x))


def black_scholes(xp, dims, spot, strike, years, rate, sigma):
    root = sigma * xp.sqrt(years)
    d1 = (xp.log(spot / strike) + (rate + 0.5 * sigma * sigma) * years) / root
    d2 = d1 - root
    discounted = strike * xp.exp(-rate * years)
    return (spot * normal_cdf(xp, d1) - discounted * normal_cdf(xp, d2),
            discounted * normal_cdf(xp, -d2) - spot * normal_cdf(xp, -d1))


def mse(xp, dims, x, y):
    return xp.mean(xp.square(x - y))


def softmax(xp, dims, x):
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


def layer_norm(xp, dims, x, gain, shift):
    centred = x - xp.mean(x, axis=-1, keepdims=True)
    return centred / xp.sqrt(xp.mean(centred * centred, axis=-1, keepdims=True) + 1e-5) * gain + shift


def logsumexp(xp, dims, x):
    top = xp.max(x, axis=-1, keepdims=True)
    return xp.log(xp.sum(xp.exp(x - top), axis=-1)) + top[:, 0]


def standardise(xp, dims, x):
    return (x - xp.mean(x, axis=0)) / xp.std(x, axis=0)


def distances(xp, dims, a, b):
    return xp.sum(a * a, axis=1)[:, None] - 2 * (a @ b.T) + xp.sum(b * b, axis=1)


def add_transposed(xp, dims, x):
    return x + x.T


def heat(xp, dims, u):
    centre = u[1:-1, 1:-1]
    return centre + 0.1 * (u[1:-1, :-2] + u[1:-1, 2:] + u[:-2, 1:-1] + u[2:, 1:-1] - 4 * centre)


def spread(u):
    return (0.2 * (u[1:-1, :-2] + u[1:-1, 2:] + u[:-2, 1:-1] + u[2:, 1:-1])
            + 0.05 * (u[:-2, :-2] + u[:-2, 2:] + u[2:, :-2] + u[2:, 2:]) - u[1:-1, 1:-1])


def gray_scott(xp, dims, a, b):
    u, v = a[1:-1, 1:-1], b[1:-1, 1:-1]
    reaction = u * v * v
    return (u + 0.16 * spread(a) - reaction + 0.035 * (1 - u),
            v + 0.08 * spread(b) + reaction - 0.1 * v)


WEIGHTS = (0.030078, 0.104983, 0.222251, 0.285376, 0.222251, 0.104983, 0.030078)


def blur(xp, dims, x):
    height, width = x.shape[0] - 6, x.shape[1] - 6
    across = sum(x[:, k:width + k] * w for k, w in enumerate(WEIGHTS))
    return sum(across[k:height + k] * w for k, w in enumerate(WEIGHTS))


def kmeans(xp, dims, points, centres):
    nearest = xp.argmin(distances(xp, dims, points, centres), axis=1)
    member = (nearest[:, None] == xp.arange(dims[2])).astype(points.dtype)
    return (member.T @ points) / xp.maximum(xp.sum(member, axis=0), 1)[:, None]


def knn(xp, dims, a, b):
    return xp.argmin(distances(xp, dims, a, b), axis=1)


def nbody(xp, dims, x, y, z, mass):
    dx, dy, dz = (c[None, :] - c[:, None] for c in (x, y, z))
    square = dx * dx + dy * dy + dz * dz + 0.01
    pull = mass / (square * xp.sqrt(square))
    return tuple(xp.sum(pull * d, axis=1) for d in (dx, dy, dz))


def adam(xp, dims, *tensors):
    out = []
    for k in range(0, len(tensors), 4):
        weight, slope, first, second = tensors[k:k + 4]
        m = 0.9 * first + 0.1 * slope
        v = 0.999 * second + 0.001 * slope * slope
        out += [weight - 0.001 * (m / 0.19) / (xp.sqrt(v / 0.001999) + 1e-8), m, v]
    return tuple(out)


def logistic(xp, dims, x, y, w):
    error = 1 / (1 + xp.exp(-(x @ w))) - y
    return w - 0.1 * ((error @ x) / dims[0])


def mlp(xp, dims, x, w1, b1, w2, b2):
    return softmax(xp, dims, xp.maximum(x @ w1 + b1, 0) @ w2 + b2)


def row_sums(xp, dims, x):
    return xp.sum(x, axis=1)


def column_sums(xp, dims, x):
    return xp.sum(x, axis=0)


def row_argmax(xp, dims, x):
    return xp.argmax(x, axis=1)


def gelu(xp, dims, x):
    return 0.5 * x * (1 + xp.tanh(0.7978845608 * (x + 0.044715 * x * x * x)))


def product(xp, dims, a, b):
    return a @ b


PROGRAMS = {f.__name__: f for f in (
    axpy, chain, transcendental, black_scholes, mse, softmax, layer_norm, logsumexp, standardise,
    distances, add_transposed, heat, gray_scott, blur, kmeans, knn, nbody, adam, logistic, mlp,
    row_sums, column_sums, row_argmax, gelu, product)}
