"""Memory of large results, which the next one takes from the last one that nobody holds any more.

``rust/levcore-py/src/kept_memory.rs`` is the one pool of a process, for columns of frames, too.
"""

import numpy as np

from levcore._levcore import ResultMemory
from levcore.book.arrays import Floats

__all__ = ["CACHE_LINE", "LARGE_OUTPUT", "results_memory"]

CACHE_LINE = 8
"""Float64 values a cache line."""
LARGE_OUTPUT = 1 << 20
"""Float64 values from which on the kernel writes past the cache (``rust/levcore/src/job/outputs.rs``)."""


def results_memory(rows: int, width: int) -> Floats:
    """Uninitialised results, shape (rows, width), from a cache line on, as the fastest stores need it."""
    values = rows * width
    if values < LARGE_OUTPUT:
        return np.empty((rows, width))
    lent = np.asarray(ResultMemory(values + CACHE_LINE))
    skipped = -(lent.ctypes.data // lent.itemsize) % CACHE_LINE
    return lent[skipped : skipped + values].reshape(rows, width)
