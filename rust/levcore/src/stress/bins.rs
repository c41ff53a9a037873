//! Sums of lines that begin and end at steps.

use std::ops::Range;

use crate::machine::number;

/// The rounded sum of two numbers, and what rounding took from it.
#[inline(always)]
pub(crate) fn sum_and_rest<N: number::Number>(left: N, right: N) -> (N, N) {
    let sum = left + right;
    let added = sum - left;
    (sum, (left - (sum - added)) + (right - added))
}

/// A sum with twice the digits of float64, in the order of its numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LongSum {
    sum: f64,
    rest: f64,
}

impl LongSum {
    /// Adds a number; what the sum has no digits for goes to the rest.
    #[inline(always)]
    pub(crate) fn add(&mut self, number: f64) {
        let (sum, lost) = sum_and_rest(self.sum, number);
        self.rest += lost;
        self.sum = sum;
    }

    pub(crate) fn of(sum: f64, rest: f64) -> Self {
        Self { sum, rest }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.add(other.sum);
        self.rest += other.rest;
    }

    /// Adds a multiple of a sum.
    fn add_product(&mut self, sum: &Self, factor: f64) {
        self.add(sum.sum * factor);
        self.rest += sum.rest * factor;
    }

    /// The sum, rounded.
    pub(crate) fn value(&self) -> f64 {
        self.sum + self.rest
    }
}

/// A line in the coordinate: what it rises by, and what it is at zero as two numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub slope: f64,
    pub at_zero: [f64; 2],
}

/// Sum of lines.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lines {
    slope: LongSum,
    at_zero: LongSum,
}

impl Lines {
    /// Adds a line, or with the sign -1 takes it off.
    #[inline(always)]
    pub(crate) fn add(&mut self, line: &Line, sign: f64) {
        self.slope.add(sign * line.slope);
        for part in line.at_zero {
            self.at_zero.add(sign * part);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.slope.merge(&other.slope);
        self.at_zero.merge(&other.at_zero);
    }

    /// Adds what they come to at a coordinate to a sum.
    #[inline(always)]
    pub(crate) fn add_to(&self, sum: &mut LongSum, coordinate: f64) {
        sum.add_product(&self.slope, coordinate);
        sum.merge(&self.at_zero);
    }
}

/// What is summed up, by the place of its lines.
pub(crate) const AMOUNTS: usize = 4;

/// An amount of every scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Amount {
    Equity = 0,
    MaintenanceMargin = 1,
    Shortfall = 2,
    LiquidatedNotional = 3,
}

/// A number of positions in every scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Number {
    Liquidated = 0,
    NotJudged = 1,
    /// With less than nothing: of meaning to know where there is no shortfall.
    Short = 2,
}

const NUMBERS: usize = 3;

/// What begins at a step, less what ends there.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bin {
    lines: [Lines; AMOUNTS],
    numbers: [i64; NUMBERS],
}

impl Bin {
    #[inline(always)]
    fn add(&mut self, amount: Amount, line: &Line, sign: f64) {
        self.lines[amount as usize].add(line, sign);
    }

    /// Adds another one.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (lines, more) in self.lines.iter_mut().zip(&other.lines) {
            lines.merge(more);
        }
        for (number, more) in self.numbers.iter_mut().zip(other.numbers) {
            *number += more;
        }
    }

    pub(crate) fn number(&self, number: Number) -> i64 {
        self.numbers[number as usize]
    }

    /// Adds an amount at a coordinate to a sum; an amount of nobody is nothing, to the last bit.
    pub(crate) fn add_to(&self, sum: &mut LongSum, amount: usize, coordinate: f64) {
        let nobody = amount == Amount::Shortfall as usize && self.number(Number::Short) == 0
            || amount == Amount::LiquidatedNotional as usize && self.number(Number::Liquidated) == 0;
        if !nobody {
            self.lines[amount].add_to(sum, coordinate);
        }
    }
}

/// A bin a step, and one for what lasts to the end.
pub(crate) struct Bins(pub Vec<Bin>);

impl Bins {
    pub(crate) fn new(steps: usize) -> Self {
        Self(vec![Bin::default(); steps + 1])
    }

    /// Adds a line over a range of steps.
    #[inline(always)]
    pub(crate) fn add(&mut self, amount: Amount, steps: Range<usize>, line: &Line) {
        if !steps.is_empty() {
            self.0[steps.start].add(amount, line, 1.0);
            self.0[steps.end].add(amount, line, -1.0);
        }
    }

    /// Counts a position over a range of steps.
    #[inline(always)]
    pub(crate) fn count(&mut self, number: Number, steps: Range<usize>) {
        self.0[steps.start].numbers[number as usize] += 1;
        self.0[steps.end].numbers[number as usize] -= 1;
    }

    /// Sums along the steps: each bin then holds all that goes on at its step.
    pub(crate) fn accumulate(&mut self) {
        let mut all = Bin::default();
        for bin in &mut self.0 {
            all.merge(bin);
            *bin = all;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_sum_keeps_what_float64_would_drop() {
        let mut sum = LongSum::default();
        [1e16, 1.0, -1e16, f64::EPSILON].into_iter().for_each(|number| sum.add(number));
        assert_eq!(sum.value(), 1.0 + f64::EPSILON);
    }

    #[test]
    fn a_line_counts_from_where_it_begins_to_where_it_ends() {
        let mut bins = Bins::new(3);
        bins.add(Amount::Equity, 0..3, &Line { slope: 2.0, at_zero: [1.0, 0.5] });
        bins.add(Amount::Shortfall, 1..2, &Line { slope: -1.0, at_zero: [7.0, 0.0] });
        bins.count(Number::Short, 1..2);
        bins.accumulate();
        let at = |step: usize, amount: Amount| {
            let mut sum = LongSum::default();
            bins.0[step].add_to(&mut sum, amount as usize, 10.0 * (step + 1) as f64);
            sum.value()
        };
        assert_eq!([0, 1, 2].map(|step| at(step, Amount::Equity)), [21.5, 41.5, 61.5]);
        assert_eq!([0, 1, 2].map(|step| at(step, Amount::Shortfall)), [0.0, -13.0, 0.0]);
    }
}
