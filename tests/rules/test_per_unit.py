"""Tables of lines a unit of size: amounts a share and a contract, the least that a policy asks of shorts."""

import math
import random
from fractions import Fraction

import numpy as np
import pytest

import levcore as lc
from levcore.errors import InputError, LevcoreError, PolicyError, TierError
from levcore.reference.accounts.close import quantities_to_close
from levcore.rules.tier_rows import Row

T = lc.TierTable
THIRTY = T.single_rate("0.30")
REG_T_LINES = ((0.0, 0.0, 2.5), (2.5, 1.0, 0.0), (5.0, 0.0, 5.0))


def stock(short_tiers: lc.TierTable = THIRTY) -> lc.Instrument:
    return lc.Instrument(
        "X", "linear", T.single_rate("0.25"), settlement="USD", underlying="X", short_tiers=short_tiers
    )


def position(price: float, shares: float, wallet: float = 1e6) -> lc.PositionBook:
    return lc.PositionBook(
        ["X"], [shares], [price], account=["a"], margin_mode="cross", wallet_balance={"a": wallet}
    )


def least_of_short(price: Fraction, rate: Fraction = Fraction("0.3")) -> Fraction:
    """Maintenance margin of one share short in the words of the rule, and of a house that asks for `rate`."""
    rule = max(Fraction("0.3") * price, Fraction(5)) if price >= 5 else max(price, Fraction("2.5"))
    return max(rate * price, rule)


@pytest.mark.parametrize(
    ("price", "shares", "printed"),
    # The first four: si.frajer.net/readmsg.aspx?msgid=14932764, 2000-12-02.
    [
        (50.0, 1_000.0, 15_000.0),
        (5.0, 10_000.0, 50_000.0),
        (4.5, 10_000.0, 45_000.0),
        (1.0, 50_000.0, 125_000.0),
        (16.67, 1_000.0, 5_001.0),
        (50 / 3, 600.0, 3_000.0),
        (10.0, 100.0, 500.0),
        (2.5, 100.0, 250.0),
        (0.01, 100.0, 250.0),
    ],
)
def test_shorts_of_every_price_hold_what_the_rule_says(price: float, shares: float, printed: float) -> None:
    policy = lc.policy("reg-t").with_instruments([stock()])
    for found in (
        lc.Engine(policy).evaluate(position(price, -shares), {"X": price}),
        lc.reference.evaluate(position(price, -shares), policy, {"X": price}),
    ):
        assert found.maintenance_margin[0] == pytest.approx(printed, rel=1e-12)
    # A long position is at its rate at any price.
    long = lc.Engine(policy).evaluate(position(price, shares), {"X": price})
    assert long.maintenance_margin[0] == pytest.approx(0.25 * price * shares, rel=1e-15)


@pytest.mark.parametrize("rate", ["0.3", "0.05", "0.6", "0.99"])
def test_a_house_rate_is_one_more_line(rate: str) -> None:
    policy = lc.policy("reg-t").with_instruments([stock(short_tiers=T.single_rate(rate))])
    engine = lc.Engine(policy)
    for text in ("0.5", "2.4", "2.5", "3", "4.99", "5", "5.01", "8", "12", "16.6", "20", "120"):
        found = engine.evaluate(position(float(text), -8.0), {"X": float(text)}).maintenance_margin[0]
        expected = 8 * max(least_of_short(Fraction(text), Fraction(rate)), Fraction(rate) * Fraction(text))
        if Fraction(text) >= 5:
            expected = 8 * max(Fraction(rate) * Fraction(text), Fraction(5))
        assert found == pytest.approx(float(expected), rel=1e-14), text


def test_the_price_of_a_call_is_where_the_equity_meets_the_rule() -> None:
    """The zero of the exact surplus, by bisection in fractions: it falls as the price rises: there is one."""
    engine = lc.Engine(lc.policy("reg-t").with_instruments([stock()]))
    generator = random.Random(8)
    for _ in range(300):
        price = Fraction(str(round(generator.uniform(0.2, 40.0), 2)))
        shares = generator.choice([1, 8, 300])
        cash = Fraction(str(round(generator.uniform(0.3, 30.0), 2)))

        def surplus(at: Fraction, price: Fraction = price, cash: Fraction = cash) -> Fraction:
            return cash + price - at - least_of_short(at)

        found = engine.evaluate(position(float(price), -shares, float(cash * shares)), {"X": float(price)})
        low, high = Fraction(0), Fraction(1000)
        if surplus(low) <= 0:
            assert found.state[0] >= lc.State.LIQUIDATION
            assert math.isnan(found.liquidation_price[0])
            continue
        for _ in range(70):
            middle = (low + high) / 2
            low, high = (middle, high) if surplus(middle) > 0 else (low, middle)
        assert found.liquidation_price[0] == pytest.approx(float(low), rel=1e-12)
        past = surplus(price) < 0
        assert (found.state[0] >= lc.State.LIQUIDATION) == past
        assert (found.status[0] == lc.Status.ALREADY_LIQUIDATABLE) == past


