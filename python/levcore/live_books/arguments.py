"""Arguments of a live book at its door: who is meant, and columns of their numbers."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from levcore.arguments import is_word
from levcore.book.arrays import Codes, Floats, float_column, label_sequence, real_number
from levcore.errors import DTypeError, InputError, ShapeError
from levcore.live_books.owners import NUMBERS, Owners
from levcore.rules.tiers import TierTable

__all__ = [
    "PRICES",
    "amended",
    "checked_accounts",
    "checked_times",
    "code_of",
    "codes_of",
    "label_of_policy",
    "labels_of_policies",
    "no_prices",
    "one_price",
    "refuse_other_columns",
    "refuse_other_money",
    "tick_codes",
    "tick_prices",
    "tiers_of",
]

LEAST_PRICE, MOST_PRICE = 1e-100, 1e100
PRICES = f"numbers between {LEAST_PRICE:g} and {MOST_PRICE:g}"


def tick_prices(prices: npt.ArrayLike) -> Floats:
    """Prices of ticks.

    Raises
    ------
    InputError
        For a number that is no price.
    """
    price = float_column("prices", prices, None, [])
    bad = no_prices(price)
    if bad.size:
        row = int(bad[0])
        raise InputError("prices", "must be prices", PRICES, repr(float(price[row])), row, int(bad.size))
    return price


def one_price(price: float) -> Floats:
    """Price of one tick, shape (1,).

    Raises
    ------
    InputError, DTypeError
        For what is no price.
    """
    scalar = price[()] if isinstance(price, np.ndarray) and price.ndim == 0 else price
    number = np.array([real_number("price", scalar)])
    if no_prices(number).size:
        raise InputError("price", "must be a price", PRICES, repr(float(number[0])))
    return number


def no_prices(prices: Floats) -> npt.NDArray[np.intp]:
    """Places of numbers that are no prices."""
    return np.flatnonzero(~((prices > LEAST_PRICE) & (prices < MOST_PRICE)))


def code_of(argument: str, value: Any, names: tuple[str, ...]) -> Codes:
    """Place of one name, or a place that is given, among the book's, shape (1,).

    Raises
    ------
    InputError, DTypeError
        For one that is none of them, and for what is neither text nor a whole number.
    """
    if not isinstance(value, (str, int, np.integer)) or isinstance(value, bool):
        raise DTypeError(argument, "must be a name or a place", "text or a whole number", repr(value))
    place = (names.index(value) if value in names else -1) if isinstance(value, str) else int(value)
    if not 0 <= place < len(names):
        raise InputError(argument, "must be one of the book", ", ".join(names[:8]), repr(value))
    return np.array([place], dtype=np.uint32)


def tiers_of(fields: Mapping[str, Any]) -> TierTable:
    """Tier table of its fields, also where JSON has made lists of its columns."""
    columns: dict[str, Any] = {
        name: tuple(field) if isinstance(field, list) else field for name, field in fields.items()
    }
    return TierTable(**columns)


def codes_of(argument: str, values: Any, names: tuple[str, ...], count: int) -> Codes:
    """Places of names, or places that are given, among the book's.

    Raises
    ------
    InputError, ShapeError
        For one that is none of them, and for another number of them than `count`.
    DTypeError
        For what is neither text nor whole numbers.
    """
    given = np.asarray(values)
    if given.dtype.kind in "US" or given.dtype == object:
        places = {name: place for place, name in enumerate(names)}
        labels = given.reshape(-1).tolist()
        codes = np.array([places.get(name, -1) if isinstance(name, str) else -1 for name in labels], np.int64)
    elif given.dtype.kind in "iu" or not given.size:
        codes = given.astype(np.int64)
    else:
        raise DTypeError(argument, "must hold names or places", "text or whole numbers", str(given.dtype))
    if given.shape != (count,):
        raise ShapeError(argument, "must have one a price", str((count,)), str(given.shape))
    bad = np.flatnonzero((codes < 0) | (codes >= len(names)))
    if bad.size:
        row = int(bad[0])
        raise InputError(argument, "must be some of the book", ", ".join(names[:8]), repr(given[row]), row)
    return codes.astype(np.uint32)


def tick_codes(
    values: Any, is_asset: npt.ArrayLike | None, names: tuple[str, ...], assets: tuple[str, ...], count: int
) -> Codes:
    """Codes of ticks: of instruments, then of assets.

    Raises
    ------
    InputError, ShapeError, DTypeError
        As `codes_of`, and for an `is_asset` that does not say it of each.
    """
    if is_asset is None:
        return codes_of("instruments", values, names, count)
    chosen = np.asarray(is_asset)
    if chosen.dtype != np.bool_:
        raise DTypeError("is_asset", "must hold yes or no", "bool", str(chosen.dtype))
    given = np.asarray(values)
    for argument, column in (("is_asset", chosen), ("instruments", given)):
        if column.shape != (count,):
            raise ShapeError(argument, "must have one a price", str((count,)), str(column.shape))
    codes = np.empty(count, dtype=np.uint32)
    codes[~chosen] = codes_of("instruments", given[~chosen], names, int(count - chosen.sum()))
    codes[chosen] = codes_of("instruments", given[chosen], assets, int(chosen.sum())) + len(names)
    return codes


def checked_times(times: npt.ArrayLike | None, count: int) -> npt.NDArray[Any] | None:
    """Times of ticks, whatever they are.

    Raises
    ------
    ShapeError
        For another number of them than there are ticks.
    """
    if times is None:
        return None
    given = np.asarray(times)
    if given.shape != (count,):
        raise ShapeError("times", "must have one a price", str((count,)), str(given.shape))
    return given


def amended(rows: npt.ArrayLike, columns: dict[str, Any], count: int) -> tuple[Codes, list[Floats | None]]:
    """Rows to amend and their numbers, in the order of `NUMBERS`.

    Raises
    ------
    InputError, DTypeError, ShapeError
        For rows that are none, columns that are none, and columns of another length.
    """
    if not columns:
        raise InputError("columns", "must be columns that may change", ", ".join(NUMBERS), "none")
    refuse_other_columns(columns, NUMBERS)
    places = np.atleast_1d(np.asarray(rows))
    if places.ndim != 1:
        raise ShapeError("rows", "must be one-dimensional", "1 dimension", f"{places.ndim} dimensions")
    if places.dtype.kind not in "iu" and places.size:
        raise DTypeError("rows", "must be rows", "integers", str(places.dtype))
    bad = np.flatnonzero((places < 0) | (places >= count))
    if bad.size:
        at = int(bad[0])
        raise InputError("rows", "must be rows of the book", f"0 to {count - 1}", repr(int(places[at])), at)
    numbers = [
        float_column(name, columns[name], places.size, []) if name in columns else None for name in NUMBERS
    ]
    return places.astype(np.uint32), numbers


def refuse_other_columns(columns: Mapping[str, Any], known: Sequence[str]) -> None:
    """Refuse columns of positions that a call does not take.

    Raises
    ------
    InputError
        Naming them.
    """
    unknown = [name for name in columns if name not in known]
    if unknown:
        raise InputError("columns", "must be columns that may change", ", ".join(known), ", ".join(unknown))


def label_of_policy(policy: str, labels: tuple[str, ...]) -> int:
    """Code of the one policy with this label.

    Raises
    ------
    InputError
        For a label that is none of the book's.
    """
    if not is_word(policy, labels):
        raise InputError("policy", "must be a policy of the book", ", ".join(labels), repr(policy))
    return labels.index(policy)


def labels_of_policies(policies: Any, labels: tuple[str, ...], count: int) -> npt.NDArray[np.int64]:
    """Code of the policy of each of so many, by its label.

    Raises
    ------
    InputError, ShapeError
        For a label that is none of the book's, and another number of them.
    """
    given = [policies] * count if isinstance(policies, str) else list(label_sequence("policies", policies))
    if len(given) != count:
        raise ShapeError("policies", "must have one a price", str((count,)), str((len(given),)))
    places = {label: code for code, label in enumerate(labels)}
    codes = [places.get(label, -1) for label in given]
    if -1 in codes:
        row = codes.index(-1)
        raise InputError("policies", "must be policies of the book", ", ".join(labels), repr(given[row]), row)
    return np.array(codes, dtype=np.int64)


def checked_accounts(accounts: Sequence[Any], owners: Owners) -> Codes:
    """Places of accounts.

    Raises
    ------
    InputError, DTypeError
        For an account that the book lacks.
    """
    labels = list(label_sequence("accounts", accounts))
    places = [owners.places.get(label, -1) if isinstance(label, Hashable) else -1 for label in labels]
    if -1 in places:
        row = places.index(-1)
        raise InputError("accounts", "must be accounts of the book", "their ids", repr(labels[row]), row)
    return np.array(places, dtype=np.uint32)


def refuse_other_money(accounts: Codes, owners: Owners, in_assets: bool) -> None:
    """Refuse accounts that have a wallet where balances are meant, or the other way round.

    Raises
    ------
    InputError
        Naming the first one.
    """
    bad = np.flatnonzero(owners.in_assets[accounts] != in_assets)
    if bad.size:
        row = int(bad[0])
        rule = "must have balances in assets" if in_assets else "must have a wallet"
        expected = "accounts without a wallet" if in_assets else "assets= for balances in several assets"
        raise InputError("accounts", rule, expected, repr(owners.ids[int(accounts[row])]), row, int(bad.size))
