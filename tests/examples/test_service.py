"""The service of the examples: it answers what levcore gives, and loses nothing in silence."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import levcore as lc
from service import market
from service.answers import View
from service.keeping import Folder
from service.outbox import Message, Outbox, Recent
from service.web import listening
from service.worker import Worker
from service.writer import line
from support.services import EXAMPLES, Service, served, waited_for

POSITIONS = 400
ACCOUNT = market.book(POSITIONS).account_ids[0]


def events(first: int, last: int, count: int = 1) -> Message:
    return {"kind": "events", "first": first, "last": last, "state": ["LIQUIDATION"] * count}


def taken(outbox: Outbox, count: int) -> list[Message]:
    async def take() -> list[Message]:
        return [await asyncio.wait_for(outbox.take(), 5) for _ in range(count)]

    return asyncio.run(take())


def test_of_views_a_listener_gets_the_latest_and_of_events_all() -> None:
    outbox = Outbox(10)
    for number in range(3):
        outbox.put({"kind": "view", "number": number})
        outbox.put(events(number, number))
    assert [message.get("number", message.get("first")) for message in taken(outbox, 4)] == [0, 1, 2, 2]


def test_a_listener_that_is_too_slow_is_told_which_instants_it_missed() -> None:
    outbox = Outbox(10)
    for number in range(0, 24, 2):
        outbox.put(events(number, number + 1, 3))
    # Three messages fit; the fourth one takes them along, four times over, and nothing waits at the end.
    outbox.put(events(24, 24))
    assert taken(outbox, 2) == [{"kind": "missed", "first": 0, "last": 23}, events(24, 24)]


def test_a_message_larger_than_the_room_reaches_a_listener_that_keeps_up() -> None:
    outbox = Outbox(10)
    outbox.put(events(0, 0, 500))
    assert taken(outbox, 1) == [events(0, 0, 500)]


def test_what_is_not_kept_any_more_is_named() -> None:
    recent = Recent(4)
    for number in range(5):
        recent.append(events(2 * number, 2 * number + 1, 2))
    assert recent.since(-1) == [{"kind": "missed", "first": 0, "last": 5}, events(6, 7, 2), events(8, 9, 2)]
    assert recent.since(5) == [events(6, 7, 2), events(8, 9, 2)]
    assert recent.since(9) == []


@pytest.mark.parametrize(
    ("ticks", "done", "place"), [(True, 0, 70), (True, 5, 75), (False, 0, 70), (False, 1, 70)]
)
def test_the_place_in_the_feed_is_known_whether_or_not_the_last_step_was_done(
    ticks: bool, done: int, place: int, tmp_path: Path
) -> None:
    Folder(tmp_path).before(90, 70, ticks)
    assert Folder(tmp_path).place(90 + done) == place
    assert Folder(tmp_path / "new").place(0) == 0
    with pytest.raises(RuntimeError, match="does not say how far the feed was at instant 5"):
        Folder(tmp_path / "new").place(5)


def test_a_killed_checkpoint_is_gone_on_with(tmp_path: Path) -> None:
    engine, feed = market.engine(), market.feed()
    live = lc.live(engine, market.book(POSITIONS), feed.marks())
    folder = Folder(tmp_path)
    folder.checkpoint(live)
    live.ticks(feed.instrument[:50], feed.price[:50])
    # The snapshot was written, and the process killed before its journal began.
    live.snapshot(tmp_path / f"snapshot-{live.number}")
    found = Folder(tmp_path).restored(engine)
    assert found is not None
    again, _, begin = found
    assert (again.number, again.hash, begin) == (50, live.hash, 50)
    again.ticks(feed.instrument[50:60], feed.price[50:60])
    found = Folder(tmp_path).restored(engine)
    assert found is not None
    assert (found[0].number, found[0].hash) == (60, again.hash)
    Folder(tmp_path).checkpoint(found[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal-60", "place", "snapshot-60"]


def test_a_slow_listener_of_a_worker_is_told_what_it_missed() -> None:
    async def listened() -> list[bytes]:
        worker = Worker(room=10)
        stream = worker.stream([])
        first = asyncio.create_task(anext(stream))
        await asyncio.sleep(0)
        worker.take(events(0, 0))
        parts = [await first]
        for number in range(1, 9):
            worker.take(events(number, number, 4))
        worker.take({"kind": "view", "number": 9})
        parts += [await anext(stream) for _ in range(4)]
        await stream.aclose()
        return parts

    kinds = [
        re.findall(rb"event: (\w+)\n(?:id: (\d+)\n)?data: {.*}\n\n", part)[0]
        for part in asyncio.run(listened())
    ]
    # Two messages of four events fit, a third one does not: 1 to 3 are dropped, then 4 to 6 with them.
    told = [(b"events", b"0"), (b"missed", b"6"), (b"events", b"7"), (b"events", b"8"), (b"view", b"")]
    assert kinds == told


def uninterrupted(transfers: dict[int, tuple[Any, float]]) -> tuple["lc.LiveBook", list[int]]:
    """The same feed and the same transfers, each before the instant that it had, without any service."""
    feed, engine = market.feed(), market.engine()
    live = lc.live(engine, market.book(POSITIONS), feed.marks())
    place, numbers = 0, []
    for number, (account, amount) in sorted(transfers.items()):
        end = place + number - live.number
        numbers += live.ticks(feed.instrument[place:end], feed.price[place:end]).number.tolist()
        numbers += live.transfer([account], [amount]).number.tolist()
        place = end
    numbers += live.ticks(feed.instrument[place:], feed.price[place:]).number.tolist()
    return live, numbers


def told(answer: Any) -> list[int]:
    """Numbers of the events of an answer, none of which is missing."""
    assert {message["kind"] for message in answer} == {"events"}
    return [number for message in answer for number in message["number"]]


def test_it_answers_goes_on_after_kills_and_tells_the_same_events(tmp_path: Path) -> None:
    options = ("--positions", str(POSITIONS), "--rate", "3000", "--workers", "2")
    transfers: dict[int, tuple[Any, float]] = {}
    number = 0
    for amount in (250.0, -50.0):
        with served(tmp_path, *options) as service:
            assert service.number >= number
            number = service.state()["number"]
            status, answer = service.asked("/transfer", {"account": ACCOUNT, "amount": amount})
            assert status == 200
            transfers[answer["number"]] = (ACCOUNT, amount)
            number = service.state_after(number + 500)["number"]
            service.kill()
    with served(tmp_path, "--rate", "0", "--workers", "1") as service:
        assert service.number >= number
        waited_for(lambda: service.state()["place"] == service.state()["ticks"])
        state, answer = service.state(), service.asked("/events")[1]
        account = service.asked(f"/account/{ACCOUNT}")[1]
    live, numbers = uninterrupted(transfers)
    assert (state["number"], state["hash"]) == (live.number, live.hash.hex())
    assert told(answer) == numbers
    assert len(numbers) > 100
    view = View(market.engine(), live.book(), state["marks"], live.number)
    assert account == view.account(ACCOUNT)
    assert state["equity"] == live.totals().equity


def test_what_it_answers_is_what_levcore_gives(tmp_path: Path) -> None:
    with served(tmp_path, "--positions", str(POSITIONS), "--rate", "0.001", "--workers", "1") as service:
        state = service.state()
        assert state["number"] == 0
        view = View(market.engine(), market.book(POSITIONS), market.feed().marks(), 0)
        order = {"account": ACCOUNT, "instrument": "BTCUSDT", "quantity": 0.5, "leverage": 10.0}
        assert service.asked("/check", order) == (
            200,
            view.check(ACCOUNT, "BTCUSDT", 0.5, leverage=10.0),
        )
        assert service.asked("/position/3") == (200, view.position(3))
        assert service.asked("/ladder/ETHUSDT") == (200, view.ladder("ETHUSDT"))
        assert sum(state["positions"].values()) + sum(state["accounts"].values()) > 300
        refused = [
            (
                "/check",
                {"account": "nobody", "instrument": "BTCUSDT", "quantity": 1},
                "no cross account 'nobody'",
            ),
            ("/check", {"account": ACCOUNT, "instrument": "XRP", "quantity": 1}, "no instrument 'XRP'"),
            (
                "/check",
                {"account": ACCOUNT, "instrument": "BTCUSDT", "quantity": "1"},
                "quantity must be a number",
            ),
            ("/check", {"account": ACCOUNT, "instrument": "BTCUSDT", "quantity": 1, "price": -1.0}, None),
            ("/check", order | {"side": "buy"}, "an order has no side"),
            ("/check", [1], "an order is an object"),
            ("/check", b"{", "no JSON"),
            ("/transfer", {"account": ACCOUNT}, "a transfer is an object"),
            ("/transfer", {"account": -1, "amount": 1}, "no cross account -1"),
            ("/events?after=-1", None, "no instant: '-1'"),
            ("/position/400000", None, "no position 400000"),
        ]
        for path, body, text in refused:
            status, answer = service.asked(path, body)
            assert status == 400 or (text is None and answer["refused"])
            assert text is None or text in answer["error"]
        assert service.asked("/nothing")[0] == 404
        assert service.asked("/check", b" " * 70_000)[0] == 413
        assert b"<title>Live book</title>" in service.asked("/")[1]


def test_a_worker_lets_nobody_in_before_it_has_a_book(tmp_path: Path) -> None:
    held, marks = listening("127.0.0.1", 0), market.feed().marks()
    lc.live(market.engine(), market.book(POSITIONS), marks).snapshot(tmp_path / "book")
    port = held.getsockname()[1]
    command = [sys.executable, "-m", "service.worker", str(tmp_path), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--room", "10"]
    with held, socket.socket(socket.AF_UNIX) as writer:
        writer.bind(str(tmp_path / "writer.socket"))
        writer.listen()
        with subprocess.Popen(command, cwd=EXAMPLES, text=True) as process:
            try:
                service = Service(process, port, 0)
                told, _ = writer.accept()
                with pytest.raises(ConnectionRefusedError):
                    service.asked("/state")
                told.sendall(line({"kind": "book", "last": 0, "snapshot": str(tmp_path / "book")}))
                told.sendall(line({"kind": "view", "number": 0, "marks": marks}))
                assert service.state()["marks"] == marks
                told.close()
            finally:
                process.kill()


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    with served(tmp_path, "--positions", str(POSITIONS), "--workers", "1") as service:
        service.state()
        (worker,) = service.workers()
        os.kill(worker, signal.SIGKILL)
        waited_for(lambda: service.workers() not in ([], [worker]))
        assert service.state()["ticks"] == len(market.feed())


def test_the_page_asks_nobody_else() -> None:
    page = (EXAMPLES / "service" / "page.html").read_text(encoding="utf-8")
    assert re.findall(r"(?:https?:)?//[a-z][^\s\"'<]*", page) == []
    assert set(re.findall(r"(?:fetch|EventSource)\(\"([a-z]+)", page)) == {
        "ladder",
        "check",
        "stream",
        "events",
    }
