"""Why Kiln is slower than the best peer where it is. The tables quote this; they decide where it is needed."""

import re

REASONS = (
    (r" 1(x10)?$", "one element: the cost of recording, finding the plan and starting the kernel, "
                   "which compiled loops do not have"),
)


def of(name):
    return next((text for pattern, text in REASONS if re.search(pattern, name)), "not known")
