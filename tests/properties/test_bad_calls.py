"""Bad calls, policies, tier tables and variables of the environment; see ``test_bad_inputs.py``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore import _levcore, errors
from support.comparison import assert_same_risk
from support.refusals import BOOK, ENGINE, GOOD, INFINITE, MARKS, NAN, POLICY, TIERS, Refused


def other_out(**columns: Any) -> lc.BookRisk:
    return ENGINE.evaluate(lc.PositionBook(**(GOOD | columns)), MARKS)


ONE_ROW = {name: values[:1] for name, values in GOOD.items()}
BAD_CALLS: dict[str, tuple[Callable[[], object], Refused]] = {
    "policy by name": (lambda: lc.Engine("generic"), Refused(errors.DTypeError, "policy")),  # type: ignore[arg-type]
    "no policy": (lambda: lc.Engine(None), Refused(errors.DTypeError, "policy")),  # type: ignore[arg-type]
    "reference, policy by name": (
        lambda: lc.reference.evaluate(BOOK, "generic", MARKS),  # type: ignore[arg-type]
        Refused(errors.DTypeError, "policy"),
    ),
    "no book": (lambda: ENGINE.evaluate(None, MARKS), Refused(errors.DTypeError, "book")),  # type: ignore[arg-type]
    "columns as book": (lambda: ENGINE.evaluate(GOOD, MARKS), Refused(errors.DTypeError, "book")),  # type: ignore[arg-type]
    "reference, no book": (
        lambda: lc.reference.evaluate(None, POLICY, MARKS),  # type: ignore[arg-type]
        Refused(errors.DTypeError, "book"),
    ),
    "set of another case": (
        lambda: lc.Engine(POLICY, instruction_set="AVX2"),
        Refused(errors.InputError, "instruction_set"),
    ),
    "set that no processor has": (
        lambda: lc.Engine(POLICY, instruction_set="avx1024"),
        Refused(errors.InputError, "instruction_set"),
    ),
    "empty set": (
        lambda: lc.Engine(POLICY, instruction_set=""),
        Refused(errors.InputError, "instruction_set"),
    ),
    "measures in one text": (
        lambda: ENGINE.evaluate(BOOK, MARKS, measures="equity"),  # type: ignore[arg-type]
        Refused(errors.DTypeError, "measures"),
    ),
    "a number of measures": (
        lambda: ENGINE.evaluate(BOOK, MARKS, measures=5),  # type: ignore[arg-type]
        Refused(errors.DTypeError, "measures"),
    ),
    "unknown measure": (
        lambda: ENGINE.evaluate(BOOK, MARKS, measures=("equity", "margin")),
        Refused(errors.InputError, "measures"),
    ),
    "measures by place": (
        lambda: ENGINE.evaluate(BOOK, MARKS, measures=(1, 2)),  # type: ignore[arg-type]
        Refused(errors.InputError, "measures"),
    ),
    "nested measures": (
        lambda: ENGINE.evaluate(BOOK, MARKS, measures=[["equity"]]),  # type: ignore[arg-type]
        Refused(errors.InputError, "measures"),
    ),
    "no measures": (
        lambda: ENGINE.evaluate(BOOK, MARKS, measures=()),
        Refused(errors.InputError, "measures"),
    ),
    "measure not computed": (
        lambda: ENGINE.evaluate(BOOK, MARKS, measures=("equity",)).notional,
        Refused(errors.InputError, "notional"),
    ),
    "unknown choice": (
        lambda: ENGINE.evaluate(BOOK, MARKS, on_bad_row="ignore"),  # type: ignore[arg-type]
        Refused(errors.InputError, "on_bad_row"),
    ),
    "no choice": (
        lambda: ENGINE.evaluate(BOOK, MARKS, on_bad_row=None),  # type: ignore[arg-type]
        Refused(errors.InputError, "on_bad_row"),
    ),
    "array as out": (
        lambda: ENGINE.evaluate(BOOK, MARKS, out=np.empty((11, 2))),  # type: ignore[arg-type]
        Refused(errors.DTypeError, "out"),
    ),
    "out of fewer rows": (
        lambda: ENGINE.evaluate(BOOK, MARKS, out=ENGINE.evaluate(lc.PositionBook(**ONE_ROW), MARKS)),
        Refused(errors.ShapeError, "out"),
    ),
    "out of other accounts": (
        lambda: ENGINE.evaluate(BOOK, MARKS, out=other_out(margin_mode="cross", wallet_balance=5.0)),
        Refused(errors.ShapeError, "out"),
    ),
    "out of other measures": (
        lambda: ENGINE.evaluate(
            BOOK, MARKS, measures=("equity",), out=ENGINE.evaluate(BOOK, MARKS, measures=("notional",))
        ),
        Refused(errors.InputError, "out"),
    ),
    "row below": (lambda: lc.explain(ENGINE, BOOK, MARKS, row=-1), Refused(errors.InputError, "row")),
    "row above": (lambda: lc.explain(ENGINE, BOOK, MARKS, row=2), Refused(errors.InputError, "row")),
    "bad rows as an exception": (
        lambda: ENGINE.evaluate(
            lc.PositionBook(**(GOOD | {"quantity": [1.0, NAN]})), MARKS, on_bad_row="raise"
        ),
        Refused(errors.InvalidRowsError, "book", 1, 1),
    ),
    "policy that nobody has": (
        lambda: lc.policy("nobody"),
        Refused(errors.UnknownPolicyError, "policy"),
    ),
    "policy of no such date": (
        lambda: lc.policy("binance-usdm@1999-01-01"),
        Refused(errors.UnknownPolicyError, "policy"),
    ),
    "instrument that nobody has": (
        lambda: POLICY.instruments["Z"],
        Refused(errors.UnknownInstrumentError, "instrument"),
    ),
}
for name, threads, error in (
    ("zero", 0, errors.InputError),
    ("negative", -1, errors.InputError),
    ("too many", 257, errors.InputError),
    ("far too many", 10**30, errors.InputError),
    ("a fraction of", 2.0, errors.DTypeError),
    ("text for", "2", errors.DTypeError),
    ("a boolean for", True, errors.DTypeError),
):
    BAD_CALLS[f"{name} threads of an engine"] = (
        lambda threads=threads: lc.Engine(POLICY, threads=threads),  # type: ignore[misc]
        Refused(error, "threads"),
    )
    BAD_CALLS[f"{name} threads of a call"] = (
        lambda threads=threads: ENGINE.evaluate(BOOK, MARKS, threads=threads),  # type: ignore[misc]
        Refused(error, "threads"),
    )


@pytest.mark.parametrize("kind", BAD_CALLS)
def test_bad_calls(kind: str) -> None:
    call, refused = BAD_CALLS[kind]
    refused.check(call)


BAD_RULES: dict[str, dict[str, Any]] = {
    "level of zero": {"liquidation_level": 0.0},
    "negative level": {"liquidation_level": -1.0},
    "level that is no number": {"liquidation_level": NAN},
    "infinite level": {"liquidation_level": INFINITE},
    "warning above liquidation": {"warning_level": 2.0},
    "call below warning": {"warning_level": 0.9, "margin_call_level": 0.8},
    "fee without a basis": {"closing_fee_rate": 0.1},
    "fee of everything": {"closing_fee_basis": "price", "closing_fee_rate": 1.0},
    "fee in percent": {"closing_fee_basis": "price", "closing_fee_rate": 0.05},
    "level above all": {"liquidation_level": 1.1e9},
    "level beyond float64 almost": {"liquidation_level": 1e301},
    "level in per cent": {"liquidation_level": 80.0},
    "level below all": {"liquidation_level": 1e-10},
    "subnormal level": {"warning_level": 5e-324},
    "negative fee": {"closing_fee_basis": "price", "closing_fee_rate": -0.1},
    "fee that is no number": {"closing_fee_basis": "price", "closing_fee_rate": NAN},
    "fee in text": {"closing_fee_basis": "price", "closing_fee_rate": "0.1"},
    "unknown basis": {"requirement_basis_isolated": "index"},
    "no basis": {"requirement_basis_cross": None},
    "flag as a number": {"closing_fee_in_initial_margin": 1},
    "unknown rounding": {"price_rounding_long": "sideways"},
    "unknown unit": {"table_units": ("stones",)},
}


@pytest.mark.parametrize("kind", BAD_RULES)
def test_bad_rules_of_a_policy(kind: str) -> None:
    rules = BAD_RULES[kind]
    with pytest.raises(errors.PolicyError) as caught:
        POLICY.replace(**rules)
    # A level is compared with the next one, so either may be the one named.
    assert any(rule in caught.value.argument or rule.endswith("_level") for rule in rules)
    assert caught.value.expected
    assert caught.value.found


def test_a_rule_that_does_not_exist() -> None:
    with pytest.raises(errors.PolicyError, match="is no rule of a policy"):
        POLICY.replace(maintenance_margin=0.1)


@pytest.mark.parametrize(
    "rules",
    [
        {"liquidation_level": 0.02},
        {"liquidation_level": 0.01},
        {"closing_fee_basis": "price", "closing_fee_rate": 0.02, "liquidation_level": 0.03},
    ],
    ids=repr,
)
def test_rates_that_no_price_restores(rules: dict[str, Any]) -> None:
    policy = POLICY.replace(**rules)
    refused = Refused(errors.PolicyError, "rate")
    refused.check(lambda: lc.Engine(policy))
    refused.check(lambda: lc.reference.evaluate(BOOK, policy, MARKS))


@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_a_rule_that_nobody_states_refuses_the_positions_that_need_it(mode: str) -> None:
    rule = f"requirement_basis_{mode}"
    engine = lc.Engine(POLICY.replace(**{rule: "unknown"}))
    for each in ("isolated", "cross"):
        book = lc.PositionBook(**(GOOD | {"margin_mode": each, "wallet_balance": 500.0}))
        if each == mode:
            with pytest.raises(errors.UnknownRuleError, match=rule):
                engine.evaluate(book, MARKS)
        else:
            assert engine.evaluate(book, MARKS).ok.all()


BAD_TABLES: dict[str, Callable[[], object]] = {
    "no tier": lambda: lc.TierTable.marginal([], unit="quote"),
    "a floor above zero": lambda: lc.TierTable.marginal([(1, "0.01")], unit="quote"),
    "floors that fall": lambda: lc.TierTable.marginal([(0, "0.01"), (9, "0.02"), (5, "0.03")], unit="quote"),
    "rates that fall": lambda: lc.TierTable.marginal([(0, "0.02"), (9, "0.01")], unit="quote"),
    "a rate of zero": lambda: lc.TierTable.single_rate(0),
    "a rate of one": lambda: lc.TierTable.single_rate(1),
    "a negative rate": lambda: lc.TierTable.single_rate("-0.1"),
    "a rate that is no number": lambda: lc.TierTable.single_rate(NAN),
    "a jump": lambda: lc.TierTable.marginal([(0, "0.01", 0), (100, "0.02", 5)], unit="quote"),
    "a cap below the last floor": lambda: lc.TierTable.marginal(
        [(0, "0.01"), (9, "0.02")], unit="quote", cap=5
    ),
    "a flat rate by value": lambda: lc.TierTable.flat([(0, "0.01")], unit="quote"),
    "a marginal rate by contracts": lambda: lc.TierTable.marginal([(0, "0.01")], unit="contracts"),
    "a table in another currency": lambda: lc.Engine(
        POLICY.with_instruments([lc.Instrument("I", "inverse", TIERS)])
    ),
}


@pytest.mark.parametrize("kind", BAD_TABLES)
def test_bad_tier_tables(kind: str) -> None:
    with pytest.raises(errors.TierError) as caught:
        BAD_TABLES[kind]()
    assert caught.value.rule


@pytest.mark.parametrize(
    ("argument", "values"),
    [
        ("instrument", {"name": ""}),
        ("payoff", {"payoff": "option"}),
        ("contract_size", {"contract_size": 0.0}),
        ("contract_size", {"contract_size": NAN}),
        ("contract_size", {"contract_size": INFINITE}),
        ("multiplier", {"payoff": "quanto", "multiplier": -1.0}),
        ("multiplier", {"multiplier": 2.0}),
        ("tick_size", {"tick_size": 0.0}),
    ],
)
def test_bad_instrument_terms(argument: str, values: dict[str, Any]) -> None:
    terms: dict[str, Any] = {"name": "X", "payoff": "linear", "tiers": TIERS} | values
    Refused(errors.InputError, argument).check(lambda: lc.Instrument(**terms))


LARGE = 40_000
"""Rows from which on the number of threads is asked of the environment."""


@pytest.mark.parametrize("text", ["0", "-1", "257", "two", "2.0", "", " ", "1e1", "9" * 40, "²"])
def test_bad_number_of_threads_in_the_environment(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEVCORE_NUM_THREADS", text)
    ones = np.ones(LARGE)
    book = lc.PositionBook(
        np.zeros(LARGE, dtype=np.uint32), ones, ones, leverage=ones, instrument_names=["A"]
    )
    Refused(errors.InputError, "LEVCORE_NUM_THREADS").check(lambda: ENGINE.evaluate(book, [1.0]))
    # A caller who says how many does not meet it.
    assert ENGINE.evaluate(book, [1.0], threads=2).ok.all()


@pytest.mark.parametrize("text", ["AVX2", "avx1024", "", "none", "baseline,avx2", "²"])
def test_bad_instruction_set_in_the_environment(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEVCORE_INSTRUCTION_SET", text)
    with pytest.raises(errors.InputError) as caught:
        lc.Engine(POLICY)
    error = caught.value
    assert (error.argument, error.code) == (
        "LEVCORE_INSTRUCTION_SET",
        "input.is-a-variable-of-the-environment",
    )
    assert error.expected == f"one of {', '.join(_levcore.instruction_sets())}"
    assert error.found == f'"{text}"'
    assert lc.Engine(POLICY, instruction_set="baseline").evaluate(BOOK, MARKS).ok.all()


@pytest.mark.parametrize("text", ["1", " 2 ", "256"])
def test_good_number_of_threads_in_the_environment(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = ENGINE.evaluate(BOOK, MARKS)
    monkeypatch.setenv("LEVCORE_NUM_THREADS", text)
    monkeypatch.setenv("LEVCORE_INSTRUCTION_SET", "baseline")
    assert_same_risk(lc.Engine(POLICY).evaluate(BOOK, MARKS), expected)
