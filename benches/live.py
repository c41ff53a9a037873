"""Ticks of a live book beside a full pass, a pass over the legs of an instrument, and heaps of prices.

A heap holds the liquidation prices of isolated positions and knows nothing else: no account, no other level,
no numbers of an event. A program without triggers has no other way with accounts than a pass over all legs of
the instrument, since a tick moves the liquidation prices of the other legs of its accounts. Both are written
in numba. Whoever is liquidated is closed within a thousand ticks, by all of them, as a venue would.
"""

import argparse
import resource
import sys
import time
from typing import Any

import numpy as np
import numpy.typing as npt

import levcore as lc
from opponents_numba_live import by_heaps, by_legs

INSTRUMENTS, LEGS, BATCH = 100, 5, 1_000
STEP = 5e-4
"""Size of a tick: 5 bp."""
ONLY = ["liquidation"]
LEGS_TICKS = 20_000
"""Ticks of the pass over legs, which is slow."""
Ticks = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]
MARKS = np.full(INSTRUMENTS, 100.0)


def engine() -> lc.Engine:
    """One policy over instruments of one tier table."""
    tiers = lc.policy("binance-usdm@2024-10-24").instruments["BTCUSDT"].tiers
    policy = lc.policy("binance-usdm@2024-10-24")
    return lc.Engine(policy.with_instruments([lc.Instrument(name, "linear", tiers) for name in names()]))


def names() -> list[str]:
    """Names of the instruments."""
    return [f"X{place}USDT" for place in range(INSTRUMENTS)]


