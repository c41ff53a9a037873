"""What the replays of crashes share: prices of a file, generated books, policies with their gaps filled.

A book is 100,000 positions drawn with a seed, less those that would have been liquidated before the replay
begins: sizes log-normal, leverages of 1.2 to 25 with even logarithms, six of ten long, entered at a closing
price of the hours before. Nobody reported it: what it says is said in shares, never in anybody's money.
"""

import csv
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import levcore as lc
from levcore.files.writing import write_text
from levcore.replays.result import Replay
from levcore.reports.html import page_html
from levcore.reports.replay.page import replay_page

DATA = Path(__file__).parent / "data" / "crashes"
POSITIONS = 100_000
SEED = 20_220_512
LOWEST, HIGHEST = 1.2, 25.0
LONGS = 0.6

# What a replay needs and no source states, for every venue alike, and said beside every result. How much is
# closed at a time is each venue's own rule where one is known, and everything at once where none is.
ASSUMED: dict[str, Any] = {
    "close_out_fee_rate": 0.0006,
    "close_out_remainder": "fund",
    "table_shape": "any",
    "table_units": ("quote", "base", "contracts", "risk_limit"),
}
OWN: dict[str, dict[str, Any]] = {
    "binance-usdm": {},
    "bybit-linear": {"close_out_ranking": "profit_share_times_leverage", "closing_fee_rate": 0.00055},
    "okx-linear-swap": {
        "close_out_ranking": "profit_share_times_leverage",
        "closing_fee_rate": 0.0005,
        "trader_owes": "no",
    },
    "mexc-linear": {
        "close_out_payers": ("fund", "deleveraging"),
        "closing_fee_rate": 0.0002,
        "trader_owes": "no",
        "requirement_basis_cross": "entry",
    },
    "hyperliquid": {"close_out_ranking": "profit_share_times_effective_leverage"},
    "unprotected": {"close_out_remainder": "trader", "close_out_fee_rate": 0.0},
}


@dataclass(frozen=True)
class Prices:
    """Bars of one instrument."""

    name: str
    time: npt.NDArray[np.datetime64]
    bars: npt.NDArray[np.float64]

    def table(self, first: int) -> dict[str, Any]:
        """Columns of the bars from one on, as `levcore.replay` takes them."""
        columns = dict(zip(("open", "high", "low", "close"), self.bars[first:].T, strict=True))
        return {"time": self.time[first:], "instrument": [self.name] * (len(self.time) - first), **columns}


def read(file: str, name: str, start: str) -> Prices:
    """Bars of a file of `examples/data/crashes`, whose minutes count from `start`."""
    with gzip.open(DATA / file, "rt", encoding="utf-8") as lines:
        rows = [list(map(float, row)) for row in list(csv.reader(lines))[1:]]
    table = np.array(rows)
    return Prices(name, np.datetime64(start, "m") + table[:, 0].astype(int), table[:, 1:])


