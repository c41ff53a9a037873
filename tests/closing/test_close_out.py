"""Closing a book: the loss in parts, who pays, and every quantum accounted for."""

import time
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore import _levcore as core
from levcore.closing.result import CloseOut
from levcore.errors import InputError, UnknownRuleError
from support.closing_books import MARKS, ONE_RATE, closing_policy, random_book

TEN_TIMES: dict[str, Any] = {
    "instrument": ["A"],
    "quantity": [1.0],
    "entry_price": [10_000.0],
    "isolated_margin": [1_000.0],
}
FILL = 10_000.0 * 0.9 / 0.996 * 0.85
"""15 % below the trigger of a long of 10,000 on a margin of 1,000 at a rate of 0.4 %."""
OUTCOMES = {"no": "written_off", "yes": "owed", "claim_reserved": "claim"}
STEPS: tuple[dict[str, Any], ...] = (
    {},
    {
        "close_out_step": "share",
        "close_out_share": 0.2,
        "close_out_next": "whole",
        "close_out_whole_up_to": 50.0,
    },
    {"close_out_step": "share", "close_out_share": 0.3, "close_out_next": "again", "close_out_least": 20.0},
    {
        "close_out_step": "share",
        "close_out_share": 0.2,
        "close_out_next": "same",
        "close_out_exit_level": 0.9,
    },
    {"close_out_step": "largest_loss", "close_out_take_over_level": 1.5},
    {"close_out_step": "tiers", "close_out_tiers": 1, "close_out_step_isolated": "largest_loss"},
)
RANKINGS = [name for name, _ in core.closing_words()[2]]


def gap(policy: lc.MarginPolicy, **arguments: Any) -> CloseOut:
    return lc.close_out(lc.Engine(policy), lc.PositionBook(**TEN_TIMES), {"A": FILL}, **arguments)


def test_a_gap_past_the_trigger_costs_more_than_was_put_in() -> None:
    closed = gap(closing_policy(close_out_payers=(), trader_owes="yes"))
    assert closed.trigger.round(2).tolist() == [9_036.14]
    assert closed.fill.round(2).tolist() == [7_680.72]
    totals = {name: round(amount, 2) for name, amount in closed.totals().items()}
    assert (totals["to_trigger"], totals["past_trigger"], totals["fees"]) == (963.86, 1_355.42, 0.0)
    assert (totals["missing"], totals["owed"]) == (1_319.28, 1_319.28)


def test_fees_come_on_top() -> None:
    closed = gap(closing_policy(close_out_payers=(), trader_owes="yes", close_out_fee_rate=0.001))
    assert round(closed.totals()["fees"], 2) == 7.68
    assert round(closed.totals()["owed"], 2) == 1_326.96


def test_the_textbook_example() -> None:
    """It falls 15 % to the trigger and fills 2 % worse; a fee of 0.1 %, of the entry's 10,000 is 10."""
    book = lc.PositionBook(["A"], [100.0], [100.0], isolated_margin=[1_534.0])
    for rate, fee in ((0.001, 8.33), (0.001 * 100.0 / 83.3, 10.0)):
        policy = closing_policy(close_out_payers=(), trader_owes="yes", close_out_fee_rate=rate)
        closed = lc.close_out(lc.Engine(policy), book, {"A": 85.0 - 1e-9}, fills={"A": 85.0}, slippage=200.0)
        totals = closed.totals()
        assert (totals["to_trigger"], totals["past_trigger"], totals["fees"]) == (1_500.0, 170.0, fee)
        assert round(totals["owed"], 8) == round(136.0 + fee, 8)


