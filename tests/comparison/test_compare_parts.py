"""A policy of a comparison that knows the rules for a part of the book answers for that, and says why."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore.book.derived import some_positions
from levcore.cli.main import main
from levcore.comparison.comparison import Comparison, Refusal, Withheld
from levcore.measures import ACCOUNT_MEASURES, BALANCE_MEASURES, MEASURE_NAMES
from levcore.reports.charts.svg import svg
from levcore.reports.comparison.figures import liquidation_figures
from support.comparison import same_bits
from support.pages import html_of

RATES = lc.TierTable.single_rate("0.01")
MARKS = {"BTC": 110.0, "ETH": 55.0, "ONLY": 110.0}
PRICES = {"USD": 1.0, "EUR": 1.1}


def instruments(**more: Any) -> list[lc.Instrument]:
    """Contracts that settle in USD, one of them for isolated margin alone."""
    options: dict[str, dict[str, Any]] = {"BTC": {}, "ETH": {}, "ONLY": {"isolated_only": True}} | more
    return [
        lc.Instrument(name, "linear", RATES, **({"settlement": "USD"} | each))
        for name, each in options.items()
    ]


def house(**rules: Any) -> lc.MarginPolicy:
    """Generic policy that knows every rule, but for what is said."""
    return lc.policy("generic").with_instruments(instruments()).replace(**rules)


KNOWN = house()
NO_CROSS = house(requirement_basis_cross="unknown")
NO_ISOLATED = house(requirement_basis_isolated="unknown")
NOTHING = house(requirement_basis_cross="unknown", requirement_basis_isolated="unknown")
ASSETS = house(liabilities_count_as="negative_equity").with_assets([lc.Asset("USD"), lc.Asset("EUR", (0.9,))])
CROSS_ROWS, ISOLATED_ROWS = [0, 1, 4], [2, 3]


def mixed_book(**more: Any) -> lc.PositionBook:
    """Two accounts with cross legs, and isolated positions of one of them and of nobody else."""
    columns: dict[str, Any] = {
        "account": ["a", "b", "b", "c", "a"],
        "margin_mode": ["cross", "cross", "isolated", "isolated", "cross"],
        "isolated_margin": [np.nan, np.nan, 20.0, 15.0, np.nan],
        "leverage": [5.0] * 5,
        "wallet_balance": {"idle": 7.0, "b": 60.0, "a": 90.0},
    } | more
    return lc.PositionBook(
        ["BTC", "BTC", "ETH", "BTC", "ETH"],
        [1.0, -1.0, 2.0, -1.0, 3.0],
        [100.0, 105.0, 50.0, 98.0, 52.0],
        **columns,
    )


def compare(book: lc.PositionBook, **policies: lc.MarginPolicy) -> Comparison:
    prices = None if book.balances is None else PRICES
    return lc.compare(book, policies, MARKS, asset_prices=prices)


def assert_answered(comparison: Comparison, label: str, rows: list[int], accounts: list[str]) -> None:
    """These rows and accounts have the numbers of the whole book, the others none and the status."""
    found, known = comparison.answers[label], comparison.answers["known"]
    places = np.array([comparison.book.account_ids.index(one) for one in accounts], dtype=np.intp)
    rest, others = np.ones(len(found), np.bool_), np.ones(len(found.accounts), np.bool_)
    rest[rows], others[places] = False, False
    for measure in MEASURE_NAMES:
        assert same_bits(found[measure][rows], known[measure][rows]), measure
        assert np.isnan(found[measure][rest]).all(), measure
    for measure in ACCOUNT_MEASURES:
        assert same_bits(found.accounts[measure][places], known.accounts[measure][places]), measure
        assert np.isnan(found.accounts[measure][others]).all(), measure
    assert found.status[rows].tolist() == known.status[rows].tolist()
    assert found.state[rows].tolist() == known.state[rows].tolist()
    assert (found.status[rest] == lc.Status.REFUSED).all()
    assert (found.state[rest] == lc.State.INCOMPLETE).all()
    assert found.accounts.status[places].tolist() == known.accounts.status[places].tolist()
    assert found.accounts.state[places].tolist() == known.accounts.state[places].tolist()
    assert (found.accounts.status[others] == lc.AccountStatus.REFUSED).all()
    assert (found.accounts.state[others] == lc.State.INCOMPLETE).all()
    withheld = comparison.withheld[label]
    assert sorted(row for one in withheld for row in one.rows.tolist()) == np.flatnonzero(rest).tolist()
    assert (
        sorted(one for part in withheld for one in part.accounts.tolist()) == np.flatnonzero(others).tolist()
    )
    away, known_away = (comparison.account_distances[one] for one in (label, "known"))
    for side in ("lower", "upper"):
        assert same_bits(away[side][places], known_away[side][places])
        assert np.isnan(away[side][others]).all()
    assert (away.status[others] == lc.AccountStatus.REFUSED).all()


def test_isolated_positions_are_compared_where_no_cross_rule_is_known() -> None:
    both = compare(mixed_book(), known=KNOWN, some=NO_CROSS)
    assert_answered(both, "some", ISOLATED_ROWS, [])
    (withheld,) = both.withheld["some"]
    assert both.withheld["known"] == ()
    assert isinstance(withheld, Withheld)
    assert str(withheld).startswith(
        "refuses 3 positions of cross margin in 3 accounts: rule requirement_basis_cross is unknown"
    )
    assert "replace(requirement_basis_cross=" in withheld.refusal.remedy
    assert withheld.refusal.can_be_stated
    # Nothing of them is in a total, on either side.
    assert both.compared.tolist() == [False, False, True, True, False]
    assert both.judged.tolist() == [False] * 3
    sums = both.totals()
    assert sums["some"] == sums["known"]
    assert sums["some"]["USD"]["notional"] == both.answers["known"].notional[ISOLATED_ROWS].sum()
    assert np.isnan(both.spread).tolist() == [True, True, False, False, True]


def test_cross_accounts_are_compared_where_no_isolated_rule_is_known() -> None:
    both = compare(mixed_book(), known=KNOWN, some=NO_ISOLATED)
    assert_answered(both, "some", CROSS_ROWS, ["idle", "b", "a"])
    assert str(both.withheld["some"][0]).startswith("refuses 2 positions of isolated margin: rule")
    assert both.judged.all()


def test_policies_that_know_different_parts_have_nothing_in_common() -> None:
    both = compare(mixed_book(), one=NO_CROSS, other=NO_ISOLATED, none=NOTHING)
    assert list(both.answers) == ["one", "other"]
    assert isinstance(both.results["none"], Refusal)
    assert both.withheld["none"] == ()
    assert both.totals() == {"one": {}, "other": {}}
    told = lc.report(both)
    assert (
        "No position has an answer under two policies. none: no answer. one: no answer for 3 positions."
        in (" ".join(told.split()))
    )


def test_accounts_with_balances_are_refused_alone_where_an_account_is_one_wallet() -> None:
    balances = lc.Balances(["rich", "rich", "idle in assets"], ["USD", "EUR", "EUR"], [100.0, 50.0, 3.0])
    book = mixed_book(account=["rich", "b", "b", "c", "rich"], wallet_balance={"b": 60.0}, balances=balances)
    both = compare(book, known=ASSETS, some=KNOWN)
    assert_answered(both, "some", [1, 2, 3], ["b"])
    assert (both.answers["some"].balances.status == lc.Status.REFUSED).all()
    assert all(np.isnan(both.balance_table(measure)["some"]).all() for measure in BALANCE_MEASURES)
    assert str(both.withheld["some"][0]).startswith(
        "refuses 2 positions of accounts with balances in 2 accounts: balances belong to accounts in several"
    )
    assert not both.withheld["some"][0].refusal.can_be_stated


def test_balances_are_compared_where_isolated_positions_are_not() -> None:
    balances = lc.Balances(["rich", "rich", "idle in assets"], ["USD", "EUR", "EUR"], [100.0, 50.0, 3.0])
    rows = {"account": ["rich", "b", "b", "c", "rich"], "wallet_balance": {"b": 60.0, "idle": 7.0}}
    book = mixed_book(**rows, balances=balances)
    both = compare(book, known=ASSETS, some=ASSETS.replace(requirement_basis_isolated="unknown"))
    assert_answered(both, "some", CROSS_ROWS, ["b", "idle", "rich", "idle in assets"])
    for measure in BALANCE_MEASURES:
        table = both.balance_table(measure)
        assert same_bits(table["some"], table["known"])
    # Without one cross position, the balances are what is known.
    alone = some_positions(book, np.array(ISOLATED_ROWS))
    both = compare(alone, known=ASSETS, some=ASSETS.replace(requirement_basis_isolated="unknown"))
    known = both.answers["known"].accounts
    assert same_bits(both.answers["some"].accounts.equity, known.equity)
    assert np.isfinite(known.equity).sum() >= 2


def test_accounts_that_hold_contracts_for_isolated_margin_alone_are_refused_alone() -> None:
    book = mixed_book()
    names = ["BTC", "ONLY", "ONLY", "BTC", "ETH"]
    free = lc.policy("generic").with_instruments(instruments(ONLY={"isolated_only": False}))
    both = compare(book.replace(instrument=names), known=free, some=KNOWN)
    assert_answered(both, "some", [0, 2, 3, 4], ["idle", "a"])
    assert "in 1 account: margin_mode must be isolated in contracts that generic" in str(
        both.withheld["some"][0]
    )


def test_accounts_in_several_currencies_keep_their_wallets_or_are_refused_with_them() -> None:
    euros = {"ETH": {"settlement": "EUR"}}
    rules = {"cross_wallet": "settlement_currency"}
    known = lc.policy("generic").with_instruments(instruments(**euros)).replace(**rules)
    book = mixed_book(wallet_balance={"a": {"USD": 60.0, "EUR": 40.0}, "b": {"USD": 60.0}})
    both = compare(book, known=known, some=known.replace(requirement_basis_isolated="unknown"))
    assert_answered(both, "some", CROSS_ROWS, ["a", "b"])
    whole, part = both.answers["known"].wallets, both.answers["some"].wallets
    assert len(part) == 3
    assert part.currency == whole.currency
    assert same_bits(part.equity, whole.equity)
    both = compare(book, known=known, some=known.replace(requirement_basis_cross="unknown"))
    assert_answered(both, "some", ISOLATED_ROWS, [])
    assert (both.answers["some"].wallets.status == lc.AccountStatus.REFUSED).all()


def shorts_by_shares() -> tuple[lc.PositionBook, lc.MarginPolicy]:
    """A long and a short leg and an isolated position, whose margin a unit falls with the price."""
    book = lc.PositionBook(
        ["BTC", "BTC", "BTC"],
        [-100.0, 50.0, 10.0],
        [100.0] * 3,
        account=["a", "a", "b"],
        margin_mode=["cross", "cross", "isolated"],
        isolated_margin=[np.nan, np.nan, 900.0],
        wallet_balance={"a": 9_000.0},
        position_mode="hedge",
    )
    stock = lc.Instrument("BTC", "linear", lc.TierTable.single_rate("0.25"), settlement="USD")
    return book, lc.policy("reg-t").with_instruments([stock]).replace(hedge_requirement="sum")


WORDS = "a margin a unit whose rate falls is not computed"


def test_what_an_evaluation_refuses_does_not_stop_the_others() -> None:
    book, policy = shorts_by_shares()
    with pytest.raises(lc.InputError, match=WORDS):
        lc.Engine(policy).evaluate(book, MARKS)
    both = compare(book, known=KNOWN, some=policy)
    refused = both.answers["some"].status == lc.Status.REFUSED
    assert refused.tolist() == [True, True, False]
    assert WORDS in str(both.withheld["some"][0])
    assert WORDS in " ".join(lc.report(both).split())
    both = compare(some_positions(book, np.arange(2)), known=KNOWN, some=policy)
    assert WORDS in str(both.results["some"])


def test_nor_does_a_distance_that_is_not_computed() -> None:
    book, policy = shorts_by_shares()
    one_way = some_positions(book, np.array([0, 2])).replace(position_mode="one_way")
    both = compare(one_way, known=KNOWN, some=policy)
    assert both.withheld["some"] == ()
    with pytest.raises(lc.InputError, match=WORDS):
        lc.distance(lc.Engine(policy), one_way, MARKS)
    away = both.account_table("distance_upper")
    assert np.isnan(away["some"]).all()
    assert np.isfinite(away["known"]).all()
    assert both.account_distances["some"].status.tolist() == [lc.AccountStatus.REFUSED]
    assert np.isfinite(both.account_table("equity")["some"]).all()
    assert lc.report(both)


def test_a_policy_that_cannot_be_compiled_does_not_stop_the_others() -> None:
    # A contract that moves with the coin that it settles in has no line for a value, unless it is inverse.
    odd = ASSETS.with_instruments(instruments(BTC={"underlying": "USD"}))
    with pytest.raises(lc.errors.PolicyError, match="an inverse contract moves with its settlement currency"):
        lc.Engine(odd)
    both = compare(mixed_book(), known=KNOWN, some=odd)
    refusal = both.results["some"]
    assert isinstance(refusal, Refusal)
    assert "an inverse contract moves with its settlement currency" in str(refusal)
    assert list(both.answers) == ["known"]


def test_a_fault_of_the_call_is_no_answer_of_a_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEVCORE_INSTRUCTION_SET", "abacus")
    with pytest.raises(lc.InputError, match="LEVCORE_INSTRUCTION_SET"):
        compare(mixed_book(), known=KNOWN, some=NO_CROSS)


def test_the_report_says_what_is_refused_and_why() -> None:
    both = compare(mixed_book(), known=KNOWN, some=NO_CROSS)
    told = " ".join(lc.report(both).split())
    assert "some: no answer for 3 positions." in told
    assert "positions refused 0 3" in told
    assert "positions evaluated 5 2" in told
    assert "answer refuses 3 positions of cross margin in 3 accounts: rule requirement_basis_cross is" in told
    assert told.count("state healthy refuses") == 6
    for lines in (both.answers["some"].failures(), both.answers["some"].accounts.failures()):
        assert {failure.words for failure in lines} == {
            lc.Status.REFUSED.describe() if failure.row is not None else lc.AccountStatus.REFUSED.describe()
            for failure in lines
        }
    assert "refuses 3 positions of cross margin" in html_of(both)
    (figure,) = liquidation_figures(both, [0, 3])
    assert "some refused" in figure.description
    assert svg(figure)


def test_the_frame_and_the_plain_values_have_the_status_and_the_reason() -> None:
    both = compare(mixed_book(), known=KNOWN, some=NO_CROSS)
    polars = pytest.importorskip("polars")
    words = polars.DataFrame(both)["some.status"].to_list()
    assert words == ["refused", "refused", "ok", "ok", "refused"]
    plain = json.loads(json.dumps(both.to_dict(), allow_nan=False))
    assert plain["policies"]["known"]["refused"] == []
    (refused,) = plain["policies"]["some"]["refused"]
    assert (refused["positions"], refused["accounts"]) == (3, 3)
    assert refused["refusal"] == str(both.withheld["some"][0])
    assert plain["policies"]["some"]["refusal"] is None
    assert plain["accounts"]["may_add_risk"]["some"] == [None] * 3
    assert plain["positions"]["margin_ratio"]["some"][0] is None


def test_a_comparison_with_a_part_is_pickled_like_any_other() -> None:
    both = compare(mixed_book(), known=KNOWN, some=NO_CROSS)
    again = pickle.loads(pickle.dumps(both))
    assert_answered(again, "some", ISOLATED_ROWS, [])


def test_on_the_command_line_the_reason_is_a_note_and_the_exit_code_says_that_rows_are_without(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    positions = tmp_path / "positions.csv"
    positions.write_text(
        "account,instrument,margin_mode,quantity,entry_price,leverage,mark_price,wallet_balance\n"
        "a,BTCUSDT,cross,0.1,60000,10,61000,9000\n"
        "b,ETHUSDT,isolated,1,3000,10,3050,\n"
    )
    names = "--policies=binance-usdm,delta-linear"
    options = ["--tiers-from=binance-usdm", "--quantities-of=binance-usdm"]
    assert main(["compare", str(positions), names, *options]) == 2
    told = capsys.readouterr()
    assert "note: delta-linear refuses 1 position of cross margin in 1 account: rule" in told.err
    assert "(--set delta-linear.RULE=VALUE states a rule)" in told.err
    assert "delta-linear: no answer for 1 position." in told.out


@pytest.mark.parametrize("rows", [[], [3], [1, 0], [4, 2, 2, 0]])
def test_some_positions_are_a_book_with_every_account(rows: list[int]) -> None:
    book = mixed_book()
    part = some_positions(book, np.array(rows, dtype=np.intp))
    assert part.account_ids == book.account_ids
    assert part.wallet_balance.tolist() == book.wallet_balance.tolist()
    assert part.quantity.tolist() == book.quantity[rows].tolist()
    assert [part.account_of(place) for place in range(len(rows))] == [book.account_of(row) for row in rows]
    assert part.is_cross.tolist() == book.is_cross[rows].tolist()
    one = lc.PositionBook(["BTC"] * 2, [1.0, 2.0], [100.0] * 2, margin_mode="cross", wallet_balance=50.0)
    of_one = some_positions(one, np.array([1]))
    assert (of_one.account_ids, of_one.wallet_balance.tolist()) == (one.account_ids, [50.0])
