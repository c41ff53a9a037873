"""What one process of a run makes for all of them, where pytest runs in several."""

from __future__ import annotations

import fcntl
import os
import pickle
from collections.abc import Callable
from typing import TypeVar

import pytest

__all__ = ["made_once"]

Made = TypeVar("Made")


def made_once(folders: pytest.TempPathFactory, name: str, make: Callable[[], Made]) -> Made:
    """What `make` gives: the first process that asks makes it, the others wait and read it.

    Parameters
    ----------
    folders : pytest.TempPathFactory
        Their folders stand in one that is the run's own, so that no other run's result is taken.
    name : str
        Unlike those of all other things that are made so.
    make : callable
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return make()
    kept = folders.getbasetemp().parent / f"{name}.pickle"
    # The lock goes with its process, whatever becomes of that.
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if kept.exists():
            found: Made = pickle.loads(kept.read_bytes())
            return found
        made = make()
        kept.write_bytes(pickle.dumps(made))
        return made
