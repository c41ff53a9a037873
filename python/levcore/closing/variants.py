"""The same book otherwise: less leverage, half the size, isolated, with a stop, spread wider."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from levcore.arguments import of_kind
from levcore.book.arrays import Floats, float_column
from levcore.book.positions import PositionBook
from levcore.closing.money import Wholes, coordinates, instruments_of, sizes
from levcore.errors import InputError
from levcore.rules.policy import MarginPolicy

__all__ = ["Variant", "variants"]


@dataclass(frozen=True, slots=True)
class Variant:
    """A book as it would have been.

    Attributes
    ----------
    name : str
        ``"as it is"``, ``"at most 5x"``, ...
    book : PositionBook
        The same rows and accounts.
    stop : ndarray of float64, shape (n,), quote per base, or None
        Price at which each position is closed by its trader, to be filled at the next price; NaN: none.
    """

    name: str
    book: PositionBook
    stop: Floats | None = None


def variants(
    book: PositionBook,
    policy: MarginPolicy,
    *,
    at_most: Sequence[float] = (5.0, 2.0),
    sizes_of: Sequence[float] = (0.5,),
    isolated: bool = True,
    stops: Sequence[float] = (),
    widest: Sequence[float] = (),
) -> tuple[Variant, ...]:
    """Counterfactuals of a book, the book itself first; the same money stands behind each.

    Parameters
    ----------
    book : PositionBook
        Without `levcore.Balances`; under one policy.
    policy : MarginPolicy
        Whose instruments say what positions are worth.
    at_most : sequence of float
        Highest leverages: value at entry over margin of an isolated position, over the wallet of a cross
        account with all its positions. What is above is made smaller, its money stays.
    sizes_of : sequence of float
        Factors of all quantities, in (0, 1].
    isolated : bool
        Whether cross accounts are also split: each position gets a part of the wallet, by value at entry.
        Accounts whose wallet is not positive stay as they are.
    stops : sequence of float
        Distances of a stop from the entry price against the position, fractions in (0, 1).
    widest : sequence of float
        Largest shares of one instrument in the value at entry of an account; what is above is cut and not put
        elsewhere.

    Returns
    -------
    tuple of Variant

    Raises
    ------
    InputError
        For a book with balances, a number out of its range, instruments of several currencies.

    Examples
    --------
    >>> import levcore as lc
    >>> policy = lc.policy("binance-usdm")
    >>> book = lc.PositionBook(["BTCUSDT"], [1.0], [60_000.0], leverage=[20.0])
    >>> [(each.name, each.book.quantity.tolist()) for each in lc.variants(book, policy)]
    [('as it is', [1.0]), ('at most 5x', [0.25]), ('at most 2x', [0.1]), ('size x 0.5', [0.5])]
    """
    of_kind("book", book, PositionBook)
    of_kind("policy", policy, MarginPolicy)
    if book.balances is not None:
        raise InputError("book", "must be without balances in several assets", "wallets", "balances")
    of_kind("isolated", isolated, bool)
    leverages = _numbers("at_most", at_most, np.inf)
    smaller = _numbers("sizes_of", sizes_of, 1.0)
    distances, shares = _numbers("stops", stops, 1.0), _numbers("widest", widest, 1.0)
    return tuple(_variants(_Money(book, policy), leverages, smaller, isolated, distances, shares))


def _numbers(argument: str, values: Sequence[float], most: float) -> list[float]:
    """Numbers above 0, at most `most`."""
    found: list[float] = float_column(argument, values, None, []).tolist()
    for number in found:
        if not (0 < number <= most and number < np.inf):
            raise InputError(argument, "must be positive numbers", f"at most {most}", repr(number))
    return found


class _Money:
    """What each position is worth at entry, and the money behind it."""

    def __init__(self, book: PositionBook, policy: MarginPolicy) -> None:
        instruments = instruments_of(policy, book.instrument_names)
        size, _ = sizes(book, instruments)
        self.book = book
        self.value = size * coordinates(instruments, book.instrument_codes, book.entry_price)
        own = np.full(len(book), np.nan) if book.isolated_margin is None else np.array(book.isolated_margin)
        if book.leverage is not None:
            own = np.where(np.isnan(own), self.value / book.leverage, own)
        self.margin = np.where(book.is_cross, np.nan, own)
        self.account: Wholes = np.full(len(book), -1, dtype=np.int64)
        if book.account_codes is not None:
            self.account = np.where(book.is_cross, book.account_codes.astype(np.int64), -1)
        self.cross = self.account >= 0
        totals = np.zeros(max(len(book.account_ids), 1))
        np.add.at(totals, self.account[self.cross], self.value[self.cross])
        self.of_account = np.where(self.cross, totals[self.account], self.value)
        wallets = np.zeros(max(len(book.account_ids), 1))
        wallets[: book.wallet_balance.size] = book.wallet_balance
        self.behind = np.where(self.cross, wallets[self.account], self.margin)

    def scaled(self, factor: Floats) -> PositionBook:
        """Book with smaller positions and the same money."""
        quantity = self.book.quantity * factor
        return self.book.replace(quantity=quantity, isolated_margin=self.margin)


def _variants(
    of: _Money,
    at_most: Sequence[float],
    sizes_of: Sequence[float],
    isolated: bool,
    stops: Sequence[float],
    widest: Sequence[float],
) -> Iterator[Variant]:
    book = of.book
    yield Variant("as it is", book)
    with np.errstate(divide="ignore", invalid="ignore"):
        leverage = np.where(of.behind > 0, of.of_account / of.behind, np.inf)
        for most in at_most:
            lower = np.where(np.isfinite(leverage), np.minimum(most / leverage, 1.0), 1.0)
            yield Variant(f"at most {most:g}x", of.scaled(lower))
        for factor in sizes_of:
            yield Variant(f"size x {factor:g}", of.scaled(np.full(len(book), factor)))
        if isolated and of.cross.any():
            yield Variant("isolated", _split(of))
        for distance in stops:
            side = np.where(book.quantity < 0, 1.0, -1.0)
            yield Variant(f"stop at {distance:.3g}", book, book.entry_price * (1.0 + side * distance))
        for share in widest:
            weight = _weights(of)
            cut = np.where(weight > share, share / weight, 1.0)
            yield Variant(f"no instrument over {share:.3g}", of.scaled(cut))


def _split(of: _Money) -> PositionBook:
    """Cross positions as isolated ones, each with its part of the wallet."""
    book = of.book
    moved = of.cross & (of.behind > 0) & (of.value > 0)
    part = np.where(moved, of.behind * of.value / of.of_account, of.margin)
    modes = np.where(book.is_cross & ~moved, "cross", "isolated")
    taken = np.zeros(len(book.account_ids))
    taken[np.unique(of.account[moved])] = 1.0
    wallets = np.where(taken > 0, 0.0, book.wallet_balance)
    return book.replace(
        margin_mode=modes, isolated_margin=part, wallet_balance=wallets, accounts=book.account_ids
    )


def _weights(of: _Money) -> Floats:
    """Share of each row's instrument in the value at entry of its account, isolated positions included."""
    from levcore.closing.deleverage import account_keys

    keys = account_keys(of.book)
    keys = np.where(keys < 0, -2 - np.arange(keys.size), keys)
    _, account = np.unique(keys, return_inverse=True)
    pair = account * len(of.book.instrument_names) + of.book.instrument_codes
    _, instrument = np.unique(pair, return_inverse=True)
    whole, part = np.zeros(account.max(initial=-1) + 1), np.zeros(instrument.max(initial=-1) + 1)
    np.add.at(whole, account, of.value)
    np.add.at(part, instrument, of.value)
    weight: Floats = part[instrument] / whole[account]
    return weight
