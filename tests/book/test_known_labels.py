"""Labels that are known before a column is read, as accounts that have wallets: they stand first."""

from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import levcore as lc
from levcore.book.arrays import factorize
from levcore.errors import DTypeError, InputError

KINDS: dict[str, Any] = {
    "list": list,
    "tuple": tuple,
    "objects": lambda texts: np.array(texts, dtype=object),
    "distinct objects": lambda texts: ["".join([text[:1], text[1:]]) for text in texts],
    "fixed width": np.array,
    "polars": lambda texts: pl.Series(texts, dtype=pl.String),
    "categorical": lambda texts: pl.Series(texts, dtype=pl.String).cast(pl.Categorical),
    "arrow": lambda texts: pa.array(texts, pa.string()),
    "view": lambda texts: pa.array(texts, pa.string()).cast(pa.string_view()),
    "dictionary": lambda texts: pa.array(texts, pa.string()).dictionary_encode(),
}
# Prefixes of each other, around the lengths at which a text is held differently, letters of up to four bytes.
WORDS = st.builds(
    lambda start, length, end: ("a" * length)[len(start) :] + start + end,
    st.sampled_from(["", "b", "é", "€", "𝄞"]),
    st.integers(0, 27),
    st.sampled_from(["", "x", "xy", "é"]),
)


def in_order(rows: list[Any], known: list[Any]) -> tuple[list[int], list[Any]]:
    """Codes and labels, those that are known first."""
    labels = list(dict.fromkeys([*known, *rows]))
    places = {label: code for code, label in enumerate(labels)}
    return [places[row] for row in rows], labels


@given(rows=st.lists(WORDS, min_size=1, max_size=60), known=st.lists(WORDS, unique=True, max_size=20))
def test_columns_of_every_kind_are_numbered_behind_what_is_known(rows: list[str], known: list[str]) -> None:
    expected, labels = in_order(rows, known)
    for make in KINDS.values():
        codes, found = factorize("column", make(rows), known)
        assert codes.tolist() == expected
        assert found == labels


@given(
    rows=st.lists(st.integers(-9, 9), min_size=1, max_size=40),
    known=st.lists(st.integers(-9, 9), unique=True),
)
def test_whole_numbers_are_numbered_behind_what_is_known(rows: list[int], known: list[int]) -> None:
    expected, labels = in_order(rows, known)
    for factor in (1, 10**16):
        values, ids = [row * factor for row in rows], [one * factor for one in known]
        for column in (values, np.array(values, np.int64), pl.Series(values, dtype=pl.Int64)):
            codes, found = factorize("column", column, ids)
            assert codes.tolist() == expected
            assert found == [label * factor for label in labels]


