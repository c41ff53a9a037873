"""Numbers as the reports print them; a missing one is a dash, never a zero."""

import math

__all__ = ["MISSING", "amount", "count", "distance", "percent", "price", "prices", "ratio", "short"]

MISSING = "–"
SUFFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def amount(value: float) -> str:
    """Amount of money: two decimals, more where it is small, none from ten million on, thousands separated.

    Examples
    --------
    >>> amount(9077249.256), amount(-0.00123456), amount(float("nan"))
    ('9,077,249.26', '-0.001235', '–')
    """
    if not math.isfinite(value):
        return _not_finite(value)
    if value == 0 or abs(value) >= 0.1:
        decimals = 2 if abs(value) < 1e7 else 0
    else:
        decimals = min(12, 3 - math.floor(math.log10(abs(value))))
    return _without_negative_zero(f"{value:,.{decimals}f}")


def count(value: float) -> str:
    """Whole number, thousands separated."""
    return f"{int(value):,}"


def price(value: float, *, fixed: bool = False) -> str:
    """Price to seven significant digits; zeros at the end are left out unless `fixed`, for columns.

    Examples
    --------
    >>> price(95137.8), price(0.02966437), price(5387394.78)
    ('95,137.8', '0.02966437', '5,387,395')
    >>> price(95137.8, fixed=True), price(202.227, fixed=True)
    ('95,137.80', '202.2270')
    """
    if not math.isfinite(value):
        return _not_finite(value)
    if value == 0:
        return "0"
    decimals = min(15, max(0, 6 - math.floor(math.log10(abs(value)))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text and not fixed else text


def prices(first: float, second: float) -> str:
    """Two prices, or the one of them that there is.

    Examples
    --------
    >>> prices(62_464.59, 131_000.0), prices(62_464.59, float("nan"))
    ('62,464.59 / 131,000', '62,464.59')
    """
    known = [price(value) for value in (first, second) if not math.isnan(value)]
    return " / ".join(known) or MISSING


def percent(value: float, decimals: int = 2) -> str:
    """Fraction as per cent.

    Examples
    --------
    >>> percent(0.1234), percent(float("inf"))
    ('12.34 %', '∞')
    """
    if not math.isfinite(value):
        return _not_finite(value)
    if abs(value) >= 10:
        decimals = 0
    return _without_negative_zero(f"{100 * value:,.{decimals}f}") + " %"


def ratio(value: float) -> str:
    """Margin ratio as per cent; one below 100 % never reads as 100 %.

    Examples
    --------
    >>> ratio(0.43216), ratio(0.99999)
    ('43.22 %', '< 100 %')
    """
    text = percent(value)
    return "< 100 %" if value < 1 and text.startswith("100") else text


def distance(value: float) -> str:
    """Distance to liquidation; how far past says nothing for a small leg of a large account."""
    return "past" if value < 0 else percent(value, 2 if value >= 0.001 else 4)


def short(value: float) -> str:
    """Three significant digits with a suffix, for axes and headlines.

    Examples
    --------
    >>> short(9077249.256), short(-1500), short(0.25)
    ('9.08 M', '-1.5 k', '0.25')
    """
    if not math.isfinite(value):
        return _not_finite(value)
    for size, suffix in SUFFIXES:
        # 999,950 already reads as 1 M, not as 1,000 k.
        if abs(value) >= 0.9995 * size:
            return f"{_three_digits(value / size)} {suffix}"
    return _three_digits(value)


def _three_digits(value: float) -> str:
    if value == 0:
        return "0"
    decimals = min(12, max(0, 2 - math.floor(math.log10(abs(value)))))
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _not_finite(value: float) -> str:
    return MISSING if math.isnan(value) else "∞" if value > 0 else "-∞"


def _without_negative_zero(text: str) -> str:
    return text[1:] if text.startswith("-") and not text.strip("-0.,") else text
