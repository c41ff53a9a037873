"""A policy resolved to numbers: what the kernel and the pure-Python reference both compute with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from levcore.errors import InputError, PolicyError, TierError, UnknownRuleError
from levcore.rules.table_fit import check_tables

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.rules.assets import Asset
    from levcore.rules.instruments import Instrument
    from levcore.rules.policy import MarginPolicy
    from levcore.rules.tiers import TierTable

__all__ = [
    "CompiledAsset",
    "CompiledInstrument",
    "CompiledPolicy",
    "CompiledRules",
    "CompiledTable",
    "check_accounts",
    "check_modes",
    "compile_policy",
    "pools_every_account",
    "short_tiers_of",
]

UNKNOWN = "unknown"
SETTLEMENT_UNIT = {"linear": "quote", "quanto": "quote", "inverse": "base"}


@dataclass(frozen=True, slots=True)
class CompiledRules:
    """Rules of a policy as numbers and the words of the core's vocabularies."""

    requirement_isolated: str
    requirement_cross: str
    initial_at_entry_isolated: bool
    initial_at_entry_cross: bool
    return_at_mark: bool
    initial_from_table: bool
    fee_basis_isolated: str
    fee_basis_cross: str
    fee_rate: float
    fee_in_initial: bool
    reserve_at_bankruptcy: bool
    fee_in_maintenance: bool
    fee_in_bankruptcy: bool | None
    warning_level: float | None
    warning_inclusive: bool
    margin_call_level: float | None
    margin_call_inclusive: bool
    liquidation_level: float
    liquidation_inclusive: bool
    hedge_rule: str
    hedge_rule_initial: str
    covered_share: float
    liabilities_as_requirement: bool
    margins_at_liability_weight: bool


@dataclass(frozen=True, slots=True)
class CompiledTable:
    """A tier table as numbers; `key` says what selects the tier, `slope` belongs to tables keyed by size."""

    key: str
    floors: tuple[float, ...]
    rates: tuple[float, ...]
    deductions: tuple[float, ...]
    cap: float
    max_leverage: tuple[float, ...]
    slope: float


@dataclass(frozen=True, slots=True)
class CompiledInstrument:
    """An instrument as numbers.

    `long` and `short` are the maintenance tiers by side (`short` None: those of long positions), `initial`
    those of the initial margin (None: not known). `settlement` is the place of the settlement currency among
    the policy's assets (None: it is none of them); what has one `mover` moves with one price.
    """

    name: str
    payoff: str
    contract_size: float
    multiplier: float
    long: CompiledTable
    short: CompiledTable | None
    initial: CompiledTable | None
    settlement: int | None
    mover: int


@dataclass(frozen=True, slots=True)
class CompiledAsset:
    """A collateral asset as numbers; what has one `mover` moves with one price."""

    name: str
    floors: tuple[float, ...]
    weights: tuple[float, ...]
    by_amount: bool
    liability_weight: float
    maintenance: CompiledTable | None
    initial: CompiledTable | None
    mover: int


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
    assets: tuple[CompiledAsset, ...]
    places_of_assets: dict[str, int]


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
        If a table does not fit the policy or the payoff of its instrument, or a rate with the funding inside
        leaves [0, 1).
    """
    table = policy.instruments
    chosen = [name for name in (table if names is None else names) if name in table]
    funding = policy.known("funding_in_requirement")
    movers = Movers(policy)
    found = [table[name] for name in chosen]
    for instrument in found:
        check_tables(policy, instrument)
    instruments = tuple(_compile_instrument(policy, instrument, funding, movers) for instrument in found)
    places = {name: place for place, name in enumerate(chosen)}
    assets = tuple(_compile_asset(asset, movers) for asset in policy.assets.values())
    unknown = _unknown_by_mode(policy)
    return CompiledPolicy(_compile_rules(policy), instruments, places, unknown, assets, movers.places)


class Movers:
    """What moves the prices of a policy's instruments and assets, each underlying by its number."""

    places: dict[str, int]

    def __init__(self, policy: "MarginPolicy") -> None:
        self.policy = policy
        self.places = {name: place for place, name in enumerate(policy.assets)}
        self._numbers: dict[tuple[str, str], int] = {}

    def of_asset(self, asset: "Asset") -> int:
        """Number of what moves an asset."""
        return self._number("underlying", asset.moves_with)

    def of_instrument(self, instrument: "Instrument") -> int:
        """Number of what moves an instrument: its underlying, or it alone where that is not known.

        Raises
        ------
        PolicyError
            For an instrument whose value in the account's currency is no line along its price: an inverse one
            that does not move with its settlement currency, another one that does.
        """
        settled_in = self.policy.assets.get(instrument.settlement)
        underlying = instrument.underlying
        if settled_in is not None and instrument.payoff == "inverse":
            underlying = underlying or settled_in.moves_with
        if settled_in is not None and (underlying == settled_in.moves_with) != (
            instrument.payoff == "inverse"
        ):
            raise PolicyError(
                f"{self.policy.id}, {instrument.name}",
                "an inverse contract moves with its settlement currency, another one does not",
                ("" if instrument.payoff == "inverse" else "other than ") + repr(settled_in.moves_with),
                repr(underlying),
            )
        return (
            self._number("underlying", underlying) if underlying else self._number("alone", instrument.name)
        )

    def _number(self, kind: str, name: str) -> int:
        return self._numbers.setdefault((kind, name), len(self._numbers))


