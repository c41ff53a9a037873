"""What waits for listeners and what is kept for late ones: bounded, and what was dropped is told."""

import asyncio
from collections import deque
from typing import Any

__all__ = ["Message", "Outbox", "Recent"]

Message = dict[str, Any]


def missed(first: int, last: int) -> Message:
    """Message in the place of events that were dropped: those of the instants `first` to `last`."""
    return {"kind": "missed", "first": first, "last": last}


class Outbox:
    """Messages for one listener, who takes them at a speed of its own.

    Of views only the latest is kept: a view says how things are, and an old one says it wrongly. Events say
    what has happened and are kept in order, as many as there is `room` for. Where there is none, everything
    that waits is dropped, and one message says which instants the listener has missed.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self._waiting: deque[Message] = deque()
        self._events = 0
        self._view: Message | None = None
        self._missed: Message | None = None
        self._some = asyncio.Event()

    def put(self, message: Message) -> None:
        """Leave a message; never waits."""
        if message["kind"] == "view":
            self._view = message
        else:
            self._keep(message)
        self._some.set()

    async def take(self) -> Message:
        """Wait for the next message."""
        while True:
            if self._missed is not None:
                message, self._missed = self._missed, None
                return message
            if self._waiting:
                message = self._waiting.popleft()
                self._events -= _weight(message)
                return message
            if self._view is not None:
                message, self._view = self._view, None
                return message
            self._some.clear()
            await self._some.wait()

    def _keep(self, message: Message) -> None:
        # A message that is larger than the room passes where nothing waits: the listener keeps up.
        if self._waiting and self._events + _weight(message) > self.room:
            self._waiting.append(message)
            lost = [self._waiting[0], message] if self._missed is None else [self._missed, message]
            self._missed = missed(lost[0]["first"], message["last"])
            self._waiting.clear()
            self._events = 0
        else:
            self._waiting.append(message)
            self._events += _weight(message)


def _weight(message: Message) -> int:
    return max(1, len(message.get("state", ())))


class Recent:
    """The latest messages of events, as many as have `room` events together, and at least one.

    Attributes
    ----------
    begin : int
        First instant whose events are known here.
    """

    def __init__(self, room: int, begin: int = 0) -> None:
        self.room, self.begin = room, begin
        self.messages: deque[Message] = deque()
        self._events = 0

    def append(self, message: Message) -> None:
        """Keep a message, and let the oldest ones go."""
        self.messages.append(message)
        self._events += _weight(message)
        while self._events > self.room and len(self.messages) > 1:
            gone = self.messages.popleft()
            self._events -= _weight(gone)
            self.begin = gone["last"] + 1

    def since(self, number: int) -> list[Message]:
        """Messages that go beyond an instant, and before them which instants are not known any more."""
        found = [message for message in self.messages if message["last"] > number]
        unknown = [missed(number + 1, self.begin - 1)] if number + 1 < self.begin else []
        return unknown + found
