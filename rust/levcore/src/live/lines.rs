//! Surpluses of accounts as lines: near its level an account is looked at often, and nearly every look finds the verdict that was there.
//! Such a look costs a product a leg, and no evaluation.
//!
//! # Formula
//!
//! A leg of direction `d` and size `n`, in a tier of rate `r` and with a closing fee `f` that moves with the price, adds
//! `(d - (r + f) t) n x` and something that does not move to the surplus, where `x` is its coordinate and `t` the reciprocal of the level. While
//! every leg is in the tier in which it was evaluated, the surplus is `constant + sum slope x`, with the constant that makes it the evaluated one.
//!
//! # Why no verdict is missed
//!
//! Let `s` be the surplus, its sign turned where the account is liquidatable, `M` the sum of the amounts that went into it when it was
//! evaluated, and `G` the guard, `8 GUARD M`.
//!
//! * *The amounts.* No coordinate more than doubles before a look draws the lines anew ([`LegLine::limit`]), and rates and fees are below 1. What
//!   a leg brings into `M`, value, entry value, requirement and profit, then grows by four times its value at most: by evaluations at other
//!   prices the sum stays below `5 M`.
//! * *The line at a look.* Its rounding, and that of an evaluation, is below `legs * 2^-51 * 5 M`, which is less than `G / 100` for a million legs.
//!   Tiers do not matter, since each leg is in its own. So `s > G` by the line means that an evaluation finds the same verdict.
//! * *Until the next look.* Each leg gets a share of `s - G`, and a bound where a move of its coordinate times [`LegLine::steep`] has used it up.
//!   `steep` is no less than what a unit of the coordinate takes from `s`, in any tier below the limit: `n` of a leg that gains with its coordinate, as
//!   rates are not negative, else `(1 + (r + f) t) n` with the highest rate up to there. Shares and bounds are rounded by parts of 1e-15. Where
//!   a tier takes over from the next, the requirement may jump by 1e-9 of itself: less than `G / 10` for sixteen tiers of every leg. So `s`
//!   stays above `G / 2` while each price is within its bounds.

use crate::live::armed::Armed;
use crate::live::bounds::{Bounds, GUARD, larger, smaller};
use crate::live::subjects::Subjects;
use crate::machine::vector::prefetch;
use crate::tiles::marked::MarkedInstrument;

/// Guard of a line, as a part of the amounts that go into the surplus.
pub(super) const LINE_GUARD: f64 = 8.0 * GUARD;
/// By how much the value of a leg may grow before its line is drawn anew.
pub(super) const ROOM: f64 = 2.0;
/// Accounts with more legs are evaluated.
pub(super) const MOST_LEGS: usize = 1 << 20;
/// Legs of an account that are asked for before they are needed.
const MOST_ASKED_FOR: u32 = 16;
/// Parts of its fair share between which a leg keeps what it has: its bound then need not move.
const LEAST: f64 = 0.5;
const MOST: f64 = 1.5;

/// What the price of a leg brings into the surplus of its account. Half a cache line: prices are rounded to the safe side.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
pub(crate) struct LegLine {
    /// What a unit of the coordinate adds to the surplus.
    pub slope: f64,
    /// Prices between which it does.
    pub lower: f32,
    pub upper: f32,
    /// Price at which its value has doubled or its last tier ends: above the mark, or, of an inverse contract, below it.
    pub limit: f32,
    /// The most that a unit of the coordinate takes from a surplus, up to the limit.
    pub steep: f32,
    /// Its part of a surplus that is handed out, before all parts are brought to a sum of 1; 0 of a flat leg, which nothing moves.
    pub weight: f32,
    pub instrument: u32,
}

impl LegLine {
    /// No line is known.
    pub(crate) const UNKNOWN: Self = Self { weight: f32::NAN, lower: f32::NAN, ..Self::FLAT };
    pub(crate) const FLAT: Self =
        Self { slope: 0.0, lower: 0.0, upper: 0.0, limit: 0.0, steep: 0.0, weight: 0.0, instrument: 0 };

    fn is_flat(&self) -> bool {
        self.weight == 0.0
    }

    /// Whether the line holds at a price.
    #[inline(always)]
    pub(super) fn holds_at(&self, mark: f64) -> bool {
        f64::from(self.lower) < mark && mark < f64::from(self.upper)
    }

    /// Whether the contract is inverse, and whether a surplus of this sign falls with the coordinate.
    #[inline(always)]
    fn course(&self, mark: f64, sign: f64) -> (bool, bool) {
        (f64::from(self.limit) < mark, self.slope * sign > 0.0)
    }

    /// What is left of the share that its bounds stand for; NaN if a price has taken one of them.
    #[inline(always)]
    fn share_left(&self, bounds: &Bounds, marked: &MarkedInstrument<'_>, sign: f64) -> f64 {
        let (inverse, falls) = self.course(marked.mark, sign);
        if bounds.lower.is_nan() || bounds.upper.is_nan() {
            return f64::NAN;
        }
        let bound = if falls == inverse { bounds.upper } else { bounds.lower };
        // Coordinate of the bound, as a part of the one at hand; no coordinate is below 0.
        let there = larger(if inverse { marked.mark / bound } else { bound * marked.reciprocal_mark }, 0.0);
        let moved = if falls { 1.0 - there } else { there - 1.0 };
        moved * marked.coordinate * f64::from(self.steep)
    }

