//! Isolated positions: each is its own account.

use crate::codes::measures::Measure;
use crate::codes::state::{State, state_of};
use crate::codes::status::Status;
use crate::formulas::margin;
use crate::job::context::{Job, PolicyPart};
use crate::job::rows::{BY_ACCOUNT, fail, flatten, load_inputs, store_codes};
use crate::machine::compare::{Compare, ROWS};
use crate::rules::parameters::Basis;
use crate::rules::policy::Policy;
use crate::tiles::classify::{classify, needs_classification, note_finding, note_leverage};
use crate::tiles::kernel;
use crate::tiles::marked::spread_instruments;
use crate::tiles::prices;
use crate::tiles::requirement;
use crate::tiles::tile::{Place, Tile};

/// Evaluates the isolated rows of a tile.
#[inline(always)]
pub(crate) fn isolated_tile<C: Compare>(job: &Job<'_>, part: &PolicyPart<'_>, tile: &mut Tile, place: Place<'_>) {
    let PolicyPart { policy, instruments, .. } = part;
    let (rules, basis) = (&policy.rules, policy.rules.requirement_isolated);
    load_inputs(job, tile, place);
    match job.book.isolated_margin {
        Some(column) => place.load(column, &mut tile.isolated_margin),
        None => tile.isolated_margin = [f64::NAN; ROWS],
    }
    spread_instruments(tile, instruments);
    kernel::mark_positions(tile, instruments);
    kernel::rate_return(tile, rules.return_at_mark);
    kernel::fund_isolated(tile, policy);
    requirement::require_margin::<C>(tile, policy, instruments, basis, rules.initial_at_entry_isolated, false);
    kernel::judge_isolated(tile, policy, basis);
    prices::find_prices::<C>(tile, policy, instruments, basis, false);
    if job.bounds_prices() {
        prices::bound_prices(tile);
    }
    if needs_classification(tile, instruments, job.book, false) {
        classify_isolated(job, part, tile, place);
    }
    note_leverage::<C>(tile, instruments, job.book);
    for (results, column) in tile.results.iter().zip(job.outputs.columns.iter()) {
        if let Some(column) = column {
            place.store_results(results, column, job.stream);
        }
    }
    store_codes(job, tile, place);
}

/// Gives every row that is not an ordinary one its status, and takes the numbers from those that failed.
#[cold]
#[inline(never)]
fn classify_isolated(job: &Job<'_>, part: &PolicyPart<'_>, tile: &mut Tile, place: Place<'_>) {
    for slot in 0..place.len() {
        let margin = job.book.isolated_margin.map_or(f64::NAN, |column| column[place.row(slot)]);
        match classify(tile, slot, margin, part.policy, &part.instruments, job.book, false) {
            Status::Ok => {}
            finding @ (Status::MissingLeverage | Status::MissingInitialTiers) => {
                note_finding(tile, slot, finding);
            }
            Status::WithoutMargin => leave_without_margin(tile, slot, part.policy),
            Status::Flat => judge_flat(tile, slot, margin, part.policy),
            failure => fail(tile, slot, failure),
        }
    }
}

/// Judges a row without exposure by what it holds; a leverage says that it holds no margin.
fn judge_flat(tile: &mut Tile, slot: usize, given: f64, policy: &Policy) {
    let held = if given.is_nan() && margin::is_leverage(tile.leverage[slot]) { 0.0 } else { given };
    if held.is_infinite() {
        return fail(tile, slot, Status::InvalidMargin);
    }
    flatten(tile, slot);
    let equity = held + tile.funding[slot];
    if held.is_nan() {
        return leave_without_margin(tile, slot, policy);
    }
    if equity.is_infinite() {
        return fail(tile, slot, Status::NumericOverflow);
    }
    let ratio = margin::margin_ratio(0.0, equity);
    tile.results[Measure::Equity][slot] = equity;
    tile.results[Measure::MarginRatio][slot] = ratio;
    tile.state[slot] = state_of(ratio, &policy.levels);
}

/// Leaves a row without margin what does not depend on it.
fn leave_without_margin(tile: &mut Tile, slot: usize, policy: &Policy) {
    for measure in BY_ACCOUNT {
        tile.results[measure][slot] = f64::NAN;
    }
    let rules = &policy.rules;
    if rules.requirement_isolated == Basis::Bankruptcy {
        tile.results[Measure::MaintenanceMargin][slot] = f64::NAN;
    }
    if rules.fee_basis_isolated.needs_leverage() {
        // How large the margin is, or where it ends, is not known, nor is the fee on it.
        for (held, measure) in
            [(rules.fee_in_initial, Measure::InitialMargin), (rules.fee_in_maintenance, Measure::MaintenanceMargin)]
        {
            if held {
                tile.results[measure][slot] = f64::NAN;
            }
        }
    }
    tile.state[slot] = State::Incomplete as u64;
    tile.status[slot] = Status::WithoutMargin as u64;
}
