"""Compare `levcore.what_if` with evaluations of changed books on millions of random changes, bit by bit.

The number of changes is the argument, by default ten million. A chunk of changes becomes one book of all
changed accounts, built with NumPy from what the changes did; orders are filled with NumPy, too. The tests
compare far fewer changes, of books of every kind, with books built row by row.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import numpy.typing as npt

import levcore as lc
from levcore.changes.status import ChangeKind
from levcore.measures import MEASURE_NAMES

LEGS = 10
ACCOUNTS = 2_000
CHUNK = 100_000
NAMES = [f"X{place}" for place in range(40)]
Floats = npt.NDArray[np.float64]


def engine(random: np.random.Generator) -> tuple[lc.Engine, list[lc.Instrument]]:
    """A policy with marginal tables of its own for each instrument, and tables to replace them."""

    def table() -> lc.TierTable:
        floors = [0.0, *np.sort(random.uniform(1e4, 1e6, 3)).round().tolist()]
        rates = np.sort(random.uniform(0.003, 0.1, 4)).tolist()
        return lc.TierTable.marginal(list(zip(floors, map(str, rates), strict=True)), unit="quote")

    instruments = [lc.Instrument(name, "linear", table()) for name in NAMES]
    tables = [lc.Instrument(name, "linear", table()) for name in NAMES]
    policy = lc.policy("generic").replace(warning_level=0.5, margin_call_level=0.8)
    return lc.Engine(policy.with_instruments(instruments)), tables


def columns(random: np.random.Generator, marks: Floats) -> dict[str, Any]:
    """Accounts of ten legs in ten instruments; the isolated book has the same rows."""
    order = np.argsort(random.random((ACCOUNTS, len(NAMES))), axis=1)[:, :LEGS]
    code = order.ravel()
    quantity = (
        20_000.0 / marks[code] * random.lognormal(0.0, 1.5, code.size) * random.choice([-1.0, 1.0], code.size)
    )
    return {
        "instrument": code.astype(np.uint32),
        "quantity": quantity,
        "entry_price": marks[code] * np.exp(random.normal(0.0, 0.1, code.size)),
        "leverage": random.integers(1, 60, code.size).astype(np.float64),
        "accrued_funding": random.normal(0.0, 20.0, code.size),
    }


def random_changes(
    random: np.random.Generator, given: dict[str, Any], marks: Floats, cross: bool
) -> tuple[lc.Changes, npt.NDArray[np.int64]]:
    """Changes of every kind that the book can meet, and the row that each names."""
    kinds = [ChangeKind.ORDER] * 3 + [each for each in ChangeKind if each not in (ChangeKind.COLLATERAL,)]
    barred = (ChangeKind.MARGIN,) if cross else (ChangeKind.WALLET, ChangeKind.TRANSFER)
    kind = random.choice([int(each) for each in kinds if each not in barred], CHUNK)
    row = random.integers(0, given["quantity"].size, CHUNK)
    held = given["quantity"][row]
    opens = cross & (kind == ChangeKind.ORDER) & (random.random(CHUNK) < 0.2)
    named = opens | (kind == ChangeKind.TRANSFER) | (kind == ChangeKind.WALLET)
    account = np.where(named, random.integers(0, ACCOUNTS, CHUNK), row // LEGS)
    transfer = kind == ChangeKind.TRANSFER
    account = np.where(transfer & (account == row // LEGS), (account + 1) % ACCOUNTS, account)
    code = np.where(opens, random.integers(0, len(NAMES), CHUNK), given["instrument"][row])
    of_account = account.tolist() if cross else None
    nowhere = opens | (kind == ChangeKind.WALLET)
    table = np.where(kind == ChangeKind.TIERS, given["instrument"][row].astype(np.int64), -1)
    bought = held * random.choice([-3.0, -2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 2.0], CHUNK)
    whole = (kind == ChangeKind.CLOSE) | (kind == ChangeKind.FLIP)
    changes = lc.Changes(
        kind.astype(np.uint8),
        row=np.where(nowhere, -1, row),
        account=of_account,
        instrument=np.array(NAMES)[code].tolist() if cross else None,
        quantity=np.where(whole, np.nan, bought),
        price=marks[code] * np.exp(random.normal(0.0, 0.05, CHUNK)),
        fee_rate=random.choice([0.0, 0.0005, -0.0001], CHUNK),
        leverage=np.where(random.random(CHUNK) < 0.5, np.nan, random.integers(1, 60, CHUNK)),
        amount=np.where(
            (kind == ChangeKind.ORDER) & (random.random(CHUNK) < 0.7),
            np.nan,
            random.normal(0.0, 300.0, CHUNK),
        ),
        table=table,
    )
    return changes, np.where(opens | transfer, -1, row)


def changed_book(
    result: Any, given: dict[str, Any], changes: lc.Changes, wallet: Floats | None
) -> tuple[lc.PositionBook, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """One book of all changed accounts or rows, the row of each changed position, and the changes in it."""
    applied = np.flatnonzero(~result.refused)
    names = [*NAMES, *(f"{name} table {place}" for place, name in enumerate(NAMES))]
    own = {
        name: result.column(name)[applied]
        for name in ("quantity", "entry_price", "isolated_margin", "leverage")
    }
    code = np.where(
        np.isnan(result.column("instrument_code")[applied]), 0, result.column("instrument_code")[applied]
    )
    if wallet is None:
        rows = changes.row[applied].astype(np.int64)
        book = lc.PositionBook(
            code.astype(np.uint32),
            own["quantity"],
            own["entry_price"],
            isolated_margin=own["isolated_margin"],
            leverage=own["leverage"],
            accrued_funding=given["accrued_funding"][rows],
            instrument_names=names,
        )
        return book, np.arange(applied.size), applied
    assert changes.account is not None
    codes, labels = changes.account
    account = np.array(labels)[codes][applied]
    matrix = {
        name: np.concatenate(
            [given[name].reshape(ACCOUNTS, LEGS)[account], np.zeros((applied.size, 1))], axis=1
        )
        for name in ("instrument", "quantity", "entry_price", "leverage", "accrued_funding")
    }
    present = np.concatenate(
        [np.ones((applied.size, LEGS), dtype=bool), np.zeros((applied.size, 1), dtype=bool)], axis=1
    )
    has_row = ~np.isnan(result.quantity[applied])
    base = np.where(code >= len(NAMES), code - len(NAMES), code)
    held = matrix["instrument"][:, :LEGS] == base[:, None]
    slot = np.where(held.any(axis=1), held.argmax(axis=1), LEGS)
    touched = np.flatnonzero(has_row)
    places = touched, slot[touched]
    present[places] = True
    matrix["instrument"][places] = code[touched]
    for name in ("quantity", "entry_price", "leverage"):
        matrix[name][places] = own[name][touched]
    moved = touched[changes.kind[applied[touched]] == ChangeKind.TRANSFER]
    matrix["accrued_funding"][moved, slot[moved]] += given["accrued_funding"][changes.row[applied[moved]]]
    number = np.cumsum(present.ravel()).reshape(present.shape) - 1
    flat = {name: column[present] for name, column in matrix.items()}
    owner = np.repeat(np.arange(applied.size), present.sum(axis=1))
    book = lc.PositionBook(
        flat.pop("instrument").astype(np.uint32),
        account=owner,
        margin_mode="cross",
        instrument_names=names,
        accounts=np.arange(applied.size),
        wallet_balance=result.wallet_balance[applied],
        **flat,
    )
    return book, np.where(has_row, number[np.arange(applied.size), slot], -1), applied


def differing(found: Any, expected: Any, names: tuple[str, ...], of: Any, rows: Any) -> int:
    """How many values differ in any bit; NaN equals NaN."""
    count = 0
    for name in (*names, "state", "status"):
        left, right = found[name][of], expected[name][rows]
        same = (left == right) & (np.signbit(left) == np.signbit(right)) | (np.isnan(left) & np.isnan(right))
        count += int((~same).sum())
    return count


def filled(result: Any, changes: lc.Changes, given: dict[str, Any], marks: Floats) -> int:
    """How many orders on a row NumPy fills differently: entry price, quantity, realized profit."""
    orders = (
        (changes.kind == ChangeKind.ORDER)
        | (changes.kind == ChangeKind.CLOSE)
        | (changes.kind == ChangeKind.FLIP)
    )
    rows = np.flatnonzero(orders & (changes.row != 0xFFFF_FFFF) & ~result.refused)
    row = changes.row[rows]
    held, entry, price = given["quantity"][row], given["entry_price"][row], changes.price[rows]
    kind = changes.kind[rows]
    bought = np.where(
        kind == ChangeKind.CLOSE,
        -held,
        np.where(kind == ChangeKind.FLIP, -2.0 * held, changes.quantity[rows]),
    )
    adds = (held > 0.0) == (bought > 0.0)
    turns = ~adds & (np.abs(bought) > np.abs(held))
    size, added = np.abs(held), np.abs(bought)
    average = (size * entry + added * price) / (size + added)
    expected = np.where(adds, average, np.where(turns, price, entry))
    closed = np.where(adds, 0.0, np.where(turns, size, added))
    realized = np.where(adds, 0.0, (np.sign(held) * closed) * (price - entry))
    wrong = (result.quantity[rows] != held + bought) | (result.entry_price[rows] != expected)
    return int((wrong | (result.realized_pnl[rows] != realized)).sum())


def main(wanted: int) -> int:
    """Compare so many changes; return how many values differ."""
    random = np.random.default_rng(2026)
    one, tables = engine(random)
    renamed = [
        lc.Instrument(f"{each.name} table {place}", "linear", each.tiers) for place, each in enumerate(tables)
    ]
    extended = lc.Engine(one.policy.with_instruments(renamed))
    compared = wrong = refused = 0
    spent = 0.0
    while compared < wanted:
        marks = np.exp(random.normal(3.0, 2.0, len(NAMES)))
        given, cross = columns(random, marks), bool(compared // CHUNK % 2)
        more: dict[str, Any] = {"isolated_margin": random.uniform(100.0, 6_000.0, LEGS * ACCOUNTS)}
        wallet = random.uniform(1_000.0, 100_000.0, ACCOUNTS) if cross else None
        if cross:
            owner = np.arange(LEGS * ACCOUNTS) // LEGS
            more = {
                "account": owner,
                "margin_mode": "cross",
                "accounts": np.arange(ACCOUNTS),
                "wallet_balance": wallet,
            }
        book = lc.PositionBook(**given, **more, instrument_names=NAMES)
        changes, _ = random_changes(random, given, marks, cross)
        start = time.perf_counter()
        result = lc.what_if(one, book, marks, changes, tables=tables, before=False, measures=MEASURE_NAMES)
        spent += time.perf_counter() - start
        changed, rows, applied = changed_book(result, given, changes, wallet)
        expected = extended.evaluate(changed, np.concatenate((marks, marks)), measures=MEASURE_NAMES)
        has_row = rows >= 0
        wrong += differing(result.after.positions, expected, MEASURE_NAMES, applied[has_row], rows[has_row])
        if cross:
            accounts = expected.accounts
            named = {**accounts.to_dict()}
            names = tuple(name for name in named if name not in ("account", "state", "status"))
            wrong += differing(result.after.accounts, named, names, applied, np.arange(applied.size))
        wrong += filled(result, changes, given, marks)
        compared, refused = compared + CHUNK, refused + int(result.refused.sum())
    print(f"{compared:,} changes, {refused:,} refused, {wrong:,} values differ; what_if took {spent:.1f} s")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000) else 0)
