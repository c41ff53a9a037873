"""Hold the events of a live book against full evaluations over very many ticks of a very large book.

    python benches/check_live.py --ticks 1000000000 --positions 1000000 --most 20

What has been told of everybody since the beginning must be, at every checkpoint, what an evaluation of the
whole book finds there, and the numbers of events those of an evaluation at their own tick. Whoever is
liquidated begins anew after each call; at each checkpoint wallets are topped up and positions traded. The
tests compare every tick, of small books of every kind.
"""

import argparse
import sys
import time
from typing import Any

import numpy as np
import numpy.typing as npt

import levcore as lc
from live import INSTRUMENTS, LEGS, MARKS, book, engine

STEP = 5e-4
BATCH = 10_000
"""Ticks of a call."""
BEGINNING = 100.0
LEASH = 0.02
"""How strongly the logarithm of a price is drawn back to where it began: walks must not end at zero."""


class Prices:
    """Prices of all instruments, one of which moves at each tick."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.logarithm = np.zeros(INSTRUMENTS)

    def ticks(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """The next batch: instruments and prices."""
        codes = self.random.integers(0, INSTRUMENTS, BATCH)
        moves, prices = self.random.choice([-STEP, STEP], BATCH), np.empty(BATCH)
        for code in range(INSTRUMENTS):
            own = codes == code
            path = self.logarithm[code] * (1.0 - LEASH) + np.cumsum(moves[own])
            prices[own] = BEGINNING * np.exp(path)
            if path.size:
                self.logarithm[code] = path[-1]
        return codes, prices


class Told:
    """What has been told of everybody, and how often it was not what an evaluation finds."""

    def __init__(self, live: lc.LiveBook, accounts: bool) -> None:
        self.live, self.accounts = live, accounts
        self.state = self.evaluated().state.copy()
        self.looks = self.otherwise = self.events = self.numbers = 0

    def evaluated(self) -> Any:
        """Everybody who has a state, as an evaluation of the whole book finds them now."""
        risk = self.live.engine.evaluate(self.live.book(), self.live.marks())
        return risk.accounts if self.accounts else risk

    def take(self, events: Any) -> None:
        """Take what a call has told, in its order."""
        self.events += len(events)
        self.state[events.subject.place] = events.state

    def look(self) -> None:
        """Compare everybody with an evaluation of the whole book."""
        found = self.evaluated()
        self.looks += self.state.size
        self.otherwise += int((found.state != self.state).sum())

    def look_at(self, events: Any, codes: npt.NDArray[Any], prices: npt.NDArray[Any], before: Any) -> None:
        """Compare the numbers of the last event of a batch with an evaluation at its tick."""
        if not len(events):
            return
        marks = before.copy()
        passed = int(events.number[-1]) - (self.live.number - BATCH) + 1
        marks[codes[:passed]] = prices[:passed]
        risk = self.live.engine.evaluate(self.live.book(), marks)
        found, place = (risk.accounts if self.accounts else risk), events.subject.place[-1]
        self.numbers += 1
        for name in ("state", "equity", "maintenance_margin"):
            self.otherwise += int(found[name][place] != getattr(events, name)[-1])


def restore(live: lc.LiveBook, told: Told, original: lc.PositionBook) -> None:
    """Have whoever is liquidated begin anew: an account with a deposit, a position at today's price."""
    dead = np.flatnonzero(told.state >= lc.State.LIQUIDATION)
    if not dead.size:
        return
    if told.accounts:
        told.take(live.transfer(dead, original.wallet_balance[dead]))
    else:
        marks = live.marks()[original.instrument_codes[dead]]
        told.take(live.change(dead, quantity=original.quantity[dead], entry_price=marks))


def trade(live: lc.LiveBook, told: Told, random: np.random.Generator, original: lc.PositionBook) -> None:
    """Some positions change their size, some accounts are topped up."""
    if told.accounts:
        told.take(live.transfer(random.integers(0, told.state.size, 50), random.uniform(0.0, 5.0, 50)))
    rows = random.choice(len(live), 50, replace=False)
    told.take(live.change(rows, quantity=original.quantity[rows] * random.uniform(0.5, 1.5, 50)))


def main() -> None:
    """Run, and exit with 1 if anything was told otherwise."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--ticks", type=float, default=1e7)
    options.add_argument("--positions", type=float, default=1e6)
    options.add_argument("--mode", choices=("isolated", "cross"), default="cross")
    options.add_argument("--least", type=float, default=2.0, help="leverage, or value over wallet")
    options.add_argument("--most", type=float, default=10.0)
    options.add_argument("--looks", type=int, default=100, help="checkpoints at which everybody is compared")
    given = options.parse_args()
    random, prices = np.random.default_rng(7), Prices(8)
    original = book(int(given.positions) // LEGS * LEGS, given.mode, (given.least, given.most))
    live = lc.live(engine(), original, MARKS)
    told = Told(live, given.mode == "cross")
    batches = max(1, int(given.ticks) // BATCH)
    every, taken, begin = max(1, batches // given.looks), 0.0, time.monotonic()
    for number in range(1, batches + 1):
        codes, marks = prices.ticks()
        before = live.marks()
        start = time.process_time()
        events = live.ticks(codes, marks)
        taken += time.process_time() - start
        told.take(events)
        if number % every == 0:
            told.look()
            told.look_at(events, codes, marks, before)
            trade(live, told, random, original)
            told.look()
            sys.stdout.write(
                f"{number * BATCH:>14,} ticks, {told.events:,} events; of {told.looks:,} states and "
                f"{told.numbers:,} events {told.otherwise} otherwise; "
                f"{number * BATCH / taken / 1e6:.1f} M ticks/s, "
                f"{live.examined / number / BATCH:.3f} evaluations a tick, {time.monotonic() - begin:.0f} s\n"
            )
            sys.stdout.flush()
        restore(live, told, original)
    sys.exit(int(told.otherwise > 0))


if __name__ == "__main__":
    main()
