//! The formulas over tiles: plain loops of constant length, compiled once for every instruction set.
//!
//! The order of operations is part of the specification: `python/levcore/reference` performs the same ones, and the results agree to the
//! last bit. No fused multiply-add, no reordering.

use std::hint::select_unpredictable;

use crate::book::Book;
use crate::contract::{self, price_at_value, price_per_value};
use crate::exposure;
use crate::liquidation;
use crate::margin;
use crate::mark_to_market;
use crate::measures::Measure;
use crate::policy::{Basis, FeeBasis, FlatTier, Instrument, Key, Policy, Requirement, Tables};
use crate::state::{State, state_of};
use crate::status::Status;
use crate::tiers::TierKey;
use crate::tile::{ROWS, Tile};
use crate::vector::Compare;

const NOTIONAL: usize = Measure::Notional as usize;
const UNREALIZED_PNL: usize = Measure::UnrealizedPnl as usize;
const RETURN_ON_EQUITY: usize = Measure::ReturnOnEquity as usize;
const INITIAL_MARGIN: usize = Measure::InitialMargin as usize;
const MAINTENANCE_MARGIN: usize = Measure::MaintenanceMargin as usize;
const EQUITY: usize = Measure::Equity as usize;
const MARGIN_RATIO: usize = Measure::MarginRatio as usize;
const EFFECTIVE_LEVERAGE: usize = Measure::EffectiveLeverage as usize;
const LIQUIDATION_PRICE: usize = Measure::LiquidationPrice as usize;
const BANKRUPTCY_PRICE: usize = Measure::BankruptcyPrice as usize;
const DISTANCE: usize = Measure::DistanceToLiquidation as usize;

/// An instrument of the book under the policy, at its mark.
pub(crate) struct MarkedInstrument<'a> {
    pub instrument: &'a Instrument,
    /// Why no row of this instrument can be evaluated, if so.
    pub failure: Option<Status>,
    pub mark: f64,
    pub coordinate: f64,
    pub reciprocal_mark: f64,
    /// Upper bound of the last tier of a table keyed by value, else infinite.
    pub cap_of_value: f64,
    /// Place of its marginal table.
    pub table: u32,
}

impl<'a> MarkedInstrument<'a> {
    pub(crate) fn new(instrument: Option<&'a Instrument>, mark: f64, stand_in: &'a Instrument) -> Self {
        let failure = if instrument.is_none() {
            Some(Status::UnknownInstrument)
        } else if mark.is_nan() {
            Some(Status::MissingMarkPrice)
        } else if !(mark > 0.0 && mark < f64::INFINITY) {
            Some(Status::InvalidMarkPrice)
        } else {
            None
        };
        let instrument = instrument.unwrap_or(stand_in);
        // NaN sends every row of an instrument without a valid mark to the classification.
        let mark = if failure.is_none() { mark } else { f64::NAN };
        Self {
            instrument,
            failure,
            mark,
            coordinate: instrument.contract.coordinate(mark),
            reciprocal_mark: 1.0 / mark,
            cap_of_value: match instrument.requirement {
                Requirement::Marginal(_) => instrument.cap,
                Requirement::Flat(..) => f64::INFINITY,
            },
            table: match instrument.requirement {
                Requirement::Marginal(place) => place as u32,
                Requirement::Flat(..) => 0,
            },
        }
    }
}

/// The instruments of a book at their marks, with the constants that rows need column by column: compact, so that they stay in the
/// first-level cache.
pub(crate) struct MarkedInstruments<'a> {
    tables: &'a Tables,
    pub list: Vec<MarkedInstrument<'a>>,
    coordinate: Vec<f64>,
    reciprocal_mark: Vec<f64>,
    cap: Vec<f64>,
    table: Vec<u32>,
    /// Whether every contract is linear with size 1, so that the mark is the coordinate.
    pub all_plain: bool,
    /// Whether any is inverse, so that coordinates must be chosen row by row.
    any_inverse: bool,
    /// Whether any has a flat table.
    any_flat: bool,
}

impl<'a> MarkedInstruments<'a> {
    pub(crate) fn new(list: Vec<MarkedInstrument<'a>>, tables: &'a Tables) -> Self {
        let contracts = || list.iter().map(|marked| marked.instrument.contract);
        Self {
            tables,
            coordinate: list.iter().map(|marked| marked.coordinate).collect(),
            reciprocal_mark: list.iter().map(|marked| marked.reciprocal_mark).collect(),
            cap: list.iter().map(|marked| marked.cap_of_value).collect(),
            table: list.iter().map(|marked| marked.table).collect(),
            all_plain: contracts()
                .all(|contract| !contract.is_inverse() && contract.contract_size == 1.0 && contract.multiplier == 1.0),
            any_inverse: contracts().any(|contract| contract.is_inverse()),
            any_flat: list.iter().any(|marked| matches!(marked.instrument.requirement, Requirement::Flat(..))),
            list,
        }
    }

