"""What `levcore.compare` returns: the answers of several policies to one book, side by side."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from levcore._levcore import Table
from levcore.arguments import is_word
from levcore.book.arrays import Floats
from levcore.book.positions import PositionBook
from levcore.comparison.answer import Answer, distances
from levcore.comparison.assets import AssetMatch
from levcore.comparison.frames import comparison_table
from levcore.comparison.instruments import Match
from levcore.comparison.refusals import Refusal, Withheld
from levcore.comparison.totals import comparison_totals, judged_accounts
from levcore.engine.compiled import pools_every_account
from levcore.engine.distances import AccountDistance
from levcore.engine.frames import ExportsFrame
from levcore.engine.risk import BookRisk
from levcore.errors import InputError
from levcore.frozen import Frozen
from levcore.measures import ACCOUNT_MEASURES, BALANCE_MEASURES, MEASURE_NAMES
from levcore.rules.policy import MarginPolicy
from levcore.shown import Shown
from levcore.status import FIRST_FAILURE, AccountStatus, State, Status

__all__ = ["COMPARED_OF_ACCOUNTS", "Comparison", "Kind", "Refusal", "Withheld"]

Flags = npt.NDArray[np.bool_]
Kind = Literal["position", "account", "balance"]

COMPARED_OF_ACCOUNTS = (*ACCOUNT_MEASURES, "may_add_risk", "distance_lower", "distance_upper")
"""What `Comparison.account_table` knows besides the state."""


class Comparison(Frozen, ExportsFrame, Shown):
    """One book at one set of marks, evaluated under several policies; made by `compare`.

    Attributes
    ----------
    book : PositionBook
    marks : ndarray of float64, shape (len(book.instrument_names),), quote per base
        NaN where missing.
    policies : dict of str to MarginPolicy
        By label, in the caller's order; each with the instruments that it was evaluated with.
    results : dict of str to BookRisk or Refusal
        By label.
    withheld : dict of str to tuple of Withheld
        By label: positions and accounts that a policy refuses while it answers for the rest.
    matches : dict of str to Match
        By label: which instruments are the policy's own, borrowed, or missing.
    asset_prices : mapping of asset name to price, or None
        Of a book with balances.
    asset_matches : dict of str to AssetMatch
        By label: which assets are the policy's own, borrowed, or missing.
    """

    _instead = "compare again, levcore.compare(...)"

    book: PositionBook
    marks: Floats
    policies: dict[str, MarginPolicy]
    matches: dict[str, Match]
    results: dict[str, "BookRisk | Refusal"]
    withheld: dict[str, tuple[Withheld, ...]]
    asset_prices: Mapping[str, float] | None
    asset_matches: dict[str, AssetMatch]
    _answers: dict[str, Answer]

    def __init__(
        self,
        book: PositionBook,
        marks: Floats,
        policies: dict[str, MarginPolicy],
        matches: dict[str, Match],
        answers: dict[str, Answer],
        asset_prices: Mapping[str, float] | None,
        asset_matches: dict[str, AssetMatch],
    ) -> None:
        self._fill(
            book=book,
            marks=marks,
            policies=policies,
            matches=matches,
            results={label: one.result for label, one in answers.items()},
            withheld={label: one.withheld for label, one in answers.items()},
            asset_prices=asset_prices,
            asset_matches=asset_matches,
            _answers=answers,
        )

    def __len__(self) -> int:
        """Number of positions."""
        return len(self.book)

    def __repr__(self) -> str:
        """Size and policies."""
        return f"Comparison({len(self):,} positions under {', '.join(self.policies)})"

    def frame(self) -> Table:
        """The comparison as Arrow's columns."""
        return comparison_table(self)

    @cached_property
    def answers(self) -> dict[str, BookRisk]:
        """Results of the policies that evaluated the book, by label."""
        return {label: one for label, one in self.results.items() if isinstance(one, BookRisk)}

    @cached_property
    def short_names(self) -> dict[str, str]:
        """Names for the heads of tables, by label: an id loses its date where no other has its name."""
        names = [one.name for one in self.policies.values()]
        return {
            label: one.name if label == one.id and names.count(one.name) == 1 else label
            for label, one in self.policies.items()
        }

    def table(self, measure: str) -> dict[str, npt.NDArray[Any]]:
        """One measure of every position under every policy.

        Parameters
        ----------
        measure : str
            Of `levcore.MEASURES`, or ``"state"``.

        Returns
        -------
        dict of str to ndarray, shape (n,)
            By label; a policy that refuses has NaN, or the state ``INCOMPLETE``. Views, not copies.

        Raises
        ------
        InputError
            For a name that is none of these.
        """
        self._check_measure(measure, MEASURE_NAMES)
        missing = _missing(measure, len(self))
        return {
            label: one[measure] if isinstance(one, BookRisk) else missing
            for label, one in self.results.items()
        }

    def account_table(self, measure: str) -> dict[str, npt.NDArray[Any]]:
        """One measure of every cross account under every policy.

        Parameters
        ----------
        measure : str
            A measure of `levcore.AccountRisk`; ``"may_add_risk"``, whether equity covers the initial margin
            (False also where either is not known); ``"distance_lower"`` or ``"distance_upper"``, the fall or
            rise of all prices together that liquidates the account, as `levcore.distance` gives it without
            betas; or ``"state"``.

        Returns
        -------
        dict of str to ndarray, shape (a,)
            By label, aligned with ``book.account_ids``; as for `table`.

        Raises
        ------
        InputError
            For a name that is none of these.
        """
        self._check_measure(measure, COMPARED_OF_ACCOUNTS)
        missing = _missing(measure, len(self.book.account_ids))
        return {
            label: self._of_accounts(label, measure) if label in self.answers else missing
            for label in self.results
        }

    def _of_accounts(self, label: str, measure: str) -> npt.NDArray[Any]:
        if measure.startswith("distance_"):
            move: Floats = getattr(self.account_distances[label], measure.removeprefix("distance_"))
            return move
        column: npt.NDArray[Any] = getattr(self.answers[label].accounts, measure)
        return column

    def balance_table(self, measure: str) -> dict[str, npt.NDArray[Any]]:
        """One measure of every balance under every policy.

        Parameters
        ----------
        measure : str
            A measure of `levcore.BookRisk.balances`.

        Returns
        -------
        dict of str to ndarray, shape (b,)
            By label, in the order of ``book.balances``; as for `table`.

        Raises
        ------
        InputError
            For a name that is none of these.
        """
        if not is_word(measure, BALANCE_MEASURES):
            expected = ", ".join(BALANCE_MEASURES)
            raise InputError("measure", "must be a measure of balances", expected, repr(measure))
        missing = np.full(0 if self.book.balances is None else len(self.book.balances), np.nan)
        return {
            label: getattr(one.balances, measure) if isinstance(one, BookRisk) else missing
            for label, one in self.results.items()
        }

    @staticmethod
    def _check_measure(measure: str, known: Sequence[str]) -> None:
        if measure not in known and measure != "state":
            expected = ", ".join((*known, "state"))
            raise InputError("measure", "must be a measure that is compared", expected, repr(measure))

    @cached_property
    def account_distances(self) -> dict[str, AccountDistance]:
        """How far all prices may move together until each account is liquidated, by label of who answers."""
        return {label: self._distance(label) for label in self.answers}

    def _distance(self, label: str) -> AccountDistance:
        policy, match, found = self.policies[label], self.matches[label], self._answers[label]
        return distances(policy, match, found, self.book, self.marks, self.asset_prices)

    def refuses(self, label: str, kind: Kind) -> Flags:
        """Which positions, accounts or balances a policy refuses, shape (n,), (a,) or (b,)."""
        risk = self.answers.get(label)
        book = self.book
        if risk is None:
            sizes = {
                "position": len(book),
                "account": len(book.account_ids),
                "balance": 0 if book.balances is None else len(book.balances),
            }
            return np.full(sizes[kind], True)
        if kind == "account":
            refused: Flags = risk.accounts.status == AccountStatus.REFUSED
        else:
            refused = (risk if kind == "position" else risk.balances).status == Status.REFUSED
        return refused

    @cached_property
    def has_pooled_accounts(self) -> bool:
        """Whether parts of accounts move together under some policy, so that a row may have two prices."""
        every = any(pools_every_account(self.policies[label]) for label in self.answers)
        return self.book.has_pooled_accounts or (every and bool(self.book.account_ids))

    @cached_property
    def notional(self) -> Floats:
        """Value of each position at the mark, shape (n,), of the first policy that has one; NaN: none has."""
        notional = np.full(len(self), np.nan)
        for risk in self.answers.values():
            notional = np.where(np.isnan(notional), risk.notional, notional)
        return notional

    @cached_property
    def _distances(self) -> Floats:
        """Distances to liquidation, shape (policies that answer, n)."""
        if not self.answers:
            return np.empty((0, len(self)))
        return np.stack([risk.distance_to_liquidation for risk in self.answers.values()])

    @cached_property
    def earliest(self) -> Floats:
        """Shortest distance to liquidation under any policy, fraction of the mark, shape (n,); NaN: none."""
        shortest: Floats = np.fmin.reduce(self._distances, axis=0, initial=np.nan)
        return shortest

    @cached_property
    def latest(self) -> Floats:
        """Longest distance to liquidation under any policy, as `earliest`; infinite: one has no price."""
        longest: Floats = np.fmax.reduce(self._distances, axis=0, initial=np.nan)
        return longest

    @cached_property
    def spread(self) -> Floats:
        """Distance from the earliest to the latest liquidation of each position, shape (n,).

        Fraction of the mark, not negative. Infinite where one policy has a liquidation price and another has
        none, 0 where none has one, NaN where fewer than two policies answer for the position.
        """
        with np.errstate(invalid="ignore"):  # infinite less infinite, where the spread is 0
            spread = np.where(self.latest == self.earliest, 0.0, self.latest - self.earliest)
        answering = np.count_nonzero(~np.isnan(self._distances), axis=0)
        return np.where(answering > 1, spread, np.nan)

    @cached_property
    def liquidates_first(self) -> dict[str, Flags]:
        """Positions that each policy liquidates before another one does, shape (n,), by label.

        Two policies that share the earliest liquidation both have it; where all agree, none does.
        """
        differ = self.spread > 0
        return {
            label: differ & (risk.distance_to_liquidation == self.earliest)
            for label, risk in self.answers.items()
        }

    @cached_property
    def compared(self) -> Flags:
        """Positions with numbers under every policy that answers, shape (n,)."""
        every = np.full(len(self), bool(self.answers))
        for risk in self.answers.values():
            every &= risk.status < FIRST_FAILURE
        return every

    @cached_property
    def judged(self) -> Flags:
        """Accounts that every policy which answers could judge, shape (a,)."""
        return judged_accounts(self)

    def totals(self) -> dict[str, dict[str, dict[str, float]]]:
        """Sums over the positions of `compared`, so that no policy's total is small for lack of positions.

        Where an account nets its legs, or a liability asks for margin, the account's margin is not the sum of
        its rows: of such accounts the sums take the accounts' own margins, and only of accounts that every
        policy could judge.

        Returns
        -------
        dict
            By label and settlement currency: ``notional``, ``unrealized_pnl``, ``initial_margin`` (NaN where
            a leverage is missing) and ``maintenance_margin``. Accounts with balances have their margins, with
            ``equity``, ``collateral_value`` and ``liabilities``, under the key ``"accounts with balances"``,
            in the currency of the asset prices. Amounts of two currencies are never added.
        """
        return comparison_totals(self)

    def to_dict(self) -> dict[str, Any]:
        """Everything compared as values that JSON knows: NaN is None, an infinite number ``"Infinity"``.

        Returns
        -------
        dict
            ``policies`` by label; ``positions``, a list a column: what they are, each measure by label,
            ``spread`` and ``liquidates_first``; ``accounts`` and ``balances``: the same for their measures;
            ``totals``.
        """
        from levcore.comparison.json import comparison_dict

        return comparison_dict(self)


def _missing(measure: str, length: int) -> npt.NDArray[Any]:
    if measure == "state":
        return np.full(length, State.INCOMPLETE, np.uint8)
    return np.zeros(length, np.bool_) if measure == "may_add_risk" else np.full(length, np.nan)
