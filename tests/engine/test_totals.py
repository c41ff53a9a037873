"""One totals: summary, reports and comparison agree with the accounts and the rows, in any order of rows."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import levcore as lc
from levcore.engine.totals import MARGINS, OF_ACCOUNTS
from levcore.files.results import json_value
from levcore.reports.numbers import amount
from levcore.reports.risk.gather import gather
from levcore.status import FIRST_FAILURE
from support.comparison import same_bits
from support.mixed_books import join
from support.pages import Page, html_of
from support.pooled_books import PooledBook, random_book
from support.pooled_parity import SEEDS
from support.strategies import Case, cases

Totals = dict[str, dict[str, float]]


# Totals against rows and accounts


def expected_totals(risk: lc.BookRisk) -> Totals:
    """Totals again, row by row in plain Python."""
    terms: dict[str, dict[str, list[float]]] = {}
    book = risk.book
    in_assets = set() if book.balance_columns is None else set(book.balance_columns.account.tolist())
    codes = book.account_codes
    owner = [-1 if codes is None or not book.is_cross[row] else int(codes[row]) for row in range(len(book))]
    legs: dict[int, list[int]] = {}
    for row, account in enumerate(owner):
        legs.setdefault(account, []).append(row)
    netting = set(in_assets)
    for account, rows in legs.items():
        twice = len({int(book.instrument_codes[row]) for row in rows}) < len(rows)
        by_side = any(risk.policy_of(row).hedge_requirement == "larger_side" for row in rows)
        if account >= 0 and (by_side or (twice and book.position_mode == "hedge")):
            netting.add(account)

    def add(currency: str, name: str, value: float) -> None:
        terms.setdefault(currency, {}).setdefault(name, []).append(value)

    for row in np.flatnonzero(risk.status < FIRST_FAILURE).tolist():
        currency = currency_of(risk, row)
        side = "long_notional" if book.quantity[row] > 0 else "short_notional"
        add(currency, side, float(risk.notional[row]))
        add(currency, "unrealized_pnl", float(risk.unrealized_pnl[row]))
        if owner[row] < 0 and not math.isnan(risk.equity[row]):
            add(currency, "isolated_equity", float(risk.equity[row]))
        if owner[row] not in netting:
            for name in MARGINS:
                # A row without a margin may have no maintenance margin, and is counted as left out.
                if name == "initial_margin" or not math.isnan(risk[name][row]):
                    add(currency, name, float(risk[name][row]))
    for account in np.flatnonzero(risk.accounts.status == 0).tolist():
        own = {name: float(getattr(risk.accounts, name)[account]) for name in MARGINS}
        if account in in_assets:
            for name in ("equity", "collateral_value", "liabilities"):
                add(OF_ACCOUNTS, name, float(getattr(risk.accounts, name)[account]))
            for name in MARGINS:
                add(OF_ACCOUNTS, name, own[name])
        elif account in netting:
            for name in MARGINS:
                add(currency_of(risk, legs[account][0]), name, own[name])
    return {
        currency: {name: rounded_sum(values) for name, values in of_currency.items()}
        for currency, of_currency in terms.items()
    }


def rounded_sum(terms: list[float]) -> float:
    """Sum as ``math.fsum`` gives it, which gives up where a part of it is too large."""
    try:
        return math.fsum(terms)
    except OverflowError:
        exact = sum(map(Fraction, terms), Fraction())
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def currency_of(risk: lc.BookRisk, row: int) -> str:
    """Settlement currency of a row; empty where it is not known."""
    instruments, name = risk.policy_of(row).instruments, risk.book.name_of(row)
    return instruments[name].settlement if name in instruments else ""


def assert_everything_agrees(risk: lc.BookRisk) -> Totals:
    """Summary, JSON, and reports in text and HTML show the totals of the rows and accounts; return them."""
    expected = expected_totals(risk)
    found: Totals = risk.summary()["totals"]
    for currency, sums in found.items():
        for name in sums.keys() - {"positions", "account_equity"}:
            assert same_number(sums[name], expected[currency].get(name, 0.0)), (currency, name)
        assert not expected[currency].keys() - sums.keys()
    assert json_value(found) == json.loads(json.dumps(json_value(found), allow_nan=False))
    report = gather(risk)
    text, page = " ".join(lc.report(risk).split()), " ".join(Page(html_of(risk)).words)
    for line in (*report.totals, report.totals_of_balances):
        if line is None:
            continue
        sums = found[line.settlement]
        for name in ("long_notional", "short_notional", "unrealized_pnl", "maintenance_margin"):
            assert same_number(getattr(line, name), sums.get(name, math.nan)), name
        assert amount(line.maintenance_margin) in text
        assert amount(line.maintenance_margin) in page
    return found


def same_number(left: float, right: float) -> bool:
    """Whether two numbers are equal; NaN equals NaN."""
    return left == right or (math.isnan(left) and math.isnan(right))


def assert_accounts_and_isolated_rows(risk: lc.BookRisk) -> None:
    """The margins of all accounts that were judged and of the isolated rows add up to the totals."""
    if (risk.accounts.status != 0).any():
        return
    isolated = (risk.status < FIRST_FAILURE) & ~risk.book.is_cross
    for name in MARGINS:
        if len({currency_of(risk, row) for row in range(len(risk))}) == 1 and not len(risk.balances):
            whole = getattr(risk.accounts, name).sum() + risk[name][isolated].sum()
            for sums in risk.summary()["totals"].values():
                assert sums[name] == pytest.approx(whole, rel=1e-12, nan_ok=True)


def assert_comparison_agrees(drawn: PooledBook, book: lc.PositionBook, totals: Totals) -> None:
    """`lc.compare` of the one policy of a book has the totals of its result."""
    comparison = lc.compare(book, drawn.policies, drawn.marks, asset_prices=drawn.asset_prices)
    (found,) = comparison.totals().values()
    assert found.keys() == totals.keys()
    for currency, sums in found.items():
        own = dict(totals[currency])
        if currency != OF_ACCOUNTS:
            own["notional"] = own["long_notional"] + own["short_notional"]
        for name, value in sums.items():
            assert same_number(value, own[name]), (currency, name)
    assert json_value(comparison.totals()) == comparison.to_dict()["totals"]


@given(SEEDS)
def test_all_agree_on_hedged_and_multi_asset_books(seed: int) -> None:
    drawn = random_book(seed, policies=1)
    book = drawn.book()
    risk = drawn.evaluate(book)
    totals = assert_everything_agrees(risk)
    assert_accounts_and_isolated_rows(risk)
    assert_comparison_agrees(drawn, book, totals)


@given(SEEDS)
def test_all_agree_on_books_of_several_policies(seed: int) -> None:
    drawn = random_book(seed, policies=3)
    assert_everything_agrees(drawn.evaluate(drawn.book()))


@given(st.lists(cases(), min_size=1, max_size=3), st.integers(0, 2**32 - 1))
def test_all_agree_on_mixed_books(drawn: list[Case], seed: int) -> None:
    mixed = join(drawn, seed)
    risk = lc.Engine(mixed.policies).evaluate(mixed.book(), mixed.marks, measures=measures())
    assert_everything_agrees(risk)


def measures() -> tuple[str, ...]:
    """Every measure by name."""
    return tuple(measure.name for measure in lc.MEASURES)


# Order


@given(SEEDS, st.randoms(use_true_random=False), st.sampled_from([1, 2, 5]))
def test_any_order_and_thread_count_gives_the_same_bits(seed: int, random: Random, threads: int) -> None:
    """Accounts are mixed at will; inside of one, the kernel adds up by rows in the caller's order."""
    drawn = random_book(seed, 40)
    rows = accounts_shuffled(drawn.columns["account"], random)
    straight = drawn.evaluate(drawn.book()).summary()["totals"]
    shuffled = drawn.evaluate(drawn.book(rows), threads=threads).summary()["totals"]
    assert straight.keys() == shuffled.keys()
    for currency, sums in straight.items():
        assert same_bits(np.array(list(sums.values())), np.array([shuffled[currency][name] for name in sums]))


