"""The compiled close-out and its twin in Python integers give the same numbers."""

from typing import Any

import numpy as np
import pytest

from levcore import _levcore as core
from levcore.closing.money import in_quanta, one_in_quanta
from levcore.errors import InputError
from levcore.reference.closing.allocate import allocate
from levcore.reference.closing.deleverage import Winner, deleverage
from levcore.reference.closing.ladder import rung
from levcore.reference.closing.loss_parts import loss_parts, to_quanta
from levcore.reference.closing.settle import Closing, Purse, settle
from levcore.reference.closing.share_out import PAYERS, Fund

ask: Any = rung
parts_of_twin: Any = loss_parts
RANKINGS = [name for name, _ in core.closing_words()[2]]
RULES = [name for name, _ in core.closing_words()[1]]


def test_payers_have_the_same_names() -> None:
    assert tuple(name for name, _ in core.closing_words()[0]) == PAYERS


def test_losses_have_the_same_parts_which_add_up() -> None:
    random = np.random.default_rng(1)
    gain = random.normal(0, 100, 500)
    entry, trigger, fill = random.lognormal(5, 1, (3, 500))
    rate = random.uniform(0, 0.01, 500)
    parts = core.loss_parts(gain, entry, trigger, fill, rate, 1e8)
    expected = [parts_of_twin(*row, 1e8) for row in zip(gain, entry, trigger, fill, rate, strict=True)]
    assert [tuple(row) for row in np.stack(parts, axis=1).tolist()] == expected
    whole = [to_quanta(float(each), 1e8) for each in gain * (entry - fill)]
    assert (parts[0] + parts[1]).tolist() == whole


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("deal_rest", [False, True])
def test_amounts_are_shared_out_alike(rule: str, deal_rest: bool) -> None:
    random = np.random.default_rng(2)
    for _ in range(300):
        count = int(random.integers(0, 9))
        capacity = random.integers(0, 50, count)
        weight = random.integers(0, 20, count)
        amount = int(random.integers(0, 300))
        shares = core.allocate(amount, capacity, weight, rule, deal_rest)
        assert shares.tolist() == allocate(amount, capacity.tolist(), weight.tolist(), rule, deal_rest)
        assert (shares <= capacity).all()
        assert shares.sum() <= amount
        if rule == "queue":
            assert shares.sum() == min(amount, capacity.sum())
        if rule == "min_max" and deal_rest:
            assert shares.sum() == min(amount, capacity[weight > 0].sum())


def test_min_max_cannot_be_bettered() -> None:
    """Whoever has the largest share of a weight could only pass a unit on to one with as large a share."""
    random = np.random.default_rng(3)
    for _ in range(300):
        capacity, weight = random.integers(1, 40, 5), random.integers(1, 20, 5)
        shares = core.allocate(int(random.integers(1, capacity.sum())), capacity, weight, "min_max", False)
        largest = max(share / each for share, each in zip(shares, weight, strict=True))
        with_room = shares < capacity
        assert all(
            (share + 1) / each > largest - 1e-12
            for share, each in zip(shares[with_room], weight[with_room], strict=True)
        )


def random_batch(random: np.random.Generator) -> dict[str, Any]:
    """A batch whose amounts are small, so that ties, empty purses and funds that run dry are common."""
    rows, owners = int(random.integers(1, 9)), int(random.integers(1, 4))
    purse = np.unique(random.integers(0, 5, rows), return_inverse=True)[1].astype(np.uint32)
    purses = int(purse.max()) + 1
    return {
        "gain": random.choice([-2.0, -1.0, 0.5, 1.0], rows),
        "entry": random.integers(1, 9, rows).astype(float),
        "trigger": random.integers(1, 9, rows).astype(float),
        "fill": random.integers(1, 9, rows).astype(float),
        "fee_rate": random.choice([0.0, 0.1], rows),
        "lots": random.integers(0, 30, rows),
        "pool": random.integers(0, 3, rows).astype(np.uint32),
        "purse": purse,
        "served": random.permutation(rows).astype(np.uint32),
        "margin": random.integers(-20, 60, purses),
        "ends": random.random(purses) < 0.8,
        "to_fund": random.random(purses) < 0.5,
        "owner": random.integers(0, owners, purses).astype(np.uint32),
        "other_money": random.integers(0, 9, owners),
        "fund": (int(random.integers(0, 60)), int(random.integers(0, 9)), int(random.integers(20, 99))),
        "lots_of_winners": random.integers(0, 40, 3),
        "winners_pay": bool(random.random() < 0.7),
        "gains": int(random.integers(0, 60)),
        "payers": random.permutation(PAYERS)[: random.integers(0, 4)].tolist(),
        "per_unit": 10.0,
    }


def test_batches_are_settled_alike_and_to_the_quantum() -> None:
    random = np.random.default_rng(4)
    for _ in range(2_000):
        given = random_batch(random)
        losses, (left, other), paid, (unpaid, lots, fund) = core.settle(**given)
        rows = made(Closing, given, "gain entry trigger fill fee_rate lots pool purse")
        purses = made(Purse, given, "margin ends to_fund owner")
        served, money, winners = (
            given[name].tolist() for name in ("served", "other_money", "lots_of_winners")
        )
        others = (given["winners_pay"], given["gains"], given["payers"], given["per_unit"])
        twin = settle(rows, served, purses, money, Fund(*given["fund"]), winners, *others)
        assert list(zip(*(each.tolist() for each in losses), strict=True)) == twin.losses
        assert (left.tolist(), other.tolist()) == (twin.left, twin.other_money)
        assert [each.tolist() for each in paid] == twin.paid
        assert (unpaid.tolist(), lots.tolist(), fund.tolist()) == (twin.unpaid, twin.lots, twin.fund)
        conserves(given, losses, left, other, paid, unpaid)