@pytest.mark.parametrize("name", sorted({info.name for info in lc.policies()}))
def test_each_policy_says_who_bears_it_or_refuses(name: str) -> None:
    policy = closing_policy(name, **ONE_RATE)
    if policy.close_out_payers == ("unknown",):
        with pytest.raises(UnknownRuleError, match=r"close_out_payers is unknown.*policy\.replace"):
            gap(policy)
        policy = policy.replace(close_out_payers=("fund",))
    policy = policy.replace(close_out_payers=policy.close_out_payers[:1])
    if policy.owes("isolated") == "unknown":
        with pytest.raises(UnknownRuleError, match=r"trader_owes is unknown"):
            gap(policy, fund=1_000.0)
        return
    totals = gap(policy, fund=1_000.0).totals()
    if policy.close_out_payers == ():  # nobody is asked: the venue, its pool or the trader bears it
        assert totals["fund"] == 0.0
        assert totals[OUTCOMES[policy.owes("isolated")]] == totals["missing"]
        return
    if policy.close_out_payers != ("fund",):  # deleveraged at the mark: winners give up a position, no money
        assert (policy.close_out_price, totals["fund"]) == ("mark", 0.0)
        assert totals[OUTCOMES[policy.owes("isolated")]] == totals["missing"]
        return
    assert totals["fund"] == 1_000.0
    assert round(totals[OUTCOMES[policy.owes("isolated")]], 2) == round(totals["missing"] - 1_000.0, 2) > 0


def test_other_money_pays_first() -> None:
    policy = closing_policy(close_out_payers=("fund",), trader_owes="claim_reserved")
    book = lc.PositionBook(**TEN_TIMES, account=["me"])
    closed = lc.close_out(lc.Engine(policy), book, {"A": FILL}, other_money={"me": 300.0}, fund=1_000.0)
    totals = closed.totals()
    assert (totals["other_money"], totals["fund"], round(totals["claim"], 2)) == (300.0, 1_000.0, 19.28)


@pytest.mark.parametrize("keeper", ["trader", "fund"])
def test_what_is_left_goes_where_the_policy_says(keeper: str) -> None:
    policy = closing_policy(close_out_remainder=keeper)
    closed = lc.close_out(lc.Engine(policy), lc.PositionBook(**TEN_TIMES), {"A": 9_030.0})
    assert closed.totals()["left"] == 30.0
    assert closed.ledger.total("closed", keeper) == 30 * 10**8
    with pytest.raises(UnknownRuleError, match="close_out_remainder is unknown"):
        lc.close_out(lc.Engine(closing_policy()), lc.PositionBook(**TEN_TIMES), {"A": 9_030.0})


def random_close_out(seed: int, shuffled: bool = False) -> tuple[CloseOut, lc.PositionBook]:
    random = np.random.default_rng(seed)
    columns, wallets = random_book(random, int(random.integers(2, 60)))
    payers = tuple(
        random.permutation(["fund", "deleveraging", "socialised"])[: random.integers(0, 4)].tolist()
    )
    policy = closing_policy(
        close_out_payers=payers,
        close_out_ranking="random" if seed % 5 == 0 else RANKINGS[seed % 2],
        close_out_price="bankruptcy",
        close_out_remainder=str(random.choice(["trader", "fund"])),
        close_out_fee_rate=float(random.choice([0.0, 0.0013])),
        trader_owes=str(random.choice(["no", "yes", "claim_reserved"])),
        trader_owes_isolated=str(random.choice(["same", "no", "yes"])),
        **STEPS[seed % len(STEPS)],
    )
    balances = np.round(random.lognormal(2, 1, wallets.size), 2)
    marks = {name: mark * random.uniform(0.6, 1.6) for name, mark in MARKS.items()}
    fund = float(np.round(random.lognormal(2, 2), 2))
    slippage = float(random.choice([0.0, 120.0]))
    if shuffled:
        order = random.permutation(columns["quantity"].size)
        columns = {name: column[order] for name, column in columns.items()}
    book = lc.PositionBook(**columns, accounts=wallets, wallet_balance=balances)
    return lc.close_out(lc.Engine(policy), book, marks, fund=fund, slippage=slippage, seed=seed), book


