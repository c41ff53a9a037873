"""Reconciliation of a reply that has been read: its positions by policy and currency, number by number."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from functools import cached_property
from os import PathLike
from typing import Any

from levcore.errors import InputError
from levcore.reconciliation.borrowed import FEE, borrowed_of
from levcore.reconciliation.case import Case, InstrumentFacts
from levcore.reconciliation.difference import Difference
from levcore.reconciliation.reasons import reason_for
from levcore.reconciliation.recover import GROUP, Recovered, depends_on, fees_of_numbers, recover
from levcore.reconciliation.result import COMPARED, ReconciledNumber, Reconciliation, Verdict
from levcore.reconciliation.versions import policy_of_day
from levcore.rules.instruments import Instrument, plain_symbol
from levcore.rules.policy import MarginPolicy
from levcore.rules.several import rules_by_label, with_regular_fees
from levcore.rules.tiers import TierTable
from levcore.status import Status
from levcore.venues.json import read_json
from levcore.venues.positions.pages import read_account_pages, read_pages
from levcore.venues.positions.reply import (
    AccountReply,
    BorrowedPosition,
    MarginMode,
    Reply,
    Reported,
    VenuePosition,
    read_account,
    read_reply,
)
from levcore.venues.printed_number import agreement, gap_and_share

__all__ = ["Given", "Group", "reconcile_reply", "reply_of"]

HALF_OF_INITIAL = "half-of-initial-at-max-leverage"
RATE_FROM = {"closing_fee_rate": "initial_margin", "maintenance_rate": "maintenance_margin"}
"""Numbers that give these rates away, where the rules are those of the reply."""
WAYS_TO_GIVE = {
    "closing_fee_rate": "the account's fee rate: closing_fee_rate (--set closing_fee_rate=RATE)",
    "maintenance_rate": "the tier table of the instrument (--tiers FILE)",
    "contract_size": "the contract size (--instruments FILE)",
    "leverage": "the leverage",
    "mark_price": "the mark price",
    "entry_price": "the entry price",
    "hedge_requirement": "the rule for legs of one instrument (--set hedge_requirement=RULE)",
}

# Sums of rounded parts, or a fee on a rounded bankruptcy price, print digits that no rate gives.
NO_COMMON_FEE = "no one rate gives all of these numbers to their last digit, so none is taken"


def reconcile_reply(given: "Given", source: str) -> Reconciliation:
    """Compare every number of a reply; see `levcore.reconciliation.reconcile.reconcile`."""
    reply = given.reply
    groups: dict[tuple[str, str], list[int]] = {}
    for index, position in enumerate(reply.positions):
        groups.setdefault((position.policy, position.settlement), []).append(index)
    numbers: list[tuple[int, ReconciledNumber]] = []
    recovered: list[Recovered] = []
    used: list[str] = []
    notes = [*reply.notes]
    for (name, settlement), indices in groups.items():
        rules, note = given.policy_of(name)
        group = Group(given, rules, settlement, [reply.positions[each] for each in indices])
        numbers += [(indices[row], number) for row, number in group.position_numbers()]
        numbers += [(len(reply.positions), number) for number in group.account_numbers()]
        recovered += group.found
        used.append(group.case.policy.id)
        notes += [note] if note else []
        notes += group.held_otherwise
    for borrowed in reply.borrowed:
        rules = given.policy_of_borrowed(borrowed.policy)
        evaluated = borrowed_of(borrowed, rules, given.stated[rules.id])
        numbers += [(len(reply.positions) + 1, number) for number in evaluated.numbers()]
        recovered += evaluated.found
        used.append(rules.id)
    numbers.sort(key=lambda each: each[0])
    made = tuple(number for _, number in numbers)
    return Reconciliation(
        source,
        tuple(dict.fromkeys(used)),
        made,
        tuple(recovered),
        (*reply.left_out, *_not_compared((*reply.positions, *reply.borrowed), made)),
        tuple(dict.fromkeys(notes)),
        reply.flat,
    )


def _not_compared(
    positions: tuple[VenuePosition | BorrowedPosition, ...], numbers: tuple[ReconciledNumber, ...]
) -> list[str]:
    """Positions of which nothing was compared, each with the first reason."""
    lines = []
    for position in positions:
        own = [each for each in numbers if each.place == position.place]
        if not any(each.verdict in COMPARED for each in own):
            reasons = [f"{each.field} {each.reason}" for each in own if each.verdict is Verdict.NOT_DERIVABLE]
            reason = next(iter(reasons), "the reply prints no number to compare it with")
            lines.append(f"{position.place} {position.instrument}: nothing compared: {reason}")
    return lines


def reply_of(positions: Any, source: str, account: Any, margin_mode: MarginMode | None) -> Reply:
    """Read a reply, with the margin mode and the reply about the account where they are given."""
    loaded, file = _loaded(positions, "reply")
    reply = read_pages(loaded, lambda page, name: read_reply(page, source, name), file)
    if margin_mode is not None:
        reply = reply.with_margin_mode(margin_mode)
    if account is not None:
        data, file = _loaded(account, "account")
        wallets = read_account_pages(data, lambda page, name: read_account(page, source, name), file)
        reply = reply.with_accounts(wallets)
    return reply


def _loaded(data: Any, name: str) -> tuple[Any, str]:
    if isinstance(data, (str, PathLike)):
        return read_json(data), str(data)
    # Text in a list is a row that is broken, and no name of a file to open.
    if isinstance(data, (list, tuple)) and data and all(isinstance(each, PathLike) for each in data):
        return [read_json(each) for each in data], ", ".join(map(str, data))
    return data, name


@dataclass(frozen=True)
class Given:
    """What the caller gave."""

    policy: MarginPolicy | str | None
    rules: Mapping[str, Any]
    fees: str | None
    tiers: Mapping[str, TierTable]
    instruments: Mapping[str, Instrument]
    reply: Reply
    wallets: Mapping[str, float | str]

    def policy_of(self, name: str) -> tuple[MarginPolicy, str]:
        """Policy of the positions whose reply names `name`, and what has to be said of its choice."""
        chosen, note = self._named[name]
        return self._ready[chosen.id], note

    def policy_of_borrowed(self, name: str) -> MarginPolicy:
        """Policy of borrowed positions, whose fee is a part of the debt's rate and no rule of the policy."""
        chosen, _ = self._named[name]
        rules = {rule: value for rule, value in self.stated[chosen.id].items() if rule != FEE}
        return chosen.replace(**rules) if rules else chosen

    @cached_property
    def stated(self) -> dict[str, dict[str, Any]]:
        """Rules that the caller states of each policy, by its id."""
        return rules_by_label(self._by_id, self.rules) if self._by_id else {}

    @cached_property
    def _by_id(self) -> dict[str, MarginPolicy]:
        return {chosen.id: chosen for chosen, _ in self._named.values()}

    @cached_property
    def _ready(self) -> dict[str, MarginPolicy]:
        stated = self.stated
        ready = {
            label: one.replace(**stated[label]) if stated[label] else one
            for label, one in self._by_id.items()
        }
        if self.fees is None:
            return ready
        if self.fees != "regular":
            raise InputError("fees", "must be an account tier that is bundled", "'regular'", repr(self.fees))
        return with_regular_fees(ready)

    @cached_property
    def _named(self) -> dict[str, tuple[MarginPolicy, str]]:
        """Policy as it is bundled or given, and a note about its choice, by the name that a reply gives."""
        names = [each.policy for each in self.reply.positions]
        names += [each.policy for each in self.reply.borrowed]
        return {name: self._chosen(name) for name in names}

    def _chosen(self, name: str) -> tuple[MarginPolicy, str]:
        chosen = self.policy if self.policy is not None else name
        if not chosen:
            raise InputError("policy", "must be named for these positions", "--policy NAME", "no known venue")
        if isinstance(chosen, str):
            return policy_of_day(chosen, "" if self.policy is not None else self.reply.dated)
        return chosen, ""

    def facts_of(self, position: VenuePosition, rules: MarginPolicy) -> InstrumentFacts:
        """Return what is known of an instrument: from the caller, else the policy, else the reply."""
        name = position.instrument
        given = self.instruments.get(name)
        if given is not None:
            return InstrumentFacts(
                given.payoff,
                Decimal(repr(float(given.contract_size))),
                self._table(name) or given.tiers,
                "the instruments given",
                given.multiplier,
                given.tick_size,
                given.isolated_only,
            )
        table, origin = self._table(name), "the tiers given"
        if table is None and name in rules.instruments:
            table, origin = rules.instruments[name].tiers, f"the table of {rules.instruments.date_of(name)}"
            if position.max_leverage and table.max_leverage[:1] not in ((), (float(position.max_leverage),)):
                table = None  # of another date: the reply says the leverage of its own
        if table is None and position.max_leverage and rules.maintenance_rate_rule == HALF_OF_INITIAL:
            table, origin = (
                TierTable.half_of_initial_rate([(0, position.max_leverage)]),
                "maxLeverage of the reply",
            )
        listed = rules.instruments.get(name)
        return InstrumentFacts(
            position.payoff,
            position.contract_size,
            table,
            origin if table else "",
            isolated_only=listed is not None and listed.isolated_only,
        )

    def _table(self, name: str) -> TierTable | None:
        # Tables of a family stand under the name without its last part: BTC-USDT of BTC-USDT-SWAP.
        spellings = (name, plain_symbol(name), name.rpartition("-")[0])
        return next((self.tiers[each] for each in spellings if each in self.tiers), None)

    def account_of(self, settlement: str) -> AccountReply | None:
        """What is known of the account in a settlement currency."""
        if settlement in self.wallets:
            known = self.reply.accounts.get(settlement)
            surplus = known.surplus if known else None
            numbers = known.reported if known else ()
            return AccountReply(
                wallet_balance=Decimal(str(self.wallets[settlement])), surplus=surplus, reported=numbers
            )
        return self.reply.accounts.get(settlement)