def random_lines(generator: random.Random) -> lc.TierTable:
    """A table a unit of up to five lines, rates in any order."""
    floors = sorted(generator.sample(range(1, 60), generator.randint(0, 4)))
    amount = generator.choice([0.5, 1.25, 3.0])
    rows: list[Row] = [(0, generator.choice(["0", "0.2"]), -amount)]
    rows += [(floor, str(generator.choice([0, 1, 2, 5, 9]) / 10)) for floor in floors]
    return T.per_unit(rows)


def test_kernel_and_reference_agree_on_lines_a_unit() -> None:
    generator = random.Random(16)
    for payoff in ("linear", "quanto", "inverse"):
        for _ in range(25):
            multiplier = 0.5 if payoff == "quanto" else 1.0
            make = random_lines if payoff != "inverse" else lambda _: T.per_unit([(0, "0.1", -0.001)])
            table, short = make(generator), make(generator)
            given = lc.Instrument(
                "X", payoff, table, contract_size=0.5, short_tiers=short, multiplier=multiplier
            )
            fee = generator.choice([{}, {"closing_fee_basis": "price", "closing_fee_rate": 0.001}])
            basis = {
                f"requirement_basis_{mode}": generator.choice(["price", "entry", "mark"])
                for mode in ("isolated", "cross")
            }
            if "closing_fee_basis" in fee:
                basis = {}
            policy = lc.policy("generic").replace(table_shape="any", **fee, **basis).with_instruments([given])
            rows = 40
            quantity = [generator.choice([-1, 1]) * generator.uniform(0.1, 90.0) for _ in range(rows)]
            entry = [generator.uniform(0.5, 80.0) for _ in range(rows)]
            mode = [generator.choice(["isolated", "cross"]) for _ in range(rows)]
            book = lc.PositionBook(
                ["X"] * rows,
                quantity,
                entry,
                account=[f"a{row}" for row in range(rows)],
                margin_mode=mode,
                isolated_margin=[generator.uniform(0.0, 900.0) for _ in range(rows)],
                leverage=[generator.uniform(1.0, 9.0) for _ in range(rows)],
                wallet_balance={f"a{row}": generator.uniform(0.0, 900.0) for row in range(rows)},
            )
            marks = {"X": generator.uniform(0.5, 80.0)}
            kernel, reference = (
                lc.Engine(policy).evaluate(book, marks),
                lc.reference.evaluate(book, policy, marks),
            )
            for measure in lc.MEASURES:
                if measure.name in kernel.measures:
                    np.testing.assert_array_equal(
                        getattr(kernel, measure.name), getattr(reference, measure.name)
                    )
            np.testing.assert_array_equal(kernel.status, reference.status)
            np.testing.assert_array_equal(kernel.state, reference.state)


def test_an_amount_a_contract_is_a_line_of_rate_zero() -> None:
    """A futures contract of 50 units that asks for 12,000, whatever its price."""
    index = lc.Instrument("ES", "linear", T.per_unit([(0, 0, -240)]), contract_size=50.0)
    engine = lc.Engine(lc.policy("generic").replace(table_shape="any").with_instruments([index]))
    book = lc.PositionBook(
        ["ES", "ES"], [2.0, -3.0], [5_000.0, 5_000.0], isolated_margin=[30_000.0, 60_000.0]
    )
    risk = engine.evaluate(book, {"ES": 5_000.0})
    assert risk.maintenance_margin.tolist() == [24_000.0, 36_000.0]
    # 30,000 + 100 (P - 5,000) = 24,000 and 60,000 - 150 (P - 5,000) = 36,000.
    assert risk.liquidation_price.tolist() == [4_940.0, 5_160.0]
    assert risk.status.tolist() == [lc.Status.OK] * 2


