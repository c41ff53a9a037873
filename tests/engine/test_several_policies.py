"""Books of several policies: each row under its own, to the bit as if it were alone."""

from __future__ import annotations

import pickle
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import levcore as lc
from levcore import _levcore, errors
from levcore.measures import MEASURE_NAMES
from support.comparison import assert_same_risk, same_bits
from support.mixed_books import MixedBook, join
from support.random_books import CONFIGURATIONS, random_columns
from support.refusals import GOOD, MARKS, POLICY, Refused
from support.strategies import Case, cases

THREADS = (1, 2, 7)


def random_mix(rows: int, seed: int) -> MixedBook:
    """So many rows of each of the configurations, in random order."""
    return join([(each.policy, *random_columns(each, rows, seed)) for each in CONFIGURATIONS], seed)


@given(st.lists(cases(), min_size=1, max_size=3), st.integers(0, 9))
def test_kernel_equals_reference_and_each_part_alone(drawn: list[Case], seed: int) -> None:
    mixed = join(drawn, seed)
    book = mixed.book()
    expected = lc.reference.evaluate(book, mixed.policies, mixed.marks, measures=MEASURE_NAMES)
    for instruction_set in _levcore.instruction_sets():
        engine = lc.Engine(mixed.policies, instruction_set=instruction_set)
        for threads in THREADS:
            found = engine.evaluate(book, mixed.marks, threads=threads, measures=MEASURE_NAMES)
            assert_same_risk(found, expected, (instruction_set, threads))
    assert_equal_to_parts(mixed, expected)


def assert_equal_to_parts(mixed: MixedBook, risk: lc.BookRisk) -> None:
    """Rows and accounts of each policy are what an engine of that policy makes of them alone."""
    place_of = {account: place for place, account in enumerate(risk.accounts.ids)}
    for code, policy in enumerate(mixed.policies.values()):
        rows, book = mixed.part(code)
        alone = lc.Engine(policy).evaluate(book, mixed.marks[code], measures=MEASURE_NAMES)
        for name in alone.keys():  # noqa: SIM118 - a BookRisk is no mapping
            assert same_bits(risk[name][rows], alone[name]), (code, name)
        places = [place_of[account] for account in alone.accounts.ids]
        for name, column in alone.accounts.to_dict().items():
            if name != "account":
                assert same_bits(risk.accounts.to_dict()[name][places], column), (code, name)


def test_ten_policies_across_blocks(instruction_set: str) -> None:
    mixed = random_mix(rows=4_000, seed=3)
    book = mixed.book()
    expected = lc.reference.evaluate(book, mixed.policies, mixed.marks, measures=MEASURE_NAMES)
    assert 0.6 < np.count_nonzero(expected.ok) / len(book) < 0.995
    engine = lc.Engine(mixed.policies, instruction_set=instruction_set)
    for threads in THREADS:
        found = engine.evaluate(book, mixed.marks, threads=threads, measures=MEASURE_NAMES)
        assert_same_risk(found, expected, threads)
    assert_equal_to_parts(mixed, expected)


@pytest.mark.parametrize("kept_together", ["policies", "policies and accounts"])
def test_every_order_of_rows_gives_the_same_rows(kept_together: str) -> None:
    mixed = random_mix(rows=2_500, seed=5)
    engine, book = lc.Engine(mixed.policies), mixed.book()
    assert not book.keeps_accounts_together
    straight = engine.evaluate(book, mixed.marks)
    by_policy = np.argsort(mixed.columns["policy"], kind="stable")
    order = by_policy if kept_together == "policies" else book.row_order().astype(np.int64)
    sorted_book = mixed.book(order)
    assert sorted_book.keeps_accounts_together == (kept_together == "policies and accounts")
    found = engine.evaluate(sorted_book, mixed.marks)
    # Legs of an account keep their order, so even sums stay the same to the bit.
    for name in straight.keys():  # noqa: SIM118 - a BookRisk is no mapping
        assert same_bits(straight[name][order], found[name]), name


