"""Books for close-outs: generated positions of one currency, and policies with a rule for everything."""

from typing import Any

import numpy as np
import numpy.typing as npt

import levcore as lc

__all__ = ["MARKS", "ONE_RATE", "closing_policy", "random_book"]

RATE = lc.TierTable.single_rate(0.004)
MARKS = {"A": 100.0, "B": 20.0, "C": 3.0}

ONE_RATE: dict[str, Any] = {
    "requirement_basis_isolated": "price",
    "requirement_basis_cross": "price",
    "initial_margin_basis_isolated": "mark",
    "initial_margin_basis_cross": "mark",
    "closing_fee_basis": "none",
    "closing_fee_rate": 0.0,
    "closing_fee_bankruptcy_cross": "none",
    "initial_margin_rule": "leverage",
    "funding_in_requirement": "none",
    "maintenance_rate_rule": "table",
    "table_units": ("quote",),
    "table_shape": "any",
    "liquidation_level": 1.0,
    "warning_level": None,
    "margin_call_level": None,
    "hedge_requirement": "sum",
    "liabilities_count_as": "none",
    "closing_fee_in_initial_margin": False,
    "closing_fee_in_maintenance_margin": False,
    "short_minimum": (),
    "covered_share": 0.0,
}
"""Rules of margin under which the trigger is that of one rate, whatever happens after it."""


def closing_policy(name: str = "generic", **rules: Any) -> lc.MarginPolicy:
    """Policy `name` with the whole position closed without a fee, at one rate of 0.4 %."""
    stated = {"close_out_step": "whole", "close_out_fee_rate": 0.0, **rules}
    policy = lc.policy(name)
    if name == "generic":
        stated = ONE_RATE | stated
    return policy.replace(**stated).with_instruments(
        [lc.Instrument(each, "linear", tiers=RATE) for each in MARKS]
    )


def random_book(random: np.random.Generator, count: int) -> tuple[dict[str, Any], npt.NDArray[Any]]:
    """Columns of a book, one position an account and instrument, and the labels of its accounts."""
    names = np.array(list(MARKS))[random.integers(0, 3, count)]
    account = np.array([f"account {each}" for each in random.permutation(count)])
    cross = random.random(count) < 0.4
    shared = np.flatnonzero(cross)[1::2]
    for row in shared:  # two legs of different instruments an account
        other = np.flatnonzero(cross)[np.flatnonzero(np.flatnonzero(cross) == row)[0] - 1]
        if names[other] != names[row]:
            account[row] = account[other]
    marks = np.array([MARKS[name] for name in names])
    columns = {
        "instrument": names,
        "quantity": random.choice([-1.0, 1.0], count) * np.round(random.lognormal(0, 1, count) + 0.01, 3),
        "entry_price": np.round(marks * random.uniform(0.8, 1.25, count), 4),
        "account": account,
        "margin_mode": np.where(cross, "cross", "isolated"),
        "leverage": random.integers(2, 60, count).astype(float),
    }
    return columns, np.unique(account[cross])
