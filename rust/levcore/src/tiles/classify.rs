//! Rows that are not ordinary: found a tile at a time, named one by one.

use crate::book::columns::Book;
use crate::codes::measures::Measure;
use crate::codes::status::{FIRST_PARTIAL, Status};
use crate::formulas::margin;
use crate::machine::number::Number;
use crate::machine::vector::{LANES, Vector};
use crate::rules::parameters::Basis;
use crate::rules::policy::{Instrument, Policy};
use crate::rules::table::{Kind, Table};
use crate::rules::tiers::TierKey;
use crate::tiles::found::Found;
use crate::tiles::marked::{MarkedInstrument, MarkedInstruments, Terms};
use crate::tiles::shape::Shape;
use crate::tiles::slots::Slots;
use crate::tiles::tile::{Tile, TileRows};

/// Rows of the tile that are not ordinary ones, so that [`classify`] must look at them: a bit each.
#[inline(always)]
pub(crate) fn odd_rows<V: Vector>(
    tile: &Tile<V>,
    terms: &Terms<V>,
    instruments: &MarkedInstruments<'_>,
    entries: &[u32; LANES],
    shape: Shape,
) -> u8 {
    let (zero, infinite) = (V::all(0.0), V::all(f64::INFINITY));
    // Sizes, marks and entries are positive and finite if both values are. A sum of magnitudes is finite only if all of them are; a profit
    // is no larger than the values, and what is needed or left no larger than the values and the cash, where no fee comes to it.
    let mut ordinary = tile.value.is_above(zero) & tile.entry_value.is_above(zero);
    ordinary = ordinary & terms.cap.is_at_least(tile.value);
    let mut total = tile.value + tile.entry_value + tile.requirement;
    if shape.columns.accrued_funding {
        total = total + tile.funding.abs();
    }
    if !shape.cross {
        total = total + tile.cash.abs();
        if shape.has_fixed_fee() || !shape.moves() {
            total = total + tile.needed.abs();
        }
    }
    if shape.columns.leverage {
        total = total + tile.leverage;
        ordinary = ordinary & tile.leverage.is_at_least(V::all(1.0));
    }
    ordinary = ordinary & total.is_below(infinite);
    if shape.initial_from_table {
        ordinary = ordinary & instruments.initial_caps::<V>(entries).is_at_least(tile.value);
    }
    if shape.selected.any {
        ordinary = ordinary & instruments.selections.of_rows(entries).reaches(tile);
    }
    if shape.initially_selected.any {
        ordinary = ordinary & instruments.initial_selections.of_rows(entries).reaches(tile);
    }
    !V::bits(ordinary)
}

/// The failure of a row, or [`Status::Flat`], [`Status::WithoutMargin`] or a finding about its inputs; else [`Status::Ok`]. The first rule that applies decides.
pub(crate) fn classify(
    tile: &Slots,
    slot: usize,
    given_margin: f64,
    policy: &Policy,
    marked: &MarkedInstrument<'_>,
    book: &Book<'_>,
    cross: bool,
) -> Status {
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
pub(crate) fn note_leverage<V: Vector>(
    tile: &mut Tile<V>,
    instruments: &MarkedInstruments<'_>,
    rows: &TileRows<'_>,
    found: &Found<V>,
    shape: Shape,
) {
    if !shape.limits_leverage || !shape.columns.leverage {
        return;
    }
    let highest = match found.highest_leverage {
        Some(highest) => highest,
        None if V::bits(instruments.is_leverage_near(tile, rows)) == 0 => return,
        None => instruments.highest_leverage(tile, rows, shape),
    };
    let above = tile.leverage.is_above(highest);
    let counts = tile.status.is_below(V::all(f64::from(FIRST_PARTIAL))) & !tile.quantity.equals(V::all(0.0));
    let noted = join_findings(tile.status, V::all(f64::from(Status::LeverageAboveTier as u8)));
    tile.status = V::choose(above & counts, noted, tile.status);
}

/// Notes a finding about the inputs of a row where the findings about its prices leave room: what the row lacks stands behind all of them,
/// a leverage that no venue allows behind those that say how to read a price.
pub(crate) fn note_finding(tile: &mut Slots, slot: usize, finding: Status) {
    tile.status[slot] = join_findings(tile.status[slot], f64::from(finding as u8));
}

/// Of a finding about the prices of a row and one about its inputs, the one that is told; all of them as codes.
#[inline(always)]
pub(crate) fn join_findings<N: Number>(of_prices: N, of_inputs: N) -> N {
    let gives_way = of_prices.equals(code_of(Status::NoLiquidationPrice))
        | of_prices.equals(code_of(Status::NoBankruptcyPrice))
        | of_prices.equals(code_of(Status::MissingInitialTiers));
    let is_above = of_inputs.equals(code_of(Status::LeverageAboveTier));
    N::choose(of_prices.equals(code_of(Status::Ok)) | (is_above & gives_way), of_inputs, of_prices)
}

/// Code of a status, as a number.
#[inline(always)]
pub(crate) fn code_of<N: Number>(status: Status) -> N {
    N::all(f64::from(status as u8))
}

/// Failure of a row by the tables it is looked up in, else [`Status::Ok`]: what they look up comes before how far they reach.
#[inline(always)]
fn refuse_by_tables(tile: &Slots, slot: usize, instrument: &Instrument) -> Status {
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
fn refuse_key(tile: &Slots, slot: usize, table: &Table) -> Status {
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
fn refuse_size(tile: &Slots, slot: usize, table: &Table) -> Status {
    let size = match &table.kind {
        Kind::Marginal(_) => tile.value[slot],
        Kind::Flat(..) | Kind::Unit(_) => return Status::Ok,
        Kind::Growing(growing) => growing.base(tile.size[slot], tile.value[slot]),
    };
    if size > table.cap { Status::TierOverflow } else { Status::Ok }
}
