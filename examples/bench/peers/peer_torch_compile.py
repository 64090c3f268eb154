"""PyTorch's programs under torch.compile."""

import torch

from peer_torch import function_of, get, put  # noqa: F401


def about():
    return f"PyTorch {torch.__version__}, compile (Inductor, g++), CPU, {torch.get_num_threads()} threads"


def program(name, dims):
    torch.compiler.reset()
    function = function_of(name, dims)
    return function and torch.compile(lambda *inputs: function(*inputs), dynamic=False)
