"""Results of an evaluation: one column a measure, in the caller's row order."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from levcore._levcore import Table
from levcore.book.arrays import Floats
from levcore.book.marks import marks_by_policy
from levcore.book.policy_labels import the_one_policy
from levcore.engine.balance_risk import BalanceRisk
from levcore.engine.frames import ExportsFrame, account_table, risk_table
from levcore.engine.summary import summarize
from levcore.errors import InputError
from levcore.measures import ACCOUNT_MEASURES, MEASURE_NAMES, MEASURES
from levcore.status import COLUMN_AT_FAULT, FIRST_FAILURE, FIRST_PARTIAL, AccountStatus, State, Status

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.rules.policy import MarginPolicy

__all__ = ["AccountRisk", "BookRisk", "Failure"]

Bytes = npt.NDArray[np.uint8]
CACHE_LINE = 8
"""Float64 values a cache line."""
LARGE_OUTPUT = 1 << 20
"""Float64 values from which on the kernel writes past the cache (``rust/levcore/src/job/outputs.rs``)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A row that could not be evaluated, or not wholly.

    Parameters
    ----------
    row : int
        Row in the caller's order, from 0.
    status : Status
        Why.
    column : str
        Column to look at first; empty if it is another row of the account.
    value : object
        What that column holds.
    """

    row: int
    status: Status
    column: str
    value: object


class Column:
    """A measure of `BookRisk`; reading one that was not computed raises `InputError`."""

    def __init__(self, name: str, doc: str) -> None:
        self.name = name
        self.__doc__ = doc

    @overload
    def __get__(self, risk: None, owner: type) -> "Column": ...
    @overload
    def __get__(self, risk: "BookRisk", owner: type) -> Floats: ...
    def __get__(self, risk: "BookRisk | None", owner: type) -> "Column | Floats":
        """Column of the result, shape (n,)."""
        return self if risk is None else risk.column(self.name)


def _column(name: str) -> Column:
    measure = MEASURES[MEASURE_NAMES.index(name)]
    return Column(name, f"{measure.doc} Unit: {measure.unit}; float64, shape (n,).")


def aligned(rows: int, width: int) -> npt.NDArray[np.float64]:
    """Uninitialised results, shape (rows, width), from a cache line on, as the fastest stores need it."""
    if rows * width < LARGE_OUTPUT:
        return np.empty((rows, width))
    memory = np.empty(rows * width + CACHE_LINE)
    skipped = -(memory.ctypes.data // memory.itemsize) % CACHE_LINE
    return memory[skipped : skipped + rows * width].reshape(rows, width)


def padded(values: int) -> int:
    """Length of a row of results: whole cache lines, no power of two, whose rows would evict each other."""
    lines = -(-values // CACHE_LINE)
    return CACHE_LINE * (lines + (1 if lines % CACHE_LINE == 0 else 0))


class AccountRisk(ExportsFrame):
    """Measures of the cross accounts, one value an account, in settlement currency unless said otherwise.

    Parameters
    ----------
    ids : list of str or int
        Accounts: those of `wallet_balance` first, then in the order of their first cross position.

    Attributes
    ----------
    equity : ndarray of float64, shape (a,)
        Wallet balance plus unrealized PnL and accrued funding of the cross positions; of an account with
        balances the counted value of its assets less what it owes, in the currency of the asset prices.
    initial_margin, maintenance_margin : ndarray of float64, shape (a,)
        Sums over the cross positions and liabilities, as the policy charges hedged legs.
    free_margin : ndarray of float64, shape (a,)
        Equity less initial margin; negative: no room for new risk. NaN without leverages.
    margin_ratio : ndarray of float64, shape (a,), fraction
        Requirement over equity; infinite when no equity is left.
    margin_call_amount : ndarray of float64, shape (a,)
        Deposit that brings the ratio back to the margin-call level (the liquidation level where the policy
        has none); 0 when there is no call.
    collateral_value, liabilities : ndarray of float64, shape (a,)
        The positive part of what is counted, and the negative one with what is owed, as a positive number.
    surplus : ndarray of float64, shape (a,)
        Equity less the requirement at which the account is liquidated; negative: it is.
    state, status : ndarray of uint8, shape (a,)
        Codes of `State` and `AccountStatus`; every measure is NaN unless the status is ``OK``.
    """

    __slots__ = ("_codes", "_results", "ids")

    def __init__(self, ids: list[Any]) -> None:
        self.ids = ids
        self._results = np.empty((len(ACCOUNT_MEASURES), len(ids)))
        self._codes = np.empty((2, len(ids)), dtype=np.uint8)

    def __len__(self) -> int:
        """Number of accounts."""
        return len(self.ids)

    @property
    def buffers(self) -> tuple[npt.NDArray[np.float64], Bytes]:
        """Where the kernel and the reference write."""
        return self._results, self._codes

    @property
    def equity(self) -> Floats:
        """Equity, settlement currency."""
        return self._measure(0)

    @property
    def initial_margin(self) -> Floats:
        """Initial margin, settlement currency."""
        return self._measure(1)

    @property
    def maintenance_margin(self) -> Floats:
        """Maintenance margin, settlement currency."""
        return self._measure(2)

    @property
    def free_margin(self) -> Floats:
        """Equity less initial margin, settlement currency."""
        return self._measure(3)

    @property
    def margin_ratio(self) -> Floats:
        """Requirement over equity, a fraction."""
        return self._measure(4)

    @property
    def margin_call_amount(self) -> Floats:
        """Deposit that ends a margin call, settlement currency."""
        return self._measure(5)

    @property
    def may_add_risk(self) -> npt.NDArray[np.bool_]:
        """Whether equity covers the initial margin; False also where either is not known."""
        allowed: npt.NDArray[np.bool_] = self.free_margin >= 0.0
        return allowed

    @property
    def collateral_value(self) -> Floats:
        """Counted value of positive equities, the account's currency."""
        return self._measure(6)

    @property
    def liabilities(self) -> Floats:
        """Negative equities and debts as a positive number, the account's currency."""
        return self._measure(7)

    @property
    def surplus(self) -> Floats:
        """Equity less the requirement that liquidates, the account's currency."""
        return self._measure(8)

    @property
    def state(self) -> Bytes:
        """Codes of `State`."""
        codes: Bytes = self._codes[0]
        return codes

    @property
    def status(self) -> Bytes:
        """Codes of `AccountStatus`."""
        codes: Bytes = self._codes[1]
        return codes

    def _measure(self, place: int) -> Floats:
        column: Floats = self._results[place]
        return column

    def to_dict(self) -> dict[str, Any]:
        """Columns by name, ``account`` first; views, not copies."""
        columns: dict[str, Any] = {"account": self.ids}
        columns.update(zip(ACCOUNT_MEASURES, self._results, strict=True))
        return columns | {"state": self.state, "status": self.status}

    def _table(self) -> Table:
        return account_table(self)

    def failures(self) -> list[tuple[Any, AccountStatus]]:
        """Accounts without a verdict, with the reason."""
        return [(self.ids[code], AccountStatus(self.status[code])) for code in np.flatnonzero(self.status)]


