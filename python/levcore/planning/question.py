"""What a trader asks of a plan."""

import math
from dataclasses import dataclass
from typing import Literal

from levcore.arguments import is_word
from levcore.errors import InputError

__all__ = ["Question", "Side"]

Side = Literal["long", "short"]


@dataclass(frozen=True, slots=True)
class Question:
    """A position that is not there yet, and what is asked about it; `levcore.plan` describes the fields.

    Raises
    ------
    InputError
        Where a number is out of its range.
    """

    symbol: str
    side: Side
    size: float
    entry: float
    leverage: float | None = None
    margin: float | None = None
    cross: bool = False
    wallet: float | None = None
    stop: float | None = None
    budget: float | None = None
    move: float | None = None
    gap: float | None = None
    call_at: float | None = None
    fees: Literal["regular"] | float | None = None
    funding_a_day: float | None = None

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not is_word(self.side, ("long", "short")):
            raise InputError("side", "must be a side", "'long' or 'short'", repr(self.side))
        for name in ("size", "entry", "leverage", "margin", "wallet", "stop", "budget"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise InputError(name, "must be positive and finite", "> 0", repr(value))
        self._within("move", -1.0, math.inf, "-0.15 for a fall by 15 %")
        self._within("gap", 0.0, 1.0 if self.side == "long" else math.inf, "0.15 for 15 % past the trigger")
        self._within("call_at", 0.0, 10.0, "0.8 for a margin ratio of 80 %")
        self._within("funding_a_day", -1.0, 1.0, "0.0003 for 0.03 % a day")
        if isinstance(self.fees, float):
            self._within("fees", -0.01, 0.1, "'regular', or your rate: 0.0005 for 0.05 %")
        if self.leverage is None and self.margin is None and not self.cross:
            raise InputError(
                "leverage", "is needed", "leverage, or the margin of an isolated position", "none"
            )
        if self.cross and self.wallet is None:
            raise InputError("wallet", "is needed for a cross position", "the balance behind it", "none")
        if self.cross and self.margin is not None:
            raise InputError("margin", "belongs to isolated positions", "wallet", repr(self.margin))

    def _within(self, name: str, low: float, high: float, example: str) -> None:
        value = getattr(self, name)
        if value is not None and not low < value < high and not (name == "gap" and value == 0):
            raise InputError(name, f"must be a fraction between {low:g} and {high:g}", example, repr(value))

    @property
    def sign(self) -> int:
        """1 for a long, -1 for a short."""
        return 1 if self.side == "long" else -1

    @property
    def mode(self) -> Literal["isolated", "cross"]:
        """Margin mode."""
        return "cross" if self.cross else "isolated"
