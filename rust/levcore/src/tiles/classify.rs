//! Rows that are not ordinary: found a tile at a time, named one by one.

use crate::book::columns::Book;
use crate::codes::measures::Measure;
use crate::codes::status::{FIRST_PARTIAL, Status};
use crate::formulas::margin;
use crate::machine::compare::{Compare, ROWS};
use crate::rules::parameters::Basis;
use crate::rules::policy::{Instrument, Policy};
use crate::rules::table::{Kind, Table};
use crate::rules::tiers::TierKey;
use crate::tiles::marked::MarkedInstruments;
use crate::tiles::tile::Tile;

/// Whether any row of the tile is not an ordinary one, so that [`classify`] must look at it.
#[inline(always)]
pub(crate) fn needs_classification(
    tile: &Tile,
    instruments: &MarkedInstruments<'_>,
    book: &Book<'_>,
    cross: bool,
) -> bool {
    let mut odd = 0_u64;
    for slot in 0..ROWS {
        // A sum of magnitudes is finite only if all of them are; the smallest of those that must be positive is, if all are.
        let magnitude = tile.quantity[slot].abs();
        let value = tile.value[slot] + tile.entry_value[slot] + tile.requirement[slot];
        let profit = tile.results[Measure::UnrealizedPnl][slot].abs() + tile.funding[slot].abs();
        let total = magnitude + tile.entry_price[slot] + value + profit;
        let smallest = smaller(magnitude, tile.entry_price[slot]);
        odd |= u64::from(!(total < f64::INFINITY))
            | u64::from(!(tile.mark[slot] > 0.0))
            | u64::from(!(smallest > 0.0))
            | u64::from(!(tile.value[slot] <= tile.cap[slot]));
    }
    if !cross {
        for slot in 0..ROWS {
            let equity = tile.results[Measure::Equity][slot].abs();
            let total = tile.isolated_margin[slot].abs() + tile.needed[slot].abs() + equity;
            odd |= u64::from(!(total < f64::INFINITY));
        }
    }
    if book.leverage.is_some() {
        for slot in 0..ROWS {
            odd |= u64::from(!(tile.leverage[slot] >= 1.0)) | u64::from(!(tile.leverage[slot] < f64::INFINITY));
        }
    }
    if instruments.by_initial_table {
        for slot in 0..ROWS {
            odd |= u64::from(!(tile.value[slot] <= instruments.initial_cap(tile, slot)));
        }
    }
    odd != 0 || instruments.any_whole || instruments.any_whole_initial
}

/// The smaller of two; NaN if the first is.
#[inline(always)]
fn smaller(left: f64, right: f64) -> f64 {
    if right < left { right } else { left }
}

/// The failure of a row, or [`Status::Flat`], [`Status::WithoutMargin`] or a finding about its inputs; else [`Status::Ok`]. The first
/// rule that applies decides.
pub(crate) fn classify(
    tile: &Tile,
    slot: usize,
    given_margin: f64,
    policy: &Policy,
    instruments: &MarkedInstruments<'_>,
    book: &Book<'_>,
    cross: bool,
) -> Status {
    let marked = instruments.of_row(tile, slot);
    let positive = |number: f64| number > 0.0 && number < f64::INFINITY;
    let (quantity, leverage) = (tile.quantity[slot], tile.leverage[slot]);
    if !quantity.is_finite() {
        return Status::InvalidQuantity;
    }
    if !tile.funding[slot].is_finite() {
        return Status::InvalidFunding;
    }
    if quantity == 0.0 {
        return Status::Flat;
    }
    if let Some(failure) = marked.failure {
        return failure;
    }
    if !positive(tile.entry_price[slot]) {
        return Status::InvalidEntryPrice;
    }
    if !(leverage.is_nan() || margin::is_leverage(leverage)) {
        return Status::InvalidLeverage;
    }
    if !cross && given_margin.is_infinite() {
        return Status::InvalidMargin;
    }
    let by_leverage = policy.cross_fees.basis.needs_leverage() || policy.rules.requirement_cross == Basis::Bankruptcy;
    if cross && leverage.is_nan() && by_leverage {
        return Status::MissingRequiredLeverage;
    }
    let refused = refuse_by_tables(tile, slot, marked.instrument);
    if refused != Status::Ok {
        return refused;
    }
    let results =
        [tile.value[slot], tile.entry_value[slot], tile.results[Measure::UnrealizedPnl][slot], tile.requirement[slot]];
    let without_margin = !cross && leverage.is_nan() && given_margin.is_nan();
    let held = [tile.needed[slot], tile.isolated_margin[slot], tile.results[Measure::Equity][slot]];
    let funded = cross || without_margin || held.iter().all(|amount| amount.is_finite());
    if !funded || results.iter().any(|result| !result.is_finite()) {
        return Status::NumericOverflow;
    }
    if without_margin {
        return Status::WithoutMargin;
    }
    if book.leverage.is_some() && leverage.is_nan() {
        return Status::MissingLeverage;
    }
    let no_table = policy.rules.initial_from_table && marked.instrument.initial.is_none();
    if no_table { Status::MissingInitialTiers } else { Status::Ok }
}

