"""Live books with balances and under several policies: events with known numbers, calls that are refused."""

from typing import Any

import numpy as np
import pytest

import levcore as lc

STABLE = lc.Asset("USDT", (1.0,))
COIN = lc.Asset("BTC", (0.9,), liability_weight=1.1)
TIERS = lc.TierTable.single_rate("0.1")
PERPETUAL = lc.Instrument("BTCUSDT", "linear", TIERS, settlement="USDT", underlying="BTC")


def policy(**rules: Any) -> lc.MarginPolicy:
    return lc.policy("generic").replace(**rules).with_instruments([PERPETUAL])


IN_ASSETS = policy(liabilities_count_as="negative_equity", margins_convert_at="price").with_assets(
    [STABLE, COIN]
)
PRICES = {"USDT": 1.0, "BTC": 100.0}


def with_balances() -> lc.LiveBook:
    """Account a: 10 long at 100, which ask for 100, and 2 coins, which count 180; b: 5 coins, no position."""
    book = lc.PositionBook(
        ["BTCUSDT"],
        [10.0],
        [100.0],
        ["a"],
        "cross",
        balances=lc.Balances(["a", "b"], ["BTC", "BTC"], [2.0, 5.0]),
    )
    return lc.live(lc.Engine(IN_ASSETS), book, {"BTCUSDT": 100.0}, asset_prices=PRICES)


def told(events: Any) -> list[tuple[int, str, str]]:
    names = [
        (lc.State(before).name, lc.State(state).name)
        for before, state in zip(events.before, events.state, strict=True)
    ]
    return [(place, *pair) for place, pair in zip(events.subject.place.tolist(), names, strict=True)]


def test_the_price_of_an_asset_is_a_tick() -> None:
    live = with_balances()
    assert (live.asset_names, live.account_ids) == (("BTC", "USDT"), ("a", "b"))
    # The collateral is worth 0.9 * 2 P against 100: liquidated from P = 55.55 down, whatever the mark is.
    events = live.ticks(["BTC", "BTCUSDT", "BTC"], [56.0, 100.5, 52.0], is_asset=[True, False, True])
    assert told(events) == [(0, "HEALTHY", "LIQUIDATION")]
    assert (events.number.tolist(), events.asset.tolist(), events.instrument.tolist()) == ([2], [0], [-1])
    # A profit of 5 in USDT, and 0.9 * 104 of the coins, against 100.5.
    assert events.equity.tolist() == live.accounts().equity[:1].tolist() == [0.9 * 104.0 + 5.0]
    assert told(live.tick_asset("BTC", 100.0)) == [(0, "LIQUIDATION", "HEALTHY")]
    assert live.asset_prices() == {"BTC": 100.0, "USDT": 1.0}
    assert len(live.remark(asset_prices={"BTC": 100.0})) == 0
    assert told(live.remark(asset_prices={"BTC": 50.0})) == [(0, "HEALTHY", "LIQUIDATION")]


def test_money_moves_by_asset() -> None:
    live = with_balances()
    assert told(live.transfer(["a", "b"], [-1.0, 1.0], ["BTC", "BTC"])) == [(0, "HEALTHY", "LIQUIDATION")]
    # An asset that the account has not held.
    assert told(live.transfer(["a"], [60.0], ["USDT"])) == [(0, "LIQUIDATION", "HEALTHY")]
    assert live.accounts().equity.tolist() == [150.0, 540.0]
    # A loan of 4 coins against 60 USDT and one coin: -3 coins count at 1.1.
    assert told(live.set_balances(["a"], ["BTC"], liability=[4.0])) == [(0, "HEALTHY", "BANKRUPT")]
    assert live.accounts().equity[0] == 60.0 - 1.1 * 300.0
    held = live.book().balances
    assert held is not None
    assert held.liability is not None
    assert (held.balance.tolist(), held.liability.tolist()) == ([1.0, 6.0, 60.0], [4.0, 0.0, 0.0])
    assert live.number == 3


