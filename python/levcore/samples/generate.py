"""Reproducible random books over real tier tables, for tests, measurements and demonstrations.

The numbers are invented; the shape is that of a derivatives venue: a few instruments hold most positions,
sizes span every tier, leverage spans what the tier of the size allows, and accounts spread from safe to
liquidatable.
"""

import hashlib
import math
import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from levcore.arguments import is_word
from levcore.book.positions import PositionBook
from levcore.errors import InputError
from levcore.rules.instruments import Instrument
from levcore.samples.generate_accounts import Counts, deal, draw_counts, enough_accounts

__all__ = ["book", "marks"]

Floats = NDArray[np.float64]

# Marks of the best-known assets on 2026-01-14, in US dollars; every other price is made from the name.
KNOWN_PRICES = {
    "BTC": 95_208.9,
    "ETH": 3_306.1,
    "SOL": 144.72,
    "XRP": 2.1281,
    "LTC": 79.125,
    "HYPE": 26.017,
}
QUOTE = re.compile(r"[/_-]?(USDT|USDC|BUSD|FDUSD|USD)\b.*$|[/_-]?(USDT|USDC|BUSD|FDUSD|USD)_.*$")

# Standard normal quantile of 0.55: that share of the sizes lies above the first tier.
ABOVE_FIRST_TIER = 0.12566
# Standard deviation of mark over entry, and the same in units of the initial margin where that is less: who
# lost much more is no longer on the book.
LARGEST_ENTRY_MOVE = 0.03
MOVE_AT_LEVERAGE = 0.4
# End of the "first tier" and of the sizes where a table has one unbounded rate.
NO_TIERS = (1e4, 1e6)


class _Positions(NamedTuple):
    """Columns of the positions, grouped by instrument."""

    codes: NDArray[np.int32]
    quantity: Floats
    entry_price: Floats
    leverage: Floats
    isolated_margin: Floats
    risk_limit: Floats | None
    unrealized_pnl: Floats
    maintenance_margin: Floats


def marks(instruments: Mapping[str, Instrument]) -> dict[str, float]:
    """Plausible mark price of every instrument, the same whenever asked.

    Parameters
    ----------
    instruments : mapping of str to Instrument
        The instruments; their names alone decide.

    Returns
    -------
    dict of str to float
        Price above 0, quote per base.

    Examples
    --------
    >>> import levcore as lc
    >>> from levcore.samples.generate import marks
    >>> marks(lc.policy("binance-usdm").instruments)["BTCUSDT"]
    95208.9
    """
    return {name: _mark(name) for name in instruments}


