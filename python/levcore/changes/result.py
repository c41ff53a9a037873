"""Results of a what-if: columns of the changes, of the positions changed and of their accounts."""

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats
from levcore.changes.leverage import highest_leverage
from levcore.changes.status import FIRST_REFUSED, ChangeStatus
from levcore.engine.account_risk import AccountRisk
from levcore.engine.columns import CodeColumn, Column, Failure, PositionColumns, ResultColumns
from levcore.errors import InputError
from levcore.frozen import Frozen
from levcore.measures import Measure
from levcore.status import Code, State

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.changes.changes import Changes
    from levcore.changes.names import Names
    from levcore.rules.policy import MarginPolicy

__all__ = ["ChangedAccounts", "ChangedPositions", "Side", "WhatIf"]

Bytes = npt.NDArray[np.uint8]
EFFECTS: tuple[Measure, ...] = (
    Measure("instrument_code", "code", "Of the instrument or replaced table; NaN without a position."),
    Measure("policy_code", "code", "Of the policy of the changed position; NaN without one."),
    Measure("is_cross", "code", "1 for a cross position, 0 for an isolated one; NaN without a position."),
    Measure("quantity", "contracts", "Signed, after the change."),
    Measure("entry_price", "quote per base", "Average entry price after the change."),
    Measure(
        "isolated_margin", "settlement currency", "Of an isolated position; NaN: what its leverage asks for."
    ),
    Measure("leverage", "multiple", "Leverage after the change."),
    Measure("wallet_balance", "settlement currency", "Wallet of the account after the change."),
    Measure("realized_pnl", "settlement currency", "Profit that the fill realizes, before its fee."),
    Measure("fee", "settlement currency", "Fee of the fill."),
    Measure("cash_flow", "settlement currency", "What reaches the wallet of the account."),
)
"""Columns of what a change did, in the order of ``rust/levcore/src/what_if/outputs.rs``."""


class _ByChange(ResultColumns):
    """Columns with one value a change."""

    __slots__ = ()

    def __len__(self) -> int:
        """Number of changes."""
        return int(self._codes.shape[1])

    def _make(self, book: "PositionBook", measures: int, count: int) -> None:
        codes = np.empty((len(self.codes), count), dtype=np.uint8)
        self._fill(book=book, _results=np.empty((measures, count)), _codes=codes)

    def _labels(self) -> dict[str, Any]:
        return {"change": np.arange(len(self))}

    def _failure(self, place: int, status: Code) -> Failure:
        return Failure(place, None, status, "", None)


class ChangedPositions(_ByChange, PositionColumns):
    """Measures of the positions that changes are about, as `levcore.BookRisk` has them.

    The status of a change without a position, or that was refused, is ``NO_POSITION``.
    """

    __slots__ = ("measures",)

    measures: tuple[str, ...]

    def __init__(self, book: "PositionBook", measures: tuple[str, ...], count: int) -> None:
        self._make(book, len(measures), count)
        self._fill(measures=measures)


class ChangedAccounts(_ByChange, AccountRisk):
    """Measures of the accounts that changes are about, as `levcore.AccountRisk` has them.

    The status of a change without an account in the book, or that was refused, is ``NO_ACCOUNT``.
    """

    __slots__ = ()

    def __init__(self, book: "PositionBook", count: int) -> None:
        self._make(book, len(self.table), count)


class Side(Frozen):
    """Positions and their accounts at one time: after the changes, before them, or where a transfer left.

    Attributes
    ----------
    positions : ChangedPositions
    accounts : ChangedAccounts
    """

    __slots__ = ("accounts", "positions")

    _instead = "ask again, levcore.what_if(...)"

    positions: ChangedPositions
    accounts: ChangedAccounts

    def __init__(self, book: "PositionBook", measures: tuple[str, ...], count: int) -> None:
        self._fill(positions=ChangedPositions(book, measures, count), accounts=ChangedAccounts(book, count))

    @property
    def buffers(self) -> tuple[Floats, Bytes, Floats, Bytes]:
        """Where the kernel and the reference write."""
        return (*self.positions.buffers, *self.accounts.buffers)


