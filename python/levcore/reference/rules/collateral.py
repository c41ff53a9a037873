"""Collateral assets: the value counted of an equity, a minimum of lines, and the margin of liabilities."""

from dataclasses import dataclass

from levcore.engine.compiled import CompiledAsset, CompiledTable

__all__ = ["WALLET", "Asset", "Counted", "counted_line", "liability_line", "prepare_asset"]


@dataclass(frozen=True, slots=True)
class Asset:
    """Rules of an asset with the offset of each tier: the value counted is ``weight * value + offset``."""

    floors: tuple[float, ...]
    weights: tuple[float, ...]
    offsets: tuple[float, ...]
    by_amount: bool
    liability_weight: float
    maintenance: CompiledTable | None
    initial: CompiledTable | None
    mover: int | None


WALLET = Asset((0.0,), (1.0,), (0.0,), False, 1.0, None, None, None)
"""The currency of a wallet: every unit counts as one."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The line that counts an equity: ``weight`` on its market value, ``offset`` in value and in amount."""

    weight: float
    offset_value: float
    offset_amount: float


def prepare_asset(asset: CompiledAsset) -> Asset:
    """Offsets of the tiers in the unit of floors: ``b_k = b_{k-1} + floor_k * (weight_{k-1} - weight_k)``."""
    offsets = [0.0]
    for tier in range(1, len(asset.weights)):
        step = asset.floors[tier] * (asset.weights[tier - 1] - asset.weights[tier])
        offsets.append(offsets[tier - 1] + step)
    return Asset(
        asset.floors,
        asset.weights,
        tuple(offsets),
        asset.by_amount,
        asset.liability_weight,
        asset.maintenance,
        asset.initial,
        asset.mover,
    )


def counted_line(asset: Asset, amount: float, value: float) -> Counted:
    """Line that counts an equity of this amount and market value; a negative one counts in full and more."""
    if not amount > 0.0:
        return Counted(asset.liability_weight, 0.0, 0.0)
    key = amount if asset.by_amount else value
    tier = 0
    while tier + 1 < len(asset.floors) and key > asset.floors[tier + 1]:
        tier += 1
    offset = asset.offsets[tier]
    return Counted(
        asset.weights[tier], 0.0 if asset.by_amount else offset, offset if asset.by_amount else 0.0
    )


def liability_line(table: CompiledTable, value: float) -> tuple[float, float]:
    """Rate and deduction that apply to a liability of this value."""
    tier = 0
    while tier + 1 < len(table.floors) and value > table.floors[tier + 1]:
        tier += 1
    return table.rates[tier], table.deductions[tier]
