//! One isolated position at any coordinate of its instrument.

use std::ops::Range;

use crate::codes::state::State;
use crate::formulas::state::state_of;
use crate::formulas::{exposure, margin, mark_to_market};
use crate::rules::curve::Curve;
use crate::rules::policy::Policy;
use crate::stress::scenarios::{Steps, is_ordinary};

/// Share of the amounts of a position within which its surplus may be of either sign. Lines of a tier table may miss each other by 1e-9 of
/// the requirement where one takes over, rounding is far below; outside of it, the verdict follows the surplus.
const GUARD: f64 = 1e-7;
/// A requirement that rises by less than this share of the value's rise, scaled by the liquidation level, so that the surplus has one zero.
const STEEPEST: f64 = 1.0 - 1e-6;

/// How the requirement of a position moves with its value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Maintenance<'a> {
    /// It follows a table.
    Moving(Curve<'a>),
    /// It was settled when the position was opened.
    Frozen(f64),
}

/// An isolated position as the kernel funded it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position<'a> {
    pub policy: &'a Policy,
    pub size: f64,
    pub direction: f64,
    /// Coordinate of the entry price.
    pub entry: f64,
    pub cash: f64,
    pub entry_value: f64,
    /// Closing fee that moves with the value, a fraction of it.
    pub fee_rate: f64,
    /// Closing fee that does not.
    pub fixed_fee: f64,
    pub maintenance: Maintenance<'a>,
    /// Largest value that its tables reach.
    pub cap: f64,
}

/// A position at a coordinate.
pub(crate) struct Standing {
    pub liquidated: bool,
    /// Whether rounding may have decided.
    pub close: bool,
}

impl Position<'_> {
    pub(crate) fn equity(&self, coordinate: f64) -> f64 {
        self.cash + mark_to_market::unrealized_pnl(self.direction, self.size, coordinate, self.entry)
    }

    fn requirement(&self, value: f64) -> f64 {
        let maintenance = match self.maintenance {
            Maintenance::Moving(curve) => curve.at(value),
            Maintenance::Frozen(amount) => amount,
        };
        if self.policy.isolated_fees.fixed {
            maintenance + self.fixed_fee
        } else if self.fee_rate > 0.0 {
            maintenance + self.fee_rate * value
        } else {
            maintenance
        }
    }

    pub(crate) fn at(&self, coordinate: f64) -> Standing {
        self.standing(coordinate, GUARD)
    }

    /// Where it stands, and whether its surplus is within `guard` of its amounts from zero.
    pub(crate) fn standing(&self, coordinate: f64, guard: f64) -> Standing {
        let (value, equity) = (exposure::value(self.size, coordinate), self.equity(coordinate));
        let requirement = self.requirement(value);
        let state = state_of(margin::margin_ratio(requirement, equity), &self.policy.levels);
        let magnitude = self.cash.abs() + self.entry_value + value + requirement;
        Standing {
            liquidated: state >= f64::from(State::Liquidation as u8),
            close: (equity - requirement * self.policy.trigger).abs() <= guard * magnitude,
        }
    }

    /// Rate and deduction that hold at a coordinate, without any fee.
    pub(crate) fn tier(&self, coordinate: f64) -> (f64, f64) {
        match self.maintenance {
            Maintenance::Moving(curve) => curve.touching(exposure::value(self.size, coordinate)),
            Maintenance::Frozen(amount) => (0.0, -amount),
        }
    }

    /// Whether lines give it at every step: none of its amounts leaves the range of float64, and the surplus has one zero.
    pub(crate) fn fits(&self, steps: &Steps) -> bool {
        let (lowest, highest) = (steps.coordinate[0], steps.coordinate[steps.len() - 1]);
        let made_of_lines = match self.maintenance {
            Maintenance::Moving(curve) => !curve.is_smooth() && !curve.is_by_unit(),
            Maintenance::Frozen(_) => true,
        };
        let values = [self.entry_value, self.size * lowest, self.size * highest, self.size];
        let held = self.cash.abs() + self.entry_value + self.fixed_fee;
        made_of_lines
            && values.into_iter().all(is_ordinary)
            && is_ordinary(held)
            && (self.tier(highest).0 + self.fee_rate) * self.policy.trigger < STEEPEST
    }

    /// Steps at which it is not past its last tier.
    pub(crate) fn judged(&self, steps: &Steps) -> usize {
        steps.until(0, steps.len(), |coordinate| exposure::value(self.size, coordinate) <= self.cap)
    }

    /// Steps, of those up to `end`, at which its equity is below zero.
    pub(crate) fn short(&self, steps: &Steps, end: usize) -> Range<usize> {
        // Every operation of the equity rounds in order, so it is monotone in float64 too.
        if self.direction > 0.0 {
            0..steps.until(0, end, |coordinate| self.equity(coordinate) < 0.0)
        } else {
            steps.until(0, end, |coordinate| !(self.equity(coordinate) < 0.0))..end
        }
    }

    /// Calls `found` with each range of steps, of those up to `end`, at which it is liquidated.
    pub(crate) fn each_liquidated(&self, steps: &Steps, end: usize, mut found: impl FnMut(Range<usize>)) {
        if end == 0 {
            return;
        }
        let at = |step: usize| self.at(steps.coordinate[step]);
        let (first, last) = (at(0), at(end - 1));
        if !first.close && !last.close && first.liquidated == last.liquidated {
            if first.liquidated {
                found(0..end);
            }
            return;
        }
        let turn = steps.until(0, end, |coordinate| self.at(coordinate).liquidated == first.liquidated);
        // Rounding may turn the verdict several times near the zero: all steps there are looked at, and nothing turns between.
        let rise = |from: usize| (from..end).find(|&step| !at(step).close).map_or(end, |step| step + 1);
        let fall = |from: usize| (0..from).rev().find(|&step| !at(step).close).unwrap_or(0);
        let looked_at = [0..rise(0), fall(turn)..rise(turn), fall(end)..end];
        let (mut next, mut begun) = (0, None);
        for step in looked_at.into_iter().flatten() {
            if step < next {
                continue;
            }
            next = step + 1;
            match (at(step).liquidated, begun) {
                (true, None) => begun = Some(step),
                (false, Some(start)) => {
                    found(start..step);
                    begun = None;
                }
                _ => {}
            }
        }
        if let Some(start) = begun {
            found(start..end);
        }
    }

    /// Of the steps up to `end`, the scenario with the lowest equity, the first of equal ones, and that equity.
    pub(crate) fn worst(&self, steps: &Steps, end: usize) -> (i64, f64) {
        if end == 0 {
            return (-1, f64::NAN);
        }
        let rising = self.direction > 0.0;
        let step_of = |place: usize| if rising { place } else { end - 1 - place };
        let lowest = self.equity(steps.coordinate[step_of(0)]);
        let equal = (0..end).map(step_of).take_while(|&step| self.equity(steps.coordinate[step]) == lowest);
        let scenario = equal.map(|step| steps.first[step]).min().map_or(-1, i64::from);
        (scenario, lowest)
    }
}
