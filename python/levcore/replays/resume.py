"""What a replay goes on from: an earlier one that was stopped, of the same arguments."""

from collections.abc import Sequence

import numpy as np

from levcore.arguments import of_kind
from levcore.book.positions import PositionBook
from levcore.errors import InputError
from levcore.replays.prices import Bars
from levcore.replays.result import Replay
from levcore.rules.policy import MarginPolicy

__all__ = ["befores_of"]

COLUMNS = (
    "instrument_codes",
    "quantity",
    "entry_price",
    "is_cross",
    "account_codes",
    "isolated_margin",
    "leverage",
    "accrued_funding",
    "risk_limit",
    "wallet_balance",
)


def befores_of(
    resume: Replay | None,
    ways: Sequence[str],
    policy: MarginPolicy,
    book: PositionBook,
    bars: Bars,
    per_unit: float,
) -> list[Replay | None]:
    """What each way through the bars goes on from.

    Raises
    ------
    DTypeError, InputError
        For what is no replay, or one of other arguments: its money and times would be mixed with theirs.
    """
    if resume is None:
        return [None] * len(ways)
    of_kind("resume", resume, Replay)
    befores = [resume] if resume.other is None else [resume, resume.other]
    paths = [each.path for each in befores]
    if paths != list(ways):
        raise _other("path", " and ".join(paths), " and ".join(ways))
    if resume.policy != policy:
        raise _other("policy", resume.policy.id, f"{policy.id} of other rules or tables")
    if not _are_same(resume.book, book):
        raise _other("book", repr(resume.book), f"{book!r} of other columns")
    closes = bars.closes(len(resume.instruments))
    if not (np.array_equal(resume.times, bars.times) and np.array_equal(resume.closes, closes, True)):
        raise _other("prices", f"{resume.times.size} times", f"{bars.times.size}, or other prices")
    if resume.per_unit != per_unit:
        raise _other("quantum", repr(1.0 / resume.per_unit), repr(1.0 / per_unit))
    return list(befores)


def _other(argument: str, expected: str, found: str) -> InputError:
    return InputError("resume", "must be of the same arguments", f"{argument}: {expected}", found)


def _are_same(one: PositionBook, other: PositionBook) -> bool:
    names = ("instrument_names", "account_ids", "position_mode")
    if any(getattr(one, name) != getattr(other, name) for name in names):
        return False
    pairs = ((getattr(one, name), getattr(other, name)) for name in COLUMNS)
    return all(
        a is b or (a is not None and b is not None and np.array_equal(a, b, a.dtype.kind == "f"))
        for a, b in pairs
    )
