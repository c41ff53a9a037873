"""The highest leverage that outlives a move, over whole books.

No formula of a margin stands here: what an isolated position has left above its liquidation is read off two
evaluations, of which it is a line in the share that margin is of value, and what the line says is evaluated.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats
from levcore.book.policy_labels import labels_of_book
from levcore.book.positions import PositionBook
from levcore.engine.engine import Engine
from levcore.errors import InputError
from levcore.rules.policy import MarginPolicy
from levcore.rules.shared_instruments import SharedInstruments
from levcore.status import FIRST_PARTIAL, State

__all__ = ["survivable_leverage"]

HIGHEST_LEVERAGE = 1000.0
HALVINGS = 60
NEAR = 1e-12
"""Share of a leverage by which what survives and what does not lie apart."""
OTHER_SHARE = 0.95
"""Share of the value that is the margin in the second evaluation; all of it is in the first."""


def survivable_leverage(
    engine: Engine, book: PositionBook, move: float, *, highest: float = HIGHEST_LEVERAGE
) -> Floats:
    """Highest leverage at which each isolated position, opened at its entry price, is alive after a move.

    Parameters
    ----------
    engine : Engine
    book : PositionBook
        Isolated rows; their margin and leverage do not matter.
    move : float
        Of every price from its entry, ``-0.15`` is a fall by 15 %; above -1.
    highest : float
        Leverage to end at.

    Returns
    -------
    ndarray of float64, shape (n,)
        From 1 to `highest`, alive by evaluation, and dead at a share of 2e-12 more; 0 where the position does
        not survive without leverage, NaN where it could not be judged. Maximum leverages of the venue are not
        considered.

    Raises
    ------
    InputError
        For cross rows, whose liquidation does not depend on their leverage, a move of -1 or less, and a
        highest leverage below 1.

    Notes
    -----
    With the share u = 1 / leverage, equity and requirement of an isolated position are lines in u where the
    rules ask for no fee that divides by it. Their difference is read at u = 1 and u = 0.95, and its zero is
    tried on both sides. Rows that the line does not hold for are found by halving: the leverages that survive
    lie below those that do not.
    """
    if book.is_cross.any():
        raise InputError("book", "must hold isolated positions", "no cross rows", "cross rows")
    if not -1 < move < np.inf:
        raise InputError("move", "must be a fraction above -1", "-0.15 for a fall by 15 %", repr(move))
    if not 1 <= highest < np.inf:
        raise InputError("highest", "must be a leverage", "1 or more", repr(highest))
    trial = _Trial(engine, book, move)
    one = np.ones(len(book))
    at_one = trial.survives(one)
    found = np.where(np.isnan(at_one), np.nan, 0.0)
    tried = np.clip(trial.line_zero(), 1.0, highest)
    low, high = np.maximum(tried * (1.0 - NEAR), 1.0), np.minimum(tried * (1.0 + NEAR), highest)
    alive = at_one == 1.0
    with_low, with_high = trial.survives(low) == 1.0, trial.survives(high) == 1.0
    found[alive & with_low] = low[alive & with_low]
    found[alive & with_high] = high[alive & with_high]
    left = np.flatnonzero(alive & (with_high & (high < highest) | ~with_low))
    if left.size:
        found[left] = _halved(trial.part(left), highest)
    return found


def _halved(trial: "_Trial", highest: float) -> Floats:
    low, high = np.ones(len(trial.given)), np.full(len(trial.given), float(highest))
    at_high = trial.survives(high) == 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        alive = trial.survives(middle) == 1.0
        low, high = np.where(alive, middle, low), np.where(alive, high, middle)
    return np.where(at_high, highest, low)


@dataclass(frozen=True)
class _Trial:
    """A book whose rows have marks of their own: at their entry prices, and after the move."""

    engine: Engine
    given: PositionBook
    move: float

    def part(self, rows: npt.NDArray[np.intp]) -> "_Trial":
        """The trial of some rows."""
        given = self.given
        return _Trial(
            self.engine, _isolated(given, given.instrument_codes, given.instrument_names, rows), self.move
        )

    @cached_property
    def _contracts(self) -> tuple[npt.NDArray[np.uint32], tuple[str, ...], Floats]:
        """Code of each row, and the name and entry price of each contract."""
        book = self.given
        prices, of_rows = np.unique(book.entry_price, return_inverse=True)
        kinds = book.instrument_codes.astype(np.int64) * max(prices.size, 1) + of_rows
        kinds, codes = np.unique(kinds, return_inverse=True)
        entries = prices[kinds % max(prices.size, 1)]
        bases = (kinds // max(prices.size, 1)).tolist()
        names = tuple(f"{book.instrument_names[base]} {{{number}}}" for number, base in enumerate(bases))
        return codes.astype(np.uint32), names, entries

    @cached_property
    def _judge(self) -> Engine:
        """The engine under the names of the contracts; what a policy lacks stays lacking."""
        bases = [name.rpartition(" {")[0] for name in self._contracts[1]]

        def shared(policy: MarginPolicy) -> MarginPolicy:
            table = policy.instruments
            known = {name: table[name] for name in {*bases} if name in table}
            named = zip(self._contracts[1], bases, strict=True)
            return policy.replace(
                instruments=SharedInstruments({own: known[base] for own, base in named if base in known})
            )

        used = labels_of_book(self.given, tuple(self.engine.policies))
        policies = {label: shared(self.engine.policies[label]) for label in used}
        return Engine(policies, threads=self.engine.threads, instruction_set=self.engine.instruction_set)

    def survives(self, leverage: Floats) -> Floats:
        """Say of each row whether it is alive (1), liquidated (0) or not judged (NaN), opened and moved."""
        alive = np.full(len(self.given), np.nan)
        for verdict, _ in self._evaluated(leverage):
            alive = np.where(np.isnan(alive) | (verdict < alive), verdict, alive)
        return alive

    def line_zero(self) -> Floats:
        """Leverage at which nothing is left above the liquidation, opened or moved, were it a line."""
        levels = [float(policy.known("liquidation_level")) for policy in self._judge.policies.values()]
        codes = 0 if self.given.policy_codes is None else self.given.policy_codes
        level = np.array(levels)[codes]
        share = np.zeros(len(self.given))
        first, second = (
            [
                equity * level - required
                for _, (equity, required) in self._evaluated(np.full(share.size, 1.0 / u))
            ]
            for u in (1.0, OTHER_SHARE)
        )
        for at_one, at_other in zip(first, second, strict=True):
            with np.errstate(divide="ignore", invalid="ignore"):
                slope = (at_one - at_other) / (1.0 - OTHER_SHARE)
                share = np.fmax(share, 1.0 - at_one / slope)
        with np.errstate(divide="ignore"):
            return np.where(share > 0.0, 1.0 / share, np.inf)

    def _evaluated(self, leverage: Floats) -> list[tuple[Floats, tuple[Floats, Floats]]]:
        """Verdict, equity and requirement of each row at its entry price and after the move."""
        codes, names, _ = self._contracts
        tried = _isolated(self.given, codes, names, leverage=leverage)
        results = []
        for factor in (1.0, 1.0 + self.move):
            marks = self._contracts[2] * factor
            risk = self._judge.evaluate(tried, marks, measures=("equity", "margin_ratio"))
            dead = risk.state >= State.LIQUIDATION
            verdict = np.where(risk.status < FIRST_PARTIAL, np.where(dead, 0.0, 1.0), np.nan)
            with np.errstate(invalid="ignore"):
                results.append((verdict, (risk.equity, risk.margin_ratio * risk.equity)))
        return results


def _isolated(
    book: PositionBook,
    codes: npt.NDArray[np.uint32],
    names: tuple[str, ...],
    rows: slice | npt.NDArray[np.intp] = slice(None),
    leverage: Floats | None = None,
) -> PositionBook:
    """Rows of a book without margin, in these instruments."""

    def chosen(column: Floats | None) -> Floats | None:
        return None if column is None else np.array(column[rows])

    return PositionBook(
        np.array(codes[rows]),
        np.array(book.quantity[rows]),
        np.array(book.entry_price[rows]),
        leverage=leverage,
        accrued_funding=chosen(book.accrued_funding),
        risk_limit=chosen(book.risk_limit),
        instrument_names=names,
        policy=None if book.policy_codes is None else np.array(book.policy_codes[rows]),
        policy_names=None if book.policy_codes is None else book.policy_names,
    )
