"""Sessions of live books that go the same way each time, and what a process that is killed leaves of one.

As a program: ``python live_sessions.py FOLDER ROUNDS SEED`` kills so many children at random points.
"""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import levcore as lc
from levcore.live_books.events import Events, joined
from support.live_books import armed, random_change
from support.pooled_books import random_book
from support.random_books import CONFIGURATIONS, book_of, random_columns

__all__ = ["Session"]

STEPS = 20


class Session:
    """A live book and what happens to it, step by step, by nothing but the seed and the step."""

    def __init__(self, seed: int, rows: int = 30, configuration: int = 2, policies: int = 0) -> None:
        self.seed, self.of_assets = seed, None
        if policies:
            # A book with balances, under so many policies.
            drawn = random_book(
                seed,
                rows,
                policies=policies,
                spoiled=False,
                requirement_basis_isolated="price",
                liabilities_count_as="negative_equity",
            )
            self.engine, self.first_book = lc.Engine(drawn.policies), drawn.book()
            self.start: Any = [drawn.marks[name] for name in self.first_book.instrument_names]
            self.of_assets = drawn.asset_prices
            return
        chosen = CONFIGURATIONS[configuration]
        columns, self.start = random_columns(chosen, rows, seed=seed, spoiled=False)
        self.engine, self.first_book = lc.Engine(chosen.policy), book_of(columns)

    def begin(self) -> lc.LiveBook:
        return armed(self.engine, self.first_book, self.start, asset_prices=self.of_assets)

    def step(self, live: lc.LiveBook, number: int) -> Events:
        """Do the step with this number."""
        random = np.random.default_rng([self.seed, number])
        if random.random() < 0.4:
            events: Any = random_change(random, live)
            if events is not None:
                return joined([events])
        if self.of_assets is not None and random.random() < 0.3:
            name = str(random.choice(sorted(live.asset_prices() or {})))
            return joined([live.tick_asset(name, float(random.uniform(0.5, 150.0)))])
        codes = random.choice(self.first_book.instrument_codes, int(random.integers(1, 30)))
        # A price that is missing begins with the first tick.
        marks, labels = np.atleast_2d(np.nan_to_num(live.marks(), nan=1.0)), list(live.levels_by_policy)
        policy = int(random.integers(0, len(labels)))
        prices = marks[policy, codes] * np.exp(random.normal(0, 0.02, codes.size))
        return joined([live.ticks(codes, prices, policies=labels[policy] if len(labels) > 1 else None)])

    def whole(self, steps: int) -> tuple[dict[int, int], dict[int, bytes], Events]:
        """What happens without a kill: the next step and the hash by number of instants; all events."""
        live, parts = self.begin(), []
        steps_of, hashes = {live.number: 0}, {live.number: live.hash}
        for number in range(steps):
            parts.append(self.step(live, number))
            steps_of[live.number], hashes[live.number] = number + 1, live.hash
        return steps_of, hashes, joined(parts)


def play(session: Session, folder: Path) -> None:
    """Play a session with a snapshot at the beginning and one in the middle, recording all of it."""
    live = session.begin()
    live.snapshot(folder / "snapshot")
    live.record(folder / "journal")
    (folder / "begun").touch()
    for number in range(STEPS):
        session.step(live, number)
        if number == STEPS // 2:
            live.snapshot(folder / "snapshot")


def wait_for(place: Path, size: int) -> None:
    """Wait until a session has begun and its journal has this size."""
    while not (place / "begun").exists() or (place / "journal").stat().st_size < size:
        time.sleep(0.0002)


def rounds(folder: Path, count: int, seed: int) -> tuple[int, int, int]:
    """Kill and restore so many times; how many kills came inside of a session, least and most steps done."""
    session, random = Session(seed), np.random.default_rng(seed)
    steps_of, hashes, events = session.whole(STEPS)
    done, length = [], 0
    for number in range(count):
        place = folder / str(number)
        place.mkdir()
        child = os.fork()
        if child == 0:
            play(session, place)
            os._exit(0)
        if number:
            # The first one tells how long a journal gets.
            wait_for(place, int(random.integers(0, length)))
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if not number:
            length = (place / "journal").stat().st_size
        live, again = lc.LiveBook.restore(session.engine, place / "snapshot", place / "journal")
        step = steps_of[live.number]
        if live.hash != hashes[live.number]:
            raise SystemExit(f"round {number}: another hash after {step} steps")
        first = again.number.min() if len(again) else live.number
        expected = (events.number >= first) & (events.number < live.number)
        for found, column in zip(again.columns(), events.columns(), strict=True):
            np.testing.assert_array_equal(found, column[expected])
        for rest in range(step, STEPS):
            session.step(live, rest)
        if live.hash != hashes[max(hashes)]:
            raise SystemExit(f"round {number}: another hash at the end")
        done.append(step)
    inside = sum(0 < step < STEPS for step in done)
    return inside, min(done), max(done)


if __name__ == "__main__":
    killed, least, most = rounds(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.write(f"{killed} {least} {most}\n")