def test_the_row_order_keeps_cross_rows_policies_and_accounts_together() -> None:
    book = random_mix(rows=500, seed=6).book()
    order = book.row_order()
    assert np.array_equal(np.sort(order), np.arange(len(book)))
    assert book.policy_codes is not None
    assert book.account_codes is not None
    held = list(zip(book.account_codes.tolist(), book.instrument_codes.tolist(), strict=True))
    legs = Counter(held[row] for row in np.flatnonzero(book.is_cross))
    twice = {account for (account, _), count in legs.items() if count > 1}
    # Accounts whose legs move together stand behind everything else.
    is_pooled = book.is_cross & np.isin(book.account_codes, list(twice))
    assert 0 < is_pooled.sum() < 0.2 * len(book)
    kind = np.where(is_pooled, 2, np.where(book.is_cross, 0, 1))
    assert (np.diff(kind[order]) >= 0).all()
    for rows in (order[kind[order] == 0], order[kind[order] == 1]):
        assert (np.diff(book.policy_codes[rows].astype(int)) >= 0).all()
    for rows in (order[kind[order] == 0], order[kind[order] == 2]):
        changes = np.count_nonzero(np.diff(book.account_codes[rows].astype(int)))
        assert changes + 1 == np.unique(book.account_codes[rows]).size


STRICT = POLICY.replace(liquidation_level=0.5)
ENGINE = lc.Engine({"calm": POLICY, "strict": STRICT})
COLUMNS: dict[str, Any] = GOOD | {"policy": ["strict", "calm"]}
BOOK = lc.PositionBook(**COLUMNS)


@pytest.mark.parametrize(
    "marks",
    [
        MARKS,
        {"strict": MARKS, "calm": {"B": 200.0, "A": 1.0}},
        {"strict": [100.0, np.nan], "calm": np.array([np.nan, 200.0])},
        np.array([100.0, 200.0]),
        [[100.0, 7.0], [8.0, 200.0]],
    ],
    ids=["by instrument", "mappings", "arrays by label", "one array", "one row a policy"],
)
def test_marks_of_every_form(marks: Any) -> None:
    risk = ENGINE.evaluate(BOOK, marks)
    assert risk.unrealized_pnl.tolist() == [0.0, 0.0]
    assert [risk.mark_of(row) for row in (0, 1)] == [100.0, 200.0]
    assert_same_risk(risk, lc.reference.evaluate(BOOK, {"calm": POLICY, "strict": STRICT}, marks))


def test_a_policy_without_marks_fails_its_rows_alone() -> None:
    risk = ENGINE.evaluate(BOOK, {"calm": MARKS})
    assert risk.status.tolist() == [lc.Status.MISSING_MARK_PRICE, lc.Status.OK]
    assert [failure.column for failure in risk.failures()] == ["mark_price"]
    assert repr(risk.failures()[0].value) == "nan"


def test_an_instrument_that_one_policy_lacks_fails_its_rows_under_it() -> None:
    fewer = lc.policy("generic").with_instruments([POLICY.instruments["B"]])
    engine = lc.Engine({"strict": fewer, "calm": POLICY})
    risk = engine.evaluate(lc.PositionBook(**(GOOD | {"policy": ["strict", "calm"]})), MARKS)
    assert risk.status.tolist() == [lc.Status.UNKNOWN_INSTRUMENT, lc.Status.OK]
    swapped = lc.PositionBook(**(GOOD | {"policy": ["calm", "strict"]}))
    assert engine.evaluate(swapped, MARKS).status.tolist() == [lc.Status.OK, lc.Status.OK]


def test_labels_are_names_and_ids_where_names_repeat() -> None:
    old, new, other = lc.policy("binance-usdm@2024-10-24"), lc.policy("binance-usdm"), POLICY
    assert list(lc.Engine([old, other]).policies) == ["binance-usdm", "generic"]
    assert list(lc.Engine([old, new, other]).policies) == [old.id, new.id, "generic"]
    assert lc.Engine(old).policies == {"binance-usdm": old}


def test_an_engine_of_one_policy_takes_books_with_its_label_and_without() -> None:
    engine = lc.Engine(POLICY)
    plain = engine.evaluate(lc.PositionBook(**GOOD), MARKS)
    labelled = engine.evaluate(lc.PositionBook(**(GOOD | {"policy": "generic"})), MARKS)
    assert_same_risk(plain, labelled)
    assert labelled.policy is POLICY


