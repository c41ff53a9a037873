"""Books made of a book: the arguments that build it again, with other columns, with some of its positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.book.labels import MODES

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook

__all__ = ["arguments_of", "replaced", "some_positions"]

WITHOUT_ROWS = {
    "accounts",
    "wallet_balance",
    "wallet_currency",
    "position_mode",
    "balances",
    "columns",
    "marks",
}
"""Arguments that are no columns of positions."""
NUMBERS = ("quantity", "entry_price", "isolated_margin", "leverage", "accrued_funding", "risk_limit")


def arguments_of(book: PositionBook) -> dict[str, Any]:
    """Arguments that build a book again."""
    return {
        "instrument": book.instrument_codes,
        "instrument_names": book.instrument_names,
        **{name: getattr(book, name) for name in NUMBERS},
        "account": _account_labels(book),
        "margin_mode": np.where(book.is_cross, MODES[1], MODES[0]),
        "policy": book.policy_codes,
        "policy_names": None if book.policy_codes is None else book.policy_names,
        **_wallet_arguments(book),
        "position_mode": book.position_mode,
        "balances": book.balances,
        "columns": book.columns,
        "marks": book.marks,
    }


def replaced(book: PositionBook, columns: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a book with other columns; see `levcore.PositionBook.replace`."""
    kept = arguments_of(book)
    for given, owned in (
        ("instrument", ("instrument_names",)),
        ("policy", ("policy_names",)),
        ("wallet_balance", ("accounts", "wallet_currency")),
    ):
        if given in columns:
            for name in owned:
                del kept[name]
    if not columns.keys() <= WITHOUT_ROWS:
        kept["columns"] = None
    return kept | columns


def some_positions(
    book: PositionBook, rows: npt.NDArray[np.integer], *, with_balances: bool = True
) -> PositionBook:
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
    owners = _account_labels(book)
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


def _wallet_arguments(book: PositionBook) -> dict[str, Any]:
    """Accounts with their wallets; those that come by their positions alone have one that is missing."""
    named = book.named_wallets
    if named is None:
        return {
            "accounts": book.account_ids,
            "wallet_balance": book.wallet_balance,
            "wallet_currency": None,
        }
    others = np.setdiff1d(np.arange(len(book.account_ids)), named.account)
    codes = np.concatenate((named.account, others)).tolist()
    return {
        "accounts": [book.account_ids[code] for code in codes],
        "wallet_balance": np.concatenate((named.balance, np.full(others.size, np.nan))),
        "wallet_currency": [*named.currency, *[""] * others.size],
    }


def _account_labels(book: PositionBook) -> list[Any] | npt.NDArray[Any] | None:
    """Account of each row, also of a book that was given as one account."""
    if book.account is not None or book.account_codes is None:
        return (
            book.account
            if book.account is None or isinstance(book.account, np.ndarray)
            else list(book.account)
        )
    return [book.account_ids[0]] * len(book)