def check_modes(policy: "MarginPolicy", compiled: CompiledPolicy, is_cross: npt.NDArray[np.bool_]) -> None:
    """Refuse a book whose positions need a rule that no source states.

    Raises
    ------
    UnknownRuleError
        Naming the rule and how to give it.
    """
    if not compiled.unknown_for:
        return
    cross = np.count_nonzero(is_cross)
    for mode, present in (("cross", cross > 0), ("isolated", cross < is_cross.size)):
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


def check_accounts(policy: "MarginPolicy", book: "PositionBook") -> None:
    """Refuse a book whose accounts need a rule that no source states, or that the policy does not have.

    Raises
    ------
    UnknownRuleError
        For hedge mode under a policy whose rule for hedged legs is unknown, balances under one whose rule for
        liabilities is.
    InputError
        For balances under a policy whose accounts are one wallet.
    """
    if book.position_mode == "hedge":
        policy.known("hedge_requirement")
        policy.known("hedge_requirement_initial")
    if book.balances is not None and policy.known("liabilities_count_as") == "none":
        raise InputError(
            "balances",
            f"belong to accounts in several assets; under {policy.id} an account is one wallet",
            "wallet_balance",
            "balances",
        )
    if book.balances is not None:
        policy.known("margins_convert_at")


def pools_every_account(policy: "MarginPolicy") -> bool:
    """Whether legs of different instruments in one account are charged together."""
    return "larger_side" in (policy.hedge_requirement, policy.hedge_requirement_initial)


def _unknown_by_mode(policy: "MarginPolicy") -> dict[str, str]:
    rules = {
        "isolated": ("requirement_basis_isolated", "initial_margin_basis_isolated"),
        "cross": (
            "requirement_basis_cross",
            "initial_margin_basis_cross",
            "closing_fee_basis_cross",
            "closing_fee_bankruptcy_cross",
        ),
    }
    unknown = {
        mode: [rule for rule in names if getattr(policy, rule) == UNKNOWN] for mode, names in rules.items()
    }
    at_bankruptcy = "bankruptcy" in (policy.requirement_basis_cross, policy.fee_basis_of("cross"))
    if at_bankruptcy and policy.closing_fee_bankruptcy_cross == "margin":
        # A value where the equity of the whole account ends is not computed; refusing beats approximating.
        unknown["cross"].append("closing_fee_bankruptcy_cross")
    return {mode: missing[0] for mode, missing in unknown.items() if missing}


def _compile_rules(policy: "MarginPolicy") -> CompiledRules:
    policy.known("closing_fee_basis")
    fee_bases = [policy.fee_basis_of(mode) for mode in ("isolated", "cross")]
    charged = any(basis != "none" for basis in fee_bases)
    fee_rules = ("closing_fee_in_initial_margin", "closing_fee_in_maintenance_margin")
    held = [charged and policy.known(rule) for rule in fee_rules]
    return CompiledRules(
        # An unknown basis of a margin mode is refused when a book has rows of that mode; until then any does.
        requirement_isolated=_known_or("price", policy.requirement_basis_isolated),
        requirement_cross=_known_or("price", policy.requirement_basis_cross),
        initial_at_entry_isolated=policy.initial_margin_basis_isolated == "entry",
        initial_at_entry_cross=policy.initial_margin_basis_cross == "entry",
        return_at_mark=policy.return_basis == "mark",
        initial_from_table=policy.known("initial_margin_rule") == "table",
        fee_basis_isolated=fee_bases[0],
        fee_basis_cross=_known_or("none", fee_bases[1]),
        fee_rate=float(policy.known("closing_fee_rate")) if charged else 0.0,
        fee_in_initial=held[0],
        reserve_at_bankruptcy=policy.closing_fee_reserved == "bankruptcy",
        fee_in_maintenance=held[1],
        fee_in_bankruptcy=_fee_in_bankruptcy(policy, fee_bases),
        warning_level=policy.warning_level,
        warning_inclusive=policy.warning_level_inclusive,
        margin_call_level=policy.margin_call_level,
        margin_call_inclusive=policy.margin_call_level_inclusive,
        liquidation_level=float(policy.liquidation_level),
        liquidation_inclusive=policy.liquidation_level_inclusive,
        # An unknown rule for hedged legs or liabilities is refused when a book has them.
        hedge_rule=_known_or("sum", policy.hedge_requirement),
        hedge_rule_initial=_known_or("sum", policy.hedge_rule_of_initial),
        covered_share=float(policy.covered_share),
        liabilities_as_requirement=policy.liabilities_count_as == "requirement",
        margins_at_liability_weight=policy.margins_convert_at == "liability_weight",
    )