def test_what_a_result_says_of_its_policies() -> None:
    risk = ENGINE.evaluate(BOOK, MARKS)
    assert risk.policies == (STRICT, POLICY)
    assert [risk.policy_of(row) for row in (0, 1)] == [STRICT, POLICY]
    assert [BOOK.policy_of(row) for row in (0, 1)] == ["strict", "calm"]
    Refused(errors.InputError, "policy").check(lambda: risk.policy)
    Refused(errors.InputError, "policy").check(lambda: ENGINE.policy)
    assert risk.summary()["policy"] == f"{STRICT.id}, {POLICY.id}"
    explanation = lc.explain(ENGINE, BOOK, MARKS, row=0)
    assert explanation.policy == STRICT.id
    assert explanation.step("liquidation_price").value == risk.liquidation_price[0]


def test_books_and_engines_survive_pickling() -> None:
    book, engine = pickle.loads(pickle.dumps((BOOK, ENGINE)))
    assert dict(engine.policies) == dict(ENGINE.policies)
    assert_same_risk(engine.evaluate(book, MARKS), ENGINE.evaluate(BOOK, MARKS))


def test_a_result_is_reused_for_a_book_of_other_policies() -> None:
    out = ENGINE.evaluate(BOOK, MARKS)
    swapped = lc.PositionBook(**(GOOD | {"policy": ["calm", "strict"]}))
    assert ENGINE.evaluate(swapped, MARKS, out=out) is out
    assert out.policies == (POLICY, STRICT)
    assert_same_risk(out, ENGINE.evaluate(swapped, MARKS))


def test_a_book_without_rows_needs_no_policy() -> None:
    columns: dict[str, Any] = {name: [] for name in GOOD} | {
        "policy": [],
        "wallet_balance": {"a": 5.0, "b": -5.0},
    }
    book = lc.PositionBook(**columns)
    risk = ENGINE.evaluate(book, {})
    assert risk.accounts.equity.tolist() == [5.0, -5.0]
    assert_same_risk(risk, lc.reference.evaluate(book, dict(ENGINE.policies), {}))


CROSS = {"margin_mode": "cross", "wallet_balance": {"a": 100.0}}
BAD_POLICIES: dict[str, tuple[dict[str, Any], Refused]] = {
    "too short": ({"policy": ["calm"]}, Refused(errors.ShapeError, "policy")),
    "too long": ({"policy": ["calm"] * 3}, Refused(errors.ShapeError, "policy")),
    "numbers": ({"policy": [1, 2]}, Refused(errors.DTypeError, "policy")),
    "a number": ({"policy": 5}, Refused(errors.DTypeError, "policy")),
    "lists": ({"policy": ["calm", ["strict"]]}, Refused(errors.DTypeError, "policy", 1)),
    "two dimensions": ({"policy": np.array([["calm", "strict"]])}, Refused(errors.ShapeError, "policy")),
    "codes above": (
        {"policy": [0, 2], "policy_names": ["calm", "strict"]},
        Refused(errors.InputError, "policy", 1, 1),
    ),
    "names twice": (
        {"policy": [0, 1], "policy_names": ["calm", "calm"]},
        Refused(errors.InputError, "policy_names"),
    ),
    "names without codes": ({"policy_names": ["calm"]}, Refused(errors.InputError, "policy")),
    "an account under two": (
        {"policy": ["calm", "strict"], "account": ["a", "a"], **CROSS},
        Refused(errors.InputError, "policy", 1, 1),
    ),
    "the one account under two": (
        {"policy": ["calm", "strict"], "margin_mode": "cross", "wallet_balance": 5.0},
        Refused(errors.InputError, "policy", 1, 1),
    ),
}


@pytest.mark.parametrize("kind", BAD_POLICIES)
def test_bad_policy_columns(kind: str) -> None:
    columns, refused = BAD_POLICIES[kind]
    refused.check(lambda: lc.PositionBook(**(GOOD | columns)))


