//! Legs of cross accounts: valued one by one, summed and judged by account, then priced with the account's verdict.

use std::ops::Range;

use crate::accounts::verdict::{Amounts, Standing, Sums, judge_wallet};
use crate::codes::measures::Measure;
use crate::codes::state::State;
use crate::codes::status::{FIRST_FAILURE, Status};
use crate::job::context::{Job, PolicyPart};
use crate::job::rows::{BY_ACCOUNT, fail, flatten, load_inputs, narrow, store_codes, store_measure};
use crate::machine::compare::{Compare, ROWS};
use crate::rules::parameters::Basis;
use crate::rules::policy::Policy;
use crate::tiles::classify::{classify, join_findings, needs_classification, note_finding, note_leverage};
use crate::tiles::kernel;
use crate::tiles::marked::spread_instruments;
use crate::tiles::prices;
use crate::tiles::requirement;
use crate::tiles::tile::{Place, Tile, copy_rows};

/// What the first pass leaves behind, by leg.
pub(crate) struct ValuedLegs<'a> {
    pub amounts: &'a mut [Amounts],
    /// What the leg gives back to its account's surplus when it is solved for.
    pub released: &'a mut [f64],
    pub status: &'a mut [u8],
}

/// What the second pass needs, by leg, and the standings of the accounts from the first one on.
pub(crate) struct JudgedLegs<'a> {
    pub released: &'a [f64],
    pub status: &'a [u8],
    pub standings: &'a [Standing],
    pub first_account: usize,
}

/// First pass over the legs of cross accounts: values, margins, sums by account.
#[inline(always)]
pub(crate) fn value_legs<C: Compare>(
    job: &Job<'_>,
    part: &PolicyPart<'_>,
    tile: &mut Tile,
    legs: &mut ValuedLegs<'_>,
    inside: usize,
    place: Place<'_>,
) {
    let PolicyPart { policy, instruments, .. } = part;
    let (rules, basis) = (&policy.rules, policy.rules.requirement_cross);
    load_inputs(job, tile, place);
    spread_instruments(tile, instruments);
    kernel::mark_positions(tile, instruments);
    kernel::rate_return(tile, rules.return_at_mark);
    if policy.cross_fees.fixed {
        kernel::fix_fee_by_leverage(tile, &policy.cross_fees);
    }
    if basis == Basis::Bankruptcy {
        kernel::go_bankrupt_by_leverage(tile);
    }
    requirement::require_margin::<C>(tile, policy, instruments, basis, rules.initial_at_entry_cross, true);
    let mut freed = kernel::release(tile, policy, basis);
    let mut profit = tile.results[Measure::UnrealizedPnl];
    for slot in 0..ROWS {
        profit[slot] += tile.funding[slot];
    }
    tile.status = [Status::Ok as u64; ROWS];
    if needs_classification(tile, instruments, job.book, true) {
        classify_legs(job, part, tile, place, &mut profit, &mut freed);
    }
    note_leverage::<C>(tile, instruments, job.book);
    let len = place.len();
    copy_rows(&freed, &mut legs.released[inside..inside + len]);
    copy_rows(&narrow(&tile.status), &mut legs.status[inside..inside + len]);
    for (slot, leg) in legs.amounts[inside..inside + len].iter_mut().enumerate() {
        *leg = [
            profit[slot],
            tile.requirement[slot],
            tile.results[Measure::InitialMargin][slot],
            tile.results[Measure::MaintenanceMargin][slot],
        ];
    }
    for measure in [
        Measure::Notional,
        Measure::UnrealizedPnl,
        Measure::ReturnOnEquity,
        Measure::InitialMargin,
        Measure::MaintenanceMargin,
    ] {
        store_measure(job, tile, measure, place);
    }
}

#[cold]
#[inline(never)]
fn classify_legs(
    job: &Job<'_>,
    part: &PolicyPart<'_>,
    tile: &mut Tile,
    place: Place<'_>,
    profit: &mut [f64; ROWS],
    released: &mut [f64; ROWS],
) {
    for slot in 0..place.len() {
        match classify(tile, slot, f64::NAN, part.policy, &part.instruments, job.book, true) {
            Status::Ok => {}
            finding @ (Status::MissingLeverage | Status::MissingInitialTiers) => {
                note_finding(tile, slot, finding);
            }
            Status::Flat => {
                flatten(tile, slot);
                tile.requirement[slot] = 0.0;
                profit[slot] = tile.funding[slot];
                released[slot] = 0.0;
            }
            failure => {
                fail(tile, slot, failure);
                // NaN reaches the sums of the account, which is then incomplete.
                tile.requirement[slot] = f64::NAN;
                profit[slot] = f64::NAN;
                released[slot] = f64::NAN;
            }
        }
    }
}

