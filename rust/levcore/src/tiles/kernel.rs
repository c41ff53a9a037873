//! The formulas over tiles: plain loops of constant length, compiled once for every instruction set.
//!
//! The order of operations is part of the specification: `python/levcore/reference` performs the same ones, and the results agree to the
//! last bit. No fused multiply-add, no reordering.

use crate::codes::measures::Measure;
use crate::codes::state::{State, state_of};
use crate::codes::status::Status;
use crate::formulas::contract::{self, price_at_value, price_per_value};
use crate::formulas::exposure;
use crate::formulas::liquidation;
use crate::formulas::margin;
use crate::formulas::mark_to_market;
use crate::machine::compare::{Compare, ROWS};
use crate::rules::policy::{Basis, FeeBasis, Policy};
use crate::rules::tables::{FlatTier, Key, Kind, Tables};
use crate::rules::tiers::TierKey;
use crate::tiles::marked::MarkedInstruments;
use crate::tiles::tile::Tile;

/// Size, direction and value at the mark.
#[inline(always)]
pub(crate) fn place_on_coordinate(tile: &mut Tile) {
    for slot in 0..ROWS {
        let size = exposure::size(tile.quantity[slot], tile.contract_size[slot]);
        tile.size[slot] = size;
        tile.direction[slot] = exposure::direction(tile.quantity[slot], tile.long_direction[slot]);
        tile.value[slot] = exposure::value(size, tile.coordinate[slot]);
    }
}

/// Size, direction, values and profit.
#[inline(always)]
pub(crate) fn mark_positions(tile: &mut Tile, instruments: &MarkedInstruments<'_>) {
    place_on_coordinate(tile);
    if instruments.any_inverse {
        for slot in 0..ROWS {
            let inverse = tile.long_direction[slot] < 0.0;
            let entry = contract::coordinate(tile.entry_price[slot], tile.multiplier[slot], inverse);
            mark_entry(tile, slot, entry);
        }
    } else {
        for slot in 0..ROWS {
            mark_entry(tile, slot, contract::coordinate(tile.entry_price[slot], tile.multiplier[slot], false));
        }
    }
    tile.results[Measure::Notional] = tile.value;
}

#[inline(always)]
fn mark_entry(tile: &mut Tile, slot: usize, entry: f64) {
    let (size, direction) = (tile.size[slot], tile.direction[slot]);
    let profit = mark_to_market::unrealized_pnl(direction, size, tile.coordinate[slot], entry);
    tile.entry_value[slot] = exposure::value(size, entry);
    tile.results[Measure::UnrealizedPnl][slot] = profit;
}

/// Return on equity.
#[inline(always)]
pub(crate) fn rate_return(tile: &mut Tile) {
    for slot in 0..ROWS {
        tile.results[Measure::ReturnOnEquity][slot] = mark_to_market::return_on_equity(
            tile.results[Measure::UnrealizedPnl][slot],
            tile.leverage[slot],
            tile.entry_value[slot],
        );
    }
}

/// Cash of isolated positions and the closing fee that is fixed in advance.
#[inline(always)]
pub(crate) fn fund_isolated(tile: &mut Tile, policy: &Policy) {
    let rules = &policy.rules;
    if policy.has_fixed_fee() {
        fix_fee_by_leverage(tile, policy);
    }
    let mut missing = false;
    for slot in 0..ROWS {
        missing |= tile.isolated_margin[slot].is_nan();
    }
    if missing {
        let fee_held = policy.has_fixed_fee() && rules.fee_in_initial;
        for slot in 0..ROWS {
            let opening = margin::initial_margin(tile.entry_value[slot], tile.leverage[slot]);
            let opening = if fee_held { opening + tile.fixed_fee[slot] } else { opening };
            let given = tile.isolated_margin[slot];
            tile.isolated_margin[slot] = if given.is_nan() { opening } else { given };
        }
    }
    for slot in 0..ROWS {
        tile.cash[slot] = tile.isolated_margin[slot] + tile.funding[slot];
    }
    if rules.fee_basis == FeeBasis::Bankruptcy {
        for slot in 0..ROWS {
            let factor = policy.bankruptcy.along(tile.direction[slot]);
            let value =
                margin::bankruptcy_value_of_cash(tile.entry_value[slot], tile.direction[slot], tile.cash[slot], factor);
            tile.fixed_fee[slot] = rules.fee_rate * value;
        }
    }
}

