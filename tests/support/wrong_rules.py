"""Rules that are wrong in kernel and reference alike, which parity cannot see, and what notices each."""

from pathlib import Path

__all__ = ["WRONG_RULES", "render", "without_a_test"]

TESTS = Path(__file__).parents[1]
HAND, DISTANCE = "properties/test_rules_by_hand.py", "engine/test_distance.py"
WRONG_RULES: tuple[tuple[str, str, str], ...] = (
    (
        "a pooled leg shows the farther of two prices",
        HAND,
        "test_of_two_prices_a_pooled_leg_shows_the_nearer_and_of_equals_the_lower",
    ),
    (
        "a pooled leg is beyond the last tier at its cap",
        HAND,
        "test_a_pooled_leg_is_beyond_the_last_tier_above_the_cap_and_not_at_it",
    ),
    (
        "that a pooled leg is already liquidatable is not told",
        HAND,
        "test_a_pooled_leg_past_its_price_is_already_liquidatable",
    ),
    (
        "a table does not hold what is at its cap",
        HAND,
        "test_a_table_holds_what_is_at_its_cap_and_nothing_above",
    ),
    ("a price at the cap is beyond the last tier", HAND, "test_a_price_at_the_cap_is_within_the_last_tier"),
    (
        "a flat table at its floor has the rate above",
        HAND,
        "test_a_flat_table_at_its_floor_has_the_rate_below",
    ),
    ("of two findings about prices the lesser is told", HAND, "test_of_two_findings_the_graver_is_told"),
    (
        "a missing leverage is told over a missing bankruptcy price",
        HAND,
        "test_no_bankruptcy_price_over_a_missing_leverage",
    ),
    (
        "a leverage above its tier is told over what is liquidatable",
        "properties/test_status.py",
        "test_of_several_findings_one_is_told",
    ),
    ("funding is checked before the quantity", HAND, "test_of_several_failures_the_first_check_is_told"),
    (
        "a margin call ends at a ratio of 1, whatever its level",
        HAND,
        "test_a_margin_call_ends_at_its_level_or_at_that_of_liquidation",
    ),
    (
        "without a call level it ends at 1, whatever that of liquidation",
        HAND,
        "test_a_margin_call_ends_at_its_level_or_at_that_of_liquidation",
    ),
    ("a debt is free margin", HAND, "test_a_debt_that_is_charged_is_no_equity_and_leaves_no_free_margin"),
    ("a debt is equity", HAND, "test_a_debt_that_is_charged_is_no_equity_and_leaves_no_free_margin"),
    (
        "hedged legs ask for the initial margin of both",
        HAND,
        "test_initial_and_maintenance_margin_of_hedged_legs",
    ),
    (
        "a negative equity is not charged as a liability",
        HAND,
        "test_a_negative_equity_counts_at_its_weight_and_is_charged_as_a_liability",
    ),
    (
        "a negative equity is charged on top of the debt",
        HAND,
        "test_a_larger_debt_than_the_negative_equity_is_what_is_charged",
    ),
    ("each tier of a haircut counts from zero", HAND, "test_a_haircut_grows_from_tier_to_tier"),
    ("a ray goes on below the price of zero", DISTANCE, "test_a_price_that_reaches_zero_ends_the_ray"),
    ("the sign of a beta turns no side", DISTANCE, "test_moves_by_hand"),
    (
        "a pool that gains everywhere pays for others",
        "scenarios/test_scenarios.py",
        "test_a_pool_that_gains_everywhere_pays_for_no_other",
    ),
    (
        "an amount a unit does not grow with the size",
        "rules/test_per_unit.py",
        "test_shorts_of_every_price_hold_what_the_rule_says",
    ),
    (
        "initial tiers of liabilities are those of maintenance",
        "files/test_balance_files.py",
        "test_initial_tiers_of_a_liability_are_those_of_their_own_rows",
    ),
    (
        "a unit is claimed from one digit",
        "reconciliation/test_reconcile.py",
        "test_a_unit_is_not_claimed_from_one_digit",
    ),
    (
        "999,950 reads 1,000 k",
        "reports/test_numbers.py",
        "test_a_short_number_never_reads_as_a_thousand_of_its_suffix",
    ),
    ("a distance of 0 reads as past", "reports/test_numbers.py", "test_a_distance_of_zero_is_not_past"),
)
"""What is wrong, the file of the test that fails then, its name."""


def without_a_test() -> list[str]:
    """Wrong rules whose test is not there any more."""
    missing = []
    for wrong, file, name in WRONG_RULES:
        path = TESTS / file
        if not path.exists() or f"def {name}(" not in path.read_text(encoding="utf-8"):
            missing.append(f"{wrong}: {file}::{name}")
    return missing


def render() -> str:
    """The section of the census page."""
    lines = ["", "## Wrong rules that parity cannot see", ""]
    lines += ["Each was put into reference or kernel on 2026-11-26, and the test beside it failed by numbers"]
    lines += [
        "of its own, nothing compared between the two. The last four are wrong lines around the formulas."
    ]
    lines += ["", "| wrong rule | noticed by |", "| --- | --- |"]
    lines += [f"| {wrong} | `{file}::{name}` |" for wrong, file, name in WRONG_RULES]
    return "\n".join(lines) + "\n"
