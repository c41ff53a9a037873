"""The words of margin policies: what each rule may say, where it was read, and texts by rule."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from levcore.arguments import texts_of

__all__ = [
    "BEFORE",
    "CHOICES",
    "PAYERS",
    "UNKNOWN",
    "BankruptcyRounding",
    "CloseOutNext",
    "CloseOutPrice",
    "CloseOutStep",
    "CloseOutStepIsolated",
    "ClosingFeeBasis",
    "CrossFeeBasis",
    "CrossWallet",
    "DeleveragingRanking",
    "DeleveragingSharing",
    "FeeBankruptcy",
    "FeeReserve",
    "FundingInRequirement",
    "HedgeRequirement",
    "InitialHedgeRule",
    "InitialMarginBasis",
    "InitialMarginRule",
    "LiabilityRule",
    "MarginConversion",
    "OrderLoss",
    "OrderMargin",
    "OrderRatio",
    "RateRule",
    "Remainder",
    "RequirementBasis",
    "ReturnBasis",
    "Rounding",
    "Source",
    "TableShape",
    "Texts",
    "TraderOwes",
    "TraderOwesIsolated",
    "TriggerPrice",
    "Unknown",
    "value_text",
]

Unknown: TypeAlias = Literal["unknown"]
RequirementBasis: TypeAlias = Literal["price", "entry", "mark", "bankruptcy", "unknown"]
InitialMarginBasis: TypeAlias = Literal["mark", "entry", "unknown"]
ClosingFeeBasis: TypeAlias = Literal[
    "none", "price", "entry", "mark", "bankruptcy", "entry_and_margin", "contract", "unknown"
]
CrossFeeBasis: TypeAlias = ClosingFeeBasis | Literal["same"]
FeeReserve: TypeAlias = Literal["same", "bankruptcy"]
FeeBankruptcy: TypeAlias = Literal["none", "margin", "leverage", "unknown"]
Rounding: TypeAlias = Literal["none", "up", "down", "nearest", "unknown"]
BankruptcyRounding: TypeAlias = Rounding | Literal["same"]
RateRule: TypeAlias = Literal["table", "half-of-initial-at-max-leverage", "unknown"]
TableShape: TypeAlias = Literal["marginal", "flat", "growing", "per_unit", "single", "any"]
HedgeRequirement: TypeAlias = Literal["sum", "larger_leg", "larger_side", "covered", "unknown"]
InitialHedgeRule: TypeAlias = Literal["same", "sum", "larger_leg", "larger_side", "covered", "unknown"]
ReturnBasis: TypeAlias = Literal["entry", "mark"]
InitialMarginRule: TypeAlias = Literal["leverage", "table", "unknown"]
FundingInRequirement: TypeAlias = Literal["none", "rate_times_value", "rate_times_value_of_payer", "unknown"]
LiabilityRule: TypeAlias = Literal["none", "negative_equity", "requirement", "unknown"]
CrossWallet: TypeAlias = Literal["account", "settlement_currency", "unknown"]
MarginConversion: TypeAlias = Literal["price", "liability_weight", "unknown"]
CloseOutStep: TypeAlias = Literal["whole", "share", "tiers", "largest_loss", "unknown"]
CloseOutStepIsolated: TypeAlias = CloseOutStep | Literal["same"]
CloseOutNext: TypeAlias = Literal["whole", "same", "again", "unknown"]
TriggerPrice: TypeAlias = Literal["mark", "index", "last", "unknown"]
Remainder: TypeAlias = Literal["trader", "fund", "unknown"]
DeleveragingRanking: TypeAlias = Literal[
    "profit_share_times_margin_ratio",
    "profit_share_times_effective_leverage",
    "price_ratio_times_leverage",
    "profit_share_times_leverage",
    "random",
    "none",
    "unknown",
]
DeleveragingSharing: TypeAlias = Literal["queue", "contracts", "profit", "wealth", "min_max"]
CloseOutPrice: TypeAlias = Literal["bankruptcy", "mark", "none", "unknown"]
BEFORE = ("cancel", "net", "unknown")
PAYERS = ("fund", "deleveraging", "socialised", "unknown")
TraderOwes: TypeAlias = Literal["no", "yes", "claim_reserved", "unknown"]
OrderMargin: TypeAlias = Literal["none", "larger_side", "sum", "unknown"]
OrderLoss: TypeAlias = Literal["none", "counted", "unknown"]
OrderRatio: TypeAlias = Literal["none", "frozen", "unknown"]
TraderOwesIsolated: TypeAlias = Literal["same", "no", "yes", "claim_reserved", "unknown"]

UNKNOWN: Unknown = "unknown"
CHOICES: dict[str, tuple[object, ...]] = {
    "requirement_basis_isolated": get_args(RequirementBasis),
    "requirement_basis_cross": get_args(RequirementBasis),
    "initial_margin_basis_isolated": get_args(InitialMarginBasis),
    "initial_margin_basis_cross": get_args(InitialMarginBasis),
    "closing_fee_basis": get_args(ClosingFeeBasis),
    "closing_fee_basis_cross": ("same", *get_args(ClosingFeeBasis)),
    "closing_fee_reserved": get_args(FeeReserve),
    "closing_fee_bankruptcy_cross": get_args(FeeBankruptcy),
    "closing_fee_in_initial_margin": (False, True, UNKNOWN),
    "closing_fee_in_maintenance_margin": (False, True, UNKNOWN),
    "bankruptcy_includes_closing_fee": (False, True, UNKNOWN),
    "warning_level_inclusive": (False, True),
    "margin_call_level_inclusive": (False, True),
    "liquidation_level_inclusive": (False, True),
    "price_rounding_long": get_args(Rounding),
    "price_rounding_short": get_args(Rounding),
    "bankruptcy_rounding_long": ("same", *get_args(Rounding)),
    "bankruptcy_rounding_short": ("same", *get_args(Rounding)),
    "maintenance_rate_rule": get_args(RateRule),
    "table_shape": get_args(TableShape),
    "hedge_requirement": get_args(HedgeRequirement),
    "hedge_requirement_initial": get_args(InitialHedgeRule),
    "return_basis": get_args(ReturnBasis),
    "initial_margin_rule": get_args(InitialMarginRule),
    "funding_in_requirement": get_args(FundingInRequirement),
    "liabilities_count_as": get_args(LiabilityRule),
    "cross_wallet": get_args(CrossWallet),
    "margins_convert_at": get_args(MarginConversion),
    "trader_owes": get_args(TraderOwes),
    "order_margin": get_args(OrderMargin),
    "order_loss": get_args(OrderLoss),
    "order_ratio": get_args(OrderRatio),
    "trader_owes_isolated": get_args(TraderOwesIsolated),
    "close_out_step": get_args(CloseOutStep),
    "close_out_step_isolated": ("same", *get_args(CloseOutStep)),
    "close_out_next": get_args(CloseOutNext),
    "close_out_trigger_price": get_args(TriggerPrice),
    "close_out_remainder": get_args(Remainder),
    "close_out_ranking": get_args(DeleveragingRanking),
    "close_out_sharing": get_args(DeleveragingSharing),
    "close_out_price": get_args(CloseOutPrice),
}


class Texts(Mapping[str, str]):
    """Immutable, hashable texts by rule, in the order of the file."""

    __slots__ = ("_texts",)

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        self._texts = dict(texts or {})

    def __getitem__(self, rule: str) -> str:
        """Return the text of a rule."""
        return self._texts[rule]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the rules."""
        return iter(self._texts)

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self._texts)

    def __hash__(self) -> int:
        """Hash of the contents."""
        return hash(frozenset(self._texts.items()))

    def __repr__(self) -> str:
        """Return it as the dict it could be made of."""
        return f"Texts({self._texts!r})"

    def about(self, rule: str) -> str:
        """Text under `rule`, or under the beginning of it that several rules share; empty where none is."""
        words = rule.split("_")
        keys = ("_".join(words[:length]) for length in range(len(words), 0, -1))
        return next((self._texts[key] for key in keys if key in self._texts), "")


@dataclass(frozen=True, slots=True)
class Source:
    """Where rules of a policy were read.

    Parameters
    ----------
    title, url : str
        What it is and where it stands; the url is empty where only a citation exists.
    dated : str
        Its own date, as precisely as known; empty where it carries none.
    evidence : {"V", "R", "3P"}
        Whether published numbers were recomputed (V), the venue's own text was read (R), or a third
        party's copy of it (3P).
    """

    title: str
    url: str
    dated: str
    evidence: str

    def __post_init__(self) -> None:
        """Check that all are texts."""
        texts_of(self, "title", "url", "dated", "evidence")


def value_text(value: object) -> str:
    """Value of a rule in words; a number with all of its digits.

    Examples
    --------
    >>> value_text(True), value_text(None), value_text(0.00005), value_text(("base", "quote"))
    ('yes', 'not published', '0.00005', 'base, quote')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(value_text, value))
    if isinstance(value, float):
        return np.format_float_positional(value, trim="-")
    return "not published" if value is None else str(value)
