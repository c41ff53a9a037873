"""Random changes of a book, of every kind, some of them bad."""

from __future__ import annotations

from typing import Any

import numpy as np

import levcore as lc
from levcore.changes.status import ChangeKind

__all__ = ["assert_same", "random_changes", "random_tables"]

NONE = -1
NAN = np.nan


def random_changes(
    book: lc.PositionBook,
    count: int,
    seed: int,
    *,
    instruments: list[str],
    assets: list[str] | None = None,
    tables: int = 0,
    bad: float = 0.1,
) -> lc.Changes:
    """Changes of the rows and accounts of a book; a share `bad` of them holds what it must not."""
    random = np.random.default_rng(seed)
    kind = random.integers(0, len(ChangeKind), count)
    kind = np.where(random.random(count) < 0.4, ChangeKind.ORDER, kind)
    rows = random.integers(0, max(1, len(book)), count)
    row = np.where(random.random(count) < 0.75, rows, NONE)
    held = np.abs(book.quantity[rows]) if len(book) else np.ones(count)
    held = np.where(np.isfinite(held) & (held > 0.0), held, 1.0)
    entry = book.entry_price[rows] if len(book) else np.full(count, 100.0)
    entry = np.where(np.isfinite(entry) & (entry > 0.0), entry, 1.0)
    share = random.choice([0.25, 0.5, 1.0, 1.0, 1.5, 2.0, 3.0], count) * random.choice([-1.0, 1.0], count)
    known = [*book.account_ids, "nobody"] if book.account_ids else ["nobody"]
    account: list[Any] = [known[code] for code in random.integers(0, len(known), count)]
    named = random.random(count) < np.where(row == NONE, 0.9, 0.05)
    transfer = kind == ChangeKind.TRANSFER
    account = [
        each if use or moved else None for each, use, moved in zip(account, named, transfer, strict=True)
    ]
    names = [*instruments, "NOBODY-KNOWS", None]
    instrument = [names[code] for code in random.integers(0, len(names), count)]
    instrument = [
        None if place != NONE and use else name
        for name, place, use in zip(
            instrument, row.tolist(), (random.random(count) < 0.95).tolist(), strict=True
        )
    ]
    columns: dict[str, Any] = {
        "quantity": held * share,
        "price": np.where(random.random(count) < 0.3, NAN, entry * np.exp(random.normal(0.0, 0.2, count))),
        "fee_rate": random.choice([0.0, 0.0005, -0.0001], count),
        "leverage": np.where(random.random(count) < 0.6, NAN, random.integers(1, 100, count)),
        "amount": np.where(
            random.random(count) < 0.5, NAN, random.normal(0.0, 1.0, count) * held * entry * 0.1
        ),
        "risk_limit": np.where(random.random(count) < 0.8, NAN, 10.0 ** random.uniform(3.0, 7.0, count)),
    }
    for name, values in columns.items():
        spoiled = random.random(count) < bad / len(columns)
        columns[name] = np.where(spoiled, random.choice([NAN, np.inf, -1.0, 0.0], count), values)
    whole = (kind == ChangeKind.CLOSE) | (kind == ChangeKind.FLIP)
    columns["quantity"] = np.where(whole, NAN, columns["quantity"])
    row = np.where(random.random(count) < bad / 4, len(book) + 3, row)
    of_assets = [*(assets or ["USDT"]), "NO-SUCH-ASSET", None]
    return lc.Changes(
        kind.astype(np.uint8),
        row=row,
        account=account,
        instrument=instrument,
        margin_mode=random.choice(["cross", "isolated"], count, p=[0.7, 0.3]),
        asset=[of_assets[code] for code in random.integers(0, len(of_assets), count)],
        table=random.integers(-1, tables + 1, count),
        policy=[book.policy_names[code] for code in random.integers(0, len(book.policy_names), count)]
        if book.policy_names
        else None,
        **columns,
    )


def random_tables(policies: list[lc.MarginPolicy], names: list[str], seed: int) -> list[lc.Instrument]:
    """Instruments of a policy with the tables of others that fit them."""
    random = np.random.default_rng(seed)
    tables = []
    for policy in policies:
        known = [policy.instruments[name] for name in names if name in policy.instruments]
        for _ in range(3 if known else 0):
            own, other = (known[code] for code in random.integers(0, len(known), 2))
            if own.payoff == other.payoff:
                changed = {
                    "tiers": other.tiers,
                    "short_tiers": other.short_tiers,
                    "initial_tiers": other.initial_tiers,
                }
                settled = {"settlement": own.settlement, "underlying": own.underlying}
                sizes = {"contract_size": own.contract_size, "multiplier": own.multiplier}
                tables.append(lc.Instrument(own.name, own.payoff, **changed, **settled, **sizes))
    return tables


def assert_same(found: Any, expected: Any) -> None:
    """Compare two results of a what-if bit by bit; NaN equals NaN."""
    sides = [(found, expected)]
    for name in ("after", "before", "source"):
        one, other = getattr(found, name), getattr(expected, name)
        assert (one is None) == (other is None)
        if one is not None:
            sides += [(one.positions, other.positions), (one.accounts, other.accounts)]
    for one, other in sides:
        names = one.keys()
        assert names == other.keys()
        for name in names:
            left, right = one[name], other[name]
            same = (left == right) & (np.signbit(left) == np.signbit(right)) | (
                np.isnan(left) & np.isnan(right)
            )
            if not same.all():
                change = int(np.argmin(same))
                kind = ChangeKind(found.changes.kind[change]).name
                raise AssertionError(
                    f"{type(one).__name__}.{name}, change {change} ({kind}, {int((~same).sum())} differ): "
                    f"{left[change]!r} is not {right[change]!r}"
                )
