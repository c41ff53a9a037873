"""The one process that changes the live book: the feed and transfers go in, events and views come out."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import levcore as lc
from service import market
from service.keeping import Folder
from service.outbox import Message, Outbox, Recent

if TYPE_CHECKING:
    from levcore.live_books.events import Events

__all__ = ["LINE_LIMIT", "Writer", "line"]

LINE_LIMIT = 1 << 26
"""Longest message between writer and workers, bytes."""
RECENT = 20_000
"""Events that a worker which comes late is told."""
BATCH_SECONDS, BATCH_TICKS = 0.01, 1_000
VIEW_SECONDS = 0.1
CHECKPOINT = 50_000
"""Instants after which another snapshot is written; a restart does no more than these again."""


def line(message: Message) -> bytes:
    """Message as a line of JSON."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def plain(column: Any) -> list[float | None]:
    """Numbers as JSON has them: NaN is None."""
    return [None if value != value else value for value in column.tolist()]


def message_of(events: "Events", names: tuple[str, ...], ids: tuple[Any, ...]) -> Message:
    """Events of one call as a message of columns."""
    account = events.subject.is_account.tolist()
    place = events.subject.place.tolist()
    return {
        "kind": "events",
        "first": int(events.number[0]),
        "last": int(events.number[-1]),
        "sent": time.monotonic(),
        "number": events.number.tolist(),
        "time": None if events.time is None else [str(each) for each in events.time],
        "instrument": [None if code < 0 else names[code] for code in events.instrument.tolist()],
        "price": plain(events.price),
        "account": [ids[at] if of else None for of, at in zip(account, place, strict=True)],
        "position": [None if of else at for of, at in zip(account, place, strict=True)],
        "before": [lc.State(code).name for code in events.before.tolist()],
        "state": [lc.State(code).name for code in events.state.tolist()],
        "equity": plain(events.equity),
        "maintenance_margin": plain(events.maintenance_margin),
    }


class Writer:
    """Owner of the live book.

    Everything that touches it runs between two waits of one event loop, so that nothing is seen half done.

    Parameters
    ----------
    folder : Path
        Of snapshot, journal and the socket of the workers.
    positions : int
        Of a book that is made anew; a folder that has one goes on with it.
    rate : float
        Ticks a second; 0: as fast as they can be told.
    room : int
        Events that may wait for a worker.
    """

    def __init__(self, folder: Path, positions: int, rate: float, room: int) -> None:
        self.folder, self.rate, self.room = Folder(folder), rate, room
        self.socket = folder / "writer.socket"
        self.feed, self.engine = market.feed(), market.engine()
        self.recent = Recent(RECENT)
        self._listeners: dict[int, Outbox] = {}
        found = self.folder.restored(self.engine)
        if found is None:
            self.live = lc.live(self.engine, market.book(positions), self.feed.marks())
            self.folder.checkpoint(self.live)
        else:
            self.live, events, self.recent.begin = found
            self._tell(events)
        self.place = self.folder.place(self.live.number)
        self._last_checkpoint = self.live.number

    async def run(self) -> None:
        """Serve workers, and let the feed pass to its end."""
        self.socket.unlink(missing_ok=True)
        async with await asyncio.start_unix_server(self._worker, self.socket, limit=LINE_LIMIT) as server:
            await asyncio.gather(server.serve_forever(), self._feed(), self._views())

    async def _feed(self) -> None:
        begin, first = time.monotonic(), self.place
        while self.place < len(self.feed):
            due = first + (time.monotonic() - begin) * self.rate if self.rate else len(self.feed)
            self._ticks(min(int(due), self.place + BATCH_TICKS, len(self.feed)))
            await asyncio.sleep(BATCH_SECONDS if self.rate else 0)

    def _ticks(self, end: int) -> None:
        chosen = slice(self.place, end)
        if end > self.place:
            feed = self.feed
            self._do(
                lambda: self.live.ticks(feed.instrument[chosen], feed.price[chosen], feed.time[chosen]), True
            )
            self.place = end

    def _do(self, change: Callable[[], "Events"], ticks: bool) -> None:
        """Change the live book: where it stands is written before, who is concerned told after."""
        self.folder.before(self.live.number, self.place, ticks)
        self._tell(change())
        if self.live.number - self._last_checkpoint >= CHECKPOINT:
            self.folder.checkpoint(self.live)
            self._last_checkpoint = self.live.number

    def _tell(self, events: "Events") -> None:
        if not len(events):
            return
        message = message_of(events, self.live.instrument_names, self.live.account_ids)
        self.recent.append(message)
        self._put(message)

    def _put(self, message: Message) -> None:
        for outbox in self._listeners.values():
            outbox.put(message)

    async def _views(self) -> None:
        while True:
            self._put(self.view())
            await asyncio.sleep(VIEW_SECONDS)

    def view(self) -> Message:
        """How the book stands after the last instant."""
        totals, place = self.live.totals(), max(self.place - 1, 0)
        return {
            "kind": "view",
            "number": self.live.number,
            "hash": self.live.hash.hex(),
            "sent": time.monotonic(),
            "time": str(self.feed.time[place]),
            "place": self.place,
            "ticks": len(self.feed),
            "marks": dict(zip(self.live.instrument_names, plain(self.live.marks()), strict=True)),
            "equity": totals.equity,
            "maintenance_margin": totals.maintenance_margin,
            "positions": {state.name: count for state, count in totals.positions.items()},
            "accounts": {state.name: count for state, count in totals.accounts.items()},
        }

    def _snapshot(self, listener: int) -> Message:
        """Message with a snapshot of the whole book, which the worker reads and removes."""
        path = self.folder.path / f"for-worker-{listener}"
        self.live.snapshot(path)
        return {"kind": "book", "first": self.live.number, "last": self.live.number, "snapshot": str(path)}

    async def _worker(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One worker: tell it what it needs, do what it asks for."""
        listener, outbox = id(writer), Outbox(self.room)
        outbox.put(self._snapshot(listener))
        writer.write(line({"kind": "recent", "begin": self.recent.begin}))
        for message in self.recent.messages:
            writer.write(line(message))
        self._listeners[listener] = outbox
        sender = asyncio.create_task(self._send(listener, outbox, writer))
        try:
            while asked := await reader.readline():
                outbox.put(self._transfer(json.loads(asked)))
        finally:
            del self._listeners[listener]
            sender.cancel()
            writer.close()

    async def _send(self, listener: int, outbox: Outbox, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while True:
                message = await outbox.take()
                writer.write(line(message))
                if message["kind"] == "missed":
                    # Transfers may have been among them: the worker begins anew.
                    writer.write(line(self._snapshot(listener)))
                await writer.drain()

    def _transfer(self, asked: Message) -> Message:
        """Move money into or out of a wallet; the answer."""
        told = {"first": self.live.number, "last": self.live.number, "to": asked["to"]}
        account, amount = asked["account"], asked["amount"]
        try:
            self._do(lambda: self.live.transfer([account], [amount]), False)
        except lc.LevcoreError as error:
            return told | {"kind": "answer", "error": str(error)}
        self._put(told | {"kind": "transfer", "account": account, "amount": amount})
        return told | {"kind": "answer"}
