//! What closing a position costs, in three parts that add up exactly.

use crate::closing::quanta::{fitting, to_quanta};
use crate::error::{Error, Result};
use crate::memory::with_room;

/// What is closed, one value a row; prices are coordinates of the contract ([`Contract::coordinate`]).
///
/// [`Contract::coordinate`]: crate::formulas::contract::Contract::coordinate
#[derive(Debug, Clone, Copy)]
pub struct Closings<'a> {
    /// Gain for one unit of the coordinate: the size, negative where the position gains as it falls.
    pub gain: &'a [f64],
    /// Coordinate of the entry price.
    pub entry: &'a [f64],
    /// Coordinate of the trigger.
    pub trigger: &'a [f64],
    /// Coordinate of the fill.
    pub fill: &'a [f64],
    /// Fees as a fraction of the value at the fill.
    pub fee_rate: &'a [f64],
}

/// The loss of each row in quanta; negative where it is a gain.
#[derive(Debug, Default)]
pub struct LossParts {
    /// From entry to trigger.
    pub to_trigger: Vec<i64>,
    /// From trigger to fill.
    pub past_trigger: Vec<i64>,
    /// Fees for closing.
    pub fees: Vec<i64>,
}

/// The three parts of each row's loss.
///
/// # Formula
///
/// `to_trigger = round(gain * (entry - trigger))`, `past_trigger = round(gain * (entry - fill)) - to_trigger`: the whole loss is rounded
/// once and its parts add up to it. `fees = round(|gain| * fill * fee_rate)`.
///
/// # Errors
///
/// [`Error::Length`] for columns of several lengths, [`Error::Domain`] for an amount that is no number of quanta.
pub fn loss_parts(closings: &Closings<'_>, per_unit: f64) -> Result<LossParts> {
    let rows = closings.gain.len();
    let columns = [
        ("entry", closings.entry),
        ("trigger", closings.trigger),
        ("fill", closings.fill),
        ("fee_rate", closings.fee_rate),
    ];
    for (argument, column) in columns {
        if column.len() != rows {
            return Err(Error::Length { argument, expected: rows, found: column.len() });
        }
    }
    let mut parts = LossParts { to_trigger: with_room(rows)?, past_trigger: with_room(rows)?, fees: with_room(rows)? };
    for row in 0..rows {
        let (gain, entry, fill) = (closings.gain[row], closings.entry[row], closings.fill[row]);
        let to_trigger = to_quanta(gain * (entry - closings.trigger[row]), per_unit)?;
        let whole = to_quanta(gain * (entry - fill), per_unit)?;
        parts.to_trigger.push(to_trigger);
        parts.past_trigger.push(fitting(i128::from(whole) - i128::from(to_trigger))?);
        parts.fees.push(to_quanta(gain.abs() * fill * closings.fee_rate[row], per_unit)?);
    }
    Ok(parts)
}
