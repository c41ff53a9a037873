"""How far prices may move together: kernel and reference to the bit, every zero of the exact surplus."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import levcore as lc
from levcore import _levcore, errors
from levcore.engine.distances import AccountDistance
from levcore.reference.accounts.distance import distance as reference_distance
from levcore.status import AccountStatus
from support.budgets import UNIT, Budget
from support.comparison import same_bits
from support.moving_prices import Betas, moving_pool, random_betas
from support.oracle import Number
from support.oracle_rays import MovingPool, Ray
from support.pooled_books import PooledBook, random_book
from support.refusals import NAN, Refused

BUDGET = Budget(
    "distance", 2, 0.21, "(scale of the surplus, now and there, over its slope + 1 + place) / beta"
)
BOOKS = range(100)
THREADS = (1, 2, 7)
SEEDS = st.integers(0, 2**32)


def measured(drawn: PooledBook, book: lc.PositionBook, betas: Betas, **options: Any) -> AccountDistance:
    engine = lc.Engine(drawn.policies, instruction_set=options.pop("instruction_set", None))
    return lc.distance(
        engine,
        book,
        drawn.marks,
        betas.given,
        others=betas.others,
        asset_prices=drawn.asset_prices,
        **options,
    )


def instruments_of(drawn: PooledBook) -> list[str]:
    return list(next(iter(drawn.policies.values())).instruments)


@given(SEEDS)
def test_kernel_equals_reference(seed: int) -> None:
    drawn = random_book(seed)
    book, betas = drawn.book(), random_betas(Random(seed), instruments_of(drawn))
    expected = reference_distance(
        book,
        drawn.policies,
        drawn.marks,
        betas.given,
        others=betas.others,
        asset_prices=drawn.asset_prices,
    )
    for instruction_set in _levcore.instruction_sets():
        for threads in THREADS:
            found = measured(drawn, book, betas, instruction_set=instruction_set, threads=threads)
            assert found.ids == expected.ids
            for name in ("lower", "upper", "status"):
                left, right = getattr(found, name), getattr(expected, name)
                assert same_bits(left, right), (instruction_set, threads, name, left, right)


def judged_accounts(books: range) -> Iterator[tuple[MovingPool, float, float, int]]:
    """Accounts in fractions, and both moves and the status that were found for them."""
    for seed in books:
        drawn = random_book(seed, 12, spoiled=False, policies=1)
        (policy,) = drawn.policies.values()
        book, betas = drawn.book(), random_betas(Random(seed), instruments_of(drawn))
        found = measured(drawn, book, betas)
        for code in range(len(found)):
            pool = moving_pool(drawn, book, policy, code, betas)
            if not any(line.slope for held in pool.legs.values() for line in held.leg.lines):
                yield pool, float(found.lower[code]), float(found.upper[code]), int(found.status[code])


def test_every_zero_of_the_exact_surplus_is_found_and_no_other() -> None:
    met: Counter[str] = Counter()
    largest = 0.0
    for pool, lower, upper, status in judged_accounts(BOOKS):
        if not pool.has_common_ray:
            met["no common ray"] += 1
            assert status == AccountStatus.NO_COMMON_RAY
            assert math.isnan(lower)
            assert math.isnan(upper)
            continue
        assert status == AccountStatus.OK
        if not pool.largest:
            met["nothing moves"] += 1
            assert math.isnan(lower)
            assert math.isnan(upper)
            continue
        ray = Ray(pool)
        ray.check_concave()
        zeros = ray.zeros()
        if zeros is None:
            met["too close to call"] += 1
            continue
        for found, exact in zip((lower, upper), zeros, strict=True):
            largest = max(largest, units_off(found, exact))
            met["zero" if exact.value is not None else "none"] += 1
        met["in coin"] += pool.in_coin
        met["collateral moves"] += any(pool.betas[id(held)] for held in pool.holdings.values())
        met["liquidated"] += pool.surplus().exact < 0
        met["beta above 1"] += pool.largest > 1
        met["largest beta negative"] += pool.largest < 0
    assert largest <= BUDGET.units
    assert BUDGET.measured / 2 <= largest <= BUDGET.measured + 0.01, largest
    assert met.pop("too close to call", 0) < 0.01 * met.total()
    assert min(met.values()) > 3, met


def units_off(found: float, exact: Number) -> float:
    if exact.value is None or math.isnan(found):
        assert exact.value is None, (found, float(exact.exact))
        assert math.isnan(found), found
        return 0.0
    return float(abs(Fraction(found) - exact.exact) / exact.scale) / UNIT


@given(SEEDS)
def test_a_move_found_leaves_no_surplus(seed: int) -> None:
    # Of tables that grow with the value of an inverse contract as well, which the exact oracle leaves out.
    drawn = random_book(seed, 12, spoiled=False, policies=1)
    (policy,) = drawn.policies.values()
    if "mark" in (policy.requirement_basis_cross, policy.fee_basis_of("cross")):
        return
    book, betas = drawn.book(), random_betas(Random(seed), instruments_of(drawn))
    found = measured(drawn, book, betas)
    for code in range(len(found)):
        for move in (float(found.lower[code]), float(found.upper[code])):
            moved = betas.moved(drawn, policy, book, move)
            prices = moved.marks | (moved.asset_prices or {}) | {"WORTHLESS": 1.0}
            if math.isnan(move) or min(prices.values()) < 1e-3:
                continue
            risk = lc.Engine(policy).evaluate(book, moved.marks, asset_prices=moved.asset_prices)
            if lc.Status.TIER_OVERFLOW in risk.status:
                continue
            accounts = risk.accounts
            size = accounts.collateral_value[code] + accounts.liabilities[code] + 1.0
            assert abs(accounts.surplus[code]) < 1e-8 * (size + accounts.maintenance_margin[code])


LINEAR = lc.TierTable.single_rate("0.01")
POLICY = (
    lc.policy("generic")
    .replace(liabilities_count_as="negative_equity")
    .with_instruments(
        [
            lc.Instrument("BTCUSDT", "linear", LINEAR, settlement="USDT", underlying="BTC"),
            lc.Instrument("ETHUSDT", "linear", LINEAR, settlement="USDT", underlying="ETH"),
            lc.Instrument("BTCUSD", "inverse", LINEAR, contract_size=100.0, settlement="BTC"),
            lc.Instrument("ETHBTC", "linear", LINEAR, settlement="BTC", underlying="ETH"),
        ]
    )
    .with_assets([lc.Asset("USDT"), lc.Asset("BTC", weights=(0.9,))])
)
ENGINE = lc.Engine(POLICY)
MARKS = {"BTCUSDT": 100.0, "ETHUSDT": 10.0, "BTCUSD": 100.0, "ETHBTC": 0.1}
PRICES = {"USDT": 1.0, "BTC": 100.0}


def account(
    legs: dict[str, float], wallet: float | None = None, balances: dict[str, float] | None = None
) -> lc.PositionBook:
    """One cross account whose legs were entered at the marks."""
    held = balances or {}
    return lc.PositionBook(
        list(legs),
        list(legs.values()),
        [MARKS[name] for name in legs],
        account=["a"] * len(legs),
        margin_mode="cross",
        wallet_balance=None if wallet is None else {"a": wallet},
        balances=lc.Balances(["a"] * len(held), list(held), list(held.values())) if held else None,
    )


def measured_account(book: lc.PositionBook, betas: Any, **options: Any) -> AccountDistance:
    prices = None if book.balances is None else PRICES
    return lc.distance(ENGINE, book, MARKS, betas, asset_prices=prices, **options)


def found_moves(book: lc.PositionBook, betas: dict[str, float] | None, **options: Any) -> tuple[float, float]:
    found = measured_account(book, betas, **options)
    assert found.status.tolist() == [AccountStatus.OK]
    assert found.failures() == []
    return float(found.lower[0]), float(found.upper[0])


@pytest.mark.parametrize(
    ("book", "betas"),
    [
        # A product of two prices that move: the profit of the leg, in a coin that moves.
        (account({"ETHBTC": 1.0}, balances={"BTC": 1.0}), {"ETH": 1.0, "BTC": 1.0}),
        # A quotient: the value of an inverse contract, in its coin, at another pace.
        (account({"BTCUSD": 1.0}, balances={"BTC": 1.0}), {"BTCUSD": 1.0, "BTC": 0.5}),
        # In a wallet of the coin: lines of the price and of its inverse.
        (account({"BTCUSD": 1.0, "ETHBTC": 1.0}, wallet=1.0), {"BTCUSD": 1.0, "ETHBTC": 1.0}),
    ],
)
def test_surpluses_that_are_no_lines_have_no_common_ray(
    book: lc.PositionBook, betas: dict[str, float]
) -> None:
    found = measured_account(book, betas)
    assert found.status.tolist() == [AccountStatus.NO_COMMON_RAY]
    assert np.isnan([found.lower, found.upper, found.nearest]).all()
    assert [(each.account, each.status) for each in found.failures()] == [("a", AccountStatus.NO_COMMON_RAY)]


@pytest.mark.parametrize("name", ["BTCUSDT", "BTCUSD"])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_of_one_position_it_is_its_distance_to_liquidation(name: str, side: float) -> None:
    book = account({name: side}, wallet=0.2 if name == "BTCUSD" else 20.0)
    distance = float(ENGINE.evaluate(book, MARKS).distance_to_liquidation[0])
    lower, upper = found_moves(book, {name: 1.0})
    nearest, other = (-lower, upper) if side > 0 else (upper, lower)
    assert nearest == pytest.approx(distance, rel=1e-14)
    assert math.isnan(other)


def test_betas_of_instruments_come_before_those_of_underlyings() -> None:
    book = account({"BTCUSDT": 1.0, "ETHUSDT": 10.0}, wallet=50.0)
    # 50 + 100 t + 100 b t = 2 + (1 + b) t: what each beta moves, both legs long.
    for betas, others, total in (
        ({"BTC": 1.0, "ETH": 0.5}, None, 1.5),
        ({"BTC": 1.0, "ETH": 0.5, "ETHUSDT": 1.0}, None, 2.0),
        ({"BTCUSDT": 1.0}, 0.0, 1.0),
        ({}, 2.0, 4.0),
        (None, None, 2.0),
    ):
        lower, upper = found_moves(book, betas, others=others)
        expected = -48.0 / (99.0 * total)
        assert math.isnan(lower) if expected <= -1.0 else lower == pytest.approx(expected, rel=1e-14)
        assert math.isnan(upper)


def test_collateral_moves_with_its_own_name_or_its_underlying() -> None:
    # 90 (1 + t) + 100 t = 1 + t: the coin is collateral and lost in the position as well.
    book = account({"BTCUSDT": 1.0}, balances={"BTC": 1.0})
    for betas in (None, {"BTC": 1.0}, {"BTC": 1.0, "BTCUSDT": 1.0}):
        assert found_moves(book, betas)[0] == pytest.approx(-89.0 / 189.0, rel=1e-12)
    assert found_moves(book, {"BTCUSDT": 1.0})[0] == pytest.approx(-89.0 / 99.0, rel=1e-12)


def test_both_moves_of_a_liquidated_account_may_lie_on_one_side() -> None:
    # The collateral is worth more as prices fall: 50 - 100 t against the long's loss.
    book = account({"BTCUSDT": 1.0, "ETHUSDT": -20.0}, wallet=-30.0)
    lower, upper = found_moves(book, {"BTCUSDT": 1.0, "ETHUSDT": 1.0})
    # -30 - 100 t >= 3 + 3 t: healthy below; there is no price at which it ends.
    assert upper == pytest.approx(-33.0 / 103.0, rel=1e-12)
    assert math.isnan(lower)
    assert float(ENGINE.evaluate(book, MARKS).accounts.surplus[0]) < 0.0


def test_an_account_between_two_moves_has_both_and_the_nearest() -> None:
    # Two coins count up to 150, one is sold: 100 - P - 120 - P / 100, and 150 above 75, 2 P below.
    policy = POLICY.with_assets([lc.Asset("USDT"), lc.Asset("BTC", (1.0, 0.0), (0.0, 150.0))])
    book = account({"BTCUSDT": -1.0}, balances={"BTC": 2.0, "USDT": -120.0})
    found = lc.distance(lc.Engine(policy), book, MARKS, {"BTC": 1.0}, asset_prices=PRICES)
    assert found.upper[0] == pytest.approx(130.0 / 101.0 - 1.0, rel=1e-12)
    assert found.lower[0] == pytest.approx(20.0 / 99.0 - 1.0, rel=1e-12)
    assert found.nearest.tolist() == found.upper.tolist()
    assert list(found.to_dict()) == ["account", "lower", "upper", "status"]


def test_a_price_that_reaches_zero_ends_the_ray() -> None:
    # The short gains as BTC falls, at beta -1 to zero at t = 1: the liquidated account is never healthy.
    book = account({"BTCUSDT": -1.0, "ETHUSDT": 1.0}, wallet=-110.0)
    betas = {"BTCUSDT": -1.0, "ETHUSDT": 0.0}
    # -110 + 100 t >= 1.1 - t only beyond.
    assert np.isnan(found_moves(book, betas)).all()
    nearer = account({"BTCUSDT": -1.0, "ETHUSDT": 1.0}, wallet=-40.0)
    lower, upper = found_moves(nearer, betas)
    assert lower == pytest.approx(41.1 / 101.0, rel=1e-12)
    assert math.isnan(upper)


def test_accounts_that_cannot_be_judged_say_why() -> None:
    book = lc.PositionBook(
        ["BTCUSDT", "ETHUSDT", "BTCUSDT", "BTCUSDT", "BTCUSDT"],
        [1.0, NAN, 1.0, 1.0, 1.0],
        [100.0, 10.0, 100.0, 100.0, 100.0],
        account=["nan", "nan", "none", "inf", "fine"],
        margin_mode="cross",
        wallet_balance={"nan": 20.0, "inf": math.inf, "fine": 20.0},
    )
    found = lc.distance(lc.Engine(POLICY), book, MARKS)
    assert {each.account: each.status for each in found.failures()} == {
        "nan": AccountStatus.INCOMPLETE,
        "none": AccountStatus.MISSING_WALLET_BALANCE,
        "inf": AccountStatus.INVALID_WALLET_BALANCE,
    }
    fine = found.ids.index("fine")
    assert np.isnan(np.delete(found.lower, fine)).all()
    assert found.lower[fine] == pytest.approx(-19.0 / 99.0, rel=1e-12)


def test_isolated_positions_are_not_measured() -> None:
    book = lc.PositionBook(["BTCUSDT"], [1.0], [100.0], isolated_margin=[10.0])
    found = lc.distance(lc.Engine(POLICY), book, MARKS)
    assert len(found) == 0
    assert found.ids == ()


BOOK = account({"BTCUSDT": 1.0, "ETHUSDT": 1.0}, wallet=50.0)
BALANCES_ALONE = account({}, balances={"BTC": 1.0})


def with_betas(betas: Any, *, book: lc.PositionBook = BOOK, others: Any = None) -> Callable[[], object]:
    return lambda: measured_account(book, betas, others=others)


REFUSED: dict[str, tuple[Callable[[], object], Refused]] = {
    "no beta of an instrument": (with_betas({"BTC": 1.0}), Refused(errors.InputError, "betas")),
    "no betas of balances alone": (
        with_betas(None, book=BALANCES_ALONE),
        Refused(errors.InputError, "betas"),
    ),
    "NaN": (with_betas({"BTC": 1.0, "ETH": NAN}), Refused(errors.InputError, "betas")),
    "infinite": (with_betas({"BTC": 1.0, "ETH": math.inf}), Refused(errors.InputError, "betas")),
    "infinite others": (with_betas({"BTC": 1.0}, others=math.inf), Refused(errors.InputError, "others")),
    "NaN others": (with_betas({"BTC": 1.0}, others=NAN), Refused(errors.InputError, "others")),
    "text": (with_betas({"BTC": "1", "ETH": 1.0}), Refused(errors.DTypeError, "betas")),
    "text for others": (with_betas({"BTC": 1.0}, others="1"), Refused(errors.DTypeError, "others")),
    "a number": (with_betas(1.0), Refused(errors.DTypeError, "betas")),
    "a list": (with_betas([1.0, 1.0]), Refused(errors.DTypeError, "betas")),
    "no book": (
        lambda: lc.distance(ENGINE, None, MARKS),  # type: ignore[arg-type]
        Refused(errors.DTypeError, "book"),
    ),
    "no prices of assets": (
        lambda: lc.distance(ENGINE, BALANCES_ALONE, MARKS, {"BTC": 1.0}),
        Refused(errors.InputError, "asset_prices"),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_calls_are_refused(name: str) -> None:
    call, refused = REFUSED[name]
    refused.check(call)


def test_balances_alone_move_by_betas() -> None:
    # 0.9 of a coin's collateral and no debt: nothing liquidates it.
    assert np.isnan(found_moves(BALANCES_ALONE, {"BTC": 1.0})).all()


def test_a_beta_of_nothing_is_refused() -> None:
    """Mistyped, it would leave the price where it is and the account farther from liquidation than it is."""
    book = lc.PositionBook(
        ["BTCUSDT"], [0.5], [60_000.0], account=["a"], margin_mode="cross", wallet_balance={"a": 6_000.0}
    )
    engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    with pytest.raises(lc.InputError, match="BTCUSTD") as refused:
        lc.distance(engine, book, {"BTCUSDT": 60_000.0}, {"BTCUSTD": 1.0}, others=0.0)
    assert (refused.value.argument, refused.value.count) == ("betas", 1)
    by_name = lc.distance(engine, book, {"BTCUSDT": 60_000.0}, {"BTCUSDT": 1.0})
    by_underlying = lc.distance(engine, book, {"BTCUSDT": 60_000.0}, {"BTC": 1.0})
    assert by_name.lower[0] == by_underlying.lower[0] < 0.0


FAR = lc.TierTable.single_rate("0.015625")


def moves_by_hand(by: str, legs: dict[str, float], wallet: float, betas: dict[str, float]) -> list[float]:
    """Both moves of an account whose legs were opened at the mark of 128, at a rate of 1/64."""
    policy = lc.policy("generic").with_instruments([lc.Instrument(name, "linear", FAR) for name in legs])
    book = lc.PositionBook(
        list(legs), list(legs.values()), [128.0] * len(legs), margin_mode="cross", wallet_balance=wallet
    )
    marks = dict.fromkeys(legs, 128.0)
    if by == "kernel":
        found = lc.distance(lc.Engine(policy), book, marks, betas)
    else:
        found = reference_distance(book, policy, marks, betas)
    return [float(found.lower[0]), float(found.upper[0])]


@pytest.mark.parametrize("by", ["kernel", "reference"])
@pytest.mark.parametrize(
    ("legs", "wallet", "betas", "expected"),
    [
        # 65 + 128 (s - 1) = 2 s at s = 1/2, where the price has moved by -1/2.
        ({"A": 1.0}, 65.0, {"A": 1.0}, [-0.5, NAN]),
        ({"A": 1.0}, 65.0, {"A": 2.0}, [-0.25, NAN]),
        ({"A": 1.0}, 65.0, {"A": -1.0}, [NAN, 0.5]),
        ({"A": 1.0}, 65.0, {"A": -2.0}, [NAN, 0.25]),
        # A short: 67 - 128 (s - 1) = 2 s at s = 3/2.
        ({"A": -1.0}, 67.0, {"A": 1.0}, [NAN, 0.5]),
        ({"A": -1.0}, 67.0, {"A": -4.0}, [-0.125, NAN]),
        # Longs that move against each other lose nothing: 4 of requirement.
        ({"A": 1.0, "B": 1.0}, 64.0, {"A": 1.0, "B": -1.0}, [NAN, NAN]),
        # A long and a short that move against each other: both lose, 132 - 256 u = 4 at u = 1/2.
        ({"A": 1.0, "B": -1.0}, 132.0, {"A": 1.0, "B": -1.0}, [-0.5, NAN]),
        # A alone would be liquidated at -3/4; B, of which there is 1/1024, is worth nothing from -1/3 on.
        ({"A": 1.0, "B": 0.0009765625}, 96.5, {"A": 1.0, "B": 3.0}, [NAN, NAN]),
        # A short would be liquidated at +3/2; the price that falls by as much is zero at 1.
        ({"A": -1.0, "B": 0.0009765625}, 197.0, {"A": 1.0, "B": -1.0}, [NAN, NAN]),
    ],
)
def test_moves_by_hand(
    by: str, legs: dict[str, float], wallet: float, betas: dict[str, float], expected: list[float]
) -> None:
    assert moves_by_hand(by, legs, wallet, betas) == pytest.approx(expected, rel=1e-13, nan_ok=True)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_accounts_side_by_side_have_the_bits_of_accounts_one_by_one(sign: float) -> None:
    random = np.random.default_rng(3)
    names = [f"X{place}" for place in range(12)]
    tiers = lc.TierTable.marginal([(0.0, "0.01"), (5_000.0, "0.02"), (40_000.0, "0.05")], unit="quote")
    instruments = [lc.Instrument(name, "linear", tiers) for name in [*names, "flat"]]
    engine = lc.Engine(lc.policy("generic").with_instruments(instruments))
    sizes = np.concatenate((random.integers(1, 13, 60), [1, 2, 4, 8, 12, 12, 11, 9]))
    owner = np.repeat(np.arange(sizes.size), sizes)
    held = np.concatenate([random.permutation(12)[:size] for size in sizes])
    prices = np.exp(random.normal(4.0, 1.0, 12))
    quantity = random.normal(0.0, 30.0, owner.size)
    entry = prices[held] * np.exp(random.normal(0.0, 0.1, owner.size))
    wallets = dict(enumerate(random.normal(3_000.0, 4_000.0, sizes.size).tolist()))
    marks = dict(zip(names, prices.tolist(), strict=True))
    # Prices that stand still are no part of a ray.
    betas = {name: sign * beta for name, beta in zip(names, random.uniform(0.1, 2.0, 12), strict=True)}
    betas["X3"] = 0.0

    def found(flat: int) -> AccountDistance:
        """Each account with so many rows without a quantity, which keep it from standing side by side."""
        owners = np.concatenate((owner, np.repeat(np.arange(sizes.size), flat)))
        more = np.zeros(owners.size - owner.size)
        book = lc.PositionBook(
            [names[code] for code in held] + ["flat"] * more.size, np.concatenate((quantity, more)),
            np.concatenate((entry, more + 1.0)), account=owners, margin_mode="cross", wallet_balance=wallets,
        )  # fmt: skip
        extra = {"flat": 1.0} if flat else {}
        return lc.distance(engine, book, marks | extra, betas | dict.fromkeys(extra, 0.0))

    side_by_side, one_by_one = found(0), found(1)
    assert side_by_side.ids == one_by_one.ids
    for name in ("lower", "upper", "status"):
        ours, theirs = getattr(side_by_side, name), getattr(one_by_one, name)
        assert name == "status" or np.isfinite(ours).sum() > 10
        assert same_bits(ours, theirs), name
