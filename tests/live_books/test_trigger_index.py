"""The trigger index says who is liquidatable, tick by tick, as an evaluation of the whole book does."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import levcore as lc
from support.pooled_books import random_book as random_pooled_book
from support.random_books import CONFIGURATIONS, Configuration, book_of, random_columns
from support.strategies import Case, cases

Verdicts = dict[tuple[bool, int], str]


def judged(states: npt.NDArray[Any]) -> list[str]:
    """Verdict of each state: liquidatable, safe, or not known."""
    return [
        "unknown"
        if state == lc.State.INCOMPLETE
        else "liquidatable"
        if state >= lc.State.LIQUIDATION
        else "safe"
        for state in states.tolist()
    ]


def verdicts_of(risk: lc.BookRisk) -> Verdicts:
    """Verdicts of isolated rows and of accounts with legs, by an evaluation of everybody."""
    book = risk.book
    found = {(False, row): word for row, word in enumerate(judged(risk.state)) if not book.is_cross[row]}
    if book.account_codes is not None:
        of_accounts = judged(risk.accounts.state)
        legs = np.unique(book.account_codes[book.is_cross])
        found |= {(True, code): of_accounts[code] for code in legs.tolist()}
    return found


def assert_exact(engine: lc.Engine, book: lc.PositionBook, prices: npt.NDArray[Any], ticks: list[Any]) -> int:
    """Compare the index with brute force after every instant; how many verdicts changed."""
    evaluate: Any = lc.reference.evaluate if len(book) < 8 else engine_evaluate(engine)
    index = lc.TriggerIndex(engine, book, prices)
    marks = prices.copy()
    known = verdicts_of(evaluate(book, engine.policy, marks))
    changed = 0
    for instant in ticks:
        codes, moved = np.array(instant[0]), np.array(instant[1])
        marks[codes] = moved
        changes = index.ticks(codes, moved, np.zeros(len(codes), dtype=np.int64))
        expected = verdicts_of(evaluate(book, engine.policy, marks))
        keys = list(zip(changes.subject.is_account.tolist(), changes.subject.place.tolist(), strict=True))
        assert keys == sorted(key for key in known if known[key] != expected[key])
        assert judged(changes.state) == [expected[key] for key in keys]
        known = expected
        now = index.liquidatable()
        found = set(zip(now.is_account.tolist(), now.place.tolist(), strict=True))
        assert found == {key for key, word in expected.items() if word == "liquidatable"}
        changed += len(changes)
    return changed


def engine_evaluate(engine: lc.Engine) -> Any:
    """Evaluate with the compiled engine, as the reference is called."""
    return lambda book, _, marks: engine.evaluate(book, marks)


def random_ticks(seed: int, marks: npt.NDArray[Any], count: int, size: float) -> list[Any]:
    """Random walks of one or several instruments an instant, now and then far."""
    random = np.random.default_rng(seed)
    marks, ticks = np.where((marks > 1e-9) & (marks < 1e9), marks, 1.0), []
    for _ in range(count):
        codes = random.choice(marks.size, int(random.integers(1, min(3, marks.size) + 1)), replace=False)
        far = random.random() < 0.05
        marks[codes] *= np.exp(random.normal(0, 20 * size if far else size, codes.size))
        ticks.append((codes.tolist(), marks[codes].tolist()))
    return ticks


@settings(max_examples=60, deadline=None)
@given(cases(), st.integers(0, 2**32 - 1))
def test_any_policy_any_small_book(case: Case, seed: int) -> None:
    policy, columns, marks = case
    book, engine = book_of(columns), lc.Engine(policy)
    try:
        engine.bind(book)
    except lc.LevcoreError:
        return  # a rule is unknown, and no evaluation either
    assert_exact(
        engine, book, np.asarray(marks, dtype=float), random_ticks(seed, np.asarray(marks), 12, 0.03)
    )


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda configuration: configuration.name)
def test_books_of_every_shape(configuration: Configuration) -> None:
    columns, marks = random_columns(configuration, 1_500, seed=7, spoiled=False)
    book, engine = book_of(columns), lc.Engine(configuration.policy)
    busy = np.bincount(book.instrument_codes, minlength=marks.size).argsort()[::-1][:6]
    ticks = [
        ([int(busy[code]) for code in codes], moved)
        for codes, moved in random_ticks(11, marks[busy], 150, 0.02)
    ]
    changed = assert_exact(engine, book, marks, ticks)
    assert changed > 100


@pytest.mark.parametrize("seed", range(100))
def test_accounts_charged_as_one_whole(seed: int) -> None:
    drawn = random_pooled_book(seed, rows=12, policies=1, requirement_basis_isolated="price")
    if drawn.balances is not None:
        return
    policy = next(iter(drawn.policies.values()))
    book, engine = drawn.book(), lc.Engine(policy)
    marks = np.array([drawn.marks.get(name, np.nan) for name in book.instrument_names])
    assert_exact(engine, book, marks, random_ticks(seed, marks, 30, 0.05))


def test_a_price_at_the_trigger_itself_and_the_floats_beside_it() -> None:
    policy = lc.policy("binance-usdm@2024-10-24")
    random = np.random.default_rng(5)
    rows = 200
    book = lc.PositionBook(
        ["BTCUSDT"] * rows,
        random.choice([-1.0, 1.0], rows) * random.lognormal(0, 1, rows),
        random.uniform(50_000, 70_000, rows),
        leverage=random.integers(2, 60, rows).astype(float),
    )
    engine, marks = lc.Engine(policy), np.array([60_000.0])
    triggers = engine.evaluate(book, marks).liquidation_price
    near = np.concatenate([triggers, np.nextafter(triggers, 0.0), np.nextafter(triggers, np.inf)])
    near = np.concatenate([near, triggers * (1 + 1e-8), triggers * (1 - 1e-8)])
    random.shuffle(near)
    ticks = [([0], [float(price)]) for price in near[:400]]
    assert assert_exact(engine, book, marks, ticks) > 1_000


def test_an_instrument_without_a_price_is_known_from_its_first_tick_on() -> None:
    book = lc.PositionBook(["BTCUSDT", "ETHUSDT"], [1.0, -1.0], [60_000.0, 3_000.0], leverage=[10.0, 10.0])
    engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    index = lc.TriggerIndex(engine, book, {"BTCUSDT": 60_000.0})
    changes = index.ticks(["ETHUSDT", "ETHUSDT"], [3_000.0, 3_400.0])
    assert changes.instant.tolist() == [0, 1]
    assert changes.subject.place.tolist() == [1, 1]
    assert [lc.State(code).name for code in changes.before] == ["INCOMPLETE", "HEALTHY"]


@pytest.mark.parametrize(
    ("instruments", "prices", "instants", "expected"),
    [
        (["BTCUSDT"], [0.0], None, "prices: must be prices"),
        (["BTCUSDT"], [np.nan], None, "prices: must be prices"),
        (["BTCUSDT", "XYZ"], [1.0, 2.0], None, "instruments: must be some of the book"),
        (["BTCUSDT"], [1.0, 2.0], None, "instruments: must have one a price"),
        ([7], [1.0], None, "instruments: must be some of the book"),
        (["BTCUSDT"], [1.0], [1, 2], "instants: must have one number a tick"),
    ],
)
def test_bad_ticks(instruments: Any, prices: Any, instants: Any, expected: str) -> None:
    book = lc.PositionBook(["BTCUSDT"], [1.0], [60_000.0], leverage=[10.0])
    index = lc.TriggerIndex(lc.Engine(lc.policy("binance-usdm@2024-10-24")), book, {"BTCUSDT": 60_000.0})
    with pytest.raises(lc.LevcoreError, match=expected):
        index.ticks(instruments, prices, instants)