def _known_or(stand_in: str, word: str) -> str:
    return stand_in if word == UNKNOWN else word


def _fee_in_bankruptcy(policy: "MarginPolicy", fee_bases: list[str]) -> bool | None:
    """Whether the bankruptcy price leaves room for the fee; None: unknown, bankruptcy prices are then NaN."""
    if set(fee_bases) == {"none"}:
        return False
    at_bankruptcy = (policy.requirement_basis_isolated, policy.requirement_basis_cross, *fee_bases)
    if "bankruptcy" in at_bankruptcy:
        return bool(policy.known("bankruptcy_includes_closing_fee"))
    known = policy.bankruptcy_includes_closing_fee
    return None if known == UNKNOWN else bool(known)


def short_tiers_of(policy: "MarginPolicy", instrument: "Instrument") -> "TierTable | None":
    """Tiers of short positions, the policy's least inside; None where they are those of long ones.

    Raises
    ------
    TierError
        Where the policy has least amounts a unit and the table is neither a single rate nor one a unit.
    """
    if not policy.short_minimum:
        return instrument.short_tiers
    try:
        return (instrument.short_tiers or instrument.tiers).with_least_per_unit(policy.short_minimum)
    except TierError as error:
        remedy = f"{error.expected}, or policy.replace(short_minimum=()) where the table holds it already"
        raise TierError(instrument.name, error.tier, error.rule, remedy, error.found, error.column) from None


def _compile_instrument(
    policy: "MarginPolicy", instrument: "Instrument", funding: str, movers: Movers
) -> CompiledInstrument:
    rate = 0.0 if funding == "none" else float(instrument.funding_rate)
    long_funding = short_funding = rate
    short, initial = short_tiers_of(policy, instrument), instrument.initial_tiers
    if funding == "rate_times_value_of_payer":
        # A positive rate is paid by long positions to short ones.
        long_funding, short_funding = max(rate, 0.0), max(-rate, 0.0)
        short = (short or instrument.tiers) if rate else short
    return CompiledInstrument(
        name=instrument.name,
        payoff=instrument.payoff,
        contract_size=float(instrument.contract_size),
        multiplier=float(instrument.multiplier),
        long=_compile_table(instrument, instrument.tiers, long_funding),
        short=None if short is None else _compile_table(instrument, short, short_funding),
        initial=None if initial is None else _compile_table(instrument, initial, 0.0),
        settlement=movers.places.get(instrument.settlement),
        mover=movers.of_instrument(instrument),
    )


def _compile_asset(asset: "Asset", movers: Movers) -> CompiledAsset:
    maintenance, initial = asset.liability_tiers, asset.liability_initial_tiers
    return CompiledAsset(
        name=asset.name,
        floors=asset.floors,
        weights=asset.weights,
        by_amount=asset.unit == "amount",
        liability_weight=asset.liability_weight,
        maintenance=None if maintenance is None else _columns(maintenance, maintenance.rates),
        initial=None if initial is None else _columns(initial, initial.rates),
        mover=movers.of_asset(asset),
    )


def _compile_table(instrument: "Instrument", tiers: "TierTable", funding_rate: float) -> CompiledTable:
    _check_payoff(instrument, tiers)
    rates = tiers.rates
    if funding_rate:
        rates = tuple(rate + funding_rate for rate in rates)
        for number, rate in enumerate(rates, 1):
            if not (0 <= rate < 1 or (rate == 1 and tiers.shape == "per_unit")):
                rule = "must stay a fraction of value with the funding rate added"
                raise TierError(instrument.name, number, rule, "in [0, 1)", repr(rate), "rate")
    return _columns(tiers, rates)


def _columns(tiers: "TierTable", rates: tuple[float, ...]) -> CompiledTable:
    """Columns of a table with these rates."""
    keys = {"marginal": "value", "growing": "size", "per_unit": "unit_value"}
    return CompiledTable(
        key=keys.get(tiers.shape, tiers.unit),
        floors=tiers.floors,
        rates=rates,
        deductions=tiers.deductions,
        cap=tiers.cap,
        max_leverage=tiers.max_leverage,
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
    if tiers.shape == "per_unit" and len(tiers) > 1 and instrument.payoff == "inverse":
        rule = (
            "lines a unit hold from prices on, and the value of an inverse contract falls as its price rises"
        )
        raise TierError(
            instrument.name, 2, rule, "one line for an inverse contract", str(len(tiers)), "floor"
        )
    if tiers.shape == "growing" and instrument.payoff == "quanto":
        rule = "a rate that grows with the size in base currency has no meaning for a quanto contract"
        raise TierError(instrument.name, None, rule, "a linear or inverse contract", "quanto", "shape")
