"""Random books of accounts in several currencies: kernel and reference agree, and a wallet is an account."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import levcore as lc
from levcore import _levcore
from levcore.engine.distances import distance
from levcore.reference.accounts.close import quantities_to_close as reference_quantities
from levcore.reference.accounts.distance import distance as reference_distance
from levcore.reference.accounts.leave import leg_costs as reference_costs
from support.comparison import assert_same_risk, same_bits
from support.pooled_books import random_instruments
from support.pooled_parity import SEEDS, THREADS

CURRENCIES = ("USDT", "USDC", "EUR", "")


@dataclass(frozen=True)
class Drawn:
    """A book with wallets by currency, the same with an account a wallet, policies and marks."""

    book: lc.PositionBook
    apart: lc.PositionBook
    policies: dict[str, lc.MarginPolicy]
    marks: dict[str, float]


def drawn_book(seed: int, accounts: int = 4, *, sound: bool = False) -> Drawn:
    """Sound: all of it is known, so that a wallet is an account of its own."""
    random = Random(seed)
    hedge = random.random() < 0.5
    rule = random.choice(["sum", "larger_leg", "larger_side"])
    given_rules = [("settlement_currency",), ("settlement_currency", "account", "unknown")][not sound]
    instruments = [
        lc.Instrument(
            f"I{number}",
            each.payoff,
            each.tiers,
            contract_size=each.contract_size,
            multiplier=each.multiplier,
            settlement=random.choice(CURRENCIES[:3] if sound else CURRENCIES),
        )
        for number, each in enumerate(random_instruments(random))
    ]
    policies = {
        name: lc.policy("generic")
        .replace(cross_wallet=name, hedge_requirement=rule)
        .with_instruments(instruments)
        for name in given_rules
    }
    settlement = {each.name: each.settlement for each in instruments}
    rows: list[dict[str, Any]] = []
    wallets: dict[str, Any] = {}
    for account in range(accounts):
        policy = random.choice(list(policies))
        for each in random.sample(instruments, random.randint(1, len(instruments))):
            sides = random.sample([1.0, -1.0], random.randint(1, 2 if hedge else 1))
            own = {"instrument": each.name, "account": f"a{account}", "policy": policy}
            rows += [own | {"side": side} for side in sides]
        held = {currency: random.uniform(-10.0, 2_000.0) for currency in CURRENCIES[:3]}
        kept = held if sound else {name: held[name] for name in held if random.random() < 0.8}
        wallets[f"a{account}"] = kept if sound or random.random() < 0.8 else random.uniform(0.0, 2_000.0)
    random.shuffle(rows)
    count = len(rows)
    marks = {each.name: random.uniform(50.0, 150.0) for each in instruments}
    columns: dict[str, Any] = {
        "instrument": [row["instrument"] for row in rows],
        "quantity": [row["side"] * random.uniform(0.1, 20.0) for row in rows],
        "entry_price": [random.uniform(50.0, 150.0) for _ in range(count)],
        "margin_mode": "cross",
        "leverage": [random.choice([2.0, 5.0, 20.0]) for _ in range(count)],
        "accrued_funding": [random.uniform(-3.0, 3.0) for _ in range(count)],
        "policy": [row["policy"] for row in rows],
        "position_mode": "hedge" if hedge else "one_way",
    }
    book = lc.PositionBook(account=[row["account"] for row in rows], wallet_balance=wallets, **columns)
    apart = book
    if sound:
        of_row = [f"{row['account']} {settlement[row['instrument']]}" for row in rows]
        each_wallet = {
            f"{account} {currency}": {currency: balance}
            for account, held in wallets.items()
            for currency, balance in sorted(held.items())
        }
        apart = lc.PositionBook(account=of_row, wallet_balance=each_wallet, **columns)
    return Drawn(book, apart, policies, marks)


@given(SEEDS)
def test_kernel_equals_reference(seed: int) -> None:
    drawn = drawn_book(seed)
    expected = lc.reference.evaluate(drawn.book, drawn.policies, drawn.marks)
    for instruction_set in _levcore.instruction_sets():
        for threads in THREADS:
            engine = lc.Engine(drawn.policies, instruction_set=instruction_set, threads=threads)
            found = engine.evaluate(drawn.book, drawn.marks)
            assert_same_risk(found, expected, (instruction_set, threads))


@given(SEEDS)
def test_other_questions_of_accounts_equal_the_reference(seed: int) -> None:
    drawn = drawn_book(seed)
    engine, inputs = lc.Engine(drawn.policies), (drawn.book, drawn.policies, drawn.marks)
    found, expected = distance(engine, drawn.book, drawn.marks), reference_distance(*inputs)
    for name in ("lower", "upper", "status"):
        assert same_bits(found[name], expected[name]), name
    costs, theirs = lc.leg_costs(engine, drawn.book, drawn.marks), reference_costs(*inputs)
    for name, column in costs.to_dict().items():
        assert same_bits(column, theirs.to_dict()[name]), name
    assert same_bits(lc.quantities_to_close(engine, drawn.book, drawn.marks), reference_quantities(*inputs))


@given(SEEDS)
def test_a_wallet_of_a_currency_is_an_account(seed: int) -> None:
    drawn = drawn_book(seed, sound=True)
    engine = lc.Engine(drawn.policies)
    risk, apart = engine.evaluate(drawn.book, drawn.marks), engine.evaluate(drawn.apart, drawn.marks)
    for name in risk.keys():  # noqa: SIM118 - a BookRisk is no mapping
        assert same_bits(risk[name], apart[name]), name
    assert [
        f"{account} {currency}"
        for account, currency in zip(risk.wallets.ids, risk.wallets.currency, strict=True)
    ] == list(apart.accounts.ids)
    for name in (*apart.accounts.measures, *apart.accounts.codes):
        assert same_bits(risk.wallets[name], apart.accounts[name]), name
    assert same_bits(
        lc.leg_costs(engine, drawn.book, drawn.marks).marginal_maintenance_margin,
        lc.leg_costs(engine, drawn.apart, drawn.marks).marginal_maintenance_margin,
    )
    for currency, sums in apart.summary()["totals"].items():
        assert repr(risk.summary()["totals"][currency]) == repr(sums)
    worst = np.maximum.reduceat(apart.accounts.state, range(0, len(apart.accounts), 3))
    assert same_bits(risk.accounts.state, worst)


@pytest.mark.parametrize("sound", [False, True])
def test_kernel_equals_reference_across_blocks(sound: bool) -> None:
    drawn = drawn_book(2026, 1_500, sound=sound)
    expected = lc.reference.evaluate(drawn.book, drawn.policies, drawn.marks)
    assert_same_risk(lc.Engine(drawn.policies, threads=2).evaluate(drawn.book, drawn.marks), expected)
    statuses = set(expected.accounts.status.tolist())
    assert statuses >= ({lc.AccountStatus.SEVERAL_WALLETS} if sound else {0, 2, 6, 7, 8})


@given(SEEDS)
def test_times_of_a_path_are_evaluations(seed: int) -> None:
    drawn = drawn_book(seed)
    engine = lc.Engine(drawn.policies)
    prices = np.array(
        [[drawn.marks[name] * move for name in drawn.book.instrument_names] for move in (1.0, 1.1)]
    )
    path = engine.evaluate_over(drawn.book, prices)
    for time, marks in enumerate(prices):
        once = engine.evaluate(drawn.book, marks)
        assert same_bits(path.account_states[time], once.accounts.state)
        assert same_bits(path.account_statuses[time], once.accounts.status)
        assert same_bits(path.accounts["equity"][time], once.accounts.equity)


@given(SEEDS)
def test_a_book_by_wallet_is_the_same_book(seed: int) -> None:
    drawn = drawn_book(seed)
    engine = lc.Engine(drawn.policies)
    risk = engine.evaluate(drawn.book, drawn.marks)
    apart = engine.evaluate(engine.by_wallet(drawn.book), drawn.marks)
    for name in risk.keys():  # noqa: SIM118 - a BookRisk is no mapping
        assert same_bits(risk[name], apart[name]), name
    assert not apart.wallets.columns.is_split
    assert sorted(risk.wallets.status.tolist()) == sorted(apart.accounts.status.tolist())