@given(st.lists(cases(), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_where_nothing_nets_any_order_of_rows_gives_the_same_bits(drawn: list[Case], random: Random) -> None:
    mixed = join(drawn)
    order = list(range(mixed.columns["quantity"].size))
    random.shuffle(order)
    engine = lc.Engine(mixed.policies)
    netting = {policy.hedge_requirement for policy in mixed.policies.values()} & {"larger_side"}
    if netting or mixed.book().has_pooled_accounts:
        return
    found = [
        engine.evaluate(book, mixed.marks).summary()["totals"]
        for book in (mixed.book(), mixed.book(np.array(order, dtype=np.int64)))
    ]
    assert found[0].keys() == found[1].keys()
    for currency, sums in found[0].items():
        for name in sums.keys() - {"account_equity", "isolated_equity"}:
            assert same_number(sums[name], found[1][currency][name]), (currency, name)


def accounts_shuffled(accounts: list[int], random: Random) -> Any:
    """Order of rows in which accounts are mixed, each in its own order."""
    order = list(range(len(accounts)))
    random.shuffle(order)
    left: dict[int, list[int]] = {}
    for row in reversed(range(len(accounts))):
        left.setdefault(accounts[row], []).append(row)
    return np.array([left[accounts[row]].pop() for row in order], dtype=np.int64)


# The faults that there were


def hedged_pair(**columns: Any) -> lc.PositionBook:
    """The hedged account of the README."""
    return lc.PositionBook(
        instrument=["SOLUSDT", "SOLUSDT"],
        quantity=[20_000.0, -18_500.0],
        entry_price=[140.0, 140.0],
        account=["ann", "ann"],
        margin_mode="cross",
        wallet_balance={"ann": 120_000.0},
        position_mode="hedge",
        **columns,
    )


def test_a_book_that_is_all_netted_is_compared(tmp_path: Any) -> None:
    policy = lc.policy("binance-usdm@2024-10-24")
    policies = {rule: policy.replace(hedge_requirement=rule) for rule in ("sum", "larger_leg", "larger_side")}
    comparison = lc.compare(hedged_pair(), policies, {"SOLUSDT": 140.0})
    for label, risk in comparison.answers.items():
        total = comparison.totals()[label]["USDT"]
        assert total["maintenance_margin"] == risk.accounts.maintenance_margin[0]
        assert math.isnan(total["initial_margin"])
        assert amount(total["maintenance_margin"]) in lc.report(comparison)
    assert comparison.to_dict()["totals"]["sum"]["USDT"]["initial_margin"] is None
    assert lc.report(comparison, tmp_path / "report.html").read_text(encoding="utf-8")


def test_hedged_legs_are_counted_as_their_account_asks() -> None:
    policy = lc.policy("binance-usdm@2024-10-24").replace(hedge_requirement="larger_leg")
    risk = lc.Engine(policy).evaluate(hedged_pair(leverage=[10.0, 10.0]), {"SOLUSDT": 140.0})
    totals = risk.summary()["totals"]["USDT"]
    for name in MARGINS:
        assert totals[name] == getattr(risk.accounts, name)[0] == risk[name].max()
    (line,) = gather(risk).totals
    assert line.maintenance_margin == totals["maintenance_margin"]
    assert line.equity == totals["account_equity"] == 120_000.0


def test_totals_of_accounts_with_balances_stand_beside_those_of_currencies() -> None:
    loan = lc.PositionBook(
        [],
        [],
        [],
        balances=lc.Balances(["eve", "eve"], ["ETH", "USDT"], [10.0, 0.0], liability=[0.0, 15_030.0]),
    )
    engine = lc.Engine(lc.policy("binance-cross-margin-3x"))
    risk = engine.evaluate(loan, {}, asset_prices={"ETH": 2_000.0, "USDT": 1.0})
    totals = risk.summary()["totals"]
    assert list(totals) == [OF_ACCOUNTS]
    assert totals[OF_ACCOUNTS]["liabilities"] == risk.accounts.liabilities[0]
    assert OF_ACCOUNTS in lc.report(risk)
    assert OF_ACCOUNTS in html_of(risk)


def test_a_total_of_nothing_judged_is_no_zero() -> None:
    book = lc.PositionBook(
        ["BTCUSDT"], [1.0], [60_000.0], account=["a"], margin_mode="cross", leverage=[10.0]
    )
    risk = lc.Engine(lc.policy("binance-usdm@2024-10-24")).evaluate(book, {"BTCUSDT": 61_000.0})
    totals = risk.summary()["totals"]["USDT"]
    assert totals["maintenance_margin"] == risk.maintenance_margin[0] > 0.0
    assert math.isnan(totals["account_equity"])


def test_a_position_without_a_margin_is_left_out_and_the_report_says_so() -> None:
    book = lc.PositionBook(["BTCUSDT"] * 2, [1.0, 1.0], [6e4, 6e4], isolated_margin=[math.nan, 3e3])
    risk = lc.Engine(lc.policy("binance-usdm@2024-10-24")).evaluate(book, {"BTCUSDT": 6e4})
    assert risk.status[0] == lc.Status.WITHOUT_MARGIN
    totals = risk.summary()["totals"]["USDT"]
    assert (totals["positions"], totals["isolated_equity"]) == (2, 3e3)
    assert totals["maintenance_margin"] == math.fsum(risk.maintenance_margin)
    assert "what depends on the margin of 1 position without one" in lc.report(risk)


def test_measures_that_were_not_computed_have_no_total() -> None:
    book = hedged_pair(leverage=[10.0, 10.0])
    engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    risk = engine.evaluate(book, {"SOLUSDT": 140.0}, measures=("notional", "initial_margin"))
    totals = risk.summary()["totals"]["USDT"]
    assert list(totals) == [
        "positions",
        "long_notional",
        "short_notional",
        "initial_margin",
        "account_equity",
    ]
