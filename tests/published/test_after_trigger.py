"""Published numbers of what happens after the trigger: settlement, deleveraging, shares of a loss."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import levcore as lc
from levcore import _levcore as core
from support.closing_books import ONE_RATE
from support.published_fates import AFTER_THE_TRIGGER

UNIT = 1e8
FIRST_WAVE = Path(__file__).parents[1] / "data" / "first_wave_2025_10_10.csv"
Numbers = npt.NDArray[Any]
loss_parts: Any = core.loss_parts
deleverage: Any = core.deleverage


def quanta(*amounts: float) -> Numbers:
    return core.to_quanta(np.array(amounts, dtype=np.float64), UNIT)


def money(amounts: Numbers) -> list[float]:
    return [float(amount) for amount in amounts / UNIT]


@pytest.mark.parametrize(
    ("size", "entry", "profit"), [(28.53, 28.885, 194.275035), (448.17, 27.884, 2603.195445)]
)
def test_profit_of_a_deleveraged_short(size: float, entry: float, profit: float) -> None:
    """AVAX shorts deleveraged at 22.075 on Hyperliquid, 2025-10-10 (ConejoCapital/HyperReplay@a47a910).

    The entry is printed with 3 decimals, so the profit is known to half of the last one times the size.
    """
    columns = (np.array([each]) for each in (-size, entry, 22.075, 22.075, 0.0))
    loss = loss_parts(*columns, UNIT)[0]
    assert -loss[0] / UNIT == pytest.approx(profit, abs=0.0005 * size + 1e-6)


def test_gap_of_one_account_at_one_instant() -> None:
    """44 coins of one liquidated account, Hyperliquid 2025-10-10, first wave (1760130964831 ms).

    github.com/pluriholonomic/autodeleveraging-analysis@aae0be8 (MIT): quantity, gap a contract, gap in USD;
    together 2,266,239.82024108.
    """
    table = np.loadtxt(FIRST_WAVE, delimiter=",", skiprows=1, usecols=(1, 2, 3))
    size, gap, expected = (np.ascontiguousarray(column) for column in table.T)
    none = np.zeros(44)
    parts = loss_parts(size, gap, gap, none, none, UNIT)
    assert not parts[0].any()
    np.testing.assert_allclose(parts[1] / UNIT, expected, rtol=1e-9, atol=1e-8)
    assert parts[1].sum() / UNIT == pytest.approx(2_266_239.82024108, rel=1e-9)


def test_equity_after_two_fundings() -> None:
    """arXiv:2512.01112v3, section 2: funding is 3/5 - mark/oracle, times mark and quantity."""
    quantity = np.array([1.0, 1.0, -4.0, 1.0, -1.0])
    cash = np.array([2.0, 2 / 3, 8 / 3, 2 / 19, 10 / 99])
    policy = lc.policy("generic").replace(**ONE_RATE)
    policy = policy.with_instruments([lc.Instrument("X", "linear", tiers=lc.TierTable.single_rate(0.1))])
    accrued = np.zeros(5)
    for mark, oracle, funding, equity in (
        (1.4, 1.5, [-0.4667, -0.4667, 1.8667, -0.4667, 0.4667], [1.9333, 0.6, 2.9334, 0.0386, 0.1677]),
        (1.3, 1.25, [-0.572, -0.572, 2.288, -0.572, 0.572], [1.2613, -0.072, 5.6214, -0.6334, 0.8397]),
    ):
        paid = (0.6 - mark / oracle) * mark * quantity
        np.testing.assert_allclose(paid, funding, atol=1e-4)
        accrued = accrued + paid
        book = lc.PositionBook(["X"] * 5, quantity, [1.0] * 5, isolated_margin=cash, accrued_funding=accrued)
        risk = lc.Engine(policy).evaluate(book, {"X": mark})
        np.testing.assert_allclose(risk.equity, equity, atol=1.5e-4)
        assert (risk.state == lc.State.BANKRUPT).tolist() == [each < 0 for each in equity]


def test_a_queue_and_shares_by_profit() -> None:
    """Worked in arXiv:2512.01112v3: half of a deficit of 15 falls on profits 8, 4 and 0.5."""
    profit = quanta(8, 4, 0.5)
    budget = int(quanta(7.5)[0])
    in_queue = [1, 0, 2]
    taken = core.allocate(budget, profit[in_queue], profit[in_queue], "queue", False)
    assert money(taken[np.argsort(in_queue)]) == [3.5, 4.0, 0.0]
    assert money(core.allocate(budget, profit, profit, "pro_rata", False)) == [4.8, 2.4, 0.3]
    assert money(core.allocate(budget, profit, profit, "min_max", False)) == [4.8, 2.4, 0.3]


def test_shortfall_and_fees_of_a_short() -> None:
    """arXiv:2512.01112v3: a short of 1 at 1.05 with cash 10/99, bought back at 1.55.

    Fees are 20 bp of the mark and 10 of the fill; the cash counts from the mark, not from the entry.
    """
    parts = loss_parts(*(np.array([each]) for each in (-1.0, 1.05, 1.05, 1.55, 0.001)), UNIT)
    assert (parts[1][0] - quanta(10 / 99)[0]) / UNIT == pytest.approx(0.399, abs=0.0005)
    of_mark = loss_parts(*(np.array([each]) for each in (-1.0, 1.05, 1.05, 1.05, 0.002)), UNIT)[2]
    assert (parts[2][0] + of_mark[0]) / UNIT == pytest.approx(0.00365, abs=0.0005)


def test_bankruptcy_and_liquidation_of_five_positions() -> None:
    """arXiv:2512.01112v3, appendix: entry 1, rate 10 %; the first has none above zero."""
    cash = [2.0, 2 / 3, 8 / 3, 2 / 19, 10 / 99]
    policy = lc.policy("generic").replace(**ONE_RATE)
    policy = policy.with_instruments([lc.Instrument("X", "linear", tiers=lc.TierTable.single_rate(0.1))])
    book = lc.PositionBook(["X"] * 5, [1.0, 1.0, -4.0, 1.0, -1.0], [1.0] * 5, isolated_margin=cash)
    risk = lc.Engine(policy).evaluate(book, {"X": 1.0})
    assert np.isnan(risk.bankruptcy_price[0])
    assert np.isnan(risk.liquidation_price[0])
    np.testing.assert_allclose(risk.bankruptcy_price[1:], [0.3333, 1.6667, 0.8947, 1.101], atol=5e-5)
    np.testing.assert_allclose(risk.liquidation_price[1:4], [0.3704, 1.5152, 0.9942], atol=5e-5)
    assert round(float(risk.liquidation_price[4]), 3) == 1.001  # printed with three decimals


def test_funding_of_five_positions() -> None:
    """arXiv:2512.01112v3, section 2: a rate of 3/5 - mark/oracle; cash of rate * mark * signed quantity."""
    quantity = np.array([1.0, 1.0, -4.0, 1.0, -1.0])
    cash = [2.0, 2 / 3, 8 / 3, 2 / 19, 10 / 99]
    policy = lc.policy("generic").replace(**ONE_RATE)
    policy = policy.with_instruments([lc.Instrument("X", "linear", tiers=lc.TierTable.single_rate(0.1))])
    paid = np.zeros(5)
    printed = [
        (1.4, 1.5, [-0.4667, -0.4667, 1.8667, -0.4667, 0.4667], [1.9333, 0.6, 2.9334, 0.0386, 0.1677]),
        (1.3, 1.25, [-0.572, -0.572, 2.288, -0.572, 0.572], [1.2613, -0.072, 5.6214, -0.6334, 0.8397]),
    ]
    for mark, oracle, funding, equity in printed:
        now = (0.6 - mark / oracle) * mark * quantity
        np.testing.assert_allclose(now, funding, atol=5e-5)
        paid = paid + now
        book = lc.PositionBook(
            ["X"] * 5, quantity, [1.0] * 5, isolated_margin=cash, accrued_funding=paid, leverage=[1.0] * 5
        )
        risk = lc.Engine(policy).evaluate(book, {"X": mark})
        np.testing.assert_allclose(risk.equity, equity, atol=1e-4)
        below = [False, mark == 1.3, False, mark == 1.3, False]  # after the second payment B and D are
        assert (risk.equity < 0).tolist() == below


def test_every_case_says_where_it_comes_from_and_which_test_has_it() -> None:
    for case in AFTER_THE_TRIGGER:
        assert len(case["source"]) > 4
        if not case["test"]:
            assert len(case["note"]) > 10
            continue
        file, _, test = case["test"].partition("::")
        assert f"def {test}(" in (Path(__file__).parent / file).read_text(encoding="utf-8")
    kinds = {case["kind"] for case in AFTER_THE_TRIGGER if case["test"]}
    assert {"funding", "rank", "shortfall and fee", "what-if"} <= kinds


def scores(ranking: str, count: int, **columns: list[float]) -> tuple[Numbers, Numbers]:
    """Scores by row, and the order in which all of one lot each are deleveraged."""
    names = ("profit", "entry_value", "value", "wallet", "equity", "maintenance_margin", "leverage")
    given = [np.array(columns.get(name, [1.0] * count)) for name in names]
    key, lots, pool = np.arange(count), np.ones(count, dtype=np.int64), np.zeros(count, dtype=np.uint32)
    wanted = np.array([count]), np.array([0])
    order, _, _, scored = deleverage(ranking, "queue", *given, key, lots, pool, *wanted, UNIT, 0)
    by_row = np.empty(count)
    by_row[order] = scored
    return by_row, order


def test_score_of_a_binance_user() -> None:
    """dev.binance.vision/t/17801: profit 40.2, wallet 4.27, ratio 0.1342 by FAQ 360033525471."""
    columns = {"profit": [40.2], "wallet": [4.27], "equity": [1.0], "maintenance_margin": [0.1342]}
    score, _ = scores("profit_share_times_margin_ratio", 1, **columns)
    assert round(float(score[0]), 2) == 1.26
    assert pytest.approx(9.41, abs=0.005) == 40.2 / 4.27


def test_order_of_ten_positions_at_zubr() -> None:
    """help.zubr.io 360011816240: score = profit share * leverage."""
    profit = [10.0, 5.0, 20.0, 5.0, 15.0, 3.0, 12.0, 6.0, 11.0, 7.0]
    leverage = [4.0, 0.5, 1.2, 10.0, 2.0, 4.0, 5.0, 0.8, 11.0, 6.0]
    score, order = scores(
        "profit_share_times_leverage", 10, profit=profit, entry_value=[100.0] * 10, leverage=leverage
    )
    assert score.round(3).tolist() == [0.4, 0.025, 0.24, 0.5, 0.3, 0.12, 0.6, 0.048, 1.21, 0.42]
    places = np.empty(10, dtype=np.int64)
    places[order] = np.arange(1, 11)
    assert places.tolist() == [5, 10, 7, 3, 6, 8, 2, 9, 1, 4]


def test_fills_of_a_queue_at_satis() -> None:
    """doc.sat.is: a short of 20 is closed against a queue of 10 and 20; the second keeps 10."""
    assert core.allocate(20, np.array([10, 20]), np.array([10, 20]), "queue", False).tolist() == [10, 10]


def test_lowest_price_of_a_market_close_at_cube() -> None:
    """cubexch.gitbook.io: 1 BTC at 100,000, requirement 10,000, of which 70 % is kept: not below 97,000."""
    parts = loss_parts(*(np.array([each]) for each in (1.0, 1e5, 1e5, 97_000.0, 0.0)), UNIT)
    assert 10_000 - parts[1][0] / UNIT == 0.7 * 10_000


def paradex(penalty: Fraction) -> tuple[list[tuple[float, float, float]], Fraction]:
    """Table of docs.paradex.trade/risk-system/liquidations with a penalty; the first share under 90 %."""
    requirement, equity, rows, chosen = Fraction("88.8"), Fraction(80), [], Fraction(0)
    for step in range(1, 5):
        share = Fraction(step, 5)
        left, paid = requirement * (1 - share), requirement * share * penalty
        ratio = left / (equity - paid)
        rows.append((float(left), round(float(paid), 2), round(float(100 * ratio), 1)))
        chosen = chosen or (share if ratio < Fraction(9, 10) else Fraction(0))
    return rows, chosen


def test_paradex_contradicts_itself() -> None:
    """Its text sets the penalty to 70 % of the requirement, its table to 50 %: other steps follow."""
    rows, chosen = paradex(Fraction(1, 2))
    assert rows == [(71.04, 8.88, 99.9), (53.28, 17.76, 85.6), (35.52, 26.64, 66.6), (17.76, 35.52, 39.9)]
    assert chosen == Fraction(2, 5)
    of_text, chosen_by_text = paradex(Fraction(7, 10))
    assert of_text[1][2] == 96.6
    assert chosen_by_text == Fraction(3, 5)
    loss = loss_parts(
        np.array([0.04, -0.4]),
        np.array([60_000.0, 3_000.0]),
        np.array([54_800.0, 3_400.0]),
        np.array([54_800.0, 3_400.0]),
        np.zeros(2),
        UNIT,
    )[0]
    assert money(loss) == [208.0, 160.0]  # together the printed 368
    assert round(1_000 - 368 - 17.76, 2) == 614.24


def test_a_tier_down_at_kucoin() -> None:
    """2,500,000 USDT at level 4 fall to the limit of level 3, 2,000,000: 500,000 are closed (2022-12-01).

    The blog prints limits and no rates; those here only decide that one step is enough.
    """
    levels = [(0, "0.005"), (500_000, "0.007"), (1_000_000, "0.01"), (2_000_000, "0.02")]
    rules = lc.policy("generic").replace(
        close_out_step="tiers", close_out_tiers=1, close_out_fee_rate=0.0, close_out_remainder="trader",
        close_out_payers=("fund",), close_out_ranking="none", close_out_price="none", trader_owes="no",
    )  # fmt: skip
    contract = lc.Instrument("X", "linear", lc.TierTable.marginal(levels, unit="quote"))
    book = lc.PositionBook(["X"], [2_500_000.0], [1.0], isolated_margin=[20_000.0])
    closed = lc.close_out(lc.Engine(rules.with_instruments([contract])), book, {"X": 1.0})
    assert closed.quantity.tolist() == pytest.approx([500_000.0], rel=1e-12)
    assert closed.open_quantity.tolist() == pytest.approx([2_000_000.0], rel=1e-12)
