"""Which column means what: synonyms are read, what looks like an input and is not read is refused."""

from pathlib import Path

import pytest

import levcore as lc
from levcore.book.column_names import AMBIGUOUS, NAMES, ColumnFault, name_columns
from levcore.book.frames import NUMBER_COLUMNS, REQUIRED_COLUMNS, TEXT_COLUMNS
from levcore.cli.main import main
from levcore.errors import FileFormatError
from levcore.files.positions import read_accounts, read_positions

POLICY = lc.policy("binance-usdm@2024-10-24")
INPUTS = (*TEXT_COLUMNS, *NUMBER_COLUMNS)


def liquidation_prices(folder: Path, text: str, **options: tuple[str, ...]) -> list[float]:
    """Liquidation prices, to the cent, of a file of positions."""
    path = folder / "positions.csv"
    path.write_text(text)
    positions = read_positions(path, **options)  # type: ignore[arg-type]
    book = positions.book(instruments=POLICY.instruments)
    risk = lc.Engine(POLICY).evaluate(book, positions.marks)
    return [round(float(price), 2) for price in risk.liquidation_price]


def named(*columns: str) -> dict[str, str]:
    """Inputs found among columns of positions, with what every file must have before them."""
    return name_columns((*columns, *REQUIRED_COLUMNS), INPUTS, REQUIRED_COLUMNS).names


# Half a coin bought, or sold, at 60,000 with a margin of 3,000 is liquidated here: Binance's rates are 0.4 %
# up to 50,000 and 0.5 % up to 500,000 less 50.
LONG, SHORT = 54216.87, 65737.05


@pytest.mark.parametrize(
    ("side", "quantity", "price"),
    [
        ("short", 0.5, SHORT),
        ("SHORT", 0.5, SHORT),
        ("Sell", 0.5, SHORT),
        ("s", 0.5, SHORT),
        ("ask", 0.5, SHORT),
        ("short", -0.5, SHORT),
        ("net", -0.5, SHORT),
        ("BOTH", -0.5, SHORT),
        ("long", 0.5, LONG),
        ("buy", 0.5, LONG),
        (" B ", 0.5, LONG),
        ("both", 0.5, LONG),
    ],
)
@pytest.mark.parametrize("column", ["side", "Side", "positionSide", "direction", "pos-side", "BUY/SELL"])
def test_a_side_gives_the_quantity_its_sign(
    tmp_path: Path, column: str, side: str, quantity: float, price: float
) -> None:
    text = f"instrument,{column},quantity,entry_price,mark_price,margin_mode,isolated_margin,leverage\n"
    text += f"BTCUSDT,{side},{quantity},60000,61000,isolated,3000,10\n"
    assert liquidation_prices(tmp_path, text) == [price]


@pytest.mark.parametrize(
    ("side", "quantity", "column", "words"),
    [
        ("", 0.5, "side", "must be a side; expected long or short"),
        ("up", 0.5, "side", "found 'up'"),
        ("0", 0.5, "side", "found '0'"),
        ("hedge", 0.5, "side", "found 'hedge'"),
        ("long short", 0.5, "side", "found 'long short'"),
        ("long", -0.5, "quantity", "contradicts the side"),
        ("buy", -0.5, "quantity", "found -0.5 and 'buy'"),
    ],
)
def test_a_side_that_says_nothing_or_the_opposite_is_refused(
    tmp_path: Path, side: str, quantity: float, column: str, words: str
) -> None:
    text = "instrument,side,quantity,entry_price,mark_price,margin_mode,leverage\n"
    text += f"BTCUSDT,long,1,60000,61000,isolated,10\nBTCUSDT,{side},{quantity},60000,61000,isolated,10\n"
    with pytest.raises(FileFormatError, match=words) as caught:
        liquidation_prices(tmp_path, text)
    assert (caught.value.line, caught.value.column) == (3, column)


def test_a_flat_position_needs_no_side(tmp_path: Path) -> None:
    text = "instrument,side,quantity,entry_price,mark_price,margin_mode,leverage\n"
    path = tmp_path / "positions.csv"
    path.write_text(text + "BTCUSDT,,0,,61000,isolated,10\n")
    assert read_positions(path).quantity.tolist() == [0.0]


@pytest.mark.parametrize(
    ("column", "margin", "price"),
    [
        # (60,000 - margin / 0.5 - 50 / 0.5) / (1 - 0.005), or with 0.4 % and no deduction below 50,000.
        ("margin", 6000, 48192.77),
        ("Margin", 6000, 48192.77),
        ("isolatedWallet", 6000, 48192.77),
        ("position margin", 6000, 48192.77),
        ("posted_margin", 6000, 48192.77),
        ("COLLATERAL", 6000, 48192.77),
    ],
)
def test_a_margin_is_read_by_its_synonyms(tmp_path: Path, column: str, margin: float, price: float) -> None:
    text = f"instrument,quantity,entry_price,mark_price,margin_mode,{column},leverage\n"
    assert liquidation_prices(tmp_path, text + f"BTCUSDT,0.5,60000,61000,isolated,{margin},10\n") == [price]


@pytest.mark.parametrize("column", ["funding", "FUNDING", "fundingFee", "accruedFunding", "unpaid-funding"])
def test_accrued_funding_is_read_by_its_synonyms(tmp_path: Path, column: str) -> None:
    text = f"instrument,quantity,entry_price,mark_price,margin_mode,isolated_margin,leverage,{column}\n"
    assert liquidation_prices(tmp_path, text + "BTCUSDT,0.5,60000,61000,isolated,3000,10,-250\n") == [
        54718.88
    ]