/// Notes which of a tile's rows have a leverage above the maximum of their tier, after what else there is to say of them.
#[inline(always)]
pub(crate) fn note_leverage<C: Compare>(tile: &mut Tile, instruments: &MarkedInstruments<'_>, book: &Book<'_>) {
    if !instruments.limits_leverage || book.leverage.is_none() || !instruments.any_leverage_near(tile) {
        return;
    }
    let highest = instruments.highest_leverage::<C>(tile);
    let mut above = 0_u64;
    for slot in 0..ROWS {
        above |= u64::from(tile.leverage[slot] > highest[slot]);
    }
    if above != 0 {
        note_each_leverage(tile, &highest);
    }
}

#[cold]
#[inline(never)]
fn note_each_leverage(tile: &mut Tile, highest: &[f64; ROWS]) {
    for slot in 0..ROWS {
        let counts = tile.status[slot] < u64::from(FIRST_PARTIAL) && tile.quantity[slot] != 0.0;
        if counts && tile.leverage[slot] > highest[slot] {
            note_finding(tile, slot, Status::LeverageAboveTier);
        }
    }
}

/// Notes a finding about the inputs of a row where the findings about its prices leave room: what the row lacks stands behind all of them,
/// a leverage that no venue allows behind those that say how to read a price.
pub(crate) fn note_finding(tile: &mut Tile, slot: usize, finding: Status) {
    tile.status[slot] = u64::from(join_findings(tile.status[slot] as u8, finding as u8));
}

/// Of a finding about the prices of a row and one about its inputs, the one that is told.
pub(crate) fn join_findings(of_prices: u8, of_inputs: u8) -> u8 {
    let gives_way = of_prices == Status::NoLiquidationPrice as u8 || of_prices == Status::NoBankruptcyPrice as u8;
    let gives_way = gives_way || of_prices == Status::MissingInitialTiers as u8;
    let told = of_prices == Status::Ok as u8 || of_inputs == Status::LeverageAboveTier as u8 && gives_way;
    if told { of_inputs } else { of_prices }
}

/// Failure of a row by the tables it is looked up in, else [`Status::Ok`]: what they look up comes before how far they reach.
#[inline(always)]
fn refuse_by_tables(tile: &Tile, slot: usize, instrument: &Instrument) -> Status {
    let table = instrument.table(tile.quantity[slot]);
    let Some(initial) = &instrument.initial else {
        let status = refuse_key(tile, slot, table);
        return if status == Status::Ok { refuse_size(tile, slot, table) } else { status };
    };
    for status in [refuse_key(tile, slot, table), refuse_key(tile, slot, initial), refuse_size(tile, slot, table)] {
        if status != Status::Ok {
            return status;
        }
    }
    refuse_size(tile, slot, initial)
}

/// Failure of a row by what it gives a table of contracts or of risk limits to look up, else [`Status::Ok`].
#[inline(always)]
fn refuse_key(tile: &Tile, slot: usize, table: &Table) -> Status {
    let Kind::Flat(key, _) = &table.kind else { return Status::Ok };
    let limit = tile.risk_limit[slot];
    match key {
        TierKey::RiskLimit if limit.is_nan() => Status::MissingRiskLimit,
        TierKey::RiskLimit if !(limit > 0.0 && limit < f64::INFINITY) => Status::InvalidRiskLimit,
        TierKey::RiskLimit if limit > table.cap => Status::TierOverflow,
        TierKey::Contracts if tile.quantity[slot].abs() > table.cap => Status::TierOverflow,
        _ => Status::Ok,
    }
}

/// Failure of a row that is larger than its table, keyed by value or by size, else [`Status::Ok`].
#[inline(always)]
fn refuse_size(tile: &Tile, slot: usize, table: &Table) -> Status {
    let size = match &table.kind {
        Kind::Marginal(_) => tile.value[slot],
        Kind::Flat(..) | Kind::Unit(_) => return Status::Ok,
        Kind::Growing(growing) => growing.base(tile.size[slot], tile.value[slot]),
    };
    if size > table.cap { Status::TierOverflow } else { Status::Ok }
}
