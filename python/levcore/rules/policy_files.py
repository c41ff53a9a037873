"""Reading policy files, ``data/policies/*.toml``.

One file holds a product of a venue: ``[rules]``, what they rest on and what is unknown, once for all dates,
then a ``[[versions]]`` a date with what is particular to it. A version's own rule displaces the shared one
together with its evidence. A file without sources, dates, ``verified_by`` or the evidence of a rule does not
load.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from levcore.errors import LevcoreError, PolicyError
from levcore.rules.assets import Asset, AssetTable
from levcore.rules.instruments import InstrumentTable
from levcore.rules.policy import RULES, MarginPolicy
from levcore.rules.terms import UNKNOWN, Source, Texts
from levcore.rules.tiers import TierTable

__all__ = ["policy_names", "read_policies"]

FOLDER = Path(__file__).with_name("data") / "policies"
MARKS = ("[V]", "[R]", "[3P]", "[D]")
# TOML has no null: a level that is not there is one that no source states.
NO_LEVELS = {"warning_level": None, "margin_call_level": None}
# Rules that most venues do not have: what they are where a file does not say.
DEFAULTS: dict[str, Any] = {
    "covered_share": 0.0,
    "short_minimum": (),
    "closing_fee_basis_cross": "same",
    "closing_fee_reserved": "same",
    "bankruptcy_rounding_long": "same",
    "bankruptcy_rounding_short": "same",
    "hedge_requirement_initial": "same",
    "trader_owes_isolated": "same",
    "return_basis": "entry",
    "cross_wallet": UNKNOWN,
    "order_margin": UNKNOWN,
    "order_loss": UNKNOWN,
    "order_ratio": UNKNOWN,
    "close_out_sharing": "queue",
    "close_out_before": (UNKNOWN,),
    "close_out_step_isolated": "same",
    "close_out_share": UNKNOWN,
    "close_out_whole_up_to": 0.0,
    "close_out_least": 0.0,
    "close_out_least_left": 0.0,
    "close_out_whole_level": None,
    "close_out_tiers": 0,
    "close_out_next": UNKNOWN,
    "close_out_cooldown": 0.0,
    "close_out_exit_level": None,
    "close_out_take_over_level": None,
    "close_out_guard_band": 0.0,
    "close_out_trigger_price": UNKNOWN,
}
LISTS = ("table_units", "close_out_before", "close_out_payers")
# Few sources speak of these: a file that does not either says that none was found.
NO_SOURCE = {
    "order": "no source was found that says what open orders ask for",
    "cross_wallet": "no source was found on accounts that settle in several currencies",
}
TOP = {
    "name",
    "title",
    "venue",
    "product",
    "notes",
    "verified_by",
    "sources",
    "rules",
    "rests_on",
    "unknown",
    "versions",
    "fees",
    "closing_fee_is",
}
VERSION = {"as_of", "verified_by", "instruments", "notes", "sources", "rules", "rests_on", "unknown"} | {
    "assets",
    "closing_fee_is",
}
ASSET = {"name", "weights", "floors", "unit", "liability_weight", "underlying"} | {
    "liability_rates",
    "liability_floors",
    "liability_initial_rates",
}


@cache
def policy_names() -> tuple[str, ...]:
    """Names of the bundled policies, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def read_policies(name: str) -> tuple[MarginPolicy, ...]:
    """Every version of the bundled policy `name`, the oldest first.

    Raises
    ------
    PolicyError
        Where the file breaks a rule of such files.
    """
    return policies_of_text((FOLDER / f"{name}.toml").read_text(encoding="utf-8"), name)


