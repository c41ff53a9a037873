"""Some rows of a book, and a book of which some has been closed."""

import numpy as np

from levcore.book.arrays import Floats
from levcore.book.positions import PositionBook
from levcore.closing.money import Wholes

__all__ = ["part_of", "with_open"]


def part_of(book: PositionBook, rows: Wholes) -> PositionBook:
    """Rows of a book with one policy and without balances, and all of its wallets."""

    def some(column: Floats | None) -> Floats | None:
        return None if column is None else column[rows]

    labels = None
    if book.account_codes is not None:
        labels = [book.account_of(int(row)) for row in rows]
    return PositionBook(
        book.instrument_codes[rows],
        book.quantity[rows],
        book.entry_price[rows],
        account=labels,
        margin_mode=np.where(book.is_cross[rows], "cross", "isolated"),
        isolated_margin=some(book.isolated_margin),
        leverage=some(book.leverage),
        accrued_funding=some(book.accrued_funding),
        risk_limit=some(book.risk_limit),
        accounts=book.account_ids,
        wallet_balance=book.wallet_balance,
        instrument_names=book.instrument_names,
        position_mode=book.position_mode,
    )


def with_open(book: PositionBook, quantity: Floats, margin: Floats, wallet: Floats) -> PositionBook:
    """Book of what is still open, with the margins and wallets that its closes have left."""
    own = np.where(book.is_cross, np.nan, margin)
    return book.replace(
        quantity=quantity, isolated_margin=own, wallet_balance=wallet, accounts=book.account_ids
    )
