"""Round numbers for axes."""

import math
from collections.abc import Sequence

__all__ = ["label_rows", "nice_ticks"]


def nice_ticks(low: float, high: float, about: int = 5, *, whole: bool = False) -> list[float]:
    """Round numbers from `low` or below to `high` or above, a step of 1, 2 or 5 times a power of ten apart.

    Parameters
    ----------
    low, high : float
        Finite; an empty or inverted range becomes one of length 1.
    about : int
        How many steps to aim at.
    whole : bool
        Whether only whole numbers make sense, as for counts.

    Returns
    -------
    list of float
        Ascending, at least two.

    Examples
    --------
    >>> nice_ticks(0, 23)
    [0.0, 5.0, 10.0, 15.0, 20.0, 25.0]
    """
    if not high > low:
        high = low + 1.0
    # Not finer than the numbers themselves are, or two ticks would be one.
    finest = 4.0 * math.ulp(max(abs(low), abs(high)))
    raw = max((high - low) / about, finest, 1.0 if whole else 0.0)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    # Rounded to the digits of the step, so that a tick reads 0.3 and not 0.30000000000000004.
    digits = max(0, -math.floor(math.log10(step)))
    return [round(place * step, digits) for place in range(first, last + 1)]


LABEL_ROOM = 0.27
"""Share of an axis that the label of a rule may take."""


def label_rows(places: Sequence[float], low: float, high: float) -> list[int]:
    """Row of each label above an axis: above those that it, written to the right, would run into.

    Parameters
    ----------
    places : sequence of float
        Ascending.
    low, high : float
        Ends of the axis.

    Examples
    --------
    >>> label_rows([54.0, 54.2, 60.0, 70.0], 50.0, 75.0)
    [2, 1, 0, 0]
    """
    room, rows = LABEL_ROOM * (high - low), [0] * len(places)
    for number in range(len(places) - 1, -1, -1):
        right = [
            rows[other] for other in range(number + 1, len(places)) if places[other] < places[number] + room
        ]
        rows[number] = max(right, default=-1) + 1
    return rows