def book(rows: int, mode: str, leverage: tuple[float, float], seed: int = 1) -> lc.PositionBook:
    """Positions at a price of 100; cross ones `LEGS` an account, worth so many times what it has."""
    random = np.random.default_rng(seed)
    account = np.arange(rows) // LEGS
    first = random.integers(0, INSTRUMENTS, rows // LEGS + 1)[account]
    codes = (first + 17 * (np.arange(rows) % LEGS)) % INSTRUMENTS
    quantity = random.choice([-1.0, 1.0], rows) * random.lognormal(2.0, 1.5, rows)
    cross: dict[str, Any] = {}
    if mode == "cross":
        gross = np.bincount(account, np.abs(quantity) * 100.0)
        cross = {"account": account, "accounts": np.arange(gross.size)}
        cross["wallet_balance"] = gross / random.uniform(*leverage, gross.size)
    return lc.PositionBook(
        codes,
        quantity,
        np.full(rows, 100.0),
        margin_mode=mode,
        leverage=random.uniform(*leverage, rows).round(),
        instrument_names=names(),
        **cross,
    )


def walk(count: int, step: float, seed: int = 2) -> Ticks:
    """Random walks of all instruments, a tick at a time."""
    random = np.random.default_rng(seed)
    codes = random.integers(0, INSTRUMENTS, count)
    moves, prices = random.choice([-step, step], count), np.empty(count)
    for code in range(INSTRUMENTS):
        own = codes == code
        prices[own] = 100.0 * np.exp(np.cumsum(moves[own]))
    return codes, prices


def report(what: str, count: int, taken: float, note: str = "", unit: str = "ticks/s") -> None:
    """Say how fast it was."""
    sys.stdout.write(f"{what:<54} {count / taken:>14,.0f} {unit:<9} {note}\n")
    sys.stdout.flush()


class Run:
    """Ticks of a live book in batches; who is liquidated is closed after each.

    Attributes
    ----------
    live : levcore.LiveBook
    told : list of (tick, row or account)
        First liquidation of everybody.
    ticking, closing : float, seconds of CPU
    """

    def __init__(self, live: lc.LiveBook, ticks: Ticks, checks: int = 0) -> None:
        self.live = live
        self.told: list[tuple[int, int]] = []
        self.ticking = self.closing = 0.0
        self.wrong = self.checked = 0
        gone: set[int] = set()
        every = max(1, len(ticks[0]) // BATCH // checks) if checks else 0
        for number, first in enumerate(range(0, len(ticks[0]), BATCH)):
            # Changes are instants, too.
            apart = live.number - first
            start = time.process_time()
            events = live.ticks(ticks[0][first : first + BATCH], ticks[1][first : first + BATCH])
            self.ticking += time.process_time() - start
            dead = np.flatnonzero(events.state >= lc.State.LIQUIDATION)
            if every and number % every == 0:
                self._check(live)
            new = []
            for at, who in zip(
                events.number[dead].tolist(), events.subject.place[dead].tolist(), strict=True
            ):
                if who not in gone:
                    gone.add(who)
                    new.append((at - apart, who))
            if new:
                self.told += new
                self._close(live, np.array([who for _, who in new]), bool(events.subject.is_account.any()))

    def _close(self, live: lc.LiveBook, who: npt.NDArray[np.int64], accounts: bool) -> None:
        rows = (who[:, None] * LEGS + np.arange(LEGS)).reshape(-1) if accounts else who
        start = time.process_time()
        live.close(rows[rows < len(live)])
        self.closing += time.process_time() - start

    def _check(self, live: lc.LiveBook) -> None:
        """Compare everybody's state and equity with a full evaluation."""
        risk, found = live.engine.evaluate(live.book(), live.marks()), live.accounts()
        same = (found.state == risk.accounts.state) & (found.equity == risk.accounts.equity)
        self.wrong += int((~same).sum())
        self.checked += same.size


def quiet(armed: lc.Engine, rows: int, count: int) -> None:
    """Ticks that cross nothing."""
    held, ticks = book(rows, "isolated", (2, 4)), walk(count, 1e-7)
    for levels in (ONLY, None):
        live = lc.live(armed, held, MARKS, levels=levels)
        start = time.process_time()
        events = live.ticks(*ticks)
        taken = time.process_time() - start
        what = "nothing crossed, " + ("one level" if levels else f"{len(live.levels)} levels")
        report(what, count, taken, f"{len(events)} events")


def looks(live: lc.LiveBook, count: int) -> str:
    """Say how many evaluations so many ticks took, and how many looks that needed none."""
    return f"{live.examined / count:.3f} evaluations and {live.followed / count:.3f} other looks a tick"


def isolated(armed: lc.Engine, rows: int, ticks: Ticks) -> None:
    """Isolated positions beside heaps of their liquidation prices."""
    held = book(rows, "isolated", (4, 15))
    live = lc.live(armed, held, MARKS, levels=ONLY)
    run = Run(live, ticks)
    note = f"{len(run.told):,} liquidations, {live.examined / len(ticks[0]):.3f} evaluations a tick"
    report("isolated, leverage 4 to 15", len(ticks[0]), run.ticking, note)
    risk = armed.evaluate(held, MARKS, measures=("liquidation_price",))
    taken, found = by_heaps(held.instrument_codes, held.quantity, risk.liquidation_price, ticks, INSTRUMENTS)
    report("  heaps of prices, numba", len(ticks[0]), taken, f"{len(found):,} liquidations")
    compare(set(run.told), found)


def compare(told: set[tuple[int, int]], expected: set[tuple[int, int]]) -> None:
    """Say who was missed and who was told without reason, by tick and subject."""
    sys.stdout.write(f"  missed {len(expected - told)}, false {len(told - expected)} of {len(expected):,}\n")


def cross(armed: lc.Engine, rows: int, ticks: Ticks, leverage: tuple[float, float]) -> None:
    """Cross accounts of a leverage, checked against full evaluations on the way."""
    held = book(rows, "cross", leverage)
    live = lc.live(armed, held, MARKS, levels=ONLY)
    run = Run(live, ticks)
    note = f"{len(run.told):,} liquidations, {looks(live, len(ticks[0]))}"
    what = f"cross, value {leverage[0]:g} to {leverage[1]:g} times the wallet"
    report(what, len(ticks[0]), run.ticking, note)
    report("  with the changes that close accounts", len(ticks[0]), run.ticking + run.closing)
    checked = Run(lc.live(armed, held, MARKS, levels=ONLY), ticks, checks=20)
    sys.stdout.write(f"  otherwise than a full evaluation: {checked.wrong} of {checked.checked:,} looks\n")


def many(armed: lc.Engine, rows: int, ticks: Ticks) -> None:
    """Ten times as many positions, whose accounts are compared with full evaluations on the way."""
    few = (ticks[0][: len(ticks[0]) // 2], ticks[1][: len(ticks[0]) // 2])
    held = book(10 * rows, "cross", (2, 10))
    run = Run(lc.live(armed, held, MARKS, levels=ONLY), few, checks=5)
    note = f"{len(run.told):,} liquidations, {looks(run.live, len(few[0]))}"
    report(f"cross, 2 to 10 times, {10 * rows:,} positions", len(few[0]), run.ticking, note)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    sys.stdout.write(
        f"  otherwise than a full evaluation: {run.wrong} of {run.checked:,} looks; {most:.1f} GB\n"
    )


def balances(rows: int, ticks: Ticks, leverage: tuple[float, float]) -> None:
    """The same accounts with half of what they have in a coin; a tenth of the ticks are prices of coins."""
    coins = [f"C{place}" for place in range(10)]
    assets = [lc.Asset("USDT", (1.0,)), *(lc.Asset(coin, (0.95,), liability_weight=1.05) for coin in coins)]
    tiers = lc.policy("binance-usdm@2024-10-24").instruments["BTCUSDT"].tiers
    rules = {"liabilities_count_as": "negative_equity", "margins_convert_at": "price"}
    listed = [lc.Instrument(name, "linear", tiers, settlement="USDT") for name in names()]
    armed = lc.Engine(lc.policy("generic").replace(**rules).with_instruments(listed).with_assets(assets))
    wallets = book(rows, "cross", leverage)
    count = len(wallets.account_ids)
    owners, held = np.repeat(np.arange(count), 2), np.empty(2 * count)
    held[0::2], held[1::2] = wallets.wallet_balance / 2, wallets.wallet_balance / 2 / 100.0
    kinds = np.array(["USDT", *coins])[
        np.stack((np.zeros(count, int), 1 + np.arange(count) % 10), 1).reshape(-1)
    ]
    pooled = wallets.replace(wallet_balance=None, accounts=None, balances=lc.Balances(owners, kinds, held))
    prices = {"USDT": 1.0, **dict.fromkeys(coins, 100.0)}
    live = lc.live(armed, pooled, MARKS, levels=ONLY, asset_prices=prices)
    # The walks of the first instruments are those of the coins.
    is_asset, codes = ticks[0] < len(coins), ticks[0].copy()
    codes[is_asset] = np.array([live.asset_names.index(coin) for coin in coins])[codes[is_asset]]
    start = time.process_time()
    events = live.ticks(codes, ticks[1], is_asset=is_asset)
    taken = time.process_time() - start
    note = f"{len(events):,} events, {live.examined / len(codes):.3f} evaluations a tick"
    report(
        f"with balances, value {leverage[0]:g} to {leverage[1]:g} times what is held", len(codes), taken, note
    )
    start = time.process_time()
    risk = armed.evaluate(live.book(), live.marks(), asset_prices=live.asset_prices(), threads=1)
    taken, found = time.process_time() - start, live.accounts()
    same = (found.state == risk.accounts.state) & (found.equity == risk.accounts.equity)
    report(
        "  a full pass at every tick, levcore", 1, taken, f"{int((~same).sum())} of {same.size:,} otherwise"
    )


def opponents(armed: lc.Engine, rows: int, ticks: Ticks) -> None:
    """A full pass, and a pass over the legs of the instrument, on the book that is liquidated most."""
    held, few = book(rows, "cross", (5, 80)), (ticks[0][:LEGS_TICKS], ticks[1][:LEGS_TICKS])
    run = Run(lc.live(armed, held, MARKS, levels=ONLY), few)
    report(
        f"cross, 5 to 80 times, {LEGS_TICKS} ticks",
        LEGS_TICKS,
        run.ticking,
        f"{len(run.told):,} liquidations, {looks(run.live, LEGS_TICKS)}",
    )
    tiers = armed.policy.instruments["X0USDT"].tiers
    lines = np.array([tiers.floors, tiers.rates, tiers.deductions])
    taken, found = by_legs(held, few, lines, INSTRUMENTS, BATCH)
    report(
        "  a pass over the legs of the instrument, numba", LEGS_TICKS, taken, f"{len(found):,} liquidations"
    )
    compare(set(run.told), found)
    armed.evaluate(held, MARKS, threads=1)
    start = time.process_time()
    armed.evaluate(held, MARKS, threads=1)
    report("  a full pass at every tick, levcore", 1, time.process_time() - start)


def burst(armed: lc.Engine, rows: int) -> None:
    """One tick that liquidates 11,279 accounts."""
    count, names_ = 11_279, names()
    held = book(rows, "cross", (2, 10))
    live = lc.live(armed, held, MARKS, levels=ONLY)
    labels = [f"long {number}" for number in range(count)]
    live.open(
        [names_[0]] * count,
        np.full(count, 10.0),
        np.full(count, 100.0),
        labels,
        "cross",
        wallet_balance=dict.fromkeys(labels, 60.0),
        leverage=np.full(count, 20.0),
    )
    taken, told = np.inf, 0
    for _ in range(7):
        start = time.process_time()
        events = live.tick(names_[0], 94.0)
        taken = min(taken, time.process_time() - start)
        told = int((events.state >= lc.State.LIQUIDATION).sum())
        live.tick(names_[0], 100.0)
    report("a burst in one tick", told, taken, f"{told:,} liquidations in {taken * 1e3:.2f} ms", "events/s")


def changes(armed: lc.Engine, rows: int) -> None:
    """Positions changed and opened in columns."""
    for mode in ("isolated", "cross"):
        live = lc.live(armed, book(rows, mode, (2, 10)), MARKS, levels=ONLY)
        random, count = np.random.default_rng(3), 100_000
        for what, places in (("in order", np.arange(count)), ("at random", random.permutation(rows)[:count])):
            best = np.inf
            for factor in (1.001, 1.0, 1.001):
                entries = np.full(count, 100.0 * factor)
                start = time.process_time()
                live.change(places, entry_price=entries)
                best = min(best, time.process_time() - start)
            report(f"positions changed, {mode}, {what}", count, best, "", "rows/s")
    live = lc.live(armed, book(rows, "isolated", (2, 10)), MARKS, levels=ONLY)
    codes = np.arange(count) % INSTRUMENTS
    start = time.process_time()
    live.open(codes, np.full(count, 1.0), np.full(count, 100.0), leverage=np.full(count, 5.0))
    report("positions opened, isolated", count, time.process_time() - start, "", "rows/s")


def main() -> None:
    """Measure and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--ticks", type=int, default=1_000_000)
    parser.add_argument("--only", nargs="*", default=[], help="parts: quiet, isolated, cross, opponents, ...")
    asked = parser.parse_args()
    armed, ticks = engine(), walk(asked.ticks, STEP)
    parts = {
        "quiet": lambda: quiet(armed, asked.rows, asked.ticks),
        "isolated": lambda: isolated(armed, asked.rows, ticks),
        "cross10": lambda: cross(armed, asked.rows, ticks, (2, 10)),
        "cross20": lambda: cross(armed, asked.rows, ticks, (2, 20)),
        "balances10": lambda: balances(asked.rows, ticks, (2, 10)),
        "balances20": lambda: balances(asked.rows, ticks, (2, 20)),
        "cross80": lambda: cross(armed, asked.rows, ticks, (5, 80)),
        "many": lambda: many(armed, asked.rows, ticks),
        "opponents": lambda: opponents(armed, asked.rows, ticks),
        "burst": lambda: burst(armed, asked.rows),
        "changes": lambda: changes(armed, asked.rows),
    }
    if unknown := set(asked.only) - parts.keys():
        parser.error(f"no part {', '.join(sorted(unknown))}; expected {', '.join(parts)}")
    for name, part in parts.items():
        # Ten million positions take gigabytes, and minutes.
        if name in asked.only or (not asked.only and name != "many"):
            part()


if __name__ == "__main__":
    main()
