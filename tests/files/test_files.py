"""Files in and out: what is read, what is refused and where the error says it is, what comes back."""

import csv
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import levcore as lc
from levcore.errors import FileFormatError, InputError
from levcore.files.positions import Positions, merge_marks, read_accounts, read_marks, read_positions
from levcore.files.results import check_output, write_results
from levcore.files.tables import polars_library
from levcore.measures import MEASURE_NAMES

HEADER = "account,instrument,quantity,entry_price,mark_price,margin_mode,isolated_margin,leverage\n"
ROW = "a,BTCUSDT,1.5,60000,61000,isolated,9000,10\n"

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of positions and return its path."""

    def write_text(text: str) -> Path:
        path = tmp_path / "positions.csv"
        path.write_bytes(text.encode())
        return path

    return write_text


def refused(path: Path) -> FileFormatError:
    """Read positions that must not be readable."""
    with pytest.raises(FileFormatError) as caught:
        read_positions(path)
    return caught.value


# Reading


def test_columns_are_read_by_name_in_any_order(write: Write) -> None:
    path = write(
        "note,margin_mode,quantity,instrument,entry_price,mark_price,leverage\n"
        "x,cross,-2,ETHUSDT,3000,3100.5,5\n".replace("x,cross", "x,isolated")
    )
    positions = read_positions(path)
    assert positions.columns.numbers["quantity"].tolist() == [-2.0]
    assert positions.columns.texts["instrument"][0] == "ETHUSDT"
    assert positions.marks == {"ETHUSDT": 3100.5}
    assert positions.passed_through == ("note",)
    assert not positions.is_cross.any()


def test_empty_cells_are_missing_and_never_zero(write: Write) -> None:
    positions = read_positions(write(HEADER + "a,BTCUSDT,,60000, ,isolated,,\n"))
    numbers = positions.columns.numbers
    missing = ("quantity", "mark_price", "isolated_margin", "leverage")
    assert all(math.isnan(numbers[name][0]) for name in missing)
    assert positions.marks == {}


def test_an_empty_required_cell_becomes_the_status_of_its_row(write: Write) -> None:
    positions = read_positions(write(HEADER + "a,BTCUSDT,,60000,61000,isolated,1,10\n" + ROW))
    risk = lc.Engine(lc.policy("binance-usdm")).evaluate(positions.book(), positions.marks)
    assert risk.status.tolist() == [lc.Status.INVALID_QUANTITY, lc.Status.OK]
    assert math.isnan(risk.notional[0])


@pytest.mark.parametrize("text", ["1e3", " 1000 ", "+1000", "1000.0", "01000"])
def test_spellings_of_a_number(write: Write, text: str) -> None:
    positions = read_positions(write(HEADER + f"a,BTCUSDT,{text},1,1,isolated,1,1\n"))
    assert positions.columns.numbers["quantity"][0] == 1000.0


def test_blanks_around_texts_make_no_other_text(write: Write) -> None:
    path = write(HEADER + "a, BTCUSDT,1,1,2,isolated,1,1\na,BTCUSDT ,1,1,2,isolated,1,1\n")
    assert read_positions(path).columns.texts["instrument"].labels == ("BTCUSDT",)


def test_byte_order_mark_windows_line_ends_and_blank_lines(write: Write) -> None:
    positions = read_positions(write("\ufeff" + HEADER.replace("\n", "\r\n") + "\r\n" + ROW + "\r\n" + ROW))
    assert len(positions) == 2
    assert [positions.columns.row_word(row) for row in (0, 1)] == ["line 3", "line 5"]
    assert positions.columns.kept.values("quantity") == ["1.5", "1.5"]


def test_a_quoted_cell_may_hold_commas_quotes_and_lines(write: Write) -> None:
    path = write("note," + HEADER + '"one, ""two""\nthree",' + ROW + "plain," + ROW.replace("1.5", "x"))
    error = refused(path)
    assert (error.line, error.column) == (4, "quantity")
    positions = read_positions(write("note," + HEADER + '"one, ""two""\nthree",' + ROW + "plain," + ROW))
    assert positions.columns.kept.values("note") == ['one, "two"\nthree', "plain"]


def test_progress_is_told_of_what_was_read(write: Write) -> None:
    told: list[int] = []
    read_positions(write(HEADER + 5 * ROW), progress=told.append)
    assert told == [5]


# Refusing


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("", None, None, "an empty file"),
        (HEADER.replace("quantity,", "") + ROW, 1, "quantity", "the column is missing"),
        (HEADER.replace("mark_price", "remarks") + ROW, 1, "mark_price", "the column is missing"),
        (HEADER.replace("leverage", "quantity") + ROW, 1, "quantity", "columns 3 and 8"),
        (HEADER.replace("leverage", "") + ROW, 1, None, "column 8 has no name"),
        (HEADER.replace(",", ";") + ROW, 1, None, "must be separated by commas"),
        (HEADER.replace("leverage", "equity") + ROW, 1, "equity", "name of a result"),
        (HEADER + ROW + ROW.replace("1.5", "1,5"), 3, None, "8 cells"),
        (HEADER + ROW + ROW.replace(",10\n", "\n"), 3, "leverage", "8 cells"),
        (HEADER + ROW.replace("1.5", "1.5x"), 2, "quantity", "'1.5x'"),
        (HEADER + ROW.replace("1.5", "1_5"), 2, "quantity", "'1_5'"),
        (HEADER + ROW + "\n\n" + ROW.replace("60000", "60 000"), 5, "entry_price", "'60 000'"),
        (HEADER + ROW + ROW.replace("isolated", "crossed"), 3, "margin_mode", "isolated or cross"),
        (HEADER + ROW + ROW.replace("isolated", ""), 3, "margin_mode", "isolated or cross"),
        (HEADER + ROW + ROW + ROW.replace("61000", "61001"), 4, "mark_price", "61000.0 as in line 2"),
        (HEADER + ROW + ROW.replace("a,", ",").replace("isolated", "cross"), 3, "account", "not be empty"),
        (HEADER + 'a,"BTC"USDT,1,1,1,isolated,1,1\n', 2, None, "valid CSV"),
    ],
)
def test_a_wrong_file_says_where_and_what_was_expected(
    write: Write, text: str, line: int | None, column: str | None, words: str
) -> None:
    error = refused(write(text))
    assert (error.line, error.column) == (line, column)
    assert words in str(error)
    assert "positions.csv" in str(error)


def test_a_file_that_is_not_utf8_says_the_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes((HEADER + ROW).encode() + b"M\xfcller,BTCUSDT,1,1,1,isolated,1,1\n")
    error = refused(path)
    assert error.line == 3
    assert "0xfc" in str(error)


def test_a_cross_position_needs_the_account_column(write: Write) -> None:
    text = "instrument,quantity,entry_price,mark_price,margin_mode\nBTCUSDT,1,1,1,cross\n"
    assert refused(write(text)).column == "account"


def test_an_isolated_position_needs_margin_or_leverage(write: Write) -> None:
    text = "instrument,quantity,entry_price,mark_price,margin_mode\nBTCUSDT,1,1,1,isolated\n"
    assert refused(write(text)).column == "isolated_margin"


def test_a_misspelt_column_is_refused(write: Write) -> None:
    error = refused(write(HEADER.replace("isolated_margin", "isolated_margn") + ROW))
    assert (error.line, error.column) == (1, "isolated_margn")
    assert "isolated_margin if it is that" in str(error)


# Accounts and marks


def test_accounts_keep_their_order_and_miss_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text("account,wallet_balance\nb,10\na,\n7,0\n")
    accounts = read_accounts(path)
    assert list(accounts) == ["b", "a", "7"]
    assert accounts["b"] == 10.0
    assert math.isnan(accounts["a"])
    assert accounts["7"] == 0.0


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("account,wallet_balance\na,1\nb,2\na,1\n", 4, "account"),
        ("account,wallet_balance\na,1\n,2\n", 3, "account"),
        ("account,wallet_balance\na,ten\n", 2, "wallet_balance"),
        ("account,balance\na,1\n", 1, "wallet_balance"),
    ],
)
def test_wrong_accounts_are_refused(tmp_path: Path, text: str, line: int, column: str) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text(text)
    with pytest.raises(FileFormatError) as caught:
        read_accounts(path)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_accounts_without_positions_are_part_of_the_book(write: Write) -> None:
    positions = read_positions(write(HEADER + ROW.replace("isolated", "cross")))
    book = positions.book({"idle": 5.0, "a": 20_000.0})
    risk = lc.Engine(lc.policy("binance-usdm")).evaluate(book, positions.marks)
    assert risk.accounts.ids == ("idle", "a")
    assert risk.accounts.equity.tolist() == [5.0, 20_000.0 + 1.5 * 1000.0]
    assert risk.accounts.state.tolist() == [lc.State.HEALTHY, lc.State.HEALTHY]


def test_marks_from_elsewhere_must_agree_with_the_column(write: Write, tmp_path: Path) -> None:
    positions = read_positions(write(HEADER + ROW + ROW.replace("BTC", "ETH").replace("61000", "")))
    path = tmp_path / "marks.csv"
    path.write_text("instrument,mark_price\nBTCUSDT,61000\nETHUSDT,3000\nSOLUSDT,\n")
    assert merge_marks(positions, read_marks(path)) == {"BTCUSDT": 61000.0, "ETHUSDT": 3000.0}
    with pytest.raises(FileFormatError) as caught:
        merge_marks(positions, {"BTCUSDT": 61000.5})
    assert (caught.value.line, caught.value.column) == (2, "mark_price")


def test_a_marks_file_must_not_contradict_itself(tmp_path: Path) -> None:
    path = tmp_path / "marks.csv"
    path.write_text("instrument,mark_price\nBTCUSDT,61000\nBTCUSDT,61000\nBTCUSDT,1\n")
    with pytest.raises(FileFormatError) as caught:
        read_marks(path)
    assert (caught.value.line, caught.value.column) == (4, "mark_price")


# Writing


@pytest.fixture
def scored(write: Write) -> tuple[Positions, lc.BookRisk]:
    """Positions of which one is fine, one cannot be liquidated and one fails, with their result."""
    text = "note," + HEADER + '"x, y",' + ROW
    text += "plain,b,ETHUSDT,2,3000,3100,isolated,6100,\n,b,NOSUCH,1,1,,isolated,1,1\n"
    positions = read_positions(write(text))
    engine = lc.Engine(lc.policy("binance-usdm"))
    return positions, engine.evaluate(positions.book(), positions.marks, measures=MEASURE_NAMES)


def test_csv_gives_back_the_input_and_every_measure_exactly(
    scored: tuple[Positions, lc.BookRisk], tmp_path: Path
) -> None:
    positions, risk = scored
    write_results(tmp_path / "out.csv", positions, risk)
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[1].startswith('"x, y",a,BTCUSDT,1.5,60000,61000,isolated,9000,10,')
    rows = list(csv.DictReader(lines))
    assert list(rows[0])[9:] == [*MEASURE_NAMES, "state", "status"]
    for measure in MEASURE_NAMES:
        expected = risk.column(measure)
        found = np.array([float(row[measure] or "nan") for row in rows])
        assert np.array_equal(found, expected, equal_nan=True), measure
    assert [row["status"] for row in rows] == ["ok", "no_liquidation_price", "unknown_instrument"]
    assert rows[1]["distance_to_liquidation"] == "inf"
    assert rows[2]["notional"] == ""
    assert rows[2]["state"] == "incomplete"


def test_json_is_strict_and_complete(scored: tuple[Positions, lc.BookRisk], tmp_path: Path) -> None:
    positions, risk = scored

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    write_results(tmp_path / "out.json", positions, risk)
    found = json.loads((tmp_path / "out.json").read_text(), parse_constant=refuse)
    assert found["summary"]["failed"] == 1
    assert found["accounts"] == []
    first, second, third = found["positions"]
    assert first["note"] == "x, y"
    assert first["quantity"] == 1.5
    assert first["liquidation_price"] == risk.liquidation_price[0]
    assert second["distance_to_liquidation"] == "Infinity"
    assert second["leverage"] is None
    assert third["note"] is None
    assert third["notional"] is None


def test_parquet_comes_back_as_it_went(scored: tuple[Positions, lc.BookRisk], tmp_path: Path) -> None:
    positions, risk = scored
    write_results(tmp_path / "out.parquet", positions, risk)
    table = pq.read_table(tmp_path / "out.parquet")
    found = table.column("equity").to_numpy()
    assert np.array_equal(found, risk.equity, equal_nan=True)
    assert table.column("status").to_pylist() == ["ok", "no_liquidation_price", "unknown_instrument"]
    assert table.column("note").to_pylist() == ["x, y", "plain", None]


def test_the_formats_are_read_alike(write: Write, tmp_path: Path) -> None:
    rows = "a,BTCUSDT,1.5,60000,61000,cross,,10\na,ETHUSDT,,3000,3100,isolated,5,\n"
    from_csv = read_positions(write(HEADER + rows))
    table = pa.table(
        {
            "account": pa.array(["a", "a"]).dictionary_encode(),
            "instrument": ["BTCUSDT", "ETHUSDT"],
            "quantity": [1.5, None],
            "entry_price": pa.array([60000, 3000], pa.int32()),
            "mark_price": pa.array([61000.0, 3100.0], pa.float32()),
            "margin_mode": pa.array(["cross", "isolated"], pa.large_string()),
            "isolated_margin": pa.array([None, 5.0]),
            "leverage": pa.array([10, None], pa.int8()),
        }
    )
    pq.write_table(table, tmp_path / "positions.parquet")
    from_parquet = read_positions(tmp_path / "positions.parquet")
    for name, values in from_csv.columns.numbers.items():
        assert np.array_equal(values, from_parquet.columns.numbers[name], equal_nan=True), name
    for name, texts in from_csv.columns.texts.items():
        assert texts.labels == from_parquet.columns.texts[name].labels
        assert texts.codes.tolist() == from_parquet.columns.texts[name].codes.tolist()
    assert from_parquet.columns.kept.values("entry_price") == [60000, 3000]


def test_parquet_errors_name_the_column(tmp_path: Path) -> None:
    path = tmp_path / "accounts.parquet"
    pq.write_table(pa.table({"account": [1, 2], "wallet_balance": ["ten", "1"]}), path)
    with pytest.raises(FileFormatError, match="'wallet_balance': must be numbers"):
        read_accounts(path)
    pq.write_table(pa.table({"account": [1.5, 2.5], "wallet_balance": [1, 2]}), path)
    with pytest.raises(FileFormatError, match="'account': must be text"):
        read_accounts(path)
    pq.write_table(pa.table({"account": [1, 2], "wallet_balance": [1, 2]}), path)
    assert read_accounts(path) == {"1": 1.0, "2": 2.0}
    path.write_bytes(b"no parquet")
    with pytest.raises(FileFormatError, match="must be a Parquet file"):
        read_accounts(path)


def test_a_file_without_polars_names_the_extra(
    write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # None in sys.modules is how Python says that a module cannot be imported.
    monkeypatch.setitem(sys.modules, "polars", None)
    remedy = r'pip install "levcore\[files\]"'
    with pytest.raises(InputError, match=remedy):
        polars_library("positions.parquet")
    with pytest.raises(InputError, match=remedy):
        read_positions(write(HEADER + ROW))
    with pytest.raises(InputError, match=remedy):
        check_output(tmp_path / "out.csv")


def test_an_output_of_unknown_kind_or_place_is_refused_early(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.csv, \.json, \.jsonl, \.ndjson, \.parquet"):
        check_output(tmp_path / "out.xlsx")
    with pytest.raises(InputError, match="folder that exists"):
        check_output(tmp_path / "nowhere" / "out.csv")


def test_a_failed_write_leaves_the_old_file_alone(
    scored: tuple[Positions, lc.BookRisk], tmp_path: Path
) -> None:
    positions, risk = scored
    path = tmp_path / "out.csv"
    path.write_text("old")

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_results(path, positions, risk, progress=interrupt)
    assert path.read_text() == "old"
    assert list(tmp_path.glob(".*")) == []
