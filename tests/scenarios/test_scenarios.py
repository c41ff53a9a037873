"""Portfolio margin by scenarios: what nets, what is charged, what happens to bad rows and bad calls."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore import _levcore
from levcore.errors import DTypeError, InputError, ShapeError
from levcore.reference.scenarios.scenario_margin import scenario_margin as reference_margin
from levcore.scenarios import (
    SPAN_SCENARIOS,
    ContractCharge,
    GroupOffsets,
    ScenarioAccountStatus,
    ScenarioAddOns,
    ScenarioArrays,
    ScenarioRowStatus,
    SpreadCharge,
    scenario_margin,
    volatility_shock,
)

NAN = math.nan
TIERS = lc.TierTable.single_rate("0.01")
ARRAYS = ScenarioArrays.from_profits(
    [[-300.0, 0.0, 300.0], [-40.0, -25.0, 190.0], [80.0, 0.0, -90.0]],
    ["FUTURE", "CALL", "GOLD"],
    scenarios=["down", "unchanged", "up"],
    groups={"FUTURE": "INDEX", "CALL": "INDEX", "GOLD": "METAL"},
)


def book_of(*rows: tuple[str, float] | tuple[str, float, str], **more: Any) -> lc.PositionBook:
    """Cross positions as (instrument, quantity, account)."""
    return lc.PositionBook(
        [row[0] for row in rows],
        [row[1] for row in rows],
        [1.0] * len(rows),
        account=[row[2] if len(row) == 3 else "ann" for row in rows],
        **{"margin_mode": "cross"} | more,
    )


def requirement(add_ons: ScenarioAddOns | None, *rows: tuple[str, float], **more: Any) -> float:
    return float(scenario_margin(book_of(*rows), ARRAYS, add_ons, **more).requirement[0])


def test_instruments_of_a_group_net_and_groups_do_not() -> None:
    risk = scenario_margin(book_of(("FUTURE", 1.0), ("CALL", -2.0), ("GOLD", 1.0)), ARRAYS)
    # Index: down -300 + 80, unchanged 50, up 300 - 380. Metal: up -90.
    assert risk.scan_risk.tolist() == risk.requirement.tolist() == [220.0 + 90.0]
    assert risk.groups_to_dict()["group"] == ["INDEX", "METAL"]
    assert risk.groups.scan_risk.tolist() == [220.0, 90.0]
    assert risk.groups_to_dict()["worst_scenario"] == ["down", "up"]


def test_instruments_without_a_group_stand_alone() -> None:
    alone = ScenarioArrays.from_profits(ARRAYS.profits, ARRAYS.instruments)
    risk = scenario_margin(book_of(("FUTURE", 1.0), ("CALL", -2.0)), alone)
    assert risk.requirement.tolist() == [300.0 + 380.0]
    assert alone.scenarios == ("1", "2", "3")


def test_rows_of_one_instrument_net() -> None:
    assert requirement(None, ("FUTURE", 3.0), ("FUTURE", -3.0)) == 0.0


def test_a_portfolio_that_gains_everywhere_needs_nothing() -> None:
    risk = scenario_margin(book_of(("SURE", 1.0)), ScenarioArrays.from_profits([[5.0, 2.0, 9.0]], ["SURE"]))
    assert risk.requirement.tolist() == [0.0]
    assert risk.groups.worst_scenario.tolist() == [1]


@pytest.mark.parametrize("by", [scenario_margin, reference_margin], ids=["kernel", "reference"])
def test_a_pool_that_gains_everywhere_pays_for_no_other(by: Callable[..., Any]) -> None:
    arrays = ScenarioArrays.from_profits([[50.0, 20.0], [-10.0, 4.0]], ["SURE", "OTHER"])
    risk = by(book_of(("SURE", 1.0), ("OTHER", 1.0)), arrays)
    assert risk.groups.scan_risk.tolist() == [0.0, 10.0]
    assert risk.groups.pool_scan_risk.tolist() == [0.0, 10.0]
    assert risk.requirement.tolist() == [10.0]


def test_the_first_of_equally_bad_scenarios_is_named() -> None:
    arrays = ScenarioArrays.from_profits([[1.0, -7.0, -7.0]], ["X"])
    assert scenario_margin(book_of(("X", 1.0)), arrays).groups.worst_scenario.tolist() == [1]


def test_the_minimum_binds_where_the_loss_is_smaller() -> None:
    either = ScenarioAddOns(minimum=ContractCharge(long=400.0, short=50.0))
    assert requirement(either, ("FUTURE", 1.0)) == 400.0
    assert requirement(either, ("FUTURE", -1.0)) == 300.0
    options = ScenarioAddOns(minimum=ContractCharge(short={"CALL": 500.0}))
    assert requirement(options, ("FUTURE", 1.0)) == 300.0
    assert requirement(options, ("CALL", -2.0)) == 1_000.0
    # A hedge of the same instrument is no short position.
    assert requirement(options, ("CALL", -2.0), ("CALL", 2.0)) == 0.0


def test_the_minimum_binds_pool_by_pool() -> None:
    add_ons = ScenarioAddOns(minimum=ContractCharge(long={"FUTURE": 400.0, "GOLD": 10.0}))
    risk = scenario_margin(book_of(("FUTURE", 1.0), ("GOLD", 1.0)), ARRAYS, add_ons)
    assert risk.requirement.tolist() == [400.0 + 90.0]
    assert (risk.scan_risk.tolist(), risk.minimum.tolist()) == ([390.0], [410.0])


def test_contingency_is_added_and_netted_as_asked() -> None:
    each = ScenarioAddOns(contingency=ContractCharge(long=1.0, short=2.0))
    assert requirement(each, ("FUTURE", 1.0), ("CALL", -2.0)) == 220.0 + 1.0 + 4.0
    net_by = {"FUTURE": "K", "CALL": "K"}
    netted = ScenarioAddOns(contingency=ContractCharge(long=1.0, short=2.0, net_by=net_by))
    assert requirement(netted, ("FUTURE", 1.0), ("CALL", -2.0)) == 220.0 + 2.0


def test_spreads_are_charged_for_the_smaller_side() -> None:
    add_ons = ScenarioAddOns(spread=SpreadCharge({"FUTURE": 1.0, "CALL": 0.25}, {"INDEX": 10.0}))
    risk = scenario_margin(book_of(("FUTURE", 1.0), ("CALL", -2.0)), ARRAYS, add_ons)
    assert risk.charges.tolist() == [10.0 * 0.5]
    assert scenario_margin(book_of(("FUTURE", 1.0), ("CALL", 2.0)), ARRAYS, add_ons).charges[0] == 0.0


def test_groups_offset_each_other_at_their_fractions() -> None:
    offsets = GroupOffsets({"INDEX": "ALL", "METAL": "ALL"}, {"INDEX": 0.9, "METAL": 0.5})
    risk = scenario_margin(book_of(("FUTURE", 1.0), ("GOLD", 1.0)), ARRAYS, ScenarioAddOns(offsets=offsets))
    # Down: 300 lost, half of 80 counts. Up: 90 lost, nine tenths of 300 count.
    assert risk.requirement.tolist() == [260.0]
    assert risk.groups.scan_risk.tolist() == [300.0, 90.0]
    assert risk.groups.pool_scan_risk.tolist() == [260.0, 260.0]
    assert risk.groups.pool_worst_scenario.tolist() == [0, 0]


def test_adjustments_are_added_also_where_nothing_is_held() -> None:
    book = book_of(("FUTURE", 1.0))
    risk = scenario_margin(book, ARRAYS, adjustments={("ann", "METAL"): 7.0, ("ann", "INDEX"): -50.0})
    assert risk.requirement.tolist() == [250.0 + 7.0]
    assert risk.groups_to_dict()["group"] == ["INDEX", "METAL"]
    same = scenario_margin(book, ARRAYS, adjustments=[[-50.0, 7.0]])
    assert same.requirement.tolist() == risk.requirement.tolist()
    charged = ScenarioAddOns(contingency=ContractCharge(long=3.0))
    both = scenario_margin(book, ARRAYS, charged, adjustments=[[-50.0, 7.0]])
    assert both.charges.tolist() == [3.0 - 50.0 + 7.0]
    # A credit does not pay for anything else.
    assert scenario_margin(book, ARRAYS, adjustments=[[-900.0, 7.0]]).requirement.tolist() == [7.0]


def test_equity_surplus_and_ratio() -> None:
    add_ons = ScenarioAddOns(initial_ratio=1.25, option_value={"CALL": 60.0})
    risk = scenario_margin(book_of(("FUTURE", 1.0), ("CALL", -2.0)), ARRAYS, add_ons, equity={"ann": 1_000.0})
    assert risk.initial_margin.tolist() == [275.0]
    assert risk.net_option_value.tolist() == [-120.0]
    assert risk.equity.tolist() == [880.0]
    assert risk.surplus.tolist() == [660.0]
    assert risk.margin_ratio.tolist() == [0.25]
    assert list(risk.to_dict()) == [
        "account",
        *(name for name, _, _ in _levcore.scenario_measures()),
        "status",
    ]


def test_the_equity_of_the_engine_can_be_used() -> None:
    policy = lc.policy("generic").with_instruments([lc.Instrument("FUTURE", "linear", TIERS)])
    book = book_of(("FUTURE", 2.0), wallet_balance={"ann": 100.0})
    equity = lc.Engine(policy).evaluate(book, {"FUTURE": 6.0}).accounts.equity
    risk = scenario_margin(book, ARRAYS, equity=equity)
    assert (risk.equity.tolist(), risk.surplus.tolist()) == ([110.0], [110.0 - 600.0])


def test_what_was_not_asked_for_is_not_there() -> None:
    risk = scenario_margin(book_of(("FUTURE", 1.0)), ARRAYS)
    assert risk.measures == ("scan_risk", "charges", "minimum", "requirement")
    for name in ("initial_margin", "net_option_value", "equity", "surplus", "margin_ratio", "profits"):
        with pytest.raises(InputError):
            getattr(risk, name)
    with pytest.raises(AttributeError):
        risk.liquidation_price  # type: ignore[attr-defined]  # noqa: B018 - reading it is the test


def test_the_profits_by_scenario_are_kept_on_demand() -> None:
    book = book_of(("FUTURE", 1.0), ("CALL", -2.0), ("GOLD", 1.0), ("GOLD", 1.0, "bob"))
    risk = scenario_margin(book, ARRAYS, keep_profits=True)
    assert risk.profits.tolist() == [[-140.0, 50.0, -170.0], [80.0, 0.0, -90.0]]


def test_without_groups_the_measures_are_the_same_and_groups_are_not_there() -> None:
    book = book_of(("FUTURE", 1.0), ("CALL", -2.0), ("GOLD", 1.0), ("GOLD", NAN, "bob"), ("CALL", 1.0, "eve"))
    for evaluate in (scenario_margin, reference_margin):
        whole, alone = (evaluate(book, ARRAYS, keep_groups=each, keep_profits=True) for each in (True, False))
        for name in (*whole.measures, "status", "profits"):
            assert np.array_equal(getattr(whole, name), getattr(alone, name), equal_nan=True), name
        assert repr(alone.failures()) == repr(whole.failures())
        assert len(whole.groups) == 3
        with pytest.raises(InputError, match="keep_groups"):
            alone.groups  # noqa: B018 - reading it is the test


BAD_ROWS: list[tuple[tuple[str, float], ScenarioRowStatus]] = [
    (("FUTURE", NAN), ScenarioRowStatus.INVALID_QUANTITY),
    (("FUTURE", math.inf), ScenarioRowStatus.INVALID_QUANTITY),
    (("NOBODY-KNOWS", 1.0), ScenarioRowStatus.UNKNOWN_INSTRUMENT),
    (("HOLE", 1.0), ScenarioRowStatus.INCOMPLETE_ARRAY),
    (("GOLD", 1.0), ScenarioRowStatus.MISSING_OPTION_VALUE),
]


@pytest.mark.parametrize(("bad", "status"), BAD_ROWS)
def test_a_bad_row_makes_its_account_incomplete_and_no_other(
    bad: tuple[str, float], status: ScenarioRowStatus
) -> None:
    hole = ScenarioArrays.from_profits([[1.0, NAN, 2.0]], ["HOLE"], scenarios=ARRAYS.scenarios)
    add_ons = ScenarioAddOns(option_value={"GOLD": NAN})
    book = book_of(("FUTURE", 1.0), ("CALL", 1.0, "bob"), (*bad, "bob"))
    risk = scenario_margin(book, ARRAYS.joined_with(hole), add_ons, equity=[1.0, 1.0], keep_profits=True)
    assert risk.status.tolist() == [ScenarioAccountStatus.OK, ScenarioAccountStatus.INCOMPLETE]
    assert risk.requirement[0] == 300.0
    for name in risk.measures:
        assert math.isfinite(risk[name][0])
        assert math.isnan(risk[name][1]), name
    assert np.isnan(risk.profits[1]).all()
    incomplete = risk.groups.account == 1
    assert np.isnan(risk.groups.scan_risk[incomplete]).all()
    assert (risk.groups.worst_scenario[incomplete] == -1).all()
    row, account = risk.failures()
    value = bad[1] if row.column == "quantity" else bad[0]
    assert (row.row, row.account, row.status, repr(row.value)) == (2, "bob", status, repr(value))
    assert (account.row, account.account) == (None, "bob")
    assert account.status is ScenarioAccountStatus.INCOMPLETE
    assert risk.failures(1) == [row] or math.isnan(bad[1])
    assert "1 incomplete" in repr(risk)


def test_a_row_without_exposure_needs_no_array() -> None:
    risk = scenario_margin(book_of(("FUTURE", 1.0), ("NOBODY-KNOWS", 0.0)), ARRAYS)
    assert (risk.requirement.tolist(), risk.failures()) == ([300.0], [])


def test_missing_equity_is_not_zero() -> None:
    book = book_of(("FUTURE", 1.0), ("FUTURE", 1.0, "bob"), ("FUTURE", 1.0, "eve"))
    risk = scenario_margin(book, ARRAYS, equity={"ann": 1.0, "eve": math.inf})
    assert [ScenarioAccountStatus(code).name for code in risk.status] == [
        "OK",
        "MISSING_EQUITY",
        "INVALID_EQUITY",
    ]
    assert risk.requirement.tolist() == [300.0] * 3
    for name in ("equity", "surplus", "margin_ratio"):
        assert np.isnan(risk[name]).tolist() == [False, True, True]


def test_an_overflow_is_not_a_margin() -> None:
    arrays = ScenarioArrays.from_profits([[-1e308]], ["X"])
    assert scenario_margin(book_of(("X", 10.0)), arrays).status.tolist() == [ScenarioAccountStatus.INCOMPLETE]
    unknown = scenario_margin(book_of(("FUTURE", 1.0)), ARRAYS, adjustments=[[NAN, 0.0]])
    assert unknown.status.tolist() == [ScenarioAccountStatus.INCOMPLETE]


def test_isolated_positions_are_left_out_and_counted() -> None:
    book = book_of(("FUTURE", 1.0), ("FUTURE", 50.0), margin_mode=["cross", "isolated"])
    risk = scenario_margin(book, ARRAYS)
    assert risk.requirement.tolist() == [300.0]
    assert "1 isolated positions left out" in repr(risk)


def test_accounts_without_positions_need_nothing() -> None:
    book = book_of(("FUTURE", 1.0), wallet_balance={"bob": 5.0, "ann": 2.0})
    risk = scenario_margin(book, ARRAYS, equity=book.wallet_balance)
    assert (risk.ids, risk.requirement.tolist()) == (("bob", "ann"), [0.0, 300.0])
    assert risk.margin_ratio.tolist() == [0.0, 150.0]
    empty = scenario_margin(book_of(), ARRAYS)
    assert (len(empty), len(empty.groups), empty.failures()) == (0, 0, [])


def test_price_grids_follow_the_payoff() -> None:
    linear = lc.Instrument("L", "linear", TIERS, contract_size=0.1)
    inverse = lc.Instrument("I", "inverse", TIERS, contract_size=100.0)
    quanto = lc.Instrument("Q", "quanto", TIERS, multiplier=1e-6)
    marks = {"L": 50.0, "I": 50.0, "Q": 50.0}
    arrays = ScenarioArrays.price_grid([linear, inverse, quanto], marks, [-0.2, 0.25], covers=[1.0, 0.5])
    assert arrays.scenarios == ("-20 %", "+25 %")
    assert arrays.profits == pytest.approx(np.array([[-1.0, 0.625], [-0.5, 0.2], [-1e-5, 6.25e-6]]))
    missing = ScenarioArrays.price_grid([linear], {"L": NAN}, [0.1])
    assert np.isnan(missing.profits).all()


def test_arrays_are_immutable_copies() -> None:
    table = np.array([[1.0, -1.0]])
    arrays = ScenarioArrays.from_profits(table, ["X"])
    table[0, 0] = 99.0
    assert arrays.profits.tolist() == [[1.0, -1.0]]
    assert not arrays.profits.flags.writeable


def test_masked_profits_are_unknown() -> None:
    masked = np.ma.MaskedArray([[1.0, 2.0]], mask=[[False, True]])
    assert np.isnan(ScenarioArrays.from_profits(masked, ["X"]).profits[0]).tolist() == [False, True]


def test_joined_tables_share_groups() -> None:
    option = ScenarioArrays.from_profits(
        [[1.0, 2.0, 3.0]], ["PUT"], scenarios=ARRAYS.scenarios, groups=["INDEX"]
    )
    joined = ARRAYS.joined_with(option)
    assert joined.groups == ("INDEX", "METAL")
    assert joined.group_labels() == ("INDEX", "INDEX", "METAL", "INDEX")
    assert repr(joined) == "ScenarioArrays(4 instruments, 3 scenarios, 2 groups)"


def test_results_survive_pickling_of_their_parts() -> None:
    add_ons = ScenarioAddOns(minimum=ContractCharge(short=1.0), initial_ratio=1.1)
    assert pickle.loads(pickle.dumps(add_ons)) == add_ons
    again = pickle.loads(pickle.dumps(ARRAYS))
    assert (again.scenarios, again.groups) == (ARRAYS.scenarios, ARRAYS.groups)
    assert again.profits.tolist() == ARRAYS.profits.tolist()
    assert not again.profits.flags.writeable


def test_the_vocabularies_are_those_of_the_core() -> None:
    rows = [(code, name) for code, name, _ in _levcore.scenario_row_statuses()]
    assert rows == [(status.value, status.name) for status in ScenarioRowStatus]
    accounts = [(code, name) for code, name, _ in _levcore.scenario_account_statuses()]
    assert accounts == [(status.value, status.name) for status in ScenarioAccountStatus]
    for status in (*ScenarioRowStatus, *ScenarioAccountStatus):
        assert len(status.describe()) > 10
    shared = {name: code for code, name in rows if name in lc.Status.__members__}
    assert shared == {name: lc.Status[name].value for name in ("INVALID_QUANTITY", "UNKNOWN_INSTRUMENT")}
    assert len(SPAN_SCENARIOS) == 16


HOLD = book_of(("FUTURE", 1.0))
FUTURE = lc.Instrument("FUTURE", "linear", TIERS)
BAD_CALLS: dict[str, tuple[type[Exception], str, Callable[[], object]]] = {
    "one dimension": (ShapeError, "profits", lambda: ScenarioArrays.from_profits([1.0], ["X"])),
    "text": (DTypeError, "losses", lambda: ScenarioArrays.from_losses([["a"]], ["X"])),
    "no scenario": (ShapeError, "scenarios", lambda: ScenarioArrays.from_profits(np.ones((1, 0)), ["X"])),
    "names": (ShapeError, "instruments", lambda: ScenarioArrays.from_profits([[1.0]], ["X", "Y"])),
    "repeated": (InputError, "instruments", lambda: ScenarioArrays.from_profits([[1.0], [2.0]], ["X", "X"])),
    "codes": (DTypeError, "instruments", lambda: ScenarioArrays.from_profits([[1.0]], [1])),  # type: ignore[list-item]
    "group missing": (
        InputError, "groups", lambda: ScenarioArrays.from_profits([[1.0]], ["X"], groups={"Y": "G"})
    ),
    "group count": (
        ShapeError, "groups", lambda: ScenarioArrays.from_profits([[1.0]], ["X"], groups=["A", "B"])
    ),
    "joined twice": (InputError, "instruments", lambda: ARRAYS.joined_with(ARRAYS)),
    "other scenarios": (
        InputError, "scenarios", lambda: ARRAYS.joined_with(ScenarioArrays.from_profits([[1.0]], ["X"]))
    ),
    "a fall by all": (
        InputError, "moves", lambda: ScenarioArrays.price_grid([FUTURE], {"FUTURE": 1.0}, [0.1, -1.0])
    ),
    "no cover": (
        InputError, "covers", lambda: ScenarioArrays.price_grid([FUTURE], {"FUTURE": 1.0}, [0.1], covers=0.0)
    ),
    "no instrument": (
        DTypeError, "instruments", lambda: ScenarioArrays.price_grid(["FUTURE"], {}, [0.1])  # type: ignore[list-item]
    ),
    "no range": (
        InputError,
        "price_scan_range",
        lambda: ScenarioArrays.span_futures({"X": 0.0}, extreme_multiple=2.0, extreme_cover=0.35),
    ),
    "no multiple": (
        InputError,
        "extreme_multiple",
        lambda: ScenarioArrays.span_futures({"X": 1.0}, extreme_multiple=NAN, extreme_cover=0.35),
    ),
    "days": (InputError, "days_to_expiry", lambda: volatility_shock(0.4, 0.0, 0.5)),
    "power": (InputError, "power", lambda: volatility_shock(0.4, 1.0, NAN)),
    "no charge": (InputError, "long, short", lambda: ContractCharge()),
    "negative": (InputError, "short", lambda: ContractCharge(short={"X": -1.0})),
    "nan charge": (InputError, "long", lambda: ContractCharge(long=NAN)),
    "infinite size": (InputError, "size", lambda: SpreadCharge({"X": math.inf}, {})),
    "number for a mapping": (DTypeError, "charge", lambda: SpreadCharge({}, 1.0)),  # type: ignore[arg-type]
    "fraction missing": (InputError, "fraction", lambda: GroupOffsets({"A": "P"}, {})),
    "fraction above 1": (InputError, "fraction", lambda: GroupOffsets({"A": "P"}, {"A": 1.1})),
    "ratio": (InputError, "initial_ratio", lambda: ScenarioAddOns(initial_ratio=0.0)),
    "kind": (DTypeError, "minimum", lambda: ScenarioAddOns(minimum=1.0)),  # type: ignore[arg-type]
    "misspelled": (
        InputError,
        "minimum",
        lambda: requirement(ScenarioAddOns(minimum=ContractCharge(short={"CAL": 1.0})), ("CALL", 1.0)),
    ),
    "misspelled group": (
        InputError,
        "spread",
        lambda: requirement(ScenarioAddOns(spread=SpreadCharge({}, {"INDICES": 1.0})), ("CALL", 1.0)),
    ),
    "misspelled pool": (
        InputError,
        "offsets",
        lambda: requirement(ScenarioAddOns(offsets=GroupOffsets({"X": "P"}, {"X": 1.0})), ("CALL", 1.0)),
    ),
    "net across groups": (
        InputError,
        "contingency",
        lambda: requirement(
            ScenarioAddOns(contingency=ContractCharge(long=1.0, net_by={"CALL": "K", "GOLD": "K"})),
            ("CALL", 1.0),
        ),
    ),
    "net at two prices": (
        InputError,
        "contingency",
        lambda: requirement(
            ScenarioAddOns(
                contingency=ContractCharge(long={"CALL": 1.0}, net_by={"CALL": "K", "FUTURE": "K"})
            ),
            ("CALL", 1.0),
        ),
    ),
    "no book": (DTypeError, "book", lambda: scenario_margin([], ARRAYS)),  # type: ignore[arg-type]
    "no arrays": (DTypeError, "arrays", lambda: scenario_margin(HOLD, [])),  # type: ignore[arg-type]
    "no add-ons": (DTypeError, "add_ons", lambda: scenario_margin(HOLD, ARRAYS, [])),  # type: ignore[arg-type]
    "equities": (ShapeError, "equity", lambda: scenario_margin(HOLD, ARRAYS, equity=[1.0, 2.0])),
    "adjustment table": (
        ShapeError, "adjustments", lambda: scenario_margin(HOLD, ARRAYS, adjustments=[[1.0]])
    ),
    "text for adjustments": (
        DTypeError, "adjustments", lambda: scenario_margin(HOLD, ARRAYS, adjustments=[["1", "2"]])
    ),
    "adjusted stranger": (
        InputError, "adjustments", lambda: scenario_margin(HOLD, ARRAYS, adjustments={("eve", "INDEX"): 1.0})
    ),
    "no threads": (InputError, "threads", lambda: scenario_margin(HOLD, ARRAYS, threads=0)),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_CALLS)
def test_a_bad_call_names_its_argument(case: str) -> None:
    kind, argument, call = BAD_CALLS[case]
    with pytest.raises(kind) as caught:
        call()
    assert isinstance(caught.value, InputError)
    assert caught.value.argument == argument
    assert caught.value.rule
