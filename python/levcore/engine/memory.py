"""Memory of large results: what one gives back, the next one takes.

The system hands out memory page by page and cleared, which costs as much as the evaluation that fills it. The
memory of the last large result that nobody holds any more is therefore kept, one block of up to
`MOST_KEPT` bytes a process.
"""

from collections import deque
from typing import Any

import numpy as np

from levcore.book.arrays import Floats

__all__ = ["MOST_KEPT", "results_memory"]

CACHE_LINE = 8
"""Float64 values a cache line."""
LARGE_OUTPUT = 1 << 20
"""Float64 values from which on the kernel writes past the cache (``rust/levcore/src/job/outputs.rs``)."""
MOST_KEPT = 256 << 20
"""Bytes of memory that are kept at most; what is larger goes back to the system."""

# Appending and popping are atomic, so that a result may be dropped by any thread at any time.
_kept: deque[Floats] = deque(maxlen=1)


class _Lease:
    """The owner of a result's memory for NumPy: it lives as long as any view of the result does."""

    __slots__ = ("__array_interface__", "_memory")

    def __init__(self, memory: Floats) -> None:
        self._memory = memory
        self.__array_interface__: dict[str, Any] = memory.__array_interface__

    def __del__(self, kept: "deque[Floats]" = _kept) -> None:
        if self._memory.nbytes <= MOST_KEPT:
            kept.append(self._memory)


def results_memory(rows: int, width: int) -> Floats:
    """Uninitialised results, shape (rows, width), from a cache line on, as the fastest stores need it."""
    values = rows * width
    if values < LARGE_OUTPUT:
        return np.empty((rows, width))
    # One that is much larger would be held for little.
    memory = _kept_memory(values + CACHE_LINE, 2 * values)
    lent = np.asarray(_Lease(np.empty(values + CACHE_LINE) if memory is None else memory))
    skipped = -(lent.ctypes.data // lent.itemsize) % CACHE_LINE
    return lent[skipped : skipped + values].reshape(rows, width)


def _kept_memory(least: int, most: int) -> Floats | None:
    """The memory that is kept, if it has so many values; what does not fit goes back to the system."""
    try:
        memory = _kept.pop()
    except IndexError:
        return None
    return memory if least <= memory.size <= most else None