@pytest.mark.parametrize("threads", ["1", "2", "7"])
@pytest.mark.parametrize("known", [0, 5, 30_000, 60_000])
def test_a_long_column_is_the_same_on_any_number_of_threads(
    known: int, threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEVCORE_NUM_THREADS", threads)
    random = np.random.default_rng(known)
    # Few labels, then many that come late, then one a row.
    places = np.concatenate(
        (random.integers(0, 50, 200_000), random.integers(0, 40_000, 200_000), 40_000 + np.arange(20_000))
    )
    names = [f"{'account-of-some-house-' * (place % 3 == 0)}{place}" for place in range(60_000)]
    ids = [names[place] for place in random.permutation(60_000)[:known].tolist()]
    texts = [names[place] for place in places.tolist()]
    expected, labels = in_order(texts, ids)
    for kind in ("list", "fixed width", "polars", "arrow", "dictionary"):
        codes, found = factorize("column", KINDS[kind](texts), ids)
        assert codes.tolist() == expected, kind
        assert found == labels, kind


@pytest.mark.parametrize("missing", [None, ""])
def test_what_is_missing_is_the_empty_label_whether_it_is_known_or_not(missing: str | None) -> None:
    for known in ([], ["b"], ["b", ""]):
        for column in (["a", missing, "b"], pl.Series(["a", missing, "b"]), pa.array(["a", missing, "b"])):
            codes, found = factorize("column", column, list(known))
            assert [found[code] for code in codes.tolist()] == ["a", "", "b"]
            assert found[: len(known)] == known


@pytest.mark.parametrize("ids", [["a", "a"], ["a", None, ""], [True], ["a", 2.5], [2**70]])
def test_ids_that_the_core_cannot_number_come_as_they_do_without(ids: list[Any]) -> None:
    codes, found = factorize("column", ["b", "a", "b"], ids)
    assert (codes.tolist(), found) == ([0, 1, 0], ["b", "a"])


def book(accounts: Any, wallets: Any, **words: Any) -> lc.PositionBook:
    """A cross position in an instrument of its own for each row."""
    count = len(accounts)
    return lc.PositionBook(
        [f"X{row}" for row in range(count)],
        [1.0] * count,
        [1.0] * count,
        accounts,
        "cross",
        wallet_balance=wallets,
        **words,
    )


ROWS = ["b", "c", "b", "account-with-a-long-name", "d", "c"]
WALLETS = {"z": 1.0, "account-with-a-long-name": 2.0, "b": 3.0}


@pytest.mark.parametrize("kind", KINDS)
def test_accounts_of_every_kind_of_column_find_their_wallets(kind: str) -> None:
    found = book(KINDS[kind](ROWS), WALLETS)
    assert found.account_ids == ("z", "account-with-a-long-name", "b", "c", "d")
    assert found.account_codes is not None
    assert found.account_codes.tolist() == [2, 3, 2, 1, 4, 3]
    np.testing.assert_array_equal(found.wallet_balance, [1.0, 2.0, 3.0, np.nan, np.nan])
    every = book(KINDS[kind](ROWS), WALLETS | {"d": 4.0, "c": 5.0})
    assert every.account_ids == ("z", "account-with-a-long-name", "b", "d", "c")
    assert every.account_codes is not None
    assert every.account_codes.tolist() == [2, 4, 2, 1, 3, 4]
    assert [every.account_of(row) for row in range(len(ROWS))] == ROWS


@pytest.mark.parametrize("every_cross", [True, False])
def test_a_frame_finds_wallets_as_columns_do(every_cross: bool) -> None:
    modes = ["cross"] * 6 if every_cross else ["cross", "isolated", "cross", "cross", "isolated", "isolated"]
    columns: dict[str, Any] = {
        "instrument": [f"X{row}" for row in range(6)],
        "quantity": [1.0] * 6,
        "entry_price": [1.0] * 6,
        "leverage": [10.0] * 6,
        "account": ROWS,
        "margin_mode": modes,
    }
    frame = lc.PositionBook.from_frame(pl.DataFrame(columns), wallet_balance=WALLETS)
    plain = lc.PositionBook(**columns, wallet_balance=WALLETS)
    assert frame.account_ids == plain.account_ids
    assert frame.account_codes is not None
    assert plain.account_codes is not None
    assert frame.account_codes.tolist() == plain.account_codes.tolist()
    np.testing.assert_array_equal(frame.wallet_balance, plain.wallet_balance)
    assert [frame.account_of(row) for row in range(6)] == ROWS
    assert (
        pl.DataFrame(lc.Engine(lc.policy("binance-usdm")).evaluate(frame, {"X0": 1.0}))["account"].to_list()
        == ROWS
    )


def test_ids_are_refused_as_ever() -> None:
    for accounts in (["a", "b"], pl.Series(["a", "b"]), np.array(["a", "b"])):
        with pytest.raises(InputError, match="must not repeat an id") as caught:
            lc.PositionBook(
                ["X", "Y"],
                [1.0, 1.0],
                [1.0, 1.0],
                accounts,
                "cross",
                accounts=["b", "a", "b"],
                wallet_balance=[1.0, 2.0, 3.0],
            )
        assert caught.value.row == 2
        with pytest.raises(DTypeError, match="must hold text or whole numbers"):
            book(accounts, {"a": 1.0, 2.5: 1.0})
    with pytest.raises(DTypeError, match="must hold text or whole numbers"):
        book([1, 1], {True: 1.0})
    with pytest.raises(InputError, match="is needed for cross positions") as caught:
        book(["a", None], {"a": 1.0})
    assert caught.value.row == 1
