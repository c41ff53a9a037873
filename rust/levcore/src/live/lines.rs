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

use crate::live::bounds::{Bounds, GUARD, larger, smaller};
use crate::live::watch::Armed;
use crate::tiles::marked::MarkedInstrument;

/// Guard of a line, as a part of the amounts that go into the surplus.
pub(super) const LINE_GUARD: f64 = 8.0 * GUARD;
/// By how much the value of a leg may grow before its line is drawn anew.
pub(super) const ROOM: f64 = 2.0;
/// Accounts with more legs are evaluated.
pub(super) const MOST_LEGS: usize = 1 << 20;
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

/// What does not move of the surplus of an account, and the guard of its line; NaN where none is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AccountLine {
    pub constant: f64,
    pub guard: f64,
}

impl AccountLine {
    pub(crate) const UNKNOWN: Self = Self { constant: f64::NAN, guard: f64::NAN };
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

    /// Follows the line of an account to the marks: if that shows the verdict to be what it was, of the sign `sign`, the bounds that move are in
    /// `moved`. Else an evaluation has to tell.
    pub(super) fn follow(
        &mut self,
        account: usize,
        rows: &[u32],
        sign: f64,
        instruments: &[MarkedInstrument<'_>],
        armed: &Armed,
    ) -> bool {
        let Self { legs, accounts, moved, shares } = self;
        moved.clear();
        let (mut surplus, mut weights) = (accounts[account].constant, 0.0);
        for leg in rows.iter().map(|&row| &legs[row as usize]).filter(|leg| !leg.is_flat()) {
            let marked = &instruments[leg.instrument as usize];
            if !leg.holds_at(marked.mark) {
                return false;
            }
            surplus += leg.slope * marked.coordinate;
            weights += f64::from(leg.weight);
        }
        let handed_out = sign * surplus - accounts[account].guard;
        if !(handed_out > 0.0) {
            return false;
        }
        // Those who have about as much as they should keep it; the others share what is left.
        let fair = handed_out / weights;
        let (mut left, mut open) = (handed_out, 0.0);
        shares.clear();
        for &row in rows {
            let leg = &legs[row as usize];
            let (weight, marked) = (f64::from(leg.weight), &instruments[leg.instrument as usize]);
            let share = leg.share_left(armed.bounds_of(row), marked, sign) / weight;
            if LEAST * fair <= share && share <= MOST * fair {
                left -= share * weight;
                shares.push(share);
            } else {
                open += weight;
                shares.push(f64::NAN);
            }
        }
        let (everybody, part) = if left >= LEAST * fair * open { (false, left / open) } else { (true, fair) };
        for (&row, share) in rows.iter().zip(shares) {
            let leg = &legs[row as usize];
            if (everybody || share.is_nan()) && !leg.is_flat() {
                let bounds = leg.bounds(part * f64::from(leg.weight), &instruments[leg.instrument as usize], sign);
                moved.push(Moved { row, instrument: leg.instrument, bounds });
            }
        }
        true
    }
}
