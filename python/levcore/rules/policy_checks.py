"""Whether the rules of a policy have values that they can have, each by itself and together."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, get_args

from levcore.arguments import is_number
from levcore.errors import PolicyError, TierError
from levcore.rules.assets import AssetTable
from levcore.rules.fees import Fees
from levcore.rules.instruments import InstrumentTable
from levcore.rules.terms import BEFORE, CHOICES, PAYERS, UNKNOWN, Source, Texts
from levcore.rules.tiers import TierTable, Unit

if TYPE_CHECKING:
    from levcore.rules.policy import MarginPolicy

TEXTS = (
    "name",
    "as_of",
    "title",
    "venue",
    "product",
    "notes",
    "verified_by",
    "ratio",
    "debtor",
    "fee_schedule",
    "closing_fee_is",
)
HIGHEST_FEE = 0.02
HIGHEST_CLOSE_OUT_FEE = 0.05
LOWEST_SHARE = 0.01
LOWEST_LEVEL, HIGHEST_LEVEL = 1e-9, 20.0
LEVEL_OF_BANKRUPTCY = 1e9
"""Higher than any ratio that a price could tell from an infinite one: reached when nothing is left."""


def check_rules(policy: MarginPolicy) -> None:
    """Refuse a policy whose rules have none of their values.

    Raises
    ------
    PolicyError
        Which names the first such rule.
    """
    _check_provenance(policy)
    _check_words(policy)
    _check_tables(policy)
    _check_fee(policy)
    _check_levels(policy)
    _check_covered_share(policy)
    _check_short_minimum(policy)
    _check_close_out(policy)
    _check_pairs(policy)


def rule_fault(policy: MarginPolicy, rule: str, text: str, expected: str, found: str) -> PolicyError:
    """Error about a rule of a policy."""
    return PolicyError(f"{policy.id}, {rule}", text, expected, found)


def _check_provenance(policy: MarginPolicy) -> None:
    """What is said of a policy, and the rules that are said in words."""
    kinds: dict[str, type] = dict.fromkeys(TEXTS, str)
    kinds |= {"sources": tuple, "rests_on": Texts, "unknown": Texts, "table_units": tuple}
    for rule, kind in kinds.items():
        value = getattr(policy, rule)
        if not isinstance(value, kind):
            found = type(value).__name__
            raise PolicyError(rule, f"must be a {kind.__name__}", kind.__name__, found)
    for source in policy.sources:
        if not isinstance(source, Source):
            raise PolicyError("sources", "must be a Source", "Source", type(source).__name__)
    if policy.fees is not None and not isinstance(policy.fees, Fees):
        raise PolicyError("fees", "must be a Fees", "Fees, or None", type(policy.fees).__name__)


def _check_words(policy: MarginPolicy) -> None:
    for rule, choices in CHOICES.items():
        value = getattr(policy, rule)
        # 1 == True in Python; a flag must be a bool all the same.
        if not any(value is choice or (isinstance(value, str) and value == choice) for choice in choices):
            raise rule_fault(
                policy, rule, "must be a known value", " or ".join(map(repr, choices)), repr(value)
            )


def _check_tables(policy: MarginPolicy) -> None:
    if not isinstance(policy.instruments, InstrumentTable):
        raise rule_fault(
            policy, "instruments", "must be a table", "an InstrumentTable", repr(policy.instruments)
        )
    if not isinstance(policy.assets, AssetTable):
        raise rule_fault(policy, "assets", "must be a table", "an AssetTable", repr(policy.assets))
    if any(unit not in get_args(Unit) for unit in policy.table_units):
        raise rule_fault(
            policy, "table_units", "must be units", ", ".join(get_args(Unit)), repr(policy.table_units)
        )


def _check_fee(policy: MarginPolicy) -> None:
    rate, bases = policy.closing_fee_rate, {policy.fee_basis_of("isolated"), policy.fee_basis_of("cross")}
    an_amount = "contract" in bases
    if an_amount and bases - {"contract", "none"}:
        raise rule_fault(
            policy,
            "closing_fee_basis_cross",
            "an amount a contract is no fraction of a value",
            "both or neither of the two modes",
            repr(policy.closing_fee_basis_cross),
        )
    highest = sys.float_info.max if an_amount else HIGHEST_FEE
    if not _is_unknown(rate) and not (is_number(rate) and 0 <= float(rate) <= highest):
        text, expected = "must be an amount", "a number >= 0"
        if not an_amount:
            text, expected = "must be a fraction of value; 0.05 % is 0.0005", f"in [0, {HIGHEST_FEE}]"
        raise rule_fault(policy, "closing_fee_rate", text, expected, repr(rate))
    if an_amount and policy.bankruptcy_includes_closing_fee is True:
        rule = "bankruptcy_includes_closing_fee"
        raise rule_fault(
            policy, rule, "leaves room for a fraction of the value there", "no fee a contract", "True"
        )
    if bases == {"none"} and not (is_number(rate) and rate == 0):
        raise rule_fault(
            policy, "closing_fee_rate", "must be 0 where there is no closing fee", "0", repr(rate)
        )


def _check_levels(policy: MarginPolicy) -> None:
    named = ("warning_level", "margin_call_level", "liquidation_level")
    if policy.liquidation_level is None:
        raise rule_fault(policy, "liquidation_level", "must be a level", "a positive number", "None")
    levels = [(name, getattr(policy, name)) for name in named if getattr(policy, name) is not None]
    highest = LOWEST_LEVEL
    for name, level in levels:
        known = is_number(level) and (level == LEVEL_OF_BANKRUPTCY or highest <= level <= HIGHEST_LEVEL)
        if not known or level < highest:
            expected = (
                f"in [{highest}, {HIGHEST_LEVEL}]: 0.8 for 80 %, 2 for a stop-out at 50 % of the margin"
            )
            raise rule_fault(policy, name, "levels must be positive and must not fall", expected, repr(level))
        highest = level


def _check_covered_share(policy: MarginPolicy) -> None:
    share = policy.covered_share
    if not (is_number(share) and 0 <= share <= 1):
        raise rule_fault(policy, "covered_share", "must be a share", "in [0, 1]", repr(share))
    if share != 0 and policy.hedge_requirement != "covered":
        raise rule_fault(policy, "covered_share", "belongs to hedge_requirement='covered'", "0", repr(share))


def _check_short_minimum(policy: MarginPolicy) -> None:
    least = policy.short_minimum
    try:
        if not isinstance(least, tuple):
            raise TypeError("no tuple")
        if least:
            TierTable.single_rate("0.5").with_least_per_unit(least)
    except (TierError, TypeError, ValueError) as error:
        text = f"must be lines a unit ({error})"
        expected = "a tuple of (floor, rate, amount), or ()"
        raise rule_fault(policy, "short_minimum", text, expected, repr(least)) from None


def _check_pairs(policy: MarginPolicy) -> None:
    """Refuse rules of two margin modes, or of two margins, that the kernel does not compute together."""
    moving = [policy.fee_basis_of(mode) == "price" for mode in ("isolated", "cross")]
    bases = (policy.requirement_basis_isolated, policy.requirement_basis_cross)
    if bases == ("price", "price") and moving[0] != moving[1]:
        rule = "fees move in both margin modes or in none, where the requirement moves in both"
        raise rule_fault(
            policy,
            "closing_fee_basis_cross",
            rule,
            repr(policy.closing_fee_basis),
            repr(policy.closing_fee_basis_cross),
        )
    rule, initial = policy.hedge_requirement, policy.hedge_rule_of_initial
    if "sum" not in (rule, initial) and UNKNOWN not in (rule, initial) and rule != initial:
        expected = f"{rule!r} or 'sum'"
        raise rule_fault(
            policy, "hedge_requirement_initial", "of two rules one must be the sum", expected, repr(initial)
        )
    if initial == "covered" != rule:
        expected = "hedge_requirement='covered'"
        raise rule_fault(
            policy, "hedge_requirement_initial", "covers legs with the requirement", expected, repr(rule)
        )
    if rule == "covered" and policy.requirement_basis_cross == "bankruptcy":
        text = "is not computed where legs cover each other"
        raise rule_fault(policy, "requirement_basis_cross", text, "another basis", "'bankruptcy'")


def _check_close_out(policy: MarginPolicy) -> None:
    rate = policy.close_out_fee_rate
    if not _is_unknown(rate) and not (is_number(rate) and 0 <= float(rate) <= HIGHEST_CLOSE_OUT_FEE):
        expected = f"in [0, {HIGHEST_CLOSE_OUT_FEE}]"
        raise rule_fault(policy, "close_out_fee_rate", "must be a fraction of value", expected, repr(rate))
    for rule, words in (("close_out_payers", PAYERS), ("close_out_before", BEFORE)):
        found = getattr(policy, rule)
        distinct = isinstance(found, tuple) and len(set(found)) == len(found)
        known = distinct and all(word in words for word in found)
        if not known or (UNKNOWN in found and len(found) > 1):
            expected = f"a tuple of some of {', '.join(words[:-1])}, each once, or ('unknown',)"
            raise rule_fault(policy, rule, "must be a list of words", expected, repr(found))
    share = policy.close_out_share
    if not _is_unknown(share) and not (is_number(share) and LOWEST_SHARE <= float(share) <= 1):
        raise rule_fault(
            policy, "close_out_share", "must be a share of value", f"in [{LOWEST_SHARE}, 1]", repr(share)
        )
    levels = ("exit_level", "take_over_level", "whole_level")
    amounts = ("whole_up_to", "least", "least_left", "tiers", "cooldown", "guard_band", *levels)
    for rule in (f"close_out_{amount}" for amount in amounts):
        amount = getattr(policy, rule)
        absent = amount is None and rule.endswith("_level")
        if not absent and not (is_number(amount) and 0 <= amount < float("inf")):
            raise rule_fault(policy, rule, "must be a number", ">= 0", repr(amount))
    if not isinstance(policy.close_out_tiers, int):
        raise rule_fault(
            policy, "close_out_tiers", "must be whole tiers", "0, 1, 2", repr(policy.close_out_tiers)
        )


def _is_unknown(value: object) -> bool:
    """Whether a rule is not stated; an array, which is no value either, has no truth to compare."""
    return isinstance(value, str) and value == UNKNOWN
