"""A worker: it follows the writer, and answers over HTTP from what it was told last."""

import argparse
import asyncio
import itertools
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import numpy as np

import levcore as lc
from service import market
from service.answers import Refused, View
from service.outbox import Message, Outbox, Recent
from service.web import Answer, Request, serve
from service.writer import LINE_LIMIT, RECENT, line

__all__ = ["Worker", "main"]

PAGE = Path(__file__).parent / "page.html"
TRANSFERS = 64
"""Transfers that may wait for the writer, a worker."""
ORDER = {"price", "leverage", "fee_rate"}


class Worker:
    """What one process knows and answers; it changes nothing itself."""

    def __init__(self, room: int) -> None:
        self.engine, self.room = market.engine(), room
        self.view: Message = {}
        self.informed = asyncio.Event()
        self.recent = Recent(RECENT)
        self._book: lc.PositionBook | None = None
        self._begins = 0
        self._seen: View | None = None
        self._listeners: dict[int, Outbox] = {}
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._numbers = itertools.count()
        self._to_writer: asyncio.StreamWriter | None = None

    async def follow(self, path: Path) -> None:
        """Take what the writer tells, until there is no writer any more."""
        reader, self._to_writer = await asyncio.open_unix_connection(path, limit=LINE_LIMIT)
        while told := await reader.readline():
            self.take(json.loads(told))

    def take(self, message: Message) -> None:
        """Take one message of the writer."""
        match message["kind"]:
            case "view":
                self.view, self._seen = message, None
            case "book":
                self._read_book(Path(message["snapshot"]), message["last"])
            case "transfer" if message["first"] >= self._begins:
                self._transferred(message["account"], message["amount"])
            case "recent":
                self.recent.begin = message["begin"]
            case "events" | "missed":
                self.recent.append(message)
                if message["kind"] == "missed":
                    self._forget()
            case "answer" if message["to"] in self._waiting:
                self._waiting.pop(message["to"]).set_result(message)
        if self.view and self._book is not None:
            self.informed.set()
        if message["kind"] in ("view", "events", "missed"):
            for outbox in self._listeners.values():
                outbox.put(message)

    def _read_book(self, snapshot: Path, number: int) -> None:
        live, _ = lc.LiveBook.restore(self.engine, snapshot)
        snapshot.unlink()
        self._book, self._begins, self._seen = live.book(), number, None

    def _transferred(self, account: Any, amount: float) -> None:
        assert self._book is not None
        wallets = self._book.wallet_balance.copy()
        wallets[self._book.account_ids.index(account)] += amount
        self._book = self._book.replace(accounts=list(self._book.account_ids), wallet_balance=wallets)
        self._seen = None

    def _forget(self) -> None:
        """Give up the transfers that are waited for: their answers are among what was missed."""
        for waiting in self._waiting.values():
            waiting.set_result({"error": "the answer was lost: look at the account before trying again"})
        self._waiting.clear()

    def seen(self) -> View:
        """The book at the instant that was told last, of a worker that is informed."""
        assert self._book is not None
        if self._seen is None:
            self._seen = View(self.engine, self._book, self.view["marks"], self.view["number"])
        return self._seen

    async def answer(self, request: Request) -> Answer:
        """Answer a request."""
        try:
            return await self._answer(request)
        except (Refused, lc.LevcoreError) as error:
            return Answer(400, {"error": str(error)})

    async def _answer(self, request: Request) -> Answer:
        match request.method, request.path.strip("/").split("/"):
            case "GET", [""]:
                return Answer(content=PAGE.read_bytes(), kind="text/html; charset=utf-8")
            case "GET", ["state"]:
                self.seen()
                return Answer(content=self.view)
            case "GET", ["ladder", instrument]:
                return Answer(content=self.seen().ladder(instrument))
            case "GET", ["account", label]:
                return Answer(content=self.seen().account(_label(label)))
            case "GET", ["position", row] if row.isdecimal():
                return Answer(content=self.seen().position(int(row)))
            case "GET", ["events"]:
                return Answer(content=self.recent.since(_instant(request.query.get("after"))))
            case "GET", ["stream"]:
                seen = request.headers.get("last-event-id")
                late = [] if seen is None else self.recent.since(_instant(seen))
                return Answer(kind="text/event-stream", stream=self.stream(late))
            case "POST", ["check"]:
                return Answer(content=self._check(request.body))
            case "POST", ["transfer"]:
                return await self._transfer(request.body)
        return Answer(404, {"error": f"no {request.method} {request.path}"})

    def _check(self, asked: Any) -> Message:
        numbers = {"quantity"} | ORDER
        if not isinstance(asked, dict) or not {"account", "instrument", "quantity"} <= asked.keys():
            raise Refused("an order is an object with account, instrument, quantity")
        if unknown := asked.keys() - numbers - {"account", "instrument"}:
            raise Refused(f"an order has no {', '.join(sorted(unknown))}")
        order = {name: _number(name, asked[name]) for name in numbers & asked.keys()}
        return self.seen().check(asked["account"], str(asked["instrument"]), order.pop("quantity"), **order)

    async def _transfer(self, asked: Any) -> Answer:
        if not isinstance(asked, dict) or asked.keys() != {"account", "amount"}:
            raise Refused("a transfer is an object with account and amount")
        amount = _number("amount", asked["amount"])
        self.seen().account(asked["account"])
        if len(self._waiting) >= TRANSFERS:
            return Answer(503, {"error": f"{TRANSFERS} transfers wait for the writer: try later"})
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        assert self._to_writer is not None
        self._to_writer.write(line({"account": asked["account"], "amount": amount, "to": number}))
        told = await self._waiting[number]
        if "error" in told:
            return Answer(503, {"error": told["error"]})
        return Answer(content={"number": told["first"]})

    async def stream(self, late: list[Message]) -> AsyncGenerator[bytes]:
        """Views and events as they come, to a listener with an outbox of its own."""
        listener, outbox = next(self._numbers), Outbox(self.room)
        self._listeners[listener] = outbox
        try:
            for message in late:
                yield _event(message)
            while True:
                yield _event(await outbox.take())
        finally:
            del self._listeners[listener]


def _event(message: Message) -> bytes:
    """Message as a server-sent event; its id is where a listener goes on that comes back."""
    head = f"event: {message['kind']}\n"
    if message["kind"] != "view":
        head += f"id: {message['last']}\n"
    return head.encode() + b"data: " + line(message) + b"\n"


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise Refused(f"{name} must be a number: {value!r}")
    return float(value)


def _instant(text: str | None) -> int:
    """Instant that a listener has seen last; -1, the one before the first, if it has seen none."""
    if text is None:
        return -1
    if not text.isdecimal():
        raise Refused(f"no instant: {text!r}")
    return int(text)


def _label(text: str) -> Any:
    """Account of a path: the generated book numbers its accounts."""
    return int(text) if text.isdecimal() else text


async def run(folder: Path, host: str, port: int, room: int) -> None:
    """Answer as long as the writer lives; nobody is let in before it has told of a book."""
    worker = Worker(room)
    following = asyncio.create_task(worker.follow(folder / "writer.socket"))
    informed = asyncio.create_task(worker.informed.wait())
    await asyncio.wait((following, informed), return_when=asyncio.FIRST_COMPLETED)
    async with await serve(worker.answer, host, port):
        await following


def main() -> None:
    """Run a worker; the writer starts it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--room", type=int, required=True)
    options = parser.parse_args()
    asyncio.run(run(options.folder, options.host, options.port, options.room))


if __name__ == "__main__":
    main()