def book(
    rows: int,
    instruments: Mapping[str, Instrument],
    *,
    seed: int,
    accounts: int | None = None,
    legs_per_account: int = 10,
    margin_mode: Literal["isolated", "cross", "mixed"] = "isolated",
    order: Literal["sorted", "random", "by_account"] = "random",
    hedged: float = 0.0,
) -> tuple[PositionBook, dict[str, float]]:
    """Random book and the marks to evaluate it at.

    Parameters
    ----------
    rows : int
        Number of positions, at least 1.
    instruments : mapping of str to Instrument
        What can be held; an `InstrumentTable`, or some entries of one. Those of cross positions settle in one
        currency, or in one that is not known.
    seed : int
        Two calls with equal arguments give equal books, as far as numpy keeps its generator the same.
    accounts : int, optional
        Number of accounts. Where it is not given `rows` divided by `legs_per_account`, and more where there
        are fewer instruments than legs. Each gets as many positions as the next, within one.
    legs_per_account : int
        Positions an account. An account holds no instrument twice, unless positions are isolated, which stand
        alone.
    margin_mode : {"isolated", "cross", "mixed"}
        Mixed: each position is either with probability one half.
    order : {"sorted", "random", "by_account"}
        By instrument, at random, or by account. The positions of a seed are the same in each order.
    hedged : float
        Share of the cross positions beside which the account holds another of the same instrument the other
        way round, of a size of its own, from 0 to 1. Above 0 the book is in hedge mode, and the opposite
        positions are dealt to the accounts of their first ones, so that sizes of accounts differ by them.

    Returns
    -------
    book : PositionBook
        Half of the positions are short; sizes are log-normal with 55 % above the first tier and none beyond
        the last; leverage is a whole number, log-uniform up to the highest of the position's tier; entry
        prices lie within a few per cent of the mark; isolated margin is about entry value over leverage,
        NaN of cross positions;
        wallets put the account's ratio of maintenance margin to equity around 0.3, a few per cent of them
        above 1.
    marks : dict of str to float, quote per base
        As of `marks`.

    Raises
    ------
    InputError
        `rows`, `accounts` or `legs_per_account` is below 1, `instruments` is empty, a word is unknown, cross
        positions would settle in several currencies or leave an account with an instrument twice, `hedged`
        lies outside of 0 to 1 or positions are isolated.
    """
    for name, count in (("rows", rows), ("accounts", accounts), ("legs_per_account", legs_per_account)):
        if count is not None and count < 1:
            raise InputError(name, "must be at least 1", ">= 1", str(count))
    _check_choices(instruments, margin_mode, order, hedged)
    random = np.random.default_rng(seed)
    prices = marks(instruments)
    opposite = int(rows * hedged / (1.0 + hedged))
    own = rows - opposite
    number_of_accounts = accounts if accounts is not None else -(-rows // legs_per_account)
    if margin_mode != "isolated":
        number_of_accounts = enough_accounts(own, accounts, number_of_accounts, len(instruments))
    counts = draw_counts(
        own, opposite, None if margin_mode == "isolated" else number_of_accounts, len(instruments), random
    )
    positions = _positions(counts, instruments, prices, random)
    if margin_mode == "isolated":
        account = random.permutation(own) * number_of_accounts // own
    else:
        account = deal(counts.own, number_of_accounts, random)
    is_cross = random.random(own) < 0.5 if margin_mode == "mixed" else np.full(own, margin_mode == "cross")
    if opposite:
        partners = counts.partners()
        account, is_cross = account[partners], is_cross[partners]
    wallet_balance = _wallets(positions, account, is_cross, number_of_accounts, random)
    # Nothing reads the margin of a cross position, and reports say so of a book that has one.
    isolated_margin = np.where(is_cross, np.nan, positions.isolated_margin)
    rank = _order(order, account, random)
    modes = np.where(is_cross, "cross", "isolated") if margin_mode == "mixed" else margin_mode
    made = PositionBook(
        instrument=positions.codes[rank],
        instrument_names=list(instruments),
        quantity=positions.quantity[rank],
        entry_price=positions.entry_price[rank],
        account=account[rank],
        margin_mode=modes if isinstance(modes, str) else modes[rank],
        isolated_margin=isolated_margin[rank],
        leverage=positions.leverage[rank],
        risk_limit=None if positions.risk_limit is None else positions.risk_limit[rank],
        accounts=np.arange(number_of_accounts),
        wallet_balance=wallet_balance,
        position_mode="hedge" if hedged else "one_way",
    )
    return made, prices


def _mark(name: str) -> float:
    known = KNOWN_PRICES.get(QUOTE.sub("", name))
    if known is not None:
        return known
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    uniform = int.from_bytes(digest, "big") / 2.0**64
    return float(f"{10 ** (5 * uniform - 3):.5g}")


def _check_choices(
    instruments: Mapping[str, Instrument], margin_mode: str, order: str, hedged: float
) -> None:
    if not is_word(margin_mode, ("isolated", "cross", "mixed")):
        raise InputError("margin_mode", "must be known", "isolated, cross or mixed", repr(margin_mode))
    if not is_word(order, ("sorted", "random", "by_account")):
        raise InputError("order", "must be known", "sorted, random or by_account", repr(order))
    if not instruments:
        raise InputError("instruments", "must not be empty", "at least 1 instrument", "0")
    currencies = sorted({one.settlement for one in instruments.values()} - {""})
    if margin_mode != "isolated" and len(currencies) > 1:
        rule = "must settle in one currency for cross positions"
        raise InputError("instruments", rule, currencies[0], ", ".join(currencies))
    if not 0.0 <= hedged <= 1.0:
        raise InputError("hedged", "must be a share", "0 to 1", repr(hedged))
    if hedged and margin_mode == "isolated":
        raise InputError("hedged", "must be 0 for isolated positions, which stand alone", "0", repr(hedged))


def _order(
    order: Literal["sorted", "random", "by_account"],
    account: NDArray[np.int64],
    random: np.random.Generator,
) -> NDArray[np.int64] | slice:
    """Row of the grouped columns that comes first, second, ...; a slice leaves them as they are."""
    if order == "sorted":
        return slice(None)
    shuffled = random.permutation(len(account))
    return shuffled if order == "random" else shuffled[np.argsort(account[shuffled], kind="stable")]


def _positions(
    counts: Counts,
    instruments: Mapping[str, Instrument],
    prices: Mapping[str, float],
    random: np.random.Generator,
) -> _Positions:
    keyed_by_limit = any(instrument.tiers.unit == "risk_limit" for instrument in instruments.values())
    rows = int(counts.both.sum())
    positions = _Positions(
        codes=np.repeat(np.arange(len(instruments), dtype=np.int32), counts.both),
        quantity=np.empty(rows),
        entry_price=np.empty(rows),
        leverage=np.empty(rows),
        isolated_margin=np.empty(rows),
        risk_limit=np.full(rows, np.nan) if keyed_by_limit else None,
        unrealized_pnl=np.empty(rows),
        maintenance_margin=np.empty(rows),
    )
    # One instrument at a time: its table and its mark are then constants of plain array arithmetic.
    start = 0
    each = zip(instruments.items(), counts.both.tolist(), counts.opposite.tolist(), strict=True)
    for (name, instrument), count, opposite in each:
        part = slice(start, start + count)
        start += count
        if count:
            _fill(positions, part, opposite, instrument, prices[name], random)
    return positions


def _fill(
    positions: _Positions,
    part: slice,
    opposite: int,
    instrument: Instrument,
    mark: float,
    random: np.random.Generator,
) -> None:
    """Positions of one instrument, the last of them opposite to the first."""
    tiers, count = instrument.tiers, part.stop - part.start
    size = _sizes(instrument, random, count)
    tier = np.searchsorted(tiers.floors, size, side="left") - 1
    value_of_contract = instrument.contract_size * _coordinate(instrument, mark)
    contracts = size if tiers.unit == "contracts" else size / value_of_contract
    value = contracts * value_of_contract
    # Where the table names no leverage, the one at which maintenance is half of the initial margin.
    highest = np.asarray(tiers.max_leverage or [max(1.0, 0.5 / rate) for rate in tiers.rates])[tier]
    leverage = np.floor(highest ** random.random(count))
    direction = 1.0 - 2.0 * random.integers(0, 2, count - opposite)
    direction = np.concatenate((direction, -direction[:opposite]))
    deviation = np.minimum(LARGEST_ENTRY_MOVE, MOVE_AT_LEVERAGE / leverage)
    entry = mark / (1.0 + np.clip(deviation * random.standard_normal(count), -0.1, 0.1))
    entry_value = contracts * instrument.contract_size * _coordinate(instrument, entry)
    gains_with_coordinate = -direction if instrument.payoff == "inverse" else direction
    positions.quantity[part] = direction * contracts
    positions.entry_price[part] = entry
    positions.leverage[part] = leverage
    positions.isolated_margin[part] = entry_value / leverage * np.exp(0.05 * random.standard_normal(count))
    positions.unrealized_pnl[part] = gains_with_coordinate * (value - entry_value)
    rates, deductions = np.asarray(tiers.rates), np.asarray(tiers.deductions)
    positions.maintenance_margin[part] = rates[tier] * value - deductions[tier]
    if tiers.unit == "risk_limit" and positions.risk_limit is not None:
        positions.risk_limit[part] = np.asarray([*tiers.floors[1:], tiers.cap])[tier]


def _coordinate(instrument: Instrument, price: float | Floats) -> float | Floats:
    """Price as the value of a contract rises with it, in settlement currency."""
    return 1.0 / price if instrument.payoff == "inverse" else instrument.multiplier * price


def _sizes(instrument: Instrument, random: np.random.Generator, count: int) -> Floats:
    """Sizes in the unit of the tier table, from far inside the first tier to near the end of the last."""
    floors, cap = instrument.tiers.floors, instrument.tiers.cap
    highest = floors[-1]
    first = floors[1] if len(floors) > 1 else min(NO_TIERS[0], cap / 20)
    last = 0.9 * cap if cap < math.inf else max(4 * highest, NO_TIERS[1])
    spread = max(0.8, math.log(last / first) / 3)
    sizes = first * np.exp(spread * (ABOVE_FIRST_TIER + random.standard_normal(count)))
    too_large = np.flatnonzero(sizes > last)
    lowest = max(highest, 0.1 * last)
    sizes[too_large] = lowest + (last - lowest) * random.random(len(too_large))
    return np.asarray(sizes, np.float64)


def _wallets(
    positions: _Positions,
    account: NDArray[np.int64],
    is_cross: NDArray[np.bool_],
    accounts: int,
    random: np.random.Generator,
) -> Floats:
    """Wallet balance that puts the ratio of maintenance margin to equity where it was drawn."""
    cross = np.flatnonzero(is_cross)
    seats = account[cross]
    maintenance = np.bincount(seats, positions.maintenance_margin[cross], accounts)
    unrealized = np.bincount(seats, positions.unrealized_pnl[cross], accounts)
    ratio = 0.3 * np.exp(0.65 * random.standard_normal(accounts))
    wallet = maintenance / ratio - unrealized
    # Without cross positions, or with more profit than the margin asks for, some cash all the same.
    return np.where(wallet > 0, wallet, 1000.0 * np.exp(random.standard_normal(accounts)))