def _alike(numbers: list[ReconciledNumber]) -> list[ReconciledNumber]:
    """Numbers of a row, where those of one kind and the same digits have the verdict of the first."""
    first: dict[tuple[str, str], ReconciledNumber] = {}
    made = []
    for number in numbers:
        key = number.reading.removesuffix("_at_mark"), number.theirs or ""
        other = first.setdefault(key, number)
        if not all(key) or other is number or other.verdict is number.verdict:
            made.append(number)
        else:
            text = f"the digits of {other.field}, which " + (other.reason or f"is {other.verdict.value}")
            made.append(replace(number, verdict=other.verdict, cause=other.cause, reason=text))
    return made


def _recovered_text(source: Recovered) -> str:
    if source.name == "wallet_balance":
        whole = ", if the reply holds every position of the account"
        return f"wallet_balance {source.value} is implied by it" + whole
    return f"{source.name} {source.value} was recovered from it"


class Group:
    """Positions of one account under one policy."""

    account: AccountReply | None
    case: Case
    filled: Case
    found: tuple[Recovered, ...]
    inputs: dict[tuple[int, str], Recovered]
    stated: dict[str, Any]

    def __init__(
        self, given: Given, rules: MarginPolicy, settlement: str, positions: list[VenuePosition]
    ) -> None:
        self.given = given
        self.settlement = settlement
        self.account = given.account_of(settlement)
        self.case = Case(
            policy=rules,
            facts={each.instrument: given.facts_of(each, rules) for each in positions},
            positions=tuple(positions),
            wallet_balance=self.account.wallet_balance if self.account else None,
            wallet_without_entry_value=bool(self.account and self.account.wallet_without_entry_value),
        )
        self.filled, self.found = recover(self.case)
        self.inputs = {(each.row, each.field): each for each in self.found}
        self.stated = given.stated[rules.id]

    @property
    def held_otherwise(self) -> list[str]:
        """What is to be said of cross positions that the policy lists for isolated margin alone.

        The reply is the later word on how the venue holds a position: its numbers are compared as cross ones.
        """
        facts, rules = self.case.facts, self.case.policy
        return [
            f"{each.place} {each.instrument}: a cross position in a contract that {rules.id} lists for"
            " isolated margin alone"
            for each in self.case.positions
            if each.margin_mode == "cross" and facts[each.instrument].isolated_only
        ]

    def position_numbers(self) -> list[tuple[int, ReconciledNumber]]:
        """Every number of every position, with its row."""
        return [
            (row, number)
            for row, position in enumerate(self.case.positions)
            for number in _alike(
                [self._number(row, each, position.place, position.instrument) for each in position.reported]
            )
        ]

    def account_numbers(self) -> list[ReconciledNumber]:
        """Every number of the account."""
        if self.account is None or not any(each.margin_mode == "cross" for each in self.case.positions):
            return []
        place = f"account {self.settlement}"
        return [self._number(0, number, place, self.settlement) for number in self.account.reported]

    def _number(self, row: int, number: Reported, place: str, instrument: str) -> ReconciledNumber:
        theirs = None if number.printed is None else number.printed.text
        head = (place, instrument, number.field, number.reading)

        def made(ours: float | None, verdict: Verdict, cause: str, reason: str) -> ReconciledNumber:
            gap: float | None = None
            share: float | None = None
            if ours is not None and number.printed is not None:
                gap, share = gap_and_share(ours, number.printed)
            return ReconciledNumber(*head, ours, theirs, gap, share, verdict, cause, reason)

        lacking = number.note if not number.reading else self._lacking(row, number.reading)
        if lacking:
            return made(None, Verdict.NOT_DERIVABLE, "missing", lacking)
        raw = self.filled.evaluation.read(number.reading, row)
        ours = raw if math.isfinite(raw) else None
        source = None if number.reading.startswith(GROUP) else self.inputs.get((row, number.field))
        if source is not None:
            return made(ours, Verdict.INPUT, "input", _recovered_text(source))
        if ours is None and number.printed is None:
            return made(
                ours, Verdict.SAME, "", "no price in either" + (f"; {number.note}" if number.note else "")
            )
        if number.printed is None:
            cause = "limit" if number.note else ""
            return made(ours, Verdict.DIFFERS, cause, number.note or "the venue prints none")
        slack = self.filled.evaluation.slack(number.reading, row)
        if ours is not None and agreement(ours, number.printed, slack) == "nearest":
            return made(ours, Verdict.SAME, "", "")
        reason = reason_for(self._difference(row, number))
        if reason is None:
            return made(ours, Verdict.DIFFERS, "", "")
        verdict = Verdict.ROUNDED if reason.is_rounding else Verdict.DIFFERS
        return made(ours, verdict, reason.cause, reason.text)

    def _difference(self, row: int, number: Reported) -> Difference:
        """Difference to be explained, on as few positions as the number depends on."""
        if number.reading.startswith(GROUP) or self.filled.needs_account(row, number.reading):
            # The other positions keep what was recovered for them; this one's inputs may change.
            raw = self.case.positions[row]
            own = {each.name for each in self.found if each.row == row}
            case = replace(
                self.filled.with_position(
                    row, **{each.name: getattr(raw, each.name) for each in fields(raw)}
                ),
                policy=self.case.policy if "closing_fee_rate" in own else self.filled.policy,
                facts={**self.filled.facts, raw.instrument: self.case.facts[raw.instrument]},
                wallet_balance=None if "wallet_balance" in own else self.filled.wallet_balance,
            )
            return Difference(
                case, self.filled, row, number, self.stated, self.account, self.given.reply.dated
            )
        alone = self.case.alone(row), self.filled.alone(row)
        return Difference(*alone, 0, number, self.stated, None, self.given.reply.dated)

    def _lacking(self, row: int, reading: str) -> str:
        """What a number needs and nobody gave; empty where nothing is missing."""
        rows = [row]
        if reading.startswith(GROUP):
            rows = [each for each, at in enumerate(self.case.positions) if at.margin_mode == "cross"]
        for each in rows:
            status = Status(self.filled.evaluation.risk.status[each])
            if status.is_failure:
                return f"the row cannot be evaluated: {status.describe()}"
            for name in self.filled.missing(each):
                if depends_on(self.filled, each, reading, name):
                    return f"needs {self._way_to_give(name)}" + self._why_not_recovered(each, name, reading)
        return ""

    def _way_to_give(self, name: str) -> str:
        if name in self.case.unknown_rules:
            why = (
                self.case.policy.unknown.about(name) or f"{getattr(self.case.policy, name)!r} is not computed"
            )
            return f"the rule {name} (--set {name}=VALUE); {self.case.policy.id}: {why}"
        return WAYS_TO_GIVE.get(name, f"{self.given.reply.wallet_field} (--account, --wallet)")

    def _why_not_recovered(self, row: int, name: str, reading: str) -> str:
        if name == "closing_fee_rate":
            fees = fees_of_numbers(self.case.alone(row))
            if fees:
                fits = ", ".join(f"{rate} fits {' and '.join(names)}" for rate, names in fees.items())
                return f"; {fits}; {NO_COMMON_FEE}"
        if reading == RATE_FROM.get(name):
            return "; no rate of a few digits gives this number under these rules"
        return ""