/// The fixed closing fee of a position that holds just its initial margin, or pays on its entry value.
#[inline(always)]
pub(crate) fn fix_fee_by_leverage(tile: &mut Tile, policy: &Policy) {
    let at_entry = policy.rules.fee_basis == FeeBasis::Entry;
    for slot in 0..ROWS {
        let entry_value = tile.entry_value[slot];
        let value = if at_entry {
            entry_value
        } else {
            margin::bankruptcy_value_of_leverage(entry_value, tile.direction[slot], tile.leverage[slot])
        };
        tile.fixed_fee[slot] = policy.rules.fee_rate * value;
    }
}

/// Initial margin, maintenance margin and requirement.
#[inline(always)]
pub(crate) fn require_margin<C: Compare>(
    tile: &mut Tile,
    policy: &Policy,
    instruments: &MarkedInstruments<'_>,
    basis: Basis,
    initial_at_entry: bool,
) {
    let rules = &policy.rules;
    let fixed_fee = policy.has_fixed_fee();
    if rules.initial_from_table {
        let opened_on = if initial_at_entry { tile.entry_value } else { tile.value };
        open_by_table::<C>(tile, instruments, &opened_on);
    } else {
        for slot in 0..ROWS {
            let value = if initial_at_entry { tile.entry_value[slot] } else { tile.value[slot] };
            tile.results[Measure::InitialMargin][slot] = margin::initial_margin(value, tile.leverage[slot]);
        }
    }
    if fixed_fee && rules.fee_in_initial {
        for slot in 0..ROWS {
            tile.results[Measure::InitialMargin][slot] += tile.fixed_fee[slot];
        }
    }
    let required_on = if basis == Basis::Entry { tile.entry_value } else { tile.value };
    maintain::<C>(tile, instruments, &required_on);
    tile.requirement = tile.maintenance;
    if fixed_fee {
        for slot in 0..ROWS {
            tile.requirement[slot] += tile.fixed_fee[slot];
        }
    } else if rules.fee_basis == FeeBasis::Price {
        for slot in 0..ROWS {
            tile.requirement[slot] += rules.fee_rate * tile.value[slot];
        }
    }
    tile.results[Measure::MaintenanceMargin] =
        if rules.fee_in_maintenance { tile.requirement } else { tile.maintenance };
}

/// Initial margin at each value, by the initial table of each row's instrument; NaN where there is none.
#[inline(always)]
fn open_by_table<C: Compare>(tile: &mut Tile, instruments: &MarkedInstruments<'_>, value: &[f64; ROWS]) {
    let (tables, mut found) = (instruments.initial_tables, [0; ROWS]);
    for slot in 0..ROWS {
        found[slot] = tables.find::<C>(instruments.initial_table(tile, slot), Key::Value, value[slot]);
    }
    for slot in 0..ROWS {
        let line = tables.found(found[slot]);
        tile.results[Measure::InitialMargin][slot] = margin::maintenance_line(value[slot], line.rate, line.deduction);
    }
    if instruments.any_whole_initial {
        for slot in 0..ROWS {
            if let Some(table) = &instruments.of_row(tile, slot).instrument.initial
                && let Some(rate) = whole_rate(tile, slot, &table.kind, value[slot])
            {
                tile.results[Measure::InitialMargin][slot] = rate * value[slot];
            }
        }
    }
}

/// Maintenance margin at each value, by the table of each row's instrument.
#[inline(always)]
fn maintain<C: Compare>(tile: &mut Tile, instruments: &MarkedInstruments<'_>, value: &[f64; ROWS]) {
    let tables = instruments.tables;
    if tile.one_table {
        maintain_by_one_table(tables, tile.table[0] as usize, value, &mut tile.maintenance);
    } else {
        let found = tables.find_each::<C>(&tile.table, &[Key::Value as u32; ROWS], value);
        for slot in 0..ROWS {
            let line = tables.found(found[slot] as usize);
            tile.maintenance[slot] = margin::maintenance_line(value[slot], line.rate, line.deduction);
        }
    }
    if instruments.any_whole {
        for slot in 0..ROWS {
            let table = instruments.table_of_row(tile, slot);
            if let Some(rate) = whole_rate(tile, slot, &table.kind, value[slot]) {
                tile.maintenance[slot] = rate * value[slot];
            }
        }
    }
}

/// The rate that holds for a whole position of this value, if its table is of that kind.
#[inline(always)]
fn whole_rate(tile: &Tile, slot: usize, kind: &Kind, value: f64) -> Option<f64> {
    match kind {
        Kind::Marginal(_) => None,
        Kind::Flat(key, tiers) => Some(flat_tier(tile, slot, *key, tiers).rate),
        Kind::Growing(growing) => Some(growing.rate(tile.size[slot], value)),
    }
}

