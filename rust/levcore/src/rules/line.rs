//! A line of a table, and the thresholds from which on it applies.

use crate::machine::vector::SINGLES;
use crate::rules::table::Factors;

/// How many keys lines are searched by.
pub(crate) const SEARCHED: usize = 3;

/// How many pairs a line holds: one a key, and what is found by the value as well.
pub(crate) const KEYS: usize = 4;

/// One line of a table with everything that does not depend on the position. What is needed together stands together: rate and deduction,
/// then deduction and factor of the line that triggers liquidation, by [`Key`](crate::rules::tables::Key); last the highest leverage that its tier allows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line(pub [[f64; 2]; KEYS]);

impl Line {
    pub(crate) fn new(rate: f64, deduction: f64, trigger_deduction: f64, factors: Factors, max_leverage: f64) -> Self {
        let (gaining, losing) = factors.both();
        Self([[rate, deduction], [trigger_deduction, gaining], [trigger_deduction, losing], [max_leverage, 0.0]])
    }

    /// Highest leverage that its tier allows; infinite where that is not stated.
    pub(crate) fn max_leverage(&self) -> f64 {
        self.0[3][0]
    }

    pub(crate) fn rate(&self) -> f64 {
        self.0[0][0]
    }

    pub(crate) fn deduction(&self) -> f64 {
        self.0[0][1]
    }
}

/// The same line with the thresholds from which on it applies, by [`Key`]: of use where many rows share a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub above: [f64; SEARCHED],
    pub line: Line,
}

impl Step {
    /// Whether no threshold of these lies below the one before, whatever it is compared with.
    pub(crate) fn ascend(steps: &[Self]) -> bool {
        steps.windows(2).all(|pair| (0..SEARCHED).all(|key| pair[0].above[key] <= pair[1].above[key]))
    }
}

/// Thresholds rounded to single precision, padded with NaN.
///
/// Rounding never turns an order around: of two numbers that differ once they are rounded, the larger one was the larger one. Only where
/// they are equal must the exact ones be compared.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Screen(pub [f32; SINGLES]);

impl Screen {
    pub(crate) fn of(thresholds: &[f64]) -> Self {
        let mut rounded = [f32::NAN; SINGLES];
        for (single, &threshold) in rounded.iter_mut().zip(thresholds) {
            *single = threshold as f32;
        }
        Self(rounded)
    }
}
