"""A book of positions: columns checked once, grouped once, evaluated many times."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from levcore import _levcore
from levcore.columns import (
    Codes,
    Floats,
    factorize,
    flat_array,
    float_column,
    integer_codes,
    label_sequence,
    refuse_masked,
)
from levcore.errors import DTypeError, InputError, ShapeError

__all__ = ["NO_ACCOUNT", "PositionBook"]

NO_ACCOUNT = np.uint32(0xFFFF_FFFF)
"""Account code of isolated rows."""
MODES = ("isolated", "cross")


class PositionBook:
    """Positions, one a row, and the wallets of cross accounts.

    Parameters
    ----------
    instrument : sequence of str, shape (n,), or of int with `instrument_names`
        Instrument of each position by its name in the policy, or as a code into `instrument_names`. A name
        that the policy does not know fails its rows, not the call.
    quantity : array_like, shape (n,)
        Signed number of contracts (base units where the contract size is 1): positive long, negative short, 0
        flat.
    entry_price : array_like, shape (n,), quote per base
        Average entry price.
    account : sequence of str or int, shape (n,), optional
        Account of each position; needed for cross positions unless the book is one account.
    margin_mode : {"isolated", "cross"} or a sequence of them, shape (n,)
        How each position is margined.
    isolated_margin : array_like, shape (n,), settlement currency, optional
        Margin of isolated positions without unrealized PnL; NaN or absent: the initial margin at entry, from
        `leverage`.
    leverage : array_like, shape (n,), or a number, optional
        Leverage chosen by the trader; NaN or absent: initial margin and return on equity are NaN.
    accrued_funding : array_like, shape (n,), settlement currency, optional
        Funding accrued and not yet settled; positive: received. Absent: none has accrued.
    risk_limit : array_like, shape (n,), optional
        Risk limit chosen by the trader, for tables keyed by it.
    accounts : sequence of str or int, shape (a,), optional
        Account ids that `wallet_balance` belongs to; they come first in the results, in this order.
    wallet_balance : mapping of account to balance, array_like of shape (a,), or a number, optional
        Balance of each cross account in settlement currency, without unrealized PnL. A number: of the one
        account of a book without an `account` column. A cross account without a balance is incomplete.
    instrument_names : sequence of str, optional
        Names that integer codes in `instrument` point to.

    Raises
    ------
    ShapeError, DTypeError
        For columns of wrong length or type.
    InputError
        For unknown margin modes, codes outside of their table, duplicate account ids, cross positions without
        account.

    Notes
    -----
    Contiguous float64 arrays are not copied: the book sees later changes of their values, but not of the sign
    of a decision taken when it was built (instrument, account, margin mode). ``copied`` names the columns
    that were copied.
    """

    __slots__ = (
        "__weakref__",
        "account",
        "account_codes",
        "account_ids",
        "accrued_funding",
        "binding",
        "copied",
        "entry_price",
        "handle",
        "instrument_codes",
        "instrument_names",
        "is_cross",
        "isolated_margin",
        "leverage",
        "quantity",
        "risk_limit",
        "wallet_balance",
    )

    def __init__(
        self,
        instrument: Sequence[str] | npt.NDArray[Any],
        quantity: npt.ArrayLike,
        entry_price: npt.ArrayLike,
        account: Sequence[Any] | npt.NDArray[Any] | None = None,
        margin_mode: str | Sequence[str] | npt.NDArray[Any] = "isolated",
        isolated_margin: npt.ArrayLike | None = None,
        leverage: npt.ArrayLike | None = None,
        accrued_funding: npt.ArrayLike | None = None,
        risk_limit: npt.ArrayLike | None = None,
        *,
        accounts: Sequence[Any] | npt.NDArray[Any] | None = None,
        wallet_balance: Mapping[Any, float] | npt.ArrayLike | None = None,
        instrument_names: Sequence[str] | None = None,
    ) -> None:
        copied: list[str] = []
        self.quantity: Floats = float_column("quantity", quantity, None, copied)
        rows = self.quantity.size
        self.entry_price: Floats = float_column("entry_price", entry_price, rows, copied)

        def optional(name: str, values: npt.ArrayLike | None) -> Floats | None:
            return None if values is None else float_column(name, values, rows, copied)

        self.isolated_margin: Floats | None = optional("isolated_margin", isolated_margin)
        self.leverage: Floats | None = optional("leverage", leverage)
        self.accrued_funding: Floats | None = optional("accrued_funding", accrued_funding)
        self.risk_limit: Floats | None = optional("risk_limit", risk_limit)
        self.instrument_codes: Codes
        self.instrument_names: tuple[str, ...]
        self.instrument_codes, self.instrument_names = _instruments(instrument, instrument_names, rows)
        self.is_cross: npt.NDArray[np.bool_] = _modes(margin_mode, rows)
        if account is not None:
            account = label_sequence("account", account)
        self.account: Sequence[Any] | npt.NDArray[Any] | None = account
        self.account_codes: Codes | None
        self.account_ids: list[Any]
        self.wallet_balance: Floats
        self.account_codes, self.account_ids, self.wallet_balance = _accounts(
            account, self.is_cross, accounts, wallet_balance, copied
        )
        self.copied: tuple[str, ...] = tuple(copied)
        self.binding: tuple[object, npt.NDArray[np.int64]] | None = None
        self.handle = self._lay_out()

    def _lay_out(self) -> "_levcore.Book":
        has_accounts = bool(self.account_ids)
        codes = self.account_codes
        if has_accounts and codes is None:
            codes = np.full(len(self), NO_ACCOUNT, dtype=np.uint32)
        return _levcore.Book(
            self.instrument_codes,
            len(self.instrument_names),
            self.quantity,
            self.entry_price,
            self.isolated_margin,
            self.leverage,
            self.accrued_funding,
            self.risk_limit,
            self.is_cross if has_accounts else None,
            codes,
            self.wallet_balance,
        )

    def __len__(self) -> int:
        """Number of positions."""
        return self.quantity.size

    def __repr__(self) -> str:
        """Sizes of the book."""
        return (
            f"PositionBook({len(self):,} positions, {len(self.instrument_names):,} instruments, "
            f"{len(self.account_ids):,} cross accounts)"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the columns; the order of evaluation is found again."""
        arguments = {
            "instrument": self.instrument_codes,
            "instrument_names": self.instrument_names,
            "quantity": self.quantity,
            "entry_price": self.entry_price,
            "account": self._account_labels(),
            "margin_mode": np.where(self.is_cross, MODES[1], MODES[0]),
            "isolated_margin": self.isolated_margin,
            "leverage": self.leverage,
            "accrued_funding": self.accrued_funding,
            "risk_limit": self.risk_limit,
            "accounts": self.account_ids,
            "wallet_balance": self.wallet_balance,
        }
        return _rebuild, (arguments,)

    def _account_labels(self) -> list[Any] | npt.NDArray[Any] | None:
        """Account of each row, also of a book that was given as one account."""
        if self.account is not None or self.account_codes is None:
            return (
                self.account
                if self.account is None or isinstance(self.account, np.ndarray)
                else list(self.account)
            )
        return [self.account_ids[0]] * len(self)

    @property
    def keeps_accounts_together(self) -> bool:
        """Whether the rows already stand in the order in which they are evaluated fastest."""
        return self.handle.keeps_accounts_together

    def row_order(self) -> npt.NDArray[np.uint32]:
        """Row order in which the same book is evaluated fastest, shape (n,): take every column in it."""
        return self.handle.row_order()

    def name_of(self, row: int) -> str:
        """Instrument of a row."""
        return self.instrument_names[int(self.instrument_codes[row])]

    def account_of(self, row: int) -> Any:
        """Account of a row as it was given; None if there is none."""
        if self.account is not None:
            return self.account[row]
        return self.account_ids[0] if self.account_codes is not None and self.is_cross[row] else None


