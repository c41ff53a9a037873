"""An asset held against a debt, beside what the venue prints of it.

The requirement is a rate of the debt, ``(1 + maintenance rate) * (1 + fee) - 1``. The reply prints the
maintenance margin without the fee, which gives the maintenance rate away, and the ratio with it, which then
gives the fee; what else it prints is compared.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from levcore.book.balances import Balances
from levcore.book.positions import PositionBook
from levcore.engine.engine import Engine
from levcore.engine.risk import BookRisk
from levcore.reconciliation.recover import MOST_DIGITS, Recovered
from levcore.reconciliation.result import ReconciledNumber, Verdict
from levcore.rules.assets import Asset
from levcore.rules.policy import MarginPolicy
from levcore.rules.tiers import TierTable
from levcore.venues.positions.reply import BorrowedPosition, Reported
from levcore.venues.printed_number import (
    EXACT,
    PrintedNumber,
    agreement,
    gap_and_share,
    plain,
    round_off,
    shortest_decimal,
)

__all__ = ["FEE", "Borrowed", "borrowed_of"]

FEE = "closing_fee_rate"
RATE = "maintenance_rate"
NEEDS = {
    RATE: "the maintenance rate of the debt: no rate of a few digits gives mmr",
    FEE: "the account's fee rate (--set closing_fee_rate=RATE): none of a few digits gives mgnRatio",
}


@dataclass(frozen=True)
class Borrowed:
    """A margin position under a policy, with the rates that are known of it.

    Parameters
    ----------
    position : BorrowedPosition
    policy : MarginPolicy
    maintenance_rate, fee : Decimal or None
        None where nobody gave them and the reply does not give them away.
    found : tuple of Recovered
        Those that came from the reply.
    """

    position: BorrowedPosition
    policy: MarginPolicy
    maintenance_rate: Decimal | None = None
    fee: Decimal | None = None
    found: tuple[Recovered, ...] = ()

    @property
    def rate(self) -> Decimal | None:
        """Requirement as a share of the debt; None where a part of it is not known."""
        if self.maintenance_rate is None or self.fee is None:
            return None
        both = EXACT.multiply(1 + self.maintenance_rate, 1 + self.fee)
        return EXACT.subtract(both, Decimal(1))

    def assets(self, rate: Decimal) -> tuple[Asset, ...]:
        """Assets for the policy, the one owed with a requirement at `rate`."""
        tiers = TierTable.single_rate(plain(rate))
        position = self.position
        return Asset(position.held), Asset(position.owed, liability_tiers=tiers)

    def balances(self, account: str = "account", label: str | None = None) -> Balances:
        """Both balances; the first is what is held."""
        position = self.position
        return Balances(
            [account, account],
            [position.held, position.owed],
            [float(position.amount), 0.0],
            liability=[0.0, float(position.liability)],
            interest=[0.0, float(position.interest)],
            policy=None if label is None else [label, label],
        )

    def evaluate(self, rate: Decimal) -> BookRisk:
        """Evaluate with a requirement at `rate` of the debt."""
        position = self.position
        assert position.mark_price is not None  # nothing is evaluated without
        prices = {position.quote: 1.0, position.base: float(position.mark_price)}
        book = PositionBook([], [], [], balances=self.balances())
        engine = Engine(self.policy.with_assets(self.assets(rate)))
        return engine.evaluate(book, {}, asset_prices=prices)

    def numbers(self) -> list[ReconciledNumber]:
        """Every number that the venue printed beside ours."""
        return [self._number(each) for each in self.position.reported]

    def _number(self, number: Reported) -> ReconciledNumber:
        printed = number.printed
        head = (self.position.place, self.position.instrument, number.field, number.reading)
        theirs = None if printed is None else printed.text
        lacking = number.note if not number.reading else self._lacking(number.reading)
        if lacking:
            return ReconciledNumber(
                *head, None, theirs, None, None, Verdict.NOT_DERIVABLE, "missing", lacking
            )
        raw = self._ours(number.reading)
        ours = raw if math.isfinite(raw) else None
        if printed is None or ours is None:
            if printed is None and ours is None:
                return ReconciledNumber(*head, None, None, None, None, Verdict.SAME, "", "no price in either")
            reason = "the venue prints none" if printed is None else ""
            return ReconciledNumber(*head, ours, theirs, None, None, Verdict.DIFFERS, "", reason)
        gap, share = gap_and_share(ours, printed)
        source = next((each for each in self.found if each.field == number.field), None)
        if source is not None:
            text = f"{source.name} {source.value} was recovered from it"
            return ReconciledNumber(*head, ours, theirs, gap, share, Verdict.INPUT, "input", text)
        how = agreement(ours, printed, round_off(ours, float(self.position.mark_price or 0)))
        verdict = {"nearest": Verdict.SAME, None: Verdict.DIFFERS}.get(how, Verdict.ROUNDED)
        cut = verdict is Verdict.ROUNDED
        reason = f"cut to {printed.unit:f}" if cut else ""
        return ReconciledNumber(*head, ours, theirs, gap, share, verdict, "cut" if cut else "", reason)

    def _lacking(self, reading: str) -> str:
        if self.position.mark_price is None:
            return "needs the mark price"
        if self.maintenance_rate is None:
            return f"needs {NEEDS[RATE]}"
        return f"needs {NEEDS[FEE]}" if self.fee is None and reading != "maintenance_margin" else ""

    def _ours(self, reading: str) -> float:
        if reading == "maintenance_margin":
            assert self.maintenance_rate is not None  # said by _lacking
            margin = float(self.evaluate(self.maintenance_rate).accounts.maintenance_margin[0])
            return margin / float(self.position.mark_price or 1) if self._holds_base else margin
        assert self.rate is not None  # said by _lacking
        risk = self.evaluate(self.rate)
        if reading == "inverse_margin_ratio":
            ratio = float(risk.accounts.margin_ratio[0])
            return 1.0 / ratio if ratio else float("inf")
        assert risk.balances is not None  # the book has balances
        prices = risk.balances.liquidation_price_lower, risk.balances.liquidation_price_upper
        return float(prices[0][0] if self._holds_base else prices[1][1])

    @property
    def _holds_base(self) -> bool:
        return self.position.held == self.position.base


def borrowed_of(position: BorrowedPosition, policy: MarginPolicy, rules: Mapping[str, Any]) -> Borrowed:
    """Margin position with the rates that the caller states or its own numbers give away."""
    fee = Decimal(repr(float(rules[FEE]))) if FEE in rules else None
    # The fee is a part of the debt's rate; as a rule of the policy it would be charged on futures.
    made = Borrowed(position, policy, fee=fee)
    printed = {each.reading: each for each in position.reported if each.printed is not None}
    mark = position.mark_price
    if mark is None:
        return made
    debt = EXACT.add(position.liability, position.interest)
    owed = EXACT.divide(debt, mark) if position.held == position.base else EXACT.multiply(debt, mark)
    margin, ratio = printed.get("maintenance_margin"), printed.get("inverse_margin_ratio")
    if margin is not None and margin.printed is not None:
        low, high = (EXACT.divide(each, owed) for each in _ends(margin.printed))
        made = _with(made, RATE, margin.field, low, high)
    if made.maintenance_rate is None or made.fee is not None or ratio is None or ratio.printed is None:
        return made
    free = EXACT.subtract(position.amount, owed)
    ends = _ends(ratio.printed)
    if ends[0] <= 0 or free <= 0:
        return made
    share = 1 + made.maintenance_rate
    low, high = (
        EXACT.divide(1 + EXACT.divide(free, EXACT.multiply(owed, end)), share) - 1 for end in reversed(ends)
    )
    return _with(made, FEE, ratio.field, low, high)


def _ends(printed: PrintedNumber) -> tuple[Decimal, Decimal]:
    """What a printed number leaves open, float64 round-off included."""
    room = max(printed.unit, abs(printed.value) * Decimal("4e-15"))
    return EXACT.subtract(printed.value, room), EXACT.add(printed.value, room)


def _with(made: Borrowed, name: str, field: str, low: Decimal, high: Decimal) -> Borrowed:
    if low > high or high <= 0:
        return made
    value = shortest_decimal(low, high)
    if not 0 <= value < 1 or len(value.normalize().as_tuple().digits) > MOST_DIGITS[name]:
        return made
    found = (*made.found, Recovered(name, made.position.instrument, value, field, 0))
    if name == RATE:
        return replace(made, maintenance_rate=value, found=found)
    return replace(made, fee=value, found=found)
