"""A live book that was killed goes on as if it had not been."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import levcore as lc
from levcore.errors import FileFormatError
from levcore.files.records import Record, read_record, write_record
from support.live_sessions import Session

TESTS = Path(__file__).parents[1]
THOROUGH = os.environ.get("LEVCORE_TESTS") == "thorough"


def test_a_killed_process_leaves_what_it_has_told(tmp_path: Path) -> None:
    count = 1_000 if THOROUGH else 20
    program = [sys.executable, str(TESTS / "support" / "live_sessions.py"), str(tmp_path), str(count), "11"]
    done = subprocess.run(program, capture_output=True, text=True, cwd=TESTS, env=environment(), check=False)
    assert done.returncode == 0, done.stderr
    killed, least, most = map(int, done.stdout.split())
    assert killed >= count // 2
    assert least < most


@pytest.mark.parametrize(("configuration", "policies"), [(0, 0), (2, 0), (4, 0), (0, 1), (0, 3)])
def test_a_journal_that_ends_anywhere(tmp_path: Path, configuration: int, policies: int) -> None:
    session = Session(5, configuration=configuration, policies=policies)
    random = np.random.default_rng(5)
    live = session.begin()
    live.snapshot(tmp_path / "snapshot")
    live.record(tmp_path / "journal")
    hashes = {live.number: live.hash}
    for number in range(25):
        session.step(live, number)
        hashes[live.number] = live.hash
    content = (tmp_path / "journal").read_bytes()
    reached, restored = set(), live
    for end in [0, 3, *random.integers(0, len(content), 500 if THOROUGH else 30).tolist(), len(content)]:
        (tmp_path / "cut").write_bytes(content[:end])
        restored, events = lc.LiveBook.restore(session.engine, tmp_path / "snapshot", tmp_path / "cut")
        assert restored.hash == hashes[restored.number]
        assert len(events) == 0 or events.number.max() < restored.number
        reached.add(restored.number)
    assert max(reached) == live.number
    assert len(reached) > 10
    assert same_book(restored.book(), live.book())
    assert restored.totals() == live.totals()
    assert restored.asset_prices() == live.asset_prices()
    np.testing.assert_array_equal(restored.marks(), live.marks())


def test_a_snapshot_of_an_older_version_says_so(tmp_path: Path) -> None:
    session = Session(5)
    session.begin().snapshot(tmp_path / "snapshot")
    words, columns = read_record(tmp_path / "snapshot")
    write_record(tmp_path / "old", Record({**words, "kind": "live book 1"}, columns))
    with pytest.raises(
        FileFormatError, match="live book, version 2; expected live book 2, found live book 1"
    ):
        lc.LiveBook.restore(session.engine, tmp_path / "old")


def test_a_restored_book_goes_on_recording(tmp_path: Path) -> None:
    session = Session(6)
    live = session.begin()
    live.record(tmp_path / "journal")
    session.step(live, 0)
    live.snapshot(tmp_path / "snapshot")
    session.step(live, 1)
    # The journal begins before the snapshot; what the snapshot holds is not done again.
    again, _ = lc.LiveBook.restore(session.engine, tmp_path / "snapshot", tmp_path / "journal")
    assert again.hash == live.hash
    session.step(again, 2)
    third, events = lc.LiveBook.restore(session.engine, tmp_path / "snapshot", tmp_path / "journal")
    assert third.hash == again.hash
    assert third.number == again.number
    assert (events.number >= 1).all()


def test_a_table_that_was_replaced_is_restored(tmp_path: Path) -> None:
    session = Session(8)
    live = session.begin()
    live.record(tmp_path / "journal")
    name = session.first_book.instrument_names[0]
    live.replace_tiers(name, lc.TierTable.single_rate("0.02"))
    live.snapshot(tmp_path / "snapshot")
    live.replace_tiers(name, lc.TierTable.single_rate("0.3"))
    session.step(live, 0)
    # The engine of the beginning is the one that a process has which starts again.
    again, _ = lc.LiveBook.restore(session.engine, tmp_path / "snapshot", tmp_path / "journal")
    assert again.hash == live.hash
    assert again.number == live.number
    assert again.totals() == live.totals()
    assert again.engine.policy.instruments[name].tiers == lc.TierTable.single_rate("0.3")
    again.snapshot(tmp_path / "later")
    third, _ = lc.LiveBook.restore(session.engine, tmp_path / "later")
    assert third.totals() == live.totals()


def test_files_that_are_none_of_these(tmp_path: Path) -> None:
    session = Session(7)
    live = session.begin()
    live.snapshot(tmp_path / "snapshot")
    live.record(tmp_path / "journal")
    session.step(live, 0)
    session.step(live, 1)
    snapshot, journal = (tmp_path / "snapshot").read_bytes(), (tmp_path / "journal").read_bytes()
    restore, engine = lc.LiveBook.restore, session.engine
    with pytest.raises(FileFormatError, match="must be a record of version 1"):
        restore(engine, tmp_path / "journal")
    with pytest.raises(FileFormatError, match="must be a journal of version 1"):
        restore(engine, tmp_path / "snapshot", tmp_path / "snapshot")
    (tmp_path / "damaged").write_bytes(snapshot[:-1] + bytes([snapshot[-1] ^ 1]))
    with pytest.raises(FileFormatError, match="is damaged: its SHA-256"):
        restore(engine, tmp_path / "damaged")
    for place in (20, 60):
        (tmp_path / "damaged").write_bytes(
            journal[:place] + bytes([journal[place] ^ 1]) + journal[place + 1 :]
        )
        with pytest.raises(FileFormatError, match="is damaged before its end"):
            restore(engine, tmp_path / "snapshot", tmp_path / "damaged")
    with pytest.raises(FileFormatError, match="under other rules or tables"):
        restore(lc.Engine(lc.policy("binance-usdm@2024-10-24")), tmp_path / "snapshot")
    live.snapshot(tmp_path / "later")
    live.record(tmp_path / "second")
    session.step(live, 2)
    with pytest.raises(FileFormatError, match="does not go on where the snapshot ends"):
        restore(engine, tmp_path / "snapshot", tmp_path / "second")
    with pytest.raises(FileExistsError):
        live.record(tmp_path / "second")


def same_book(one: lc.PositionBook, other: lc.PositionBook) -> bool:
    names = ("quantity", "entry_price", "wallet_balance", "instrument_codes", "is_cross")
    held = [(book.balances.balance, book.balances.asset_codes) for book in (one, other) if book.balances]
    same_balances = len(held) == 0 or all(map(np.array_equal, *held))
    return (
        same_balances
        and one.account_ids == other.account_ids
        and all(
            np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name != "is_cross")
            for name in names
        )
    )


def environment() -> dict[str, str]:
    """Environment in which a program finds the helpers of the tests."""
    return {**os.environ, "PYTHONPATH": str(TESTS)}
