"""Close-outs against exact fractions and a waterfall that is written another way."""

from fractions import Fraction
from typing import Any

import numpy as np

import levcore as lc
from levcore.closing.result import CloseOut
from support.closing.waterfall import Position, Waterfall, exact_loss, split
from support.closing_books import MARKS, closing_policy, random_book

QUANTUM = Fraction(1, 10**6)
FEE = 0.0013


def closed_book(seed: int) -> tuple[CloseOut, lc.PositionBook, dict[str, float], Any]:
    random = np.random.default_rng(seed)
    columns, wallets = random_book(random, 40)
    payers = tuple(
        random.permutation(["fund", "deleveraging", "socialised"])[: random.integers(1, 4)].tolist()
    )
    policy = closing_policy(
        close_out_payers=payers,
        close_out_ranking="profit_share_times_effective_leverage",
        close_out_price="bankruptcy",
        close_out_remainder="trader",
        close_out_fee_rate=FEE,
        trader_owes="no",
    )
    marks = {name: float(np.round(mark * random.uniform(0.6, 1.6), 3)) for name, mark in MARKS.items()}
    fund = float(np.round(random.lognormal(2, 2), 2))
    balances = np.round(random.lognormal(2, 1, wallets.size), 2)
    book = lc.PositionBook(**columns, accounts=wallets, wallet_balance=balances)
    closed = lc.close_out(lc.Engine(policy), book, marks, fund=fund, quantum=1e-6, trigger="mark")
    return closed, book, marks, (payers, fund)


def positions_of(book: lc.PositionBook) -> list[Position]:
    return [
        Position(
            book.name_of(row),
            Fraction(float(book.quantity[row])),
            Fraction(float(book.entry_price[row])),
            f"account {book.account_of(row)}" if book.is_cross[row] else f"row {row}",
        )
        for row in range(len(book))
    ]


def test_losses_are_the_exact_ones_to_the_nearest_quantum() -> None:
    for seed in range(60):
        closed, book, marks, _ = closed_book(seed)
        positions = positions_of(book)
        for place, row in enumerate(closed.rows.tolist()):
            exact = exact_loss(positions[row], Fraction(marks[positions[row].instrument]), Fraction(FEE))
            rounded = sum(int(part[place]) for part in (closed.to_trigger, closed.past_trigger, closed.fees))
            # The loss and the fee are rounded once each; float64 is off by under a hundredth of a quantum.
            assert abs(rounded - exact / QUANTUM) <= Fraction(101, 100)


def test_who_pays_is_what_a_waterfall_says() -> None:
    paid = dict.fromkeys(("fund", "deleveraging", "socialised", "unpaid"), 0)
    for seed in range(150):
        closed, book, marks, (payers, fund) = closed_book(seed)
        positions = positions_of(book)
        water = waterfall(closed, positions, marks, payers, fund)
        missing = by_row(closed, positions, marks)
        served = closed.served.tolist()
        labels = [str(book.account_of(int(closed.rows[place]))) for place in served]
        assert labels == sorted(labels)
        for place in served:
            row = int(closed.rows[place])
            lots = round(abs(positions[row].quantity) * 10**8)
            water.serve(missing[place], positions[row], lots)
        columns = {"fund": closed.fund, "deleveraging": closed.deleveraging, "socialised": closed.socialised}
        for name, column in (columns | {"unpaid": closed.unpaid}).items():
            assert column[closed.served].tolist() == water.paid[name], (seed, name)
            paid[name] += sum(water.paid[name]) > 0
    assert min(paid.values()) > 5, paid


def waterfall(
    closed: CloseOut, positions: list[Position], marks: dict[str, float], payers: Any, fund: float
) -> Waterfall:
    """Payers with what they have: winners are those in profit at the marks that were not closed."""
    lots: dict[tuple[str, bool], int] = {}
    gains = 0
    for row, each in enumerate(positions):
        profit = each.quantity * (Fraction(marks[each.instrument]) - each.entry)
        if row not in closed.rows and profit > 0:
            side = (each.instrument, each.quantity > 0)
            lots[side] = lots.get(side, 0) + round(abs(each.quantity) * 10**8)
            gains += round(profit / QUANTUM)
    return Waterfall(round(Fraction(fund) / QUANTUM), lots, gains, payers)


def by_row(closed: CloseOut, positions: list[Position], marks: dict[str, float]) -> list[int]:
    """Shortfall of each close: that of its purse, by the value closed."""
    missing = [0] * closed.rows.size
    for purse, left in enumerate(closed.left.tolist()):
        legs = np.flatnonzero(closed.group == purse).tolist()
        rows = [int(closed.rows[leg]) for leg in legs]
        assert len({positions[row].purse for row in rows}) == 1
        values = {
            leg: max(
                round(abs(positions[row].quantity) * Fraction(marks[positions[row].instrument]) / QUANTUM), 1
            )
            for leg, row in zip(legs, rows, strict=True)
        }
        for leg, share in split(max(-left, 0), values).items():
            missing[leg] = share
    return missing