/// Maintenance margin at each value by one table: vectors over rows, two lines a pass.
///
/// Rates and deductions rise with the tiers, so the ones that apply are the largest of those whose threshold lies below.
#[inline(always)]
fn maintain_by_one_table(tables: &Tables, place: usize, value: &[f64; ROWS], maintenance: &mut [f64; ROWS]) {
    let (lines, mut thresholds) = (tables.lines(place), tables.thresholds(place, Key::Value));
    let lowest = lines[0];
    let (mut rate, mut deduction) = ([lowest.rate; ROWS], [lowest.deduction; ROWS]);
    // Below the first tier's, which is negative where the table has a minimum, there is none.
    let least = lowest.deduction;
    for pair in lines[1..].chunks_exact(2) {
        // Read before the loop: a load under a condition would keep the loop from being vectorised.
        let (lower, upper) = (pair[0], pair[1]);
        let (Some(from_lower), Some(from_upper)) = (thresholds.next(), thresholds.next()) else { break };
        for slot in 0..ROWS {
            let lower_rate = if value[slot] > from_lower { lower.rate } else { 0.0 };
            let upper_rate = if value[slot] > from_upper { upper.rate } else { 0.0 };
            rate[slot] = margin::larger(margin::larger(rate[slot], lower_rate), upper_rate);
            let lower_deduction = if value[slot] > from_lower { lower.deduction } else { least };
            let upper_deduction = if value[slot] > from_upper { upper.deduction } else { least };
            deduction[slot] = margin::larger(margin::larger(deduction[slot], lower_deduction), upper_deduction);
        }
    }
    for slot in 0..ROWS {
        maintenance[slot] = margin::maintenance_line(value[slot], rate[slot], deduction[slot]);
    }
}

/// The tier that a flat table's key selects.
#[inline(always)]
fn flat_tier<'t>(tile: &Tile, slot: usize, key: TierKey, tiers: &'t [FlatTier]) -> &'t FlatTier {
    let size = if key == TierKey::RiskLimit { tile.risk_limit[slot] } else { tile.quantity[slot].abs() };
    let mut chosen = &tiers[0];
    for tier in &tiers[1..] {
        if size > tier.floor {
            chosen = tier;
        }
    }
    chosen
}

/// Equity, ratio and state of isolated positions, and what the closed form needs.
#[inline(always)]
pub(crate) fn judge_isolated(tile: &mut Tile, policy: &Policy, basis: Basis) {
    for slot in 0..ROWS {
        let equity = tile.cash[slot] + tile.results[Measure::UnrealizedPnl][slot];
        let ratio = margin::margin_ratio(tile.requirement[slot], equity);
        tile.results[Measure::Equity][slot] = equity;
        tile.results[Measure::MarginRatio][slot] = ratio;
        tile.state[slot] = state_of(ratio, &policy.levels);
        tile.needed[slot] = tile.direction[slot] * tile.entry_value[slot] - tile.cash[slot];
        tile.results[Measure::BankruptcyPrice][slot] = tile.needed[slot];
    }
    if policy.has_fixed_fee() {
        for slot in 0..ROWS {
            tile.needed[slot] += tile.fixed_fee[slot] * policy.trigger;
        }
    }
    if basis != Basis::Price {
        for slot in 0..ROWS {
            tile.needed[slot] += tile.maintenance[slot] * policy.trigger;
        }
    }
}

/// What a leg gives back to its account's surplus when the leg is taken out and solved for: the part of the requirement that moves with
/// its price.
#[inline(always)]
pub(crate) fn release(tile: &Tile, policy: &Policy, basis: Basis) -> [f64; ROWS] {
    let mut released = [0.0; ROWS];
    for slot in 0..ROWS {
        released[slot] = tile.requirement[slot] * policy.trigger;
    }
    if policy.has_fixed_fee() {
        for slot in 0..ROWS {
            released[slot] -= tile.fixed_fee[slot] * policy.trigger;
        }
    }
    if basis != Basis::Price {
        for slot in 0..ROWS {
            released[slot] -= tile.maintenance[slot] * policy.trigger;
        }
    }
    released
}

/// What legs of cross accounts need, from the surplus and the equity of their account with the leg itself taken out.
#[inline(always)]
pub(crate) fn need_of_legs(tile: &mut Tile, surplus: &[f64; ROWS], released: &[f64; ROWS]) {
    place_on_coordinate(tile);
    for slot in 0..ROWS {
        let signed = tile.direction[slot] * tile.value[slot];
        tile.needed[slot] = signed - (surplus[slot] + released[slot]);
        tile.results[Measure::BankruptcyPrice][slot] = signed - tile.results[Measure::Equity][slot];
    }
}

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
    let (frozen, bankruptcy) = (policy.frozen.both(), policy.bankruptcy.both());
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
