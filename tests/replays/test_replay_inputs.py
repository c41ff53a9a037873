"""What a replay refuses, and what it does with halts, gaps, ends, interest in being stopped, and frames."""

from typing import Any

import numpy as np
import polars
import pytest

import levcore as lc
from levcore.errors import InvalidRowsError
from support.closing_books import closing_policy
from support.small_replays import RULES, TIMES, bars, book, run


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"time": [0, 1, 1, 2, 3, 4]}, "prices: must have each time of an instrument once"),
        ({"time": [0, 1, 2, 4, 5, 6]}, "prices: must be without gaps"),
        ({"close": [100.0, 99.0, 0.0, 91.0, 90.0, 92.0]}, "prices: must be positive"),
        ({"low": [99.0, np.nan, 94.0, 90.0, 89.0, 89.0]}, "prices: must be positive"),
        ({"high": np.full(TIMES, 95.0)}, "prices: must lie between low and high"),
        ({"time": ["yesterday"] * TIMES}, "prices\\['time'\\]: must hold times"),
        ({"instrument": ["B"] * TIMES}, "prices: must hold every instrument of the book"),
        (
            {"funding_rate": [0.1] * TIMES},
            "prices: must hold no funding.*expected funding=.*found funding_rate",
        ),
        ({"rate": [0.1] * TIMES}, "prices: must hold no funding"),
        ({"high": [100.0]}, "prices\\['high'\\]: must have one a time"),
    ],
)
def test_bad_prices(changed: dict[str, Any], expected: str) -> None:
    with pytest.raises(lc.LevcoreError, match=expected):
        run(bars(**changed))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"path": "random"}, "path: must be a known way"),
        ({"gaps": "fill"}, "gaps: must be a known choice"),
        ({"slippage": -1.0}, "slippage: must be basis points"),
        ({"fund": -1.0}, "fund: must have an amount"),
        ({"stop_after": -1}, "stop_after: must be a number of steps"),
        ({"seed": -1}, "seed: must be a whole number"),
        ({"delisted": {"B": 3}}, "delisted: must be instruments of the book"),
        ({"delisted": {"A": 99}}, "delisted: must lie within the prices"),
        ({"funding": {"time": [1], "rate": [np.nan]}}, "funding: must be rates"),
        ({"funding": {"time": ["2022-01-01"], "rate": [0.1]}}, "must be times as those of the prices"),
        (
            {"funding": {"time": [1], "rate": [1.0]}},
            "funding: must be rates; expected fractions of the value",
        ),
        (
            {"funding": {"time": [1, 2], "rate": [0.0, -1.5]}},
            "funding: must be rates.*found -1.5; first bad row 1",
        ),
        (
            {"funding": {"time": [1], "instrument": ["a"], "rate": [0.1]}},
            "funding: must hold a rate of an instrument of the book; expected .* such as A, found 'a'",
        ),
        # Milliseconds beside seconds, and a table of another week.
        (
            {"funding": {"time": [1_000, 2_000], "rate": [0.1, 0.1]}},
            "funding: must not all be due at other times",
        ),
        ({"funding": {"time": [-2, -1], "rate": [0.1, 0.1]}}, "funding: must not all be due at other times"),
        ({"funding": {"rate": [0.1]}}, "funding: must be a table with rates"),
        ({"funding": {"time": [1, 2], "rate": [0.1]}}, r"funding\['rate'\]: must have one a time"),
        (
            {"funding": {"time": [1], "instrument": ["A", "A"], "rate": [0.1]}},
            r"funding\['instrument'\]: must have one a time",
        ),
        ({"delisted": {"A": -1}}, "delisted: must lie within the prices"),
        ({"delisted": ["A"]}, "delisted: must be a Mapping"),
        ({"resume": "yesterday"}, "resume: must be a Replay"),
        ({"progress": 1}, "progress: must be callable"),
        ({"lot": 0.3}, "lot: must be a whole part of one"),
        ({"quantum": 0.3}, "quantum: must be a whole part of one"),
        ({"stop_after": 1.5}, "stop_after: must be a whole number"),
        ({"seed": "x"}, "seed: must be a whole number"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], expected: str) -> None:
    with pytest.raises(lc.LevcoreError, match=expected):
        run(**arguments)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"close_out_fee_rate": "unknown"}, "close_out_fee_rate is unknown"),
        ({"close_out_remainder": "unknown"}, "close_out_remainder is unknown"),
        ({"trader_owes": "unknown"}, "trader_owes is unknown"),
        ({"close_out_payers": ("unknown",)}, "close_out_payers is unknown"),
        ({"close_out_step": "unknown"}, "close_out_step is unknown"),
        ({"close_out_step_isolated": "unknown"}, "close_out_step_isolated is unknown"),
        ({"close_out_step": "share", "close_out_next": "same"}, "close_out_share is unknown"),
        ({"close_out_step": "share", "close_out_share": 0.2}, "close_out_next is unknown"),
        ({"close_out_guard_band": 0.5}, "close_out_guard_band: must be none in a replay"),
        (
            {
                "close_out_payers": ("deleveraging",),
                "close_out_ranking": "random",
                "close_out_price": "mark",
                "close_out_sharing": "contracts",
            },
            "close_out_sharing: must be a queue in a replay",
        ),
    ],
)
def test_a_rule_that_is_unknown_or_not_replayed_refuses_first(rules: dict[str, Any], expected: str) -> None:
    engine = lc.Engine(closing_policy(**(RULES | rules)))
    with pytest.raises(lc.LevcoreError, match=expected):
        lc.replay(engine, book(), bars())


