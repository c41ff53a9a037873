"""What a policy says happens after a trigger, as the core takes it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from levcore.arguments import whole_number
from levcore.closing.fund import Fund
from levcore.closing.money import one_in_quanta
from levcore.errors import InputError, UnknownRuleError
from levcore.replays.step_rules import StepRules, step_rules_of

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.rules.policy import MarginPolicy

__all__ = ["Rules", "rules_of"]

UNKNOWN = "unknown"
LARGEST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules of a replay; the core reads them by these names, amounts in quanta."""

    fee_rate: float
    slippage: float
    to_fund: bool
    payers: list[str]
    ranking: str
    winners_pay: bool
    fund_floor: int
    largest_value: int
    per_unit: float
    lots_per_unit: float
    seed: int
    steps: StepRules


def rules_of(
    policy: "MarginPolicy",
    book: "PositionBook",
    fund: Fund,
    slippage: float,
    per_unit: float,
    lots_per_unit: float,
    seed: int,
) -> Rules:
    """Read the rules that a replay needs; all of them, since prices decide later which are asked for.

    Raises
    ------
    UnknownRuleError
        For one that is unknown, or that does not fit the book.
    """
    steps = step_rules_of(policy, book)
    payers = list(policy.known("close_out_payers"))
    if book.is_cross.any() and policy.owes("cross") == UNKNOWN:
        policy.known("trader_owes")
    if not book.is_cross.all() and policy.owes("isolated") == UNKNOWN:
        policy.known("trader_owes" if policy.trader_owes_isolated == "same" else "trader_owes_isolated")
    ranking, price = "random", "bankruptcy"
    if "deleveraging" in payers:
        ranking, price = policy.known("close_out_ranking"), policy.known("close_out_price")
        _refuse_ranking(policy, book, ranking)
    _refuse_what_is_not_replayed(policy, payers)
    seed = whole_number("seed", seed)
    if not 0 <= seed < 2**64:
        raise InputError("seed", "must be a whole number", "0 to 2^64 - 1", repr(seed))
    most = fund.largest_value
    return Rules(
        fee_rate=float(policy.known("close_out_fee_rate")),
        slippage=slippage,
        to_fund=policy.known("close_out_remainder") == "fund",
        payers=payers,
        ranking=ranking,
        winners_pay=price == "bankruptcy",
        fund_floor=one_in_quanta("fund", fund.floor, per_unit),
        largest_value=LARGEST if np.isinf(most) else one_in_quanta("fund", most, per_unit),
        per_unit=per_unit,
        lots_per_unit=lots_per_unit,
        seed=seed,
        steps=steps,
    )


def _refuse_what_is_not_replayed(policy: "MarginPolicy", payers: list[str]) -> None:
    """Refuse rules that `levcore.close_out` knows and a replay does not."""
    if "deleveraging" in payers and policy.known("close_out_sharing") != "queue":
        expected = "'queue', which policy.replace(close_out_sharing='queue') states"
        found = repr(policy.close_out_sharing)
        raise InputError("close_out_sharing", "must be a queue in a replay", expected, found)
    if policy.close_out_guard_band > 0.0:
        expected = "0, which policy.replace(close_out_guard_band=0.0) states: no mean prices are replayed"
        found = repr(policy.close_out_guard_band)
        raise InputError("close_out_guard_band", "must be none in a replay", expected, found)


def _refuse_ranking(policy: "MarginPolicy", book: "PositionBook", ranking: str) -> None:
    remedy = "policy.replace(close_out_ranking=...)"
    if ranking == "none":
        raise UnknownRuleError(policy.id, "deleverages without a ranking", remedy)
    if ranking == "price_ratio_times_leverage" and (book.quantity < 0).any():
        reason = "mark over entry is below 1 for a short in profit"
        raise UnknownRuleError(policy.id, "close_out_ranking is not stated for shorts", remedy, reason)
    if ranking == "profit_share_times_leverage" and (
        book.leverage is None or bool(np.isnan(book.leverage).any())
    ):
        remedy = "give PositionBook(leverage=...)"
        raise UnknownRuleError(policy.id, "its ranking needs leverages", remedy, "a position has none")
