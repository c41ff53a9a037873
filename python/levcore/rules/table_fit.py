"""Whether a tier table is of the unit and shape that a policy's rules are made for.

The rate of a table means what the policy says it means: a table of another unit or shape gives another
requirement, and looks the same. It is refused where policy and instruments are compiled, so on every way in.
"""

from typing import TYPE_CHECKING

from levcore.errors import TierError

if TYPE_CHECKING:
    from levcore.rules.instruments import Instrument
    from levcore.rules.policy import MarginPolicy
    from levcore.rules.tiers import TierTable

__all__ = ["check_tables", "fits"]


def fits(tiers: "TierTable", policy: "MarginPolicy") -> bool:
    """Whether the policy's own tables have the unit and the shape of these tiers.

    One rate at every size has neither; one rate up to an end fits a policy that takes single rates.
    """
    if tiers.is_single_rate or policy.table_shape == "any":
        return True
    if tiers.unit not in policy.table_units:
        return False
    if policy.table_shape == "single":
        return len(tiers) == 1 and tiers.shape not in ("growing", "per_unit")
    return tiers.shape == policy.table_shape


def check_tables(policy: "MarginPolicy", instrument: "Instrument") -> None:
    """Refuse an instrument whose tables are not those of the policy.

    Raises
    ------
    TierError
        Naming the instrument, what the policy takes, what was found, and how to state otherwise.
    """
    tables = (instrument.tiers, instrument.short_tiers, instrument.initial_tiers)
    for tiers in tables:
        if tiers is not None and not fits(tiers, policy):
            units = " or ".join(policy.table_units)
            single = policy.table_shape == "single"
            shape = "a single rate" if single else f"a {policy.table_shape} table"
            why = policy.unknown.about("tiers") if single else policy.rests_on.about("table_shape")
            reason = f" ({why})" if why else ""
            raise TierError(
                instrument.name,
                None,
                f"does not fit {policy.id}{reason}",
                f"{shape} in {units} (policy.replace(table_shape='any') states that others are right, too)",
                f"{tiers.shape}, {len(tiers)} tiers in {tiers.unit}",
                "shape" if tiers.unit in policy.table_units else "unit",
            )
