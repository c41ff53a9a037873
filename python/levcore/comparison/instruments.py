"""Which instrument of each policy a comparison takes for each instrument of the book.

A book names its instruments once; every policy has a table of its own. What a policy holds neither under a
spelling of the book's name nor under a name that the caller gives, nor on the same base in another currency,
which is said, stays unmatched: nothing is guessed from similar spellings.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from levcore.errors import InputError
from levcore.rules.instruments import Instrument, InstrumentTable, said_of
from levcore.rules.policy import MarginPolicy
from levcore.rules.table_fit import check_tables, fits
from levcore.rules.tiers import TierTable

__all__ = ["Match", "Names", "match_instruments", "with_borrowed"]

Names = Mapping[str, str | Instrument]
"""Name in the book to name in the policy, or to the instrument itself."""


@dataclass(frozen=True)
class Match:
    """Instruments of one policy by their names in the book.

    Parameters
    ----------
    instruments : InstrumentTable
        What was matched, each under the book's name and in the book's contracts.
    own : tuple of str
        Names in the book that the policy's table holds, or the caller's mapping.
    from_caller : tuple of str
        Those of `own` whose instrument is not the bundled one but the caller's.
    borrowed : tuple of str
        Those whose instrument and tiers are those of another policy, `lender`.
    unmatched : tuple of str
        Those without an instrument: their positions have no number under this policy.
    lender : str
        Label of the policy asked for what this one does not hold; empty where none was.
    restated : tuple of str
        Those whose contract size was restated in the contracts that the book counts.
    elsewhere : tuple of str
        What stands for a name in another currency, in words, a name each.
    misfits : tuple of str
        Borrowed ones whose tier table is of a unit or shape other than the policy's own tables have.
    """

    instruments: InstrumentTable
    own: tuple[str, ...]
    from_caller: tuple[str, ...]
    borrowed: tuple[str, ...]
    unmatched: tuple[str, ...]
    lender: str = ""
    restated: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    misfits: tuple[str, ...] = ()


def match_instruments(
    names: Sequence[str],
    policies: Mapping[str, MarginPolicy],
    given: Mapping[str, Names],
    *,
    lender: tuple[str, MarginPolicy] | None = None,
    quantities_of: str | None = None,
) -> dict[str, Match]:
    """Match the instruments of a book with those of each policy.

    Parameters
    ----------
    names : sequence of str
        Instruments that positions of the book name.
    policies : mapping of label to MarginPolicy
        Whose instruments to take.
    given : mapping of label to Names
        The caller's own matches; they come before the policy's table. Names that no position has are left
        alone.
    lender : label and MarginPolicy, optional
        Whose instruments to take where a policy holds none.
    quantities_of : str, optional
        Label of the policy whose contracts the book's quantities count; needed where contract sizes differ.

    Raises
    ------
    UnknownInstrumentError
        A name that the caller gives is not in the policy's table.
    InputError
        Two policies mean different contracts by one name: another payoff or multiplier, or another contract
        size without `quantities_of`.
    """
    own = {label: _own(names, one, given.get(label, {})) for label, one in policies.items()}
    lent: dict[str, Instrument] = {}
    if lender is not None:
        label, policy = lender
        lent = own[label] if policies.get(label) is policy else _own(names, policy, {})
    for name in names:
        for label, one in policies.items():
            taken = None if name in own[label] or name in lent else _on_the_same_base(name, one, own.values())
            if taken is not None:
                own[label][name] = taken
    found = {label: {**lent, **held} for label, held in own.items()}
    contracts = {name: _contract(name, found, quantities_of) for name in names}
    return {
        label: _match(names, label, policy, found[label], own[label], contracts, lender)
        for label, policy in policies.items()
    }


def _own(names: Sequence[str], policy: MarginPolicy, given: Names) -> dict[str, Instrument]:
    """Instruments by name in the book that the caller or the policy's own table has."""
    table = policy.instruments
    found: dict[str, Instrument] = {}
    for name in names:
        choice = given.get(name)
        if isinstance(choice, Instrument):
            found[name] = choice
        elif choice is not None:
            found[name] = table[choice]
        elif name in table:
            found[name] = table[name]
    return found


