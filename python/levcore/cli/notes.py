"""Notes on standard error: why rows and accounts have no numbers, and what would give them."""

from collections.abc import Sequence

import numpy as np

from levcore.cli.terminal import note
from levcore.engine.price_units import PriceApart
from levcore.engine.risk import BookRisk
from levcore.status import AccountStatus, Status

__all__ = ["note_missing", "note_prices_apart"]

MOST = 20


def note_missing(risk: BookRisk) -> None:
    """Say what is known of instruments that the policies lack or cut short, and which prices are odd."""
    book = risk.book
    lacking = np.flatnonzero(np.isin(risk.status, (Status.UNKNOWN_INSTRUMENT, Status.TIER_OVERFLOW)))
    codes = book.policy_codes if book.policy_codes is not None else np.zeros(len(book), np.int64)
    seen = dict.fromkeys(
        (int(codes[row]), book.instrument_names[book.instrument_codes[row]]) for row in lacking.tolist()
    )
    for code, name in list(seen)[:MOST]:
        policy = risk.policies[code]
        table = policy.instruments
        said = table.limit(name) if name in table else f"is not in its table; {table.missing(name)}"
        if said:
            note(f"note: {name} under {policy.id}: {said}")
    if len(seen) > MOST:
        note(f"note: and {len(seen) - MOST} more such instruments")
    note_prices_apart(risk.prices_apart())
    _note_wallets(risk)


def note_prices_apart(apart: Sequence[PriceApart]) -> None:
    """Say which instruments have marks and entry prices of different units."""
    for each in apart[:MOST]:
        note(f"note: {each.said}")
    if len(apart) > MOST:
        note(f"note: and {len(apart) - MOST} more instruments whose prices are so far apart")


def _note_wallets(risk: BookRisk) -> None:
    """Say what accounts that settle in several currencies lack."""
    unnamed = int((risk.accounts.status == AccountStatus.MISSING_WALLET_CURRENCY).sum())
    if unnamed:
        remedy = "give each wallet its currency, in a column wallet_currency of --accounts"
        note(f"note: {unnamed} of the accounts settle in several currencies: {remedy}")
    mixed = int((risk.accounts.status == AccountStatus.MIXED_SETTLEMENT).sum())
    if mixed:
        rules = dict.fromkeys(f"cross_wallet is {each.cross_wallet!r} in {each.id}" for each in risk.policies)
        remedy = "state --set cross_wallet=settlement_currency with wallets by currency, or give --balances"
        note(f"note: {mixed} of the accounts hold several currencies, and {', '.join(rules)}: {remedy}")
