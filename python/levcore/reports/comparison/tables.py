"""Tables of the report on a comparison: a column a policy."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from levcore.comparison.terms import (
    asset_notes,
    dated,
    differing_rules,
    stated_rules,
    tier_notes,
    trader_owes,
)
from levcore.reports.comparison.cells import (
    ABSENT,
    REFUSES,
    Line,
    account_lines,
    balance_lines,
    distance_text,
    position_lines,
)
from levcore.reports.comparison.lists import (
    PositionFacts,
    first_text,
    overview,
    position_facts,
    spread_text,
)
from levcore.reports.numbers import amount, price
from levcore.reports.tables import Cell, Column, Kind, Table, plain_table

if TYPE_CHECKING:
    from levcore.comparison.comparison import Comparison

__all__ = [
    "account_table",
    "balance_table",
    "distance_table",
    "overview_table",
    "policy_table",
    "position_table",
    "rule_table",
]


@dataclass(frozen=True, slots=True)
class _Entry:
    """Line of a list: one measure of one thing, and beside it the next of the words on that thing."""

    words: str
    line: Line
    place: int


def _entries(
    places: Sequence[int], lines: Sequence[Line], words_of: Callable[[int], Sequence[str]]
) -> list[_Entry]:
    return [
        _Entry(word, line, place)
        for place in places
        for word, line in zip([*words_of(place), *[""] * len(lines)], lines, strict=False)
    ]


def _entry_table(comparison: "Comparison", head: str, entries: list[_Entry], lines: int) -> Table[_Entry]:
    """Table with a few lines a thing, and a column a policy."""

    def of_policy(label: str) -> Callable[[_Entry], str]:
        return lambda entry: entry.line.cell(comparison, label, entry.place)

    columns: list[Column[_Entry]] = [
        Column(head, lambda entry: entry.words, "name"),
        Column("Measure", lambda entry: entry.line.words, "name"),
        *(Column(name, of_policy(label)) for label, name in comparison.short_names.items()),
    ]
    return Table(columns, entries, starts=range(0, len(entries), lines))


def position_table(comparison: "Comparison", rows: Sequence[int]) -> Table[_Entry]:
    """Every measure of some positions."""

    def words(row: int) -> Sequence[str]:
        facts = position_facts(comparison, row)
        of_account = f", {facts.account}" if facts.account else ""
        return (
            f"row {row}: {facts.instrument} {facts.side}",
            f"{facts.mode}{of_account}",
            f"notional {amount(facts.notional)}",
            f"mark {price(facts.mark_price)}",
        )

    lines = position_lines(comparison)
    return _entry_table(comparison, "Position", _entries(rows, lines, words), len(lines))


def account_table(comparison: "Comparison", places: Sequence[int]) -> Table[_Entry]:
    """Every measure of some accounts."""

    def words(place: int) -> Sequence[str]:
        return (str(comparison.book.account_ids[place]),)

    lines = account_lines(comparison)
    return _entry_table(comparison, "Account", _entries(places, lines, words), len(lines))


def balance_table(comparison: "Comparison", rows: Sequence[int]) -> Table[_Entry]:
    """Every measure of some balances."""

    def words(row: int) -> Iterator[str]:
        balances = comparison.book.balances
        assert balances is not None
        asset = balances.asset_names[int(balances.asset_codes[row])]
        yield f"{balances.account[row]}: {asset} {amount(float(balances.balance[row]))}"
        if balances.liability is not None and balances.liability[row]:
            yield f"owed {amount(float(balances.liability[row]))}"
        at = (comparison.asset_prices or {}).get(asset)
        if at is not None:
            yield f"price {price(float(at))}"

    lines = balance_lines()
    entries = _entries(rows, lines, lambda row: list(words(row)))
    return _entry_table(comparison, "Balance", entries, len(lines))


def distance_table(comparison: "Comparison", title: str, rows: Sequence[int]) -> Table[PositionFacts]:
    """Distances to liquidation of some positions, a line each."""
    distances = comparison.table("distance_to_liquidation")

    def of_policy(label: str) -> Callable[[PositionFacts], str]:
        refused, away = comparison.refuses(label, "position"), distances[label]
        return lambda facts: REFUSES if refused[facts.row] else distance_text(float(away[facts.row]))

    columns: list[Column[PositionFacts]] = [
        Column("Row", lambda facts: str(facts.row), "name"),
        Column("Account", lambda facts: facts.account, "name"),
        Column("Instrument", lambda facts: facts.instrument, "name"),
        Column("Side", lambda facts: facts.side, "name"),
        Column("Mode", lambda facts: facts.mode, "name", only="html"),
        Column("Notional", lambda facts: amount(facts.notional), only="html"),
        *(Column(name, of_policy(label)) for label, name in comparison.short_names.items()),
        Column("Spread", lambda facts: spread_text(float(comparison.spread[facts.row]))),
        Column("First", lambda facts: first_text(comparison, facts.row), "name"),
    ]
    return Table(columns, [position_facts(comparison, row) for row in rows], title)


def overview_table(comparison: "Comparison") -> Table[Sequence[str]]:
    """Counts and totals side by side."""
    labels = list(comparison.policies)
    lines = [
        (words, *(cells.get(label, ABSENT) for label in labels)) for words, cells in overview(comparison)
    ]
    return plain_table(("", *comparison.short_names.values()), lines, title="Side by side")


def rule_table(comparison: "Comparison") -> Table[Sequence[str]]:
    """Rules with more than one value."""
    labels = list(comparison.policies)
    lines = [
        (rule, *(values[label] for label in labels)) for rule, values in differing_rules(comparison).items()
    ]
    kinds: list[Kind] = ["name"] * (len(labels) + 1)
    return plain_table(("Rule", *comparison.short_names.values()), lines, kinds)


def policy_table(comparison: "Comparison") -> Table[Sequence[str | Cell]]:
    """What is said of each policy."""
    lines: list[tuple[str | Cell, ...]] = []
    starts = []
    for label in comparison.policies:
        starts.append(len(lines))
        for place, (word, said) in enumerate(_policy_facts(comparison, label)):
            lines.append(("" if place else label, word, Cell(tuple(said))))
    return plain_table(("Policy", "", ""), lines, ("name", "name", "prose"), starts=starts)


def _policy_facts(comparison: "Comparison", label: str) -> Iterator[tuple[str, Sequence[str]]]:
    policy = comparison.policies[label]
    yield "product", [f"{policy.title} ({policy.id})"]
    if label not in comparison.answers:
        yield "answer", [str(comparison.results[label])]
    if comparison.withheld[label]:
        yield "answer", [str(withheld) for withheld in comparison.withheld[label]]
    yield "dated", [dated(policy)]
    yield "owes a shortfall", [trader_owes(policy)]
    yield "tiers", tier_notes(policy, comparison.matches[label])
    assets = asset_notes(comparison.asset_matches[label])
    if assets:
        yield "assets", assets
    stated = stated_rules(policy)
    if stated:
        yield "stated by caller", [f"{rule} = {value}" for rule, value in stated.items()]