def _on_the_same_base(
    name: str, policy: MarginPolicy, held: Iterable[Mapping[str, Instrument]]
) -> Instrument | None:
    """Contract in another currency that stands for `name`, where the other policies' is linear as well."""
    if any(name in each and each[name].payoff != "linear" for each in held):
        return None
    table = policy.instruments.with_stand_ins([name])
    return table[name] if name in table.stand_ins else None


def _contract(name: str, found: Mapping[str, Mapping[str, Instrument]], quantities_of: str | None) -> float:
    """Contract size that the book's quantities of `name` count.

    Raises
    ------
    InputError
        Where the policies' instruments of this name are not one contract.
    """
    held = {label: instruments[name] for label, instruments in found.items() if name in instruments}
    if not held:
        return 1.0
    first, reference = next(iter(held.items()))
    for label, one in held.items():
        if (one.payoff, one.multiplier) != (reference.payoff, reference.multiplier):
            raise InputError(
                "instruments",
                f"{name} must be one contract under every policy",
                f"{reference.payoff}, multiplier {reference.multiplier:g} as under {first}",
                f"{one.payoff}, multiplier {one.multiplier:g} under {label}",
            )
    if quantities_of in held:
        return held[quantities_of].contract_size
    for label, one in held.items():
        if one.contract_size != reference.contract_size:
            raise InputError(
                "quantities_of",
                f"must say whose contracts the book counts, since those of {name} differ in size",
                f"one of {', '.join(held)}",
                f"{reference.contract_size:g} under {first}, {one.contract_size:g} under {label}",
            )
    return reference.contract_size


def _match(
    names: Sequence[str],
    label: str,
    policy: MarginPolicy,
    found: Mapping[str, Instrument],
    own: Mapping[str, Instrument],
    contracts: Mapping[str, float],
    lender: tuple[str, MarginPolicy] | None,
) -> Match:
    borrowed = tuple(name for name in names if name in found and name not in own)
    source = lender[1] if lender is not None and borrowed and not own else policy
    table = InstrumentTable(
        (_restated(name, found[name], contracts[name]) for name in names if name in found),
        source=source.instruments.source,
        as_of=source.instruments.as_of,
    )
    return Match(
        instruments=table,
        own=tuple(name for name in names if name in own),
        from_caller=tuple(name for name in names if name in own and not _is_bundled(own[name], policy)),
        borrowed=borrowed,
        unmatched=tuple(name for name in names if name not in found),
        lender=lender[0] if lender is not None and lender[0] != label else "",
        restated=tuple(
            name for name in names if name in found and found[name].contract_size != contracts[name]
        ),
        elsewhere=tuple(
            said_of(own[name], name) for name in names if name in own and _stands_in(own[name], name, policy)
        ),
        misfits=tuple(name for name in borrowed if not fits(found[name].tiers, policy)),
    )


def _stands_in(instrument: Instrument, name: str, policy: MarginPolicy) -> bool:
    table = policy.instruments
    return table.resolve(name) is None and table.stand_in(name) == instrument.name


def _restated(name: str, instrument: Instrument, size: float) -> Instrument:
    """Return the same instrument under the book's name, in contracts of the size that the book counts."""
    factor = instrument.contract_size / size

    def counted(tiers: TierTable) -> TierTable:
        if tiers.unit != "contracts":
            return tiers
        floors = tuple(floor * factor for floor in tiers.floors)
        return dataclasses.replace(tiers, floors=floors, cap=tiers.cap * factor)

    if factor == 1.0:
        return dataclasses.replace(instrument, name=name)
    return dataclasses.replace(
        instrument,
        name=name,
        contract_size=size,
        tiers=counted(instrument.tiers),
        short_tiers=None if instrument.short_tiers is None else counted(instrument.short_tiers),
        initial_tiers=None if instrument.initial_tiers is None else counted(instrument.initial_tiers),
    )


def _is_bundled(instrument: Instrument, policy: MarginPolicy) -> bool:
    """Whether this is what the bundled table of the policy holds under its name."""
    table = policy.instruments
    return table.is_bundled(instrument.name) and table[instrument.name] == instrument


def with_borrowed(policy: MarginPolicy, match: Match) -> MarginPolicy:
    """Policy to evaluate with: borrowed tables may be of another shape, which the comparison says.

    Raises
    ------
    TierError
        For a table that is not borrowed and does not fit the policy.
    """
    for name in match.own:
        check_tables(policy, match.instruments[name])
    return policy.replace(table_shape="any") if match.misfits else policy
