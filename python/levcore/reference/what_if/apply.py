"""A change applied to the ledger, or refused with a reason."""

import math
from dataclasses import dataclass, replace

from levcore.changes.status import ChangeKind, ChangeStatus
from levcore.reference.what_if.fills import Fill, Filled, fill
from levcore.reference.what_if.ledger import Ledger
from levcore.reference.what_if.position import Position, Terms

__all__ = ["Change", "Moved", "RefusedError", "Touched", "apply", "locate"]


@dataclass(frozen=True, slots=True)
class Change:
    """One change; codes are None where it names nothing."""

    kind: ChangeKind
    row: int | None
    account: int | None
    instrument: int | None
    policy: int | None
    asset: int | None
    replacement: int | None
    cross: bool
    quantity: float
    price: float
    fee_rate: float
    leverage: float
    amount: float
    risk_limit: float
    release: str


@dataclass(frozen=True, slots=True)
class Touched:
    """What a change is about: rows and accounts, where it has them."""

    row: int | None = None
    account: int | None = None
    source: int | None = None
    opens: bool = False
    left: int | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """Money that a change moved, in settlement currency."""

    realized: float = 0.0
    fee: float = 0.0
    cash_flow: float = 0.0


class RefusedError(Exception):
    """A change that cannot be applied; never leaves the reference."""

    def __init__(self, status: ChangeStatus) -> None:
        super().__init__(status)
        self.status = status


def _position(ledger: Ledger, row: int | None) -> Position:
    if row is None or row >= len(ledger.positions):
        raise RefusedError(ChangeStatus.UNKNOWN_ROW)
    return ledger.positions[row]


def _account(change: Change) -> int:
    if change.account is None:
        raise RefusedError(ChangeStatus.UNKNOWN_ACCOUNT)
    return change.account


def locate(ledger: Ledger, change: Change) -> Touched:
    """Find what a change is about; a position that it opens is appended, without contracts."""
    kind = change.kind
    if kind in (ChangeKind.WALLET, ChangeKind.COLLATERAL):
        return Touched(account=_account(change))
    if kind is ChangeKind.TRANSFER:
        return _locate_transfer(ledger, change)
    if kind is ChangeKind.NONE and change.row is None and change.instrument is None:
        if change.account is None:
            raise RefusedError(ChangeStatus.UNKNOWN_ROW)
        return Touched(account=change.account)
    row = _named_row(ledger, change)
    if row is not None:
        position = ledger.positions[row]
        if None not in (position.account, change.account) and position.account != change.account:
            raise RefusedError(ChangeStatus.UNKNOWN_ACCOUNT)
        _refuse_other_currency(ledger, change.account, position)
        return Touched(row=row, account=change.account if position.account is None else position.account)
    if kind is ChangeKind.ORDER:
        return _open(ledger, change)
    named = change.account is not None and change.instrument is not None
    raise RefusedError(ChangeStatus.NO_POSITION if named else ChangeStatus.UNKNOWN_ROW)


def _named_row(ledger: Ledger, change: Change) -> int | None:
    if change.row is not None:
        position = _position(ledger, change.row)
        code = change.instrument
        if code is not None and ledger.base_of[code] != ledger.base_of[position.instrument]:
            raise RefusedError(ChangeStatus.UNKNOWN_INSTRUMENT)
        return change.row
    if change.account is None or change.instrument is None or not change.cross:
        return None
    if not math.isnan(change.quantity):
        return ledger.leg(change.account, change.instrument, change.quantity)
    # Without a quantity either side will do.
    long = ledger.leg(change.account, change.instrument, 1.0)
    return ledger.leg(change.account, change.instrument, -1.0) if long is None else long


def _policy_in(ledger: Ledger, account: int | None) -> int | None:
    if account is None:
        return None
    rows = ledger.legs(account)
    return ledger.positions[rows[0]].policy if rows else ledger.policy_of_balances(account)


def _refuse_other_currency(ledger: Ledger, account: int | None, position: Position) -> None:
    """A wallet in one currency holds and pays nothing in another."""
    if account is not None and ledger.settles_apart(account, position):
        raise RefusedError(ChangeStatus.MIXED_SETTLEMENT)


def _append(ledger: Ledger, position: Position, payer: int | None) -> int:
    if ledger.instrument(position) is None:
        raise RefusedError(ChangeStatus.UNKNOWN_INSTRUMENT)
    if ledger.must_be_isolated(position):
        raise RefusedError(ChangeStatus.ISOLATED_ONLY)
    _refuse_other_currency(ledger, payer, position)
    ledger.positions.append(position)
    return len(ledger.positions) - 1


