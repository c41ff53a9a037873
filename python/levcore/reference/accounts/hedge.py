"""Legs that cover each other: what a long and a short leg of one instrument in one account are charged.

With the sizes ``n >= m`` of the two legs and the share ``c`` of covered quantity, the larger leg is charged
on ``(n - m) + c m``, the smaller one on nothing. A requirement frozen at entry is taken at the average entry
of both.
"""

from levcore.reference.accounts.pool import Leg
from levcore.reference.rules.curve import initial_margin_at
from levcore.reference.rules.policy import Policy

__all__ = ["cover"]

COVERED = "covered"
AT_PRICE, AT_ENTRY = "price", "entry"


def cover(legs: list[Leg], policy: Policy) -> None:
    """Charge pairs of legs on what they leave uncovered, where the policy does so; pairs share a group."""
    if policy.rules.hedge_rule != COVERED:
        return
    first_of_group: dict[int, Leg] = {}
    for leg in legs:
        if leg.position.value == 0.0:
            continue
        first = first_of_group.get(leg.group)
        first_of_group[leg.group] = leg
        if first is not None:
            _cover_pair(first, leg, policy)


def _cover_pair(first: Leg, second: Leg, policy: Policy) -> None:
    one, other = first.position, second.position
    average_entry = (one.entry_value + other.entry_value) / (one.size + other.size)
    larger, smaller = (first, second) if one.size >= other.size else (second, first)
    size, covered = larger.position.size, smaller.position.size
    charged = (size - covered) + policy.rules.covered_share * covered
    _charge(larger, charged / size, charged * average_entry, policy)
    _charge(smaller, 0.0, 0.0, policy)


def _charge(leg: Leg, share: float, at_entry: float, policy: Policy) -> None:
    """Charge a leg on a share of its value, or on this value at entry."""
    p, rules = leg.position, policy.rules
    own, charged = p.value, share * p.value
    if rules.requirement_cross == AT_ENTRY:
        own, charged = p.entry_value, at_entry
    change = leg.curve.at(charged) - leg.curve.at(own)
    p.requirement += change
    p.maintenance_margin += change
    if rules.requirement_cross == AT_PRICE:
        leg.released += change * policy.trigger
    leg.covered, leg.charged = True, share
    if rules.hedge_rule_initial != COVERED:
        return
    own, charged = p.value, share * p.value
    if rules.initial_at_entry_cross:
        own, charged = p.entry_value, at_entry
    table, initial = rules.initial_from_table, leg.initial
    p.initial_margin += initial_margin_at(p, initial, table, charged) - initial_margin_at(
        p, initial, table, own
    )
