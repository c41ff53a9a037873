"""Memory of large results: what one gives back, the next one takes.

The system hands out memory page by page and cleared, which costs as much as the evaluation that fills it. The
memory of the last large result that nobody holds any more is therefore kept, one block of up to `MOST_KEPT`
bytes a process, and another one for the frame of a result.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from levcore.book.arrays import Floats

__all__ = ["CACHE_LINE", "MOST_KEPT", "frame_memory", "padded", "results_memory"]

CACHE_LINE = 8
"""Float64 values a cache line."""
FLOAT_BYTES = 8
LARGE_OUTPUT = 1 << 20
"""Float64 values from which on the kernel writes past the cache (``rust/levcore/src/job/outputs.rs``)."""
MOST_KEPT = 256 << 20
"""Bytes that a block has at most which is kept; what is larger goes back to the system."""

# Appending and popping are atomic, so that a result may be dropped by any thread at any time.
Kept: TypeAlias = "deque[Floats]"
_kept: Kept = deque(maxlen=1)
_kept_of_frames: Kept = deque(maxlen=1)


class _Lease:
    """The owner of a result's memory for NumPy: it lives as long as any view of the result does."""

    __slots__ = ("__array_interface__", "_kept", "_memory")

    def __init__(self, memory: Floats, kept: Kept) -> None:
        self._memory, self._kept = memory, kept
        self.__array_interface__: dict[str, Any] = memory.__array_interface__

    def __del__(self) -> None:
        if self._memory.nbytes <= MOST_KEPT:
            self._kept.append(self._memory)


def padded(values: int) -> int:
    """Length of a row of results: whole cache lines, no power of two, whose rows would evict each other."""
    lines = -(-values // CACHE_LINE)
    return CACHE_LINE * (lines + (1 if lines % CACHE_LINE == 0 else 0))


def frame_memory(columns: int, rows: int) -> Sequence[Floats | None]:
    """Uninitialised columns of a frame, which gives them back; None each where new memory is as good.

    Of a large frame nothing is kept, and Arrow gives back what it no longer holds at the next call only.
    """
    width = padded(rows)
    if columns * width < LARGE_OUTPUT or columns * width * FLOAT_BYTES > MOST_KEPT:
        return [None] * columns
    return list(results_memory(columns, width, _kept_of_frames)[:, :rows])


def results_memory(rows: int, width: int, kept: Kept = _kept) -> Floats:
    """Uninitialised results, shape (rows, width), from a cache line on, as the fastest stores need it."""
    values = rows * width
    if values < LARGE_OUTPUT:
        return np.empty((rows, width))
    # One that is much larger would be held for little.
    memory = _kept_memory(kept, values + CACHE_LINE, 2 * values)
    lent = np.asarray(_Lease(np.empty(values + CACHE_LINE) if memory is None else memory, kept))
    skipped = -(lent.ctypes.data // lent.itemsize) % CACHE_LINE
    return lent[skipped : skipped + values].reshape(rows, width)


def _kept_memory(kept: Kept, least: int, most: int) -> Floats | None:
    """The memory that is kept, if it has so many values; what does not fit goes back to the system."""
    try:
        memory = kept.pop()
    except IndexError:
        return None
    return memory if least <= memory.size <= most else None
