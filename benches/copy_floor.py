"""The floor: a loop that reads what an evaluation must read, writes what it must write, and computes nothing.

Four float64 columns in, eleven float64 columns and two of bytes out: 122 bytes a row. Two loops, row by row
as a fused kernel works and column by column in blocks as a copy routine does, since now one, now the other is
faster; the table takes the better. Both use ordinary stores, as compilers emit them: a line of the output is
first read, then written.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange, set_num_threads

from contender import Outputs, empty_outputs
from workload import MEASURES, Workload

BLOCK = 1024
BYTES_PER_ROW = 4 * 8 + len(MEASURES) * 8 + 2


@njit(parallel=True, cache=True)
def by_row(a, b, c, d, o0, o1, o2, o3, o4, o5, o6, o7, o8, o9, o10, state, status):  # type: ignore[no-untyped-def]
    """Thirteen stores a row."""
    for i in prange(a.size):
        o0[i] = a[i]
        o1[i] = b[i]
        o2[i] = c[i]
        o3[i] = d[i]
        o4[i] = a[i]
        o5[i] = b[i]
        o6[i] = c[i]
        o7[i] = d[i]
        o8[i] = a[i]
        o9[i] = b[i]
        o10[i] = c[i]
        state[i] = 0
        status[i] = 0


@njit(parallel=True, cache=True)
def by_block(a, b, c, d, o0, o1, o2, o3, o4, o5, o6, o7, o8, o9, o10, state, status):  # type: ignore[no-untyped-def]
    """Thirteen copies a block, whose inputs stay in the cache."""
    rows = a.size
    for block in prange((rows + BLOCK - 1) // BLOCK):
        part = slice(block * BLOCK, min(rows, block * BLOCK + BLOCK))
        o0[part] = a[part]
        o1[part] = b[part]
        o2[part] = c[part]
        o3[part] = d[part]
        o4[part] = a[part]
        o5[part] = b[part]
        o6[part] = c[part]
        o7[part] = d[part]
        o8[part] = a[part]
        o9[part] = b[part]
        o10[part] = c[part]
        state[part] = 0
        status[part] = 0


# Below some 10,000 rows starting even one worker thread costs more than the loop.
SMALL = 10_000
row_alone, block_alone = njit(by_row.py_func), njit(by_block.py_func)


class CopyFloor:
    """The columns of a book and outputs of the same size as everybody's."""

    def __init__(self, work: Workload, mode: str) -> None:
        self.columns = work.quantity, work.entry_price, work.isolated_margin, work.leverage
        self.out = empty_outputs(len(work.codes))
        self.status = np.ones(len(work.codes), np.uint8)

    def run(self, variant: str, tick: int) -> None:
        """Copy, on one or two threads; numpy has one and reads its inputs from memory each time."""
        alone = variant.startswith("1") and len(self.status) < SMALL
        results = (*(self.out[name] for name in MEASURES), self.out["state"], self.status)
        set_num_threads(2 if variant.startswith("2") else 1)
        if variant.endswith("by row"):
            (row_alone if alone else by_row)(*self.columns, *results)
        elif variant.endswith("by block"):
            (block_alone if alone else by_block)(*self.columns, *results)
        else:
            for position, result in enumerate(results[:-2]):
                np.copyto(result, self.columns[position % 4])
            self.out["state"].fill(0)
            self.status.fill(0)

    def outputs(self) -> Outputs:
        """The copies, which are nobody's measures."""
        return self.out
