"""Prices at which nobody is liquidated: far from their mean, stale, halted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from levcore.arguments import is_number, of_kind, rows_of
from levcore.book.marks import mark_prices
from levcore.closing.purses import names_of_purses
from levcore.errors import DTypeError, InputError

if TYPE_CHECKING:
    from levcore.book.marks import Marks
    from levcore.engine.risk import BookRisk

__all__ = ["Guard", "spared_rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What is known of the prices beside their numbers, as ``levcore.close_out(guard=...)`` takes it.

    Parameters
    ----------
    means : optional
        Mean price of each instrument, as marks are given, over the time that the policy's guard names
        (Drift: 5 minutes). A policy with a ``close_out_guard_band`` refuses an instrument without one.
    halted : iterable of str
        Instruments that are not traded.
    ages : mapping of str to float, seconds
        How old the prices are.
    oldest : float, seconds
        Age above which a price is stale.
    """

    means: "Marks | None" = None
    halted: Iterable[str] = ()
    ages: Mapping[str, float] = field(default_factory=dict)
    oldest: float = np.inf


def _read(guard: Guard | None) -> Guard:
    """A guard whose parts are what they should be; none: nothing is known."""
    if guard is None:
        return Guard()
    of_kind("guard", guard, Guard)
    words = rows_of("halted", guard.halted)
    if not all(isinstance(name, str) for name in words):
        raise DTypeError("halted", "must be names of instruments", "texts", repr(words[:3]))
    if not isinstance(guard.ages, Mapping) or not all(is_number(age) for age in guard.ages.values()):
        raise DTypeError("ages", "must be seconds by instrument", "a mapping", type(guard.ages).__name__)
    if not is_number(guard.oldest):
        raise DTypeError("oldest", "must be seconds", "a number", type(guard.oldest).__name__)
    return Guard(means=guard.means, halted=words, ages=guard.ages, oldest=guard.oldest)


def spared_rows(risk: "BookRisk", guard: Guard | None) -> npt.NDArray[np.bool_]:
    """Rows that are not liquidated, shape (n,): with a guarded price, or in one account with such a row.

    Raises
    ------
    InputError
        Where the policy has a band and the mean of a price that would liquidate is missing.
    """
    book, band = risk.book, risk.policy.close_out_guard_band
    known = _read(guard)
    names = book.instrument_names
    guarded = np.array([name in set(known.halted) for name in names], dtype=bool)
    guarded |= np.array([known.ages.get(name, 0.0) > known.oldest for name in names], dtype=bool)
    if band > 0 and len(book):
        if known.means is None:
            rule = "must hold the mean prices, outside of whose band the policy liquidates nobody"
            raise InputError("guard", rule, "Guard(means=...)", "None")
        means = np.array(mark_prices(book, known.means, "guard.means")).reshape(-1)
        marks = np.array(np.asarray(risk.marks)).reshape(-1)
        used = np.unique(book.instrument_codes)
        missing = used[~(means[used] > 0)]
        if missing.size:
            name = names[int(missing[0])]
            found = repr(float(means[missing[0]]))
            raise InputError("guard", "must hold the mean of each price", name, found)
        with np.errstate(invalid="ignore"):
            guarded |= np.abs(marks - means) > band * means
    rows = guarded[book.instrument_codes] & (book.quantity != 0)
    purse = names_of_purses(risk)
    spared: npt.NDArray[np.bool_] = np.isin(purse, purse[rows])
    return spared
