"""Both prices of a short inverse position whose rate grows with its value; numbers by hand.

Of 70,000 USD the value is 70,000 / price coins. With the rate 0.2 + 0.001 V, an entry at 175 (400 coins) and
a margin of 330 coins the surplus is ``-70 + 0.8 V - 0.001 V^2``: zero at 100 and at 700 coins, which are the
prices 700 and 100.
"""

from __future__ import annotations

import math
from typing import Any

import pytest

import levcore as lc
from levcore.measures import MEASURE_NAMES
from support.comparison import assert_same_risk

TERMS = lc.Instrument("I", "inverse", lc.TierTable.growing("0.2", "0.001"), contract_size=100.0)
POLICY = lc.policy("generic").replace(hedge_requirement="sum").with_instruments([TERMS])
MODES = ("isolated", "cross", "hedge")


def at(mark: float, mode: str, margin: float = 330.0) -> lc.BookRisk:
    """The position alone in its account, in a book of that kind; the reference says the same."""
    held: dict[str, Any] = {"isolated_margin": [margin]} if mode == "isolated" else {"wallet_balance": margin}
    if mode == "hedge":
        held["position_mode"] = "hedge"
    book = lc.PositionBook(
        ["I"], [-700.0], [175.0], margin_mode="isolated" if mode == "isolated" else "cross", **held
    )
    risk = lc.Engine(POLICY).evaluate(book, [mark], measures=MEASURE_NAMES)
    assert_same_risk(risk, lc.reference.evaluate(book, POLICY, [mark], measures=MEASURE_NAMES))
    return risk


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("mark", "shown", "distance", "state"),
    [
        (200.0, 100.0, 0.5, lc.State.HEALTHY),
        (390.0, 100.0, 290 / 390, lc.State.HEALTHY),
        (410.0, 700.0, 290 / 410, lc.State.HEALTHY),
        (90.0, 100.0, -1 / 9, lc.State.LIQUIDATION),
        (800.0, 700.0, -1 / 8, lc.State.LIQUIDATION),
    ],
)
def test_the_nearer_of_both_prices_is_shown(
    mode: str, mark: float, shown: float, distance: float, state: lc.State
) -> None:
    risk = at(mark, mode)
    assert risk.liquidation_price_lower[0] == pytest.approx(100.0, rel=1e-12)
    assert risk.liquidation_price_upper[0] == pytest.approx(700.0, rel=1e-12)
    assert risk.liquidation_price[0] == pytest.approx(shown, rel=1e-12)
    assert risk.distance_to_liquidation[0] == pytest.approx(distance, rel=1e-12)
    assert risk.state[0] == state
    assert (risk.status[0] == lc.Status.ALREADY_LIQUIDATABLE) == (state == lc.State.LIQUIDATION)


@pytest.mark.parametrize("mode", MODES)
def test_more_than_enough_margin_leaves_the_price_below(mode: str) -> None:
    # 400 - margin = -200: no positive value above, and (0.8 + sqrt(0.64 + 0.8)) / 0.002 = 1,000 coins below.
    risk = at(200.0, mode, 600.0)
    assert math.isnan(risk.liquidation_price_upper[0])
    assert risk.liquidation_price_lower[0] == risk.liquidation_price[0] == pytest.approx(70.0, rel=1e-12)
    assert risk.distance_to_liquidation[0] == pytest.approx(0.65, rel=1e-12)
    # Beyond 800 coins the rate is 1: the table ends, and isolated the price lies on the profit side.
    assert risk.status[0] == (
        lc.Status.LIQUIDATION_PRICE_BEYOND_ENTRY
        if mode == "isolated"
        else lc.Status.LIQUIDATION_PRICE_BEYOND_LAST_TIER
    )


@pytest.mark.parametrize("mode", MODES)
def test_too_little_margin_leaves_no_price(mode: str) -> None:
    # 400 - margin = 170: the surplus is below zero at every value.
    risk = at(200.0, mode, 230.0)
    assert math.isnan(risk.liquidation_price_lower[0])
    assert math.isnan(risk.liquidation_price_upper[0])
    assert risk.distance_to_liquidation[0] == -math.inf
    assert risk.status[0] == lc.Status.ALREADY_LIQUIDATABLE
