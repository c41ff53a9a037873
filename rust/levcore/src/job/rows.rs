//! What both kinds of rows share: reading inputs, storing codes, and the results of rows that are not ordinary.

use crate::book::columns::Book;
use crate::codes::measures::Measure;
use crate::codes::state::State;
use crate::codes::status::Status;
use crate::job::context::Job;
use crate::machine::vector::{LANES, Vector};
use crate::tiles::shape::Columns;
use crate::tiles::slots::Slots;
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

/// Reads what both kinds of rows have.
#[inline(always)]
pub(crate) fn load_inputs<V: Vector>(book: &Book<'_>, place: Place<'_>, columns: Columns) -> Tile<V> {
    let mut tile = Tile::new();
    tile.quantity = place.load(book.quantity);
    tile.entry_price = place.load(book.entry_price);
    if columns.leverage {
        tile.leverage = place.load(book.leverage.unwrap_or_default());
    }
    if columns.accrued_funding {
        tile.funding = place.load(book.accrued_funding.unwrap_or_default());
    }
    if columns.risk_limit {
        tile.risk_limit = place.load(book.risk_limit.unwrap_or_default());
    }
    tile
}

/// Stores the measures named, one statement each: a loop over them would keep the tile from standing in registers. How they are stored is
/// decided once a tile, since a decision takes longer than a store.
macro_rules! store_measures {
    ($job:expr, $tile:expr, $place:expr, $($Measure:ident)+) => {{
        let (job, tile, place) = ($job, $tile, $place);
        let columns = &job.outputs.columns;
        // No closure: a function of its own is compiled without the instruction set of its caller.
        match place.whole() {
            Some(first) if job.stream => {
                let lines = columns.lines(first);
                $(lines.stream($crate::codes::measures::Measure::$Measure as usize, store_measures!(@of tile $Measure));)+
            }
            Some(first) => {
                let rows = columns.tile(first);
                $(rows.write($crate::codes::measures::Measure::$Measure as usize, store_measures!(@of tile $Measure));)+
            }
            None => {
                $(if let Some(column) = columns.get($crate::codes::measures::Measure::$Measure as usize) {
                    place.store_apart(store_measures!(@of tile $Measure), column);
                })+
            }
        }
    }};
    (@of $tile:ident $Measure:ident) => { $tile.results[$crate::codes::measures::Measure::$Measure] };
}
pub(crate) use store_measures;

#[inline(always)]
pub(crate) fn store_codes<V: Vector>(job: &Job<'_>, tile: &Tile<V>, place: Place<'_>) {
    place.store_codes(&tile.state.codes(), &job.outputs.state);
    place.store_codes(&tile.status.codes(), &job.outputs.status);
}

/// Bits of the slots that hold rows of their own.
#[inline(always)]
pub(crate) fn live(place: Place<'_>) -> u8 {
    u8::MAX >> (LANES - place.len())
}

/// The slots that have a bit.
pub(crate) fn slots_of(bits: u8) -> impl Iterator<Item = usize> {
    (0..LANES).filter(move |slot| bits >> slot & 1 == 1)
}

/// Results of a row without exposure that do not depend on its account.
pub(crate) fn flatten(tile: &mut Slots, slot: usize) {
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
    tile.status[slot] = f64::from(Status::Flat as u8);
}

pub(crate) fn fail(tile: &mut Slots, slot: usize, failure: Status) {
    for results in tile.results.iter_mut() {
        results[slot] = f64::NAN;
    }
    tile.state[slot] = f64::from(State::Incomplete as u8);
    tile.status[slot] = f64::from(failure as u8);
}
