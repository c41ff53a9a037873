//! The formulas over tiles: plain loops of constant length, compiled once for every instruction set.
//!
//! The order of operations is part of the specification: `python/levcore/reference` performs the same ones, and the results agree to the
//! last bit. No fused multiply-add, no reordering.

use crate::book::Book;
use crate::contract::Contract;
use crate::exposure;
use crate::liquidation;
use crate::margin;
use crate::mark_to_market;
use crate::measures::Measure;
use crate::policy::{Basis, FeeBasis, FlatTier, Instrument, Line, Policy, Requirement};
use crate::state::{State, state_of};
use crate::status::Status;
use crate::tiers::TierKey;
use crate::tile::{ROWS, Tile};

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
        Self {
            instrument,
            failure,
            mark,
            coordinate: instrument.contract.coordinate(mark),
            reciprocal_mark: 1.0 / mark,
        }
    }

    fn contract(&self) -> Contract {
        self.instrument.contract
    }
}

/// Size, direction, values and profit.
#[inline(always)]
pub(crate) fn mark_positions(tile: &mut Tile, marked: &MarkedInstrument<'_>) {
    let contract = marked.contract();
    for slot in 0..ROWS {
        let size = exposure::size(tile.quantity[slot], contract.contract_size);
        let direction = exposure::direction(tile.quantity[slot], contract.long_direction());
        let entry = contract.coordinate(tile.entry_price[slot]);
        let entry_value = exposure::value(size, entry);
        let profit = mark_to_market::unrealized_pnl(direction, size, marked.coordinate, entry);
        tile.size[slot] = size;
        tile.direction[slot] = direction;
        tile.entry_value[slot] = entry_value;
        tile.results[NOTIONAL][slot] = exposure::value(size, marked.coordinate);
        tile.results[UNREALIZED_PNL][slot] = profit;
        tile.results[RETURN_ON_EQUITY][slot] =
            mark_to_market::return_on_equity(profit, tile.leverage[slot], entry_value);
    }
    tile.value = tile.results[NOTIONAL];
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
pub(crate) fn require_margin(
    tile: &mut Tile,
    policy: &Policy,
    instrument: &Instrument,
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
    match &instrument.requirement {
        Requirement::Marginal(lines) => largest_line(lines, &required_on, &mut tile.maintenance),
        Requirement::Flat(key, tiers) => {
            select_tier(tile, *key, tiers);
            for slot in 0..ROWS {
                tile.maintenance[slot] = tile.rate[slot] * required_on[slot];
            }
        }
    }
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

/// Largest line of a marginal table at each value, two lines a pass.
#[inline(always)]
fn largest_line(lines: &[Line], value: &[f64; ROWS], largest: &mut [f64; ROWS]) {
    *largest = [f64::NEG_INFINITY; ROWS];
    for pair in lines.chunks_exact(2) {
        for slot in 0..ROWS {
            let first = margin::maintenance_line(value[slot], pair[0].rate, pair[0].deduction);
            let second = margin::maintenance_line(value[slot], pair[1].rate, pair[1].deduction);
            largest[slot] = margin::larger(margin::larger(largest[slot], first), second);
        }
    }
}

/// Rate and liquidation factor of the tier that a flat table's key selects.
#[inline(always)]
pub(crate) fn select_tier(tile: &mut Tile, key: TierKey, tiers: &[FlatTier]) {
    for slot in 0..ROWS {
        let size = if key == TierKey::RiskLimit { tile.risk_limit[slot] } else { tile.quantity[slot].abs() };
        let gains = tile.direction[slot] > 0.0;
        let mut rate = tiers[0].rate;
        let mut factor = if gains { tiers[0].gaining_factor } else { tiers[0].losing_factor };
        for tier in &tiers[1..] {
            let holds = size > tier.floor;
            rate = if holds { tier.rate } else { rate };
            factor = if holds { if gains { tier.gaining_factor } else { tier.losing_factor } } else { factor };
        }
        tile.rate[slot] = rate;
        tile.factor[slot] = factor;
    }
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
pub(crate) fn need_of_legs(
    tile: &mut Tile,
    marked: &MarkedInstrument<'_>,
    surplus: &[f64; ROWS],
    released: &[f64; ROWS],
) {
    let contract = marked.contract();
    for slot in 0..ROWS {
        let size = exposure::size(tile.quantity[slot], contract.contract_size);
        let direction = exposure::direction(tile.quantity[slot], contract.long_direction());
        let value = exposure::value(size, marked.coordinate);
        tile.size[slot] = size;
        tile.direction[slot] = direction;
        tile.value[slot] = value;
        tile.needed[slot] = direction * value - (surplus[slot] + released[slot]);
        tile.results[BANKRUPTCY_PRICE][slot] = direction * value - tile.results[EQUITY][slot];
    }
}

/// Liquidation and bankruptcy price, distance, leverage and findings.
///
/// Expects `needed` and, in the place of the bankruptcy price, what the equity alone needs.
#[inline(always)]
pub(crate) fn find_prices(tile: &mut Tile, policy: &Policy, marked: &MarkedInstrument<'_>, basis: Basis, cross: bool) {
    match &marked.instrument.requirement {
        Requirement::Marginal(lines) if basis == Basis::Price => solve_lines(lines, tile),
        Requirement::Flat(..) if basis == Basis::Price => {
            for slot in 0..ROWS {
                tile.liquidation_value[slot] = tile.direction[slot] * (tile.needed[slot] * tile.factor[slot]);
            }
        }
        _ => {
            for slot in 0..ROWS {
                let factor = policy.frozen.along(tile.direction[slot]);
                tile.liquidation_value[slot] = tile.direction[slot] * (tile.needed[slot] * factor);
            }
        }
    }
    let contract = marked.contract();
    for slot in 0..ROWS {
        let (direction, size) = (tile.direction[slot], tile.size[slot]);
        let value = tile.liquidation_value[slot];
        let per_value = contract.price_per_value(size);
        let factor = policy.bankruptcy.along(direction);
        let bankrupt = direction * (tile.results[BANKRUPTCY_PRICE][slot] * factor);
        tile.results[LIQUIDATION_PRICE][slot] =
            liquidation::price_or_none(value, contract.price_at_value(value, size, per_value));
        tile.results[BANKRUPTCY_PRICE][slot] =
            liquidation::price_or_none(bankrupt, contract.price_at_value(bankrupt, size, per_value));
        tile.results[EFFECTIVE_LEVERAGE][slot] =
            exposure::effective_leverage(tile.value[slot], tile.results[EQUITY][slot]);
    }
    let last_value = if basis == Basis::Price { cap_of_value(marked.instrument) } else { f64::INFINITY };
    for slot in 0..ROWS {
        let price = tile.results[LIQUIDATION_PRICE][slot];
        let side = if tile.quantity[slot] > 0.0 { 1.0 } else { -1.0 };
        let past = tile.state[slot] >= State::Liquidation as u64;
        let room = liquidation::distance(side, marked.mark, price, marked.reciprocal_mark);
        let no_price = if past { f64::NEG_INFINITY } else { f64::INFINITY };
        let room = if price.is_nan() { no_price } else { room };
        let mut status = Status::Ok as u64;
        if price.is_nan() {
            status = Status::NoLiquidationPrice as u64;
        }
        if tile.liquidation_value[slot] > last_value {
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
}

/// The closed form over the lines of a marginal table, two lines a pass.
#[inline(always)]
fn solve_lines(lines: &[Line], tile: &mut Tile) {
    let (needed, direction) = (&tile.needed, &tile.direction);
    let mut largest = [f64::NEG_INFINITY; ROWS];
    for pair in lines.chunks_exact(2) {
        for slot in 0..ROWS {
            let first = candidate_of(&pair[0], needed[slot], direction[slot]);
            let second = candidate_of(&pair[1], needed[slot], direction[slot]);
            largest[slot] = margin::larger(margin::larger(largest[slot], first), second);
        }
    }
    for slot in 0..ROWS {
        tile.liquidation_value[slot] = direction[slot] * largest[slot];
    }
}

#[inline(always)]
fn candidate_of(line: &Line, needed: f64, direction: f64) -> f64 {
    liquidation::candidate(needed, line.trigger_deduction, direction, line.gaining_factor, line.losing_factor)
}

#[inline(always)]
fn cap_of_value(instrument: &Instrument) -> f64 {
    match instrument.requirement {
        Requirement::Marginal(_) => instrument.cap,
        Requirement::Flat(..) => f64::INFINITY,
    }
}

/// Whether any row of the tile is not an ordinary one, so that [`classify`] must look at it.
#[inline(always)]
pub(crate) fn needs_classification(tile: &Tile, marked: &MarkedInstrument<'_>, book: &Book<'_>, cross: bool) -> bool {
    if marked.failure.is_some() {
        return true;
    }
    let cap = cap_of_value(marked.instrument);
    let mut odd = 0_u64;
    for slot in 0..ROWS {
        // A sum of magnitudes is finite only if all of them are; the smallest of those that must be positive is, if all are.
        let magnitude = tile.quantity[slot].abs();
        let value = tile.value[slot] + tile.entry_value[slot] + tile.requirement[slot];
        let profit = tile.results[UNREALIZED_PNL][slot].abs() + tile.funding[slot].abs();
        let total = magnitude + tile.entry_price[slot] + value + profit;
        let smallest = smaller(magnitude, tile.entry_price[slot]);
        odd |=
            u64::from(!(total < f64::INFINITY)) | u64::from(!(smallest > 0.0)) | u64::from(!(tile.value[slot] <= cap));
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
    if let Requirement::Flat(key, _) = &marked.instrument.requirement {
        for slot in 0..ROWS {
            let size = if *key == TierKey::RiskLimit { tile.risk_limit[slot] } else { tile.quantity[slot].abs() };
            odd |= u64::from(!(size > 0.0)) | u64::from(!(size <= marked.instrument.cap));
        }
    }
    odd != 0
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
    if tile.value[slot] > cap_of_value(marked.instrument) {
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
