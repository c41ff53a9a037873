"""Another system's numbers: seven engines' mistakes planted, each found, named and counted."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore import errors
from levcore.rules.tiers import TierTable
from levcore.systems.part import Part

TABLE = TierTable.marginal(
    [(0, "0.004"), (50_000, "0.005"), (250_000, "0.01"), (1_000_000, "0.025")], unit="quote"
)
MEASURES = ("liquidation_price", "maintenance_margin", "initial_margin", "unrealized_pnl", "notional")
COUNT = 8
"""Rows of each engine."""


def coin(name: str = "X", **more: Any) -> lc.Instrument:
    return lc.Instrument(name, "linear", TABLE, contract_size=0.01, settlement="USDT", **more)


def policy(instrument: lc.Instrument | None = None, **rules: Any) -> lc.MarginPolicy:
    fee = {"closing_fee_basis": "price", "closing_fee_rate": 0.0005} | rules
    return lc.policy("generic").replace(**fee).with_instruments([instrument or coin()])


def columns(seed: int) -> dict[str, Any]:
    """Positions whose values lie in other tiers at entry, at the mark and at the liquidation price."""
    random = np.random.default_rng(seed)
    entry = random.uniform(90.0, 100.0, COUNT)
    # 300,000 at entry and more than 250,000 at the mark of 88, but less where it is liquidated.
    quantity = 300_000.0 / entry * 100.0
    return {"quantity": quantity, "entry_price": entry, "leverage": np.full(COUNT, 3.0)}


def numbers(held: lc.MarginPolicy, mark: float = 88.0, **given: Any) -> dict[str, np.ndarray[Any, Any]]:
    """What an engine with these rules says of isolated rows, row by row."""
    book = lc.PositionBook(["X"] * len(given["quantity"]), **given)
    risk = lc.Engine(held).evaluate(book, {"X": mark}, measures=MEASURES)
    return {name: np.array(risk[name]) for name in MEASURES}


def by_hand(engine: str, given: dict[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The other engines, each in its own words where it can be written by itself."""
    q, entry = given["quantity"] * 0.01, given["entry_price"]
    right = numbers(policy(), **given)
    margin = q * entry / 3.0
    if engine == "tier at entry":
        tier = np.searchsorted(TABLE.floors, q * entry) - 1
        rate, deduction = np.array(TABLE.rates)[tier], np.array(TABLE.deductions)[tier]
        # margin + q (P - entry) = rate q P - deduction + fee q P
        price = (q * entry - margin - deduction) / (q * (1.0 - rate - 0.0005))
        return right | {"liquidation_price": price}
    if engine == "flat for marginal":
        rate = np.array(TABLE.rates)[np.searchsorted(TABLE.floors, q * 88.0) - 1]
        price = (q * entry - margin) / (q * (1.0 - rate - 0.0005))
        return right | {"liquidation_price": price, "maintenance_margin": rate * q * 88.0}
    if engine == "deduction dropped":
        there = q * right["liquidation_price"]
        rate = np.array(TABLE.rates)[np.searchsorted(TABLE.floors, there) - 1]
        return right | {"liquidation_price": (q * entry - margin) / (q * (1.0 - rate - 0.0005))}
    if engine == "fee left out":
        return numbers(policy(closing_fee_basis="none", closing_fee_rate=0.0), **given)
    if engine == "contracts read as units":
        return numbers(policy(replace(coin(), contract_size=1.0)), **given)
    if engine == "contracts read as notional":
        return numbers(policy(), **(given | {"quantity": given["quantity"] / entry / 0.01}))
    if engine == "entry for mark":
        rows = [
            numbers(
                policy(), mark=entry[row], **{name: column[row : row + 1] for name, column in given.items()}
            )
            for row in range(COUNT)
        ]
        return {name: np.concatenate([row[name] for row in rows]) for name in MEASURES}
    assert engine == "side"
    return numbers(policy(), **(given | {"quantity": -given["quantity"]}))


ENGINES = (
    "tier at entry",
    "flat for marginal",
    "deduction dropped",
    "fee left out",
    "contracts read as units",
    "contracts read as notional",
    "entry for mark",
    "side",
)


