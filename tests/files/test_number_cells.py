"""One rule by which text is a number, in every file; what float64 cannot hold is refused, not rounded."""

import math
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

import levcore as lc
from levcore._levcore import text_to_number
from levcore.errors import FileFormatError, InputError, TierError
from levcore.files.balances import read_asset_prices
from levcore.files.instruments import read_instruments
from levcore.files.positions import read_accounts, read_marks, read_positions

NUMBERS = [
    "0",
    "-0.0",
    "1e3",
    "+1.5",
    ".5",
    "5.",
    " 7 ",
    "007",
    "1E-300",
    "4.9e-324",
    "1.7976931348623157e308",
]
MISSING = ["", "   ", "nan", "NaN"]
# Digits with separators, two numbers, other alphabets, hexadecimals, beyond float64, below it.
NO_NUMBERS = [
    "1_0",
    "1,0",
    "1 0",
    "--1",
    "0x1p3",
    "1e",
    "e1",
    "١",
    "½",
    "1e400",
    "-1e300000000",
    "1e-400",
    "2e-324",
]


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_is_that_of_python_to_the_bit(text: str) -> None:
    found = text_to_number(text)
    assert (found, math.copysign(1, found)) == (float(text), math.copysign(1, float(text)))


@pytest.mark.parametrize("text", MISSING)
def test_nothing_is_missing_and_never_zero(text: str) -> None:
    assert math.isnan(text_to_number(text))


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_number_is_refused_in_every_file(text: str, tmp_path: Path) -> None:
    cell = f'"{text}"'
    files: dict[str, tuple[Callable[..., object], str]] = {
        "accounts.csv": (read_accounts, f"account,wallet_balance\na,{cell}\n"),
        "marks.csv": (read_marks, f"instrument,mark_price\nBTCUSDT,{cell}\n"),
        "prices.csv": (read_asset_prices, f"asset,price\nBTC,{cell}\n"),
        "positions.csv": (
            read_positions,
            f"instrument,quantity,entry_price,mark_price,margin_mode,leverage\nX,1,{cell},1,isolated,1\n",
        ),
        "instruments.csv": (
            read_instruments,
            f"instrument,payoff,contract_size,floor,rate,unit,tick_size\nX,linear,1,0,0.01,quote,{cell}\n",
        ),
        "floors.csv": (
            read_instruments,
            f"instrument,payoff,contract_size,floor,rate,unit\nX,linear,1,0,0.01,quote\n"
            f"X,linear,1,{cell},0.02,quote\n",
        ),
    }
    with pytest.raises(InputError):
        text_to_number(text)
    for name, (read, content) in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
        with pytest.raises(FileFormatError) as caught:
            read(tmp_path / name)
        assert caught.value.line == (3 if name == "floors.csv" else 2)
        assert repr(text) in str(caught.value)


@pytest.mark.parametrize("floor", ["1e300000000", "-1e300000000", "0e300000000", Decimal("1e99999")])
def test_a_floor_of_many_digits_does_not_hang(floor: str | Decimal) -> None:
    rows = [(0, "0.01"), (floor, "0.02")]
    with pytest.raises(TierError):
        lc.TierTable.marginal(rows, unit="quote")
