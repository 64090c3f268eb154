"""PyTorch's programs under torch.compile."""

import torch

from peer_torch import function_of, get, place, put, wait  # noqa: F401


def about():
    return f"PyTorch {torch.__version__}, compile (Inductor), {place()}"


def program(name, dims):
    torch.compiler.reset()
    function = function_of(name, dims)
    return function and torch.compile(lambda *inputs: function(*inputs), dynamic=False)
