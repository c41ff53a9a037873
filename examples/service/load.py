"""Load test of the service on this machine: ``python -m service.load`` in the folder ``examples``.

Several clients ask for one thing after the other, each as soon as the last answer is there; one more listens
to the stream and sees how old events are when they arrive. Times are wall-clock, of the client.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import numpy as np

__all__ = ["ask", "main", "measured"]

ORDER = {"account": 0, "instrument": "BTCUSDT", "quantity": 0.01, "leverage": 10}
QUESTIONS: dict[str, tuple[str, object]] = {
    "state": ("GET /state", None),
    "position": ("GET /position/7", None),
    "account": ("GET /account/0", None),
    "check": ("POST /check", ORDER),
    "ladder": ("GET /ladder/BTCUSDT", None),
}
SHARES = (50.0, 99.0, 99.9)


def _bytes(question: str, body: object, host: str) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    head = f"{question} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, question: bytes) -> bytes:
    """Ask once over a connection that stays; the body of the answer."""
    writer.write(question)
    head = await reader.readuntil(b"\r\n\r\n")
    status, length = head.split(b" ", 2)[1], head.lower().split(b"content-length: ")[1].split(b"\r")[0]
    body = await reader.readexactly(int(length))
    if status != b"200":
        raise RuntimeError(f"{head!r} {body!r}")
    return body


async def _client(address: tuple[str, int], question: bytes, until: float, taken: list[float]) -> None:
    reader, writer = await asyncio.open_connection(*address, limit=1 << 22)
    while (begin := time.perf_counter()) < until:
        await ask(reader, writer, question)
        taken.append(time.perf_counter() - begin)
    writer.close()


async def measured(
    address: tuple[str, int], question: tuple[str, object], clients: int, seconds: float
) -> list[float]:
    """Seconds that each answer took."""
    taken: list[float] = []
    asked = _bytes(*question, f"{address[0]}:{address[1]}")
    until = time.perf_counter() + seconds
    await asyncio.gather(*(_client(address, asked, until, taken) for _ in range(clients)))
    return taken


async def listen(address: tuple[str, int], ages: list[float], told: Callable[[int], None]) -> None:
    """Listen to the stream: how old each message of events is when it arrives, and how many it has."""
    reader, writer = await asyncio.open_connection(*address, limit=1 << 26)
    writer.write(_bytes("GET /stream", None, address[0]))
    await reader.readuntil(b"\r\n\r\n")
    while line := await reader.readline():
        if line.startswith(b"data: "):
            now, message = time.monotonic(), json.loads(line[6:])
            if message["kind"] == "events":
                ages.append(now - message["sent"])
                told(len(message["state"]))
            elif message["kind"] == "missed":
                print("missed instants", message["first"], "to", message["last"])


def quantiles(taken: Sequence[float]) -> str:
    """The shares of `SHARES` in milliseconds."""
    if not taken:
        return " ".join(f"{'none':>9}" for _ in SHARES)
    return " ".join(f"{value * 1e3:>9.3f}" for value in np.percentile(taken, SHARES))


async def run(options: argparse.Namespace) -> None:
    """Ask every question for some seconds, and print a line each."""
    parts = urlsplit(options.url)
    address = (parts.hostname or "127.0.0.1", parts.port or 80)
    ages: list[float] = []
    counts: list[int] = []
    listening = asyncio.create_task(listen(address, ages, counts.append))
    print(f"{'':10} {'answers/s':>10} " + " ".join(f"{f'p{share:g} ms':>9}" for share in SHARES))
    for name, question in QUESTIONS.items():
        taken = await measured(address, question, options.clients, options.seconds)
        print(f"{name:10} {len(taken) / options.seconds:>10,.0f} {quantiles(taken)}", flush=True)
    listening.cancel()
    print(f"{'events':10} {'':>10} {quantiles(ages)}   from the tick to the listener, {sum(counts):,} events")


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description="Load test of the service.")
    parser.add_argument("--url", default="http://127.0.0.1:8377")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5.0, help="for each question")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