@pytest.mark.parametrize("counts_as", ["requirement", "negative_equity"])
def test_what_is_owed_is_liquidated_as_its_price_rises(counts_as: str) -> None:
    coin = lc.Asset("BTC", (0.9,), liability_weight=1.1, liability_tiers=lc.TierTable.single_rate("0.2"))
    rules = policy(liabilities_count_as=counts_as, margins_convert_at="price").with_assets([STABLE, coin])
    book = lc.PositionBook(
        [], [], [], balances=lc.Balances(["a", "a"], ["USDT", "BTC"], [1_000.0, 0.0], liability=[0.0, 4.0])
    )
    live = lc.live(lc.Engine(rules), book, {}, asset_prices=PRICES)
    # 1,000 against 4 * (1.1 + 0.2) P: from P = 192.31 on, and back below it.
    prices = [*range(101, 250), *range(250, 150, -1)]
    events = live.ticks(["BTC"] * len(prices), prices, is_asset=[True] * len(prices))
    state, changes = lc.State.HEALTHY, []
    for number, price in enumerate(prices):
        risk = live.engine.evaluate(book, {}, asset_prices={"USDT": 1.0, "BTC": price})
        if risk.accounts.state[0] != state:
            state = lc.State(risk.accounts.state[0])
            changes.append((number, state))
    assert list(zip(events.number.tolist(), events.state.tolist(), strict=True)) == changes
    begins = changes[[state for _, state in changes].index(lc.State.LIQUIDATION)][0]
    assert prices[begins] == 193
    assert live.examined < len(prices)


def test_accounts_come_with_balances() -> None:
    live = with_balances()
    new = lc.Balances(["c", "d"], ["USDT", "USDT"], [20.0, 1.0])
    # c is 10 short of margin, d holds a coin and owes nothing.
    events = live.open(["BTCUSDT"], [3.0], [100.0], ["c"], "cross", balances=new)
    assert told(events) == [(2, "HEALTHY", "LIQUIDATION")]
    assert live.account_ids == ("a", "b", "c", "d")
    assert told(live.open([], [], [], balances=lc.Balances(["e"], ["BTC"], [-1.0]))) == [
        (4, "HEALTHY", "BANKRUPT")
    ]
    assert live.totals().accounts[lc.State.HEALTHY] == 3
    risk = live.engine.evaluate(live.book(), live.marks(), asset_prices=live.asset_prices())
    assert (risk.accounts.equity == live.accounts().equity).all()


def test_a_book_may_get_its_first_balances_later() -> None:
    book = lc.PositionBook(["BTCUSDT"], [1.0], [100.0], isolated_margin=[50.0])
    live = lc.live(lc.Engine(IN_ASSETS), book, {"BTCUSDT": 100.0}, asset_prices=PRICES)
    assert live.asset_prices() is None
    balances = lc.Balances(["a"], ["BTC"], [2.0])
    assert told(live.open(["BTCUSDT"], [10.0], [100.0], ["a"], "cross", balances=balances)) == []
    assert told(live.tick_asset("BTC", 50.0)) == [(0, "HEALTHY", "LIQUIDATION")]
    assert live.asset_prices() == {"USDT": 1.0, "BTC": 50.0}
    wrong: Any = [1.0]
    with pytest.raises(lc.LevcoreError, match="asset_prices"):
        lc.live(lc.Engine(IN_ASSETS), book, {"BTCUSDT": 100.0}, asset_prices=wrong)
    with pytest.raises(lc.LevcoreError, match="asset_prices: must hold real numbers"):
        lc.live(lc.Engine(IN_ASSETS), book, {"BTCUSDT": 100.0}, asset_prices={"BTC": "x"})  # type: ignore[dict-item]


def under_two() -> lc.LiveBook:
    """One instrument at 10 % and at 5 %: the accounts a and b, and c, isolated under the second policy."""
    other = policy().with_instruments(
        [lc.Instrument("BTCUSDT", "linear", lc.TierTable.single_rate("0.05"), settlement="USDT")]
    )
    book = lc.PositionBook(
        ["BTCUSDT"] * 3,
        [1.0, 1.0, 1.0],
        [100.0] * 3,
        ["a", "b", "c"],
        ["cross", "cross", "isolated"],
        policy=["one", "other", "other"],
        isolated_margin=[np.nan, np.nan, 10.0],
        wallet_balance={"a": 20.0, "b": 20.0},
    )
    return lc.live(lc.Engine({"one": policy(), "other": other}), book, {"BTCUSDT": 100.0})


