"""Why Kiln is slower than the best peer where it is: a pattern of the workload's name, and the reason.
The tables quote it where a row needs it; the first pattern that matches counts."""

import re

REASONS = (
    (r"^(axpy|chain) 1(x|$)", "one element: recording, finding the plan and starting the kernel, which "
                              "compiled loops do not have"),
    (r"^(axpy|mse|chain) 64K", "a kernel of ten microseconds, beside which recording, finding the plan and "
                               "starting it take two to six"),
    (r"^chain 16Mx64", "Numba's fastmath folds the chain, which has one input, to a single product; "
                       "Kiln keeps the rounding of every operation"),
    (r"^(distances|knn)", "the peer uses |a|^2 + |b|^2 - 2ab and a matrix product; Kiln computes "
                                 "the differences as they are written, which loses no digits"),
    (r"^nbody", "Numba's fastmath reorders the arithmetic"),
    (r"^(logistic|mlp)", "bound by products of the BLAS library, the same as NumPy's; within their spread"),
    (r"^layer_norm 512Kx32", "rows of 32: fastmath sums a row in any order (so does g++ -ffast-math); Kiln "
                             "keeps the one order that all its devices share"),
    (r"^blur 512", "two kernels of a tenth of a millisecond; PyTorch's loops are a tenth faster, why was not "
                   "looked into"),
    (r"^mse 64M", "sums to a scalar run at 0.85 to 0.93 of the read bandwidth; why was not looked into"),
    (r"^kmeans", "a third of a millisecond; PyTorch's loops were ahead in the last runs, why was not looked into"),
    (r"^(heat|axpy \d+M|chain (1M|64M|16Mx1$))", "within the spread of this machine: another run "
                                                              "had Kiln ahead"),
)


def of(name):
    return next((text for pattern, text in REASONS if re.search(pattern, name)), "reason not known")
