"""What a comparison says of its policies in words: date, tiers, stated rules, debtor, differing rules."""

from typing import TYPE_CHECKING, Any

from levcore.comparison.assets import AssetMatch
from levcore.comparison.instruments import Match
from levcore.rules.policy import RULES, MarginPolicy
from levcore.rules.terms import UNKNOWN, value_text

if TYPE_CHECKING:
    from levcore.comparison.comparison import Comparison

__all__ = [
    "OWES",
    "asset_notes",
    "dated",
    "differing_rules",
    "policy_facts",
    "stated_rules",
    "tier_notes",
    "trader_owes",
]

OWES = {
    "no": "no",
    "yes": "yes",
    "claim_reserved": "the venue reserves a claim",
    UNKNOWN: "unknown",
}
# Texts, and what describes a policy's own tables: none of them moves a number.
NOT_COMPARED = {
    "ratio",
    "debtor",
    "trader_owes",
    "trader_owes_isolated",
    "maintenance_rate_rule",
    "table_units",
    "table_shape",
}
# A comparison is of positions; open orders are not in it.
NOT_COMPARED |= {"order_margin", "order_loss", "order_ratio"}
# Nor is what happens after the trigger.
NOT_COMPARED |= {rule for rule in RULES if rule.startswith("close_out_")}
NAMES_SHOWN = 8


def dated(policy: MarginPolicy) -> str:
    """Date of the policy's facts."""
    return policy.as_of or "undated"


def trader_owes(policy: MarginPolicy) -> str:
    """Whether the trader owes what is missing when the price gaps past bankruptcy, and on what that rests."""
    answer = OWES[policy.trader_owes]
    reason = policy.unknown.about("trader_owes") if policy.trader_owes == UNKNOWN else policy.debtor
    told = f"{answer} ({reason})" if reason and reason != UNKNOWN else answer
    isolated = policy.owes("isolated")
    return told if isolated == policy.trader_owes else f"{told}; of an isolated position: {OWES[isolated]}"


def stated_rules(policy: MarginPolicy) -> dict[str, str]:
    """Rules that the caller has stated, with their values as text."""
    return {
        rule: value_text(getattr(policy, rule))
        for rule in RULES
        if policy.rests_on.get(rule, "").startswith("[caller]")
    }


def tier_notes(policy: MarginPolicy, match: Match) -> list[str]:
    """Sentences on where instruments and tiers come from, and what was not found."""
    notes = []
    total = len(match.own) + len(match.borrowed) + len(match.unmatched)
    if match.borrowed:
        which = "all" if len(match.borrowed) == total else f"{len(match.borrowed)} of {total}"
        notes.append(
            f"Instruments and tiers of {match.lender} for {which} instruments: there the rules are compared,"
            " not the venue's own tiers."
        )
    if match.own:
        which = "all" if len(match.own) == total else f"{len(match.own)} of {total}"
        caller = "all of them" if match.from_caller == match.own else f"{len(match.from_caller)} of them"
        given = f"; the caller gave {caller}" if match.from_caller else ""
        notes.append(f"Its own instruments and tiers for {which} instruments{given}.")
    if match.misfits:
        which = "these" if match.misfits == match.borrowed else f"those of {_listed(match.misfits)}"
        units = " or ".join(policy.table_units)
        notes.append(f"The policy's own tables are {policy.table_shape}, keyed by {units}; {which} are not.")
    if match.restated:
        notes.append(f"Contract sizes restated in the book's contracts: {_listed(match.restated)}.")
    if match.elsewhere:
        taken = "; ".join(match.elsewhere)
        notes.append(f"On the same base in another currency, which is not converted: {taken}.")
    if match.unmatched:
        notes.append(f"No instrument, and therefore no numbers: {_listed(match.unmatched)}.")
    return notes


def asset_notes(match: AssetMatch) -> list[str]:
    """Sentences on where weights and loan rates of assets come from, and what was not found."""
    notes = []
    if match.borrowed:
        notes.append(
            f"Assets of {match.lender}: {_listed(match.borrowed)}; weights and loan rates there are not the"
            " venue's own."
        )
    if match.missing:
        notes.append(
            f"No rules of these assets, and therefore no numbers for accounts that hold or settle in them:"
            f" {_listed(match.missing)}."
        )
    return notes


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def differing_rules(comparison: "Comparison") -> dict[str, dict[str, str]]:
    """Rules with more than one value among the policies: values as text by rule and label."""
    differing = {}
    for rule in RULES:
        values = {label: value_text(getattr(one, rule)) for label, one in comparison.policies.items()}
        if rule not in NOT_COMPARED and len(set(values.values())) > 1:
            differing[rule] = values
    return differing


def policy_facts(comparison: "Comparison", label: str) -> dict[str, Any]:
    """What `Comparison.to_dict` says of one policy."""
    policy, match, result = comparison.policies[label], comparison.matches[label], comparison.results[label]
    assets = comparison.asset_matches[label]
    refusal = None if label in comparison.answers else str(result)
    return {
        "id": policy.id,
        "as_of": policy.as_of,
        "title": policy.title,
        "trader_owes": policy.trader_owes,
        "debtor": policy.debtor,
        "stated": stated_rules(policy),
        "refusal": refusal,
        "refused": [
            {"positions": one.rows.size, "accounts": one.accounts.size, "refusal": str(one)}
            for one in comparison.withheld[label]
        ],
        "tiers_own": list(match.own),
        "tiers_from_caller": list(match.from_caller),
        "tiers_borrowed": list(match.borrowed),
        "tiers_borrowed_from": match.lender if match.borrowed else "",
        "in_another_currency": list(match.elsewhere),
        "unmatched": list(match.unmatched),
        "assets_own": list(assets.own),
        "assets_borrowed": list(assets.borrowed),
        "assets_borrowed_from": assets.lender if assets.borrowed else "",
        "assets_missing": list(assets.missing),
        "notes": tier_notes(policy, match) + asset_notes(assets),
    }
