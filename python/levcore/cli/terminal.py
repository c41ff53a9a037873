"""What the commands say: names of a file never steer the terminal that shows them."""

import errno
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TextIO

from levcore.cli.colours import has_colours, painted, red
from levcore.cli.told import remedies
from levcore.reports.steering import shown

__all__ = ["fail", "note", "open_streams", "say", "write_rows"]


def say(text: str, stream: TextIO | None = None) -> None:
    """Print text, on standard output where no stream is given."""
    to = stream or sys.stdout
    clean = shown(text)
    print(painted(clean) if has_colours(to) else clean, file=to)


def note(text: str) -> None:
    """Print a line of the command's own on standard error."""
    say(f"levcore: {remedies(text)}", sys.stderr)


def fail(text: str) -> None:
    """Print what made the command fail on standard error."""
    word = red("error:") if has_colours(sys.stderr) else "error:"
    print(f"levcore: {word} {shown(text)}", file=sys.stderr)


def open_streams() -> None:
    """Put an empty stream where standard input or error is closed, so that no file takes its place.

    Raises
    ------
    OSError
        Where standard output is closed: what it should hold would be lost.
    """
    nothing = Path(os.devnull)
    sys.stdin = sys.stdin or nothing.open(encoding="utf-8")
    sys.stderr = sys.stderr or nothing.open("w", encoding="utf-8")
    if sys.stdout is None:
        sys.stdout = nothing.open("w", encoding="utf-8")
        raise OSError(errno.EBADF, "is closed; > /dev/null discards it", "standard output")


def write_rows(write: Callable[[BinaryIO], object]) -> None:
    """Put what `write` writes on standard output, on a terminal as `shown`."""
    rows = io.BytesIO()
    write(rows)
    buffer: BinaryIO | None = getattr(sys.stdout, "buffer", None)
    if buffer is None or sys.stdout.isatty():
        sys.stdout.write(shown(rows.getvalue().decode()))
        return
    sys.stdout.flush()
    buffer.write(rows.getbuffer())
    buffer.flush()
