//! Liquidation and bankruptcy prices by the closed form, and what there is to remark about them.

use crate::codes::measures::Measure;
use crate::codes::state::State;
use crate::codes::status::Status;
use crate::formulas::contract::{price_at_value, price_per_value};
use crate::formulas::exposure;
use crate::formulas::liquidation;
use crate::formulas::margin;
use crate::machine::compare::{Compare, ROWS};
use crate::rules::parameters::Basis;
use crate::rules::policy::Policy;
use crate::rules::table::{Kind, UnitLine};
use crate::rules::tables::{Key, Tables};
use crate::tiles::marked::MarkedInstruments;
use crate::tiles::requirement::flat_tier;
use crate::tiles::tile::Tile;

/// Liquidation and bankruptcy price, distance, leverage and findings.
///
/// Expects `needed` and, in the place of the bankruptcy price, what the equity alone needs.
#[inline(always)]
pub(crate) fn find_prices<C: Compare>(
    tile: &mut Tile,
    policy: &Policy,
    instruments: &MarkedInstruments<'_>,
    basis: Basis,
    cross: bool,
) {
    let fees = policy.fees(cross);
    let (frozen, bankruptcy) = (fees.frozen.both(), fees.bankruptcy.both());
    if basis == Basis::Price {
        solve::<C>(tile, instruments);
    } else {
        for slot in 0..ROWS {
            let factor = if tile.direction[slot] > 0.0 { frozen.0 } else { frozen.1 };
            tile.liquidation_value[slot] = liquidation::value_at_zero(tile.needed[slot], 0.0, factor);
        }
    }
    for slot in 0..ROWS {
        let factor = if tile.direction[slot] > 0.0 { bankruptcy.0 } else { bankruptcy.1 };
        tile.bankruptcy_value[slot] =
            liquidation::value_at_zero(tile.results[Measure::BankruptcyPrice][slot], 0.0, factor);
    }
    if instruments.any_inverse {
        for slot in 0..ROWS {
            price_values(tile, slot, tile.long_direction[slot] < 0.0);
        }
    } else {
        for slot in 0..ROWS {
            price_values(tile, slot, false);
        }
    }
    for slot in 0..ROWS {
        tile.results[Measure::EffectiveLeverage][slot] =
            exposure::effective_leverage(tile.value[slot], tile.results[Measure::Equity][slot]);
    }
    let capped = basis == Basis::Price;
    for slot in 0..ROWS {
        let side = if tile.quantity[slot] > 0.0 { 1.0 } else { -1.0 };
        judge_price(tile, slot, side, capped, cross);
    }
    tile.any_far = false;
    if capped && instruments.any_growing_by_value {
        find_far_prices(tile, instruments, cross);
    }
}

/// The prices below the mark at which a rate that grows outgrows the profit of short inverse positions; the nearer of two is told.
#[cold]
#[inline(never)]
fn find_far_prices(tile: &mut Tile, instruments: &MarkedInstruments<'_>, cross: bool) {
    tile.any_far = true;
    for slot in 0..ROWS {
        let own = tile.results[Measure::LiquidationPrice][slot];
        (tile.own_price[slot], tile.far_price[slot]) = (own, f64::NAN);
        let Kind::Growing(growing) = &instruments.table_of_row(tile, slot).kind else { continue };
        let value = growing.far_value_at_zero(tile.needed[slot], tile.direction[slot]);
        let size = tile.size[slot];
        let per_value = price_per_value(size, tile.multiplier[slot]);
        let far = liquidation::price_or_none(value, price_at_value(value, size, per_value, true));
        tile.far_price[slot] = far;
        if !far.is_nan() && !liquidation::is_nearer_above(tile.mark[slot], far, own) {
            tile.liquidation_value[slot] = value;
            tile.results[Measure::LiquidationPrice][slot] = far;
            judge_price(tile, slot, 1.0, true, cross);
        }
    }
}

/// Liquidation prices by side: a long position is liquidated from its price downwards, a short one upwards.
#[inline(always)]
pub(crate) fn bound_prices(tile: &mut Tile) {
    for slot in 0..ROWS {
        let (price, is_long) = (tile.results[Measure::LiquidationPrice][slot], tile.quantity[slot] > 0.0);
        tile.results[Measure::LiquidationPriceLower][slot] = if is_long { price } else { f64::NAN };
        tile.results[Measure::LiquidationPriceUpper][slot] = if is_long { f64::NAN } else { price };
    }
    if tile.any_far {
        for slot in 0..ROWS {
            if !tile.far_price[slot].is_nan() {
                tile.results[Measure::LiquidationPriceLower][slot] = tile.far_price[slot];
                tile.results[Measure::LiquidationPriceUpper][slot] = tile.own_price[slot];
            }
        }
    }
}

#[inline(always)]
fn price_values(tile: &mut Tile, slot: usize, inverse: bool) {
    let (value, bankrupt, size) = (tile.liquidation_value[slot], tile.bankruptcy_value[slot], tile.size[slot]);
    let per_value = price_per_value(size, tile.multiplier[slot]);
    let price = price_at_value(value, size, per_value, inverse);
    tile.results[Measure::LiquidationPrice][slot] = liquidation::price_or_none(value, price);
    let price = price_at_value(bankrupt, size, per_value, inverse);
    tile.results[Measure::BankruptcyPrice][slot] = liquidation::price_or_none(bankrupt, price);
}

