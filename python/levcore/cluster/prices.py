"""Mark prices of a book that comes in parts: one an instrument, whichever part brings it."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from levcore.arguments import optional
from levcore.book.arrays import real_number
from levcore.book.frames import Positions
from levcore.book.marks import Marks
from levcore.errors import InputError

__all__ = ["Prices"]

REMEDY = "one mark an instrument in the whole book: give them as marks="
Key = tuple[str, str]
"""Policy label, empty without a column of them, and instrument."""


class Prices:
    """Marks that were given, those that the parts brought so far, and those that were missing.

    Parameters
    ----------
    given : mapping of instrument to price, or of policy label to such a mapping, optional
    """

    __slots__ = ("brought", "given", "missing")

    given: dict[str, Any]

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        optional("marks", given, Mapping)
        self.given = dict(given or {})
        self.brought: dict[Key, float] = {}
        self.missing: set[Key] = set()

    def of(self, positions: Positions) -> Marks:
        """Marks of the instruments of a part; its own are held against those of earlier parts.

        Raises
        ------
        InputError
            Where an instrument has two marks, or gets one after a part was evaluated without.
        """
        own = positions.marks_of_policies or {"": positions.marks}
        brought = {(label, name): price for label, prices in own.items() for name, price in prices.items()}
        for (label, name), price in brought.items():
            given = self._given(label, name)
            if not math.isnan(given) and given != price:
                raise InputError(
                    "marks", f"contradicts the column mark_price for {name}", repr(price), repr(given)
                )
        self._bring(brought)
        found: dict[str, dict[str, float]] = {label: {} for label in own}
        for label, name in _listings(positions):
            price = self.brought.get((label, name), self._given(label, name))
            found[label][name] = price
            if math.isnan(price):
                self.missing.add((label, name))
        return found if positions.policy_names else found[""]

    def without_given(self) -> "Prices":
        """What the parts brought and missed alone."""
        alone = Prices()
        alone.brought, alone.missing = self.brought, self.missing
        return alone

    def add(self, other: "Prices") -> None:
        """Take over what another part of the book brought and missed.

        Raises
        ------
        InputError
            As for `of`.
        """
        self._bring(other.brought)
        self.missing |= other.missing
        self._refuse_missing(self.brought)

    def _bring(self, prices: Mapping[Key, float]) -> None:
        for (label, name), price in prices.items():
            known = self.brought.setdefault((label, name), price)
            if known != price:
                rule = f"contradicts an earlier part of the book for {name}"
                raise InputError(
                    "mark_price", f"{rule} (one evaluation is at one time)", repr(known), repr(price)
                )
        self._refuse_missing(prices)

    def _refuse_missing(self, prices: Mapping[Key, float]) -> None:
        late = next((key for key in prices if key in self.missing), None)
        if late is not None:
            rule = f"is there for {late[1]} in one part of the book, and was missing in another"
            raise InputError("mark_price", rule, REMEDY, repr(prices[late]))

    def _given(self, label: str, name: str) -> float:
        of_label = self.given.get(label)
        prices = of_label if isinstance(of_label, Mapping) else self.given
        price = prices.get(name, math.nan)
        # Of another label's prices none is this one's.
        return math.nan if isinstance(price, Mapping) else real_number(f"marks[{name!r}]", price)


def _listings(positions: Positions) -> list[Key]:
    """Instruments of the rows, with the label of their policy."""
    instrument, policy = positions.columns.texts["instrument"], positions.columns.texts.get("policy")
    if policy is None:
        return [("", str(name)) for name in instrument.labels]
    pairs = np.unique(policy.codes.astype(np.int64) * max(1, len(instrument.labels)) + instrument.codes)
    codes = (divmod(pair, len(instrument.labels)) for pair in pairs.tolist())
    return [(str(policy.labels[code]), str(instrument.labels[name])) for code, name in codes]
