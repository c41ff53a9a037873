"""Results of an evaluation: one column a measure, in the caller's row order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore._levcore import Evaluation, Table
from levcore.book.arrays import Floats
from levcore.book.marks import marks_by_policy
from levcore.book.policy_labels import the_one_policy
from levcore.book.wallets import Wallets, wallets_of
from levcore.engine.account_risk import AccountRisk
from levcore.engine.balance_risk import BalanceRisk
from levcore.engine.columns import Failure, PositionColumns
from levcore.engine.frames import book_table, result_table
from levcore.engine.memory import CACHE_LINE, results_memory
from levcore.engine.wallet_risk import WalletRisk, of_accounts
from levcore.shown import Shown
from levcore.status import FIRST_FAILURE, FIRST_PARTIAL, Code, State

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.engine.leverage_limits import LeverageAboveTier
    from levcore.engine.price_units import PriceApart
    from levcore.rules.policy import MarginPolicy

__all__ = ["BookRisk"]


CODE = np.dtype(np.uint8)


def padded(values: int) -> int:
    """Length of a row of results: whole cache lines, no power of two, whose rows would evict each other."""
    lines = -(-values // CACHE_LINE)
    return CACHE_LINE * (lines + (1 if lines % CACHE_LINE == 0 else 0))


class BookRisk(PositionColumns, Shown):
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
    wallets : WalletRisk
        Their wallets: one an account, or one a settlement currency of it where the policy has them apart.
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

    __slots__ = (
        "_accounts",
        "_balances",
        "_wallet_columns",
        "_wallets",
        "evaluation",
        "marks",
        "measures",
        "policies",
    )

    marks: Floats
    measures: tuple[str, ...]
    policies: tuple[MarginPolicy, ...]
    evaluation: Evaluation | None
    _accounts: AccountRisk | None
    _balances: BalanceRisk | None
    _wallet_columns: Wallets
    _wallets: WalletRisk | None

    def __init__(
        self,
        book: PositionBook,
        policies: tuple[MarginPolicy, ...],
        marks: Floats,
        measures: tuple[str, ...],
        wallets: Wallets | None = None,
    ) -> None:
        width = padded(len(book))
        # One by one: by `_fill` they take longer than the evaluation of one position.
        put = object.__setattr__
        put(self, "book", book)
        put(self, "policies", policies)
        put(self, "marks", marks)
        put(self, "measures", measures)
        put(self, "_results", results_memory(len(measures), width))
        put(self, "_codes", np.empty((2, width), CODE))
        put(self, "_wallet_columns", wallets_of(book, policies) if wallets is None else wallets)
        # What holds nothing is made when it is asked for.
        put(self, "_accounts", AccountRisk(book) if book.account_ids else None)
        put(self, "_wallets", None)
        put(self, "_balances", None if book.balances is None else BalanceRisk(book))
        put(self, "evaluation", None)

    def keep(self, evaluation: Evaluation) -> None:
        """Keep what writes to this result, for the next call on the same book."""
        object.__setattr__(self, "evaluation", evaluation)

    def written(
        self,
        book: PositionBook,
        policies: tuple[MarginPolicy, ...],
        marks: Floats,
        wallets: Wallets,
        evaluation: Evaluation,
    ) -> None:
        """Take the labels of what an evaluation has written: of this book, or of another one of its size."""
        object.__setattr__(self, "marks", marks)
        if self.evaluation is evaluation:
            return
        self.keep(evaluation)
        self._fill(book=book, policies=policies, _wallet_columns=wallets)
        if self._wallets is not None and self._wallets.columns is not wallets:
            self._wallets._fill(book=book, policies=policies, columns=wallets, _currency=None)
        for part in (self._accounts, self._balances):
            if part is not None:
                part._fill(book=book)

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        """Everything but the evaluation, which belongs to an engine."""
        every = [name for kind in type(self).__mro__ for name in getattr(kind, "__slots__", ())]
        return None, {name: getattr(self, name) for name in every} | {"evaluation": None}

    @property
    def accounts(self) -> AccountRisk:
        """Cross accounts."""
        if self._accounts is None:
            self._fill(_accounts=AccountRisk(self.book))
        assert self._accounts is not None
        return self._accounts

    @property
    def balances(self) -> BalanceRisk:
        """Balances of accounts in several assets."""
        if self._balances is None:
            self._fill(_balances=BalanceRisk(self.book))
        assert self._balances is not None
        return self._balances

    @property
    def wallets(self) -> WalletRisk:
        """Wallets of the cross accounts: one an account, or one a settlement currency of it."""
        if self._wallets is None:
            self._fill(
                _wallets=WalletRisk(self.book, self.policies, self._wallet_columns, self.accounts.buffers)
            )
        assert self._wallets is not None
        return self._wallets

    @property
    def wallet_columns(self) -> Wallets:
        """The wallets that were evaluated."""
        return self._wallet_columns

    @property
    def wallet_buffers(self) -> tuple[Floats, npt.NDArray[np.uint8]]:
        """Where the kernel and the reference write the results of wallets."""
        return self.wallets.buffers if self._wallet_columns.is_split else self.accounts.buffers

    def join_wallets(self) -> None:
        """Write the results of accounts from those of their wallets, where any has several."""
        if self._wallet_columns.is_split:
            results, codes = self.accounts.buffers
            results[...], codes[...] = of_accounts(self._wallet_columns, *self.wallets.buffers)

    def __len__(self) -> int:
        """Number of positions."""
        return len(self.book)

    def __repr__(self) -> str:
        """Size and policies."""
        return f"BookRisk({len(self):,} positions under {', '.join(policy.id for policy in self.policies)})"

    @property
    def policy(self) -> MarginPolicy:
        """The policy.

        Raises
        ------
        InputError
            If there are several.
        """
        return the_one_policy(self.policies, "result", "policies, or policy_of(row)")

    def policy_of(self, row: int) -> MarginPolicy:
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
    def ok(self) -> npt.NDArray[np.bool_]:
        """Rows whose numbers are all valid, shape (n,)."""
        result: npt.NDArray[np.bool_] = self.status < FIRST_PARTIAL
        return result

    def _failure(self, place: int, status: Code) -> Failure:
        column = status.column
        value: object = None
        if column == "instrument":
            value = self.book.name_of(place)
        elif column == "mark_price":
            value = self.mark_of(place)
        elif column:
            values = getattr(self.book, column)
            value = None if values is None else float(values[place])
        return Failure(place, self.book.account_of(place), status, column, value)

    @property
    def failed(self) -> int:
        """Number of rows without any number."""
        return int(np.count_nonzero(self.status >= FIRST_FAILURE))

    def summary(self) -> dict[str, Any]:
        """Counts by state and status, totals by settlement currency, the nearest liquidation."""
        from levcore.engine.summary import summarize

        return summarize(self)

    def frame(self, columns: Table | None = None) -> Table:
        """The result as Arrow's columns: those given or of the book, every measure, states as words."""
        return result_table(self, book_table(self.book) if columns is None else columns)

    def leverage_above_tier(self) -> list[LeverageAboveTier]:
        """Positions with more leverage than the tier that they are in allows, by row; needs ``notional``."""
        from levcore.engine.leverage_limits import leverage_above_tier

        return leverage_above_tier(self)

    def unread_margins(self) -> npt.NDArray[np.intp]:
        """Rows of cross positions with an isolated margin other than 0, which no number of theirs holds.

        Venues print 0 there; another amount is likely a position that is isolated.
        """
        margin = self.book.isolated_margin
        if margin is None:
            return np.empty(0, np.intp)
        return np.flatnonzero(self.book.is_cross & ~np.isnan(margin) & (margin != 0.0))

    def prices_apart(self) -> list[PriceApart]:
        """Instruments whose marks and most entry prices are apart by a factor above 20: units to check."""
        from levcore.engine.price_units import PriceUnits

        return PriceUnits(self).apart()

    def allowed_leverage(self) -> Floats:
        """Maximum leverage of the tier that each position is in at the mark, shape (n,); needs ``notional``.

        NaN where its table states none or the row has no value.
        """
        from levcore.engine.leverage_limits import allowed_leverage

        return allowed_leverage(self)

    def worst_state(self) -> State:
        """Worst state of any position or account that could be judged."""
        codes = np.concatenate((self.state, self.wallets.state))
        judged = codes[codes < State.INCOMPLETE]
        return State(int(judged.max())) if judged.size else State.HEALTHY