def _open(ledger: Ledger, change: Change) -> Touched:
    if change.instrument is None:
        raise RefusedError(ChangeStatus.UNKNOWN_INSTRUMENT)
    account = _account(change) if change.cross else None
    known = _policy_in(ledger, account)
    policy = change.policy if known is None else known
    if policy is None:
        raise RefusedError(ChangeStatus.UNKNOWN_INSTRUMENT)
    row = _append(ledger, Position(change.instrument, policy, account), change.account)
    return Touched(row=row, account=change.account if account is None else account, opens=True)


def _locate_transfer(ledger: Ledger, change: Change) -> Touched:
    position = _position(ledger, change.row)
    target = _account(change)
    if position.account == target:
        raise RefusedError(ChangeStatus.UNKNOWN_ACCOUNT)
    if not position.is_open:
        raise RefusedError(ChangeStatus.NO_POSITION)
    row = ledger.leg(target, position.instrument, position.quantity)
    opens = row is None
    if row is None:
        policy = _policy_in(ledger, target)
        policy = position.policy if policy is None else policy
        row = _append(ledger, Position(position.instrument, policy, target), target)
    return Touched(row, target, position.account, opens, change.row)


def apply(ledger: Ledger, change: Change, touched: Touched) -> Moved:
    """Apply a change to what it is about; refused, the ledger is as before."""
    kind = change.kind
    if kind is ChangeKind.NONE:
        return Moved()
    if kind is ChangeKind.COLLATERAL and change.asset is None:
        raise RefusedError(ChangeStatus.UNKNOWN_ASSET)
    if kind in (ChangeKind.WALLET, ChangeKind.COLLATERAL):
        return _pay(ledger, change, _account(change))
    position = _position(ledger, touched.row)
    row = touched.row if touched.row is not None else -1
    if kind is ChangeKind.LEVERAGE:
        return _change_leverage(ledger, change, row, position, touched.account)
    if kind is ChangeKind.MARGIN:
        return _change_margin(ledger, change, row, position, touched.account)
    if kind is ChangeKind.TIERS:
        return _replace_tiers(ledger, change, row, position)
    if kind is ChangeKind.TRANSFER:
        return _transfer(ledger, change, touched, row, position)
    return _trade(ledger, change, row, position, touched.account)


def _amount(change: Change) -> float:
    if not math.isfinite(change.amount):
        raise RefusedError(ChangeStatus.INVALID_AMOUNT)
    return change.amount


def _pay(ledger: Ledger, change: Change, account: int) -> Moved:
    amount = _amount(change)
    if change.kind is ChangeKind.WALLET:
        if account in ledger.pooled:
            raise RefusedError(ChangeStatus.UNKNOWN_ACCOUNT)
        ledger.wallets[account] += amount
    else:
        if account not in ledger.pooled or change.asset is None:
            raise RefusedError(ChangeStatus.UNKNOWN_ASSET)
        ledger.receive(account, change.asset, amount)
    return Moved(cash_flow=amount)


def _is_positive(number: float) -> bool:
    return 0.0 < number < math.inf


def _trade(ledger: Ledger, change: Change, row: int, position: Position, account: int | None) -> Moved:
    quantity = change.quantity
    if change.kind is not ChangeKind.ORDER:
        if not position.is_open:
            raise RefusedError(ChangeStatus.NO_POSITION)
        quantity = -position.quantity if change.kind is ChangeKind.CLOSE else -2.0 * position.quantity
    if not math.isfinite(quantity) or quantity == 0.0:
        raise RefusedError(ChangeStatus.INVALID_QUANTITY)
    price = change.price
    if math.isnan(price):
        price = float(ledger.marks[position.policy, position.instrument])
    filled = _filled(ledger, change, position, quantity, price)
    ledger.positions[row] = filled.position
    return _settle(ledger, filled, account)


def _filled(ledger: Ledger, change: Change, position: Position, quantity: float, price: float) -> Filled:
    if not position.is_valid:
        raise RefusedError(ChangeStatus.NO_POSITION)
    if not _is_positive(price):
        raise RefusedError(ChangeStatus.INVALID_PRICE)
    if not abs(change.fee_rate) < 1.0:
        raise RefusedError(ChangeStatus.INVALID_FEE)
    if not math.isnan(change.leverage) and not _is_positive(change.leverage):
        raise RefusedError(ChangeStatus.INVALID_LEVERAGE)
    if math.isinf(change.amount):
        raise RefusedError(ChangeStatus.INVALID_AMOUNT)
    terms = _terms(ledger, position)
    order = Fill(quantity, price, change.fee_rate, change.leverage, change.amount, change.release)
    filled = fill(position, terms, order)
    if not math.isnan(change.risk_limit):
        filled = replace(filled, position=replace(filled.position, risk_limit=change.risk_limit))
    held = 0.0 if position.account is not None else filled.position.held_margin(terms)
    if position.account is None and (math.isnan(filled.cash_flow) or math.isnan(held)):
        raise RefusedError(ChangeStatus.MISSING_MARGIN)
    return filled


