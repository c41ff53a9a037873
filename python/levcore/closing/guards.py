"""Prices at which nobody is liquidated: far from their mean, stale, halted."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.arguments import is_number, of_kind, rows_of
from levcore.book.arrays import real_number
from levcore.book.labelled import column_names, labels_of, values_of
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

    def __post_init__(self) -> None:
        """Check what can be checked without a book, and keep the names that an iterator yields once."""
        words = tuple(rows_of("halted", self.halted))
        if not all(isinstance(name, str) for name in words):
            raise DTypeError("halted", "must be names of instruments", "texts", repr(list(words[:3])))
        object.__setattr__(self, "halted", words)
        if not isinstance(self.ages, Mapping) or not all(is_number(age) for age in self.ages.values()):
            raise DTypeError("ages", "must be seconds by instrument", "a mapping", type(self.ages).__name__)
        if not is_number(self.oldest):
            raise DTypeError("oldest", "must be seconds", "a number", type(self.oldest).__name__)
        for name, seconds in (("oldest", (self.oldest,)), ("ages", self.ages.values())):
            if any(map(math.isnan, seconds)):
                # Every comparison with it is false: nothing would be stale, in silence.
                raise InputError(name, "must be known", "seconds", "NaN")
        if self.means is not None:
            _check_means(self.means)


def _check_means(means: Any) -> None:
    """Refuse what are no prices; whose they are is found with the book."""
    plain: Iterable[Any] = means if isinstance(means, (list, tuple)) else ()
    if isinstance(means, Mapping):
        plain = means.values()
    elif labels_of(means) is None and column_names(means) is None and np.ndim(values_of(means)) == 0:
        expected = "a mapping, or one price an instrument"
        raise DTypeError("means", "must be prices by instrument", expected, type(means).__name__)
    for each in plain:
        # Columns, and prices by policy, are read with the book.
        if not isinstance(each, Mapping) and np.ndim(values_of(each)) == 0:
            real_number("means", each)


def spared_rows(risk: "BookRisk", guard: Guard | None) -> npt.NDArray[np.bool_]:
    """Rows that are not liquidated, shape (n,): with a guarded price, or in one account with such a row.

    Raises
    ------
    InputError
        Where the policy has a band and the mean of a price that would liquidate is missing.
    """
    book, band = risk.book, risk.policy.close_out_guard_band
    if guard is not None:
        of_kind("guard", guard, Guard)
    known = Guard() if guard is None else guard
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
