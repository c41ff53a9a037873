//! How far a price moves while a quantity is traded.

use crate::error::{Error, Result};

/// Price against the trader as a fraction of the price at first; quantities are positive.
#[derive(Debug, Clone, Copy)]
pub enum Impact<'a> {
    /// `coefficient * quantity / depth`.
    Linear {
        /// Fraction by which the depth moves the price.
        coefficient: f64,
        /// Quantity that does.
        depth: f64,
    },
    /// `coefficient * sqrt(quantity / depth)`.
    SquareRoot {
        /// Fraction by which the depth moves the price.
        coefficient: f64,
        /// Quantity that does.
        depth: f64,
    },
    /// One side of an order book, the best price first.
    Levels {
        /// Distance of each level from the price, a fraction; ascending.
        distance: &'a [f64],
        /// Quantity of each level; positive.
        size: &'a [f64],
    },
}

impl Impact<'_> {
    /// Checks the numbers.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] and [`Error::Domain`], by the name of the number.
    pub fn check(&self) -> Result<()> {
        let positive = |argument: &'static str, number: f64, zero: bool| {
            if number.is_finite() && (number > 0.0 || (zero && number == 0.0)) {
                return Ok(());
            }
            Err(Error::Domain { argument, expected: "a positive number", found: number })
        };
        match *self {
            Self::Linear { coefficient, depth } | Self::SquareRoot { coefficient, depth } => {
                positive("coefficient", coefficient, true)?;
                positive("depth", depth, false)
            }
            Self::Levels { distance, size } => {
                if distance.len() != size.len() {
                    return Err(Error::Length { argument: "size", expected: distance.len(), found: size.len() });
                }
                for (&away, &there) in distance.iter().zip(size) {
                    positive("distance", away, true)?;
                    positive("size", there, false)?;
                }
                match distance.windows(2).find(|pair| !(pair[0] <= pair[1])) {
                    Some(pair) => Err(Error::Domain {
                        argument: "distance",
                        expected: "levels in ascending order",
                        found: pair[1],
                    }),
                    None => Ok(()),
                }
            }
        }
    }

    /// Where the price is after a quantity.
    ///
    /// # Errors
    ///
    /// [`Error::Domain`] for more than the levels hold.
    pub fn at(&self, quantity: f64) -> Result<f64> {
        match *self {
            Self::Linear { coefficient, depth } => Ok(coefficient * (quantity / depth)),
            Self::SquareRoot { coefficient, depth } => Ok(coefficient * (quantity / depth).sqrt()),
            Self::Levels { .. } => self.walked(quantity).map(|(last, _)| last),
        }
    }

    /// What a quantity costs as a multiple of the price at first: the sum of the distance over all that is traded.
    ///
    /// # Formula
    ///
    /// The integral of [`Impact::at`]: a half of `quantity * at(quantity)` where it is linear, two thirds for the square root; level by
    /// level in an order book.
    ///
    /// # Errors
    ///
    /// [`Error::Domain`] for more than the levels hold.
    pub fn cost(&self, quantity: f64) -> Result<f64> {
        match *self {
            Self::Linear { .. } => Ok(quantity * self.at(quantity)? / 2.0),
            Self::SquareRoot { .. } => Ok(quantity * self.at(quantity)? * 2.0 / 3.0),
            Self::Levels { .. } => self.walked(quantity).map(|(_, cost)| cost),
        }
    }

    /// Distance of the last level that a quantity reaches, and the cost.
    fn walked(&self, quantity: f64) -> Result<(f64, f64)> {
        let Self::Levels { distance, size } = *self else { return Ok((0.0, 0.0)) };
        let (mut left, mut last, mut cost) = (quantity, 0.0, 0.0);
        for (&away, &there) in distance.iter().zip(size) {
            if !(left > 0.0) {
                break;
            }
            let taken = if left < there { left } else { there };
            cost += taken * away;
            left -= taken;
            last = away;
        }
        if left > 0.0 {
            return Err(Error::Domain {
                argument: "levels",
                expected: "levels that hold all that is traded",
                found: quantity,
            });
        }
        Ok((last, cost))
    }
}
