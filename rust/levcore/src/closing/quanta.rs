//! Amounts as whole numbers of quanta.

use crate::error::{Error, Result};

/// Amounts reach to here, so that the sum of two fits.
const LIMIT: f64 = 4_611_686_018_427_387_904.0;

/// An amount in quanta.
///
/// # Formula
///
/// `amount * per_unit`, rounded to the nearest whole number, a tie to the even one.
///
/// # Errors
///
/// [`Error::Domain`] for an amount that is no number or of 2^62 quanta and more.
pub fn to_quanta(amount: f64, per_unit: f64) -> Result<i64> {
    let scaled = (amount * per_unit).round_ties_even();
    if scaled.abs() < LIMIT {
        return Ok(scaled as i64);
    }
    Err(too_large(amount))
}

/// A sum of quanta that has to fit a column.
pub(crate) fn fitting(sum: i128) -> Result<i64> {
    i64::try_from(sum).map_err(|_| too_large(sum as f64))
}

fn too_large(found: f64) -> Error {
    Error::Domain { argument: "quantum", expected: "amounts that are numbers below 2^62 quanta", found }
}