@pytest.mark.parametrize(
    ("column", "size", "contracts"),
    [
        ("contract_size", 0.001, 500),
        ("contractSize", 0.01, 50),
        ("ctVal", 0.1, 5),
        ("contract multiplier", 1, 0.5),
        ("lot_size", 0.005, 100),
        ("contract_value", 10, 0.05),
    ],
)
def test_contracts_of_another_size_are_counted_in_the_policys(
    tmp_path: Path, column: str, size: float, contracts: float
) -> None:
    text = f"instrument,quantity,entry_price,mark_price,margin_mode,isolated_margin,leverage,{column}\n"
    text += f"BTCUSDT,{contracts},60000,61000,isolated,3000,10,{size}\n"
    assert liquidation_prices(tmp_path, text) == [LONG]


@pytest.mark.parametrize("size", ["", "0", "-1", "inf", "nan"])
def test_a_contract_size_must_be_a_size(tmp_path: Path, size: str) -> None:
    text = "instrument,quantity,entry_price,mark_price,margin_mode,leverage,contract_size\n"
    with pytest.raises(FileFormatError, match="'contract_size': must be positive and finite") as caught:
        liquidation_prices(tmp_path, text + f"BTCUSDT,1,60000,61000,isolated,10,{size}\n")
    assert caught.value.line == 2


@pytest.mark.parametrize("column", ["time", "Timestamp", "date", "as_of", "ts"])
def test_marks_over_time_are_told_how(tmp_path: Path, column: str) -> None:
    text = f"instrument,quantity,entry_price,mark_price,margin_mode,leverage,{column}\n"
    text += "BTCUSDT,1,60000,61000,isolated,10,1\nBTCUSDT,1,60000,54000,isolated,10,2\n"
    with pytest.raises(FileFormatError) as caught:
        liquidation_prices(tmp_path, text)
    assert f"split the table by '{column}' and evaluate each part" in str(caught.value)
    assert (caught.value.line, caught.value.column) == (3, "mark_price")


@pytest.mark.parametrize("name", INPUTS)
def test_every_synonym_is_read_in_every_spelling(name: str) -> None:
    for word in (name, *NAMES[name]):
        if name in REQUIRED_COLUMNS:
            continue
        camel = "".join(part.capitalize() for part in word.split("_"))
        for spelling in (word, word.upper(), word.replace("_", " ").title(), word.replace("_", "-"), camel):
            assert named(spelling)[name] == spelling


def test_no_synonym_means_two_things() -> None:
    words = [word for name, synonyms in NAMES.items() for word in (name, *synonyms)]
    assert len(words) == len(set(words)), "one word, one meaning"


@pytest.mark.parametrize(
    "column",
    [
        *AMBIGUOUS,
        "levrage", "quantty", "isolated_margn", "entyr_price", "makr_price",
        "initial_leverage", "margin_used", "entry_value", "size_usd", "side_text", "mark_iv", "walletUsd",
        "Funding Paid", "liability_usd", "sides",
    ],
)  # fmt: skip
def test_what_looks_like_an_input_and_is_not_read_is_refused(column: str) -> None:
    with pytest.raises(ColumnFault) as caught:
        named(column)
    assert caught.value.column == column
    assert "pass_columns=" in caught.value.expected or caught.value.rule.startswith("columns")


@pytest.mark.parametrize(
    "column",
    ["note", "strategy", "desk", "remark", "opened_at", "time", "order id", "venue_liquidation_price", "tags",
     "venue_margin_used", "reported_leverage", "комментарий", "pnl"],
)  # fmt: skip
def test_what_has_nothing_to_do_with_inputs_is_passed_through(column: str) -> None:
    found = name_columns((column, *REQUIRED_COLUMNS), INPUTS, REQUIRED_COLUMNS)
    assert column not in found.names.values()
    assert column in found.kept


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("leverage", "lever"),
        ("side", "direction"),
        ("mark", "markPrice"),
        ("margin", "isolated_margin"),
        ("account", "Account ID"),
    ],
)
def test_two_columns_of_one_meaning_are_refused(first: str, second: str) -> None:
    with pytest.raises(ColumnFault, match="both mean"):
        named(first, second)
    kept = name_columns((first, second, *REQUIRED_COLUMNS), INPUTS, REQUIRED_COLUMNS, ignored=[second])
    assert first in kept.names.values()
    assert second not in kept.kept


def test_the_command_line_says_what_a_column_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "positions.csv"
    path.write_text(
        "instrument,quantity,entry_price,mark_price,margin_mode,isolated_margin,leverage,price,margin_used\n"
        "BTCUSDT,0.5,60000,61000,isolated,3000,10,0070.10,1\n"
    )
    call = ["score", str(path), "--policy=binance-usdm@2024-10-24", "--format=csv"]
    assert main(call) == 1
    assert "line 1, column 'price': the column looks like an input and is not read" in capsys.readouterr().err
    assert main([*call, "--pass-columns", "price", "--ignore-columns", "margin_used"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert row.startswith("BTCUSDT,0.5,60000,61000,isolated,3000,10,0070.10,")
    assert "margin_used" not in header


def test_other_files_refuse_what_looks_like_an_input(tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text("account,wallet,liability\na,5,1\n")
    with pytest.raises(FileFormatError, match="'liability': the column looks like an input"):
        read_accounts(path)
    assert read_accounts(path, ignore_columns=["liability"]) == {"a": 5.0}


def test_a_header_of_many_columns_is_read_fast(tmp_path: Path) -> None:
    extra = [f"x{place}" for place in range(40_000)]
    text = ",".join(["instrument,quantity,entry_price,mark_price,margin_mode,leverage", *extra]) + "\n"
    path = tmp_path / "positions.csv"
    path.write_text(text + "BTCUSDT,1,60000,61000,isolated,10" + ",7" * len(extra) + "\n")
    positions = read_positions(path)
    assert len(positions.passed_through) == 40_000
