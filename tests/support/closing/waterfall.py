"""An oracle for close-outs of linear positions: exact losses, and who pays, claim after claim."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

__all__ = ["Position", "Waterfall", "exact_loss"]


@dataclass(frozen=True, slots=True)
class Position:
    """A linear position of one contract a unit; `purse` is its account where it is cross, else itself."""

    instrument: str
    quantity: Fraction
    entry: Fraction
    purse: str


def exact_loss(position: Position, fill: Fraction, fee_rate: Fraction) -> Fraction:
    """Loss with fees of closing a position, not rounded."""
    return position.quantity * (position.entry - fill) + abs(position.quantity) * fill * fee_rate


@dataclass(slots=True)
class Waterfall:
    """Payers of claims, in whole quanta and lots; each claim passes all of them before the next comes."""

    fund: int
    lots: dict[tuple[str, bool], int]
    gains: int
    payers: Sequence[str]
    paid: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def serve(self, missing: int, position: Position, lots: int) -> None:
        """Pay what is missing for a closed position of so many lots."""
        given = dict.fromkeys(("fund", "deleveraging", "socialised"), 0)
        side = (position.instrument, position.quantity < 0)
        for payer in self.payers:
            if payer == "fund":
                given[payer] = min(missing, self.fund)
                self.fund -= given[payer]
            elif payer == "socialised":
                given[payer] = min(missing, self.gains)
                self.gains -= given[payer]
            elif missing:
                taken = min(lots, self.lots.get(side, 0))
                self.lots[side] = self.lots.get(side, 0) - taken
                given[payer] = int(Fraction(missing * taken, lots))
            missing -= given[payer]
        for payer, amount in given.items():
            self.paid[payer].append(amount)
        self.paid["unpaid"].append(missing)


def split(missing: int, values: Mapping[int, int]) -> dict[int, int]:
    """A purse's shortfall by its legs: in proportion to value, what is left one each to the largest."""
    total = sum(values.values())
    shares = {leg: missing * value // total for leg, value in values.items()}
    for leg in sorted(values, key=lambda each: -values[each])[: missing - sum(shares.values())]:
        shares[leg] += 1
    return shares
