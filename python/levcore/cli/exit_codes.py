"""What the commands exit with; ``docs/exit_codes.md`` is the same as a page."""

__all__ = [
    "EXIT_CODES",
    "FAILED",
    "FOUND",
    "INTERRUPTED",
    "NOTHING_COMPARED",
    "OK",
    "RECONCILE_EXIT_CODES",
    "TERMINATED",
]

OK = 0
FAILED = 1
"""The command failed, with a message on standard error."""
FOUND = 2
"""Something needs a look: a margin call, or a number that differs for no reason found."""
NOTHING_COMPARED = 3
"""Nothing was judged, or nothing compared of the whole reply or of one of its positions."""
INTERRUPTED = 130
TERMINATED = 143

EXIT_CODES = (
    "Exit code: 0 all is well; 2 something is in margin call or worse, or could not be judged; "
    "3 there was nothing to judge; 1 the command failed."
)
RECONCILE_EXIT_CODES = (
    "Exit code: 0 of every position numbers were compared, and each agrees or differs for a known reason; "
    "2 one differs for no reason found; 3 nothing was compared, of the whole reply or of one of its "
    "positions; 1 the command failed."
)
