//! Contracts in one coordinate, so that linear, inverse and quanto positions share one kernel.
//!
//! # Formula
//!
//! `x = price * multiplier` for linear (multiplier 1) and quanto contracts, `x = 1 / price` for inverse ones. With the size
//! `n = |quantity| * contract_size`, the value in settlement currency is `n * x` for all of them.

use crate::codes::vocabulary::vocabulary;
use crate::error::{Error, Result};
use crate::machine::number::Number;

vocabulary! {
    /// How a contract pays.
    pub enum Payoff: u8 {
        Linear = 0, "linear", "quantity in base currency, settled in quote currency";
        Inverse = 1, "inverse", "quantity in quote currency, settled in base currency";
        Quanto = 2, "quanto", "price in one currency, settled in another at a fixed multiplier";
    }
}

/// The numbers of a contract.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contract {
    /// How it pays.
    pub payoff: Payoff,
    /// Base units (linear, quanto) or quote units (inverse) a contract; positive.
    pub contract_size: f64,
    /// Settlement currency per quote unit; 1 unless quanto.
    pub multiplier: f64,
}

impl Contract {
    /// A checked contract.
    ///
    /// # Errors
    ///
    /// [`Error::Domain`] unless both numbers are positive and finite, and the multiplier is 1 unless the payoff is quanto.
    pub fn new(payoff: Payoff, contract_size: f64, multiplier: f64) -> Result<Self> {
        let positive = |value: f64| value > 0.0 && value < f64::INFINITY;
        if !positive(contract_size) {
            return Err(Error::Domain {
                argument: "contract_size",
                expected: "a positive number",
                found: contract_size,
            });
        }
        if !positive(multiplier) {
            return Err(Error::Domain { argument: "multiplier", expected: "a positive number", found: multiplier });
        }
        if payoff != Payoff::Quanto && multiplier != 1.0 {
            return Err(Error::Domain {
                argument: "multiplier",
                expected: "1 unless the payoff is quanto",
                found: multiplier,
            });
        }
        Ok(Self { payoff, contract_size, multiplier })
    }

    /// Whether the coordinate is the reciprocal of the price.
    #[must_use]
    pub fn is_inverse(&self) -> bool {
        self.payoff == Payoff::Inverse
    }

    /// Coordinate of a price.
    #[inline(always)]
    #[must_use]
    pub fn coordinate(&self, price: f64) -> f64 {
        coordinate(price, self.multiplier, self.is_inverse())
    }

    /// `+1` if a long position gains as the coordinate rises, else `-1`.
    #[inline(always)]
    #[must_use]
    pub fn long_direction(&self) -> f64 {
        if self.is_inverse() { -1.0 } else { 1.0 }
    }
}

/// Coordinate of a price: its reciprocal (inverse), else the price times the multiplier.
#[inline(always)]
#[must_use]
pub fn coordinate<N: Number>(price: N, multiplier: N, inverse: N::Mask) -> N {
    N::choose(inverse, N::all(1.0) / price, price * multiplier)
}

/// Price of a coordinate: its reciprocal (inverse), else the coordinate over the multiplier.
#[must_use]
pub fn price_at_coordinate(coordinate: f64, contract: &Contract) -> f64 {
    if contract.is_inverse() { 1.0 / coordinate } else { coordinate / contract.multiplier }
}

/// Price of a unit of value of a position of `size`: unless inverse, its price is proportional to its value.
#[inline(always)]
#[must_use]
pub fn price_per_value<N: Number>(size: N, multiplier: N) -> N {
    N::all(1.0) / (size * multiplier)
}

/// Price at which a position of `size` is worth `value`; `per_value` is its [`price_per_value`].
#[inline(always)]
#[must_use]
pub fn price_at_value<N: Number>(value: N, size: N, per_value: N, inverse: N::Mask) -> N {
    N::choose(inverse, size / value, value * per_value)
}
