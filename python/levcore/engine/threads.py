"""How many threads a call runs on."""

import os
from functools import lru_cache

from levcore._levcore import default_threads
from levcore.errors import DTypeError, InputError

__all__ = ["SMALL_BOOK", "checked_threads", "threads_of_call"]

SMALL_BOOK = 16_384
"""Rows up to which a second thread gains too little to take a core for it."""


def checked_threads(threads: int) -> int:
    """`threads`, if it can be a number of threads.

    Raises
    ------
    DTypeError, InputError
        For what is no whole number, or not from 1 to 256.
    """
    if isinstance(threads, bool) or not isinstance(threads, int):
        raise DTypeError("threads", "must be a whole number", "int", type(threads).__name__)
    if not 1 <= threads <= 256:
        raise InputError("threads", "must be from 1 to 256", "1 to 256", str(threads))
    return threads


def threads_of_call(threads: int | None, rows: int, usual: int | None = None) -> int:
    """Threads of a call on so many rows: those asked for, one for a small book, else the `usual` ones."""
    if threads is not None:
        return checked_threads(threads)
    if rows <= SMALL_BOOK:
        return 1
    return _default_threads(os.environ.get("LEVCORE_NUM_THREADS")) if usual is None else usual


@lru_cache(maxsize=8)
def _default_threads(setting: str | None) -> int:
    """Found once for a setting: asking the system for its cores takes as long as some thousand rows."""
    return default_threads()
