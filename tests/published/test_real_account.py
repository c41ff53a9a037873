"""A real Hyperliquid account of 2026-01-14 against its venue: 14 cross and 2 isolated positions.

The data stand in ``examples/data``, whose README says where they come from and how inputs were derived.
"""

import csv
import json
from decimal import Decimal

import numpy as np
import pytest

import levcore as lc
from support.published_books import ACCOUNTS
from support.published_cases import EVALUATORS, evaluated_account
from support.published_numbers import sum_of_cut

ACCOUNT = "hyperliquid_account_2026-01-14"


@pytest.fixture(params=EVALUATORS)
def risk(request: pytest.FixtureRequest) -> lc.BookRisk:
    """Whole account under the rules and with the tiers of its day, by the engine and by the reference."""
    return evaluated_account(ACCOUNT, "hyperliquid@2026-08-07", request.param)


@pytest.fixture(scope="module")
def venue() -> dict[str, Decimal]:
    """Totals as the venue printed them; it prints 6 decimals, some with the noise of a float64 sum."""
    totals = json.loads((ACCOUNTS / ACCOUNT / "venue.json").read_text(encoding="utf-8"))
    return {name: six_decimals(Decimal(text)) for name, text in totals.items() if isinstance(text, str)}


def six_decimals(number: Decimal | float) -> Decimal:
    return Decimal(number).quantize(Decimal("0.000001"))


def venue_column(name: str) -> list[str]:
    """Column of the positions as the venue printed it."""
    with (ACCOUNTS / ACCOUNT / "positions.csv").open(encoding="utf-8") as lines:
        return [row[f"venue_{name}"] for row in csv.DictReader(lines)]


def test_every_position_is_evaluated(risk: lc.BookRisk) -> None:
    assert len(risk) == 16
    assert np.count_nonzero(risk.book.is_cross) == 14
    assert risk.failures() == []
    assert risk.accounts.status.tolist() == [lc.AccountStatus.OK]


def test_liquidation_prices_are_the_venues(risk: lc.BookRisk) -> None:
    printed = venue_column("liquidation_price")
    has_price = np.array([text != "" for text in printed])
    assert np.count_nonzero(has_price) == 10
    expected = np.array([float(text) for text in printed if text])
    np.testing.assert_allclose(risk.liquidation_price[has_price], expected, rtol=1e-8, atol=0.0)


def test_empty_liquidation_prices_are_none_here_too(risk: lc.BookRisk) -> None:
    rows = [row for row, text in enumerate(venue_column("liquidation_price")) if text == ""]
    assert len(rows) == 6
    assert np.isnan(risk.liquidation_price[rows]).all()
    assert set(risk.status[rows].tolist()) == {lc.Status.NO_LIQUIDATION_PRICE}
    assert np.isposinf(risk.distance_to_liquidation[rows]).all()


def test_account_values_are_the_venues_to_the_printed_digits(
    risk: lc.BookRisk, venue: dict[str, Decimal]
) -> None:
    cross = float(risk.accounts.equity[0])
    isolated = float(risk.equity[~risk.book.is_cross].sum())
    assert six_decimals(cross) == venue["cross_account_value"]
    assert six_decimals(cross + isolated) == venue["account_value"]


def test_cross_maintenance_margin_is_the_venues_to_the_printed_digits(
    risk: lc.BookRisk, venue: dict[str, Decimal]
) -> None:
    # The venue adds up margins that it has cut to 6 decimals each; added up uncut they are 2e-6 more.
    assert six_decimals(sum_of_cut(risk, "maintenance_margin")) == venue["cross_maintenance_margin"]
    uncut = Decimal(float(risk.accounts.maintenance_margin[0]))
    assert 0 <= uncut - venue["cross_maintenance_margin"] < 14 * Decimal("0.000001")


def test_margin_used_is_the_venues_to_the_printed_digits(
    risk: lc.BookRisk, venue: dict[str, Decimal]
) -> None:
    used = np.where(risk.book.is_cross, risk.initial_margin, risk.equity)
    for ours, printed in zip(used.tolist(), venue_column("margin_used"), strict=True):
        # Cut, not rounded; half of 1e-9 is more than the round-off and less than any digit.
        assert 0 <= Decimal(ours) - Decimal(printed) + Decimal("5e-10") < Decimal("0.0000011"), printed
    isolated = float(risk.equity[~risk.book.is_cross].sum())
    assert six_decimals(sum_of_cut(risk, "initial_margin") + isolated) == venue["total_margin_used"]
