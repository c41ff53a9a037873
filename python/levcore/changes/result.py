"""Results of a what-if: columns of the changes, of the positions changed and of their accounts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats
from levcore.changes.leverage import highest_leverage
from levcore.changes.status import FIRST_REFUSED, ChangeStatus
from levcore.errors import InputError
from levcore.measures import ACCOUNT_MEASURES
from levcore.status import State

if TYPE_CHECKING:
    from levcore.changes.changes import Changes
    from levcore.changes.columns import Names
    from levcore.rules.policy import MarginPolicy

__all__ = ["ChangedAccounts", "ChangedPositions", "Side", "WhatIf"]

Bytes = npt.NDArray[np.uint8]
EFFECTS = (
    "instrument_code",
    "policy_code",
    "is_cross",
    "quantity",
    "entry_price",
    "isolated_margin",
    "leverage",
    "wallet_balance",
    "realized_pnl",
    "fee",
    "cash_flow",
)
"""Columns of what a change did, in the order of ``rust/levcore/src/what_if/outputs.rs``."""


class Column:
    """A column of a result by its name."""

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        """Take the name that it has in the class."""
        self.name = name

    @overload
    def __get__(self, result: None, owner: type) -> "Column": ...
    @overload
    def __get__(self, result: "ChangeResult", owner: type) -> Floats: ...
    def __get__(self, result: "ChangeResult | None", owner: type) -> "Column | Floats":
        """Column of the result, shape (c,)."""
        return self if result is None else result.column(self.name)


class ChangeResult:
    """Columns by name, one value a change, and their codes."""

    __slots__ = ("_codes", "_results", "measures")

    code_names: tuple[str, ...] = ("state", "status")

    def __init__(self, measures: tuple[str, ...], count: int) -> None:
        self.measures = measures
        self._results: Floats = np.empty((len(measures), count))
        self._codes: Bytes = np.empty((len(self.code_names), count), dtype=np.uint8)

    def __len__(self) -> int:
        """Number of changes."""
        return int(self._codes.shape[1])

    @property
    def buffers(self) -> tuple[Floats, Bytes]:
        """Where the kernel and the reference write."""
        return self._results, self._codes

    def column(self, name: str) -> Floats:
        """Column by name, shape (c,).

        Raises
        ------
        InputError
            If it was not asked for, or there is none of that name.
        """
        try:
            place = self.measures.index(name)
        except ValueError:
            raise InputError(name, "was not computed", ", ".join(self.measures), "") from None
        column: Floats = self._results[place]
        return column

    def keys(self) -> tuple[str, ...]:
        """Names of the columns."""
        return (*self.measures, *self.code_names)

    def __iter__(self) -> Iterator[str]:
        """Names of the columns, so that ``dict(result)`` and frame constructors work."""
        return iter(self.keys())

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """Column by name."""
        if name in self.code_names:
            codes: Bytes = self._codes[self.code_names.index(name)]
            return codes
        return self.column(name)

    def to_dict(self) -> dict[str, npt.NDArray[Any]]:
        """Columns by name; views, not copies."""
        return {name: self[name] for name in self.keys()}

    @property
    def status(self) -> Bytes:
        """Codes of status, shape (c,)."""
        codes: Bytes = self._codes[-1]
        return codes


class ChangedPositions(ChangeResult):
    """Measures of the positions that changes are about, as `levcore.BookRisk` has them.

    The status of a change without a position, or that was refused, is ``NO_POSITION``.
    """

    __slots__ = ()

    notional = Column("Value at the mark, settlement currency.")
    unrealized_pnl = Column("Profit since entry at the mark, settlement currency.")
    return_on_equity = Column("Profit over the entry value divided by leverage.")
    initial_margin = Column("Margin needed to open, settlement currency.")
    maintenance_margin = Column("Margin that must be kept, settlement currency.")
    equity = Column("Of isolated positions their own, of cross ones their account's.")
    margin_ratio = Column("Requirement over equity, a fraction; of cross positions the account's.")
    effective_leverage = Column("Notional over equity.")
    liquidation_price = Column("Mark price at which it is liquidated, quote per base; NaN: none.")
    bankruptcy_price = Column("Mark price at which equity is zero, quote per base.")
    distance_to_liquidation = Column("Adverse move to the liquidation price over the mark.")
    liquidation_price_lower = Column("Price at or below which it is liquidated.")
    liquidation_price_upper = Column("Price at or above which it is liquidated.")

    @property
    def state(self) -> Bytes:
        """Codes of `levcore.State`, shape (c,)."""
        codes: Bytes = self._codes[0]
        return codes


class ChangedAccounts(ChangeResult):
    """Measures of the accounts that changes are about, as `levcore.AccountRisk` has them.

    The status of a change without an account in the book, or that was refused, is ``NO_ACCOUNT``.
    """

    __slots__ = ()

    equity = Column("Equity, the account's currency.")
    initial_margin = Column("Sum of the initial margins, the account's currency.")
    maintenance_margin = Column("Sum of the maintenance margins, the account's currency.")
    free_margin = Column("Equity less initial margin, the account's currency.")
    margin_ratio = Column("Requirement over equity, a fraction.")
    margin_call_amount = Column("Deposit that ends a margin call, the account's currency.")
    collateral_value = Column("The positive part of what counts, the account's currency.")
    liabilities = Column("The negative part as a positive number, the account's currency.")
    surplus = Column("Equity less the requirement that liquidates, the account's currency.")

    def __init__(self, count: int) -> None:
        super().__init__(ACCOUNT_MEASURES, count)

    @property
    def state(self) -> Bytes:
        """Codes of `levcore.State`, shape (c,)."""
        codes: Bytes = self._codes[0]
        return codes


class Side:
    """Positions and their accounts at one time: after the changes, before them, or where a transfer left.

    Attributes
    ----------
    positions : ChangedPositions
    accounts : ChangedAccounts
    """

    __slots__ = ("accounts", "positions")

    def __init__(self, measures: tuple[str, ...], count: int) -> None:
        self.positions = ChangedPositions(measures, count)
        self.accounts = ChangedAccounts(count)

    @property
    def buffers(self) -> tuple[Floats, Bytes, Floats, Bytes]:
        """Where the kernel and the reference write."""
        return (*self.positions.buffers, *self.accounts.buffers)


class WhatIf(ChangeResult):
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

    code_names = ("status",)

    is_cross = Column("1 for a cross position, 0 for an isolated one; NaN without a position.")
    quantity = Column("Signed contracts after the change.")
    entry_price = Column("Average entry price after the change, quote per base.")
    isolated_margin = Column("Margin of an isolated position; NaN: what its leverage asks for.")
    leverage = Column("Leverage after the change.")
    wallet_balance = Column("Wallet of the account after the change.")
    realized_pnl = Column("Profit that the fill realizes, before its fee, settlement currency.")
    fee = Column("Fee of the fill, settlement currency.")
    cash_flow = Column("What reaches the wallet, settlement currency.")

    def __init__(
        self, measures: tuple[str, ...], count: int, *, with_before: bool, with_source: bool
    ) -> None:
        super().__init__(EFFECTS, count)
        self.after = Side(measures, count)
        self.before: Side | None = Side(measures, count) if with_before else None
        self.source: Side | None = Side(measures, count) if with_source else None
        self.changes: Changes
        self.names: Names
        self.policies: tuple[MarginPolicy, ...]
        self.order_sums: Floats = np.empty((0, count))

    def __repr__(self) -> str:
        """Number of changes, and how many were refused."""
        return f"WhatIf({len(self):,} changes, {int(self.refused.sum()):,} refused)"

    @property
    def refused(self) -> npt.NDArray[np.bool_]:
        """Changes that were not applied, shape (c,)."""
        refused: npt.NDArray[np.bool_] = self.status >= FIRST_REFUSED
        return refused

    def failures(self, limit: int | None = None) -> list[tuple[int, ChangeStatus]]:
        """Changes that were not applied, with the reason, in their order; the first `limit` of them."""
        rows = np.flatnonzero(self.refused)[:limit]
        return [(int(row), ChangeStatus(self.status[row])) for row in rows]

    def expect_orders(self, given: bool) -> None:
        """Make room for what the open orders of each changed account ask for, if there are orders."""
        if len(self.order_sums) != 2 * given:
            self.order_sums = np.empty((2 * given, len(self)))

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
