"""The compiled close-out and its twin in Python integers give the same numbers."""

from typing import Any

import numpy as np
import pytest

from levcore import _levcore as core
from levcore.errors import PolicyError
from levcore.reference.closing.allocate import allocate
from levcore.reference.closing.ladder import rung
from levcore.reference.closing.rank import ranked, score
from levcore.reference.closing.settle import loss_parts, to_quanta
from levcore.reference.closing.share_out import PAYERS, share_out

rank: Any = core.rank_for_deleveraging
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


def test_shortfalls_are_shared_out_alike() -> None:
    random = np.random.default_rng(4)
    for _ in range(300):
        count = int(random.integers(1, 8))
        shortfall, lots = random.integers(0, 90, count), random.integers(0, 30, count)
        pool = random.integers(0, 3, count).astype(np.uint32)
        winners = random.integers(0, 40, 3)
        fund, gains = int(random.integers(0, 100)), int(random.integers(0, 100))
        order = list(random.permutation(PAYERS)[: random.integers(0, 4)])
        paid, unpaid, closed = core.share_out(shortfall, lots, pool, fund, winners, gains, order)
        of_twin = share_out(
            shortfall.tolist(), lots.tolist(), pool.tolist(), fund, winners.tolist(), gains, order
        )
        assert ([each.tolist() for each in paid], unpaid.tolist(), closed.tolist()) == of_twin
        assert (sum(paid) + unpaid).tolist() == shortfall.tolist()
        assert all((each >= 0).all() for each in [*paid, unpaid])


@pytest.mark.parametrize("ranking", RANKINGS)
def test_ranks_are_the_same_bits_and_of_no_row_order(ranking: str) -> None:
    random = np.random.default_rng(5)
    count = 200
    numbers = random.lognormal(3, 2, (7, count))
    numbers[0] *= random.choice([-1.0, 1.0], count)
    key, lots = random.integers(0, 60, count), random.integers(1, 5, count)
    numbers[:, 100:] = numbers[:, :100]  # ties in every score
    scores, order = rank(ranking, *numbers, key, lots, 7)
    columns: Any = [(ranking, *row, 7) for row in zip(*numbers.tolist(), key.tolist(), strict=True)]
    expected = [score(*arguments) for arguments in columns]
    assert scores.tolist() == expected
    assert order.tolist() == ranked(expected, key.tolist(), lots.tolist(), numbers[1].tolist())
    shuffled = random.permutation(count)
    again, order_again = rank(
        ranking, *(np.ascontiguousarray(each[shuffled]) for each in numbers), key[shuffled], lots[shuffled], 7
    )
    named = [(key[row], lots[row], numbers[1][row]) for row in order]
    assert named == [(key[row], lots[row], numbers[1][row]) for row in shuffled[order_again]]
    assert scores[order].tolist() == again[order_again].tolist()


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


def test_an_amount_beyond_its_quanta_is_refused() -> None:
    with pytest.raises(PolicyError, match="quantum"):
        core.to_quanta(np.array([1e12]), 1e8)
    with pytest.raises(PolicyError, match="quantum"):
        core.to_quanta(np.array([np.nan]), 1e8)