def _rebuild(arguments: dict[str, Any]) -> PositionBook:
    return PositionBook(**arguments)


def _instruments(
    instrument: Sequence[str] | npt.NDArray[Any], names: Sequence[str] | None, rows: int
) -> tuple[Codes, tuple[str, ...]]:
    if names is None:
        codes, labels = factorize("instrument", instrument)
        odd = next((label for label in labels if not isinstance(label, str)), None)
        if odd is not None:
            raise DTypeError(
                "instrument", "must hold names, or codes with instrument_names", "str", repr(odd)
            )
    else:
        labels = list(label_sequence("instrument_names", names))
        odd = next((place for place, label in enumerate(labels) if not isinstance(label, str)), None)
        if odd is not None:
            raise DTypeError("instrument_names", "must hold names", "str", repr(labels[odd]), odd)
        refuse_masked("instrument", instrument)
        array = flat_array("instrument", instrument)
        if array.dtype.kind not in "iu":
            raise DTypeError(
                "instrument", "must hold codes of instrument_names", "integers", str(array.dtype)
            )
        if len(set(labels)) != len(labels):
            raise InputError("instrument_names", "must not repeat a name")
        codes = integer_codes("instrument", array, len(labels))
    if codes.size != rows:
        raise ShapeError("instrument", "must have one value a row", str(rows), str(codes.size))
    return codes, tuple(labels)


