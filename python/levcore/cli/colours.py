"""Colours of states in tables, on a terminal alone: pipes and files get the same bytes as ever."""

import os
import re
from collections.abc import Iterator
from typing import TextIO

from levcore.status import State

__all__ = ["has_colours", "painted", "red"]

RED, YELLOW, GREEN, DIM, PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[2m", "\x1b[0m"
COLOURS = {
    State.HEALTHY: GREEN,
    State.WARNING: YELLOW,
    State.MARGIN_CALL: YELLOW,
    State.LIQUIDATION: RED,
    State.BANKRUPT: RED,
    State.INCOMPLETE: DIM,
}
PHRASES = {state.phrase: colour for state, colour in COLOURS.items()}
HEAD = re.compile(r"(?<!\S)[Ss]tate(?!\S)")
"""Column of states in the heads of a table."""
CELL = re.compile(f"(?:{'|'.join(PHRASES)})(?=  |$)")


def has_colours(stream: TextIO) -> bool:
    """Whether a stream is a terminal whose user has nothing against colours (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def red(text: str) -> str:
    """Text in red."""
    return f"{RED}{text}{PLAIN}"


def painted(text: str) -> str:
    """Text whose tables have a column of states, with each of these in its colour."""
    return "\n".join(_lines(text))


def _lines(text: str) -> Iterator[str]:
    place = None
    for line in text.split("\n"):
        head = HEAD.search(line)
        if head is not None:
            place = head.start()
        elif not line.strip():
            place = None
        cell = None if place is None or head is not None else CELL.match(line, place)
        if cell is None:
            yield line
        else:
            word = cell.group()
            yield f"{line[: cell.start()]}{PHRASES[word]}{word}{PLAIN}{line[cell.end() :]}"