    #[inline(always)]
    fn of_row(&self, tile: &Tile, slot: usize) -> &MarkedInstrument<'a> {
        &self.list[tile.instrument[slot] as usize]
    }
}

/// Spreads the constants of each row's instrument over the tile.
#[inline(always)]
pub(crate) fn spread_instruments(tile: &mut Tile, instruments: &MarkedInstruments<'_>) {
    let first = tile.instrument[0];
    let mut differing = 0;
    for slot in 0..ROWS {
        differing |= tile.instrument[slot] ^ first;
    }
    if differing != 0 {
        tile.shared_instrument = None;
        spread_each(tile, instruments);
    } else if tile.shared_instrument != Some(first) {
        tile.shared_instrument = Some(first);
        spread_each(tile, instruments);
    }
}

#[inline(always)]
fn spread_each(tile: &mut Tile, instruments: &MarkedInstruments<'_>) {
    for slot in 0..ROWS {
        let code = tile.instrument[slot] as usize;
        tile.coordinate[slot] = instruments.coordinate[code];
        tile.reciprocal_mark[slot] = instruments.reciprocal_mark[code];
        tile.cap[slot] = instruments.cap[code];
        tile.table[slot] = instruments.table[code];
    }
    if instruments.all_plain {
        tile.mark = tile.coordinate;
        return;
    }
    for slot in 0..ROWS {
        let marked = instruments.of_row(tile, slot);
        let contract = &marked.instrument.contract;
        tile.mark[slot] = marked.mark;
        tile.contract_size[slot] = contract.contract_size;
        tile.multiplier[slot] = contract.multiplier;
        tile.long_direction[slot] = contract.long_direction();
    }
}

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
    tile.results[NOTIONAL] = tile.value;
}

#[inline(always)]
fn mark_entry(tile: &mut Tile, slot: usize, entry: f64) {
    let (size, direction) = (tile.size[slot], tile.direction[slot]);
    let profit = mark_to_market::unrealized_pnl(direction, size, tile.coordinate[slot], entry);
    tile.entry_value[slot] = exposure::value(size, entry);
    tile.results[UNREALIZED_PNL][slot] = profit;
}

