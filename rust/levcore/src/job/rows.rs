//! What both kinds of rows share: reading inputs, storing codes, and the results of rows that are not ordinary.

use crate::codes::measures::Measure;
use crate::codes::state::State;
use crate::codes::status::Status;
use crate::job::context::Job;
use crate::machine::compare::ROWS;
use crate::tiles::tile::{Place, Tile};

/// Measures that depend on the account, or on the margin of an isolated position.
pub(crate) const BY_ACCOUNT: [Measure; 8] = [
    Measure::Equity,
    Measure::MarginRatio,
    Measure::EffectiveLeverage,
    Measure::LiquidationPrice,
    Measure::BankruptcyPrice,
    Measure::DistanceToLiquidation,
    Measure::LiquidationPriceLower,
    Measure::LiquidationPriceUpper,
];

#[inline(always)]
pub(crate) fn load_inputs(job: &Job<'_>, tile: &mut Tile, place: Place<'_>) {
    let book = job.book;
    place.load(book.instrument, &mut tile.instrument);
    place.load(book.quantity, &mut tile.quantity);
    place.load(book.entry_price, &mut tile.entry_price);
    if let Some(column) = book.leverage {
        place.load(column, &mut tile.leverage);
    }
    if let Some(column) = book.accrued_funding {
        place.load(column, &mut tile.funding);
    }
    if let Some(column) = book.risk_limit {
        place.load(column, &mut tile.risk_limit);
    }
}

#[inline(always)]
pub(crate) fn store_measure(job: &Job<'_>, tile: &Tile, measure: Measure, place: Place<'_>) {
    if let Some(column) = &job.outputs.columns[measure] {
        place.store_results(&tile.results[measure], column, job.stream);
    }
}

#[inline(always)]
pub(crate) fn store_codes(job: &Job<'_>, tile: &Tile, place: Place<'_>) {
    place.store(&narrow(&tile.state), &job.outputs.state);
    place.store(&narrow(&tile.status), &job.outputs.status);
}

/// Codes as they are stored.
#[inline(always)]
pub(crate) fn narrow(codes: &[u64; ROWS]) -> [u8; ROWS] {
    let mut narrowed = [0; ROWS];
    for slot in 0..ROWS {
        narrowed[slot] = codes[slot] as u8;
    }
    narrowed
}

/// Results of a row without exposure that do not depend on its account.
pub(crate) fn flatten(tile: &mut Tile, slot: usize) {
    let results = &mut tile.results;
    for measure in [Measure::Notional, Measure::UnrealizedPnl, Measure::InitialMargin, Measure::MaintenanceMargin] {
        results[measure][slot] = 0.0;
    }
    for measure in [
        Measure::ReturnOnEquity,
        Measure::LiquidationPrice,
        Measure::BankruptcyPrice,
        Measure::LiquidationPriceLower,
        Measure::LiquidationPriceUpper,
    ] {
        results[measure][slot] = f64::NAN;
    }
    results[Measure::EffectiveLeverage][slot] = 0.0;
    results[Measure::DistanceToLiquidation][slot] = f64::INFINITY;
    tile.status[slot] = Status::Flat as u64;
}

pub(crate) fn fail(tile: &mut Tile, slot: usize, failure: Status) {
    for results in tile.results.iter_mut() {
        results[slot] = f64::NAN;
    }
    tile.state[slot] = State::Incomplete as u64;
    tile.status[slot] = failure as u64;
}
