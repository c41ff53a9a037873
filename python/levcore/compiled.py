"""A policy resolved to numbers: what the kernel and the pure-Python reference both compute with."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from levcore.errors import TierError, UnknownRuleError

if TYPE_CHECKING:
    from levcore.instruments import Instrument
    from levcore.policy import MarginPolicy

__all__ = ["CompiledInstrument", "CompiledPolicy", "CompiledRules", "check_modes", "compile_policy"]

UNKNOWN = "unknown"
REQUIREMENT_BASES = {"price": 0, "entry": 1, "mark": 2}
FEE_BASES = {"none": 0, "price": 1, "entry": 2, "bankruptcy": 3}
PAYOFFS = {"linear": 0, "inverse": 1, "quanto": 2}
KEYS = {"quote": 0, "base": 0, "contracts": 1, "risk_limit": 2}
SETTLEMENT_UNIT = {"linear": "quote", "quanto": "quote", "inverse": "base"}


@dataclass(frozen=True, slots=True)
class CompiledRules:
    """Rules of a policy as numbers; codes are those of `REQUIREMENT_BASES` and `FEE_BASES`."""

    requirement_isolated: int
    requirement_cross: int
    initial_at_entry_isolated: bool
    initial_at_entry_cross: bool
    fee_basis: int
    fee_rate: float
    fee_in_initial: bool
    fee_in_maintenance: bool
    fee_in_bankruptcy: bool | None
    warning_level: float | None
    warning_inclusive: bool
    margin_call_level: float | None
    margin_call_inclusive: bool
    liquidation_level: float
    liquidation_inclusive: bool


@dataclass(frozen=True, slots=True)
class CompiledInstrument:
    """An instrument as numbers; codes are those of `PAYOFFS` and `KEYS`."""

    name: str
    payoff: int
    contract_size: float
    multiplier: float
    key: int
    floors: tuple[float, ...]
    rates: tuple[float, ...]
    deductions: tuple[float, ...]
    cap: float


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """Rules, instruments, the place of each instrument by name, and the rules that no source states.

    ``unknown_for`` maps a margin mode to the first rule it needs that is unknown; books without rows of that
    mode do not meet it.
    """

    rules: CompiledRules
    instruments: tuple[CompiledInstrument, ...]
    places: dict[str, int]
    unknown_for: dict[str, str]


def compile_policy(policy: "MarginPolicy", names: Sequence[str] | None = None) -> CompiledPolicy:
    """Resolve a policy for its instruments.

    Parameters
    ----------
    policy : MarginPolicy
        Rules and instruments.
    names : sequence of str, optional
        Only these instruments (those that the policy knows); all of them by default.

    Raises
    ------
    UnknownRuleError
        If a rule that every position needs is unknown.
    TierError
        If the unit of a table does not fit the payoff of its instrument.
    """
    table = policy.instruments
    chosen = [name for name in (table if names is None else names) if name in table]
    instruments = tuple(_compile_instrument(table[name]) for name in chosen)
    places = {name: place for place, name in enumerate(chosen)}
    return CompiledPolicy(_compile_rules(policy), instruments, places, _unknown_by_mode(policy))


def check_modes(policy: "MarginPolicy", compiled: CompiledPolicy, is_cross: npt.NDArray[np.bool_]) -> None:
    """Refuse a book whose positions need a rule that no source states.

    Raises
    ------
    UnknownRuleError
        Naming the rule and how to give it.
    """
    for mode, present in (("cross", bool(is_cross.any())), ("isolated", not is_cross.all())):
        rule = compiled.unknown_for.get(mode)
        if present and rule is not None:
            policy.known(rule)
            raise UnknownRuleError(
                policy.id,
                f"{rule}={getattr(policy, rule)!r} is not computed for {mode} positions",
                f"policy.replace({rule}='leverage'), or the account as one isolated position with its wallet"
                " as margin",
                policy.rests_on.about(rule),
            )


def _unknown_by_mode(policy: "MarginPolicy") -> dict[str, str]:
    rules = {
        "isolated": ("requirement_basis_isolated", "initial_margin_basis_isolated"),
        "cross": ("requirement_basis_cross", "initial_margin_basis_cross", "closing_fee_bankruptcy_cross"),
    }
    unknown = {
        mode: [rule for rule in names if getattr(policy, rule) == UNKNOWN] for mode, names in rules.items()
    }
    if policy.closing_fee_basis == "bankruptcy" and policy.closing_fee_bankruptcy_cross == "margin":
        # A fee where the equity of the whole account ends is not computed; refusing beats approximating.
        unknown["cross"].append("closing_fee_bankruptcy_cross")
    return {mode: missing[0] for mode, missing in unknown.items() if missing}


def _compile_rules(policy: "MarginPolicy") -> CompiledRules:
    fee_basis = policy.known("closing_fee_basis")
    fee_rules = ("closing_fee_in_initial_margin", "closing_fee_in_maintenance_margin")
    held = [fee_basis != "none" and policy.known(rule) for rule in fee_rules]
    return CompiledRules(
        # An unknown basis of a margin mode is refused when a book has rows of that mode; until then any code
        # does.
        requirement_isolated=REQUIREMENT_BASES.get(policy.requirement_basis_isolated, 0),
        requirement_cross=REQUIREMENT_BASES.get(policy.requirement_basis_cross, 0),
        initial_at_entry_isolated=policy.initial_margin_basis_isolated == "entry",
        initial_at_entry_cross=policy.initial_margin_basis_cross == "entry",
        fee_basis=FEE_BASES[fee_basis],
        fee_rate=0.0 if fee_basis == "none" else float(policy.known("closing_fee_rate")),
        fee_in_initial=held[0],
        fee_in_maintenance=held[1],
        fee_in_bankruptcy=_fee_in_bankruptcy(policy, fee_basis),
        warning_level=policy.warning_level,
        warning_inclusive=policy.warning_level_inclusive,
        margin_call_level=policy.margin_call_level,
        margin_call_inclusive=policy.margin_call_level_inclusive,
        liquidation_level=float(policy.liquidation_level),
        liquidation_inclusive=policy.liquidation_level_inclusive,
    )


def _fee_in_bankruptcy(policy: "MarginPolicy", fee_basis: str) -> bool | None:
    """Whether the bankruptcy price leaves room for the fee; None: unknown, bankruptcy prices are then NaN."""
    if fee_basis == "none":
        return False
    if fee_basis == "bankruptcy":
        return bool(policy.known("bankruptcy_includes_closing_fee"))
    known = policy.bankruptcy_includes_closing_fee
    return None if known == UNKNOWN else bool(known)


def _compile_instrument(instrument: "Instrument") -> CompiledInstrument:
    tiers = instrument.tiers
    settlement = SETTLEMENT_UNIT[instrument.payoff]
    bounded = len(tiers.rates) > 1 or tiers.cap != math.inf
    if tiers.shape == "marginal" and bounded and tiers.unit != settlement:
        raise TierError(
            instrument.name,
            None,
            f"a marginal table of an {instrument.payoff} contract is keyed by value in settlement currency",
            f"unit {settlement}",
            f"unit {tiers.unit}",
        )
    return CompiledInstrument(
        name=instrument.name,
        payoff=PAYOFFS[instrument.payoff],
        contract_size=float(instrument.contract_size),
        multiplier=float(instrument.multiplier),
        key=KEYS[tiers.unit] if tiers.shape == "flat" else KEYS["quote"],
        floors=tiers.floors,
        rates=tiers.rates,
        deductions=tiers.deductions,
        cap=tiers.cap,
    )
