"""Changes as columns, one change a row, checked once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Codes, Floats, factorize, flat_array, float_column, label_sequence, read_only
from levcore.book.labels import cross_rows
from levcore.changes.status import ChangeKind
from levcore.errors import DTypeError, InputError, ShapeError
from levcore.frozen import Frozen

__all__ = ["NONE", "UNKNOWN", "Changes"]

NONE = 0xFFFF_FFFF
"""Code of what a change does not name."""
UNKNOWN = NONE - 1
"""Code of a name that the book does not know."""
KINDS = {kind.name.lower(): int(kind) for kind in ChangeKind}

Labels = Sequence[Any] | npt.NDArray[Any]


class Changes(Frozen):
    """Changes of a book that have not happened, one a row.

    A change names a position by its row, or as the cross position of an account in an instrument; what it
    leaves out is NaN, an empty name or row -1.

    Parameters
    ----------
    kind : str, or sequence of str, or of `ChangeKind` codes, shape (c,)
        ``"order"`` (opens, adds, reduces, closes or flips, by its sign and size), ``"close"``, ``"flip"``,
        ``"leverage"``, ``"margin"``, ``"wallet"``, ``"collateral"``, ``"transfer"``, ``"tiers"`` or
        ``"none"`` (the position and its account as they are).
    row : int or array_like of int, shape (c,), optional
        Row of the book; ``len(book) + k`` is the position that the sequence of the change opened as its
        k-th, from 0. -1: none.
    account : sequence of str or int, shape (c,), optional
        Account of the position, or whose wallet or balance changes; of a transfer the one it goes to. Of an
        isolated position the account that pays for it; by default its own, where that has a wallet in the
        book.
    instrument : sequence of str, shape (c,), optional
        Needed for an order that opens a position.
    quantity : array_like, shape (c,), contracts, optional
        Of orders: positive buys, negative sells. To close or flip is of the whole position: NaN there.
    price : array_like, shape (c,), quote per base, optional
        Price of the fill. NaN or absent: the mark; of transfers the entry price, so that nothing is realized.
    fee_rate : array_like, shape (c,), or a number, optional
        Fee of the fill as a fraction of its value, negative for a rebate. Absent: 0.
    leverage : array_like, shape (c,), or a number, optional
        New leverage of the position; NaN: as it is.
    amount : array_like, shape (c,), settlement currency, or units of the asset, optional
        Added to margin, wallet or balance; negative: withdrawn. Of an isolated order the margin that comes
        with it; NaN there: what its leverage asks for.
    margin_mode : {"cross", "isolated"} or a sequence of them, shape (c,)
        Of a position that an order opens.
    risk_limit : array_like, shape (c,), optional
        New risk limit of the position; NaN: as it is.
    asset : sequence of str, shape (c,), optional
        Of ``"collateral"``.
    table : int or array_like of int, shape (c,), optional
        Of ``"tiers"``: place in `levcore.what_if`'s `tables`. -1: none.
    policy : sequence of str, shape (c,), optional
        Label of the policy of a position that is opened in an account without positions, in a book of several
        policies.

    Raises
    ------
    ShapeError, DTypeError
        For columns of wrong length or type.
    InputError
        For a kind or margin mode that is none, and a quantity to close or flip.

    Examples
    --------
    >>> import levcore as lc
    >>> changes = lc.Changes(["order", "close"], row=[0, 0], quantity=[0.5, None], price=[61_000.0, None])
    >>> len(changes)
    2
    """

    __slots__ = (
        "account",
        "amount",
        "asset",
        "cross",
        "fee_rate",
        "instrument",
        "kind",
        "leverage",
        "policy",
        "price",
        "quantity",
        "risk_limit",
        "row",
        "table",
    )

    _instead = "build new ones, levcore.Changes(...)"

    kind: npt.NDArray[np.uint8]
    row: Codes
    table: Codes
    quantity: Floats
    price: Floats
    fee_rate: Floats
    leverage: Floats
    amount: Floats
    risk_limit: Floats
    cross: npt.NDArray[np.bool_]
    account: tuple[Codes, list[Any]] | None
    instrument: tuple[Codes, list[Any]] | None
    asset: tuple[Codes, list[Any]] | None
    policy: tuple[Codes, list[Any]] | None

    def __init__(
        self,
        kind: str | Labels,
        *,
        row: int | npt.ArrayLike | None = None,
        account: Labels | None = None,
        instrument: Labels | None = None,
        quantity: npt.ArrayLike | None = None,
        price: npt.ArrayLike | None = None,
        fee_rate: npt.ArrayLike | None = None,
        leverage: npt.ArrayLike | None = None,
        amount: npt.ArrayLike | None = None,
        margin_mode: str | Labels = "cross",
        risk_limit: npt.ArrayLike | None = None,
        asset: Labels | None = None,
        table: int | npt.ArrayLike | None = None,
        policy: Labels | None = None,
    ) -> None:
        given = (kind, row, account, instrument, quantity, price, amount, leverage)
        count = _count(given)

        def numbers(name: str, values: npt.ArrayLike | None, absent: float = np.nan) -> Floats:
            return float_column(name, absent if values is None else values, count, [])

        self._fill(
            kind=read_only(_kinds(kind, count)),
            row=read_only(_places("row", row, count)),
            table=read_only(_places("table", table, count)),
            quantity=numbers("quantity", quantity),
            price=numbers("price", price),
            fee_rate=numbers("fee_rate", fee_rate, 0.0),
            leverage=numbers("leverage", leverage),
            amount=numbers("amount", amount),
            risk_limit=numbers("risk_limit", risk_limit),
            cross=read_only(cross_rows(margin_mode, count)),
            account=_names("account", account, count),
            instrument=_names("instrument", instrument, count),
            asset=_names("asset", asset, count),
            policy=_names("policy", policy, count),
        )
        _refuse_quantity_of_a_whole(self.kind, self.quantity)

    def __len__(self) -> int:
        """Number of changes."""
        return self.kind.size

    def __repr__(self) -> str:
        """Number of changes of each kind."""
        counts = np.bincount(self.kind, minlength=len(ChangeKind)).tolist()
        listed = [
            f"{count:,} {kind.name.lower()}" for kind, count in zip(ChangeKind, counts, strict=True) if count
        ]
        return f"Changes({', '.join(listed)})"


def _count(columns: tuple[Any, ...]) -> int:
    """Length of the first column that has one; a change of single values is one row."""
    for column in columns:
        if column is not None and not isinstance(column, str) and np.ndim(column):
            return len(column)
    return 1


def _kinds(kind: str | Labels, count: int) -> npt.NDArray[np.uint8]:
    if isinstance(kind, str):
        kind = [kind] * count
    array = flat_array("kind", kind)
    if array.ndim != 1 or array.size != count:
        raise ShapeError("kind", "must have one value a change", str(count), str(array.shape))
    expected = ", ".join(KINDS)
    if array.dtype.kind in "iu":
        codes = array
    else:
        found, labels = factorize("kind", kind)
        codes = np.array([KINDS.get(str(label), -1) for label in labels], dtype=np.int64)[found]
    outside = (codes < 0) | (codes >= len(KINDS))
    if outside.any():
        row = int(np.argmax(outside))
        raise InputError(
            "kind", "must be a kind of change", expected, repr(array[row]), row, int(outside.sum())
        )
    return np.ascontiguousarray(codes, dtype=np.uint8)


def _refuse_quantity_of_a_whole(kind: npt.NDArray[np.uint8], quantity: Floats) -> None:
    """Closing and flipping concern all of a position: a part that was named would be closed as the whole."""
    bad = ((kind == ChangeKind.CLOSE) | (kind == ChangeKind.FLIP)) & ~np.isnan(quantity)
    if bad.any():
        row = int(np.argmax(bad))
        rule = f"must be absent of a {ChangeKind(kind[row]).name.lower()}, which is of the whole position"
        expected = "NaN, or an order of the other sign"
        raise InputError("quantity", rule, expected, repr(float(quantity[row])), row, int(bad.sum()))


def _places(name: str, values: int | npt.ArrayLike | None, count: int) -> Codes:
    """Rows or places as codes, `NONE` where there is none."""
    if values is None:
        return np.full(count, NONE, dtype=np.uint32)
    array = np.full(count, values) if np.ndim(values) == 0 else flat_array(name, values)
    if array.dtype.kind not in "iu" and array.size:
        raise DTypeError(name, "must hold whole numbers", "integers, -1 for none", str(array.dtype))
    if array.shape != (count,):
        raise ShapeError(name, "must have one value a change", str(count), str(array.shape))
    # What no book can hold is a row that is not there.
    return np.where(array < 0, NONE, np.minimum(array, UNKNOWN)).astype(np.uint32)


def _names(name: str, values: Labels | None, count: int) -> tuple[Codes, list[Any]] | None:
    if values is None:
        return None
    codes, labels = factorize(name, label_sequence(name, values))
    if codes.size != count:
        raise ShapeError(name, "must have one value a change", str(count), str(codes.size))
    return read_only(codes), labels