/// Return on equity.
#[inline(always)]
pub(crate) fn rate_return(tile: &mut Tile) {
    for slot in 0..ROWS {
        tile.results[RETURN_ON_EQUITY][slot] = mark_to_market::return_on_equity(
            tile.results[UNREALIZED_PNL][slot],
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
    for slot in 0..ROWS {
        let value = if initial_at_entry { tile.entry_value[slot] } else { tile.value[slot] };
        tile.results[INITIAL_MARGIN][slot] = margin::initial_margin(value, tile.leverage[slot]);
    }
    if fixed_fee && rules.fee_in_initial {
        for slot in 0..ROWS {
            tile.results[INITIAL_MARGIN][slot] += tile.fixed_fee[slot];
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
    tile.results[MAINTENANCE_MARGIN] = if rules.fee_in_maintenance { tile.requirement } else { tile.maintenance };
}

/// Maintenance margin at each value, by the table of each row's instrument.
#[inline(always)]
fn maintain<C: Compare>(tile: &mut Tile, instruments: &MarkedInstruments<'_>, value: &[f64; ROWS]) {
    let tables = instruments.tables;
    if tile.shared_instrument.is_some() {
        maintain_by_one_table(tables, tile.table[0] as usize, value, &mut tile.maintenance);
    } else {
        // Two loops: all searches are on their way before the first line that one of them finds is waited for.
        let mut found = [0; ROWS];
        for slot in 0..ROWS {
            found[slot] = tables.find::<C>(tile.table[slot] as usize, Key::Value, value[slot]);
        }
        for slot in 0..ROWS {
            let line = tables.found(found[slot]);
            tile.maintenance[slot] = margin::maintenance_line(value[slot], line.rate, line.deduction);
        }
    }
    if instruments.any_flat {
        for slot in 0..ROWS {
            if let Requirement::Flat(key, tiers) = &instruments.of_row(tile, slot).instrument.requirement {
                select_tier(tile, slot, *key, tiers);
                tile.maintenance[slot] = tile.rate[slot] * value[slot];
            }
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
    for pair in lines[1..].chunks_exact(2) {
        // Read before the loop: a load under a condition would keep the loop from being vectorised.
        let (lower, upper) = (pair[0], pair[1]);
        let (Some(from_lower), Some(from_upper)) = (thresholds.next(), thresholds.next()) else { break };
        for slot in 0..ROWS {
            let lower_rate = if value[slot] > from_lower { lower.rate } else { 0.0 };
            let upper_rate = if value[slot] > from_upper { upper.rate } else { 0.0 };
            rate[slot] = margin::larger(margin::larger(rate[slot], lower_rate), upper_rate);
            let lower_deduction = if value[slot] > from_lower { lower.deduction } else { 0.0 };
            let upper_deduction = if value[slot] > from_upper { upper.deduction } else { 0.0 };
            deduction[slot] = margin::larger(margin::larger(deduction[slot], lower_deduction), upper_deduction);
        }
    }
    for slot in 0..ROWS {
        maintenance[slot] = margin::maintenance_line(value[slot], rate[slot], deduction[slot]);
    }
}

/// Rate and liquidation factor of the tier that a flat table's key selects.
#[inline(always)]
fn select_tier(tile: &mut Tile, slot: usize, key: TierKey, tiers: &[FlatTier]) {
    let size = if key == TierKey::RiskLimit { tile.risk_limit[slot] } else { tile.quantity[slot].abs() };
    let mut chosen = &tiers[0];
    for tier in &tiers[1..] {
        if size > tier.floor {
            chosen = tier;
        }
    }
    tile.rate[slot] = chosen.rate;
    tile.factor[slot] = chosen.factors.along(tile.direction[slot]);
}

/// Equity, ratio and state of isolated positions, and what the closed form needs.
#[inline(always)]
pub(crate) fn judge_isolated(tile: &mut Tile, policy: &Policy, basis: Basis) {
    for slot in 0..ROWS {
        let equity = tile.cash[slot] + tile.results[UNREALIZED_PNL][slot];
        let ratio = margin::margin_ratio(tile.requirement[slot], equity);
        tile.results[EQUITY][slot] = equity;
        tile.results[MARGIN_RATIO][slot] = ratio;
        tile.state[slot] = state_of(ratio, &policy.levels);
        tile.needed[slot] = tile.direction[slot] * tile.entry_value[slot] - tile.cash[slot];
        tile.results[BANKRUPTCY_PRICE][slot] = tile.needed[slot];
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
        tile.results[BANKRUPTCY_PRICE][slot] = signed - tile.results[EQUITY][slot];
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
        tile.bankruptcy_value[slot] = liquidation::value_at_zero(tile.results[BANKRUPTCY_PRICE][slot], 0.0, factor);
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
        tile.results[EFFECTIVE_LEVERAGE][slot] =
            exposure::effective_leverage(tile.value[slot], tile.results[EQUITY][slot]);
    }
    let capped = basis == Basis::Price;
    for slot in 0..ROWS {
        judge_price(tile, slot, capped, cross);
    }
}

#[inline(always)]
fn price_values(tile: &mut Tile, slot: usize, inverse: bool) {
    let (value, bankrupt, size) = (tile.liquidation_value[slot], tile.bankruptcy_value[slot], tile.size[slot]);
    let per_value = price_per_value(size, tile.multiplier[slot]);
    let price = price_at_value(value, size, per_value, inverse);
    tile.results[LIQUIDATION_PRICE][slot] = liquidation::price_or_none(value, price);
    let price = price_at_value(bankrupt, size, per_value, inverse);
    tile.results[BANKRUPTCY_PRICE][slot] = liquidation::price_or_none(bankrupt, price);
}

/// Distance to a liquidation price, and what there is to remark about it.
#[inline(always)]
fn judge_price(tile: &mut Tile, slot: usize, capped: bool, cross: bool) {
    let price = tile.results[LIQUIDATION_PRICE][slot];
    let side = if tile.quantity[slot] > 0.0 { 1.0 } else { -1.0 };
    let past = tile.state[slot] >= State::Liquidation as u64;
    let room = liquidation::distance(side, tile.mark[slot], price, tile.reciprocal_mark[slot]);
    let no_price = if past { f64::NEG_INFINITY } else { f64::INFINITY };
    let room = if price.is_nan() { no_price } else { room };
    let mut status = Status::Ok as u64;
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
    tile.results[DISTANCE][slot] = room;
    tile.status[slot] = status;
}

/// The closed form by the table of each row's instrument.
#[inline(always)]
fn solve<C: Compare>(tile: &mut Tile, instruments: &MarkedInstruments<'_>) {
    if tile.shared_instrument.is_some() {
        solve_by_one_table(instruments.tables, tile);
    } else {
        let (tables, mut found) = (instruments.tables, [0; ROWS]);
        for slot in 0..ROWS {
            let direction = tile.direction[slot];
            let key = select_unpredictable(direction > 0.0, Key::Gaining, Key::Losing);
            found[slot] = tables.find::<C>(tile.table[slot] as usize, key, direction * tile.needed[slot]);
        }
        for slot in 0..ROWS {
            let (needed, direction) = (tile.needed[slot], tile.direction[slot]);
            let line = tables.found(found[slot]);
            tile.liquidation_value[slot] =
                liquidation::value_at_zero(needed, line.trigger_deduction, line.factors.along(direction));
        }
    }
    if instruments.any_flat {
        for slot in 0..ROWS {
            if let Requirement::Flat(key, tiers) = &instruments.of_row(tile, slot).instrument.requirement {
                select_tier(tile, slot, *key, tiers);
                tile.liquidation_value[slot] = liquidation::value_at_zero(tile.needed[slot], 0.0, tile.factor[slot]);
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
    let (mut deduction, mut factor) = ([lines[0].trigger_deduction; ROWS], [0.0; ROWS]);
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
            let lower_deduction = if lower_applies { lower.trigger_deduction } else { 0.0 };
            let upper_deduction = if upper_applies { upper.trigger_deduction } else { 0.0 };
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
        let profit = tile.results[UNREALIZED_PNL][slot].abs() + tile.funding[slot].abs();
        let total = magnitude + tile.entry_price[slot] + value + profit;
        let smallest = smaller(magnitude, tile.entry_price[slot]);
        odd |= u64::from(!(total < f64::INFINITY))
            | u64::from(!(tile.mark[slot] > 0.0))
            | u64::from(!(smallest > 0.0))
            | u64::from(!(tile.value[slot] <= tile.cap[slot]));
    }
    if !cross {
        for slot in 0..ROWS {
            let total = tile.isolated_margin[slot] + tile.needed[slot].abs();
            odd |= u64::from(!(total < f64::INFINITY)) | u64::from(!(tile.isolated_margin[slot] > 0.0));
        }
    }
    if book.leverage.is_some() {
        for slot in 0..ROWS {
            odd |= u64::from(!(tile.leverage[slot] > 0.0)) | u64::from(!(tile.leverage[slot] < f64::INFINITY));
        }
    }
    odd != 0 || instruments.any_flat
}

/// The smaller of two; NaN if the first is.
#[inline(always)]
fn smaller(left: f64, right: f64) -> f64 {
    if right < left { right } else { left }
}

/// The failure of a row, or [`Status::Flat`], or [`Status::MissingLeverage`]; else [`Status::Ok`]. The first rule that applies decides.
pub(crate) fn classify(
    tile: &Tile,
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
    if !leverage.is_nan() && !positive(leverage) {
        return Status::InvalidLeverage;
    }
    if !cross && !given_margin.is_nan() && !positive(given_margin) {
        return Status::InvalidMargin;
    }
    if !cross && given_margin.is_nan() && leverage.is_nan() {
        return Status::MissingMargin;
    }
    if cross && leverage.is_nan() && policy.rules.fee_basis == FeeBasis::Bankruptcy {
        return Status::MissingRequiredLeverage;
    }
    if let Requirement::Flat(key, _) = &marked.instrument.requirement {
        let limit = tile.risk_limit[slot];
        match key {
            TierKey::RiskLimit if limit.is_nan() => return Status::MissingRiskLimit,
            TierKey::RiskLimit if !positive(limit) => return Status::InvalidRiskLimit,
            TierKey::RiskLimit if limit > marked.instrument.cap => return Status::TierOverflow,
            TierKey::Contracts if quantity.abs() > marked.instrument.cap => return Status::TierOverflow,
            _ => {}
        }
    }
    if tile.value[slot] > marked.cap_of_value {
        return Status::TierOverflow;
    }
    let results =
        [tile.value[slot], tile.entry_value[slot], tile.results[UNREALIZED_PNL][slot], tile.requirement[slot]];
    let funded = cross || tile.needed[slot].is_finite() && tile.isolated_margin[slot].is_finite();
    if !funded || results.iter().any(|result| !result.is_finite()) {
        return Status::NumericOverflow;
    }
    if book.leverage.is_some() && leverage.is_nan() { Status::MissingLeverage } else { Status::Ok }
}
