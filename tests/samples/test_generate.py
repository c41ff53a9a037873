"""Generated books: reproducible, of the shape that is promised, the same positions in each order."""

from typing import Literal

import numpy as np
import pytest

import levcore as lc
from levcore.samples import generate

Order = Literal["sorted", "random", "by_account"]
Mode = Literal["isolated", "cross", "mixed"]
POLICY = lc.policy("binance-usdm@2024-10-24")
INSTRUMENTS = {name: one for name, one in POLICY.instruments.items() if one.settlement == "USDT"}
ROWS = 20_000


def columns(book: lc.PositionBook) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Columns of a book that tell one position from another, shape (6, n)."""
    assert book.isolated_margin is not None
    assert book.leverage is not None
    # NaN of cross positions and of no others; as a number it is equal to itself.
    assert np.array_equal(np.isnan(book.isolated_margin), book.is_cross)
    return np.array(
        [
            book.instrument_codes,
            book.quantity,
            book.entry_price,
            np.where(book.is_cross, -1.0, book.isolated_margin),
            book.leverage,
            np.asarray(book.account),
        ],
        np.float64,
    )


@pytest.mark.parametrize("mode", ["isolated", "cross", "mixed"])
def test_a_seed_gives_the_same_book_again(mode: Mode) -> None:
    one, marks = generate.book(ROWS, INSTRUMENTS, seed=3, margin_mode=mode)
    other, other_marks = generate.book(ROWS, INSTRUMENTS, seed=3, margin_mode=mode)
    assert np.array_equal(columns(one), columns(other))
    assert np.array_equal(one.wallet_balance, other.wallet_balance)
    assert np.array_equal(one.is_cross, other.is_cross)
    assert marks == other_marks
    third, _ = generate.book(ROWS, INSTRUMENTS, seed=4, margin_mode=mode)
    assert not np.array_equal(columns(one), columns(third))


def test_the_orders_hold_the_same_positions() -> None:
    orders: tuple[Order, ...] = ("sorted", "random", "by_account")
    found = {}
    for order in orders:
        book, _ = generate.book(2000, INSTRUMENTS, seed=3, margin_mode="mixed", order=order)
        values = np.vstack([columns(book), book.is_cross])
        found[order] = values[:, np.lexsort(values)]
        if order == "sorted":
            assert (np.diff(book.instrument_codes.astype(int)) >= 0).all()
        if order == "by_account":
            assert (np.diff(np.asarray(book.account)) >= 0).all()
    assert np.array_equal(found["sorted"], found["random"])
    assert np.array_equal(found["sorted"], found["by_account"])


def test_the_shape_is_the_one_promised() -> None:
    book, marks = generate.book(ROWS, INSTRUMENTS, seed=3)
    risk = lc.Engine(POLICY).evaluate(book, marks)
    assert not (risk.status >= lc.Status.INVALID_QUANTITY).any()
    assert np.mean(book.quantity < 0) == pytest.approx(0.5, abs=0.02)
    tables = [INSTRUMENTS[name].tiers for name in book.instrument_names]
    first = np.array([table.floors[1] for table in tables])[book.instrument_codes]
    assert np.mean(risk.notional > first) == pytest.approx(0.55, abs=0.02)
    tier = [
        np.searchsorted(tables[code].floors, value) - 1
        for code, value in zip(book.instrument_codes.tolist(), risk.notional.tolist(), strict=True)
    ]
    assert len(set(tier)) >= 10
    assert book.leverage is not None
    allowed = [
        tables[code].max_leverage[place]
        for code, place in zip(book.instrument_codes.tolist(), tier, strict=True)
    ]
    assert (book.leverage <= allowed).all()
    assert (book.leverage >= 1).all()
    mark = np.array([marks[name] for name in book.instrument_names])[book.instrument_codes]
    assert (np.abs(mark / book.entry_price - 1) <= 0.1 + 1e-12).all()
    counts = np.bincount(book.instrument_codes)
    assert counts.max() > 30 * max(1, counts.min())


def test_accounts_spread_from_safe_to_liquidated() -> None:
    book, marks = generate.book(ROWS, INSTRUMENTS, seed=3, margin_mode="cross")
    risk = lc.Engine(POLICY).evaluate(book, marks)
    assert len(risk.accounts) == ROWS // 10
    assert np.bincount(np.asarray(book.account)).tolist() == [10] * (ROWS // 10)
    ratio = risk.accounts.margin_ratio
    assert np.median(ratio) == pytest.approx(0.3, rel=0.1)
    assert 0.01 < np.mean(ratio >= 1) < 0.08
    assert np.mean(ratio < 0.15) > 0.05


def test_the_number_of_accounts_can_be_chosen() -> None:
    book, _ = generate.book(100, INSTRUMENTS, seed=3, accounts=7, margin_mode="cross")
    counts = np.bincount(np.asarray(book.account))
    assert len(counts) == len(book.account_ids) == 7
    assert set(counts.tolist()) == {14, 15}
    few, _ = generate.book(3, INSTRUMENTS, seed=3, accounts=5, margin_mode="cross")
    assert len(few.account_ids) == 5


def pairs_held(book: lc.PositionBook) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Account and instrument of each cross position, as one number."""
    assert book.account_codes is not None
    accounts = book.account_codes[book.is_cross].astype(np.int64)
    return accounts * len(book.instrument_names) + book.instrument_codes[book.is_cross]