def test_no_quantum_is_lost() -> None:
    asked = dict.fromkeys(
        ("fund", "deleveraged", "socialised", "rounding", "owed", "claim", "written off"), 0
    )
    for seed in range(400):
        closed, book = random_close_out(seed)
        balances = closed.ledger.balances()
        assert sum(balances.values()) == 0
        assert balances["closed"] == 0
        paid = closed.fund + closed.deleveraging + closed.socialised + closed.unpaid
        loss = closed.to_trigger + closed.past_trigger + closed.fees
        for group in range(closed.first_row.size):
            legs = closed.group == group
            left = int(closed.margin[group]) - int(loss[legs].sum())
            assert left == closed.left[group]
            missing = max(-left, 0) if closed.ends[group] else 0
            assert int(paid[legs].sum()) + int(closed.other_money[group]) == missing
        np.testing.assert_allclose(quantity_after(closed, book), closed.open_quantity, atol=1e-12)
        assert (paid >= 0).all()
        for name in asked:
            asked[name] += balances[name] != 0
    assert all(asked.values()), asked


def quantity_after(closed: CloseOut, book: lc.PositionBook) -> Any:
    """What is open where every close is taken off."""
    left = np.array(book.quantity)
    np.subtract.at(left, closed.rows, closed.quantity)
    return left


def test_the_order_of_rows_is_no_matter() -> None:
    """Bit for bit: the same winners, lots and payments by account, the same totals."""

    def by_account(closed: CloseOut, book: lc.PositionBook) -> tuple[Any, ...]:
        rows = closed.winners[0].tolist()
        won = [(book.account_of(row), book.name_of(row)) for row in rows]
        winners = sorted(zip(won, closed.winners[1].tolist(), closed.winners[2].tolist(), strict=True))
        names = [(book.account_of(row), book.name_of(row)) for row in closed.rows.tolist()]
        paid = (closed.fund, closed.deleveraging, closed.socialised, closed.unpaid)
        claims = sorted(zip(names, *(each.tolist() for each in paid), strict=True))
        return winners, claims, closed.ledger.balances()

    deleveraged = 0
    for seed in range(200):
        plain = random_close_out(seed)
        deleveraged += plain[0].winners.shape[1]
        assert by_account(*plain) == by_account(*random_close_out(seed, shuffled=True)), seed
    assert deleveraged > 100


def test_quantity_deleveraged_is_quantity_liquidated() -> None:
    policy = closing_policy(
        close_out_payers=("deleveraging",), close_out_ranking=RANKINGS[1], close_out_price="bankruptcy"
    )
    book = lc.PositionBook(
        ["A"] * 4,
        [3.0, -1.0, -5.0, -2.0],
        [100.0, 100.0, 90.0, 95.0],
        leverage=[20.0, 5.0, 3.0, 10.0],
        account=["l", "a", "b", "c"],
    )
    closed = lc.close_out(lc.Engine(policy), book, {"A": 85.0})
    assert closed.rows.tolist() == [0]
    assert sum(closed.winners[1].tolist()) == 3 * 10**8
    assert closed.deleveraging.tolist() == [int(-closed.left[0])]
    rounding = closed.ledger.total("rounding", "closed")
    assert sum(closed.winners[2].tolist()) + rounding == closed.deleveraging[0]


def test_winners_are_listed_with_price_and_remainder() -> None:
    """Three longs of 100 with 15 of margin go bankrupt at 95, and are closed there against two winners."""
    rules: dict[str, Any] = {
        "close_out_payers": ("deleveraging",),
        "close_out_ranking": RANKINGS[1],
        "trader_owes": "no",
    }
    book = lc.PositionBook(
        ["A"] * 3, [3.0, -1.0, -5.0], [100.0, 100.0, 90.0], leverage=[20.0, 5.0, 3.0], account=["l", "a", "b"]
    )
    at_bankruptcy = closing_policy(**rules, close_out_price="bankruptcy")
    closed = lc.close_out(lc.Engine(at_bankruptcy), book, {"A": 85.0})
    assert closed.winners.tolist() == [[1, 2], [10**8, 2 * 10**8], [10 * 10**8, 20 * 10**8]]
    assert closed.winner_price.tolist() == [95.0, 95.0]
    assert closed.winner_left.tolist() == [0, 3 * 10**8]
    assert (np.diff(closed.winner_score) <= 0).all()
    assert closed.totals()["written_off"] == 0.0
    at_mark = lc.close_out(lc.Engine(closing_policy(**rules, close_out_price="mark")), book, {"A": 85.0})
    assert at_mark.winners.tolist() == [[1, 2], [10**8, 2 * 10**8], [0, 0]]
    assert at_mark.winner_price.tolist() == [85.0, 85.0]
    assert (at_mark.totals()["deleveraging"], at_mark.totals()["written_off"]) == (0.0, 30.0)
    assert at_mark.ledger.balances()["closed"] == 0


