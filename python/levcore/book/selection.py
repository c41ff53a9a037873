"""Some positions of a book, as a book of their own."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.book.labels import MODES

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook

__all__ = ["some_positions"]

NUMBERS = ("quantity", "entry_price", "isolated_margin", "leverage", "accrued_funding", "risk_limit")


def some_positions(
    book: "PositionBook", rows: npt.NDArray[np.integer], *, with_balances: bool = True
) -> "PositionBook":
    """Book of these rows, with every account and wallet of the whole one, its instruments and policies.

    Parameters
    ----------
    book : PositionBook
    rows : ndarray of int, shape (r,)
    with_balances : bool
        Whether accounts keep what they hold in several assets; without it they have no wallet.
    """
    numbers = {name: getattr(book, name) for name in NUMBERS}
    columns: dict[str, Any] = {name: None if each is None else each[rows] for name, each in numbers.items()}
    if book.policy_codes is not None:
        columns |= {"policy": book.policy_codes[rows], "policy_names": book.policy_names}
    owners = book.account_labels()
    if owners is not None:
        columns["account"] = owners[rows] if isinstance(owners, np.ndarray) else [owners[row] for row in rows]
    if not with_balances:
        columns["balances"] = None
    return book.replace(
        instrument=book.instrument_codes[rows],
        instrument_names=book.instrument_names,
        margin_mode=np.where(book.is_cross[rows], MODES[1], MODES[0]),
        **columns,
    )
