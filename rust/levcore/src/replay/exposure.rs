//! Sums over the open positions of each instrument, kept exactly while positions come and go.

use crate::formulas::contract::Contract;
use crate::formulas::exact_sum::ExactSum;
use crate::formulas::exposure;

/// Gain a unit of the coordinate: the size, negative where the position gains as it falls.
pub(crate) fn gain_of(contract: &Contract, quantity: f64) -> f64 {
    exposure::direction(quantity, contract.long_direction()) * exposure::size(quantity, contract.contract_size)
}

/// Sums over the positions of an instrument, each exact.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exposure {
    gain: ExactSum,
    cost: ExactSum,
    size: ExactSum,
}

impl Exposure {
    /// Adds a position (`sign` 1) or takes it out (-1); `entry` is a coordinate.
    pub(crate) fn change(&mut self, gain: f64, entry: f64, sign: f64) {
        if gain.is_finite() && (gain * entry).is_finite() {
            self.gain.add(sign * gain);
            self.cost.add(sign * (gain * entry));
            self.size.add(sign * gain.abs());
        }
    }

    /// Unrealized profit at a coordinate.
    pub(crate) fn profit(&self, coordinate: f64) -> f64 {
        self.gain.value() * coordinate - self.cost.value()
    }

    /// Value of both sides at a coordinate.
    pub(crate) fn value(&self, coordinate: f64) -> f64 {
        self.size.value() * coordinate
    }
}