    /// Bounds that a share stands for.
    #[inline(always)]
    pub(super) fn bounds(&self, share: f64, marked: &MarkedInstrument<'_>, sign: f64) -> Bounds {
        if self.is_flat() {
            return Bounds::NONE;
        }
        let mark = marked.mark;
        let (inverse, falls) = self.course(mark, sign);
        let moved = share / (f64::from(self.steep) * marked.coordinate);
        let there = if falls { 1.0 - moved } else { 1.0 + moved };
        let limit = f64::from(self.limit);
        let mut bounds = Bounds::NONE;
        *(if inverse { &mut bounds.lower } else { &mut bounds.upper }) = limit;
        if there > 0.0 {
            let price = if inverse { mark / there } else { mark * there };
            if falls == inverse {
                bounds.upper = smaller(bounds.upper, price);
            } else {
                bounds.lower = larger(bounds.lower, price);
            }
        }
        if bounds.lower < mark && mark < bounds.upper { bounds } else { Bounds::at(mark) }
    }
}

/// What is needed of an account to follow it. Half a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
pub(crate) struct AccountLine {
    /// What does not move of the surplus, and the guard of the line; NaN where no line is known.
    pub constant: f64,
    pub guard: f64,
    /// -1 of an account that is liquidatable: its surplus is watched with the sign turned.
    pub sign: f64,
    /// Rows of its legs where they follow one another; no rows where they lie apart.
    first: u32,
    count: u32,
}

impl AccountLine {
    pub(crate) const UNKNOWN: Self = Self { constant: f64::NAN, guard: f64::NAN, sign: 1.0, first: 0, count: 0 };

    pub(super) fn of(constant: f64, guard: f64, sign: f64) -> Self {
        Self { constant, guard, sign, ..Self::UNKNOWN }
    }

    /// The same with these legs.
    pub(super) fn with_legs(self, rows: &[u32]) -> Self {
        let together = rows.windows(2).all(|pair| pair[0] + 1 == pair[1]);
        Self { first: rows.first().copied().unwrap_or(0), count: if together { rows.len() as u32 } else { 0 }, ..self }
    }

    /// The rows of its legs.
    #[inline(always)]
    fn legs<'a>(&self, account: u32, subjects: &'a Subjects) -> Legs<'a> {
        if self.count > 0 { Legs::Together(self.first, self.count) } else { Legs::Apart(subjects.legs_of(account)) }
    }
}

/// Rows of the legs of an account.
#[derive(Debug, Clone, Copy)]
enum Legs<'a> {
    /// The first, and how many follow.
    Together(u32, u32),
    Apart(&'a [u32]),
}

impl Legs<'_> {
    fn count(self) -> usize {
        match self {
            Self::Together(_, count) => count as usize,
            Self::Apart(rows) => rows.len(),
        }
    }

    #[inline(always)]
    fn row(self, place: usize) -> u32 {
        match self {
            Self::Together(first, _) => first + place as u32,
            Self::Apart(rows) => rows[place],
        }
    }
}

/// Bounds that a row of an instrument gets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moved {
    pub row: u32,
    pub instrument: u32,
    pub bounds: Bounds,
}

/// The lines of all accounts of a book.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// By row; empty without accounts.
    pub legs: Vec<LegLine>,
    pub accounts: Vec<AccountLine>,
    /// Bounds that follow from the last look.
    pub moved: Vec<Moved>,
    /// What is left to the legs of an account; the memory is used again.
    shares: Vec<f64>,
}

impl Lines {
    /// Makes room for so many rows and accounts, whose lines are not known.
    pub(super) fn grow(&mut self, rows: usize, accounts: usize) {
        self.accounts.resize(accounts, AccountLine::UNKNOWN);
        self.legs.resize(if accounts > 0 { rows } else { 0 }, LegLine::UNKNOWN);
    }

    /// Asks the memory for what following these accounts takes, so that they do not wait for it one after the other.
    pub(super) fn ask_for(&self, accounts: &[u32], armed: &Armed) {
        accounts.iter().for_each(|&account| prefetch(self.accounts.as_ptr(), account as usize));
        for line in accounts.iter().map(|&account| &self.accounts[account as usize]) {
            for row in (line.first..line.first + line.count.min(MOST_ASKED_FOR)).map(|row| row as usize) {
                prefetch(self.legs.as_ptr(), row);
                armed.ask_for(row);
            }
        }
    }

