"""A change of a live book is what an evaluation makes of the changed book, or it is refused whole."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import levcore as lc
from support.live_books import Oracle, armed, random_change
from support.pooled_books import random_book
from support.random_books import CONFIGURATIONS, Configuration, book_of, random_columns

T = lc.TierTable
RATE, FALLING = T.single_rate("0.1"), T.per_unit([(0, 0, "-1.25"), ("2.5", "0.5", 0), (5, 0, "-2.5")])
FALLS = "is not computed where parts of an account move together"
MARKS = {"X": 100.0, "Y": 100.0}
OPTIONAL = ("isolated_margin", "leverage", "accrued_funding", "risk_limit")


def falling(**rules: Any) -> lc.MarginPolicy:
    """A policy under which the rate of shorts in X falls; that of Y does not."""
    listed = [
        lc.Instrument("X", "linear", RATE, settlement="USDT", short_tiers=FALLING),
        lc.Instrument("Y", "linear", RATE, settlement="USDT"),
    ]
    rules = {"table_shape": "any", "hedge_requirement": "sum", "hedge_requirement_initial": "sum"} | rules
    return lc.policy("generic").replace(**rules).with_instruments(listed)


def hedged(**columns: Any) -> lc.PositionBook:
    """Account a: 3 long X in two legs, one whole; b: a short of X beside Y; and an isolated short of X."""
    return lc.PositionBook(
        ["X", "X", "X", "Y", "X"],
        [2.0, 1.0, -1.0, 1.0, -1.0],
        [100.0] * 5,
        ["a", "a", "b", "b", "i"],
        ["cross"] * 4 + ["isolated"],
        isolated_margin=[np.nan] * 4 + [50.0],
        wallet_balance={"a": 500.0, "b": 500.0},
        position_mode="hedge",
        **columns,
    )


def standing(live: lc.LiveBook) -> list[Any]:
    """Everything that a live book tells of itself."""
    book, tables = live.book(), live.totals_by_side()
    found = [live.positions(), live.accounts()]
    columns = [book.instrument_codes, book.quantity, book.entry_price, book.is_cross, book.wallet_balance]
    columns += [getattr(book, name) for name in OPTIONAL] + [live.marks()]
    if book.balance_columns is not None:
        held = book.balance_columns
        columns += [held.account, held.asset, held.balance, held.liability, held.interest]
    names = ("place", "state", "equity", "margin_ratio")
    columns += [getattr(each, name) for each in found for name in names]
    columns += [tables.positions, tables.quantity, tables.equity, tables.maintenance_margin]
    return [
        *(None if column is None else np.asarray(column).tobytes() for column in columns),
        *(str(live.totals()), live.number, live.hash, len(live), live.account_ids, str(live.asset_prices())),
        *(live.engine.policies, dict(live.replaced_tiers), book.account_ids),
    ]


def refused(live: lc.LiveBook, call: Callable[[], Any], match: str) -> Any:
    """What a call raises that changes nothing."""
    before = standing(live)
    with pytest.raises(lc.LevcoreError, match=match) as caught:
        call()
    assert standing(live) == before
    return caught.value


def test_a_rate_that_falls_comes_into_no_account_that_is_one_whole() -> None:
    live = lc.live(lc.Engine(falling()), hedged(), MARKS)
    # A leg that turns short, the last one of a row that stands twice.
    assert refused(live, lambda: live.change([3, 1], quantity=[2.0, -1.0]), FALLS).row == 1
    live.change([1, 1], quantity=[-1.0, 1.5])
    # A leg of a whole; one that makes a whole of account b, in which a short stands; two in a new account.
    new: dict[str, Any] = {"wallet_balance": {"n": 100.0}}
    legs: tuple[tuple[Any, dict[str, Any], int], ...]
    legs = (
        ((["Y", "X"], [1.0, -1.0], [100.0] * 2, ["a", "a"], "cross"), {}, 1),
        ((["Y", "Y", "Y"], [1.0] * 3, [100.0] * 3, ["a", "b", "b"], "cross"), {}, 1),
        ((["X", "X"], [1.0, -1.0], [100.0] * 2, ["n", "n"], "cross"), new, 1),
    )
    for arguments, columns, row in legs:
        caught = refused(live, lambda: live.open(*arguments, **columns), FALLS)  # noqa: B023
        assert caught.row == row
    # What is flat, isolated or alone has a price.
    live.open(["X", "X"], [0.0, -1.0], [100.0] * 2, ["a", "n"], "cross", **new)
    live.open(["X"], [-1.0], [100.0], isolated_margin=[50.0])
    refused(live, lambda: live.change([5], quantity=[-3.0]), FALLS)
    # A closed leg in another table, then an open one.
    assert refused(live, lambda: live.replace_tiers("X", FALLING), FALLS).row == 0
    live.close([0, 1])
    live.replace_tiers("X", FALLING)
    assert live.engine.policy.instruments["X"].tiers == FALLING
    assert refused(live, lambda: live.change([0], quantity=[1.0]), FALLS).row == 0
    Oracle(live).check_totals()


def test_parts_of_several_policies_change_together_or_not_at_all() -> None:
    engine = lc.Engine({"one": falling(), "other": falling()})
    labels = ["one", "one", "other", "other", "one"]
    live = lc.live(engine, hedged(policy=labels), MARKS)
    live.open(["Y"], [1.0], [100.0], ["c"], "cross", policy="other", wallet_balance={"c": 50.0})
    live.open(["Y"], [1.0], [100.0], ["c"], "cross", policy="other")
    assert refused(live, lambda: live.change([3, 0], quantity=[2.0, -1.0]), FALLS).row == 0
    both = ["one", "other"]
    caught = refused(
        live,
        lambda: live.open(["Y", "X"], [1.0, -1.0], [100.0] * 2, ["a", "c"], "cross", policy=both),
        FALLS,
    )
    assert caught.row == 1
    assert refused(live, lambda: live.replace_tiers("Y", FALLING, policy="other"), FALLS).row == 5
    live.replace_tiers("Y", FALLING, policy="one")


def test_balances_make_one_whole() -> None:
    rules = falling(liabilities_count_as="negative_equity", margins_convert_at="price")
    engine = lc.Engine(rules.with_assets([lc.Asset("USDT", (1.0,))]))
    book = lc.PositionBook(
        ["X"], [1.0], [100.0], ["a"], "cross", balances=lc.Balances(["a"], ["USDT"], [500.0])
    )
    live = lc.live(engine, book, MARKS, asset_prices={"USDT": 1.0})
    refused(live, lambda: live.change([0], quantity=[-1.0]), FALLS)
    refused(live, lambda: live.open(["X"], [-1.0], [100.0], ["a"], "cross"), FALLS)
    held = lc.Balances(["n"], ["USDT"], [5.0])
    refused(live, lambda: live.open(["X"], [-1.0], [100.0], ["n"], "cross", balances=held), FALLS)
    refused(live, lambda: live.replace_tiers("X", FALLING), FALLS)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_change_is_refused_if_an_evaluation_refuses_the_changed_book(seed: int) -> None:
    random, engine = np.random.default_rng(seed), lc.Engine(falling())
    live = lc.live(engine, hedged(), MARKS)
    for _ in range(12):
        book, count = live.book(), int(random.integers(1, 4))
        amounts = random.choice([-2.0, -1.0, 0.0, 1.0, np.nan], count)
        rows, codes = random.integers(0, len(book), count), random.integers(0, 2, count)
        then, kind = live.engine, int(random.integers(0, 3))
        call: Callable[[], Any]
        if kind == 0:
            quantity = book.quantity.copy()
            for row, amount in zip(rows.tolist(), amounts.tolist(), strict=True):
                quantity[row] = amount
            changed, call = book.replace(quantity=quantity), lambda: live.change(rows, quantity=amounts)  # noqa: B023
        elif kind == 1:
            owners = random.choice(["a", "b"], count).tolist()
            changed = with_legs(book, codes, amounts, owners)
            call = lambda: live.open(codes, amounts, np.full(count, 100.0), owners, "cross")  # noqa: B023, E731
        else:
            name, tiers = "XY"[codes[0]], (RATE, FALLING)[int(random.integers(0, 2))]
            moved = [
                lc.Instrument(each.name, "linear", tiers, settlement="USDT", short_tiers=each.short_tiers)
                for each in then.policy.instruments.values()
                if each.name == name
            ]
            then, changed = lc.Engine(then.policy.with_instruments(moved)), book
            call = lambda: live.replace_tiers(name, tiers)  # noqa: B023, E731
        try:
            then.evaluate(changed, MARKS)
        except lc.InputError:
            refused(live, call, FALLS)
        else:
            call()
            Oracle(live).check_totals()


def with_legs(book: lc.PositionBook, codes: Any, amounts: Any, owners: list[str]) -> lc.PositionBook:
    """The book with cross legs at its end."""
    count, ids = len(owners), book.account_ids
    of_row = [*(ids[code] if code < len(ids) else "" for code in np.asarray(book.account_codes)), *owners]
    return lc.PositionBook(
        np.concatenate((book.instrument_codes, codes)),
        np.concatenate((book.quantity, amounts)),
        np.concatenate((book.entry_price, np.full(count, 100.0))),
        of_row,
        np.where(np.concatenate((book.is_cross, np.ones(count, bool))), "cross", "isolated"),
        np.concatenate((np.asarray(book.isolated_margin), np.full(count, np.nan))),
        instrument_names=book.instrument_names,
        accounts=ids,
        wallet_balance=book.wallet_balance,
        position_mode="hedge",
    )


ODD = (np.nan, np.inf, -np.inf, 0.0, -0.0, -1.0, 1e-320, 1e-30, 1.0)


def spoiled_change(random: np.random.Generator, live: lc.LiveBook) -> Any:
    """Numbers that an evaluation marks with a status, beside good ones and in rows that stand twice."""
    rows = random.integers(0, len(live), int(random.integers(1, 4)))
    amounts = random.choice(ODD, rows.size)
    names = ("quantity", "entry_price", *OPTIONAL)
    kind, held = int(random.integers(0, 9)), live.book()
    wallets = [
        label
        for code, label in enumerate(live.account_ids)
        if held.balance_columns is None or code not in held.balance_columns.account
    ]
    if kind == 6 and wallets:
        who = random.choice(len(wallets), rows.size)
        ids = [wallets[place] for place in who]
        return (live.set_wallets if random.random() < 0.5 else live.transfer)(ids, amounts)
    given: Any = {}
    if kind == 7 and held.balances is not None and held.balance_columns is not None:
        owners = [live.account_ids[code] for code in random.choice(held.balance_columns.account, rows.size)]
        assets = random.choice(held.balances.asset_names, rows.size).tolist()
        if random.random() < 0.5:
            return live.transfer(owners, amounts, assets)
        columns: Any = {str(random.choice(["balance", "liability", "interest"])): amounts}
        return live.set_balances(owners, assets, **columns)
    if kind == 8:
        codes = random.choice(held.instrument_codes, rows.size)
        given = {str(random.choice(OPTIONAL)): amounts}
        if held.policy_codes is not None:
            given["policy"] = [held.policy_names[int(random.integers(0, len(held.policy_names)))]] * rows.size
        return live.open(codes, random.choice(ODD, rows.size), random.choice(ODD, rows.size), **given)
    given = {name: random.choice(ODD, rows.size) for name in names if random.random() < 0.3}
    return live.change(rows, **(given or {"quantity": amounts}))


def live_through_odd_changes(live: lc.LiveBook, seed: int, steps: int) -> None:
    random, oracle = np.random.default_rng(seed), Oracle(live)
    for _ in range(steps):
        before = standing(live)
        try:
            # Amounts drawn after odd ones may be odd, too.
            with np.errstate(invalid="ignore"):
                events = (spoiled_change if random.random() < 0.6 else random_change)(random, live)
        except lc.LevcoreError:
            assert standing(live) == before
            continue
        if events is None:
            assert standing(live) == before
            continue
        oracle.check_now(events)
        oracle.check_totals()
        for refused_call in REFUSED if random.random() < 0.2 else ():
            before = standing(live)
            with pytest.raises(lc.LevcoreError):
                refused_call(live)
            assert standing(live) == before


BY_CURRENCY: Any = {"n": {"USDT": 1.0}}
REFUSED: tuple[Callable[[lc.LiveBook], Any], ...] = (
    lambda live: live.ticks([0, 0], [1.0, 0.0]),
    lambda live: live.ticks([0, 0], [1.0, np.nan]),
    lambda live: live.ticks([0, 0.5], [1.0, 1.0]),
    lambda live: live.ticks([0, len(live.instrument_names)], [1.0, 1.0]),
    lambda live: live.ticks(["?"], [1.0]),
    lambda live: live.ticks([{}], [1.0]),
    lambda live: live.change([0, len(live)], quantity=[5.0, 5.0]),
    lambda live: live.change([[0, 0]], quantity=[5.0, 5.0]),
    lambda live: live.change([0], quantity=["x"]),
    lambda live: live.change([0], account="a"),
    lambda live: live.set_wallets(["nobody"], [1.0]),
    lambda live: live.set_wallets([[]], [1.0]),
    lambda live: live.transfer(["nobody"], [1.0]),
    lambda live: live.open([0, len(live.instrument_names)], [1.0, 1.0], [1.0, 1.0]),
    lambda live: live.open([0], [1.0], [1.0], ["nobody"], "cross", position_mode="hedge"),
    lambda live: live.open([0], [1.0], [1.0], nonsense=[1.0]),
    lambda live: live.open([0], [1.0], [1.0], ["n"], "cross", wallet_balance=BY_CURRENCY),
    lambda live: live.replace_tiers(0, 5),  # type: ignore[arg-type]
    lambda live: live.replace_tiers(True, RATE),
)


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda configuration: configuration.name)
def test_odd_changes_of_books_of_every_shape(configuration: Configuration) -> None:
    columns, marks = random_columns(configuration, 30, seed=5, spoiled=True)
    live_through_odd_changes(armed(lc.Engine(configuration.policy), book_of(columns), marks), 5, 25)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_odd_changes_of_accounts_of_one_whole_and_of_several_policies(seed: int) -> None:
    drawn = random_book(seed, rows=14, policies=seed % 3 + 1, requirement_basis_isolated="price")
    book = drawn.book()
    marks = np.array([drawn.marks.get(name, np.nan) for name in book.instrument_names])
    live = armed(lc.Engine(drawn.policies), book, marks, asset_prices=drawn.asset_prices)
    live_through_odd_changes(live, seed, 10)


def test_a_contract_for_isolated_margin_alone_and_a_table_without_prices_change_nothing() -> None:
    tiers = T.single_rate("0.01")
    listed = [lc.Instrument("X", "linear", tiers), lc.Instrument("Y", "linear", tiers, isolated_only=True)]
    rules = lc.policy("generic").replace(warning_level=0.5, warning_level_inclusive=True)
    book = lc.PositionBook(["X"], [1.0], [100.0], ["a"], "cross", wallet_balance={"a": 50.0})
    book = book.replace(instrument=[0], instrument_names=["X", "Y"])
    live = lc.live(lc.Engine(rules.with_instruments(listed)), book, MARKS)
    alone = "must be isolated in contracts"
    refused(live, lambda: live.open(["X", "Y"], [1.0] * 2, [100.0] * 2, ["a"] * 2, "cross"), alone)
    # A table under which no price would end a warning.
    refused(live, lambda: live.replace_tiers("X", T.single_rate("0.6")), "cannot be watched")


def test_prices_of_assets_outlive_a_restart_without_balances(tmp_path: Any) -> None:
    rules = lc.policy("generic").replace(liabilities_count_as="negative_equity", margins_convert_at="price")
    rules = rules.with_instruments([lc.Instrument("X", "linear", RATE, settlement="USDT")])
    engine = lc.Engine(rules.with_assets([lc.Asset("USDT", (1.0,))]))
    book = lc.PositionBook(["X"], [1.0], [100.0], isolated_margin=[50.0])
    live = lc.live(engine, book, MARKS, asset_prices={"USDT": 0.5})
    live.snapshot(tmp_path / "snapshot")
    live.record(tmp_path / "journal")
    held = lc.Balances(["a"], ["USDT"], [10.0])
    live.open(["X"], [1.0], [100.0], ["a"], "cross", balances=held)
    again, _ = lc.LiveBook.restore(engine, tmp_path / "snapshot", tmp_path / "journal")
    assert (again.hash, again.asset_prices()) == (live.hash, {"USDT": 0.5})
    assert again.accounts().equity.tolist() == live.accounts().equity.tolist() == [5.0]


@pytest.mark.parametrize("name", ["number", "hash", "engine", "levels", "_resident", "_journal", "other"])
def test_nothing_of_a_live_book_is_set_from_outside(name: str) -> None:
    live = lc.live(lc.Engine(falling()), hedged(), MARKS)
    refused(live, lambda: setattr(live, name, 7), f"LiveBook.{name}: cannot be set")
    refused(live, lambda: delattr(live, name), f"LiveBook.{name}: cannot be deleted")
    tables: Any = live.replaced_tiers
    with pytest.raises(TypeError):
        tables["generic", "X"] = RATE


def test_a_policy_that_the_book_has_not_is_named_as_it_was_given() -> None:
    policy = lc.policy("binance-usdm")
    book = lc.PositionBook(
        ["BTCUSDT"], [1.0], [60_000.0], margin_mode="isolated", isolated_margin=[6_000.0], leverage=[10.0]
    )
    live = lc.live(lc.Engine(policy), book, {"BTCUSDT": 60_000.0})
    tiers = policy.instruments["BTCUSDT"].tiers
    refused: list[Callable[[], object]] = [
        lambda: live.tick("BTCUSDT", 59_000.0, policy="none"),
        lambda: live.replace_tiers("BTCUSDT", tiers, policy="none"),
    ]
    for call in refused:
        with pytest.raises(lc.InputError, match=r"^policy: .* expected binance-usdm, found 'none'"):
            call()
    assert live.tick("BTCUSDT", 60_000.0, policy="binance-usdm").instrument.size == 0


def test_a_wallet_without_legs_keeps_the_currency_that_it_was_given_in(tmp_path: Any) -> None:
    listed = [
        lc.Instrument(name, "linear", RATE, settlement=held) for name, held in (("X", "USDT"), ("Y", "USDC"))
    ]
    engine = lc.Engine(lc.policy("generic").with_instruments(listed))
    book = lc.PositionBook(
        ["X", "Y"],
        [1.0, 1.0],
        [100.0, 100.0],
        ["a", ""],
        ["cross", "isolated"],
        isolated_margin=[np.nan, 50.0],
        wallet_balance={"a": {"USDT": 50.0}, "idle": {"USDC": 70.0}, "none": {}},
    )
    live = lc.live(engine, book, MARKS)
    live.set_wallets(["idle"], [33.0])

    def wallets(given: lc.LiveBook) -> list[tuple[int, str, float]]:
        held = given.book().named_wallets
        assert held is not None
        return list(zip(held.account.tolist(), held.currency, held.balance.tolist(), strict=True))

    assert wallets(live) == [(0, "USDT", 50.0), (1, "USDC", 33.0)]
    assert live.book().account_ids == ("a", "idle", "none")
    assert engine.evaluate(live.book(), MARKS).wallets.currency == ("USDT", "USDC", "")
    # What settles in another currency would stand on money that it cannot use.
    refused(live, lambda: live.open(["X"], [1.0], [100.0], ["idle"], "cross"), "or of its wallet")
    live.snapshot(tmp_path / "snapshot")
    again, _ = lc.LiveBook.restore(engine, tmp_path / "snapshot")
    assert wallets(again) == wallets(live)
    refused(again, lambda: again.open(["X"], [1.0], [100.0], ["idle"], "cross"), "or of its wallet")
    for each in (live, again):
        each.open(
            ["Y", "X"], [1.0, 1.0], [100.0, 100.0], ["idle", "new"], "cross", wallet_balance={"new": 5.0}
        )
    assert wallets(live) == [(0, "USDT", 50.0), (1, "USDC", 33.0), (3, "", 5.0)]
    assert live.accounts().equity.tolist() == again.accounts().equity.tolist()
