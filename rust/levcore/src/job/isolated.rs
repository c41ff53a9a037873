//! Isolated positions: each is its own account.

use crate::codes::measures::Measure;
use crate::codes::state::State;
use crate::codes::status::Status;
use crate::job::context::{Job, PolicyPart};
use crate::job::rows::{fail, flatten, load_inputs, note_missing_leverage, store_codes};
use crate::machine::compare::{Compare, ROWS};
use crate::tiles::classify::{classify, needs_classification};
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
    kernel::rate_return(tile);
    kernel::fund_isolated(tile, policy);
    requirement::require_margin::<C>(tile, policy, instruments, basis, rules.initial_at_entry_isolated);
    kernel::judge_isolated(tile, policy, basis);
    prices::find_prices::<C>(tile, policy, instruments, basis, false);
    if job.bounds_prices() {
        prices::bound_prices(tile);
    }
    if needs_classification(tile, instruments, job.book, false) {
        classify_isolated(job, part, tile, place);
    }
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
        let marked = &part.instruments.list[tile.instrument[slot] as usize];
        let margin = job.book.isolated_margin.map_or(f64::NAN, |column| column[place.row(slot)]);
        match classify(tile, slot, margin, part.policy, marked, job.book, false) {
            Status::Ok => {}
            Status::MissingLeverage => note_missing_leverage(tile, slot),
            Status::Flat => {
                let equity =
                    if margin > 0.0 && margin < f64::INFINITY { margin + tile.funding[slot] } else { f64::NAN };
                flatten(tile, slot);
                tile.results[Measure::Equity][slot] = equity;
                tile.results[Measure::MarginRatio][slot] = 0.0;
                tile.state[slot] = State::Healthy as u64;
            }
            failure => fail(tile, slot, failure),
        }
    }
}