def test_a_position_that_cannot_be_judged_refuses() -> None:
    engine = lc.Engine(closing_policy(**RULES))
    with pytest.raises(lc.LevcoreError):
        lc.replay(engine, book(entry_price=[100.0, np.nan, 100.0]), bars())


@pytest.mark.parametrize("cross", [False, True])
def test_a_position_that_cannot_be_judged_later_is_not_spared(cross: bool) -> None:
    """A short of 100,000 in a table that ends at 120,000: at 130 nobody can say what it requires."""
    tiers = lc.TierTable.marginal([(0, "0.01")], unit="quote", cap=120_000)
    policy = closing_policy(**RULES).with_instruments([lc.Instrument("A", "linear", tiers=tiers)])
    columns: dict[str, Any] = {"leverage": [2.0, 2.0, 2.0]}
    if cross:
        columns = {"account": ["a", "b", "c"], "margin_mode": "cross"}
        columns["wallet_balance"] = dict.fromkeys("abc", 90_000.0)
    held = book(quantity=[1.0, 2.0, -1_000.0], **columns)
    prices = {"time": [0, 60], "price": [100.0, 130.0]}
    expected = r"prices: must let every open position be judged.* A at 130.0 at 60, step 1: tier_overflow"
    with pytest.raises(InvalidRowsError, match=expected) as caught:
        lc.replay(lc.Engine(policy), held, prices)
    assert (caught.value.rows, caught.value.status) == ((2,), (lc.Status.TIER_OVERFLOW,))
    assert lc.replay(lc.Engine(policy), held, prices, stop_after=1).series.open.tolist() == [3]


def test_the_leg_that_fails_is_named_and_not_the_first_of_its_account() -> None:
    tiers = lc.TierTable.marginal([(0, "0.01")], unit="quote", cap=120_000)
    policy = closing_policy(**RULES).with_instruments([lc.Instrument("B", "linear", tiers=tiers)])
    held = lc.PositionBook(
        ["B", "A"], [-6_000.0, 1.0], [20.0, 100.0], account=["a", "a"], margin_mode="cross",
        wallet_balance={"a": 90_000.0},
    )  # fmt: skip
    table = {"time": [0, 0, 60, 60], "instrument": ["A", "B"] * 2, "price": [100.0, 19.0, 100.0, 21.0]}
    with pytest.raises(InvalidRowsError, match=r"B at 21.0 at 60, step 1.*first bad row 0") as caught:
        lc.replay(lc.Engine(policy), held, table)
    assert caught.value.rows == (0,)


