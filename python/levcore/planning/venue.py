"""A position under one policy: every number of a plan, and in words why one is missing."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from levcore.planning.contract import Contract
from levcore.planning.desk import Desk
from levcore.planning.fees import PlanFees
from levcore.planning.question import Question
from levcore.rules.policy import MarginPolicy

__all__ = ["Mode", "Point", "Rung", "VenuePlan"]


@dataclass(frozen=True, slots=True)
class Point:
    """A price that matters, and what closing the position there costs; NaN: not known.

    Parameters
    ----------
    name : {"warning", "margin call", "your call", "liquidation", "bankruptcy", "stop", "gap", "move", "zero"}
    price : float, quote per base
    move : float, fraction of the entry price
    to_trigger, past_trigger : float, settlement currency
        Loss up to the price of liquidation, and beyond it.
    fees : float, settlement currency
        Of opening and of closing there; NaN where no fees are chosen.
    equity : float, settlement currency
        What is left before fees; negative: the shortfall.
    """

    name: str
    price: float
    move: float
    to_trigger: float
    past_trigger: float
    fees: float
    equity: float

    @property
    def loss(self) -> float:
        """Loss by the price alone."""
        return self.to_trigger + self.past_trigger

    @property
    def shortfall(self) -> float:
        """What the margin does not cover, before fees."""
        return max(0.0, -self.equity)


@dataclass(frozen=True, slots=True)
class Rung:
    """The isolated position at one leverage of the ladder; `allowed` is None where no maximum is known."""

    leverage: float
    allowed: bool | None
    margin: float
    price: float
    move: float
    loss: float
    told: str


@dataclass(frozen=True, slots=True)
class Mode:
    """The position in the other margin mode."""

    name: str
    price: float
    move: float
    at_stake: float
    told: str


@dataclass(frozen=True)
class VenuePlan:
    """What a plan says under one policy; made by `levcore.plan`.

    Parameters
    ----------
    question : Question
    policy : MarginPolicy
    fees : PlanFees
    contract : Contract or None
        None where the venue has no such contract.
    refused : str
        Why the engine cannot evaluate the position at all; empty where it can.
    value, margin, at_stake : float, settlement currency
        Value at entry; margin to open; what the position can draw on: margin, or wallet where it is cross.
    maximum_leverage : float
        Of the tier of this size; NaN: not stated.
    break_even : float, quote per base
        Price that pays both fees.
    points : mapping of name to Point
    why_not : mapping of name to str
        Why a point, or a number, is missing.
    owes : str
        Rule that says whether a shortfall is owed; `owes_because`, what it rests on.
    deposit, reduction : float
        What brings a margin call, at its price, back to the initial margin: money, or a fraction to close.
    liquidated_before_stop : bool or None
        None where it is not known, or no stop was asked for.
    size_for_budget, contracts_for_budget : float
        Base units and contracts that lose the budget at the stop, fees included.
    survivable_leverage : float
        Highest one that survives the move asked for.
    ladder : tuple of Rung
    cost_a_day, days : float
        Funding or interest a day, and the day on which it alone liquidates.
    other_mode : Mode or None
    """

    question: Question
    policy: MarginPolicy
    fees: PlanFees
    contract: Contract | None
    refused: str = ""
    value: float = math.nan
    margin: float = math.nan
    at_stake: float = math.nan
    maximum_leverage: float = math.nan
    break_even: float = math.nan
    points: Mapping[str, Point] = field(default_factory=dict)
    why_not: Mapping[str, str] = field(default_factory=dict)
    owes: str = "unknown"
    owes_because: str = ""
    deposit: float = math.nan
    reduction: float = math.nan
    liquidated_before_stop: bool | None = None
    size_for_budget: float = math.nan
    contracts_for_budget: float = math.nan
    survivable_leverage: float = math.nan
    ladder: tuple[Rung, ...] = ()
    cost_a_day: float = math.nan
    days: float = math.nan
    other_mode: Mode | None = None
    desk: Desk | None = field(default=None, repr=False, compare=False)

    @property
    def currency(self) -> str:
        """Settlement currency; empty where it is not known."""
        return self.contract.instrument.settlement if self.contract else ""

    def price(self, name: str) -> float:
        """Price of a point; NaN where there is none."""
        return self.points[name].price if name in self.points else math.nan

    @property
    def liquidation_price(self) -> float:
        """Price of liquidation."""
        return self.price("liquidation")

    @property
    def limit_of_loss(self) -> float:
        """Most that can be lost before fees, where a source limits it; NaN where none does."""
        return self.at_stake if self.owes == "no" else math.nan

    def to_dict(self) -> dict[str, Any]:
        """Every number under its name, the policy by its id, the contract by its name; NaN: not known."""
        left_out = ("question", "policy", "fees", "contract", "points", "ladder", "other_mode", "desk")
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in left_out}
        return {
            "policy": self.policy.id,
            "contract": self.contract.instrument.name if self.contract else None,
            "currency": self.currency or None,
            "fees": asdict(self.fees),
            **plain,
            "limit_of_loss": self.limit_of_loss,
            "rule_of_thumb": dict(zip(("stake", "fees"), self.rule_of_thumb, strict=True)),
            "points": {
                name: asdict(point) | {"loss": point.loss, "shortfall": point.shortfall}
                for name, point in self.points.items()
            },
            "ladder": [asdict(rung) for rung in self.ladder],
            "other_mode": asdict(self.other_mode) if self.other_mode else None,
        }

    @property
    def rule_of_thumb(self) -> tuple[float, float]:
        """Size over leverage, and both fees on the value at entry: what is usually said to be lost."""
        leverage = self.question.leverage
        stake = self.value / leverage if leverage else self.at_stake
        return stake, 2 * self.fees.taker * self.value
