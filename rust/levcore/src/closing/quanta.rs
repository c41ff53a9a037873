//! Amounts as whole numbers of quanta.

use crate::error::{Error, Result};

/// Amounts reach to here, so that the sum of two fits.
const LIMIT: f64 = 4_611_686_018_427_387_904.0;
const QUANTUM: &str = "quantum";
const LOT: &str = "lot";

/// An amount in quanta.
///
/// # Formula
///
/// `amount * per_unit`, rounded to the nearest whole number, a tie to the even one.
///
/// # Errors
///
/// [`Error::Quanta`] for an amount that is no number or of 2^62 quanta and more.
pub fn to_quanta(amount: f64, per_unit: f64) -> Result<i64> {
    whole(amount, per_unit).ok_or(Error::Quanta { unit: QUANTUM, found: amount })
}

/// A quantity in lots, as [`to_quanta`] counts amounts.
pub(crate) fn to_lots(quantity: f64, per_unit: f64) -> Result<i64> {
    whole(quantity, per_unit).ok_or(Error::Quanta { unit: LOT, found: quantity })
}

/// A sum of quanta that has to fit a column.
pub(crate) fn fitting(sum: i128) -> Result<i64> {
    i64::try_from(sum).map_err(|_| Error::Quanta { unit: QUANTUM, found: sum as f64 })
}

/// A sum of lots that has to fit a column.
pub(crate) fn fitting_lots(sum: i128) -> Result<i64> {
    i64::try_from(sum).map_err(|_| Error::Quanta { unit: LOT, found: sum as f64 })
}

fn whole(amount: f64, per_unit: f64) -> Option<i64> {
    let scaled = (amount * per_unit).round_ties_even();
    (scaled.abs() < LIMIT).then_some(scaled as i64)
}
