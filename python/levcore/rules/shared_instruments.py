"""Instruments under several names, for rows that share a contract and not a mark."""

from collections.abc import Mapping

from levcore.rules.instruments import Instrument, InstrumentTable

__all__ = ["SharedInstruments"]


class SharedInstruments(InstrumentTable):
    """Instruments of which some have further names: the engine compiles each once."""

    __slots__ = ("_named",)

    def __init__(self, named: Mapping[str, Instrument]) -> None:
        super().__init__({id(instrument): instrument for instrument in named.values()}.values())
        self._named = self._own | dict(named)

    def resolve(self, name: str) -> str | None:
        """Return the name, if an instrument has it: nothing is spelt in another way here."""
        return name if name in self._named else None

    def _find(self, name: str) -> Instrument | None:
        return self._named.get(name)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the names."""
        return SharedInstruments, (self._named,)