class BookRisk(ExportsFrame):
    """Risk of a book at marks, in the caller's row order.

    Made by `levcore.Engine.evaluate` and `levcore.reference.evaluate`; pass it back as ``out=`` to reuse its
    memory.

    Attributes
    ----------
    state, status : ndarray of uint8, shape (n,)
        Codes of `State` and `Status`.
    measures : tuple of str
        Measures computed.
    accounts : AccountRisk
        Cross accounts.
    balances : BalanceRisk
        Balances of accounts in several assets.
    book : PositionBook
        What was evaluated.
    policies : tuple of MarginPolicy
        By the policy codes of the book; one for a book without them.
    policy : MarginPolicy
        The one policy; `InputError` where there are several.
    marks : ndarray of float64, shape (instruments,) or (policies, instruments)
        By ``book.instrument_names``, and by policy if they were given so; NaN where missing.
    """

    __slots__ = ("_codes", "_results", "accounts", "balances", "book", "marks", "measures", "policies")

    notional = _column("notional")
    unrealized_pnl = _column("unrealized_pnl")
    return_on_equity = _column("return_on_equity")
    initial_margin = _column("initial_margin")
    maintenance_margin = _column("maintenance_margin")
    equity = _column("equity")
    margin_ratio = _column("margin_ratio")
    effective_leverage = _column("effective_leverage")
    liquidation_price = _column("liquidation_price")
    bankruptcy_price = _column("bankruptcy_price")
    distance_to_liquidation = _column("distance_to_liquidation")
    liquidation_price_lower = _column("liquidation_price_lower")
    liquidation_price_upper = _column("liquidation_price_upper")

    def __init__(
        self,
        book: "PositionBook",
        policies: tuple["MarginPolicy", ...],
        marks: Floats,
        measures: tuple[str, ...],
    ) -> None:
        self.book = book
        self.policies = policies
        self.marks = marks
        self.measures = measures
        width = padded(len(book))
        self._results = aligned(len(measures), width)
        self._codes = np.empty((2, width), dtype=np.uint8)
        self.accounts = AccountRisk(book.account_ids)
        self.balances = BalanceRisk(book.balances)

    def __len__(self) -> int:
        """Number of positions."""
        return len(self.book)

    def __repr__(self) -> str:
        """Size and policies."""
        return f"BookRisk({len(self):,} positions under {', '.join(policy.id for policy in self.policies)})"

    @property
    def policy(self) -> "MarginPolicy":
        """The policy.

        Raises
        ------
        InputError
            If there are several.
        """
        return the_one_policy(self.policies, "result", "policies, or policy_of(row)")

    def policy_of(self, row: int) -> "MarginPolicy":
        """Policy of a row."""
        return self.policies[self._policy_code(row)]

    def mark_of(self, row: int) -> float:
        """Mark price of a row, quote per base; NaN if missing."""
        marks = marks_by_policy(self.marks, len(self.policies))
        return float(marks[self._policy_code(row), self.book.instrument_codes[row]])

    def _policy_code(self, row: int) -> int:
        codes = self.book.policy_codes
        return 0 if codes is None else int(codes[row])

    @property
    def buffers(self) -> tuple[npt.NDArray[np.float64], Bytes]:
        """Where the kernel and the reference write: one row a measure, then the rows state and status."""
        return self._results, self._codes

    @property
    def state(self) -> Bytes:
        """Codes of `State`, shape (n,)."""
        return self._codes[0, : len(self)]

    @property
    def status(self) -> Bytes:
        """Codes of `Status`, shape (n,)."""
        return self._codes[1, : len(self)]

    def column(self, name: str) -> Floats:
        """Measure by name, shape (n,).

        Raises
        ------
        InputError
            If the measure was not asked for, or there is none of that name.
        """
        try:
            place = self.measures.index(name)
        except ValueError:
            raise InputError(name, "was not computed", ", ".join(self.measures), "") from None
        column: Floats = self._results[place, : len(self)]
        return column

    @property
    def ok(self) -> npt.NDArray[np.bool_]:
        """Rows whose numbers are all valid, shape (n,)."""
        result: npt.NDArray[np.bool_] = self.status < FIRST_PARTIAL
        return result

    def failures(self, limit: int | None = None) -> list[Failure]:
        """Rows that could not be evaluated, or not wholly, in row order; the first `limit` of them."""
        rows = np.flatnonzero(self.status >= FIRST_PARTIAL)[:limit]
        return [self._failure(int(row)) for row in rows]

    def _failure(self, row: int) -> Failure:
        status = Status(self.status[row])
        column = COLUMN_AT_FAULT.get(status, "")
        value: object = None
        if column == "instrument":
            value = self.book.name_of(row)
        elif column == "mark_price":
            value = self.mark_of(row)
        elif column:
            values = getattr(self.book, column)
            value = None if values is None else float(values[row])
        return Failure(row, status, column, value)

    @property
    def failed(self) -> int:
        """Number of rows without any number."""
        return int(np.count_nonzero(self.status >= FIRST_FAILURE))

    def summary(self) -> dict[str, Any]:
        """Counts by state and status, totals by settlement currency, the nearest liquidation."""
        return summarize(self)

    def to_dict(self) -> dict[str, npt.NDArray[Any]]:
        """Measures, state and status by name; views, not copies."""
        columns: dict[str, npt.NDArray[Any]] = {name: self.column(name) for name in self.measures}
        return columns | {"state": self.state, "status": self.status}

    def worst_state(self) -> State:
        """Worst state of any position or account that could be judged."""
        codes = np.concatenate((self.state, self.accounts.state))
        judged = codes[codes < State.INCOMPLETE]
        return State(int(judged.max())) if judged.size else State.HEALTHY

    def _table(self) -> Table:
        return risk_table(self)

    def keys(self) -> tuple[str, ...]:
        """Names of the columns of results, so that ``dict(risk)`` holds them."""
        return (*self.measures, "state", "status")

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """Column by name."""
        if name in ("state", "status"):
            codes: Bytes = getattr(self, name)
            return codes
        return self.column(name)