/// Distance to a liquidation price, and what there is to remark about it; `toward` is +1 for a price that liquidates from above.
#[inline(always)]
fn judge_price(tile: &mut Tile, slot: usize, toward: f64, capped: bool, cross: bool) {
    let price = tile.results[Measure::LiquidationPrice][slot];
    let side = if tile.quantity[slot] > 0.0 { 1.0 } else { -1.0 };
    let past = tile.state[slot] >= State::Liquidation as u64;
    let room = liquidation::distance(toward, tile.mark[slot], price, tile.reciprocal_mark[slot]);
    let no_price = if past { f64::NEG_INFINITY } else { f64::INFINITY };
    let room = if price.is_nan() { no_price } else { room };
    let none = tile.results[Measure::BankruptcyPrice][slot].is_nan();
    let mut status = if none { Status::NoBankruptcyPrice as u64 } else { Status::Ok as u64 };
    if price.is_nan() {
        status = Status::NoLiquidationPrice as u64;
    }
    if capped && tile.liquidation_value[slot] > tile.cap[slot] {
        status = Status::LiquidationPriceBeyondLastTier as u64;
    }
    if !cross && side * (tile.entry_price[slot] - price) < 0.0 {
        status = Status::LiquidationPriceBeyondEntry as u64;
    }
    if past || room < 0.0 {
        status = Status::AlreadyLiquidatable as u64;
    }
    tile.results[Measure::DistanceToLiquidation][slot] = room;
    tile.status[slot] = status;
}

/// The closed form by the table of each row's instrument.
#[inline(always)]
fn solve<C: Compare>(tile: &mut Tile, instruments: &MarkedInstruments<'_>) {
    if tile.one_table {
        solve_by_one_table(instruments.tables, tile);
    } else {
        let (tables, mut key, mut compared) = (instruments.tables, [0; ROWS], [0.0; ROWS]);
        for slot in 0..ROWS {
            let direction = tile.direction[slot];
            key[slot] = if direction > 0.0 { Key::Gaining as u32 } else { Key::Losing as u32 };
            compared[slot] = direction * tile.needed[slot];
        }
        let found = tables.find_each::<C>(&tile.table, &key, &compared);
        for slot in 0..ROWS {
            let (needed, direction) = (tile.needed[slot], tile.direction[slot]);
            let line = tables.found(found[slot] as usize);
            tile.liquidation_value[slot] =
                liquidation::value_at_zero(needed, line.trigger_deduction, line.factors.along(direction));
        }
    }
    if instruments.any_whole {
        for slot in 0..ROWS {
            let (needed, direction) = (tile.needed[slot], tile.direction[slot]);
            match &instruments.table_of_row(tile, slot).kind {
                Kind::Marginal(_) => {}
                Kind::Flat(key, tiers) => {
                    let factor = flat_tier(tile, slot, *key, tiers).factors.along(direction);
                    tile.liquidation_value[slot] = liquidation::value_at_zero(needed, 0.0, factor);
                }
                Kind::Growing(growing) => {
                    tile.liquidation_value[slot] = growing.value_at_zero(needed, direction, tile.size[slot]);
                }
                Kind::Unit(lines) => {
                    tile.liquidation_value[slot] = UnitLine::value_at_zero(lines, needed, direction, tile.size[slot]);
                }
            }
        }
    }
}

/// The closed form by one table: vectors over rows, two lines a pass.
///
/// As above; the signed factors rise with the tiers for both directions.
#[inline(always)]
fn solve_by_one_table(tables: &Tables, tile: &mut Tile) {
    let place = tile.table[0] as usize;
    let lines = tables.lines(place);
    let mut thresholds = tables.thresholds(place, Key::Gaining).zip(tables.thresholds(place, Key::Losing));
    let least = lines[0].trigger_deduction;
    let (mut deduction, mut factor) = ([least; ROWS], [0.0; ROWS]);
    let mut compared = [0.0; ROWS];
    let lowest = lines[0].factors.both();
    for slot in 0..ROWS {
        compared[slot] = tile.direction[slot] * tile.needed[slot];
        factor[slot] = if tile.direction[slot] > 0.0 { lowest.0 } else { lowest.1 };
    }
    for pair in lines[1..].chunks_exact(2) {
        let (lower, upper) = (pair[0], pair[1]);
        let (Some(first), Some(second)) = (thresholds.next(), thresholds.next()) else { break };
        let (gaining, losing) = ((first.0, second.0), (first.1, second.1));
        let (lower_factors, upper_factors) = (lower.factors.both(), upper.factors.both());
        for slot in 0..ROWS {
            let gains = tile.direction[slot] > 0.0;
            let lower_applies = compared[slot] > if gains { gaining.0 } else { losing.0 };
            let upper_applies = compared[slot] > if gains { gaining.1 } else { losing.1 };
            let lower_deduction = if lower_applies { lower.trigger_deduction } else { least };
            let upper_deduction = if upper_applies { upper.trigger_deduction } else { least };
            deduction[slot] = margin::larger(margin::larger(deduction[slot], lower_deduction), upper_deduction);
            let lower_factor = if gains { lower_factors.0 } else { lower_factors.1 };
            let upper_factor = if gains { upper_factors.0 } else { upper_factors.1 };
            let lower_factor = if lower_applies { lower_factor } else { LEAST };
            let upper_factor = if upper_applies { upper_factor } else { LEAST };
            factor[slot] = margin::larger(margin::larger(factor[slot], lower_factor), upper_factor);
        }
    }
    for slot in 0..ROWS {
        tile.liquidation_value[slot] = liquidation::value_at_zero(tile.needed[slot], deduction[slot], factor[slot]);
    }
}

/// Below every factor.
const LEAST: f64 = f64::NEG_INFINITY;
