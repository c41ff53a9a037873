"""A policy resolved to numbers: what the kernel and the pure-Python reference both compute with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from levcore.errors import TierError, UnknownRuleError

if TYPE_CHECKING:
    from levcore.instruments import Instrument
    from levcore.policy import MarginPolicy
    from levcore.tiers import TierTable

__all__ = [
    "CompiledInstrument",
    "CompiledPolicy",
    "CompiledRules",
    "CompiledTable",
    "check_modes",
    "compile_policy",
]

UNKNOWN = "unknown"
REQUIREMENT_BASES = {"price": 0, "entry": 1, "mark": 2}
FEE_BASES = {"none": 0, "price": 1, "entry": 2, "bankruptcy": 3}
PAYOFFS = {"linear": 0, "inverse": 1, "quanto": 2}
KEYS = {"value": 0, "contracts": 1, "risk_limit": 2, "size": 3}
SETTLEMENT_UNIT = {"linear": "quote", "quanto": "quote", "inverse": "base"}


@dataclass(frozen=True, slots=True)
class CompiledRules:
    """Rules of a policy as numbers; codes are those of `REQUIREMENT_BASES` and `FEE_BASES`."""

    requirement_isolated: int
    requirement_cross: int
    initial_at_entry_isolated: bool
    initial_at_entry_cross: bool
    initial_from_table: bool
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
class CompiledTable:
    """A tier table as numbers; `key` is a code of `KEYS`, `slope` belongs to tables keyed by size."""

    key: int
    floors: tuple[float, ...]
    rates: tuple[float, ...]
    deductions: tuple[float, ...]
    cap: float
    slope: float


@dataclass(frozen=True, slots=True)
class CompiledInstrument:
    """An instrument as numbers; `payoff` is a code of `PAYOFFS`.

    `long` and `short` are the maintenance tiers by side (`short` None: those of long positions), `initial`
    those of the initial margin (None: not known).
    """

    name: str
    payoff: int
    contract_size: float
    multiplier: float
    long: CompiledTable
    short: CompiledTable | None
    initial: CompiledTable | None


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
        If a table does not fit the payoff of its instrument, or a rate with the funding inside leaves [0, 1).
    """
    table = policy.instruments
    chosen = [name for name in (table if names is None else names) if name in table]
    funded = policy.known("funding_in_requirement") == "rate_times_value"
    instruments = tuple(_compile_instrument(table[name], funded) for name in chosen)
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
        initial_from_table=policy.known("initial_margin_rule") == "table",
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


def _compile_instrument(instrument: "Instrument", funded: bool) -> CompiledInstrument:
    funding_rate = float(instrument.funding_rate) if funded else 0.0
    short, initial = instrument.short_tiers, instrument.initial_tiers
    return CompiledInstrument(
        name=instrument.name,
        payoff=PAYOFFS[instrument.payoff],
        contract_size=float(instrument.contract_size),
        multiplier=float(instrument.multiplier),
        long=_compile_table(instrument, instrument.tiers, funding_rate),
        short=None if short is None else _compile_table(instrument, short, funding_rate),
        initial=None if initial is None else _compile_table(instrument, initial, 0.0),
    )


def _compile_table(instrument: "Instrument", tiers: "TierTable", funding_rate: float) -> CompiledTable:
    _check_payoff(instrument, tiers)
    rates = tiers.rates
    if funding_rate:
        rates = tuple(rate + funding_rate for rate in rates)
        for number, rate in enumerate(rates, 1):
            if not 0 <= rate < 1:
                rule = "must stay a fraction of value with the funding rate added"
                raise TierError(instrument.name, number, rule, "in [0, 1)", repr(rate), "rate")
    keys = {"marginal": KEYS["value"], "growing": KEYS["size"]}
    return CompiledTable(
        key=keys[tiers.shape] if tiers.shape in keys else KEYS[tiers.unit],
        floors=tiers.floors,
        rates=rates,
        deductions=tiers.deductions,
        cap=tiers.cap,
        slope=tiers.slope,
    )


def _check_payoff(instrument: "Instrument", tiers: "TierTable") -> None:
    settlement = SETTLEMENT_UNIT[instrument.payoff]
    if tiers.shape == "marginal" and not tiers.is_single_rate and tiers.unit != settlement:
        raise TierError(
            instrument.name,
            None,
            f"a marginal table of an {instrument.payoff} contract is keyed by value in settlement currency",
            f"unit {settlement}",
            f"unit {tiers.unit}",
        )
    if tiers.shape == "growing" and instrument.payoff == "quanto":
        rule = "a rate that grows with the size in base currency has no meaning for a quanto contract"
        raise TierError(instrument.name, None, rule, "a linear or inverse contract", "quanto", "shape")
