"""Notes on standard error: why rows have no numbers that a table of the archive would have given."""

import numpy as np

from levcore.cli.terminal import note
from levcore.engine.risk import BookRisk
from levcore.status import Status

__all__ = ["note_missing"]

MOST = 20


def note_missing(risk: BookRisk) -> None:
    """Say of instruments that the policies lack what is known of them, and where tables are cut."""
    book = risk.book
    lacking = np.flatnonzero(np.isin(risk.status, (Status.UNKNOWN_INSTRUMENT, Status.TIER_OVERFLOW)))
    codes = book.policy_codes if book.policy_codes is not None else np.zeros(len(book), np.int64)
    seen = dict.fromkeys(
        (int(codes[row]), book.instrument_names[book.instrument_codes[row]]) for row in lacking.tolist()
    )
    for code, name in list(seen)[:MOST]:
        policy = risk.policies[code]
        table = policy.instruments
        said = table.limit(name) if name in table else f"is not in its table; {table.missing(name)}"
        if said:
            note(f"note: {name} under {policy.id}: {said}")
    if len(seen) > MOST:
        note(f"note: and {len(seen) - MOST} more such instruments")
