"""What the fuzzers do with bytes for the readers: files of tables, venues' replies, tier tables.

A reader may refuse with an error of levcore's and nothing else; what it read must be made of numbers. Run by
`tests/fuzz/run.py` for as long as one likes, and a little by every run of the tests.
"""

import json
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import levcore as lc
from levcore._levcore import text_to_number
from levcore.files.balances import read_asset_prices, read_assets, read_balances
from levcore.files.instruments import read_instruments
from levcore.files.positions import read_accounts, read_marks, read_positions
from levcore.venues.json import read_json
from levcore.venues.tiers.read import read_tiers_file
from support.broken_replies import leaves, put
from support.replies import FOLDER, options_of, read_index

__all__ = ["TARGETS", "mutations", "seeds"]

ENGINE = lc.Engine(lc.policy("binance-usdm@2024-10-24"), threads=1)
SOURCES = ("binance", "bybit", "okx", "ccxt", "hyperliquid", "gate", "mexc", "freqtrade")
EXAMPLES = Path(__file__).parents[2] / "examples" / "data"
POSITIONS = (
    b"instrument,quantity,entry_price,mark_price,isolated_margin,leverage\n"
    b"BTCUSDT,0.5,60000,61000,3000,10\nETHUSDT,-4,3000,3050,1200,10\n"
)
BRACKETS = (
    b'[{"symbol": "BTCUSDT", "brackets": [{"bracket": 1, "initialLeverage": 125, "notionalCap": 50000, '
    b'"notionalFloor": 0, "maintMarginRatio": 0.004, "cum": 0}, {"bracket": 2, "initialLeverage": 100, '
    b'"notionalCap": 600000, "notionalFloor": 50000, "maintMarginRatio": 0.005, "cum": 50}]}]'
)
MOST_ROWS = 10_000


def table_target(data: bytes, folder: Path) -> None:
    """A file of a table, read as each kind of it."""
    kinds = (
        read_positions,
        read_accounts,
        read_marks,
        read_balances,
        read_asset_prices,
        read_assets,
        read_instruments,
    )
    reader: Callable[[Path], Any] = kinds[data[0] % len(kinds)] if data else read_positions
    path = folder / "table.csv"
    path.write_bytes(data[1:])
    try:
        read = reader(path)
        if reader is read_positions and len(read) < MOST_ROWS:
            check(ENGINE.evaluate(read.book, read.marks))
    except lc.LevcoreError:
        return


def reply_target(data: bytes, folder: Path) -> None:
    """A venue's reply: any bytes, or a recorded one of which a field is replaced."""
    if not data:
        return
    if data[0] % 4 == 0:
        source, options, reply = SOURCES[data[1 % len(data)] % 5], dict[str, Any](), data[2:]
        path = folder / "reply.json"
        path.write_bytes(reply)
        read_reply(path, source, options)
        return
    replies = recorded()
    source, options, parsed = replies[data[0] % len(replies)]
    paths = list(leaves(parsed))
    place = int.from_bytes(data[1:3], "little") % len(paths)
    read_reply(put(parsed, paths[place], value_of(data[3:])), source, options)


def value_of(data: bytes) -> Any:
    """A value of JSON: what the bytes say if they are JSON, else the text."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


@cache
def recorded() -> list[tuple[str, dict[str, Any], Any]]:
    """Replies of the tests, parsed."""
    return [(each["from"], options_of(each), read_json(FOLDER / each["file"])) for each in read_index()]


def read_reply(reply: Any, source: str, options: dict[str, Any]) -> None:
    """Read it, and evaluate what was read."""
    try:
        read = lc.venues.read(reply, source, **options)
        if read.policies:
            check(
                lc.Engine(read.policies, threads=1).evaluate(
                    read.book, read.marks, asset_prices=read.asset_prices
                )
            )
        lc.reconcile(reply, source, **options)
    except lc.LevcoreError:
        return


def tiers_target(data: bytes, folder: Path) -> None:
    """A reply with tiers."""
    path = folder / "tiers.json"
    path.write_bytes(data[1:])
    try:
        tables = read_tiers_file(path, SOURCES[data[0] % len(SOURCES)] if data else "binance")
    except lc.LevcoreError:
        return
    for table in tables.values():
        assert all(0 <= rate < 1 for rate in table.rates)
        assert np.isfinite(table.floors).all()


def number_target(data: bytes, folder: Path) -> None:
    """A text that may be a number: it is Python's, or refused."""
    text = data.decode("utf-8", "replace")
    try:
        number = text_to_number(text)
    except lc.LevcoreError:
        return
    assert number == float(text.strip()) if number == number else True


def check(risk: lc.BookRisk) -> None:
    """A healthy row has numbers."""
    healthy = risk.state == lc.State.HEALTHY
    assert np.isfinite(risk.equity[healthy]).all()


TARGETS: dict[str, Callable[[bytes, Path], None]] = {
    "table": table_target,
    "reply": reply_target,
    "tiers": tiers_target,
    "number": number_target,
}
"""What is done with bytes, and a folder to write in."""


def seeds(target: str) -> list[bytes]:
    """Inputs to begin with, from the files of examples and tests."""
    if target == "table":
        names = ("positions", "accounts", "instruments", "balances", "asset_prices", "assets", "marks")
        files = [path.read_bytes()[:4000] for path in sorted(EXAMPLES.glob("*/*.csv")) if path.stem in names]
        return [bytes([kind]) + text for kind, text in enumerate([POSITIONS, *files])]
    if target == "reply":
        replies = sorted(FOLDER.glob("*/*.json"))
        whole = [bytes([0, place % 5]) + path.read_bytes()[:8000] for place, path in enumerate(replies)]
        return [*whole, *(bytes([1 + 4 * place % 250, place, 0]) + b'"1.5"' for place in range(60))]
    if target == "tiers":
        return [bytes([place]) + BRACKETS for place in range(len(SOURCES))]
    return [
        b"1.5",
        b"-1e308",
        b"0.1e-400",
        b" 12 ",
        b"inf",
        b"nan",
        b"1_000",
        "\u0661".encode(),
        b"0x10",
        b"+.5e+3",
    ]


PIECES = (
    b"nan", b"-inf", b"1e400", b"1e-400", b'"', b",", b"\n", b"\r", b"\x00", b"\xff", b"{", b"[", b"null",
    b"true", b"-", b"9" * 60, b"e", b".", b"\xe2\x80\xae", b"[" * 2000, b"\xef\xbb\xbf",
    b"isolated_margin", b"account", b"0",
)  # fmt: skip


def mutations(target: str, seed: int) -> Iterator[bytes]:
    """Endless inputs: seeds with some bytes replaced, cut out, doubled or put in."""
    generator = random.Random(f"{target} {seed}")
    kept = seeds(target)
    while True:
        data = bytearray(generator.choice(kept))
        for _ in range(generator.choice((1, 1, 2, 4, 16))):
            place = generator.randrange(len(data) + 1)
            end = min(len(data), place + generator.choice((0, 1, 1, 4, 40)))
            piece = generator.choice(
                (b"", bytes([generator.randrange(256)]), generator.choice(PIECES), bytes(data[place:end]) * 2)
            )
            data[place:end] = piece
        yield bytes(data)
