"""Numbers and sides as people type them; what cannot be read says what is expected."""

import argparse
import re
from typing import Literal

from levcore.cli.terminal import note

__all__ = ["amount", "fees", "fraction", "leverage", "rate", "side", "whole"]

HIGH_RATE = 0.01
"""Taker fees and funding of a day stay below it at every venue of the archive."""

_NUMBER = re.compile(
    r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?)", re.ASCII | re.IGNORECASE
)
_SIDES: dict[str, Literal["long", "short"]] = {
    "long": "long",
    "buy": "long",
    "short": "short",
    "sell": "short",
}


def _refused(rule: str, expected: str, text: str) -> argparse.ArgumentTypeError:
    return argparse.ArgumentTypeError(f"{rule}; expected {expected}, found {text!r}")


def amount(text: str) -> float:
    """Price, amount or size: a decimal number; a share of something is none."""
    if text.endswith("%"):
        raise _refused("is a price or an amount, no share of one", "a number such as 2850.5", text)
    if not _NUMBER.fullmatch(text):
        raise _refused("must be a number", "digits and a decimal point, no separators or units: 2850.5", text)
    return float(text)


def leverage(text: str) -> float:
    """Leverage as venues show it: ``20`` and ``20x`` are the same."""
    number = text[:-1] if text[-1:] in ("x", "X") else text
    if not _NUMBER.fullmatch(number):
        raise _refused("must be a leverage", "a number such as 20, or 20x", text)
    return float(number)


def fraction(text: str) -> float:
    """Share of something; ``15%`` is 0.15."""
    number = text.removesuffix("%")
    if not _NUMBER.fullmatch(number):
        raise _refused("must be a share", "per cent such as 15%, which is 0.15", text)
    return float(number) / 100 if text.endswith("%") else float(number)


def rate(text: str) -> float:
    """Rate of a fee or of funding; a high one may have lost its per cent sign, so that it is told."""
    found = fraction(text)
    if abs(found) >= HIGH_RATE and not text.endswith("%"):
        note(f"note: {text} is {found * 100:g} %; per cent are written {text}%")
    return found


def fees(text: str) -> Literal["regular"] | float:
    """Word for the fees of the lowest account tier, or a taker rate."""
    if text != "regular" and not _NUMBER.fullmatch(text.removesuffix("%")):
        raise _refused("must be fees", "'regular', or per cent such as 0.05%", text)
    return "regular" if text == "regular" else rate(text)


def side(text: str) -> Literal["long", "short"]:
    """Side of a position, in any case; ``buy`` opens a long, ``sell`` a short one."""
    found = _SIDES.get(text.lower())
    if found is None:
        raise _refused("must be a side", "long or short", text)
    return found


def whole(text: str) -> int:
    """Count."""
    if not re.fullmatch(r"[+-]?\d+", text, re.ASCII):
        raise _refused("must be a whole number", "digits alone, such as 12", text)
    return int(text)