def test_events_of_several_policies_have_one_order() -> None:
    live = under_two()
    # 20 + P - 100 = 0.1 P at 88.89; 0.05 P at 84.21; of the isolated position 10 + P - 100 = 0.05 P at 94.74.
    events = live.ticks(["BTCUSDT"] * 3, [94.0, 88.0, 84.0])
    assert told(events)[:3] == [
        (2, "HEALTHY", "LIQUIDATION"),
        (2, "LIQUIDATION", "BANKRUPT"),
        (0, "HEALTHY", "LIQUIDATION"),
    ]
    assert (events.number.tolist()[:3], events.subject.is_account.tolist()[:3]) == (
        [0, 1, 1],
        [False, False, True],
    )
    assert told(events)[3:] == [(1, "HEALTHY", "LIQUIDATION")]
    live = under_two()
    # A mark of one venue.
    assert told(live.tick("BTCUSDT", 84.0, policy="one")) == [(0, "HEALTHY", "LIQUIDATION")]
    assert live.marks().tolist() == [[84.0], [100.0]]
    assert told(live.remark({"one": {"BTCUSDT": 100.0}, "other": {"BTCUSDT": 84.0}})) == [
        (2, "HEALTHY", "BANKRUPT"),
        (0, "LIQUIDATION", "HEALTHY"),
        (1, "HEALTHY", "LIQUIDATION"),
    ]
    totals = live.totals()
    assert totals.equity == 20.0 + 4.0 - 6.0
    assert live.totals_by_side().positions.tolist() == [[3, 0]]


def test_rows_of_several_policies_change_where_they_stand() -> None:
    live = under_two()
    live.change([2, 0], quantity=[0.5, 1.5])
    assert live.book().quantity.tolist() == [1.5, 1.0, 0.5]
    margins: dict[str, Any] = {"isolated_margin": [60.0, 90.0]}
    live.open(["BTCUSDT"] * 2, [1.0, 4.0], [100.0] * 2, policy=["other", "one"], **margins)
    book = live.book()
    assert [book.policy_of(row) for row in range(5)] == ["one", "other", "other", "other", "one"]
    assert book.quantity.tolist() == [1.5, 1.0, 0.5, 1.0, 4.0]
    assert told(live.replace_tiers("BTCUSDT", lc.TierTable.single_rate("0.5"), policy="other")) == [
        (2, "HEALTHY", "LIQUIDATION"),
        (1, "HEALTHY", "LIQUIDATION"),
    ]
    assert list(live.replaced_tiers) == [("other", "BTCUSDT")]


def test_the_hash_covers_all_parts() -> None:
    random, (one, other) = np.random.default_rng(2), (under_two(), under_two())
    prices = 90.0 * np.exp(random.normal(0, 0.05, 200))
    labels = random.choice(["one", "other"], 200).tolist()
    events = one.ticks(["BTCUSDT"] * 200, prices, policies=labels)
    apart = [
        other.tick("BTCUSDT", price, policy=label)
        for price, label in zip(prices.tolist(), labels, strict=True)
    ]
    assert len(events) == sum(map(len, apart)) > 50
    assert one.hash == other.hash


CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("tick_asset", ("XYZ", 1.0), {}, "^asset: must be one of the book"),
    ("tick_asset", ("BTC", 0.0), {}, "^price: must be a price"),
    ("tick_asset", ("BTC", 1e200), {}, "^price: must be a price"),
    ("ticks", (["BTC"], [1.0]), {"is_asset": [1]}, "is_asset: must hold yes or no"),
    ("ticks", (["BTC"], [1.0]), {"is_asset": [True, False]}, "is_asset: must have one a price"),
    ("ticks", (["BTCUSDT"], [1.0]), {"policies": ["x"]}, "policies: must be policies of the book"),
    ("ticks", (["BTCUSDT"], [1.0]), {"policies": []}, "policies: must have one a price"),
    ("remark", (), {"asset_prices": {"XYZ": 1.0}}, "asset_prices: must be of assets of the book"),
    ("remark", (), {"asset_prices": {"BTC": -1.0}}, "^asset_prices: must be prices; .* found -1.0 for 'BTC'"),
    ("remark", (), {"asset_prices": [1.0]}, "asset_prices: must be a mapping"),
    ("transfer", (["a"], [1.0]), {}, "accounts: must have a wallet"),
    ("transfer", (["a"], [1.0], ["XYZ"]), {}, "assets: must be some of the book"),
    ("set_wallets", (["a"], [1.0]), {}, "accounts: must have a wallet"),
    ("set_balances", (["a"], ["BTC"]), {}, "balance: must be said"),
    ("set_balances", (["nobody"], ["BTC"], [1.0]), {}, "accounts: must be accounts of the book"),
    ("set_balances", (["a"], ["BTC"], [1.0, 2.0]), {}, "balance: must have one value a row"),
    (
        "open",
        ([], [], []),
        {"balances": lc.Balances(["a"], ["BTC"], [1.0])},
        "balances: must be of new accounts",
    ),
    (
        "open",
        ([], [], []),
        {"balances": lc.Balances(["n"], ["XYZ"], [1.0])},
        "balances.asset: must be an asset",
    ),
]


@pytest.mark.parametrize(("verb", "arguments", "words", "expected"), CALLS)
def test_a_bad_call_changes_nothing(
    verb: str, arguments: tuple[Any, ...], words: dict[str, Any], expected: str
) -> None:
    live = with_balances()
    before = live.totals(), live.asset_prices(), live.account_ids
    with pytest.raises(lc.LevcoreError, match=expected):
        getattr(live, verb)(*arguments, **words)
    assert (live.totals(), live.asset_prices(), live.account_ids) == before
    assert live.number == 0


def test_what_is_refused_under_several_policies() -> None:
    live = under_two()
    with pytest.raises(lc.InputError, match="policy: must be said for BTCUSDT"):
        live.replace_tiers("BTCUSDT", TIERS)
    with pytest.raises(lc.InputError, match="policy: is needed in a book under several policies"):
        live.open(["BTCUSDT"], [1.0], [100.0])
    with pytest.raises(lc.InputError, match="policy: must be a policy of the book"):
        live.open(["BTCUSDT"], [1.0], [100.0], policy="third")
    with pytest.raises(lc.InputError, match="policy: must be one for all cross positions of account 'a'"):
        live.open(["BTCUSDT"], [1.0], [100.0], ["a"], "cross", policy="other")
    with pytest.raises(lc.InputError, match="must have balances in assets"):
        live.transfer(["a"], [1.0], ["USDT"])
    with pytest.raises(lc.InputError, match="marks: must be of policies of the book"):
        live.remark({"third": {"BTCUSDT": 1.0}})
    with pytest.raises(lc.InputError, match="marks: must be of instruments of the book"):
        live.remark({"one": {"XYZ": 1.0}})
    assert live.number == 0
    unstated = lc.Engine({"one": policy(warning_level=0.5, warning_level_inclusive=True), "other": policy()})
    held = lc.live(unstated, live.book(), live.marks(), levels=["warning"])
    assert held.levels_by_policy == {"one": ("liquidation", "warning"), "other": ("liquidation",)}
    with pytest.raises(lc.InputError, match="levels: must be levels of"):
        lc.live(unstated, live.book(), live.marks(), levels=["margin_call"])


def test_a_position_whose_rule_is_unknown_is_not_opened() -> None:
    rules = policy(requirement_basis_cross="unknown")
    live = lc.live(
        lc.Engine(rules),
        lc.PositionBook(["BTCUSDT"], [1.0], [100.0], isolated_margin=[50.0]),
        {"BTCUSDT": 100.0},
    )
    with pytest.raises(lc.LevcoreError, match="requirement_basis_cross"):
        live.open(["BTCUSDT"], [1.0], [100.0], ["a"], "cross", wallet_balance={"a": 9.0})
    assert len(live) == 1
