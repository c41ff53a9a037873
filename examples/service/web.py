"""As much of HTTP as the service needs, over asyncio: JSON in, JSON out, and streams of events."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

__all__ = ["Answer", "Handler", "Request", "listening", "serve"]

HEAD_LIMIT, BODY_LIMIT = 1 << 14, 1 << 16
IDLE_SECONDS = 60.0
WORDS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    413: "Content Too Large",
    503: "Service Unavailable",
}


@dataclass(frozen=True)
class Request:
    """What was asked for."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    """Object of the JSON; None without a body."""


@dataclass(frozen=True)
class Answer:
    """What is answered: an object as JSON, or bytes of a type, or a stream of events as they come."""

    status: int = 200
    content: Any = None
    kind: str = "application/json"
    stream: AsyncGenerator[bytes] | None = None


Handler = Callable[[Request], Awaitable[Answer]]


class _Fault(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def listening(host: str, port: int) -> socket.socket:
    """Socket that several processes may listen at, each with one of its own; the kernel shares out."""
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    found.bind((host, port))
    return found


async def serve(handler: Handler, host: str, port: int) -> asyncio.Server:
    """Begin to answer."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            while await _one(reader, writer, handler):
                pass
        writer.close()

    return await asyncio.start_server(connected, sock=listening(host, port), limit=HEAD_LIMIT)


async def _one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler) -> bool:
    """Answer one request; whether another may follow."""
    try:
        request = await asyncio.wait_for(_read(reader), IDLE_SECONDS)
        answer = await handler(request)
    except _Fault as fault:
        # What follows cannot be told apart any more.
        _write(writer, Answer(fault.status, {"error": str(fault)}), "close")
        return False
    if answer.stream is None:
        _write(writer, answer, "keep-alive")
        await writer.drain()
        return True
    _write(writer, answer, "close")
    async with aclosing(answer.stream) as stream:
        async for part in stream:
            writer.write(part)
            await writer.drain()
    return False


async def _read(reader: asyncio.StreamReader) -> Request:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.LimitOverrunError:
        raise _Fault(413, f"a head has at most {HEAD_LIMIT} bytes") from None
    first, *lines = head[:-4].split("\r\n")
    try:
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, value in (each.split(":", 1) for each in lines)}
        length = int(headers.get("content-length", "0"))
    except ValueError:
        raise _Fault(400, "no request of HTTP/1.1") from None
    if not 0 <= length <= BODY_LIMIT or "transfer-encoding" in headers:
        raise _Fault(413, f"a body has at most {BODY_LIMIT} bytes, and says how many")
    body = await reader.readexactly(length)
    try:
        content = json.loads(body) if body else None
    except ValueError:
        raise _Fault(400, "the body is no JSON") from None
    parts = urlsplit(target)
    return Request(method, unquote(parts.path), dict(parse_qsl(parts.query)), headers, content)


def _write(writer: asyncio.StreamWriter, answer: Answer, connection: str) -> None:
    lines = [
        f"HTTP/1.1 {answer.status} {WORDS[answer.status]}",
        f"Content-Type: {answer.kind}",
        "Cache-Control: no-store",
        f"Connection: {connection}",
    ]
    content = b""
    if answer.stream is None:
        content = (
            answer.content
            if isinstance(answer.content, bytes)
            else json.dumps(answer.content, allow_nan=False).encode()
        )
        lines.append(f"Content-Length: {len(content)}")
    writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content)
