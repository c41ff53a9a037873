"""What the report on a replay adds up: by who paid, by account, over time."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.replays.result import Replay

if TYPE_CHECKING:
    from levcore.closing.money import Wholes

__all__ = ["Loser", "losers", "paid_by", "share_of_few", "thinned"]

MOST_PLACES = 360


@dataclass(frozen=True, slots=True)
class Loser:
    """An account that was liquidated, or an isolated position without one; amounts in settlement currency."""

    label: str
    positions: int
    loss: float
    fees: float
    missing: float
    unpaid: float


def paid_by(replay: Replay) -> list[tuple[str, float]]:
    """What was missing, and who paid how much of it, in settlement currency; nobody who paid nothing."""
    totals = replay.totals()
    words = (
        ("insurance fund", "fund"),
        ("deleveraged winners", "deleveraging"),
        ("all winners", "socialised"),
        ("owed by traders", "owed"),
        ("claims reserved", "claim"),
        ("written off by the venue", "written_off"),
    )
    return [(word, totals[name]) for word, name in words if totals[name]]


def losers(replay: Replay) -> list[Loser]:
    """Accounts by what was missing, then by loss, the largest first."""
    e = replay.events
    chosen = np.flatnonzero(e.of_liquidations)
    rows = e.row[chosen]
    names = [_name(replay, int(row)) for row in rows]
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    of = np.array([places[name] for name in names], dtype=np.int64)

    def summed(column: "Wholes") -> npt.NDArray[np.float64]:
        sums = np.zeros(len(places), dtype=np.int64)
        np.add.at(sums, of, column[chosen])
        return sums / replay.per_unit

    loss, fees, unpaid = summed(e.to_trigger + e.past_trigger), summed(e.fees), summed(e.unpaid)
    missing = summed(e.fund + e.deleveraging + e.socialised + e.unpaid)
    counts = np.bincount(of, minlength=len(places))
    order = np.lexsort((np.arange(len(places)), -loss, -missing))
    labels = list(places)
    return [
        Loser(
            labels[at],
            int(counts[at]),
            float(loss[at]),
            float(fees[at]),
            float(missing[at]),
            float(unpaid[at]),
        )
        for at in order.tolist()
    ]


def _name(replay: Replay, row: int) -> str:
    label = replay.book.account_of(row)
    return f"position {row}" if label is None else str(label)


def share_of_few(amounts: npt.NDArray[Any], few: int) -> float:
    """Share of a sum that its largest `few` parts have; NaN of nothing."""
    total = float(amounts.sum())
    return float(np.sort(amounts)[::-1][:few].sum()) / total if total > 0 else float("nan")


def thinned(count: int) -> npt.NDArray[np.int64]:
    """Places of a series that are drawn: all, or evenly chosen ones with the last."""
    if count <= MOST_PLACES:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, MOST_PLACES).round().astype(np.int64))
