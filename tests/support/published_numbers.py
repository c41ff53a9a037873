"""How a published number is read from a result, and when the two agree."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from typing import Any

import levcore as lc
from levcore.engine.displayed_prices import displayed_price
from levcore.measures import ACCOUNT_MEASURES, BALANCE_MEASURES
from levcore.status import FIRST_FAILURE

ROUND_OFF = 4
"""Units in the last place of float64 that a sum of a few terms may be off where more digits are printed."""


def sum_of_cut(risk: lc.BookRisk, measure: str) -> float:
    """Sum over the cross positions of a measure cut to 6 decimals, as the venue adds up."""
    numbers = risk[measure][risk.book.is_cross].tolist()
    # Rounded first, so that the round-off of a number of 6 decimals does not cost it its last one.
    return float(sum(cut(Decimal(repr(round(number, 9))), 6) for number in numbers))


def cut(number: Decimal, decimals: int) -> Decimal:
    """Cut a number to some decimals, toward zero."""
    return number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_DOWN)


def displayed(risk: lc.BookRisk, row: int, measure: str) -> float:
    """Price of a row as the venue displays it."""
    instrument = risk.policy.instruments[risk.book.name_of(row)]
    price, quantity = float(risk[measure][row]), float(risk.book.quantity[row])
    if measure == "bankruptcy_price":
        return displayed_price(risk.policy, instrument, price, quantity, "bankruptcy")
    return displayed_price(risk.policy, instrument, price, quantity)


def of_row(measure: str) -> Callable[[lc.BookRisk, int], float]:
    """Reading of one of levcore's measures."""
    return lambda risk, row: float(risk[measure][row])


def of_account(measure: str) -> Callable[[lc.BookRisk, int], float]:
    """Reading of a measure of an account; the row is the account's place in ``risk.accounts``."""
    return lambda risk, place: float(getattr(risk.accounts, measure)[place])


def liquidatable(state: int) -> float:
    """1 where a state is one of liquidation, 0 where it is not; NaN where it could not be judged."""
    if state == lc.State.INCOMPLETE:
        return math.nan
    return float(state >= lc.State.LIQUIDATION)


def of_balance(measure: str) -> Callable[[lc.BookRisk, int], float]:
    """Reading of a measure of a balance; the row is the balance's."""
    return lambda risk, row: float(getattr(risk.balances, measure)[row])


READINGS: dict[str, Callable[[lc.BookRisk, int], float]] = {
    **{measure.name: of_row(measure.name) for measure in lc.MEASURES},
    "displayed_liquidation_price": lambda risk, row: displayed(risk, row, "liquidation_price"),
    "displayed_bankruptcy_price": lambda risk, row: displayed(risk, row, "bankruptcy_price"),
    "inverse_margin_ratio": lambda risk, row: 1.0 / float(risk.margin_ratio[row]),
    "liquidatable": lambda risk, row: liquidatable(int(risk.state[row])),
    "account_liquidatable": lambda risk, place: liquidatable(int(risk.accounts.state[place])),
    **{f"account_{measure}": of_account(measure) for measure in ACCOUNT_MEASURES},
    **{f"balance_{measure}": of_balance(measure) for measure in BALANCE_MEASURES},
    "account_inverse_margin_ratio": lambda risk, place: 1.0 / float(risk.accounts.margin_ratio[place]),
    "account_initial_margin_ratio": lambda risk, place: float(
        risk.accounts.initial_margin[place] / risk.accounts.equity[place]
    ),
    "cross_initial_margin_cut": lambda risk, _: sum_of_cut(risk, "initial_margin"),
    "cross_maintenance_margin_cut": lambda risk, _: sum_of_cut(risk, "maintenance_margin"),
    "cross_notional": lambda risk, _: float(risk.notional[risk.book.is_cross].sum()),
    "total_notional": lambda risk, _: float(risk.notional.sum()),
    "total_unrealized_pnl": lambda risk, _: float(risk.unrealized_pnl.sum()),
    "total_equity": lambda risk, _: float(
        risk.accounts.equity.sum() + risk.equity[~risk.book.is_cross].sum()
    ),
}
"""How an output is read from a result; measures of levcore by their names."""


def return_of_notional(risk: lc.BookRisk, row: int) -> float:
    """What the return on equity would be if the whole notional were profit."""
    profit = float(risk.unrealized_pnl[row])
    return float(risk.notional[row] * (risk.return_on_equity[row] / profit)) if profit else 0.0


