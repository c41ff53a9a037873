"""Fee schedules as dated facts: chosen by the caller, never assumed.

``data/fees.txt`` holds a line for each schedule and date, written by ``tools/pack_tiers.py``::

    schedule | date | account tier | maker | taker | liquidation | venue or secondary | source | note

Fees are fractions of value, ``-`` is what the source does not hold. ``secondary`` says that the source is not
the venue's own. Tiers named ``all`` or ``contract default`` are of no account.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from levcore.arguments import number_in, of_kind, texts_of
from levcore.errors import FileFormatError, InputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Fees", "read_fees", "regular_fees"]

OF_NO_ACCOUNT = ("all", "contract default")
COLUMNS = 9


@dataclass(frozen=True, slots=True)
class Fees:
    """Fees of one account tier of a venue's product at a date.

    Parameters
    ----------
    schedule : str
        ``"bybit-linear"``.
    as_of, tier, source, note : str
        Date, the venue's name of the account tier, where it was read, what else the source says.
    maker, taker : float or None, fraction of value
        None where the source does not hold it; a negative maker fee is a rebate.
    liquidation_fee : float or None, fraction of value
        What a liquidation costs beside; None where not known for the product as a whole.
    secondary : bool
        Whether the source is another than the venue.
    """

    schedule: str
    as_of: str
    tier: str
    maker: float | None
    taker: float | None
    liquidation_fee: float | None
    secondary: bool
    source: str
    note: str = ""

    def __post_init__(self) -> None:
        """Check the texts, and that rates are fractions."""
        texts_of(self, "schedule", "as_of", "tier", "source", "note")
        of_kind("secondary", self.secondary, bool)
        for name in ("maker", "taker", "liquidation_fee"):
            rate = getattr(self, name)
            if rate is not None:
                number_in(name, rate, -1.0, 1.0, "must be a fraction of value", "0.0005 for 0.05 %, or None")

    def __str__(self) -> str:
        """Rates with their date and source in one line."""
        rates = f"taker {_text(self.taker)}, maker {_text(self.maker)}"
        if self.liquidation_fee is not None:
            rates += f", liquidation {_text(self.liquidation_fee)}"
        origin = "secondary source" if self.secondary else "source"
        return f"{self.schedule}: {rates}; {self.tier}, as of {self.as_of}; {origin}: {self.source}"


def _text(rate: float | None) -> str:
    return "unknown" if rate is None else f"{rate:.6f}".rstrip("0").rstrip(".")


def regular_fees(schedule: str, as_of: str | None = None) -> Fees:
    """Fees of the lowest account tier.

    Parameters
    ----------
    schedule : str
        Name of the schedule.
    as_of : str, optional
        A date of it; the newest by default.

    Raises
    ------
    InputError
        Where there is no such schedule or date.
    """
    lines = [line for line in read_fees() if line.schedule == schedule and line.tier not in OF_NO_ACCOUNT]
    chosen = [line for line in lines if as_of in (None, line.as_of)]
    if not chosen:
        dates = ", ".join(line.as_of for line in lines)
        expected = f"one of {dates}" if lines else "a schedule that is bundled"
        raise InputError("fees", f"of {schedule} are not bundled", expected, repr(as_of or schedule))
    return max(chosen, key=lambda line: line.as_of)


def fees_file() -> "Path":
    """The bundled file."""
    from pathlib import Path

    return Path(__file__).with_name("data") / "fees.txt"


@cache
def read_fees() -> tuple[Fees, ...]:
    """Every line of the file, in its order.

    Raises
    ------
    FileFormatError
        Where a line is not of the form, or a fee is no fraction of value.
    """
    found = []
    file = fees_file()
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#"):
            continue
        cells = line.split(" | ")
        cells += [""] * (COLUMNS - len(cells))
        if len(cells) != COLUMNS or cells[6] not in ("venue", "secondary"):
            raise FileFormatError(file.name, "must be a line of fees", f"{COLUMNS} cells", line, number)
        maker, taker, liquidation = (None if cell == "-" else float(cell) for cell in cells[3:6])
        if not all(rate is None or -0.01 < rate < 0.1 for rate in (maker, taker, liquidation)):
            raise FileFormatError(file.name, "must hold fractions of value", "-0.01 to 0.1", line, number)
        secondary = cells[6] == "secondary"
        schedule, as_of, tier, source, note = (*cells[:3], *cells[7:])
        found.append(Fees(schedule, as_of, tier, maker, taker, liquidation, secondary, source, note))
    return tuple(found)
