//! Liquidation and bankruptcy prices by the closed form, and what there is to remark about them.

use crate::codes::measures::Measure;
use crate::codes::state::State;
use crate::codes::status::Status;
use crate::formulas::contract::{price_at_value, price_per_value};
use crate::formulas::exposure;
use crate::formulas::liquidation;
use crate::machine::vector::{LANES, Vector};
use crate::rules::parameters::FeeBasis;
use crate::rules::policy::Policy;
use crate::tiles::classify::code_of;
use crate::tiles::found::Found;
use crate::tiles::marked::{MarkedInstruments, Terms};
use crate::tiles::shape::Shape;
use crate::tiles::tile::Tile;

/// Which positions are long.
#[inline(always)]
fn are_long<V: Vector>(tile: &Tile<V>) -> V::Mask {
    tile.quantity.is_above(V::all(0.0))
}

/// Liquidation and bankruptcy price, distance, leverage and findings.
///
/// Expects `needed` and, in the place of the bankruptcy price, what the equity alone needs.
#[inline(always)]
pub(crate) fn find_prices<V: Vector>(
    tile: &mut Tile<V>,
    terms: &Terms<V>,
    policy: &Policy,
    instruments: &MarkedInstruments<'_>,
    entries: &[u32; LANES],
    found: &Found<V>,
    shape: Shape,
) {
    let fees = policy.fees(shape.cross);
    let moves = shape.moves();
    let [deduction, factor] = if moves { found.trigger } else { [V::all(0.0), fees.frozen.along(tile.direction)] };
    tile.liquidation_value = liquidation::value_at_zero(tile.needed, deduction, factor);
    if moves && shape.selected.growing {
        tile.liquidation_value = instruments.selections.of_rows(entries).value_at_zero(tile, tile.liquidation_value);
    }
    let needed = tile.results[Measure::BankruptcyPrice];
    // Where no fee is charged at the end, both factors are the direction itself.
    let factor = if shape.fee_basis == FeeBasis::None { tile.direction } else { fees.bankruptcy.along(tile.direction) };
    tile.bankruptcy_value = liquidation::value_at_zero(needed, V::all(0.0), factor);
    price_values(tile, terms, shape);
    tile.results[Measure::EffectiveLeverage] = exposure::effective_leverage(tile.value, tile.results[Measure::Equity]);
    let side = V::choose(are_long(tile), V::all(1.0), V::all(-1.0));
    let judged =
        Judged { past: are_past(tile, policy, shape), leverage_above_tier: is_leverage_above(tile, found, shape) };
    [tile.results[Measure::DistanceToLiquidation], tile.status] = judge_price(tile, terms, side, judged, shape);
    if shape.bounds {
        bound_prices(tile);
    }
    if moves && shape.selected.growing_with_value {
        find_far_prices(tile, terms, instruments, entries, judged, shape);
    }
}

/// The prices below the mark at which a rate that grows outgrows the profit of short inverse positions; the nearer of two is told.
#[inline(always)]
fn find_far_prices<V: Vector>(
    tile: &mut Tile<V>,
    terms: &Terms<V>,
    instruments: &MarkedInstruments<'_>,
    entries: &[u32; LANES],
    judged: Judged<V>,
    shape: Shape,
) {
    let value = instruments.selections.of_rows(entries).far_value_at_zero(tile);
    let per_value = price_per_value(tile.size, terms.multiplier);
    let far = liquidation::price_or_none(price_at_value(value, tile.size, per_value, !V::none()));
    let own = tile.results[Measure::LiquidationPrice];
    let exists = !far.is_nan();
    if shape.bounds {
        let (lower, upper) =
            (tile.results[Measure::LiquidationPriceLower], tile.results[Measure::LiquidationPriceUpper]);
        tile.results[Measure::LiquidationPriceLower] = V::choose(exists, far, lower);
        tile.results[Measure::LiquidationPriceUpper] = V::choose(exists, own, upper);
    }
    let is_nearer = exists & !liquidation::is_nearer_above(terms.mark, far, own);
    tile.liquidation_value = V::choose(is_nearer, value, tile.liquidation_value);
    tile.results[Measure::LiquidationPrice] = V::choose(is_nearer, far, own);
    let [room, status] = judge_price(tile, terms, V::all(1.0), judged, shape);
    tile.results[Measure::DistanceToLiquidation] =
        V::choose(is_nearer, room, tile.results[Measure::DistanceToLiquidation]);
    tile.status = V::choose(is_nearer, status, tile.status);
}

