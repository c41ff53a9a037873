"""Partitions that are read at once: one as a book in a worker, and what all of them have in common."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from levcore.book.frames import Positions, positions_of_frame
from levcore.book.positions import PositionBook
from levcore.cluster.batches import sizes_of
from levcore.cluster.partitions import engine_of
from levcore.cluster.prices import Prices
from levcore.cluster.whole_accounts import NotInputs, Owners
from levcore.engine.engine import Engine
from levcore.files.batches import read_batches

__all__ = ["Known", "Partition", "Reading"]


class Partition(NamedTuple):
    """One partition as a book, with the engine to evaluate it and the prices that it is marked at."""

    engine: Engine
    prices: Prices
    positions: Positions
    book: PositionBook


class Reading(NamedTuple):
    """How partitions are read, as it travels to the workers; `engine` is pickled."""

    engine: bytes
    marks: Mapping[str, Any] | None
    position_mode: Literal["one_way", "hedge"]
    not_inputs: NotInputs

    def read(self, source: Any) -> Partition:
        """Book of a file or a frame."""
        frame = next(read_batches(source, None)) if isinstance(source, (str, Path)) else source
        engine, columns = engine_of(self.engine), self.not_inputs
        positions = positions_of_frame(frame, ignore_columns=columns.ignored, pass_columns=columns.passed)
        book = positions.book(position_mode=self.position_mode, instruments=sizes_of(engine))
        return Partition(engine, Prices(self.marks), positions, book)


class Known:
    """What is known of the partitions that are done: their rows, prices and accounts."""

    def __init__(self, check_accounts: bool) -> None:
        self.rows: int = 0
        self._prices, self._owners = Prices(), Owners() if check_accounts else None

    def note(self, place: int, accounts: tuple[Any, ...], prices: Prices, rows: int) -> None:
        """Take note of a partition that is done.

        Raises
        ------
        InputError
            Where an account of it is in another one as well, or a mark of it is another one there.
        """
        if self._owners is not None:
            self._owners.take(place, accounts)
        self._prices.add(prices)
        self.rows += rows
