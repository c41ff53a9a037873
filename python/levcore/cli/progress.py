"""Progress of long work, told on the standard error stream."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

from levcore.reports.steering import shown

__all__ = ["Progress"]

# Seconds until a step is worth a word, and between two words about it.
ON_TERMINAL = (0.5, 0.1)
ELSEWHERE = (5.0, 5.0)


class Progress:
    """Tells what is being done: on a terminal in one line that renews itself, elsewhere a line now and then.

    Work that is over soon is not told at all.

    Parameters
    ----------
    stream : text stream, optional
        Where to tell it, standard error where it is not given.
    clock : callable, optional
        Seconds that only rise, for tests.
    """

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._is_terminal = self._stream.isatty()
        self._clock = clock
        self._line_is_open = False

    def step(self, what: str) -> Callable[[int], None]:
        """Begin a step; call what comes back with the number of rows done so far."""
        self.clear()
        first, between = ON_TERMINAL if self._is_terminal else ELSEWHERE
        due = self._clock() + first

        def rows_done(rows: int) -> None:
            nonlocal due
            now = self._clock()
            if now >= due:
                due = now + between
                self._tell(shown(f"{what}: {rows:,} rows"))

        return rows_done

    def clear(self) -> None:
        """Remove the line from the terminal, so that something else can be written."""
        if self._line_is_open:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._line_is_open = False

    def _tell(self, text: str) -> None:
        if self._is_terminal:
            self._stream.write(f"\r\x1b[K{text}")
            self._line_is_open = True
        else:
            self._stream.write(f"{text}\n")
        self._stream.flush()
