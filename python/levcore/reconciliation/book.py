"""A venue's reply as a book that can be evaluated: see `levcore.venues.read`."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from levcore.book.balances import Balances
from levcore.book.positions import PositionBook
from levcore.reconciliation.borrowed import Borrowed, borrowed_of
from levcore.reconciliation.case import Case
from levcore.reconciliation.recover import Recovered
from levcore.reconciliation.reply import Given, Group
from levcore.rules.instruments import Instrument, InstrumentTable
from levcore.rules.policy import MarginPolicy

__all__ = ["ReadReply", "book_of"]


class ReadReply(NamedTuple):
    """What a reply holds, ready to be evaluated.

    ``levcore.Engine(read.policies).evaluate(read.book, read.marks, asset_prices=read.asset_prices)``
    """

    book: PositionBook
    """Positions and wallets; where there are several policies, with the label of each row's."""
    marks: dict[str, float] | dict[str, dict[str, float]]
    """Mark prices by instrument, where there are several policies by label and instrument; quote per base."""
    wallets: dict[str, float]
    """Wallet balance by account; each settlement currency is an account of its own, named after it."""
    balances: Balances | None
    """What is held and owed of borrowed positions, one account each; also in `book`."""
    asset_prices: dict[str, float] | None
    """Prices of the assets of `balances`, in the quote currency of their pairs."""
    policies: dict[str, MarginPolicy]
    """Policy by label, with the instruments as far as they are known and the rates that were recovered."""
    recovered: tuple[Recovered, ...]
    """Inputs that the reply does not hold and that its own numbers imply, such as a wallet."""
    left_out: tuple[str, ...]
    """Positions that are not in the book, each with the reason."""
    notes: tuple[str, ...]
    """What was recovered or chosen, in words."""
    columns: dict[str, list[Any]]
    """The book's rows as columns of a file of positions; numbers are float, None is an empty cell."""


@dataclass
class _Rows:
    """Rows of a book as they are gathered."""

    columns: dict[str, list[Any]]
    marks: dict[str, dict[str, float]]
    policies: dict[str, MarginPolicy]
    wallets: dict[str, float]
    is_hedged: bool = False


COLUMNS = (
    "account",
    "instrument",
    "quantity",
    "entry_price",
    "mark_price",
    "margin_mode",
    "isolated_margin",
    "leverage",
    "policy",
)


def book_of(given: Given) -> ReadReply:
    """Book of a reply; see `levcore.venues.read`."""
    reply = given.reply
    rows = _Rows({name: [] for name in COLUMNS}, {}, {}, {})
    found: list[Recovered] = []
    notes = [*reply.notes]
    shared: dict[str, list[str]] = {}
    for group, label, note in _groups(given):
        _add(rows, group, label)
        rules = group.filled.policy
        is_cross = any(each.margin_mode == "cross" for each in group.filled.positions)
        if is_cross and rules.cross_wallet != "settlement_currency":
            shared.setdefault(rules.id, []).append(group.settlement)
        found += group.found
        notes += [note] if note else []
        notes += group.held_otherwise
    borrowed, left_out = _borrowed(given)
    found += [each for one in borrowed for each in one.found]
    for one in borrowed:
        assert one.rate is not None  # the others are left out
        rows.policies[_label(one)] = one.policy.with_assets(one.assets(one.rate))
        rows.marks.setdefault(_label(one), {})
    balances, prices = _balances(borrowed)
    if len(rows.policies) == 1 and balances is None:
        del rows.columns["policy"]
    marks = rows.marks if "policy" in rows.columns else next(iter(rows.marks.values()), {})
    return ReadReply(
        _book(rows, balances),
        marks,
        rows.wallets,
        balances,
        prices,
        rows.policies,
        tuple(found),
        (*reply.left_out, *left_out),
        (*dict.fromkeys(notes), *_one_pool(shared), *map(_said, found)),
        rows.columns,
    )


def _one_pool(shared: dict[str, list[str]]) -> Iterator[str]:
    """What is to be said where wallets are read apart that no rule has apart, by policy."""
    for policy, currencies in shared.items():
        if len(currencies) > 1:
            of = " and ".join(currencies)
            yield (
                f"cross positions settle in {of}: each currency is read as an account of its own, which"
                f" {policy} does not say (cross_wallet)"
            )


def _groups(given: Given) -> Iterator[tuple[Group, str, str]]:
    """Positions of one policy and currency, the label of the policy, and a note about its choice."""
    positions = given.reply.positions
    keys = dict.fromkeys((each.policy, each.settlement) for each in positions)
    for name, settlement in keys:
        own = [each for each in positions if (each.policy, each.settlement) == (name, settlement)]
        rules, note = given.policy_of(name)
        label = rules.id if sum(key[0] == name for key in keys) == 1 else f"{rules.id} {settlement}"
        yield Group(given, rules, settlement, own), label, note


