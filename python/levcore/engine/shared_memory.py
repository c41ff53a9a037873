"""Results that are written over must not lie where the inputs of the call lie."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from levcore.errors import AliasError

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.engine.risk import BookRisk

__all__ = ["book_columns", "refuse_overlap", "refuse_shared_memory"]

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


def refuse_shared_memory(out: "BookRisk", book: "PositionBook") -> None:
    """Compare addresses, not owners: a view through Arrow or a buffer has another owner and the same memory.

    The prices of a call are looked at by the core.

    Raises
    ------
    AliasError
        Naming the column whose memory the call would overwrite.
    """
    if out.book is book:
        # Its columns were looked at when the result took its numbers.
        return
    parts = (out, out.accounts, out.balances) if len(out.accounts) else (out,)
    written = [buffer for part in parts for buffer in part.buffers]
    if out.wallet_columns.is_split:
        written += out.wallet_buffers
    refuse_overlap(written, book_columns(book))


def book_columns(book: "PositionBook") -> list[tuple[str, Any]]:
    """Columns of a book that the core borrows, by name; None where the book has none."""
    columns = [(name, getattr(book, name)) for name in COLUMNS]
    if book.balances is not None:
        own = (book.balances.balance, book.balances.liability, book.balances.interest)
        columns += zip(("balances.balance", "balances.liability", "balances.interest"), own, strict=True)
    return columns


def refuse_overlap(written: Iterable[Any], read: Iterable[tuple[str, Any]]) -> None:
    """Compare what a call writes with what it reads, by the bounds of both, whoever owns them.

    Raises
    ------
    AliasError
        Naming the column whose memory the call would overwrite.
    """
    buffers = list(written)
    for name, column in read:
        if column is None:
            continue
        for buffer in buffers:
            if np.may_share_memory(column, buffer):
                raise AliasError("out", f"shares memory with {name}", "memory of its own", "the same memory")