class WhatIf(_ByChange):
    """What each change would do, one value a change.

    Made by `levcore.what_if`; pass it back as ``out=`` to reuse its memory. Its ``status``, uint8 of shape
    (c,), holds codes of `levcore.changes.status.ChangeStatus`: applied, or why not.

    Attributes
    ----------
    after : Side
        The changed position and its account; with an isolated position, the account that pays for it.
    before : Side or None
        The same before the change; of a position that it opens, the empty row.
    source : Side or None
        Of transfers, the account that the position leaves, after the change.
    quantity, entry_price, isolated_margin, leverage : ndarray of float64, shape (c,)
        Of the changed position; NaN for what it has none of.
    wallet_balance : ndarray of float64, shape (c,)
        Of its account after the change; NaN for accounts with balances.
    realized_pnl, fee : ndarray of float64, shape (c,), settlement currency
        Profit that the fill realizes, before the fee that it costs.
    cash_flow : ndarray of float64, shape (c,), settlement currency
        What reaches the wallet of the account: profit and margin released, less fee and margin put in.
    is_cross : ndarray of float64, shape (c,)
        1 for a cross position, 0 for an isolated one.
    """

    __slots__ = ("after", "before", "changes", "names", "order_sums", "policies", "source")

    after: Side
    before: Side | None
    source: Side | None
    changes: "Changes"
    names: "Names"
    policies: tuple["MarginPolicy", ...]
    order_sums: Floats

    table: ClassVar[tuple[Measure, ...]] = EFFECTS
    instrument_code: Column = Column()
    policy_code: Column = Column()
    is_cross: Column = Column()
    quantity: Column = Column()
    entry_price: Column = Column()
    isolated_margin: Column = Column()
    leverage: Column = Column()
    wallet_balance: Column = Column()
    realized_pnl: Column = Column()
    fee: Column = Column()
    cash_flow: Column = Column()
    status: CodeColumn[ChangeStatus] = CodeColumn(ChangeStatus)

    def __init__(
        self,
        book: "PositionBook",
        measures: tuple[str, ...],
        count: int,
        *,
        with_before: bool,
        with_source: bool,
    ) -> None:
        self._make(book, len(self.table), count)
        self._fill(
            after=Side(book, measures, count),
            before=Side(book, measures, count) if with_before else None,
            source=Side(book, measures, count) if with_source else None,
            order_sums=np.empty((0, count)),
        )

    def room_for_orders(self, with_orders: bool) -> Floats:
        """Memory for what the orders of each account ask for: that of this result, where it has the size."""
        rows = 2 * with_orders
        return self.order_sums if len(self.order_sums) == rows else np.empty((rows, len(self)))

    def about(
        self,
        book: "PositionBook",
        changes: "Changes",
        names: "Names",
        policies: tuple["MarginPolicy", ...],
        order_sums: Floats,
    ) -> None:
        """Say what the numbers are of."""
        self._fill(book=book, changes=changes, names=names, policies=policies, order_sums=order_sums)
        for side in (self.after, self.before, self.source):
            for columns in () if side is None else (side.positions, side.accounts):
                columns._fill(book=book)

    def __repr__(self) -> str:
        """Number of changes, and how many were refused."""
        return f"WhatIf({len(self):,} changes, {int(self.refused.sum()):,} refused)"

    @property
    def refused(self) -> npt.NDArray[np.bool_]:
        """Changes that were not applied, shape (c,)."""
        refused: npt.NDArray[np.bool_] = self.status >= FIRST_REFUSED
        return refused

    @property
    def order_margin(self) -> Floats:
        """Margin that the open orders of the changed account ask for after the change, shape (c,).

        NaN without an account, and where one of its orders cannot be charged; in settlement currency. As
        `levcore.order_margin` has it of the changed book.

        Raises
        ------
        InputError
            If the call was given no orders.
        """
        return self._of_orders(0)

    @property
    def order_loss(self) -> Floats:
        """Loss at the mark that these orders would open with, shape (c,); 0 where it is not charged."""
        return self._of_orders(1)

    def _of_orders(self, place: int) -> Floats:
        if not len(self.order_sums):
            raise InputError("orders", "were not given", "what_if(..., orders=Orders(...))", "none")
        column: Floats = self.order_sums[place]
        return column

    @property
    def free_margin(self) -> Floats:
        """Equity of the changed account less the initial margin of its positions and orders, shape (c,).

        NaN without an account, and where an order cannot be charged; in settlement currency.
        """
        accounts = self.after.accounts
        if not len(self.order_sums):
            return accounts.free_margin
        return accounts.equity - ((accounts.initial_margin + self.order_margin) + self.order_loss)

    @property
    def max_leverage(self) -> Floats:
        """Maximum leverage of the tier that the changed position is in; NaN where its table states none."""
        return highest_leverage(self)

    @property
    def liquidated_at_once(self) -> npt.NDArray[np.bool_]:
        """Whether the changed position, or its account, would be liquidated at the mark, shape (c,)."""
        worst = State.LIQUIDATION
        return _judged(self.after.positions.state, worst) | _judged(self.after.accounts.state, worst)

    @property
    def may_open(self) -> npt.NDArray[np.bool_]:
        """Whether the change may be made as one that takes risk, shape (c,); False where that is not known.

        The equity of an isolated position covers its initial margin, the account's covers that of all cross
        positions and, where they were given, of its orders (of an isolated position's account, where the book
        has it), the leverage is not above the maximum of the tier, and nothing is liquidated at once. A venue
        may allow what reduces risk all the same.
        """
        rows, accounts = self.after.positions, self.after.accounts
        own = (rows.equity >= rows.initial_margin) | (self.is_cross != 0.0)
        has_account = accounts.state != State.INCOMPLETE
        covered = np.where(has_account, self.free_margin >= 0.0, self.is_cross == 0.0)
        within = ~(self.leverage > self.max_leverage)
        allowed: npt.NDArray[np.bool_] = own & covered & within & ~self.refused & ~self.liquidated_at_once
        return allowed


def _judged(states: Bytes, worst: State) -> npt.NDArray[np.bool_]:
    judged: npt.NDArray[np.bool_] = (states >= worst) & (states != State.INCOMPLETE)
    return judged