def test_the_refusal_names_the_account_of_two_policies() -> None:
    columns = GOOD | CROSS | {"policy": ["calm", "strict"], "account": ["a", "a"]}
    with pytest.raises(lc.InputError, match=r"account 'a'.*expected 'calm', found 'strict'"):
        lc.PositionBook(**columns)
    isolated = columns | {"margin_mode": ["cross", "isolated"]}
    assert ENGINE.evaluate(lc.PositionBook(**isolated), MARKS).ok.all()


BAD_CALLS: dict[str, tuple[Any, Any, Refused]] = {
    "a label that the engine lacks": (
        {"policy": ["calm", "wild"]},
        MARKS,
        Refused(errors.InputError, "policy", 1, 1),
    ),
    "a missing label": ({"policy": ["calm", None]}, MARKS, Refused(errors.InputError, "policy", 1, 1)),
    "a name of no row": (
        {"policy": [0, 0], "policy_names": ["calm", "wild"]},
        MARKS,
        Refused(errors.InputError, "policy", None, 0),
    ),
    "no column": ({}, MARKS, Refused(errors.InputError, "policy")),
    "marks of too many policies": (
        COLUMNS,
        [[100.0, 200.0]] * 3,
        Refused(errors.ShapeError, "marks"),
    ),
    "marks of too few instruments": (COLUMNS, [[100.0], [100.0]], Refused(errors.ShapeError, "marks")),
    "marks of a policy too short": (COLUMNS, {"calm": [1.0]}, Refused(errors.ShapeError, "marks")),
    "marks in three dimensions": (COLUMNS, np.ones((1, 2, 2)), Refused(errors.ShapeError, "marks")),
    "marks of text": (COLUMNS, {"calm": {"A": "1"}}, Refused(errors.DTypeError, "marks", 0)),
    "one number": (COLUMNS, 5.0, Refused(errors.ShapeError, "marks")),
}


@pytest.mark.parametrize("kind", BAD_CALLS)
def test_bad_calls(kind: str) -> None:
    columns, marks, refused = BAD_CALLS[kind]
    book = lc.PositionBook(**(GOOD | columns))
    refused.check(lambda: ENGINE.evaluate(book, marks))
    refused.check(lambda: lc.reference.evaluate(book, dict(ENGINE.policies), marks))
    refused.check(lambda: lc.explain(ENGINE, book, marks, row=0))


@pytest.mark.parametrize(
    ("policies", "refused"),
    [
        ([], Refused(errors.InputError, "policy")),
        ({}, Refused(errors.InputError, "policy")),
        ([POLICY, POLICY], Refused(errors.InputError, "policy")),
        ([POLICY, None], Refused(errors.DTypeError, "policy")),
        ({"calm": "generic"}, Refused(errors.DTypeError, "policy")),
        ({1: POLICY}, Refused(errors.DTypeError, "policy")),
        ("generic", Refused(errors.DTypeError, "policy")),
        (None, Refused(errors.DTypeError, "policy")),
    ],
    ids=["none", "empty", "twice", "a hole", "a name", "a number as label", "a text", "nothing"],
)
def test_bad_engines(policies: Any, refused: Refused) -> None:
    refused.check(lambda: lc.Engine(policies))
    refused.check(lambda: lc.reference.evaluate(BOOK, policies, MARKS))


def test_a_rule_that_one_policy_does_not_know_matters_to_its_rows_alone() -> None:
    unknown = POLICY.replace(requirement_basis_cross="unknown")
    engine = lc.Engine({"calm": POLICY, "vague": unknown})
    columns = GOOD | CROSS | {"account": ["a", "b"], "margin_mode": ["cross", "isolated"]}
    assert engine.evaluate(lc.PositionBook(**(columns | {"policy": ["calm", "vague"]})), MARKS).ok.all()
    book = lc.PositionBook(**(columns | {"policy": ["vague", "calm"]}))
    with pytest.raises(errors.UnknownRuleError):
        engine.evaluate(book, MARKS)
    with pytest.raises(errors.UnknownRuleError):
        lc.reference.evaluate(book, engine.policies, MARKS)