def made(kind: Any, columns: dict[str, Any], names: str) -> list[Any]:
    return [kind(*row) for row in zip(*(columns[name].tolist() for name in names.split()), strict=True)]


def conserves(given: dict[str, Any], losses: Any, left: Any, other: Any, paid: Any, unpaid: Any) -> None:
    """What a purse had is what it lost and what is left; what is missing is what somebody paid or nobody."""
    lost = np.zeros_like(left)
    np.add.at(lost, given["purse"], sum(losses))
    assert (given["margin"] - lost).tolist() == left.tolist()
    covered = other.copy()
    np.add.at(covered, given["purse"], sum(paid) + unpaid)
    assert covered.tolist() == np.where(given["ends"], np.maximum(-left, 0), 0).tolist()
    assert min(each.min() for each in [*paid, unpaid, other]) >= 0


def random_winners(random: np.random.Generator, count: int) -> dict[str, Any]:
    names = ("profit", "entry_value", "value", "wallet", "equity", "maintenance_margin", "leverage")
    numbers = random.lognormal(3, 2, (7, count))
    numbers[0] *= random.choice([-1.0, 1.0], count)
    numbers[:, count // 2 :] = numbers[:, : count - count // 2]  # ties in every score
    columns = dict(zip(names, numbers, strict=True))
    columns |= {"key": random.integers(0, 60, count), "lots": random.integers(1, 5, count)}
    return columns | {"pool": random.integers(0, 3, count).astype(np.uint32)}


@pytest.mark.parametrize("ranking", RANKINGS)
@pytest.mark.parametrize("sharing", [name for name, _ in core.closing_words()[3]])
def test_winners_are_the_same_bits_and_of_no_row_order(ranking: str, sharing: str) -> None:
    random = np.random.default_rng(5)
    columns = random_winners(random, 200)
    wanted = (random.integers(0, 150, 3), random.integers(0, 10_000, 3))
    found = core.deleverage(ranking, sharing, **columns, **wanted_of(wanted), per_unit=100.0, seed=7)
    standing = made(Winner, columns, " ".join(name for name in columns if name not in ("lots", "pool")))
    lots, pool = columns["lots"].tolist(), columns["pool"].tolist()
    pairs = list(zip(*(each.tolist() for each in wanted), strict=True))
    twin = deleverage(ranking, sharing, standing, lots, pool, pairs, 100.0, 7)
    assert list(zip(*(each.tolist() for each in found), strict=True)) == twin
    order = random.permutation(200)
    mixed = {name: np.ascontiguousarray(column[order]) for name, column in columns.items()}
    again = core.deleverage(ranking, sharing, **mixed, **wanted_of(wanted), per_unit=100.0, seed=7)

    def named(rows: Any, of: dict[str, Any]) -> Any:
        return [(of["key"][row], of["lots"][row], of["entry_value"][row]) for row in rows]

    assert named(found[0], columns) == named(again[0], mixed)
    assert [each.tolist() for each in found[1:]] == [each.tolist() for each in again[1:]]
    taken = np.bincount(columns["pool"][found[0]], weights=found[1], minlength=3)
    given = np.bincount(columns["pool"][found[0]], weights=found[2], minlength=3)
    assert (taken <= wanted[0]).all()
    assert (given <= wanted[1]).all()
    if sharing == "queue":
        there = np.bincount(columns["pool"], weights=columns["lots"], minlength=3)
        assert taken.tolist() == np.minimum(wanted[0], there).tolist()


def wanted_of(wanted: tuple[Any, Any]) -> dict[str, Any]:
    return {"wanted_lots": wanted[0], "wanted_amount": wanted[1]}


@pytest.mark.parametrize("falls", [True, False])
def test_rungs_are_those_of_asking_every_position(falls: bool) -> None:
    random = np.random.default_rng(6)
    size, entry = random.lognormal(0, 1, 300), random.normal(100, 5, 300)
    side = -1.0 if falls else 1.0
    trigger = entry + side * random.uniform(0, 20, 300)
    bankruptcy = trigger + side * random.uniform(0, 5, 300)
    bankruptcy[::7] = np.nan
    trigger[::11] = np.round(trigger[::11])
    prices = np.concatenate([np.linspace(60, 140, 950), trigger[:50]])
    positions, amounts = core.Ladder(size, entry, trigger, bankruptcy, falls, 1e8).at(prices)
    columns = [each.tolist() for each in (size, entry, trigger, bankruptcy)]
    expected = [ask(*columns, falls, 1e8, price) for price in prices.tolist()]
    assert list(zip(positions.tolist(), *(each.tolist() for each in amounts), strict=True)) == expected


@pytest.mark.parametrize("amount", [1e12, np.nan, -np.inf])
def test_an_amount_beyond_its_quanta_is_refused(amount: float) -> None:
    with pytest.raises(InputError, match="larger quantum") as caught:
        core.to_quanta(np.array([1.0, amount]), 1e8)
    assert caught.value.row == 1
    with pytest.raises(InputError, match=r"wallets: .* larger lot") as caught:
        in_quanta("wallets", np.array([1.0, amount]), 1e8, unit="lot", rows=np.array([3, 7]))
    assert caught.value.row == 7
    with pytest.raises(InputError, match="fund"):
        one_in_quanta("fund", amount, 1e8)
