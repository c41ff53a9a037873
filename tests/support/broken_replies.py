"""Recorded replies with one field broken, for tests of what becomes of them."""

import json
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from levcore.venues.json import read_json
from support.replies import FOLDER, options_of, read_index

__all__ = ["GARBAGE", "Broken", "broken_replies", "leaves", "put"]

MISSING = object()
GARBAGE: tuple[Any, ...] = (
    None, "", " ", "NaN", "nan", "-Infinity", "1e400", "1e-400", "1e999999999", "-1e9999999999", "0e99999",
    "abc", "1,000", "1_000", "0x10", "١٢", "--1", "1e", "9" * 500, "\x1b[31m", "\u202e", "\ud800", True,
    False, [], {}, [[]], [None], {"a": {}}, "null", MISSING,
)  # fmt: skip
"""Nothing of this is a number."""
NUMBERS: tuple[Any, ...] = (
    "0", "-0", "-1", "1", "1e300", "1e-300", "-1e308", "1.7e307", "1e-307", 0, -1, 1e308, 5e-324,
    float("nan"), float("inf"), "0.1", "123456789012345678901234567890.123456789", "999999", 10**30, "1e15",
    "3.0000000000000004",
)  # fmt: skip


class Broken(NamedTuple):
    """A reply of which one field was replaced."""

    file: str
    source: str
    path: tuple[Any, ...]
    value: Any
    is_garbage: bool
    data: Any
    options: dict[str, Any]


def broken_replies(count: int, seed: int) -> Iterator[Broken]:
    """Recorded replies, evenly chosen, with one field of each replaced."""
    generator = random.Random(seed)
    entries = [(entry, options_of(entry), read_json(FOLDER / entry["file"])) for entry in read_index()]
    for _ in range(count):
        entry, options, data = generator.choice(entries)
        path = generator.choice(list(leaves(data)))
        is_garbage = generator.random() < 0.5
        value = generator.choice(GARBAGE if is_garbage else NUMBERS)
        yield Broken(entry["file"], entry["from"], path, value, is_garbage, put(data, path, value), options)


def leaves(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Path of every value inside of parsed JSON, containers included."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in pairs:
        yield (*path, key)
        yield from leaves(value, (*path, key))


def put(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Copy of parsed JSON with one value replaced, or taken away."""
    copy = json.loads(json.dumps(data))
    target = copy
    for key in path[:-1]:
        target = target[key]
    if value is MISSING:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return copy