@pytest.mark.parametrize("mode", ["cross", "mixed"])
@pytest.mark.parametrize("instruments", [1, 3, 10, 11, len(INSTRUMENTS)])
def test_no_account_holds_an_instrument_twice(mode: Mode, instruments: int) -> None:
    held = dict(list(INSTRUMENTS.items())[:instruments])
    book, marks = generate.book(2_003, held, seed=5, margin_mode=mode)
    assert len(np.unique(pairs_held(book))) == book.is_cross.sum()
    legs = np.bincount(np.asarray(book.account))
    assert legs.max() == min(10, instruments)
    assert legs.min() >= legs.max() - 1
    assert (lc.Engine(POLICY).evaluate(book, marks).status != lc.Status.DUPLICATE_LEG).all()


def test_accounts_differ_in_what_they_hold() -> None:
    book, _ = generate.book(ROWS, INSTRUMENTS, seed=3, margin_mode="cross", order="by_account")
    held = np.sort(book.instrument_codes.reshape(-1, 10), axis=1)
    assert len(np.unique(held, axis=0)) > 0.99 * len(held)


def test_hedged_legs_stand_beside_a_leg_the_other_way_round() -> None:
    book, marks = generate.book(6_000, INSTRUMENTS, seed=3, margin_mode="mixed", hedged=0.2)
    assert (len(book), book.position_mode) == (6_000, "hedge")
    pairs, first, counts = np.unique(pairs_held(book), return_index=True, return_counts=True)
    assert set(counts.tolist()) == {1, 2}
    assert np.mean(counts == 2) == pytest.approx(0.2, abs=0.02)
    sides = np.sign(book.quantity[book.is_cross])
    net = np.bincount(np.searchsorted(pairs, pairs_held(book)), sides)
    assert (net[counts == 2] == 0).all()
    assert (np.abs(net[counts == 1]) == 1).all()
    sizes = np.abs(book.quantity[book.is_cross])
    gross = np.bincount(np.searchsorted(pairs, pairs_held(book)), sizes)
    assert (gross[counts == 2] != 2 * sizes[first[counts == 2]]).all()
    risk = lc.Engine(POLICY).evaluate(book, marks)
    assert not (risk.status >= lc.Status.INVALID_QUANTITY).any()


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_every_leg_can_be_hedged(rows: int) -> None:
    book, _ = generate.book(rows, INSTRUMENTS, seed=3, margin_mode="cross", hedged=1.0)
    assert len(book) == rows
    assert len(np.unique(pairs_held(book))) == rows - rows // 2


def test_tables_of_every_kind() -> None:
    rows = [(0, "0.01", None, 50), (1000, "0.02", None, 20), (5000, "0.05", None, 5, 20_000)]
    instruments = {
        one.name: one
        for one in (
            lc.Instrument("LINEAR", "linear", lc.TierTable.marginal(rows, unit="quote")),
            lc.Instrument("INVERSE", "inverse", lc.TierTable.marginal(rows, unit="base"), contract_size=100),
            lc.Instrument("QUANTO", "quanto", lc.TierTable.marginal(rows, unit="quote"), multiplier=1e-6),
            lc.Instrument(
                "CONTRACTS", "linear", lc.TierTable.flat(rows, unit="contracts"), contract_size=0.1
            ),
            lc.Instrument("LIMIT", "linear", lc.TierTable.flat(rows, unit="risk_limit")),
            lc.Instrument("SINGLE", "linear", lc.TierTable.single_rate(0.005)),
        )
    }
    book, marks = generate.book(6000, instruments, seed=3, margin_mode="mixed")
    risk = lc.Engine(lc.policy("generic").with_instruments(instruments)).evaluate(book, marks)
    assert len(np.unique(book.instrument_codes)) == 6
    assert not (risk.status >= lc.Status.INVALID_QUANTITY).any()
    assert np.isfinite(risk.maintenance_margin).all()
    assert 0.01 < np.mean(risk.accounts.margin_ratio >= 1) < 0.08


def test_marks_are_plausible_and_depend_on_the_name_alone() -> None:
    marks = generate.marks(INSTRUMENTS)
    assert marks["BTCUSDT"] == 95_208.9
    assert all(0.0009 < price < 1e6 for price in marks.values())
    assert len(set(marks.values())) > 0.95 * len(marks)
    assert generate.marks({"ADAUSDT": INSTRUMENTS["ADAUSDT"]}) == {"ADAUSDT": marks["ADAUSDT"]}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"rows": 0}, "rows: must be at least 1"),
        ({"accounts": 0}, "accounts: must be at least 1"),
        ({"legs_per_account": -1}, "legs_per_account: must be at least 1"),
        ({"margin_mode": "both"}, "margin_mode: must be known"),
        ({"order": "sideways"}, "order: must be known"),
        ({"instruments": {}}, "instruments: must not be empty"),
        ({"hedged": 1.5, "margin_mode": "cross"}, "hedged: must be a share"),
        ({"hedged": 0.5}, "hedged: must be 0 for isolated positions"),
        (
            {"rows": 1_000, "accounts": 2, "margin_mode": "cross"},
            "accounts: must be enough for 1000 positions where none holds one of 322 instruments twice; "
            "expected >= 4, found 2",
        ),
        (
            {"instruments": POLICY.instruments, "margin_mode": "mixed"},
            "instruments: must settle in one currency",
        ),
    ],
)
def test_wrong_calls(changed: dict[str, object], words: str) -> None:
    arguments = {"rows": 5, "instruments": INSTRUMENTS, "seed": 1} | changed
    with pytest.raises(lc.InputError, match=words):
        generate.book(**arguments)  # type: ignore[arg-type]