def test_where_a_rate_falls_accounts_that_move_together_are_refused() -> None:
    policy = lc.policy("reg-t").with_instruments([stock()])
    engine, book, marks = lc.Engine(policy), position(10.0, -100.0, 2_000.0), {"X": 10.0}
    with pytest.raises(InputError, match="is not computed where parts of an account move together"):
        lc.distance(engine, book, marks)
    hedged = lc.PositionBook(
        ["X", "X"],
        [-100.0, 50.0],
        [10.0, 10.0],
        account=["a", "a"],
        margin_mode="cross",
        wallet_balance={"a": 2_000.0},
        position_mode="hedge",
    )
    with pytest.raises(InputError, match="is not computed where parts of an account move together"):
        lc.Engine(policy.replace(hedge_requirement="sum")).evaluate(hedged, marks)
    with pytest.raises(InputError, match="is not computed where parts of an account move together"):
        lc.live(lc.Engine(policy.replace(hedge_requirement="sum")), hedged, marks)
    # The table of long positions does not fall.
    assert lc.distance(engine, position(10.0, 100.0, 500.0), marks).lower[0] == pytest.approx(-1 / 3)
    convex = policy.replace(short_minimum=((0.0, 0.0, 5.0),))
    found = lc.distance(lc.Engine(convex), book, marks)
    # 2,000 - 100 (P - 10) = max(500, 30 P): P = 3,000 / 130.
    assert found.upper[0] == pytest.approx(3_000 / 130 / 10 - 1, rel=1e-14)


def test_how_much_to_close_is_a_share_of_the_amount() -> None:
    policy = lc.policy("reg-t").with_instruments([stock()])
    book, marks = position(4.0, -100.0, 300.0), {"X": 4.0}
    # 400 asked for and 300 there: 25 shares of 4 USD.
    found = lc.quantities_to_close(lc.Engine(policy), book, marks)
    assert found[0] == pytest.approx(25.0, rel=1e-14)
    assert quantities_to_close(book, policy, marks)[0] == found[0]


@pytest.mark.parametrize(
    "rows",
    [
        [(0, 0)],
        [(0, 0, 1)],
        [(0, "1.01", -1)],
        [(0, "-0.1", -1)],
        [(0, 0, -5), (10, "0.3", 0)],
        [(0, 0, -5), (10, "0.3", -2.1)],
        [(1, 0, -5)],
        [(0, 0, -math.inf)],
        [(0, 0, -5, 20, 100)],
    ],
)
def test_lines_that_are_none_are_refused(rows: list[tuple[object, ...]]) -> None:
    with pytest.raises(TierError):
        T.per_unit(rows)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "lines", [5, ((0.0, 0.0),), ((1.0, 0.0, 5.0),), ((0.0, 2.0, 1.0),), [(0.0, 0.0, 5.0)], "5"]
)
def test_a_least_that_is_none_is_refused(lines: object) -> None:
    with pytest.raises(PolicyError, match="short_minimum"):
        lc.policy("reg-t").replace(short_minimum=lines)


def test_a_rate_of_one_is_for_positions_that_lose_with_the_value() -> None:
    whole = T.per_unit([(0, 1)])
    generic = lc.policy("generic").replace(table_shape="any")
    with pytest.raises(LevcoreError):
        lc.Engine(generic.with_instruments([lc.Instrument("X", "linear", whole)])).evaluate(
            lc.PositionBook(["X"], [1.0], [10.0], isolated_margin=[5.0]), {"X": 10.0}
        )


def test_a_marginal_table_and_a_least_a_unit_do_not_mix() -> None:
    tiers = T.marginal([(0, "0.1"), (1_000, "0.2")], unit="quote")
    policy = lc.policy("reg-t").with_instruments([stock(short_tiers=tiers)])
    with pytest.raises(TierError, match="least amounts a unit are those of a single rate"):
        lc.Engine(policy)
    engine = lc.Engine(policy.replace(short_minimum=()))
    assert engine.evaluate(position(10.0, -1.0), {"X": 10.0}).maintenance_margin[0] == 1.0


def test_the_rule_says_what_it_rests_on() -> None:
    policy = lc.policy("reg-t")
    assert policy.short_minimum == REG_T_LINES
    assert policy.rests_on.about("short_minimum").startswith("[V]")