def policies_of_text(text: str, name: str) -> tuple[MarginPolicy, ...]:
    """Policies of the text of a file that should define `name`; see `read_policies`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(name, "must be TOML", found=str(error)) from None
    _check_keys(name, data, TOP)
    if data.get("name") != name:
        raise PolicyError(name, "the file must carry its policy's name", repr(name), repr(data.get("name")))
    try:
        versions = [_policy(data, version) for version in data["versions"]]
    except (KeyError, TypeError) as error:
        raise PolicyError(name, "a key is missing or wrong", found=str(error)) from None
    versions.sort(key=lambda each: each.as_of)
    dates = [each.as_of for each in versions]
    if len(set(dates)) != len(dates):
        raise PolicyError(name, "dates must be distinct", found=", ".join(dates))
    return tuple(versions)


def _policy(data: Mapping[str, Any], version: Mapping[str, Any]) -> MarginPolicy:
    """One version: the shared part with the version's on top."""
    name = data["name"]
    _check_keys(name, version, VERSION)
    rules = {**data["rules"], **version.get("rules", {})}
    sources = tuple(Source(**source) for source in [*data.get("sources", []), *version.get("sources", [])])
    _check_keys(name, rules, set(RULES))
    fields: dict[str, Any] = (
        NO_LEVELS
        | DEFAULTS
        | rules
        | {rule: tuple(rules[rule]) for rule in LISTS if rule in rules}
        | {"short_minimum": tuple(map(tuple, rules.get("short_minimum", ())))}
    )
    made = MarginPolicy(
        name=name,
        as_of=version["as_of"],
        title=data["title"],
        venue=data["venue"],
        product=data["product"],
        notes=version.get("notes", data.get("notes", "")),
        verified_by="; ".join(filter(None, (data.get("verified_by"), version["verified_by"]))),
        sources=sources,
        rests_on=_texts(data, version, "rests_on"),
        unknown=Texts({**NO_SOURCE, **_texts(data, version, "unknown")}),
        **fields,
        instruments=_table(version["instruments"]),
        fee_schedule=data.get("fees", ""),
        closing_fee_is=version.get("closing_fee_is", data.get("closing_fee_is", "")),
        assets=AssetTable(_asset(name, asset) for asset in version.get("assets", [])),
    )
    _check_provenance(made)
    return made


def _table(name: str) -> InstrumentTable:
    return InstrumentTable.bundled(name) if name else InstrumentTable()


def _asset(policy: str, data: Mapping[str, Any]) -> Asset:
    """One asset of ``[[versions.assets]]``; liability rates are those of marginal tiers."""
    _check_keys(policy, data, ASSET)
    floors = data.get("liability_floors", [0.0])
    try:
        return Asset(
            name=data["name"],
            weights=tuple(data["weights"]),
            floors=tuple(data.get("floors", [0.0])),
            unit=data.get("unit", "value"),
            liability_weight=data.get("liability_weight", 1.0),
            liability_tiers=_liability_tiers(floors, data.get("liability_rates")),
            liability_initial_tiers=_liability_tiers(floors, data.get("liability_initial_rates")),
            underlying=data.get("underlying", ""),
        )
    except LevcoreError as error:
        raise PolicyError(policy, "an asset breaks a rule", found=str(error)) from None


def _liability_tiers(floors: list[float], rates: list[float] | None) -> TierTable | None:
    if rates is None:
        return None
    return TierTable.marginal(list(zip(floors, rates, strict=True)), unit="quote")


def _texts(data: Mapping[str, Any], version: Mapping[str, Any], kind: str) -> Texts:
    """Shared texts but for the rules which the version states itself, and the version's own."""
    own = version.get("rules", {})
    shared = {rule: text for rule, text in data.get(kind, {}).items() if rule not in own}
    return Texts({**shared, **version.get(kind, {})})


def _check_keys(name: str, found: Mapping[str, Any], allowed: set[str]) -> None:
    for key in found:
        if key not in allowed:
            raise PolicyError(name, "has an unknown key", ", ".join(sorted(allowed)), repr(key))


def _check_provenance(made: MarginPolicy) -> None:
    """Refuse a policy that does not say where it comes from, rule by rule."""
    if not made.venue:
        return  # the caller's own rules rest on the caller
    for what in ("as_of", "sources", "verified_by"):
        if not getattr(made, what):
            raise PolicyError(made.id, f"{what} must be given", "a policy that says where it comes from")
    for rule in RULES:
        value = getattr(made, rule)
        if rule.endswith("_inclusive") or rule == "covered_share" or value == DEFAULTS.get(rule):
            continue  # stated with the level or with hedge_requirement, or no rule of the venue's own
        if value in (UNKNOWN, None, (UNKNOWN,)):
            if not made.unknown.about(rule):
                raise PolicyError(made.id, f"unknown must say why {rule} is", "a reason", "nothing")
        elif not made.rests_on.about(rule).startswith(MARKS):
            rule_text = f"rests_on must give the evidence of {rule}"
            raise PolicyError(made.id, rule_text, " or ".join(MARKS), repr(made.rests_on.about(rule)))