@pytest.mark.parametrize(
    ("sharing", "lots"),
    [("queue", [3.0, 0.0]), ("contracts", [0.5, 2.5]), ("profit", [1.0, 2.0]), ("wealth", [1.0, 2.0])],
)
def test_lots_fall_on_winners_as_the_policy_shares_them(sharing: str, lots: list[float]) -> None:
    """Shorts of 5 and 25 with profits of 75 and 150 at 85, and as much equity in the same proportion."""
    policy = closing_policy(
        close_out_payers=("deleveraging",),
        close_out_ranking="profit_share_times_leverage" if sharing == "queue" else "none",
        close_out_sharing=sharing,
        close_out_price="bankruptcy",
        trader_owes="no",
    )
    book = lc.PositionBook(
        ["A"] * 3,
        [3.0, -5.0, -25.0],
        [100.0, 100.0, 91.0],
        isolated_margin=[15.0, 25.0, 50.0],
        leverage=[20.0, 20.0, 20.0],
        account=["l", "a", "b"],
    )
    closed = lc.close_out(lc.Engine(policy), book, {"A": 85.0})
    taken = dict(
        zip(closed.winners[0].tolist(), (closed.winners[1] / closed.lots_per_unit).tolist(), strict=True)
    )
    assert [taken.get(row, 0.0) for row in (1, 2)] == lots
    given = sum(closed.winners[2].tolist()) + closed.ledger.total("rounding", "closed")
    assert given == 30 * 10**8
    np.testing.assert_allclose(closed.winner_price, 95.0)


def test_11279_liquidations_and_as_many_deleveragings_take_milliseconds() -> None:
    """As in the busiest second of 2025-10-10 on Hyperliquid, generated to that form."""
    count = 11_279
    random = np.random.default_rng(11)
    quantity = np.round(random.lognormal(0, 1, count), 3)
    account = np.arange(2 * count)
    book = lc.PositionBook(
        np.repeat("A", 2 * count),
        np.concatenate([quantity, -quantity[::-1]]),
        np.full(2 * count, 100.0),
        leverage=np.concatenate([random.integers(8, 40, count), random.integers(2, 40, count)]).astype(float),
        account=account,
    )
    policy = closing_policy(
        close_out_payers=("deleveraging",), close_out_ranking=RANKINGS[1], close_out_price="bankruptcy"
    )
    engine = lc.Engine(policy)
    best, closed = np.inf, lc.close_out(engine, book, {"A": 80.0})
    for _ in range(3):
        start = time.perf_counter()
        closed = lc.close_out(engine, book, {"A": 80.0})
        best = min(best, time.perf_counter() - start)
    assert closed.rows.size == closed.winners.shape[1] == count
    assert int(closed.unpaid.sum()) == 0
    assert best < 1.0, f"{best * 1e3:.1f} ms"


def test_bad_calls_name_what_is_wrong() -> None:
    policy = closing_policy()
    wrong: tuple[dict[str, Any], ...] = (
        {"fund": -1.0},
        {"slippage": np.nan},
        {"quantum": 0.3},
        {"row_fills": [1.0, 2.0]},
        {"cooling": [1]},
        {"priced_by": "guess"},
        {"trigger": "entry"},
    )
    for arguments in wrong:
        with pytest.raises(InputError, match=next(iter(arguments))):
            gap(policy, **arguments)
    with pytest.raises(InputError, match="fills"):
        gap(policy, fills={"A": np.nan})
    whale = lc.PositionBook(["A"] * 3, [4e9] * 3, [10.0] * 3, isolated_margin=[4e9] * 3)
    with pytest.raises(InputError, match=r"quantum: must be so coarse"):
        lc.close_out(lc.Engine(policy), whale, {"A": 1.0})
