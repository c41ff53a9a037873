//! What positions must hold: initial margin, maintenance margin, requirement, each by the table of its instrument.

use crate::codes::measures::Measure;
use crate::formulas::margin;
use crate::machine::compare::{Compare, ROWS};
use crate::rules::parameters::{Basis, FeeBasis};
use crate::rules::policy::Policy;
use crate::rules::table::{FlatTier, Kind, UnitLine};
use crate::rules::tables::{Key, Tables};
use crate::rules::tiers::TierKey;
use crate::tiles::marked::MarkedInstruments;
use crate::tiles::tile::Tile;

/// Initial margin, maintenance margin and requirement.
#[inline(always)]
pub(crate) fn require_margin<C: Compare>(
    tile: &mut Tile,
    policy: &Policy,
    instruments: &MarkedInstruments<'_>,
    basis: Basis,
    initial_at_entry: bool,
    cross: bool,
) {
    let (rules, fees) = (&policy.rules, policy.fees(cross));
    let fixed_fee = fees.fixed;
    if rules.initial_from_table {
        let opened_on = if initial_at_entry { tile.entry_value } else { tile.value };
        open_by_table::<C>(tile, instruments, &opened_on);
    } else {
        for slot in 0..ROWS {
            let value = if initial_at_entry { tile.entry_value[slot] } else { tile.value[slot] };
            tile.results[Measure::InitialMargin][slot] = margin::initial_margin(value, tile.leverage[slot]);
        }
    }
    if rules.fee_in_initial && rules.reserve_at_bankruptcy {
        for slot in 0..ROWS {
            let (value, direction, leverage) = (tile.entry_value[slot], tile.direction[slot], tile.leverage[slot]);
            tile.results[Measure::InitialMargin][slot] += margin::reserved_fee(value, direction, leverage, fees.rate);
        }
    } else if fixed_fee && rules.fee_in_initial {
        for slot in 0..ROWS {
            tile.results[Measure::InitialMargin][slot] += tile.fixed_fee[slot];
        }
    }
    let required_on = match basis {
        Basis::Entry => tile.entry_value,
        Basis::Bankruptcy => tile.bankruptcy_value,
        Basis::Price | Basis::Mark => tile.value,
    };
    maintain::<C>(tile, instruments, &required_on);
    tile.requirement = tile.maintenance;
    if fixed_fee {
        for slot in 0..ROWS {
            tile.requirement[slot] += tile.fixed_fee[slot];
        }
    } else if fees.basis == FeeBasis::Price {
        for slot in 0..ROWS {
            tile.requirement[slot] += fees.rate * tile.value[slot];
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
                && let Some(margin) = whole_margin(tile, slot, &table.kind, value[slot])
            {
                tile.results[Measure::InitialMargin][slot] = margin;
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
            if let Some(margin) = whole_margin(tile, slot, &table.kind, value[slot]) {
                tile.maintenance[slot] = margin;
            }
        }
    }
}

/// The margin of a position of this value by a table that needs more than the value, if its table is of that kind.
#[inline(always)]
fn whole_margin(tile: &Tile, slot: usize, kind: &Kind, value: f64) -> Option<f64> {
    match kind {
        Kind::Marginal(_) => None,
        Kind::Flat(key, tiers) => Some(flat_tier(tile, slot, *key, tiers).rate * value),
        Kind::Growing(growing) => Some(growing.rate(tile.size[slot], value) * value),
        Kind::Unit(lines) => {
            let (rate, deduction) = UnitLine::touching(lines, tile.size[slot], value);
            Some(margin::maintenance_line(value, rate, deduction))
        }
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
pub(crate) fn flat_tier<'t>(tile: &Tile, slot: usize, key: TierKey, tiers: &'t [FlatTier]) -> &'t FlatTier {
    let size = if key == TierKey::RiskLimit { tile.risk_limit[slot] } else { tile.quantity[slot].abs() };
    let mut chosen = &tiers[0];
    for tier in &tiers[1..] {
        if size > tier.floor {
            chosen = tier;
        }
    }
    chosen
}
