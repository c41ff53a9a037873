"""Which column of a table means what: the one table of synonyms, and what only looks like an input.

A name counts without case, blanks, separators and the humps of camelCase: ``Entry Price``, ``entryPrice`` and
``entry-price`` are ``entry_price``. A column that comes close to an input and is not read is an error, since
the numbers would be those of another book; one that has nothing to do with inputs is passed through.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = [
    "AMBIGUOUS",
    "MEANT_AS_RESULT",
    "NAMES",
    "ColumnFault",
    "NamedColumns",
    "check_names",
    "name_columns",
]

NAMES: dict[str, tuple[str, ...]] = {
    "instrument": (
        "symbol", "ticker", "pair", "market", "contract", "inst_id", "instrument_name", "product_id",
    ),
    "quantity": (
        "qty", "size", "contracts", "amount", "position", "position_size", "position_qty", "position_amt",
        "position_amount", "pos", "signed_quantity", "signed_size", "net_quantity", "szi",
    ),
    "side": ("position_side", "pos_side", "direction", "long_short", "buy_sell"),
    "entry_price": (
        "entry", "entry_px", "avg_price", "average_price", "avg_px", "avg_entry_price", "average_entry_price",
        "open_price", "avg_open_price",
    ),
    "mark_price": ("mark", "mark_px"),
    "account": ("account_id", "account_name", "acct", "sub_account", "user", "user_id", "trader"),
    "margin_mode": ("margin_type", "mgn_mode", "is_cross"),
    "isolated_margin": (
        "margin", "position_margin", "isolated_wallet", "posted_margin", "collateral",
    ),
    "leverage": ("lever", "lev", "leverage_value"),
    "accrued_funding": ("funding", "funding_fee", "unpaid_funding", "unsettled_funding", "pending_funding"),
    "contract_size": ("contract_multiplier", "ct_val", "contract_value", "lot_size"),
    "risk_limit": ("risk_limit_value", "chosen_risk_limit"),
    "wallet_balance": ("wallet", "cross_wallet", "cross_wallet_balance"),
    "wallet_currency": (
        "settlement_currency", "settle_currency", "settle_coin", "margin_asset", "margin_coin",
    ),
    "policy": ("margin_policy",),
    "asset": ("coin", "ccy", "currency"),
    "balance": ("held", "free_and_locked"),
    "liability": ("borrowed", "debt", "borrow_amount", "liab"),
    "interest": ("accrued_interest", "unpaid_interest"),
    "price": ("asset_price", "index_price"),
}  # fmt: skip
"""Name of each input and its synonyms; a file reads those inputs that it is about."""

AMBIGUOUS: dict[str, str] = {
    "price": "entry_price or mark_price",
    "last_price": "mark_price, if positions are valued at it",
    "index_price": "mark_price, if positions are valued at it",
    "balance": "wallet_balance, if unrealized PnL is not in it",
    "value": "quantity, or a result",
    "cost": "isolated_margin, or quantity times entry_price",
    "rate": "a rate of the instruments' tiers (--instruments) or of funding",
    "funding_rate": "a column of the instruments (--instruments); accrued_funding is an amount",
    "fee_rate": "a rule of the policy (--set closing_fee_rate=...)",
    "taker_fee": "a rule of the policy (--set closing_fee_rate=...)",
    "maintenance_margin_rate": "the rate of the instruments' tiers (--instruments)",
    "mmr": "the rate of the instruments' tiers (--instruments)",
    "imr": "the initial margin, a result, or the rate of a tier",
    "tick_size": "a column of the instruments (--instruments)",
    "multiplier": "a column of the instruments (--instruments), or contract_size",
    "payoff": "a column of the instruments (--instruments)",
    "liquidation_fee": "a rule of the policy",
}
"""Names that may mean one thing or another, and what to call the column instead."""

# Words of which one in a name makes it look like an input.
TELLING = frozenset(
    ["quantity", "qty", "size", "contracts", "amount", "entry", "mark", "margin", "leverage", "lever",
    "funding", "side", "direction", "wallet", "collateral", "balance", "liability", "debt", "borrowed"]
)  # fmt: skip
# A name that begins with one of these tells what someone else computed.
ELSEWHERE = ("venue", "exchange", "reported", "expected")
MEANT_AS_RESULT = "the column has the name of a result, which the output would hold twice"

_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^0-9A-Za-z\u0080-\U0010ffff]+")


class ColumnFault(Exception):
    """What is wrong with a header; whoever knows where it stands makes an error of ours of it.

    Parameters
    ----------
    column : str or None
        The column at fault.
    rule, expected, found : str
        As in `levcore.LevcoreError`.
    """

    column: str | None
    rule: str
    expected: str
    found: str

    def __init__(self, column: str | None, rule: str, expected: str, found: str) -> None:
        super().__init__(column, rule, expected, found)
        self.column, self.rule, self.expected, self.found = column, rule, expected, found


@dataclass(frozen=True)
class NamedColumns:
    """What the columns of a table mean.

    Parameters
    ----------
    names : dict of str to str
        Column of each input that the table has.
    kept : tuple of str
        Columns that go out again: all but those to be ignored.
    has_earlier : bool
        Whether the results of an earlier evaluation were among them and are left out.
    """

    names: dict[str, str]
    kept: tuple[str, ...] = field(default=())
    has_earlier: bool = False


def plain(name: str) -> str:
    """Name without case, blanks and separators."""
    return "".join(_words(name))


def _words(name: str) -> list[str]:
    spaced = _HUMPS.split(unicodedata.normalize("NFKC", name))
    return [word.casefold() for word in spaced if word]


def _one_slip(name: str) -> set[str]:
    """The name and every text that lacks one letter of it: names one slip apart share one of them."""
    return {name, *(name[:place] + name[place + 1 :] for place in range(len(name)))}


_FIELDS = {plain(word): name for name, words in NAMES.items() for word in (name, *words)}
_AMBIGUOUS = {plain(name): meant for name, meant in AMBIGUOUS.items()}
_SLIPS = {slip: name for word, name in _FIELDS.items() if len(word) > 4 for slip in _one_slip(word)}


def name_columns(
    columns: Sequence[str],
    inputs: Iterable[str],
    required: Iterable[str],
    *,
    ignored: Collection[str] = (),
    passed: Collection[str] = (),
    results: Collection[str] = (),
    earlier: Collection[str] = (),
) -> NamedColumns:
    """Find the inputs of a table by the names of its columns.

    Parameters
    ----------
    columns : sequence of str
        Names of the columns.
    inputs : iterable of str
        Inputs that the table may have, keys of `NAMES` or names of its own.
    required : iterable of str
        Those that it must have.
    ignored, passed : collection of str
        Columns that the caller says are no inputs: left out, or passed through.
    results : collection of str
        Names of results, which no column that goes out again may have.
    earlier : collection of str
        Names of all results of an evaluation: a table that has every one of them is its output, and they are
        left out. One that has some of them is not.

    Raises
    ------
    ColumnFault
        A column stands twice or has no name, two columns mean one input, an input is missing, a column looks
        like an input and is not read, or has the name of a result.
    """
    check_names(columns)
    wanted = {plain(name): name for name in inputs}
    for name in tuple(wanted.values()):
        for synonym in NAMES.get(name, ()):
            wanted.setdefault(plain(synonym), name)
    has_earlier = bool(earlier) and {*earlier} <= {*columns}
    ignored, passed = _plain_all([*ignored, *(earlier if has_earlier else ())]), _plain_all(passed)
    found: dict[str, str] = {}
    unread: list[str] = []
    for column in columns:
        word = plain(column)
        if word in ignored or word in passed:
            continue
        meant = wanted.get(word)
        if meant is None:
            unread.append(column)
        elif meant in found:
            rule = f"columns {found[meant]!r} and {column!r} both mean {meant}"
            raise ColumnFault(column, rule, "one of them, or ignore_columns=", repr(column))
        else:
            found[meant] = column
    kept = tuple(column for column in columns if plain(column) not in ignored)
    _check_results(kept, results)
    _check_required(columns, unread, required, found)
    for column in unread:
        _check_unread(column, wanted)
    return NamedColumns(found, kept, has_earlier)


def _plain_all(names: Collection[str]) -> set[str]:
    return {plain(name) for name in names}


def check_names(columns: Sequence[str]) -> None:
    """Refuse a column without a name, a name that stands twice, and one that Arrow cannot hold."""
    first: dict[str, int] = {}
    for place, name in enumerate(columns):
        if "\0" in name:
            # Arrow's names end there, and polars ends the process over one.
            raise ColumnFault(name, "a name must not hold a zero byte", "text", repr(name))
        if not name.strip():
            expected = "a name in the header" + (
                "" if place else "; pandas writes an index without: index=False"
            )
            raise ColumnFault(None, f"column {place + 1} has no name", expected, "nothing")
        if name in first:
            twice = f"columns {first[name] + 1} and {place + 1}"
            raise ColumnFault(name, "the column stands twice", "every name once", twice)
        first[name] = place


def _check_required(
    columns: Sequence[str], unread: Sequence[str], required: Iterable[str], found: Mapping[str, str]
) -> None:
    for name in required:
        if name in found:
            continue
        near = [column for column in unread if name in _meant(column)]
        also = f", or {', '.join(NAMES[name][:4])}" if NAMES.get(name) else ""
        shown = ", ".join(columns[:30]) + (", ..." if len(columns) > 30 else "")
        hint = f" (is {near[0]!r} meant?)" if near else ""
        raise ColumnFault(name, f"the column is missing{hint}", f"a column {name!r}{also}", shown)


def _meant(column: str) -> str:
    """What a column that is not read may mean; empty where it does not look like an input."""
    words = _words(column)
    if words and words[0] in ELSEWHERE:
        return ""
    word = "".join(words)
    if word in _AMBIGUOUS:
        return _AMBIGUOUS[word]
    if word in _FIELDS or word.removesuffix("s") in _FIELDS:
        return _FIELDS.get(word) or _FIELDS[word.removesuffix("s")]
    close = next((_SLIPS[slip] for slip in _one_slip(word) if slip in _SLIPS), "") if len(word) > 3 else ""
    if close:
        return close
    telling = next((one for one in words if one in TELLING), "")
    return _FIELDS.get(telling, telling)


def _check_unread(column: str, wanted: Mapping[str, str]) -> None:
    meant = _meant(column)
    if not meant:
        return
    readable = f"{meant} if it is that" if meant in wanted.values() else meant
    raise ColumnFault(
        column,
        "the column looks like an input and is not read",
        f"{readable}; else pass_columns= or ignore_columns=",
        repr(column),
    )


def _check_results(kept: Sequence[str], results: Collection[str]) -> None:
    for column in kept:
        if column in results:
            raise ColumnFault(column, MEANT_AS_RESULT, "another name, or ignore_columns=", repr(column))
