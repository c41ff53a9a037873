"""One account's positions as an evaluation needs them, and readings of its result by name.

A `Case` is what a reply says, with None where it says nothing; replacing a part of it and evaluating again is
how missing inputs are recovered and how differences are explained. The numbers are the engine's.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from levcore.book.positions import PositionBook
from levcore.engine.engine import Engine
from levcore.engine.risk import BookRisk
from levcore.errors import UnknownRuleError
from levcore.reconciliation.evaluation import Evaluation
from levcore.rules.instruments import Instrument, InstrumentTable, Payoff
from levcore.rules.policy import MarginPolicy
from levcore.rules.terms import CHOICES, UNKNOWN
from levcore.rules.tiers import TierTable
from levcore.venues.positions.reply import VenuePosition
from levcore.venues.printed_number import EXACT

__all__ = ["Case", "InstrumentFacts"]

ACCOUNT = "account"
OF_ACCOUNT = ("equity", "inverse_margin_ratio", "liquidation_price", "bankruptcy_price")
"""Readings of a cross position that its whole account decides."""
# Stands in for a number that nobody gave. What depends on it is found by putting another in its place.
STAND_INS: dict[str, tuple[float, float]] = {
    "maintenance_rate": (0.01, 0.011),
    "closing_fee_rate": (0.0, 0.0005),
    "leverage": (1.0, 2.0),
    "contract_size": (1.0, 2.0),
    "mark_price": (1.0, 1.01),
    "entry_price": (1.0, 1.01),
}
"""Two stand-ins for each input; those of prices are multiples of the other price of the position."""
HEDGE_STAND_INS = ("sum", "larger_leg")
NOT_COMPUTED = {"closing_fee_bankruptcy_cross": "margin"}
"""Values of rules that the engine knows and does not compute."""


@dataclass(frozen=True, slots=True)
class InstrumentFacts:
    """What is known of an instrument; None is unknown.

    Parameters
    ----------
    payoff : {"linear", "inverse", "quanto"}
    contract_size : Decimal or None
    tiers : TierTable or None
    tiers_from : str
        Where the table comes from, for the reader.
    multiplier : float
    tick_size : float or None
    isolated_only : bool
        Whether the instrument given, or the policy's own table, lists it for isolated margin alone.
    """

    payoff: Payoff
    contract_size: Decimal | None
    tiers: TierTable | None
    tiers_from: str = ""
    multiplier: float = 1.0
    tick_size: float | None = None
    isolated_only: bool = False


@dataclass(frozen=True)
class Case:
    """Positions of one account under one policy.

    Parameters
    ----------
    policy : MarginPolicy
        Rules; its instruments are not used.
    facts : mapping of str to InstrumentFacts
        By the names of the positions.
    positions : tuple of VenuePosition
    wallet_balance : Decimal or None
    wallet_without_entry_value : bool
        See `AccountReply`.
    stand_in : mapping of str to int
        Which of the two stand-ins an input takes while it is missing.
    """

    policy: MarginPolicy
    facts: Mapping[str, InstrumentFacts]
    positions: tuple[VenuePosition, ...]
    wallet_balance: Decimal | None = None
    wallet_without_entry_value: bool = False
    stand_in: Mapping[str, int] | None = None

    def with_position(self, row: int, **changes: Any) -> "Case":
        """Return the case with fields of one position replaced."""
        changed = replace(self.positions[row], **changes)
        return replace(self, positions=(*self.positions[:row], changed, *self.positions[row + 1 :]))

    def alone(self, row: int) -> "Case":
        """One position by itself, for the numbers that the rest of the account does not touch."""
        position = self.positions[row]
        facts = {position.instrument: self.facts[position.instrument]}
        return replace(self, positions=(position,), facts=facts, wallet_balance=None)

    def needs_account(self, row: int, reading: str) -> bool:
        """Whether a number of a row depends on the other positions of its account."""
        return self.positions[row].margin_mode == "cross" and reading in OF_ACCOUNT

    def with_mark(self, instrument: str, price: Decimal) -> "Case":
        """Return the case with another mark price of an instrument."""
        positions = tuple(
            replace(each, mark_price=price) if each.instrument == instrument else each
            for each in self.positions
        )
        return replace(self, positions=positions)

    def with_facts(self, instrument: str, **changes: Any) -> "Case":
        """Return the case with facts of an instrument replaced."""
        return replace(self, facts={**self.facts, instrument: replace(self.facts[instrument], **changes)})

    def with_rules(self, **rules: Any) -> "Case":
        """Return the case under other rules."""
        return replace(self, policy=self.policy.replace(**rules))

    def missing(self, row: int) -> tuple[str, ...]:
        """Inputs of a row that nobody gave: names of `STAND_INS`, the wallet, the rule for hedged legs."""
        position = self.positions[row]
        facts = self.facts[position.instrument]
        absent = {
            "contract_size": facts.contract_size is None,
            "mark_price": position.mark_price is None,
            "entry_price": position.entry_price is None,
            "leverage": position.leverage is None,
            "closing_fee_rate": self.policy.closing_fee_rate == UNKNOWN,
            "maintenance_rate": facts.tiers is None,
            "wallet_balance": position.margin_mode == "cross" and self.wallet_balance is None,
            "hedge_requirement": self.is_hedged and self.policy.hedge_requirement == UNKNOWN,
        }
        return (*(name for name, is_absent in absent.items() if is_absent), *self.unknown_rules)

    @cached_property
    def unknown_rules(self) -> tuple[str, ...]:
        """Rules that no source states, where the engine refuses the positions for one of them."""
        if self._plain_risk is not None:
            return ()
        rules = {rule: getattr(self.policy, rule) for rule in CHOICES}
        return tuple(
            rule
            for rule, value in rules.items()
            if value in (UNKNOWN, NOT_COMPUTED.get(rule)) and rule != "hedge_requirement"
        )

    @cached_property
    def _plain_risk(self) -> BookRisk | None:
        """Result under the policy as it is; None where the engine refuses it for a rule."""
        try:
            return self._evaluated(self.policy, None)
        except UnknownRuleError:
            return None

    def is_not_computed(self, name: str) -> bool:
        """Whether a rule has a value that the engine knows and does not compute."""
        return name in NOT_COMPUTED and getattr(self.policy, name) == NOT_COMPUTED[name]

    def stand_ins(self, name: str) -> int:
        """How many stand-ins an input has: a rule has all of its values."""
        is_rule = name in CHOICES and name != "hedge_requirement"
        return len(_known_choices(name)) if is_rule else 2

    @cached_property
    def is_hedged(self) -> bool:
        """Whether an instrument has several cross legs."""
        names = [each.instrument for each in self.positions if each.margin_mode == "cross"]
        return len(set(names)) < len(names)

    @cached_property
    def evaluation(self) -> "Evaluation":
        """Result of the engine, with stand-ins for what is missing."""
        return Evaluation(self, self._risk(self.policy) if self._plain_risk is None else self._plain_risk)

    def risk_at_entry(self, row: int) -> BookRisk:
        """Result with the mark of a row's instrument at the entry price of that row."""
        name, (_, entry) = self._prices()[row]
        return self._risk(self.policy, {name: entry})

    def risk_by_mark(self) -> BookRisk:
        """Result with margins at the mark, whatever the policy says."""
        bases = {
            "initial_margin_basis_isolated": "mark",
            "initial_margin_basis_cross": "mark",
            "requirement_basis_isolated": "price",
            "requirement_basis_cross": "price",
        }
        return self._risk(self.policy.replace(**bases))

    def wallet(self) -> float | None:
        """Wallet balance as the engine takes it."""
        if self.wallet_balance is None:
            return None
        wallet = self.wallet_balance
        if self.wallet_without_entry_value:
            for each in self.positions:
                if each.margin_mode == "cross" and each.entry_price is not None:
                    wallet = EXACT.add(wallet, EXACT.multiply(each.quantity, each.entry_price))
        return float(wallet)

    def _risk(self, policy: MarginPolicy, marks: Mapping[str, float] | None = None) -> BookRisk:
        which = self.stand_in or {}
        rules: dict[str, Any] = {
            rule: _known_choices(rule)[which.get(rule, 0)]
            for rule in self.unknown_rules
            if getattr(policy, rule) in (UNKNOWN, NOT_COMPUTED.get(rule))
        }
        return self._evaluated(policy.replace(**rules) if rules else policy, marks)

    def _evaluated(self, policy: MarginPolicy, marks: Mapping[str, float] | None) -> BookRisk:
        if policy.closing_fee_rate == UNKNOWN:
            policy = policy.replace(closing_fee_rate=self._stand_in("closing_fee_rate"))
        if self.is_hedged and policy.hedge_requirement == UNKNOWN:
            which = (self.stand_in or {}).get("hedge_requirement", 0)
            policy = policy.replace(hedge_requirement=HEDGE_STAND_INS[which])
        rows = self._prices()
        prices = {name: mark for name, (mark, _) in reversed(rows)} if marks is None else marks
        table = InstrumentTable(
            [self._instrument(name, policy) for name in dict.fromkeys(name for name, _ in rows)]
        )
        return Engine(policy.replace(instruments=table)).evaluate(self._book(rows), prices)

    def _book(self, rows: list[tuple[str, tuple[float, float]]]) -> PositionBook:
        wallet = self.wallet()
        return PositionBook(
            instrument=[name for name, _ in rows],
            quantity=[float(each.quantity) for each in self.positions],
            entry_price=[entry for _, (_, entry) in rows],
            account=[ACCOUNT] * len(rows),
            margin_mode=[each.margin_mode for each in self.positions],
            isolated_margin=[self.isolated_margin(each) for each in self.positions],
            leverage=[
                self._stand_in("leverage") if each.leverage is None else float(each.leverage)
                for each in self.positions
            ],
            wallet_balance=None if wallet is None else {ACCOUNT: wallet},
            position_mode="hedge" if self.is_hedged else "one_way",
        )

    def isolated_margin(self, position: VenuePosition) -> float:
        """Margin of a position as the engine takes it, NaN where there is none."""
        margin = position.isolated_margin
        if position.margin_mode == "cross" or margin is None:
            return math.nan
        if position.margin_without_entry_value and position.entry_price is not None:
            margin = EXACT.add(margin, EXACT.multiply(position.quantity, position.entry_price))
        return float(margin)

    def _instrument(self, name: str, policy: MarginPolicy) -> Instrument:
        facts = self.facts[name]
        size = facts.contract_size
        tiers = facts.tiers
        if tiers is None:
            tiers = single_rate(policy, self._stand_in("maintenance_rate"))
        return Instrument(
            name,
            facts.payoff,
            tiers,
            contract_size=self._stand_in("contract_size") if size is None else float(size),
            multiplier=facts.multiplier,
            tick_size=facts.tick_size,
        )

    def _prices(self) -> list[tuple[str, tuple[float, float]]]:
        """Instrument, mark and entry of each row."""
        rows = []
        for each in self.positions:
            mark, entry = each.mark_price, each.entry_price
            known = float(mark or entry or 1)
            rows.append(
                (
                    each.instrument,
                    (
                        known * self._stand_in("mark_price") if mark is None else float(mark),
                        known * self._stand_in("entry_price") if entry is None else float(entry),
                    ),
                )
            )
        return rows

    def _stand_in(self, name: str) -> float:
        return STAND_INS[name][(self.stand_in or {}).get(name, 0)]


def _known_choices(rule: str) -> tuple[Any, ...]:
    return tuple(value for value in CHOICES[rule] if value not in (UNKNOWN, NOT_COMPUTED.get(rule)))


def single_rate(policy: MarginPolicy, rate: Decimal | float | str) -> TierTable:
    """One maintenance rate at every size, in the unit of the policy's tables."""
    unit = policy.table_units[0]
    if unit in ("contracts", "risk_limit"):
        return TierTable.flat([(0, rate)], unit=unit)
    return TierTable.single_rate(rate, unit=unit)