    /// Follows the line of an account to the marks: if that shows the verdict to be what it was, the bounds that move are in `moved`. Else an
    /// evaluation has to tell.
    pub(super) fn follow(
        &mut self,
        account: u32,
        subjects: &Subjects,
        instruments: &[MarkedInstrument<'_>],
        armed: &Armed,
    ) -> bool {
        let Self { legs, accounts, moved, shares } = self;
        moved.clear();
        shares.clear();
        let line = &accounts[account as usize];
        let (rows, sign) = (line.legs(account, subjects), line.sign);
        let (mut surplus, mut weights) = (line.constant, 0.0);
        // All that lies in memory is asked for here, so that nothing waits for the other.
        for row in (0..rows.count()).map(|place| rows.row(place)) {
            let leg = &legs[row as usize];
            if leg.is_flat() {
                shares.push(0.0);
                continue;
            }
            let marked = &instruments[leg.instrument as usize];
            if !leg.holds_at(marked.mark) {
                return false;
            }
            surplus += leg.slope * marked.coordinate;
            weights += f64::from(leg.weight);
            shares.push(leg.share_left(armed.bounds_of(row), marked, sign));
        }
        let handed_out = sign * surplus - line.guard;
        if !(handed_out > 0.0) {
            return false;
        }
        // Those who have about as much as they should keep it; the others share what is left.
        let fair = handed_out / weights;
        let (mut left, mut open) = (handed_out, 0.0);
        for (place, share) in shares.iter_mut().enumerate() {
            let weight = f64::from(legs[rows.row(place) as usize].weight);
            if LEAST * fair * weight <= *share && *share <= MOST * fair * weight {
                left -= *share;
            } else {
                open += weight;
                *share = f64::NAN;
            }
        }
        let (everybody, part) = if left >= LEAST * fair * open { (false, left / open) } else { (true, fair) };
        for (place, share) in shares.iter().enumerate() {
            let row = rows.row(place);
            let leg = &legs[row as usize];
            if (everybody || share.is_nan()) && !leg.is_flat() {
                let bounds = leg.bounds(part * f64::from(leg.weight), &instruments[leg.instrument as usize], sign);
                moved.push(Moved { row, instrument: leg.instrument, bounds });
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formulas::contract::{Contract, Payoff};
    use crate::rules::parameters::Rules;
    use crate::rules::policy::{Policy, Terms};
    use crate::rules::tiers::TierTable;

    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-6 * expected.abs(), "{found}, by hand {expected}");
    }

    /// A leg worth 200 at a price of 100, of which a unit of the coordinate takes its whole size.
    fn leg(coordinate: f64, slope: f64, limit: f32) -> LegLine {
        let steep = (200.0 / coordinate) as f32;
        let (lower, upper) = if limit < 100.0 { (limit, 300.0) } else { (10.0, limit) };
        LegLine { slope: slope * f64::from(steep), lower, upper, limit, steep, weight: 1.0, instrument: 0 }
    }

    #[test]
    fn bounds_stand_for_the_share_that_they_follow_from() {
        let tiers = TierTable::single_rate(1.0 / 64.0).unwrap();
        let contracts = [Payoff::Linear, Payoff::Inverse].map(|payoff| Contract::new(payoff, 1.0, 1.0).unwrap());
        let terms = contracts.map(|contract| Terms::new(contract, tiers.clone()));
        let policy = Policy::new(Rules::plain(), &terms).unwrap();
        let [linear, inverse] =
            [0, 1].map(|place| MarkedInstrument::new(Some(&policy.instruments[place]), 100.0, &policy.stand_in));
        // A share of 20 of 200: a tenth of the coordinate. A price falls by a tenth or rises by a ninth as its reciprocal does the other.
        for (marked, slope, sign, lower, upper) in [
            (&linear, 1.0, 1.0, 90.0, 200.0),
            (&linear, 1.0, -1.0, f64::NEG_INFINITY, 110.0),
            (&linear, -1.0, 1.0, f64::NEG_INFINITY, 110.0),
            (&inverse, 1.0, 1.0, 50.0, 1000.0 / 9.0),
            (&inverse, -1.0, 1.0, 1000.0 / 11.0, f64::INFINITY),
        ] {
            let limit = if std::ptr::eq(marked, &linear) { 200.0 } else { 50.0 };
            let line = leg(marked.coordinate, slope, limit);
            let bounds = line.bounds(20.0, marked, sign);
            assert!(bounds.lower == lower || (bounds.lower - lower).abs() < 1e-4, "{bounds:?}, by hand {lower}");
            assert!(bounds.upper == upper || (bounds.upper - upper).abs() < 1e-4, "{bounds:?}, by hand {upper}");
            assert_close(line.share_left(&bounds, marked, sign), 20.0);
            let taken = Bounds { lower: f64::NAN, ..bounds };
            assert!(line.share_left(&taken, marked, sign).is_nan());
        }
        // More than the whole value: no price uses it up, and the value is what there is to lose.
        let line = leg(100.0, 1.0, 200.0);
        let bounds = line.bounds(300.0, &linear, 1.0);
        assert_eq!(bounds, Bounds { lower: f64::NEG_INFINITY, upper: 200.0 });
        assert_close(line.share_left(&bounds, &linear, 1.0), 200.0);
        assert_eq!(LegLine::FLAT.bounds(1.0, &linear, 1.0), Bounds::NONE);
        assert!(!LegLine::UNKNOWN.holds_at(100.0) && !LegLine::UNKNOWN.is_flat());
    }
}