def _terms(ledger: Ledger, position: Position) -> Terms:
    instrument = ledger.instrument(position)
    if instrument is None:
        raise RefusedError(ChangeStatus.UNKNOWN_INSTRUMENT)
    mark = float(ledger.marks[position.policy, position.instrument])
    return Terms(instrument, ledger.policies[position.policy].rules, mark)


def _settle(ledger: Ledger, filled: Filled, account: int | None) -> Moved:
    if account is not None:
        ledger.credit(account, filled.position, filled.cash_flow)
    return Moved(filled.realized, filled.fee, filled.cash_flow)


def _change_leverage(
    ledger: Ledger, change: Change, row: int, position: Position, account: int | None
) -> Moved:
    if not _is_positive(change.leverage):
        raise RefusedError(ChangeStatus.INVALID_LEVERAGE)
    after = replace(position, leverage=change.leverage)
    cash_flow = 0.0
    if position.account is None and math.isnan(position.isolated_margin) and position.is_open:
        terms = _terms(ledger, position)
        held = position.held_margin(terms)
        # A position that had neither margin nor leverage held nothing that is known.
        cash_flow = 0.0 if math.isnan(held) else held - after.held_margin(terms)
    ledger.positions[row] = after
    if account is not None and position.account is None:
        ledger.credit(account, after, cash_flow)
    return Moved(cash_flow=cash_flow)


def _change_margin(
    ledger: Ledger, change: Change, row: int, position: Position, account: int | None
) -> Moved:
    if position.account is not None:
        raise RefusedError(ChangeStatus.NOT_ISOLATED)
    amount = _amount(change)
    held = position.held_margin(_terms(ledger, position)) + amount
    if math.isnan(held):
        raise RefusedError(ChangeStatus.MISSING_MARGIN)
    ledger.positions[row] = replace(position, isolated_margin=held)
    if account is not None:
        ledger.credit(account, position, -amount)
    return Moved(cash_flow=-amount)


def _replace_tiers(ledger: Ledger, change: Change, row: int, position: Position) -> Moved:
    base, code = ledger.base_of[position.instrument], change.replacement
    if code is None or ledger.base_of[code] != base:
        raise RefusedError(ChangeStatus.UNKNOWN_TABLE)
    if ledger.must_be_isolated(replace(position, instrument=code)):
        raise RefusedError(ChangeStatus.ISOLATED_ONLY)
    rows = [row] if position.account is None else ledger.legs(position.account)
    for each in rows:
        leg = ledger.positions[each]
        if ledger.base_of[leg.instrument] == base:
            ledger.positions[each] = replace(leg, instrument=code)
    return Moved()


def _transfer(ledger: Ledger, change: Change, touched: Touched, row: int, target: Position) -> Moved:
    leaving, none = _position(ledger, touched.left), math.nan
    left = touched.left if touched.left is not None else -1
    price = leaving.entry_price if math.isnan(change.price) else change.price
    closing = replace(change, fee_rate=0.0, amount=none, leverage=none, risk_limit=none, release="share")
    out = _filled(ledger, closing, leaving, -leaving.quantity, price)

    def kept(own: float, given: float) -> float:
        return own if math.isnan(given) and target.quantity == 0.0 else given

    leverage = kept(leaving.leverage, change.leverage)
    arriving = replace(change, leverage=leverage, risk_limit=kept(leaving.risk_limit, change.risk_limit))
    entered = _filled(ledger, arriving, target, leaving.quantity, price)
    joined = replace(entered.position, funding=target.funding + leaving.funding)
    ledger.positions[left] = replace(out.position, funding=0.0, isolated_margin=none)
    ledger.positions[row] = joined
    cash_flow = entered.cash_flow
    # An isolated position takes its margin with it, into the wallet of the account that it joins.
    if leaving.account is not None:
        ledger.credit(leaving.account, leaving, out.cash_flow)
    else:
        cash_flow += out.cash_flow
    entered = Filled(joined, entered.realized + out.realized, entered.fee, cash_flow)
    return _settle(ledger, entered, touched.account)