def _modes(margin_mode: str | Sequence[str] | npt.NDArray[Any], rows: int) -> npt.NDArray[np.bool_]:
    if isinstance(margin_mode, str):
        if margin_mode not in MODES:
            raise InputError("margin_mode", "must be a margin mode", "isolated or cross", repr(margin_mode))
        return np.full(rows, margin_mode == "cross")
    refuse_masked("margin_mode", margin_mode)
    modes = flat_array("margin_mode", margin_mode)
    if modes.ndim != 1 or modes.size != rows:
        raise ShapeError("margin_mode", "must have one value a row", str(rows), str(modes.shape))
    cross = np.asarray(modes == "cross", dtype=np.bool_)
    bad = ~(cross | np.asarray(modes == "isolated", dtype=np.bool_))
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            "margin_mode", "must be a margin mode", "isolated or cross", repr(modes[row]), row, int(bad.sum())
        )
    return cross


def _accounts(
    account: Sequence[Any] | npt.NDArray[Any] | None,
    is_cross: npt.NDArray[np.bool_],
    accounts: Sequence[Any] | npt.NDArray[Any] | None,
    wallet_balance: Mapping[Any, float] | npt.ArrayLike | None,
    copied: list[str],
) -> tuple[Codes | None, list[Any], Floats]:
    """Account code of each row, ids by code, wallet by code (NaN: not given)."""
    ids, wallets = _wallets(account, accounts, wallet_balance, copied)
    if account is not None and len(account) != is_cross.size:
        raise ShapeError("account", "must have one value a row", str(is_cross.size), str(len(account)))
    if not is_cross.any():
        return None, ids, wallets
    if account is None:
        if len(ids) != 1:
            raise InputError(
                "account",
                "is needed for cross positions, unless wallet_balance is the one number of a single account",
                "one account a row",
                "none",
                int(np.argmax(is_cross)),
                int(is_cross.sum()),
            )
        return np.where(is_cross, np.uint32(0), NO_ACCOUNT), ids, wallets
    every_code, labels = factorize("account", account)
    _refuse_missing_accounts(every_code, labels, is_cross)
    return _join_accounts(every_code, labels, is_cross, ids, wallets)


def _refuse_missing_accounts(codes: Codes, labels: list[Any], is_cross: npt.NDArray[np.bool_]) -> None:
    if "" not in labels:
        return
    missing = (codes == labels.index("")) & is_cross
    if missing.any():
        row = int(np.argmax(missing))
        raise InputError(
            "account", "is needed for cross positions", "an account", "none", row, int(missing.sum())
        )


def _wallets(
    account: Sequence[Any] | npt.NDArray[Any] | None,
    accounts: Sequence[Any] | npt.NDArray[Any] | None,
    wallet_balance: Mapping[Any, float] | npt.ArrayLike | None,
    copied: list[str],
) -> tuple[list[Any], Floats]:
    if wallet_balance is None:
        if accounts is not None:
            raise InputError("wallet_balance", "is needed with accounts", "one balance an account", "none")
        return [], np.empty(0)
    values: npt.ArrayLike
    if isinstance(wallet_balance, Mapping):
        if accounts is not None:
            raise InputError("accounts", "must not be given beside a mapping of balances")
        accounts, values = list(wallet_balance), list(wallet_balance.values())
    elif np.ndim(wallet_balance) == 0 and accounts is None:
        if account is not None:
            raise InputError("wallet_balance", "must be a mapping, or come with accounts", "", "one number")
        accounts, values = [0], np.atleast_1d(wallet_balance)
    elif accounts is None:
        raise InputError("accounts", "is needed to know whose balances these are", "one id a balance", "none")
    else:
        values = wallet_balance
    codes, labels = factorize("accounts", accounts)
    wallets = float_column("wallet_balance", values, codes.size, copied)
    if len(labels) != codes.size:
        repeated = np.flatnonzero(np.bincount(codes) > 1)
        row = int(np.flatnonzero(codes == repeated[0])[1])
        raise InputError("accounts", "must not repeat an id", "each id once", repr(labels[repeated[0]]), row)
    return labels, wallets


def _join_accounts(
    codes: Codes, labels: list[Any], is_cross: npt.NDArray[np.bool_], ids: list[Any], wallets: Floats
) -> tuple[Codes, list[Any], Floats]:
    """Translate codes of the account column into codes of the accounts, those with a wallet first."""
    has_cross = np.zeros(len(labels), dtype=np.bool_)
    has_cross[codes[is_cross]] = True
    place = {label: code for code, label in enumerate(ids)}
    translation = np.full(len(labels), NO_ACCOUNT, dtype=np.uint32)
    joined = list(ids)
    for code, label in enumerate(labels):
        known = place.get(label)
        if known is not None:
            translation[code] = known
        elif has_cross[code]:
            translation[code] = len(joined)
            joined.append(label)
    balances = np.concatenate((wallets, np.full(len(joined) - len(ids), np.nan)))
    balances.flags.writeable = False
    row_codes = translation[codes]
    row_codes[~is_cross] = NO_ACCOUNT
    return row_codes, joined, balances
