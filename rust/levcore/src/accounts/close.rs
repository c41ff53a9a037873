//! What ends a margin call: how much of one leg to close, all others left as they are.
//!
//! # Formula
//!
//! Closing at the mark turns unrealized into realized profit and leaves the equity as it is; what falls is the requirement. The account is
//! restored where its requirement is the margin-call level times its equity. With the share `z` of the leg that stays, the requirement
//! of the leg's group is convex in `z`, so the largest such `z` is found from above by the module `ray`.
//!
//! The rate of a table keyed by contracts or size is that of the whole leg: closing may lower it, and restore the account sooner.

use crate::accounts::cross::ValuedLegs;
use crate::accounts::leg::Leg;
use crate::accounts::pooled_work::PooledWork;
use crate::accounts::reader::AccountReader;
use crate::book::pooled_accounts::PooledAccount;
use crate::codes::status::AccountStatus;
use crate::formulas::margin;
use crate::formulas::ray::{self, Line};
use crate::job::context::{Job, PolicyPart};
use crate::machine::shared::SharedSlice;
use crate::rules::parameters::Basis;

/// Finds how much of the legs of accounts to close, one account after the other; the memory is used again.
pub(crate) struct Closer<'a> {
    job: &'a Job<'a>,
    part: &'a PolicyPart<'a>,
    quantities: &'a SharedSlice<'a, f64>,
    reader: AccountReader<'a>,
}

impl<'a> Closer<'a> {
    pub(crate) fn new(job: &'a Job<'a>, part: &'a PolicyPart<'a>, quantities: &'a SharedSlice<'a, f64>) -> Self {
        Self { job, part, quantities, reader: AccountReader::new(job, part) }
    }
}

impl PooledWork for Closer<'_> {
    /// Stores for each leg of the account the contracts to close: none without a margin call, NaN where closing all is not enough.
    fn account(&mut self, account: &PooledAccount, valued: &ValuedLegs<'_>, first: usize) {
        let (totals, verdict) = self.reader.judge(account, valued, first);
        let judged = verdict.status == AccountStatus::Ok;
        for known in &self.reader.legs {
            self.quantities.write_consecutive(known.row, &[if judged { 0.0 } else { f64::NAN }]);
        }
        let excess = totals.requirement - self.part.policy.call_level * totals.counted;
        if !judged || !(excess > 0.0) {
            return;
        }
        for number in 0..self.reader.pool.legs.len() {
            let known = &self.reader.legs[self.reader.pool.legs[number].known];
            if known.moves {
                let row = known.row;
                let kept = self.kept(number, excess);
                let quantity = self.job.book.quantity[row].abs();
                self.quantities.write_consecutive(row, &[quantity * (1.0 - kept)]);
            }
        }
    }
}

impl Closer<'_> {
    /// Share of a leg that may stay; NaN where even without it the requirement is too large.
    fn kept(&mut self, number: usize, excess: f64) -> f64 {
        let (pool, policy) = (&mut self.reader.pool, self.part.policy);
        let price = pool.holdings[pool.legs[number].holding].margin_price;
        if pool.legs[number].covered {
            // The average entry of a pair changes as one of its legs is closed: no line gives a requirement on it.
            let other = pool.partner(number).filter(|_| policy.rules.requirement_cross != Basis::Entry);
            let Some(other) = other else { return f64::NAN };
            let (leg, other) = (&pool.legs[number], &pool.legs[other]);
            let target = price * (leg.requirement + other.requirement) - excess;
            return largest_share(target, |kept| pair_line(leg, other, policy.rules.covered_share, kept).times(price));
        }
        let (own, opposite) = pool.sides_without(number);
        let leg = &pool.legs[number];
        let target = margin::larger(own + price * leg.requirement, opposite) - excess;
        let basis = leg.required_on;
        largest_share(target, |kept| {
            let mut line = leg_line(leg, basis, kept).times(price);
            line.start += own;
            if line.at_any(kept) > opposite { line } else { Line::new(opposite, 0.0) }
        })
    }
}

/// Largest share below 1 at which a requirement, touched by `line_at`, is down to `target`.
fn largest_share(target: f64, mut line_at: impl FnMut(f64) -> Line) -> f64 {
    let mut room = |kept: f64| {
        let line = line_at(kept);
        Line::new(target - line.start, -line.slope)
    };
    // Now, with all of the leg, there is no room: the search starts at the highest place.
    let now = room(1.0);
    ray::upper_zero(&mut room, now, 1.0, false)
}

/// Requirement of a leg of which this share stays.
fn leg_line(leg: &Leg<'_>, basis: f64, kept: f64) -> Line {
    if leg.curve.is_by_unit() {
        return Line::new(0.0, leg.requirement);
    }
    let (rate, deduction) = leg.curve.touching(basis * kept);
    let fees = leg.requirement - leg.curve.at(basis);
    Line::new(-deduction, rate * basis + fees)
}

/// Requirement of a leg of which this share stays, and of the leg that it covers or is covered by.
fn pair_line(leg: &Leg<'_>, other: &Leg<'_>, covered_share: f64, kept: f64) -> Line {
    let uncovered = 1.0 - covered_share;
    let fees = leg.requirement - leg.curve.at(leg.charged * leg.value);
    let fees_of_other = other.requirement - other.curve.at(other.charged * other.value);
    let mut line = Line::new(fees_of_other, fees);
    if leg.size * kept >= other.size {
        // Charged on what stays, less what the other leg covers; that one asks for no more than a minimum.
        line.start += other.curve.at(0.0);
        let covered = uncovered * (other.size / leg.size);
        let (rate, deduction) = leg.curve.touching(leg.value * (kept - covered));
        line.start -= rate * (leg.value * covered) + deduction;
        line.slope += rate * leg.value;
    } else {
        line.start += leg.curve.at(0.0);
        let covered = uncovered * (leg.size / other.size);
        let (rate, deduction) = other.curve.touching(other.value * (1.0 - covered * kept));
        line.start += rate * other.value - deduction;
        line.slope -= rate * (other.value * covered);
    }
    line
}
