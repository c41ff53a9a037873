//! The formulas over tiles: plain loops of constant length, compiled once for every instruction set.
//!
//! The order of operations is part of the specification: `python/levcore/reference` performs the same ones, and the results agree to the
//! last bit. No fused multiply-add, no reordering.

use crate::codes::measures::Measure;
use crate::codes::state::state_of;
use crate::formulas::contract;
use crate::formulas::exposure;
use crate::formulas::margin;
use crate::formulas::mark_to_market;
use crate::machine::compare::ROWS;
use crate::rules::parameters::{Basis, FeeBasis};
use crate::rules::policy::Policy;
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