def test_planted_mistakes_are_found_named_and_counted() -> None:
    given = [columns(seed) for seed in range(len(ENGINES) + 1)]
    whole: dict[str, Any] = {name: np.concatenate([each[name] for each in given]) for name in given[0]}
    theirs = [by_hand(engine, each) for engine, each in zip(ENGINES, given, strict=False)]
    theirs.append(numbers(policy(), **given[-1]))
    frame = {name: np.concatenate([each[name] for each in theirs]) for name in MEASURES}
    frame["liquidation_price"][-1] *= 1.01
    book = lc.PositionBook(["X"] * len(whole["quantity"]), **whole)
    risk = lc.Engine(policy()).evaluate(book, {"X": 88.0})
    found = lc.against(risk, frame)
    counts = found.counts()
    assert {engine: counts.get(engine, 0) for engine in ENGINES} == dict.fromkeys(ENGINES, COUNT), counts
    assert counts["unexplained"] == 1
    assert found.unexplained == 1
    assert set(counts) == {*ENGINES, "unexplained"}
    for place, engine in enumerate(ENGINES):
        rows = slice(place * COUNT, (place + 1) * COUNT)
        said = {word for column in found.causes.values() for word in column[rows].tolist()} - {""}
        assert said == {engine}
    profit = next(g for g in found.groups if g.cause == "side" and g.column == "unrealized_pnl")
    rows = slice(7 * COUNT, 8 * COUNT)
    off = np.abs(frame["unrealized_pnl"][rows] - risk.unrealized_pnl[rows])
    assert (profit.count, profit.currency) == (COUNT, "USDT")
    assert profit.money == pytest.approx(off.sum(), rel=1e-12)


def test_cross_read_as_isolated() -> None:
    instruments = [coin("X"), coin("Y")]
    held = lc.policy("generic").with_instruments(instruments)
    given: dict[str, Any] = {
        "quantity": [1_000.0, -500.0],
        "entry_price": [100.0, 50.0],
        "leverage": [5.0, 5.0],
    }
    marks = {"X": 95.0, "Y": 52.0}
    book = lc.PositionBook(
        ["X", "Y"], account=["a", "a"], margin_mode="cross", wallet_balance={"a": 900.0}, **given
    )
    risk = lc.Engine(held).evaluate(book, marks)
    alone = lc.Engine(held).evaluate(lc.PositionBook(["X", "Y"], **given), marks)
    found = lc.against(risk, {"liquidation_price": alone.liquidation_price, "equity": alone.equity})
    assert found.counts() == {"cross read as isolated": 2}


def test_words_for_what_needs_no_evaluation() -> None:
    book = lc.PositionBook(["X"] * 3, [100.0, 100.0, 100.0], [100.0] * 3, leverage=[1.0, 4.0, 4.0])
    risk = lc.Engine(policy()).evaluate(book, {"X": 90.0})
    none = lc.Engine(policy(closing_fee_basis="none", closing_fee_rate=0.0)).evaluate(book, {"X": 90.0})
    assert math.isnan(none.liquidation_price[0])
    assert lc.against(none, {"liquidation_price": [0.0, *none.liquidation_price[1:]]}).counts() == {
        "zero for none": 1
    }
    frame = {
        "return_on_equity": 100.0 * risk.return_on_equity,
        "unrealized_pnl": [np.nan, *risk.unrealized_pnl[1:]],
    }
    found = lc.against(risk, frame)
    assert found.counts() == {"percent for fraction": 3}
    assert found.missing == {"return_on_equity": 0, "unrealized_pnl": 1}
    assert found.compared["unrealized_pnl"] == found.same["unrealized_pnl"] == 2


def test_bad_frames_are_named() -> None:
    book = lc.PositionBook(["X"], [100.0], [100.0], leverage=[4.0])
    risk = lc.Engine(policy()).evaluate(book, {"X": 90.0})
    with pytest.raises(errors.DTypeError, match="frame"):
        lc.against(risk, [1.0])  # type: ignore[arg-type]
    with pytest.raises(errors.InputError, match="column to compare"):
        lc.against(risk, {"liq": [1.0]})
    with pytest.raises(errors.ShapeError, match="liq"):
        lc.against(risk, {"liq": [1.0, 2.0]}, columns={"liq": "liquidation_price"})
    with pytest.raises(errors.InputError, match="measure"):
        lc.against(risk, {"liq": [1.0]}, columns={"liq": "price"})
    with pytest.raises(errors.InputError, match="row by row"):
        lc.against(risk, {"equity": [1.0], "instrument": ["Z"]})
    with pytest.raises(errors.InputError, match="tolerance"):
        lc.against(risk, {"equity": [1.0]}, tolerance=2.0)


def test_a_part_of_a_book_keeps_the_wallets_of_its_accounts_apart() -> None:
    book = lc.PositionBook(
        ["BTCUSDT", "BTCUSDC", "ETHUSDT"], [0.5, -0.2, 3.0], [60_000.0, 60_000.0, 3_000.0],
        ["a", "a", "b"], "cross", leverage=10.0,
        wallet_balance={"a": {"USDT": 3_000.0, "USDC": 800.0}, "b": 900.0},
    )  # fmt: skip
    marks = {"BTCUSDT": 61_000.0, "BTCUSDC": 61_010.0, "ETHUSDT": 3_010.0}
    risk = lc.Engine(lc.policy("binance-usdm@2026-09-29")).evaluate(book, marks)
    part = Part.of(risk, np.array([False, True, False]), None)
    assert part.rows.tolist() == [0, 1]
    again = part.evaluate(("liquidation_price", "equity"))
    assert again.liquidation_price.tolist() == risk.liquidation_price[:2].tolist()
    assert again.equity.tolist() == risk.equity[:2].tolist() == [3_500.0, 598.0]