/// What is known of rows before their prices are judged.
#[derive(Clone, Copy)]
struct Judged<V: Vector> {
    /// Whether they are past their liquidation.
    past: V::Mask,
    leverage_above_tier: V::Mask,
}

#[inline(always)]
fn are_past<V: Vector>(tile: &Tile<V>, policy: &Policy, shape: Shape) -> V::Mask {
    if shape.cross {
        return tile.state.is_at_least(V::all(f64::from(State::Liquidation as u8)));
    }
    // An infinite ratio has reached every level.
    tile.results[Measure::MarginRatio].is_at_least(V::all(policy.levels.liquidation))
}

/// Whether the leverage of isolated rows is above the maximum of their tier, as far as the lines found say so.
#[inline(always)]
fn is_leverage_above<V: Vector>(tile: &Tile<V>, found: &Found<V>, shape: Shape) -> V::Mask {
    match found.highest_leverage {
        Some(highest) if !shape.cross => tile.leverage.is_above(highest),
        _ => V::none(),
    }
}

/// Liquidation prices by side: a long position is liquidated from its price downwards, a short one upwards.
#[inline(always)]
pub(crate) fn bound_prices<V: Vector>(tile: &mut Tile<V>) {
    let (price, is_long) = (tile.results[Measure::LiquidationPrice], are_long(tile));
    tile.results[Measure::LiquidationPriceLower] = V::choose(is_long, price, V::nan());
    tile.results[Measure::LiquidationPriceUpper] = V::choose(is_long, V::nan(), price);
}

#[inline(always)]
fn price_values<V: Vector>(tile: &mut Tile<V>, terms: &Terms<V>, shape: Shape) {
    let (value, bankrupt, size) = (tile.liquidation_value, tile.bankruptcy_value, tile.size);
    let per_value = price_per_value(size, terms.multiplier);
    let (price, bankruptcy_price) = if shape.any_inverse {
        let inverse = terms.long_direction.is_below(V::all(0.0));
        (price_at_value(value, size, per_value, inverse), price_at_value(bankrupt, size, per_value, inverse))
    } else {
        (price_at_value(value, size, per_value, V::none()), price_at_value(bankrupt, size, per_value, V::none()))
    };
    tile.results[Measure::LiquidationPrice] = liquidation::price_or_none(price);
    tile.results[Measure::BankruptcyPrice] = liquidation::price_or_none(bankruptcy_price);
}

/// Distance to a liquidation price, and what there is to remark about it; `toward` is +1 for a price that liquidates from above.
#[inline(always)]
fn judge_price<V: Vector>(tile: &Tile<V>, terms: &Terms<V>, toward: V, judged: Judged<V>, shape: Shape) -> [V; 2] {
    let zero = V::all(0.0);
    let price = tile.results[Measure::LiquidationPrice];
    let side = V::choose(are_long(tile), V::all(1.0), V::all(-1.0));
    let Judged { past, leverage_above_tier } = judged;
    let room = liquidation::distance(toward, terms.mark, price, terms.reciprocal_mark);
    let no_price = V::choose(past, V::all(f64::NEG_INFINITY), V::all(f64::INFINITY));
    let room = V::choose(price.is_nan(), no_price, room);
    let without_bankruptcy = tile.results[Measure::BankruptcyPrice].is_nan();
    let mut status = V::choose(without_bankruptcy, code_of(Status::NoBankruptcyPrice), code_of(Status::Ok));
    status = V::choose(price.is_nan(), code_of(Status::NoLiquidationPrice), status);
    status = V::choose(leverage_above_tier, code_of(Status::LeverageAboveTier), status);
    if shape.moves() {
        let beyond = tile.liquidation_value.is_above(terms.cap);
        status = V::choose(beyond, code_of(Status::LiquidationPriceBeyondLastTier), status);
    }
    if !shape.cross {
        let beyond = (side * (tile.entry_price - price)).is_below(zero);
        status = V::choose(beyond, code_of(Status::LiquidationPriceBeyondEntry), status);
    }
    status = V::choose(past | room.is_below(zero), code_of(Status::AlreadyLiquidatable), status);
    [room, status]
}
