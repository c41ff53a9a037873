"""Margin policies: the rules of a venue's product at a date, as data.

A policy is one file of ``data/policies`` at one of its dates. It says which rule each number follows, what
that rests on, and what nobody has published: such a rule is ``"unknown"``, and whatever needs it refuses
(`levcore.errors.UnknownRuleError`) until the caller states it with `MarginPolicy.replace`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from levcore.arguments import likely_of
from levcore.errors import InputError, UnknownRuleError
from levcore.rules.assets import Asset, AssetTable
from levcore.rules.fees import Fees, regular_fees
from levcore.rules.instruments import Instrument, InstrumentTable
from levcore.rules.policy_checks import check_rules, rule_fault
from levcore.rules.terms import (
    UNKNOWN,
    BankruptcyRounding,
    CloseOutNext,
    CloseOutPrice,
    CloseOutStep,
    CloseOutStepIsolated,
    ClosingFeeBasis,
    CrossFeeBasis,
    CrossWallet,
    DeleveragingRanking,
    DeleveragingSharing,
    FeeBankruptcy,
    FeeReserve,
    FundingInRequirement,
    HedgeRequirement,
    InitialHedgeRule,
    InitialMarginBasis,
    InitialMarginRule,
    LiabilityRule,
    MarginConversion,
    OrderLoss,
    OrderMargin,
    OrderRatio,
    RateRule,
    Remainder,
    RequirementBasis,
    ReturnBasis,
    Rounding,
    Source,
    TableShape,
    Texts,
    TraderOwes,
    TraderOwesIsolated,
    TriggerPrice,
    Unknown,
)
from levcore.rules.tiers import Unit
from levcore.shown import Shown

__all__ = ["MarginPolicy", "Source", "Texts"]


@dataclass(frozen=True, kw_only=True)
class MarginPolicy(Shown):
    """Margin rules of one product of one venue at one date.

    Parameters
    ----------
    name, as_of : str
        ``"binance-usdm"``, ``"2026-09-29"``; `id` joins them. The date is as precise as known (``"2023"``).
    title, venue, product, notes : str
        What it is; what a caller must know to fill in positions.
    verified_by : str
        The published numbers that these rules reproduce.
    sources : tuple of Source
    rests_on : Texts
        Rule to evidence: ``[V]`` recomputed from published numbers, ``[R]`` read in the venue's text,
        ``[3P]`` read in a third party's copy, ``[D]`` derived from such a rule, ``[caller]`` stated by the
        caller. `Texts.about` finds the text of a rule, also where several share one.
    unknown : Texts
        Rule, or matter outside the rules, to why it is unknown.
    requirement_basis_isolated, requirement_basis_cross : {"price", "entry", "mark", "bankruptcy", "unknown"}
        Value on which the requirement is taken as the price moves: the price's own, or for every price the
        entry's, the current mark's or that at the bankruptcy price.
    initial_margin_basis_isolated, initial_margin_basis_cross : {"mark", "entry", "unknown"}
        Value which the initial margin divides by the leverage.
    closing_fee_basis : {"none", "price", "entry", "mark", "bankruptcy", "entry_and_margin", "contract", ...}
        Value on which the closing fee inside the requirement is taken: that at the price, or frozen at entry,
        at the mark, at the bankruptcy price, or at entry with the margin put up on top; "contract" is an
        amount a contract instead, "unknown" what no source states.
    closing_fee_basis_cross : {"same", "none", ...}
        The same of cross positions, where it is another one; "same" by default.
    closing_fee_rate : float or "unknown"
        Fraction of that value, at most 0.02, twenty times the highest of our venues: 0.05 is a percentage
        written as a fraction; or an amount a contract; "unknown" where it depends on the account's fee tier.
    closing_fee_bankruptcy_cross : {"none", "margin", "leverage", "unknown"}
        Which bankruptcy of a cross position a fee at the bankruptcy value means: where the account's equity
        ends, or ``entry value * (1 - d / leverage)``, d = +1 where value and profit rise together, else -1;
        "none" for fees on other values. Isolated positions go bankrupt where their margin ends.
    closing_fee_reserved : {"same", "bankruptcy"}
        Which fee the initial margin holds where it holds one: what the requirement does, or that at the value
        where the position's own initial margin ends; "same" by default.
    closing_fee_in_initial_margin, closing_fee_in_maintenance_margin : bool or "unknown"
        Whether the margins the venue reports hold the fee; the requirement always does.
    bankruptcy_includes_closing_fee : bool or "unknown"
        Whether the bankruptcy price leaves enough for the closing fee.
    warning_level, margin_call_level : float or None
        Requirement over equity from which these states begin; None where no source states one.
    liquidation_level : float
        The same for liquidation: 2 for a stop-out at 50 % of the margin. All levels lie in [1e-9, 20], or are
        1e9: when nothing is left.
    warning_level_inclusive, margin_call_level_inclusive, liquidation_level_inclusive : bool
        Whether the state holds at the level itself.
    ratio : str
        The venue's own ratio and its direction.
    price_rounding_long, price_rounding_short : {"none", "up", "down", "nearest", "unknown"}
        How the venue rounds a displayed liquidation price to the tick.
    bankruptcy_rounding_long, bankruptcy_rounding_short : {"same", "none", "up", "down", "nearest", "unknown"}
        The same of a displayed bankruptcy price, where it is another way; "same" by default.
    debtor : str
        Whether the trader owes a shortfall.
    maintenance_rate_rule : {"table", "half-of-initial-at-max-leverage", "unknown"}
        Whether the venue publishes rates, or leverages from which they follow.
    table_units : tuple of {"quote", "base", "contracts", "risk_limit"}
        Units of tier tables that fit these rules.
    table_shape : {"marginal", "flat", "growing", "single", "any"}
        Their shape; "single": only single rates, since no source says what further tiers mean.
    hedge_requirement : {"sum", "larger_leg", "larger_side", "covered", "unknown"}
        What a long and a short leg of one instrument in one cross account ask for together: both; the larger
        of the two; the larger of all longs and all shorts on one underlying; or the uncovered quantity in
        full and the covered one at `covered_share`.
    hedge_requirement_initial : {"same", "sum", "larger_leg", "larger_side", "covered", "unknown"}
        The same of initial margins, where it is another one; "same" by default. Of two different rules one is
        "sum".
    covered_share : float
        Share of one leg's requirement on covered quantity, in [0, 1]: 0 nets the legs. 0 unless
        `hedge_requirement` is "covered".
    return_basis : {"entry", "mark"}
        Value over the leverage of which the venue takes the return on equity; that at entry by default.
    short_minimum : tuple of (floor, rate, amount)
        The least that short positions must hold a unit of size: above each price `floor`, that rate of the
        value and that amount in settlement currency, where the table asks for less (`TierTable.per_unit`).
        Empty where there is none.
    initial_margin_rule : {"leverage", "table", "unknown"}
        Whether the initial margin is the value over the row's leverage, or follows the instrument's
        `initial_tiers`.
    funding_in_requirement : {"none", "rate_times_value", "rate_times_value_of_payer", "unknown"}
        Whether the requirement holds the instrument's next funding: its `funding_rate` is then added to the
        maintenance rates of both sides, or to those of the side alone that pays it.
    liabilities_count_as : {"none", "negative_equity", "requirement", "unknown"}
        Of accounts with balances in several assets: a liability is taken off the equity (margin over
        requirement), or is itself the requirement (assets over liabilities). "none": an account is one wallet
        in one currency.
    cross_wallet : {"account", "settlement_currency", "unknown"}
        What the cross positions of an account share where they settle in several currencies: one wallet of
        the account, which then takes `levcore.Balances`, or one a settlement currency, each of them judged
        and liquidated apart (Binance's single-asset mode); "unknown" by default. An account in one currency
        does not need it.
    margins_convert_at : {"price", "liability_weight", "unknown"}
        Of accounts with balances: whether margins of positions turn into the account's currency at the price
        of their settlement currency, or at that times its liability weight, the ask rate.
    trader_owes : {"no", "yes", "claim_reserved", "unknown"}
        Whether a trader whose equity has become negative owes the rest.
    order_margin : {"none", "larger_side", "sum", "unknown"}
        What open orders ask for beside the position in their instrument: nothing; the worse of all buys
        filled and all sells filled, over the leverage; or every order, none netted.
    order_loss : {"none", "counted", "unknown"}
        Whether orders are also charged the loss at the mark that they would open with.
    order_ratio : {"none", "frozen", "unknown"}
        Whether the margin ratio takes what orders ask for off the equity.
    trader_owes_isolated : {"same", "no", "yes", "claim_reserved", "unknown"}
        The same of an isolated position, where a source tells it from the account's; see `owes`.
    close_out_before : tuple of {"cancel", "net"}, or ("unknown",)
        What is done before anything is sold: open orders are cancelled; of two opposite legs of one
        instrument in an account what they have in common is closed against each other, at the mark.
    close_out_step : {"whole", "share", "tiers", "largest_loss", "unknown"}
        What a liquidation closes: the whole position, or all positions of the account; a share of each; so
        much of each that it falls `close_out_tiers`; the position of the account with the largest loss.
    close_out_step_isolated : {"same", ...}
        The same of isolated positions, where it is another one; "same" by default.
    close_out_share : float or "unknown"
        Share of the value that a step closes, in [0.01, 1].
    close_out_whole_up_to : float, settlement currency
        Value up to which a position is closed whole instead; 0 by default.
    close_out_least : float, settlement currency
        Value that a step closes at least; 0 by default.
    close_out_least_left : float, settlement currency
        Value that a step leaves of a loan and of its collateral unless it leaves nothing; 0 by default.
    close_out_whole_level : float or None
        Requirement over equity from which a step closes everything; None where there is no such level.
    close_out_tiers : int
        Tiers that a step goes down, all of a position with fewer below it; 0 to the lowest, by default.
    close_out_next : {"whole", "same", "again", "unknown"}
        What the steps after the first close while the account is still to be liquidated: everything, as much
        as the first one, or a share of what is then left. Steps by tiers or positions always go on "again".
    close_out_cooldown : float, seconds
        For so long after a step further ones are those of `close_out_next`; then it begins anew. 0 by
        default.
    close_out_exit_level : float or None
        Requirement over equity down to which steps go on; None: until the liquidation level is no longer met.
    close_out_take_over_level : float or None
        Requirement over equity from which the fund takes everything over at once, the margin included.
    close_out_guard_band : float
        While a price differs from its mean by more than this fraction of the mean, nobody is liquidated at
        it; 0, by default, where there is no such guard.
    close_out_trigger_price : {"mark", "index", "last", "unknown"}
        Price that liquidates.
    close_out_fee_rate : float or "unknown"
        Fee for it, a fraction of the value at the fill, at most 0.05.
    close_out_remainder : {"trader", "fund", "unknown"}
        Who keeps what closing leaves of the margin.
    close_out_payers : tuple of {"fund", "deleveraging", "socialised"}, or ("unknown",)
        Who pays what is missing, one after the other, before `trader_owes` is asked.
    close_out_ranking : str
        Score by which winners are deleveraged (`levcore.deleverage` has the list), "none" or "unknown".
    close_out_sharing : {"queue", "contracts", "profit", "wealth", "min_max"}
        How lots fall on winners: in the order of the ranking, each in full, by default; by contracts, profit
        or equity, rounded down to lots; so that the largest share of a profit is as small as can be.
    close_out_price : {"bankruptcy", "mark", "none", "unknown"}
        Price at which they are.
    instruments : InstrumentTable
        The bundled table, or an empty one for the caller to fill with `with_instruments`.
    assets : AssetTable
        Rules of collateral assets: bundled, or for the caller to fill with `with_assets`.
    fee_schedule : str
        Name of the bundled fees of the product; empty where there are none.
    closing_fee_is : {"taker", ""}
        Which fee of the account `closing_fee_rate` is, where it is unknown; empty where none of them is it.
    fees : Fees or None
        What the account pays, as `with_fees` chose it.

    Raises
    ------
    PolicyError
        Where a rule has none of its values.
    """

    name: str
    as_of: str
    title: str
    venue: str
    product: str
    notes: str
    verified_by: str
    sources: tuple[Source, ...]
    rests_on: Texts
    unknown: Texts
    requirement_basis_isolated: RequirementBasis
    requirement_basis_cross: RequirementBasis
    initial_margin_basis_isolated: InitialMarginBasis
    initial_margin_basis_cross: InitialMarginBasis
    closing_fee_basis: ClosingFeeBasis
    closing_fee_rate: float | Unknown
    closing_fee_bankruptcy_cross: FeeBankruptcy
    closing_fee_in_initial_margin: bool | Unknown
    closing_fee_in_maintenance_margin: bool | Unknown
    bankruptcy_includes_closing_fee: bool | Unknown
    warning_level: float | None
    warning_level_inclusive: bool
    margin_call_level: float | None
    margin_call_level_inclusive: bool
    liquidation_level: float
    liquidation_level_inclusive: bool
    ratio: str
    price_rounding_long: Rounding
    price_rounding_short: Rounding
    debtor: str
    maintenance_rate_rule: RateRule
    table_units: tuple[Unit, ...]
    table_shape: TableShape
    hedge_requirement: HedgeRequirement
    covered_share: float
    short_minimum: tuple[tuple[float, float, float], ...]
    initial_margin_rule: InitialMarginRule
    funding_in_requirement: FundingInRequirement
    liabilities_count_as: LiabilityRule
    margins_convert_at: MarginConversion
    trader_owes: TraderOwes
    close_out_step: CloseOutStep
    close_out_fee_rate: float | Unknown
    close_out_remainder: Remainder
    close_out_payers: tuple[str, ...]
    close_out_ranking: DeleveragingRanking
    close_out_price: CloseOutPrice
    cross_wallet: CrossWallet = "unknown"
    closing_fee_basis_cross: CrossFeeBasis = "same"
    closing_fee_reserved: FeeReserve = "same"
    bankruptcy_rounding_long: BankruptcyRounding = "same"
    bankruptcy_rounding_short: BankruptcyRounding = "same"
    hedge_requirement_initial: InitialHedgeRule = "same"
    return_basis: ReturnBasis = "entry"
    order_margin: OrderMargin = "unknown"
    order_loss: OrderLoss = "unknown"
    order_ratio: OrderRatio = "unknown"
    close_out_sharing: DeleveragingSharing = "queue"
    close_out_before: tuple[str, ...] = (UNKNOWN,)
    close_out_step_isolated: CloseOutStepIsolated = "same"
    close_out_share: float | Unknown = UNKNOWN
    close_out_whole_up_to: float = 0.0
    close_out_least: float = 0.0
    close_out_least_left: float = 0.0
    close_out_whole_level: float | None = None
    close_out_tiers: int = 0
    close_out_next: CloseOutNext = UNKNOWN
    close_out_cooldown: float = 0.0
    close_out_exit_level: float | None = None
    close_out_take_over_level: float | None = None
    close_out_guard_band: float = 0.0
    close_out_trigger_price: TriggerPrice = UNKNOWN
    # Names would be read from disk for a hash; the name and date of the policy tell bundled tables apart.
    instruments: InstrumentTable = field(hash=False)
    assets: AssetTable = field(default_factory=AssetTable)
    trader_owes_isolated: TraderOwesIsolated = "same"
    fee_schedule: str = ""
    closing_fee_is: str = ""
    fees: Fees | None = None

    def __post_init__(self) -> None:
        """Check that each rule has one of its values."""
        check_rules(self)

    @property
    def id(self) -> str:
        """Name and date, as `levcore.policy` takes them."""
        return f"{self.name}@{self.as_of}" if self.as_of else self.name

    def known(self, rule: str) -> Any:
        """Return the value of `rule`.

        Raises
        ------
        UnknownRuleError
            Where it is unknown: no source states it and the caller has not.
        """
        value = getattr(self, rule)
        if value in (UNKNOWN, (UNKNOWN,)) or (value is None and rule.endswith("_level")):
            remedy = f"state it with policy.replace({rule}=...)"
            if rule == "closing_fee_rate" and self.closing_fee_is:
                remedy = f"choose it with policy.with_fees('regular') ({self._regular()}), or {remedy}"
            raise UnknownRuleError(self.id, f"{rule} is unknown", remedy, self.unknown.about(rule))
        return value

    def owes(self, mode: Literal["isolated", "cross"]) -> TraderOwes:
        """Whether a shortfall is owed in a margin mode: `trader_owes`, or what an isolated position has."""
        if mode == "cross" or self.trader_owes_isolated == "same":
            return self.trader_owes
        return self.trader_owes_isolated

    def fee_basis_of(self, mode: str) -> str:
        """Value that the closing fee of a margin mode, ``"isolated"`` or ``"cross"``, is taken on."""
        own = self.closing_fee_basis_cross
        return self.closing_fee_basis if mode == "isolated" or own == "same" else own

    @property
    def hedge_rule_of_initial(self) -> str:
        """What legs of one instrument ask for together as initial margin."""
        own = self.hedge_requirement_initial
        return self.hedge_requirement if own == "same" else own

    def replace(self, **rules: Any) -> MarginPolicy:
        """New policy with other values; they rest on the caller from then on.

        Raises
        ------
        PolicyError
            Where there is no such rule, or a value is none of its values.
        """
        fields = [each.name for each in dataclasses.fields(self)]
        for rule in rules:
            if rule not in fields:
                expected = likely_of(rule, RULES, f"one of {', '.join(fields)}")
                raise rule_fault(self, rule, "is no rule of a policy", expected, repr(rule))
        stated = {rule: "[caller] stated with policy.replace" for rule in rules if rule not in PROVENANCE}
        evidence: dict[str, Any] = {
            "rests_on": Texts({**self.rests_on, **stated}),
            "unknown": Texts({rule: why for rule, why in self.unknown.items() if rule not in stated}),
        }
        return dataclasses.replace(self, **(evidence | rules))

    def with_instruments(self, instruments: Mapping[str, Instrument] | Iterable[Instrument]) -> MarginPolicy:
        """New policy whose table also holds `instruments`; they replace those of the same name."""
        return dataclasses.replace(self, instruments=self.instruments.with_instruments(instruments))

    def with_tables(self, as_of: str) -> MarginPolicy:
        """New policy with the venue's tables of another date, as ``levcore tiers`` lists them.

        Raises
        ------
        InputError
            Where no table of the product has that date.
        """
        return dataclasses.replace(self, instruments=self.instruments.at(as_of))

    def with_fees(self, tier: Literal["regular"] = "regular", *, as_of: str | None = None) -> MarginPolicy:
        """New policy with the fees of an account tier as `fees`, and with them the closing fee it takes.

        Parameters
        ----------
        tier : {"regular"}
            The venue's lowest account tier.
        as_of : str, optional
            Date of the fees; the newest by default. Dates are those of records, not spans.

        Raises
        ------
        UnknownRuleError
            Where no fees of the product are bundled.
        InputError
            For another tier, or a date that is not bundled.
        """
        if tier != "regular":
            raise InputError("fees", "must be an account tier that is bundled", "'regular'", repr(tier))
        if not self.fee_schedule:
            remedy = "state yours with policy.replace(closing_fee_rate=...)"
            raise UnknownRuleError(
                self.id, "no fees of this product are bundled", remedy, "no source was found"
            )
        fees = regular_fees(self.fee_schedule, as_of)
        chosen = dataclasses.replace(self, fees=fees)
        if not (self.closing_fee_is and self.closing_fee_rate == UNKNOWN):
            return chosen
        evidence = f"[caller] chosen with policy.with_fees: {fees}"
        chosen = chosen.replace(closing_fee_rate=fees.taker)
        return chosen.replace(rests_on=Texts({**chosen.rests_on, "closing_fee_rate": evidence}))

    def _regular(self) -> str:
        fees = regular_fees(self.fee_schedule)
        return f"{fees.taker:g}, {fees.tier}, {fees.as_of}" + (", secondary" if fees.secondary else "")

    def with_assets(self, assets: Iterable[Asset]) -> MarginPolicy:
        """New policy whose assets also hold `assets`; they replace those of the same name."""
        return dataclasses.replace(self, assets=self.assets.with_assets(assets))

    def __str__(self) -> str:
        """Return the id."""
        return self.id


# Fields that say where a policy comes from; the others are its rules.
PROVENANCE = frozenset(
    {"name", "as_of", "title", "venue", "product", "notes", "verified_by", "sources", "rests_on", "unknown"}
    | {"instruments", "assets", "fee_schedule", "closing_fee_is", "fees"}
)
RULES = tuple(each.name for each in dataclasses.fields(MarginPolicy) if each.name not in PROVENANCE)
