"""Many threads read a live book while one changes it: nobody sees a part of a change."""

import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import levcore as lc

READERS = 10
PAIRS = 200
NAMES = ("BTCUSDT", "ETHUSDT")


@pytest.fixture(autouse=True)
def _often_interrupted() -> Iterator[None]:
    """Threads that change places far more often than usual, so that whatever can be torn is."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def mirrored() -> lc.LiveBook:
    """Pairs of accounts of which one loses what the other wins: a pair has 2,000,000 at any prices."""
    account = np.arange(2 * PAIRS).repeat(2)
    sign = np.where(account % 2 == 0, 1.0, -1.0)
    book = lc.PositionBook(
        np.tile([0, 1], 2 * PAIRS),
        sign,
        np.tile([60_000.0, 3_000.0], 2 * PAIRS),
        account,
        "cross",
        accounts=np.arange(2 * PAIRS),
        wallet_balance=np.full(2 * PAIRS, 1e6),
        instrument_names=NAMES,
    )
    return lc.live(lc.Engine(lc.policy("binance-usdm@2024-10-24")), book, [60_000.0, 3_000.0])


def write(live: lc.LiveBook, ends: float) -> int:
    """Let prices move and wallets change until it is time; how many calls there were."""
    random, calls = np.random.default_rng(1), 0
    while time.monotonic() < ends:
        # Powers of two: sums of such numbers are exact, in any order.
        moved = 2.0 ** random.integers(-3, 4, 2)
        live.remark(np.array([65_536.0, 4_096.0]) * moved)
        pair = int(random.integers(0, PAIRS))
        amount = float(random.integers(1, 1_000))
        live.transfer([2 * pair, 2 * pair + 1], [amount, -amount])
        calls += 2
    return calls


def read(live: lc.LiveBook, ends: float, torn: list[str], seen: list[int]) -> None:
    """Read until it is time; what does not fit together goes into `torn`."""
    hashes = set()
    try:
        while time.monotonic() < ends:
            equity = live.accounts().equity
            if (equity[0::2] + equity[1::2] != 2e6).any():
                torn.append("a pair of accounts")
            totals = live.totals()
            if totals.equity != 2e6 * PAIRS:
                torn.append("the totals")
            with live.held():
                number, book, marks, figures = live.number, live.book(), live.marks(), live.accounts()
            risk = live.engine.evaluate(book, marks)
            if (risk.accounts.equity != figures.equity).any():
                torn.append("book, prices and accounts")
            hashes.add(number)
    except RuntimeError as error:
        torn.append(repr(error))
    seen.append(len(hashes))


def test_nobody_sees_a_part_of_a_change() -> None:
    live, torn, seen = mirrored(), list[str](), list[int]()
    ends = time.monotonic() + 1.5
    readers = [threading.Thread(target=read, args=(live, ends, torn, seen)) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    calls = write(live, ends)
    for reader in readers:
        reader.join()
    assert torn == []
    assert calls > 10
    assert len(seen) == READERS
    # Each of them has seen the book at several instants.
    assert min(seen) > 1


class Nothing:
    """A lock that holds nobody up."""

    def __enter__(self) -> None:
        """Let everybody in."""

    def __exit__(self, *error: object) -> None:
        """Let everybody out."""


def test_without_turns_it_would_be_seen() -> None:
    live, torn, seen = mirrored(), list[str](), list[int]()
    unguarded: Any = Nothing()
    object.__setattr__(live, "_lock", unguarded)
    deadline = time.monotonic() + 60.0
    while not torn and time.monotonic() < deadline:
        ends = time.monotonic() + 0.3
        readers = [threading.Thread(target=read, args=(live, ends, torn, seen)) for _ in range(READERS)]
        for reader in readers:
            reader.start()
        try:
            write(live, ends)
        except RuntimeError as error:
            torn.append(repr(error))
        for reader in readers:
            reader.join()
    assert torn
