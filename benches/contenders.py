"""Who takes part, with which variants, and up to which size."""

from __future__ import annotations

from dataclasses import dataclass

ONE, TWO = "1 thread", "2 threads"
ORDERS = ("sorted", "random")
SIMPLE = tuple(f"{mode} {order}" for mode in ("isolated", "cross") for order in ORDERS)
POOLED = tuple(f"{mode} {order}" for mode in ("hedge", "assets") for order in ORDERS)
MIXED = tuple(f"mixed {order}" for order in ORDERS)
SIZES_OF_MODE = dict.fromkeys(("hedge", "assets", "mixed"), (10_000, 1_000_000))
"""Rows of the smallest and the largest book of a mode; of the others as many as asked for."""


@dataclass(frozen=True)
class Entry:
    """A contender: each gets its own process.

    Parameters
    ----------
    title : str
        Name in the tables.
    place : str
        ``module:class``; the class takes a workload and a margin mode.
    variants : tuple of str
        Their first character is the number of threads.
    books : tuple of str
        ``"mode order"`` of the books it can evaluate.
    largest : int
        Rows it is asked for at most.
    """

    title: str
    place: str
    variants: tuple[str, ...] = (ONE, TWO)
    books: tuple[str, ...] = SIMPLE
    largest: int = 10_000_000


FLOOR = Entry(
    "copy floor",
    "copy_floor:CopyFloor",
    ("1 thread by row", "1 thread by block", "1 numpy.copyto", "2 threads by row", "2 threads by block"),
)
LEVCORE = Entry("levcore", "contender_levcore:Reused")
RIVALS = (
    Entry("levcore, fresh outputs", "contender_levcore:Fresh", books=(*SIMPLE, *POOLED, *MIXED)),
    Entry("levcore, three measures", "contender_levcore:Fewer", largest=1_000_000),
    Entry(
        "levcore, rows in row_order()",
        "contender_levcore:Reordered",
        books=("isolated random", "cross sorted", "cross random"),
    ),
    Entry("numba", "opponents_numba:Numba"),
    Entry("numba, pairs and collateral", "opponents_numba_accounts:NumbaAccounts", books=POOLED),
    Entry("numba, block by instrument", "opponents_numba_sorted:NumbaSorted", books=("isolated sorted",)),
    Entry("numpy", "opponents_numpy:Numpy"),
    Entry("polars", "opponents_polars:Polars", (TWO,)),
    Entry("DuckDB", "opponents_duckdb:DuckDB", (TWO,)),
    Entry("pure-Python reference", "contender_levcore:Reference", (ONE,), (*SIMPLE, *POOLED), 10_000),
)
