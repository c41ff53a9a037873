"""Everything that is closed at one instant, settled at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from levcore.reference.closing.allocate import allocate
from levcore.reference.closing.loss_parts import loss_parts, to_quanta
from levcore.reference.closing.share_out import PAYERS, Fund, share_out

__all__ = ["Closing", "Purse", "Settlement", "settle"]


@dataclass(frozen=True, slots=True)
class Closing:
    """A position that is closed; prices are coordinates of the contract."""

    gain: float
    entry: float
    trigger: float
    fill: float
    fee_rate: float
    lots: int
    pool: int
    purse: int


@dataclass(frozen=True, slots=True)
class Purse:
    """Money that losses fall on first, and the trader it belongs to."""

    margin: int
    ends: bool
    to_fund: bool
    owner: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a batch, by row, purse and claim; see the core."""

    losses: list[tuple[int, int, int]]
    left: list[int]
    other_money: list[int]
    paid: list[list[int]]
    unpaid: list[int]
    lots: list[int]
    fund: list[int]


def settle(
    rows: Sequence[Closing],
    served: Sequence[int],
    purses: Sequence[Purse],
    other_money: Sequence[int],
    fund: Fund,
    lots_of_winners: Sequence[int],
    winners_pay: bool,
    gains: int,
    payers: Sequence[str],
    per_unit: float,
) -> Settlement:
    """Settle a batch: losses, what is left of each purse, and who pays what is missing."""
    losses = [loss_parts(row.gain, row.entry, row.trigger, row.fill, row.fee_rate, per_unit) for row in rows]
    left = [
        purse.margin - sum(sum(loss) for row, loss in zip(rows, losses, strict=True) if row.purse == place)
        for place, purse in enumerate(purses)
    ]
    missing = [max(-each, 0) if purse.ends else 0 for each, purse in zip(left, purses, strict=True)]
    money, other = list(other_money), [0] * len(purses)
    for place in dict.fromkeys(rows[row].purse for row in served):
        owner = purses[place].owner
        other[place] = min(missing[place], money[owner])
        money[owner] -= other[place]
    missing = [each - paid for each, paid in zip(missing, other, strict=True)]
    value = [to_quanta(abs(row.gain) * row.fill, per_unit) for row in rows]
    shortfall = by_row(rows, served, missing, value)
    kept = [max(each, 0) for each, purse in zip(left, purses, strict=True) if purse.ends and purse.to_fund]
    fund = Fund(fund.balance + sum(kept), fund.floor, fund.largest_value)
    columns = ([shortfall[row] for row in served], [rows[row].lots for row in served])
    pools = [rows[row].pool for row in served]
    paid, unpaid, to_close = share_out(
        *columns, [value[row] for row in served], pools, fund, lots_of_winners, winners_pay, gains, payers
    )
    balances, balance = [], fund.balance
    for payment in paid[PAYERS.index("fund")]:
        balance -= payment
        balances.append(balance)
    place_of = {row: place for place, row in enumerate(served)}

    def back(column: list[int]) -> list[int]:
        return [column[place_of[row]] for row in range(len(rows))]

    return Settlement(
        losses, left, other, [back(each) for each in paid], back(unpaid), back(to_close), balances
    )


def by_row(
    rows: Sequence[Closing], served: Sequence[int], missing: Sequence[int], value: Sequence[int]
) -> list[int]:
    """What is missing for each row: that of its purse, by the value that was closed."""
    shortfall = [0] * len(rows)
    for place, amount in enumerate(missing):
        legs = [row for row in served if rows[row].purse == place]
        legs.sort(key=lambda row: (-value[row], rows[row].trigger))
        weight = [max(value[row], 1) for row in legs]
        shares = allocate(amount, [amount] * len(legs), weight, "pro_rata", True)
        for row, share in zip(legs, shares, strict=True):
            shortfall[row] = share
    return shortfall