/// Sums the legs of a range of accounts in the order of their rows, and judges the accounts.
///
/// `amounts` holds the legs from `first_leg` on, in the order of the rows.
pub(crate) fn judge_accounts(
    job: &Job<'_>,
    policy: &Policy,
    accounts: Range<usize>,
    amounts: &[Amounts],
    first_leg: usize,
    standings: &mut [Standing],
) {
    let layout = job.layout;
    for (account, standing) in accounts.zip(standings) {
        let mut sums = Sums::default();
        let legs = layout.legs_of_account[account] as usize..layout.legs_of_account[account + 1] as usize;
        if layout.leg_order.is_empty() {
            for leg in &amounts[legs.start - first_leg..legs.end - first_leg] {
                sums.add(leg);
            }
        } else {
            for &leg in &layout.leg_order[legs] {
                sums.add(&amounts[leg as usize - first_leg]);
            }
        }
        let code = layout.accounts[account] as usize;
        let verdict = judge_wallet(job.book.wallet_balance[code], job.book.status_of_account(code), &sums, policy);
        job.outputs.accounts.store(code, verdict.measures, verdict.state, verdict.status as u8);
        *standing = verdict.standing();
    }
}

/// Second pass over the legs: prices with the other legs at their marks, and the account's verdict.
#[inline(always)]
pub(crate) fn price_legs<C: Compare>(
    job: &Job<'_>,
    part: &PolicyPart<'_>,
    tile: &mut Tile,
    legs: &JudgedLegs<'_>,
    inside: usize,
    place: Place<'_>,
) {
    let len = place.len();
    place.load(job.book.instrument, &mut tile.instrument);
    place.load(job.book.quantity, &mut tile.quantity);
    if let Some(column) = job.book.risk_limit {
        place.load(column, &mut tile.risk_limit);
    }
    place.load(&job.layout.account_of_row, &mut tile.account);
    let mut surplus = [0.0; ROWS];
    for slot in 0..ROWS {
        let standing = &legs.standings[tile.account[slot] as usize - legs.first_account];
        surplus[slot] = standing.surplus;
        tile.results[Measure::Equity][slot] = standing.equity;
        tile.results[Measure::MarginRatio][slot] = standing.margin_ratio;
        tile.state[slot] = standing.state;
    }
    let mut freed = [0.0; ROWS];
    copy_rows(&legs.released[inside..inside + len], &mut freed);
    let PolicyPart { policy, instruments, .. } = part;
    spread_instruments(tile, instruments);
    kernel::need_of_legs(tile, &surplus, &freed);
    prices::find_prices::<C>(tile, policy, instruments, policy.rules.requirement_cross, true);
    if job.bounds_prices() {
        prices::bound_prices(tile);
    }
    finish_legs(tile, &legs.status[inside..inside + len]);
    for measure in BY_ACCOUNT {
        store_measure(job, tile, measure, place);
    }
    store_codes(job, tile, place);
}

/// Joins what the first pass found out about legs with what the second did.
#[inline(always)]
fn finish_legs(tile: &mut Tile, first_pass: &[u8]) {
    let mut odd = first_pass.iter().fold(0, |odd, &status| odd | u64::from(status));
    for slot in 0..ROWS {
        odd |= u64::from(tile.state[slot] == State::Incomplete as u64);
    }
    if odd != 0 {
        for (slot, &status) in first_pass.iter().enumerate() {
            finish_leg(tile, slot, status);
        }
    }
}

#[cold]
#[inline(never)]
fn finish_leg(tile: &mut Tile, slot: usize, first_pass: u8) {
    let incomplete = tile.state[slot] == State::Incomplete as u64;
    if first_pass == Status::Ok as u8 && !incomplete {
        return;
    }
    if first_pass >= FIRST_FAILURE {
        tile.status[slot] = u64::from(first_pass);
    } else if incomplete {
        tile.status[slot] = Status::AccountIncomplete as u64;
    } else if first_pass == Status::Flat as u8 {
        let of_account = [Measure::Equity, Measure::MarginRatio].map(|measure| tile.results[measure][slot]);
        flatten(tile, slot);
        for (measure, kept) in [Measure::Equity, Measure::MarginRatio].into_iter().zip(of_account) {
            tile.results[measure][slot] = kept;
        }
        return;
    } else {
        tile.status[slot] = u64::from(join_findings(tile.status[slot] as u8, first_pass));
    }
    if tile.status[slot] >= u64::from(Status::AccountIncomplete as u8) {
        withdraw(tile, slot);
    }
}

/// Takes back what a leg was told of an account that could not be judged.
fn withdraw(tile: &mut Tile, slot: usize) {
    for measure in BY_ACCOUNT {
        tile.results[measure][slot] = f64::NAN;
    }
    tile.state[slot] = State::Incomplete as u64;
}
