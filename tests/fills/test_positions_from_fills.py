"""Positions from fills: the kernel, the reference, exact fractions, and what is known by hand."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import levcore as lc
from levcore import errors
from levcore.reference.fills import positions_from_fills as reference_positions
from support.comparison import same_bits

RATE = lc.TierTable.single_rate("0.01")
INSTRUMENTS = {
    "LIN": lc.Instrument("LIN", "linear", RATE, contract_size=0.01),
    "INV": lc.Instrument(
        "INV", "inverse", lc.TierTable.single_rate("0.01", unit="base"), contract_size=100.0
    ),
    "QUA": lc.Instrument("QUA", "quanto", RATE, multiplier=0.001),
}
NAN = math.nan


def random_fills(seed: int, rows: int, *, spoiled: bool = True) -> dict[str, Any]:
    """Fills of a few accounts: round decimals, so that positions close, flip and stay open."""
    random = np.random.default_rng(seed)
    fills: dict[str, Any] = {
        "instrument": random.choice([*INSTRUMENTS, *(["NOSUCH"] if spoiled else [])], rows).tolist(),
        "account": random.integers(0, 3, rows).tolist(),
        "quantity": random.integers(-5, 6, rows) / 10.0,
        "price": np.round(random.uniform(50.0, 150.0, rows), 2),
        "fee": np.round(random.normal(0.01, 0.02, rows), 4),
        "time": random.integers(0, rows, rows),
    }
    if spoiled and random.random() < 0.5:
        column = random.choice(["quantity", "price", "fee"])
        fills[column][random.integers(rows)] = random.choice([NAN, math.inf, 1e308])
    return fills


@given(st.integers(0, 2**32))
def test_kernel_equals_reference(seed: int) -> None:
    fills = random_fills(seed, 60)
    marks = {"LIN": 100.0, "INV": 90.0}
    expected = reference_positions(INSTRUMENTS, marks=marks, **fills)
    for threads in (1, 2):
        found = lc.positions_from_fills(INSTRUMENTS, marks=marks, threads=threads, **fills)
        assert found.instrument == expected.instrument
        assert found.account == expected.account
        for name in ("results", "status", "fill_at_fault"):
            assert same_bits(getattr(found, name), getattr(expected, name)), name


def exact(fills: dict[str, Any], account: int, name: str, mark: float) -> tuple[Fraction, ...] | None:
    """Quantity, entry, realized, fees, net profit and break-even price, of decimals as they are written."""

    def decimal(value: float) -> Fraction:
        return Fraction(repr(float(value)))

    held = INSTRUMENTS[name]
    size, multiplier = decimal(held.contract_size), decimal(held.multiplier)

    def coordinate(price: Fraction) -> Fraction:
        return -1 / price if held.payoff == "inverse" else price * multiplier

    rows = [
        r
        for r in range(len(fills["time"]))
        if (fills["account"][r], fills["instrument"][r]) == (account, name)
    ]
    if not rows:
        return None
    quantity = cost = realized = fees = since = Fraction(0)
    for row in sorted(rows, key=lambda r: (fills["time"][r], r)):
        q, p, fee = (decimal(fills[column][row]) for column in ("quantity", "price", "fee"))
        fees += fee
        closing = quantity * q < 0
        closed = min(abs(q), abs(quantity)) if closing else Fraction(0)
        if closing:
            # `cost` is the sum of signed size times coordinate; what closes takes its share of it.
            share = closed / abs(quantity)
            signed = closed if quantity > 0 else -closed
            profit = signed * size * coordinate(p) - share * cost
            realized, since = realized + profit, since + profit
            cost -= share * cost
            left = q + signed
            quantity -= signed
            if quantity == 0:
                since = Fraction(0)
                since -= fee * abs(left) / abs(q) if left else 0
            else:
                since -= fee
            q = left
        else:
            since -= fee
        quantity += q
        cost += q * size * coordinate(p)
    unrealized = quantity * size * coordinate(decimal(mark)) - cost
    if quantity == 0:
        return quantity, realized, fees, realized - fees
    average, even = cost / (quantity * size), (cost - since) / (quantity * size)

    def price(at: Fraction) -> Fraction | None:
        if held.payoff == "inverse":
            return -1 / at if at < 0 else None
        return at / multiplier if at > 0 else None

    return quantity, realized, fees, realized + unrealized - fees, price(average), price(even)  # type: ignore[return-value]


@given(st.integers(0, 2**32))
def test_against_exact_fractions(seed: int) -> None:
    fills = random_fills(seed, 60, spoiled=False)
    found = lc.positions_from_fills(INSTRUMENTS, marks=dict.fromkeys(INSTRUMENTS, 100.0), **fills)
    assert found.account is not None
    for row, (account, name) in enumerate(zip(found.account, found.instrument, strict=True)):
        expected = exact(fills, account, name, 100.0)
        assert expected is not None
        measures = [found.quantity, found.realized_profit, found.fees, found.net_profit]
        if expected[0] != 0:
            measures += [found.entry_price, found.break_even_price]
        else:
            assert found.status[row] == lc.FillStatus.FLAT
            assert found.quantity[row] == 0.0
        for column, exactly in zip(measures, expected, strict=True):
            if exactly is None:
                assert math.isnan(column[row])
            else:
                # Round-off of sixty sums of terms no larger than some hundreds of the position's value.
                assert float(column[row]) == pytest.approx(float(exactly), rel=1e-9, abs=1e-9)


def test_inverse_entry_is_the_harmonic_mean() -> None:
    found = lc.positions_from_fills(
        INSTRUMENTS,
        instrument=["INV"] * 2,
        quantity=[1.0, 1.0],
        price=[50.0, 25.0],
        fee=0.0,
        time=[0, 1],
        marks={"INV": 50.0},
    )
    assert found.entry_price[0] == 2.0 / (1.0 / 50.0 + 1.0 / 25.0)
    assert found.unrealized_profit[0] == pytest.approx(200.0 * (3.0 / 100.0 - 1.0 / 50.0))
    assert found.account is None


def test_columns_make_a_book() -> None:
    fills: dict[str, Any] = {
        "instrument": ["LIN", "INV", "LIN"],
        "quantity": [3.0, -2.0, -3.0],
        "price": [100.0, 50.0, 110.0],
        "fee": 0.0,
        "time": np.array(["2026-01-02", "2026-01-01", "2026-01-03"], "datetime64[D]"),
    }
    found = lc.positions_from_fills(INSTRUMENTS, **fills)
    assert found.status.tolist() == [lc.FillStatus.FLAT, lc.FillStatus.MISSING_MARK_PRICE]
    assert found.net_profit[0] == pytest.approx(0.3)
    book = lc.PositionBook(**found.columns(), leverage=2.0)
    assert (book.instrument_names, book.quantity.tolist()) == (("INV",), [-2.0])


def test_bad_fills_and_calls_are_named() -> None:
    fills: dict[str, Any] = {
        "instrument": ["LIN", "LIN", "INV", "NOSUCH", "QUA"],
        "quantity": [1.0, NAN, 1.0, 1.0, 1.0],
        "price": [1.0, 1.0, -1.0, 1.0, 1.0],
        "fee": [0.0, 0.0, 0.0, 0.0, NAN],
        "time": [0, 1, 2, 3, 4],
    }
    found = lc.positions_from_fills(INSTRUMENTS, **fills)
    assert found.failures() == [
        (0, lc.FillStatus.INVALID_QUANTITY, 1),
        (1, lc.FillStatus.INVALID_PRICE, 2),
        (2, lc.FillStatus.UNKNOWN_INSTRUMENT, -1),
        (3, lc.FillStatus.INVALID_FEE, 4),
    ]
    assert found.quantity[3] == 1.0
    assert all(status.describe() for status in lc.FillStatus)
    with pytest.raises(errors.InputError, match="time"):
        lc.positions_from_fills(INSTRUMENTS, **(fills | {"time": [0, 1, 2, 3, NAN]}))
    with pytest.raises(errors.ShapeError, match="price"):
        lc.positions_from_fills(INSTRUMENTS, **(fills | {"price": [1.0]}))
    with pytest.raises(errors.DTypeError, match="instruments"):
        lc.positions_from_fills(["LIN"], **fills)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "quantities", "prices", "average"),
    [
        # help.bybit.com/hc/en-us/articles/900000630066 (USDT) and 900000404726 (inverse): profit and loss
        ("BTCUSDT", [0.5, 0.3], [5_000.0, 6_000.0], 5_375.0),
        ("BTCUSD", [1_000.0, 2_000.0], [5_000.0, 6_000.0], 5_625.0),
        # kucoin.com/support/26685254904601 prints 56,666.7, and 26693238981785 56,250
        ("BTCUSDT", [1.0, 2.0], [50_000.0, 60_000.0], 170_000.0 / 3.0),
        ("BTCUSD", [1_000.0, 2_000.0], [50_000.0, 60_000.0], 56_250.0),
    ],
)
def test_published_average_entry_prices(
    name: str, quantities: list[float], prices: list[float], average: float
) -> None:
    instruments = {
        "BTCUSDT": lc.Instrument("BTCUSDT", "linear", RATE),
        "BTCUSD": lc.Instrument("BTCUSD", "inverse", lc.TierTable.single_rate("0.01", unit="base")),
    }
    found = lc.positions_from_fills(
        instruments,
        instrument=[name, name],
        account=["a", "a"],
        quantity=quantities,
        price=prices,
        fee=[0.0, 0.0],
        time=[0, 1],
    )
    assert found.entry_price.tolist() == [pytest.approx(average, rel=1e-15)]
