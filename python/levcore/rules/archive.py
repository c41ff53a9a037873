"""The dated archive of venue data: which file a policy's instrument comes from.

A specification names files: ``"binance-usdm-2024-10-24"`` is that file alone, ``"bybit-linear"`` the series
of all its dates, ``"bybit-linear>=2024-12-25"`` those since a date, several words several of these. An
instrument is taken from the newest file that has its tiers. A file that covers all that was listed ends its
series: what it does not hold had been delisted, and an older table would be a wrong answer.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from levcore.errors import InputError
from levcore.rules.bundles import Bundle, Facts, bundle_names, read_bundle
from levcore.rules.instruments import Instrument

__all__ = ["Archive", "archive_of", "dates_of", "series_names", "series_of"]

_DATED = re.compile(r"(.+)-(\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True)
class Archive:
    """Files of one specification, in the order in which they are asked."""

    bundles: tuple[Bundle, ...]
    entries: Mapping[str, Bundle]
    gaps: Mapping[str, Bundle]

    def instrument(self, name: str) -> Instrument | None:
        """Return the instrument of this very name, None where there is none."""
        bundle = self.entries.get(name)
        return None if bundle is None else bundle.instrument(name)

    def facts(self, name: str) -> Facts | None:
        """What is known of a contract, with or without tiers."""
        bundle = self.entries.get(name) or self.gaps.get(name)
        return None if bundle is None else bundle.facts(name)

    @property
    def as_of(self) -> str:
        """Date of the newest file that gives instruments, else of the newest."""
        used = {id(bundle) for bundle in self.entries.values()}
        dates = [each.as_of for each in self.bundles if id(each) in used]
        return max(dates or [each.as_of for each in self.bundles])

    @property
    def source(self) -> str:
        """Where the facts come from; of several files, with their dates."""
        used = {id(bundle) for bundle in self.entries.values()}
        files = [each for each in self.bundles if id(each) in used] or list(self.bundles)
        if len(files) == 1:
            return files[0].source
        return "; ".join(f"{each.as_of}: {each.source}" for each in files)

    def missing(self, name: str) -> str:
        """Say of a name that is in `gaps`, or listed at other dates of these series, what is known of it."""
        gap = self.gaps.get(name)
        if gap is not None:
            facts = gap.facts(name)
            if facts.has_tiers:
                return f"of {name} the tiers of {gap.as_of} are bundled and the contract size is not known"
            size = f"{facts.contract_size:g}"
            return f"of {name} the contract size {size} of {gap.as_of} is bundled and no tiers"
        dates = [bundle.as_of for bundle in self._series() if name in bundle.entries]
        return f"{name} was listed at {', '.join(sorted(dates))}" if dates else ""

    def all_names(self) -> set[str]:
        """Every name that any date of these series has."""
        return {name for bundle in self._series() for name in bundle.entries}

    def _series(self) -> list[Bundle]:
        """Every file of these series."""
        series = dict.fromkeys(series_of(each.name) for each in self.bundles)
        return [read_bundle(name) for each in series for name in dates_of(each).values()]


def series_of(name: str) -> str:
    """Series of a file: ``bybit-linear`` of ``bybit-linear-2024-12-25``."""
    match = _DATED.fullmatch(name)
    return match[1] if match else name


@cache
def series_names() -> tuple[str, ...]:
    """Names of all series, sorted."""
    return tuple(sorted({series_of(name) for name in bundle_names()}))


@cache
def dates_of(series: str) -> dict[str, str]:
    """Files of a series by date, the oldest first."""
    return {name[-10:]: name for name in bundle_names() if series_of(name) == series}


@cache
def archive_of(specification: str) -> Archive:
    """Archive of a specification, see the module.

    Raises
    ------
    InputError
        Where a word of it names no file and no series.
    """
    entries: dict[str, Bundle] = {}
    gaps: dict[str, Bundle] = {}
    bundles: list[Bundle] = []
    for word in specification.split():
        series, _, since = word.partition(">=")
        dates = [date for date in dates_of(series) if date >= since]
        names = [word] if word in bundle_names() else [dates_of(series)[date] for date in dates[::-1]]
        if not names:
            raise InputError("instruments", "must name the archive", ", ".join(series_names()), repr(word))
        for bundle in map(read_bundle, names):
            bundles.append(bundle)
            for name in bundle.entries:
                (entries if bundle.is_whole(name) else gaps).setdefault(name, bundle)
            if bundle.covers_all:
                break
    return Archive(tuple(bundles), entries, {name: gaps[name] for name in gaps if name not in entries})