def test_a_book_without_positions_is_named() -> None:
    with pytest.raises(lc.LevcoreError, match="book: must hold a position"):
        lc.replay(
            lc.Engine(closing_policy(**RULES)),
            book(instrument=[], quantity=[], entry_price=[], leverage=[]),
            bars(),
        )


def test_the_long_of_the_textbook_and_its_fund() -> None:
    """20x from 100 with 10 of margin: liquidated where 10 + 2 (x - 100) = 0.008 x, at 95.3815..."""
    found = run(fund=1.0)
    events = found.events
    assert events.row.tolist() == [1, 0]
    trigger = 190.0 / (2.0 - 0.008)
    assert events.trigger[0] == pytest.approx(trigger, rel=1e-12)
    assert events.fill.tolist() == [94.0, 90.0]
    assert (events.to_trigger[0] + events.past_trigger[0]) / found.per_unit == 12.0
    assert events.fund[0] / found.per_unit == 1.0
    assert events.unpaid[0] / found.per_unit == 1.0
    assert found.debts()["owed"] == events.unpaid.sum()
    assert sum(found.ledger().values()) == 0


def test_bars_without_a_close_are_not_single_prices() -> None:
    table = {name: column for name, column in bars().items() if name != "close"}
    with pytest.raises(lc.InputError, match=r"prices: must have columns of prices.*found no close"):
        run(table | {"price": table["open"]})


def test_a_halt_holds_the_price_and_an_end_settles() -> None:
    table = bars(time=[0, 1, 2, 40, 41, 42])
    found = run(table, gaps="hold", delisted={"A": 41})
    assert found.events.kind.tolist() == [0, 0, 3]
    assert found.events.row[-1] == 2
    assert found.series.open.tolist()[-1] == 0
    assert not found.quantity.any()


def test_funding_moves_money_between_sides_and_the_rest_to_the_venue() -> None:
    found = run(funding={"time": [1], "rate": [0.01]})
    # At 100, three contracts long and one short: 3 paid, 1 received.
    assert found.funding / found.per_unit == pytest.approx(2.0)
    assert sum(found.ledger().values()) == 0


def test_stopping_anywhere_is_the_beginning_of_the_whole() -> None:
    whole = run(path="low_first")
    for steps in range(4 * TIMES + 1):
        part = run(path="low_first", stop_after=steps)
        count = len(part.events)
        assert part.steps == steps
        assert part.is_complete == (steps == 4 * TIMES)
        assert part.events.to_trigger.tolist() == whole.events.to_trigger[:count].tolist()
        assert sum(part.ledger().values()) == 0


def test_ctrl_c_leaves_what_there_is() -> None:
    def interrupt(done: int, of: int) -> None:
        raise KeyboardInterrupt

    long = bars()
    times = 3_000
    table = {name: np.resize(column, times) for name, column in long.items()}
    table |= {"time": np.arange(times), "open": table["close"], "high": table["close"], "low": table["close"]}
    found = run(table, progress=interrupt)
    assert not found.is_complete
    assert found.steps == 2_000
    assert lc.report(found)
    both = run(table, progress=interrupt, path="both")
    assert (both.steps, both.other.steps) == (2_000, 0)


def test_frames_give_the_same_hash() -> None:
    expected = run().hash()
    assert run(polars.DataFrame(bars())).hash() == expected
    pandas = pytest.importorskip("pandas")
    assert run(pandas.DataFrame(bars())).hash() == expected
    shuffled = {name: column[::-1] for name, column in bars().items()}
    assert run(shuffled).hash() == expected


def test_events_and_series_are_frames() -> None:
    found = run()
    events, series = polars.DataFrame(found.events.to_dict()), polars.DataFrame(found.series.to_dict())
    assert events["kind"].to_list() == ["liquidation", "liquidation"]
    assert events["fund_after"].to_list() == found.events.fund_after.tolist()
    assert series["open"].to_list() == found.series.open.tolist()
    assert series.height == TIMES


def test_both_paths_are_told() -> None:
    found = run(path="both")
    assert found.path == "low_first"
    assert found.other.path == "high_first"
    assert "The order within a bar" in lc.report(found)