TERMS: dict[str, Callable[[lc.BookRisk, int], float]] = {
    "unrealized_pnl": of_row("notional"),
    "total_unrealized_pnl": lambda risk, _: float(risk.notional.sum()),
    "return_on_equity": return_of_notional,
    "account_free_margin": of_account("equity"),
}
"""Larger term of outputs that are differences: float64 rounds those by it, not by the difference."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A printed number beside levcore's.

    Parameters
    ----------
    expected : dict
        ``printed`` is the number as printed, or None where the venue prints that there is none; ``measure``
        names its reading. The venue's number is ``scale`` (a fraction such as ``"100/28"``) times the
        reading ``plus`` a number of the same source. ``decimals`` is how many decimals the venue prints,
        where zeros were dropped or float noise added; ``digits`` "cut" means that it cuts instead of
        rounding; ``ticks_off`` how many ticks the print is above the formula. ``tolerance`` and ``relative``
        widen half a unit of the last digit where the note says why.
    number : float
        levcore's.
    term : float
        Larger term where the number is a difference, else 0.
    status : int
        Status of the row it was read from.
    tick : float, optional
        Tick size of the instrument.
    """

    expected: dict[str, Any]
    number: float
    term: float = 0.0
    status: int = lc.Status.OK
    tick: float | None = None

    @property
    def is_of_printed_digits(self) -> bool:
        """Whether nothing but the printed digits limits the deviation."""
        return "tolerance" not in self.expected and "relative" not in self.expected

    @property
    def relative_deviation(self) -> float:
        """Deviation as a fraction of what was printed."""
        if self.expected["printed"] is None:
            return 0.0
        printed = printed_number(self.expected, self.tick)
        deviation = abs(Decimal(self.number) - printed)
        return float(deviation / abs(printed)) if printed else float(deviation)

    def check(self) -> None:
        """Assert that the numbers agree."""
        assert self.status < FIRST_FAILURE, lc.Status(self.status).name
        if self.expected["printed"] is None:
            assert math.isnan(self.number), self.number
            assert self.status == lc.Status.NO_LIQUIDATION_PRICE
        else:
            check(self.number, self.expected, self.tick, self.term)


def read_number(risk: lc.BookRisk, row: int, expected: dict[str, Any]) -> tuple[float, float]:
    """Number as the venue counts it, and its largest term."""
    measure = expected["measure"]
    scale = float(Fraction(expected.get("scale", 1)))
    plus = float(expected.get("plus", 0.0))
    scaled = READINGS[measure](risk, row) * scale
    larger = TERMS[measure](risk, row) * scale if measure in TERMS else scaled
    return scaled + plus, max(abs(larger), abs(plus))


def printed_number(expected: dict[str, Any], tick: float | None) -> Decimal:
    """Number to compare with: the printed one, with the decimals and the ticks that the case states."""
    printed = Decimal(expected["printed"])
    if "decimals" in expected:
        printed = printed.quantize(Decimal(1).scaleb(-expected["decimals"]))
    if "ticks_off" in expected:
        assert tick is not None
        printed -= expected["ticks_off"] * Decimal(repr(tick))
    return printed


def check(number: float, expected: dict[str, Any], tick: float | None = None, term: float = 0.0) -> None:
    """Compare a number with what was printed, to the printed digits unless the case states a tolerance."""
    what = f"{expected['measure']}: {number!r}, printed {expected['printed']}"
    printed = printed_number(expected, tick)
    exponent = printed.as_tuple().exponent
    assert isinstance(exponent, int)
    digit = Decimal(1).scaleb(min(exponent, 0))
    slack = ROUND_OFF * Decimal(math.ulp(max(abs(number), term)))
    assert math.isfinite(number), what
    if expected["measure"].startswith("displayed"):
        assert number == float(printed), what
    elif expected.get("digits") == "cut":
        beyond = (Decimal(number) - printed).copy_sign(1)
        assert abs(Decimal(number)) >= abs(printed) - slack, what
        assert beyond < digit + slack, what
    else:
        tolerance = Decimal(repr(expected.get("tolerance", 0.0)))
        tolerance = tolerance or Decimal(repr(expected.get("relative", 0.0))) * abs(printed) or digit / 2
        assert abs(Decimal(number) - printed) <= tolerance + slack, what
