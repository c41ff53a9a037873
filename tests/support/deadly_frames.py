"""Frames that kill the process which reads them, as a machine without memory does."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import polars as pl


class DeadlyFrame:
    """A frame that kills its first readers.

    Parameters
    ----------
    frame : DataFrame
    folder : Path
        Where the dead are counted.
    deaths : int
        How many readers die.
    """

    def __init__(self, frame: pl.DataFrame, folder: Path, deaths: int) -> None:
        self.frame, self.folder, self.deaths = frame, folder, deaths

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Rows, for those who live to see them."""
        dead = len(list(self.folder.glob("dead-*")))
        if dead < self.deaths:
            (self.folder / f"dead-{dead}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.frame.__arrow_c_stream__()