def joined(tables: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One table of several."""
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def isolated(
    prices: Sequence[Prices], first: int, value: float, positions: int = POSITIONS
) -> dict[str, Any]:
    """Columns of a generated book of isolated positions; `value` is the median value of one."""
    random = np.random.default_rng(SEED)
    code = random.integers(0, len(prices), positions)
    entered = random.integers(0, first, positions)
    closes = np.stack([each.bars[:first, 3] for each in prices])
    entry = closes[code, entered]
    side = np.where(random.random(positions) < LONGS, 1.0, -1.0)
    leverage = np.round(np.exp(random.uniform(np.log(LOWEST), np.log(HIGHEST), positions)), 2)
    quantity = np.round(side * value * random.lognormal(0.0, 1.5, positions) / entry, 6)
    columns = {
        "instrument": np.array([each.name for each in prices])[code],
        "quantity": np.where(quantity == 0.0, side * 1e-6, quantity),
        "entry_price": entry,
        "leverage": leverage,
    }
    # Who would have been liquidated on the way from entry to the beginning is not there at the beginning.
    lows = np.stack([np.minimum.accumulate(each.bars[:first, 2][::-1])[::-1] for each in prices])
    highs = np.stack([np.maximum.accumulate(each.bars[:first, 1][::-1])[::-1] for each in prices])
    worst = np.where(side > 0, 1 - lows[code, entered] / entry, highs[code, entered] / entry - 1)
    kept = worst < 0.6 / leverage
    return {name: column[kept] for name, column in columns.items()}


def with_accounts(columns: dict[str, Any]) -> dict[str, Any]:
    """One position in five and its neighbour in a cross account, if they are of different instruments."""
    rows = len(columns["quantity"])
    names, cross = columns["instrument"], np.zeros(rows, dtype=bool)
    account = np.arange(rows)
    pairs = np.arange(0, rows - 1, 10)
    pairs = pairs[names[pairs] != names[pairs + 1]]
    cross[pairs] = cross[pairs + 1] = True
    account[pairs + 1] = account[pairs]
    value = np.abs(columns["quantity"]) * columns["entry_price"] / columns["leverage"]
    wallets = {int(account[row]): float(value[row] + value[row + 1]) for row in pairs}
    return columns | {
        "account": account,
        "margin_mode": np.where(cross, "cross", "isolated"),
        "wallet_balance": wallets,
    }


def policies(borrowed_from: str, names: Sequence[str]) -> dict[str, lc.MarginPolicy]:
    """Policies by label, each with the tier tables of one venue at one date and the assumptions above."""
    own = lc.policy(borrowed_from)
    tables = [own.instruments[name] for name in names]
    found = {own.id: completed(own, {})}
    for name, stated in OWN.items():
        if name != own.name:
            policy = completed(lc.policy(name), stated)
            found[f"{policy.id}, tables borrowed"] = policy.with_instruments(tables)
    return found


def completed(policy: lc.MarginPolicy, stated: Mapping[str, Any]) -> lc.MarginPolicy:
    """A policy with what is assumed of all, and of it alone."""
    steps = {"close_out_step": "whole"} if policy.close_out_step == "unknown" else {}
    return policy.replace(**{**ASSUMED, **steps, **stated})


def replays(
    chosen: Mapping[str, lc.MarginPolicy], book: lc.PositionBook, prices: Any, **arguments: Any
) -> dict[str, Replay]:
    """The same book over the same prices under each policy."""
    return {
        label: lc.replay(lc.Engine(policy), book, prices, **arguments) for label, policy in chosen.items()
    }


def counterfactuals(
    policy: lc.MarginPolicy, book: lc.PositionBook, prices: Any, **arguments: Any
) -> dict[str, Replay]:
    """The same traders with the same money and less of it at risk."""
    engine = lc.Engine(policy)
    return {
        variant.name: lc.replay(engine, variant.book, prices, **arguments)
        for variant in lc.variants(book, policy)
    }


def told(title: str, found: Mapping[str, Replay]) -> None:
    """Print a line a replay."""
    print(f"\n{title}")
    heads = ("missing", "fund pays", "winners", "owed", "reset")
    print(f"{'':46} {'liquidated':>10}", *(f"{head:>12}" for head in heads))
    for label, replay in found.items():
        t = replay.totals()
        value = max(float(replay.series.open_interest[0]), 1.0)
        shares = [t["missing"], t["fund"], t["deleveraging"], t["owed"], t["written_off"] + t["claim"]]
        text = " ".join(f"{1e4 * each / value:>9.2f} bp" for each in shares)
        assert sum(replay.ledger().values()) == 0
        print(f"{label:46.46} {t['share']:>10.2%} {text}")
    print("bp: hundredths of a per cent of the open interest at the beginning; every ledger adds up to zero")


def write(
    found: Mapping[str, Replay],
    path: Path,
    title: str,
    facts: Sequence[tuple[str, str, str]],
    notes: Sequence[str],
) -> None:
    """Write the report."""
    plain = [note.replace("*", "") for note in notes]
    write_text(path, page_html(replay_page(found, title, facts=facts, notes=plain)))
    print("report:", path)