def _add(rows: _Rows, group: Group, label: str) -> None:
    case = group.filled
    account = group.settlement or "account"
    if account in rows.columns["account"]:
        account = f"{label} {account}"
    wallet = case.wallet()
    if wallet is not None and any(each.margin_mode == "cross" for each in case.positions):
        rows.wallets[account] = wallet
    rows.is_hedged = rows.is_hedged or case.is_hedged
    rows.policies[label] = case.policy.replace(instruments=_instruments(case, group.settlement))
    marks = rows.marks.setdefault(label, {})
    for each in case.positions:
        if each.mark_price is not None:
            marks[each.instrument] = float(each.mark_price)
        margin = case.isolated_margin(each)
        cells = {
            "account": account,
            "instrument": each.instrument,
            "quantity": float(each.quantity),
            "entry_price": _cell(each.entry_price),
            "mark_price": _cell(each.mark_price),
            "margin_mode": each.margin_mode,
            "isolated_margin": None if math.isnan(margin) else margin,
            "leverage": _cell(each.leverage),
            "policy": label,
        }
        for name, cell in cells.items():
            rows.columns[name].append(cell)


def _cell(number: Decimal | None) -> float | None:
    return None if number is None else float(number)


def _instruments(case: Case, settlement: str) -> InstrumentTable:
    """Instruments of which contract size and tiers are known; rows of the others fail as unknown."""
    made = {}
    for name, facts in case.facts.items():
        if facts.contract_size is not None and facts.tiers is not None:
            made[name] = Instrument(
                name,
                facts.payoff,
                facts.tiers,
                contract_size=float(facts.contract_size),
                multiplier=facts.multiplier,
                tick_size=facts.tick_size,
                settlement=settlement,
                isolated_only=facts.isolated_only,
            )
    return InstrumentTable(made.values())


def _borrowed(given: Given) -> tuple[list[Borrowed], list[str]]:
    """Borrowed positions with all that they need, and the others with the reason."""
    made: list[Borrowed] = []
    left_out = []
    for each in given.reply.borrowed:
        rules = given.policy_of_borrowed(each.policy)
        one = borrowed_of(each, rules, given.stated[rules.id])
        quotes = {other.position.quote for other in made}
        prices = {(other.position.base, other.position.mark_price) for other in made}
        if one.rate is None or each.mark_price is None:
            reason = "its mark, maintenance rate or fee is not known"
        elif quotes - {each.quote} or any(
            base == each.base and price != each.mark_price for base, price in prices
        ):
            reason = "its assets have other prices than those of the positions before it"
        else:
            made.append(one)
            continue
        left_out.append(f"{each.place} {each.instrument}: {reason}")
    return made, left_out


def _balances(borrowed: list[Borrowed]) -> tuple[Balances | None, dict[str, float] | None]:
    if not borrowed:
        return None, None
    each = [one.balances(_account(one), _label(one)) for one in borrowed]
    prices = {}
    for one in borrowed:
        prices[one.position.quote] = 1.0
        prices[one.position.base] = float(one.position.mark_price or math.nan)
    joined = {
        name: [cell for one in each for cell in getattr(one, name)]
        for name in ("balance", "liability", "interest")
    }
    accounts = [_account(one) for one in borrowed for _ in range(2)]
    assets = [name for one in borrowed for name in (one.position.held, one.position.owed)]
    labels = [_label(one) for one in borrowed for _ in range(2)]
    return Balances(accounts, assets, **joined, policy=labels), prices


def _account(one: Borrowed) -> str:
    return f"{one.position.place} {one.position.instrument}"


def _label(one: Borrowed) -> str:
    return f"{one.policy.id} {_account(one)}"


def _book(rows: _Rows, balances: Balances | None) -> PositionBook:
    columns = rows.columns

    def numbers(name: str) -> list[float]:
        return [math.nan if each is None else each for each in columns[name]]

    return PositionBook(
        instrument=columns["instrument"],
        quantity=numbers("quantity"),
        entry_price=numbers("entry_price"),
        account=columns["account"],
        margin_mode=columns["margin_mode"],
        isolated_margin=numbers("isolated_margin"),
        leverage=numbers("leverage"),
        policy=columns.get("policy"),
        wallet_balance=rows.wallets or None,
        position_mode="hedge" if rows.is_hedged else "one_way",
        balances=balances,
    )


def _said(recovered: Recovered) -> str:
    of = recovered.instrument or "the account"
    how = "is implied by" if recovered.name == "wallet_balance" else "was recovered from"
    return f"{recovered.name} {recovered.value} of {of} {how} {recovered.field}"
