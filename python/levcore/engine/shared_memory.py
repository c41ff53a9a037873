"""Results that are written over must not lie where the inputs of the call lie."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from levcore.errors import AliasError

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.engine.risk import BookRisk

__all__ = ["refuse_shared_memory"]

COLUMNS = (
    "quantity",
    "entry_price",
    "isolated_margin",
    "leverage",
    "accrued_funding",
    "risk_limit",
    "wallet_balance",
    "instrument_codes",
)


def refuse_shared_memory(out: "BookRisk", book: "PositionBook", prices: Iterable[Any]) -> None:
    """Compare addresses, not owners: a view through Arrow or a buffer has another owner and the same memory.

    Raises
    ------
    AliasError
        Naming the column whose memory the call would overwrite.
    """
    written = [_span(buffer) for part in (out, out.accounts, out.balances) for buffer in part.buffers]
    read = [(name, getattr(book, name)) for name in COLUMNS]
    if book.balances is not None:
        columns = (book.balances.balance, book.balances.liability, book.balances.interest)
        read += zip(("balances.balance", "balances.liability", "balances.interest"), columns, strict=True)
    read += [("marks", each) for each in prices]
    for name, column in read:
        if column is None or not column.size:
            continue
        start, end = _span(column)
        if any(start < other_end and other_start < end for other_start, other_end in written):
            raise AliasError("out", f"shares memory with {name}", "memory of its own", "the same memory")


def _span(array: "np.ndarray[Any, Any]") -> tuple[int, int]:
    """First address and the one past the last; of the contiguous arrays that books and results hold."""
    start = int(array.__array_interface__["data"][0])
    return start, start + array.nbytes
